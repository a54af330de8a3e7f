//! The records of many positions, kept up with what is seen of them, and what of that is to be written.
//!
//! Pure: frames in, a [`Batch`] out. A record is written with every point, whenever somebody acted, and once a minute; what a
//! killed process had not written is one longer step of the next one, with the same total.

use std::collections::{BTreeMap, BTreeSet};

use ballast_model::{Amounts, Bps};

use crate::{
    account::{Account, AttributionError, Moment},
    past::{AsOpened, Reading},
    record::ActionRow,
    step::{Happened, worth},
    store::{Batch, Stored},
    sums::add,
    track::{Opening, Track},
};

/// With a longer time between two sights, what is one by one in between is not known: a gap.
const GAP_SECS: i64 = 120;
/// Least time between two steps of a position that nobody touched.
const STEP_SECS: i64 = 5;
/// Longest time for which a record is not written.
const WRITE_SECS: i64 = 60;

/// A position in a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Its address.
    pub address: String,
    /// Its number.
    pub number: u64,
    /// What its account says of its opening.
    pub opening: Opening,
    /// Its account.
    pub account: Account,
    /// Slot of the account.
    pub slot: u64,
    /// Part of the pool's base that the owner wants hedged.
    pub hedge: Bps,
    /// Fees that wait in the pool, if somebody has looked since the account changed.
    pub fees_waiting: Option<Amounts>,
    /// What a keeper is paid by it for an action, lamports.
    pub reward_lamports: u64,
}

/// A market at a moment, with its positions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The market's address.
    pub market: String,
    /// Prices and debts.
    pub moment: Moment,
    /// Whether base is wrapped SOL, so that lamports have a price.
    pub base_is_native: bool,
    /// Decimals of base and quote.
    pub decimals: [u8; 2],
    /// All of its positions are among the sights, if it is complete.
    pub complete: bool,
    /// Positions.
    pub sights: Vec<Sight>,
}

/// See the module's description.
#[derive(Debug, Default)]
pub struct Ledger {
    records: BTreeMap<String, Kept>,
    /// What is wrong with positions, so that it is told once.
    troubled: BTreeSet<String>,
}

#[derive(Debug)]
struct Kept {
    stored: Stored,
    /// When it was last written.
    written_secs: i64,
    /// Not as it is in the store.
    dirty: bool,
}

impl Ledger {
    /// Goes on with what a store holds.
    pub fn new(stored: Vec<Stored>) -> Self {
        let kept = |stored: Stored| {
            let written_secs = stored.track.seen.secs;
            (
                stored.address.clone(),
                Kept {
                    stored,
                    written_secs,
                    dirty: false,
                },
            )
        };
        Self {
            records: stored.into_iter().map(kept).collect(),
            troubled: BTreeSet::new(),
        }
    }

    /// The record of a position.
    pub fn get(&self, address: &str) -> Option<&Stored> {
        self.records.get(address).map(|kept| &kept.stored)
    }

    /// All records.
    pub fn iter(&self) -> impl Iterator<Item = &Stored> {
        self.records.values().map(|kept| &kept.stored)
    }

    /// Takes a frame in. What is to be written goes to the batch; what is wrong with a position comes back, once.
    pub fn take_in(&mut self, frame: &Frame, batch: &mut Batch) -> Vec<String> {
        let mut troubles = Vec::new();
        for sight in &frame.sights {
            match self.sight(frame, sight, batch) {
                Ok(()) => {
                    self.troubled.remove(&sight.address);
                }
                Err(error) => {
                    if self.troubled.insert(sight.address.clone()) {
                        troubles.push(format!("history of position {}: {error}", sight.address));
                    }
                }
            }
        }
        if frame.complete {
            self.close_missing(frame, batch);
        }
        troubles
    }

    fn sight(
        &mut self,
        frame: &Frame,
        sight: &Sight,
        batch: &mut Batch,
    ) -> Result<(), AttributionError> {
        let moment = Moment {
            slot: frame.moment.slot.max(sight.slot),
            ..frame.moment
        };
        // A closed position's number may be taken again, and its address with it: that is another position.
        let is_another = |kept: &Kept| sight.opening.secs > kept.stored.track.opened_secs;
        let mut fees_booked_to = 0;
        if self.records.get(&sight.address).is_some_and(is_another)
            && let Some(former) = self.records.remove(&sight.address)
        {
            fees_booked_to = former.stored.track.fees_booked_to;
            batch.backfills.push((sight.address.clone(), String::new()));
        }
        let Some(kept) = self.records.get_mut(&sight.address) else {
            let mut track =
                Track::begin(&sight.opening, &moment, &sight.account, sight.fees_waiting)?;
            (track.first_slot, track.native) = (sight.slot, frame.base_is_native);
            track.decimals = frame.decimals;
            track.fees_booked_to = fees_booked_to;
            let point = track.next_point()?;
            let kept = Kept {
                stored: Stored {
                    address: sight.address.clone(),
                    market: frame.market.clone(),
                    number: sight.number,
                    track,
                },
                written_secs: moment.secs,
                dirty: false,
            };
            batch.tracks.push(kept.stored.clone());
            let point = point.map(|point| (sight.address.clone(), point));
            batch.points.extend(point);
            self.records.insert(sight.address.clone(), kept);
            return Ok(());
        };
        let track = &mut kept.stored.track;
        let acted = sight.account != track.seen.account;
        let passed_secs = moment.secs.saturating_sub(track.seen.secs);
        // An answer of another node may be older, and the clock of a slot is that of all its frames.
        if moment.slot < track.seen.slot || (!acted && passed_secs < STEP_SECS) {
            return Ok(());
        }
        let rewarded =
            sight.account.counters.last_reward_secs != track.seen.account.counters.last_reward_secs;
        let reward = if rewarded && frame.base_is_native {
            cost_of_lamports(sight.reward_lamports, &moment)?
        } else {
            0
        };
        let happened = Happened {
            fees_waiting: sight.fees_waiting,
            outside_costs: reward,
            ..Happened::default()
        };
        let before = *track;
        let (step, point) = track.observe(&moment, &sight.account, &happened)?;
        if passed_secs > GAP_SECS {
            track.gaps += 1;
        }
        track.closed_secs = None;
        if before.closed_secs.is_some() {
            // It was taken for closed, and is there.
            track.flow = add(track.flow, before.seen.equity()?)?;
        }
        let due = moment.secs.saturating_sub(kept.written_secs) >= WRITE_SECS;
        kept.dirty = true;
        if step.acted || point.is_some() || due {
            kept.write(batch);
        }
        let point = point.map(|point| (sight.address.clone(), point));
        batch.points.extend(point);
        Ok(())
    }

    /// Positions of the market that are not there any more.
    fn close_missing(&mut self, frame: &Frame, batch: &mut Batch) {
        let present: BTreeSet<_> = frame.sights.iter().map(|sight| &sight.address).collect();
        for (address, kept) in &mut self.records {
            let track = &mut kept.stored.track;
            let gone = kept.stored.market == frame.market
                && track.closed_secs.is_none()
                && frame.moment.slot > track.seen.slot
                && !present.contains(address);
            if gone && track.close(frame.moment.secs).is_ok() {
                kept.write(batch);
            }
        }
    }

    /// Books the fee of a transaction of this keeper's, once for each intent.
    ///
    /// # Errors
    /// [`AttributionError`]; nothing is booked then.
    pub fn book_fee(
        &mut self,
        address: &str,
        intent: u64,
        lamports: u64,
        batch: &mut Batch,
    ) -> Result<Option<u128>, AttributionError> {
        let Some(kept) = self.records.get_mut(address) else {
            return Ok(None);
        };
        let track = &mut kept.stored.track;
        if track.fees_booked_to >= intent || !track.native {
            return Ok(None);
        }
        let price = track.seen.price()?;
        let cost = worth(Amounts::new(lamports, 0), price)?.unsigned_abs();
        track.book_outside_costs(cost)?;
        track.fees_booked_to = intent;
        kept.write(batch);
        Ok(Some(cost))
    }

    /// A fee that was booked at this cost was not paid: a fork has taken its transaction back.
    ///
    /// # Errors
    /// [`AttributionError`]; nothing is changed then.
    pub fn give_fee_back(
        &mut self,
        address: &str,
        cost: u128,
        batch: &mut Batch,
    ) -> Result<(), AttributionError> {
        if let Some(kept) = self.records.get_mut(address) {
            kept.stored.track.give_outside_costs_back(cost)?;
            kept.write(batch);
        }
        Ok(())
    }

    /// Takes in what the chain's events say of the time before the first sight. Returns whether they are this position's: a reading
    /// that began before its number was taken again is of the former one, and changes nothing.
    ///
    /// # Errors
    /// [`AttributionError`]; nothing is changed then.
    pub fn read_past(
        &mut self,
        address: &str,
        reading: &Reading,
        batch: &mut Batch,
    ) -> Result<bool, AttributionError> {
        if let Some(kept) = self.records.get_mut(address) {
            let track = &mut kept.stored.track;
            // The chain stores the equity that the opening's event tells.
            let is_formers = |opened: AsOpened| opened.equity != track.opening_equity;
            if reading.opened().is_some_and(is_formers) {
                return Ok(false);
            }
            let past = reading.past(track.first_price()?, track.native)?;
            track.know_past(past)?;
            track.opened = reading.opened().or(track.opened);
            kept.write(batch);
        }
        Ok(true)
    }

    /// Notes that sights or points were lost.
    pub fn note_loss(&mut self) {
        for kept in self.records.values_mut() {
            if kept.stored.track.closed_secs.is_none() {
                kept.stored.track.gaps += 1;
                kept.dirty = true;
            }
        }
    }

    /// Everything that is not as it is in the store, for an orderly end.
    pub fn rest(&mut self, batch: &mut Batch) {
        for kept in self.records.values_mut() {
            if kept.dirty {
                kept.write(batch);
            }
        }
    }

    /// Adds what is known of its position to an action's row.
    pub fn complete(&self, row: &mut ActionRow) {
        if let Some(stored) = self.get(&row.position) {
            row.number = row.number.or(Some(stored.number));
        }
    }
}

impl Kept {
    fn write(&mut self, batch: &mut Batch) {
        self.dirty = false;
        self.written_secs = self.stored.track.seen.secs;
        // The newest is enough.
        batch
            .tracks
            .retain(|other| other.address != self.stored.address);
        batch.tracks.push(self.stored.clone());
    }
}

/// Lamports at the price of a base that is wrapped SOL, raw quote units.
fn cost_of_lamports(lamports: u64, moment: &Moment) -> Result<u128, AttributionError> {
    Ok(worth(Amounts::new(lamports, 0), moment.price)?.unsigned_abs())
}

#[cfg(test)]
mod tests;
