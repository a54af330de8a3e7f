//! f64, in software. f32 and conversions to signed integers are refused by the Debian tool chain.
use crate::{Input, Output};

/// Shortest and exact decimals, and back.
pub fn text(input: &mut Input, output: &mut Output) {
    let (a, b) = (float(input), float(input));
    output.put(format!("{a} {b:?} {a:e} {b:.3} {a:+.12}"));
    output.put((
        a.to_string().parse::<f64>().ok(),
        format!("{b:e}").parse::<f64>().ok(),
    ));
    output.put(
        format!("{}.{}e-{}", input.u64(), input.u128(), input.u8())
            .parse::<f64>()
            .ok(),
    );
}

/// Any bits, or a number of an everyday size, or a special one.
fn float(input: &mut Input) -> f64 {
    const SPECIAL: [f64; 8] = [
        0.0,
        -0.0,
        1.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        f64::MIN_POSITIVE,
        f64::MAX,
    ];
    match input.below(8) {
        0 => SPECIAL[input.below(8)],
        1 | 2 => f64::from_bits(input.u64()),
        // Denormal.
        3 => f64::from_bits(input.u64() >> 12),
        _ => input.i64() as f64 / (input.u32() as f64 + 1.0),
    }
}

pub fn arithmetic(input: &mut Input, output: &mut Output) {
    for _ in 0..3 {
        let (a, b) = (float(input), float(input));
        output.put((a + b, a - b));
        output.put((a * b, a / b));
        output.put((-a, -b));
        output.put((a < b, a <= b));
        output.put((a > b, a >= b));
        output.put((a == b, a != b));
        output.put(a.partial_cmp(&b));
        output.put(a.total_cmp(&b));
        output.put((a.is_nan(), a.is_finite()));
        output.put((a as u64, b as u64));
        output.put((input.u64() as f64, input.i64() as f64));
        output.put((f64::from(input.u32()), f64::from(input.u8() as i8)));
    }
}
