//! Numbers as people write them: exact decimals, turned into raw units, ratios and square-root prices.

mod kinds;

use std::{borrow::Cow, fmt, str::FromStr};

use ballast_clmm::wide::{U256, isqrt_down};
use ballast_model::{
    Bps, SqrtPrice,
    screen::{Double, Real, parse_decimal},
};
use thiserror::Error;

pub use kinds::{Positive, Ratio, sigma_day, signed};

/// Why a number cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NumberError {
    /// Not of the form `1.25`, `-3` or `1.25e3`.
    #[error("`{0}` is not a decimal number: write it {how}", how = written(.0))]
    Malformed(String),
    /// More digits, or a larger exponent, than anything here needs.
    #[error("`{0}` is out of range: write at most 38 digits and exponents within 45")]
    OutOfRange(String),
    /// Below zero.
    #[error("`{0}` is negative: write 0 or more")]
    Negative(String),
    /// Zero where there must be something.
    #[error("`{0}` must be greater than 0")]
    NotPositive(String),
    /// Finer than the token.
    #[error("`{value}` has more decimals than the token's {decimals}: write at most {decimals}")]
    TooFine {
        /// As it was written.
        value: String,
        /// The token's decimals.
        decimals: u8,
    },
    /// More than 64 bits of raw units.
    #[error(
        "`{value}` is more than an account can hold: with {decimals} decimals the most is 18446744073709551615 raw units"
    )]
    TooMuch {
        /// As it was written.
        value: String,
        /// The token's decimals.
        decimals: u8,
    },
    /// No pool can have this price.
    #[error(
        "price `{value}` is outside the range of a pool: check it, and that base has {base_decimals} and quote \
         {quote_decimals} decimals"
    )]
    Price {
        /// As it was written.
        value: String,
        /// Decimals of the base token.
        base_decimals: u8,
        /// Decimals of the quote token.
        quote_decimals: u8,
    },
    /// More than 32 bits of basis points.
    #[error("`{0}` is too large a ratio")]
    Ratio(String),
}

/// A decimal number that is not negative, `mantissa * 10^exponent`, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    mantissa: u128,
    exponent: i32,
    text: String,
}

/// How what is no number should be written.
fn written(text: &str) -> &'static str {
    if text.contains([',', '_', ' ', '\'']) {
        "with a decimal point, and commas at most between groups of three digits, like 1.25 or 1,500"
    } else {
        "like 1.25 or 1.25e3"
    }
}

/// Digits without the commas between groups of three; `None` where commas stand elsewhere: `1,5` may be meant as 1.5.
fn ungrouped(whole: &str) -> Option<Cow<'_, str>> {
    let Some((first, groups)) = whole.split_once(',') else {
        return Some(whole.into());
    };
    let first_is_one = (1..=3).contains(&first.len()) && !first.starts_with('0');
    let mut groups = groups.split(',');
    (first_is_one && groups.all(|group| group.len() == 3)).then(|| whole.replace(',', "").into())
}

/// The number after `e`; far beyond any range it saturates.
fn parse_power(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let far = if text.starts_with('-') {
        -1_000_000
    } else {
        1_000_000
    };
    Some(text.parse().unwrap_or(far))
}

impl FromStr for Decimal {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let malformed = || NumberError::Malformed(text.to_owned());
        let out_of_range = || NumberError::OutOfRange(text.to_owned());
        let (number, power) = match text.split_once(['e', 'E']) {
            Some((number, power)) => (number, parse_power(power).ok_or_else(malformed)?),
            None => (text, 0),
        };
        let (negative, number) = match number.strip_prefix('-') {
            Some(number) => (true, number),
            None => (false, number.strip_prefix('+').unwrap_or(number)),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let whole = &*ungrouped(whole).ok_or_else(malformed)?;
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
            return Err(malformed());
        }
        // Zeros at the end of a fraction say nothing.
        let fraction = fraction.trim_end_matches('0');
        let digits = [whole.trim_start_matches('0'), fraction].concat();
        let mantissa = match digits.as_str() {
            "" => 0,
            digits if digits.len() <= 38 => digits.parse::<u128>().map_err(|_| malformed())?,
            _ => return Err(out_of_range()),
        };
        let places = i32::try_from(fraction.len()).map_err(|_| out_of_range())?;
        let exponent = power.checked_sub(places).ok_or_else(out_of_range)?;
        if negative && mantissa > 0 {
            return Err(NumberError::Negative(text.to_owned()));
        }
        Self::new(mantissa, exponent, text)
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Decimal {
    fn new(mantissa: u128, exponent: i32, text: &str) -> Result<Self, NumberError> {
        let number = Self {
            mantissa,
            exponent: if mantissa == 0 { 0 } else { exponent },
            text: text.to_owned(),
        };
        number
            .try_double()
            .map(|_| number)
            .ok_or_else(|| NumberError::OutOfRange(text.to_owned()))
    }

    fn try_double(&self) -> Option<Double> {
        parse_decimal(&format!("{}e{}", self.mantissa, self.exponent)).ok()
    }

    /// The number for calculations off chain, with 31 digits.
    pub fn double(&self) -> Double {
        // Every number that exists was converted once.
        self.try_double().unwrap_or_default()
    }

    /// The nearest floating-point number.
    pub fn f64(&self) -> f64 {
        self.double().to_f64()
    }

    /// `value * 10^shift` rounded down, and whether that is exact; `None` beyond 128 bits.
    fn shifted_down(&self, shift: u32) -> Option<(u128, bool)> {
        if self.mantissa == 0 {
            return Some((0, true));
        }
        let power = self.exponent.checked_add(i32::try_from(shift).ok()?)?;
        let Some(factor) = 10u128.checked_pow(power.unsigned_abs()) else {
            return (power < 0).then_some((0, false));
        };
        if power >= 0 {
            Some((self.mantissa.checked_mul(factor)?, true))
        } else {
            Some((self.mantissa / factor, self.mantissa.is_multiple_of(factor)))
        }
    }

    /// Raw units of a token, exactly.
    ///
    /// # Errors
    /// [`NumberError::TooFine`], [`NumberError::TooMuch`].
    pub fn raw(&self, decimals: u8) -> Result<u64, NumberError> {
        let (raw, exact) = self.raw_down(decimals)?;
        if !exact {
            let value = self.text.clone();
            return Err(NumberError::TooFine { value, decimals });
        }
        Ok(raw)
    }

    /// Raw units of a token rounded down, and whether that is exact.
    ///
    /// # Errors
    /// [`NumberError::TooMuch`].
    pub fn raw_down(&self, decimals: u8) -> Result<(u64, bool), NumberError> {
        self.shifted_down(decimals.into())
            .and_then(|(raw, exact)| Some((u64::try_from(raw).ok()?, exact)))
            .ok_or_else(|| NumberError::TooMuch {
                value: self.text.clone(),
                decimals,
            })
    }

    /// A ratio in basis points, rounded down: `3` is 30000.
    ///
    /// # Errors
    /// [`NumberError::Ratio`].
    pub fn bps_down(&self) -> Result<Bps, NumberError> {
        self.shifted_down(4)
            .and_then(|(bps, _)| u32::try_from(bps).ok())
            .map(Bps::new)
            .ok_or_else(|| NumberError::Ratio(self.text.clone()))
    }

    /// The square root of a price in whole tokens (quote per base) as a pool has it, rounded down.
    ///
    /// # Errors
    /// [`NumberError::Price`] outside what a pool can represent.
    pub fn sqrt_price_down(
        &self,
        base_decimals: u8,
        quote_decimals: u8,
    ) -> Result<SqrtPrice, NumberError> {
        let sqrt_price = || {
            // Raw quote per raw base times 2^128; the root of that is Q64.64. The root of the floor is the floor of the
            // root.
            let power = self
                .exponent
                .checked_add(i32::from(quote_decimals))?
                .checked_sub(i32::from(base_decimals))?;
            let factor = 10u128.checked_pow(power.unsigned_abs())?;
            let square = if power >= 0 {
                U256::from(self.mantissa.checked_mul(factor)?) << 128usize
            } else {
                (U256::from(self.mantissa) << 128usize).checked_div(U256::from(factor))?
            };
            SqrtPrice::new(isqrt_down(square)).ok()
        };
        sqrt_price().ok_or_else(|| NumberError::Price {
            value: self.text.clone(),
            base_decimals,
            quote_decimals,
        })
    }
}

#[cfg(test)]
mod tests;
