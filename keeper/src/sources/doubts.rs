//! Accounts that are in doubt, and reading them again.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use ballast_client::{ChainError, MarketContext};
use solana_sdk::pubkey::Pubkey;
use tokio::{
    sync::mpsc::{self, Receiver, Sender, WeakSender},
    time::{sleep, timeout},
};

use super::{Asked, Closed, SourceEvent, Sources, pass_on, trouble};

/// An account of a market (first) that is in doubt and should be read, at this slot or a later one.
type Doubt = (Pubkey, Pubkey, u64);

/// Where doubts are told.
#[derive(Clone, Debug)]
pub struct Doubts(Sender<Doubt>);

/// Where [`Sources`] hears of them.
#[derive(Debug)]
pub struct DoubtsHeard(Receiver<Doubt>, Teller);

/// Tells doubts as long as anybody else may.
#[derive(Clone, Debug)]
pub(super) struct Teller(WeakSender<Doubt>);

/// Doubts that may wait to be settled; more are dropped, and settled by the next regular answer.
const DOUBTS: usize = 1_000;
/// Doubts of this span are settled together.
const DOUBTS_TOGETHER: Duration = Duration::from_millis(50);
/// Most accounts that a node answers at once.
pub(super) const ACCOUNTS_AT_ONCE: usize = 100;

impl Doubts {
    /// Both ends.
    pub fn new() -> (Self, DoubtsHeard) {
        let (sender, receiver) = mpsc::channel(DOUBTS);
        let teller = Teller(sender.downgrade());
        (Self(sender), DoubtsHeard(receiver, teller))
    }

    /// Has an account read, one of the market's or a position.
    pub fn tell(&self, market: Pubkey, address: Pubkey) {
        let _ = self.0.try_send((market, address, 0));
    }
}

impl DoubtsHeard {
    pub(super) fn teller(&self) -> Teller {
        self.1.clone()
    }
}

impl Teller {
    /// Has an account read until the answer is of `slot` or later. Whether that was taken note of.
    pub(super) fn tell(&self, market: Pubkey, address: Pubkey, slot: u64) -> bool {
        let sender = self.0.upgrade();
        sender.is_some_and(|sender| sender.try_send((market, address, slot)).is_ok())
    }
}

/// What is to be read: by market, accounts and from which slot on their answers count.
#[derive(Default)]
struct Open(BTreeMap<Pubkey, BTreeMap<Pubkey, u64>>);

impl Open {
    fn add(&mut self, (market, address, slot): Doubt) {
        let from = self
            .0
            .entry(market)
            .or_default()
            .entry(address)
            .or_default();
        *from = slot.max(*from);
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Sources {
    /// Reads what is in doubt.
    pub(super) async fn settle_doubts(
        &self,
        events: &mpsc::Sender<SourceEvent>,
        mut doubts: DoubtsHeard,
    ) -> Result<(), Closed> {
        let mut open = Open::default();
        loop {
            let next = doubts.0.recv();
            let next = if open.is_empty() {
                Some(next.await)
            } else {
                // Until a node that is behind has come to what is asked for.
                timeout(self.timing.refresh / 2, next).await.ok()
            };
            match next {
                Some(Some(first)) => {
                    open.add(first);
                    sleep(DOUBTS_TOGETHER).await;
                }
                Some(None) => return Ok(()),
                None => {}
            }
            while let Ok(doubt) = doubts.0.try_recv() {
                open.add(doubt);
            }
            let mut later = Open::default();
            for market in &self.markets {
                let Some(asked) = open.0.remove(&market.address) else {
                    continue;
                };
                let addresses = asked.keys().copied().collect();
                match self.read_again(market, &addresses, events).await? {
                    Ok(slot) => {
                        let behind = asked.into_iter().filter(|(_, from)| *from > slot);
                        for (address, from) in behind {
                            later.add((market.address, address, from));
                        }
                    }
                    Err(error) => {
                        pass_on(events, trouble(market, Asked::Accounts, &error)).await?;
                        // Who asked in passing asks again; what a dead slot has told would stay.
                        let owed = asked.into_iter().filter(|(_, from)| *from > 0);
                        for (address, from) in owed {
                            later.add((market.address, address, from));
                        }
                    }
                }
            }
            open = later;
        }
    }

    /// Reads accounts of a market or its positions; returns the lowest slot of the answers.
    async fn read_again(
        &self,
        market: &MarketContext,
        addresses: &BTreeSet<Pubkey>,
        events: &mpsc::Sender<SourceEvent>,
    ) -> Result<Result<u64, ChainError>, Closed> {
        let of_market = market.snapshot_addresses();
        let mut lowest = u64::MAX;
        if addresses.iter().any(|address| of_market.contains(address)) {
            match self.market(market).await {
                Ok((slot, event)) => {
                    lowest = slot;
                    pass_on(events, event).await?;
                }
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
            lowest = lowest.min(slot);
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
        Ok(Ok(lowest))
    }
}
