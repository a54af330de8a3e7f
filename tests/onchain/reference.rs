//! The program against a slow exact reference of the whole protocol: see [`ballast_tests::reference`].
//!
//! Two books are kept. One is read from the chain before each step and must agree after it within a few units: what a single
//! instruction computes is right. The other follows the whole story by itself, and must agree within what all the roundings so
//! far may add up to: nothing is lost or gained in the long run either. Refusals that name a threshold are judged too.
//!
//! A seed is a story of 28 steps in a world of its own. Each seed is printed; `BALLAST_SEED=n` begins with another, and
//! `BALLAST_SEQUENCES=n` plays so many.

use std::collections::BTreeMap;

use ballast_localnet::Svm;
use ballast_tests::{
    game::{Game, Kind, RECORD, Step, View},
    reference::{Book, judge},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::support::number;

const SEQUENCES: u64 = 100;
const STEPS: usize = 28;
/// With fewer, something may be missing by chance; the default run is always the same.
const ENOUGH: u64 = 500;

/// What is drawn, and how often: rather the actions with much arithmetic.
const KINDS: [(Kind, u32); 31] = [
    (Kind::Deposit, 4),
    (Kind::Withdraw, 4),
    (Kind::Accrue, 2),
    (Kind::Open, 16),
    (Kind::Decrease, 4),
    (Kind::Close, 2),
    (Kind::SetPolicy, 2),
    (Kind::Rehedge, 4),
    (Kind::Deleverage, 4),
    (Kind::Liquidate, 4),
    (Kind::GiftToPosition, 1),
    (Kind::GiftToVault, 1),
    (Kind::Wait, 4),
    (Kind::MoveMarket, 8),
    (Kind::Gap, 6),
    (Kind::MoveOracle, 2),
    (Kind::DeleverageSwap, 3),
    (Kind::ShowLoss, 1),
    (Kind::Settle, 2),
    (Kind::SetFirstKeepers, 1),
    (Kind::SetMode, 1),
    (Kind::UpdateMarket, 1),
    (Kind::UpdateReserve, 1),
    (Kind::ApplyChange, 1),
    (Kind::UpdateSafety, 1),
    (Kind::ApplySafety, 1),
    (Kind::AnnounceOracle, 1),
    (Kind::ApplyOracle, 1),
    (Kind::CancelOracle, 1),
    (Kind::RefreshStage, 1),
    (Kind::FallSilent, 1),
];
const AFTER_A_MOVE: [(Kind, u32); 5] = [
    (Kind::Rehedge, 3),
    (Kind::Deleverage, 3),
    (Kind::Liquidate, 3),
    (Kind::DeleverageSwap, 2),
    (Kind::ShowLoss, 1),
];
/// What must be among what was followed, and how often.
const DEMANDED: [(&str, u64); 22] = [
    ("Deposited", 15),
    ("Withdrawn", 1),
    ("PositionOpened", 40),
    ("PositionDecreased", 8),
    ("PositionClosed", 6),
    ("Rehedged", 12),
    ("Deleveraged", 8),
    ("Liquidated", 3),
    ("BadDebtBooked", 1),
    ("DeleveragedWithSwap", 6),
    ("LossShown", 1),
    ("Settled", 5),
    ("PolicySet", 3),
    ("ModeSet", 2),
    ("FirstKeepersSet", 1),
    ("MarketUpdated", 1),
    ("ReserveUpdated", 3),
    ("SafetyChangeAnnounced", 4),
    ("SafetyUpdated", 4),
    ("OracleChangeAnnounced", 5),
    ("OracleChangeCancelled", 1),
    ("OracleChanged", 2),
];

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

fn draw(rng: &mut StdRng, moved: &mut bool, game: &Game) -> Step {
    let pressing = game.pressing();
    let kinds: &[(Kind, u32)] = if *moved && rng.random_bool(0.75) {
        &AFTER_A_MOVE
    } else {
        &KINDS
    };
    let kind = match pressing.choose(rng) {
        Some(pressing) if rng.random_bool(0.4) => return pressing.step(rng.random()),
        _ if game.stage() > 0 && rng.random_bool(0.2) => Kind::Calm,
        _ => kinds.choose_weighted(rng, |(_, weight)| *weight).unwrap().0,
    };
    if !AFTER_A_MOVE.iter().any(|(acts, _)| *acts == kind) {
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
        let step = draw(&mut rng, &mut moved, game);
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
    for (event, least) in DEMANDED {
        let often = tally.followed.get(event).copied().unwrap_or(0);
        assert!(
            often >= least,
            "{event} was followed {often} times: {tally:?}"
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
            view.snapshot.market.limits.maintenance_ltv_bps += 500;
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
