//! Run-time support: functions that compiled programs call and that neither LLVM's BPF back end nor the virtual machine
//! brings. Symbols starting with `__sbf_` are called by the legalisation only (`../legalize`).
//!
//! Floating point (`__adddf3` and so on) comes from compiler_builtins, which cargo compiles with std.
#![no_std]
// Or the compiler would make calls of memcpy out of the loops that implement memcpy.
#![no_builtins]

mod compare;
mod divide;
mod memory;
mod multiply;

/// A 128-bit number from its halves.
#[inline(always)]
fn join(low: u64, high: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

#[inline(always)]
fn low(x: u128) -> u64 {
    x as u64
}

#[inline(always)]
fn high(x: u128) -> u64 {
    (x >> 64) as u64
}

#[inline(always)]
fn negate(x: u128) -> u128 {
    0u128.wrapping_sub(x)
}

/// The magnitude of a number in two's complement; that of the minimum is itself.
#[inline(always)]
fn magnitude(x: u128) -> u128 {
    if high(x) >> 63 != 0 { negate(x) } else { x }
}

/// Stores a 128-bit result, which no register holds.
///
/// # Safety
/// `result` points to two writable words.
#[inline(always)]
unsafe fn store(result: *mut u64, value: u128) {
    // SAFETY: the caller's promise.
    unsafe {
        result.write(low(value));
        result.add(1).write(high(value));
    }
}
