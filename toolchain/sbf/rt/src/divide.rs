//! 128-bit division, from 64-bit division, the widest that the virtual machine has.
use crate::{high, join, low, magnitude, negate, store};

/// 64-bit division. `b` is never zero here, and saying so spares the check: Rust tests divisors before it divides.
#[inline(always)]
fn div(a: u64, b: u64) -> u64 {
    if b == 0 {
        // SAFETY: every divisor in this module is (the top of) a divisor that the caller has tested.
        unsafe { core::hint::unreachable_unchecked() }
    }
    a / b
}

/// 64-bit remainder, see [`div`].
#[inline(always)]
fn rem(a: u64, b: u64) -> u64 {
    if b == 0 {
        // SAFETY: as in `div`.
        unsafe { core::hint::unreachable_unchecked() }
    }
    a % b
}

/// Leading zeros of a number that is not zero. The virtual machine has no such instruction.
#[inline(always)]
fn leading_zeros(mut x: u64) -> u32 {
    let mut zeros = 0;
    for step in [32, 16, 8, 4, 2, 1] {
        if x >> (64 - step) == 0 {
            zeros += step;
            x <<= step;
        }
    }
    zeros
}

/// Quotient and remainder of `(top:bottom) / divisor`, where the divisor's highest bit is set and `top < divisor`:
/// Knuth's algorithm D with two digits of 32 bits.
#[inline(always)]
fn divide_2_by_1(top: u64, bottom: u64, divisor: u64) -> (u64, u64) {
    const BASE: u64 = 1 << 32;
    let (divisor_1, divisor_0) = (divisor >> 32, divisor & (BASE - 1));
    // One digit of the quotient: `rest` is what is left to divide, `next` the digit that joins it.
    let digit = |rest: u64, next: u64| {
        let mut quotient = div(rest, divisor_1);
        let mut remainder = rest - quotient * divisor_1;
        while quotient >= BASE || quotient.wrapping_mul(divisor_0) > ((remainder << 32) | next) {
            quotient -= 1;
            remainder += divisor_1;
            if remainder >= BASE {
                break;
            }
        }
        let rest = (rest << 32)
            .wrapping_add(next)
            .wrapping_sub(quotient.wrapping_mul(divisor));
        (quotient, rest)
    };
    let (quotient_1, rest) = digit(top, bottom >> 32);
    let (quotient_0, rest) = digit(rest, bottom & (BASE - 1));
    ((quotient_1 << 32).wrapping_add(quotient_0), rest)
}

/// Quotient and remainder for a divisor of one word.
#[inline(always)]
fn divide_by_word(n_low: u64, n_high: u64, divisor: u64) -> (u128, u128) {
    if n_high == 0 {
        return (join(div(n_low, divisor), 0), join(rem(n_low, divisor), 0));
    }
    if divisor >> 32 == 0 {
        // Schoolbook division by a 32-bit digit.
        let top = div(n_high, divisor);
        let rest = rem(n_high, divisor) << 32 | n_low >> 32;
        let middle = div(rest, divisor);
        let rest = rem(rest, divisor) << 32 | n_low & 0xffff_ffff;
        return (
            join(middle << 32 | div(rest, divisor), top),
            join(rem(rest, divisor), 0),
        );
    }
    let (top, rest) = if n_high < divisor {
        (0, n_high)
    } else {
        (div(n_high, divisor), rem(n_high, divisor))
    };
    let shift = leading_zeros(divisor);
    let (quotient, remainder) = if shift == 0 {
        divide_2_by_1(rest, n_low, divisor)
    } else {
        let (quotient, remainder) = divide_2_by_1(
            rest << shift | n_low >> (64 - shift),
            n_low << shift,
            divisor << shift,
        );
        (quotient, remainder >> shift)
    };
    (join(quotient, top), join(remainder, 0))
}

/// Quotient and remainder for a divisor of two words, not larger than the numerator: the quotient fits one word
/// (Hacker's Delight, 9-5).
#[inline(always)]
fn divide_by_two_words(n: u128, d: u128) -> (u128, u128) {
    let shift = leading_zeros(high(d));
    let divisor = if shift == 0 {
        high(d)
    } else {
        high(d) << shift | low(d) >> (64 - shift)
    };
    let (estimate, _) = divide_2_by_1(high(n) >> 1, high(n) << 63 | low(n) >> 1, divisor);
    let mut quotient = estimate >> (63 - shift);
    // Now at most one too large; less one it is at most one too small.
    quotient = quotient.saturating_sub(1);
    let mut remainder = n.wrapping_sub(u128::from(quotient).wrapping_mul(d));
    if remainder >= d {
        quotient += 1;
        remainder = remainder.wrapping_sub(d);
    }
    (join(quotient, 0), remainder)
}

/// Quotient and remainder.
struct Division {
    quotient: u128,
    remainder: u128,
}

impl Division {
    #[inline(always)]
    fn new(n: u128, d: u128) -> Self {
        let mut result = Self {
            quotient: 0,
            remainder: 0,
        };
        divide(&mut result, low(n), high(n), low(d), high(d));
        result
    }
}

// One copy of the code for all entries. The result goes through memory, so that there are five arguments: all in registers.
#[inline(never)]
fn divide(result: &mut Division, n_low: u64, n_high: u64, d_low: u64, d_high: u64) {
    let (quotient, remainder) = if d_high == 0 {
        divide_by_word(n_low, n_high, d_low)
    } else if d_high > n_high || (d_high == n_high && d_low > n_low) {
        (0, join(n_low, n_high))
    } else {
        divide_by_two_words(join(n_low, n_high), join(d_low, d_high))
    };
    *result = Division {
        quotient,
        remainder,
    };
}

/// `a / b` of u128.
///
/// # Safety
/// `result` points to two writable words; `b` is not zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_udiv128(
    result: *mut u64,
    a_low: u64,
    a_high: u64,
    b_low: u64,
    b_high: u64,
) {
    let division = Division::new(join(a_low, a_high), join(b_low, b_high));
    // SAFETY: the caller's promise.
    unsafe { store(result, division.quotient) };
}

/// `a % b` of u128.
///
/// # Safety
/// As [`__sbf_udiv128`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_umod128(
    result: *mut u64,
    a_low: u64,
    a_high: u64,
    b_low: u64,
    b_high: u64,
) {
    let division = Division::new(join(a_low, a_high), join(b_low, b_high));
    // SAFETY: the caller's promise.
    unsafe { store(result, division.remainder) };
}

/// `a.wrapping_div(b)` of i128.
///
/// # Safety
/// As [`__sbf_udiv128`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_sdiv128(
    result: *mut u64,
    a_low: u64,
    a_high: u64,
    b_low: u64,
    b_high: u64,
) {
    let division = Division::new(
        magnitude(join(a_low, a_high)),
        magnitude(join(b_low, b_high)),
    );
    let negative = (a_high ^ b_high) >> 63 != 0;
    let quotient = if negative {
        negate(division.quotient)
    } else {
        division.quotient
    };
    // SAFETY: the caller's promise.
    unsafe { store(result, quotient) };
}

/// `a.wrapping_rem(b)` of i128: with the sign of `a`.
///
/// # Safety
/// As [`__sbf_udiv128`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_smod128(
    result: *mut u64,
    a_low: u64,
    a_high: u64,
    b_low: u64,
    b_high: u64,
) {
    let division = Division::new(
        magnitude(join(a_low, a_high)),
        magnitude(join(b_low, b_high)),
    );
    let remainder = if a_high >> 63 != 0 {
        negate(division.remainder)
    } else {
        division.remainder
    };
    // SAFETY: the caller's promise.
    unsafe { store(result, remainder) };
}
