//! The rewards of a market's pool, and what a position has of them.

use ballast_abi::{
    LayoutError,
    spl::MintView,
    whirlpool::{PoolView, PositionView},
};
use solana_sdk::{account::Account, pubkey::Pubkey};

use crate::{
    account::{DecodeError, required},
    chain::Chain,
    market::{MarketContext, MarketError},
    position::PositionContext,
};

/// A reward that the market's pool pays or has paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reward {
    /// Which of the pool's three.
    pub index: u8,
    /// Mint.
    pub mint: Pubkey,
    /// The pool's account of it.
    pub vault: Pubkey,
    /// Token program that owns the mint.
    pub token_program: Pubkey,
    /// Decimals of the mint.
    pub decimals: u8,
}

impl Reward {
    /// All rewards of a market's pool, whether or not they still grow.
    ///
    /// # Errors
    /// [`MarketError`].
    pub async fn of_pool(
        chain: &dyn Chain,
        market: &MarketContext,
    ) -> Result<Vec<Self>, MarketError> {
        let address = market.market.whirlpool;
        let account = chain.account(&address).await?;
        let pool = required("pool", &address, account.as_ref())?;
        let found: Vec<_> = PoolView::parse(&pool.data)
            .map_err(|error| malformed("pool", address, error))?
            .rewards()
            .into_iter()
            .zip(0u8..)
            .filter(|(reward, _)| reward.is_initialized())
            .collect();
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let mints: Vec<_> = found.iter().map(|(reward, _)| reward.mint).collect();
        let answer = chain.accounts(&mints).await?;
        let rewards = found.iter().zip(&answer.accounts);
        rewards
            .map(|((reward, index), account)| {
                let account: &Account = required("mint", &reward.mint, account.as_ref())?;
                let mint = MintView::parse(&account.data)
                    .map_err(|error| malformed("mint", reward.mint, error))?;
                Ok(Self {
                    index: *index,
                    mint: reward.mint,
                    vault: reward.vault,
                    token_program: account.owner,
                    decimals: mint.decimals(),
                })
            })
            .collect()
    }

    /// Raw units that are booked of the pool's three rewards for a position. More may have grown since its liquidity last
    /// changed.
    ///
    /// # Errors
    /// [`MarketError`].
    pub async fn booked(
        chain: &dyn Chain,
        position: &PositionContext,
    ) -> Result<[u64; 3], MarketError> {
        let address = position.position.whirlpool_position;
        let account = chain.account(&address).await?;
        let account = required("Whirlpool position", &address, account.as_ref())?;
        let view = PositionView::parse(&account.data)
            .map_err(|error| malformed("Whirlpool position", address, error))?;
        Ok(view.rewards_owed())
    }
}

fn malformed(what: &'static str, address: Pubkey, error: LayoutError) -> DecodeError {
    DecodeError::Malformed {
        what,
        address,
        reason: error.to_string(),
    }
}
