//! What a pool pays its liquidity: its fee growth, measured, in integers, so that the same snapshots always give the same number.
//!
//! A pool counts in its fee growth what one unit of liquidity has earned as long as it was in range, in either token: whoever
//! trades, whatever others provide, and the protocol's part already taken off. Over a day that growth `(ga, gb)`, at a root price
//! s, is worth `ga s^2 + gb` quote. The unit of a liquidity over the whole range is worth `2 s`. What is kept is the quotient,
//! `(ga s + gb / s) / 2`: a part of the whole range's value a day, as sigma^2 / 8 is what price moves cost of it. A position of
//! liquidity L in range earns `2 L s` times that ([`MeasuredYield::of_liquidity_down`]), and so a band of w ticks its
//! concentration `40000 / w` times as much of its own value ([`MeasuredYield::of_band_bps_down`]).
//!
//! **Against a flash of fees.** Whoever trades with himself raises the growth, and pays everyone in range for it, unless next to
//! nobody is. So the growth is cut into blocks of an hour; a block counts for at most [`MOST_OF_MEDIAN`] times the median of all
//! that are remembered, and nothing is said before there are [`LEAST_BLOCKS`]. A flash of any size in fewer than half of them
//! moves what is measured by a bounded part; the swap that it might be meant to bring about stays within the program's allowances
//! whatever is measured. Nothing that protects a position depends on any of this.
//!
//! **Regimes.** Calm and wild hours are not told apart: a measure for each was compared and not adopted (docs/PARAMETERS.md).
//!
//! **Gaps.** Growth adds up while nobody looks, so that a gap is no loss: it is one block with its own mean, which counts for
//! no longer than [`MOST_BLOCK_SECS`]. What is not known is left out, never counted as nothing.

use std::collections::VecDeque;

use ballast_clmm::wide::{mul_div_down, mul_shr64_down, shl64_div_down};
use ballast_model::{Bps, SqrtPrice};
use serde::{Deserialize, Serialize};

/// Shortest time that is measured as one.
pub const BLOCK_SECS: u32 = 3_600;
/// A longer block counts for no longer.
const MOST_BLOCK_SECS: u32 = 6 * BLOCK_SECS;
/// How many blocks are remembered: three days of hours, a recentering's usual pay-back.
const BLOCKS: usize = 72;
/// Blocks that ended longer ago than this are forgotten.
const OLDEST_SECS: i64 = 7 * 86_400;
/// Nothing is said before so many blocks.
const LEAST_BLOCKS: usize = 6;
/// A block counts for at most so many times the median.
const MOST_OF_MEDIAN: u64 = 4;
/// So much measured time leaves nothing of the configured number.
const ENOUGH_SECS: u32 = 24 * BLOCK_SECS;
const SECS_PER_DAY: u128 = 86_400;
/// Concentration of a band of one tick: `4 / ln(1.0001)`, less a rounding.
const CONCENTRATION_OF_A_TICK: u128 = 40_000;

/// What was measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredYield {
    /// Fees a day as a part of the value that the liquidity has over the whole range, Q0.64.
    pub day_x64: u64,
    /// Time that it was measured over.
    pub secs: u32,
}

/// The fee growth of one pool at one moment, valued at one price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GrowthMark {
    /// Base and quote per unit of liquidity, as the pool counts them: Q64.64, modulo 2^128.
    pub growth_x64: [u128; 2],
    /// The price at which they are valued.
    pub at: SqrtPrice,
    /// When, cluster's clock.
    pub secs: i64,
}

/// See the module's description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeYield {
    /// Growth and time at which the block began that is being measured.
    begun: Option<([u128; 2], i64)>,
    /// The oldest first.
    blocks: VecDeque<Block>,
    measured: Option<MeasuredYield>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Block {
    day_x64: u64,
    secs: u32,
    ended_secs: i64,
}

impl FeeYield {
    /// Takes in what a pool shows. Returns whether a block has ended, so that there is something new to remember.
    pub fn observe(&mut self, now: &GrowthMark) -> bool {
        let Some((before, began_secs)) = self.begun else {
            self.begun = Some((now.growth_x64, now.secs));
            return false;
        };
        let elapsed = now.secs.saturating_sub(began_secs);
        if elapsed < i64::from(BLOCK_SECS) {
            return false;
        }
        self.begun = Some((now.growth_x64, now.secs));
        let grown = [0, 1].map(|side| now.growth_x64[side].wrapping_sub(before[side]));
        // Growth never falls: that was another pool, or what a node has taken back. It says nothing.
        if grown.iter().any(|grown| *grown > u128::MAX / 2) {
            return false;
        }
        let elapsed = elapsed.unsigned_abs();
        let day = mul_div_down(
            part_of_range_x64(grown, now.at),
            SECS_PER_DAY,
            elapsed.into(),
        );
        self.blocks.push_back(Block {
            day_x64: day
                .and_then(|day| u64::try_from(day).ok())
                .unwrap_or(u64::MAX),
            secs: u32::try_from(elapsed).map_or(MOST_BLOCK_SECS, |secs| secs.min(MOST_BLOCK_SECS)),
            ended_secs: now.secs,
        });
        while self.blocks.len() > BLOCKS {
            self.blocks.pop_front();
        }
        let oldest_secs = now.secs.saturating_sub(OLDEST_SECS);
        self.blocks.retain(|block| block.ended_secs >= oldest_secs);
        self.measured = self.mean();
        true
    }

    /// When the next look is worth it: before, it would change nothing. `None`: at once.
    pub fn due_secs(&self) -> Option<i64> {
        let (_, began_secs) = self.begun?;
        Some(began_secs.saturating_add(BLOCK_SECS.into()))
    }

    /// What was measured; `None` before enough was seen.
    pub fn measured(&self) -> Option<MeasuredYield> {
        self.measured
    }

    /// The mean over the blocks' time, each cut to a multiple of their median.
    fn mean(&self) -> Option<MeasuredYield> {
        if self.blocks.len() < LEAST_BLOCKS {
            return None;
        }
        let mut rates: Vec<u64> = self.blocks.iter().map(|block| block.day_x64).collect();
        let middle = (rates.len() - 1) / 2;
        let (_, median, _) = rates.select_nth_unstable(middle);
        let most = median.saturating_mul(MOST_OF_MEDIAN);
        let secs: u32 = self.blocks.iter().map(|block| block.secs).sum();
        // 64 + 21 bits at most.
        let sum: u128 = self
            .blocks
            .iter()
            .map(|block| u128::from(block.day_x64.min(most)) * u128::from(block.secs))
            .sum();
        Some(MeasuredYield {
            day_x64: u64::try_from(sum / u128::from(secs)).ok()?,
            secs,
        })
    }
}

/// `(ga s + gb / s) / 2`; growth beyond 128 bits is taken for the most there is.
fn part_of_range_x64([base, quote]: [u128; 2], at: SqrtPrice) -> u128 {
    let root = at.x64();
    let base = mul_shr64_down(base, root).unwrap_or(u128::MAX);
    let quote = shl64_div_down(quote, root).unwrap_or(u128::MAX);
    base.saturating_add(quote) / 2
}

impl MeasuredYield {
    /// Fees a day of a liquidity that stays in range, quote units: `2 L s` times the yield.
    pub fn of_liquidity_down(self, liquidity: u128, at: SqrtPrice) -> u128 {
        let half = mul_shr64_down(liquidity, at.x64()).unwrap_or(u128::MAX);
        mul_shr64_down(half.saturating_mul(2), self.day_x64.into()).unwrap_or(u128::MAX)
    }

    /// Fees a day of a band so wide around the price, in basis points of its value: `40000 / w` times the yield, and not less than
    /// what the whole range earns.
    pub fn of_band_bps_down(self, width_ticks: u32) -> u32 {
        let bps = u128::from(Bps::ONE.get());
        let concentration = CONCENTRATION_OF_A_TICK.max(width_ticks.into());
        let day = u128::from(self.day_x64) * bps * concentration;
        u32::try_from((day / u128::from(width_ticks.max(1))) >> 64).unwrap_or(u32::MAX)
    }
}

/// What is expected, from what is configured and what was measured: the mean of both over a day, in which the configured number
/// stands for the time that was not measured.
pub fn weighed_down(configured: u128, measured: Option<(u128, MeasuredYield)>) -> u128 {
    let Some((measured, MeasuredYield { secs, .. })) = measured else {
        return configured;
    };
    let secs = secs.min(ENOUGH_SECS);
    let part = |value, secs: u32| {
        mul_div_down(value, secs.into(), ENOUGH_SECS.into()).unwrap_or(u128::MAX)
    };
    part(configured, ENOUGH_SECS - secs).saturating_add(part(measured, secs))
}

#[cfg(test)]
mod tests;
