//! What `ballast compare` prints.

use std::{collections::BTreeMap, fmt};

use ballast_simulator::{CONFIDENCE_95, ControlledMean, Looks, Moments, Paired, Summary};
use serde::Serialize;

use crate::{
    commands::simulate::{
        Chance, Distribution, conditions::ConditionsReport, lag::LagReport, model::ModelName, world,
    },
    format::{percent, significant},
    table::Table,
};

/// Two strategies on the same prices, in each model. Amounts are in whole quote tokens.
#[derive(Debug, Serialize)]
pub struct CompareReport {
    pub first: String,
    pub second: String,
    pub paths: u64,
    pub seed: u64,
    /// What is worth knowing of the position as either opens it.
    pub warnings: Vec<String>,
    /// Whose limits and rules apply.
    pub limits: String,
    /// What costs nothing and what never happens, with the options that would say otherwise.
    pub not_counted: Vec<&'static str>,
    /// How late both are; none where nothing is late and nothing is lost.
    pub lag: Option<LagReport>,
    /// What of reserves and oracle wanders; none where they stand still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<ConditionsReport>,
    pub models: Vec<ModelReport>,
}

/// One model.
#[derive(Debug, Serialize)]
pub struct ModelReport {
    pub model: &'static str,
    /// Equity at the end: first less second, path by path.
    pub difference: Difference,
    /// The same with control variates; none where nothing is known of the model's prices beforehand, or with too few paths.
    pub difference_controlled: Option<BetterDifference>,
    /// Which of them ends higher, if that is sure with 95 %.
    pub better: Option<&'static str>,
    /// How often the first one ends higher.
    pub first_ends_higher: Chance,
    /// The same of each part of the gain.
    pub attribution: BTreeMap<&'static str, Difference>,
    /// The lowest equity on the way: how much lower the first one's is.
    pub draw_down: Difference,
    /// Chance of a look at maintenance or above: first less second.
    pub liquidation: Gap,
    /// What is done a day: first less second.
    pub actions_per_day: Difference,
    pub strategies: [Alone; 2],
}

/// One of the two.
#[derive(Debug, Serialize)]
pub struct Alone {
    pub equity: Distribution,
    pub liquidation: Chance,
    pub actions_per_day: f64,
}

/// A mean of differences, its standard error, and the interval that holds it with 95 %.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Difference {
    pub mean: f64,
    pub stderr: f64,
    pub low_95: f64,
    pub high_95: f64,
}

/// A difference that is known better.
#[derive(Debug, Serialize)]
pub struct BetterDifference {
    #[serde(flatten)]
    pub difference: Difference,
    /// The part of the variance that the controls explain.
    pub explained: f64,
    pub controls: Vec<&'static str>,
}

impl From<ControlledMean> for BetterDifference {
    fn from(better: ControlledMean) -> Self {
        let reach = CONFIDENCE_95 * better.stderr;
        Self {
            difference: Difference {
                mean: better.mean,
                stderr: better.stderr,
                low_95: better.mean - reach,
                high_95: better.mean + reach,
            },
            explained: better.explained,
            controls: better.controls,
        }
    }
}

/// A difference of chances.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Gap {
    pub probability: f64,
    pub stderr: f64,
}

impl Difference {
    fn of(moments: Moments, scale: f64) -> Self {
        let (low, high) = moments.confidence_95();
        Self {
            mean: moments.mean() * scale,
            stderr: moments.stderr() * scale,
            low_95: low * scale,
            high_95: high * scale,
        }
    }
}

impl ModelReport {
    /// Of all paths.
    pub fn new(
        model: ModelName,
        paired: &Paired,
        controlled: Option<ControlledMean>,
        looks: Looks,
    ) -> Self {
        let difference = Difference::of(paired.equity(), 1.0);
        let difference_controlled = controlled.map(BetterDifference::from);
        let known = difference_controlled
            .as_ref()
            .map_or(difference, |better| better.difference);
        let per_day = looks.days().recip();
        let (probability, stderr) = paired.liquidatable();
        let alone = |summary: &Summary| Alone {
            equity: Distribution::of(&summary.equity()),
            liquidation: summary.liquidatable().into(),
            actions_per_day: summary.own_acts().mean() * per_day,
        };
        Self {
            model: model.name(),
            difference,
            difference_controlled,
            better: if known.low_95 > 0.0 {
                Some("first")
            } else if known.high_95 < 0.0 {
                Some("second")
            } else {
                None
            },
            first_ends_higher: paired.better().into(),
            attribution: paired
                .attribution()
                .iter()
                .map(|(name, moments)| (*name, Difference::of(*moments, 1.0)))
                .collect(),
            draw_down: Difference::of(paired.draw_down(), 1.0),
            liquidation: Gap {
                probability,
                stderr,
            },
            actions_per_day: Difference::of(paired.acts(), per_day),
            strategies: [alone(paired.first()), alone(paired.second())],
        }
    }
}

impl fmt::Display for CompareReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} less {}, {} paths, the same prices for both",
            self.first, self.second, self.paths
        )?;
        let (lag, conditions) = (self.lag.as_ref(), self.conditions.as_ref());
        for line in world::words(lag, conditions, Some(&self.limits), &self.not_counted) {
            writeln!(f, "{line}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        let number = |value: f64| significant(value, 5);
        let row = |name: String, difference: &Difference| {
            [
                name,
                number(difference.mean),
                number(difference.low_95),
                number(difference.high_95),
            ]
        };
        for model in &self.models {
            let better = match model.better {
                None => "no difference that is sure",
                Some("first") => "the first is better",
                Some(_) => "the second is better",
            };
            writeln!(
                f,
                "\n{}: {better}; the first ends higher on {} of the paths",
                model.model,
                percent(model.first_ends_higher.probability)
            )?;
            let mut table = Table::new(["<difference of", "mean", "from", "to (95%)"]);
            table.row(row("equity".into(), &model.difference));
            if let Some(better) = &model.difference_controlled {
                table.row(row("  with control variates".into(), &better.difference));
            }
            for (name, line) in &model.attribution {
                if line.mean != 0.0 || line.stderr != 0.0 {
                    table.row(row(format!("  {}", name.replace('_', " ")), line));
                }
            }
            table.row(row("lowest equity, below".into(), &model.draw_down));
            table.row(row("actions a day".into(), &model.actions_per_day));
            write!(f, "{table}")?;
            let mut table = Table::new([
                "<alone",
                "equity",
                "+-",
                "sd",
                "5% below",
                "mean of these",
                "liquidation",
                "acts a day",
            ]);
            for (name, alone) in [&self.first, &self.second]
                .into_iter()
                .zip(&model.strategies)
            {
                table.row([
                    name.clone(),
                    number(alone.equity.mean),
                    significant(alone.equity.stderr, 2),
                    number(alone.equity.sd),
                    number(alone.equity.quantile_5),
                    number(alone.equity.shortfall_5),
                    percent(alone.liquidation.probability),
                    significant(alone.actions_per_day, 3),
                ]);
            }
            write!(f, "{table}")?;
        }
        Ok(())
    }
}
