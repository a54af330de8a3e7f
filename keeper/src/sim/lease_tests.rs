//! What a keeper of a group may sign while its lease is not renewed or is lost, and when what the last holder signed counts as expired.

use std::time::Duration;

use ballast_client::EXPIRY_MARGIN;
use ballast_lease::TERM;
use solana_sdk::signature::Signature;
use tokio::time::{sleep, timeout};

use super::{
    node::{Answers, Manners},
    nodes_tests::WELL,
    shards_tests::{Group, WARM},
};

const BLOCK: Duration = Duration::from_millis(400);

async fn blocks(count: u64) {
    sleep(BLOCK * u32::try_from(count).unwrap()).await;
}

/// The first keeper alone, which holds every lease.
async fn first<T>(group: &Group, scene: impl Future<Output = T>) -> T {
    let scene = async {
        sleep(WARM).await;
        scene.await
    };
    group.beside([Some(group.parts(0)), None], scene).await
}

/// The table would still write, and the blockhash would still be good.
#[tokio::test(start_paused = true)]
async fn a_holder_that_cannot_renew_stops_signing_after_a_third_of_the_term_and_still_protects() {
    for (silent, signs) in [(4, true), (TERM / 3 + 6, false)] {
        let group = Group::new(11);
        let [_, second] = &group.members[0].nodes;
        let scene = async {
            // One node alone does not say how far the chain is.
            second.behave(Manners {
                answers: Answers::Gone,
                ..WELL
            });
            blocks(silent).await;
            group.world.lock().set_price(205);
            blocks(12).await;
            assert_eq!(group.sent()[0] > 0, signs, "after {silent} blocks");
            assert_eq!(group.table.intents().is_empty(), !signs);
            if signs {
                return;
            }
            // What protects needs no lease.
            let landings = || {
                let world = group.world.lock();
                let kinds = world.landings.iter().map(|landing| landing.action);
                kinds.filter(|kind| kind.protects()).count()
            };
            group.world.lock().set_price(290);
            blocks(60).await;
            assert!(landings() > 0);
        };
        first(&group, scene).await;
        assert_eq!(group.violations(), Vec::<String>::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_has_lost_its_leases_signs_nothing_from_that_moment() {
    let group = Group::new(12);
    let scene = async {
        group.table.give_away();
        // It does not know yet.
        group.world.lock().set_price(205);
        blocks(100).await;
        assert_eq!(group.sent(), [0, 0]);
        assert_eq!(group.table.intents(), []);
    };
    first(&group, scene).await;
}

/// A lease of somebody who is gone, with an intent of which no node knows; the last height at which that could land.
fn left_behind(group: &Group) -> u64 {
    let mut table = group.table.connect("former")().unwrap();
    let height = group.world.lock().block_height();
    let lease = table.take(&[7], height).unwrap()[0];
    let signature = Signature::from([9; 64]).to_string();
    let written = table.write(&lease, &signature, lease.through, &[1]);
    assert_eq!(written.unwrap(), Ok(()));
    lease.through
}

#[tokio::test(start_paused = true)]
async fn what_the_last_holder_signed_has_expired_when_two_nodes_are_the_margin_beyond_its_last_block()
 {
    for lag in [0, 20] {
        let group = Group::new(13);
        let [_, second] = &group.members[0].nodes;
        second.behave(Manners { lag, ..WELL });
        let last_valid = left_behind(&group);
        let settled = async {
            loop {
                blocks(1).await;
                let intents = group.table.intents();
                if let Some(outcome) = &intents[0].2 {
                    assert_eq!(outcome, "expired");
                    return group.world.lock().block_height();
                }
            }
        };
        let settled = timeout(Duration::from_secs(300), settled);
        let alone = [Some(group.parts(0)), None];
        let height = group.beside(alone, settled).await.unwrap();
        let certain = last_valid + EXPIRY_MARGIN + lag;
        println!("lag {lag}: expired at {height}, certain above {certain}");
        assert!((certain + 1..certain + 16).contains(&height), "{height}");
    }
}
