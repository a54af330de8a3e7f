//! One instruction's view of a position with its reserves and pool. Every movement of tokens goes through here, so that
//! accounted amounts and real ones cannot part: [`Session::load`] checks all addresses and books interest, the methods
//! move tokens and book them, [`Session::store`] checks the invariant and writes back.
//!
//! Values are copied out of the accounts, because an account that signs an external call must not be borrowed meanwhile.

mod exchange;
mod ledger;
mod lending;
mod liquidity;
mod range;
mod swap;
mod turn;

use core::cell::Cell;

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Band, Side};
use ballast_model::Position as PositionModel;

pub use exchange::payable;
pub use ledger::{Calls, Failed};
pub use lending::{accrue, load_reserve};
pub use range::{NewBand, band_between};

use crate::{
    errors::BallastError,
    groups::{LendingAccounts, PositionAccounts},
    math::ToProgramError,
    pool, reward,
    state::{Market, Position, Reserve, require_version},
    token::{self, Token},
};

/// See the module's description.
pub struct Session<'a, 'info> {
    /// The market.
    pub market: &'a Market,
    /// The position as it will be stored.
    pub position: Box<Position>,
    accounts: &'a PositionAccounts<'info>,
    lending: &'a LendingAccounts<'info>,
    base_reserve: Box<Reserve>,
    quote_reserve: Box<Reserve>,
    band: Band,
    /// What is owed, base and quote, once it was asked for; forgotten wherever shares or reserve may change.
    owed: [Cell<Option<u64>>; 2],
    /// Debts up to which a loan only replaces one that was there before, which the reserves' caps do not bind.
    refinanced: Amounts,
}

impl<'a, 'info> Session<'a, 'info> {
    /// Opens a session on an existing position; interest is booked up to `now_secs`.
    ///
    /// # Errors
    /// [`BallastError::WrongPositionAccount`], [`BallastError::WrongVersion`] and those of [`Self::with_position`].
    pub fn load(
        market_key: Pubkey,
        market: &'a Market,
        accounts: &'a PositionAccounts<'info>,
        lending: &'a LendingAccounts<'info>,
        now_secs: i64,
    ) -> Result<Self> {
        let position = Box::new(*accounts.position.load()?);
        require_keys_eq!(
            position.market,
            market_key,
            BallastError::WrongPositionAccount
        );
        Self::with_position(position, market_key, market, accounts, lending, now_secs)
    }

    /// Opens a session on a position that is not stored yet.
    ///
    /// # Errors
    /// Those of the address checks of position and reserves, and [`BallastError::OutOfRange`].
    pub fn with_position(
        position: Box<Position>,
        market_key: Pubkey,
        market: &'a Market,
        accounts: &'a PositionAccounts<'info>,
        lending: &'a LendingAccounts<'info>,
        now_secs: i64,
    ) -> Result<Self> {
        require_version(market.version, Market::VERSION)?;
        require_version(position.version, Position::VERSION)?;
        for (account, stored) in [
            (&accounts.whirlpool_position, position.whirlpool_position),
            (&accounts.nft_account, position.nft_account),
            (&accounts.base_account, position.base_account),
            (&accounts.quote_account, position.quote_account),
        ] {
            require_keys_eq!(account.key(), stored, BallastError::WrongPositionAccount);
        }
        let base_reserve = load_reserve(market_key, market, lending, Side::Base, now_secs)?;
        let quote_reserve = load_reserve(market_key, market, lending, Side::Quote, now_secs)?;
        let band = band_between([position.tick_lower, position.tick_upper])?;
        Ok(Self {
            market,
            position,
            accounts,
            lending,
            base_reserve,
            quote_reserve,
            band,
            owed: Default::default(),
            refinanced: Amounts::ZERO,
        })
    }

    /// The position's band of prices.
    pub fn band(&self) -> Band {
        self.band
    }

    /// The position as a value object, debts with interest to now.
    ///
    /// # Errors
    /// [`BallastError::OutOfRange`].
    pub fn model(&self) -> Result<PositionModel> {
        Ok(PositionModel {
            band: self.band,
            liquidity: self.position.liquidity.get(),
            idle: self.position.idle(),
            debt: Amounts {
                base: self.owed(Side::Base)?,
                quote: self.owed(Side::Quote)?,
            },
        })
    }

    /// The token of one side.
    pub fn token(&self, side: Side) -> Token<'a, 'info> {
        Token {
            program: self.lending.token_program(side),
            mint: self.lending.mint(side),
            decimals: self.reserve(side).decimals,
        }
    }

    /// Moves tokens from a wallet that has signed into the position's idle amount.
    ///
    /// # Errors
    /// Those of the token program, [`BallastError::OutOfRange`].
    pub fn take_in(
        &mut self,
        side: Side,
        amount: u64,
        wallet: &AccountInfo<'info>,
        authority: &AccountInfo<'info>,
    ) -> Result<()> {
        self.token(side)
            .transfer(wallet, self.accounts.tokens(side), authority, amount, &[])?;
        self.add_idle(side, amount)
    }

    /// Pays idle tokens out to a wallet.
    ///
    /// # Errors
    /// Those of the token program, [`BallastError::OutOfRange`] if the idle amount is smaller.
    pub fn pay_out(&mut self, side: Side, amount: u64, wallet: &AccountInfo<'info>) -> Result<()> {
        self.take_idle(side, amount)?;
        let (from, authority) = (self.accounts.tokens(side), self.accounts.position.as_ref());
        self.with_position_seeds(|seeds| {
            self.token(side)
                .transfer(from, wallet, authority, amount, &[seeds])
        })
    }

    /// Closes the position's empty token accounts; their rent goes to `destination`. Tokens that others sent there
    /// after the last payout would make the token program refuse, so they go to the wallet first.
    ///
    /// # Errors
    /// Those of the token program.
    pub fn close_token_accounts(
        &mut self,
        wallet: &crate::groups::WalletAccounts<'info>,
        destination: &AccountInfo<'info>,
    ) -> Result<()> {
        for side in [Side::Base, Side::Quote] {
            let account = self.accounts.tokens(side);
            let authority = self.accounts.position.as_ref();
            let left = token::balance(account)?;
            let token = self.token(side);
            self.with_position_seeds(|seeds| {
                token.transfer(account, wallet.tokens(side), authority, left, &[seeds])?;
                token.close_account(account, destination, authority, &[seeds])
            })?;
        }
        Ok(())
    }

    /// Checks the invariant and writes everything back.
    ///
    /// # Errors
    /// [`BallastError::InvariantBroken`].
    pub fn store(self) -> Result<()> {
        self.invariant()?;
        self.store_reserves()?;
        *self.accounts.position.load_mut()? = *self.position;
        Ok(())
    }

    /// Stores like [`Self::store`] and pays the keeper.
    ///
    /// # Errors
    /// As [`Self::store`].
    pub fn store_and_pay(self, keeper: &AccountInfo<'info>) -> Result<()> {
        let (market, accounts) = (self.market, self.accounts);
        self.store()?;
        let mut position = accounts.position.load_mut()?;
        reward::pay(accounts.position.as_ref(), keeper, market, &mut position)
    }

    /// Writes the reserves back, for a position that is about to be closed.
    ///
    /// # Errors
    /// [`BallastError::InvariantBroken`].
    pub fn store_reserves(&self) -> Result<()> {
        for side in [Side::Base, Side::Quote] {
            let real = token::balance(self.lending.vault(side))?;
            require!(
                real >= self.reserve(side).liquidity,
                BallastError::InvariantBroken
            );
            *self.lending.reserve(side).load_mut()? = *self.reserve(side);
        }
        Ok(())
    }

    /// What is accounted for is really there.
    fn invariant(&self) -> Result<()> {
        for side in [Side::Base, Side::Quote] {
            let idle = self.position.idle().get(side);
            let real = token::balance(self.accounts.tokens(side))?;
            require!(real >= idle, BallastError::InvariantBroken);
        }
        let real = pool::position_liquidity(&self.accounts.whirlpool_position, self.market)?;
        require!(
            real == self.position.liquidity.get(),
            BallastError::InvariantBroken
        );
        Ok(())
    }

    fn add_idle(&mut self, side: Side, amount: u64) -> Result<()> {
        let idle = self.idle_mut(side);
        *idle = idle.checked_add(amount).or_range()?;
        Ok(())
    }

    fn take_idle(&mut self, side: Side, amount: u64) -> Result<()> {
        let idle = self.idle_mut(side);
        *idle = idle.checked_sub(amount).or_range()?;
        Ok(())
    }

    fn idle_mut(&mut self, side: Side) -> &mut u64 {
        match side {
            Side::Base => &mut self.position.idle_base,
            Side::Quote => &mut self.position.idle_quote,
        }
    }

    fn reserve(&self, side: Side) -> &Reserve {
        match side {
            Side::Base => &self.base_reserve,
            Side::Quote => &self.quote_reserve,
        }
    }

    fn reserve_mut(&mut self, side: Side) -> &mut Reserve {
        self.known_owed(side).set(None);
        match side {
            Side::Base => &mut self.base_reserve,
            Side::Quote => &mut self.quote_reserve,
        }
    }

    /// See [`Self::owed`].
    fn known_owed(&self, side: Side) -> &Cell<Option<u64>> {
        let [base, quote] = &self.owed;
        match side {
            Side::Base => base,
            Side::Quote => quote,
        }
    }

    /// Runs a call with the seeds under which the position's address signs.
    fn with_position_seeds<T>(&self, call: impl FnOnce(&[&[u8]]) -> Result<T>) -> Result<T> {
        let id = self.position.id.to_le_bytes();
        call(&[
            Position::SEED,
            self.position.market.as_ref(),
            self.position.creator.as_ref(),
            &id,
            &[self.position.bump],
        ])
    }
}
