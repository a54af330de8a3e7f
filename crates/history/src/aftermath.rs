//! What a position was just before and just after an action, and which of its changes no known action explains.
//!
//! An action is known by the slot in which it landed, an account by the slots in which it was read. The first account that
//! differs and was read in that slot or later is what the action left. Pure: frames and rows in, rows out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ballast_model::Bps;

use crate::{
    account::Account,
    ledger::{Frame, Ledger},
    record::{ActionRow, Figures},
};

/// States of a position that are remembered: an outcome is told at most a minute after its block.
const MARKS: usize = 8;
/// After so long a change is no known action's: the keeper's own outcomes are told by then.
const PATIENCE_SECS: i64 = 90;
/// After so long a row does not wait any more.
const WAIT_SECS: i64 = 3_600;

/// Whether a row's cost is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// All of it.
    Whole,
    /// All but what its swaps have lost.
    WithoutSwaps,
}

/// A change that no known action explains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unexplained {
    /// The position.
    pub position: String,
    /// The last slot in which it was seen without the change.
    pub after_slot: u64,
    /// The first slot in which it was seen with it.
    pub to_slot: u64,
}

/// See the module's description.
#[derive(Debug, Default)]
pub struct Aftermath {
    watched: BTreeMap<String, Watched>,
    waiting: Vec<(ActionRow, Cost)>,
    now_secs: i64,
}

#[derive(Debug)]
struct Watched {
    market: String,
    hedge: Bps,
    marks: VecDeque<Mark>,
}

/// A state of a position.
#[derive(Debug)]
struct Mark {
    /// First and last slot in which it was read.
    slots: [u64; 2],
    /// `None`: it was closed.
    account: Option<Account>,
    /// When it was first seen.
    secs: i64,
    /// Figures when it was first seen.
    first: Option<Figures>,
    /// Figures when it was last seen.
    last: Option<Figures>,
    /// An action explains it, or it was asked for.
    explained: bool,
}

impl Mark {
    fn new(slot: u64, account: Option<Account>, secs: i64) -> Self {
        Self {
            slots: [slot; 2],
            account,
            secs,
            first: None,
            last: None,
            explained: false,
        }
    }

    fn swap_loss(&self) -> Option<u64> {
        self.account.map(|account| account.counters.swap_loss)
    }
}

impl Aftermath {
    /// Looks at a frame before the ledger takes it in.
    pub fn before(&mut self, frame: &Frame, ledger: &Ledger) {
        self.now_secs = self.now_secs.max(frame.moment.secs);
        for sight in &frame.sights {
            let mark = || Mark::new(sight.slot, Some(sight.account), frame.moment.secs);
            let Some(watched) = self.watched.get_mut(&sight.address) else {
                let watched = Watched {
                    market: frame.market.clone(),
                    hedge: sight.hedge,
                    marks: VecDeque::from([mark()]),
                };
                self.watched.insert(sight.address.clone(), watched);
                continue;
            };
            watched.hedge = sight.hedge;
            let Some(newest) = watched.marks.back_mut() else {
                continue;
            };
            // An answer of another node may be older.
            if sight.slot < newest.slots[1] {
                continue;
            }
            if newest.account == Some(sight.account) {
                newest.slots[1] = sight.slot;
                continue;
            }
            newest.last = figures(ledger, &sight.address, newest, watched.hedge);
            watched.push(mark());
        }
        if frame.complete {
            self.close_missing(frame, ledger);
        }
    }

    /// Positions of the market that are not there any more.
    fn close_missing(&mut self, frame: &Frame, ledger: &Ledger) {
        let present: BTreeSet<_> = frame.sights.iter().map(|sight| &sight.address).collect();
        for (address, watched) in &mut self.watched {
            if watched.market != frame.market || present.contains(address) {
                continue;
            }
            if let Some(newest) = watched.marks.back_mut()
                && newest.account.is_some()
                && newest.slots[1] < frame.moment.slot
            {
                newest.last = figures(ledger, address, newest, watched.hedge);
                watched.push(Mark::new(frame.moment.slot, None, frame.moment.secs));
            }
        }
    }

    /// Looks at it again afterwards.
    pub fn after(&mut self, frame: &Frame, ledger: &Ledger) {
        for sight in &frame.sights {
            if let Some(watched) = self.watched.get_mut(&sight.address)
                && let Some(newest) = watched.marks.back_mut()
                && newest.first.is_none()
            {
                newest.first = figures(ledger, &sight.address, newest, watched.hedge);
            }
        }
    }

    /// Takes in the row of an action that has landed. It comes back by [`Aftermath::done`], if anything can be told.
    pub fn wait(&mut self, row: ActionRow, cost: Cost) {
        if row.slot.is_some() {
            self.waiting.push((row, cost));
        }
    }

    /// A fork has taken an action back: nothing follows from its row any more.
    pub fn forget(&mut self, key: &str) {
        self.waiting.retain(|(row, _)| row.key != key);
    }

    /// Rows with what has become of their positions.
    pub fn done(&mut self) -> Vec<ActionRow> {
        let mut done = Vec::new();
        let Self {
            watched, waiting, ..
        } = self;
        let oldest_secs = self.now_secs - WAIT_SECS;
        waiting.retain_mut(|(row, cost)| {
            let marks = watched.get_mut(&row.position).map(|one| &mut one.marks);
            match marks.map_or(Found::Later, |marks| tell(row, *cost, marks)) {
                Found::Told => {
                    done.push(row.clone());
                    false
                }
                Found::Never => false,
                Found::Later => row.secs > oldest_secs,
            }
        });
        done
    }

    /// Changes that no action has explained for a while, each once.
    pub fn unexplained(&mut self) -> Vec<Unexplained> {
        let mut found = Vec::new();
        let until_secs = self.now_secs - PATIENCE_SECS;
        for (address, watched) in &mut self.watched {
            for at in 1..watched.marks.len() {
                let after_slot = watched.marks[at - 1].slots[1];
                let mark = &mut watched.marks[at];
                if !mark.explained && mark.secs <= until_secs {
                    mark.explained = true;
                    found.push(Unexplained {
                        position: address.clone(),
                        after_slot,
                        to_slot: mark.slots[0],
                    });
                }
            }
        }
        // What was closed and explained is of no further use.
        self.watched.retain(|_, watched| {
            watched
                .marks
                .back()
                .is_none_or(|mark| mark.account.is_some() || mark.secs > until_secs - WAIT_SECS)
        });
        found
    }
}

impl Watched {
    fn push(&mut self, mark: Mark) {
        self.marks.push_back(mark);
        if self.marks.len() > MARKS {
            self.marks.pop_front();
        }
    }
}

enum Found {
    Told,
    Never,
    Later,
}

/// Adds to a row what its position was before and after.
fn tell(row: &mut ActionRow, cost: Cost, marks: &mut VecDeque<Mark>) -> Found {
    let Some(slot) = row.slot else {
        return Found::Never;
    };
    let Some(at) = marks.iter().position(|mark| mark.slots[1] >= slot) else {
        return Found::Later;
    };
    // With nothing before it, or seen earlier already, it is not what the action left.
    if at == 0 || marks[at].slots[0] < slot {
        return Found::Never;
    }
    let before = &marks[at - 1];
    let (last, lost_before) = (before.last, before.swap_loss());
    let mark = &mut marks[at];
    row.before = row.before.or(last);
    row.after = mark.first;
    // Two actions between two sights: what both lost is told of the first.
    if cost == Cost::WithoutSwaps
        && !mark.explained
        && let (Some(before), Some(after)) = (lost_before, mark.swap_loss())
    {
        let lost = i128::from(after.saturating_sub(before));
        row.cost = Some(row.cost.unwrap_or(0) - lost);
    }
    mark.explained = true;
    Found::Told
}

/// Figures of a position as the ledger has it, if that is this state of it.
fn figures(ledger: &Ledger, address: &str, mark: &Mark, hedge: Bps) -> Option<Figures> {
    let seen = &ledger.get(address)?.track.seen;
    if mark.account != Some(seen.account) {
        return None;
    }
    seen.figures(hedge).ok()
}

#[cfg(test)]
mod tests;
