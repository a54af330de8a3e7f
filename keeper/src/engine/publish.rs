//! What readers see of the engine.

use std::sync::Arc;

use ballast_strategy::decide::ActionKind;
use solana_sdk::pubkey::Pubkey;
use tokio::time::Instant;

use super::{Engine, Lane, Status, withheld::Withheld};
use crate::picture::{Found, PositionPicture};

impl Engine {
    fn status_now(&self) -> Status {
        Status {
            mode: self.executor.control.mode(),
            markets: self.shelves.len(),
            positions: self.shelves.values().map(|shelf| shelf.book.len()).sum(),
            in_flight: self.jobs.len() + self.settling.len(),
            waiting: self.waiting.len(),
            not_quiet: self.told.len(),
            slot: self
                .shelves
                .values()
                .filter_map(|shelf| Some(shelf.book.snapshot()?.slot))
                .max()
                .unwrap_or(0),
            lamports: self.executor.lamports(),
        }
    }

    pub(super) fn publish_status(&mut self) {
        let status = self.status_now();
        let changed = self
            .status
            .send_if_modified(|last| std::mem::replace(last, status) != status);
        if changed {
            self.picture.note();
        }
        if self.picture.due().is_some_and(|due| due <= Instant::now()) {
            self.publish_picture(status);
        }
    }

    fn publish_picture(&mut self, status: Status) {
        let Self {
            picture,
            shelves,
            executor,
            refused,
            refusals,
            told,
            flights,
            config,
            min_slots,
            floor_slot,
            ..
        } = self;
        let markets = shelves
            .iter()
            .map(|(address, shelf)| (*address, shelf.picture()));
        let economics = config.automation.economics;
        let now = Instant::now();
        // What holds a flight of its own is counted there.
        let settled_anew = |position: &Pubkey| {
            let is_settled = executor.is_settled_anew(position, ActionKind::Rehedge);
            u32::from(is_settled && !flights.contains_key(&Lane::acts(*position)))
        };
        picture.publish(status, markets, |market, position| {
            let shelf = shelves.get(market)?;
            let tracked = shelf.book.position(position)?;
            Some(PositionPicture {
                address: *position,
                slot: tracked.slot,
                position: Arc::clone(&tracked.position),
                outlook: shelf.outlook(
                    position,
                    economics,
                    Withheld::of(position, refused, refusals, executor, now),
                ),
                found: told
                    .get(position)
                    .map_or(Found::Nothing, |(kind, blocked)| match blocked {
                        None => Found::Due(*kind),
                        Some(_) => Found::Blocked(*kind),
                    }),
                in_flight: flights
                    .get(&Lane::acts(*position))
                    .copied()
                    .unwrap_or_default()
                    .saturating_add(settled_anew(position)),
                stale: tracked.slot
                    < (*floor_slot).max(min_slots.get(position).copied().unwrap_or_default()),
            })
        });
    }
}
