//! Where the book's data come from: a complete answer first, then a websocket stream, and beside both a poll of each
//! market's few accounts, so that a silent stream costs a second and not a position.
//!
//! Everything goes through one channel in order of arrival; the book sorts by slot. Whenever the stream begins anew,
//! everything is read once more, after subscribing, so that nothing is missed in between.

mod ceiling;
#[cfg(test)]
mod fault_tests;
mod stream;

pub use ceiling::Ceiling;
pub use stream::explain;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use ballast_abi::pyth::PriceUpdate;
use ballast_client::{Account, Accounts, Chain, ChainError, Endpoint, MarketContext, Positions};
use solana_sdk::pubkey::Pubkey;
use tokio::{
    sync::mpsc::{self, Receiver, Sender},
    time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout},
};

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
#[derive(Clone)]
pub struct Sources {
    /// For complete answers and polls.
    pub chain: Arc<dyn Chain>,
    /// Websocket endpoints: when the stream of one breaks the next is tried. Empty: polls only.
    pub ws_urls: Vec<Endpoint>,
    /// Markets.
    pub markets: Vec<Arc<MarketContext>>,
    /// Intervals.
    pub timing: Timing,
    /// What slots of a stream can be.
    pub ceiling: Arc<Ceiling>,
}

/// The receiver is gone: nobody wants events any more.
struct Closed;

/// Accounts of a market (first) that are in doubt and should be read.
type Doubt = (Pubkey, Pubkey);

/// Where doubts are told.
#[derive(Clone, Debug)]
pub struct Doubts(Sender<Doubt>);

/// Where [`Sources`] hears of them.
#[derive(Debug)]
pub struct DoubtsHeard(Receiver<Doubt>);

/// Doubts that may wait to be settled; more are dropped, and settled by the next regular answer.
const DOUBTS: usize = 1_000;
/// Doubts of this span are settled together.
const DOUBTS_TOGETHER: Duration = Duration::from_millis(50);
/// Most accounts that a node answers at once.
const ACCOUNTS_AT_ONCE: usize = 100;

impl Doubts {
    /// Both ends.
    pub fn new() -> (Self, DoubtsHeard) {
        let (sender, receiver) = mpsc::channel(DOUBTS);
        (Self(sender), DoubtsHeard(receiver))
    }

    /// Has an account read, one of the market's or a position.
    pub fn tell(&self, market: Pubkey, address: Pubkey) {
        let _ = self.0.try_send((market, address));
    }
}

async fn pass_on(events: &Sender<SourceEvent>, event: SourceEvent) -> Result<(), Closed> {
    events.send(event).await.map_err(|_| Closed)
}

impl Sources {
    /// Delivers events until nobody receives them any more.
    pub async fn run(self, events: Sender<SourceEvent>, doubts: DoubtsHeard) {
        let polling = self.poll(&events);
        let streaming = self.stream_and_resync(&events);
        let settling = self.settle_doubts(&events, doubts);
        // They end only when the receiver is gone.
        let _ = tokio::join!(polling, streaming, settling);
    }

    /// Reads what is in doubt.
    async fn settle_doubts(
        &self,
        events: &Sender<SourceEvent>,
        mut doubts: DoubtsHeard,
    ) -> Result<(), Closed> {
        while let Some(first) = doubts.0.recv().await {
            sleep(DOUBTS_TOGETHER).await;
            let mut asked = BTreeMap::from([(first.0, BTreeSet::from([first.1]))]);
            while let Ok((market, address)) = doubts.0.try_recv() {
                asked
                    .entry(market)
                    .or_insert_with(BTreeSet::new)
                    .insert(address);
            }
            for market in &self.markets {
                let Some(addresses) = asked.get(&market.address) else {
                    continue;
                };
                if let Err(error) = self.read_again(market, addresses, events).await? {
                    pass_on(
                        events,
                        SourceEvent::Trouble {
                            market: market.address,
                            asked: Asked::Accounts,
                            reason: error.to_string(),
                        },
                    )
                    .await?;
                }
            }
        }
        Ok(())
    }

    async fn read_again(
        &self,
        market: &MarketContext,
        addresses: &BTreeSet<Pubkey>,
        events: &Sender<SourceEvent>,
    ) -> Result<Result<(), ChainError>, Closed> {
        let of_market = market.snapshot_addresses();
        if addresses.iter().any(|address| of_market.contains(address)) {
            match self.market(market).await {
                Ok(event) => pass_on(events, event).await?,
                Err(error) => return Ok(Err(error)),
            }
        }
        let positions: Vec<Pubkey> = addresses
            .iter()
            .filter(|address| !of_market.contains(address))
            .copied()
            .collect();
        for positions in positions.chunks(ACCOUNTS_AT_ONCE) {
            let answer = match self.chain.accounts(positions).await {
                Ok(answer) => answer,
                Err(error) => return Ok(Err(error)),
            };
            let (market, slot) = (market.address, answer.slot);
            for (position, account) in positions.iter().copied().zip(answer.accounts) {
                let event = match account.filter(|account| account.owner == ballast::ID) {
                    Some(account) => SourceEvent::Account {
                        market,
                        address: position,
                        slot,
                        account,
                    },
                    None => SourceEvent::Missing {
                        market,
                        position,
                        slot,
                    },
                };
                pass_on(events, event).await?;
            }
        }
        Ok(Ok(()))
    }

    /// Reads every market's own accounts at a fixed rate.
    async fn poll(&self, events: &Sender<SourceEvent>) -> Result<(), Closed> {
        let mut ticks = interval(self.timing.refresh);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for market in &self.markets {
                let event = match self.market(market).await {
                    Ok(event) => event,
                    Err(error) => SourceEvent::Trouble {
                        market: market.address,
                        asked: Asked::Accounts,
                        reason: error.to_string(),
                    },
                };
                pass_on(events, event).await?;
            }
        }
    }

    async fn stream_and_resync(&self, events: &Sender<SourceEvent>) -> Result<(), Closed> {
        let mut pause = self.timing.backoff_first;
        let mut endpoints = self.ws_urls.iter().cycle();
        loop {
            let began = Instant::now();
            let reason = match endpoints.next() {
                Some(endpoint) => stream::run(self, endpoint, events).await?,
                None => {
                    // Without a stream, new positions are found by reading all of them.
                    let again = self.resync_all(events).await?;
                    sleep_until(again.min(Instant::now() + self.timing.watchdog)).await;
                    continue;
                }
            };
            pass_on(events, SourceEvent::StreamLost { reason }).await?;
            // A stream that lived for a while begins again at once, one that does not come up waits longer each time.
            pause = if began.elapsed() > self.timing.watchdog {
                self.timing.backoff_first
            } else {
                pause.saturating_mul(2).min(self.timing.backoff_max)
            };
            self.resync_all(events).await?;
            sleep(pause).await;
        }
    }

    /// Reads everything anew; returns when to do so again.
    async fn resync_all(&self, events: &Sender<SourceEvent>) -> Result<Instant, Closed> {
        let mut again = self.timing.resync;
        for market in &self.markets {
            if let Err(error) = self.resync(market, events).await? {
                pass_on(
                    events,
                    SourceEvent::Trouble {
                        market: market.address,
                        asked: Asked::Positions,
                        reason: error.to_string(),
                    },
                )
                .await?;
                again = self.timing.refresh;
            }
        }
        Ok(Instant::now() + again)
    }

    async fn resync(
        &self,
        market: &Arc<MarketContext>,
        events: &Sender<SourceEvent>,
    ) -> Result<Result<(), ChainError>, Closed> {
        let answers = async {
            let market_event = self.market(market).await?;
            // Asked for before the positions, so that they are at least as new.
            let slot = self.chain.slot().await?;
            let positions = Positions::of_market(self.chain.as_ref(), &market.address).await?;
            Ok::<_, ChainError>((market_event, slot, positions))
        };
        match answers.await {
            Ok((market_event, slot, positions)) => {
                pass_on(events, market_event).await?;
                let slot = positions.slot.unwrap_or(slot);
                pass_on(
                    events,
                    SourceEvent::Positions {
                        market: market.address,
                        slot,
                        positions,
                    },
                )
                .await?;
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }

    async fn market(&self, market: &MarketContext) -> Result<SourceEvent, ChainError> {
        let accounts = self.chain.accounts(&market.snapshot_addresses()).await?;
        self.ceiling.polled(accounts.slot);
        Ok(SourceEvent::Market {
            address: market.address,
            accounts,
        })
    }
}

/// The next item, or why there is none: the stream ended, or was silent for too long.
async fn next_within<T>(
    silence: Duration,
    next: impl Future<Output = Option<T>>,
) -> Result<T, String> {
    match timeout(silence, next).await {
        Ok(Some(item)) => Ok(item),
        Ok(None) => Err("the node closed the connection".into()),
        Err(_) => Err(format!("no message for {} s", silence.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;
    use crate::sim::{Faults, World, bytes};

    fn sources(world: &World, ws_url: Option<Endpoint>) -> Sources {
        Sources {
            chain: Arc::new(world.clone()),
            ws_urls: ws_url.into_iter().collect(),
            markets: vec![Arc::new(bytes::context())],
            timing: Timing::default(),
            ceiling: Arc::default(),
        }
    }

    /// Events of so many simulated seconds: market answers, complete answers, lost streams, troubles.
    async fn listen(sources: Sources, secs: u64) -> [usize; 4] {
        let (sender, mut receiver) = mpsc::channel(10_000);
        let (_doubts, heard) = Doubts::new();
        let _ = timeout(Duration::from_secs(secs), sources.run(sender, heard)).await;
        let mut seen = [0; 4];
        while let Ok(event) = receiver.try_recv() {
            let kind = match event {
                SourceEvent::Account { .. }
                | SourceEvent::Missing { .. }
                | SourceEvent::Published { .. } => continue,
                SourceEvent::Market { .. } => 0,
                SourceEvent::Positions { positions, .. } => {
                    assert_eq!(positions.positions.len(), 2);
                    1
                }
                SourceEvent::StreamLost { .. } => 2,
                SourceEvent::Trouble { .. } => 3,
            };
            seen[kind] += 1;
        }
        seen
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_stream_everything_is_polled() {
        let world = World::new(1, Pubkey::default(), 2, Faults::default());
        let [markets, positions, lost, troubles] = listen(sources(&world, None), 60).await;
        assert!(
            markets >= 50 && (3..=6).contains(&positions),
            "{markets} {positions}"
        );
        assert_eq!((lost, troubles), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn troubles_are_told_and_survived() {
        let world = World::new(
            2,
            Pubkey::default(),
            2,
            Faults {
                no_answer: 30,
                ..Faults::default()
            },
        );
        let [markets, positions, _, troubles] = listen(sources(&world, None), 300).await;
        assert!(
            markets > 50 && positions >= 5 && troubles > 20,
            "{markets} {positions} {troubles}"
        );
    }

    #[tokio::test]
    async fn a_stream_that_does_not_come_up_is_tried_again_and_polls_go_on() {
        let world = World::new(3, Pubkey::default(), 2, Faults::default());
        // Nothing listens on the discard port.
        let mut sources = sources(&world, Some("ws://127.0.0.1:9".into()));
        sources.timing.backoff_first = Duration::from_millis(10);
        sources.timing.refresh = Duration::from_millis(50);
        let [markets, positions, lost, _] = listen(sources, 2).await;
        assert!(
            lost >= 2 && positions >= 2 && markets > 10,
            "{markets} {positions} {lost}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_in_doubt_is_read() {
        let world = World::new(4, Pubkey::default(), 2, Faults::default());
        let mut sources = sources(&world, None);
        sources.timing.refresh = Duration::from_secs(1_000);
        sources.timing.watchdog = Duration::from_secs(1_000);
        let market = sources.markets[0].address;
        let (sender, mut receiver) = mpsc::channel(100);
        let (doubts, heard) = Doubts::new();
        let (known, unknown) = (
            Pubkey::new_from_array([100; 32]),
            Pubkey::new_from_array([99; 32]),
        );
        let questions = async {
            sleep(Duration::from_secs(10)).await;
            while receiver.try_recv().is_ok() {}
            for address in [known, unknown, market, known] {
                doubts.tell(market, address);
            }
            let mut answers = [0; 3];
            while let Ok(Some(event)) = timeout(Duration::from_secs(5), receiver.recv()).await {
                match event {
                    SourceEvent::Market { .. } => answers[0] += 1,
                    SourceEvent::Account { address, .. } if address == known => answers[1] += 1,
                    SourceEvent::Missing { position, .. } if position == unknown => answers[2] += 1,
                    other => panic!("{other:?}"),
                }
            }
            answers
        };
        tokio::select! {
            answers = questions => assert_eq!(answers, [1, 1, 1]),
            () = sources.run(sender, heard) => panic!("ended"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_and_an_end_are_told_apart() {
        let silence = Duration::from_secs(15);
        assert_eq!(
            next_within(silence, std::future::ready(Some(1))).await,
            Ok(1)
        );
        assert!(
            next_within::<()>(silence, std::future::ready(None))
                .await
                .unwrap_err()
                .contains("closed")
        );
        assert!(
            next_within::<()>(silence, std::future::pending())
                .await
                .unwrap_err()
                .contains("15 s")
        );
    }
}
