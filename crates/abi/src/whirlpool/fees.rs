//! Fee growth inside a band and the fees a position has earned, exactly as the Whirlpool program books them.
//!
//! All growths are Q64.64 raw units per unit of liquidity and wrap around: only differences mean something.

use super::{PoolView, TickState};

/// A value for each of the pool's tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerToken<T> {
    /// For token A (base).
    pub a: T,
    /// For token B (quote).
    pub b: T,
}

/// An end of a band: its index and, when it is initialised, its state.
#[derive(Clone, Copy, Debug)]
pub struct TickAt {
    /// Tick index.
    pub index: i32,
    /// State from the tick array, `None` when no position begins or ends there.
    pub state: Option<TickState>,
}

/// Fee growth inside a band: what happened globally, less what happened below and above.
///
/// By convention everything before a tick was initialised happened below it.
pub fn fee_growth_inside_x64(pool: &PoolView, lower: TickAt, upper: TickAt) -> PerToken<u128> {
    let inside = |global: u128, outside: fn(&TickState) -> u128| {
        // An outside growth is the one below the tick when the price is at or above it, else the one above it.
        let below = match lower.state {
            None => global,
            Some(tick) if pool.tick_current() < lower.index => global.wrapping_sub(outside(&tick)),
            Some(tick) => outside(&tick),
        };
        let above = match upper.state {
            None => 0,
            Some(tick) if pool.tick_current() < upper.index => outside(&tick),
            Some(tick) => global.wrapping_sub(outside(&tick)),
        };
        global.wrapping_sub(below).wrapping_sub(above)
    };
    PerToken {
        a: inside(pool.fee_growth_global_a_x64(), |tick| {
            tick.fee_growth_outside_a_x64
        }),
        b: inside(pool.fee_growth_global_b_x64(), |tick| {
            tick.fee_growth_outside_b_x64
        }),
    }
}

/// Fees that `liquidity` earned while the growth inside its band rose from `from_x64` to `to_x64`, rounded down.
///
/// As on chain, a product beyond 128 bits counts as nothing: a position that is left alone for that long loses its fees.
pub fn fees_earned_down(liquidity: u128, from_x64: u128, to_x64: u128) -> u64 {
    // At most 64 bits remain of a 128-bit product.
    liquidity
        .checked_mul(to_x64.wrapping_sub(from_x64))
        .map_or(0, |product| (product >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;
    use crate::whirlpool::layout::pool as at;

    fn pool(tick_current: i32, global_a: u128) -> Vec<u8> {
        let mut data = alloc::vec![0; at::LENGTH];
        data[..8].copy_from_slice(&at::DISCRIMINATOR);
        data[at::TICK_SPACING] = 4;
        data[at::SQRT_PRICE..][..16].copy_from_slice(&(1u128 << 64).to_le_bytes());
        data[at::TICK_CURRENT..][..4].copy_from_slice(&tick_current.to_le_bytes());
        data[at::FEE_GROWTH_GLOBAL_A..][..16].copy_from_slice(&global_a.to_le_bytes());
        data
    }

    fn tick(index: i32, outside: u128) -> TickAt {
        TickAt {
            index,
            state: Some(TickState {
                fee_growth_outside_a_x64: outside,
                ..TickState::default()
            }),
        }
    }

    /// Growth 100 in all; outside the lower tick 10, outside the upper tick 30.
    #[test]
    fn growth_inside_follows_the_price() {
        for (tick_current, below, above) in [(0, 10, 30), (-4, 10, 30), (-8, 90, 30), (4, 10, 70)] {
            let data = pool(tick_current, 100);
            let view = PoolView::parse(&data).unwrap();
            let growth = fee_growth_inside_x64(&view, tick(-4, 10), tick(4, 30));
            assert_eq!(
                growth.a,
                100u128.wrapping_sub(below).wrapping_sub(above),
                "{tick_current}"
            );
            assert_eq!(growth.b, 0);
        }
    }

    #[test]
    fn an_uninitialised_band_has_no_growth_inside() {
        let data = pool(0, 100);
        let view = PoolView::parse(&data).unwrap();
        let none = |index| TickAt { index, state: None };
        assert_eq!(fee_growth_inside_x64(&view, none(-4), none(4)).a, 0);
    }

    #[test]
    fn earnings_round_down_and_vanish_when_they_overflow() {
        assert_eq!(fees_earned_down(3, u128::MAX, (1 << 64) - 1), 3);
        assert_eq!(fees_earned_down(3, 0, (1 << 64) - 1), 2);
        assert_eq!(fees_earned_down(1 << 65, 0, 1 << 63), 0);
        assert_eq!(fees_earned_down((1 << 64) + 1, 0, u128::MAX), 0);
    }
}
