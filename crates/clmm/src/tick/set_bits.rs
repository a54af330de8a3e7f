//! Prices of ticks off chain: after what the tables hold for a tick's lowest bits, a product for each of the others that is set, in
//! the same order and so with the same truncations. Whether a bit is set is anybody's guess, which costs a branch on each of them
//! more than a product.

use super::{
    ABOVE_ONE_X96, BELOW_ONE_X64, LOOKED_UP, LOOKED_UP_BITS, LOW_ABOVE_ONE_X96, LOW_BELOW_ONE_X64,
    power_below_one_x64,
};
use crate::wide::digits::{mul_64, split};

/// [`super::power_above_one_x96`].
#[inline]
pub(super) const fn above_one_x96(n: u32) -> u128 {
    let mut ratio = LOW_ABOVE_ONE_X96[n as usize % LOOKED_UP];
    let mut bits = n >> LOOKED_UP_BITS;
    while bits != 0 {
        let k = LOOKED_UP_BITS + bits.trailing_zeros() as usize;
        if k >= ABOVE_ONE_X96.len() {
            break;
        }
        ratio = mul_shr96(ratio, ABOVE_ONE_X96[k]);
        bits &= bits.wrapping_sub(1);
    }
    ratio
}

/// [`power_below_one_x64`].
#[inline]
pub(super) const fn below_one_x64(n: u32) -> u128 {
    let mut ratio = LOW_BELOW_ONE_X64[n as usize % LOOKED_UP];
    if ratio == 0 {
        return power_below_one_x64(n);
    }
    let mut bits = n >> LOOKED_UP_BITS;
    while bits != 0 {
        let k = LOOKED_UP_BITS + bits.trailing_zeros() as usize;
        if k >= BELOW_ONE_X64.len() {
            break;
        }
        ratio = (mul_64(ratio, BELOW_ONE_X64[k]) >> 64) as u64;
        bits &= bits.wrapping_sub(1);
    }
    ratio as u128
}

/// As the module above has it, for a machine that multiplies and adds two digits at once.
#[inline(always)]
const fn mul_shr96(a: u128, b: u128) -> u128 {
    let ((a1, a0), (b1, b0)) = (split(a), split(b));
    // A product of two digits and a digit fit two digits; so does the result.
    let middle = mul_64(a1, b0).wrapping_add(mul_64(a0, b0) >> 64);
    let lower = mul_64(a0, b1).wrapping_add(middle as u64 as u128);
    let upper = mul_64(a1, b1).wrapping_add((middle >> 64) + (lower >> 64));
    (upper << 32) | (lower as u64 >> 32) as u128
}

#[cfg(test)]
mod tests {
    use super::{super::power_above_one_x96, *};
    use crate::Tick;

    #[test]
    fn every_tick_has_the_price_of_the_product_over_its_bits() {
        for n in 0..=Tick::MAX.get().unsigned_abs() {
            assert_eq!(above_one_x96(n), power_above_one_x96(n), "{n}");
            if n > 0 {
                assert_eq!(below_one_x64(n), power_below_one_x64(n), "{n}");
            }
        }
    }
}
