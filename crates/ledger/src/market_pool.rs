use ballast_clmm::{Amounts, Band, FEE_RATE_DENOMINATOR_PPM, SqrtPrice, wide};
use ballast_model::{ModelError, base_for_value_up, value_down, value_up};

use crate::{LedgerError, Moved, Order, Pool};

/// A pool at the market's price, so deep that trades do not move it: to carry actions out in, where no other is known.
#[derive(Clone, Copy, Debug)]
pub struct MarketPool {
    price: SqrtPrice,
    fee_ppm: u32,
    /// Fees that the position has earned: not booked, and booked.
    earned: Amounts,
    booked: Amounts,
}

impl MarketPool {
    /// A pool at a price, with what one position has earned in it and has not been paid.
    pub fn new(price: SqrtPrice, fee_ppm: u32, earned: Amounts) -> Self {
        Self {
            price,
            fee_ppm,
            earned,
            booked: Amounts::ZERO,
        }
    }

    /// Fees that have not been paid.
    ///
    /// # Errors
    /// [`ModelError::Clmm`] beyond 64 bits.
    pub fn fees(&self) -> Result<Amounts, ModelError> {
        Ok(self.earned.checked_add(self.booked)?)
    }

    fn part_down(&self, amount: u128, num: u32, den: u32) -> Result<u128, ModelError> {
        wide::mul_div_down(amount, num.into(), den.into()).ok_or(ModelError::Overflow("traded"))
    }

    fn swapped(&self, order: Order) -> Result<Moved, ModelError> {
        let all = FEE_RATE_DENOMINATOR_PPM;
        let less = all - self.fee_ppm;
        let amount = |value: u128| u64::try_from(value).map_err(|_| ModelError::Overflow("traded"));
        match order {
            Order::Sell(base) => {
                let quote = self.part_down(value_down(base, self.price)?, less, all)?;
                Ok(Moved {
                    base,
                    quote: amount(quote)?,
                })
            }
            Order::Buy(base) => {
                let value = value_up(base, self.price)?;
                let quote = wide::mul_div_up(value, all.into(), less.into());
                Ok(Moved {
                    base,
                    quote: amount(quote.ok_or(ModelError::Overflow("traded"))?)?,
                })
            }
            Order::Spend(quote) => {
                let value = self.part_down(quote.into(), less, all)?;
                // The most that it surely buys.
                let base = base_for_value_up(value, self.price)?.saturating_sub(1);
                Ok(Moved { base, quote })
            }
        }
    }
}

impl Pool for MarketPool {
    type Error = LedgerError;

    fn price(&self) -> SqrtPrice {
        self.price
    }

    fn fee_rate_ppm(&self) -> u32 {
        self.fee_ppm
    }

    fn swap(&mut self, order: Order, _limit: Option<SqrtPrice>) -> Result<Moved, LedgerError> {
        Ok(self.swapped(order)?)
    }

    fn add(&mut self, _band: &Band, _liquidity: u128) {}

    fn remove(&mut self, band: &Band, _liquidity: u128) {
        self.book(band);
    }

    fn book(&mut self, _band: &Band) {
        // Both are what one position earned: they fit 64 bits together.
        self.booked.base = self.booked.base.saturating_add(self.earned.base);
        self.booked.quote = self.booked.quote.saturating_add(self.earned.quote);
        self.earned = Amounts::ZERO;
    }

    fn collect(&mut self) -> Amounts {
        core::mem::take(&mut self.booked)
    }
}
