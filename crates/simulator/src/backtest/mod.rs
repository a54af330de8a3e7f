//! What a position would have earned on recorded trading.

mod candles;
mod minutes;
mod ohlc;
mod path;
mod record;
mod swap_record;
mod swaps;
mod table;

pub use candles::{Candles, read_candles};
pub use minutes::{MinutesReport, Range, TokenAmounts, pool_minutes};
pub use ohlc::{CandleTerms, CandlesReport, candle_fees};
pub use record::{Minute, Repairs, read_minutes};
pub use swap_record::{read_swaps, read_ticks};
pub use swaps::{Swap, SwapTerms, SwapsReport, swaps};
pub use table::{Problem, RecordError};
