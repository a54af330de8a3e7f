//! What of a record is fitted: moves of the price one after the other, and what was traded.

use thiserror::Error;

use crate::backtest::{Candles, Minute, Quoted};

/// Fewer moves say nothing.
const LEAST_MOVES: usize = 100;
const MINUTE_SECS: f64 = 60.0;

/// Why nothing can be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotCalibrated {
    /// Too few moves of the price.
    #[error(
        "{moves} moves of the price are too few: {LEAST_MOVES} at least; give a longer record or sample it more often"
    )]
    TooFew {
        /// How many there are.
        moves: usize,
    },
    /// The price stands still.
    #[error("the price does not move in this record")]
    NoMoves,
    /// Records that do not go together.
    #[error("records of {one} and of {other} seconds do not go together: give files of one kind")]
    Steps {
        /// Seconds of one.
        one: u64,
        /// Seconds of the other.
        other: u64,
    },
}

/// Moves of the logarithm of a price, evenly apart, and what was traded meanwhile. What is missing stays so.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moves {
    secs: f64,
    by: Vec<Option<f64>>,
    /// What was traded, in whole quote tokens or in any unit that stays the same; empty if it was not recorded.
    volume: Vec<Option<f64>>,
    /// Active liquidity, in the pool's unit; empty if it was not recorded.
    liquidity: Vec<Option<f64>>,
    /// Price in whole tokens at the end.
    last_price: f64,
}

impl Moves {
    /// Of moves that are known.
    pub fn new(by: Vec<Option<f64>>, secs: f64) -> Self {
        Self {
            secs,
            by,
            ..Self::default()
        }
    }

    /// The same moves, with what was traded during each.
    pub fn with_volume(self, volume: Vec<Option<f64>>) -> Self {
        Self { volume, ..self }
    }

    /// From recorded candles: from close to close; the first candle's from its open.
    pub fn of_candles(candles: &Candles) -> Self {
        let known = |index: usize| !candles.filled.get(index).copied().unwrap_or(false);
        // What follows a gap begins at its own open, as does the first one.
        let by =
            (0..candles.bars.len()).map(|index| known(index).then(|| candles.bars[index].close));
        let total: f64 = candles.bars.iter().map(|bar| bar.close).sum();
        Self {
            secs: candles.secs as f64,
            by: by.collect(),
            volume: candles.volumes.clone().unwrap_or_default(),
            liquidity: Vec::new(),
            last_price: candles.first_open * total.exp(),
        }
    }

    /// From recorded minutes of a pool.
    pub fn of_minutes(minutes: &[Minute], quoted: Quoted) -> Self {
        let mut moves = Self {
            secs: MINUTE_SECS,
            ..Self::default()
        };
        let mut before: Option<i32> = None;
        for minute in minutes {
            for _ in 0..minute.missing_before {
                moves.by.push(None);
                moves.volume.push(None);
                moves.liquidity.push(None);
                before = None;
            }
            let by = before.map(|before| quoted.log(minute.close - before));
            moves.by.push(by);
            before = Some(minute.close);
            let at = quoted.price(minute.close);
            moves
                .volume
                .push(Some(quoted.volume(minute.paid_in, minute.close)));
            moves
                .liquidity
                .push((!minute.stale).then_some(minute.liquidity as f64));
            moves.last_price = at;
        }
        moves
    }

    /// These, and then others; what lies in between is not known.
    ///
    /// # Errors
    /// [`NotCalibrated::Steps`].
    pub fn then(mut self, next: Self) -> Result<Self, NotCalibrated> {
        if self.by.is_empty() {
            return Ok(next);
        }
        if self.secs != next.secs {
            return Err(NotCalibrated::Steps {
                one: self.secs as u64,
                other: next.secs as u64,
            });
        }
        for (mine, other, count) in [
            (&mut self.volume, next.volume, next.by.len()),
            (&mut self.liquidity, next.liquidity, next.by.len()),
        ] {
            mine.resize(self.by.len(), None);
            mine.extend(other);
            mine.resize(self.by.len() + count, None);
        }
        self.by.extend(next.by);
        self.last_price = next.last_price;
        Ok(self)
    }

    /// The same, so many moves taken together each time. A sum of which a part is missing is missing.
    pub fn every(&self, count: usize) -> Self {
        let count = count.max(1);
        let sums = |all: &[Option<f64>]| {
            let sum = |part: &[Option<f64>]| part.iter().copied().sum::<Option<f64>>();
            all.chunks_exact(count).map(sum).collect::<Vec<_>>()
        };
        let mean = |sum: Option<f64>| sum.map(|sum| sum / count as f64);
        Self {
            secs: self.secs * count as f64,
            by: sums(&self.by),
            volume: sums(&self.volume),
            liquidity: sums(&self.liquidity).into_iter().map(mean).collect(),
            last_price: self.last_price,
        }
    }

    /// Seconds from one to the next.
    pub fn secs(&self) -> f64 {
        self.secs
    }

    /// Days from one to the next.
    pub(super) fn step_days(&self) -> f64 {
        self.secs / 86_400.0
    }

    /// All of them, in their order.
    pub(super) fn all(&self) -> &[Option<f64>] {
        &self.by
    }

    /// How many there are, and how many are missing.
    pub fn count(&self) -> (usize, usize) {
        (
            self.by.len(),
            self.by.iter().filter(|by| by.is_none()).count(),
        )
    }

    /// What was traded during each.
    pub(super) fn volume(&self) -> &[Option<f64>] {
        &self.volume
    }

    /// The active liquidity of each.
    pub(super) fn liquidity(&self) -> &[Option<f64>] {
        &self.liquidity
    }

    /// Price in whole tokens at the end.
    pub fn last_price(&self) -> f64 {
        self.last_price
    }

    /// Those that are known.
    pub(super) fn known(&self) -> Result<Vec<f64>, NotCalibrated> {
        let known: Vec<f64> = self.by.iter().flatten().copied().collect();
        if known.len() < LEAST_MOVES {
            return Err(NotCalibrated::TooFew { moves: known.len() });
        }
        Ok(known)
    }
}
