//! Reserves and an oracle that do not stand still, by options.

use anyhow::{Context, Result, ensure};
use ballast_client::ReserveParams;
use ballast_model::{Bps, lending::RateCurve};
use ballast_simulator::{Confidence, FeedTerms, ReserveTerms, Reversion, Stalls, Terms};
use clap::Args;
use serde::Serialize;

use super::{
    lag::LagArgs,
    model_file::{ModelFile, OracleTable, Parameter, ReversionTable},
    pool::PoolReport,
};
use crate::{
    decimal::{Decimal, Positive, Ratio},
    format::{percent, significant},
    market_rules::RulesArgs,
    trouble::misuse,
};

/// Options of what else wanders. Without them rates stay, and every price is published and certain.
#[derive(Args, Debug)]
pub struct ConditionArgs {
    /// The base reserve's utilisation wanders, like 60%:15%:24: its mean, its standard deviation in the long run, and the hours in which
    /// half of the way back is done. What borrowers pay follows from the market's rate curve, in place of --borrow-base-apr, and above
    /// the market's limit nobody borrows more; see --migrations
    #[arg(long, value_name = "MEAN:SD:HOURS", value_parser = parse_utilisation)]
    pub utilisation_base: Option<Reversion>,
    /// The same of the quote reserve, in place of --borrow-quote-apr
    #[arg(long, value_name = "MEAN:SD:HOURS", value_parser = parse_utilisation)]
    pub utilisation_quote: Option<Reversion>,
    /// The oracle publishes nothing so many times a day, for so many seconds on average, like 2:300: what needs a fresh price waits.
    /// Both numbers are of a calm market, and grow by --worsens
    #[arg(long, value_name = "PER_DAY:SECS", value_parser = parse_stalls)]
    pub oracle_stalls: Option<(f64, f64)>,
    /// How uncertain the oracle's price is in a still market, in basis points of it: what the market calls too uncertain waits. By
    /// default as --model-file says, or 0
    #[arg(long, value_name = "BPS")]
    pub confidence_bps: Option<Decimal>,
    /// How much more uncertain it is for each basis point of the standard deviation of a minute's move; by default as --model-file says,
    /// or 0
    #[arg(long, value_name = "TIMES")]
    pub confidence_per_move: Option<Decimal>,
}

fn parse_utilisation(text: &str) -> Result<Reversion, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let read = |parts: &[&str]| {
        let [mean, sd, hours] = parts else {
            return None;
        };
        let (mean, sd): (Ratio, Ratio) = (mean.parse().ok()?, sd.parse().ok()?);
        let hours: Positive = hours.parse().ok()?;
        Some(Reversion {
            mean: mean.f64(),
            sd: sd.f64(),
            half_life_hours: hours.f64(),
        })
    };
    read(&parts).ok_or_else(|| "write a mean, a deviation and hours, like 60%:15%:24".into())
}

fn parse_stalls(text: &str) -> Result<(f64, f64), String> {
    let read = text.split_once(':').and_then(|(per_day, secs)| {
        let (per_day, secs): (Decimal, Decimal) = (per_day.parse().ok()?, secs.parse().ok()?);
        Some((per_day.f64(), secs.f64()))
    });
    read.ok_or_else(|| "write a number a day and seconds, like 2:300".into())
}

/// What a market's rules make of a reserve.
fn reserve(utilisation: Reversion, rules: ReserveParams) -> ReserveTerms {
    ReserveTerms {
        utilisation,
        curve: RateCurve {
            kink_utilisation: Bps::new(rules.kink_utilisation_bps),
            rate_at_zero: Bps::new(rules.rate_at_zero_bps),
            rate_at_kink: Bps::new(rules.rate_at_kink_bps),
            rate_at_full: Bps::new(rules.rate_at_full_bps),
        },
        max_utilisation: Bps::new(rules.max_utilisation_bps),
    }
}

/// What of reserves and oracle wanders.
#[derive(Clone, Copy, Debug, Default)]
pub struct Conditions {
    /// Of base and quote; `None`: it stands still.
    pub reserves: [Option<ReserveTerms>; 2],
    /// The oracle; `None`: it is perfect.
    pub feed: Option<FeedTerms>,
    /// The pool; `None`: the liquidity of others is one number, and the fee stays.
    pub pool: Option<PoolReport>,
}

impl Conditions {
    /// The terms with all of it.
    ///
    /// # Errors
    /// Numbers that make no sense.
    pub fn applied_to(&self, terms: Terms) -> Result<Terms> {
        let terms = terms
            .with_reserves(self.reserves)
            .context("--utilisation-base and --utilisation-quote")?;
        match self.feed {
            None => Ok(terms),
            Some(feed) => terms
                .with_feed(feed)
                .context("--oracle-stalls, --confidence-bps and --confidence-per-move"),
        }
    }
}

impl ConditionArgs {
    /// Options before the file; `aprs`: those that options say, base and quote.
    ///
    /// # Errors
    /// Rules that cannot be read, and two answers to one question.
    pub fn conditions(
        &self,
        file: &ModelFile,
        lag: &LagArgs,
        rules: &RulesArgs,
        aprs: [&Ratio; 2],
    ) -> Result<Conditions> {
        let table = file.utilisation.unwrap_or_default();
        let utilisation = [
            self.utilisation_base
                .or(table.base.map(ReversionTable::reversion)),
            self.utilisation_quote
                .or(table.quote.map(ReversionTable::reversion)),
        ];
        for ((moves, apr), [utilisation, option]) in utilisation.iter().zip(aprs).zip([
            ["--utilisation-base", "--borrow-base-apr"],
            ["--utilisation-quote", "--borrow-quote-apr"],
        ]) {
            ensure!(
                moves.is_none() || apr.f64() == 0.0,
                misuse!(
                    "{option} says what borrowers pay, and {utilisation} that it follows from utilisation: leave one of them out"
                )
            );
        }
        let feed = self.feed(file.oracle.unwrap_or_default(), lag);
        if feed.is_none() && utilisation.iter().all(Option::is_none) {
            return Ok(Conditions::default());
        }
        let desired = rules.desired()?;
        let [base, quote] = utilisation;
        let safety: ballast_client::SafetyRules = desired.safety.into();
        let demands = desired.market_params().oracle_rules;
        Ok(Conditions {
            reserves: [
                base.map(|base| reserve(base, desired.base_reserve.into())),
                quote.map(|quote| reserve(quote, desired.quote_reserve.into())),
            ],
            feed: feed.map(|(stalls, confidence)| FeedTerms {
                stalls,
                confidence,
                liquidation_max_age_secs: safety.effective().max_age_liquidation_secs.into(),
                liquidation_max_confidence_bps: demands.max_confidence_loose_bps.into(),
            }),
            pool: None,
        })
    }

    /// What is not perfect about the oracle; `None`: nothing.
    fn feed(&self, file: OracleTable, lag: &LagArgs) -> Option<(Option<Stalls>, Confidence)> {
        let or_file = |given: Option<&Decimal>, file: Option<Parameter>| {
            given
                .map(Decimal::f64)
                .or(file.map(|parameter| parameter.value))
                .unwrap_or(0.0)
        };
        let from_file = file.stalls_day.zip(file.stall_secs);
        let stalls = self
            .oracle_stalls
            .or(from_file.map(|(per_day, secs)| (per_day.value, secs.value)))
            .filter(|(per_day, secs)| *per_day != 0.0 && *secs != 0.0)
            .map(|(per_day, mean_secs)| Stalls {
                per_day,
                mean_secs,
                worsens: lag.worsens.f64(),
                calm_sigma_day: lag.calm_sigma_day.f64(),
            });
        let confidence = Confidence {
            bps: or_file(self.confidence_bps.as_ref(), file.confidence_bps),
            per_move: or_file(self.confidence_per_move.as_ref(), file.confidence_per_move),
        };
        (stalls.is_some() || confidence != Confidence::default()).then_some((stalls, confidence))
    }
}

/// What of reserves and oracle wanders, to be read; what does not is not there.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ConditionsReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation_base: Option<UtilisationReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation_quote: Option<UtilisationReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oracle: Option<OracleReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<PoolReport>,
}

/// A reserve.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct UtilisationReport {
    pub mean: f64,
    pub sd: f64,
    pub half_life_hours: f64,
    /// What borrowers pay a year at the mean.
    pub apr_at_mean: f64,
}

/// The oracle.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct OracleReport {
    pub stalls_day: f64,
    pub stall_secs: f64,
    pub confidence_bps: f64,
    pub confidence_per_move: f64,
}

impl ConditionsReport {
    /// `None` where nothing wanders.
    pub fn of(conditions: &Conditions) -> Option<Self> {
        let two_pow_64 = 2f64.powi(64);
        let reserve = |terms: &ReserveTerms| {
            let walk = &terms.utilisation;
            UtilisationReport {
                mean: walk.mean,
                sd: walk.sd,
                half_life_hours: walk.half_life_hours,
                apr_at_mean: terms.rate_x64(walk.mean) as f64 / two_pow_64,
            }
        };
        let oracle = |feed: &FeedTerms| OracleReport {
            stalls_day: feed.stalls.map_or(0.0, |stalls| stalls.per_day),
            stall_secs: feed.stalls.map_or(0.0, |stalls| stalls.mean_secs),
            confidence_bps: feed.confidence.bps,
            confidence_per_move: feed.confidence.per_move,
        };
        let [base, quote] = &conditions.reserves;
        let report = Self {
            utilisation_base: base.as_ref().map(reserve),
            utilisation_quote: quote.as_ref().map(reserve),
            oracle: conditions.feed.as_ref().map(oracle),
            pool: conditions.pool,
        };
        let any = [base.is_some(), quote.is_some(), conditions.feed.is_some()];
        (any.contains(&true) || conditions.pool.is_some()).then_some(report)
    }

    /// In words. Lines.
    pub fn words(&self) -> Vec<String> {
        let n = |value: f64| significant(value, 3);
        let mut lines = Vec::new();
        if let Some(oracle) = &self.oracle {
            let stalls = if oracle.stalls_day > 0.0 {
                format!(
                    "the oracle is silent {} times a day, for {} s on average in a calm market; ",
                    n(oracle.stalls_day),
                    n(oracle.stall_secs)
                )
            } else {
                String::new()
            };
            lines.push(format!(
                "{stalls}its price is uncertain by {} bp and {} times a minute's move",
                n(oracle.confidence_bps),
                n(oracle.confidence_per_move)
            ));
        }
        for (name, reserve) in [
            ("base", &self.utilisation_base),
            ("quote", &self.utilisation_quote),
        ] {
            if let Some(reserve) = reserve {
                lines.push(format!(
                    "the {name} reserve is lent out by {} on average, with a deviation of {} and half of the way back in {} h; at the mean \
                     borrowers pay {} a year",
                    percent(reserve.mean),
                    percent(reserve.sd),
                    n(reserve.half_life_hours),
                    percent(reserve.apr_at_mean)
                ));
            }
        }
        lines.extend(self.pool.as_ref().map(PoolReport::words));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wanders_is_written_in_short() {
        let walk = parse_utilisation("60%:0.15:24").unwrap();
        let expected = Reversion {
            mean: 0.6,
            sd: 0.15,
            half_life_hours: 24.0,
        };
        assert_eq!(walk, expected);
        for text in [
            "",
            "60%",
            "60%:15%",
            "60%:15%:0",
            "a:b:c",
            "1:2:3:4",
            "-1%:1%:1",
        ] {
            assert!(parse_utilisation(text).is_err(), "{text}");
        }
        assert_eq!(parse_stalls("0.5:300"), Ok((0.5, 300.0)));
        for text in ["", "2", "2:", ":2", "a:300", "2:300:1"] {
            assert!(parse_stalls(text).is_err(), "{text}");
        }
    }
}
