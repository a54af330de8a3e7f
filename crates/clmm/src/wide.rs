//! Products and quotients wider than 128 bits.
//!
//! The on-chain machine multiplies and divides 64 bits in one instruction and everything wider in software, so each
//! function first tries what fits fewer digits. `None` always means: the divisor is zero, or the result needs more than
//! 128 bits.

pub(crate) mod digits;
pub(crate) mod divide;
mod root;

pub use divide::div_rem_256;
pub use root::isqrt_down;
pub use ruint::aliases::U256;

use digits::mul_128;
use divide::div_rem_256_by_128;

/// `floor(a * b / c)`; `None` if `c` is zero or the quotient exceeds 128 bits.
pub const fn mul_div_down(a: u128, b: u128, c: u128) -> Option<u128> {
    match mul_div_rem(a, b, c) {
        Some((quotient, _)) => Some(quotient),
        None => None,
    }
}

/// `ceil(a * b / c)`; `None` if `c` is zero or the quotient exceeds 128 bits.
pub const fn mul_div_up(a: u128, b: u128, c: u128) -> Option<u128> {
    match mul_div_rem(a, b, c) {
        Some((quotient, remainder)) => round_up_if(quotient, remainder != 0),
        None => None,
    }
}

/// `floor(a * b / 2^64)`; `None` if it exceeds 128 bits.
pub const fn mul_shr64_down(a: u128, b: u128) -> Option<u128> {
    let (high, low) = mul_128(a, b);
    shr64(high, low)
}

/// `ceil(a * b / 2^64)`; `None` if it exceeds 128 bits.
pub const fn mul_shr64_up(a: u128, b: u128) -> Option<u128> {
    let (high, low) = mul_128(a, b);
    match shr64(high, low) {
        Some(quotient) => round_up_if(quotient, low as u64 != 0),
        None => None,
    }
}

/// `floor(a * 2^64 / c)`; `None` if `c` is zero or the quotient exceeds 128 bits.
pub const fn shl64_div_down(a: u128, c: u128) -> Option<u128> {
    match div_rem_256_by_128(a >> 64, a << 64, c) {
        Some((quotient, _)) => Some(quotient),
        None => None,
    }
}

/// `ceil(a * 2^64 / c)`; `None` if `c` is zero or the quotient exceeds 128 bits.
pub const fn shl64_div_up(a: u128, c: u128) -> Option<u128> {
    match div_rem_256_by_128(a >> 64, a << 64, c) {
        Some((quotient, remainder)) => round_up_if(quotient, remainder != 0),
        None => None,
    }
}

/// `floor(a * root^2 / 2^128)`: the quote value of `a` raw base units at a Q64.64 square-root price. Exact, one rounding.
/// `None` if it exceeds 128 bits.
pub const fn mul_square_shr128_down(a: u128, root: u128) -> Option<u128> {
    match mul_square_shr128(a, root) {
        Some((quotient, _)) => Some(quotient),
        None => None,
    }
}

/// `ceil(a * root^2 / 2^128)`, see [`mul_square_shr128_down`]. `None` if it exceeds 128 bits.
pub const fn mul_square_shr128_up(a: u128, root: u128) -> Option<u128> {
    match mul_square_shr128(a, root) {
        Some((quotient, inexact)) => round_up_if(quotient, inexact),
        None => None,
    }
}

/// The full product `a * b` as a 256-bit number.
pub const fn mul_full(a: u128, b: u128) -> U256 {
    let (high, low) = mul_128(a, b);
    U256::from_limbs([
        low as u64,
        (low >> 64) as u64,
        high as u64,
        (high >> 64) as u64,
    ])
}

const fn mul_div_rem(a: u128, b: u128, c: u128) -> Option<(u128, u128)> {
    let (high, low) = mul_128(a, b);
    div_rem_256_by_128(high, low, c)
}

const fn mul_square_shr128(a: u128, root: u128) -> Option<(u128, bool)> {
    let (square_high, square_low) = mul_128(root, root);
    let (carry, fraction) = mul_128(a, square_low);
    // Below 1 the square fits 128 bits, and this is all.
    if square_high == 0 {
        return Some((carry, fraction != 0));
    }
    let (beyond, whole) = mul_128(a, square_high);
    if beyond != 0 {
        return None;
    }
    match whole.checked_add(carry) {
        Some(quotient) => Some((quotient, fraction != 0)),
        None => None,
    }
}

const fn shr64(high: u128, low: u128) -> Option<u128> {
    if high >> 64 != 0 {
        return None;
    }
    Some((high << 64) + (low >> 64))
}

pub(crate) const fn round_up_if(quotient: u128, inexact: bool) -> Option<u128> {
    if inexact {
        quotient.checked_add(1)
    } else {
        Some(quotient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: u128 = u128::MAX;

    #[test]
    fn the_name_gives_the_direction() {
        assert_eq!(
            (mul_div_down(7, 5, 4), mul_div_up(7, 5, 4)),
            (Some(8), Some(9))
        );
        assert_eq!(
            (mul_div_down(8, 5, 4), mul_div_up(8, 5, 4)),
            (Some(10), Some(10))
        );
        assert_eq!(
            (mul_shr64_down(1, 3), mul_shr64_up(1, 3)),
            (Some(0), Some(1))
        );
        assert_eq!(
            (shl64_div_down(1, 3), shl64_div_up(1, 3)),
            (Some((1 << 64) / 3), Some((1 << 64) / 3 + 1))
        );
        assert_eq!(
            (mul_square_shr128_down(1, 1), mul_square_shr128_up(1, 1)),
            (Some(0), Some(1))
        );
    }

    #[test]
    fn zero_divides_nothing() {
        for n in [0, 1, MAX] {
            assert_eq!((mul_div_down(n, n, 0), mul_div_up(n, n, 0)), (None, None));
            assert_eq!((shl64_div_down(n, 0), shl64_div_up(n, 0)), (None, None));
        }
    }

    #[test]
    fn what_exceeds_128_bits_is_refused() {
        assert_eq!(mul_div_down(MAX, MAX, MAX), Some(MAX));
        assert_eq!(mul_div_down(MAX, MAX, MAX - 1), None);
        assert_eq!(mul_div_up(MAX, 3, 3), Some(MAX));
        assert_eq!(mul_shr64_down(MAX, 1 << 64), Some(MAX));
        assert_eq!(mul_shr64_down(MAX, (1 << 64) + 1), None);
        assert_eq!(shl64_div_down(MAX, 1 << 64), Some(MAX));
        assert_eq!(shl64_div_down(MAX, (1 << 64) - 1), None);
        assert_eq!(mul_square_shr128_down(MAX, 1 << 64), Some(MAX));
        assert_eq!(mul_square_shr128_down(MAX, (1 << 64) + 1), None);
        assert_eq!(mul_square_shr128_down(MAX, MAX), None);
    }

    #[test]
    fn rounding_up_past_128_bits_is_refused() {
        assert_eq!(round_up_if(MAX, true), None);
        assert_eq!(round_up_if(MAX, false), Some(MAX));
        // 2^192 - 1, just below 2^128 times 2^64.
        let (a, b) = ((1 << 96) - 1, (1 << 96) + 1);
        assert_eq!(mul_shr64_down(a, b), Some(MAX));
        assert_eq!(mul_shr64_up(a, b), None);
        assert_eq!(mul_div_down(a, b, 1 << 64), Some(MAX));
        assert_eq!(mul_div_up(a, b, 1 << 64), None);
    }

    #[test]
    fn full_products_keep_every_bit() {
        assert_eq!(mul_full(MAX, MAX), U256::from(MAX) * U256::from(MAX));
        assert_eq!(mul_full(MAX, 2), U256::from(MAX) << 1);
    }
}
