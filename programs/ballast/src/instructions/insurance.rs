//! `cover_bad_debt`, `fund_insurance`: money for lenders who have lost, and for those who may.

use anchor_lang::prelude::*;

use crate::{
    errors::BallastError,
    events::{BadDebtCovered, InsuranceFunded},
    session::accrue,
    state::{Reserve, require_version},
    token::{self, Token},
};

#[derive(Accounts)]
pub struct Insure<'info> {
    pub payer: Signer<'info>,
    #[account(mut)]
    pub reserve: AccountLoader<'info, Reserve>,
    /// CHECK: address stored in the reserve.
    #[account(mut)]
    pub vault: UncheckedAccount<'info>,
    /// CHECK: address stored in the reserve.
    pub mint: UncheckedAccount<'info>,
    /// CHECK: the payer's token account; the token program checks it.
    #[account(mut)]
    pub wallet_tokens: UncheckedAccount<'info>,
    /// CHECK: must own the mint.
    pub token_program: UncheckedAccount<'info>,
}

impl Insure<'_> {
    fn load(&self) -> Result<Box<Reserve>> {
        let mut reserve = Box::new(*self.reserve.load()?);
        require_version(reserve.version, Reserve::VERSION)?;
        for (found, stored) in [
            (self.vault.key(), reserve.vault),
            (self.mint.key(), reserve.mint),
        ] {
            require_keys_eq!(found, stored, BallastError::WrongReserveAccount);
        }
        require_keys_eq!(
            *self.mint.owner,
            self.token_program.key(),
            BallastError::WrongTokenProgram
        );
        accrue(
            self.reserve.key(),
            &mut reserve,
            Clock::get()?.unix_timestamp,
        )?;
        Ok(reserve)
    }

    fn pay_and_store(&self, reserve: &Reserve, amount: u64) -> Result<()> {
        let token = Token {
            program: &self.token_program,
            mint: &self.mint,
            decimals: reserve.decimals,
        };
        token.transfer(&self.wallet_tokens, &self.vault, &self.payer, amount, &[])?;
        require!(
            token::balance(&self.vault)? >= reserve.liquidity,
            BallastError::InvariantBroken
        );
        *self.reserve.load_mut()? = *reserve;
        Ok(())
    }
}

/// Pays lenders for bad debt that was booked, at most all of it: the share price rises by what it had lost. Whoever pays
/// needs no right to.
///
/// # Errors
/// [`BallastError::ZeroAmount`], [`BallastError::NotThatMuchBadDebt`].
pub(crate) fn cover_bad_debt(ctx: Context<Insure>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut reserve = accounts.load()?;
    require!(amount <= reserve.bad_debt, BallastError::NotThatMuchBadDebt);
    let mut state = reserve.state();
    let covered = state
        .cover(amount, reserve.bad_debt)
        .map_err(BallastError::from)?;
    reserve.set_state(&state);
    reserve.bad_debt = reserve.bad_debt.saturating_sub(covered);
    accounts.pay_and_store(&reserve, covered)?;
    emit!(BadDebtCovered {
        reserve: accounts.reserve.key(),
        amount: covered,
        left: reserve.bad_debt,
    });
    Ok(())
}

/// Adds to what pays for bad debt before lenders do. It cannot be taken out again.
///
/// # Errors
/// [`BallastError::ZeroAmount`].
pub(crate) fn fund_insurance(ctx: Context<Insure>, amount: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let mut reserve = accounts.load()?;
    let mut state = reserve.state();
    state.fund_insurance(amount).map_err(BallastError::from)?;
    reserve.set_state(&state);
    accounts.pay_and_store(&reserve, amount)?;
    emit!(InsuranceFunded {
        reserve: accounts.reserve.key(),
        by: accounts.payer.key(),
        amount,
    });
    Ok(())
}
