//! Three days with a keeper who wants a position harmed, beside an honest one.
//!
//! Every ten minutes the price takes a step of a day's 5 %, the pool follows to within its fee, and whoever keeps the position has
//! a look. The hostile keeper comes first, and does all that is due: exit, deleverage with a swap, rehedge or recentering, and
//! compounding. For each it picks the price of the last seconds that is worst for the position, pushes the pool against it as far
//! as the trade's cap, the distance from the oracle and the allowance let it, acts, and lets the pool go again. Then the honest
//! keeper does what is still to be done. Where the owner has named the honest one, all that the hostile one can do at first is to
//! note the need, but for exits and deleverages, which wait for nobody. What the pushing costs the hostile keeper is not counted. Its
//! fees go to the liquidity that it pushes through, the position's too, unless it has put up so much of its own that they come back. The policy is the one that the command line proposes: a narrower band trades more.

mod attack;
mod gap;
mod path;

use std::collections::BTreeMap;

use ballast_client::{
    Automation, BallastError, BallastEvent, MarketContext, OpenArgs, Policy, PositionContext,
    PriceAccounts, Reaction, Side, SqrtPrice, Trade, ballast::due, default_policy, instruction,
};
use ballast_localnet::{Localnet, PricePost, Trader, UsdPrice};
use ballast_model::{Bps, Position as PositionModel};

use self::path::{AGES_SECS, Moment, STEP_SECS, path};
use crate::{
    lifecycle::automation,
    support::{Scene, Sent, accepted, number},
};

const FIRST_SECS: u32 = 30;
const AWAY_EVERY: usize = 40;
const HALF_WIDTH: i32 = 500;
/// The honest keeper puts fees to work every six hours.
const COMPOUND_EVERY: usize = 36;

/// Who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cast {
    /// The honest keeper alone.
    Honest,
    /// The hostile keeper first, the owner has named nobody.
    Hostile,
    /// The same, and the fees of its pushes come back to it; so in those below.
    HostileForNothing,
    /// The same, and before it acts it shows the market the price of the last seconds that is worst for the position.
    HostileWhoShows,
    /// The hostile keeper first, the owner has named the honest one.
    Named,
    /// The same, and the honest one is away one step in forty.
    NamedAndAway,
}

impl Cast {
    fn pushes_for_nothing(self) -> bool {
        !matches!(self, Self::Honest | Self::Hostile)
    }

    /// Most that it may cost of equity at a leverage of 3. What a hostile keeper takes is of what is traded, so that it grows with
    /// leverage.
    fn most(self) -> f64 {
        match self {
            Self::HostileForNothing | Self::HostileWhoShows => 0.025,
            _ => 0.02,
        }
    }
}

/// What keepers do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Rehedge,
    Recenter,
    Deleverage,
    Exit,
    Compound,
}

/// What the owner has opened and asked for.
#[derive(Clone, Copy)]
struct Wish {
    leverage_bps: u32,
    /// LTV of the deleverage trigger and target, if not the proposed ones.
    deleverage_bps: Option<[u32; 2]>,
    /// As far from the first price as which the position leaves the pool.
    stop: Option<f64>,
}

/// What `ballast open` proposes.
const PROPOSED: Wish = Wish {
    leverage_bps: 30_000,
    deleverage_bps: None,
    stop: None,
};

/// The hostile keeper's actions of a kind.
#[derive(Clone, Copy, Default)]
struct Harm {
    count: u32,
    /// Equity lost by them, at the price that there was.
    harm: i128,
    /// The same at the prices that they used.
    at_used_price: i128,
}

/// What came of it.
#[derive(Default)]
struct Outcome {
    equity: i128,
    by_hostile: BTreeMap<Act, Harm>,
    by_honest: u32,
    noted: u32,
    /// How many prices the hostile keeper has shown.
    shown: u32,
    /// How often the honest keeper had no allowance left.
    starved: u32,
}

/// One play.
struct Play {
    cast: Cast,
    scene: Scene,
    position: PositionContext,
    /// The market with the other price accounts.
    older: MarketContext,
    outcome: Outcome,
}

fn usd(dollars: f64) -> UsdPrice {
    UsdPrice::from_f64(dollars).unwrap()
}

impl Play {
    async fn new(cast: Cast, wish: Wish) -> Self {
        let scene = Scene::new().await;
        scene.svm.set_simulating(false);
        let args = OpenArgs {
            leverage_bps: wish.leverage_bps,
            ..scene.example(1)
        };
        let position = scene.world.open(&scene.alice, args).await.unwrap();
        let mut automation = Automation {
            leverage_bps: wish.leverage_bps,
            min_width_ticks: 2 * HALF_WIDTH as u32,
            max_width_ticks: 2 * HALF_WIDTH as u32,
            ..automation()
        };
        if let Some(stop) = wish.stop {
            let tick = |factor| scene.world.tick_at(usd(200.0 * factor)).unwrap().get();
            automation.window_low_tick = tick(1.0 - stop);
            automation.window_high_tick = tick(1.0 + stop);
            automation.at_low = Reaction::ExitIntoQuote as u8;
            automation.at_high = Reaction::ExitIntoQuote as u8;
        }
        scene.automate(&position, automation).await;
        let limits = &scene.world.market.market.limits;
        let proposed = default_policy(limits, scene.world.pool().await.unwrap().fee_rate_ppm);
        let policy = |policy: &mut Policy| {
            *policy = proposed;
            if let Some([trigger, target]) = wish.deleverage_bps {
                policy.deleverage_trigger_ltv_bps = trigger;
                policy.deleverage_target_ltv_bps = target;
            }
        };
        scene.change_policy(&position, policy).await;
        if matches!(cast, Cast::Named | Cast::NamedAndAway) {
            let (market, owner) = (&scene.world.market.address, scene.alice.key());
            let keepers = [scene.keeper.key(), Default::default()];
            let address = &position.address;
            let name = instruction::set_first_keepers(market, &owner, address, keepers, FIRST_SECS);
            accepted(scene.send(&scene.alice, name).await);
        }
        let pyth = scene.svm.programs().pyth.id;
        let account = |side| {
            let feed = PricePost::good(side, UsdPrice::ONE, 0).feed;
            ballast_abi::pyth::stand_in::price_account(&pyth, &feed, 1).0
        };
        let older = MarketContext {
            prices: PriceAccounts {
                base: account(Side::Base),
                quote: account(Side::Quote),
            },
            ..scene.world.market.clone()
        };
        Self {
            cast,
            scene,
            position,
            older,
            outcome: Outcome::default(),
        }
    }

    fn at(&self, dollars: f64) -> SqrtPrice {
        self.scene.world.sqrt_price_at(usd(dollars)).unwrap()
    }

    async fn step(&mut self, moment: &Moment) {
        let world = &self.scene.world;
        self.scene.svm.pass_time(STEP_SECS).await.unwrap();
        world.move_pool(self.at(moment.pool)).await.unwrap();
        world.post_price(usd(moment.price())).await.unwrap();
        self.position = world.reload(&self.position).await.unwrap();
    }

    /// Posts a price of some seconds ago, signed as it is; the market with the accounts that hold it.
    async fn offer(&self, moment: &Moment, age: usize) -> MarketContext {
        let published_secs = self.scene.svm.now_secs() - AGES_SECS[age];
        let post = |side, price| PricePost {
            index: 1,
            ..PricePost::good(side, price, published_secs)
        };
        let posts = [
            post(Side::Base, usd(moment.prices[age])),
            post(Side::Quote, UsdPrice::ONE),
        ];
        accepted(self.scene.world.post(&posts).await);
        self.older.clone()
    }

    /// The trade that is due, its base, and whether it comes with another band.
    fn wanted(&self, model: &PositionModel, price: f64) -> Option<(Trade, u64, Act)> {
        let at = self.at(price);
        let policy = &self.position.position.policy;
        let stored = &self.position.position;
        let recenters = due::recenter_due(&stored.automation, &model.band, at, None).is_some()
            && self.scene.svm.now_secs() >= stored.last_recenter_secs + 10;
        let delta = model.delta(at).unwrap();
        let trade = if delta > 0 {
            Trade::SellBase
        } else {
            Trade::BuyBase
        };
        if recenters {
            let base = u64::try_from(delta.unsigned_abs()).unwrap();
            return Some((trade, base, Act::Recenter));
        }
        let need = due::rehedge_due(policy, model, at, None).unwrap()?;
        Some((need.trade, need.base, Act::Rehedge))
    }

    async fn act(
        &self,
        by: &Trader,
        market: &MarketContext,
        price: f64,
        trade: Trade,
        act: Act,
    ) -> Sent {
        let (world, position, key) = (&self.scene.world, &self.position, &by.key());
        let path = market.swap_path(world.pool().await.unwrap().tick_current, trade);
        let simple = match act {
            Act::Rehedge => Some(instruction::rehedge(market, position, key, &path)),
            Act::Deleverage => Some(instruction::deleverage_swap(market, position, key, &path)),
            Act::Exit => Some(instruction::exit(market, position, key, &path)),
            Act::Compound => Some(instruction::compound(market, position, key)),
            Act::Recenter => None,
        };
        if let Some(instruction) = simple {
            return self.scene.send(by, instruction).await;
        }
        let middle = world.tick_at(usd(price)).unwrap().get();
        let args = ballast_client::RecenterArgs {
            tick_lower: middle - HALF_WIDTH,
            tick_upper: middle + HALF_WIDTH,
        };
        let ticks = [args.tick_lower, args.tick_upper];
        world.create_tick_arrays(ticks).await.unwrap();
        let recenter = instruction::recenter(market, &self.position, &by.key(), args, &path);
        self.scene.send(by, recenter).await
    }

    /// The hostile keeper notes what is due, which is all that it can do before the first keepers have had their time.
    async fn note(&mut self, moment: &Moment) {
        let (model, _) = self.scene.model(&self.position).await;
        let Some((trade, _, act)) = self.wanted(&model, moment.price()) else {
            return;
        };
        let market = self.scene.world.market.clone();
        let by = &self.scene.liquidator;
        let sent = self.act(by, &market, moment.price(), trade, act).await;
        if let Ok(receipt) = sent {
            let noted = |event: &BallastEvent| event.name() == "LeftToFirstKeepers";
            assert!(receipt.events.iter().any(noted), "it has acted");
            self.outcome.noted += 1;
        }
    }

    /// The honest keeper's turn.
    async fn keep(&mut self, moment: &Moment, compounds: bool) {
        if self.position.position.liquidity.get() == 0 {
            return;
        }
        let market = self.scene.world.market.clone();
        let (model, at) = self.scene.model(&self.position).await;
        let automation = &self.position.position.automation;
        if due::exit_due_for(automation, &model, at, None)
            .unwrap()
            .is_some()
        {
            self.do_honestly(moment, &market, Act::Exit).await;
            return;
        }
        let trigger = Bps::new(self.position.position.policy.deleverage_trigger_ltv_bps);
        if model.value(at).unwrap().ltv_at_least(trigger) {
            self.do_honestly(moment, &market, Act::Deleverage).await;
        }
        let (model, _) = self.scene.model(&self.position).await;
        if let Some((.., act)) = self.wanted(&model, moment.price()) {
            self.do_honestly(moment, &market, act).await;
        }
        if compounds {
            self.do_honestly(moment, &market, Act::Compound).await;
        }
    }

    async fn do_honestly(&mut self, moment: &Moment, market: &MarketContext, act: Act) {
        let (model, at) = self.scene.model(&self.position).await;
        let trade = if model.delta(at).unwrap() > 0 {
            Trade::SellBase
        } else {
            Trade::BuyBase
        };
        let by = &self.scene.keeper;
        let sent = self.act(by, market, moment.price(), trade, act).await;
        self.outcome.by_honest += u32::from(sent.is_ok());
        let starved = sent.is_err_and(|error| error.is(BallastError::DailyLossExceeded));
        self.outcome.starved += u32::from(starved);
        self.position = self.scene.world.reload(&self.position).await.unwrap();
    }

    /// Equity with the fees in the end.
    async fn end(mut self) -> Outcome {
        if self.position.position.liquidity.get() > 0 {
            match self.scene.compound(&self.position, &self.scene.alice).await {
                Err(error) if error.is(BallastError::CompoundNotDue) => {}
                compounded => drop(accepted(compounded)),
            }
        }
        let (model, at) = self.scene.model(&self.position).await;
        self.outcome.equity = model.value(at).unwrap().equity();
        self.outcome
    }
}

async fn play(cast: Cast, wish: Wish, seed: u64) -> Outcome {
    let mut play = Play::new(cast, wish).await;
    for (number, moment) in path(seed).iter().enumerate() {
        play.step(moment).await;
        match cast {
            Cast::Honest => {}
            Cast::Hostile | Cast::HostileForNothing => play.attack(moment).await,
            Cast::HostileWhoShows => {
                play.show(moment).await;
                play.attack(moment).await;
            }
            Cast::Named | Cast::NamedAndAway => {
                play.attack_what_waits_for_nobody(moment).await;
                play.note(moment).await;
            }
        }
        if cast == Cast::NamedAndAway && number % AWAY_EVERY == 0 {
            // The time of the first keepers passes.
            let svm = &play.scene.svm;
            svm.pass_time(u64::from(FIRST_SECS)).await.unwrap();
            let price = usd(moment.price());
            play.scene.world.post_price(price).await.unwrap();
            play.attack(moment).await;
        } else {
            play.keep(moment, number % COMPOUND_EVERY == 0).await;
        }
    }
    play.end().await
}

/// The hostile keeper's actions of all casts, by kind.
async fn compare(wish: Wish, seed: u64) -> BTreeMap<Act, u32> {
    let honest = play(Cast::Honest, wish, seed).await;
    let mut table = vec![(Cast::Honest, 0.0, honest)];
    for cast in [
        Cast::Hostile,
        Cast::HostileForNothing,
        Cast::HostileWhoShows,
        Cast::Named,
        Cast::NamedAndAway,
    ] {
        let outcome = play(cast, wish, seed).await;
        let alone = &table[0].2;
        let below = (alone.equity - outcome.equity) as f64 / alone.equity as f64;
        table.push((cast, below, outcome));
    }
    println!(
        "seed  cast               equity   below  by honest  noted  starved  by hostile (harm, at the price used)"
    );
    let mut all = BTreeMap::<Act, u32>::new();
    for (cast, below, outcome) in &table {
        let told = outcome.by_hostile.iter().map(|(act, done)| {
            *all.entry(*act).or_default() += done.count;
            let [harm, used] = [done.harm, done.at_used_price].map(|harm| harm as f64 / 1e6);
            format!("{act:?} {} ({harm:.2}, {used:.2})", done.count)
        });
        println!(
            "{seed:4}  {:17}  {:6.2}  {:5.2}%  {:9}  {:5}  {:7}  {}",
            format!("{cast:?}"),
            outcome.equity as f64 / 1e6,
            below * 100.0,
            outcome.by_honest,
            outcome.noted,
            outcome.starved,
            told.collect::<Vec<_>>().join(", "),
        );
    }
    // What is fair is within the allowances.
    assert_eq!(table[0].2.starved, 0);
    let leverage = f64::from(wish.leverage_bps) / f64::from(PROPOSED.leverage_bps);
    for (cast, below, _) in &table {
        assert!(*below <= cast.most() * leverage, "{cast:?}: {below}");
    }
    for (cast, _, outcome) in &table {
        assert_eq!(outcome.shown > 0, *cast == Cast::HostileWhoShows);
    }
    all
}

#[tokio::test]
async fn three_days_with_a_hostile_keeper() {
    compare(PROPOSED, 1).await;
}

#[tokio::test]
async fn three_other_days_with_a_hostile_keeper() {
    compare(PROPOSED, 2).await;
}

#[tokio::test]
async fn three_more_days_with_a_hostile_keeper() {
    compare(PROPOSED, 3).await;
}

/// A position that comes to its trigger again and again. In its band it is deleveraged without a swap, beyond it at the cap of the trade,
/// which is charged to no allowance.
#[tokio::test]
async fn three_days_at_the_trigger_with_a_hostile_keeper() {
    let near = Wish {
        leverage_bps: 38_000,
        deleverage_bps: Some([7_310, 7_300]),
        ..PROPOSED
    };
    let acts = compare(near, number("BALLAST_SEED", 1)).await;
    assert!(acts.contains_key(&Act::Deleverage), "{acts:?}");
}

/// With a stop-loss, at which the hostile keeper takes what an exit may lose, once.
#[tokio::test]
async fn three_days_to_a_stop_loss_with_a_hostile_keeper() {
    let stopped = Wish {
        stop: Some(0.06),
        ..PROPOSED
    };
    let acts = compare(stopped, number("BALLAST_SEED", 1)).await;
    assert!(acts.contains_key(&Act::Exit), "{acts:?}");
}
