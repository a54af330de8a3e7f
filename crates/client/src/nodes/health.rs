//! How nodes behave, and in which order they are asked. Values alone: what was seen of each, and a time that is told.

/// Milliseconds in which a cluster makes a slot, usually.
const SLOT_MS: u64 = 400;
/// The same at the fastest.
const FASTEST_SLOT_MS: u64 = 200;
/// Slots that a node may be ahead of all others, over what they may have gained since they told theirs.
pub(super) const LEAD_SLOTS: u64 = 150;
/// How long a node that contradicted others is asked last.
const CONTRADICTED_MS: u64 = 600_000;
/// How long a node on whose blockhash something expired comes after its equals.
const MISLED_MS: u64 = 300_000;
/// After so long without a question for what became of a transaction silence is counted anew.
const UNASKED_MS: u64 = 30_000;
/// Answers that differ in speed by less than this count as equally fast, so that the order does not change with every answer.
const LATENCY_STEP_MS: u64 = 250;

/// How a node stands among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Nothing is wrong with it.
    Well,
    /// It answers, from the past.
    Behind {
        /// By so many slots.
        slots: u64,
    },
    /// It does not answer, or nothing that makes sense.
    Failing {
        /// So many times in a row.
        in_a_row: u32,
    },
    /// It tells slots that at least two others cannot have reached, or that its own clock contradicts.
    Ahead {
        /// By so many slots.
        slots: u64,
    },
    /// What it said of an account is not what others say, or is what the only other one denies.
    Disagrees,
    /// What it said of a transaction was not so.
    Contradicted,
}

impl Condition {
    /// The worse, the later it is asked.
    fn rank(self) -> u8 {
        match self {
            Self::Well => 0,
            Self::Behind { .. } => 1,
            Self::Failing { .. } => 2,
            Self::Ahead { .. } => 3,
            Self::Disagrees => 4,
            Self::Contradicted => 5,
        }
    }
}

/// The newest slot that a node told.
#[derive(Clone, Copy, Debug)]
struct Told {
    slot: u64,
    /// When it last told one.
    at_ms: u64,
    /// When it last told a newer one than before.
    advanced_ms: u64,
}

/// What was seen of one node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Health {
    failures: u32,
    latency_ms: u64,
    told: Option<Told>,
    contradicted_ms: Option<u64>,
    /// When it said something else of an account than others.
    disagreed_ms: Option<u64>,
    /// When something signed on its blockhash expired.
    misled_ms: Option<u64>,
    /// Questions in a row for what became of a transaction that it has not answered.
    silence: Option<Silence>,
    /// When its clock last contradicted the slot that it told with it, and by how many slots.
    false_slot: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug)]
struct Silence {
    since_ms: u64,
    last_ms: u64,
    /// Whether it has answered anything else after the last of them.
    speaks: bool,
}

impl Health {
    /// It answered.
    pub fn answered(&mut self, latency_ms: u64) {
        self.failures = 0;
        if let Some(silence) = &mut self.silence {
            silence.speaks = true;
        }
        // The newest counts for a quarter.
        self.latency_ms = (self.latency_ms * 3 + latency_ms) / 4;
    }

    /// It did not, or nothing that makes sense.
    pub fn failed(&mut self) {
        self.failures = self.failures.saturating_add(1);
    }

    /// Whether it ever told a slot.
    pub fn has_told(&self) -> bool {
        self.told.is_some()
    }

    /// It told a slot together with a clock that was so many slots behind it.
    pub fn tells_falsely(&mut self, ahead: u64, now_ms: u64) {
        self.false_slot = Some((ahead, now_ms));
        // What it told before is worth no more.
        self.told = None;
    }

    /// It told a slot together with a clock that bears it out.
    pub fn tells_truly(&mut self) {
        self.false_slot = None;
    }

    /// By how many slots it told a false one lately.
    pub fn tells_false_slots(&self, now_ms: u64) -> Option<u64> {
        let (ahead, at_ms) = self.false_slot?;
        (now_ms.saturating_sub(at_ms) < CONTRADICTED_MS).then_some(ahead)
    }

    /// It told a slot.
    pub fn tells(&mut self, slot: u64, now_ms: u64) {
        let advanced_ms = match self.told {
            Some(told) if told.slot >= slot => told.advanced_ms,
            _ => now_ms,
        };
        let fell = self.told.is_some_and(|told| told.slot > slot);
        let slot = match self.told {
            // Behind a balancer another machine may have answered: a moment later it counts.
            Some(told) if fell && now_ms < told.at_ms + 10 * SLOT_MS => told.slot,
            _ => slot,
        };
        let at_ms = match self.told {
            Some(told) if fell && slot == told.slot => told.at_ms,
            _ => now_ms,
        };
        self.told = Some(Told {
            slot,
            at_ms,
            advanced_ms,
        });
    }

    /// What it said of a transaction was not so.
    pub fn contradicted(&mut self, now_ms: u64) {
        self.contradicted_ms = Some(now_ms);
    }

    /// It said something else of an account than others.
    pub fn disagrees(&mut self, now_ms: u64) {
        self.disagreed_ms = Some(now_ms);
    }

    /// What was signed on its blockhash has expired, which may be its fault or not.
    pub fn misled(&mut self, now_ms: u64) {
        self.misled_ms = Some(now_ms);
    }

    /// It was asked for what became of a transaction; whether it said.
    pub fn bears_witness(&mut self, said: bool, now_ms: u64) {
        let before = self.silence.filter(|silence| {
            // Who was not asked for a while, and answers otherwise, was not silent meanwhile.
            !silence.speaks || now_ms.saturating_sub(silence.last_ms) <= UNASKED_MS
        });
        self.silence = (!said).then(|| Silence {
            since_ms: before.map_or(now_ms, |silence| silence.since_ms),
            last_ms: now_ms,
            speaks: false,
        });
    }

    /// Whether it has not told what became of transactions for so long.
    pub fn is_silent(&self, for_ms: u64, now_ms: u64) -> bool {
        self.silence
            .is_some_and(|silence| now_ms.saturating_sub(silence.since_ms) >= for_ms)
    }

    /// Whether it failed last time.
    pub fn is_failing(&self) -> bool {
        self.failures > 0
    }
}

/// The highest slot that a node can have reached while these are the other ones; `None`: none of them has told any.
pub(super) fn ceiling<'a>(
    others: impl IntoIterator<Item = &'a Health>,
    now_ms: u64,
) -> Option<u64> {
    let reached = others.into_iter().filter_map(|health| health.told);
    let reached = reached.map(|told| {
        let gained = now_ms.saturating_sub(told.advanced_ms) / FASTEST_SLOT_MS;
        told.slot.saturating_add(gained)
    });
    reached
        .max()
        .map(|highest| highest.saturating_add(LEAD_SLOTS))
}

fn others(all: &[Health], index: usize) -> impl Iterator<Item = &Health> {
    let apart = move |(other, _): &(usize, &Health)| *other != index;
    all.iter().enumerate().filter(apart).map(|(_, other)| other)
}

/// The slot that nodes which keep up have reached: of three or more what the second of them tells, so that a single one that is
/// ahead makes the others no laggards; of two the higher. `None`: nobody has told one lately.
pub(super) fn reference(all: &[Health], now_ms: u64) -> Option<u64> {
    let now = |(index, health): (usize, &Health)| {
        let told = health.told?;
        // What is old says nothing of now.
        let age_ms = now_ms.saturating_sub(told.at_ms);
        let slot = told.slot.saturating_add(age_ms / SLOT_MS);
        let slot = match ceiling(others(all, index), now_ms) {
            Some(ceiling) => slot.min(ceiling),
            None => slot,
        };
        (age_ms < 15_000).then_some(slot)
    };
    let mut slots: Vec<u64> = all.iter().enumerate().filter_map(now).collect();
    slots.sort_unstable_by(|a, b| b.cmp(a));
    match slots.as_slice() {
        [_, second, _, ..] => Some(*second),
        [first, ..] => Some(*first),
        [] => None,
    }
}

/// How each stands among the others.
pub(super) fn conditions(all: &[Health], lag_slots: u64, now_ms: u64) -> Vec<Condition> {
    let reference = reference(all, now_ms);
    let condition = |(index, health): (usize, &Health)| {
        let recent = |at: u64| now_ms.saturating_sub(at) < CONTRADICTED_MS;
        if health.contradicted_ms.is_some_and(recent) {
            return Condition::Contradicted;
        }
        if health.disagreed_ms.is_some_and(recent) {
            return Condition::Disagrees;
        }
        if let Some(slots) = health.tells_false_slots(now_ms) {
            return Condition::Ahead { slots };
        }
        let known = others(all, index).filter(|other| other.told.is_some());
        if let (Some(told), Some(ceiling)) = (health.told, ceiling(others(all, index), now_ms))
            && known.count() >= 2
            && told.slot > ceiling
        {
            let slots = told.slot - ceiling + LEAD_SLOTS;
            return Condition::Ahead { slots };
        }
        if health.is_failing() {
            let in_a_row = health.failures;
            return Condition::Failing { in_a_row };
        }
        let now = health.told.map(|told| {
            let age_ms = now_ms.saturating_sub(told.at_ms);
            told.slot.saturating_add(age_ms / SLOT_MS)
        });
        match (now, reference) {
            (Some(slot), Some(reference)) if slot.saturating_add(lag_slots) <= reference => {
                let slots = reference - slot;
                Condition::Behind { slots }
            }
            _ => Condition::Well,
        }
    };
    all.iter().enumerate().map(condition).collect()
}

/// In which order they are asked: by condition, then by whether something signed on their blockhash expired lately, then by speed, then as
/// they were named.
pub(super) fn order(all: &[Health], lag_slots: u64, now_ms: u64) -> Vec<usize> {
    let conditions = conditions(all, lag_slots, now_ms);
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|index| {
        let health = &all[*index];
        let recent = |at: u64| now_ms.saturating_sub(at) < MISLED_MS;
        (
            conditions[*index].rank(),
            health.misled_ms.is_some_and(recent),
            health.latency_ms / LATENCY_STEP_MS,
        )
    });
    order
}

#[cfg(test)]
mod tests;
