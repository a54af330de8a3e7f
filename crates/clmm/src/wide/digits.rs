//! The primitives everything wide is made of: products, shifts and quotients of 64-bit digits.
//!
//! The on-chain machine has only 64-bit instructions, each at the price of one unit, division included; it has neither a
//! 128-bit product nor a count of leading zeros. So these are written in 64-bit digits with explicit carries. Off chain the machine's
//! own are used where they differ.

use crate::ON_CHAIN;

/// `a * b`, which always fits.
#[inline(always)]
pub(crate) const fn mul_64(a: u64, b: u64) -> u128 {
    (a as u128).wrapping_mul(b as u128)
}

/// `a * b` as `(high, low)` halves.
#[inline]
pub(crate) const fn mul_128(a: u128, b: u128) -> (u128, u128) {
    if ON_CHAIN {
        mul_128_by_digits(a, b)
    } else {
        mul_128_by_pairs(a, b)
    }
}

/// For a machine that multiplies and adds two digits at once: no case is worth a branch.
#[inline(always)]
const fn mul_128_by_pairs(a: u128, b: u128) -> (u128, u128) {
    let ((a1, a0), (b1, b0)) = (split(a), split(b));
    // A product of two digits and a digit or two fit two digits.
    let low = mul_64(a0, b0);
    let middle = mul_64(a1, b0).wrapping_add(low >> 64);
    let lower = mul_64(a0, b1).wrapping_add(middle as u64 as u128);
    let upper = mul_64(a1, b1).wrapping_add((middle >> 64) + (lower >> 64));
    (upper, (lower << 64) | low as u64 as u128)
}

#[inline(always)]
const fn mul_128_by_digits(a: u128, b: u128) -> (u128, u128) {
    let (a1, a0) = split(a);
    let (b1, b0) = split(b);
    if a1 == 0 {
        return mul_64_by_128(a0, b1, b0);
    }
    if b1 == 0 {
        return mul_64_by_128(b0, a1, a0);
    }
    let [d0, d1, d2, d3] = mul_digits(a1, a0, b1, b0);
    (join(d3, d2), join(d1, d0))
}

/// `(a1, a0) * (b1, b0)`, least significant digit first.
#[inline(always)]
pub(crate) const fn mul_digits(a1: u64, a0: u64, b1: u64, b0: u64) -> [u64; 4] {
    let (low1, d0) = split(mul_64(a0, b0));
    let (cross_a1, cross_a0) = split(mul_64(a1, b0));
    let (cross_b1, cross_b0) = split(mul_64(a0, b1));
    let (high1, high0) = split(mul_64(a1, b1));
    let (d1, carry_a) = low1.overflowing_add(cross_a0);
    let (d1, carry_b) = d1.overflowing_add(cross_b0);
    let (d2, carry_c) = high0.overflowing_add(cross_a1);
    let (d2, carry_d) = d2.overflowing_add(cross_b1);
    let (d2, carry_e) = d2.overflowing_add(carry_a as u64 + carry_b as u64);
    // The product has four digits, so the last one cannot wrap.
    let d3 = high1.wrapping_add(carry_c as u64 + carry_d as u64 + carry_e as u64);
    [d0, d1, d2, d3]
}

/// `a * (b1, b0)` as `(high, low)` halves.
#[inline(always)]
const fn mul_64_by_128(a: u64, b1: u64, b0: u64) -> (u128, u128) {
    let low = mul_64(a, b0);
    if b1 == 0 {
        return (0, low);
    }
    let (low1, d0) = split(low);
    let (high1, high0) = split(mul_64(a, b1));
    let (d1, carry) = low1.overflowing_add(high0);
    // The product has three digits, so the last one cannot wrap.
    (high1.wrapping_add(carry as u64) as u128, join(d1, d0))
}

/// `(high, low)` digits of a number.
#[inline(always)]
pub(crate) const fn split(x: u128) -> (u64, u64) {
    ((x >> 64) as u64, x as u64)
}

/// Two digits as one number.
#[inline(always)]
pub(crate) const fn join(high: u64, low: u64) -> u128 {
    ((high as u128) << 64) + low as u128
}

/// Leading zero bits of a digit that is not zero.
#[inline]
pub(crate) const fn leading_zeros(digit: u64) -> u32 {
    if ON_CHAIN {
        leading_zeros_by_halves(digit)
    } else {
        digit.leading_zeros()
    }
}

#[inline(always)]
const fn leading_zeros_by_halves(digit: u64) -> u32 {
    let mut rest = digit;
    let mut zeros = 0u32;
    if rest >> 32 == 0 {
        rest <<= 32;
        zeros = 32;
    }
    if rest >> 48 == 0 {
        rest <<= 16;
        zeros |= 16;
    }
    if rest >> 56 == 0 {
        rest <<= 8;
        zeros |= 8;
    }
    if rest >> 60 == 0 {
        rest <<= 4;
        zeros |= 4;
    }
    if rest >> 62 == 0 {
        rest <<= 2;
        zeros |= 2;
    }
    zeros.wrapping_add((rest >> 63 == 0) as u32)
}

/// The upper digit of `(high, low) << shift`, for `shift < 64`.
#[inline(always)]
pub(crate) const fn shl_into(high: u64, low: u64, shift: u32) -> u64 {
    // In two shifts: one by 64 - shift would be by 64 for a shift of zero.
    high.wrapping_shl(shift) | (low >> 1).wrapping_shr(63 ^ shift)
}

/// The lower digit of `(high, low) >> shift`, for `shift < 64`.
#[inline(always)]
pub(crate) const fn shr_into(high: u64, low: u64, shift: u32) -> u64 {
    low.wrapping_shr(shift) | (high << 1).wrapping_shl(63 ^ shift)
}

/// Quotient and remainder of `(high, low) / divisor`.
///
/// The caller guarantees a normalised divisor (top bit set) and `high < divisor`, so that the quotient fits 64 bits.
/// Two steps of schoolbook division with 32-bit digits (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D).
#[inline]
pub(crate) const fn div_2_by_1(high: u64, low: u64, divisor: u64) -> (u64, u64) {
    let (q1, rest) = half_step(high, low >> 32, divisor);
    let (q0, rest) = half_step(rest, low & LOW_HALF, divisor);
    ((q1 << 32).wrapping_add(q0), rest)
}

const LOW_HALF: u64 = (1 << 32) - 1;

/// One 32-bit digit of the quotient: `(rest * 2^32 + next) / divisor` for `rest < divisor`, `next < 2^32`.
#[inline(always)]
const fn half_step(rest: u64, next: u64, divisor: u64) -> (u64, u64) {
    // The divisor is normalised: setting its top bit changes nothing, and shows the compiler that it is not zero.
    let top = (divisor >> 32) | (1 << 31);
    let bottom = divisor & LOW_HALF;
    // The estimate is never too small and at most two too large: at most 2^32 + 1, so the products below do not wrap.
    let mut digit = rest / top;
    let mut trial = rest % top;
    while digit.wrapping_mul(bottom) > (trial << 32) + next {
        digit = digit.wrapping_sub(1);
        trial = trial.wrapping_add(top);
        if trial > LOW_HALF {
            break;
        }
    }
    // The true remainder is below the divisor, so arithmetic modulo 2^64 yields it.
    let remainder = ((rest << 32) + next).wrapping_sub(digit.wrapping_mul(divisor));
    (digit, remainder)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Digits at which carries, borrows and trial quotients go wrong.
    const DIGITS: [u64; 16] = [
        0,
        1,
        2,
        LOW_HALF - 1,
        LOW_HALF,
        LOW_HALF + 1,
        LOW_HALF + 2,
        0x7fff_ffff_0000_0001,
        (1 << 63) - 1,
        1 << 63,
        (1 << 63) + 1,
        0x8000_0000_ffff_ffff,
        0x8000_0001_0000_0000,
        0xffff_ffff_0000_0000,
        u64::MAX - 1,
        u64::MAX,
    ];

    #[test]
    fn products_of_two_digits() {
        for mul_128 in [mul_128_by_digits, mul_128_by_pairs] {
            for a in DIGITS {
                for b in DIGITS {
                    assert_eq!(mul_64(a, b), u128::from(a) * u128::from(b));
                    assert_eq!(
                        mul_128(a.into(), b.into()),
                        (0, u128::from(a) * u128::from(b))
                    );
                }
            }
            // Two digits by one, in both orders: (2^128 - 1) * 3 = 2 * 2^128 + (2^128 - 3).
            assert_eq!(mul_128(u128::MAX, 3), (2, u128::MAX - 2));
            assert_eq!(mul_128(3, u128::MAX), (2, u128::MAX - 2));
            // (2^128 - 1)^2 = 2^256 - 2^129 + 1
            assert_eq!(mul_128(u128::MAX, u128::MAX), (u128::MAX - 1, 1));
            assert_eq!(mul_128(u128::MAX, 1 << 127), (u128::MAX >> 1, 1 << 127));
        }
    }

    #[test]
    fn products_by_digits_and_by_pairs_are_the_same() {
        for a in DIGITS {
            for b in DIGITS {
                for (c, d) in [(0, 0), (1, u64::MAX), (u64::MAX, 1), (a, b), (b, a)] {
                    let (x, y) = (join(a, c), join(b, d));
                    assert_eq!(mul_128_by_digits(x, y), mul_128_by_pairs(x, y), "{x} {y}");
                }
            }
        }
    }

    #[test]
    fn shifts_across_digits() {
        for high in DIGITS {
            for low in DIGITS {
                let both = join(high, low);
                assert_eq!(split(both), (high, low));
                for shift in 0..64 {
                    assert_eq!(shl_into(high, low, shift), ((both << shift) >> 64) as u64);
                    assert_eq!(shr_into(high, low, shift), (both >> shift) as u64);
                }
            }
        }
    }

    #[test]
    fn zeros_before_the_first_one() {
        for zeros in 0..64 {
            for digit in [u64::MAX >> zeros, (1 << 63) >> zeros] {
                assert_eq!(leading_zeros(digit), zeros);
                assert_eq!(leading_zeros_by_halves(digit), zeros);
            }
        }
    }

    #[test]
    fn quotients_of_two_digits_by_one() {
        for divisor in DIGITS.into_iter().filter(|d| d >> 63 == 1) {
            for high in DIGITS
                .into_iter()
                .chain([divisor - 1])
                .filter(|&h| h < divisor)
            {
                for low in DIGITS {
                    let n = u128::from(high) << 64 | u128::from(low);
                    let d = u128::from(divisor);
                    let expected = ((n / d) as u64, (n % d) as u64);
                    assert_eq!(div_2_by_1(high, low, divisor), expected, "{n} / {d}");
                }
            }
        }
    }
}
