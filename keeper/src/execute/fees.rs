//! What a Whirlpool position has earned, read together with everything else at one slot.

use ballast_abi::whirlpool::{
    PoolView, PositionView, TickArrayView,
    fees::{TickAt, fee_growth_inside_x64, fees_earned_down},
};
use ballast_client::{Account, MarketContext, Position};
use ballast_model::Amounts;
use solana_sdk::pubkey::Pubkey;

/// Where a position's fees are read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeeAccounts {
    whirlpool_position: Pubkey,
    ticks: [i32; 2],
    tick_arrays: [Pubkey; 2],
}

/// What a position has earned and not been paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earned {
    /// What the pool has booked.
    pub booked: Amounts,
    /// What it would pay now, rounded down; without readable tick arrays only what is booked.
    pub pending: Amounts,
}

impl FeeAccounts {
    /// Of a position as it is known.
    pub fn new(market: &MarketContext, position: &Position) -> Self {
        let ticks = [position.tick_lower, position.tick_upper];
        Self {
            whirlpool_position: position.whirlpool_position,
            ticks,
            tick_arrays: market
                .band_array_starts(ticks)
                .map(|start| market.tick_array(start)),
        }
    }

    /// Addresses to read, in the order of [`Self::earned`].
    pub fn addresses(&self) -> [Pubkey; 3] {
        let [lower, upper] = self.tick_arrays;
        [self.whirlpool_position, lower, upper]
    }

    /// The position's fees. `None` if the accounts are not the position's any more.
    pub fn earned(
        &self,
        market: &MarketContext,
        position: &Position,
        pool: &Account,
        accounts: [Option<&Account>; 3],
    ) -> Option<Earned> {
        if *self != Self::new(market, position) {
            return None;
        }
        let program = market.market.whirlpool_program;
        let of_pool = |account: Option<&'_ Account>| account.is_some_and(|it| it.owner == program);
        let [stored, lower, upper] = accounts;
        let view = PositionView::parse(&stored.filter(|_| of_pool(stored))?.data).ok()?;
        let ticks = [view.lower().get(), view.upper().get()];
        if ticks != self.ticks || view.pool() != market.market.whirlpool {
            return None;
        }
        let booked = Amounts {
            base: view.fee_owed_a(),
            quote: view.fee_owed_b(),
        };
        let pool = PoolView::parse(&pool.data).ok()?;
        let end = |index, account: Option<&Account>| {
            let array = TickArrayView::parse(&account.filter(|_| of_pool(account))?.data).ok()?;
            let state = array.tick(index, pool.tick_spacing()).ok()?;
            Some(TickAt { index, state })
        };
        let (Some(lower), Some(upper)) = (end(ticks[0], lower), end(ticks[1], upper)) else {
            return Some(Earned {
                booked,
                pending: booked,
            });
        };
        let inside = fee_growth_inside_x64(&pool, lower, upper);
        let earned = |from, to| fees_earned_down(view.liquidity(), from, to);
        let pending = Amounts {
            base: booked
                .base
                .saturating_add(earned(view.fee_growth_checkpoint_a_x64(), inside.a)),
            quote: booked
                .quote
                .saturating_add(earned(view.fee_growth_checkpoint_b_x64(), inside.b)),
        };
        Some(Earned { booked, pending })
    }
}
