use ballast_clmm::{Amounts, SqrtPrice, wide};
use thiserror::Error;

use super::rehedge::{RehedgePlan, Trade, trade_for};
use crate::{Bps, ModelError, Position, Price, position::hedged_down};

/// What a position is to be after withdrawing, one swap and repaying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgedRequest {
    /// Base debt over the pool's base; [`Bps::ONE`] is delta-neutral.
    pub hedge: Bps,
    /// Largest LTV afterwards, below 100 %.
    pub target: Bps,
    /// Loss of the swap, on the value traded, with which LTV still ends at or below the target.
    pub loss: Bps,
    /// Largest loss of the swap: what has to be at hand for it.
    pub max_loss: Bps,
    /// What may still be borrowed.
    pub room: Amounts,
}

/// Withdraw `liquidity`, swap `trade` (borrowing what is missing for it), then repay both debts with everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgedPlan {
    /// Liquidity to withdraw; 0 if the swap alone does it.
    pub liquidity: u128,
    /// What the withdrawal pays at the pool's price.
    pub withdraw: Amounts,
    /// The swap; `None` if the hedge is exact after the withdrawal.
    pub trade: Option<RehedgePlan>,
}

/// Why there is no such plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HedgedError {
    /// Not even withdrawing everything leaves equity after the swap.
    #[error("after the swap no equity is left: repay without one, or wait for liquidation")]
    NoEquity,
    /// The target is 100 % or more.
    #[error("target LTV {0} must be below 100%")]
    BadTarget(Bps),
    /// See [`ModelError`].
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// The least liquidity to withdraw so that one swap hedges the position, and what is owed then is at most `target` of the assets
/// at the oracle's price, within what may be borrowed (MATH section 4).
///
/// With m the part of the liquidity that stays, x, y the pool's amounts at the oracle's price P, V = xP + y, and w the base that
/// all liquidity pays at the pool's price, the swap is `b(m) = (1 - m) w + lx - (dx - h m x)` of base and leaves the equity
/// `E'(m) = E - loss |b(m)| P`. Afterwards base debt is `h m x` and quote debt `m V - E' - h m x P`, idle quote if that is negative.
/// So m is the largest with
///
/// - `m V (1 - t) <= E'` and `m h x P (1 - t) <= t E'`: debt is at most t of the assets, with and without idle quote;
/// - `m h x <= dx + room` and `m (V - h x P) <= dy + room + E'`: neither debt grows beyond what may be borrowed.
///
/// |b| is the larger of two linear functions of m, so each line is one or two linear bounds. They hold at m = 0 wherever E' is
/// positive there: with equity there always is a plan. Whatever the withdrawal pays more than it was valued at, where pool and
/// oracle differ, comes on top.
///
/// The result allows for every rounding on the way: LTV ends at or below the target, and at most `(4 P + 8) / (1 - t)` quote units
/// of debt below what would do.
///
/// # Errors
/// [`HedgedError`].
pub fn plan_hedged(
    position: &Position,
    oracle: SqrtPrice,
    pool: SqrtPrice,
    request: &HedgedRequest,
) -> Result<HedgedPlan, HedgedError> {
    if request.target >= Bps::ONE {
        return Err(HedgedError::BadTarget(request.target));
    }
    let pooled = position.pool_amounts_down(oracle)?;
    let kept = kept_down(position, pooled, Price::from(oracle), pool, request)?;
    let liquidity = position.liquidity.saturating_sub(kept);
    if liquidity == 0 {
        let error = hedged_down(pooled.base, request.hedge) + i128::from(position.idle.base)
            - i128::from(position.debt.base);
        return Ok(HedgedPlan {
            liquidity: 0,
            withdraw: Amounts::ZERO,
            trade: trade_for(error)?,
        });
    }
    let withdraw = position
        .band
        .amounts_down(liquidity, pool)
        .map_err(ModelError::from)?;
    let withdrawn = withdrawn(position, liquidity, withdraw)?;
    Ok(HedgedPlan {
        liquidity,
        withdraw,
        trade: trade_for(withdrawn.hedge_error(oracle, request.hedge)?)?,
    })
}

impl HedgedPlan {
    /// The position after the plan, if its swap has moved so much: both debts repaid as far as what lies idle goes.
    ///
    /// # Errors
    /// [`ModelError`] if the plan was made for another position.
    pub fn after(
        &self,
        position: &Position,
        base: u64,
        quote: u64,
    ) -> Result<Position, ModelError> {
        let mut after = withdrawn(position, self.liquidity, self.withdraw)?;
        let (paid, received) = match self.trade.map(|plan| plan.trade) {
            Some(Trade::SellBase) => (Amounts::new(base, 0), Amounts::new(0, quote)),
            Some(Trade::BuyBase) => (Amounts::new(0, quote), Amounts::new(base, 0)),
            None => (Amounts::ZERO, Amounts::ZERO),
        };
        let borrowed = paid.saturating_sub(after.idle);
        after.debt = after.debt.checked_add(borrowed)?;
        after.idle = after
            .idle
            .checked_add(borrowed)?
            .checked_sub(paid)?
            .checked_add(received)?;
        let repaid = after.idle.min(after.debt);
        after.idle = after.idle.checked_sub(repaid)?;
        after.debt = after.debt.checked_sub(repaid)?;
        Ok(after)
    }
}

fn withdrawn(
    position: &Position,
    liquidity: u128,
    amounts: Amounts,
) -> Result<Position, ModelError> {
    Ok(Position {
        liquidity: position
            .liquidity
            .checked_sub(liquidity)
            .ok_or(ModelError::Overflow("withdrawn liquidity"))?,
        idle: position.idle.checked_add(amounts)?,
        ..*position
    })
}

const OVERFLOW: ModelError = ModelError::Overflow("hedged position");

/// Values are below this, so that no sum or product of them with two ratios leaves 127 bits.
const VALUES_BELOW: u128 = 1 << 95;

/// The liquidity that may stay, rounded down. `pooled`: what all of it holds at the oracle's price, rounded down.
fn kept_down(
    position: &Position,
    pooled: Amounts,
    price: Price,
    pool: SqrtPrice,
    request: &HedgedRequest,
) -> Result<u128, HedgedError> {
    let one = i128::from(Bps::ONE.get());
    let target = i128::from(request.target.get());
    let (idle, debt, room) = (position.idle, position.debt, request.room);
    let of_base_up = |base: u64| signed(price.value_up(base));
    let of_base_down = |base: u64| signed(price.value_down(base));
    // A unit each for what is withdrawn, traded, kept in the pool and owed after burning shares, on both sides.
    let allowance = 4 * signed(price.ceil())? + 8;
    let assets = of_base_down(pooled.base)?
        + of_base_down(idle.base)?
        + i128::from(pooled.quote)
        + i128::from(idle.quote);
    let equity = assets - of_base_up(debt.base)? - i128::from(debt.quote) - allowance;

    // As much as it may hold of each, unrounded.
    let base = pooled.base.checked_add(1).ok_or(OVERFLOW)?;
    let hedged = request
        .hedge
        .of_up(u128::from(base))
        .and_then(|base| u64::try_from(base).ok())
        .ok_or(OVERFLOW)?;
    let value = of_base_up(base)? + i128::from(pooled.quote) + 1;
    let hedged_value = of_base_up(hedged)?;

    // The value traded is |all - m less|.
    let paid = position.pool_amounts_down(pool)?;
    let all = i128::from(paid.base) + i128::from(idle.base) - i128::from(debt.base);
    let all = value_of(price, all)?;
    let less = value_of(price, i128::from(paid.base) - i128::from(hedged))?;
    // Its sign, where it is one and the same for every m: then the other one's bounds are wider.
    let signs = match (all.min(all - less) >= 0, all.max(all - less) <= 0) {
        (true, _) => 0..1,
        (_, true) => 1..2,
        _ => 0..2,
    };
    // Cheaper on chain than a checked product, and as safe: see `VALUES_BELOW`.
    let times = i128::wrapping_mul;
    // `one` times equity after the swap is `fixed + m slope`, whichever is less for the two signs of what is traded.
    let equities = |loss: Bps| {
        let loss = i128::from(loss.min(Bps::ONE).get());
        let whole = times(equity, one);
        let (fixed, slope) = (times(all, loss), times(less, loss));
        if whole <= fixed || whole <= -fixed {
            return Err(HedgedError::NoEquity);
        }
        Ok([(whole - fixed, slope), (whole + fixed, -slope)])
    };

    // Each bound is m * of <= most.
    let mut kept = position.liquidity;
    let mut bound = |of: i128, most: i128| {
        // Not positive, or not reached by all of it: no bound.
        let most = u128::try_from(most).unwrap_or(0);
        if let Ok(of) = u128::try_from(of)
            && of > most
        {
            let bounded = wide::mul_div_down(position.liquidity, most, of);
            kept = kept.min(bounded.unwrap_or(position.liquidity));
        }
    };
    let of_equity = one - target;
    let value_part = times(value, of_equity);
    let hedged_part = times(times(hedged_value, of_equity), one);
    // The allowance is one of debt, of which the target is only a part of equity.
    let of_debt = times(times(allowance, of_equity), one);
    for (fixed, slope) in equities(request.loss)?[signs.clone()].iter().copied() {
        bound(value_part - slope, fixed);
        bound(
            hedged_part - times(slope, target),
            times(fixed, target) - of_debt,
        );
    }
    bound(
        i128::from(hedged),
        i128::from(debt.base) + i128::from(room.base),
    );
    let in_quote = times(value - hedged_value, one);
    let borrowable = times(i128::from(debt.quote) + i128::from(room.quote), one);
    for (fixed, slope) in equities(request.max_loss)?[signs].iter().copied() {
        bound(in_quote - slope, borrowable + fixed);
    }
    Ok(kept)
}

fn signed(value: u128) -> Result<i128, ModelError> {
    if value < VALUES_BELOW {
        // Far below the sign's bit.
        Ok(value as i128)
    } else {
        Err(OVERFLOW)
    }
}

/// Value of a signed amount of base, rounded away from zero.
fn value_of(price: Price, base: i128) -> Result<i128, ModelError> {
    let amount = u64::try_from(base.unsigned_abs()).map_err(|_| OVERFLOW)?;
    let value = signed(price.value_up(amount))?;
    Ok(if base < 0 { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn band() -> ballast_clmm::Band {
        let tick = |index| ballast_clmm::Tick::new(index).unwrap();
        ballast_clmm::Band::new(tick(-1_000), tick(1_000)).unwrap()
    }

    fn holding(idle: Amounts, debt: Amounts) -> Position {
        Position {
            band: band(),
            liquidity: 0,
            idle,
            debt,
        }
    }

    fn request(loss: u32) -> HedgedRequest {
        HedgedRequest {
            hedge: Bps::ONE,
            target: Bps::new(6_000),
            loss: Bps::new(loss),
            max_loss: Bps::new(loss),
            room: Amounts::ZERO,
        }
    }

    fn plan_at(position: &Position, at: SqrtPrice, loss: u32) -> Result<HedgedPlan, HedgedError> {
        plan_hedged(position, at, at, &request(loss))
    }

    #[test]
    fn equity_has_to_pay_for_the_swap_on_either_side() {
        // 50000 less the allowance, and what trading 950000 may cost.
        for (idle, debt) in [
            (Amounts::new(0, 1_000_000), Amounts::new(950_000, 0)),
            (Amounts::new(1_000_000, 0), Amounts::new(50_000, 900_000)),
        ] {
            let plan = |loss| plan_at(&holding(idle, debt), SqrtPrice::ONE, loss);
            assert!(plan(500).is_ok(), "{:?}", plan(500));
            assert_eq!(plan(1_000), Err(HedgedError::NoEquity));
        }
    }

    #[test]
    fn a_unit_of_base_four_times_and_eight_of_quote_are_left_for_rounding() {
        // At a price of 100.
        let at = SqrtPrice::new(10 << 64).unwrap();
        let plan = |quote| plan_at(&holding(Amounts::new(0, quote), Amounts::ZERO), at, 0);
        assert_eq!(plan(408), Err(HedgedError::NoEquity));
        assert!(plan(409).is_ok());
    }

    #[test]
    fn as_much_stays_as_the_closed_form_says() {
        // Few units of much liquidity, so that each unit counts.
        let position = Position {
            liquidity: 1 << 40,
            ..holding(Amounts::new(0, 1_000), Amounts::ZERO)
        };
        let pooled = position.pool_amounts_down(SqrtPrice::ONE).unwrap();
        let position = Position {
            debt: Amounts::new(pooled.base, pooled.quote),
            ..position
        };
        let plan = plan_at(&position, SqrtPrice::ONE, 0).unwrap();
        // m V (1 - t) <= E: with a unit more of either in V, and twelve less of equity.
        let value = u128::from(pooled.base) + u128::from(pooled.quote) + 2;
        let kept = position.liquidity * (1_000 - 12) * 10_000 / (value * 4_000);
        assert_eq!(position.liquidity - plan.liquidity, kept);
    }

    #[test]
    fn what_is_sold_when_all_stays_counts_where_the_pool_pays_less_base() {
        // Above the oracle's price the pool pays less base than is hedged, and what it pays is what is owed: the less is
        // withdrawn the more is sold.
        let pool = ballast_clmm::Tick::new(500).unwrap().sqrt_price();
        let position = Position {
            liquidity: 1 << 40,
            ..holding(Amounts::ZERO, Amounts::ZERO)
        };
        let paid = position.pool_amounts_down(pool).unwrap();
        let hedged = position.pool_amounts_down(SqrtPrice::ONE).unwrap();
        let (equity, loss) = (10_000_000_000u128, 2_000u128);
        let idle = hedged.base - paid.base;
        let position = Position {
            debt: Amounts::new(
                paid.base,
                u64::try_from(u128::from(hedged.quote) + u128::from(idle) - equity).unwrap(),
            ),
            ..position
        };
        let plan = plan_hedged(&position, SqrtPrice::ONE, pool, &request(2_000)).unwrap();
        // m V (1 - t) <= E - loss m (h - w), with the roundings above.
        let value = u128::from(hedged.base) + u128::from(hedged.quote) + 2;
        let sold = u128::from(hedged.base) + 1 - u128::from(paid.base);
        let kept = position.liquidity * (equity - 12) * 10_000 / (value * 4_000 + loss * sold);
        assert_eq!(position.liquidity - plan.liquidity, kept);
    }

    #[test]
    fn a_negative_amount_is_worth_as_much_below_zero() {
        let price = Price::from(SqrtPrice::new(3 << 63).unwrap());
        // At 2.25, away from zero.
        for (base, value) in [
            (0, 0),
            (1, 3),
            (-1, -3),
            (4, 9),
            (-4, -9),
            (5, 12),
            (-5, -12),
        ] {
            assert_eq!(value_of(price, base), Ok(value));
        }
        assert_eq!(signed(VALUES_BELOW - 1), Ok((1 << 95) - 1));
        assert_eq!(signed(VALUES_BELOW), Err(OVERFLOW));
        assert_eq!(value_of(price, i128::from(u64::MAX) + 1), Err(OVERFLOW));
    }
}
