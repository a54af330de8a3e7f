//! Programs that must be refused, each by its feature; without a feature a program that is fine.
#![cfg(target_os = "solana")]
#![no_std]

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// # Safety
/// `input` points to the 8 bytes that every program's input starts with.
#[cfg(not(feature = "no-entrypoint"))]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entrypoint(input: *const u64) -> u64 {
    // SAFETY: the caller's promise.
    let accounts = unsafe { input.read() };
    use_feature(accounts)
}

/// A frame of 4,800 bytes.
#[cfg(feature = "frame")]
#[inline(never)]
fn use_feature(number: u64) -> u64 {
    let mut large = [number; 600];
    core::hint::black_box(&mut large);
    large[number as usize % 600]
}

#[cfg(feature = "writable-static")]
fn use_feature(number: u64) -> u64 {
    use core::sync::atomic::{AtomicU64, Ordering};
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    COUNTER.fetch_add(number, Ordering::Relaxed)
}

#[cfg(feature = "f32")]
#[inline(never)]
fn use_feature(number: u64) -> u64 {
    (f32::from_bits(number as u32) * 1.5).to_bits().into()
}

#[cfg(feature = "undefined")]
fn use_feature(number: u64) -> u64 {
    unsafe extern "C" {
        safe fn nobody_defines_this(number: u64) -> u64;
    }
    nobody_defines_this(number)
}

#[cfg(not(any(
    feature = "frame",
    feature = "writable-static",
    feature = "f32",
    feature = "undefined",
    feature = "no-entrypoint",
)))]
fn use_feature(number: u64) -> u64 {
    number
}
