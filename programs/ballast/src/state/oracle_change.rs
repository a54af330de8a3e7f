//! Where a market's prices come from, and an announcement that they will come from elsewhere: a feed, a receiver program or a
//! sponsored account may be retired.

use anchor_lang::prelude::*;
use bytemuck::{Pod, Zeroable};

use super::Market;
use crate::errors::BallastError;

/// Where a market's prices come from.
#[derive(
    AnchorSerialize, AnchorDeserialize, Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable,
)]
#[repr(C)]
pub struct OracleSource {
    /// Program that owns genuine price accounts.
    pub price_receiver: Pubkey,
    /// Feed of base/USD.
    pub base_feed: [u8; 32],
    /// Feed of quote/USD.
    pub quote_feed: [u8; 32],
    /// Price account of base/USD whose silence counts as evidence; all zero: none.
    pub base_price_account: Pubkey,
    /// Price account of quote/USD whose silence counts as evidence; all zero: none.
    pub quote_price_account: Pubkey,
}

/// An announced source. PDA: `["oracle_change", market]`; it exists as long as the announcement stands.
#[account(zero_copy)]
#[derive(Debug)]
#[repr(C)]
pub struct OracleChange {
    /// Layout version, [`OracleChange::VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// Explicit padding.
    pub padding: [u8; 6],
    /// The market.
    pub market: Pubkey,
    /// Who paid for this account, and gets that back.
    pub payer: Pubkey,
    /// From when anyone may put it in force.
    pub effective_at_secs: i64,
    /// What will be in force.
    pub source: OracleSource,
}

impl OracleChange {
    /// Current layout version.
    pub const VERSION: u8 = 1;
    /// Seed prefix.
    pub const SEED: &'static [u8] = b"oracle_change";
    /// Account size with discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();
}

impl OracleSource {
    /// # Errors
    /// [`BallastError::BadParameters`] for one feed for both tokens, or no receiver.
    pub fn check(&self) -> Result<()> {
        require!(
            self.base_feed != self.quote_feed && self.price_receiver != Pubkey::default(),
            BallastError::BadParameters
        );
        Ok(())
    }
}

impl Market {
    /// Where prices come from now.
    pub fn oracle_source(&self) -> OracleSource {
        OracleSource {
            price_receiver: self.price_receiver,
            base_feed: self.base_feed,
            quote_feed: self.quote_feed,
            base_price_account: self.base_price_account,
            quote_price_account: self.quote_price_account,
        }
    }

    /// Takes prices from elsewhere from now on. A feed that is new, or told by a new receiver, begins at this moment: no price that
    /// was published before it, less the grace, is used, so that whoever is the first to show one has as little choice as any
    /// other, and a silent one is silent from now on. The newest price known is none of the new feeds': losses do not count
    /// against it any more, but until they have spoken a settlement has no other.
    pub fn set_oracle_source(&mut self, source: &OracleSource, now_secs: i64) {
        let before = self.oracle_source();
        let other_receiver = source.price_receiver != before.price_receiver;
        let new_base = other_receiver || source.base_feed != before.base_feed;
        let new_quote = other_receiver || source.quote_feed != before.quote_feed;
        if new_base {
            self.last_base_publish_secs = now_secs;
            self.newest_feed_prices[0] = 0;
        }
        if new_quote {
            self.last_quote_publish_secs = now_secs;
            self.newest_feed_prices[1] = 0;
        }
        self.price_receiver = source.price_receiver;
        self.base_feed = source.base_feed;
        self.quote_feed = source.quote_feed;
        self.base_price_account = source.base_price_account;
        self.quote_price_account = source.quote_price_account;
    }
}
