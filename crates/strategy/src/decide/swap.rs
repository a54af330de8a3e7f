//! What a swap in the pool would bring, as far as the snapshot tells.

use ballast::{oracle::OraclePrice, session::quote_bound};
use ballast_clmm::{SwapMode, SwapStepInput, swap_step};
use ballast_model::{
    Amounts, Bps, ModelError, Position as PositionModel, Side, SqrtPrice, Trade,
    lending::ReserveState, value_down, value_up,
};
use ballast_snapshot::PoolState;

use super::Obstacle;
use crate::situation::{Situation, SituationError};

/// A swap at the best price there can be: the pool's, less its fee, with no price impact. What fails even then cannot
/// succeed; what passes is settled by simulating the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BestSwap {
    pub trade: Trade,
    /// Sold or bought.
    pub base: u64,
    /// Received or paid.
    pub quote: u64,
    /// Least to receive, or most to pay.
    pub bound: u64,
}

impl BestSwap {
    /// What is paid.
    pub fn paid(&self) -> Amounts {
        match self.trade {
            Trade::SellBase => Amounts::only(Side::Base, self.base),
            Trade::BuyBase => Amounts::only(Side::Quote, self.quote),
        }
    }

    /// What is received.
    pub fn received(&self) -> Amounts {
        match self.trade {
            Trade::SellBase => Amounts::only(Side::Quote, self.quote),
            Trade::BuyBase => Amounts::only(Side::Base, self.base),
        }
    }

    /// What the program borrows for it beyond what lies idle.
    pub fn borrow(&self, idle: Amounts) -> (Side, u64) {
        match self.trade {
            Trade::SellBase => (Side::Base, self.base.saturating_sub(idle.base)),
            Trade::BuyBase => (Side::Quote, self.bound.saturating_sub(idle.quote)),
        }
    }

    /// The position after borrowing, the swap, and repaying both debts out of what lies idle.
    pub fn after(&self, model: &PositionModel) -> Result<PositionModel, ModelError> {
        let (side, borrowed) = self.borrow(model.idle);
        let borrowed = Amounts::only(side, borrowed);
        let idle = model
            .idle
            .checked_add(borrowed)?
            .checked_sub(self.paid())?
            .checked_add(self.received())?;
        settled(&PositionModel {
            idle,
            debt: model.debt.checked_add(borrowed)?,
            ..*model
        })
    }
}

/// The position after repaying both debts out of what lies idle.
pub(super) fn settled(model: &PositionModel) -> Result<PositionModel, ModelError> {
    let repaid = model.idle.min(model.debt);
    Ok(PositionModel {
        idle: model.idle.checked_sub(repaid)?,
        debt: model.debt.checked_sub(repaid)?,
        ..*model
    })
}

const MILLION: u128 = 1_000_000;

/// The swap of exactly so much base, unless it loses more than `max_bps` against the oracle's price even without impact.
pub(super) fn best_swap(
    pool: &PoolState,
    (trade, base): (Trade, u64),
    oracle: SqrtPrice,
    max_bps: u32,
) -> Result<BestSwap, Obstacle> {
    let overflow = Obstacle::Arithmetic(ModelError::Overflow("swap"));
    let price = OraclePrice {
        low: oracle,
        mid: oracle,
        high: oracle,
    };
    let bound = quote_bound(trade, base, &price, max_bps).map_err(|_| overflow)?;
    let kept_ppm = MILLION.saturating_sub(u128::from(pool.fee_rate_ppm)).max(1);
    let arithmetic = Obstacle::Arithmetic;
    let fair = value_down(base, oracle).map_err(arithmetic)?.max(1);
    let (quote, loss) = match trade {
        Trade::SellBase => {
            let quote = value_up(base, pool.sqrt_price).map_err(arithmetic)? * kept_ppm / MILLION;
            (quote, fair.saturating_sub(quote))
        }
        Trade::BuyBase => {
            let quote = value_down(base, pool.sqrt_price).map_err(arithmetic)? * MILLION / kept_ppm;
            (quote, quote.saturating_sub(fair))
        }
    };
    let quote = u64::try_from(quote).map_err(|_| overflow)?;
    let too_dear = match trade {
        Trade::SellBase => quote < bound,
        Trade::BuyBase => quote > bound,
    };
    if too_dear {
        let loss_bps = u64::try_from(loss * u128::from(Bps::ONE.get()) / fair).unwrap_or(u64::MAX);
        return Err(Obstacle::SwapLoss { loss_bps, max_bps });
    }
    Ok(BestSwap {
        trade,
        base,
        quote,
        bound,
    })
}

/// What the swap loses against the oracle's price, with the impact that it has in the liquidity which is active now: ticks
/// crossed on the way are not known here. At least what the swap without impact loses.
pub(super) fn swap_cost(pool: &PoolState, swap: &BestSwap, oracle: SqrtPrice) -> u128 {
    let fair = value_down(swap.base, oracle).unwrap_or(u128::MAX);
    let loss = |quote: u64| match swap.trade {
        Trade::SellBase => fair.saturating_sub(u128::from(quote)),
        Trade::BuyBase => u128::from(quote).saturating_sub(fair),
    };
    let (mode, input, target) = match swap.trade {
        Trade::SellBase => (SwapMode::ExactIn, Side::Base, SqrtPrice::MIN),
        Trade::BuyBase => (SwapMode::ExactOut, Side::Quote, SqrtPrice::MAX),
    };
    let step = swap_step(SwapStepInput {
        amount_remaining: swap.base,
        mode,
        input,
        fee_rate_ppm: pool.fee_rate_ppm.into(),
        liquidity: pool.liquidity,
        sqrt_price: pool.sqrt_price,
        target,
    });
    let with_impact = step.map(|step| match swap.trade {
        Trade::SellBase => step.amount_out,
        Trade::BuyBase => step.amount_in.saturating_add(step.fee),
    });
    loss(swap.quote).max(with_impact.map_or(0, loss))
}

/// Whether the reserve would lend: liquidity, and for new risk (`capped`) borrow cap and utilisation limit.
pub(super) fn lend(
    situation: &Situation,
    (side, needed): (Side, u64),
    capped: bool,
) -> Result<Result<(), Obstacle>, SituationError> {
    if needed == 0 {
        return Ok(Ok(()));
    }
    let reserve = situation.reserve(side);
    let before = situation.accrued(side)?;
    let mut state = before;
    let within_caps = |state: &ReserveState| {
        state
            .total_debt_up()
            .is_ok_and(|debt| debt <= reserve.borrow_cap)
            && state
                .utilisation_bps_up()
                .is_ok_and(|bps| bps.get() <= reserve.max_utilisation_bps)
    };
    let lends = state.borrow(needed).is_ok() && (!capped || within_caps(&state));
    Ok(if lends {
        Ok(())
    } else {
        Err(Obstacle::ReserveShort {
            side,
            needed,
            liquidity: before.liquidity,
        })
    })
}
