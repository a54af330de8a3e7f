//! How late whoever acts is.

use anyhow::{Context, Result};
use ballast_simulator::{Lag, Passage};
use clap::Args;
use serde::Serialize;

use crate::{
    decimal::{Ratio, sigma_day},
    format::{percent, significant},
    market_rules::RulesArgs,
};

/// Options of what comes late and what does not come. Times are whole steps: what takes a part of --step-secs takes all of it.
#[derive(Args, Debug)]
pub struct LagArgs {
    /// How old the oracle's price is by which is decided and acted; trades are at the pool's
    #[arg(long, default_value_t = 0, value_name = "SECS")]
    pub oracle_delay_secs: u64,
    /// How long it takes from what makes an action due to its landing, in a calm market
    #[arg(long, default_value_t = 0.0, value_name = "SECS")]
    pub keeper_latency_secs: f64,
    /// Part of the transactions that do not land and are sent again, in a calm market
    #[arg(long, default_value = "0", value_name = "RATIO")]
    pub miss: Ratio,
    /// How much --keeper-latency-secs, --miss and both numbers of --oracle-stalls grow with each multiple of --calm-sigma-day
    #[arg(long, default_value = "0", value_name = "RATIO")]
    pub worsens: Ratio,
    /// Standard deviation of a day's move up to which a market is calm
    #[arg(long, default_value = "5%", value_name = "RATIO", value_parser = sigma_day)]
    pub calm_sigma_day: Ratio,
}

impl LagArgs {
    /// `None` where nothing is late.
    ///
    /// # Errors
    /// Numbers that make no sense.
    pub fn lag(&self) -> Result<Option<Lag>> {
        let lag = Lag {
            oracle_delay_secs: self.oracle_delay_secs,
            passage: Passage {
                latency_secs: self.keeper_latency_secs,
                miss: self.miss.f64(),
                worsens: self.worsens.f64(),
                calm_sigma_day: self.calm_sigma_day.f64(),
            },
        };
        lag.check()
            .context("--keeper-latency-secs, --miss, --worsens and --calm-sigma-day")?;
        let late =
            lag.oracle_delay_secs > 0 || lag.passage.latency_secs > 0.0 || lag.passage.miss > 0.0;
        Ok(late.then_some(lag))
    }
}

impl LagArgs {
    /// What is worth knowing of prices that are older than a market takes; looks are `step_secs` apart.
    ///
    /// # Errors
    /// Rules that cannot be read.
    pub fn age_warning(&self, step_secs: u64, rules: &RulesArgs) -> Result<Option<String>> {
        // What takes a part of a step takes all of it.
        let age_secs = self.oracle_delay_secs.div_ceil(step_secs.max(1)) * step_secs;
        if age_secs == 0 {
            return Ok(None);
        }
        let desired = rules.desired()?;
        let safety: ballast_client::SafetyRules = desired.safety.into();
        let most_secs = u64::from(safety.effective().max_age_swap_secs);
        if age_secs <= most_secs {
            return Ok(None);
        }
        let because = if age_secs == self.oracle_delay_secs {
            ""
        } else {
            ", for it is rounded up to whole steps"
        };
        Ok(Some(format!(
            "--oracle-delay-secs {} makes every price {age_secs} s old{because}, and {} takes none older than {most_secs} s for what swaps: no \
             rehedge goes, nor any other action with a swap; use a delay and --step-secs of at most {most_secs}",
            self.oracle_delay_secs,
            rules.named()
        )))
    }
}

/// How late whoever acts is, to be read.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct LagReport {
    pub oracle_delay_secs: u64,
    pub keeper_latency_secs: f64,
    pub miss: f64,
    pub worsens: f64,
}

impl From<Lag> for LagReport {
    fn from(lag: Lag) -> Self {
        Self {
            oracle_delay_secs: lag.oracle_delay_secs,
            keeper_latency_secs: lag.passage.latency_secs,
            miss: lag.passage.miss,
            worsens: lag.passage.worsens,
        }
    }
}

/// In words. Whoever reads a chance of liquidation has to know of which world it is. `imperfect`: the oracle is not.
pub fn told(lag: Option<&LagReport>, imperfect: bool) -> String {
    match lag {
        None if imperfect => "every price that is published is seen at once, every action lands at once and none is lost; see \
                 --keeper-latency-secs, --miss and --oracle-delay-secs"
            .into(),
        None => "a perfect world: every price is seen at once, every action lands at once and none is lost; see --keeper-latency-secs, \
                 --miss, --oracle-delay-secs, --oracle-stalls and --confidence-bps"
            .into(),
        Some(lag) => format!(
            "prices {} s old, actions {} s late, {} of them lost{}",
            lag.oracle_delay_secs,
            significant(lag.keeper_latency_secs, 3),
            percent(lag.miss),
            if lag.worsens > 0.0 {
                "; later, and more lost, the more the market moves"
            } else {
                ""
            }
        ),
    }
}
