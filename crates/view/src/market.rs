//! A market: price, rules, stage, reserves, pool.

use serde::Serialize;

use crate::{lending::ReserveView, status::Known};

/// The oracle.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OracleView {
    /// Age of the older of the two prices.
    pub age_secs: i64,
    /// Oldest that adds risk.
    pub max_age_tight_secs: u32,
    /// Oldest that reduces it.
    pub max_age_loose_secs: u32,
    /// Confidence interval over price, of both feeds; `null`: there is no price.
    pub confidence_bps: Option<f64>,
    /// Distance from the moving average, of the worse feed; `null`: there is no price.
    pub ema_divergence_bps: Option<f64>,
}

/// A kind of evidence for a risk stage.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageEvidence {
    /// Its name.
    pub name: String,
    /// What is seen, with its unit.
    pub value: String,
    /// From where on it counts; `null`: it is switched off.
    pub raises_at: Option<String>,
}

/// The market's limits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Limits {
    /// Highest leverage.
    pub max_leverage_bps: u32,
    /// Highest LTV to begin with.
    pub initial_ltv_bps: u32,
    /// LTV from which anyone may deleverage.
    pub deleverage_ltv_bps: u32,
    /// LTV to which deleverages and liquidations go.
    pub target_ltv_bps: u32,
    /// LTV from which anyone may liquidate.
    pub maintenance_ltv_bps: u32,
    /// What a liquidator gains.
    pub liquidation_bonus_bps: u32,
    /// Move that a new position has to survive.
    pub stress_distance_bps: u32,
}

/// A market.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MarketView {
    /// Of the answer.
    pub version: u64,
    /// Its address.
    pub market: String,
    /// Its name, `BASE/QUOTE`.
    pub name: String,
    /// Name of the base token.
    pub base: String,
    /// Name of the quote token.
    pub quote: String,
    /// Its pool.
    pub pool: String,
    /// Of which slot this is.
    pub slot: u64,
    /// The oracle's price; `null`: there is none.
    pub price: Option<f64>,
    /// The pool's price.
    pub pool_price: f64,
    /// Pool over oracle, less one; `null`: there is no oracle price.
    pub deviation_bps: Option<f64>,
    /// Largest that keepers act on.
    pub max_deviation_bps: u32,
    /// The oracle.
    pub oracle: OracleView,
    /// What the market allows: `normal`, `no_new_risk`, `reduce_only`.
    pub mode: String,
    /// Risk stage, on chain.
    pub stage: u8,
    /// What it rests on.
    pub stage_evidence: Vec<StageEvidence>,
    /// Rules.
    pub limits: Limits,
    /// A usual day's move, as a part of the price.
    pub sigma_day: f64,
    /// `measured`, or `assumed` until enough was seen.
    pub sigma_state: &'static str,
    /// Base and quote.
    pub reserves: Vec<ReserveView>,
}

/// What moving the price takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DepthMove {
    /// The move.
    pub move_bps: i32,
    /// Worth of what lies on the way, quote.
    pub value: f64,
}

/// Parts of the pool's liquidity at the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ShareBps {
    /// All positions'.
    pub book: u32,
    /// One position's.
    pub position: u32,
}

/// Liquidity by price.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiquidityView {
    /// Of the answer.
    pub version: u64,
    /// Whether the pool's own liquidity away from the price is known; if not, bins hold only the book's and the active one.
    pub state: Known,
    /// The oracle's price.
    pub price: Option<f64>,
    /// What stands in a bin.
    pub fields: Vec<String>,
    /// In what values are.
    pub unit: String,
    /// Bins, lowest first: from, to, pool, book, position.
    pub bins: Vec<[f64; 5]>,
    /// What moves take.
    pub depth: Vec<DepthMove>,
    /// Parts at the price.
    pub share_bps: ShareBps,
}

/// The hedge at a venue through time, in columns. What it has earned counts from when its journal began.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HedgeHistory {
    /// Of the answer.
    pub version: u64,
    /// Whether anybody keeps it.
    pub state: Known,
    /// The venue.
    pub venue: Option<String>,
    /// The instrument.
    pub instrument: Option<String>,
    /// When the hedge's journal began, cluster's clock.
    pub observed_from_secs: Option<i64>,
    /// Time between two rows.
    pub step_secs: u32,
    /// What stands in a row. Amounts of money are dollars; `realised`, `unrealised`, `funding` and `fees` add up to `pnl`.
    pub fields: Vec<String>,
    /// Rows, oldest first.
    pub rows: Vec<Vec<Option<f64>>>,
}

/// Funding at the hedge's venue.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FundingView {
    /// Of the answer.
    pub version: u64,
    /// Whether anybody looks at it.
    pub state: Known,
    /// The venue.
    pub venue: Option<String>,
    /// The instrument.
    pub instrument: Option<String>,
    /// Of rates.
    pub unit: String,
    /// Between two rates.
    pub interval_secs: u32,
    /// Time, rate.
    pub past: Vec<[f64; 2]>,
    /// Time, mean, low, high.
    pub forecast: Vec<[f64; 4]>,
    /// How the forecast is made.
    pub forecast_note: String,
    /// Base held there.
    pub position_base: String,
}
