//! What a change of a position's liquidity does to pool, position and ticks: a pure computation, applied by the instructions.

use ballast_abi::whirlpool::{
    PoolView, PositionView, TickState,
    fees::{PerToken, TickAt, fee_growth_inside_x64, fees_earned_down},
};
use ballast_clmm::{
    SqrtPrice, base_amount_down, base_amount_up, quote_amount_down, quote_amount_up,
};

use crate::{
    error::{WhirlpoolError, WhirlpoolResult},
    state::PositionUpdate,
};

/// The accounts after the change.
#[derive(Debug, PartialEq, Eq)]
pub struct ModifyUpdate {
    pub pool_liquidity: u128,
    pub position: PositionUpdate,
    pub lower: Option<TickState>,
    pub upper: Option<TickState>,
}

/// Adds `delta` (which may be negative) to the position's liquidity and books its fees.
pub fn modify_liquidity(
    pool: &PoolView,
    position: &PositionView,
    lower: TickAt,
    upper: TickAt,
    delta: i128,
) -> WhirlpoolResult<ModifyUpdate> {
    let in_range = (lower.index..upper.index).contains(&pool.tick_current());
    Ok(ModifyUpdate {
        pool_liquidity: if in_range {
            add_liquidity(pool.liquidity(), delta)?
        } else {
            pool.liquidity()
        },
        position: PositionUpdate {
            liquidity: add_liquidity(position.liquidity(), delta)?,
            ..book_fees(pool, position, lower, upper)
        },
        lower: next_tick(pool, lower, delta, delta)?,
        upper: next_tick(pool, upper, delta, -delta)?,
    })
}

/// Books the fees that the position earned up to now.
pub fn book_fees(
    pool: &PoolView,
    position: &PositionView,
    lower: TickAt,
    upper: TickAt,
) -> PositionUpdate {
    let inside = fee_growth_inside_x64(pool, lower, upper);
    let earned = |from, to| fees_earned_down(position.liquidity(), from, to);
    PositionUpdate {
        liquidity: position.liquidity(),
        fee_growth_checkpoint: inside,
        // As on chain, owed fees wrap around: they are meant to be collected before.
        fee_owed: PerToken {
            a: position
                .fee_owed_a()
                .wrapping_add(earned(position.fee_growth_checkpoint_a_x64(), inside.a)),
            b: position
                .fee_owed_b()
                .wrapping_add(earned(position.fee_growth_checkpoint_b_x64(), inside.b)),
        },
    }
}

/// The tick after a position that begins or ends there grew by `delta`; `net` is what crossing it upwards then adds.
fn next_tick(
    pool: &PoolView,
    tick: TickAt,
    delta: i128,
    net: i128,
) -> WhirlpoolResult<Option<TickState>> {
    let state = tick.state.unwrap_or_else(|| {
        // By convention, everything before a tick was initialised happened below it.
        if pool.tick_current() >= tick.index {
            TickState {
                fee_growth_outside_a_x64: pool.fee_growth_global_a_x64(),
                fee_growth_outside_b_x64: pool.fee_growth_global_b_x64(),
                ..TickState::default()
            }
        } else {
            TickState::default()
        }
    });
    let liquidity_gross = add_liquidity(state.liquidity_gross, delta)?;
    if liquidity_gross == 0 {
        return Ok(None);
    }
    let liquidity_net = state
        .liquidity_net
        .checked_add(net)
        .ok_or(WhirlpoolError::LiquidityNetError)?;
    Ok(Some(TickState {
        liquidity_gross,
        liquidity_net,
        ..state
    }))
}

fn add_liquidity(liquidity: u128, delta: i128) -> WhirlpoolResult<u128> {
    liquidity.checked_add_signed(delta).ok_or(if delta < 0 {
        WhirlpoolError::LiquidityUnderflow
    } else {
        WhirlpoolError::LiquidityOverflow
    })
}

/// Which way token amounts round: up for what goes into the pool, down for what comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounding {
    Up,
    Down,
}

/// Raw units that `liquidity` of the position is worth. As on chain the pool's tick, not its price, decides on which side
/// of the band the price is.
pub fn token_amounts(
    pool: &PoolView,
    position: &PositionView,
    liquidity: u128,
    rounding: Rounding,
) -> WhirlpoolResult<PerToken<u64>> {
    let base = |from: SqrtPrice, to: SqrtPrice| match rounding {
        Rounding::Up => base_amount_up(liquidity, from, to),
        Rounding::Down => base_amount_down(liquidity, from, to),
    };
    let quote = |from: SqrtPrice, to: SqrtPrice| {
        match rounding {
            Rounding::Up => quote_amount_up(liquidity, from, to),
            Rounding::Down => quote_amount_down(liquidity, from, to),
        }
        // The real program notices too large amounts of quote earlier than ones of base.
        .map_err(|_| WhirlpoolError::MultiplicationShiftRightOverflow)
    };
    let (lower, upper) = (position.lower(), position.upper());
    let price = pool.sqrt_price();
    Ok(if pool.tick_current() < lower.get() {
        PerToken {
            a: base(lower.sqrt_price(), upper.sqrt_price())?,
            b: 0,
        }
    } else if pool.tick_current() < upper.get() {
        PerToken {
            a: base(price, upper.sqrt_price())?,
            b: quote(lower.sqrt_price(), price)?,
        }
    } else {
        PerToken {
            a: 0,
            b: quote(lower.sqrt_price(), upper.sqrt_price())?,
        }
    })
}
