//! What lies in a pool, tick by tick, and what a swap through it gets.

use std::{collections::BTreeMap, ops::Bound};

use ballast_clmm::{
    ClmmError, FEE_RATE_DENOMINATOR_PPM, Side, SqrtPrice, SwapMode, SwapStepInput, Tick, swap_step,
};
use ballast_model::Trade;
use thiserror::Error;

/// A pool's liquidity by price, of one moment. Raw units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Depth {
    sqrt_price: SqrtPrice,
    tick_current: i32,
    liquidity: u128,
    fee_ppm: u32,
    /// Change of liquidity at each tick, upwards.
    net: BTreeMap<i32, i128>,
    /// Ticks between which all changes are known.
    known: (i32, i32),
}

/// What a pool's state has to say of its depth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolNow {
    /// Price.
    pub sqrt_price: SqrtPrice,
    /// Current tick as the pool counts it: after a downward crossing it is one below the price's.
    pub tick_current: i32,
    /// Active liquidity.
    pub liquidity: u128,
    /// Fee in millionths of the input.
    pub fee_ppm: u32,
}

/// A depth that contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DepthError {
    /// A tick that is none.
    #[error("tick {0} is beyond the ticks that pools have: -443636 to 443636")]
    Tick(i32),
    /// Known ticks in the wrong order, or without the current one.
    #[error("the known ticks {from} to {to} do not hold the current tick {current}")]
    Known {
        /// First known tick.
        from: i32,
        /// Last known tick.
        to: i32,
        /// Current tick.
        current: i32,
    },
    /// Less than no liquidity.
    #[error(
        "liquidity is negative beyond tick {0}: the changes do not belong to the active liquidity"
    )]
    Negative(i32),
    /// A fee of everything.
    #[error("fee of {0} ppm must be below 1000000")]
    Fee(u32),
    /// The current tick is not the price's.
    #[error("current tick {current} is not that of the price: {of_price}")]
    Current {
        /// As given.
        current: i32,
        /// The price's.
        of_price: i32,
    },
}

/// Why a swap finds no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WalkError {
    /// Everything that is known of the pool is used up.
    #[error("the known liquidity is used up at tick {0}")]
    Exhausted(i32),
    /// See [`ClmmError`].
    #[error(transparent)]
    Clmm(#[from] ClmmError),
}

/// What a swap of base moves. Raw units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Base sold (fee included) or bought.
    pub base: u64,
    /// Quote received or paid (fee included).
    pub quote: u64,
    /// Fee, of the token paid in.
    pub fee: u64,
    /// Price afterwards.
    pub sqrt_price: SqrtPrice,
}

impl Depth {
    /// From a pool's state and the changes of its liquidity between two ticks, both included.
    ///
    /// # Errors
    /// [`DepthError`].
    pub fn new(
        pool: PoolNow,
        net: impl IntoIterator<Item = (i32, i128)>,
        known: (i32, i32),
    ) -> Result<Self, DepthError> {
        let PoolNow {
            sqrt_price,
            tick_current,
            liquidity,
            fee_ppm,
        } = pool;
        let net: BTreeMap<i32, i128> = net.into_iter().filter(|(_, net)| *net != 0).collect();
        for tick in net.keys().chain([&tick_current, &known.0, &known.1]) {
            // The tick below the lowest is the current one of a pool at the end of its range.
            Tick::new((*tick).max(Tick::MIN.get().min(tick.saturating_add(1))))
                .map_err(|_| DepthError::Tick(*tick))?;
        }
        let of_price = sqrt_price.tick().get();
        if tick_current != of_price && tick_current != of_price - 1 {
            return Err(DepthError::Current {
                current: tick_current,
                of_price,
            });
        }
        if !(known.0..=known.1).contains(&tick_current) {
            let (from, to) = known;
            return Err(DepthError::Known {
                from,
                to,
                current: tick_current,
            });
        }
        if fee_ppm >= FEE_RATE_DENOMINATOR_PPM {
            return Err(DepthError::Fee(fee_ppm));
        }
        let depth = Self {
            sqrt_price,
            tick_current,
            liquidity,
            fee_ppm,
            net,
            known,
        };
        depth.check()?;
        Ok(depth)
    }

    fn check(&self) -> Result<(), DepthError> {
        let mut liquidity = Some(self.liquidity);
        for (tick, net) in self.net.range(self.tick_current.saturating_add(1)..) {
            liquidity = liquidity.and_then(|liquidity| liquidity.checked_add_signed(*net));
            liquidity.ok_or(DepthError::Negative(*tick))?;
        }
        let mut liquidity = Some(self.liquidity);
        for (tick, net) in self.net.range(..=self.tick_current).rev() {
            let below = net.checked_neg();
            liquidity = liquidity.and_then(|liquidity| liquidity.checked_add_signed(below?));
            liquidity.ok_or(DepthError::Negative(*tick))?;
        }
        Ok(())
    }

    /// The same pool with another fee.
    ///
    /// # Errors
    /// [`DepthError::Fee`].
    pub fn with_fee_ppm(self, fee_ppm: u32) -> Result<Self, DepthError> {
        if fee_ppm >= FEE_RATE_DENOMINATOR_PPM {
            return Err(DepthError::Fee(fee_ppm));
        }
        Ok(Self { fee_ppm, ..self })
    }

    /// Price now.
    pub fn sqrt_price(&self) -> SqrtPrice {
        self.sqrt_price
    }

    /// Active liquidity now.
    pub fn liquidity(&self) -> u128 {
        self.liquidity
    }

    /// Fee in millionths of the input.
    pub fn fee_ppm(&self) -> u32 {
        self.fee_ppm
    }

    /// Current tick.
    pub fn tick_current(&self) -> i32 {
        self.tick_current
    }

    /// Ticks between which all is known.
    pub fn known(&self) -> (i32, i32) {
        self.known
    }

    /// Changes of liquidity by tick, upwards.
    pub fn net(&self) -> impl Iterator<Item = (i32, i128)> {
        self.net.iter().map(|(tick, net)| (*tick, *net))
    }

    /// Liquidity at a tick, if it is known.
    pub fn liquidity_at(&self, tick: i32) -> Option<u128> {
        if !(self.known.0..=self.known.1).contains(&tick) {
            return None;
        }
        let sum = |mut range: std::collections::btree_map::Range<'_, i32, i128>| {
            range.try_fold(0i128, |sum, (_, net)| sum.checked_add(*net))
        };
        let above =
            |from: i32, to: i32| sum(self.net.range((Bound::Excluded(from), Bound::Included(to))));
        if tick >= self.tick_current {
            let net = above(self.tick_current, tick)?;
            self.liquidity.checked_add_signed(net)
        } else {
            let net = above(tick, self.tick_current)?;
            self.liquidity.checked_add_signed(net.checked_neg()?)
        }
    }

    /// Sells `base`, or buys exactly so much, beginning at `from`: with the liquidity that lies there today, whatever the price
    /// is then. Step by step the pool's own arithmetic.
    ///
    /// # Errors
    /// [`WalkError`].
    pub fn walk(&self, from: SqrtPrice, trade: Trade, base: u64) -> Result<Fill, WalkError> {
        let down = trade == Trade::SellBase;
        let (input, mode) = match trade {
            Trade::SellBase => (Side::Base, SwapMode::ExactIn),
            Trade::BuyBase => (Side::Quote, SwapMode::ExactOut),
        };
        let mut tick = if from == self.sqrt_price {
            self.tick_current
        } else {
            from.tick().get()
        };
        let mut liquidity = self.liquidity_at(tick).ok_or(WalkError::Exhausted(tick))?;
        let (mut price, mut remaining, mut quote, mut fee) = (from, base, 0u64, 0u64);
        let too_large = WalkError::Clmm(ClmmError::AmountTooLarge);
        while remaining > 0 {
            let next = if down {
                self.net.range(..=tick).next_back().map(|(tick, _)| *tick)
            } else {
                self.net
                    .range(tick.saturating_add(1)..)
                    .next()
                    .map(|(tick, _)| *tick)
            };
            let end = if down { self.known.0 } else { self.known.1 };
            let next = next.filter(|next| if down { *next >= end } else { *next <= end });
            let target = Tick::new(next.unwrap_or(end))?.sqrt_price();
            // The end of what is known, or a crossing to the tick's other side.
            if target != price {
                let step = swap_step(SwapStepInput {
                    amount_remaining: remaining,
                    mode,
                    input,
                    fee_rate_ppm: self.fee_ppm,
                    liquidity,
                    sqrt_price: price,
                    target,
                })?;
                let paid = step.amount_in.checked_add(step.fee).ok_or(too_large)?;
                let (used, other) = if down {
                    (paid, step.amount_out)
                } else {
                    (step.amount_out, paid)
                };
                remaining = remaining.checked_sub(used).ok_or(too_large)?;
                quote = quote.checked_add(other).ok_or(too_large)?;
                fee = fee.checked_add(step.fee).ok_or(too_large)?;
                price = step.sqrt_price;
            }
            if remaining == 0 {
                break;
            }
            let Some(crossed) = next else {
                return Err(WalkError::Exhausted(end));
            };
            let net = self.net.get(&crossed).copied().unwrap_or(0);
            let change = if down { net.checked_neg() } else { Some(net) };
            liquidity = change
                .and_then(|change| liquidity.checked_add_signed(change))
                .ok_or(too_large)?;
            tick = if down { crossed - 1 } else { crossed };
        }
        Ok(Fill {
            base,
            quote,
            fee,
            sqrt_price: price,
        })
    }
}
