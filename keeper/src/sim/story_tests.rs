//! The keeper as a whole on nodes that change their manners, killed anywhere: random stories.

use std::{sync::Arc, time::Duration};

use ballast_strategy::decide::ActionKind;
use solana_sdk::pubkey::Pubkey;
use tokio::time::Instant;

use super::{
    Faults,
    scene::{POSITIONS, beside, parts, settled, world},
    seeds::Seeds,
    story::{Story, done, is_enough, paused},
};
use crate::{Keeper, Mode, picture::Picture};

#[test]
fn without_faults_each_position_is_rehedged_or_brought_to_safety() {
    for (dollars, protecting) in [(205, false), (290, true)] {
        let done = paused().block_on(async {
            let (world, disk) = world(1, Faults::default());
            world.lock().set_price(dollars);
            let keeper = Keeper::new(parts(&world, &disk, Mode::Active));
            beside(keeper, settled(&world, &disk, Instant::now())).await;
            done(&world)
        });
        assert!(is_enough(dollars, &done), "{done:?}");
        let urgent = |(_, kind): &(Pubkey, ActionKind)| *kind > ActionKind::Exit;
        assert_eq!(done.iter().any(urgent), protecting, "{done:?}");
        // It tells too little and too much apart.
        assert!(!is_enough(dollars, &done[1..]));
        assert!(!is_enough(dollars, &[&done[..1], &done].concat()));
    }
}

/// New seeds in every run, unless `BALLAST_SEED` names the first; `BALLAST_NODE_SEEDS`: how many. With one it is printed what happens.
#[test]
fn whatever_nodes_do_and_wherever_it_is_killed_it_acts_once_and_in_time() {
    let test = "whatever_nodes_do_and_wherever_it_is_killed_it_acts_once_and_in_time";
    let seeds = Seeds::of(test, "BALLAST_NODE_SEEDS", 200);
    let count = seeds.count;
    let (mut wrong, mut longest) = (Vec::new(), (Duration::ZERO, 0));
    for seed in seeds.all() {
        let told = Story::new(seed).tell(count == 1);
        for line in told.trace {
            println!("{line}");
        }
        match told.took {
            Ok(took) => longest = longest.max((took, seed)),
            Err(why) => wrong.push(format!("BALLAST_SEED={seed}: {why}")),
        }
    }
    let (took, seed) = longest;
    println!("the longest took {took:?} (seed {seed})");
    assert!(wrong.is_empty(), "{} of {count}: {wrong:#?}", wrong.len());
}

#[test]
fn a_seed_tells_the_same_story_again_to_the_last_line() {
    for seed in 1..=12 {
        let told = Story::new(seed).tell(true);
        assert!(told.trace.len() > 100, "{}", told.trace.len());
        let again = Story::new(seed).tell(true);
        let both = told.trace.iter().zip(&again.trace);
        for (line, (first, second)) in both.enumerate() {
            assert_eq!(first, second, "BALLAST_SEED={seed}: line {line}");
        }
        assert_eq!(told, again);
        // Nobody is told otherwise because somebody listens.
        assert_eq!(Story::new(seed).tell(false).took, told.took);
    }
}

#[tokio::test(start_paused = true)]
async fn readers_are_shown_what_the_book_keeps_and_no_copy_of_it() {
    let (world, disk) = world(1, Faults::default());
    let keeper = Keeper::new(parts(&world, &disk, Mode::Observe));
    let mut pictures = keeper.pictures();
    let scene = async {
        let whole = pictures.wait_for(|picture| {
            let positions = |picture: &Arc<Picture>| picture.status.positions;
            picture
                .as_ref()
                .is_some_and(|it| it.is_whole() && positions(it) > 0)
        });
        whole.await.unwrap().clone().unwrap()
    };
    beside(keeper, async {
        let picture = scene.await;
        let market = picture.markets.values().next().unwrap();
        assert_eq!(market.positions.len(), usize::from(POSITIONS));
        for shown in market.positions.iter() {
            // The book's and this one.
            assert_eq!(Arc::strong_count(&shown.position), 2);
        }
    })
    .await;
}
