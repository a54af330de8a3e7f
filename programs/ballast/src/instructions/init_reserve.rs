//! `init_reserve`: the authority sets up one of a market's two reserves.

use anchor_lang::prelude::*;
use ballast_abi::spl;

use crate::{
    errors::BallastError,
    events::ReserveInitialized,
    state::{Market, Reserve, ReserveParams, require_version},
    token::{Shares, Token, supported_mint_decimals},
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
    /// CHECK: SPL Token, the program of the share mint.
    #[account(address = spl::TOKEN_PROGRAM)]
    pub share_token_program: UncheckedAccount<'info>,
    pub system_program: Program<'info, System>,
}

/// Creates a reserve with its vault and share mint.
///
/// # Errors
/// [`BallastError::NotAuthority`], [`BallastError::WrongReserveAccount`] for a foreign mint,
/// [`BallastError::BadParameters`]. If it exists, the system program refuses to create its account.
pub(crate) fn init_reserve(ctx: Context<InitReserve>, params: ReserveParams) -> Result<()> {
    let accounts = &ctx.accounts;
    let mint = accounts.mint.key();
    let mut market = accounts.market.load_mut()?;
    require_version(market.version, Market::VERSION)?;
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
    let shares = Shares {
        mint: &accounts.share_mint,
        reserve: accounts.reserve.as_ref(),
    };
    let shares_seeds: &[&[u8]] = &[
        Reserve::SHARES_SEED,
        reserve_key.as_ref(),
        &[ctx.bumps.share_mint],
    ];
    shares.create(&accounts.authority, decimals, shares_seeds)?;

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
