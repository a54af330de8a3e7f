//! Prices in whole tokens.

use ballast_model::{
    SqrtPrice,
    screen::{Double, Real},
};

fn power_of_ten(exponent: u32) -> Double {
    (0..exponent).fold(Double::ONE, |power, _| power * Double::new(10.0))
}

/// A square-root price as a price in whole tokens, with 31 digits.
pub fn price(sqrt_price: SqrtPrice, base_decimals: u8, quote_decimals: u8) -> Double {
    let root = Double::from_u128(sqrt_price.x64()) / Double::from_u128(1 << 64);
    let shift = i32::from(base_decimals) - i32::from(quote_decimals);
    let factor = power_of_ten(shift.unsigned_abs());
    let price = root * root;
    if shift >= 0 {
        price * factor
    } else {
        price / factor
    }
}

/// What turns raw units of two tokens into whole ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// Decimals of the base token.
    pub base_decimals: u8,
    /// Decimals of the quote token.
    pub quote_decimals: u8,
}

impl Scale {
    /// See [`price()`].
    pub fn price(self, sqrt_price: SqrtPrice) -> f64 {
        price(sqrt_price, self.base_decimals, self.quote_decimals).to_f64()
    }

    /// A price in raw units as one in whole tokens.
    pub fn raw_price(self, raw: f64) -> f64 {
        raw * self.of_price()
    }

    /// Raw base in whole tokens.
    pub fn base(self, raw: f64) -> f64 {
        raw / 10f64.powi(self.base_decimals.into())
    }

    /// Raw quote in whole tokens.
    pub fn quote(self, raw: f64) -> f64 {
        raw / 10f64.powi(self.quote_decimals.into())
    }

    /// Raw base per raw price, in whole tokens.
    pub fn gamma(self, raw: f64) -> f64 {
        self.base(raw) / self.of_price()
    }

    fn of_price(self) -> f64 {
        10f64.powi(i32::from(self.base_decimals) - i32::from(self.quote_decimals))
    }

    /// The square-root price nearest to a price in whole tokens; `None` beyond those that there are.
    pub fn sqrt_price(self, price: f64) -> Option<SqrtPrice> {
        let root = (price / self.of_price()).sqrt() * 2f64.powi(64);
        // `as` saturates, and makes 0 of what is no number.
        SqrtPrice::new(root as u128).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_in_whole_tokens_there_and_back() {
        for (base, quote, one) in [(6, 6, 1.0), (9, 6, 1_000.0), (6, 9, 0.001)] {
            let scale = Scale {
                base_decimals: base,
                quote_decimals: quote,
            };
            assert_eq!(scale.price(SqrtPrice::ONE), one);
            for price in [one / 7.0, one, one * 123.456] {
                let back = scale.price(scale.sqrt_price(price).unwrap());
                assert!((back / price - 1.0).abs() < 1e-14, "{back} {price}");
            }
            assert_eq!(scale.sqrt_price(f64::NAN), None);
            assert_eq!(scale.sqrt_price(-1.0), None);
            assert_eq!(scale.raw_price(1.0), one);
        }
    }
}
