//! All that people have said and that still stands: folded from the journal's records, a function of them alone.

use std::collections::{BTreeMap, VecDeque};

use solana_sdk::pubkey::Pubkey;

use super::{
    Mode,
    record::{Applied, Override, OverrideRecord, Scope, Verb},
};

/// How long the same key has the same answer.
const KEY_LIFE_SECS: i64 = 86_400;
/// Newest overrides kept to be shown.
const SHOWN: usize = 256;

/// What stands for one scope, the newest last. Each ends before the one beneath it, which then shows again: a halt for an hour
/// over a reduction leaves the reduction.
type Layers = Vec<OverrideRecord>;

/// See the module's description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    keeper: Layers,
    positions: BTreeMap<Pubkey, Layers>,
    /// Those of the last day, and so many before them, oldest first.
    recent: VecDeque<OverrideRecord>,
    newest_secs: i64,
}

fn stands(entry: &Override, now_secs: i64) -> bool {
    entry.until_secs.is_none_or(|until| now_secs < until)
}

fn push(layers: &mut Layers, record: &OverrideRecord) {
    let entry = &record.applied.entry;
    match (entry.mode, entry.until_secs) {
        (Verb::Resume, _) => layers.clear(),
        (_, None) => *layers = vec![record.clone()],
        (_, Some(until)) => {
            layers.retain(|below| {
                let end = below.applied.entry.until_secs;
                end.is_none_or(|end| end > until)
            });
            layers.push(record.clone());
        }
    }
}

fn top(layers: &Layers, now_secs: i64) -> Option<&Override> {
    let mut entries = layers.iter().rev().map(|layer| &layer.applied.entry);
    entries.find(|entry| stands(entry, now_secs))
}

fn bound(top: Option<&Override>) -> Mode {
    top.and_then(|entry| entry.mode.bound())
        .unwrap_or(Mode::Active)
}

impl Overrides {
    /// Takes a journaled record in; in the journal's order.
    pub fn fold(&mut self, record: &OverrideRecord) {
        let entry = &record.applied.entry;
        self.newest_secs = self.newest_secs.max(entry.secs);
        match entry.scope {
            Scope::Keeper => push(&mut self.keeper, record),
            Scope::Position { position } => {
                let layers = self.positions.entry(position).or_default();
                push(layers, record);
                if layers.is_empty() {
                    self.positions.remove(&position);
                }
            }
        }
        self.recent.push_back(record.clone());
        let forgotten = self.newest_secs.saturating_sub(KEY_LIFE_SECS);
        while self.recent.len() > SHOWN
            && self
                .recent
                .front()
                .is_some_and(|oldest| oldest.applied.entry.secs <= forgotten)
        {
            self.recent.pop_front();
        }
    }

    /// What to begin a new journal with: folded in this order, it stands for all that was folded here.
    pub fn carried(&self) -> Vec<OverrideRecord> {
        let layers = self.keeper.iter().chain(self.positions.values().flatten());
        let all = layers.chain(&self.recent);
        // Numbers grow in the order in which overrides were given.
        let by_id: BTreeMap<u64, &OverrideRecord> = all
            .map(|record| (record.applied.entry.id, record))
            .collect();
        by_id.into_values().cloned().collect()
    }

    /// The override that binds the keeper.
    pub fn keeper(&self, now_secs: i64) -> Option<&Override> {
        top(&self.keeper, now_secs)
    }

    /// The override that binds a position.
    pub fn position(&self, position: &Pubkey, now_secs: i64) -> Option<&Override> {
        top(self.positions.get(position)?, now_secs)
    }

    /// The override that binds a position most: its own, or the keeper's.
    pub fn binding(&self, position: &Pubkey, now_secs: i64) -> Option<&Override> {
        let (own, all) = (self.position(position, now_secs), self.keeper(now_secs));
        if bound(all) < bound(own) {
            all
        } else {
            own.or(all)
        }
    }

    /// The keeper's mode, where the configuration says at most `configured`.
    pub fn mode(&self, configured: Mode, now_secs: i64) -> Mode {
        configured.min(bound(self.keeper(now_secs)))
    }

    /// The most that overrides leave for a position, the configuration apart.
    pub fn position_bound(&self, position: &Pubkey, now_secs: i64) -> Mode {
        let own = bound(self.position(position, now_secs));
        own.min(bound(self.keeper(now_secs)))
    }

    /// The newest, newest first.
    pub fn newest(&self) -> impl Iterator<Item = &Override> {
        self.recent.iter().rev().map(|record| &record.applied.entry)
    }

    /// What was answered to a key less than a day ago.
    pub fn answer(&self, key: &str, now_secs: i64) -> Option<&Applied> {
        let mut records = self.recent.iter().rev();
        let record = records.find(|record| record.key.as_deref() == Some(key))?;
        let age = now_secs.saturating_sub(record.applied.entry.secs);
        (age < KEY_LIFE_SECS).then_some(&record.applied)
    }

    /// When the next one ends by itself.
    pub fn next_end_secs(&self, now_secs: i64) -> Option<i64> {
        let layers = self.positions.values().flatten().chain(&self.keeper);
        layers
            .filter_map(|layer| layer.applied.entry.until_secs)
            .filter(|until| *until > now_secs)
            .min()
    }

    /// When the newest was given: no clock may say less.
    pub fn newest_secs(&self) -> i64 {
        self.newest_secs
    }
}

#[cfg(test)]
mod tests;
