//! The keeper as a whole on nodes of which one says something else of positions than the others, or merely lags.

use std::{sync::Arc, time::Duration};

use ballast_client::{Agreement, Chain, Nodes, NodesConfig};
use ballast_flags::{Flag, State};
use ballast_strategy::decide::ActionKind;
use solana_sdk::pubkey::Pubkey;
use tokio::time::{Instant, sleep};

use super::{
    Disk, Faults, World, bytes,
    node::{Answers, Lie, Manners},
    nodes_tests::{BOUND, COUNT, WELL, lying, nodes, on_nodes},
    scene::{beside, landed, settled, world},
};
use crate::{
    Keeper, KeeperEvent,
    journal::{Record, scan},
};

const SECS: fn(u64) -> Duration = Duration::from_secs;
const LIAR: Manners = Manners {
    lie: Lie::Positions,
    ..WELL
};

/// What was seen of a keeper on such nodes.
struct Seen {
    world: World,
    disk: Disk,
    warned: Vec<String>,
    flag: (State, String),
}

impl Seen {
    fn warned(&self, of: &str) -> bool {
        self.warned.iter().any(|message| message.contains(of))
    }

    fn intents(&self) -> usize {
        let records = scan(&self.disk.bytes()).unwrap().records;
        let intents = records
            .iter()
            .filter(|record| matches!(record, Record::Intent(_)));
        intents.count()
    }
}

/// Lets a keeper run on nodes of these manners beside `scene`.
async fn seen(seed: u64, manners: &[Manners], scene: impl AsyncFnOnce(&World, &Disk)) -> Seen {
    let (world, disk) = world(seed, Faults::default());
    let nodes = nodes(&world, manners);
    let keeper = Keeper::new(on_nodes(&world, &disk, &nodes));
    let (mut events, flags) = (keeper.events(), keeper.flags());
    beside(keeper, scene(&world, &disk)).await;
    let mut warned = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let KeeperEvent::Warning { message } = event {
            warned.push(message);
        }
    }
    assert_eq!(world.lock().violations, Vec::<String>::new(), "{manners:?}");
    let now = flags.borrow().clone();
    let mut all = now.verdict.judgements.iter();
    let found = all.find(|it| it.flag == Flag::EndpointsDisagree).unwrap();
    let flag = (found.state, found.note.clone());
    Seen {
        world,
        disk,
        warned,
        flag,
    }
}

const ELSE: &str = "something else of an account";

#[tokio::test(start_paused = true)]
async fn with_two_nodes_nothing_is_done_on_a_position_that_only_one_says() {
    for manners in [[LIAR, WELL], [WELL, LIAR]] {
        let seen = seen(70, &manners, async |world, _| {
            sleep(SECS(20)).await;
            world.lock().set_price(205);
            sleep(SECS(600)).await;
        })
        .await;
        assert_eq!(landed(&seen.world, ActionKind::Rehedge), 0);
        assert_eq!(seen.intents(), 0);
        assert!(
            seen.warned("nodes say different things of account"),
            "{:?}",
            seen.warned
        );
        let (state, note) = &seen.flag;
        assert_eq!(*state, State::Raised, "{note}");
        assert!(
            note.contains("What rpc-1, rpc-2 said of an account"),
            "{note}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn with_that_node_alone_it_would_be_done() {
    let done = seen(70, &[LIAR], async |world, disk| {
        world.lock().set_price(205);
        settled(world, disk, Instant::now()).await;
    });
    assert_eq!(landed(&done.await.world, ActionKind::Rehedge), COUNT);
}

#[tokio::test(start_paused = true)]
async fn of_three_the_odd_one_is_named_and_the_others_are_believed() {
    for manners in [[LIAR, WELL, WELL], [WELL, LIAR, WELL], [WELL, WELL, LIAR]] {
        let mut took = Duration::ZERO;
        let seen = seen(71, &manners, async |world, _| {
            world.lock().set_price(205);
            let began = Instant::now();
            while landed(world, ActionKind::Rehedge) < COUNT {
                sleep(Duration::from_millis(200)).await;
            }
            took = began.elapsed();
            // Long enough for every node to be compared.
            sleep(SECS(90)).await;
        })
        .await;
        assert!(took < SECS(15), "{manners:?}: {took:?}");
        let liar = manners.iter().position(|it| *it == LIAR).unwrap() + 1;
        let told: Vec<&String> = seen.warned.iter().filter(|it| it.contains(ELSE)).collect();
        assert!(
            told.len() == 1 && told[0].starts_with(&format!("rpc-{liar} ")),
            "{told:?}"
        );
        let (state, note) = &seen.flag;
        assert_eq!(*state, State::Raised, "{note}");
        let named = format!("What rpc-{liar} said of an account others deny");
        assert!(note.contains(&named), "{note}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_lies_of_positions_is_noticed_although_nothing_is_due() {
    for (manners, disagrees) in [
        (vec![WELL, WELL, LIAR], true),
        (vec![WELL, LIAR], true),
        (vec![WELL, WELL, WELL], false),
    ] {
        let seen = seen(72, &manners, async |_, _| sleep(SECS(90)).await).await;
        assert_eq!(seen.warned(ELSE), disagrees, "{:?}", seen.warned);
        let raised = seen.flag.0 == State::Raised;
        assert_eq!(raised, disagrees, "{}", seen.flag.1);
        assert_eq!(seen.intents(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn mere_lag_is_no_disagreement_however_often_positions_change() {
    for lag in [1, 3, 10, 20] {
        let lagging = Manners { lag, ..WELL };
        for manners in [
            vec![lagging, WELL],
            vec![WELL, lagging],
            vec![WELL, lagging, WELL],
        ] {
            let seen = seen(73, &manners, async |world, _| {
                for number in 0..120 {
                    sleep(SECS(1)).await;
                    world
                        .lock()
                        .change_positions(|position| position.idle_quote += number);
                }
            })
            .await;
            assert!(!seen.warned(ELSE), "{manners:?}: {:?}", seen.warned);
            assert_eq!(seen.flag.0, State::Quiet, "{}", seen.flag.1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_protects_waits_for_two_to_agree_and_not_for_ever() {
    let mut first = Duration::ZERO;
    let seen = seen(74, &[LIAR, WELL], async |world, disk| {
        // Whoever lies is known by then.
        sleep(SECS(30)).await;
        world.lock().set_price(290);
        let began = Instant::now();
        let protects = [ActionKind::Deleverage, ActionKind::DeleverageSwap];
        let done = |world: &World| -> usize {
            let kinds = protects.iter();
            kinds.map(|kind| landed(world, *kind)).sum()
        };
        while done(world) == 0 {
            sleep(Duration::from_millis(200)).await;
        }
        first = began.elapsed();
        while done(world) < COUNT {
            sleep(Duration::from_millis(200)).await;
        }
        assert!(began.elapsed() < BOUND, "{:?}", began.elapsed());
        let _ = disk;
    })
    .await;
    let alone_after = NodesConfig::default().alone_after;
    assert!(first >= alone_after, "{first:?}");
    // Simulated, however urgent it was.
    assert!(!seen.world.lock().simulated.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_fails_when_it_is_asked_again_is_not_asked_without_end() {
    let position = Pubkey::new_from_array([100; 32]);
    let (world, _) = world(76, Faults::default());
    world.lock().trace = Some(Vec::new());
    let failing = Manners {
        lag: 5,
        answers: Answers::Busy(60),
        ..WELL
    };
    let members = nodes(&world, &[failing, WELL]);
    let [first, second] = [&members[0], &members[1]].map(|it| Arc::new(it.clone()));
    let nodes = Nodes::new(first, vec![second], NodesConfig::default());
    for _ in 0..40 {
        world
            .lock()
            .change_positions(|position| position.idle_quote += 1);
        sleep(SECS(2)).await;
        let (began, asked) = (Instant::now(), asked(&world));
        let _ = nodes.sample(&[(position, false)]).await;
        assert!(began.elapsed() < SECS(10), "{:?}", began.elapsed());
        let more = self::asked(&world) - asked;
        assert!(more < 60, "{more}");
    }
}

/// How often nodes were asked for accounts.
fn asked(world: &World) -> usize {
    let inner = world.lock();
    let lines = inner.trace.iter().flatten();
    lines
        .filter(|line| line.contains("getMultipleAccounts"))
        .count()
}

#[tokio::test(start_paused = true)]
async fn nodes_asked_as_one_say_what_each_thinks_of_a_position() {
    let position = Pubkey::new_from_array([100; 32]);
    let of = bytes::context().snapshot_addresses();
    let accounts: Vec<(Pubkey, bool)> = of[..6]
        .iter()
        .map(|address| (*address, true))
        .chain([(position, false)])
        .collect();
    let as_one = |manners: &[Manners]| {
        let (world, _) = world(75, Faults::default());
        let mut members = nodes(&world, manners).into_iter();
        let first = Arc::new(members.next().unwrap()) as Arc<dyn Chain>;
        let more = members.map(|node| Arc::new(node) as Arc<dyn Chain>);
        Nodes::new(first, more.collect(), NodesConfig::default())
    };
    for (manners, expected) in [
        (&[WELL][..], "Alone"),
        (&[WELL, WELL], "Backed"),
        (&[WELL, Manners { lag: 60, ..WELL }], "Backed"),
        (&[WELL, LIAR], "Disputed"),
        (&[WELL, WELL, LIAR], "Backed"),
        (&[LIAR, WELL, WELL], "Outvoted"),
        (&[lying(Lie::Unknown), WELL], "Backed"),
    ] {
        let nodes = as_one(manners);
        // Else the first that speaks is not asked alone.
        nodes.survey().await;
        let agreement = nodes.sample(&accounts).await.unwrap();
        let said = format!("{agreement:?}");
        assert!(said.starts_with(expected), "{manners:?}: {said}");
        if let Agreement::Disputed(difference) | Agreement::Outvoted(difference) = agreement {
            assert_eq!(difference.address, position);
        }
    }
}
