//! The way of a swap from tick to tick.

use alloc::vec::Vec;

use ballast_clmm::{SqrtPrice, Tick};

use super::{Crossing, SwapArray, SwapError, SwapOutcome};
use crate::whirlpool::{PoolView, TICKS_PER_ARRAY, TickState, fees::PerToken};

/// The next tick at which the swap must pause: an initialised one, or the end of an array.
#[derive(Clone, Copy)]
pub(super) struct NextTick {
    array: usize,
    pub(super) tick: i32,
    initialised: bool,
}

/// The moving part of a swap.
pub(super) struct Walk<'a, 'b> {
    pool: &'a PoolView<'b>,
    arrays: &'a [SwapArray<'b>],
    a_to_b: bool,
    array: usize,
    pub(super) sqrt_price: SqrtPrice,
    pub(super) tick_current: i32,
    pub(super) liquidity: u128,
    growth_input: u128,
    fee: u64,
    protocol_fee: u64,
    crossings: Vec<Crossing>,
}

impl<'a, 'b> Walk<'a, 'b> {
    pub(super) fn new(pool: &'a PoolView<'b>, arrays: &'a [SwapArray<'b>], a_to_b: bool) -> Self {
        Self {
            pool,
            arrays,
            a_to_b,
            array: 0,
            sqrt_price: pool.sqrt_price(),
            tick_current: pool.tick_current(),
            liquidity: pool.liquidity(),
            growth_input: if a_to_b {
                pool.fee_growth_global_a_x64()
            } else {
                pool.fee_growth_global_b_x64()
            },
            fee: 0,
            protocol_fee: 0,
            crossings: Vec::new(),
        }
    }

    fn spacing(&self) -> i32 {
        i32::from(self.pool.tick_spacing())
    }

    fn width(&self) -> i32 {
        TICKS_PER_ARRAY * self.spacing()
    }

    /// Searches on from the current tick, downwards including it, upwards excluding it.
    pub(super) fn next_tick(&self) -> Result<NextTick, SwapError> {
        let mut from = self.tick_current;
        let mut number = self.array;
        loop {
            let array = self.arrays.get(number).ok_or(SwapError::PastLastArray)?;
            if let Some(tick) = self.search(array, from)? {
                return Ok(NextTick {
                    array: number,
                    tick,
                    initialised: true,
                });
            }
            let pause = |tick| {
                Ok(NextTick {
                    array: number,
                    tick,
                    initialised: false,
                })
            };
            let first = array.start();
            let last = first.saturating_add(self.width() - 1);
            if self.a_to_b && first <= Tick::MIN.get() {
                return pause(Tick::MIN.get());
            }
            if !self.a_to_b && last >= Tick::MAX.get() {
                return pause(Tick::MAX.get());
            }
            if number + 1 == self.arrays.len() {
                return pause(if self.a_to_b { first } else { last });
            }
            from = if self.a_to_b {
                first.saturating_sub(1)
            } else {
                last
            };
            number += 1;
        }
    }

    /// The next initialised tick in one array.
    fn search(&self, array: &SwapArray, from: i32) -> Result<Option<i32>, SwapError> {
        let offset = from
            .saturating_sub(array.start())
            .div_euclid(self.spacing());
        // Upwards the array is also responsible for the spacing below its first tick, whose next tick that is.
        let offset = if self.a_to_b {
            offset
        } else {
            offset.saturating_add(1)
        };
        if !(0..TICKS_PER_ARRAY).contains(&offset) {
            return Err(SwapError::MissingArray { tick: from });
        }
        let found = if self.a_to_b {
            (0..=offset)
                .rev()
                .find(|offset| array.is_initialised(*offset))
        } else {
            (offset..TICKS_PER_ARRAY).find(|offset| array.is_initialised(*offset))
        };
        Ok(found.map(|offset| array.start().saturating_add(offset * self.spacing())))
    }

    /// The fee goes to the protocol and, per unit of liquidity, to the positions; without liquidity it stays in the vault.
    pub(super) fn book_fee(&mut self, fee: u64) {
        let protocol = u128::from(fee) * u128::from(self.pool.protocol_fee_rate_bps()) / 10_000;
        // A rate up to 1 leaves no more than the fee.
        let protocol = (protocol as u64).min(fee);
        self.fee = self.fee.wrapping_add(fee);
        self.protocol_fee = self.protocol_fee.wrapping_add(protocol);
        if let Some(growth) = (u128::from(fee - protocol) << 64).checked_div(self.liquidity) {
            self.growth_input = self.growth_input.wrapping_add(growth);
        }
    }

    /// The price is at `next`: crosses it if it is initialised, and moves on to the following array at its last tick.
    pub(super) fn reach(&mut self, next: NextTick) -> Result<(), SwapError> {
        let array = &self.arrays[next.array];
        let offset = next
            .tick
            .saturating_sub(array.start())
            .div_euclid(self.spacing());
        if next.initialised
            && let Some(tick) = array.tick_at(offset)
        {
            self.cross(next.tick, tick)?;
        }
        let at_edge = offset == if self.a_to_b { 0 } else { TICKS_PER_ARRAY - 1 };
        self.array = next.array + usize::from(at_edge);
        self.tick_current = if self.a_to_b {
            next.tick - 1
        } else {
            next.tick
        };
        Ok(())
    }

    fn cross(&mut self, index: i32, tick: TickState) -> Result<(), SwapError> {
        let net = if self.a_to_b {
            tick.liquidity_net.checked_neg()
        } else {
            Some(tick.liquidity_net)
        };
        self.liquidity = net
            .and_then(|net| self.liquidity.checked_add_signed(net))
            .ok_or(SwapError::Liquidity { tick: index })?;
        let (global_a, global_b) = if self.a_to_b {
            (self.growth_input, self.pool.fee_growth_global_b_x64())
        } else {
            (self.pool.fee_growth_global_a_x64(), self.growth_input)
        };
        self.crossings.push(Crossing {
            tick: index,
            state: TickState {
                fee_growth_outside_a_x64: global_a.wrapping_sub(tick.fee_growth_outside_a_x64),
                fee_growth_outside_b_x64: global_b.wrapping_sub(tick.fee_growth_outside_b_x64),
                ..tick
            },
        });
        Ok(())
    }

    pub(super) fn finish(self, amount_in: u64, amount_out: u64) -> SwapOutcome {
        let amounts = if self.a_to_b {
            PerToken {
                a: amount_in,
                b: amount_out,
            }
        } else {
            PerToken {
                a: amount_out,
                b: amount_in,
            }
        };
        SwapOutcome {
            amounts,
            fee: self.fee,
            protocol_fee: self.protocol_fee,
            liquidity: self.liquidity,
            tick_current: self.tick_current,
            sqrt_price: self.sqrt_price,
            fee_growth_global_input_x64: self.growth_input,
            crossings: self.crossings,
        }
    }
}
