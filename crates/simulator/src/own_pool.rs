//! The pool as the position's own trades meet it.

use ballast_ledger::{LedgerError, MarketPool, Moved, Order, Pool};
use ballast_model::{Amounts, Band, ModelError, SqrtPrice};

use ballast_clmm::{Side, SwapMode, SwapStepInput, Tick, swap_step};

use crate::{
    Terms, TickDepth,
    moving_fee::clock_secs,
    ticks::{SwapFee, SwapOrder, TickPool},
};

/// A pool at the market's price. With a depth its own trades move it, by whole units along constant liquidity, as a range of the
/// pool's program does, or through the liquidity of each tick; arbitrageurs have brought it back before the next action. Without one
/// it is so deep that they do not.
#[derive(Clone, Debug)]
pub(crate) struct OwnPool {
    deep: MarketPool,
    depth: Depth,
    price: SqrtPrice,
    /// The part of its fee that does not move.
    fee_ppm: u32,
    largest: f64,
    went_beyond: bool,
}

/// What its own trades meet.
#[derive(Clone, Debug)]
enum Depth {
    /// More than they could move.
    Plenty,
    Constant(u128),
    Ticks(Box<Ticks>),
}

/// The pool's own swaps.
#[derive(Clone, Debug)]
struct Ticks {
    pool: TickPool,
    now_secs: u64,
    known: [i32; 2],
}

impl Depth {
    fn at(price: SqrtPrice, fee: SwapFee, terms: &Terms, secs: u64) -> Result<Self, ModelError> {
        let ticks = |depth: &TickDepth| {
            Self::Ticks(Box::new(Ticks {
                pool: depth.pool(price, fee),
                now_secs: clock_secs(secs),
                known: depth.known(),
            }))
        };
        Ok(match (&terms.tick_depth, terms.depth) {
            (Some(depth), _) => ticks(depth),
            (None, None) => Self::Plenty,
            (None, Some(liquidity)) if !fee.is_adaptive() => Self::Constant(liquidity),
            // The farther a trade goes, the more it pays.
            (None, Some(liquidity)) => {
                let everywhere = [Tick::MIN.get(), Tick::MAX.get()];
                let even = TickDepth::new(liquidity, [], everywhere);
                ticks(&even.map_err(|_| ModelError::Overflow("depth"))?)
            }
        })
    }
}

impl Ticks {
    fn swap(&mut self, order: Order, limit: Option<SqrtPrice>) -> Result<Moved, LedgerError> {
        let order = SwapOrder::of(order, limit);
        let Amounts { base, quote } = self.pool.swap(order, self.now_secs)?.amounts;
        Ok(Moved { base, quote })
    }

    fn is_beyond(&self) -> bool {
        let [from, to] = self.known;
        !(from..=to).contains(&self.pool.tick_current())
    }
}

impl OwnPool {
    /// At a price, with a fee, the depth that terms say, so many seconds after the start, and what the position has earned in it and not
    /// been paid.
    ///
    /// # Errors
    /// [`ModelError`] of liquidity beyond what a pool can have.
    pub fn new(
        price: SqrtPrice,
        fee: SwapFee,
        terms: &Terms,
        secs: u64,
        earned: Amounts,
    ) -> Result<Self, ModelError> {
        Ok(Self {
            deep: MarketPool::new(price, fee.rate_ppm(), earned),
            depth: Depth::at(price, fee, terms, secs)?,
            price,
            fee_ppm: fee.static_ppm,
            largest: 0.0,
            went_beyond: false,
        })
    }

    /// At a price, with a fee that does not move and the same liquidity everywhere; with none nothing is known, and trades do not move
    /// it.
    #[cfg(feature = "keeper")]
    pub fn constant(price: SqrtPrice, fee_ppm: u32, liquidity: u128) -> Self {
        Self {
            deep: MarketPool::new(price, fee_ppm, Amounts::ZERO),
            depth: match liquidity {
                0 => Depth::Plenty,
                some => Depth::Constant(some),
            },
            price,
            fee_ppm,
            largest: 0.0,
            went_beyond: false,
        }
    }

    /// Whether a trade has met liquidity that is not known.
    pub fn went_beyond(&self) -> bool {
        self.went_beyond
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
        match &mut self.depth {
            Depth::Plenty => self.deep.swap(order, limit),
            Depth::Constant(liquidity) => {
                let liquidity = *liquidity;
                Ok(self.swapped(liquidity, order, limit)?)
            }
            Depth::Ticks(ticks) => {
                self.went_beyond |= ticks.is_beyond();
                let moved = ticks.swap(order, limit)?;
                self.went_beyond |= ticks.is_beyond();
                self.price = ticks.pool.sqrt_price();
                Ok(moved)
            }
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
mod tests;
