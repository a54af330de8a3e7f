//! Bringing a position to its target: the swap, the loans and the liquidity that opening, increasing, recentering and compounding
//! share.

use ballast_clmm::{Side, SqrtPrice, wide::mul_div_down};
use ballast_model::{
    Bps, ModelError, Position, Target, TargetError, Trade, liquidity_for_value_down, plan_target,
};

use crate::{Ledger, LedgerError, Order, Swapped, error::overflow, hedge::fund, settle, swap};

/// Whether a hedge error lies within `band` of the position's full base amount.
///
/// # Errors
/// [`ModelError`].
pub fn within_band(position: &Position, hedge_error: i128, band: Bps) -> Result<bool, ModelError> {
    if hedge_error == 0 {
        return Ok(true);
    }
    let full = u128::from(position.full_base_up()?);
    let one = u128::from(Bps::ONE.get());
    let error = hedge_error.unsigned_abs().saturating_mul(one);
    Ok(error <= full * u128::from(band.get()))
}

/// The leverage at which a position of this equity has no more than `most` assets, both raw quote units; never below one, and
/// never above `leverage`.
pub fn leverage_within(leverage: Bps, equity: u128, most: u128) -> Bps {
    let one = u128::from(Bps::ONE.get());
    let within = mul_div_down(most, one, equity.max(1)).unwrap_or(u128::MAX);
    let within = Bps::new(u32::try_from(within).unwrap_or(u32::MAX));
    leverage.min(within).max(Bps::ONE)
}

/// `leverage` times a value.
pub(crate) fn leveraged_down(value: u128, leverage: Bps) -> Result<u128, LedgerError> {
    leverage
        .of_down(value)
        .ok_or(overflow("a value times leverage"))
}

/// Swaps what is held net of debt so that, once both loans are taken, the position is hedged at the oracle's price. Differences
/// within `near` of the full base amount are left alone. Quote that a purchase needs and that is not idle is borrowed.
///
/// # Errors
/// [`LedgerError::HedgeNotAffordable`], what is out of range without equity, those of [`swap()`] and [`Ledger::borrow`].
pub fn mix<L: Ledger>(
    ledger: &mut L,
    (leverage, hedge): (Bps, Bps),
    near: Bps,
    oracle: SqrtPrice,
    max_loss: Bps,
) -> Result<Swapped, L::Error> {
    let model = ledger.position()?;
    let target = Target {
        leverage,
        hedge,
        band: model.band,
    };
    let plan = plan_target(&model, &target, ledger.pool_price()?, oracle);
    let plan = plan.map_err(|error| match error {
        TargetError::NotAffordable { .. } => LedgerError::HedgeNotAffordable { leverage },
        TargetError::Model(error) => LedgerError::Model(error),
        _ => overflow("equity"),
    })?;
    let sized = Position {
        liquidity: plan.liquidity,
        ..model
    };
    if within_band(&sized, plan.base_surplus, near).map_err(LedgerError::from)? {
        return Ok(Swapped::default());
    }
    let base = u64::try_from(plan.base_surplus.unsigned_abs()).map_err(|_| overflow("swap"))?;
    let (trade, order) = if plan.base_surplus > 0 {
        (Trade::SellBase, Order::Sell(base))
    } else {
        (Trade::BuyBase, Order::Buy(base))
    };
    fund(ledger, trade, base, oracle, max_loss)?;
    swap(ledger, order, oracle, max_loss)
}

/// Adds liquidity until assets are `leverage` times equity at the pool's price, or until `most` more is provided, borrows what is
/// missing for it, and repays with what is left over. Returns what was added: nothing if leverage is there already.
///
/// # Errors
/// Those of [`Ledger::borrow`] and [`Ledger::provide_at_most`], what is out of range without equity.
pub fn grow<L: Ledger>(ledger: &mut L, leverage: Bps, most: u128) -> Result<u128, L::Error> {
    let at = ledger.pool_price()?;
    let model = ledger.position()?;
    let equity = model.value(at).map_err(LedgerError::from)?.equity();
    let equity = u128::try_from(equity).map_err(|_| overflow("equity"))?;
    let value = leveraged_down(equity, leverage)?;
    let wanted = liquidity_for_value_down(&model.band, value, at).map_err(LedgerError::from)?;
    let added = wanted.saturating_sub(model.liquidity).min(most);
    if added > 0 {
        let deposit = model.band.amounts_up(added, at);
        let deposit = deposit.map_err(|error| LedgerError::Model(error.into()))?;
        for side in [Side::Base, Side::Quote] {
            let idle = ledger.idle().get(side);
            ledger.borrow(side, deposit.get(side).saturating_sub(idle))?;
        }
        // Loans move no pool: it is where the deposit was computed.
        ledger.provide_at_most(added, deposit)?;
    }
    settle(ledger)?;
    Ok(added)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leverage_makes_of_a_value_is_rounded_down() {
        assert_eq!(leveraged_down(3, Bps::new(15_000)), Ok(4));
        assert!(leveraged_down(u128::MAX, Bps::new(15_000)).is_err());
    }

    #[test]
    fn leverage_is_lowered_as_far_as_the_largest_position_asks_for() {
        let within = |equity, most| leverage_within(Bps::new(30_000), equity, most).get();
        assert_eq!(within(100, 300), 30_000);
        assert_eq!(within(100, 299), 29_900);
        assert_eq!(within(100, 101), 10_100);
        assert_eq!(within(100, 7), 10_000);
        assert_eq!(within(3, 8), 26_666);
        assert_eq!(within(0, 0), 10_000);
        assert_eq!(within(0, u128::MAX), 30_000);
    }
}
