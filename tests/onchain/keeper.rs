//! The keeper's own decisions, carried out by its own executor on the real program: out of the band it recenters, at the edge of
//! the window it exits, fees it compounds, and the market's risk stage it refreshes.

use std::{path::PathBuf, sync::Arc};

use ballast_client::{Amounts, Automation, PositionContext, Reaction};
use ballast_keeper::{
    Config, Control, Mode,
    events::Events,
    execute::{Executor, FeeAccounts, Job, Report, Verdict},
    journal::{Header, Journal, Outcome, Record, SharedJournal, VERSION, scan},
};
use ballast_localnet::{Localnet, UsdPrice};
use ballast_model::{Bps, SqrtPrice};
use ballast_strategy::{decide::ActionKind, situation::Outlook};
use tempfile::TempDir;

use crate::{
    lifecycle::automation,
    support::{Scene, accepted},
};

/// A keeper's executor in a scene.
pub struct Hand<'a> {
    scene: &'a Scene,
    pub executor: Executor,
    directory: TempDir,
}

impl<'a> Hand<'a> {
    pub fn new(scene: &'a Scene, more: &str) -> Self {
        Self::open(scene, more, TempDir::new().unwrap())
    }

    /// Another life of it, with the same journal.
    pub fn again(self, more: &str) -> Self {
        let Self {
            scene,
            executor,
            directory,
        } = self;
        // And with it the lock on the journal.
        drop(executor);
        Self::open(scene, more, directory)
    }

    fn open(scene: &'a Scene, more: &str, directory: TempDir) -> Self {
        let market = &scene.world.market;
        let config = Config::parse(&format!(
            "rpc_url = \"http://svm\"\nws_url = \"ws://svm\"\njournal_dir = \"none\"\nkeypair = \"none\"\nmode = \"active\"\n\
             pool_programs = [\"{}\"]\n[[markets]]\naddress = \"{}\"\nbase_price = \"{}\"\nquote_price = \"{}\"\n{more}",
            market.market.whirlpool_program,
            market.address,
            market.prices.base,
            market.prices.quote
        ))
        .unwrap();
        let header = Header {
            version: VERSION,
            genesis_hash: [1; 32].into(),
            keeper: scene.keeper.key(),
            continues: None,
        };
        let (journal, recovered) = Journal::open(directory.path(), &header).unwrap();
        let executor = Executor::new(
            scene.svm.chain(),
            Some(SharedJournal::new(journal)),
            Some(Arc::new(scene.keeper.keypair.insecure_clone())),
            Arc::new(config),
            Events::default(),
        );
        // Time as the chain has it, and a restart sees how far that is by then.
        let now_secs = scene.svm.now_secs();
        let control = Control::new(
            Mode::Active,
            Events::default(),
            Some(Arc::new(move || now_secs)),
        );
        let executor = executor
            .with_control(control)
            .with_spending(recovered.spending);
        Self {
            scene,
            executor,
            directory,
        }
    }

    /// Lets the keeper do that to the position, if it finds it due.
    pub async fn act(&self, position: &PositionContext, action: ActionKind) -> Report {
        self.executor.act(self.job(position, action).await).await
    }

    async fn job(&self, position: &PositionContext, action: ActionKind) -> Job {
        let position = self.scene.world.reload(position).await.unwrap();
        let market = Arc::new(self.scene.world.market.clone());
        Job {
            fees: Some(FeeAccounts::new(&market, &position.position)),
            market,
            position: position.address,
            outlook: Outlook::default(),
            survey: false,
            action,
            min_slot: 0,
            attempt: 0,
            has_failed: false,
        }
    }

    #[track_caller]
    pub fn landed(report: &Report) {
        assert!(
            matches!(report.verdict, Verdict::Resolved(Outcome::Landed { .. })),
            "{:?}",
            report.verdict
        );
    }

    /// The journal.
    pub fn records(&self) -> Vec<Record> {
        let file = std::fs::read_dir(self.directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path: &PathBuf| path.extension().is_some_and(|ext| ext == "jsonl"))
            .unwrap();
        scan(&std::fs::read(file).unwrap()).unwrap().records
    }

    /// What the journal says was done.
    pub fn journaled(&self) -> Vec<ActionKind> {
        let actions = self
            .records()
            .into_iter()
            .filter_map(|record| match record {
                Record::Intent(intent) => Some(intent.action),
                _ => None,
            });
        actions.collect()
    }
}

/// The stored position's ticks.
async fn ticks(scene: &Scene, position: &PositionContext) -> [i32; 2] {
    scene.world.reload(position).await.unwrap().ticks()
}

fn inside(ticks: [i32; 2], price: SqrtPrice) -> bool {
    (ticks[0]..ticks[1]).contains(&price.tick().get())
}

#[tokio::test]
async fn out_of_the_band_the_keeper_recenters_and_pays_for_the_tick_arrays() {
    for (dollars, more) in [
        (185, ""),
        (216, ""),
        // Far away, where no tick array is.
        (140, ""),
        // The same on a pool program that is taken for one which cannot move positions.
        (216, "pool_can_reset_range = false\n"),
    ] {
        let scene = Scene::new().await;
        let hand = Hand::new(&scene, more);
        let position = scene.open(1).await;
        let before = hand.act(&position, ActionKind::Recenter).await;
        assert!(matches!(before.verdict, Verdict::NotDue));
        scene.price(dollars).await;
        // The owner has not allowed it: the hedge is all there is.
        let forbidden = hand.act(&position, ActionKind::Recenter).await;
        assert!(matches!(forbidden.verdict, Verdict::NotDue));
        scene.automate(&position, automation()).await;
        let moved = hand.act(&position, ActionKind::Recenter).await;
        assert!(
            !matches!(moved.verdict, Verdict::NotDue),
            "at {dollars} {more}"
        );
        Hand::landed(&moved);
        let (after, oracle) = scene.model(&position).await;
        let stored = scene.world.reload(&position).await.unwrap().position;
        assert!(inside(ticks(&scene, &position).await, oracle));
        assert_eq!(stored.recenters, 1);
        assert_eq!(stored.nft_generation, u32::from(!more.is_empty()));
        let error = after.hedge_error(oracle, Bps::ONE).unwrap();
        let full = u128::from(after.full_base_up().unwrap());
        assert!(error.unsigned_abs() * 100 <= full, "{error} of {full}");
        // Done is done, and the cool-down runs.
        let again = hand.act(&position, ActionKind::Recenter).await;
        assert!(matches!(again.verdict, Verdict::NotDue));
        assert_eq!(hand.journaled(), [ActionKind::Recenter]);
        let position = scene.world.reload(&position).await.unwrap();
        accepted(scene.close(&position).await);
    }
}

#[tokio::test]
async fn at_the_stop_loss_the_keeper_exits() {
    for reaction in [
        Reaction::ExitAsIs,
        Reaction::ExitIntoBase,
        Reaction::ExitIntoQuote,
    ] {
        for (dollars, low, high) in [(190, 192, 220), (212, 180, 210)] {
            let scene = Scene::new().await;
            let hand = Hand::new(&scene, "");
            let position = scene.open(1).await;
            let tick = |dollars| {
                let price = UsdPrice::dollars(dollars);
                scene.world.tick_at(price).unwrap().get()
            };
            let (window_low_tick, window_high_tick) = (tick(low), tick(high));
            let window = Automation {
                window_low_tick,
                window_high_tick,
                at_low: reaction as u8,
                at_high: reaction as u8,
                ..automation()
            };
            scene.automate(&position, window).await;
            let before = hand.act(&position, ActionKind::Exit).await;
            assert!(matches!(before.verdict, Verdict::NotDue));
            scene.price(dollars).await;
            // Out of the window nobody recenters.
            let moved = hand.act(&position, ActionKind::Recenter).await;
            assert!(matches!(moved.verdict, Verdict::NotDue));
            Hand::landed(&hand.act(&position, ActionKind::Exit).await);
            let (after, _) = scene.model(&position).await;
            assert_eq!((after.liquidity, after.debt), (0, Amounts::ZERO));
            match reaction {
                Reaction::ExitIntoQuote => assert_eq!(after.idle.base, 0),
                Reaction::ExitIntoBase => assert!(after.idle.quote < 1_000, "{:?}", after.idle),
                _ => {}
            }
            // Nothing is left to do for it.
            for action in ActionKind::ALL {
                if !matches!(action, ActionKind::RefreshPrice | ActionKind::RefreshStage) {
                    let report = hand.act(&position, action).await;
                    assert!(matches!(report.verdict, Verdict::NotDue), "{action}");
                }
            }
        }
    }
}

#[tokio::test]
async fn at_the_floor_the_keeper_exits() {
    let scene = Scene::new().await;
    let hand = Hand::new(&scene, "");
    let position = scene.open(1).await;
    let floor = Automation {
        min_equity: 99_000_000,
        at_floor: Reaction::ExitIntoQuote as u8,
        ..automation()
    };
    scene.automate(&position, floor).await;
    let before = hand.act(&position, ActionKind::Exit).await;
    assert!(matches!(before.verdict, Verdict::NotDue));
    scene.price(180).await;
    Hand::landed(&hand.act(&position, ActionKind::Exit).await);
    let (after, _) = scene.model(&position).await;
    assert_eq!((after.liquidity, after.debt), (0, Amounts::ZERO));
}

#[tokio::test]
async fn fees_are_seen_exactly_and_compounded_when_they_are_worth_it() {
    let scene = Scene::new().await;
    let hand = Hand::new(&scene, "");
    let position = scene.open(1).await;
    let with = |compound_min_value| Automation {
        compound_min_value,
        ..automation()
    };
    scene.automate(&position, with(u64::MAX)).await;
    let seen = |report: &Report| report.seen.unwrap().fees.unwrap();
    let report = hand.act(&position, ActionKind::Compound).await;
    assert!(matches!(report.verdict, Verdict::NotDue));
    assert_eq!(seen(&report), Amounts::ZERO);
    for dollars in [203.0, 197.0, 200.0] {
        scene.pool(dollars).await;
    }
    let report = hand.act(&position, ActionKind::Compound).await;
    assert!(matches!(report.verdict, Verdict::NotDue));
    let fees = seen(&report);
    let (_, oracle) = scene.model(&position).await;
    let worth = ballast_model::value_down(fees.base, oracle).unwrap() + u128::from(fees.quote);
    let worth = u64::try_from(worth).unwrap();
    // What was seen is what the program finds, to the unit.
    scene.automate(&position, with(worth + 1)).await;
    let report = hand.act(&position, ActionKind::Compound).await;
    assert!(matches!(report.verdict, Verdict::NotDue));
    scene.automate(&position, with(worth)).await;
    let (before, _) = scene.model(&position).await;
    Hand::landed(&hand.act(&position, ActionKind::Compound).await);
    let (after, _) = scene.model(&position).await;
    assert!(after.liquidity > before.liquidity);
    let report = hand.act(&position, ActionKind::Compound).await;
    assert_eq!(seen(&report), Amounts::ZERO);
    assert_eq!(hand.journaled(), [ActionKind::Compound]);
}

#[tokio::test]
async fn who_wants_more_than_there_is_does_not_compound() {
    let scene = Scene::new().await;
    let hand = Hand::new(&scene, "");
    let position = scene.open(1).await;
    let paid = Automation {
        reward_lamports: 20_000,
        compound_min_value: 1,
        ..automation()
    };
    scene.automate(&position, paid).await;
    for dollars in [203.0, 197.0, 200.0] {
        scene.pool(dollars).await;
    }
    let greedy = Hand::new(&scene, "");
    let mut job = hand.job(&position, ActionKind::Compound).await;
    job.outlook.economics.min_reward_lamports = 20_000;
    let report = greedy.executor.act(job.clone()).await;
    assert!(matches!(report.verdict, Verdict::NotDue));
    assert_eq!(report.seen.unwrap().reward_lamports, Some(0));
    let funded = crate::lifecycle::solana_transfer(&scene.alice.key(), &position.address, 20_000);
    accepted(scene.send(&scene.alice, funded).await);
    Hand::landed(&greedy.executor.act(job).await);
}

#[tokio::test]
async fn the_risk_stage_is_raised_when_the_oracle_falls_silent() {
    let scene = Scene::new().await;
    let hand = Hand::new(&scene, "");
    let market = Arc::new(scene.world.market.clone());
    let job = Job {
        position: market.address,
        fees: None,
        outlook: Outlook::default(),
        survey: false,
        action: ActionKind::RefreshStage,
        min_slot: 0,
        attempt: 0,
        has_failed: false,
        market,
    };
    let stages = scene.world.snapshot().await.unwrap().market.stages;
    let mut seen = vec![];
    for silence in [stages.silence_secs, stages.long_silence_secs] {
        let silent_for = seen.len() as u64;
        assert!(silence > 0, "{silent_for}");
        let published = scene
            .world
            .snapshot()
            .await
            .unwrap()
            .base_price
            .publish_time;
        scene.svm.set_time(published + i64::from(silence));
        Hand::landed(&hand.executor.act(job.clone()).await);
        seen.push(scene.world.snapshot().await.unwrap().market.stage.stage);
        let again = hand.executor.act(job.clone()).await;
        assert!(matches!(again.verdict, Verdict::NotDue));
    }
    assert_eq!(seen, [1, 2]);
}
