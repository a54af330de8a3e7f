//! What random stories of several nodes were found to end badly by, a lie at a time.

use std::{sync::Arc, time::Duration};

use ballast_client::{Chain, ChainError, Expiry, Nodes, NodesConfig, Standing};
use solana_sdk::signature::Signature;
use tokio::time::{Instant, sleep};

use super::{
    Faults, World, bytes,
    fork::Then,
    node::{Answers, Lie, Manners, Node},
    nodes_tests::{COUNT, WELL, lying, nodes, on_nodes},
    scene::{beside, landed, settled, world},
    world::FINAL_LAG,
};
use crate::Keeper;
use ballast_strategy::decide::ActionKind;

const GONE: Manners = Manners {
    answers: Answers::Gone,
    ..WELL
};

/// These nodes, asked as one.
fn asked(nodes: &[Node]) -> Nodes {
    let mut all = nodes
        .iter()
        .map(|node| Arc::new(node.clone()) as Arc<dyn Chain>);
    let first = all.next().unwrap();
    Nodes::new(first, all.collect(), NodesConfig::default())
}

fn reason<T>(answer: Result<T, ChainError>) -> String {
    answer.err().map(|error| error.to_string()).unwrap()
}

fn quiet(manners: &[Manners]) -> (World, Vec<Node>) {
    let (world, _) = world(60, Faults::default());
    let nodes = nodes(&world, manners);
    (world, nodes)
}

#[tokio::test(start_paused = true)]
async fn a_height_that_one_alone_tells_makes_no_blockhash_last_for_days() {
    let (world, members) = quiet(&[GONE, lying(Lie::Expired)]);
    let nodes = asked(&members);
    let why = reason(nodes.latest_blockhash().await);
    assert!(why.contains("is said to have been reached"), "{why}");
    members[0].behave(WELL);
    let told = nodes.latest_blockhash().await.unwrap();
    let height = world.lock().block_height();
    assert!(told.last_valid_block_height <= height + 150);
    // One that is said to be used up too early is still lengthened, so that nobody takes for expired what can land.
    members[1].behave(lying(Lie::ShortBlockhash));
    for _ in 0..10 {
        let told = nodes.latest_blockhash().await.unwrap();
        let height = world.lock().block_height();
        assert!(told.last_valid_block_height + 2 >= height + 150);
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_signed_on_a_height_that_nobody_reaches_is_over_by_each_nodes_own_count() {
    let (world, members) = quiet(&[WELL, WELL]);
    let nodes = asked(&members);
    let (signature, last) = (Signature::default(), u64::MAX / 2);
    let began = world.lock().block_height();
    loop {
        let expiry = nodes.expiry(&signature, last).await.unwrap();
        let gained = world.lock().block_height() - began;
        match expiry {
            Expiry::NotYet => assert!(gained <= 901),
            Expiry::Expired { .. } => {
                assert!(gained > 900);
                break;
            }
            other => panic!("{other:?}"),
        }
        sleep(Duration::from_secs(1)).await;
    }
    // One that tells another height at each time is one of two.
    members[0].behave(lying(Lie::Expired));
    let other = Signature::from([1; 64]);
    assert_eq!(nodes.expiry(&other, last).await, Ok(Expiry::NotYet));
    members[0].behave(WELL);
    sleep(Duration::from_secs(60)).await;
    members[0].behave(lying(Lie::Expired));
    assert_eq!(nodes.expiry(&other, last).await, Ok(Expiry::NotYet));
}

#[tokio::test(start_paused = true)]
async fn old_accounts_are_not_taken_for_new_ones_because_of_the_slot_told_with_them() {
    let addresses = bytes::context().snapshot_addresses();
    for ahead in [500, u64::MAX / 2] {
        let liar = Manners {
            lag: 40,
            ..lying(Lie::Slots(ahead))
        };
        let (world, members) = quiet(&[liar, GONE]);
        let nodes = asked(&members);
        let why = reason(nodes.accounts(&addresses).await);
        assert!(why.contains("ahead of the cluster's clock"), "{why}");
        // Nor is it believed where it tells no clock.
        assert!(nodes.slot().await.is_err());
        members[1].behave(WELL);
        let answer = nodes.accounts(&addresses).await.unwrap();
        assert!(answer.slot.abs_diff(world.lock().confirmed_slot()) <= 1);
        // Once it is honest again it is believed again.
        members[0].behave(WELL);
        members[1].behave(GONE);
        let answer = nodes.accounts(&addresses).await.unwrap();
        assert!(answer.slot.abs_diff(world.lock().confirmed_slot()) <= 1);
        assert!(nodes.slot().await.is_ok());
    }
}

/// A price move through two nodes, of which the honest one comes up after so many seconds; how long after that all was done.
async fn done_after(honest_after_secs: u64, liar: Manners) -> Duration {
    let (world, disk) = world(61, Faults::default());
    world.lock().set_price(205);
    let members = nodes(&world, &[liar, GONE]);
    let keeper = Keeper::new(on_nodes(&world, &disk, &members));
    let began = Instant::now();
    let scene = async {
        sleep(Duration::from_secs(honest_after_secs)).await;
        assert_eq!(landed(&world, ActionKind::Rehedge), 0);
        members[1].behave(WELL);
        let back = Instant::now();
        while landed(&world, ActionKind::Rehedge) < COUNT {
            sleep(Duration::from_millis(100)).await;
        }
        let took = back.elapsed();
        settled(&world, &disk, began).await;
        took
    };
    let took = beside(keeper, scene).await;
    assert_eq!(world.lock().violations, Vec::<String>::new());
    took
}

#[tokio::test(start_paused = true)]
async fn who_alone_speaks_at_the_start_and_tells_slots_of_the_future_blinds_nobody() {
    for ahead in [500, u64::MAX / 2] {
        let took = done_after(10, lying(Lie::Slots(ahead))).await;
        assert!(took < Duration::from_secs(15), "{ahead}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_no_node_could_be_asked_for_is_tried_again_soon_however_long_that_was() {
    let took = done_after(600, lying(Lie::Expired)).await;
    assert!(took < Duration::from_secs(15), "{took:?}");
}

/// That what was confirmed stands no more is said by nodes only that keep the blocks of its time, and by none alone that lies.
#[tokio::test(start_paused = true)]
async fn what_stands_is_overturned_by_those_only_who_keep_the_blocks_of_its_time() {
    let (world, disk) = world(61, Faults::default());
    world.lock().set_price(205);
    let keeper = Keeper::new(on_nodes(&world, &disk, &nodes(&world, &[WELL])));
    beside(keeper, settled(&world, &disk, Instant::now())).await;
    let (signature, slot) = {
        let inner = world.lock();
        let (signature, known) = inner.transactions.iter().next().unwrap();
        (*signature, known.lands_at.unwrap())
    };
    let members = nodes(&world, &[WELL, WELL]);
    // Each time of such as have not been asked before.
    let standing = async || asked(&members).standing(&signature, slot).await.unwrap();
    assert_eq!(standing().await, Standing::Stands);
    // One of them lies, or began with a snapshot; what it says of another block is no more.
    members[1].behave(lying(Lie::Unknown));
    assert_eq!(standing().await, Standing::Stands);
    members[1].behave(GONE);
    assert_eq!(standing().await, Standing::Stands);
    members[1].behave(WELL);
    members[1].begins_anew();
    assert_eq!(standing().await, Standing::Stands);
    world.lock().fork(FINAL_LAG - 2, Then::Lost);
    // Who keeps them says so, with another that answers.
    assert_eq!(standing().await, Standing::Gone);
    members[1].behave(GONE);
    assert_eq!(standing().await, Standing::Unknown);
    members[1].behave(WELL);
    // What a node keeps is remembered for a minute.
    let two = asked(&members);
    let remembering = async || two.standing(&signature, slot).await.unwrap();
    assert_eq!(remembering().await, Standing::Gone);
    members[0].begins_anew();
    assert_eq!(standing().await, Standing::Unknown);
    assert_eq!(remembering().await, Standing::Gone);
    sleep(Duration::from_secs(60)).await;
    assert_eq!(remembering().await, Standing::Unknown);
}

/// Whoever gives a blockhash that is said to be used up too early is contradicted by a height, or not believed.
#[tokio::test(start_paused = true)]
async fn a_blockhash_without_a_height_is_not_believed() {
    let (world, _) = world(62, Faults::default());
    let busy = |lie| Manners {
        answers: Answers::Busy(50),
        ..lying(lie)
    };
    let two = asked(&nodes(
        &world,
        &[busy(Lie::ShortBlockhash), busy(Lie::None)],
    ));
    let mut told = 0;
    for _ in 0..300 {
        let height = world.lock().block_height();
        if let Ok(blockhash) = two.latest_blockhash().await {
            let last = blockhash.last_valid_block_height;
            assert!(last >= height + 150, "{last} at {height}");
            told += 1;
        }
    }
    assert!(told > 100, "{told}");
}
