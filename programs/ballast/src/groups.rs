//! Groups of accounts that several instructions share. They only say what is writable; [`crate::session`] and the
//! modules that use an account check its address against the market, the reserves and the position.

use anchor_lang::prelude::*;
use ballast_abi::{spl, whirlpool::instruction::METADATA_UPDATE_AUTHORITY};
use ballast_clmm::Side;

use crate::{
    errors::BallastError,
    state::{Position, Reserve},
};

/// A position and what belongs to it.
#[derive(Accounts)]
pub struct PositionAccounts<'info> {
    /// The position.
    #[account(mut)]
    pub position: AccountLoader<'info, Position>,
    /// CHECK: address stored in the position.
    #[account(mut)]
    pub whirlpool_position: UncheckedAccount<'info>,
    /// CHECK: address stored in the position.
    #[account(mut)]
    pub nft_account: UncheckedAccount<'info>,
    /// CHECK: address stored in the position.
    #[account(mut)]
    pub base_account: UncheckedAccount<'info>,
    /// CHECK: address stored in the position.
    #[account(mut)]
    pub quote_account: UncheckedAccount<'info>,
}

/// Both reserves of the market with their vaults, mints and token programs.
#[derive(Accounts)]
pub struct LendingAccounts<'info> {
    /// Reserve of the base token.
    #[account(mut)]
    pub base_reserve: AccountLoader<'info, Reserve>,
    /// Reserve of the quote token.
    #[account(mut)]
    pub quote_reserve: AccountLoader<'info, Reserve>,
    /// CHECK: address stored in the base reserve.
    #[account(mut)]
    pub base_vault: UncheckedAccount<'info>,
    /// CHECK: address stored in the quote reserve.
    #[account(mut)]
    pub quote_vault: UncheckedAccount<'info>,
    /// CHECK: address stored in the market.
    pub base_mint: UncheckedAccount<'info>,
    /// CHECK: address stored in the market.
    pub quote_mint: UncheckedAccount<'info>,
    /// CHECK: must own the base mint.
    pub base_token_program: UncheckedAccount<'info>,
    /// CHECK: must own the quote mint.
    pub quote_token_program: UncheckedAccount<'info>,
}

/// The Whirlpool of the market.
#[derive(Accounts)]
pub struct PoolAccounts<'info> {
    /// CHECK: address stored in the market.
    pub whirlpool_program: UncheckedAccount<'info>,
    /// CHECK: address stored in the market.
    #[account(mut)]
    pub whirlpool: UncheckedAccount<'info>,
    /// CHECK: address stored in the market.
    #[account(mut)]
    pub pool_base_vault: UncheckedAccount<'info>,
    /// CHECK: address stored in the market.
    #[account(mut)]
    pub pool_quote_vault: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(address = spl::MEMO_PROGRAM @ BallastError::WrongPool)]
    pub memo_program: UncheckedAccount<'info>,
}

/// Tick arrays of a position's two edges.
#[derive(Accounts)]
pub struct RangeAccounts<'info> {
    /// CHECK: passed on to the Whirlpool program, which checks it; none of the reserves' own.
    #[account(mut)]
    pub tick_array_lower: UncheckedAccount<'info>,
    /// CHECK: passed on to the Whirlpool program, which checks it; none of the reserves' own.
    #[account(mut)]
    pub tick_array_upper: UncheckedAccount<'info>,
}

/// What a swap needs beyond [`PoolAccounts`].
#[derive(Accounts)]
pub struct SwapAccounts<'info> {
    /// CHECK: passed on to the Whirlpool program, which checks it; none of the reserves' own.
    #[account(mut)]
    pub tick_array_0: UncheckedAccount<'info>,
    /// CHECK: passed on to the Whirlpool program, which checks it; none of the reserves' own.
    #[account(mut)]
    pub tick_array_1: UncheckedAccount<'info>,
    /// CHECK: passed on to the Whirlpool program, which checks it; none of the reserves' own.
    #[account(mut)]
    pub tick_array_2: UncheckedAccount<'info>,
    /// CHECK: passed on to the Whirlpool program, which checks it; none of the reserves' own.
    #[account(mut)]
    pub whirlpool_oracle: UncheckedAccount<'info>,
}

/// Programs and the constant address that opening a Whirlpool position asks for.
#[derive(Accounts)]
pub struct NftAccounts<'info> {
    /// CHECK: address.
    #[account(address = spl::TOKEN_2022_PROGRAM @ BallastError::WrongPool)]
    pub token_2022_program: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(address = spl::ASSOCIATED_TOKEN_PROGRAM @ BallastError::WrongPool)]
    pub associated_token_program: UncheckedAccount<'info>,
    /// CHECK: address.
    #[account(address = METADATA_UPDATE_AUTHORITY @ BallastError::WrongPool)]
    pub metadata_update_authority: UncheckedAccount<'info>,
}

/// The two price accounts.
#[derive(Accounts)]
pub struct PriceAccounts<'info> {
    /// CHECK: owner, feed and content are checked by [`crate::oracle`].
    pub base_price: UncheckedAccount<'info>,
    /// CHECK: owner, feed and content are checked by [`crate::oracle`].
    pub quote_price: UncheckedAccount<'info>,
}

/// Token accounts of the person who signs: the owner or the liquidator.
#[derive(Accounts)]
pub struct WalletAccounts<'info> {
    /// CHECK: a token account; the token program checks mint and authority when it is used.
    #[account(mut)]
    pub wallet_base: UncheckedAccount<'info>,
    /// CHECK: a token account; the token program checks mint and authority when it is used.
    #[account(mut)]
    pub wallet_quote: UncheckedAccount<'info>,
}

impl<'info> PositionAccounts<'info> {
    /// The position's token account of one side.
    pub fn tokens(&self, side: Side) -> &UncheckedAccount<'info> {
        match side {
            Side::Base => &self.base_account,
            Side::Quote => &self.quote_account,
        }
    }
}

impl<'info> WalletAccounts<'info> {
    /// The wallet's token account of one side.
    pub fn tokens(&self, side: Side) -> &UncheckedAccount<'info> {
        match side {
            Side::Base => &self.wallet_base,
            Side::Quote => &self.wallet_quote,
        }
    }
}

impl<'info> LendingAccounts<'info> {
    /// The reserve of one side.
    pub fn reserve(&self, side: Side) -> &AccountLoader<'info, Reserve> {
        match side {
            Side::Base => &self.base_reserve,
            Side::Quote => &self.quote_reserve,
        }
    }

    /// The reserve's vault of one side.
    pub fn vault(&self, side: Side) -> &UncheckedAccount<'info> {
        match side {
            Side::Base => &self.base_vault,
            Side::Quote => &self.quote_vault,
        }
    }

    /// The mint of one side.
    pub fn mint(&self, side: Side) -> &UncheckedAccount<'info> {
        match side {
            Side::Base => &self.base_mint,
            Side::Quote => &self.quote_mint,
        }
    }

    /// The token program of one side.
    pub fn token_program(&self, side: Side) -> &UncheckedAccount<'info> {
        match side {
            Side::Base => &self.base_token_program,
            Side::Quote => &self.quote_token_program,
        }
    }
}
