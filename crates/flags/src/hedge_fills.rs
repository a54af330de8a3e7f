//! Hedge fills: orders of the hedge that failed, or took longer than they should.
//!
//! **Who gains?** A market maker who sees the desk's orders come can withdraw his quotes, so that they fill in part or not at all. An
//! order that filled in part has not failed; the next slice goes on. To fail two in a window he has to give up quoting each time before
//! others fill them, and gains one flag of the two that matter. Nobody else can make an order fail, the venue aside. To keep
//! the flag quiet one would have to fill the orders, which is welcome.

use std::collections::VecDeque;

use crate::{flag::Flag, judgement::Judgement, latch::Latch, limits::Limits};

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fill {
    /// Some or all of it filled, after so many milliseconds.
    Filled {
        /// From the intent to the answer.
        took_ms: u64,
    },
    /// Refused, void, nothing filled, or its outcome could not be learnt.
    Failed,
}

/// The orders of the hedge.
#[derive(Clone, Debug)]
pub struct HedgeFills {
    latch: Latch,
    /// Whether there is a hedge at all.
    hedged: bool,
    late_ms: u64,
    /// When, and whether it was as it should be.
    orders: VecDeque<(i64, bool)>,
    /// When an order was sent whose outcome is still open.
    open_since_secs: Option<i64>,
}

impl HedgeFills {
    /// No order yet.
    #[must_use]
    pub const fn new(hedged: bool, late_ms: u64) -> Self {
        Self {
            latch: Latch::new(Flag::HedgeFills),
            hedged,
            late_ms,
            orders: VecDeque::new(),
            open_since_secs: None,
        }
    }

    /// An order was sent.
    pub fn sent(&mut self, now_secs: i64) {
        self.open_since_secs.get_or_insert(now_secs);
    }

    /// What became of an order is known.
    pub fn observe(&mut self, fill: Fill, now_secs: i64) {
        self.open_since_secs = None;
        let well = matches!(fill, Fill::Filled { took_ms } if took_ms <= self.late_ms);
        self.orders.push_back((now_secs, well));
    }

    /// How it stands.
    pub fn judge(&mut self, limits: &Limits, now_secs: i64) -> Judgement {
        let from = now_secs.saturating_sub(limits.window_secs.into());
        while self.orders.front().is_some_and(|(at, _)| *at < from) {
            self.orders.pop_front();
        }
        let late_secs = i64::try_from(self.late_ms.div_ceil(1_000)).unwrap_or(i64::MAX);
        let overdue = self
            .open_since_secs
            .is_some_and(|since| now_secs.saturating_sub(since) > late_secs);
        let bad = self.orders.iter().filter(|(_, well)| !well).count() + usize::from(overdue);
        let all = self.orders.len() + usize::from(self.open_since_secs.is_some());
        let reading = if self.hedged {
            Ok(u64::try_from(bad).unwrap_or(u64::MAX))
        } else {
            Err("No hedge is configured.".into())
        };
        let note = format!(
            "Of {all} orders of the window so many failed or took longer than {} ms.",
            self.late_ms
        );
        self.latch.judge(limits, reading, note, now_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::State;

    const LIMITS: Limits = Flag::HedgeFills.default_limits();
    const GOOD: Fill = Fill::Filled { took_ms: 5_000 };
    const LATE: Fill = Fill::Filled { took_ms: 5_001 };

    fn after(fills: &[Fill]) -> Judgement {
        let mut flag = HedgeFills::new(true, 5_000);
        for (now, fill) in fills.iter().enumerate() {
            flag.sent(i64::try_from(now).unwrap());
            flag.observe(*fill, i64::try_from(now).unwrap());
        }
        flag.judge(&LIMITS, i64::try_from(fills.len()).unwrap())
    }

    #[test]
    fn two_that_failed_or_were_late_fire() {
        let judged = after(&[GOOD, LATE, GOOD, Fill::Failed]);
        assert_eq!((judged.state, judged.value), (State::Raised, Some(2)));
        assert!(judged.note.starts_with("Of 4 orders"), "{}", judged.note);
    }

    #[test]
    fn one_or_none_do_not_and_old_ones_are_forgotten() {
        assert_eq!(after(&[GOOD, LATE, GOOD]).state, State::Quiet);
        assert_eq!(after(&[]).state, State::Quiet);
        let mut flag = HedgeFills::new(true, 5_000);
        flag.observe(Fill::Failed, 0);
        flag.observe(Fill::Failed, 901);
        assert_eq!(flag.judge(&LIMITS, 901).value, Some(1));
    }

    #[test]
    fn an_order_that_nobody_answers_is_late_once_it_is() {
        let mut flag = HedgeFills::new(true, 5_000);
        flag.observe(Fill::Failed, 0);
        flag.sent(10);
        assert_eq!(flag.judge(&LIMITS, 15).value, Some(1));
        assert_eq!(flag.judge(&LIMITS, 16).state, State::Raised);
        // It was filled in the end: late all the same.
        flag.observe(LATE, 20);
        assert_eq!(flag.judge(&LIMITS, 21).value, Some(2));
        // A quarter of an hour later, and a calm.
        assert_eq!(flag.judge(&LIMITS, 950).state, State::Raised);
        assert_eq!(flag.judge(&LIMITS, 1_251).state, State::Quiet);
    }

    #[test]
    fn it_is_not_known_without_a_hedge() {
        let judged = HedgeFills::new(false, 5_000).judge(&LIMITS, 0);
        assert_eq!(
            (judged.state, judged.note.as_str()),
            (State::Unknown, "No hedge is configured.")
        );
    }
}
