//! What `ballast simulate` prints.

use std::{collections::BTreeMap, fmt};

use ballast_simulator::{
    Looks, Moments, Proportion, Sorted, Summary, Watch,
    hitting::{Exit, Motion},
};
use serde::Serialize;

use super::SimulateArgs;
use crate::{
    format::{optional, percent, significant},
    table::Table,
};

/// Digits of amounts in tables.
const DIGITS: usize = 8;

/// What all paths say together. Amounts are in whole quote tokens.
#[derive(Debug, Serialize)]
pub struct SimulationReport {
    pub paths: u64,
    pub seed: u64,
    pub steps: u64,
    pub equity: Distribution,
    pub time_in_range: Mean,
    /// The first look at or beyond either watched price.
    pub first_exit: Ends<Chance>,
    pub first_exit_closed_form: Option<ClosedForm>,
    pub liquidation: Liquidation,
    /// Means of the parts that the gain consists of.
    pub attribution: BTreeMap<&'static str, Mean>,
    pub actions_per_day: f64,
    /// How far equity fell below the own funds on the way.
    pub draw_down: DrawDown,
    /// The paths that ended lowest, the worst first.
    pub worst_paths: Vec<WorstPath>,
    /// The same paths with another strategy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub against: Option<Against>,
    #[serde(skip)]
    own: f64,
}

/// How far equity fell below the own funds.
#[derive(Debug, Serialize)]
pub struct DrawDown {
    pub mean: f64,
    pub stderr: f64,
    pub quantile_95: f64,
}

/// A path and its equity at the end.
#[derive(Debug, Serialize)]
pub struct WorstPath {
    pub path: u64,
    pub equity: f64,
}

/// Another strategy on the same prices.
#[derive(Debug, Serialize)]
pub struct Against {
    pub equity: Distribution,
    pub liquidation_probability: f64,
    /// Equity here less equity there, path by path.
    pub difference: Mean,
    /// The same of each part of the gain: its mean here less its mean there.
    pub attribution: BTreeMap<&'static str, f64>,
}

/// Chances by formula, and the prices they are about.
pub struct Exits {
    pub liquidation_prices: (Option<f64>, Option<f64>),
    pub first_exit: Option<ClosedForm>,
    pub liquidation: Option<ClosedForm>,
}

/// Equity at the end.
#[derive(Debug, Serialize)]
pub struct Distribution {
    pub mean: f64,
    pub stderr: f64,
    pub sd: f64,
    pub quantile_5: f64,
    pub quantile_50: f64,
    pub quantile_95: f64,
    /// Mean of the worst 5 %.
    pub shortfall_5: f64,
}

impl Distribution {
    fn of(equity: &Sorted) -> Self {
        let moments = equity.moments();
        Self {
            mean: moments.mean(),
            stderr: moments.stderr(),
            sd: moments.sd(),
            quantile_5: equity.quantile(0.05),
            quantile_50: equity.quantile(0.5),
            quantile_95: equity.quantile(0.95),
            shortfall_5: equity.shortfall(0.05),
        }
    }
}

impl Against {
    fn new(here: &Summary, there: &Summary) -> Self {
        let mut difference = Moments::default();
        for (here, there) in here.equities().iter().zip(there.equities()) {
            difference.add(here - there);
        }
        let lines = here.attribution().iter().zip(there.attribution());
        Self {
            equity: Distribution::of(&there.equity()),
            liquidation_probability: there.liquidatable().probability(),
            difference: difference.into(),
            attribution: lines
                .map(|((name, here), (_, there))| (*name, here.mean() - there.mean()))
                .collect(),
        }
    }
}

/// A mean with its standard error.
#[derive(Debug, Serialize)]
pub struct Mean {
    pub mean: f64,
    pub stderr: f64,
}

impl From<Moments> for Mean {
    fn from(moments: Moments) -> Self {
        Self {
            mean: moments.mean(),
            stderr: moments.stderr(),
        }
    }
}

/// How often something happened, with the standard error.
#[derive(Debug, Serialize)]
pub struct Chance {
    pub probability: f64,
    pub stderr: f64,
}

impl From<Proportion> for Chance {
    fn from(seen: Proportion) -> Self {
        Self {
            probability: seen.probability(),
            stderr: seen.stderr(),
        }
    }
}

/// Of two prices.
#[derive(Debug, Serialize)]
pub struct Ends<T> {
    pub lower: T,
    pub upper: T,
}

impl From<Exit> for Ends<f64> {
    fn from(exit: Exit) -> Self {
        Self {
            lower: exit.lower,
            upper: exit.upper,
        }
    }
}

/// Chances by formula.
#[derive(Debug, Serialize)]
pub struct ClosedForm {
    /// Watched all the time.
    pub continuous: Ends<f64>,
    /// Watched at the looks.
    pub at_looks: Ends<f64>,
}

impl ClosedForm {
    /// `None` where there is no formula.
    pub fn new(motion: Motion, ends: Watch, start: f64, looks: Looks) -> Option<Self> {
        let end = |log_price: f64| log_price.is_finite().then_some(log_price - start);
        let (lower, upper) = (end(ends.lower), end(ends.upper));
        let days = looks.days();
        Some(Self {
            continuous: motion.exit(lower, upper, days)?.into(),
            at_looks: motion
                .exit_at_looks(lower, upper, days, looks.step_days())?
                .into(),
        })
    }
}

/// How often a look found the position at maintenance or above.
#[derive(Debug, Serialize)]
pub struct Liquidation {
    pub probability: f64,
    pub stderr: f64,
    /// The prices at which the position as opened is at maintenance.
    pub prices: Ends<Option<f64>>,
    /// The chance by formula, if the position stays as it is.
    pub closed_form: Option<ClosedForm>,
}

impl SimulationReport {
    /// Adds everything up.
    pub fn new(
        args: &SimulateArgs,
        looks: Looks,
        summary: &Summary,
        other: Option<&Summary>,
        exits: Exits,
    ) -> Self {
        let liquidatable = summary.liquidatable();
        let draw_down = summary.draw_down();
        let worst = summary.worst().iter();
        Self {
            paths: args.paths,
            seed: args.seed,
            steps: looks.count(),
            equity: Distribution::of(&summary.equity()),
            draw_down: DrawDown {
                mean: draw_down.moments().mean(),
                stderr: draw_down.moments().stderr(),
                quantile_95: draw_down.quantile(0.95),
            },
            worst_paths: worst
                .map(|(equity, path)| WorstPath {
                    path: *path,
                    equity: *equity,
                })
                .collect(),
            against: other.map(|other| Against::new(summary, other)),
            time_in_range: summary.time_in_range().into(),
            first_exit: Ends {
                lower: summary.first_exit_lower().into(),
                upper: summary.first_exit_upper().into(),
            },
            first_exit_closed_form: exits.first_exit,
            liquidation: Liquidation {
                probability: liquidatable.probability(),
                stderr: liquidatable.stderr(),
                prices: Ends {
                    lower: exits.liquidation_prices.0,
                    upper: exits.liquidation_prices.1,
                },
                closed_form: exits.liquidation,
            },
            attribution: summary
                .attribution()
                .iter()
                .map(|(name, moments)| (*name, Mean::from(*moments)))
                .collect(),
            actions_per_day: summary.actions().mean() / looks.days(),
            own: args.equity.f64(),
        }
    }
}

impl fmt::Display for SimulationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |value: f64| significant(value, DIGITS);
        let equity = &self.equity;
        writeln!(
            f,
            "equity       {} +- {} of {}; sd {}",
            number(equity.mean),
            significant(equity.stderr, 2),
            number(self.own),
            number(equity.sd)
        )?;
        writeln!(
            f,
            "             5 % end below {} (mean of these {}), half below {}, 5 % above {}",
            number(equity.quantile_5),
            number(equity.shortfall_5),
            number(equity.quantile_50),
            number(equity.quantile_95)
        )?;
        let with_error =
            |probability, stderr| format!("{} +- {}", percent(probability), percent(stderr));
        writeln!(
            f,
            "liquidation  {} of the paths come to {} or {}",
            with_error(self.liquidation.probability, self.liquidation.stderr),
            optional(self.liquidation.prices.lower, DIGITS),
            optional(self.liquidation.prices.upper, DIGITS),
        )?;
        if let Some(exact) = &self.liquidation.closed_form {
            writeln!(
                f,
                "             by formula {} at these looks, {} if watched all the time",
                percent(exact.at_looks.lower + exact.at_looks.upper),
                percent(exact.continuous.lower + exact.continuous.upper),
            )?;
        }
        let exit = &self.first_exit;
        writeln!(
            f,
            "first exit   {} lower, {} upper",
            with_error(exit.lower.probability, exit.lower.stderr),
            with_error(exit.upper.probability, exit.upper.stderr),
        )?;
        writeln!(
            f,
            "in range     {} of the time",
            percent(self.time_in_range.mean)
        )?;
        writeln!(
            f,
            "actions      {} a day",
            significant(self.actions_per_day, 3)
        )?;
        writeln!(
            f,
            "draw-down    {} on average, 5 % above {}",
            number(self.draw_down.mean),
            number(self.draw_down.quantile_95)
        )?;
        let worst = self.worst_paths.iter();
        let worst: Vec<_> = worst
            .map(|worst| format!("{} ({})", worst.path, number(worst.equity)))
            .collect();
        writeln!(f, "worst paths  {}", worst.join(", "))?;
        if let Some(against) = &self.against {
            writeln!(
                f,
                "against      {} +- {} more than the other strategy, which ends at {}, 5 % below {}, and comes to liquidation on {}",
                number(against.difference.mean),
                significant(against.difference.stderr, 2),
                number(against.equity.mean),
                number(against.equity.quantile_5),
                percent(against.liquidation_probability),
            )?;
        }
        let mut table = Table::new(["<gain from", "mean", "+-"]);
        for (name, mean) in &self.attribution {
            table.row([
                name.replace('_', " "),
                number(mean.mean),
                significant(mean.stderr, 2),
            ]);
        }
        write!(f, "\n{table}")
    }
}
