//! The thread that keeps sums up and writes them.

use std::{
    collections::{BTreeMap, HashMap},
    sync::mpsc::RecvTimeoutError,
    time::{Duration, Instant},
};

use ballast_history::{
    ActionRow, Aftermath, Cost, Ledger, Point, Reach, Reading, Unexplained,
    store::{Batch, Store, StoreError},
};
use solana_sdk::pubkey::Pubkey;
use tokio::sync::{mpsc as asynchronous, watch};

use super::{
    Health, Input, Setting, Standing, Standings,
    queue::Receiver,
    rows::{Overturned, Rows},
};
use crate::{
    event::KeeperEvent,
    events::Events,
    journal::{Record, follow::Follower},
};

/// How long it waits for a picture before it looks at the journal.
const WAIT: Duration = Duration::from_millis(500);
/// Least time between two transactions with the store.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// How long it leaves a store alone that refused.
const RETRY: Duration = Duration::from_secs(10);
/// Points that wait in memory for a store that does not answer.
const MOST_POINTS: usize = 200_000;
/// Fees that are remembered in case a fork takes back what they were paid for.
const MOST_FEES: usize = 1_000;
/// How often old rows are deleted.
const PRUNE_EVERY: Duration = Duration::from_secs(3_600);
const DAY_SECS: i64 = 86_400;

pub(super) struct Writer {
    setting: Setting,
    standings: Standings,
    health: watch::Sender<Health>,
    events: Events,
    batch: Batch,
    journal: Follower,
    rows: Rows,
    aftermath: Aftermath,
    /// What fees booked by this process have cost, by the numbers of their intents.
    fees: BTreeMap<u64, u128>,
    /// Where changes by others are asked for.
    ask: asynchronous::Sender<Unexplained>,
    /// Of each position the first point of the last 24 hours.
    days: HashMap<String, Point>,
    /// Newest time of the cluster's clock.
    now_secs: i64,
    /// Of which quarter of an hour the days are.
    days_of_secs: i64,
    lost_pictures: u64,
    /// Every market's positions were seen: what the journal says of them can be booked.
    begun: bool,
}

/// What there is once the store has opened.
struct Opened {
    store: Box<dyn Store>,
    ledger: Ledger,
}

impl Writer {
    pub fn new(
        setting: Setting,
        standings: Standings,
        health: watch::Sender<Health>,
        events: Events,
        ask: asynchronous::Sender<Unexplained>,
    ) -> Self {
        Self {
            journal: Follower::new(&setting.journal_dir),
            setting,
            standings,
            health,
            events,
            batch: Batch::default(),
            rows: Rows::default(),
            aftermath: Aftermath::default(),
            fees: BTreeMap::new(),
            ask,
            days: HashMap::new(),
            now_secs: 0,
            days_of_secs: i64::MIN,
            lost_pictures: 0,
            begun: false,
        }
    }

    /// Until nobody sends any more.
    pub fn run(mut self, receiver: &Receiver) {
        let Some(mut opened) = self.open(receiver) else {
            return;
        };
        let mut wrote = Instant::now();
        let mut pruned = None;
        loop {
            let ends = match receiver.recv_timeout(WAIT) {
                Ok(input) => {
                    self.input(input, &mut opened);
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            self.follow_journal(&mut opened.ledger);
            self.batch.actions.extend(self.aftermath.done());
            if ends {
                opened.ledger.rest(&mut self.batch);
            } else if wrote.elapsed() < WRITE_EVERY {
                continue;
            }
            if self.write(&mut opened)
                && pruned.is_none_or(|at: Instant| at.elapsed() > PRUNE_EVERY)
            {
                pruned = Some(Instant::now());
                self.prune(&mut opened);
            }
            wrote = Instant::now();
            if ends {
                return;
            }
        }
    }

    /// Opens the store, however long that takes; what is sent meanwhile is lost. `None`: nobody sends any more.
    fn open(&mut self, receiver: &Receiver) -> Option<Opened> {
        loop {
            let opened = self.setting.location.open().and_then(|mut store| {
                store.claim(&self.setting.whose)?;
                let ledger = Ledger::new(store.tracks()?);
                Ok(Opened { store, ledger })
            });
            match opened {
                Ok(opened) => {
                    self.health.send_modify(|health| health.open = true);
                    self.publish(&opened.ledger);
                    return Some(opened);
                }
                Err(error) => self.refused(&error),
            }
            let since = Instant::now();
            while since.elapsed() < RETRY {
                match receiver.recv_timeout(WAIT) {
                    Ok(Input::Frames(_)) => {
                        self.health.send_modify(|health| health.lost_pictures += 1);
                    }
                    // What the hedge has earned is known later as well.
                    Ok(Input::Past(..) | Input::Others(_) | Input::Hedge(_))
                    | Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return None,
                }
            }
        }
    }

    /// Says why the store refuses, once for each reason.
    fn refused(&self, error: &StoreError) {
        let text = error.to_string();
        let before = self.health.borrow().error.clone();
        self.health.send_modify(|health| {
            health.open = false;
            health.failures += 1;
            health.rows_waiting = self.batch.len();
            health.error = Some(text.clone());
        });
        if before.as_ref() != Some(&text) {
            self.warn(format!("{text}; positions are looked after all the same"));
        }
    }

    fn warn(&self, message: String) {
        self.events.send(KeeperEvent::Warning { message });
    }

    fn input(&mut self, input: Input, opened: &mut Opened) {
        let ledger = &mut opened.ledger;
        match input {
            Input::Frames(frames) => {
                let lost = self.health.borrow().lost_pictures;
                if lost > self.lost_pictures {
                    self.lost_pictures = lost;
                    ledger.note_loss();
                }
                self.begun |= !frames.is_empty() && frames.iter().all(|frame| frame.complete);
                for frame in frames {
                    self.now_secs = self.now_secs.max(frame.moment.secs);
                    self.aftermath.before(&frame, ledger);
                    for trouble in ledger.take_in(&frame, &mut self.batch) {
                        self.warn(trouble);
                    }
                    self.aftermath.after(&frame, ledger);
                }
                self.ask_for_changes();
                self.publish(ledger);
            }
            Input::Past(position, reading, actions) => {
                self.past(&position, &reading, actions, ledger);
            }
            Input::Others(rows) => {
                for mut row in rows {
                    ledger.complete(&mut row);
                    self.aftermath.wait(row.clone(), Cost::Whole);
                    self.batch.actions.push(row);
                }
            }
            Input::Hedge(points) => self.batch.hedge.extend(points),
        }
    }

    /// Has the node asked for what no action of this keeper explains.
    fn ask_for_changes(&mut self) {
        for change in self.aftermath.unexplained() {
            // Nobody asks where the past is not read either.
            if let Err(asynchronous::error::TrySendError::Full(_)) = self.ask.try_send(change) {
                self.health.send_modify(|health| health.unread_changes += 1);
            }
        }
    }

    fn past(
        &mut self,
        position: &Pubkey,
        reading: &Reading,
        actions: Vec<ActionRow>,
        ledger: &mut Ledger,
    ) {
        let address = position.to_string();
        if reading.done && reading.whole {
            match ledger.read_past(&address, reading, &mut self.batch) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => self.warn(format!("the past of position {address}: {error}")),
            }
        }
        if let Ok(text) = serde_json::to_string(reading) {
            self.batch.backfills.push((address, text));
        }
        self.batch.actions.extend(actions);
    }

    fn follow_journal(&mut self, ledger: &mut Ledger) {
        if !self.begun {
            return;
        }
        let lines = match self.journal.more::<Record>() {
            Ok(lines) => lines,
            // The keeper itself halts when the journal cannot be used.
            Err(_) => return,
        };
        for record in lines.into_iter().filter_map(|line| line.record.ok()) {
            let added = self.rows.read(record);
            let mut action = added.action;
            if let Some(overturned) = added.overturned {
                if let Some(row) = &action {
                    self.aftermath.forget(&row.key);
                }
                if overturned.unpaid {
                    self.give_back(&overturned, ledger);
                }
            }
            if let Some(fee) = added.fee {
                let position = fee.position.to_string();
                match ledger.book_fee(&position, fee.intent, fee.lamports, &mut self.batch) {
                    Ok(cost) => {
                        self.fees.extend(cost.map(|cost| (fee.intent, cost)));
                        if self.fees.len() > MOST_FEES {
                            self.fees.pop_first();
                        }
                        if let (Some(row), Some(cost)) = (&mut action, cost) {
                            row.cost = i128::try_from(cost).ok().map(|cost| -cost);
                        }
                    }
                    Err(error) => self.warn(format!("the fee of intent {}: {error}", fee.intent)),
                }
            }
            if let Some(row) = &mut action {
                ledger.complete(row);
                if row.outcome == "landed" {
                    self.aftermath.wait(row.clone(), Cost::WithoutSwaps);
                }
            }
            self.batch.actions.extend(action);
            self.batch.overrides.extend(added.order);
        }
    }

    /// What was taken back was not paid for. What an earlier process has booked stays booked.
    fn give_back(&mut self, overturned: &Overturned, ledger: &mut Ledger) {
        let Some(cost) = self.fees.remove(&overturned.intent) else {
            return;
        };
        let position = overturned.position.to_string();
        if let Err(error) = ledger.give_fee_back(&position, cost, &mut self.batch) {
            let intent = overturned.intent;
            self.warn(format!(
                "the fee of intent {intent}, which a fork took back: {error}"
            ));
        }
    }

    /// Returns whether the store took it.
    fn write(&mut self, opened: &mut Opened) -> bool {
        let result = opened.store.write(&self.batch);
        let Err(error) = result else {
            if !self.batch.is_empty() {
                self.health.send_modify(|health| health.writes += 1);
            }
            self.batch = Batch::default();
            self.health.send_modify(|health| {
                health.open = true;
                health.error = None;
                health.rows_waiting = 0;
                health.settled = Some(Instant::now());
            });
            return true;
        };
        self.refused(&error);
        if error.is_lost_connection()
            && let Ok(store) = self.setting.location.open()
        {
            opened.store = store;
        }
        self.bound(&mut opened.ledger);
        false
    }

    /// Drops the oldest of what waits, if that is too much.
    fn bound(&mut self, ledger: &mut Ledger) {
        let too_many = self.batch.points.len().saturating_sub(MOST_POINTS);
        if too_many > 0 {
            self.batch.points.drain(..too_many);
            // A length fits 64 bits.
            self.health
                .send_modify(|health| health.lost_points += too_many as u64);
            ledger.note_loss();
        }
        let too_many = self.batch.hedge.len().saturating_sub(MOST_POINTS);
        self.batch.hedge.drain(..too_many);
    }

    fn prune(&mut self, opened: &mut Opened) {
        if self.setting.keep_days == 0 || self.now_secs == 0 {
            return;
        }
        let before_secs = self.now_secs - i64::from(self.setting.keep_days) * DAY_SECS;
        if let Err(error) = opened.store.prune(before_secs) {
            self.refused(&error);
        }
    }

    /// Shows the sums as they are.
    fn publish(&mut self, ledger: &Ledger) {
        self.days_now();
        let standings = ledger.iter().filter_map(|stored| {
            let standing = Standing {
                market: stored.market.parse().ok()?,
                track: stored.track,
                day: self.days.get(&stored.address).copied(),
            };
            Some((stored.address.parse().ok()?, standing))
        });
        let standings: HashMap<_, _> = standings.collect();
        let positions = standings.len();
        let is_open =
            |one: &&Standing| one.track.closed_secs.is_none() && one.track.reach == Reach::Counters;
        let pasts_open = standings.values().filter(is_open).count();
        if let Ok(mut shown) = self.standings.write() {
            *shown = standings;
        }
        self.health.send_modify(|health| {
            (health.positions, health.pasts_open) = (positions, pasts_open);
        });
    }

    /// The points of 24 hours ago, once every quarter of an hour.
    fn days_now(&mut self) {
        let quarter = Point::interval_secs(self.now_secs);
        if self.now_secs == 0 || quarter == self.days_of_secs {
            return;
        }
        let asked = self
            .setting
            .location
            .open_to_read()
            .and_then(|mut store| store.first_points(self.now_secs - DAY_SECS));
        if let Ok(points) = asked {
            self.days = points.into_iter().collect();
            self.days_of_secs = quarter;
        }
    }
}
