//! A picture of all that the engine knows: immutable, shared, whole. Readers (the API, history, flags) take the newest and keep
//! it for as long as they like; the engine never waits for them.
//!
//! The engine notes what has changed and publishes at most a few times a second. A new picture shares with the one before what
//! did not change: publishing copies the positions that did, and pointers.

mod positions;
mod writer;

use std::{collections::BTreeMap, sync::Arc};

use ballast_client::{MarketContext, MarketSnapshot, Position};
use ballast_strategy::{
    decide::ActionKind,
    fee_yield::MeasuredYield,
    situation::{Outlook, Situation},
};
use solana_sdk::pubkey::Pubkey;
use tokio::{sync::watch, time::Instant};

pub use positions::PositionPictures;
pub(crate) use writer::Writer;

use crate::{config::Liquidation, engine::Status};

/// The newest picture; `None` before the engine runs.
pub type Pictures = watch::Receiver<Option<Arc<Picture>>>;

/// See the module's description.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Grows with every picture of a process.
    pub sequence: u64,
    /// The keeper in numbers.
    pub status: Status,
    /// Who signs; the zero address without a key.
    pub keeper: Pubkey,
    /// When it was taken.
    pub taken: Instant,
    /// When the newest slot became known; `None`: none is.
    pub slot_seen: Option<Instant>,
    /// Markets by address.
    pub markets: BTreeMap<Pubkey, MarketPicture>,
    /// Whether the stream from the chain works; `false` while only polls bring news.
    pub streams: bool,
}

/// A market with its positions.
#[derive(Clone, Debug)]
pub struct MarketPicture {
    /// Its addresses.
    pub context: Arc<MarketContext>,
    /// As far as it is known, at the newest prices known.
    pub newest: Option<Arc<MarketSnapshot>>,
    /// As its accounts have it.
    pub on_chain: Option<Arc<MarketSnapshot>>,
    /// Standard deviation of a day's price move, in ticks; `None`: not known yet.
    pub volatility_ticks: Option<u32>,
    /// What its pool has paid; `None`: not known yet.
    pub fee_yield: Option<MeasuredYield>,
    /// Whether all its positions were read at least once.
    pub positions_read: bool,
    /// Its positions.
    pub positions: PositionPictures,
}

/// What the engine made of a position when it last looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Found {
    /// Nothing is due.
    #[default]
    Nothing,
    /// This is due and possible.
    Due(ActionKind),
    /// This is due and not possible.
    Blocked(ActionKind),
}

/// A position.
#[derive(Clone, Debug)]
pub struct PositionPicture {
    /// Its address.
    pub address: Pubkey,
    /// Slot at which it was like that.
    pub slot: u64,
    /// As stored; the book's own, not a copy.
    pub position: Arc<Position>,
    /// What is known of it beyond accounts, as decisions use it.
    pub outlook: Outlook,
    /// What was made of it when the engine last looked.
    pub found: Found,
    /// Actions in flight.
    pub in_flight: u32,
    /// Whether it was read before the slot up to which effects of its actions are known.
    pub stale: bool,
}

impl Picture {
    /// One of nothing.
    #[cfg(test)]
    pub(crate) fn empty() -> Self {
        Self {
            sequence: 0,
            status: Status::default(),
            keeper: Pubkey::default(),
            taken: Instant::now(),
            slot_seen: None,
            markets: BTreeMap::new(),
            streams: false,
        }
    }

    /// A position with its market.
    pub fn position(&self, address: &Pubkey) -> Option<(&MarketPicture, &Arc<PositionPicture>)> {
        self.markets
            .values()
            .find_map(|market| Some((market, market.positions.get(address)?)))
    }

    /// Whether every market and its positions were read.
    pub fn is_whole(&self) -> bool {
        let read = |market: &MarketPicture| market.newest.is_some() && market.positions_read;
        !self.markets.is_empty() && self.markets.values().all(read)
    }
}

impl PositionPicture {
    /// Everything that the keeper decides on: the same values that its engine uses.
    pub fn situation<'a>(
        &'a self,
        market: &'a MarketSnapshot,
        keeper: Pubkey,
        liquidation: &Liquidation,
    ) -> Situation<'a> {
        Situation {
            market,
            position: &self.position,
            now_secs: market.now_secs,
            slot: market.slot.max(self.slot),
            keeper,
            funds: liquidation.enabled.then_some(liquidation.max_pay),
            min_gain: liquidation.min_gain,
            outlook: self.outlook,
        }
    }
}
