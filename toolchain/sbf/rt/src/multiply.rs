//! Multiplication that reports overflow.
use crate::{high, join, low, magnitude, negate, store};

/// The product modulo 2^128, and whether it was larger.
#[inline(always)]
fn multiply(a: u128, b: u128) -> (u128, bool) {
    let (a_low, a_high, b_low, b_high) = (low(a), high(a), low(b), high(b));
    let product = u128::from(a_low).wrapping_mul(u128::from(b_low));
    if a_high == 0 && b_high == 0 {
        return (product, false);
    }
    let cross_a = u128::from(a_high).wrapping_mul(u128::from(b_low));
    let cross_b = u128::from(a_low).wrapping_mul(u128::from(b_high));
    let (cross, overflow_1) = low(cross_a).overflowing_add(low(cross_b));
    let (top, overflow_2) = cross.overflowing_add(high(product));
    let overflow = (a_high != 0 && b_high != 0)
        || high(cross_a) != 0
        || high(cross_b) != 0
        || overflow_1
        || overflow_2;
    (join(low(product), top), overflow)
}

/// `u128::overflowing_mul`.
///
/// # Safety
/// `result` points to two writable words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_umulo128(
    result: *mut u64,
    a_low: u64,
    a_high: u64,
    b_low: u64,
    b_high: u64,
) -> u64 {
    let (product, overflow) = multiply(join(a_low, a_high), join(b_low, b_high));
    // SAFETY: the caller's promise.
    unsafe { store(result, product) };
    u64::from(overflow)
}

/// `i128::overflowing_mul`.
///
/// # Safety
/// `result` points to two writable words.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_smulo128(
    result: *mut u64,
    a_low: u64,
    a_high: u64,
    b_low: u64,
    b_high: u64,
) -> u64 {
    let negative = (a_high ^ b_high) >> 63 != 0;
    let (product, overflow) = multiply(
        magnitude(join(a_low, a_high)),
        magnitude(join(b_low, b_high)),
    );
    let value = if negative { negate(product) } else { product };
    // SAFETY: the caller's promise.
    unsafe { store(result, value) };
    let minimum = 1u128 << 127;
    u64::from(
        overflow
            || if negative {
                product > minimum
            } else {
                product >= minimum
            },
    )
}

/// `i64::overflowing_mul`.
///
/// # Safety
/// `result` points to a writable word.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn __sbf_smulo64(result: *mut u64, a: u64, b: u64) -> u64 {
    let negative = (a ^ b) >> 63 != 0;
    let magnitude = |x: u64| {
        if x >> 63 != 0 {
            0u64.wrapping_sub(x)
        } else {
            x
        }
    };
    let product = u128::from(magnitude(a)).wrapping_mul(u128::from(magnitude(b)));
    let value = low(product);
    // SAFETY: the caller's promise.
    unsafe {
        result.write(if negative {
            0u64.wrapping_sub(value)
        } else {
            value
        })
    };
    u64::from(
        high(product) != 0
            || if negative {
                value > 1 << 63
            } else {
                value >> 63 != 0
            },
    )
}
