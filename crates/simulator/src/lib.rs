//! What keeping a position earns and costs, and how it can end: prices drawn or replayed, and a position on each path.
//!
//! The way through the crate: a [`PriceModel`] draws paths from [`Streams`]; [`Terms`] say what was opened and what fees and
//! debts pay; [`simulate`] walks each path with an [`Agent`] at a [`Desk`], asks it only when the price has left its quiet
//! interval, and hands every [`Outcome`] on in the order of the paths; [`Summary`] adds them up. [`hitting`] has the chances
//! that are known in closed form. Around the position there may be more: [`FeeTerms`] of a pool, [`PerpTerms`] of a perp venue,
//! [`ReserveTerms`] of reserves that move, [`FeedTerms`] and [`Lag`] of prices and transactions that come late or not at all, a
//! [`TickDepth`] of others and a fee with [`ticks::AdaptiveTerms`] that follow the price.
//!
//! Beyond one position: [`ticks`] is a pool in whole units, [`world`] has many positions in it, with reserves, oracle, venue, keepers
//! and liquidators, and plays scenarios; [`backtest`] looks back on recorded trading.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod acts;
mod agent;
mod attribution;
pub mod backtest;
pub mod calibrate;
mod control;
mod convexity;
mod desk;
mod error;
mod feed;
mod fees;
mod fences;
#[cfg(feature = "keeper")]
pub mod growth;
pub mod hitting;
#[cfg(feature = "keeper")]
mod keeper;
mod lag;
mod lowest;
mod marks;
mod moving_fee;
pub mod optimise;
mod own_pool;
#[cfg(feature = "keeper")]
mod owner;
mod paired;
#[cfg(feature = "parquet")]
mod parquet_rows;
mod path;
mod perp;
mod pool;
mod reserves;
mod reversion;
mod run;
mod scenario;
mod statistics;
mod stream;
mod summary;
mod takers;
mod tick_depth;
pub mod ticks;
mod units;
mod walk;
#[cfg(feature = "keeper")]
pub mod world;

pub use acts::{Act, Acts, Event, Remark};
pub use agent::{Agent, Baseline, Quiet};
pub use attribution::Attribution;
pub use control::{Controlled, ControlledMean, Law};
pub use desk::Desk;
pub use error::{SimulationError, WalkError};
pub use feed::{Confidence, FeedTerms, Stalls};
pub use fees::{Arbitrage, Blocks, FeeTerms};
#[cfg(feature = "keeper")]
pub use keeper::{BandRule, Keeper, KeeperTerms};
pub use lag::{Lag, Passage};
pub use marks::Mark;
#[cfg(feature = "keeper")]
pub use owner::{OwnerTable, PolicyTable, ReactionName};
pub use paired::{CONFIDENCE_95, Paired};
#[cfg(feature = "parquet")]
pub use parquet_rows::ParquetRows;
pub use path::{
    Bar, BarFlow, BarModel, BarPath, Bars, Gbm, GbmPath, JumpPath, Jumps, Paid, Path, PriceModel,
    Regime, RegimePath, Regimes, Step, Weather,
};
pub use perp::{
    BasisWalk, Deleveraging, PartAt, Perp, PerpAccount, PerpFlows, PerpShock, PerpTerms,
};
pub use pool::{ArbitrageTrade, ReflectedPool};
pub use reserves::ReserveTerms;
pub use reversion::Reversion;
pub use run::{Liquidators, MOST_PATHS, Replayed, Run, compare, replay, simulate, trace, traced};
pub use scenario::{Interest, Looks, Opening, Terms};
pub use statistics::{Moments, Proportion, Sample, Sorted};
pub use stream::{Source, Streams};
pub use summary::Summary;
pub use takers::{OtherPool, RoutingShift, Takers};
pub use tick_depth::TickDepth;
pub use units::Units;
pub use walk::{FirstExit, Outcome, PerpEnd, Watch};
