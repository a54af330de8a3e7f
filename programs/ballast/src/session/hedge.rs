//! Bringing a position to its hedge with its own liquidity, loans and one swap: what rehedging and deleveraging with a swap share.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side, SqrtPrice};
use ballast_model::{HedgedError, HedgedRequest, Position as PositionModel, Trade, plan_hedged};

use super::{Session, SwapResult, quote_bound};
use crate::{
    errors::BallastError,
    groups::{PoolAccounts, RangeAccounts, SwapAccounts},
    oracle::OraclePrice,
};

/// What was done.
#[derive(Clone, Copy, Debug, Default)]
pub struct HedgeResult {
    /// Liquidity withdrawn.
    pub liquidity: u128,
    /// The swap.
    pub swapped: SwapResult,
    /// Whether base was sold, and not bought.
    pub sold: bool,
    /// Whether the swap has moved all that it should.
    pub complete: bool,
    /// Repaid in the end.
    pub repaid: Amounts,
}

impl From<HedgedError> for BallastError {
    fn from(error: HedgedError) -> Self {
        match error {
            HedgedError::NoEquity => Self::LtvNotLowered,
            HedgedError::BadTarget(_) | HedgedError::Model(_) => Self::OutOfRange,
        }
    }
}

impl<'info> Session<'_, 'info> {
    /// Carries out [`plan_hedged`] for `request`, the position as it is and the pool's price: withdraws, borrows what the swap needs
    /// beyond what lies idle, swaps as much as the largest loss lets it, and repays with everything.
    ///
    /// # Errors
    /// [`BallastError::LtvNotLowered`] without equity, those of [`Self::withdraw`], [`Self::borrow`] and [`Self::swap_up_to`].
    pub fn hedge(
        &mut self,
        pool: &PoolAccounts<'info>,
        range: &RangeAccounts<'info>,
        arrays: &SwapAccounts<'info>,
        oracle: &OraclePrice,
        (model, at): (&PositionModel, SqrtPrice),
        request: &HedgedRequest,
    ) -> Result<HedgeResult> {
        let plan = plan_hedged(model, oracle.mid, at, request).map_err(BallastError::from)?;
        if plan.liquidity > 0 {
            self.withdraw(pool, range, plan.liquidity)?;
        }
        let mut result = HedgeResult {
            liquidity: plan.liquidity,
            complete: true,
            ..HedgeResult::default()
        };
        if let Some(planned) = plan.trade {
            let max_loss_bps = request.max_loss.get();
            let (trade, base) = (planned.trade, planned.base);
            let (side, needed) = match trade {
                Trade::SellBase => (Side::Base, base),
                Trade::BuyBase => (Side::Quote, quote_bound(trade, base, oracle, max_loss_bps)?),
            };
            let idle = self.position.idle().get(side);
            // What a purchase does not use is repaid below.
            self.borrow(side, needed.saturating_sub(idle))?;
            result.swapped = self.swap_up_to(pool, arrays, trade, base, oracle, max_loss_bps)?;
            result.sold = trade == Trade::SellBase;
            result.complete = result.swapped.base == base;
        }
        result.repaid = self.settle()?;
        Ok(result)
    }
}
