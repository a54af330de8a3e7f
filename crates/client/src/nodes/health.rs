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
mod tests {
    use super::*;

    const LAG: u64 = 25;

    fn telling(slots: &[u64]) -> Vec<Health> {
        let tell = |slot: &u64| {
            let mut health = Health::default();
            health.tells(*slot, 1_000);
            health
        };
        slots.iter().map(tell).collect()
    }

    fn order_of(slots: &[u64]) -> Vec<usize> {
        order(&telling(slots), LAG, 1_000)
    }

    #[test]
    fn who_lags_is_asked_last_and_a_few_slots_are_no_lag() {
        assert_eq!(order_of(&[1_000, 1_024]), [0, 1]);
        assert_eq!(order_of(&[1_000, 1_025]), [1, 0]);
        assert_eq!(order_of(&[900, 1_000, 1_001]), [1, 2, 0]);
        let told = conditions(&telling(&[900, 1_000, 1_001]), LAG, 1_000);
        assert_eq!(told[0], Condition::Behind { slots: 100 });
    }

    #[test]
    fn one_of_three_that_is_ahead_of_time_is_asked_last_and_makes_nobody_a_laggard() {
        for wrong in [1_200, u64::MAX] {
            let all = telling(&[wrong, 1_000, 1_002]);
            assert_eq!(order(&all, LAG, 1_000), [1, 2, 0]);
            let told = conditions(&all, LAG, 1_000);
            assert!(matches!(told[0], Condition::Ahead { .. }), "{told:?}");
            assert_eq!(&told[1..], [Condition::Well; 2]);
        }
        // Of two nobody knows which: the one that is ahead goes first, but no further than the other can have come.
        let two = telling(&[1_000, u64::MAX]);
        assert_eq!(order(&two, LAG, 1_000), [1, 0]);
        assert_eq!(ceiling(&two[..1], 1_000), Some(1_150));
    }

    #[test]
    fn a_node_that_stands_still_holds_nobody_back() {
        let mut all = telling(&[1_000, 1_000]);
        for second in 1..=120 {
            let now_ms = 1_000 + second * 1_000;
            all[0].tells(1_000, now_ms);
            all[1].tells(1_000 + second * 5 / 2, now_ms);
            let ceiling = ceiling(&all[..1], now_ms).unwrap();
            assert!(ceiling > 1_000 + second * 5 / 2);
        }
        assert_eq!(order(&all, LAG, 121_000), [1, 0]);
        assert_eq!(
            conditions(&all, LAG, 121_000)[0],
            Condition::Behind { slots: 300 }
        );
    }

    #[test]
    fn what_was_told_a_while_ago_is_no_lag() {
        let mut all = telling(&[1_000, 1_000]);
        all[1].tells(1_035, 15_000);
        assert_eq!(order(&all, LAG, 15_000), [0, 1]);
    }

    #[test]
    fn a_node_behind_a_balancer_that_answers_from_the_past_once_is_no_laggard() {
        let mut all = telling(&[1_000, 1_000]);
        all[0].tells(900, 1_100);
        assert_eq!(conditions(&all, LAG, 1_100)[0], Condition::Well);
        for second in 2..9 {
            all[0].tells(900 + second, second * 1_000);
            all[1].tells(1_000 + second, second * 1_000);
        }
        let told = conditions(&all, LAG, 8_000)[0];
        assert!(matches!(told, Condition::Behind { .. }), "{told:?}");
    }

    #[test]
    fn who_fails_is_asked_after_who_lags_and_again_in_its_turn_once_it_answers() {
        let mut all = telling(&[1_000, 1_000, 950]);
        all[0].failed();
        assert_eq!(order(&all, LAG, 1_000), [1, 2, 0]);
        all[0].answered(10);
        assert_eq!(order(&all, LAG, 1_000), [0, 1, 2]);
        all[0].answered(4_000);
        assert_eq!(order(&all, LAG, 1_000), [1, 0, 2]);
    }

    #[test]
    fn who_contradicted_others_is_asked_last_for_a_while() {
        let mut all = telling(&[1_000, 1_000]);
        all[0].contradicted(1_000);
        all[1].failed();
        assert_eq!(order(&all, LAG, 1_000), [1, 0]);
        assert_eq!(conditions(&all, LAG, 600_999)[0], Condition::Contradicted);
        assert_eq!(conditions(&all, LAG, 601_000)[0], Condition::Well);
    }

    #[test]
    fn who_says_something_else_of_an_account_is_asked_last_for_a_while() {
        let mut all = telling(&[1_000, 1_000, 1_000]);
        all[0].disagrees(1_000);
        all[1].contradicted(1_000);
        assert_eq!(order(&all, LAG, 1_000), [2, 0, 1]);
        assert_eq!(conditions(&all, LAG, 600_999)[0], Condition::Disagrees);
        assert_eq!(conditions(&all, LAG, 601_000)[0], Condition::Well);
        // Of two that dispute each other neither is preferred.
        let mut two = telling(&[1_000, 1_000]);
        two.iter_mut().for_each(|one| one.disagrees(1_000));
        assert_eq!(order(&two, LAG, 1_000), [0, 1]);
    }

    #[test]
    fn whose_blockhash_expired_comes_after_its_equals_for_a_while() {
        let mut all = telling(&[1_000, 1_000, 950]);
        all[0].misled(1_000);
        assert_eq!(order(&all, LAG, 1_000), [1, 0, 2]);
        assert_eq!(conditions(&all, LAG, 1_000)[0], Condition::Well);
        all[1].misled(1_000);
        assert_eq!(order(&all, LAG, 1_000), [0, 1, 2]);
    }

    #[test]
    fn silence_is_counted_from_the_first_question_without_an_answer() {
        let mut health = Health::default();
        assert!(!health.is_silent(0, 1_000_000));
        for second in 5..=64 {
            health.bears_witness(false, second * 1_000);
        }
        assert!(!health.is_silent(60_000, 64_999));
        assert!(health.is_silent(60_000, 65_000));
        health.bears_witness(true, 66_000);
        assert!(!health.is_silent(60_000, 1_000_000));
    }

    #[test]
    fn two_questions_far_apart_without_an_answer_are_no_silence_between_them() {
        let mut health = Health::default();
        health.bears_witness(false, 0);
        health.answered(10);
        health.bears_witness(false, 100_000);
        assert!(!health.is_silent(60_000, 100_000));
        health.bears_witness(false, 130_000);
        assert!(health.is_silent(30_000, 130_000));
        // Who answers nothing at all is not waited for anew each time.
        health.bears_witness(false, 900_000);
        assert!(health.is_silent(60_000, 900_000));
    }

    #[test]
    fn whose_clock_contradicts_its_slot_is_asked_last_until_it_bears_it_out() {
        let mut all = telling(&[1_000, 1_000]);
        all[0].tells(u64::MAX, 2_000);
        all[0].tells_falsely(500, 2_000);
        assert_eq!(order(&all, LAG, 2_000), [1, 0]);
        assert_eq!(
            conditions(&all, LAG, 2_000),
            [Condition::Ahead { slots: 500 }, Condition::Well]
        );
        // What it told before makes nobody a laggard.
        assert_eq!(reference(&all, 2_000), Some(1_002));
        all[0].tells_truly();
        assert_eq!(order(&all, LAG, 2_000), [0, 1]);
    }
}
