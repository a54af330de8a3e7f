//! `reset_position_range`.

use anchor_lang::prelude::*;
use ballast_abi::whirlpool::layout::position as at;

use super::open_position::check_band;
use crate::{
    WhirlpoolError,
    account::Creation,
    mischief::take_lamports,
    state::{PoolAccount, PositionAccount, TickArrayAccount, is_empty},
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
        let (pool, mint, empty) = PositionAccount(&self.position)
            .with(|position| Ok((position.pool(), position.mint(), is_empty(position))))?;
        require_keys_eq!(pool, *self.whirlpool.key, ErrorCode::ConstraintHasOne);
        token::check_position_authority(
            &self.position_token_account,
            mint,
            self.position_authority.key,
        )?;
        let creation = Creation {
            funder: &self.funder,
            system_program: &self.system_program,
        };
        top_up(&creation, &self.position)?;
        require!(empty, WhirlpoolError::ClosePositionNotEmpty);
        move_band(tick_spacing, &self.position, lower, upper)?;
        let (pool, funder) = (&self.whirlpool, &self.funder);
        take_lamports(pool, funder, &self.position, &self.system_program)
    }
}

/// Sees to it that a position without liquidity has its own rent and that for two ticks: ones that were opened before there
/// were dynamic tick arrays have their own only.
pub(super) fn top_up<'info>(
    creation: &Creation<'_, 'info>,
    position: &AccountInfo<'info>,
) -> Result<()> {
    let own = Rent::get()?.minimum_balance(at::LENGTH);
    creation.top_up(position, own + TickArrayAccount::rent_per_band()?)
}

/// Moves a position without liquidity to another band. What it is owed stays, what it remembers of growths does not.
pub(super) fn move_band(
    tick_spacing: u16,
    position: &AccountInfo,
    lower: i32,
    upper: i32,
) -> Result<()> {
    let position = PositionAccount(position);
    let band = position.with(|view| Ok((view.lower().get(), view.upper().get())))?;
    require!(
        (lower, upper) != band,
        WhirlpoolError::SameTickRangeNotAllowed
    );
    check_band(tick_spacing, lower, upper)?;
    position.move_to(lower, upper)
}
