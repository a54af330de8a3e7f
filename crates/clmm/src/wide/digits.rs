//! The two primitives everything wide is made of: products of 64- and 128-bit digits, and the quotient of two digits by
//! one.

/// `a * b`, which always fits.
#[inline(always)]
pub(crate) const fn mul_64(a: u64, b: u64) -> u128 {
    (a as u128).wrapping_mul(b as u128)
}

/// `a * b` as `(high, low)` halves.
#[inline]
pub(crate) const fn mul_128(a: u128, b: u128) -> (u128, u128) {
    let (a1, a0) = ((a >> 64) as u64, a as u64);
    let (b1, b0) = ((b >> 64) as u64, b as u64);
    let low = mul_64(a0, b0);
    if a1 == 0 && b1 == 0 {
        return (0, low);
    }
    let cross_a = mul_64(a1, b0);
    let cross_b = mul_64(a0, b1);
    // None of these sums can wrap: three 64-bit numbers in `middle`, and `high` is the high half of a 256-bit product.
    let middle = (low >> 64)
        .wrapping_add(cross_a as u64 as u128)
        .wrapping_add(cross_b as u64 as u128);
    let high = mul_64(a1, b1)
        .wrapping_add(cross_a >> 64)
        .wrapping_add(cross_b >> 64)
        .wrapping_add(middle >> 64);
    (high, (middle << 64) | low as u64 as u128)
}

/// Quotient and remainder of `(high * 2^64 + low) / divisor`.
///
/// The caller guarantees a normalised divisor (top bit set) and `high < divisor`, so that the quotient fits 64 bits.
/// Two steps of schoolbook division with 32-bit digits (Knuth, The Art of Computer Programming 2, 4.3.1, algorithm D):
/// only 64-bit instructions, which the on-chain machine has, where a 128-bit division is a call into software.
#[inline]
pub(crate) const fn div_2_by_1(high: u64, low: u64, divisor: u64) -> (u64, u64) {
    let (q1, rest) = half_step(high, low >> 32, divisor);
    let (q0, rest) = half_step(rest, low & LOW_HALF, divisor);
    ((q1 << 32) | q0, rest)
}

const LOW_HALF: u64 = (1 << 32) - 1;

/// One 32-bit digit of the quotient: `(rest * 2^32 + next) / divisor` for `rest < divisor`, `next < 2^32`.
#[inline(always)]
const fn half_step(rest: u64, next: u64, divisor: u64) -> (u64, u64) {
    // The divisor is normalised: setting its top bit changes nothing, and shows the compiler that it is not zero.
    let top = (divisor >> 32) | (1 << 31);
    let bottom = divisor & LOW_HALF;
    let mut digit = rest / top;
    let mut trial = rest % top;
    // The estimate is never too small and at most two too large.
    while digit > LOW_HALF || digit * bottom > ((trial << 32) | next) {
        digit -= 1;
        trial += top;
        if trial > LOW_HALF {
            break;
        }
    }
    // The true remainder is below the divisor, so arithmetic modulo 2^64 yields it.
    let remainder = (rest << 32 | next).wrapping_sub(digit.wrapping_mul(divisor));
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
        for a in DIGITS {
            for b in DIGITS {
                assert_eq!(mul_64(a, b), u128::from(a) * u128::from(b));
                assert_eq!(
                    mul_128(a.into(), b.into()),
                    (0, u128::from(a) * u128::from(b))
                );
            }
        }
        // (2^128 - 1)^2 = 2^256 - 2^129 + 1
        assert_eq!(mul_128(u128::MAX, u128::MAX), (u128::MAX - 1, 1));
        assert_eq!(mul_128(u128::MAX, 1 << 127), (u128::MAX >> 1, 1 << 127));
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
