//! A fork takes back what had landed: journal, book and chain say the same afterwards, and each action was done once.

use std::{collections::BTreeSet, time::Duration};

use ballast_strategy::decide::ActionKind;
use solana_sdk::signer::Signer;
use tokio::time::{Instant, sleep};

use super::{
    Disk, Faults, World,
    fork::Then,
    node::{Answers, Manners},
    nodes_tests::{WELL, journal_agrees, nodes, on_nodes},
    scene::{LIMIT, POSITIONS, beside, keeper, keypair, landed, parts, settled, survive, world},
    world::{CONFIRMED_LAG, FINAL_LAG},
};
use crate::{
    Keeper, KeeperEvent, Mode,
    journal::{OutcomeRecord, Record, scan},
};

const COUNT: usize = POSITIONS as usize;
const SECS: fn(u64) -> Duration = Duration::from_secs;

/// Until everything is done, and the journal says so.
async fn agrees(world: &World, disk: &Disk) {
    let began = Instant::now();
    loop {
        settled(world, disk, began).await;
        match journal_agrees(world, disk) {
            Ok(_) => return,
            Err(why) => assert!(began.elapsed() < LIMIT, "{why}"),
        }
    }
}

/// Each position was rehedged, once, and nothing else was done; so many transactions of it were signed.
fn rehedged_once(world: &World, signed: std::ops::RangeInclusive<usize>) {
    assert_eq!(landed(world, ActionKind::Rehedge), COUNT);
    let inner = world.lock();
    assert_eq!(inner.violations, Vec::<String>::new());
    assert_eq!(inner.landings.len(), COUNT);
    let count = inner.transactions.len();
    assert!(signed.contains(&count), "{count} not in {signed:?}");
}

/// Until something has been taken back of slots that lie back so far, by forks that win again and again.
async fn take_back(world: &World, slots: u64, then: Then) {
    while world.lock().fork(slots, then) == 0 {
        sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_confirmed_and_is_taken_back_lands_as_the_same_bytes() {
    for (seed, then) in [(1, Then::Again), (2, Then::Lost), (3, Then::Either)] {
        let (world, disk) = world(seed, Faults::default());
        world.lock().set_price(205);
        let scene = async {
            take_back(&world, CONFIRMED_LAG - 1, then).await;
            agrees(&world, &disk).await;
        };
        beside(keeper(&world, &disk, Mode::Active), scene).await;
        // But for one that was signed on a blockhash of the other fork.
        rehedged_once(&world, COUNT..=COUNT + 1);
    }
}

/// More slots than what is done at once takes.
const LATELY: u64 = 20;

/// A cluster whose transactions are signed on a blockhash of the forks' common part, or on blockhashes of the fork that loses.
fn world_on(seed: u64, common: bool) -> (World, Disk) {
    let (world, disk) = world(seed, Faults::default());
    {
        let mut inner = world.lock();
        inner.blockhash();
        inner.blockhash_stands = common;
        inner.set_price(205);
    }
    (world, disk)
}

/// What becomes of what is taken back, and how many transactions are signed in all.
fn cases() -> impl Iterator<Item = (Then, bool, std::ops::RangeInclusive<usize>)> {
    let thens = [Then::Again, Then::Lost, Then::Either];
    thens.into_iter().flat_map(|then| {
        [
            // The same bytes land once more.
            (then, true, COUNT..=COUNT),
            (then, false, COUNT..=2 * COUNT),
        ]
    })
}

#[tokio::test(start_paused = true)]
async fn what_was_confirmed_and_is_taken_back_is_noticed_told_and_done_once() {
    for (seed, (then, common, signed)) in (1..).zip(cases()) {
        let (world, disk) = world_on(seed, common);
        let keeper = Keeper::new(parts(&world, &disk, Mode::Active));
        let mut events = keeper.events();
        let scene = async {
            settled(&world, &disk, Instant::now()).await;
            assert_eq!(landed(&world, ActionKind::Rehedge), COUNT);
            assert_eq!(world.lock().fork(LATELY, then), COUNT);
            assert_eq!(landed(&world, ActionKind::Rehedge), 0);
            agrees(&world, &disk).await;
        };
        beside(keeper, scene).await;
        rehedged_once(&world, signed);
        let mut told = 0;
        while let Ok(event) = events.try_recv() {
            if let KeeperEvent::Warning { message } = event {
                told += usize::from(message.starts_with("a fork took rehedge of"));
            }
        }
        assert_eq!(told, COUNT, "{then:?} {common}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_back_while_the_keeper_is_down_is_noticed_at_its_start() {
    for (seed, (then, common, _)) in (11..).zip(cases()) {
        let (world, disk) = world_on(seed, common);
        survive(&world, &disk, &[]).await;
        let before = scan(&disk.bytes()).unwrap().records.len();
        assert_eq!(world.lock().fork(LATELY, then), COUNT);
        // Killed at each of some operations, it comes to the same end.
        survive(&world, &disk, &[3, 9, 20]).await;
        let scene = agrees(&world, &disk);
        beside(keeper(&world, &disk, Mode::Active), scene).await;
        // While it is down a blockhash may have been used up.
        rehedged_once(&world, COUNT..=2 * COUNT);
        let after = scan(&disk.bytes()).unwrap().records.len();
        assert!(after >= before + COUNT, "{before} {after}");
    }
}

/// Where the price has gone back meanwhile nothing is due any more: the journal is put right nevertheless.
#[tokio::test(start_paused = true)]
async fn the_journal_is_put_right_also_where_nothing_is_due() {
    let (world, disk) = world_on(7, false);
    let scene = async {
        settled(&world, &disk, Instant::now()).await;
        assert_eq!(world.lock().fork(LATELY, Then::Lost), COUNT);
        world.lock().set_price(200);
        agrees(&world, &disk).await;
    };
    beside(keeper(&world, &disk, Mode::Active), scene).await;
    assert_eq!(world.lock().violations, Vec::<String>::new());
}

/// What the journal says became of intents, each outcome.
fn outcomes(disk: &Disk) -> Vec<OutcomeRecord> {
    let records = scan(&disk.bytes()).unwrap().records.into_iter();
    let outcomes = records.filter_map(|record| match record {
        Record::Outcome(outcome) => Some(outcome),
        _ => None,
    });
    outcomes.collect()
}

/// A keeper that was away for a while, or for days, and a node that began with a snapshot meanwhile: that it knows nothing of what had
/// landed says nothing.
#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_keep_the_blocks_of_that_time_overturns_nothing() {
    for (seed, away) in [(21, SECS(5)), (22, SECS(60)), (23, SECS(3 * 86_400))] {
        let (world, disk) = world_on(seed, false);
        survive(&world, &disk, &[]).await;
        let before = outcomes(&disk);
        sleep(away).await;
        world.begins_anew();
        beside(keeper(&world, &disk, Mode::Active), sleep(SECS(900))).await;
        let mut after = outcomes(&disk);
        after.retain(|outcome| before.iter().any(|known| known.id == outcome.id));
        assert_eq!(after, before, "{away:?}");
        rehedged_once(&world, COUNT..=COUNT);
        // Nor is anything held up by it for ever.
        world.lock().set_price(200);
        beside(keeper(&world, &disk, Mode::Active), async {
            settled(&world, &disk, Instant::now()).await;
        })
        .await;
        assert_eq!(world.lock().violations, Vec::<String>::new());
    }
}

/// Many positions, of which a fork takes back more than may be in flight. None of it can land any more, which is certain after a minute.
/// All of them near their liquidation meanwhile.
#[tokio::test(start_paused = true)]
async fn what_a_fork_took_back_holds_up_nothing_that_protects() {
    const MANY: u8 = 9;
    let world = World::new(31, keypair().pubkey(), MANY, Faults::default());
    let disk = Disk::new(world.crash.clone());
    world.lock().set_price(205);
    let mut parts = parts(&world, &disk, Mode::Active);
    parts.config.max_in_flight = 4;
    let protected = |world: &World| {
        let inner = world.lock();
        let protects =
            |action| [ActionKind::Deleverage, ActionKind::DeleverageSwap].contains(&action);
        let done = inner.landings.iter().filter(|it| protects(it.action));
        done.map(|it| it.position).collect::<BTreeSet<_>>().len()
    };
    let scene = async {
        settled(&world, &disk, Instant::now()).await;
        let taken_back = world.lock().fork(FINAL_LAG - 2, Then::Lost);
        assert!(taken_back > 4, "{taken_back}");
        // Until all are noticed.
        sleep(SECS(25)).await;
        world.lock().set_price(290);
        let began = Instant::now();
        while protected(&world) < MANY.into() {
            let took = began.elapsed();
            assert!(took < SECS(30), "{} in {took:?}", protected(&world));
            sleep(Duration::from_millis(200)).await;
        }
        // What was taken back is not settled by then.
        assert!(journal_agrees(&world, &disk).is_err());
        agrees(&world, &disk).await;
    };
    beside(Keeper::new(parts), scene).await;
    assert_eq!(world.lock().violations, Vec::<String>::new());
}

/// Whoever is asked what may land yet hears of what is sent again.
#[tokio::test(start_paused = true)]
async fn what_is_sent_again_is_in_flight() {
    let (world, disk) = world_on(32, false);
    let keeper = Keeper::new(parts(&world, &disk, Mode::Active));
    let (control, status) = (keeper.control(), keeper.status());
    let scene = async {
        settled(&world, &disk, Instant::now()).await;
        assert_eq!(control.in_flight(), []);
        assert_eq!(world.lock().fork(LATELY, Then::Lost), COUNT);
        sleep(SECS(25)).await;
        assert_eq!(control.in_flight().len(), COUNT);
        assert!(status.borrow().in_flight >= COUNT);
        agrees(&world, &disk).await;
        assert_eq!(control.in_flight(), []);
    };
    beside(keeper, scene).await;
}

/// Within this what a fork took back is written down, while one node works. Until it can land no more takes 75 seconds. Nobody waits for who
/// says nothing of transactions for a minute; who answers one question of five is waited for longest.
const FOUND_WITHIN: Duration = Duration::from_secs(900);

/// One node works, one says nothing, and the third answers some questions, or none.
#[tokio::test(start_paused = true)]
async fn while_one_node_works_what_was_taken_back_is_found_however_the_others_answer() {
    let mut longest = Duration::ZERO;
    for (seed, percent) in (40..).zip([0, 40, 60, 80, 90, 95, 98, 100].repeat(4)) {
        let took = found_beside_garbage(seed, percent).await;
        println!("{percent} % garbage: {took:?} (seed {seed})");
        longest = longest.max(took);
    }
    assert!(longest < FOUND_WITHIN, "{longest:?}");
}

async fn found_beside_garbage(seed: u64, percent: u64) -> Duration {
    let (world, disk) = world_on(seed, false);
    let answering = |answers| Manners { answers, ..WELL };
    let manners = [
        answering(Answers::Busy(20)),
        answering(Answers::Hangs),
        answering(Answers::Garbage(percent)),
    ];
    let nodes = nodes(&world, &[WELL, WELL, WELL]);
    let scene = async {
        settled(&world, &disk, Instant::now()).await;
        world.lock().trace = Some(Vec::new());
        let all = nodes.iter().zip(manners);
        all.for_each(|(node, manners)| node.behave(manners));
        assert!(world.lock().fork(LATELY, Then::Lost) > 0);
        let began = Instant::now();
        while let Err(why) = journal_agrees(&world, &disk) {
            if began.elapsed() > 4 * FOUND_WITHIN {
                for line in world.lock().trace.take().unwrap_or_default() {
                    println!("{line}");
                }
                panic!("{percent} % garbage, seed {seed}: {why}");
            }
            sleep(SECS(1)).await;
        }
        began.elapsed()
    };
    let took = beside(Keeper::new(on_nodes(&world, &disk, &nodes)), scene).await;
    assert_eq!(world.lock().violations, Vec::<String>::new());
    took
}

/// What is final is looked at once.
#[tokio::test(start_paused = true)]
async fn what_is_final_is_watched_no_longer() {
    let (world, disk) = world(8, Faults::default());
    world.lock().set_price(205);
    let scene = async {
        settled(&world, &disk, Instant::now()).await;
        sleep(SECS(60)).await;
        let records = scan(&disk.bytes()).unwrap().records.len();
        let operations = world.crash.operations();
        sleep(SECS(60)).await;
        let quiet = world.crash.operations() - operations;
        world.lock().silence_oracle();
        world.lock().wake_oracle();
        sleep(SECS(60)).await;
        let again = world.crash.operations() - operations - quiet;
        assert!(again.abs_diff(quiet) <= 3, "{quiet} {again}");
        assert_eq!(scan(&disk.bytes()).unwrap().records.len(), records);
    };
    beside(keeper(&world, &disk, Mode::Active), scene).await;
    rehedged_once(&world, COUNT..=COUNT);
}
