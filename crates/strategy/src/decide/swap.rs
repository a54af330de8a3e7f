//! What a swap in the pool would bring, as far as the snapshot tells.

use ballast_clmm::{SwapMode, SwapStepInput, swap_step};
use ballast_ledger::quote_bound;
use ballast_model::{
    Bps, ModelError, Side, SqrtPrice, Trade, base_for_value_up, value_down, value_up,
};
use ballast_snapshot::PoolState;

use super::Obstacle;

/// A swap at the pool's price, less its fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BestSwap {
    pub trade: Trade,
    /// Sold or bought.
    pub base: u64,
    /// Received or paid.
    pub quote: u64,
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
    let bound =
        quote_bound(trade, base, oracle, Bps::new(max_bps)).map_err(Obstacle::Arithmetic)?;
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
    Ok(BestSwap { trade, base, quote })
}

/// Base bought for exactly so much quote, no more than the bound on its loss allows.
pub(super) fn spent(
    pool: &PoolState,
    quote: u64,
    oracle: SqrtPrice,
    max_bps: u32,
) -> Result<BestSwap, Obstacle> {
    let into = u128::from(quote) * (MILLION - u128::from(pool.fee_rate_ppm)) / MILLION;
    // A unit less than its value would buy, against rounding.
    let base = base_for_value_up(into, pool.sqrt_price)
        .map_err(Obstacle::Arithmetic)?
        .saturating_sub(1);
    let swap = best_swap(pool, (Trade::BuyBase, base), oracle, max_bps)?;
    Ok(BestSwap { quote, ..swap })
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

#[cfg(test)]
mod tests {
    use super::*;

    const AT: SqrtPrice = SqrtPrice::ONE;

    fn pool(sqrt_price: SqrtPrice, fee_rate_ppm: u16) -> PoolState {
        PoolState {
            sqrt_price,
            fee_rate_ppm,
            ..crate::fixtures::snapshot(200).pool
        }
    }

    #[test]
    fn a_swap_may_lose_its_bound_and_not_more() {
        for trade in [Trade::SellBase, Trade::BuyBase] {
            let swap = |pool: &PoolState, max_bps| best_swap(pool, (trade, 1_000_000), AT, max_bps);
            // Nothing is lost, and nothing may be.
            let free = pool(AT, 0);
            assert_eq!(swap(&free, 0).unwrap().quote, 1_000_000);
            // A fee of 1 % is a loss of 1 %, or a hundredth of a percent more on what is paid on top.
            let dear = pool(AT, 10_000);
            let loss = |max_bps| match swap(&dear, max_bps) {
                Err(Obstacle::SwapLoss { loss_bps, .. }) => Some(loss_bps),
                Err(other) => panic!("{other:?}"),
                Ok(_) => None,
            };
            assert_eq!(
                loss(50),
                Some(if trade == Trade::SellBase { 100 } else { 101 })
            );
            assert_eq!(loss(102), None);
        }
    }

    #[test]
    fn quote_buys_what_is_left_of_it_after_the_fee() {
        let swap = spent(&pool(AT, 3_000), 1_000_000, AT, 1_000).unwrap();
        assert_eq!((swap.trade, swap.quote), (Trade::BuyBase, 1_000_000));
        // 1000000 less 0.3 %, less a unit against rounding.
        assert_eq!(swap.base, 996_999);
    }
}
