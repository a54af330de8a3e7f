//! The engine's side: notes what changed, and publishes now and then.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use solana_sdk::pubkey::Pubkey;
use tokio::{sync::watch, time::Instant};

use super::{MarketPicture, Picture, PositionPicture};
use crate::engine::Status;

/// Least time between two pictures.
const EVERY: Duration = Duration::from_millis(250);

/// See the module's description.
#[derive(Debug)]
pub(crate) struct Writer {
    sender: watch::Sender<Option<Arc<Picture>>>,
    /// As last published, or as it will be.
    picture: Picture,
    /// Positions to be copied, by market.
    changed: BTreeMap<Pubkey, BTreeSet<Pubkey>>,
    /// When to publish, if there is anything new.
    due: Option<Instant>,
    published: Option<Instant>,
}

impl Writer {
    pub fn new(sender: watch::Sender<Option<Arc<Picture>>>, keeper: Pubkey) -> Self {
        Self {
            sender,
            picture: Picture {
                sequence: 0,
                status: Status::default(),
                keeper,
                taken: Instant::now(),
                slot_seen: None,
                markets: BTreeMap::new(),
                streams: false,
            },
            changed: BTreeMap::new(),
            due: None,
            published: None,
        }
    }

    /// Something has changed.
    pub fn note(&mut self) {
        if self.due.is_none() {
            let now = Instant::now();
            self.due = Some(self.published.map_or(now, |last| (last + EVERY).max(now)));
        }
    }

    /// A position is new, changed, gone, or something else is made of it.
    pub fn note_position(&mut self, market: Pubkey, position: Pubkey) {
        self.changed.entry(market).or_default().insert(position);
        self.note();
    }

    /// All positions of a market have been read.
    pub fn note_read(&mut self, market: Pubkey) {
        if let Some(market) = self.picture.markets.get_mut(&market) {
            market.positions_read = true;
        }
        self.note();
    }

    /// Whether the stream works.
    pub fn note_stream(&mut self, streams: bool) {
        if self.picture.streams != streams {
            self.picture.streams = streams;
            self.note();
        }
    }

    /// When to publish; `None`: nothing is new.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Publishes. `markets` are all markets as they are now, without positions; `look` says how a position is now, `None`: gone.
    pub fn publish(
        &mut self,
        status: Status,
        markets: impl Iterator<Item = (Pubkey, MarketPicture)>,
        mut look: impl FnMut(&Pubkey, &Pubkey) -> Option<PositionPicture>,
    ) {
        let now = Instant::now();
        let picture = &mut self.picture;
        for (address, market) in markets {
            match picture.markets.get_mut(&address) {
                Some(known) => {
                    let before = std::mem::replace(known, market);
                    (known.positions, known.positions_read) =
                        (before.positions, before.positions_read);
                }
                None => {
                    picture.markets.insert(address, market);
                }
            }
        }
        for (market, positions) in std::mem::take(&mut self.changed) {
            let Some(shown) = picture.markets.get_mut(&market) else {
                continue;
            };
            for position in positions {
                match look(&market, &position) {
                    Some(position) => shown.positions.insert(position),
                    None => shown.positions.remove(&position),
                }
            }
        }
        if status.slot > picture.status.slot {
            picture.slot_seen = Some(now);
        }
        picture.status = status;
        picture.taken = now;
        picture.sequence += 1;
        self.sender.send_replace(Some(Arc::new(picture.clone())));
        (self.due, self.published) = (None, Some(now));
    }
}
