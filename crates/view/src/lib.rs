//! What people see of positions, books and markets: the types of the keeper's HTTP API and of `--json`, and the functions that
//! fill them from values of one moment. Every number is computed by `ballast-model` and `ballast-strategy`, by the keeper's own
//! functions; here they are only put together and named.
//!
//! Amounts are decimal strings in whole tokens with all of the mint's decimals, exact; ratios integers in basis points; prices
//! numbers, quote per base; times Unix seconds. What there is none of is `null`; what is not known has a `state`.
//!
//! The page's TypeScript types are generated from these types: `keeper/dashboard/src/api.ts`.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod action;
mod book;
mod decision;
mod detail;
mod error;
mod events;
pub mod explain;
mod figures;
mod flag;
mod lenders;
mod lending;
mod market;
pub mod moves;
mod names;
mod overrides;
mod policy;
mod position;
mod price;
mod shown;
mod status;
mod sums;
#[cfg(test)]
mod typescript;
mod unwind;
mod what_if;

pub use action::{Action, ActionFigures, ActionOutcome, Actions};
pub use ballast_strategy::{Tokens, text};
pub use book::{BookMove, BookView, Contingency, ContingencyState, HedgePnl, NearestInBook};
pub use decision::{DecisionView, Next, NextTrigger, ThresholdView, Verdict};
pub use detail::{Opened, Past, Seen, curvature_day};
pub use error::{ErrorBody, ErrorView};
pub use events::{Hello, Reset, Tick};
pub use figures::{ASSUMED_SIGMA_DAY, Figures, ends, nearest, scale};
pub use flag::{Flag, FlagState, Flags, RedFlags};
pub use lenders::{LenderGap, LendersView, NearDebt, lenders};
pub use lending::ReserveView;
pub use market::{
    DepthMove, FundingView, HedgeHistory, Limits, LiquidityView, MarketView, OracleView, ShareBps,
    StageEvidence,
};
pub use names::TokenNames;
pub use overrides::{
    AppliedOverride, InFlight, Override, OverrideMode, OverrideRequest, Overrides, Preview,
    PreviewNearest, PreviewRequest, Risk, Scope,
};
pub use position::{
    CurvePoint, EntryView, Extras, History, Nearest, OwnersWishes, PnlParts, PolicyView,
    PositionDetail, PositionView, Positions, Row, SideOfPrice, Unwind,
};
pub use price::{Scale, price};
pub use shown::{ShownMarket, mode_name};
pub use status::{
    Counts, EndpointView, JournalView, KeeperView, Known, MarketName, StatusView, StreamView,
    WalletView,
};
pub use sums::{Beside, Line, Lines, book};
pub use unwind::unwind;
pub use what_if::{Kept, MoveState, WhatIf, WhatIfState};
