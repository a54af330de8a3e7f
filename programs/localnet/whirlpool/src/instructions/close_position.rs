//! `close_position_with_token_extensions`.

use anchor_lang::prelude::*;
use ballast_abi::spl;

use crate::{
    WhirlpoolError, account,
    nft::Nft,
    state::{PositionAccount, is_empty},
    token,
};

#[derive(Accounts)]
pub struct ClosePositionWithTokenExtensions<'info> {
    pub position_authority: Signer<'info>,
    /// CHECK: anyone may have the rent.
    #[account(mut)]
    pub receiver: UncheckedAccount<'info>,
    /// CHECK: owner and discriminator.
    #[account(mut)]
    pub position: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(mut)]
    pub position_mint: UncheckedAccount<'info>,
    /// CHECK: mint, amount and authority.
    #[account(mut)]
    pub position_token_account: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(address = spl::TOKEN_2022_PROGRAM)]
    pub token_2022_program: UncheckedAccount<'info>,
}

impl ClosePositionWithTokenExtensions<'_> {
    pub fn handle(&self) -> Result<()> {
        let (mint, empty) = PositionAccount(&self.position)
            .with(|position| Ok((position.mint(), is_empty(position))))?;
        require_keys_eq!(mint, *self.position_mint.key, ErrorCode::ConstraintAddress);
        require_keys_eq!(
            *self.position_mint.owner,
            *self.token_2022_program.key,
            ErrorCode::ConstraintOwner
        );
        token::check_position_authority(
            &self.position_token_account,
            mint,
            self.position_authority.key,
        )?;
        require!(empty, WhirlpoolError::ClosePositionNotEmpty);

        let seeds: [&[u8]; 2] = [b"position", mint.as_ref()];
        let (_, bump) = Pubkey::find_program_address(&seeds, &crate::ID);
        Nft {
            position: &self.position,
            mint: &self.position_mint,
            token_account: &self.position_token_account,
            token_2022_program: &self.token_2022_program,
        }
        .burn(
            &self.position_authority,
            &self.receiver,
            &[seeds[0], seeds[1], &[bump]],
        )?;
        account::close(&self.position, &self.receiver)
    }
}
