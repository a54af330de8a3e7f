//! All positions together.

use serde::Serialize;

use crate::{
    position::{PnlParts, SideOfPrice},
    status::Known,
};

/// The position nearest to its maintenance boundary.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NearestInBook {
    /// Its address.
    pub position: String,
    /// Its number.
    pub id: u64,
    /// Which boundary.
    pub side: SideOfPrice,
    /// See [`crate::Nearest`].
    pub distance_bps: i64,
    /// See [`crate::Nearest`].
    pub sigma_days: f64,
}

/// Whether the buffer suffices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContingencyState {
    /// It does.
    Enough,
    /// It does not.
    Short,
    /// Nobody has said.
    Unknown,
}

/// What would bring every position back to its target after a gap, and what there is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contingency {
    /// The gap, to either side.
    pub gap_bps: u32,
    /// Quote needed.
    pub needed_quote: Option<String>,
    /// Base needed.
    pub needed_base: Option<String>,
    /// Quote held for it.
    pub have_quote: Option<String>,
    /// Base held for it.
    pub have_base: Option<String>,
    /// Whether it suffices.
    pub state: ContingencyState,
}

/// What a move of the price at once would do to all of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BookMove {
    /// The move.
    pub move_bps: i32,
    /// Where it ends, in the first market.
    pub price: f64,
    /// Equity of all.
    pub equity_gap: String,
    /// Positions at or above their deleverage trigger.
    pub positions_above_trigger_gap: usize,
    /// Positions at or above maintenance.
    pub positions_liquidated_gap: usize,
}

/// What the hedge at a venue has earned, in the quote token taken for a dollar. The three parts are all there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HedgePnl {
    /// By the price, with what trading cost against the middle.
    pub price: String,
    /// By the venue's fees.
    pub fees: String,
    /// By funding.
    pub funding: String,
    /// Their sum.
    pub total: String,
    /// Since when.
    pub observed_from_secs: i64,
}

/// The book, sums in the first market's tokens.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BookView {
    /// Of the answer.
    pub version: u64,
    /// Which market's positions these are.
    pub market: String,
    /// Sum of equities.
    pub equity: String,
    /// Sum of assets.
    pub assets: String,
    /// Sum of debts.
    pub debt: String,
    /// Change of equity in a day; `null`: nobody watched for so long.
    pub pnl_day: Option<String>,
    /// Sum of deltas.
    pub delta: String,
    /// Base held at a venue against it.
    pub hedge_delta: String,
    /// Both.
    pub net_delta: String,
    /// Change of delta when the price rises by one percent.
    pub gamma_1pct: String,
    /// What curvature costs a day (negative).
    pub curvature_day: String,
    /// What positions in their bands earn a day.
    pub fees_day: String,
    /// `measured`, or `expected` by the configuration.
    pub fees_day_state: &'static str,
    /// Where profit and loss come from.
    pub pnl_parts: PnlParts,
    /// `null`: no position has a boundary.
    pub nearest: Option<NearestInBook>,
    /// Buffer against a gap.
    pub contingency: Contingency,
    /// Moves at once.
    pub what_if: Vec<BookMove>,
    /// Positions whose numbers cannot be computed, which no sum holds.
    pub unvalued: usize,
    /// Whether a venue's hedge is known.
    pub hedge_state: Known,
    /// What the hedge at the venue has earned; `null`: there is none, or it is not known. It is beside [`Self::pnl_parts`], which are
    /// the positions' own.
    pub hedge_pnl: Option<HedgePnl>,
}
