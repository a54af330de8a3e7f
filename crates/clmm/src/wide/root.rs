//! Integer square root of 256-bit numbers.

use ruint::aliases::U256;

use super::digits::{div_2_by_1, join, leading_zeros, mul_64, shl_into, shr_into, split};

/// `floor(sqrt(n))`, exact for every input.
///
/// Zimmermann's square root (Karatsuba Square Root, INRIA RR-3805): the root and remainder of the upper half, then one
/// division for the lower half of the root. Applied twice, to 128 and 256 bits, over a root of 64 bits by Newton.
pub const fn isqrt_down(n: U256) -> u128 {
    let limbs = n.as_limbs();
    // An even number of leading zeros more makes the root of n * 2^(2k) that of n times 2^k: shift whole pairs of digits,
    // then bits, until one of the two top bits is set.
    let (n, halved) = if limbs[3] | limbs[2] == 0 {
        ([0, 0, limbs[0], limbs[1]], true)
    } else {
        (*limbs, false)
    };
    let (n, quartered) = if n[3] == 0 {
        ([0, n[0], n[1], n[2]], true)
    } else {
        (n, false)
    };
    if n[3] == 0 {
        return 0;
    }
    let shift = leading_zeros(n[3]) & !1;
    let root = root_of_normalised(
        shl_into(n[3], n[2], shift),
        shl_into(n[2], n[1], shift),
        shl_into(n[1], n[0], shift),
        n[0].wrapping_shl(shift),
    );
    let (r1, r0) = split(root);
    let (r1, r0) = if halved { (0, r1) } else { (r1, r0) };
    let shift = shift / 2 + if quartered { 32 } else { 0 };
    join(r1.wrapping_shr(shift), shr_into(r1, r0, shift))
}

/// The root of four digits, most significant first, of which the top one is at least `2^62`.
const fn root_of_normalised(n3: u64, n2: u64, n1: u64, n0: u64) -> u128 {
    let (upper, rest) = root_of_two_digits(n3, n2);
    // lower = (rest * 2^64 + n1) / (2 * upper). As rest <= 2 * upper may have 65 bits, divide half of the numerator by upper
    // and give the odd bit back to the remainder.
    let half_high = (rest >> 1) as u64;
    if half_high >= upper {
        // rest = 2 * upper: the lower digit would be 2^64, and its square is more than what is left. One less then is right:
        // n < (upper + 1)^2 * 2^128.
        return join(upper, u64::MAX);
    }
    let half_low = ((rest as u64) << 63) + (n1 >> 1);
    let (lower, half_rest) = div_2_by_1(half_high, half_low, upper);
    let rest = ((half_rest as u128) << 1) + (n1 & 1) as u128;
    // Too large by one exactly if what is left, rest * 2^64 + n0, is less than the square of the lower digit.
    let too_large = rest >> 64 == 0 && join(rest as u64, n0) < mul_64(lower, lower);
    join(upper, lower).wrapping_sub(too_large as u128)
}

/// Root (64 bits) and remainder (at most twice the root) of two digits, of which the top one is at least `2^62`.
const fn root_of_two_digits(n1: u64, n0: u64) -> (u64, u128) {
    let upper = root_of_digit(n1);
    let rest = n1.wrapping_sub(upper.wrapping_mul(upper));
    // As above with half the digits: rest has at most 33 bits.
    let (next, last) = (n0 >> 32, n0 & LOW_HALF);
    let half = (rest << 31) + (next >> 1);
    // upper >= 2^31: setting its top bit changes nothing, and shows the compiler that it is not zero.
    let divisor = upper | (1 << 31);
    let lower = half / divisor;
    let left = (((half % divisor) << 1) + (next & 1)) as u128;
    let left = (left << 32) + last as u128;
    let root = (upper << 32).wrapping_add(lower);
    let square = mul_64(lower, lower);
    if lower > LOW_HALF || left < square {
        // One less: root^2 - (root - 1)^2 = 2 * root - 1 is added to what is left. A lower half of 2^32, whose sum with
        // the upper one may have wrapped to zero, always comes here.
        let root = root.wrapping_sub(1);
        let twice = ((root as u128) << 1) + 1;
        return (root, left.wrapping_add(twice).wrapping_sub(square));
    }
    (root, left.wrapping_sub(square))
}

const LOW_HALF: u64 = (1 << 32) - 1;

/// Root of a digit of at least `2^62`, by Newton's iteration from above.
const fn root_of_digit(n: u64) -> u64 {
    // The tangent at 2^63, sqrt(2^61) + n / sqrt(2^65), lies above the root by at most 6.1 % (at 2^62 and 2^64). A step
    // leaves half the square of the relative error: 0.18 %, 1.6e-6, 1.3e-12, below one unit of a 32-bit root after three.
    let start = (((n >> 32) * 46_341) >> 16) + 1_518_500_250;
    let root = newton(newton(newton(start, n), n), n);
    // A step never ends below the root truncated, so this is it, or one more.
    root.wrapping_sub(exceeds(root, n) as u64)
}

/// `(root + n / root) / 2`.
const fn newton(root: u64, n: u64) -> u64 {
    match n.checked_div(root) {
        // Both are far below 2^63: the root of a 64-bit number has 32 bits.
        Some(quotient) => root.wrapping_add(quotient) >> 1,
        None => 0,
    }
}

/// Whether `root^2 > n`.
const fn exceeds(root: u64, n: u64) -> bool {
    match n.checked_div(root) {
        Some(quotient) => quotient < root,
        None => false,
    }
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
    fn roots_of_one_digit() {
        // Both sides of squares, over the whole range of a normalised digit.
        for step in 0..=1_000_000u64 {
            let root = (1 << 31) + (step * ((1 << 31) - 1)) / 1_000_000;
            let square = root * root;
            assert_eq!(root_of_digit(square), root);
            assert_eq!(root_of_digit(square + 2 * root), root);
            if root > 1 << 31 {
                assert_eq!(root_of_digit(square - 1), root - 1);
            }
        }
        assert_eq!(root_of_digit(u64::MAX), LOW_HALF);
    }

    #[test]
    fn roots_of_two_digits_leave_the_right_remainder() {
        for top in [1 << 62, (1 << 62) + 1, 1 << 63, u64::MAX - 1, u64::MAX] {
            for bottom in [
                0,
                1,
                LOW_HALF,
                LOW_HALF + 1,
                1 << 63,
                u64::MAX - 1,
                u64::MAX,
            ] {
                let n = join(top, bottom);
                let (root, rest) = root_of_two_digits(top, bottom);
                assert_eq!(u128::from(root), n.isqrt());
                assert_eq!(rest, n - u128::from(root) * u128::from(root));
            }
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
