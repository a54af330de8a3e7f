//! What a position would have earned on recorded trading.

mod candles;
mod minutes;
mod path;
mod record;
mod table;

pub use candles::{Candles, read_candles};
pub use minutes::{MinutesReport, Range, TokenAmounts, pool_minutes};
pub use record::{Minute, Repairs, read_minutes};
pub use table::{Problem, RecordError};
