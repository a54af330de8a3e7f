//! Bringing a position to its target: the swap, the loans and the liquidity that opening, increasing, recentering and
//! compounding share.

use anchor_lang::prelude::*;
use ballast_clmm::Side;
use ballast_model::{Bps, Target, TargetError, Trade, liquidity_for_value_down, plan_target};

use super::{Session, SwapResult, quote_bound};
use crate::{
    errors::BallastError,
    groups::{PoolAccounts, RangeAccounts, SwapAccounts},
    math::ToProgramError,
    oracle::OraclePrice,
    pool, risk,
};

impl<'info> Session<'_, 'info> {
    /// Swaps what is held net of debt so that, once both loans are taken, the position is hedged at the oracle's price as its
    /// policy says.
    /// Differences well within the policy's target are left alone. Quote that a purchase needs and that is not idle is
    /// borrowed.
    ///
    /// # Errors
    /// [`BallastError::HedgeNotAffordable`], [`BallastError::OutOfRange`] without equity, those of [`Self::swap`] and
    /// [`Self::borrow`].
    pub fn mix(
        &mut self,
        pool: &PoolAccounts<'info>,
        arrays: &SwapAccounts<'info>,
        leverage: Bps,
        oracle: &OraclePrice,
        max_loss_bps: u32,
    ) -> Result<SwapResult> {
        let policy = self.position.policy;
        let model = self.model()?;
        let target = Target {
            leverage,
            hedge: policy.hedge(),
            band: self.band(),
        };
        let at = pool::sqrt_price(pool, self.market)?;
        let planned = plan_target(&model, &target, at, oracle.mid);
        let plan = planned.map_err(|error| match error {
            TargetError::NotAffordable { .. } => BallastError::HedgeNotAffordable,
            _ => BallastError::OutOfRange,
        })?;
        let mut sized = model;
        sized.liquidity = plan.liquidity;
        if risk::within_band(&sized, plan.base_surplus, policy.delta_target_bps / 2)? {
            return Ok(SwapResult::default());
        }
        let trade = if plan.base_surplus > 0 {
            Trade::SellBase
        } else {
            Trade::BuyBase
        };
        let base = u64::try_from(plan.base_surplus.unsigned_abs())
            .ok()
            .or_range()?;
        let (side, needed) = match trade {
            Trade::SellBase => (Side::Base, base),
            Trade::BuyBase => (Side::Quote, quote_bound(trade, base, oracle, max_loss_bps)?),
        };
        let idle = self.position.idle().get(side);
        self.borrow(side, needed.saturating_sub(idle))?;
        self.swap(pool, arrays, trade, base, oracle, max_loss_bps)
    }

    /// Adds liquidity until assets are `leverage` times equity at the pool's price, or until `most` more is provided,
    /// borrows what is missing for it, and repays with what is left over. Returns what was added: nothing if leverage is
    /// there already.
    ///
    /// # Errors
    /// Those of [`Self::borrow`] and [`Self::provide`], [`BallastError::OutOfRange`] without equity.
    pub fn grow(
        &mut self,
        pool: &PoolAccounts<'info>,
        range: &RangeAccounts<'info>,
        leverage: Bps,
        most: u128,
    ) -> Result<u128> {
        let at = pool::sqrt_price(pool, self.market)?;
        let model = self.model()?;
        let equity = u128::try_from(model.value(at).or_range()?.equity())
            .map_err(|_| BallastError::OutOfRange)?;
        let value = leverage.of_down(equity).or_range()?;
        let wanted = liquidity_for_value_down(&model.band, value, at).or_range()?;
        let added = wanted.saturating_sub(model.liquidity).min(most);
        if added > 0 {
            let deposit = model.band.amounts_up(added, at).or_range()?;
            for side in [Side::Base, Side::Quote] {
                let idle = self.position.idle().get(side);
                self.borrow(side, deposit.get(side).saturating_sub(idle))?;
            }
            self.provide(pool, range, added)?;
        }
        self.settle()?;
        Ok(added)
    }
}
