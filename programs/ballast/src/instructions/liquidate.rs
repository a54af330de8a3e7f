//! `liquidate`: anyone closes as much of an unhealthy position as brings it back to the target LTV, for a bonus.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, SqrtPrice};
use ballast_model::{Bps, LiquidationError, Valuation, plan_liquidation, value_up};

use crate::{
    due,
    errors::BallastError,
    events::Liquidated,
    groups::*,
    math::ToProgramError,
    oracle::{self, Grade},
    session::{Session, payable},
    state::Market,
    terms, witness,
};

#[derive(Accounts)]
pub struct Liquidate<'info> {
    pub liquidator: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    pub position: PositionAccounts<'info>,
    pub wallet: WalletAccounts<'info>,
    pub lending: LendingAccounts<'info>,
    pub pool: PoolAccounts<'info>,
    pub range: RangeAccounts<'info>,
    pub prices: PriceAccounts<'info>,
}

/// Closes the fraction of the position that restores the target LTV, everything when it is too deep for that: that
/// fraction of both debts is repaid and collateral worth as much plus the bonus is given for it, in the proportion in
/// which the position holds it. Each token is netted: the liquidator pays only what the collateral does not cover and
/// receives what is left. Where `max_pay` or the wallet's tokens do not pay for all of that, as much of it is done as they pay
/// for. The owner is not needed and no policy is asked.
///
/// It has to be due at the price that is used and at the newest that the market knows, and is planned and paid at the newest: who picks an older
/// price takes no more. A newest price that is too uncertain for a liquidation pays nothing: then it is the one that is used. The price's moving average has to confirm it, see [`witness`]. Where lenders lose the price must be younger still; fees are
/// collected first, and booking the loss, which only the whole does, is paid out of the insurance.
///
/// # Errors
/// [`BallastError::NotLiquidatable`], [`BallastError::NoSecondWitness`]; [`BallastError::NothingToPayWith`] if nothing can be
/// paid for; [`BallastError::GainTooSmall`] below `min_gain`, in raw quote units at that price; price errors;
/// [`BallastError::OutOfRange`] for amounts that no position has; [`BallastError::InvariantBroken`] if a debt would remain of the
/// whole, or the position would be worse off.
pub(crate) fn liquidate(ctx: Context<Liquidate>, max_pay: [u64; 2], min_gain: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let mut market = accounts.market.load_mut()?;
    let (oracle, updates) =
        oracle::read_with_updates(&mut market, &accounts.prices, now_secs, Grade::Liquidation)?;
    let market = &*market;
    let limits = &market.limits;
    let mut session = Session::load(
        accounts.market.key(),
        market,
        &accounts.position,
        &accounts.lending,
        now_secs,
    )?;

    let before = session.model()?;
    let (target, bonus) = (
        Bps::new(limits.target_ltv_bps),
        Bps::new(limits.liquidation_bonus_bps),
    );
    let prices = due::liquidation_prices(
        oracle.mid,
        oracle::newest_price(market),
        oracle::newest_is_certain(market),
    );
    let price = prices[0];
    let plan = plan_liquidation(&before, price, target, bonus).map_err(|error| match error {
        LiquidationError::NotNeeded { .. } => BallastError::NotLiquidatable,
        _ => BallastError::OutOfRange,
    })?;
    let value_before = plan.before;
    let at_other = due::value_at_other(&before, prices, &value_before).or_range()?;
    let both = [&at_other, &value_before];
    require!(
        due::liquidation_due(limits, both),
        BallastError::NotLiquidatable
    );
    if let Some(needed) = witness::needed_to_liquidate_at_both(limits, both) {
        let at_used = match price == oracle.mid {
            true => &value_before,
            false => &at_other,
        };
        witness::require_average(market, &updates, &before, at_used, needed)?;
    }
    if plan.insolvent() {
        // Lenders do not lose at a price that the liquidator picked among the last minute's.
        oracle::peek_price(market, &accounts.prices, now_secs, Grade::Final)?;
    }

    let funds = payable(&accounts.wallet, Amounts::new(max_pay[0], max_pay[1]));
    let terms = terms::liquidation(market, price, funds);
    let mut calls = session
        .calls(&accounts.pool, &accounts.range)
        .paid_by(&accounts.wallet, &accounts.liquidator);
    let done = ballast_ledger::liquidate(&mut calls, &before, plan, &terms)?;
    let bonus_paid = u64::try_from(done.bonus).unwrap_or(u64::MAX);
    require!(
        done.gain >= u128::from(min_gain),
        BallastError::GainTooSmall
    );

    let value_after = session.model()?.value(price).or_range()?;
    require!(
        !done.full || session.position.is_debt_free(),
        BallastError::InvariantBroken
    );
    require!(
        not_worse(&value_before, &value_after, price)?,
        BallastError::InvariantBroken
    );
    let entry = &mut session.position.entry;
    entry.liquidation_bonus = entry.liquidation_bonus.saturating_add(bonus_paid);
    session.position.liquidations = session.position.liquidations.saturating_add(1);
    emit!(Liquidated {
        position: accounts.position.position.key(),
        liquidator: accounts.liquidator.key(),
        full: done.full,
        liquidity: done.plan.withdraw_liquidity,
        repaid_base: done.exchange.repay.base,
        repaid_quote: done.exchange.repay.quote,
        seized_base: done.exchange.seize.base,
        seized_quote: done.exchange.seize.quote,
        fees_base: done.fees.base,
        fees_quote: done.fees.quote,
        bonus: bonus_paid,
        ltv_before_bps: value_before.ltv_bps_up(),
        ltv_after_bps: value_after.ltv_bps_up(),
        sqrt_price_x64: price.x64(),
    });
    session.store()
}

/// Whether LTV has not risen; of what is insolvent, whether no more is uncovered. But for what rounding costs: a unit each of
/// what is withdrawn, kept in the pool and owed after burning shares, of both tokens.
fn not_worse(before: &Valuation, after: &Valuation, at: SqrtPrice) -> Result<bool> {
    let rounding = 3 * value_up(1, at).or_range()? + 5;
    let assets = after.assets.saturating_add(rounding);
    let uncovered = |debt: u128, assets: u128| debt.saturating_sub(assets);
    if before.debt > before.assets {
        return Ok(uncovered(after.debt, assets) <= uncovered(before.debt, before.assets));
    }
    let after = Valuation { assets, ..*after };
    Ok(after.ltv_bps_up() <= before.ltv_bps_up())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_makes_nothing_worse() {
        let value = |assets, debt| Valuation { assets, debt };
        let holds = |before, after| not_worse(&before, &after, SqrtPrice::ONE).unwrap();
        // 8 units for rounding.
        assert!(holds(value(1_000, 800), value(492, 400)));
        assert!(!holds(value(1_000, 800), value(491, 400)));
        assert!(holds(value(1_000, 1_100), value(492, 600)));
        assert!(!holds(value(1_000, 1_100), value(491, 600)));
        assert!(holds(value(1_000, 1_100), value(0, 0)));
        // A unit that is worth 2.25 counts as 3 each: 14.
        let at = SqrtPrice::new(3 << 63).unwrap();
        let holds = |after| not_worse(&value(1_000, 800), &after, at).unwrap();
        assert!(holds(value(486, 400)) && !holds(value(485, 400)));
    }
}
