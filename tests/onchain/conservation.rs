//! Random sequences of instructions by everybody, with moving and disagreeing prices, passing time and gifts, and what must
//! be so after each: see [`ballast_tests::game`].
//!
//! A sequence is 12 steps. 20 sequences one after another share a world, whose seed is printed when it begins; then everybody
//! leaves it. `BALLAST_SEQUENCES=100000` runs more of them, `BALLAST_SEED=n` others: from the last seed that was printed,
//! 20 sequences replay a failure. From 400 sequences on, everything that can happen has to have happened.

use std::collections::BTreeMap;

use ballast_localnet::Svm;
use ballast_tests::game::{EVENTS, Game, Kind, RECORD, Step};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use crate::support::number;

const SEQUENCES: u64 = 400;
/// Steps of a sequence.
const STEPS: u64 = 12;
/// A new world now and then: books grow old, and every story shall have its end.
const SEQUENCES_PER_WORLD: u64 = 20;
/// With fewer, some event may be missing by chance.
const ENOUGH_FOR_EVERY_EVENT: u64 = 400;

/// What people do, and how often. After a move of the price keepers and liquidators have their turn more often than not.
const ANYTHING: [(Kind, u32); 53] = [
    (Kind::Deposit, 4),
    (Kind::Withdraw, 4),
    (Kind::Accrue, 2),
    (Kind::Open, 14),
    (Kind::Decrease, 3),
    (Kind::Close, 3),
    (Kind::SetPolicy, 2),
    (Kind::Rehedge, 3),
    (Kind::Deleverage, 3),
    (Kind::Liquidate, 3),
    (Kind::CollectReward, 3),
    (Kind::BookReward, 3),
    (Kind::GiftToPosition, 2),
    (Kind::GiftToVault, 1),
    (Kind::Wait, 4),
    (Kind::MoveMarket, 8),
    (Kind::Gap, 3),
    (Kind::MoveOracle, 3),
    (Kind::MovePool, 2),
    (Kind::RefreshPrice, 1),
    (Kind::Increase, 4),
    (Kind::Repay, 2),
    (Kind::Collect, 2),
    (Kind::Compound, 4),
    (Kind::Recenter, 8),
    (Kind::Exit, 3),
    (Kind::SetAutomation, 10),
    (Kind::Transfer, 2),
    (Kind::ReclaimReward, 2),
    (Kind::FundReward, 4),
    (Kind::RefreshStage, 3),
    (Kind::PostPrice, 3),
    (Kind::CoverBadDebt, 3),
    (Kind::FundInsurance, 1),
    (Kind::SetMode, 1),
    (Kind::SetGuardian, 1),
    (Kind::UpdateMarket, 1),
    (Kind::UpdateReserve, 2),
    (Kind::ApplyChange, 2),
    (Kind::OfferAuthority, 1),
    (Kind::AcceptAuthority, 1),
    (Kind::TradePool, 4),
    (Kind::FallSilent, 1),
    (Kind::Calm, 2),
    (Kind::DeleverageSwap, 3),
    (Kind::ShowLoss, 2),
    (Kind::Settle, 2),
    (Kind::SetFirstKeepers, 3),
    (Kind::UpdateSafety, 2),
    (Kind::ApplySafety, 2),
    (Kind::AnnounceOracle, 2),
    (Kind::ApplyOracle, 2),
    (Kind::CancelOracle, 1),
];
/// So often it must have been done in a run that is long enough: a third of what one of that length does.
const AT_LEAST: [(Kind, u64); 14] = [
    (Kind::DeleverageSwap, 15),
    (Kind::ShowLoss, 2),
    (Kind::Settle, 5),
    (Kind::SetFirstKeepers, 15),
    (Kind::UpdateSafety, 12),
    (Kind::ApplySafety, 10),
    (Kind::AnnounceOracle, 10),
    (Kind::ApplyOracle, 4),
    (Kind::CancelOracle, 5),
    (Kind::SetPolicy, 6),
    (Kind::SetMode, 4),
    (Kind::UpdateMarket, 6),
    (Kind::UpdateReserve, 12),
    (Kind::ApplyChange, 10),
];
const AFTER_A_MOVE: [Kind; 8] = [
    Kind::Rehedge,
    Kind::Deleverage,
    Kind::Liquidate,
    Kind::Recenter,
    Kind::Exit,
    Kind::Compound,
    Kind::DeleverageSwap,
    Kind::ShowLoss,
];

/// Draws steps.
struct Dice {
    rng: StdRng,
    /// Whether the price has moved and keepers are still at it.
    moved: bool,
}

impl Dice {
    fn draw(&mut self, game: &Game) -> Step {
        if let Some(pressing) = game.pressing().choose(&mut self.rng)
            && self.rng.random_bool(0.25)
        {
            return pressing.step(self.rng.random());
        }
        // In a market that is empty or stands still little can happen, and bad debt is rare.
        let kind = if game.stage() > 0 && self.rng.random_bool(0.2) {
            Kind::Calm
        } else if game.has_bad_debt() && self.rng.random_bool(0.1) {
            Kind::CoverBadDebt
        } else if !game.has_positions() && self.rng.random_bool(0.5) {
            Kind::Open
        } else if self.moved && self.rng.random_bool(0.7) {
            *AFTER_A_MOVE.choose(&mut self.rng).unwrap()
        } else {
            let any = ANYTHING.choose_weighted(&mut self.rng, |(_, weight)| *weight);
            any.unwrap().0
        };
        if !AFTER_A_MOVE.contains(&kind) {
            self.moved = matches!(kind, Kind::MoveMarket | Kind::Gap | Kind::TradePool);
        }
        let parameters: [u8; RECORD] = self.rng.random();
        Step::of(kind, &parameters)
    }
}

#[test]
fn everything_is_drawn() {
    for kind in Kind::ALL {
        let drawn = ANYTHING.iter().any(|(drawn, _)| drawn == kind);
        assert!(drawn, "{kind:?} is never drawn");
    }
}

#[tokio::test]
async fn nothing_is_created_or_lost() {
    let first = number("BALLAST_SEED", 1);
    let sequences = number("BALLAST_SEQUENCES", SEQUENCES);
    let (mut seed, mut left) = (first, sequences);
    let (mut happened, mut refused) = (BTreeMap::new(), BTreeMap::new());
    let mut done = BTreeMap::new();
    while left > 0 {
        println!("BALLAST_SEED={seed}");
        let mut dice = Dice {
            rng: StdRng::seed_from_u64(seed),
            moved: false,
        };
        let mut game = Game::new(Svm::start().unwrap()).await;
        for _ in 0..left.min(SEQUENCES_PER_WORLD) * STEPS {
            let step = dice.draw(&game);
            let played = game.step(step).await;
            if !played.events.is_empty() && played.refused.is_none() {
                *done.entry(step.kind()).or_insert(0u64) += 1;
            }
            for event in played.events {
                *happened.entry(event.name()).or_insert(0u64) += 1;
            }
            if let Some(failure) = played.refused {
                let error = failure.ballast().map(|error| error.name());
                let name = error.unwrap_or_else(|| format!("{failure}"));
                *refused.entry((step.kind(), name)).or_insert(0u64) += 1;
            }
        }
        game.end().await;
        left = left.saturating_sub(SEQUENCES_PER_WORLD);
        seed += 1;
    }
    println!("{happened:?}\ndone: {done:?}\nrefused: {refused:?}");
    if sequences < ENOUGH_FOR_EVERY_EVENT {
        println!(
            "{sequences} sequences are too few to demand every event: from {ENOUGH_FOR_EVERY_EVENT} on"
        );
        return;
    }
    for event in EVENTS {
        assert!(
            happened.contains_key(event),
            "{event} never happened: {happened:?}"
        );
    }
    for (kind, least) in AT_LEAST {
        let often = done.get(&kind).copied().unwrap_or(0);
        assert!(often >= least, "{kind:?} was done {often} times");
    }
}
