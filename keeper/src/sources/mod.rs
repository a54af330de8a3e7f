//! Where the book's data come from: a complete answer first, then a stream, and beside both a poll of each market's few accounts and
//! of what has been done in it, so that a silent stream costs a second or two and not a position.
//!
//! Everything goes through one channel in order of arrival; the book sorts by slot. Whenever the stream begins anew, everything is read
//! once more, after subscribing and at a slot that the stream had not passed before, so that nothing is missed in between.

mod ceiling;
mod doubts;
#[cfg(test)]
mod fault_tests;
#[cfg(any(test, feature = "follower"))]
mod follower;
mod news;
#[cfg(test)]
mod same_book_tests;
mod stream;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod turns;

pub use ballast_feed::{FeedError, Grpc, GrpcSeen, Websocket};
pub use doubts::{Doubts, DoubtsHeard};
#[cfg(any(test, feature = "follower"))]
pub use follower::Follower;

use std::{sync::Arc, time::Duration};

use ballast_abi::pyth::PriceUpdate;
use ballast_client::{Account, Accounts, Chain, ChainError, MarketContext, Positions};
use ballast_feed::Feed;
use solana_sdk::pubkey::Pubkey;
use tokio::{
    sync::mpsc::Sender,
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until},
};

use ceiling::Ceiling;
use news::Known;
use turns::Turns;

use crate::config::Timing;

/// Something new.
#[derive(Clone, Debug)]
pub enum SourceEvent {
    /// An account changed: one of the market's, or a position.
    Account {
        /// The market.
        market: Pubkey,
        /// Which account.
        address: Pubkey,
        /// At this slot.
        slot: u64,
        /// To this.
        account: Account,
    },
    /// A market's accounts as they were at one slot.
    Market {
        /// The market.
        address: Pubkey,
        /// Its accounts.
        accounts: Accounts,
    },
    /// All positions of a market.
    Positions {
        /// The market.
        market: Pubkey,
        /// Slot that the answer is at least of.
        slot: u64,
        /// Positions.
        positions: Positions,
    },
    /// There is no such position (any more).
    Missing {
        /// The market.
        market: Pubkey,
        /// The position.
        position: Pubkey,
        /// At this slot.
        slot: u64,
    },
    /// The stream broke.
    StreamLost {
        /// Why.
        reason: String,
    },
    /// Newer prices of a market, which nobody has posted yet.
    Published {
        /// The market.
        market: Pubkey,
        /// Base and quote.
        prices: Box<[PriceUpdate; 2]>,
    },
    /// A node did not answer.
    Trouble {
        /// Of which market.
        market: Pubkey,
        /// What it was asked for.
        asked: Asked,
        /// What it said.
        reason: String,
    },
}

/// What a node is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    /// Accounts by their addresses; answered by [`SourceEvent::Market`].
    Accounts,
    /// All positions; answered by [`SourceEvent::Positions`].
    Positions,
    /// Changes; what cannot be read of them is in the next complete answer.
    Stream,
    /// Prices that nobody has posted yet, asked of a price service; answered by [`SourceEvent::Published`].
    Updates,
}

/// What to watch and how.
pub struct Sources {
    chain: Arc<dyn Chain>,
    feeds: Vec<Arc<dyn Feed>>,
    markets: Vec<Arc<MarketContext>>,
    timing: Timing,
    /// What slots of a stream can be.
    ceiling: Ceiling,
    /// What is known of positions.
    known: Known,
}

/// The receiver is gone: nobody wants events any more.
struct Closed;

/// What came of reading everything.
struct Read {
    /// The lowest slot among the answers; `None` if one is missing.
    slot: Option<u64>,
}

async fn pass_on(events: &Sender<SourceEvent>, event: SourceEvent) -> Result<(), Closed> {
    events.send(event).await.map_err(|_| Closed)
}

impl Sources {
    /// `chain` is asked for complete answers. When the stream of one of `feeds` breaks another is tried; without any there are polls only.
    pub fn new(
        chain: Arc<dyn Chain>,
        feeds: Vec<Arc<dyn Feed>>,
        markets: Vec<Arc<MarketContext>>,
        timing: Timing,
    ) -> Self {
        Self {
            chain,
            feeds,
            markets,
            timing,
            ceiling: Ceiling::default(),
            known: Known::default(),
        }
    }

    /// Delivers events until nobody receives them any more.
    pub async fn run(self, events: Sender<SourceEvent>, doubts: DoubtsHeard) {
        let polling = self.poll(&events);
        let streaming = self.stream_and_resync(&events, doubts.teller());
        let looking = self.look_for_news(&events);
        let settling = self.settle_doubts(&events, doubts);
        tokio::select! {
            () = events.closed() => {}
            _ = async { tokio::join!(polling, streaming, looking, settling) } => {}
        }
    }

    /// Reads every market's own accounts at a fixed rate.
    async fn poll(&self, events: &Sender<SourceEvent>) -> Result<(), Closed> {
        let mut ticks = interval(self.timing.refresh);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for market in &self.markets {
                let event = match self.market(market).await {
                    Ok((_, event)) => event,
                    Err(error) => trouble(market, Asked::Accounts, &error),
                };
                pass_on(events, event).await?;
            }
        }
    }

    async fn stream_and_resync(
        &self,
        events: &Sender<SourceEvent>,
        doubts: doubts::Teller,
    ) -> Result<(), Closed> {
        let mut pause = self.timing.backoff_first;
        let mut turns = Turns::of(self.feeds.len());
        loop {
            let began = Instant::now();
            let turn = turns.next();
            let (turn, reason) = match turn.and_then(|turn| Some((turn, self.feeds.get(turn)?))) {
                Some((turn, feed)) => {
                    let reason = stream::run(self, feed.as_ref(), &doubts, events).await?;
                    (turn, reason)
                }
                None => {
                    // Without a stream, new positions are found by reading all of them.
                    let read = self.resync_all(events).await?;
                    sleep(self.again(&read).min(self.timing.watchdog)).await;
                    continue;
                }
            };
            pass_on(events, SourceEvent::StreamLost { reason }).await?;
            // A stream that lived for a while begins again at once, one that does not come up waits longer each time.
            let lived = began.elapsed() > self.timing.watchdog;
            turns.ended(turn, lived);
            pause = match lived {
                true => self.timing.backoff_first,
                false => pause.saturating_mul(2).min(self.timing.backoff_max),
            };
            self.resync_all(events).await?;
            sleep(pause).await;
        }
    }

    /// Reads everything anew.
    async fn resync_all(&self, events: &Sender<SourceEvent>) -> Result<Read, Closed> {
        let mut slot = Some(u64::MAX);
        for market in &self.markets {
            let read = match self.resync(market, events).await? {
                Ok(read) => Some(read),
                Err(error) => {
                    pass_on(events, trouble(market, Asked::Positions, &error)).await?;
                    None
                }
            };
            slot = slot.zip(read).map(|(a, b)| a.min(b));
        }
        Ok(Read { slot })
    }

    /// When to do so again.
    fn again(&self, read: &Read) -> Duration {
        match read.slot {
            Some(_) => self.timing.resync,
            None => self.timing.refresh,
        }
    }

    /// Reads everything once the node has reached a slot, and after so long even if it has not.
    async fn resync_from(
        &self,
        slot: Option<u64>,
        patience: Duration,
        events: &Sender<SourceEvent>,
    ) -> Result<Read, Closed> {
        let until = Instant::now() + patience;
        while let Some(slot) = slot
            && Instant::now() < until
            && self.chain.slot().await.unwrap_or_default() < slot
        {
            let pause = Instant::now() + self.timing.refresh / 2;
            sleep_until(pause.min(until)).await;
        }
        self.resync_all(events).await
    }

    /// Returns the slot that everything is at least of.
    async fn resync(
        &self,
        market: &Arc<MarketContext>,
        events: &Sender<SourceEvent>,
    ) -> Result<Result<u64, ChainError>, Closed> {
        let answers = async {
            let (accounts_slot, market_event) = self.market(market).await?;
            // Asked for before the positions, so that they are at least as new.
            let slot = self.chain.slot().await?;
            let positions = Positions::of_market(self.chain.as_ref(), &market.address).await?;
            Ok::<_, ChainError>((accounts_slot, market_event, slot, positions))
        };
        match answers.await {
            Ok((accounts_slot, market_event, slot, positions)) => {
                pass_on(events, market_event).await?;
                let slot = positions.slot.unwrap_or(slot);
                self.known.read(market.address, slot);
                pass_on(
                    events,
                    SourceEvent::Positions {
                        market: market.address,
                        slot,
                        positions,
                    },
                )
                .await?;
                Ok(Ok(slot.min(accounts_slot)))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    /// A market's accounts, and their slot.
    async fn market(&self, market: &MarketContext) -> Result<(u64, SourceEvent), ChainError> {
        let accounts = self.chain.accounts(&market.snapshot_addresses()).await?;
        let slot = accounts.slot;
        self.ceiling.polled(slot);
        let address = market.address;
        Ok((slot, SourceEvent::Market { address, accounts }))
    }
}

fn trouble(market: &MarketContext, asked: Asked, error: &ChainError) -> SourceEvent {
    SourceEvent::Trouble {
        market: market.address,
        asked,
        reason: error.to_string(),
    }
}
