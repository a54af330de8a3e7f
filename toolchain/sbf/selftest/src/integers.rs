//! Integers that the virtual machine has no instructions for.
use crate::{Input, Output};

pub fn unsigned_128(input: &mut Input, output: &mut Output) {
    let (a, b) = (input.u128(), input.u128());
    output.put(a.overflowing_add(b));
    output.put(a.overflowing_sub(b));
    output.put(a.overflowing_mul(b));
    output.put(a.checked_mul(b));
    output.put(a.saturating_mul(b));
    output.put(a.carrying_mul(b, a ^ b));
    output.put(a.checked_div(b));
    output.put(a.checked_rem(b));
    // A constant divisor, and divisors and factors of one word, have code of their own.
    output.put((a / 10_000, a % 10_000));
    output.put((a / (1 << 77), a % 0x1_0000_0000_0000_0001));
    let word = input.u64() | 1;
    output.put((a / u128::from(word), a % u128::from(word)));
    output.put(u128::from(word) * u128::from(input.u64()));
    output.put(a.wrapping_mul(u128::from(word)));
    output.put(a.abs_diff(b));
    output.put(a.isqrt());
    output.put(a.checked_pow(input.u32() % 5));
    output.put(a.cmp(&b));
    output.put((a < b, a >= b));
}

pub fn signed_128(input: &mut Input, output: &mut Output) {
    let (a, b) = (input.i128(), input.i128());
    output.put(a.overflowing_add(b));
    output.put(a.overflowing_sub(b));
    output.put(a.overflowing_mul(b));
    output.put(a.checked_mul(b));
    output.put(a.saturating_mul(b));
    output.put((a.checked_div(b), a.checked_rem(b)));
    output.put((a.checked_div_euclid(b), a.checked_rem_euclid(b)));
    output.put((a / -7, a % 1_000_003));
    let word = input.i64() | 1;
    output.put((
        a.wrapping_div(i128::from(word)),
        a.wrapping_rem(i128::from(word)),
    ));
    output.put(i128::from(word) * i128::from(input.i64()));
    output.put((a.unsigned_abs(), a.signum()));
    output.put(a.checked_neg());
    output.put(a.cmp(&b));
    output.put((i64::try_from(a).ok(), u64::try_from(b).ok()));
}

pub fn shifts_128(input: &mut Input, output: &mut Output) {
    let (a, n) = (input.u128(), input.u32());
    output.put((a.wrapping_shl(n), a.wrapping_shr(n)));
    output.put((a as i128).wrapping_shr(n));
    output.put((a.checked_shl(n % 160), (a as i128).checked_shr(n % 160)));
    output.put((a.rotate_left(n % 128), a.rotate_right(n % 128)));
    output.put((a << 1, a >> 127));
    output.put((a << 64, a >> 64));
    output.put((a << 65, (a as i128) >> 63));
    output.put(((a as i128) >> 64, (a as i128) >> 127));
    output.put((a.leading_zeros(), a.trailing_zeros()));
    output.put((a.leading_ones(), a.count_ones()));
    output.put((a.swap_bytes(), a.reverse_bits()));
    output.put((a.checked_next_power_of_two(), a.checked_ilog2()));
    let word = a as u64;
    output.put((word.leading_zeros(), word.trailing_zeros()));
    output.put((word.rotate_left(n % 64), word.swap_bytes()));
    output.put((word.wrapping_shl(n), (word as i64).wrapping_shr(n)));
    output.put((word.count_ones(), word.checked_ilog10()));
    output.put((
        (word as u32).rotate_right(n % 32),
        (word as u16).swap_bytes(),
    ));
    output.put(((word as i32).wrapping_shr(n), (word as i8).wrapping_shr(n)));
}

pub fn words(input: &mut Input, output: &mut Output) {
    macro_rules! each {
        ($($type:ty)*) => {$({
            let (a, b) = (input.u128() as $type, input.u128() as $type);
            output.put(a.overflowing_add(b));
            output.put(a.overflowing_sub(b));
            output.put(a.overflowing_mul(b));
            output.put((a.checked_div(b), a.checked_rem(b)));
            output.put(a.checked_rem_euclid(b));
            output.put((a.saturating_add(b), a.saturating_sub(b)));
            output.put(a.saturating_mul(b));
            output.put((a.cmp(&b), a.wrapping_neg()));
            output.put(a as i128);
        })*};
    }
    each!(u8 u16 u32 u64 i8 i16 i32 i64);
    let (a, b) = (input.u64(), input.i64());
    output.put((a.isqrt(), a.checked_pow(3)));
    output.put((b / 1000, b % 1000));
    output.put((a / 1000, a % 1000));
    output.put(a.midpoint(b as u64));
}
