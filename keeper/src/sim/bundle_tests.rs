//! The keeper with a block engine before the simulated cluster: a tip in each action's own transaction, and everything as often as without.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use ballast_client::{
    Chain, ChainError, Lane, Prepared, Pubkey, VersionedTransaction, tip_lamports,
};
use ballast_strategy::decide::ActionKind;
use tokio::time::{Instant, sleep};

use super::{
    Disk, Faults, World,
    scene::{POSITIONS, beside, config_with, landed, parts, settled, world},
};
use crate::{
    Keeper, Mode, Parts,
    journal::{Intent, Record, scan},
};

const COUNT: usize = POSITIONS as usize;

fn tip_accounts() -> [Pubkey; 2] {
    [[71; 32], [72; 32]].map(Pubkey::new_from_array)
}

/// An engine that may lose what it is handed, or refuse it.
struct Engine {
    world: World,
    seen: Mutex<Vec<VersionedTransaction>>,
    /// Of a hundred.
    loses: u64,
    refuses: u64,
}

impl Engine {
    fn new(world: &World, loses: u64, refuses: u64) -> Arc<Self> {
        Arc::new(Self {
            world: world.clone(),
            seen: Mutex::default(),
            loses,
            refuses,
        })
    }
}

#[async_trait]
impl Lane for Engine {
    fn label(&self) -> String {
        "engine".into()
    }

    async fn submit(&self, transaction: &VersionedTransaction) -> Result<(), ChainError> {
        self.seen.lock().unwrap().push(transaction.clone());
        let (loses, refuses) = {
            let mut world = self.world.lock();
            (world.chance(self.loses), world.chance(self.refuses))
        };
        if refuses {
            return Err(ChainError::Refused {
                endpoint: "engine".into(),
                what: "sendBundle",
                reason: "not now".into(),
            });
        }
        match loses {
            true => Ok(()),
            false => self.world.submit(transaction).await,
        }
    }
}

fn with_engine(world: &World, disk: &Disk, engine: &Arc<Engine>, more: &str) -> Parts {
    let [one, other] = tip_accounts();
    let section = format!(
        "[bundles]\nurl = \"http://engine\"\ntip_accounts = [\"{one}\", \"{other}\"]\n{more}"
    );
    Parts {
        config: config_with(Mode::Active, &section),
        lane: Some(engine.clone()),
        ..parts(world, disk, Mode::Active)
    }
}

fn intents(disk: &Disk) -> Vec<Intent> {
    let records = scan(&disk.bytes()).unwrap().records;
    let intents = records.into_iter().filter_map(|record| match record {
        Record::Intent(intent) => Some(*intent),
        _ => None,
    });
    intents.collect()
}

/// Of each intent the engine saw its bytes and no others, with the tip that the journal says.
fn as_journaled(engine: &Engine, intents: &[Intent]) {
    let seen = engine.seen.lock().unwrap();
    for transaction in seen.iter() {
        let signature = transaction.signatures[0];
        let intent = intents.iter().find(|intent| intent.signature == signature);
        let intent = intent.expect("something was sent that is not journaled");
        let prepared =
            Prepared::from_bytes(&intent.transaction, intent.last_valid_block_height).unwrap();
        assert_eq!(prepared.transaction(), transaction);
        let tip = tip_lamports(transaction, &tip_accounts());
        assert_eq!(tip.unwrap_or(0), intent.tip_lamports);
    }
}

#[tokio::test(start_paused = true)]
async fn every_action_tips_the_engine_and_the_journal_says_how_much() {
    let (world, disk) = world(1, Faults::default());
    world.lock().set_price(205);
    let engine = Engine::new(&world, 0, 0);
    let keeper = Keeper::new(with_engine(&world, &disk, &engine, ""));
    beside(keeper, settled(&world, &disk, Instant::now())).await;
    assert_eq!(landed(&world, ActionKind::Rehedge), COUNT);
    let intents = intents(&disk);
    as_journaled(&engine, &intents);
    assert_eq!(intents.len(), COUNT);
    assert!(intents.iter().all(|intent| intent.tip_lamports >= 1_000));
    let paid: BTreeSet<Pubkey> = intents
        .iter()
        .map(|intent| {
            let bytes = &intent.transaction;
            let prepared = Prepared::from_bytes(bytes, intent.last_valid_block_height).unwrap();
            let message = &prepared.transaction().message;
            let last = message.instructions().last().unwrap();
            message.static_account_keys()[usize::from(last.accounts[1])]
        })
        .collect();
    assert_eq!(paid, tip_accounts().into(), "they take turns");
    assert_eq!(world.lock().violations, Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn without_an_engine_nobody_is_tipped() {
    let (world, disk) = world(1, Faults::default());
    world.lock().set_price(205);
    let keeper = super::scene::keeper(&world, &disk, Mode::Active);
    beside(keeper, settled(&world, &disk, Instant::now())).await;
    let intents = intents(&disk);
    assert_eq!(intents.len(), COUNT);
    assert!(intents.iter().all(|intent| intent.tip_lamports == 0));
    let text = String::from_utf8_lossy(&disk.bytes()).into_owned();
    assert!(
        !text.contains("tip_lamports"),
        "older journals stay as they are"
    );
}

#[tokio::test(start_paused = true)]
async fn tips_are_part_of_what_an_hour_may_cost() {
    let (world, disk) = world(1, Faults::default());
    world.lock().set_price(205);
    let engine = Engine::new(&world, 0, 0);
    let mut parts = with_engine(&world, &disk, &engine, "min_tip_lamports = 20000\n");
    // A rehedge is a signature and little more; with its tip an hour has room for one.
    parts.config.fees.max_lamports_per_hour = 40_000;
    parts.config.fees.reserved_lamports_per_hour = 0;
    beside(Keeper::new(parts), sleep(Duration::from_secs(20 * 60))).await;
    assert_eq!(landed(&world, ActionKind::Rehedge), 1);
    assert!(
        intents(&disk)
            .iter()
            .all(|intent| intent.tip_lamports == 20_000)
    );
}

#[tokio::test(start_paused = true)]
async fn a_cap_that_has_no_room_for_a_tip_leaves_the_nodes() {
    let (world, disk) = world(1, Faults::default());
    world.lock().set_price(205);
    let engine = Engine::new(&world, 0, 0);
    let mut parts = with_engine(&world, &disk, &engine, "");
    parts.config.fees.max_lamports_per_action = 1_999;
    beside(Keeper::new(parts), settled(&world, &disk, Instant::now())).await;
    assert_eq!(landed(&world, ActionKind::Rehedge), COUNT);
    assert!(intents(&disk).iter().all(|intent| intent.tip_lamports == 0));
}

/// Killed anywhere, on a cluster that loses things, with an engine that loses and refuses.
#[tokio::test(start_paused = true)]
async fn killed_anywhere_before_a_bad_engine_it_acts_exactly_once() {
    for crash_at in (1..=90).step_by(3) {
        let faults = Faults {
            lost: 20,
            ..Faults::default()
        };
        let (world, disk) = world(100 + crash_at, faults);
        world.lock().set_price(205);
        let engine = Engine::new(&world, 40, 30);
        let mut at = crash_at;
        loop {
            world.crash.begin(at);
            let keeper = Keeper::new(with_engine(&world, &disk, &engine, ""));
            let done = tokio::select! {
                biased;
                () = world.crash.happens() => false,
                () = settled(&world, &disk, Instant::now()) => true,
                // A dead disk is the crash.
                ended = keeper.run(std::future::pending()) => {
                    assert!(ended.is_err());
                    false
                }
            };
            if done {
                break;
            }
            at = 0;
        }
        assert_eq!(world.lock().violations, Vec::<String>::new(), "{crash_at}");
        assert_eq!(landed(&world, ActionKind::Rehedge), COUNT, "{crash_at}");
        as_journaled(&engine, &intents(&disk));
    }
}
