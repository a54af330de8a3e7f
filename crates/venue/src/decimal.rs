//! Prices and sizes as the venue writes them: decimals that are not negative, with at most eight places and no trailing zeros.

use core::{fmt, str::FromStr};
use rust_decimal::{Decimal, prelude::FromPrimitive};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Places after the point that the venue's wire format has.
pub const WIRE_PLACES: u32 = 8;
/// How far a binary float may lie from the decimal that it is taken for.
const FLOAT_TOLERANCE: f64 = 1e-12;

/// What cannot be written on the wire.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// No decimal number.
    #[error("`{0}` is no decimal number such as 189.05; give digits and at most one point")]
    Malformed(String),
    /// Below zero.
    #[error(
        "{0} is negative; the side of an order says buy or sell, its price and size are positive"
    )]
    Negative(String),
    /// Would have to be rounded.
    #[error(
        "{0} has more than {WIRE_PLACES} places after the point; round it to the instrument's step first"
    )]
    TooFine(String),
}

/// A decimal in the venue's normal form. Two equal numbers have the same text, so that they are signed alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct WireDecimal(Decimal);

impl WireDecimal {
    /// Takes a decimal as it is.
    ///
    /// # Errors
    /// Negative, or with more than eight places that are not zero.
    pub fn exact(value: Decimal) -> Result<Self, DecimalError> {
        let value = value.normalize();
        if value.is_sign_negative() && !value.is_zero() {
            return Err(DecimalError::Negative(value.to_string()));
        }
        if value.scale() > WIRE_PLACES {
            return Err(DecimalError::TooFine(value.to_string()));
        }
        Ok(Self(value))
    }

    /// Takes a binary float for the decimal of eight places that it stands for.
    ///
    /// # Errors
    /// Not finite, negative, or further from every such decimal than a float's own error.
    pub fn from_float(value: f64) -> Result<Self, DecimalError> {
        let text = value.to_string();
        if !value.is_finite() {
            return Err(DecimalError::Malformed(text));
        }
        // 28 digits hold every price and size; what they do not hold is refused.
        let exact = Decimal::from_str(&text)
            .ok()
            .or_else(|| Decimal::from_f64(value))
            .ok_or_else(|| DecimalError::Malformed(text.clone()))?;
        let rounded = exact.round_dp(WIRE_PLACES);
        let error = (exact - rounded).abs();
        if Decimal::from_f64(FLOAT_TOLERANCE).is_none_or(|tolerance| error >= tolerance) {
            return Err(DecimalError::TooFine(text));
        }
        Self::exact(rounded)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> Decimal {
        self.0
    }
}

impl FromStr for WireDecimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
        if !plain || !text.bytes().any(|byte| byte.is_ascii_digit()) {
            return Err(DecimalError::Malformed(text.to_owned()));
        }
        // Trailing zeros first, so that digits which say nothing cannot overflow the number.
        let trimmed = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.')
        } else {
            text
        };
        let trimmed = if trimmed.is_empty() || trimmed == "-" {
            "0"
        } else {
            trimmed
        };
        let value = Decimal::from_str_exact(trimmed).map_err(|_| {
            let fine = trimmed
                .split_once('.')
                .is_some_and(|(_, places)| places.len() > WIRE_PLACES as usize);
            if fine {
                DecimalError::TooFine(text.to_owned())
            } else {
                DecimalError::Malformed(text.to_owned())
            }
        })?;
        Self::exact(value)
    }
}

impl fmt::Display for WireDecimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Normalised when it was made: no zeros at the end, never `-0`.
        fmt::Display::fmt(&self.0.abs(), formatter)
    }
}

impl Serialize for WireDecimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WireDecimal {
    /// From text, or from a number as people write configurations.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        match value {
            serde_json::Value::String(text) => text.parse(),
            serde_json::Value::Number(number) => match (number.as_u64(), number.as_f64()) {
                (Some(integer), _) => Self::exact(Decimal::from(integer)),
                (None, Some(float)) => Self::from_float(float),
                (None, None) => Err(DecimalError::Malformed(number.to_string())),
            },
            other => Err(DecimalError::Malformed(other.to_string())),
        }
        .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire(text: &str) -> Result<String, DecimalError> {
        text.parse::<WireDecimal>().map(|value| value.to_string())
    }

    #[test]
    fn equal_numbers_have_one_text() {
        for (text, normal) in [
            ("189.05", "189.05"),
            ("189.0500000000000000000000000000000000", "189.05"),
            ("100", "100"),
            ("100.000", "100"),
            ("0.00123000", "0.00123"),
            (".5", "0.5"),
            ("007", "7"),
            ("0.0", "0"),
            ("-0", "0"),
            ("0.00000001", "0.00000001"),
        ] {
            assert_eq!(wire(text).as_deref(), Ok(normal), "{text}");
        }
    }

    #[test]
    fn what_would_be_rounded_is_refused() {
        assert!(matches!(wire("0.123456789"), Err(DecimalError::TooFine(_))));
        assert!(matches!(
            wire("1.00000000000000000000000000000000000001"),
            Err(DecimalError::TooFine(_))
        ));
        assert!(matches!(wire("-1"), Err(DecimalError::Negative(_))));
        for text in [
            "", ".", "-", "1e5", "1_000", "0x1", "1.2.3", "NaN", "+1", " 1",
        ] {
            assert!(
                matches!(wire(text), Err(DecimalError::Malformed(_))),
                "{text}"
            );
        }
    }

    #[test]
    fn floats_stand_for_the_decimal_they_are_next_to() {
        for (value, text) in [
            (0.1 + 0.2, "0.3"),
            (189.05, "189.05"),
            (1e-8, "0.00000001"),
            (1_670.1, "1670.1"),
            (0.0, "0"),
        ] {
            assert_eq!(
                WireDecimal::from_float(value)
                    .map(|value| value.to_string())
                    .as_deref(),
                Ok(text)
            );
        }
        assert!(matches!(
            WireDecimal::from_float(1e-9),
            Err(DecimalError::TooFine(_))
        ));
        assert!(matches!(
            WireDecimal::from_float(0.000_012_312_312),
            Err(DecimalError::TooFine(_))
        ));
        assert!(matches!(
            WireDecimal::from_float(f64::NAN),
            Err(DecimalError::Malformed(_))
        ));
        assert!(matches!(
            WireDecimal::from_float(-1.5),
            Err(DecimalError::Negative(_))
        ));
    }
}
