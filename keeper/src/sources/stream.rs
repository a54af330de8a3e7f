//! One life of a stream: subscribe, read everything anew, pass updates on until it breaks, falls silent or is deaf.

use std::time::Duration;

use ballast_feed::{Feed, Recent, Update, Wanted};
use futures_util::future::{BoxFuture, OptionFuture};
use solana_sdk::pubkey::Pubkey;
use tokio::{
    sync::mpsc::Sender,
    time::{Instant, sleep_until, timeout_at},
};

use super::{Asked, Closed, Read, SourceEvent, Sources, doubts::Teller, pass_on};

/// Everything is read for the first time after so long at the latest, whether or not the node has come to where the stream began.
const FIRST_READ_WITHIN: Duration = Duration::from_secs(2);
/// So many slots without the cluster's clock, which changes in every one and is streamed as any account, and the stream is deaf.
const DEAF_SLOTS: u64 = 10;

/// How far a stream has come.
#[derive(Debug, Default, PartialEq, Eq)]
struct Life {
    /// The first slot that it told. What was before is not in it.
    first: Option<u64>,
    /// The newest.
    newest: u64,
    /// The newest when it last told of the clock; `None` if it never has: there are nodes that do not.
    clock: Option<u64>,
    /// Slot at which everything was read.
    read: Option<u64>,
}

impl Life {
    /// The stream has told a slot.
    fn heard(&mut self, slot: u64) -> Result<(), String> {
        self.first.get_or_insert(slot);
        self.newest = self.newest.max(slot);
        match self.clock {
            Some(clock) if self.newest.saturating_sub(clock) > DEAF_SLOTS => Err(format!(
                "it goes on to slot {}, but has told nothing of the cluster's clock since slot {clock}",
                self.newest
            )),
            _ => Ok(()),
        }
    }

    /// Whether there may be changes that were neither streamed nor read.
    fn has_gap(&self) -> bool {
        self.first
            .is_some_and(|first| self.read.is_none_or(|read| read < first))
    }
}

/// Streams until something breaks; returns what. `Err` when nobody listens any more.
pub(super) async fn run(
    sources: &Sources,
    feed: &dyn Feed,
    doubts: &Teller,
    events: &Sender<SourceEvent>,
) -> Result<String, Closed> {
    let wanted = sources.markets.iter().map(|market| Wanted {
        market: market.address,
        accounts: market.snapshot_addresses().to_vec(),
    });
    let wanted: Vec<Wanted> = wanted.collect();
    let mut updates = match feed.subscribe(&wanted).await {
        Ok(updates) => updates,
        Err(error) => return Ok(error.to_string()),
    };
    let mut stream = Stream {
        sources,
        doubts,
        life: Life::default(),
        recent: Recent::default(),
    };
    let silence = sources.timing.watchdog;
    let mut silent_at = Instant::now() + silence;
    // Subscribed first, read second: what changes meanwhile is in the stream. Both at once, so that the stream never waits.
    let mut reading: Option<BoxFuture<'_, Result<Read, Closed>>> = None;
    let mut read_at = Instant::now() + FIRST_READ_WITHIN;
    let mut patience = FIRST_READ_WITHIN;
    loop {
        if reading.is_none() && Instant::now() >= read_at {
            let from = stream.life.first;
            reading = Some(Box::pin(sources.resync_from(from, patience, events)));
        }
        tokio::select! {
            update = timeout_at(silent_at, updates.next()) => match update {
                Ok(Ok(update)) => {
                    silent_at = Instant::now() + silence;
                    let begins = stream.life.first.is_none();
                    match stream.take(update) {
                        Ok(Some(event)) => pass_on(events, event).await?,
                        Ok(None) => {}
                        Err(reason) => return Ok(reason),
                    }
                    if begins && stream.life.first.is_some() && stream.life.read.is_none() {
                        read_at = Instant::now();
                    }
                }
                Ok(Err(error)) => return Ok(error.to_string()),
                Err(_) => return Ok(format!("no message for {} s", silence.as_secs_f64())),
            },
            Some(read) = OptionFuture::from(reading.as_mut()) => {
                reading = None;
                let read = read?;
                stream.life.read = stream.life.read.max(read.slot);
                read_at = Instant::now() + match stream.life.has_gap() {
                    true => sources.timing.refresh,
                    false => sources.again(&read),
                };
                patience = sources.timing.resync;
            }
            () = sleep_until(read_at), if reading.is_none() => {}
        }
    }
}

struct Stream<'a> {
    sources: &'a Sources,
    doubts: &'a Teller,
    life: Life,
    /// By market and address.
    recent: Recent<(Pubkey, Pubkey)>,
}

impl Stream<'_> {
    /// Takes in an update; returns what the book has to be told, or why the stream is of no use.
    fn take(&mut self, update: Update) -> Result<Option<SourceEvent>, String> {
        match update {
            Update::Slot(slot) => {
                self.sources.ceiling.allows(slot)?;
                self.life.heard(slot)?;
                Ok(None)
            }
            Update::Account {
                market,
                address,
                slot,
                write_version,
                account,
            } => {
                self.sources.ceiling.allows(slot)?;
                if address == solana_sdk::sysvar::clock::ID {
                    self.life.clock = Some(self.life.newest.max(slot));
                }
                self.life.heard(slot)?;
                if !self.recent.is_news(slot, (market, address), write_version) {
                    return Ok(None);
                }
                let markets = &self.sources.markets;
                let of_market = markets.iter().find(|context| context.address == market);
                if of_market.is_some_and(|of| !of.snapshot_addresses().contains(&address)) {
                    self.sources.known.told(market, slot);
                }
                Ok(Some(SourceEvent::Account {
                    market,
                    address,
                    slot,
                    account,
                }))
            }
            Update::Dead(slot) => {
                for (market, address) in self.recent.forget(slot) {
                    if !self.doubts.tell(market, address, slot) {
                        return Err(format!(
                            "slot {slot} is dead, and more of what it told is in doubt than can be asked for"
                        ));
                    }
                }
                Ok(None)
            }
            Update::Unreadable { market, reason } => Ok(Some(SourceEvent::Trouble {
                market,
                asked: Asked::Stream,
                reason,
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_before_the_stream_has_to_be_read_at_its_first_slot_or_later() {
        let mut life = Life::default();
        // Nothing was told yet: nothing is known to be missing.
        assert!(!life.has_gap());
        life.heard(100).unwrap();
        life.heard(101).unwrap();
        assert!(life.has_gap());
        life.read = Some(99);
        assert!(life.has_gap());
        life.read = Some(100);
        assert!(!life.has_gap());
    }

    #[test]
    fn slots_without_the_clock_are_a_deaf_stream() {
        let mut life = Life::default();
        // A node that never tells of the clock is not deaf.
        life.heard(1_000).unwrap();
        life.heard(1_000 + 10 * DEAF_SLOTS).unwrap();
        let last = life.newest;
        life.clock = Some(last);
        life.heard(last + DEAF_SLOTS).unwrap();
        let reason = life.heard(last + DEAF_SLOTS + 1).unwrap_err();
        assert!(reason.contains(&last.to_string()), "{reason}");
    }
}
