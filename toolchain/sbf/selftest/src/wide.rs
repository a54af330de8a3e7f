//! Integers of 256 bits: crate ruint, as the programs use it.
use ruint::aliases::U256;

use crate::{Input, Output};

fn u256(input: &mut Input) -> U256 {
    let (low, high) = (input.u128(), input.u128());
    let number = U256::from(low) | (U256::from(high) << 128);
    // Any size, also 64 and 128 bits and less.
    number >> (usize::from(input.u8()) & !7)
}

pub fn arithmetic(input: &mut Input, output: &mut Output) {
    let (a, b, modulus) = (u256(input), u256(input), u256(input));
    let mut put = |number: U256| output.put(number.to_le_bytes::<32>());
    put(a.wrapping_add(b));
    put(a.wrapping_sub(b));
    put(a.wrapping_mul(b));
    put(a.checked_mul(b).unwrap_or(U256::MAX));
    put(a.saturating_add(b));
    put(a.abs_diff(b));
    if !b.is_zero() {
        let (quotient, remainder) = a.div_rem(b);
        put(quotient);
        put(remainder);
        put(a.div_ceil(b));
    }
    put(a.mul_mod(b, modulus));
    put(a.add_mod(b, modulus));
    let distance = input.below(256);
    put(a << distance);
    put(a >> distance);
    put(a.wrapping_pow(U256::from(input.below(9))));
    put(!a & b);
    put(a ^ b);
    // The protocol's own kind: a product of two 128-bit numbers, divided.
    let (x, y, z) = (input.u128(), input.u128(), input.u128() | 1);
    put(U256::from(x) * U256::from(y) / U256::from(z));
    output.put((a.cmp(&b), a.leading_zeros()));
    output.put((a.bit_len(), u128::try_from(a).ok()));
}

pub fn square_root(input: &mut Input, output: &mut Output) {
    let number = u256(input);
    let root = square_root_down(number);
    assert!(root * root <= number, "too large a root");
    output.put(root.to_le_bytes::<32>());
}

/// Newton's method from above.
fn square_root_down(number: U256) -> U256 {
    if number.is_zero() {
        return number;
    }
    let mut root = U256::from(1) << number.bit_len().div_ceil(2);
    loop {
        let next = (root + number / root) >> 1;
        if next >= root {
            return root;
        }
        root = next;
    }
}

pub fn text(input: &mut Input, output: &mut Output) {
    let number = u256(input);
    let decimal = number.to_string();
    output.put(U256::from_str_radix(&decimal, 10) == Ok(number));
    output.put(decimal);
    output.put(format!("{number:#x} {number:b}"));
}
