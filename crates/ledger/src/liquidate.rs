//! Debts repaid by somebody who is given collateral for it, and losses booked.

use ballast_clmm::{Amounts, Side, SqrtPrice};
use ballast_model::{Bps, Exchange, LiquidationPlan, Position, worth_down};

use crate::{Counter, LedgerError, settle};

/// On which terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiquidationTerms {
    /// The oracle's price.
    pub oracle: SqrtPrice,
    /// Bonus on the debt repaid.
    pub bonus: Bps,
    /// Part of the debt repaid and lost that booking a loss brings, out of the insurance, and no more than what is lost.
    pub write_off_bonus: Bps,
    /// What the payer can bring.
    pub funds: Amounts,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidated {
    /// What the payer repaid and was given.
    pub exchange: Exchange,
    /// As much of the plan as was paid for.
    pub plan: LiquidationPlan,
    /// Fees collected, where lenders lose.
    pub fees: Amounts,
    /// Value given beyond what was repaid, raw quote units.
    pub bonus: u128,
    /// That and what booking the loss brought.
    pub gain: u128,
    /// Whether everything was closed.
    pub full: bool,
}

/// Carries out as much of a plan as the payer's funds pay for. Where lenders lose, and all of it is done, fees are collected first and
/// the loss is booked.
///
/// # Errors
/// [`LedgerError::NothingToPayWith`], those of [`crate::Ledger::withdraw`] and [`Counter`].
pub fn liquidate<L: Counter>(
    ledger: &mut L,
    before: &Position,
    plan: LiquidationPlan,
    terms: &LiquidationTerms,
) -> Result<Liquidated, L::Error> {
    let LiquidationTerms {
        oracle,
        bonus,
        funds,
        ..
    } = *terms;
    let insolvent = plan.insolvent();
    let plan = if plan.is_paid_by(before.debt, funds) {
        plan
    } else {
        let part = plan.paid_by(before, oracle, ledger.pool_price()?, bonus, funds);
        part.map_err(LedgerError::from)?
    };
    let mut pot = plan.seize_idle;
    let more = |pot: Amounts, came| {
        let pot = pot.checked_add(came);
        pot.map_err(|error| LedgerError::Model(error.into()))
    };
    if plan.withdraw_liquidity > 0 {
        pot = more(pot, ledger.withdraw(plan.withdraw_liquidity)?)?;
    }
    let mut fees = Amounts::ZERO;
    if insolvent && plan.part.is_all() {
        // Before lenders lose, everything counts, fees too.
        fees = ledger.collect()?;
        pot = more(pot, fees)?;
    }
    let exchange = plan.exchange(before.debt, pot, bonus, oracle);
    let exchange = exchange.map_err(LedgerError::from)?;
    // Fees, and rounding of what came, may ask for more than was reckoned with.
    let paid = exchange.part_paid_by(funds);
    let exchange = exchange.part(paid);
    let whole = plan.part.is_all() && paid.is_all();
    let books = insolvent && whole;
    if !books && exchange.repay.is_zero() {
        return Err(LedgerError::NothingToPayWith.into());
    }
    pay(ledger, &exchange)?;
    let bonus = exchange.gain(oracle).map_err(LedgerError::from)?;
    let mut gain = bonus;
    if books {
        settle(ledger)?;
        let rewarded = ledger.book_losses(exchange.repay, terms.write_off_bonus)?;
        gain += worth_down(rewarded, oracle).map_err(LedgerError::from)?;
    }
    Ok(Liquidated {
        exchange,
        plan,
        fees,
        bonus,
        gain,
        full: plan.full && whole,
    })
}

/// Repays the debts and gives the collateral, netted per token: the payer brings what the collateral does not cover and receives
/// what is left of it.
///
/// # Errors
/// Those of [`Counter`].
pub fn pay<L: Counter>(ledger: &mut L, exchange: &Exchange) -> Result<(), L::Error> {
    let (brought, received) = (exchange.brought(), exchange.received());
    for side in [Side::Base, Side::Quote] {
        ledger.take_in(side, brought.get(side))?;
        ledger.repay(side, exchange.repay.get(side))?;
        if received.get(side) > 0 {
            ledger.pay_out(side, received.get(side))?;
        }
    }
    Ok(())
}
