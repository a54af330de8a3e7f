//! Prices in dollars, as feeds publish them.

use std::{fmt, str::FromStr};

use anyhow::{Context, Result, ensure};
use ballast_client::SqrtPrice;
use ballast_model::oracle::{FeedPrice, sqrt_price_down};

/// Dollars per whole token in units of 10^-8, as Pyth publishes SOL/USD.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsdPrice(i64);

impl UsdPrice {
    /// Power of ten of the unit.
    pub const EXPONENT: i32 = -8;
    /// One dollar.
    pub const ONE: Self = Self(100_000_000);

    /// A price from units of 10^-8 dollars.
    pub const fn from_units(units: i64) -> Self {
        Self(units)
    }

    /// A price from whole dollars. Saturates.
    pub const fn dollars(dollars: i64) -> Self {
        Self(dollars.saturating_mul(Self::ONE.0))
    }

    /// The nearest price to a number of dollars.
    ///
    /// # Errors
    /// If it is not finite, not positive or too large.
    pub fn from_f64(dollars: f64) -> Result<Self> {
        let units = (dollars * Self::ONE.0 as f64).round();
        ensure!(
            units >= 1.0 && units < i64::MAX as f64,
            "price {dollars} is not a positive number of dollars"
        );
        Ok(Self(units as i64))
    }

    /// Units of 10^-8 dollars.
    pub const fn units(self) -> i64 {
        self.0
    }

    /// For display and plots.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / Self::ONE.0 as f64
    }

    /// The price as a feed has it.
    pub const fn feed(self) -> FeedPrice {
        FeedPrice {
            price: self.0,
            exponent: Self::EXPONENT,
        }
    }

    /// The pool's square-root price at which base costs this and quote costs `quote`.
    ///
    /// # Errors
    /// If the pool cannot have such a price.
    pub fn sqrt_price(
        self,
        quote: Self,
        base_decimals: u8,
        quote_decimals: u8,
    ) -> Result<SqrtPrice> {
        sqrt_price_down(self.feed(), quote.feed(), base_decimals, quote_decimals)
            .with_context(|| format!("price {self} over {quote}"))
    }
}

impl fmt::Display for UsdPrice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_f64())
    }
}

impl FromStr for UsdPrice {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let dollars: f64 = text
            .trim()
            .parse()
            .with_context(|| format!("price {text:?} is not a number"))?;
        Self::from_f64(dollars)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_and_units() {
        assert_eq!(
            "200.5".parse::<UsdPrice>().unwrap(),
            UsdPrice::from_units(20_050_000_000)
        );
        assert_eq!(UsdPrice::dollars(200).to_string(), "200");
        for bad in ["", "x", "-1", "0", "nan", "inf", "1e30"] {
            assert!(bad.parse::<UsdPrice>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_square_root_price_of_raw_units() {
        // 200 quote (6 decimals) per base (9 decimals) is 0.2 raw per raw.
        let sqrt = UsdPrice::dollars(200)
            .sqrt_price(UsdPrice::ONE, 9, 6)
            .unwrap();
        let price = (sqrt.x64() as f64 / 2f64.powi(64)).powi(2);
        assert!((price - 0.2).abs() < 1e-15);
    }
}
