//! A keeper in the simulated cluster: its parts, its lives and deaths, and when everything is done.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use ballast_client::{Automation, Reaction};
use ballast_model::Amounts;
use ballast_strategy::{decide::ActionKind, fixtures};
use solana_sdk::{signature::Keypair, signer::Signer};
use tokio::time::{Instant, sleep};

use super::{Disk, Faults, World, bytes};
use crate::{
    Config, Keeper, Mode, Parts,
    journal::{Record, Storage, scan},
};

pub(super) const POSITIONS: u8 = 3;
/// Simulated time within which every scenario has to end.
pub(super) const LIMIT: Duration = Duration::from_secs(4 * 3_600);

pub(super) fn keypair() -> Keypair {
    Keypair::new_from_array([5; 32])
}

/// Everything allowed, out of the pool at 204 dollars and below.
pub(super) fn automation() -> Automation {
    Automation {
        window_low_tick: fixtures::sqrt_price_cents(20_400).tick().get(),
        at_low: Reaction::ExitIntoQuote as u8,
        recenter_cooldown_secs: 0,
        ..fixtures::automation()
    }
}

pub fn config(mode: Mode) -> Config {
    config_with(mode, "")
}

/// The same with more sections.
pub(crate) fn config_with(mode: Mode, more: &str) -> Config {
    let context = bytes::context();
    Config::parse(&format!(
        "rpc_url = \"http://simulation\"\nws_url = \"ws://simulation\"\njournal_dir = \"none\"\nkeypair = \"none\"\n\
         mode = \"{mode}\"\npool_programs = [\"{}\"]\n[[markets]]\naddress = \"{}\"\nbase_price = \"{}\"\nquote_price = \"{}\"\n\
         [timing]\nwatchdog_secs = 5\nresync_secs = 30\n[automation]\nlook_at_fees_secs = 30\n\
         [prices]\nshow_within_bps = 0\n{more}",
        context.market.whirlpool_program,
        context.address,
        context.prices.base,
        context.prices.quote
    ))
    .unwrap()
}

pub(crate) fn parts(world: &World, disk: &Disk, mode: Mode) -> Parts {
    Parts {
        config: config(mode),
        chain: Arc::new(world.clone()),
        genesis_hash: [1; 32].into(),
        signer: Some(Arc::new(keypair())),
        more_nodes: Vec::new(),
        feeds: Vec::new(),
        storage: Some(Box::new(disk.clone())),
        halt_dir: None,
        clock: Some(world.system_clock()),
        other_nodes: Vec::new(),
        hedge: crate::hedge::Tools::default(),
        leases: None,
        lane: None,
        meters: Vec::new(),
        supervisor: None,
    }
}

/// Lets a keeper pay anything for a liquidation.
pub(super) fn may_liquidate(config: &mut Config) {
    config.liquidation.enabled = true;
    config.liquidation.max_pay = Amounts::new(u64::MAX, u64::MAX);
}

pub(super) fn keeper(world: &World, disk: &Disk, mode: Mode) -> Keeper {
    Keeper::new(parts(world, disk, mode))
}

pub(crate) fn world(seed: u64, faults: Faults) -> (World, Disk) {
    let world = World::new(seed, keypair().pubkey(), POSITIONS, faults);
    let disk = Disk::new(world.crash.clone());
    (world, disk)
}

/// Intents in the journal without an outcome.
pub(super) fn open_intents(disk: &Disk) -> usize {
    let mut open = BTreeSet::new();
    for record in scan(&disk.bytes()).unwrap().records {
        match record {
            Record::Intent(intent) => {
                open.insert(intent.id);
            }
            Record::Outcome(of) => {
                open.remove(&of.id);
            }
            _ => {}
        }
    }
    open.len()
}

/// Everything done and written down; whether that is so in time.
pub(super) async fn settles(world: &World, disk: &Disk, until: Instant) -> bool {
    loop {
        sleep(Duration::from_secs(2)).await;
        if world.lock().is_calm() && open_intents(disk) == 0 {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
    }
}

/// The same, which has to be.
pub(super) async fn settled(world: &World, disk: &Disk, began: Instant) {
    let settles = settles(world, disk, began + LIMIT).await;
    assert!(settles, "no end: {:?}", world.lock().transactions);
}

/// Lets a keeper live until it is killed at its `crash_at`-th operation, or for 0 until everything is done. Returns
/// whether everything was done. With every second kill the power fails.
pub(super) async fn live(world: &World, disk: &Disk, crash_at: u64) -> bool {
    let done = live_on(world, disk, Box::new(disk.clone()), crash_at).await;
    if world.crash.has_happened() {
        let part = world.lock().random(1_000);
        if part.is_multiple_of(2) {
            disk.lose_power(part);
        }
    }
    done
}

/// As [`live`], with power all the time.
pub(super) async fn live_on(
    world: &World,
    disk: &Disk,
    storage: Box<dyn Storage>,
    crash_at: u64,
) -> bool {
    world.crash.begin(crash_at);
    let began = Instant::now();
    let keeper = Keeper::new(Parts {
        storage: Some(storage),
        ..parts(world, disk, Mode::Active)
    });
    tokio::select! {
        biased;
        () = world.crash.happens() => false,
        () = settled(world, disk, began) => true,
        ended = keeper.run(std::future::pending()) => {
            // A start needs answers; the supervisor tries again. A dead disk is the crash.
            assert!(ended.is_err());
            false
        }
    }
}

/// Kills the keeper at each of these operations of consecutive lives, then lets it finish.
pub(super) async fn survive(world: &World, disk: &Disk, crashes: &[u64]) {
    for crash_at in crashes {
        live(world, disk, *crash_at).await;
        // Somebody starts it again, at once or a little later.
        let pause = {
            let mut inner = world.lock();
            let longest = if inner.chance(50) { 500 } else { 40_000 };
            inner.random(longest)
        };
        sleep(Duration::from_millis(pause)).await;
    }
    while !live(world, disk, 0).await {}
}

/// How often an action took effect.
pub(super) fn landed(world: &World, action: ActionKind) -> usize {
    let inner = world.lock();
    let done = inner
        .landings
        .iter()
        .filter(|landing| landing.action == action);
    done.count()
}

/// Lets a keeper run beside `scene`, which ends the test.
pub(super) async fn beside<T>(keeper: Keeper, scene: impl Future<Output = T>) -> T {
    tokio::select! {
        result = scene => result,
        ended = keeper.run(std::future::pending()) => panic!("{ended:?}"),
    }
}
