//! Integer square root of 256-bit numbers.

use ruint::aliases::U256;

use super::divide::div_rem_128;

/// `floor(sqrt(n))`, exact for every input.
///
/// One step of Zimmermann's square root (Karatsuba Square Root, INRIA RR-3805): the root of the upper half, which the
/// core library has, and one 128-bit division give the root of the whole; no Newton iterations.
pub const fn isqrt_down(n: U256) -> u128 {
    let limbs = n.as_limbs();
    let high = (limbs[3] as u128) << 64 | limbs[2] as u128;
    let low = (limbs[1] as u128) << 64 | limbs[0] as u128;
    if high == 0 {
        return low.isqrt();
    }
    // Normalise so that the top two bits are not both zero; the root of n * 2^(2k) is the root of n times 2^k.
    let shift = high.leading_zeros() & !1;
    let (high, low) = if shift == 0 {
        (high, low)
    } else {
        (high << shift | low >> (128 - shift), low << shift)
    };
    // high = upper^2 + rest, with 2^63 <= upper < 2^64 and rest <= 2 * upper.
    let upper = high.isqrt();
    let rest = high.wrapping_sub(upper.wrapping_mul(upper));
    // quotient = (rest * 2^64 + next) / (2 * upper). rest may have 65 bits, so divide the half of the numerator instead
    // and keep the odd bit for the remainder.
    let next = low >> 64;
    let half = rest << 63 | next >> 1;
    let (quotient, half_rest) = match div_rem_128(half, upper) {
        Some(step) => step,
        // upper has its top bit set.
        None => return u128::MAX,
    };
    let rest = half_rest << 1 | next & 1;
    // Candidate upper * 2^64 + quotient; it is too large by one exactly if rest * 2^64 + last < quotient^2. The
    // quotient may be 2^64, then it always is: the root is below 2^128.
    let last = low as u64 as u128;
    let candidate = (upper << 64).wrapping_add(quotient);
    let too_large = if quotient >> 64 != 0 {
        true
    } else if rest >> 64 != 0 {
        false
    } else {
        rest << 64 | last < quotient.wrapping_mul(quotient)
    };
    let root = if too_large {
        candidate.wrapping_sub(1)
    } else {
        candidate
    };
    root >> (shift / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_numbers() {
        for n in 0u64..100_000 {
            assert_eq!(isqrt_down(U256::from(n)), u128::from(n.isqrt()));
        }
    }

    #[test]
    fn around_powers_of_two() {
        for bits in 1..256 {
            let n = U256::from(1) << bits;
            for n in [n - U256::from(1), n, n + U256::from(1)] {
                let root = U256::from(isqrt_down(n));
                let next = root + U256::from(1);
                assert!(root * root <= n, "{bits}");
                assert!(
                    next.checked_mul(next).is_none_or(|square| square > n),
                    "{bits}"
                );
            }
        }
        assert_eq!(isqrt_down(U256::MAX), u128::MAX);
    }
}
