//! Comparison of floating-point numbers.

/// Compares two f64 by their bits: 1 equal, 2 greater, 4 less, 8 unordered (LLVM's predicate bits).
#[unsafe(no_mangle)]
pub extern "C" fn __sbf_fcmp(a: u64, b: u64) -> u64 {
    const INFINITY: u64 = 0x7ff << 52;
    const SIGN: u64 = 1 << 63;
    let (a_size, b_size) = (a & !SIGN, b & !SIGN);
    if a_size > INFINITY || b_size > INFINITY {
        return 8;
    }
    // Both zeros are equal.
    if (a_size | b_size) == 0 || a == b {
        return 1;
    }
    let (a_negative, b_negative) = (a & SIGN != 0, b & SIGN != 0);
    let less = match (a_negative, b_negative) {
        (true, true) => a_size > b_size,
        (false, false) => a_size < b_size,
        (negative, _) => negative,
    };
    if less { 4 } else { 2 }
}
