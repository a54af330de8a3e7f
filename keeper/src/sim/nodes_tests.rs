//! The keeper as a whole on several nodes, of which some lag, hang or lie.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use ballast_client::Chain;
use ballast_flags::{Flag, State};
use ballast_strategy::decide::ActionKind;
use tokio::time::{Instant, sleep};

use super::{
    Disk, Faults, World,
    node::{Answers, Lie, Manners, Node, PassesOn},
    scene::{POSITIONS, beside, landed, parts, settled, world},
};
use crate::{
    Keeper, KeeperEvent, Mode, Parts,
    journal::{Outcome, Record, scan},
};

pub(super) const COUNT: usize = POSITIONS as usize;
pub(crate) const WELL: Manners = Manners {
    lag: 0,
    answers: Answers::Well,
    lie: Lie::None,
    passes_on: PassesOn::AtOnce,
};

pub(super) fn lying(lie: Lie) -> Manners {
    Manners { lie, ..WELL }
}

/// Parts of a keeper that knows these nodes, the first its own.
pub(super) fn on_nodes(world: &World, disk: &Disk, nodes: &[Node]) -> Parts {
    let mut all = nodes
        .iter()
        .map(|node| Arc::new(node.clone()) as Arc<dyn Chain>);
    let chain = all.next().unwrap();
    Parts {
        chain,
        more_nodes: all.collect(),
        ..parts(world, disk, Mode::Active)
    }
}

pub(super) fn nodes(world: &World, manners: &[Manners]) -> Vec<Node> {
    let node = |(index, manners): (usize, &Manners)| Node::of(world, index + 1, *manners);
    manners.iter().enumerate().map(node).collect()
}

/// Whether what the journal says became of each transaction is so. Of what a fork took back its last word counts.
pub(super) fn journal_agrees(world: &World, disk: &Disk) -> Result<usize, String> {
    let records = scan(&disk.bytes()).unwrap().records;
    let mut intents = BTreeMap::new();
    let mut outcomes = BTreeMap::new();
    for record in records {
        match record {
            Record::Intent(intent) => {
                intents.insert(intent.id, intent.signature);
            }
            Record::Outcome(of) => {
                outcomes.insert(of.id, of.outcome);
            }
            _ => {}
        }
    }
    let inner = world.lock();
    for (id, outcome) in &outcomes {
        let known = intents.get(id).and_then(|it| inner.transactions.get(it));
        let truth = known.and_then(|known| Some((known.lands_at?, known.result.clone()?)));
        let agrees = match (outcome, &truth) {
            (Outcome::Landed { slot }, Some((at, Ok(())))) => slot == at,
            (Outcome::Failed { slot, .. } | Outcome::Raced { slot, .. }, Some((at, Err(_)))) => {
                slot == at
            }
            (Outcome::Expired { .. } | Outcome::Dropped { .. }, None) => true,
            _ => false,
        };
        if !agrees {
            return Err(format!("{outcome:?}, but on chain {truth:?}"));
        }
    }
    Ok(outcomes.len())
}

/// A price move through nodes of these manners, none of which passes anything on for the first half minute of those `lost`.
async fn rehedged(seed: u64, manners: &[Manners], lost: u64) -> (World, Vec<String>, Duration) {
    let faults = Faults {
        lost,
        ..Faults::default()
    };
    let (world, disk) = world(seed, faults);
    world.lock().set_price(205);
    let nodes = nodes(&world, manners);
    let keeper = Keeper::new(on_nodes(&world, &disk, &nodes));
    let mut events = keeper.events();
    let began = Instant::now();
    let scene = async {
        if lost > 0 {
            sleep(Duration::from_secs(150)).await;
            world.lock().faults.lost = 0;
        }
        settled(&world, &disk, began).await;
    };
    beside(keeper, scene).await;
    let took = began.elapsed();
    journal_agrees(&world, &disk).unwrap();
    assert_eq!(world.lock().violations, Vec::<String>::new(), "{manners:?}");
    assert_eq!(landed(&world, ActionKind::Rehedge), COUNT, "{manners:?}");
    let mut warned = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let KeeperEvent::Warning { message } = event {
            warned.push(message);
        }
    }
    (world, warned, took)
}

#[tokio::test(start_paused = true)]
async fn expiry_is_not_believed_of_a_node_that_lies() {
    // While transactions are lost, whoever believes it signs another one that could land as well.
    for lie in [Lie::Expired, Lie::ShortBlockhash, Lie::Unknown] {
        for manners in [
            vec![lying(lie), WELL],
            vec![WELL, lying(lie)],
            vec![lying(lie), WELL, WELL],
        ] {
            rehedged(50, &manners, 100).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_that_node_alone_it_would_act_twice() {
    let (world, disk) = world(
        50,
        Faults {
            lost: 60,
            ..Faults::default()
        },
    );
    world.lock().set_price(205);
    let nodes = nodes(&world, &[lying(Lie::Expired)]);
    let keeper = Keeper::new(on_nodes(&world, &disk, &nodes));
    beside(keeper, sleep(Duration::from_secs(120))).await;
    let violations = world.lock().violations.clone();
    assert!(
        violations.iter().any(|it| it.contains("could still land")),
        "{violations:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn who_lies_is_noticed_and_reported() {
    for (lie, lost, word) in [
        (Lie::Landed, 100, "the others deny"),
        (Lie::Slots(1_000_000), 0, "cannot have been reached"),
    ] {
        let (_, warned, _) = rehedged(51, &[lying(lie), WELL, WELL], lost).await;
        let of_liar = |it: &&String| it.starts_with("rpc-1 (http://node-1)");
        let told: Vec<&String> = warned.iter().filter(of_liar).collect();
        assert!(
            told.iter().any(|it| it.contains(word)),
            "{lie:?}: {warned:?}"
        );
        let others = |it: &String| it.starts_with("rpc-2") || it.starts_with("rpc-3");
        assert!(!warned.iter().any(others), "{lie:?}: {warned:?}");
    }
    let lagging = Manners { lag: 75, ..WELL };
    let (_, warned, _) = rehedged(52, &[lagging, WELL], 0).await;
    assert!(
        warned
            .iter()
            .any(|it| it.starts_with("rpc-1") && it.contains("behind")),
        "{warned:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_lie_about_a_transaction_raises_the_flag() {
    let (world, disk) = world(
        53,
        Faults {
            lost: 100,
            ..Faults::default()
        },
    );
    world.lock().set_price(205);
    let nodes = nodes(&world, &[WELL, lying(Lie::Landed), WELL]);
    let keeper = Keeper::new(on_nodes(&world, &disk, &nodes));
    let flags = keeper.flags();
    let state = || {
        let now = flags.borrow().clone();
        let mut all = now.verdict.judgements.iter();
        let found = all.find(|it| it.flag == Flag::EndpointsDisagree).unwrap();
        (found.state, found.note.clone())
    };
    let scene = async {
        sleep(Duration::from_secs(40)).await;
        assert_eq!(state().0, State::Quiet);
        sleep(Duration::from_secs(120)).await;
        let (state, note) = state();
        assert_eq!(state, State::Raised, "{note}");
        assert!(
            note.contains("What rpc-2 said of a transaction others deny"),
            "{note}"
        );
    };
    beside(keeper, scene).await;
}

/// A second, and what a simulated answer takes, for each of the few questions of an action.
const SOON: Duration = Duration::from_secs(15);

#[tokio::test(start_paused = true)]
async fn nodes_that_fail_hold_nobody_up_for_long() {
    let hangs = Manners {
        answers: Answers::Hangs,
        ..WELL
    };
    let gone = Manners {
        answers: Answers::Gone,
        ..WELL
    };
    for bad in [
        hangs,
        gone,
        lying(Lie::WouldFail),
        lying(Lie::Slots(500)),
        Manners { lag: 75, ..WELL },
        Manners {
            passes_on: PassesOn::Never,
            ..WELL
        },
    ] {
        for manners in [vec![bad, WELL, WELL], vec![WELL, bad, WELL]] {
            let (_, _, took) = rehedged(54, &manners, 0).await;
            assert!(took < SOON, "{bad:?}: {took:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn with_one_node_left_it_is_believed_after_a_while() {
    let hangs = Manners {
        answers: Answers::Hangs,
        ..WELL
    };
    let (world, _, took) = rehedged(55, &[hangs, WELL], 0).await;
    // It was done at once; to be sure of it took a minute.
    let last = world.lock().landings.last().unwrap().slot - ballast_strategy::fixtures::SLOT;
    assert!(last < 75, "{last}");
    assert!(
        took > Duration::from_secs(60) && took < Duration::from_secs(90),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_blockhash_that_is_none_is_taken_of_another_node_next_time() {
    let (_, _, took) = rehedged(56, &[lying(Lie::NoBlockhash), WELL], 0).await;
    assert!(took < BOUND, "{took:?}");
}

/// Within this of a price's move everything that is due has been done, while one node works: what was signed on a lie is waited for until it
/// can land no more (some 75 s, and once more for what follows it), a node that says nothing of transactions any more is waited for (60 s),
/// and starts are tried again.
pub(super) const BOUND: Duration = Duration::from_secs(240);
