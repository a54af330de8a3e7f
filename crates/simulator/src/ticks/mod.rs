//! A pool with ticks, in whole units: Whirlpool's swaps, step by step, through the liquidity of everybody in it.

mod fee;
mod seat;
mod walk;

use std::collections::BTreeMap;

use ballast_clmm::{Amounts, ClmmError, Side, SqrtPrice, SwapMode, Tick};
use ballast_ledger::{LedgerError, Order};
use ballast_model::ModelError;
use thiserror::Error;

pub use fee::{AdaptiveTerms, SwapFee};
pub use seat::Seat;

use walk::Walk;

/// Why a pool refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TickPoolError {
    /// A number is out of range.
    #[error(transparent)]
    Clmm(#[from] ClmmError),
    /// A sum is out of range.
    #[error("{0} exceeds what can be represented: use smaller amounts")]
    Overflow(&'static str),
    /// More is withdrawn than was provided.
    #[error("a position of {held} of liquidity cannot give {asked}: ask for at most that")]
    TooLittleLiquidity {
        /// What there is.
        held: u128,
        /// What was asked for.
        asked: u128,
    },
    /// The price does not lie ahead in the direction of the swap.
    #[error("the limit {limit} of the swap is not ahead of the price {price}")]
    LimitNotAhead {
        /// The limit, Q64.64.
        limit: u128,
        /// The price, Q64.64.
        price: u128,
    },
    /// Liquidity of crossed ticks does not add up.
    #[error("liquidity does not add up at tick {0}: its net changes are not of one pool")]
    BadTick(i32),
}

/// What an initialised tick knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TickLiquidity {
    /// Liquidity that becomes active when the price rises over it.
    pub net: i128,
    /// Liquidity that begins or ends here.
    pub gross: u128,
    /// Fee growth on its other side, by token.
    outside_x64: [u128; 2],
}

/// What a swap has moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traded {
    /// What was paid in, fee included, and paid out.
    pub amounts: Amounts,
    /// Fee within the input.
    pub fee: u64,
    /// The protocol's part of it.
    pub protocol_fee: u64,
}

/// What is asked of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapOrder {
    /// Input, fee included, or output, raw units.
    pub amount: u64,
    /// Which of the two.
    pub mode: SwapMode,
    /// Which token is paid in.
    pub input: Side,
    /// Where to stop at the latest.
    pub limit: Option<SqrtPrice>,
}

impl SwapOrder {
    /// What a position's action asks for.
    pub(crate) fn of(order: Order, limit: Option<SqrtPrice>) -> Self {
        let (amount, mode, input) = match order {
            Order::Sell(base) => (base, SwapMode::ExactIn, Side::Base),
            Order::Buy(base) => (base, SwapMode::ExactOut, Side::Quote),
            Order::Spend(quote) => (quote, SwapMode::ExactIn, Side::Quote),
        };
        Self {
            amount,
            mode,
            input,
            limit,
        }
    }
}

impl From<TickPoolError> for LedgerError {
    fn from(error: TickPoolError) -> Self {
        Self::Model(match error {
            TickPoolError::Clmm(error) => ModelError::Clmm(error),
            TickPoolError::Overflow(what) => ModelError::Overflow(what),
            TickPoolError::TooLittleLiquidity { .. } => ModelError::Overflow("liquidity taken"),
            TickPoolError::LimitNotAhead { .. } => ModelError::Overflow("limit of a swap"),
            TickPoolError::BadTick(_) => ModelError::Overflow("liquidity at a tick"),
        })
    }
}

/// A pool. Everybody's liquidity in it is a [`Seat`]; tokens that it holds are counted to the unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TickPool {
    sqrt_price: SqrtPrice,
    tick_current: i32,
    liquidity: u128,
    ticks: BTreeMap<i32, TickLiquidity>,
    seats: Vec<Seat>,
    fee: SwapFee,
    protocol_bps: u32,
    growth_x64: [u128; 2],
    protocol_fees: Amounts,
    vault: Amounts,
}

const fn index(side: Side) -> usize {
    match side {
        Side::Base => 0,
        Side::Quote => 1,
    }
}

impl TickPool {
    /// An empty pool at a price. The protocol gets so many basis points of each fee.
    pub fn new(sqrt_price: SqrtPrice, fee: SwapFee, protocol_bps: u32) -> Self {
        Self {
            sqrt_price,
            tick_current: sqrt_price.tick().get(),
            liquidity: 0,
            ticks: BTreeMap::new(),
            seats: Vec::new(),
            fee,
            protocol_bps,
            growth_x64: [0; 2],
            protocol_fees: Amounts::ZERO,
            vault: Amounts::ZERO,
        }
    }

    /// Its price.
    pub fn sqrt_price(&self) -> SqrtPrice {
        self.sqrt_price
    }

    /// Current tick as a Whirlpool counts it: one below a tick that was just crossed downwards.
    pub fn tick_current(&self) -> i32 {
        self.tick_current
    }

    /// Active liquidity.
    pub fn liquidity(&self) -> u128 {
        self.liquidity
    }

    /// Its fee.
    pub fn fee(&self) -> &SwapFee {
        &self.fee
    }

    /// The same, with another fee.
    pub(crate) fn with_fee(self, fee: SwapFee) -> Self {
        Self { fee, ..self }
    }

    /// What it holds.
    pub fn vault(&self) -> Amounts {
        self.vault
    }

    /// What of it is the protocol's.
    pub fn protocol_fees(&self) -> Amounts {
        self.protocol_fees
    }

    /// Initialised ticks, the lowest first.
    pub fn ticks(&self) -> impl Iterator<Item = (i32, &TickLiquidity)> {
        self.ticks.iter().map(|(tick, state)| (*tick, state))
    }

    /// Swaps. What fails changes nothing.
    ///
    /// # Errors
    /// [`TickPoolError`].
    pub fn swap(&mut self, order: SwapOrder, now_secs: u64) -> Result<Traded, TickPoolError> {
        let downwards = order.input == Side::Base;
        let end = order.limit.unwrap_or(if downwards {
            SqrtPrice::MIN
        } else {
            SqrtPrice::MAX
        });
        let (from, from_tick) = (self.sqrt_price, self.sqrt_price.tick().get());
        if if downwards { end >= from } else { end <= from } {
            return Err(TickPoolError::LimitNotAhead {
                limit: end.x64(),
                price: from.x64(),
            });
        }
        let walk = Walk::new(self, order, end, now_secs).run()?;
        let traded = walk.traded;
        let (paid, received) = if downwards {
            (
                Amounts::only(Side::Base, traded.amounts.base),
                Amounts::only(Side::Quote, traded.amounts.quote),
            )
        } else {
            (
                Amounts::only(Side::Quote, traded.amounts.quote),
                Amounts::only(Side::Base, traded.amounts.base),
            )
        };
        let vault = self.vault.checked_add(paid)?.checked_sub(received)?;
        let protocol = Amounts::only(order.input, traded.protocol_fee);
        let protocol_fees = self.protocol_fees.checked_add(protocol)?;

        let Walk {
            sqrt_price,
            tick_current,
            liquidity,
            growth_x64,
            mut fee,
            crossed,
            ..
        } = walk;
        fee.end(from_tick, sqrt_price.tick().get(), now_secs);
        for (tick, state) in crossed {
            self.ticks.insert(tick, state);
        }
        (self.vault, self.protocol_fees, self.fee) = (vault, protocol_fees, fee);
        (self.sqrt_price, self.tick_current) = (sqrt_price, tick_current);
        self.liquidity = liquidity;
        self.growth_x64[index(order.input)] = growth_x64;
        Ok(traded)
    }

    /// Fee growth of liquidity that is always in range, Q64.64, wrapping.
    pub fn growth_x64(&self) -> [u128; 2] {
        self.growth_x64
    }

    /// Fee growth inside a range, Q64.64 per unit of liquidity, wrapping.
    pub fn growth_inside_x64(&self, [lower, upper]: [i32; 2]) -> [u128; 2] {
        [0, 1].map(|token| {
            let global = self.growth_x64[token];
            let outside = |tick| {
                let state = self.ticks.get(&tick);
                state.map(|state| state.outside_x64[token])
            };
            let below = match outside(lower) {
                // By convention all that happened before a tick was initialised happened below it.
                None => global,
                Some(outside) if self.tick_current < lower => global.wrapping_sub(outside),
                Some(outside) => outside,
            };
            let above = match outside(upper) {
                None => 0,
                Some(outside) if self.tick_current < upper => outside,
                Some(outside) => global.wrapping_sub(outside),
            };
            global.wrapping_sub(below).wrapping_sub(above)
        })
    }

    /// Puts the price where it was seen: for records whose swaps do not tell the whole way.
    pub fn set_price(&mut self, to: SqrtPrice) {
        self.sqrt_price = to;
        self.tick_current = to.tick().get();
        let below = self.ticks.range(..=self.tick_current);
        let net = below.fold(0i128, |net, (_, state)| net.saturating_add(state.net));
        self.liquidity = net.unsigned_abs();
    }

    /// Takes liquidity over that was recorded, by what becomes active at each tick when the price rises over it; fee growth in a
    /// range can be asked for as well. What the pool holds of it is not counted: it is taken for plenty.
    ///
    /// # Errors
    /// [`TickPoolError`].
    pub fn initialise(
        &mut self,
        ticks: &BTreeMap<i32, i128>,
        range: [i32; 2],
    ) -> Result<(), TickPoolError> {
        for (tick, net) in ticks {
            let gross = net.checked_abs().ok_or(TickPoolError::BadTick(*tick))?;
            // A tick at which as much begins as ends is one, too.
            self.touch(*tick, *net, gross.max(1))?;
        }
        for tick in range {
            self.touch(tick, 0, 1)?;
        }
        self.vault = Amounts::new(u64::MAX / 2, u64::MAX / 2);
        self.set_price(self.sqrt_price);
        Ok(())
    }

    /// Changes a tick's liquidity; `up` is what becomes active above it.
    fn touch(&mut self, tick: i32, up: i128, gross: i128) -> Result<(), TickPoolError> {
        Tick::new(tick)?;
        let initial = TickLiquidity {
            outside_x64: if tick <= self.tick_current {
                self.growth_x64
            } else {
                [0; 2]
            },
            ..TickLiquidity::default()
        };
        let state = self.ticks.entry(tick).or_insert(initial);
        let net = state.net.checked_add(up);
        let gross = state.gross.checked_add_signed(gross);
        (state.net, state.gross) = net.zip(gross).ok_or(TickPoolError::BadTick(tick))?;
        if state.gross == 0 {
            self.ticks.remove(&tick);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
