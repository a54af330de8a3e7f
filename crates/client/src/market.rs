//! A market with everything that instructions need of it.

use ballast::state::Market;
use ballast_abi::{
    spl,
    whirlpool::{self, instruction::METADATA_UPDATE_AUTHORITY},
};
use ballast_model::{Side, Trade};
use ballast_snapshot::PriceAccounts;
use solana_sdk::pubkey::Pubkey;
use thiserror::Error;

use crate::{
    account::{DecodeError, decode_at, required},
    chain::{Chain, ChainError},
    pda,
    token_account::TokenAccount,
};

/// Why a market could not be loaded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MarketError {
    /// The cluster did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// An account is not what it should be.
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// The pool that a market is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolAddresses {
    /// Whirlpool program.
    pub program: Pubkey,
    /// The pool.
    pub whirlpool: Pubkey,
    /// Mint of token A.
    pub base_mint: Pubkey,
    /// Mint of token B.
    pub quote_mint: Pubkey,
}

/// One of a market's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenContext {
    /// Mint.
    pub mint: Pubkey,
    /// Token program that owns the mint.
    pub program: Pubkey,
    /// Decimals of the mint.
    pub decimals: u8,
}

/// Somebody's token accounts of both tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// Of the base token.
    pub base: Pubkey,
    /// Of the quote token.
    pub quote: Pubkey,
}

impl Wallet {
    /// The account of one side.
    pub fn tokens(&self, side: Side) -> Pubkey {
        match side {
            Side::Base => self.base,
            Side::Quote => self.quote,
        }
    }
}

/// What a swap needs of the pool beyond its own accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapPath {
    /// Tick arrays in the direction of the swap.
    pub tick_arrays: [Pubkey; 3],
    /// The pool's adaptive-fee oracle, existing or not.
    pub whirlpool_oracle: Pubkey,
}

/// A market and everything that its instructions share.
#[derive(Clone, Debug)]
pub struct MarketContext {
    /// Address of the market.
    pub address: Pubkey,
    /// The market as it was when it was loaded.
    pub market: Market,
    /// Base token.
    pub base: TokenContext,
    /// Quote token.
    pub quote: TokenContext,
    /// Price accounts that instructions will use.
    pub prices: PriceAccounts,
}

impl MarketContext {
    /// Reads a market and the token programs of its mints.
    ///
    /// # Errors
    /// [`MarketError`].
    pub async fn load(
        chain: &dyn Chain,
        address: Pubkey,
        prices: PriceAccounts,
    ) -> Result<Self, MarketError> {
        let market: Market = decode_at(&address, chain.account(&address).await?.as_ref())?;
        let mints = [market.base_mint, market.quote_mint];
        let answer = chain.accounts(&mints).await?;
        let mut owners = [Pubkey::default(); 2];
        for ((owner, mint), account) in owners.iter_mut().zip(&mints).zip(&answer.accounts) {
            *owner = required("mint", mint, account.as_ref())?.owner;
        }
        Ok(Self::new(address, market, owners, prices))
    }

    /// A market that is known already. `token_programs` own the base and the quote mint.
    pub fn new(
        address: Pubkey,
        market: Market,
        token_programs: [Pubkey; 2],
        prices: PriceAccounts,
    ) -> Self {
        let [base_program, quote_program] = token_programs;
        Self {
            address,
            base: TokenContext {
                mint: market.base_mint,
                program: base_program,
                decimals: market.base_decimals,
            },
            quote: TokenContext {
                mint: market.quote_mint,
                program: quote_program,
                decimals: market.quote_decimals,
            },
            market,
            prices,
        }
    }

    /// The token of one side.
    pub fn token(&self, side: Side) -> &TokenContext {
        match side {
            Side::Base => &self.base,
            Side::Quote => &self.quote,
        }
    }

    /// The reserve that lends one side, whether it is initialised or not.
    pub fn reserve(&self, side: Side) -> Pubkey {
        pda::reserve(&self.address, &self.token(side).mint)
    }

    /// The vault of one side's reserve.
    pub fn vault(&self, side: Side) -> Pubkey {
        pda::vault(&self.reserve(side))
    }

    /// The share mint of one side's reserve.
    pub fn share_mint(&self, side: Side) -> Pubkey {
        pda::share_mint(&self.reserve(side))
    }

    /// Somebody's associated token accounts of both tokens.
    pub fn wallet(&self, owner: &Pubkey) -> Wallet {
        let account = |token: &TokenContext| {
            spl::associated_token_account(owner, &token.mint, &token.program).0
        };
        Wallet {
            base: account(&self.base),
            quote: account(&self.quote),
        }
    }

    /// What somebody's associated token account of one side is to be.
    pub fn token_account(&self, owner: &Pubkey, side: Side) -> TokenAccount {
        let token = self.token(side);
        TokenAccount {
            address: self.wallet(owner).tokens(side),
            mint: token.mint,
            program: token.program,
            owner: *owner,
        }
    }

    /// What somebody's associated token account of one side's shares is to be.
    pub fn share_account(&self, owner: &Pubkey, side: Side) -> TokenAccount {
        TokenAccount {
            address: self.share_wallet(owner, side),
            mint: self.share_mint(side),
            program: spl::TOKEN_PROGRAM,
            owner: *owner,
        }
    }

    /// Somebody's associated token account of one side's shares.
    pub fn share_wallet(&self, owner: &Pubkey, side: Side) -> Pubkey {
        spl::associated_token_account(owner, &self.share_mint(side), &spl::TOKEN_PROGRAM).0
    }

    /// The tick array that begins at `start`.
    pub fn tick_array(&self, start: i32) -> Pubkey {
        whirlpool::pda::tick_array(
            &self.market.whirlpool_program,
            &self.market.whirlpool,
            start,
        )
        .0
    }

    /// Starts of the tick arrays that hold the ticks at the two ends of a band; equal if one array holds both.
    pub fn band_array_starts(&self, [lower, upper]: [i32; 2]) -> [i32; 2] {
        [lower, upper].map(|tick| whirlpool::array_start(tick, self.market.tick_spacing))
    }

    /// Accounts of a swap that begins at the pool's current tick.
    pub fn swap_path(&self, tick_current: i32, trade: Trade) -> SwapPath {
        self.path(self.swap_starts(tick_current, trade == Trade::SellBase))
    }

    /// Accounts of an exit's swaps, which may trade a part of the first one back.
    ///
    /// The highest ticks of an array, a spacing of them, belong to it on the way down and to the next one on the way up. There both are
    /// named, and the third array of the way, which is two arrays off, is left out.
    pub fn exit_path(&self, tick_current: i32, trade: Trade) -> SwapPath {
        let down = trade == Trade::SellBase;
        let (mut starts, [back, ..]) = (
            self.swap_starts(tick_current, down),
            self.swap_starts(tick_current, !down),
        );
        if !starts.contains(&back) {
            starts[2] = back;
        }
        self.path(starts)
    }

    fn swap_starts(&self, tick_current: i32, down: bool) -> [i32; 3] {
        whirlpool::swap_tick_arrays(tick_current, self.market.tick_spacing, down)
    }

    fn path(&self, starts: [i32; 3]) -> SwapPath {
        SwapPath {
            tick_arrays: starts.map(|start| self.tick_array(start)),
            whirlpool_oracle: whirlpool::pda::oracle(
                &self.market.whirlpool_program,
                &self.market.whirlpool,
            )
            .0,
        }
    }

    /// Addresses that every position's transactions share, in a fixed order: what a lookup table of this market holds.
    /// The programs that are called directly are left out: a table cannot serve for them.
    pub fn static_addresses(&self) -> Vec<Pubkey> {
        let market = &self.market;
        let mut addresses = vec![
            self.address,
            self.reserve(Side::Base),
            self.reserve(Side::Quote),
            self.vault(Side::Base),
            self.vault(Side::Quote),
            market.base_mint,
            market.quote_mint,
            market.whirlpool_program,
            market.whirlpool,
            market.pool_base_vault,
            market.pool_quote_vault,
            whirlpool::pda::oracle(&market.whirlpool_program, &market.whirlpool).0,
            self.prices.base,
            self.prices.quote,
            spl::MEMO_PROGRAM,
            spl::TOKEN_PROGRAM,
            spl::TOKEN_2022_PROGRAM,
            spl::ASSOCIATED_TOKEN_PROGRAM,
            spl::SYSTEM_PROGRAM,
            METADATA_UPDATE_AUTHORITY,
        ];
        for program in [self.base.program, self.quote.program] {
            if !addresses.contains(&program) {
                addresses.push(program);
            }
        }
        addresses
    }
}
