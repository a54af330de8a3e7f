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
    game::{Game, Kind, RECORD, Step, View},
    reference::{Book, judge},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

const SEQUENCES: u64 = 50;
const STEPS: usize = 24;
/// With fewer, something may be missing by chance; the default run is always the same.
const ENOUGH: u64 = 500;

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

/// Plays a story. `as_seen` changes what the reference sees of the chain: nothing, but where it is to be wrong.
///
/// # Errors
/// Where chain and reference disagree.
async fn play(
    game: &mut Game,
    seed: u64,
    tally: &mut Tally,
    as_seen: fn(&mut View),
) -> Result<(), String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut moved = false;
    let mut before = game.view().await;
    as_seen(&mut before);
    let mut whole = Book::read(&before);
    for number in 0..STEPS {
        let step = draw(&mut rng, &mut moved);
        let played = game.step(step).await;
        let mut after = game.view().await;
        as_seen(&mut after);
        let agrees = |which: &str, wrong: Vec<String>| {
            let wrong = wrong.join("\n");
            let events = &played.events;
            let at = format!("BALLAST_SEED={seed}, step {number}, {step:?}, {events:?}");
            if wrong.is_empty() {
                Ok(())
            } else {
                Err(format!("{at}, {which}:\n{wrong}"))
            }
        };
        let mut single = Book::read(&before);
        if let Some(failure) = &played.refused {
            let by_owner = |position: &_| game.is_by_owner(&step, position);
            if let Some(deserved) = judge(&single, &step, failure, &before, by_owner) {
                let wrong = (!deserved).then(|| failure.to_string());
                agrees("refused without reason", wrong.into_iter().collect())?;
                let text = failure.to_string();
                let name = text.split(':').next().unwrap_or_default();
                *tally.judged.entry(name.to_owned()).or_default() += 1;
            }
        }
        match single.follow(&step, &played, &before, &after) {
            Ok(wrong) => {
                agrees("what this step decided", wrong)?;
                agrees("after this step alone", single.differences(&after))?;
                for event in &played.events {
                    *tally.followed.entry(event.name()).or_default() += 1;
                }
            }
            Err(why) => {
                let why = format!("step: {why:?}");
                *tally.resynchronised.entry(why).or_default() += 1;
            }
        }
        match whole.follow(&step, &played, &before, &after) {
            Ok(wrong) => {
                agrees("what the story so far decided", wrong)?;
                agrees("after the whole story", whole.differences(&after))?;
            }
            Err(why) => {
                let why = format!("story: {why:?}");
                *tally.resynchronised.entry(why).or_default() += 1;
                whole = Book::read(&after);
            }
        }
        before = after;
    }
    Ok(())
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
        let agreed = play(&mut game, seed, &mut tally, |_| ()).await;
        agreed.unwrap_or_else(|wrong| panic!("{wrong}"));
    }
    println!("{tally:#?}");
    if sequences < ENOUGH && (first, sequences) != (1, SEQUENCES) {
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

/// A reference that is wrong by a little must be found out: else the test above would prove nothing.
#[tokio::test]
async fn a_reference_that_is_a_little_wrong_is_found_out() {
    type Change = fn(&mut View);
    let changes: [(&str, Change); 7] = [
        ("bonus", |view| {
            view.snapshot.market.limits.liquidation_bonus_bps += 1;
        }),
        ("target LTV", |view| {
            view.snapshot.market.limits.target_ltv_bps += 1;
        }),
        ("maintenance LTV", |view| {
            view.snapshot.market.limits.maintenance_ltv_bps += 100;
        }),
        ("greatest leverage 2.5", |view| {
            view.snapshot.market.limits.max_leverage_bps = 25_000;
        }),
        ("reserve factor", |view| {
            view.snapshot.quote_reserve.reserve_factor_bps += 1;
        }),
        ("rate", |view| {
            view.snapshot.quote_reserve.rate_at_kink_bps += 1;
        }),
        ("hedge ratio", |view| {
            for context in &mut view.positions {
                context.position.policy.hedge_bps -= context.position.policy.hedge_bps.min(1);
            }
        }),
    ];
    let mut game = Game::new(Svm::start().unwrap()).await;
    let beginning = game.bookmark();
    for (name, change) in changes {
        let mut tally = Tally::default();
        let mut found = None;
        for seed in 1..=SEQUENCES {
            game.go_back(&beginning);
            if let Err(wrong) = play(&mut game, seed, &mut tally, change).await {
                found = Some(wrong);
                break;
            }
        }
        let wrong = found.unwrap_or_else(|| panic!("{name}: not found out"));
        println!("{name}: {wrong}");
    }
}
