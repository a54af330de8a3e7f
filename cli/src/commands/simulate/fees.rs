//! What trading in the pool pays, by options.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result, ensure};
use ballast_simulator::{
    Arbitrage, Blocks, FeeTerms, OtherPool, RoutingShift, Summary, Takers, Terms, TickDepth,
};
use clap::Args;

use super::{
    model_file::{ModelFile, OtherPoolTable},
    pool::PoolArgs,
};
use crate::decimal::{Decimal, Positive, Ratio};
use crate::trouble::misuse;

/// What a Whirlpool's protocol takes of each fee.
const PROTOCOL_SHARE: f64 = 0.13;

/// Options of fees.
#[derive(Args, Debug)]
pub struct FeeArgs {
    /// Count no fees
    #[arg(long)]
    pub no_fees: bool,
    /// The pool's fee, in millionths of the input
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(..1_000_000))]
    pub fee_ppm: u32,
    /// The protocol's part of the fee [default: 13%; 0 where a pool's record says what was paid, as in `ballast backtest`: say what the
    /// recorded pool's protocol took]
    #[arg(long)]
    pub protocol_share: Option<Ratio>,
    /// Seconds between blocks, in which arbitrageurs trade. If they are as long as steps, arbitrageurs trade one by one at every
    /// look, else their fees are found by formula
    #[arg(long, default_value = "0.4")]
    pub block_secs: Positive,
    /// Blocks come at random, with --block-secs as their mean time
    #[arg(long)]
    pub poisson_blocks: bool,
    /// What takers trade a day, in the quote token; without it, and without --model-file or a pool's record, only arbitrageurs pay fees.
    /// Where a record has volumes, on an average day: more when they are higher
    #[arg(long)]
    pub taker_volume_day: Option<Decimal>,
    /// Liquidity of others around the price, in the pool's unit: they share what takers pay, and the position's own trades move the price
    /// along it. Without it, and without --model-file, own trades have no price impact
    #[arg(long)]
    pub pool_liquidity: Option<u128>,
    #[command(flatten)]
    pub pool: PoolArgs,
    /// Fee of a second pool, in millionths, over which takers split their trades: each so that its last unit costs the same in both
    #[arg(long, value_parser = clap::value_parser!(u32).range(..1_000_000))]
    pub other_pool_fee_ppm: Option<u32>,
    /// Liquidity of the second pool around the price, in the pool's unit
    #[arg(long)]
    pub other_pool_liquidity: Option<u128>,
    /// Mean size of a taker's trade, in the quote token; their number is what makes up the volume
    #[arg(long)]
    pub taker_size: Option<Positive>,
    /// A part of takers' volume goes elsewhere after some days, like 50%:3
    #[arg(long, value_name = "PART:DAYS", value_parser = parse_shift)]
    pub routing_shift: Option<RoutingShift>,
}

fn parse_shift(text: &str) -> Result<RoutingShift, String> {
    let parts = text.split_once(':').and_then(|(part, days)| {
        let (part, after): (Ratio, Decimal) = (part.parse().ok()?, days.parse().ok()?);
        Some(RoutingShift {
            after_days: after.f64(),
            part: part.f64(),
        })
    });
    parts.ok_or_else(|| "write a part and days, like 50%:3".into())
}

impl FeeArgs {
    /// Whether options speak of a second pool.
    pub fn asks_for_other_pool(&self) -> bool {
        self.other_pool_fee_ppm.is_some() || self.other_pool_liquidity.is_some()
    }

    /// The liquidity of others by tick.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn tick_depth(&self, file: &ModelFile) -> Result<Option<Arc<TickDepth>>> {
        self.pool.tick_depth(file, self.pool_liquidity.is_some())
    }

    /// The files that are read, but for the model's own.
    pub fn files(&self, file: &ModelFile) -> Vec<PathBuf> {
        self.pool.files(file, self.pool_liquidity.is_some())
    }

    /// Whether nothing says what the position's own trades meet.
    pub fn is_deep(&self, file: &ModelFile) -> bool {
        self.depth(file).is_none() && self.files(file).is_empty()
    }

    /// The depth that the position's own trades meet if it is one number; `None`: none is stated.
    pub fn depth(&self, file: &ModelFile) -> Option<u128> {
        // `as` saturates.
        let of_file = || file.flow.map(|flow| flow.liquidity.value as u128);
        self.pool_liquidity
            .or_else(of_file)
            .filter(|depth| *depth > 0)
    }

    /// As the simulator takes them, with looks every `step_secs`; what no option says is as the model's file says. `record_pays`: what
    /// was paid to a pool is in its record.
    ///
    /// # Errors
    /// Options that are missing.
    pub fn terms(
        &self,
        step_secs: u64,
        file: &ModelFile,
        record_pays: bool,
    ) -> Result<Option<FeeTerms>> {
        if self.no_fees {
            return Ok(None);
        }
        ensure!(
            !record_pays || self.pool.adaptive(file).is_none(),
            misuse!(
                "the record says what was paid to this pool, at the fee that it had then: leave --adaptive-fee out, or say with \
             --taker-volume-day what takers trade"
            )
        );
        let flow = file.flow;
        let secs = self.block_secs.f64();
        let arbitrage = if self.poisson_blocks {
            Arbitrage::Formula(Blocks::Poisson(secs))
        } else if secs == step_secs as f64 {
            Arbitrage::EveryLook
        } else {
            Arbitrage::Formula(Blocks::Fixed(secs))
        };
        let shift = file.routing_shift.map(|shift| RoutingShift {
            after_days: shift.after_days.value,
            part: shift.part.value,
        });
        let volume_day = (self.taker_volume_day.as_ref().map(Decimal::f64))
            .or(flow.map(|flow| flow.taker_volume_day.value));
        let others = (self.pool_liquidity.map(|liquidity| liquidity as f64))
            .or(flow.map(|flow| flow.liquidity.value));
        ensure!(
            volume_day.is_none_or(|volume| volume == 0.0)
                || others.is_some()
                || !self.files(file).is_empty(),
            misuse!(
                "--pool-liquidity is missing, or --depth: takers' fees are shared with the liquidity of others"
            )
        );
        Ok(Some(FeeTerms {
            fee: f64::from(self.fee_ppm) / 1e6,
            protocol_share: match &self.protocol_share {
                Some(share) => share.f64(),
                None if record_pays => 0.0,
                None => PROTOCOL_SHARE,
            },
            arbitrage,
            takers: Takers {
                volume_day: volume_day.unwrap_or(0.0),
                others_liquidity: others.unwrap_or(0.0),
                other_pool: self.other_pool(file.other_pool)?,
                shift: self.routing_shift.or(shift),
            },
        }))
    }

    /// The second pool: all of it by options, by the file, or by both.
    fn other_pool(&self, file: Option<OtherPoolTable>) -> Result<Option<OtherPool>> {
        let fee = (self.other_pool_fee_ppm.map(f64::from)).or(file.map(|pool| pool.fee_ppm.value));
        let liquidity = (self.other_pool_liquidity.map(|liquidity| liquidity as f64))
            .or(file.map(|pool| pool.liquidity.value));
        let size = (self.taker_size.as_ref().map(|size| size.f64()))
            .or(file.map(|pool| pool.taker_size.value));
        if [fee, liquidity, size].iter().all(Option::is_none) {
            return Ok(None);
        }
        let missing = |option: &str| {
            format!(
                "{option} is missing: a second pool has a fee, liquidity and trades of some size"
            )
        };
        Ok(Some(OtherPool {
            fee: fee.with_context(|| missing("--other-pool-fee-ppm"))? / 1e6,
            liquidity: liquidity.with_context(|| missing("--other-pool-liquidity"))?,
            trade_size: size.with_context(|| missing("--taker-size"))?,
        }))
    }
}

/// What goes to the protocol of every fee that liquidity brings in, beside what it earns.
pub fn protocol_fees(terms: &Terms, summary: &Summary) -> f64 {
    let share = terms.fees.map_or(0.0, |fees| fees.protocol_share);
    let lines = summary.attribution().iter();
    let earned: f64 = lines
        .filter(|(name, _)| name.starts_with("fees_"))
        .map(|(_, moments)| moments.mean())
        .sum();
    earned * share / (1.0 - share)
}
