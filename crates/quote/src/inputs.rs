//! What a quote depends on.

use ballast_model::{Bps, SqrtPrice, quiet::HedgeBand, screen::Double};
use ballast_simulator::{Opening, Units};

use crate::Depth;

/// Everything that a quote depends on.
#[derive(Clone, Debug)]
pub struct Inputs {
    /// What is asked for.
    pub asked: Asked,
    /// The same in raw units; `None`: no account could hold it. Without it nothing is known that takes the program's arithmetic.
    pub opening: Option<Opening>,
    /// When something is done with the position, and by which rules.
    pub rules: Rules,
    /// What it lives under.
    pub conditions: Conditions,
    /// Prices for the curve, besides those that matter anyway.
    pub at: Vec<f64>,
    /// Evenly spaced points of the curve, besides those.
    pub points: u16,
}

/// A position that somebody asks about, in whole tokens. Requires prices and own funds above 0, `lower < upper`,
/// `leverage >= 1`, `0 <= hedge <= 1`, `0 < maintenance <= 1`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Asked {
    /// Decimals of the tokens.
    pub units: Units,
    /// Price now, quote per base.
    pub price: Double,
    /// Lower end of the range.
    pub lower: Double,
    /// Upper end of the range.
    pub upper: Double,
    /// Own funds, quote.
    pub equity: Double,
    /// Assets over own funds.
    pub leverage: Double,
    /// Part of the pool's base that is borrowed.
    pub hedge: Double,
    /// LTV at which the position is liquidated.
    pub maintenance: Double,
}

/// When something is done with the position: the owner's policy and the market's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// LTV at which anyone may liquidate.
    pub maintenance: Bps,
    /// LTV that a liquidation restores.
    pub liquidation_target: Bps,
    /// What a liquidator gets beyond what is repaid.
    pub liquidation_bonus: Bps,
    /// LTV from which it is deleveraged.
    pub deleverage: Bps,
    /// LTV to which it then goes.
    pub deleverage_target: Bps,
    /// Hedge, and how far it may drift before it is made exact again.
    pub hedge: HedgeBand,
    /// LTV that a rehedge leaves: the one that is there, within these two.
    pub rehedge_ltv: (Bps, Bps),
    /// Shortest time between two rehedges.
    pub min_interval_secs: u32,
    /// Part of the range's width, in square-root price, next to either end in which it is recentered; `None`: it is not.
    pub edge: Option<Bps>,
    /// Price at or below which the owner leaves.
    pub low: Option<SqrtPrice>,
    /// Price at or above which the owner leaves.
    pub high: Option<SqrtPrice>,
    /// Equity in raw quote units at or below which the owner leaves.
    pub floor: Option<u64>,
}

/// What the position lives under. What is `None` is not known, and nothing is said that needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions {
    /// Standard deviation of a day's move of the price.
    pub sigma_day: Option<f64>,
    /// The pool's fee, of the input.
    pub fee: Option<f64>,
    /// The protocol's part of the fee.
    pub protocol_share: f64,
    /// Seconds between two blocks.
    pub block_secs: f64,
    /// Yearly rate of the base debt, compounded all the time.
    pub base_apr: f64,
    /// Yearly rate of the quote debt, likewise.
    pub quote_apr: f64,
    /// What lies in the pool; without the position.
    pub depth: Option<Depth>,
    /// Funding that a perpetual's shorts receive an hour, of the notional; negative: they pay it.
    pub funding_hour: Option<f64>,
    /// What an action costs beside its trade, quote: the transaction, and what its keeper is paid.
    pub action_cost: f64,
    /// How long the position is kept.
    pub horizon_days: f64,
    /// Instant moves of the price to look at, as parts of it.
    pub gaps: Vec<f64>,
}
