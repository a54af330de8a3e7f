//! What a venue trades, and how finely: steps of price and size.

use crate::decimal::{DecimalError, WireDecimal};
use rust_decimal::{Decimal, RoundingStrategy};

/// Digits that a price has at most, unless it is a whole number.
const PRICE_DIGITS: i32 = 5;
/// Places of price and size together, for perpetuals.
const PERP_PLACES: u32 = 6;
/// The smallest order that the venue takes, in dollars; a reducing one may be smaller.
pub const MIN_NOTIONAL: Decimal = Decimal::TEN;

/// Buy or sell.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// More of it, or less short.
    Buy,
    /// Less of it, or more short.
    Sell,
}

impl Side {
    /// The side that raises a position by a signed size.
    #[must_use]
    pub const fn of(size: Decimal) -> Self {
        if size.is_sign_negative() {
            Self::Sell
        } else {
            Self::Buy
        }
    }

    /// The other one.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }

    /// A size with this side's sign.
    #[must_use]
    pub fn signed(self, size: Decimal) -> Decimal {
        match self {
            Self::Buy => size,
            Self::Sell => -size,
        }
    }

    /// Whether a price is as good as a limit, or better, for who is on this side.
    #[must_use]
    pub fn accepts(self, price: Decimal, limit: Decimal) -> bool {
        match self {
            Self::Buy => price <= limit,
            Self::Sell => price >= limit,
        }
    }
}

/// A price or size that is between the instrument's steps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The price is too fine.
    #[error(
        "{coin}: the price {price} is between the venue's steps; at most 5 significant digits and {places} places"
    )]
    Price {
        /// Which instrument.
        coin: String,
        /// The price.
        price: Decimal,
        /// Places that a price has at most.
        places: u32,
    },
    /// The size is too fine.
    #[error("{coin}: the size {size} is between the venue's lots; at most {places} places")]
    Size {
        /// Which instrument.
        coin: String,
        /// The size.
        size: Decimal,
        /// Places that a size has at most.
        places: u32,
    },
    /// Neither may be zero or negative.
    #[error("{coin}: price and size have to be above zero")]
    NotPositive {
        /// Which instrument.
        coin: String,
    },
    /// Not on the wire at all.
    #[error(transparent)]
    Decimal(#[from] DecimalError),
}

/// A perpetual.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// Its name in `meta`.
    pub coin: String,
    /// Its number in `meta`.
    pub asset: u32,
    /// Places of a size.
    pub size_places: u32,
    /// The highest leverage.
    pub max_leverage: u32,
}

impl Instrument {
    /// The smallest size.
    #[must_use]
    pub fn lot(&self) -> Decimal {
        Decimal::new(1, self.size_places)
    }

    /// The smallest order at a price: $10, in whole lots.
    #[must_use]
    pub fn min_size_up(&self, price: Decimal) -> Decimal {
        if price <= Decimal::ZERO {
            return self.lot();
        }
        let size = MIN_NOTIONAL / price;
        size.round_dp_with_strategy(self.size_places, RoundingStrategy::AwayFromZero)
            .max(self.lot())
    }

    /// A size in whole lots, toward zero.
    #[must_use]
    pub fn size_toward_zero(&self, size: Decimal) -> Decimal {
        size.round_dp_with_strategy(self.size_places, RoundingStrategy::ToZero)
    }

    /// The nearest price not above.
    #[must_use]
    pub fn price_down(&self, price: Decimal) -> Decimal {
        price.round_dp_with_strategy(self.price_places(price), RoundingStrategy::ToZero)
    }

    /// The nearest price not below.
    #[must_use]
    pub fn price_up(&self, price: Decimal) -> Decimal {
        price.round_dp_with_strategy(self.price_places(price), RoundingStrategy::AwayFromZero)
    }

    /// Checks a price and a size, and writes them for the wire.
    ///
    /// # Errors
    /// Either is between steps, or not above zero.
    pub fn wire(
        &self,
        price: Decimal,
        size: Decimal,
    ) -> Result<(WireDecimal, WireDecimal), StepError> {
        if price <= Decimal::ZERO || size <= Decimal::ZERO {
            return Err(StepError::NotPositive {
                coin: self.coin.clone(),
            });
        }
        if self.price_down(price) != price {
            let places = self.price_places(price);
            return Err(StepError::Price {
                coin: self.coin.clone(),
                price,
                places,
            });
        }
        if self.size_toward_zero(size) != size {
            return Err(StepError::Size {
                coin: self.coin.clone(),
                size,
                places: self.size_places,
            });
        }
        Ok((WireDecimal::exact(price)?, WireDecimal::exact(size)?))
    }

    /// Places that a price of this magnitude has: five significant digits, at most six less the size's. Whole numbers always pass.
    fn price_places(&self, price: Decimal) -> u32 {
        let most = PERP_PLACES.saturating_sub(self.size_places);
        if price.is_zero() {
            return most;
        }
        // The exponent of the first digit: digits of the mantissa less the places.
        let digits = price
            .mantissa()
            .unsigned_abs()
            .checked_ilog10()
            .unwrap_or(0) as i32;
        let exponent = digits - price.scale() as i32;
        let places = (PRICE_DIGITS - 1 - exponent).max(0);
        most.min(places.unsigned_abs())
    }
}

/// An instrument for the crate's tests.
#[cfg(test)]
pub(crate) fn sol() -> Instrument {
    Instrument {
        coin: "SOL".into(),
        asset: 5,
        size_places: 2,
        max_leverage: 20,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn prices_have_five_digits_and_sizes_go_toward_zero() {
        let sol = sol();
        for (price, down, up) in [
            ("189.0567", "189.05", "189.06"),
            ("1234.56", "1234.5", "1234.6"),
            ("123456.7", "123456", "123457"),
            ("1.234567", "1.2345", "1.2346"),
            ("0.0123456", "0.0123", "0.0124"),
            ("99999.9", "99999", "100000"),
        ] {
            assert_eq!(
                (sol.price_down(dec(price)), sol.price_up(dec(price))),
                (dec(down), dec(up)),
                "{price}"
            );
        }
        let fine = Instrument {
            size_places: 0,
            ..sol.clone()
        };
        assert_eq!(fine.price_down(dec("0.0123456")), dec("0.012345"));
        assert_eq!(sol.size_toward_zero(dec("-1.239")), dec("-1.23"));
        assert_eq!(sol.min_size_up(dec("189")), dec("0.06"));
        assert_eq!(sol.min_size_up(dec("100000")), dec("0.01"));
        assert!(matches!(
            sol.wire(dec("189.056"), dec("1")),
            Err(StepError::Price { .. })
        ));
        assert!(matches!(
            sol.wire(dec("189.05"), dec("1.001")),
            Err(StepError::Size { .. })
        ));
        assert!(matches!(
            sol.wire(dec("189.05"), dec("0")),
            Err(StepError::NotPositive { .. })
        ));
        assert!(sol.wire(dec("123456"), dec("1.5")).is_ok());
    }

    proptest! {
        #[test]
        fn rounded_prices_are_next_to_the_price_and_pass(mantissa in 1_i64..1_000_000_000_000, scale in 0_u32..9, places in 0_u32..6) {
            let instrument = Instrument { size_places: places, ..sol() };
            let price = Decimal::new(mantissa, scale);
            let (down, up) = (instrument.price_down(price), instrument.price_up(price));
            prop_assert!(down <= price && price <= up);
            prop_assert!(instrument.price_down(up) == up && instrument.price_up(down) == down);
            let step = Decimal::new(1, instrument.price_places(price));
            prop_assert!(up - down <= step);
            prop_assert!(down.is_zero() || instrument.wire(down, Decimal::ONE).is_ok());
        }
    }
}
