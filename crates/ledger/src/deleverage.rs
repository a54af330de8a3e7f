//! Bringing LTV down: by withdrawing and repaying, or with a swap where the tokens do not match the debts.

use ballast_clmm::{Amounts, SqrtPrice};
use ballast_model::{
    Bps, DeleverageError, DeleveragePlan, HedgedPlan, Position, plan_deleverage_part,
};

use crate::{HedgeTerms, Hedged, Ledger, LedgerError, Swapped, hedge, settle};

/// What was done without a swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deleveraged {
    /// LTV that this was to reach; `None`: only a part could be done.
    pub target: Option<Bps>,
    /// What was planned.
    pub plan: DeleveragePlan,
    /// Repaid.
    pub repaid: Amounts,
}

/// Carries a plan out. Where it would need a swap, what the tokens match is repaid.
///
/// # Errors
/// [`LedgerError::Deleverage`], those of [`Ledger::withdraw`].
pub fn deleverage<L: Ledger>(
    ledger: &mut L,
    before: &Position,
    pool: SqrtPrice,
    planned: Result<(Bps, DeleveragePlan), DeleverageError>,
) -> Result<Deleveraged, L::Error> {
    let (target, plan) = match planned {
        Ok((target, plan)) => (Some(target), plan),
        Err(DeleverageError::NeedsSwap { .. }) => {
            let part = plan_deleverage_part(before, pool).map_err(LedgerError::from)?;
            (None, part)
        }
        Err(error) => return Err(LedgerError::from(error).into()),
    };
    Ok(Deleveraged {
        target,
        plan,
        repaid: withdraw_and_repay(ledger, plan.liquidity)?,
    })
}

/// The same without a swap wherever that reaches a target; else withdraws as much as one swap needs to end hedged at the terms'
/// target. Returns the target too.
///
/// # Errors
/// [`LedgerError::Deleverage`], those of [`Ledger::withdraw`] and [`hedge()`].
pub fn deleverage_swap<L: Ledger>(
    ledger: &mut L,
    before: &Position,
    [pool, oracle]: [SqrtPrice; 2],
    planned: Result<(Bps, DeleveragePlan), DeleverageError>,
    terms: &HedgeTerms,
) -> Result<(Bps, Hedged), L::Error> {
    match planned {
        Ok((target, plan)) => {
            let done = Hedged {
                plan: HedgedPlan {
                    liquidity: plan.liquidity,
                    withdraw: plan.withdraw,
                    trade: None,
                },
                swapped: Swapped::default(),
                complete: true,
                repaid: withdraw_and_repay(ledger, plan.liquidity)?,
            };
            Ok((target, done))
        }
        Err(DeleverageError::NeedsSwap { .. }) => {
            Ok((terms.target, hedge(ledger, before, pool, oracle, terms)?))
        }
        Err(error) => Err(LedgerError::from(error).into()),
    }
}

/// Withdraws so much liquidity, if any, and repays with everything; returns what was repaid.
///
/// # Errors
/// Those of [`Ledger::withdraw`] and [`Ledger::repay`].
pub fn withdraw_and_repay<L: Ledger>(ledger: &mut L, liquidity: u128) -> Result<Amounts, L::Error> {
    if liquidity > 0 {
        ledger.withdraw(liquidity)?;
    }
    settle(ledger)
}
