//! Recorded trading: what a position would have earned on it, and the same as a path of prices.

mod candles;
mod minutes;
mod ohlc;
mod path;
mod quoted;
mod record;
mod replay;
mod swap_record;
mod swaps;
mod table;

pub use candles::{Candles, read_candles};
pub use minutes::{MinutesReport, Range, TokenAmounts, pool_minutes};
pub use ohlc::{CandleTerms, CandlesReport, candle_fees};
pub use quoted::Quoted;
pub use record::{Minute, Repairs, follow, read_minutes};
pub use replay::Recording;
pub use swap_record::{read_swaps, read_ticks};
pub use swaps::{Swap, SwapTerms, SwapsReport, swaps};
pub use table::{Problem, RecordError};
