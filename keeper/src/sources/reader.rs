//! A book that sources fill, with the engine's part of it.

use std::{sync::Arc, time::Duration};

use ballast_client::Chain;
use ballast_feed::Feed;
use tokio::{
    sync::mpsc::{self, Receiver},
    time::{Instant, timeout, timeout_at},
};

use super::{Doubts, SourceEvent, Sources};
use crate::{
    book::{Change, MarketBook},
    config::Timing,
    sim::bytes,
};

/// Longest wait for something that has to come.
const NEVER_SEEN: Duration = Duration::from_secs(3_600);

/// Reads what sources say of the simulated market.
pub(super) struct Reader {
    pub(super) book: MarketBook,
    /// Why streams were lost.
    pub(super) lost: Vec<String>,
    /// What nodes and streams told that was of no use.
    pub(super) troubles: Vec<String>,
    doubts: Doubts,
    events: Receiver<SourceEvent>,
}

impl Reader {
    /// Sources that ask `chain` and listen to `feeds`. They end when this is dropped.
    pub(super) fn start(chain: Arc<dyn Chain>, feeds: Vec<Arc<dyn Feed>>, timing: Timing) -> Self {
        let markets = vec![Arc::new(bytes::context())];
        let sources = Sources::new(chain, feeds, markets, timing);
        let (sender, events) = mpsc::channel(10_000);
        let (doubts, heard) = Doubts::new();
        tokio::spawn(sources.run(sender, heard));
        Self {
            book: MarketBook::new(bytes::context()),
            lost: Vec::new(),
            troubles: Vec::new(),
            doubts,
            events,
        }
    }

    fn take(&mut self, event: SourceEvent) {
        match event {
            SourceEvent::Account {
                market,
                address,
                slot,
                account,
            } => {
                if self.book.account(&address, slot, account) == Ok(Change::Doubtful) {
                    self.doubts.tell(market, address);
                }
            }
            SourceEvent::Market { accounts, .. } => {
                self.book.market_accounts(&accounts).unwrap();
            }
            SourceEvent::Positions {
                market,
                slot,
                positions,
            } => {
                let (_, missing, problems) = self.book.all_positions(slot, positions);
                assert!(problems.is_empty());
                missing
                    .iter()
                    .for_each(|gone| self.doubts.tell(market, *gone));
            }
            SourceEvent::Missing { position, slot, .. } => {
                self.book.remove(&position, slot);
            }
            SourceEvent::StreamLost { reason } => self.lost.push(reason),
            SourceEvent::Trouble { reason, .. } => self.troubles.push(reason),
            SourceEvent::Published { .. } => {}
        }
    }

    /// Reads one event.
    pub(super) async fn next(&mut self) {
        let event = self.events.recv().await.unwrap();
        self.take(event);
    }

    /// Reads for so long, without troubles.
    pub(super) async fn read_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while timeout_at(until, self.next()).await.is_ok() {
            assert_eq!(self.troubles, [""; 0]);
        }
    }

    /// Reads until something holds, without troubles; how long that took.
    pub(super) async fn read_until(&mut self, holds: impl Fn(&MarketBook) -> bool) -> Duration {
        let began = Instant::now();
        let reading = async {
            while !holds(&self.book) {
                self.next().await;
                assert_eq!(self.troubles, [""; 0]);
            }
        };
        timeout(NEVER_SEEN, reading).await.expect("never seen");
        began.elapsed()
    }
}
