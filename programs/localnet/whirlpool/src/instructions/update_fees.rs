//! `update_fees_and_rewards`.

use anchor_lang::prelude::*;

use super::change::band_ticks;
use crate::{
    WhirlpoolError, account,
    modify::book_fees,
    state::{PoolAccount, PositionAccount, TickArrayAccount, check_time},
};

#[derive(Accounts)]
pub struct UpdateFeesAndRewards<'info> {
    /// CHECK: owner and discriminator.
    #[account(mut)]
    pub whirlpool: UncheckedAccount<'info>,
    /// CHECK: owner, discriminator and pool.
    #[account(mut)]
    pub position: UncheckedAccount<'info>,
    /// CHECK: owner, discriminator and pool.
    pub tick_array_lower: UncheckedAccount<'info>,
    /// CHECK: owner, discriminator and pool.
    pub tick_array_upper: UncheckedAccount<'info>,
}

impl UpdateFeesAndRewards<'_> {
    pub fn handle(&self) -> Result<()> {
        let (pool, position) = (
            PoolAccount(&self.whirlpool),
            PositionAccount(&self.position),
        );
        let arrays = [
            TickArrayAccount(&self.tick_array_lower),
            TickArrayAccount(&self.tick_array_upper),
        ];
        let now = account::now()?;
        let update = pool.with(|pool_view| {
            position.with(|position_view| {
                require_keys_eq!(
                    position_view.pool(),
                    *self.whirlpool.key,
                    ErrorCode::ConstraintHasOne
                );
                require!(
                    position_view.liquidity() != 0,
                    WhirlpoolError::LiquidityZero
                );
                check_time(pool_view, now)?;
                let [lower, upper] =
                    band_ticks(pool_view, self.whirlpool.key, position_view, &arrays)?;
                Ok(book_fees(pool_view, position_view, lower, upper))
            })
        })?;
        pool.set_time(now)?;
        position.apply(&update)
    }
}
