//! The program against a slow exact reference of the whole protocol: see [`ballast_tests::reference`].
//!
//! Two books are kept. One is read from the chain before each step and must agree after it within a few units: what a single
//! instruction computes is right. The other follows the whole story by itself, and must agree within what all the roundings so
//! far may add up to: nothing is lost or gained in the long run either. Refusals that name a threshold are judged too.
//!
//! A seed is a story of 24 steps in a world of its own. Each seed is printed; `BALLAST_SEED=n` begins with another, and
//! `BALLAST_SEQUENCES=n` plays so many.

use std::collections::BTreeMap;

use ballast_localnet::Svm;
use ballast_tests::{
    game::{Game, Kind, RECORD, Step},
    reference::{Book, judge},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

const SEQUENCES: u64 = 50;
const STEPS: usize = 24;
/// With fewer, something may be missing by chance.
const ENOUGH: u64 = 50;

/// What is drawn, and how often: rather the actions with much arithmetic.
const KINDS: [(Kind, u32); 16] = [
    (Kind::Deposit, 2),
    (Kind::Withdraw, 2),
    (Kind::Accrue, 1),
    (Kind::Open, 8),
    (Kind::Decrease, 2),
    (Kind::Close, 1),
    (Kind::SetPolicy, 1),
    (Kind::Rehedge, 2),
    (Kind::Deleverage, 2),
    (Kind::Liquidate, 2),
    (Kind::GiftToPosition, 1),
    (Kind::GiftToVault, 1),
    (Kind::Wait, 2),
    (Kind::MoveMarket, 4),
    (Kind::Gap, 3),
    (Kind::MoveOracle, 1),
];
const AFTER_A_MOVE: [Kind; 3] = [Kind::Rehedge, Kind::Deleverage, Kind::Liquidate];
/// What must be among what was followed.
const DEMANDED: [&str; 9] = [
    "Deposited",
    "Withdrawn",
    "PositionOpened",
    "PositionDecreased",
    "PositionClosed",
    "Rehedged",
    "Deleveraged",
    "Liquidated",
    "BadDebtBooked",
];

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => default,
    }
}

/// What happened, how often.
#[derive(Default, Debug)]
struct Tally {
    /// Events that the reference has followed exactly.
    followed: BTreeMap<&'static str, u64>,
    /// Why a book was read anew in the middle of a story.
    resynchronised: BTreeMap<String, u64>,
    /// Refusals that were judged, by error; others named no threshold or were too close to it.
    judged: BTreeMap<String, u64>,
}

fn draw(rng: &mut StdRng, moved: &mut bool) -> Step {
    let kind = if *moved && rng.random_bool(0.75) {
        *AFTER_A_MOVE.choose(rng).unwrap()
    } else {
        KINDS.choose_weighted(rng, |(_, weight)| *weight).unwrap().0
    };
    if !AFTER_A_MOVE.contains(&kind) {
        *moved = matches!(kind, Kind::MoveMarket | Kind::Gap);
    }
    let parameters: [u8; RECORD] = rng.random();
    Step::of(kind, &parameters)
}

async fn play(game: &mut Game, seed: u64, tally: &mut Tally) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut moved = false;
    let mut before = game.view().await;
    let mut whole = Book::read(&before);
    for number in 0..STEPS {
        let step = draw(&mut rng, &mut moved);
        let played = game.step(step).await;
        let after = game.view().await;
        let complain = |which: &str, wrong: Vec<String>| {
            assert!(
                wrong.is_empty(),
                "BALLAST_SEED={seed}, step {number}, {step:?}, {:?}, {which}:\n{}",
                played.events,
                wrong.join("\n")
            );
        };
        let mut single = Book::read(&before);
        if let Some(failure) = &played.refused {
            let by_owner = |position: &_| game.is_by_owner(&step, position);
            if let Some(deserved) = judge(&single, &step, failure, &before, by_owner) {
                assert!(
                    deserved,
                    "BALLAST_SEED={seed}, step {number}, {step:?}: refused without reason: {failure}"
                );
                *tally.judged.entry(failure.to_string()).or_default() += 1;
            }
        }
        let followed = single.follow(&step, &played, &before, &after);
        match followed {
            Ok(wrong) => {
                complain("what this step decided", wrong);
                complain("after this step alone", single.differences(&after));
                for event in &played.events {
                    *tally.followed.entry(event.name()).or_default() += 1;
                }
            }
            Err(why) => *tally.resynchronised.entry(format!("{why:?}")).or_default() += 1,
        }
        match whole.follow(&step, &played, &before, &after) {
            Ok(wrong) => {
                complain("what the story so far decided", wrong);
                complain("after the whole story", whole.differences(&after));
            }
            Err(why) => {
                *tally
                    .resynchronised
                    .entry(format!("story: {why:?}"))
                    .or_default() += 1;
                whole = Book::read(&after);
            }
        }
        before = after;
    }
}

#[tokio::test]
async fn the_program_agrees_with_an_exact_reference() {
    let first = number("BALLAST_SEED", 1);
    let sequences = number("BALLAST_SEQUENCES", SEQUENCES);
    let mut game = Game::new(Svm::start().unwrap()).await;
    let beginning = game.bookmark();
    let mut tally = Tally::default();
    for seed in first..first + sequences {
        println!("BALLAST_SEED={seed}");
        game.go_back(&beginning);
        play(&mut game, seed, &mut tally).await;
    }
    println!("{tally:#?}");
    if sequences < ENOUGH {
        println!("{sequences} stories are too few to demand everything: from {ENOUGH} on");
        return;
    }
    for event in DEMANDED {
        assert!(
            tally.followed.contains_key(event),
            "{event} was never followed: {tally:?}"
        );
    }
}
