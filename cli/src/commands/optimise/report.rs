//! What `ballast optimise` prints.

use std::{fmt, path::Path};

use ballast_simulator::{
    CONFIDENCE_95,
    optimise::{Aim, Apart, Score},
};
use serde::Serialize;

use super::{
    OptimiseArgs,
    grid::{Setting, Written},
};
use crate::{
    commands::simulate::{Chance, conditions::ConditionsReport, lag::LagReport, world},
    format::{change, percent, significant},
    table::Table,
};

/// A setting and how it did.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    pub setting: Setting,
    /// `None`: no such position can be opened.
    pub score: Option<Score>,
    /// It less the first setting.
    pub apart: Apart,
}

impl Judged {
    pub fn new(setting: Setting, score: Option<Score>, apart: Apart) -> Self {
        Self {
            setting,
            score,
            apart,
        }
    }
}

/// How a setting did. Gains are parts of the own funds.
#[derive(Debug, Serialize)]
pub struct Judgement {
    pub gain: f64,
    pub stderr: f64,
    pub sd: f64,
    /// Mean gain of the worst 5 %.
    pub shortfall_5: f64,
    pub actions_per_day: f64,
    pub liquidation: Chance,
    /// The largest chance of liquidation that is not ruled out with 95 %.
    pub liquidation_at_most_95: f64,
    /// What was to be largest.
    pub value: f64,
    pub safe: bool,
}

/// A setting less the first one, path by path.
#[derive(Debug, Serialize)]
pub struct LessFirst {
    pub gain: f64,
    pub gain_stderr: f64,
    pub shortfall_5: f64,
    pub shortfall_5_stderr: f64,
    pub value: f64,
    pub value_stderr: f64,
}

impl From<Apart> for LessFirst {
    fn from(apart: Apart) -> Self {
        Self {
            gain: apart.gain.mean,
            gain_stderr: apart.gain.stderr,
            shortfall_5: apart.shortfall.mean,
            shortfall_5_stderr: apart.shortfall.stderr,
            value: apart.value.mean,
            value_stderr: apart.value.stderr,
        }
    }
}

/// A setting with its result.
#[derive(Debug, Serialize)]
pub struct Tried {
    #[serde(flatten)]
    pub setting: Written,
    /// None where no such position can be opened.
    pub result: Option<Judgement>,
    pub less_first: Option<LessFirst>,
}

/// The best of the safe ones, and how it did with other random numbers.
#[derive(Debug, Serialize)]
pub struct Winner {
    /// Its place in `settings`.
    pub index: usize,
    #[serde(flatten)]
    pub setting: Written,
    pub in_sample: Option<Judgement>,
    pub out_of_sample: Option<Judgement>,
    /// The next best of the safe ones; none if there is only one.
    pub runner_up: Option<RunnerUp>,
    /// Gain out of sample less gain in sample, in standard errors: the best of many was lucky too.
    pub shrinks_by_stderr: f64,
}

/// The next best of the safe ones, and how far it lies behind.
#[derive(Debug, Serialize)]
pub struct RunnerUp {
    /// Its place in `settings`.
    pub index: usize,
    #[serde(flatten)]
    pub setting: Written,
    /// It less the winner, on the same paths.
    pub less_winner: LessFirst,
    /// Whether what was to be largest differs with 95 %.
    pub significant: bool,
}

/// The best of the safe settings.
#[derive(Clone, Copy, Debug)]
pub struct Best {
    pub index: usize,
    /// The next best, and how it differs.
    pub runner_up: Option<(usize, Apart)>,
}

/// What all settings have in common.
#[derive(Debug)]
pub struct Around {
    pub aim: Aim,
    pub lag: Option<LagReport>,
    pub conditions: Option<ConditionsReport>,
    pub warnings: Vec<String>,
    pub limits: String,
    pub not_counted: Vec<&'static str>,
}

/// Every setting, and the best.
#[derive(Debug, Serialize)]
pub struct OptimiseReport {
    pub paths: u64,
    pub seed: u64,
    pub max_liquidation: f64,
    pub risk_aversion: f64,
    pub tail_weight: f64,
    /// Leverages that do not last.
    pub warnings: Vec<String>,
    /// Whose limits and rules apply.
    pub limits: String,
    /// What costs nothing and what never happens, with the options that would say otherwise.
    pub not_counted: Vec<&'static str>,
    /// How late the keeper is; none where nothing is late and nothing is lost.
    pub lag: Option<LagReport>,
    /// What of reserves and oracle wanders; none where they stand still.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<ConditionsReport>,
    pub settings: Vec<Tried>,
    /// Places in `settings` of those that no other safe one beats in both gain and shortfall, from the least risk to the highest gain.
    pub frontier: Vec<usize>,
    pub winner: Option<Winner>,
}

impl OptimiseReport {
    pub fn new(
        args: &OptimiseArgs,
        Around {
            aim,
            lag,
            conditions,
            warnings,
            limits,
            not_counted,
        }: Around,
        judged: Vec<Judged>,
        frontier: Vec<usize>,
        winner: Option<Best>,
        check: Option<Score>,
    ) -> Self {
        let most = args.max_liquidation.f64();
        let result = |score: Score| Judgement {
            gain: score.gain,
            stderr: score.stderr,
            sd: score.sd,
            shortfall_5: score.shortfall,
            actions_per_day: score.actions / args.scenario.horizon_days.f64(),
            liquidation: score.liquidatable.into(),
            liquidation_at_most_95: score.liquidatable.at_most_95(),
            value: score.value(aim),
            safe: score.is_safe(most),
        };
        Self {
            paths: args.scenario.paths,
            seed: args.scenario.seed,
            max_liquidation: most,
            risk_aversion: aim.aversion,
            tail_weight: aim.tail,
            lag,
            conditions,
            warnings,
            limits,
            not_counted,
            frontier,
            winner: winner.map(|Best { index, runner_up }| {
                let Judged { setting, score, .. } = judged[index];
                let apart = score.zip(check).map_or(0.0, |(score, check)| {
                    (check.gain - score.gain) / score.stderr.hypot(check.stderr)
                });
                Winner {
                    index,
                    setting: setting.written(args),
                    in_sample: score.map(result),
                    out_of_sample: check.map(result),
                    runner_up: runner_up.map(|(index, apart)| RunnerUp {
                        index,
                        setting: judged[index].setting.written(args),
                        less_winner: LessFirst::from(apart),
                        significant: apart.value.mean.abs() > CONFIDENCE_95 * apart.value.stderr,
                    }),
                    shrinks_by_stderr: if apart.is_finite() { apart } else { 0.0 },
                }
            }),
            settings: judged
                .into_iter()
                .map(|judged| Tried {
                    setting: judged.setting.written(args),
                    result: judged.score.map(result),
                    less_first: judged.score.map(|_| judged.apart.into()),
                })
                .collect(),
        }
    }
}

/// A keeper's file by its name.
pub fn keeper(setting: &Written) -> String {
    let file = setting.keeper.as_deref().map(Path::new);
    let name = file.and_then(Path::file_stem);
    name.map_or_else(|| "-".into(), |name| name.to_string_lossy().into_owned())
}

/// What a second look says of the first, by how much more was gained in it.
fn luck(more_by_stderr: f64) -> &'static str {
    match more_by_stderr < 0.0 {
        true => "less than where it was chosen: the best of many was lucky, too",
        false => "more than where it was chosen: it was not chosen for its luck",
    }
}

impl fmt::Display for OptimiseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let possible = self.settings.iter().filter(|tried| tried.result.is_some());
        let safe = self
            .settings
            .iter()
            .filter(|tried| tried.result.as_ref().is_some_and(|result| result.safe));
        writeln!(
            f,
            "{} settings, of which {} can be opened and {} are safe: liquidation on at most {} of the paths",
            self.settings.len(),
            possible.count(),
            safe.count(),
            percent(self.max_liquidation)
        )?;
        let (lag, conditions) = (self.lag.as_ref(), self.conditions.as_ref());
        for line in world::words(lag, conditions, Some(&self.limits), &self.not_counted) {
            writeln!(f, "{line}")?;
        }
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        let cells = |setting: &Written, result: &Judgement| {
            [
                keeper(setting),
                percent(setting.width),
                significant(setting.leverage(), 3),
                percent(setting.hedge),
                percent(setting.delta_band),
                change(result.gain),
                percent(result.stderr),
                percent(result.sd),
                change(result.shortfall_5),
                percent(result.liquidation.probability),
            ]
        };
        let titles = [
            "<keeper",
            "width",
            "leverage",
            "hedge",
            "delta band",
            "gain",
            "?+-",
            "?sd",
            "?worst 5%",
            "liquidation",
        ];
        let mut table = Table::new(titles);
        for index in &self.frontier {
            let tried = &self.settings[*index];
            if let Some(result) = &tried.result {
                table.row(cells(&tried.setting, result));
            }
        }
        writeln!(f, "\nfrontier: more gain for more risk\n{table}")?;
        let Some(winner) = &self.winner else {
            return writeln!(
                f,
                "none is safe: allow a larger --max-liquidation, less leverage, wider ranges, or more --paths to be surer"
            );
        };
        let mut table = Table::new(titles);
        for result in [&winner.in_sample, &winner.out_of_sample]
            .into_iter()
            .flatten()
        {
            table.row(cells(&winner.setting, result));
        }
        writeln!(
            f,
            "best, from {} to {}; below it the same with other random numbers\n{table}",
            significant(winner.setting.lower, 8),
            significant(winner.setting.upper, 8)
        )?;
        if winner.out_of_sample.is_some() {
            writeln!(
                f,
                "with other random numbers it gains {} standard errors {}",
                significant(winner.shrinks_by_stderr.abs(), 2),
                luck(winner.shrinks_by_stderr)
            )?;
        }
        if let Some(runner_up) = &winner.runner_up {
            let (setting, less) = (&runner_up.setting, &runner_up.less_winner);
            writeln!(
                f,
                "next: keeper {}, width {}, leverage {}, hedge {}, delta band {}; what is to be largest is {} +- {} less there, {}",
                keeper(setting),
                percent(setting.width),
                significant(setting.leverage(), 3),
                percent(setting.hedge),
                percent(setting.delta_band),
                percent(-less.value),
                percent(less.value_stderr),
                if runner_up.significant {
                    "a difference that is sure with 95 %"
                } else {
                    "no difference that is sure with 95 %: either may be the better one, try more --paths"
                }
            )?;
        }
        if winner
            .out_of_sample
            .as_ref()
            .is_some_and(|result| !result.safe)
        {
            writeln!(
                f,
                "with other random numbers it is not safe: try more --paths, or demand less"
            )?;
        }
        Ok(())
    }
}
