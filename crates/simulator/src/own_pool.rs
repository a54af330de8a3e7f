//! The pool as the position's own trades meet it.

use ballast_ledger::{LedgerError, MarketPool, Moved, Order, Pool};
use ballast_model::{Amounts, Band, ModelError, SqrtPrice};

use ballast_clmm::{Side, SwapMode, SwapStepInput, Tick, swap_step};

/// A pool at the market's price. With a depth its own trades move it, by whole units along constant liquidity, as a range of the
/// pool's program does; arbitrageurs have brought it back before the next action. Without one it is so deep that they do not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnPool {
    deep: MarketPool,
    depth: Option<u128>,
    price: SqrtPrice,
    fee_ppm: u32,
    largest: f64,
}

impl OwnPool {
    /// At a price, with a fee, a depth in the pool's unit of liquidity, and what the position has earned in it and not been paid.
    pub fn new(price: SqrtPrice, fee_ppm: u32, depth: Option<u128>, earned: Amounts) -> Self {
        Self {
            deep: MarketPool::new(price, fee_ppm, earned),
            depth,
            price,
            fee_ppm,
            largest: 0.0,
        }
    }

    /// Fees that have not been paid.
    ///
    /// # Errors
    /// As [`MarketPool::fees`].
    pub fn fees(&self) -> Result<Amounts, ModelError> {
        self.deep.fees()
    }

    /// The largest trade that was asked for, as a part of all that the depth holds of the token at its price: the whole of it moves the
    /// price by about twice that.
    pub fn largest_part(&self) -> f64 {
        self.largest
    }

    fn swapped(
        &mut self,
        liquidity: u128,
        order: Order,
        limit: Option<SqrtPrice>,
    ) -> Result<Moved, ModelError> {
        let (amount_remaining, mode, input) = match order {
            Order::Sell(base) => (base, SwapMode::ExactIn, Side::Base),
            Order::Buy(base) => (base, SwapMode::ExactOut, Side::Quote),
            Order::Spend(quote) => (quote, SwapMode::ExactIn, Side::Quote),
        };
        let end = match input {
            Side::Base => Tick::MIN,
            Side::Quote => Tick::MAX,
        };
        let step = swap_step(SwapStepInput {
            amount_remaining,
            mode,
            input,
            fee_rate_ppm: self.fee_ppm,
            liquidity,
            sqrt_price: self.price,
            target: limit.unwrap_or_else(|| end.sqrt_price()),
        })?;
        let paid = step.amount_in.checked_add(step.fee);
        let paid = paid.ok_or(ModelError::Overflow("traded"))?;
        let moved = match input {
            Side::Base => Moved {
                base: paid,
                quote: step.amount_out,
            },
            Side::Quote => Moved {
                base: step.amount_out,
                quote: paid,
            },
        };
        // Quote in all prices below this one, liquidity times the root of the price, and base in all above. What was asked for counts: the
        // cap of a swap's loss ends it earlier.
        let root = self.price.x64() as f64 / 2f64.powi(64);
        let holds = match order {
            Order::Sell(_) | Order::Buy(_) => liquidity as f64 / root,
            Order::Spend(_) => liquidity as f64 * root,
        };
        self.largest = self.largest.max(amount_remaining as f64 / holds);
        self.price = step.sqrt_price;
        Ok(moved)
    }
}

impl Pool for OwnPool {
    type Error = LedgerError;

    fn price(&self) -> SqrtPrice {
        self.price
    }

    fn fee_rate_ppm(&self) -> u32 {
        self.fee_ppm
    }

    fn swap(&mut self, order: Order, limit: Option<SqrtPrice>) -> Result<Moved, LedgerError> {
        match self.depth {
            Some(liquidity) => Ok(self.swapped(liquidity, order, limit)?),
            None => self.deep.swap(order, limit),
        }
    }

    fn add(&mut self, band: &Band, liquidity: u128) {
        self.deep.add(band, liquidity);
    }

    fn remove(&mut self, band: &Band, liquidity: u128) {
        self.deep.remove(band, liquidity);
    }

    fn book(&mut self, band: &Band) {
        self.deep.book(band);
    }

    fn collect(&mut self) -> Amounts {
        self.deep.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A price of 4 and a liquidity of 10^12: 2 10^12 quote below it, 5 10^11 base above.
    const LIQUIDITY: u128 = 1_000_000_000_000;

    fn pool(fee_ppm: u32, depth: Option<u128>) -> OwnPool {
        let price = SqrtPrice::new(2 << 64).unwrap();
        OwnPool::new(price, fee_ppm, depth, Amounts::new(5, 7))
    }

    /// By hand: sold base x takes the root of the price s to `L / (L / s + x (1 - f))`, and brings `L (s - s')`.
    #[test]
    fn a_trade_moves_the_price_along_constant_liquidity() {
        let (liquidity, s) = (LIQUIDITY as f64, 2.0);
        for fee_ppm in [0, 3_000] {
            let kept = 1.0 - f64::from(fee_ppm) / 1e6;
            let mut sold = pool(fee_ppm, Some(LIQUIDITY));
            let base = 5_000_000_000u64;
            let moved = sold.swap(Order::Sell(base), None).unwrap();
            let after = liquidity / (liquidity / s + base as f64 * kept);
            let expected = liquidity * (s - after);
            assert_eq!(moved.base, base);
            assert!(
                (moved.quote as f64 - expected).abs() < 3.0,
                "{moved:?} {expected}"
            );
            // A hundredth of what is there: the price has moved by two hundredths.
            let root = sold.price().x64() as f64 / 2f64.powi(64);
            assert!((root - after).abs() < 1e-9);
            assert!((sold.largest_part() - 0.01).abs() < 2e-4, "{sold:?}");

            let mut bought = pool(fee_ppm, Some(LIQUIDITY));
            let moved = bought.swap(Order::Buy(base), None).unwrap();
            let after = liquidity / (liquidity / s - base as f64);
            let expected = liquidity * (after - s) / kept;
            assert_eq!(moved.base, base);
            assert!(
                (moved.quote as f64 - expected).abs() < 3.0,
                "{moved:?} {expected}"
            );
            let mut spent = pool(fee_ppm, Some(LIQUIDITY));
            let again = spent.swap(Order::Spend(moved.quote), None).unwrap();
            assert_eq!(again.quote, moved.quote);
            assert!(again.base.abs_diff(base) <= 3, "{again:?}");
        }
    }

    #[test]
    fn a_limit_ends_it_and_more_depth_costs_less() {
        let limit = SqrtPrice::new((2 << 64) - (1 << 60)).unwrap();
        let mut pool_there = pool(0, Some(LIQUIDITY));
        let part = pool_there
            .swap(Order::Sell(u64::MAX / 2), Some(limit))
            .unwrap();
        assert_eq!(pool_there.price(), limit);
        assert!(
            part.base < u64::MAX / 2 && part.quote == 62_500_000_000,
            "{part:?}"
        );
        let got = |depth| {
            pool(400, depth)
                .swap(Order::Sell(1_000_000_000), None)
                .unwrap()
                .quote
        };
        let all = [Some(LIQUIDITY), Some(LIQUIDITY * 1_000), None].map(got);
        assert!(
            all.is_sorted() && all[0] < all[1] && all[2] - all[1] < 20_000,
            "{all:?}"
        );
        // As deep as can be it is the one that does not move.
        assert!(all[2] - got(Some(LIQUIDITY << 24)) <= 2);
        assert_eq!(pool(0, None).largest_part(), 0.0);
    }

    #[test]
    fn fees_are_paid_as_without_depth() {
        let band = Band::new(Tick::new(0).unwrap(), Tick::new(64).unwrap()).unwrap();
        for depth in [None, Some(LIQUIDITY)] {
            let mut pool = pool(0, depth);
            assert_eq!(pool.fees(), Ok(Amounts::new(5, 7)));
            pool.book(&band);
            assert_eq!(pool.collect(), Amounts::new(5, 7));
            assert_eq!(pool.fees(), Ok(Amounts::ZERO));
        }
    }
}
