//! A book that sources fill, with the engine's part of it: what is in doubt is asked for. For tests, here and elsewhere.

use std::sync::Arc;

use ballast_client::{Chain, MarketContext};
use ballast_feed::Feed;
use tokio::sync::mpsc::{self, Receiver};

use super::{Doubts, SourceEvent, Sources};
use crate::{
    book::{Change, MarketBook},
    config::Timing,
};

/// See the module's description.
pub struct Follower {
    /// The book.
    pub book: MarketBook,
    /// Why streams were lost.
    pub lost: Vec<String>,
    /// What nodes and streams told that was of no use.
    pub troubles: Vec<String>,
    doubts: Doubts,
    events: Receiver<SourceEvent>,
}

impl Follower {
    /// Follows sources of a market that ask `chain` and listen to `feeds`. They end when this is dropped.
    pub fn start(
        chain: Arc<dyn Chain>,
        feeds: Vec<Arc<dyn Feed>>,
        market: MarketContext,
        timing: Timing,
    ) -> Self {
        let book = MarketBook::new(market.clone());
        let sources = Sources::new(chain, feeds, vec![Arc::new(market)], timing);
        let (sender, events) = mpsc::channel(10_000);
        let (doubts, heard) = Doubts::new();
        tokio::spawn(sources.run(sender, heard));
        Self {
            book,
            lost: Vec::new(),
            troubles: Vec::new(),
            doubts,
            events,
        }
    }

    /// Takes in one event. `None`: the sources have ended.
    pub async fn next(&mut self) -> Option<()> {
        let event = self.events.recv().await?;
        self.take(event);
        Some(())
    }

    fn take(&mut self, event: SourceEvent) {
        match event {
            SourceEvent::Account {
                market,
                address,
                slot,
                account,
            } => match self.book.account(&address, slot, account) {
                Ok(Change::Doubtful) => self.doubts.tell(market, address),
                Ok(_) => {}
                Err(problem) => self.troubles.push(problem.to_string()),
            },
            SourceEvent::Market { accounts, .. } => {
                if let Err(problem) = self.book.market_accounts(&accounts) {
                    self.troubles.push(problem.to_string());
                }
            }
            SourceEvent::Positions {
                market,
                slot,
                positions,
            } => {
                let (_, missing, problems) = self.book.all_positions(slot, positions);
                let problems = problems.iter().map(ToString::to_string);
                self.troubles.extend(problems);
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
}
