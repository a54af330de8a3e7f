//! What was done in a market that the stream has not told of: a stream may go on and yet leave out what matters.
//!
//! A node lists the transactions that name a market, and whatever changes a position names its market. Of those in slots of which the
//! stream told nothing, the accounts are read; where that is not enough, all positions are.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use ballast_client::{Account, ChainError, MarketContext, PastTransaction, Positions};
use futures_util::future::join_all;
use solana_sdk::{pubkey::Pubkey, signature::Signature};
use tokio::{
    sync::mpsc::Sender,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use super::{Asked, Closed, SourceEvent, Sources, pass_on, trouble};

/// A stream may be so much slower than a question.
const STREAM_PATIENCE: Duration = Duration::from_millis(250);
/// Transactions that are listed at a time.
const LISTED: usize = 20;
/// Of more than these it is cheaper to read all positions.
const READ_SINGLY: usize = 10;
/// All positions are not read more often.
const READ_ALL_EVERY: Duration = Duration::from_secs(2);
/// A node that does not list transactions is asked again after this.
const REFUSED_PAUSE: Duration = Duration::from_secs(60);

/// A stream may tell what happened in a slot as of the next.
const TOLD_LATER_SLOTS: u64 = 1;
/// Slots of which it is remembered whether the stream told anything.
const REMEMBERED_SLOTS: u64 = 150;

/// What is known of each market's positions.
#[derive(Debug, Default)]
pub(super) struct Known(Mutex<BTreeMap<Pubkey, OfMarket>>);

#[derive(Debug, Default)]
struct OfMarket {
    /// All as they were at this slot.
    read: Option<u64>,
    /// Slots at which the stream told of one.
    told: BTreeSet<u64>,
}

impl Known {
    fn with<T>(&self, market: Pubkey, act: impl FnOnce(&mut OfMarket) -> T) -> T {
        // Nothing in here panics half way.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        act(known.entry(market).or_default())
    }

    /// All were read at this slot.
    pub(super) fn read(&self, market: Pubkey, slot: u64) {
        self.with(market, |known| known.read = known.read.max(Some(slot)));
    }

    /// The stream told of one.
    pub(super) fn told(&self, market: Pubkey, slot: u64) {
        self.with(market, |known| {
            known.told.insert(slot);
            let newest = known.told.last().copied().unwrap_or(slot);
            let oldest = newest.saturating_sub(REMEMBERED_SLOTS);
            known.told = known.told.split_off(&oldest);
        });
    }

    /// Slot at which all were read; `None`: they never were.
    fn read_at(&self, market: Pubkey) -> Option<u64> {
        self.with(market, |known| known.read)
    }

    /// Whether what happened to positions in a slot is known.
    fn has(&self, market: Pubkey, slot: u64) -> bool {
        let later = slot.saturating_add(TOLD_LATER_SLOTS);
        self.with(market, |known| {
            known.read.is_some_and(|read| slot <= read)
                || known.told.range(slot..=later).next().is_some()
        })
    }
}

/// What was seen of a market's transactions.
#[derive(Default)]
struct Seen {
    /// Those listed last.
    signatures: HashSet<Signature>,
    /// When all positions were last read because of one.
    read_all: Option<Instant>,
}

impl Seen {
    /// Those listed that are new, newest first, and whether there may be more before them.
    fn fresh(&self, listed: &[PastTransaction], read: u64) -> (Vec<PastTransaction>, bool) {
        let fresh: Vec<_> = listed
            .iter()
            .filter(|found| !self.signatures.contains(&found.signature) && found.slot > read)
            .copied()
            .collect();
        let more = fresh.len() >= LISTED;
        let did_something = fresh.into_iter().filter(|found| !found.failed).collect();
        (did_something, more)
    }
}

impl Sources {
    /// Reads what was done in each market and not told by the stream.
    pub(super) async fn look_for_news(&self, events: &Sender<SourceEvent>) -> Result<(), Closed> {
        let looks = self.markets.iter().map(|market| self.look(market, events));
        let ended = join_all(looks).await;
        ended.into_iter().collect()
    }

    async fn look(
        &self,
        market: &Arc<MarketContext>,
        events: &Sender<SourceEvent>,
    ) -> Result<(), Closed> {
        let mut seen = Seen::default();
        let mut ticks = interval(self.timing.refresh);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            // The first answer comes first.
            let Some(read) = self.known.read_at(market.address) else {
                continue;
            };
            let listed = match self.chain.history(&market.address, None, LISTED).await {
                Ok(Some(listed)) => listed,
                Ok(None) | Err(ChainError::Refused { .. }) => {
                    sleep(REFUSED_PAUSE).await;
                    continue;
                }
                // Polls tell that it does not answer.
                Err(_) => continue,
            };
            let (fresh, more) = seen.fresh(&listed, read);
            if !fresh.is_empty()
                && !self
                    .read_news(market, &fresh, more, &mut seen, events)
                    .await?
            {
                continue;
            }
            seen.signatures = listed.iter().map(|found| found.signature).collect();
        }
    }

    /// Whether these transactions are taken care of.
    async fn read_news(
        &self,
        market: &Arc<MarketContext>,
        fresh: &[PastTransaction],
        more: bool,
        seen: &mut Seen,
        events: &Sender<SourceEvent>,
    ) -> Result<bool, Closed> {
        sleep(STREAM_PATIENCE).await;
        let is_told = |found: &&PastTransaction| self.known.has(market.address, found.slot);
        let untold: Vec<_> = fresh.iter().filter(|found| !is_told(found)).collect();
        let newest = untold.iter().map(|found| found.slot).max();
        let Some(newest) = newest else {
            return Ok(true);
        };
        if !more
            && untold.len() <= READ_SINGLY
            && let Some(named) = self.named(&untold).await
            && self.read_named(market, &named, newest, events).await?
        {
            return Ok(true);
        }
        if seen
            .read_all
            .is_some_and(|at| at.elapsed() < READ_ALL_EVERY)
        {
            return Ok(false);
        }
        seen.read_all = Some(Instant::now());
        Ok(match self.resync(market, events).await? {
            Ok(slot) => slot >= newest,
            Err(error) => {
                pass_on(events, trouble(market, Asked::Positions, &error)).await?;
                false
            }
        })
    }

    /// Accounts that transactions name; `None` where that cannot be told.
    async fn named(&self, transactions: &[&PastTransaction]) -> Option<Vec<Pubkey>> {
        let mut named = BTreeSet::new();
        for found in transactions {
            let signed = self.chain.signed_transaction(&found.signature).await;
            let message = signed.ok()??.message;
            if message
                .address_table_lookups()
                .is_some_and(|lookups| !lookups.is_empty())
            {
                return None;
            }
            named.extend(message.static_account_keys());
        }
        Some(named.into_iter().collect())
    }

    /// Reads those of the accounts that are positions of the market, or no longer; whether the answer is of this slot or later.
    async fn read_named(
        &self,
        market: &MarketContext,
        named: &[Pubkey],
        from: u64,
        events: &Sender<SourceEvent>,
    ) -> Result<bool, Closed> {
        let filters = Positions::filters(&market.address);
        let is_position = |account: &Account| {
            filters.iter().all(|filter| {
                let rest = account.data.get(filter.offset..);
                rest.is_some_and(|rest| rest.starts_with(&filter.bytes))
            })
        };
        for named in named.chunks(super::doubts::ACCOUNTS_AT_ONCE) {
            let Ok(answer) = self.chain.accounts(named).await else {
                return Ok(false);
            };
            let slot = answer.slot;
            if slot < from {
                return Ok(false);
            }
            for (address, account) in named.iter().copied().zip(answer.accounts) {
                let market = market.address;
                let event = match account {
                    Some(account) if account.owner == ballast::ID && is_position(&account) => {
                        SourceEvent::Account {
                            market,
                            address,
                            slot,
                            account,
                        }
                    }
                    Some(account) if account.owner == ballast::ID => continue,
                    _ => SourceEvent::Missing {
                        market,
                        position: address,
                        slot,
                    },
                };
                pass_on(events, event).await?;
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_known_if_all_was_read_later_or_the_stream_told_of_it() {
        let (known, market) = (Known::default(), Pubkey::new_unique());
        assert!(!known.has(market, 0) && known.read_at(market).is_none());
        known.read(market, 100);
        known.read(market, 90);
        known.told(market, 110);
        let has: Vec<u64> = (99..=112).filter(|slot| known.has(market, *slot)).collect();
        assert_eq!(has, [99, 100, 109, 110]);
        assert!(!known.has(Pubkey::new_unique(), 50));
        (200..2_000).for_each(|slot| known.told(market, slot));
        assert!(known.with(market, |known| known.told.len() <= 151));
    }

    fn found(number: u8, slot: u64, failed: bool) -> PastTransaction {
        PastTransaction {
            signature: Signature::from([number; 64]),
            slot,
            secs: None,
            failed,
        }
    }

    #[test]
    fn news_are_what_succeeded_after_all_that_is_known_and_was_not_seen() {
        let listed = [
            found(4, 12, true),
            found(3, 12, false),
            found(2, 11, false),
            found(1, 10, false),
        ];
        let mut seen = Seen::default();
        let (fresh, more) = seen.fresh(&listed, 10);
        assert_eq!(fresh, [listed[1], listed[2]]);
        assert!(!more);
        // A node may list more of a slot later.
        seen.signatures.insert(listed[2].signature);
        assert_eq!(seen.fresh(&listed, 10).0, [listed[1]]);
        assert_eq!(seen.fresh(&listed, 12).0, []);
    }

    #[test]
    fn a_full_list_of_news_may_hide_more() {
        let mut listed: Vec<_> = (0..20).map(|number| found(number, 50, true)).collect();
        let seen = Seen::default();
        assert!(seen.fresh(&listed, 10).1);
        listed[19].slot = 10;
        assert!(!seen.fresh(&listed, 10).1);
    }
}
