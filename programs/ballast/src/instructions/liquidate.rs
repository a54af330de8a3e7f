//! `liquidate`: anyone closes as much of an unhealthy position as brings it back to the target LTV, for a bonus.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side, SqrtPrice, wide::mul_div_down};
use ballast_model::{Bps, LiquidationError, plan_liquidation, value_down};

use crate::{
    errors::BallastError,
    events::Liquidated,
    groups::*,
    math::ToProgramError,
    oracle::{self, Grade},
    session::Session,
    state::Market,
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
/// receives what is left. The owner is not needed and no policy is asked. Where debt has to be written off the price must be
/// as fresh as for opening.
///
/// # Errors
/// [`BallastError::NotLiquidatable`]; [`BallastError::SlippageExceeded`] if more than `max_pay_base` or `max_pay_quote`
/// would be needed; price errors.
pub(crate) fn liquidate(
    ctx: Context<Liquidate>,
    max_pay_base: u64,
    max_pay_quote: u64,
) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let mut market = accounts.market.load_mut()?;
    let oracle = oracle::read_price(&mut market, &accounts.prices, now_secs, Grade::Loose)?;
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
    let plan =
        plan_liquidation(&before, oracle.mid, target, bonus).map_err(|error| match error {
            LiquidationError::NotNeeded { .. } => BallastError::NotLiquidatable,
            _ => BallastError::OutOfRange,
        })?;
    let value_before = plan.before;
    let unhealthy = value_before.ltv_at_least(Bps::new(limits.maintenance_ltv_bps));
    require!(unhealthy, BallastError::NotLiquidatable);

    let mut pot = plan.seize_idle;
    if plan.withdraw_liquidity > 0 {
        let withdrawn =
            session.withdraw(&accounts.pool, &accounts.range, plan.withdraw_liquidity)?;
        pot = pot.checked_add(withdrawn).or_range()?;
    }
    let mut repay = plan.repay;
    let insolvent = value_before.debt > value_before.assets;
    let mut fees = Amounts::ZERO;
    if insolvent {
        // Lenders' losses are not booked at a price that the liquidator picked among the last minutes'.
        oracle::peek_price(market, &accounts.prices, now_secs, Grade::Final)?;
        // Before lenders lose, everything counts, fees too.
        fees = session.collect_fees(&accounts.pool)?;
        pot = pot.checked_add(fees).or_range()?;
        repay = affordable(before.debt, worth(pot, oracle.mid)?, value_before.debt);
    }
    let seized = seizure(pot, worth(repay, oracle.mid)?, bonus, oracle.mid)?;
    exchange(
        &mut session,
        accounts,
        repay,
        seized,
        [max_pay_base, max_pay_quote],
    )?;
    if insolvent {
        session.settle()?;
        session.write_off(Side::Base)?;
        session.write_off(Side::Quote)?;
    }

    let value_after = session.model()?.value(oracle.mid).or_range()?;
    require!(
        !plan.full || session.position.is_debt_free(),
        BallastError::InvariantBroken
    );
    require!(
        value_after.ltv_bps_up() <= value_before.ltv_bps_up(),
        BallastError::InvariantBroken
    );
    let gained = worth(seized, oracle.mid)?.saturating_sub(worth(repay, oracle.mid)?);
    let bonus_paid = u64::try_from(gained).unwrap_or(u64::MAX);
    let entry = &mut session.position.entry;
    entry.liquidation_bonus = entry.liquidation_bonus.saturating_add(bonus_paid);
    session.position.liquidations = session.position.liquidations.saturating_add(1);
    emit!(Liquidated {
        position: accounts.position.position.key(),
        liquidator: accounts.liquidator.key(),
        full: plan.full,
        liquidity: plan.withdraw_liquidity,
        repaid_base: repay.base,
        repaid_quote: repay.quote,
        seized_base: seized.base,
        seized_quote: seized.quote,
        fees_base: fees.base,
        fees_quote: fees.quote,
        bonus: bonus_paid,
        ltv_before_bps: value_before.ltv_bps_up(),
        ltv_after_bps: value_after.ltv_bps_up(),
        sqrt_price_x64: oracle.mid.x64(),
    });
    session.store()
}

/// Value at the oracle's price, rounded down.
fn worth(amounts: Amounts, at: SqrtPrice) -> Result<u128> {
    let base = value_down(amounts.base, at).or_range()?;
    base.checked_add(u128::from(amounts.quote)).or_range()
}

/// Both debts in proportion, as far as collateral worth `worth` pays for debt worth `owed`; all of them if it is enough.
fn affordable(debt: Amounts, worth: u128, owed: u128) -> Amounts {
    if worth >= owed {
        return debt;
    }
    // `worth < owed`, so the part is smaller than the debt and fits.
    let part =
        |amount: u64| mul_div_down(u128::from(amount), worth, owed).map_or(0, |part| part as u64);
    Amounts {
        base: part(debt.base),
        quote: part(debt.quote),
    }
}

/// The part of `pot` that may be given for debt worth `repaid`: worth at most `repaid` plus the bonus. A pool price away
/// from the oracle's makes withdrawn tokens worth more than the liquidity was valued at; that surplus is the owner's.
fn seizure(pot: Amounts, repaid: u128, bonus: Bps, at: SqrtPrice) -> Result<Amounts> {
    let one = u128::from(Bps::ONE.get());
    let allowed = mul_div_down(repaid, one + u128::from(bonus.get()), one).or_range()?;
    let worth = worth(pot, at)?;
    if worth <= allowed {
        return Ok(pot);
    }
    let part = |amount: u64| {
        mul_div_down(u128::from(amount), allowed, worth).map_or(0, |part| part as u64)
    };
    Ok(Amounts {
        base: part(pot.base),
        quote: part(pot.quote),
    })
}

/// Repays the debts and gives the collateral, netted per token: the wallet pays what the collateral does not cover and
/// receives what is left of it.
fn exchange<'info>(
    session: &mut Session<'_, 'info>,
    accounts: &Liquidate<'info>,
    repay: Amounts,
    seized: Amounts,
    max_pay: [u64; 2],
) -> Result<()> {
    for (side, max_pay) in [Side::Base, Side::Quote].into_iter().zip(max_pay) {
        let (owed, given) = (repay.get(side), seized.get(side));
        let wallet = accounts.wallet.tokens(side);
        let missing = owed.saturating_sub(given);
        require!(missing <= max_pay, BallastError::SlippageExceeded);
        session.take_in(side, missing, wallet, &accounts.liquidator)?;
        session.repay_unless_dust(side, owed)?;
        session.pay_out(side, given.saturating_sub(owed), wallet)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: SqrtPrice = SqrtPrice::ONE;

    fn amounts(base: u64, quote: u64) -> Amounts {
        Amounts { base, quote }
    }

    #[test]
    fn collateral_given_never_exceeds_debt_and_bonus() {
        let bonus = Bps::new(500);
        assert_eq!(
            seizure(amounts(40, 60), 100, bonus, AT).unwrap(),
            amounts(40, 60)
        );
        let capped = seizure(amounts(4_000, 6_600), 10_000, bonus, AT).unwrap();
        assert_eq!(capped, amounts(3_962, 6_537));
        assert!(worth(capped, AT).unwrap() <= 10_500);
        assert_eq!(
            seizure(amounts(u64::MAX, u64::MAX), 0, bonus, AT).unwrap(),
            Amounts::ZERO
        );
    }

    #[test]
    fn insolvent_debt_is_repaid_in_proportion_and_never_beyond_the_collateral() {
        assert_eq!(affordable(amounts(100, 300), 200, 400), amounts(50, 150));
        assert_eq!(affordable(amounts(100, 300), 400, 400), amounts(100, 300));
        assert_eq!(
            affordable(amounts(u64::MAX, 1), u128::MAX - 1, u128::MAX),
            amounts(u64::MAX - 1, 0)
        );
        assert_eq!(affordable(amounts(7, 7), 0, 14), Amounts::ZERO);
    }
}
