//! Positions: their addresses before they exist, and all of a market's.

use anchor_lang::Discriminator;
use ballast::state::{Market, Position};
use solana_sdk::pubkey::Pubkey;

use crate::{
    account::{DecodeError, ProgramAccount, decode, decode_at},
    chain::{AccountFilter, Chain, ChainError},
    market::{MarketContext, MarketError},
    pda,
};

/// Addresses of everything that belongs to one position; they follow from market, creator and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionAddresses {
    /// The position.
    pub position: Pubkey,
    /// Mint of its NFT.
    pub nft_mint: Pubkey,
    /// Account that holds the NFT.
    pub nft_account: Pubkey,
    /// The Whirlpool position.
    pub whirlpool_position: Pubkey,
    /// Idle base.
    pub base_account: Pubkey,
    /// Idle quote.
    pub quote_account: Pubkey,
}

impl PositionAddresses {
    /// Addresses of the position that `creator` opens under the number `id`.
    pub fn new(market: &MarketContext, creator: &Pubkey, id: u64) -> Self {
        let position = pda::position(&market.address, creator, id);
        let nft_mint = pda::nft_mint(&position);
        Self {
            position,
            nft_mint,
            nft_account: pda::nft_account(&position, &nft_mint),
            whirlpool_position: pda::whirlpool_position(
                &market.market.whirlpool_program,
                &nft_mint,
            ),
            base_account: pda::idle_account(&position, &market.base.mint),
            quote_account: pda::idle_account(&position, &market.quote.mint),
        }
    }
}

/// A stored position with its address.
#[derive(Clone, Debug)]
pub struct PositionContext {
    /// Address.
    pub address: Pubkey,
    /// The position as it was when it was loaded.
    pub position: Position,
}

impl PositionContext {
    /// Reads a position.
    ///
    /// # Errors
    /// [`MarketError`].
    pub async fn load(chain: &dyn Chain, address: Pubkey) -> Result<Self, MarketError> {
        let account = chain.account(&address).await?;
        Ok(Self {
            address,
            position: decode_at(&address, account.as_ref())?,
        })
    }

    /// Lower and upper tick of the band, as stored.
    pub fn ticks(&self) -> [i32; 2] {
        [self.position.tick_lower, self.position.tick_upper]
    }

    /// Addresses of everything that belongs to it.
    pub fn addresses(&self) -> PositionAddresses {
        let position = &self.position;
        PositionAddresses {
            position: self.address,
            nft_mint: position.nft_mint,
            nft_account: position.nft_account,
            whirlpool_position: position.whirlpool_position,
            base_account: position.base_account,
            quote_account: position.quote_account,
        }
    }
}

/// Positions as they were at one slot.
#[derive(Clone, Debug)]
pub struct Positions {
    /// The slot, if the node says.
    pub slot: Option<u64>,
    /// Those that could be read.
    pub positions: Vec<PositionContext>,
    /// Why others could not.
    pub unreadable: Vec<DecodeError>,
}

impl Positions {
    /// All positions of a market.
    ///
    /// # Errors
    /// [`ChainError`] if the cluster does not answer; single bad accounts are listed, not errors.
    pub async fn of_market(chain: &dyn Chain, market: &Pubkey) -> Result<Self, ChainError> {
        Self::matching(chain, Self::filters(market)).await
    }

    /// All positions of an owner, in all markets.
    ///
    /// # Errors
    /// As [`Positions::of_market`].
    pub async fn of_owner(chain: &dyn Chain, owner: &Pubkey) -> Result<Self, ChainError> {
        let filters = Self::naming(std::mem::offset_of!(Position, owner), owner);
        Self::matching(chain, filters).await
    }

    /// By what a market's positions are told from all other accounts of the program.
    pub fn filters(market: &Pubkey) -> [AccountFilter; 2] {
        Self::naming(std::mem::offset_of!(Position, market), market)
    }

    fn naming(offset: usize, address: &Pubkey) -> [AccountFilter; 2] {
        [
            discriminator_filter::<Position>(),
            AccountFilter {
                offset: Position::DISCRIMINATOR.len() + offset,
                bytes: address.to_bytes().into(),
            },
        ]
    }

    async fn matching(chain: &dyn Chain, filters: [AccountFilter; 2]) -> Result<Self, ChainError> {
        let answer = chain.program_accounts(&ballast::ID, &filters).await?;
        let mut all = Self {
            slot: answer.slot,
            positions: Vec::with_capacity(answer.accounts.len()),
            unreadable: Vec::new(),
        };
        for (address, account) in answer.accounts {
            match decode(&address, &account) {
                Ok(position) => all.positions.push(PositionContext { address, position }),
                Err(error) => all.unreadable.push(error),
            }
        }
        Ok(all)
    }
}

/// All markets, for those who look for one. Accounts that cannot be read are left out.
pub async fn markets(chain: &dyn Chain) -> Result<Vec<(Pubkey, Market)>, ChainError> {
    let answer = chain
        .program_accounts(&ballast::ID, &[discriminator_filter::<Market>()])
        .await?;
    let read = |(address, account)| Some((address, decode(&address, &account).ok()?));
    Ok(answer.accounts.into_iter().filter_map(read).collect())
}

fn discriminator_filter<T: ProgramAccount>() -> AccountFilter {
    AccountFilter {
        offset: 0,
        bytes: T::DISCRIMINATOR.into(),
    }
}
