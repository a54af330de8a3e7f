//! One position: its numbers, its row in a book, everything about it.

use serde::Serialize;

use crate::{
    decision::{DecisionView, Next, ThresholdView},
    overrides::Override,
    status::Known,
    what_if::WhatIf,
};

/// A stored position with its numbers at the oracle's price: `ballast positions --json` and the API alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PositionView {
    /// Its address.
    pub position: String,
    /// Its number, unique among its creator's.
    pub id: u64,
    /// Its market.
    pub market: String,
    /// Whose equity it is.
    pub owner: String,
    /// Of which slot all this is.
    pub slot: u64,
    /// The oracle's price.
    pub price: f64,
    /// The pool's price.
    pub pool_price: f64,
    /// Lower end of the band.
    pub lower: f64,
    /// Upper end of the band.
    pub upper: f64,
    /// The same as a tick.
    pub tick_lower: i32,
    /// The same as a tick.
    pub tick_upper: i32,
    /// Whether the pool's price is in the band.
    pub in_range: bool,
    /// Liquidity in the pool's own unit.
    pub liquidity: String,
    /// Base in the pool, at the oracle's price.
    pub pool_base: String,
    /// Quote in the pool, at the oracle's price.
    pub pool_quote: String,
    /// Base beside it.
    pub idle_base: String,
    /// Quote beside it.
    pub idle_quote: String,
    /// Base owed.
    pub debt_base: String,
    /// Quote owed.
    pub debt_quote: String,
    /// Value of everything owned, quote, rounded down.
    pub assets: String,
    /// Value of everything owed, quote, rounded up.
    pub debt: String,
    /// Assets less debt.
    pub equity: String,
    /// dE/dP, base.
    pub delta: String,
    /// Base to sell (negative: to buy) until the hedge is the policy's.
    pub hedge_error: String,
    /// Assets over equity, rounded up; `null`: no equity.
    pub leverage_bps: Option<u64>,
    /// Debt over assets, rounded up.
    pub ltv_bps: u32,
    /// LTV from which anyone may liquidate.
    pub maintenance_ltv_bps: u32,
    /// Price at and below which that is so.
    pub liquidation_lower: Option<f64>,
    /// Price at and above which that is so.
    pub liquidation_upper: Option<f64>,
    /// The oracle's price at opening.
    pub entry_price: Option<f64>,
    /// Equity at opening.
    pub entry_equity: String,
    /// For how long it has been open.
    pub open_secs: i64,
    /// How often it was rehedged.
    pub rehedges: u32,
    /// How often it was deleveraged.
    pub deleverages: u32,
    /// How often it was liquidated.
    pub liquidations: u32,
    /// Whether the owner lets keepers act on the policy.
    pub keepers_allowed: bool,
}

/// Which of two boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SideOfPrice {
    /// The one below the price.
    Lower,
    /// The one above.
    Upper,
}

/// The nearer of the two maintenance boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Nearest {
    /// Which.
    pub side: SideOfPrice,
    /// 1e4 (P* / P - 1), signed.
    pub distance_bps: i64,
    /// The same in days of usual movement.
    pub sigma_days: f64,
}

/// What only a keeper knows of a position.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Extras {
    /// What people call it.
    pub label: Option<String>,
    /// Largest hedge error that is left alone, base.
    pub hedge_tolerance: String,
    /// `null`: no price is a boundary.
    pub nearest: Option<Nearest>,
    /// What happens first in either direction.
    pub next: Next,
    /// What the keeper makes of it.
    pub decision: DecisionView,
    /// What the keeper may do for it: its own mode, or less. `expect_mode` of an override is compared with this.
    pub mode: String,
    /// The override that keeps the keeper from it.
    pub paused: Option<Override>,
    /// Change of equity in a day; `null`: nobody watched for so long.
    pub pnl_day: Option<String>,
}

/// A position in a book.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// See [`PositionView`].
    pub position: String,
    /// See [`PositionView`].
    pub id: u64,
    /// See [`PositionView`].
    pub owner: String,
    /// See [`PositionView`].
    pub market: String,
    /// See [`PositionView`].
    pub price: f64,
    /// See [`PositionView`].
    pub lower: f64,
    /// See [`PositionView`].
    pub upper: f64,
    /// See [`PositionView`].
    pub in_range: bool,
    /// See [`PositionView`].
    pub equity: String,
    /// See [`PositionView`].
    pub assets: String,
    /// See [`PositionView`].
    pub debt: String,
    /// See [`PositionView`].
    pub delta: String,
    /// See [`PositionView`].
    pub hedge_error: String,
    /// See [`PositionView`].
    pub ltv_bps: u32,
    /// See [`PositionView`].
    pub leverage_bps: Option<u64>,
    /// See [`PositionView`].
    pub liquidation_lower: Option<f64>,
    /// See [`PositionView`].
    pub liquidation_upper: Option<f64>,
    /// See [`PositionView`].
    pub keepers_allowed: bool,
    /// What only a keeper knows.
    #[serde(flatten)]
    pub extras: Extras,
}

/// A window of the book.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Positions {
    /// Of the answer.
    pub version: u64,
    /// By what it is sorted.
    pub sort: String,
    /// How many there are.
    pub total: usize,
    /// How many come before these.
    pub offset: usize,
    /// These.
    pub rows: Vec<Row>,
}

/// What keepers may do by the owner's policy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyView {
    /// Part of the pool's base that is borrowed.
    pub hedge_bps: u32,
    /// Rehedge beyond this part of the full base amount.
    pub delta_band_bps: u32,
    /// Largest hedge error after a rehedge.
    pub delta_target_bps: u32,
    /// LTV from which keepers may deleverage.
    pub deleverage_trigger_ltv_bps: u32,
    /// LTV to which they then go.
    pub deleverage_target_ltv_bps: u32,
    /// Largest loss of a swap.
    pub max_swap_loss_bps: u32,
    /// Least time between two rehedges.
    pub min_rebalance_interval_secs: u32,
    /// Whether keepers may act on it.
    pub keepers_allowed: bool,
}

/// The owner's policy and automation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OwnersWishes {
    /// The policy.
    #[serde(flatten)]
    pub policy: PolicyView,
    /// Whether keepers may recenter.
    pub recenter: bool,
    /// Equity at which the owner wants out.
    pub equity_floor: Option<String>,
    /// Prices between which the owner wants to be in.
    pub window: [Option<f64>; 2],
}

/// What the position was when it was opened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntryView {
    /// The oracle's price.
    pub price: Option<f64>,
    /// Equity.
    pub equity: String,
    /// When.
    pub secs: i64,
    /// Leverage then; `null`: no equity, or not known, see `as_opened_state`.
    pub leverage_bps: Option<u64>,
    /// Maintenance boundary as opened; `null`: none, or not known, see `as_opened_state`.
    pub liquidation_lower: Option<f64>,
    /// Likewise.
    pub liquidation_upper: Option<f64>,
    /// Whether the position as it was opened is known.
    pub as_opened_state: Known,
}

/// Where profit and loss come from. The five add up to the total, exactly.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PnlParts {
    /// Whether the split is known; if not, there are no parts.
    pub state: Known,
    /// Earned in the pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fees: Option<String>,
    /// Paid to lenders.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interest: Option<String>,
    /// Delta times the price's move.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<String>,
    /// What the move cost beyond that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curvature: Option<String>,
    /// Swaps, rewards, transactions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub costs: Option<String>,
}

/// What closing now would take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unwind {
    /// Base to buy (negative: to sell).
    pub swap_base: String,
    /// What that loses against the oracle's price, quote; `null`: the liquidity at the price does not suffice.
    pub cost: Option<String>,
    /// How far it moves the pool's price.
    pub impact_bps: Option<f64>,
}

/// The position at a price.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// The price.
    pub price: f64,
    /// Equity, quote.
    pub equity: f64,
    /// Equity of the position as it was opened; `null`: not known.
    pub as_opened: Option<f64>,
    /// Delta, base.
    pub delta: f64,
    /// LTV; `null`: nothing is owned.
    pub ltv_bps: Option<u32>,
    /// Leverage; `null`: no equity.
    pub leverage_bps: Option<u64>,
}

/// Everything about a position.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PositionDetail {
    /// Of the answer.
    pub version: u64,
    /// Its numbers.
    #[serde(flatten)]
    pub view: PositionView,
    /// What only a keeper knows.
    #[serde(flatten)]
    pub extras: Extras,
    /// What is due and what comes next, in words: those of `ballast explain`.
    pub sentence: String,
    /// Fees that wait in the pool, valued in quote; `null`: not looked at.
    pub fees_waiting: Option<String>,
    /// Change of delta per unit of price.
    pub gamma: String,
    /// Change of delta when the price rises by one percent.
    pub gamma_1pct: String,
    /// What curvature costs a day at the market's volatility (negative).
    pub curvature_day: String,
    /// Prices at which something becomes due.
    pub thresholds: Vec<ThresholdView>,
    /// As opened.
    pub entry: EntryView,
    /// Where profit and loss come from.
    pub pnl: PnlParts,
    /// Profit and loss since opening.
    pub pnl_total: String,
    /// Since when the split is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pnl_observed_from_secs: Option<i64>,
    /// LTV from which keepers deleverage it: the policy's trigger or the market's, whichever is lower; the market's alone where keepers
    /// may not act on the policy.
    pub deleverage_ltv_bps: u32,
    /// The owner's wishes.
    pub policy: OwnersWishes,
    /// What closing would take.
    pub unwind: Unwind,
    /// What moves would do.
    pub what_if: Vec<WhatIf>,
    /// Along the price.
    pub curve: Vec<CurvePoint>,
}

/// A position through time, in columns.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct History {
    /// Of the answer.
    pub version: u64,
    /// Whether anybody keeps it.
    pub state: Known,
    /// Time between two rows.
    pub step_secs: u32,
    /// What stands in a row.
    pub fields: Vec<String>,
    /// Rows, oldest first.
    pub rows: Vec<Vec<Option<f64>>>,
    /// Hedge error that is left alone now, base.
    pub tolerance: f64,
}
