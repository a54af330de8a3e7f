//! `init_reserve`: the authority sets up one of a market's two reserves.

use anchor_lang::prelude::*;
use anchor_spl::token;

use crate::{
    errors::BallastError,
    events::ReserveInitialized,
    state::{Market, Reserve, ReserveParams},
    token::{Token, create_owned, supported_mint_decimals},
};

#[derive(Accounts)]
pub struct InitReserve<'info> {
    #[account(mut)]
    pub authority: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    #[account(
        init,
        payer = authority,
        space = Reserve::SPACE,
        seeds = [Reserve::SEED, market.key().as_ref(), mint.key().as_ref()],
        bump
    )]
    pub reserve: AccountLoader<'info, Reserve>,
    /// CHECK: one of the market's mints.
    pub mint: UncheckedAccount<'info>,
    /// CHECK: created here.
    #[account(mut, seeds = [Reserve::VAULT_SEED, reserve.key().as_ref()], bump)]
    pub vault: UncheckedAccount<'info>,
    /// CHECK: created here, an SPL Token mint.
    #[account(mut, seeds = [Reserve::SHARES_SEED, reserve.key().as_ref()], bump)]
    pub share_mint: UncheckedAccount<'info>,
    /// CHECK: must own the mint.
    pub token_program: UncheckedAccount<'info>,
    /// Program of the share mint.
    pub share_token_program: Program<'info, token::Token>,
    pub system_program: Program<'info, System>,
}

/// Creates a reserve with its vault and share mint.
///
/// # Errors
/// [`BallastError::NotAuthority`], [`BallastError::WrongReserveAccount`] for a foreign mint,
/// [`BallastError::ReserveSetup`] if it exists, [`BallastError::BadParameters`].
pub(crate) fn init_reserve(ctx: Context<InitReserve>, params: ReserveParams) -> Result<()> {
    let accounts = &ctx.accounts;
    let mint = accounts.mint.key();
    let mut market = accounts.market.load_mut()?;
    require_keys_eq!(
        accounts.authority.key(),
        market.authority,
        BallastError::NotAuthority
    );
    let is_base = mint == market.base_mint;
    require!(
        is_base || mint == market.quote_mint,
        BallastError::WrongReserveAccount
    );
    let slot = if is_base {
        &mut market.base_reserve
    } else {
        &mut market.quote_reserve
    };
    require_keys_eq!(*slot, Pubkey::default(), BallastError::ReserveSetup);
    *slot = accounts.reserve.key();
    drop(market);

    let decimals = supported_mint_decimals(&accounts.mint, accounts.token_program.key)?;
    let reserve_key = accounts.reserve.key();
    let token = Token {
        program: &accounts.token_program,
        mint: &accounts.mint,
        decimals,
    };
    token.create_account(
        &accounts.authority,
        &accounts.vault,
        accounts.reserve.as_ref(),
        &[
            Reserve::VAULT_SEED,
            reserve_key.as_ref(),
            &[ctx.bumps.vault],
        ],
    )?;
    create_owned(
        &accounts.authority,
        &accounts.share_mint,
        token::Mint::LEN,
        &token::ID,
        &[
            Reserve::SHARES_SEED,
            reserve_key.as_ref(),
            &[ctx.bumps.share_mint],
        ],
    )?;
    let mint_accounts = token::InitializeMint2 {
        mint: accounts.share_mint.to_account_info(),
    };
    token::initialize_mint2(
        CpiContext::new(token::ID, mint_accounts),
        decimals,
        &reserve_key,
        None,
    )?;

    let mut reserve = accounts.reserve.load_init()?;
    reserve.version = Reserve::VERSION;
    reserve.bump = ctx.bumps.reserve;
    reserve.side = u8::from(!is_base);
    reserve.decimals = decimals;
    reserve.market = accounts.market.key();
    reserve.mint = mint;
    reserve.vault = accounts.vault.key();
    reserve.share_mint = accounts.share_mint.key();
    reserve.set_state(&ballast_model::lending::ReserveState::new(
        Clock::get()?.unix_timestamp,
    ));
    reserve.set_params(&params)?;
    emit!(ReserveInitialized {
        market: reserve.market,
        reserve: reserve_key,
        mint,
        params,
    });
    Ok(())
}
