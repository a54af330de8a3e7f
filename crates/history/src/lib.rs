//! What has become of positions: five sums of each that add up to its gain, a point every quarter of an hour, what was done,
//! what people ordered, and points of the hedge beside them ([`HedgePoint`]).
//!
//! 1. [`step`](mod@step) takes the gain between two sights of a position apart, in exact integers.
//! 2. [`Track`] keeps the sums of one position and begins before it was first seen.
//! 3. [`Ledger`] keeps those of many, and says what is to be written; [`Reading`] reads a past from the chain's events.
//! 4. [`Aftermath`] tells what a position was before and after each action, and which changes nobody has told of.
//! 5. [`store`] keeps all of it across restarts: in a SQLite file, or in Postgres.
//!
//! All but the last are pure; only [`store`] touches a disk or a network.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod account;
mod aftermath;
mod hedge;
pub mod ledger;
pub mod past;
mod point;
mod record;
pub mod step;
pub mod store;
mod sums;
mod text;
mod track;

pub use account::{Account, AttributionError, Counters, Moment, Seen};
pub use aftermath::{Aftermath, Cost, Unexplained};
pub use hedge::HedgePoint;
pub use ledger::{Frame, Ledger, Sight};
pub use past::{AsOpened, PastEvent, Reading};
pub use point::{Point, STEP_SECS};
pub use record::{ActionRow, Figures, Origin, OverrideRow};
pub use step::{Happened, Step, step};
pub use sums::Sums;
pub use track::{Opening, Past, Reach, Track};
