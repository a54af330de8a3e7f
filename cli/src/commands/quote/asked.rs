//! Prices that somebody asks for, separated by commas.

use std::str::FromStr;

use anyhow::{Result, bail};
use ballast_model::screen::Real;

use crate::decimal::{NumberError, Positive};
use crate::trouble::misuse;

/// Prices, as they were written.
#[derive(Clone, Debug)]
pub struct AskedPrices {
    text: String,
    prices: Vec<f64>,
}

impl FromStr for AskedPrices {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let price = |part: &str| Ok(part.parse::<Positive>()?.double().to_f64());
        Ok(Self {
            text: text.to_owned(),
            prices: text.split(',').map(price).collect::<Result<_, _>>()?,
        })
    }
}

impl AskedPrices {
    /// The prices of a position at `price`.
    ///
    /// # Errors
    /// What may as well be one price with separators between its thousands: that is nearer to `price` than the parts are.
    pub fn around(&self, price: f64) -> Result<&[f64]> {
        let far = |asked: f64| (asked / price).ln().abs();
        let farthest = self.prices.iter().map(|asked| far(*asked));
        if let Some(one) = self.as_one_number()
            && far(one) < farthest.fold(0.0, f64::max)
        {
            bail!(misuse!(
                "--at {text} may be one price or {count}: write --at {one}, without separators, or {each}",
                text = self.text,
                count = self.prices.len(),
                each = self
                    .text
                    .split(',')
                    .map(|part| format!("--at {part}"))
                    .collect::<Vec<_>>()
                    .join(" ")
            ));
        }
        Ok(&self.prices)
    }

    /// The number that this is if the commas separate thousands.
    fn as_one_number(&self) -> Option<f64> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let whole = self
            .text
            .split_once('.')
            .map_or(&*self.text, |(whole, _)| whole);
        let mut groups = whole.split(',');
        let first = groups.next()?;
        let mut others = groups.peekable();
        others.peek()?;
        let grouped = (1..=3).contains(&first.len())
            && digits(first)
            && others.all(|group| group.len() == 3 && digits(group));
        let one = self.text.replace(',', "").parse().ok();
        one.filter(|_| grouped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_price_with_separators_is_told_from_several_prices() {
        for (text, price, refusal) in [
            (
                "1,500",
                200.0,
                "--at 1,500 may be one price or 2: write --at 1500, without separators, or --at 1 --at 500",
            ),
            (
                "1,500.5",
                1_400.0,
                "--at 1,500.5 may be one price or 2: write --at 1500.5, without separators, or --at 1 --at 500.5",
            ),
            (
                "190,210",
                200_000.0,
                "--at 190,210 may be one price or 2: write --at 190210, without separators, or --at 190 --at 210",
            ),
            (
                "1,234,567",
                2e6,
                "--at 1,234,567 may be one price or 3: write --at 1234567, without separators, or --at 1 --at 234 --at \
                 567",
            ),
        ] {
            let asked: AskedPrices = text.parse().unwrap();
            let error = asked.around(price).unwrap_err();
            assert_eq!(error.to_string(), refusal);
        }
        for (text, price, expected) in [
            ("190,210,250", 200.0, &[190.0, 210.0, 250.0][..]),
            ("50,100", 80.0, &[50.0, 100.0]),
            ("1,500", 20.0, &[1.0, 500.0]),
            ("1500", 200.0, &[1500.0]),
            ("1.5,500", 200.0, &[1.5, 500.0]),
            ("1e3,500", 200.0, &[1e3, 500.0]),
            ("1500,200", 200.0, &[1500.0, 200.0]),
        ] {
            let asked: AskedPrices = text.parse().unwrap();
            assert_eq!(asked.around(price).unwrap(), expected, "{text}");
        }
        for text in ["", "1,", ",1", "1,x", "1, 500", "0,1"] {
            assert!(text.parse::<AskedPrices>().is_err(), "{text}");
        }
    }
}
