//! A scenario on many seeds: what it costs at worst.

use rayon::prelude::*;
use serde::Serialize;

use super::{Parts, Scenario, StressReport, World, WorldError};

/// How an amount is spread over seeds, whole quote tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// Not exceeded by nineteen of twenty; `None` of fewer than twenty amounts, which say nothing of it but their largest.
    pub quantile_95: Option<f64>,
    /// Not exceeded by ninety-nine of a hundred; `None` of fewer.
    pub quantile_99: Option<f64>,
    /// The largest.
    pub worst: f64,
}

/// What a scenario costs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AtRisk {
    /// How many seeds.
    pub seeds: u64,
    /// Debts written off, and those that would have to be.
    pub bad_debt: Spread,
    /// Debts that liquidators have repaid.
    pub liquidated: Spread,
    /// Equity that all positions together have lost.
    pub equity_lost: Spread,
}

impl Spread {
    /// Of these amounts; nothing of none.
    pub fn of(mut amounts: Vec<f64>) -> Self {
        amounts.sort_by(f64::total_cmp);
        let count = amounts.len();
        let at = |part: f64| {
            let rank = (part * count as f64).ceil() as usize;
            (0 < rank && rank < count).then(|| amounts[rank - 1])
        };
        Self {
            mean: amounts.iter().sum::<f64>() / count.max(1) as f64,
            quantile_95: at(0.95),
            quantile_99: at(0.99),
            worst: amounts.last().copied().unwrap_or(0.0),
        }
    }
}

impl AtRisk {
    /// Of one report for each seed.
    pub fn of(reports: &[StressReport]) -> Self {
        let spread = |of: fn(&StressReport) -> f64| Spread::of(reports.iter().map(of).collect());
        Self {
            seeds: reports.len() as u64,
            bad_debt: spread(|report| report.bad_debt + report.uncovered),
            liquidated: spread(|report| report.liquidated),
            equity_lost: spread(|report| {
                let lost = report.positions.iter();
                lost.map(|position| position.before.equity.f64() - position.after.equity.f64())
                    .sum()
            }),
        }
    }
}

/// Plays a scenario with each of so many seeds from `first` on, in their order whatever the number of threads.
///
/// # Errors
/// [`WorldError`].
pub fn run_many(
    parts: &Parts,
    scenario: &Scenario,
    (first, count): (u64, u64),
    keepers: bool,
    done: impl Fn() + Sync,
) -> Result<Vec<StressReport>, WorldError> {
    (0..count)
        .into_par_iter()
        .map(|number| {
            let seed = first.wrapping_add(number);
            let world = World::new(parts.clone(), scenario, seed)?;
            let world = if keepers {
                world
            } else {
                world.without_keepers()
            };
            let report = world.run();
            done();
            report
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_by_hand() {
        let spread = Spread::of((1..=100).rev().map(f64::from).collect());
        assert_eq!(spread.mean, 50.5);
        assert_eq!(
            (spread.quantile_95, spread.quantile_99, spread.worst),
            (Some(95.0), Some(99.0), 100.0)
        );
        let twenty = Spread::of((1..=20).map(f64::from).collect());
        assert_eq!(
            (twenty.quantile_95, twenty.quantile_99, twenty.worst),
            (Some(19.0), None, 20.0)
        );
        let few = Spread::of((1..=19).map(f64::from).collect());
        assert_eq!((few.quantile_95, few.worst), (None, 19.0));
        assert_eq!(Spread::of(vec![]), Spread::default());
    }
}
