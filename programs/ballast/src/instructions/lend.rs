//! `deposit`, `withdraw`, `accrue`: the lenders' side of a reserve.

use anchor_lang::prelude::*;
use ballast_abi::spl;

use crate::{
    errors::BallastError,
    events::{Deposited, Withdrawn},
    math::ToProgramError,
    session::accrue as book_interest,
    state::{Reserve, require_version},
    token::{Shares, Token},
};

#[derive(Accounts)]
pub struct Lend<'info> {
    pub lender: Signer<'info>,
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
    /// CHECK: address stored in the reserve.
    #[account(mut)]
    pub vault: UncheckedAccount<'info>,
    /// CHECK: address stored in the reserve.
    pub mint: UncheckedAccount<'info>,
    /// CHECK: address stored in the reserve.
    #[account(mut)]
    pub share_mint: UncheckedAccount<'info>,
    /// CHECK: the lender's token account; the token program checks it.
    #[account(mut)]
    pub wallet_tokens: UncheckedAccount<'info>,
    /// CHECK: the lender's share account; the token program checks it.
    #[account(mut)]
    pub wallet_shares: UncheckedAccount<'info>,
    /// CHECK: must own the mint.
    pub token_program: UncheckedAccount<'info>,
    /// CHECK: SPL Token, the program of the share mint.
    #[account(address = spl::TOKEN_PROGRAM)]
    pub share_token_program: UncheckedAccount<'info>,
}

#[derive(Accounts)]
pub struct Accrue<'info> {
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
}

impl<'info> Lend<'info> {
    /// Checks the addresses, books interest and gives a copy of the reserve.
    fn load(&self) -> Result<Box<Reserve>> {
        let mut reserve = Box::new(*self.reserve.load()?);
        require_version(reserve.version, Reserve::VERSION)?;
        require_keys_eq!(
            self.vault.key(),
            reserve.vault,
            BallastError::WrongReserveAccount
        );
        require_keys_eq!(
            self.mint.key(),
            reserve.mint,
            BallastError::WrongReserveAccount
        );
        require_keys_eq!(
            self.share_mint.key(),
            reserve.share_mint,
            BallastError::WrongReserveAccount
        );
        require_keys_eq!(
            *self.mint.owner,
            self.token_program.key(),
            BallastError::WrongTokenProgram
        );
        book_interest(
            self.reserve.key(),
            &mut reserve,
            Clock::get()?.unix_timestamp,
        )?;
        Ok(reserve)
    }

    fn token(&self, reserve: &Reserve) -> Token<'_, 'info> {
        Token {
            program: &self.token_program,
            mint: &self.mint,
            decimals: reserve.decimals,
        }
    }

    fn shares(&self) -> Shares<'_, 'info> {
        Shares {
            mint: &self.share_mint,
            reserve: self.reserve.as_ref(),
        }
    }

    fn store(&self, reserve: &Reserve) -> Result<()> {
        let real = crate::token::balance(&self.vault)?;
        require!(real >= reserve.liquidity, BallastError::InvariantBroken);
        *self.reserve.load_mut()? = *reserve;
        Ok(())
    }
}

/// Lends `amount` to the reserve for shares, rounded down.
///
/// # Errors
/// [`BallastError::ZeroAmount`], [`BallastError::SupplyCapExceeded`], [`BallastError::RoundsToZero`],
/// [`BallastError::SlippageExceeded`] below `min_shares`.
pub(crate) fn deposit(ctx: Context<Lend>, amount: u64, min_shares: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut reserve = accounts.load()?;
    let mut state = reserve.state();
    let shares = state.deposit(amount).map_err(BallastError::from)?;
    require!(shares >= min_shares, BallastError::SlippageExceeded);
    require!(
        state.total_assets_down().or_range()? <= reserve.supply_cap,
        BallastError::SupplyCapExceeded
    );
    reserve.set_state(&state);

    let token = accounts.token(&reserve);
    token.transfer(
        &accounts.wallet_tokens,
        &accounts.vault,
        &accounts.lender,
        amount,
        &[],
    )?;
    let seeds: &[&[u8]] = &[
        Reserve::SEED,
        reserve.market.as_ref(),
        reserve.mint.as_ref(),
        &[reserve.bump],
    ];
    accounts
        .shares()
        .mint(&accounts.wallet_shares, shares, seeds)?;
    emit!(Deposited {
        reserve: accounts.reserve.key(),
        lender: accounts.lender.key(),
        amount,
        shares,
    });
    accounts.store(&reserve)
}

/// Takes tokens out for `shares`, rounded down. Losses that were shown and not booked yet count: who leaves first does not
/// leave them to the others.
///
/// # Errors
/// [`BallastError::ZeroAmount`], [`BallastError::InsufficientLiquidity`] while too much is lent out,
/// [`BallastError::SlippageExceeded`] below `min_amount`.
pub(crate) fn withdraw(ctx: Context<Lend>, shares: u64, min_amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut reserve = accounts.load()?;
    let mut state = reserve.state();
    let amount = state
        .redeem_at_loss(shares, reserve.shown_loss)
        .map_err(BallastError::from)?;
    require!(amount >= min_amount, BallastError::SlippageExceeded);
    reserve.set_state(&state);

    accounts
        .shares()
        .burn(&accounts.wallet_shares, &accounts.lender, shares)?;
    let seeds: &[&[u8]] = &[
        Reserve::SEED,
        reserve.market.as_ref(),
        reserve.mint.as_ref(),
        &[reserve.bump],
    ];
    let token = accounts.token(&reserve);
    token.transfer(
        &accounts.vault,
        &accounts.wallet_tokens,
        accounts.reserve.as_ref(),
        amount,
        &[seeds],
    )?;
    emit!(Withdrawn {
        reserve: accounts.reserve.key(),
        lender: accounts.lender.key(),
        amount,
        shares,
    });
    accounts.store(&reserve)
}

/// Books interest up to now; anyone may call it.
///
/// # Errors
/// [`BallastError::WrongVersion`], [`BallastError::OutOfRange`].
pub(crate) fn accrue(ctx: Context<Accrue>) -> Result<()> {
    let key = ctx.accounts.reserve.key();
    let mut reserve = ctx.accounts.reserve.load_mut()?;
    require_version(reserve.version, Reserve::VERSION)?;
    book_interest(key, &mut reserve, Clock::get()?.unix_timestamp)
}
