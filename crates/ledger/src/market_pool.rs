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

#[cfg(test)]
mod tests {
    use ballast_clmm::Tick;

    use super::*;

    /// Base costs a little more than two quote units.
    fn pool(fee_ppm: u32) -> MarketPool {
        let price = Tick::new(6_932).unwrap().sqrt_price();
        MarketPool::new(price, fee_ppm, Amounts::new(5, 7))
    }

    #[test]
    fn a_trade_pays_the_fee_and_rounds_against_who_trades() {
        let traded = |fee_ppm, order| pool(fee_ppm).swapped(order).unwrap();
        for (fee_ppm, sold, bought, spent) in [
            (0, 2_000_036, 2_000_037, 499_990),
            (3_000, 1_994_035, 2_006_056, 498_490),
        ] {
            let sell = traded(fee_ppm, Order::Sell(1_000_000));
            assert_eq!((sell.base, sell.quote), (1_000_000, sold));
            let buy = traded(fee_ppm, Order::Buy(1_000_000));
            assert_eq!((buy.base, buy.quote), (1_000_000, bought));
            let spend = traded(fee_ppm, Order::Spend(1_000_000));
            assert_eq!((spend.base, spend.quote), (spent, 1_000_000));
            // No more than the money buys.
            let again = traded(fee_ppm, Order::Buy(spend.base));
            assert!(again.quote <= 1_000_000, "{again:?}");
        }
        assert!(pool(0).swapped(Order::Buy(u64::MAX)).is_err());
    }

    #[test]
    fn fees_are_collected_once_they_are_booked() {
        let mut pool = pool(0);
        let all = Amounts::new(5, 7);
        assert_eq!(pool.collect(), Amounts::ZERO);
        assert_eq!(pool.fees(), Ok(all));
        let band = Band::new(Tick::new(0).unwrap(), Tick::new(64).unwrap()).unwrap();
        pool.remove(&band, 1);
        pool.book(&band);
        assert_eq!(pool.fees(), Ok(all));
        assert_eq!(pool.collect(), all);
        assert_eq!(pool.fees(), Ok(Amounts::ZERO));
        pool.earned = Amounts::new(u64::MAX, 0);
        pool.booked = Amounts::new(1, 0);
        assert!(pool.fees().is_err());
    }
}
