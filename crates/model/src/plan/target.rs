use ballast_clmm::{Band, SqrtPrice};
use thiserror::Error;

use super::open::liquidity_for_value_down;
use crate::{Bps, ModelError, Position, Price};

/// What a position is to become: as much leverage, hedged like that, in this band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// Assets over equity, at least 1.
    pub leverage: Bps,
    /// Base debt over the pool's base; [`Bps::ONE`] is delta-neutral.
    pub hedge: Bps,
    /// Price range of the liquidity afterwards.
    pub band: Band,
}

/// How it gets there: trade the surplus, borrow what is missing, provide the liquidity, repay with what is left over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetPlan {
    /// Liquidity afterwards, if the trade cost nothing; never less than what is in the same band already.
    pub liquidity: u128,
    /// Base to sell if positive, to buy if negative: what is held net of debt beyond the unhedged part of the pool's base.
    /// With a full hedge it is the position's delta, whatever the new band is (MATH section 4).
    pub base_surplus: i128,
}

/// Why it cannot become that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// Leverage below one.
    #[error("leverage {0} must be at least 100%")]
    LeverageBelowOne(Bps),
    /// Nothing is left of the position.
    #[error("equity {0} is not positive: nothing to provide liquidity with")]
    NoEquity(i128),
    /// The equity does not buy one unit of liquidity.
    #[error("equity worth {0} quote units is too small for this band: add funds")]
    TooSmall(u128),
    /// Borrowing the hedge alone costs more debt than the leverage allows.
    #[error(
        "hedge not affordable: the base to borrow is worth {hedge_value} quote units, but leverage {leverage} allows debt of \
         only {debt_allowed}: raise leverage, lower the hedge ratio or move the band down"
    )]
    NotAffordable {
        /// Value of the base that the hedge needs borrowed.
        hedge_value: u128,
        /// Debt that the leverage allows.
        debt_allowed: u128,
        /// The leverage asked for.
        leverage: Bps,
    },
    /// See [`ModelError`].
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// Plans the way from any position to a target. Liquidity is sized at `at`, the pool's price, where it is carried out; the hedge
/// at `oracle`, where it is judged: what lies between the two is bought or sold, in the pool and to its loss. Liquidity in another
/// band than the target's has to be withdrawn first.
///
/// For an empty position with own funds idle this is how a position is opened; with liquidity in the same band how it
/// grows; after withdrawing everything how it is recentered.
///
/// # Errors
/// [`TargetError`].
pub fn plan_target(
    position: &Position,
    target: &Target,
    at: SqrtPrice,
    oracle: SqrtPrice,
) -> Result<TargetPlan, TargetError> {
    let Target {
        leverage,
        hedge,
        band,
    } = *target;
    if leverage < Bps::ONE {
        return Err(TargetError::LeverageBelowOne(leverage));
    }
    let equity = position.equity_down(at)?;
    let equity = u128::try_from(equity)
        .ok()
        .filter(|equity| *equity > 0)
        .ok_or(TargetError::NoEquity(equity))?;
    let assets = leverage
        .of_down(equity)
        .ok_or(ModelError::Overflow("leveraged equity"))?;
    let wanted = liquidity_for_value_down(&band, assets, at)?;
    if wanted == 0 {
        return Err(TargetError::TooSmall(equity));
    }
    let liquidity = wanted.max(position.liquidity);
    let afterwards = Position {
        band,
        liquidity,
        ..*position
    };
    // Every later valuation and the delta band need them.
    afterwards.full_base_up()?;
    afterwards.full_quote_up()?;

    let pooled = band.amounts_up(liquidity, at).map_err(ModelError::from)?;
    let at_oracle = band
        .amounts_up(liquidity, oracle)
        .map_err(ModelError::from)?;
    let hedged = hedge
        .of_up(u128::from(at_oracle.base))
        .and_then(|base| u64::try_from(base).ok())
        .ok_or(ModelError::Overflow("base to borrow"))?;
    let price = Price::from(at);
    let hedge_value = price.value_up(hedged);
    let debt_allowed = assets - equity;
    // What rounding the liquidity down may leave over.
    let one = band.amounts_up(1, at).map_err(ModelError::from)?;
    let rounding = price
        .value_up(one.base)
        .saturating_add(u128::from(one.quote))
        .saturating_add(price.ceil().saturating_mul(2))
        .saturating_add(8);
    if liquidity == wanted && hedge_value > debt_allowed.saturating_add(rounding) {
        return Err(TargetError::NotAffordable {
            hedge_value,
            debt_allowed,
            leverage,
        });
    }
    let held = if position.liquidity == 0 {
        0
    } else {
        // What is in the pool already is counted as it will be, rounded alike.
        position
            .band
            .amounts_up(position.liquidity, at)
            .map_err(ModelError::from)?
            .base
    };
    let net = i128::from(held) + i128::from(position.idle.base) - i128::from(position.debt.base);
    Ok(TargetPlan {
        liquidity,
        base_surplus: net - (i128::from(pooled.base) - i128::from(hedged)),
    })
}
