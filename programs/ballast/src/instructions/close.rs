//! `close`: the owner ends a position; needs no price, so it works with a stalled oracle and in every mode.

use anchor_lang::prelude::*;
use ballast_abi::spl;
use ballast_clmm::{Amounts, Side};

use crate::{
    errors::BallastError, events::PositionClosed, groups::*, session::Session, state::Market,
};

#[derive(Accounts)]
pub struct Close<'info> {
    #[account(mut)]
    pub owner: Signer<'info>,
    #[account(mut)]
    pub market: AccountLoader<'info, Market>,
    pub position: PositionAccounts<'info>,
    /// CHECK: address stored in the position.
    #[account(mut)]
    pub nft_mint: UncheckedAccount<'info>,
    pub wallet: WalletAccounts<'info>,
    pub lending: LendingAccounts<'info>,
    pub pool: PoolAccounts<'info>,
    pub range: RangeAccounts<'info>,
    /// CHECK: address.
    #[account(address = spl::TOKEN_2022_PROGRAM @ BallastError::WrongPool)]
    pub token_2022_program: UncheckedAccount<'info>,
}

/// Withdraws everything, repays both debts (what is missing of one token comes from the owner's wallet, at most
/// `max_pay_base` and `max_pay_quote`), pays out the rest and closes every account; the rent goes to the owner.
///
/// # Errors
/// [`BallastError::NotOwner`], [`BallastError::DebtRemains`] if the wallet may not pay enough.
pub(crate) fn close(ctx: Context<Close>, max_pay_base: u64, max_pay_quote: u64) -> Result<()> {
    let accounts = &ctx.accounts;
    let now_secs = Clock::get()?.unix_timestamp;
    let mut market = accounts.market.load_mut()?;
    market.open_positions = market.open_positions.saturating_sub(1);
    let market = &*market;
    let mut session = Session::load(
        accounts.market.key(),
        market,
        &accounts.position,
        &accounts.lending,
        now_secs,
    )?;
    require_keys_eq!(
        accounts.owner.key(),
        session.position.owner,
        BallastError::NotOwner
    );
    require_keys_eq!(
        accounts.nft_mint.key(),
        session.position.nft_mint,
        BallastError::WrongPositionAccount
    );

    let liquidity = session.position.liquidity.get();
    if liquidity > 0 {
        session.withdraw(&accounts.pool, &accounts.range, liquidity)?;
    }
    let fees = session.collect_fees(&accounts.pool)?;
    let mut repaid = session.settle()?;
    let mut brought = Amounts::ZERO;
    for (side, max_pay, brought, repaid) in [
        (
            Side::Base,
            max_pay_base,
            &mut brought.base,
            &mut repaid.base,
        ),
        (
            Side::Quote,
            max_pay_quote,
            &mut brought.quote,
            &mut repaid.quote,
        ),
    ] {
        let missing = session.owed(side)?;
        if missing > 0 {
            require!(missing <= max_pay, BallastError::DebtRemains);
            session.take_in(side, missing, accounts.wallet.tokens(side), &accounts.owner)?;
            *repaid += session.repay(side, missing)?;
            *brought = missing;
        }
    }
    require!(session.position.is_debt_free(), BallastError::DebtRemains);
    let paid = session.position.idle();
    for side in [Side::Base, Side::Quote] {
        session.pay_out(side, paid.get(side), accounts.wallet.tokens(side))?;
    }
    session.close_token_accounts(&accounts.wallet, &accounts.owner)?;
    session.close_whirlpool_position(
        &accounts.pool,
        &accounts.nft_mint,
        &accounts.token_2022_program,
        &accounts.owner,
    )?;
    emit!(PositionClosed {
        position: accounts.position.position.key(),
        owner: accounts.owner.key(),
        repaid_base: repaid.base,
        repaid_quote: repaid.quote,
        fees_base: fees.base,
        fees_quote: fees.quote,
        paid_base: paid.base,
        paid_quote: paid.quote,
        brought_base: brought.base,
        brought_quote: brought.quote,
    });
    session.store_reserves()?;
    accounts
        .position
        .position
        .close(accounts.owner.to_account_info())
}
