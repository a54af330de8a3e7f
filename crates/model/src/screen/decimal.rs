use thiserror::Error;

use super::{Double, Real};

/// Why a text is no number that can be computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecimalError {
    /// Not of the form `-1.23E+4`.
    #[error("is not a decimal number: write it like 1.25, -3 or 1.25E+3, without separators")]
    Malformed,
    /// Beyond what the formulas can take.
    #[error("is out of range: magnitudes from 1E-45 to 1E+45 (and 0) are supported")]
    OutOfRange,
}

/// Half of the decimal digits that are kept; a double has 32.
const HALF: usize = 19;
const LARGEST_EXPONENT: i64 = 45;

/// Parses a decimal number with optional sign, fraction and exponent, to the precision of [`Double`].
///
/// # Errors
/// [`DecimalError`].
pub fn parse_decimal(text: &str) -> Result<Double, DecimalError> {
    let bytes = text.as_bytes();
    let (negative, mut rest) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    // The first and the next 19 digits, which fit 64 bits each.
    let mut halves = [0u64; 2];
    let mut digits = 0usize;
    let mut any = false;
    let mut fraction = false;
    // Power of ten of the last digit kept.
    let mut exponent = 0i64;
    while let [byte, tail @ ..] = rest {
        match byte {
            b'0'..=b'9' => {
                any = true;
                if let Some(half) = halves.get_mut(digits / HALF) {
                    *half = *half * 10 + u64::from(byte - b'0');
                    digits += usize::from(halves[0] != 0);
                    exponent -= i64::from(fraction);
                } else {
                    exponent += i64::from(!fraction);
                }
            }
            b'.' if !fraction => fraction = true,
            _ => break,
        }
        rest = tail;
    }
    let mantissa =
        u128::from(halves[0]) * POWERS_OF_TEN[digits.saturating_sub(HALF)] + u128::from(halves[1]);
    if !any {
        return Err(DecimalError::Malformed);
    }
    exponent = exponent.saturating_add(match rest {
        [] => 0,
        [b'e' | b'E', power @ ..] => parse_power(power)?,
        _ => return Err(DecimalError::Malformed),
    });
    if mantissa == 0 {
        return Ok(Double::ZERO);
    }
    let magnitude = exponent.saturating_add(i64::from(mantissa.ilog10()));
    if !(-LARGEST_EXPONENT..=LARGEST_EXPONENT).contains(&magnitude) {
        return Err(DecimalError::OutOfRange);
    }
    let value = Double::from_u128(mantissa);
    // |exponent| <= 45 + 37 now.
    let power = power_of_ten(exponent.unsigned_abs() as usize);
    let value = if exponent >= 0 {
        value * power
    } else {
        value / power
    };
    Ok(if negative { -value } else { value })
}

/// A signed integer; far beyond any range it saturates.
fn parse_power(text: &[u8]) -> Result<i64, DecimalError> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(DecimalError::Malformed);
    }
    let power = digits.iter().fold(0i64, |power, digit| {
        (power * 10 + i64::from(digit - b'0')).min(1_000_000)
    });
    Ok(if negative { -power } else { power })
}

/// 10^n for any n that a magnitude in range leaves; beyond 76 it recurs. Up to 10^38 it is exact.
fn power_of_ten(n: usize) -> Double {
    match POWERS_OF_TEN.get(n) {
        Some(power) => Double::from_u128(*power),
        None => Double::from_u128(POWERS_OF_TEN[38]) * power_of_ten(n - 38),
    }
}

const POWERS_OF_TEN: [u128; 39] = {
    let mut powers = [1; 39];
    let mut n = 1;
    while n < 39 {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn forms() {
        for (text, expected) in [
            ("0", 0.0),
            ("-0.000", 0.0),
            ("0.000000000000000000000000000000E-6", 0.0),
            ("0E+99999999999999999999", 0.0),
            ("1", 1.0),
            ("+1.5", 1.5),
            ("-2.", -2.0),
            (".25", 0.25),
            ("4.549334651273000000000000000000E+3", 4549.334651273),
            ("8.693985693994592e3", 8693.985693994592),
            ("12300e-2", 123.0),
            ("0.00001e5", 1.0),
            ("100000000000000000000000000000000000000000000e-44", 1.0),
            ("0.00000000000000000000000000000000000000000001e44", 1.0),
        ] {
            assert_eq!(
                parse_decimal(text).map(Real::to_f64),
                Ok(expected),
                "{text}"
            );
        }
    }

    #[test]
    fn keeps_31_digits() {
        let a = parse_decimal("1.234567890123456789012345678901E+3").unwrap();
        let b = parse_decimal("1.234567890123456789012345678900E+3").unwrap();
        let step = (a - b).to_f64();
        assert!((step / 1e-27 - 1.0).abs() < 0.03, "{step}");
    }

    #[test]
    fn refuses_what_is_no_number() {
        for text in [
            "",
            "-",
            "+",
            ".",
            "e5",
            "NaN",
            "nan",
            "inf",
            "Infinity",
            "-Infinity",
            "1e",
            "1e+",
            "1e1.5",
            "1.2.3",
            "1,5",
            "1_0",
            " 1",
            "1 ",
            "0x10",
            "--1",
            "1e5e5",
            "١",
        ] {
            assert_eq!(
                parse_decimal(text),
                Err(DecimalError::Malformed),
                "{text:?}"
            );
        }
        for text in [
            "1e46",
            "1e-46",
            "1E+99999999999999999999999",
            "1E-99999999999999999999999",
            "9".repeat(47).as_str(),
        ] {
            assert_eq!(parse_decimal(text), Err(DecimalError::OutOfRange), "{text}");
        }
        assert!(parse_decimal("9.99e45").is_ok() && parse_decimal("1e-45").is_ok());
    }

    proptest! {
        #![proptest_config(crate::seed::config(2_000))]

        #[test]
        fn reads_what_f64_prints(value in proptest::num::f64::NORMAL) {
            let text = format!("{value:e}");
            match parse_decimal(&text) {
                Ok(parsed) => prop_assert!((parsed.to_f64() - value).abs() <= value.abs() * 1e-16),
                Err(error) => {
                    prop_assert_eq!(error, DecimalError::OutOfRange);
                    prop_assert!(value.abs() >= 1e46 || value.abs() < 1e-45);
                }
            }
        }

        #[test]
        fn never_panics(text in "[-+0-9.eE]{0,60}") {
            if let Ok(value) = parse_decimal(&text) {
                prop_assert!(value.to_f64().is_finite());
            }
        }
    }
}
