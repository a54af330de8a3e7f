//! Exact numbers: fractions of integers of any size, and the three functions that are none, to a stated error.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};

/// An exact number.
pub type Q = BigRational;

/// Fraction bits to which long fractions are cut, always down: 2^-192 of a raw unit. A thousand cuts are still below 2^-180,
/// whatever is compared is in units.
const GRID: usize = 192;
/// Fraction bits within functions.
const FINE: usize = 320;

/// A whole number.
pub fn int(number: impl Into<BigInt>) -> Q {
    Q::from_integer(number.into())
}

/// Hundredths of a percent.
pub fn bps(number: u32) -> Q {
    Q::new(number.into(), 10_000.into())
}

/// A Q64.64 number.
pub fn x64(number: u128) -> Q {
    Q::new(number.into(), BigInt::one() << 64)
}

/// 2^-bits.
pub fn tiny(bits: usize) -> Q {
    Q::new(BigInt::one(), BigInt::one() << bits)
}

/// Cut to [`GRID`].
pub fn cut(number: Q) -> Q {
    Q::new(scaled(&number, GRID), BigInt::one() << GRID)
}

/// The larger of a number and zero.
pub fn positive(number: Q) -> Q {
    if number.is_negative() {
        Q::zero()
    } else {
        number
    }
}

/// The smaller one.
pub fn least(a: Q, b: Q) -> Q {
    if b < a { b } else { a }
}

/// The larger one.
pub fn most(a: Q, b: Q) -> Q {
    if b > a { b } else { a }
}

/// For messages.
pub fn show(number: &Q) -> f64 {
    number.to_f64().unwrap_or(f64::NAN)
}

/// `e^x` for `x >= 0`, too small by less than 2^-240 of it: the series of `e^(x / 2^k)` with `x / 2^k < 1/256`, squared `k`
/// times. Each of less than 64 terms is cut at 2^-320, and squaring doubles the relative error: 2^(6 + k - 320).
pub fn exp(x: &Q) -> Q {
    let x = scaled(x, FINE);
    let halvings = (x.bits() as usize + 8).saturating_sub(FINE);
    let x = x >> halvings;
    let one = BigInt::one() << FINE;
    let (mut term, mut sum) = (one.clone(), one.clone());
    for k in 1.. {
        term = ((term * &x) >> FINE) / k;
        if term.is_zero() {
            break;
        }
        sum += &term;
    }
    for _ in 0..halvings {
        sum = (&sum * &sum) >> FINE;
    }
    Q::new(sum, one)
}

/// The square root, cut to [`GRID`].
pub fn sqrt(square: &Q) -> Q {
    Q::new(scaled(square, 2 * GRID).sqrt(), BigInt::one() << GRID)
}

/// The square root of a tick's price, `1.0001^(tick/2)`, too small by less than 2^-280 of it. The pool program's own number is
/// a table's product in 64 bits; the two differ by a few units of 2^-64, which moves no amount by a raw unit.
pub fn sqrt_of_tick(tick: i32) -> Q {
    let one = BigInt::one() << FINE;
    let mut power = ((BigInt::from(10_001) << (2 * FINE)) / BigInt::from(10_000)).sqrt();
    let mut product = one.clone();
    let mut left = tick.unsigned_abs();
    while left > 0 {
        if left & 1 == 1 {
            product = (product * &power) >> FINE;
        }
        power = (&power * &power) >> FINE;
        left >>= 1;
    }
    if tick < 0 {
        cut(Q::new(one, product))
    } else {
        cut(Q::new(product, one))
    }
}

/// `floor(number 2^bits)`.
fn scaled(number: &Q, bits: usize) -> BigInt {
    (number * Q::from_integer(BigInt::one() << bits))
        .floor()
        .to_integer()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(number: &Q, digits: &str) {
        let (whole, fraction) = digits.split_once('.').unwrap();
        let expected = Q::new(
            format!("{whole}{fraction}").parse().unwrap(),
            BigInt::from(10).pow(fraction.len() as u32),
        );
        let error = Q::new(BigInt::one(), BigInt::from(10).pow(fraction.len() as u32));
        assert!((number - expected).abs() <= error, "{}", show(number));
    }

    #[test]
    fn published_digits() {
        // e, e^-1 as its reciprocal, e^10, sqrt 2.
        near(
            &exp(&int(1)),
            "2.71828182845904523536028747135266249775724709",
        );
        near(
            &exp(&int(1)).recip(),
            "0.36787944117144232159552377016146086744581113",
        );
        near(
            &exp(&int(10)),
            "22026.4657948067165169579006452842443663535126",
        );
        near(
            &sqrt(&int(2)),
            "1.41421356237309504880168872420969807856967187",
        );
        assert_eq!(exp(&int(0)), int(1));
    }

    #[test]
    fn ticks_are_powers() {
        assert_eq!(sqrt_of_tick(0), int(1));
        let two = sqrt_of_tick(2);
        assert!((two - Q::new(10_001.into(), 10_000.into())).abs() < tiny(180));
        let (up, down) = (sqrt_of_tick(16_095), sqrt_of_tick(-16_095));
        assert!((up * down - int(1)).abs() < tiny(180));
    }
}
