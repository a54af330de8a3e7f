//! Tick arrays, fixed and dynamic, and which of them an operation needs.

use ballast_clmm::Tick;
use solana_address::Address;

use super::layout::{dynamic_tick_array, fixed_tick_array, tick as at};
use crate::{
    LayoutError,
    bytes::{self, address_at, i32_at, i128_at, u128_at},
};

const WHAT: &str = "Whirlpool tick array";

/// Number of (usable) ticks in an array.
pub const TICKS_PER_ARRAY: i32 = 88;

/// What a pool records about an initialised tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TickState {
    /// Liquidity that becomes active when the price crosses the tick upwards.
    pub liquidity_net: i128,
    /// Liquidity of all positions that begin or end here.
    pub liquidity_gross: u128,
    /// Fee growth of token A on the other side of the tick, Q64.64, wrapping.
    pub fee_growth_outside_a_x64: u128,
    /// Fee growth of token B on the other side of the tick, Q64.64, wrapping.
    pub fee_growth_outside_b_x64: u128,
    /// Reward growths on the other side of the tick, Q64.64, wrapping.
    pub reward_growths_outside_x64: [u128; 3],
}

impl TickState {
    /// Reads a tick; the byte that tells whether it is initialised is not part of `bytes`.
    pub fn read(bytes: &[u8; at::LENGTH]) -> Self {
        Self {
            liquidity_net: i128_at(bytes, at::LIQUIDITY_NET),
            liquidity_gross: u128_at(bytes, at::LIQUIDITY_GROSS),
            fee_growth_outside_a_x64: u128_at(bytes, at::FEE_GROWTH_OUTSIDE_A),
            fee_growth_outside_b_x64: u128_at(bytes, at::FEE_GROWTH_OUTSIDE_B),
            reward_growths_outside_x64: [0, 1, 2]
                .map(|index| u128_at(bytes, at::REWARD_GROWTHS_OUTSIDE + 16 * index)),
        }
    }

    /// The bytes that [`Self::read`] reads.
    pub fn to_bytes(&self) -> [u8; at::LENGTH] {
        let mut bytes = [0; at::LENGTH];
        let [reward_0, reward_1, reward_2] = self.reward_growths_outside_x64;
        let fields = [
            self.liquidity_net.to_le_bytes(),
            self.liquidity_gross.to_le_bytes(),
            self.fee_growth_outside_a_x64.to_le_bytes(),
            self.fee_growth_outside_b_x64.to_le_bytes(),
            reward_0.to_le_bytes(),
            reward_1.to_le_bytes(),
            reward_2.to_le_bytes(),
        ];
        for (slot, field) in bytes.chunks_exact_mut(16).zip(fields) {
            slot.copy_from_slice(&field);
        }
        bytes
    }
}

/// The two kinds of arrays. Live pools mix them.
#[derive(Clone, Copy, Debug)]
enum Kind<'a> {
    Fixed(&'a [u8; fixed_tick_array::LENGTH]),
    Dynamic { data: &'a [u8], bitmap: u128 },
}

/// Where a tick is in its array's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickSlot {
    /// Number of the tick in the array, 0..88.
    pub number: usize,
    /// Offset of the byte that tells whether the tick is initialised; its state follows.
    pub flag_at: usize,
    /// Whether it is initialised.
    pub initialised: bool,
    /// Whether the array is of the dynamic kind, where the state is only there when the tick is initialised.
    pub dynamic: bool,
}

/// A checked view of a tick array's bytes.
#[derive(Clone, Copy, Debug)]
pub struct TickArrayView<'a> {
    start: i32,
    kind: Kind<'a>,
}

impl<'a> TickArrayView<'a> {
    /// Checks discriminator and length. The caller checks who owns the account and, with [`Self::pool`], whose it is.
    ///
    /// # Errors
    /// [`LayoutError`] naming what does not fit.
    pub fn parse(data: &'a [u8]) -> Result<Self, LayoutError> {
        if data.starts_with(&dynamic_tick_array::DISCRIMINATOR) {
            return Self::parse_dynamic(data);
        }
        let bytes = bytes::account(WHAT, data, &fixed_tick_array::DISCRIMINATOR)?;
        Ok(Self {
            start: i32_at(bytes, fixed_tick_array::START),
            kind: Kind::Fixed(bytes),
        })
    }

    fn parse_dynamic(data: &'a [u8]) -> Result<Self, LayoutError> {
        let length = |expected| LayoutError::Length {
            what: WHAT,
            expected,
            found: data.len(),
        };
        if data.len() < dynamic_tick_array::MIN_LENGTH {
            return Err(length(dynamic_tick_array::MIN_LENGTH));
        }
        let bitmap = u128_at(data, dynamic_tick_array::BITMAP);
        if bitmap >> TICKS_PER_ARRAY != 0 {
            return Err(LayoutError::Value {
                what: WHAT,
                field: "tick_bitmap",
            });
        }
        let needed = dynamic_tick_array::MIN_LENGTH + at::LENGTH * bitmap.count_ones() as usize;
        if data.len() < needed {
            return Err(length(needed));
        }
        Ok(Self {
            start: i32_at(data, dynamic_tick_array::START),
            kind: Kind::Dynamic { data, bitmap },
        })
    }

    /// First tick of the array.
    pub fn start(&self) -> i32 {
        self.start
    }

    /// The pool the array belongs to.
    pub fn pool(&self) -> Address {
        match self.kind {
            Kind::Fixed(bytes) => address_at(bytes, fixed_tick_array::POOL),
            Kind::Dynamic { data, .. } => address_at(data, dynamic_tick_array::POOL),
        }
    }

    /// The tick at `index`, `None` when it is not initialised.
    ///
    /// # Errors
    /// The tick is not in this array or not a multiple of the spacing away from its start.
    pub fn tick(&self, index: i32, tick_spacing: u16) -> Result<Option<TickState>, LayoutError> {
        Ok(self.tick_at(self.number(index, tick_spacing)?))
    }

    /// Where the tick at `index` is.
    ///
    /// # Errors
    /// The tick is not in this array or not a multiple of the spacing away from its start.
    pub fn slot(&self, index: i32, tick_spacing: u16) -> Result<TickSlot, LayoutError> {
        let number = self.number(index, tick_spacing)?;
        Ok(TickSlot {
            number,
            flag_at: self.flag_at(number),
            initialised: self.is_initialised(number),
            dynamic: matches!(self.kind, Kind::Dynamic { .. }),
        })
    }

    /// Number of the tick at `index` in this array.
    fn number(&self, index: i32, tick_spacing: u16) -> Result<usize, LayoutError> {
        number(self.start, index, tick_spacing).ok_or(LayoutError::TickNotInArray {
            tick: index,
            start: self.start,
        })
    }

    fn flag_at(&self, number: usize) -> usize {
        match self.kind {
            Kind::Fixed(_) => fixed_tick_array::TICKS + number * (1 + at::LENGTH),
            // One byte for every tick before it, 112 more for the initialised ones.
            Kind::Dynamic { bitmap, .. } => {
                let before = bitmap & ((1 << number) - 1);
                dynamic_tick_array::TICKS + number + at::LENGTH * before.count_ones() as usize
            }
        }
    }

    /// Initialised ticks in ascending order with their index.
    pub fn ticks(&self, tick_spacing: u16) -> impl Iterator<Item = (i32, TickState)> + use<'a> {
        let view = *self;
        (0..TICKS_PER_ARRAY as usize).filter_map(move |offset| {
            let index = view
                .start
                .saturating_add(offset as i32 * i32::from(tick_spacing));
            view.tick_at(offset).map(|tick| (index, tick))
        })
    }

    /// Whether tick `number` (0..88) is initialised.
    pub(in crate::whirlpool) fn is_initialised(&self, number: usize) -> bool {
        match self.kind {
            Kind::Fixed(bytes) => bytes
                .get(self.flag_at(number))
                .is_some_and(|flag| *flag != 0),
            Kind::Dynamic { bitmap, .. } => bitmap >> number & 1 != 0,
        }
    }

    /// Tick `number` (0..88), `None` when it is not initialised.
    pub(in crate::whirlpool) fn tick_at(&self, number: usize) -> Option<TickState> {
        if !self.is_initialised(number) {
            return None;
        }
        let bytes: &[u8] = match self.kind {
            Kind::Fixed(bytes) => bytes,
            Kind::Dynamic { data, .. } => data,
        };
        let state = bytes.get(self.flag_at(number) + 1..)?;
        state.first_chunk().map(TickState::read)
    }
}

/// Number of `tick` in the array that starts at `start`, `None` when it is not one of its ticks.
fn number(start: i32, tick: i32, tick_spacing: u16) -> Option<usize> {
    let distance = tick.checked_sub(start)?;
    let spacing = i32::from(tick_spacing);
    let number = distance.checked_div(spacing)?;
    (distance >= 0 && distance % spacing == 0 && number < TICKS_PER_ARRAY)
        .then_some(number as usize)
}

/// First tick of the array that holds `tick`. Takes a raw index, because a pool's current tick may be one below the lowest
/// tick. A `tick_spacing` of 0, which no pool has, counts as 1.
pub fn array_start(tick: i32, tick_spacing: u16) -> i32 {
    let width = array_width(tick_spacing);
    tick.div_euclid(width).saturating_mul(width)
}

/// Whether an array may start at `tick`: a multiple of the width that holds at least one valid tick.
pub fn is_array_start(tick: i32, tick_spacing: u16) -> bool {
    array_start(tick, tick_spacing) == tick
        && (first_array(tick_spacing)..=Tick::MAX.get()).contains(&tick)
}

fn array_width(tick_spacing: u16) -> i32 {
    TICKS_PER_ARRAY * i32::from(tick_spacing.max(1))
}

fn first_array(tick_spacing: u16) -> i32 {
    array_start(Tick::MIN.get(), tick_spacing)
}

/// Starts of the arrays that hold the ends of a band; equal when one array holds both.
pub fn band_tick_arrays(lower: Tick, upper: Tick, tick_spacing: u16) -> [i32; 2] {
    [lower, upper].map(|tick| array_start(tick.get(), tick_spacing))
}

/// Starts of the three arrays a swap from `tick_current` may walk through, in its direction. At the end of the price range
/// the last array repeats, which `swap_v2` allows.
pub fn swap_tick_arrays(tick_current: i32, tick_spacing: u16, a_to_b: bool) -> [i32; 3] {
    let width = array_width(tick_spacing);
    let (first, last) = (
        first_array(tick_spacing),
        array_start(Tick::MAX.get(), tick_spacing),
    );
    // Upwards the next tick to look at lies after the current one, maybe in the following array.
    let from = if a_to_b {
        tick_current
    } else {
        tick_current.saturating_add(i32::from(tick_spacing))
    };
    let start = array_start(from, tick_spacing).clamp(first, last);
    [0, 1, 2].map(|number| {
        let distance = width * number;
        if a_to_b {
            start.saturating_sub(distance).max(first)
        } else {
            start.saturating_add(distance).min(last)
        }
    })
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    fn tick(seed: u8) -> TickState {
        let mut bytes = [0; at::LENGTH];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = seed.wrapping_add(index as u8);
        }
        TickState::read(&bytes)
    }

    fn fixed(start: i32, ticks: &[(usize, TickState)]) -> Vec<u8> {
        let mut data = vec![0; fixed_tick_array::LENGTH];
        data[..8].copy_from_slice(&fixed_tick_array::DISCRIMINATOR);
        data[8..12].copy_from_slice(&start.to_le_bytes());
        data[fixed_tick_array::POOL..].fill(3);
        for (offset, tick) in ticks {
            let at = fixed_tick_array::TICKS + offset * 113;
            data[at] = 1;
            data[at + 1..][..112].copy_from_slice(&tick.to_bytes());
        }
        data
    }

    fn dynamic(start: i32, ticks: &[(usize, TickState)]) -> Vec<u8> {
        let mut data = dynamic_tick_array::DISCRIMINATOR.to_vec();
        data.extend(start.to_le_bytes());
        data.extend([3; 32]);
        let bitmap = ticks
            .iter()
            .fold(0u128, |bitmap, (offset, _)| bitmap | 1 << offset);
        data.extend(bitmap.to_le_bytes());
        for offset in 0..88 {
            match ticks.iter().find(|(at, _)| *at == offset) {
                Some((_, tick)) => {
                    data.push(1);
                    data.extend(tick.to_bytes());
                }
                None => data.push(0),
            }
        }
        data
    }

    #[test]
    fn both_kinds_hold_the_same_ticks() {
        let ticks = [(0, tick(1)), (5, tick(2)), (87, tick(3))];
        let (fixed, dynamic) = (fixed(-352, &ticks), dynamic(-352, &ticks));
        for data in [&fixed, &dynamic] {
            let view = TickArrayView::parse(data).unwrap();
            assert_eq!(view.start(), -352);
            assert_eq!(view.pool(), Address::new_from_array([3; 32]));
            assert_eq!(view.tick(-352, 4), Ok(Some(tick(1))));
            assert_eq!(view.tick(-348, 4), Ok(None));
            assert_eq!(view.tick(-4, 4), Ok(Some(tick(3))));
            for outside in [-353, -351, 0, i32::MIN, i32::MAX] {
                assert!(view.tick(outside, 4).is_err(), "{outside}");
            }
            let found: Vec<_> = view.ticks(4).collect();
            assert_eq!(found, [(-352, tick(1)), (-332, tick(2)), (-4, tick(3))]);
        }
    }

    #[test]
    fn a_dynamic_array_cannot_promise_more_than_it_has() {
        let mut data = dynamic(0, &[(1, tick(1)), (2, tick(2))]);
        assert!(TickArrayView::parse(&data[..data.len() - 1]).is_err());
        assert!(TickArrayView::parse(&data[..20]).is_err());
        // A bitmap with a bit beyond the last tick.
        data[dynamic_tick_array::BITMAP + 11] = 1;
        assert!(matches!(
            TickArrayView::parse(&data),
            Err(LayoutError::Value {
                field: "tick_bitmap",
                ..
            })
        ));
    }

    #[test]
    fn starts_are_multiples_of_the_width_below_the_tick() {
        assert_eq!(array_start(0, 4), 0);
        assert_eq!(array_start(-1, 4), -352);
        assert_eq!(array_start(351, 4), 0);
        assert_eq!(
            array_start(-443_637, 64),
            -444_000 / 5632 * 5632 - 5632 * i32::from(444_000 % 5632 != 0)
        );
        assert!(is_array_start(-352, 4));
        assert!(!is_array_start(-351, 4));
        assert!(is_array_start(array_start(-443_636, 64), 64));
        assert!(!is_array_start(array_start(-443_636, 64) - 5632, 64));
        assert!(!is_array_start(array_start(443_636, 64) + 5632, 64));
    }

    #[test]
    fn a_swap_walks_in_its_direction_and_stops_at_the_ends() {
        assert_eq!(swap_tick_arrays(10, 4, true), [0, -352, -704]);
        assert_eq!(swap_tick_arrays(10, 4, false), [0, 352, 704]);
        // Within the last spacing of an array the next tick upwards is in the following one.
        assert_eq!(swap_tick_arrays(348, 4, false), [352, 704, 1056]);
        assert_eq!(swap_tick_arrays(-1, 4, false), [0, 352, 704]);
        let first = array_start(-443_636, 64);
        assert_eq!(swap_tick_arrays(-443_637, 64, true), [first; 3]);
        let last = array_start(443_636, 64);
        assert_eq!(swap_tick_arrays(443_636, 64, false), [last; 3]);
    }
}
