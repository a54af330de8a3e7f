//! What a look back says, as JSON and for people.

use std::fmt;

use ballast_simulator::backtest::{Minute, MinutesReport, Repairs, TokenAmounts};
use serde::Serialize;

use crate::{format::percent, table::Table};

/// Fees as estimate and interval, and what the position holds at the end; raw units.
#[derive(Debug, Serialize)]
pub struct BacktestReport {
    pub fees: Raw,
    pub fees_low: Raw,
    pub fees_high: Raw,
    pub amounts: Raw,
    #[serde(flatten)]
    pub record: Recorded,
}

/// What of the record there is to say.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Recorded {
    Minutes {
        minutes: u64,
        minutes_in_range: u64,
        /// Minutes of the record's first day before it begins; they are not counted as missing.
        minutes_before: u64,
        /// Minutes of its last day after it ends.
        minutes_after: u64,
        repairs: Repaired,
        /// What the interval takes for granted.
        notes: [&'static str; 1],
    },
    Swaps {
        swaps: u64,
        swaps_in_range: u64,
        /// Swaps that were done again to the unit.
        swaps_exact: u64,
        /// Times at which swaps are missing.
        gaps: u64,
        /// Swaps that moved the price against what was paid in.
        backwards: u64,
    },
    Candles {
        candles: u64,
        candles_in_range: u64,
        missing_candles: u64,
        outside: u64,
    },
}

/// Raw units of both tokens, as decimal strings: they outgrow what JSON readers keep.
#[derive(Debug, Serialize)]
pub struct Raw {
    pub token0: String,
    pub token1: String,
}

impl From<TokenAmounts> for Raw {
    fn from(amounts: TokenAmounts) -> Self {
        // `as` cuts the fraction off.
        let whole = |amount: f64| (amount as u128).to_string();
        Self {
            token0: whole(amounts.token0),
            token1: whole(amounts.token1),
        }
    }
}

/// What of the file contradicted itself, or was not there.
#[derive(Debug, Serialize)]
pub struct Repaired {
    pub missing_minutes: u64,
    pub close_outside: u64,
    pub open_outside: u64,
    pub net_above_gross: u64,
    pub fractions: u64,
}

impl From<Repairs> for Repaired {
    fn from(repairs: Repairs) -> Self {
        Self {
            missing_minutes: repairs.missing_minutes,
            close_outside: repairs.close_outside,
            open_outside: repairs.open_outside,
            net_above_gross: repairs.net_above_gross,
            fractions: repairs.fractions,
        }
    }
}

/// What a record of minutes says about liquidity.
const LIQUIDITY_WITHIN_MINUTES: &str = "the interval holds if the pool's liquidity within each minute lay between that before and that after it; \
     liquidity that comes for single swaps makes all of these fees too high";
const MINUTES_PER_DAY: i64 = 1_440;

impl BacktestReport {
    /// Of minutes.
    pub fn of_minutes(report: MinutesReport, minutes: &[Minute]) -> Self {
        let of_day = |minute: Option<&Minute>| {
            minute.map(|minute| (minute.time_secs / 60).rem_euclid(MINUTES_PER_DAY))
        };
        let whole = |minutes: i64| u64::try_from(minutes).unwrap_or(0);
        Self {
            fees: report.fees.into(),
            fees_low: report.fees_low.into(),
            fees_high: report.fees_high.into(),
            amounts: report.amounts.into(),
            record: Recorded::Minutes {
                minutes: report.minutes,
                minutes_in_range: report.in_range,
                minutes_before: of_day(minutes.first()).map_or(0, whole),
                minutes_after: of_day(minutes.last())
                    .map_or(0, |last| whole(MINUTES_PER_DAY - 1 - last)),
                repairs: report.repairs.into(),
                notes: [LIQUIDITY_WITHIN_MINUTES],
            },
        }
    }
}

impl fmt::Display for BacktestReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(["<", "token 0", "token 1"]);
        for (name, raw) in [
            ("fees, estimate", &self.fees),
            ("fees, at least", &self.fees_low),
            ("fees, at most", &self.fees_high),
            ("tokens at the end", &self.amounts),
        ] {
            table.row([name.to_owned(), raw.token0.clone(), raw.token1.clone()]);
        }
        writeln!(f, "{table}")?;
        writeln!(f, "{}", self.words())
    }
}

impl BacktestReport {
    /// What of the record there is to say.
    pub fn words(&self) -> String {
        let part = |inside: u64, all: u64| percent(inside as f64 / all.max(1) as f64);
        match &self.record {
            Recorded::Minutes {
                minutes,
                minutes_in_range,
                minutes_before,
                minutes_after,
                notes,
                repairs:
                    Repaired {
                        missing_minutes,
                        close_outside,
                        open_outside,
                        net_above_gross,
                        fractions,
                    },
            } => format!(
                "{minutes} minutes, {} of them in range. Repaired: {missing_minutes} missing, {close_outside} closes and \
                 {open_outside} opens outside of their minute, {net_above_gross} net amounts above gross. {fractions} \
                 lines have whole numbers like 198133.0. Of its first day {minutes_before} minutes are before the record, of its last {minutes_after} \
                 after it.\n{}",
                part(*minutes_in_range, *minutes),
                notes.join("\n"),
            ),
            Recorded::Swaps {
                swaps,
                swaps_in_range,
                swaps_exact,
                gaps,
                backwards,
            } => format!(
                "{swaps} swaps, {} of them ended in range, {swaps_exact} were done again to the unit. Swaps are missing at {gaps} \
                 times; {backwards} moved the price against what was paid in",
                part(*swaps_in_range, *swaps),
            ),
            Recorded::Candles {
                candles,
                candles_in_range,
                missing_candles,
                outside,
            } => format!(
                "{candles} candles, {} of all in range: what the price's moves have paid, by arbitrage. Repaired: \
                 {missing_candles} missing, {outside} opens or closes outside of their candle",
                part(*candles_in_range, candles + missing_candles),
            ),
        }
    }
}
