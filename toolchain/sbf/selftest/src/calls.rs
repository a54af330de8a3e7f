//! Calling convention: the virtual machine passes five words in registers and returns one.
use crate::{Input, Output};

#[derive(Clone, Copy)]
struct Aggregate {
    small: u8,
    wide: u128,
    words: [u64; 3],
    signed: i32,
    flag: bool,
}

impl Aggregate {
    fn put(&self, output: &mut Output) {
        output.put((self.small, self.wide));
        self.words.iter().for_each(|&word| output.put(word));
        output.put((self.signed, self.flag));
    }
}

#[inline(never)]
#[expect(clippy::too_many_arguments, reason = "that is what is tested")]
fn ten(
    a: u64,
    b: u128,
    c: u8,
    d: i64,
    e: bool,
    f: u32,
    g: &[u8],
    h: u16,
    i: i128,
    j: &mut u64,
) -> Aggregate {
    *j = j.wrapping_add(a) ^ d as u64;
    let sum = g
        .iter()
        .fold(0u32, |sum, &byte| sum.rotate_left(3) ^ u32::from(byte));
    Aggregate {
        small: c.wrapping_add(h as u8),
        wide: b ^ i as u128,
        words: [a, u64::from(f ^ sum), *j],
        signed: (d >> 7) as i32,
        flag: e ^ (i < 0),
    }
}

#[inline(never)]
#[expect(clippy::too_many_arguments, reason = "that is what is tested")]
fn twelve_words(
    a: u64,
    b: u64,
    c: u64,
    d: u64,
    e: u64,
    f: u64,
    g: u64,
    h: u64,
    i: u64,
    j: u64,
    k: u64,
    l: u64,
) -> u64 {
    // Every argument in a place of its own.
    [a, b, c, d, e, f, g, h, i, j, k, l]
        .iter()
        .fold(0, |sum: u64, word| sum.wrapping_mul(31).wrapping_add(*word))
}

#[inline(never)]
fn by_value(first: Aggregate, second: Aggregate, wide: u128) -> (Aggregate, u128) {
    let mut result = if first.flag { first } else { second };
    result.words.reverse();
    (result, first.wide.wrapping_add(second.wide) ^ wide)
}

/// The boundary: exactly as many words as registers, one less, one more.
#[inline(never)]
fn at_the_boundary(a: u128, b: u128, c: u64) -> u64 {
    (a ^ b) as u64 ^ ((a ^ b) >> 64) as u64 ^ c
}

#[inline(never)]
fn beyond_the_boundary(a: u128, b: u128, c: u128) -> u128 {
    a.wrapping_sub(b) ^ c
}

#[inline(never)]
fn across_the_boundary(a: u64, b: u64, c: u64, d: u64, e: u128) -> u128 {
    u128::from(a ^ b) << 64 | u128::from(c ^ d) ^ e
}

fn aggregate(input: &mut Input) -> Aggregate {
    Aggregate {
        small: input.u8(),
        wide: input.u128(),
        words: [input.u64(), input.u64(), input.u64()],
        signed: input.u32() as i32,
        flag: input.below(2) == 1,
    }
}

pub fn many_arguments(input: &mut Input, output: &mut Output) {
    let mut changed = input.u64();
    let bytes = input.bytes(13);
    let (a, b, c, d) = (input.u64(), input.u128(), input.u8(), input.i64());
    let (e, f, h, i) = (
        input.below(2) == 1,
        input.u32(),
        input.u64() as u16,
        input.i128(),
    );
    ten(a, b, c, d, e, f, &bytes, h, i, &mut changed).put(output);
    output.put(changed);
    let words: [u64; 12] = core::array::from_fn(|_| input.u64());
    let [a, b, c, d, e, f, g, h, i, j, k, l] = words;
    output.put(twelve_words(a, b, c, d, e, f, g, h, i, j, k, l));
    let (first, second) = (aggregate(input), aggregate(input));
    let (result, wide) = by_value(first, second, input.u128());
    result.put(output);
    output.put(wide);
    let (a, b, c) = (input.u128(), input.u128(), input.u128());
    output.put(at_the_boundary(a, b, c as u64));
    output.put(beyond_the_boundary(a, b, c));
    output.put(across_the_boundary(
        words[0], words[1], words[2], words[3], c,
    ));
}

#[derive(Clone, Copy)]
enum Failure {
    Zero,
    Overflow { left: u128, right: u64 },
    Many([u64; 5]),
}

#[inline(never)]
fn large_or_failure(a: u128, b: u64, words: &[u64; 5]) -> Result<[u128; 6], Failure> {
    if b == 0 {
        return Err(Failure::Zero);
    }
    if words[0].is_multiple_of(7) {
        return Err(Failure::Many(*words));
    }
    let product = a
        .checked_mul(u128::from(b))
        .ok_or(Failure::Overflow { left: a, right: b })?;
    Ok([
        product,
        a,
        u128::from(b),
        product % 1_000_007,
        !a,
        u128::from(words[4]),
    ])
}

#[inline(never)]
fn optional(a: u128) -> Option<(u128, u8, u64)> {
    a.checked_sub(1 << 60)
        .map(|rest| (rest, rest as u8, (rest >> 8) as u64))
}

#[inline(never)]
fn small_pair(a: u64, b: u64) -> (u64, bool) {
    a.overflowing_mul(b)
}

pub fn large_results(input: &mut Input, output: &mut Output) {
    for _ in 0..3 {
        let words: [u64; 5] = core::array::from_fn(|_| input.u64());
        match large_or_failure(input.u128() >> 20, input.u64(), &words) {
            Ok(numbers) => numbers.into_iter().for_each(|number| output.put(number)),
            Err(Failure::Zero) => output.put(0u8),
            Err(Failure::Overflow { left, right }) => output.put((left, right)),
            Err(Failure::Many(words)) => words.into_iter().for_each(|word| output.put(word)),
        }
        match optional(input.u128()) {
            Some((a, b, c)) => output.put((a, (b, c))),
            None => output.put(1u8),
        }
        output.put(small_pair(words[0], words[1]));
    }
}

/// Greatest common divisor, without a loop: as many frames as Euclid needs steps, at most `depth`.
#[inline(never)]
fn common_divisor(a: u128, b: u128, depth: u32) -> (u128, u32) {
    if b == 0 || depth == 0 {
        return (a, depth);
    }
    let (divisor, left) = common_divisor(b, a % b, depth - 1);
    // Something to do after the call.
    (divisor, left ^ (a as u32 & 1))
}

pub fn recursion(input: &mut Input, output: &mut Output) {
    // The virtual machine has 64 frames.
    output.put(common_divisor(input.u128(), input.u128(), 40));
    output.put(common_divisor(
        u128::from(input.u32()),
        u128::from(input.u32()),
        40,
    ));
}
