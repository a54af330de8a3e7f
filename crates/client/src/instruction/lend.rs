//! The lenders' side.

use ballast::{accounts, instruction as data};
use ballast_abi::spl;
use ballast_model::Side;
use solana_sdk::{instruction::Instruction, pubkey::Pubkey};

use super::instruction;
use crate::MarketContext;

/// Lends `amount` raw units for at least `min_shares`. `lender` signs; tokens and shares are in its associated accounts,
/// see [`super::create_share_wallet`].
pub fn deposit(
    market: &MarketContext,
    lender: &Pubkey,
    side: Side,
    amount: u64,
    min_shares: u64,
) -> Instruction {
    instruction(
        &lend(market, lender, side),
        &data::Deposit { amount, min_shares },
    )
}

/// Gives `shares` back for at least `min_amount` raw units. `lender` signs.
pub fn withdraw(
    market: &MarketContext,
    lender: &Pubkey,
    side: Side,
    shares: u64,
    min_amount: u64,
) -> Instruction {
    instruction(
        &lend(market, lender, side),
        &data::Withdraw { shares, min_amount },
    )
}

/// Books a reserve's interest. Nobody needs to sign.
pub fn accrue(market: &MarketContext, side: Side) -> Instruction {
    let accounts = accounts::Accrue {
        reserve: market.reserve(side),
    };
    instruction(&accounts, &data::Accrue {})
}

fn lend(market: &MarketContext, lender: &Pubkey, side: Side) -> accounts::Lend {
    let token = market.token(side);
    accounts::Lend {
        lender: *lender,
        reserve: market.reserve(side),
        vault: market.vault(side),
        mint: token.mint,
        share_mint: market.share_mint(side),
        wallet_tokens: market.wallet(lender).tokens(side),
        wallet_shares: market.share_wallet(lender, side),
        token_program: token.program,
        share_token_program: spl::TOKEN_PROGRAM,
    }
}

/// Pays lenders `amount` for bad debt that was booked. `payer` signs; tokens come from the associated account.
pub fn cover_bad_debt(
    market: &MarketContext,
    payer: &Pubkey,
    side: Side,
    amount: u64,
) -> Instruction {
    instruction(&insure(market, payer, side), &data::CoverBadDebt { amount })
}

/// Adds `amount` to a reserve's insurance. `payer` signs; tokens come from the associated account.
pub fn fund_insurance(
    market: &MarketContext,
    payer: &Pubkey,
    side: Side,
    amount: u64,
) -> Instruction {
    instruction(
        &insure(market, payer, side),
        &data::FundInsurance { amount },
    )
}

fn insure(market: &MarketContext, payer: &Pubkey, side: Side) -> accounts::Insure {
    let token = market.token(side);
    accounts::Insure {
        payer: *payer,
        reserve: market.reserve(side),
        vault: market.vault(side),
        mint: token.mint,
        wallet_tokens: market.wallet(payer).tokens(side),
        token_program: token.program,
    }
}
