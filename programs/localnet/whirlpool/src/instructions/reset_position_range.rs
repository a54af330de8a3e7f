//! `reset_position_range`.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::layout::position as at;

use super::open_position::check_band;
use crate::{
    WhirlpoolError,
    account::{self, Creation},
    state::{NewPosition, PoolAccount, PositionAccount, TickArrayAccount, is_empty},
    token,
};

#[derive(Accounts)]
pub struct ResetPositionRange<'info> {
    #[account(mut)]
    pub funder: Signer<'info>,
    pub position_authority: Signer<'info>,
    /// CHECK: owner and discriminator.
    pub whirlpool: UncheckedAccount<'info>,
    /// CHECK: owner, discriminator and pool.
    #[account(mut)]
    pub position: UncheckedAccount<'info>,
    /// CHECK: mint, amount and authority.
    pub position_token_account: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

impl ResetPositionRange<'_> {
    pub fn handle(&self, lower: i32, upper: i32) -> Result<()> {
        let tick_spacing = PoolAccount(&self.whirlpool).with(|pool| Ok(pool.tick_spacing()))?;
        let (pool, mint, empty, band) = PositionAccount(&self.position).with(|position| {
            Ok((
                position.pool(),
                position.mint(),
                is_empty(position),
                (position.lower().get(), position.upper().get()),
            ))
        })?;
        require_keys_eq!(pool, *self.whirlpool.key, ErrorCode::ConstraintHasOne);
        token::check_position_authority(
            &self.position_token_account,
            mint,
            self.position_authority.key,
        )?;

        // Positions that were opened before there were dynamic tick arrays have their own rent only.
        let creation = Creation {
            funder: &self.funder,
            system_program: &self.system_program,
        };
        let rent = Rent::get()?.minimum_balance(at::LENGTH) + TickArrayAccount::rent_per_band()?;
        creation.top_up(&self.position, rent)?;

        require!(empty, WhirlpoolError::ClosePositionNotEmpty);
        require!(
            (lower, upper) != band,
            WhirlpoolError::SameTickRangeNotAllowed
        );
        check_band(tick_spacing, lower, upper)?;
        NewPosition {
            pool,
            mint,
            lower,
            upper,
        }
        .write(&mut account::data_mut(&self.position)?);
        Ok(())
    }
}
