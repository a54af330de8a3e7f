//! Reading a market's snapshot from a cluster.

use ballast::state::Market;
use ballast_abi::pyth::{PriceUpdate, PythError};
use ballast_model::Side;
use ballast_snapshot::{MarketSnapshot, PoolState};
use solana_sdk::{account::Account, pubkey::Pubkey};
use thiserror::Error;

use crate::{
    account::{DecodeError, decode_at, owned_by, required},
    chain::{Accounts, CLOCK_SYSVAR, Chain, ChainError, parse_clock},
    market::MarketContext,
};

/// Why there is no picture of a market.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoadError {
    /// The cluster did not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// An account is not what it should be.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A price account holds the price of another feed.
    #[error(
        "{address} holds the price of another feed than the market's: configure the market's price accounts"
    )]
    WrongFeed {
        /// The price account.
        address: Pubkey,
    },
}

impl MarketContext {
    /// The accounts a snapshot is made of, in the order that [`MarketContext::snapshot_from`] expects.
    pub fn snapshot_addresses(&self) -> [Pubkey; 7] {
        [
            self.address,
            self.reserve(Side::Base),
            self.reserve(Side::Quote),
            self.market.whirlpool,
            self.prices.base,
            self.prices.quote,
            CLOCK_SYSVAR,
        ]
    }

    /// Reads a snapshot with one request.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn snapshot(&self, chain: &dyn Chain) -> Result<MarketSnapshot, LoadError> {
        let answer = chain.accounts(&self.snapshot_addresses()).await?;
        self.snapshot_from(&answer)
    }

    /// A snapshot from the accounts at [`MarketContext::snapshot_addresses`].
    ///
    /// # Errors
    /// [`LoadError`] for the first account that is not what it should be.
    pub fn snapshot_from(&self, answer: &Accounts) -> Result<MarketSnapshot, LoadError> {
        let at = |index: usize| -> Option<&Account> { answer.accounts.get(index)?.as_ref() };
        let [
            address,
            base_reserve,
            quote_reserve,
            whirlpool,
            base_price,
            quote_price,
            clock,
        ] = self.snapshot_addresses();
        let market: Market = decode_at(&address, at(0))?;
        let pool = owned_by("pool", &whirlpool, at(3), &market.whirlpool_program)?;
        let clock_data = required("clock", &clock, at(6))?;
        let now =
            parse_clock(clock_data).ok_or_else(|| malformed("clock", clock, &"it is too short"))?;
        Ok(MarketSnapshot {
            slot: answer.slot,
            now_secs: now.now_secs,
            address,
            base_reserve: decode_at(&base_reserve, at(1))?,
            quote_reserve: decode_at(&quote_reserve, at(2))?,
            pool: PoolState::parse(pool).map_err(|error| malformed("pool", whirlpool, &error))?,
            base_price: price(
                &base_price,
                at(4),
                &market.price_receiver,
                &market.base_feed,
            )?,
            quote_price: price(
                &quote_price,
                at(5),
                &market.price_receiver,
                &market.quote_feed,
            )?,
            market,
        })
    }
}

fn malformed(what: &'static str, address: Pubkey, reason: &impl ToString) -> DecodeError {
    DecodeError::Malformed {
        what,
        address,
        reason: reason.to_string(),
    }
}

/// A price account: owner, layout, full verification and feed. One that is not there, or has only lamports, is silence: a price
/// of zero, which no use accepts, so that whatever needs no price goes on.
fn price(
    address: &Pubkey,
    account: Option<&Account>,
    receiver: &Pubkey,
    feed: &[u8; 32],
) -> Result<PriceUpdate, LoadError> {
    if account.is_none_or(|account| account.data.is_empty()) {
        return Ok(PriceUpdate {
            write_authority: Default::default(),
            feed_id: *feed,
            price: 0,
            conf: 0,
            exponent: 0,
            publish_time: 0,
            previous_publish_time: 0,
            ema_price: 0,
            ema_conf: 0,
            posted_slot: 0,
        });
    }
    let data = owned_by("price account", address, account, receiver)?;
    let update = PriceUpdate::parse(data)
        .map_err(|error: PythError| malformed("price account", *address, &error))?;
    if update.feed_id != *feed {
        return Err(LoadError::WrongFeed { address: *address });
    }
    Ok(update)
}
