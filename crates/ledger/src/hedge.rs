//! Bringing a position to its hedge with its own liquidity, loans and one swap: what rehedging and deleveraging with a swap share.

use ballast_clmm::{Amounts, Side, SqrtPrice};
use ballast_model::{Bps, HedgedError, HedgedPlan, HedgedRequest, Position, Trade, plan_hedged};

use crate::{Ledger, LedgerError, Swapped, quote_bound, settle, stricter, swap_up_to};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgeTerms {
    /// Base debt over the pool's base afterwards.
    pub hedge: Bps,
    /// Largest LTV afterwards, below 100 %.
    pub target: Bps,
    /// Loss of the swap, on the value traded, with which LTV still ends at or below the target.
    pub loss: Bps,
    /// Largest loss of the swap.
    pub max_loss: Bps,
    /// A newer price than the one that is used, at which the swap may lose no more either.
    pub newer: Option<SqrtPrice>,
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedged {
    /// What was planned.
    pub plan: HedgedPlan,
    /// The swap.
    pub swapped: Swapped,
    /// Whether the swap has moved all that it should.
    pub complete: bool,
    /// Repaid in the end.
    pub repaid: Amounts,
}

impl From<HedgedError> for LedgerError {
    fn from(error: HedgedError) -> Self {
        match error {
            HedgedError::NoEquity => Self::NoEquity,
            HedgedError::BadTarget(target) => {
                Self::Deleverage(ballast_model::DeleverageError::BadTarget(target))
            }
            HedgedError::Model(error) => Self::Model(error),
        }
    }
}

/// Carries out [`plan_hedged`] for the position as it is and the pool's price: withdraws, borrows what the swap needs beyond what
/// lies idle, swaps as much as the largest loss lets it, and repays with everything.
///
/// # Errors
/// [`LedgerError::NoEquity`], those of [`Ledger::withdraw`], [`Ledger::borrow`] and [`swap_up_to`].
pub fn hedge<L: Ledger>(
    ledger: &mut L,
    before: &Position,
    pool: SqrtPrice,
    oracle: SqrtPrice,
    terms: &HedgeTerms,
) -> Result<Hedged, L::Error> {
    let request = HedgedRequest {
        hedge: terms.hedge,
        target: terms.target,
        loss: terms.loss,
        max_loss: terms.max_loss,
        room: ledger.room_down()?,
    };
    let plan = plan_hedged(before, oracle, pool, &request).map_err(LedgerError::from)?;
    if plan.liquidity > 0 {
        ledger.withdraw(plan.liquidity)?;
    }
    let mut result = Hedged {
        plan,
        swapped: Swapped::default(),
        complete: true,
        repaid: Amounts::ZERO,
    };
    if let Some(planned) = plan.trade {
        let (trade, base) = (planned.trade, planned.base);
        let fair = stricter(trade, oracle, terms.newer);
        fund(ledger, trade, base, fair, terms.max_loss)?;
        result.swapped = swap_up_to(ledger, (trade, base), fair, terms.max_loss)?;
        result.complete = result.swapped.base == base;
    }
    result.repaid = settle(ledger)?;
    Ok(result)
}

/// Borrows what a swap may need beyond what lies idle. What a purchase does not use is for the caller to repay.
pub(crate) fn fund<L: Ledger>(
    ledger: &mut L,
    trade: Trade,
    base: u64,
    oracle: SqrtPrice,
    max_loss: Bps,
) -> Result<(), L::Error> {
    let (side, needed) = match trade {
        Trade::SellBase => (Side::Base, base),
        Trade::BuyBase => {
            let bound = quote_bound(trade, base, oracle, max_loss).map_err(LedgerError::from)?;
            (Side::Quote, bound)
        }
    };
    let idle = ledger.idle().get(side);
    ledger.borrow(side, needed.saturating_sub(idle))
}
