//! A swap through a pool's tick arrays, computed without touching them: what the program will do, and what the stand-in does.
//!
//! For pools of a static fee. Prices, amounts and fees of each step come from [`ballast_clmm::swap_step`].

mod walk;

use alloc::vec::Vec;

use ballast_clmm::{ClmmError, Side, SqrtPrice, SwapMode, SwapStepInput, Tick, swap_step};
use thiserror::Error;

use self::walk::Walk;
use super::{PoolView, TickArrayView, TickState, fees::PerToken};

/// A tick array on the way of a swap.
#[derive(Clone, Copy, Debug)]
pub enum SwapArray<'a> {
    /// An existing array.
    Initialised(TickArrayView<'a>),
    /// The array that starts here was not created yet: it holds no initialised tick.
    Empty {
        /// First tick.
        start: i32,
    },
}

impl SwapArray<'_> {
    /// First tick of the array.
    pub fn start(&self) -> i32 {
        match self {
            Self::Initialised(array) => array.start(),
            Self::Empty { start } => *start,
        }
    }

    fn tick_at(&self, offset: i32) -> Option<TickState> {
        match self {
            Self::Initialised(array) => array.tick_at(offset as usize),
            Self::Empty { .. } => None,
        }
    }

    fn is_initialised(&self, offset: i32) -> bool {
        match self {
            Self::Initialised(array) => array.is_initialised(offset as usize),
            Self::Empty { .. } => false,
        }
    }
}

/// What a trader asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapRequest {
    /// Input, fee included, or output; raw units, not 0.
    pub amount: u64,
    /// Which of the two `amount` is.
    pub mode: SwapMode,
    /// Whether token A goes in and token B comes out.
    pub a_to_b: bool,
    /// Where to stop, `None` for no limit.
    pub limit: Option<SqrtPrice>,
}

/// A tick that a swap crosses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// Tick index.
    pub tick: i32,
    /// Its state after the crossing.
    pub state: TickState,
}

/// The pool after a swap, and what changed hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwapOutcome {
    /// What the trader pays (fee included) in the one token and gets in the other, raw units.
    pub amounts: PerToken<u64>,
    /// Fee within the input, raw units.
    pub fee: u64,
    /// Protocol's part of the fee, raw units of the input.
    pub protocol_fee: u64,
    /// Active liquidity afterwards.
    pub liquidity: u128,
    /// Current tick afterwards.
    pub tick_current: i32,
    /// Price afterwards.
    pub sqrt_price: SqrtPrice,
    /// Global fee growth of the input token afterwards, Q64.64, wrapping.
    pub fee_growth_global_input_x64: u128,
    /// Initialised ticks that were crossed, in order.
    pub crossings: Vec<Crossing>,
}

/// Why a swap fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SwapError {
    /// A swap of nothing.
    #[error("swap amount is 0")]
    ZeroAmount,
    /// The limit, or without one the end of the price range, is not ahead of the current price (Q64.64).
    #[error(
        "swap limit {limit} is not ahead of the price {price}: A to B lowers it, B to A raises it"
    )]
    LimitNotAhead {
        /// Limit as given.
        limit: u128,
        /// Current price.
        price: u128,
    },
    /// The arrays do not begin at the current tick or leave a gap.
    #[error("no tick array for tick {tick}: pass the arrays of swap_tick_arrays")]
    MissingArray {
        /// Tick from which the swap went on.
        tick: i32,
    },
    /// All arrays were walked through and something was left.
    #[error("the swap runs past the last tick array: trade less or set a price limit")]
    PastLastArray,
    /// The end of the price range was reached before the output.
    #[error("the pool cannot pay this output at any price: ask for less")]
    PartialFill,
    /// A sum of amounts does not fit 64 bits.
    #[error("the sum of the steps of the swap exceeds 64 bits: trade less")]
    AmountOverflow,
    /// A step took more than was left.
    #[error("a step of the swap exceeds what was left")]
    RemainingUnderflow,
    /// The liquidity changes of the crossed ticks do not add up; cannot happen with tick arrays of the pool.
    #[error("liquidity does not add up at tick {tick}: pass tick arrays of one slot")]
    Liquidity {
        /// Tick of the crossing.
        tick: i32,
    },
    /// The arithmetic of a step failed.
    #[error(transparent)]
    Clmm(#[from] ClmmError),
}

/// Swaps `request` through `arrays`, which are consecutive in the direction of the swap and begin with the one that
/// [`swap_tick_arrays`](super::swap_tick_arrays) names first. Up to three are used on chain; more give a deeper look.
///
/// # Errors
/// [`SwapError`]; on chain the transaction fails in the same cases.
pub fn swap(
    pool: &PoolView,
    arrays: &[SwapArray],
    request: SwapRequest,
) -> Result<SwapOutcome, SwapError> {
    let SwapRequest {
        amount,
        mode,
        a_to_b,
        limit,
    } = request;
    let end = limit.unwrap_or(if a_to_b {
        SqrtPrice::MIN
    } else {
        SqrtPrice::MAX
    });
    let start = pool.sqrt_price();
    if if a_to_b { end >= start } else { end <= start } {
        return Err(SwapError::LimitNotAhead {
            limit: end.x64(),
            price: start.x64(),
        });
    }
    if amount == 0 {
        return Err(SwapError::ZeroAmount);
    }

    let input = if a_to_b { Side::Base } else { Side::Quote };
    let mut walk = Walk::new(pool, arrays, a_to_b);
    let mut remaining = amount;
    let mut calculated = 0u64;
    while remaining > 0 && end != walk.sqrt_price {
        let next = walk.next_tick()?;
        let next_price = Tick::new(next.tick)?.sqrt_price();
        let target = if a_to_b {
            next_price.max(end)
        } else {
            next_price.min(end)
        };
        let step = swap_step(SwapStepInput {
            amount_remaining: remaining,
            mode,
            input,
            fee_rate_ppm: u32::from(pool.fee_rate_ppm()),
            liquidity: walk.liquidity,
            sqrt_price: walk.sqrt_price,
            target,
        })?;
        let paid = step
            .amount_in
            .checked_add(step.fee)
            .ok_or(SwapError::AmountOverflow)?;
        let (used, other) = match mode {
            SwapMode::ExactIn => (paid, step.amount_out),
            SwapMode::ExactOut => (step.amount_out, paid),
        };
        remaining = remaining
            .checked_sub(used)
            .ok_or(SwapError::RemainingUnderflow)?;
        calculated = calculated
            .checked_add(other)
            .ok_or(SwapError::AmountOverflow)?;
        walk.book_fee(step.fee);
        if step.sqrt_price == next_price {
            walk.reach(next)?;
        } else if step.sqrt_price != walk.sqrt_price {
            walk.tick_current = step.sqrt_price.tick().get();
        }
        walk.sqrt_price = step.sqrt_price;
    }
    if remaining > 0 && mode == SwapMode::ExactOut && limit.is_none() {
        return Err(SwapError::PartialFill);
    }

    // `remaining` only ever fell from `amount`.
    let specified = amount - remaining;
    let (amount_in, amount_out) = match mode {
        SwapMode::ExactIn => (specified, calculated),
        SwapMode::ExactOut => (calculated, specified),
    };
    Ok(walk.finish(amount_in, amount_out))
}
