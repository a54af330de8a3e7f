//! Decimals with a meaning: what must be positive, and ratios.

use std::str::FromStr;

use ballast_model::Bps;

use super::{Decimal, NumberError};
use crate::trouble::{Misuse, misuse};

/// A decimal number greater than zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Positive(pub Decimal);

impl FromStr for Positive {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let number: Decimal = text.parse()?;
        if number.mantissa == 0 {
            return Err(NumberError::NotPositive(text.to_owned()));
        }
        Ok(Self(number))
    }
}

impl std::ops::Deref for Positive {
    type Target = Decimal;

    fn deref(&self) -> &Decimal {
        &self.0
    }
}

/// A ratio: `0.8`, `80%` or `3x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ratio(pub Decimal);

impl FromStr for Ratio {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        // As it is printed: 3.00x.
        if let Some(times) = text.strip_suffix(['x', 'X']) {
            let times = times.trim_end().parse::<Decimal>();
            return times
                .map(Self)
                .map_err(|_| NumberError::Malformed(text.to_owned()));
        }
        let Some(percent) = text.strip_suffix('%') else {
            return text.parse().map(Self);
        };
        let percent: Decimal = percent
            .trim_end()
            .parse()
            .map_err(|_| NumberError::Malformed(text.to_owned()))?;
        Decimal::new(percent.mantissa, percent.exponent.saturating_sub(2), text).map(Self)
    }
}

impl std::ops::Deref for Ratio {
    type Target = Decimal;

    fn deref(&self) -> &Decimal {
        &self.0
    }
}

impl Ratio {
    /// As leverage: assets over own funds.
    ///
    /// # Errors
    /// Below 1, or more than 32 bits of basis points.
    pub fn leverage(&self) -> Result<Bps, Misuse> {
        let leverage = self
            .bps_down()
            .map_err(|error| misuse!("--leverage: {error}"))?;
        match leverage >= Bps::ONE {
            true => Ok(leverage),
            false => Err(misuse!(
                "--leverage {} is below 1: 1 borrows nothing, 3 owns three times the own funds",
                self.0
            )),
        }
    }
}

/// A standard deviation of a day's move, for `value_parser`. More than 100 % is written with its sign: 4 is meant as 4 %.
///
/// # Errors
/// As of a [`Ratio`], and what to write.
pub fn sigma_day(text: &str) -> Result<Ratio, String> {
    let sigma: Ratio = text
        .parse()
        .map_err(|error: NumberError| error.to_string())?;
    if sigma.f64() > 1.0 && !text.ends_with('%') {
        return Err(format!(
            "{text} would be {:.0}% a day: write {text}% or {}, or with the sign if more than 100% is meant",
            sigma.f64() * 100.0,
            sigma.f64() / 100.0
        ));
    }
    Ok(sigma)
}

/// A ratio that may be negative.
///
/// # Errors
/// As of a [`Ratio`].
pub fn signed(text: &str) -> Result<f64, NumberError> {
    let (sign, ratio) = text
        .strip_prefix('-')
        .map_or((1.0, text), |ratio| (-1.0, ratio));
    Ok(sign * ratio.parse::<Ratio>()?.f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_may_be_negative_where_that_makes_sense() {
        assert_eq!(signed("0.5%"), Ok(0.005));
        assert_eq!(signed("-0.002"), Ok(-0.002));
        for text in ["", "-", "--1", "x"] {
            assert!(signed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn four_is_no_usual_days_move() {
        for (text, expected) in [("4%", 0.04), ("0.04", 0.04), ("1", 1.0), ("400%", 4.0)] {
            assert!(
                (sigma_day(text).unwrap().f64() - expected).abs() < 1e-12,
                "{text}"
            );
        }
        for text in ["4", "1.01", "4x"] {
            let error = sigma_day(text).unwrap_err();
            assert!(error.contains(": write "), "{error}");
        }
        let error = sigma_day("4").unwrap_err();
        assert!(
            error.starts_with("4 would be 400% a day: write 4% or 0.04"),
            "{error}"
        );
        assert!(sigma_day("x").is_err());
    }

    #[test]
    fn zero_is_not_positive() {
        assert!("0".parse::<Positive>().is_err() && "0.1".parse::<Positive>().is_ok());
    }

    #[test]
    fn ratios_and_percent() {
        let bps = |text: &str| text.parse::<Ratio>().unwrap().bps_down().unwrap().get();
        assert_eq!(
            (bps("3"), bps("0.8"), bps("80%"), bps("0.83%")),
            (30_000, 8_000, 8_000, 83)
        );
        assert_eq!((bps("0.33333"), bps("1e2%")), (3_333, 10_000));
        assert_eq!(
            (bps("3x"), bps("2.50x"), bps("3 x")),
            (30_000, 25_000, 30_000)
        );
        assert_eq!((bps("65 %"), bps("1,000%")), (6_500, 100_000));
        for wrong in ["x", "3xx", "3x%", "3%x", " x", "all x"] {
            assert!(wrong.parse::<Ratio>().is_err(), "{wrong}");
        }
        assert!("%".parse::<Ratio>().is_err() && "8%%".parse::<Ratio>().is_err());
        assert!("429497".parse::<Ratio>().unwrap().bps_down().is_err());
    }
}
