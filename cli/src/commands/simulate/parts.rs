//! The parts of what `ballast simulate` prints.

use std::collections::BTreeMap;

use ballast_model::Bps;
use ballast_simulator::{
    ControlledMean, Looks, Moments, Proportion, Sorted, Summary, Watch,
    hitting::{Exit, Motion},
    world::Whole,
};
use serde::Serialize;

use crate::format::percent;

/// How far equity fell below the own funds.
#[derive(Debug, Serialize)]
pub struct DrawDown {
    /// From a peak before.
    pub from_peak: Mean,
    pub mean: f64,
    pub stderr: f64,
    pub quantile_95: f64,
}

impl DrawDown {
    pub fn of(sorted: &Sorted, from_peak: Moments) -> Self {
        Self {
            from_peak: from_peak.into(),
            mean: sorted.moments().mean(),
            stderr: sorted.moments().stderr(),
            quantile_95: sorted.quantile(0.95),
        }
    }
}

/// How often something is done.
#[derive(Debug, Serialize)]
pub struct Often {
    pub per_day: f64,
    /// The part of the paths on which it is done at all.
    pub probability: f64,
}

/// An action on the path that was asked for.
#[derive(Debug, Serialize)]
pub struct ReplayedAction {
    pub secs: u64,
    pub price: f64,
    pub action: &'static str,
    pub equity_before: Whole,
    pub equity: Whole,
    pub ltv_bps: u32,
}

/// A decision on that path, to act or to wait, and its reason.
#[derive(Debug, Serialize)]
pub struct ReplayedDecision {
    pub secs: u64,
    pub price: f64,
    pub decision: String,
}

/// The mean of equity, known better by what is known of the prices beforehand.
#[derive(Debug, Serialize)]
pub struct BetterMean {
    pub mean: f64,
    pub stderr: f64,
    /// The part of the variance that the controls explain.
    pub explained: f64,
    pub controls: Vec<&'static str>,
}

impl From<&ControlledMean> for BetterMean {
    fn from(mean: &ControlledMean) -> Self {
        Self {
            mean: mean.mean,
            stderr: mean.stderr,
            explained: mean.explained,
            controls: mean.controls.clone(),
        }
    }
}

/// A path and its equity at the end.
#[derive(Debug, Serialize)]
pub struct WorstPath {
    pub path: u64,
    pub equity: Whole,
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
    /// The LTV from which a keeper deleverages, and the chance of reaching it.
    pub deleverage: Option<(Bps, Option<ClosedForm>)>,
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
    pub fn of(equity: &Sorted) -> Self {
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
    pub fn new(here: &Summary, there: &Summary) -> Self {
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

/// How often a perp venue did something to the short.
#[derive(Debug, Serialize)]
pub struct Venue {
    /// It took of it because others could not pay.
    pub auto_deleveraged: Chance,
    /// It closed it for want of margin.
    pub closed: Chance,
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
    /// Watched at the looks, if there are enough of them.
    pub at_looks: Option<Ends<f64>>,
}

impl ClosedForm {
    /// In words.
    pub fn words(&self) -> String {
        let either = |ends: &Ends<f64>| percent(ends.lower + ends.upper);
        format!(
            "if nobody acted and nothing were earned, by formula {} at these looks, {} if watched all the time",
            self.at_looks
                .as_ref()
                .map_or_else(|| "unknown".into(), either),
            either(&self.continuous),
        )
    }

    /// `None` where there is no formula.
    pub fn new(motion: Motion, ends: Watch, start: f64, looks: Looks) -> Option<Self> {
        let end = |log_price: f64| log_price.is_finite().then_some(log_price - start);
        let (lower, upper) = (end(ends.lower), end(ends.upper));
        let days = looks.days();
        Some(Self {
            continuous: motion.exit(lower, upper, days)?.into(),
            at_looks: motion
                .exit_at_looks(lower, upper, days, looks.step_days())
                .map(Ends::from),
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
    /// The chance by formula if nobody acts and nothing is earned, with debts as they are at the end: no less than with debts that grow
    /// on the way.
    pub closed_form: Option<ClosedForm>,
}

/// How often a keeper deleveraged.
#[derive(Debug, Serialize)]
pub struct Deleverage {
    /// The part of the paths on which it did.
    pub probability: f64,
    pub stderr: f64,
    /// The LTV from which it does.
    pub trigger: f64,
    /// The chance by formula of coming to that LTV, as that of liquidation.
    pub closed_form: Option<ClosedForm>,
}
