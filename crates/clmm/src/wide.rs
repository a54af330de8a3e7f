//! Products and quotients wider than 128 bits.
//!
//! The on-chain machine multiplies and divides 64 bits in one instruction and everything wider in software, so each
//! function first tries what fits fewer digits. `None` always means: the divisor is zero, or the result needs more than
//! 128 bits.

pub(crate) mod divide;
mod root;

pub(crate) mod digits;

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
    match a.checked_mul(square_high) {
        Some(whole) => match whole.checked_add(carry) {
            Some(quotient) => Some((quotient, fraction != 0)),
            None => None,
        },
        None => None,
    }
}

const fn shr64(high: u128, low: u128) -> Option<u128> {
    if high >> 64 != 0 {
        return None;
    }
    Some((high << 64) | (low >> 64))
}

pub(crate) const fn round_up_if(quotient: u128, inexact: bool) -> Option<u128> {
    if inexact {
        quotient.checked_add(1)
    } else {
        Some(quotient)
    }
}
