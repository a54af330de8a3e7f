//! Endpoints disagree: nodes that are asked at the same time tell slots that lie far apart.
//!
//! **Who gains?** Whoever runs one of the nodes can raise it, and no other. With three or more that answer the one furthest from the middle
//! does not count, so that one bad endpoint, whether it lags or tells slots of the future, counts for nothing. With two it raises this flag,
//! because nobody can tell which of them is right, but no other: [`crate::stream_lag`] goes by the freshest. To keep it quiet one has to run all
//! nodes but one. An endpoint that does not answer is not one that disagrees. One that said of a transaction what others deny disagrees, however
//! near its slots are: it raises this flag, and no other. So does one that says something else of an account than others; of two both are named.

use crate::{
    flag::Flag,
    judgement::Judgement,
    latch::{Latch, Reading},
    limits::Limits,
};

/// What the endpoints said when they were last asked.
#[derive(Clone, Debug)]
pub struct Endpoints {
    latch: Latch,
    slots: Vec<(String, Option<u64>)>,
    denied: Vec<String>,
    disagreeing: Vec<String>,
}

impl Default for Endpoints {
    fn default() -> Self {
        Self {
            latch: Latch::new(Flag::EndpointsDisagree),
            slots: Vec::new(),
            denied: Vec::new(),
            disagreeing: Vec::new(),
        }
    }
}

impl Endpoints {
    /// What each endpoint, by its name, told when it was asked for its slot; `None`: it did not answer.
    pub fn observe(&mut self, slots: Vec<(String, Option<u64>)>) {
        self.slots = slots;
    }

    /// Those, by their names, that lately said of a transaction what others deny.
    pub fn deny(&mut self, names: Vec<String>) {
        self.denied = names;
    }

    /// Those, by their names, that lately said something else of an account than others.
    pub fn disagree(&mut self, names: Vec<String>) {
        self.disagreeing = names;
    }

    /// How it stands.
    pub fn judge(&mut self, limits: &Limits, now_secs: i64) -> Judgement {
        let told: Vec<String> = self
            .slots
            .iter()
            .map(|(name, slot)| match slot {
                Some(slot) => format!("{name} {slot}"),
                None => format!("{name} does not answer"),
            })
            .collect();
        let mut note = format!("Slots: {}.", told.join(", "));
        let mut reading = spread(&self.slots);
        if !self.denied.is_empty() {
            let names = self.denied.join(", ");
            note = format!("{note} What {names} said of a transaction others deny.");
        }
        if !self.disagreeing.is_empty() {
            let names = self.disagreeing.join(", ");
            note = format!("{note} What {names} said of an account others deny.");
        }
        if !(self.denied.is_empty() && self.disagreeing.is_empty()) {
            reading = Ok(reading.unwrap_or(0).max(limits.raise_at));
        }
        self.latch.judge(limits, reading, note, now_secs)
    }
}

/// How far the slots told lie apart, the furthest of three or more left out.
pub(crate) fn spread(told: &[(String, Option<u64>)]) -> Reading {
    if told.len() < 2 {
        return Err("A second endpoint is not configured.".into());
    }
    let mut slots: Vec<u64> = told.iter().filter_map(|(_, slot)| *slot).collect();
    slots.sort_unstable();
    let (&[low, ..], &[.., high]) = (slots.as_slice(), slots.as_slice()) else {
        return Err("No endpoint answers.".into());
    };
    match slots.as_slice() {
        [_] => Err(format!("Of {} endpoints only one answers.", told.len())),
        [_, _] => Ok(high - low),
        // Without the furthest at either end, whichever leaves less.
        [_, second, .., before, _] | [_, second @ before, _] => {
            Ok((high - second).min(before - low))
        }
        [] => Ok(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::State;

    /// Told the same for a minute.
    fn judged(slots: &[Option<u64>]) -> Judgement {
        let limits = Flag::EndpointsDisagree.default_limits();
        let mut flag = Endpoints::default();
        let named = |(index, slot): (usize, &Option<u64>)| (format!("rpc-{}", index + 1), *slot);
        let mut last = flag.judge(&limits, 0);
        for now in 0..60 {
            flag.observe(slots.iter().enumerate().map(named).collect());
            last = flag.judge(&limits, now);
        }
        last
    }

    #[test]
    fn two_that_lie_apart_fire_after_the_window() {
        let judged = judged(&[Some(1_000), Some(1_025)]);
        assert_eq!(
            (judged.state, judged.value, judged.since_secs),
            (State::Raised, Some(25), Some(30))
        );
        assert_eq!(judged.note, "Slots: rpc-1 1000, rpc-2 1025.");
    }

    #[test]
    fn a_few_slots_do_not() {
        let judged = judged(&[Some(1_000), Some(1_008)]);
        assert_eq!((judged.state, judged.value), (State::Quiet, Some(8)));
    }

    #[test]
    fn of_three_or_more_one_bad_one_counts_for_nothing_and_two_fire() {
        for bad in [Some(0), Some(u64::MAX), None] {
            let judged = judged(&[Some(1_000), bad, Some(1_003)]);
            assert_eq!(
                (judged.state, judged.value),
                (State::Quiet, Some(3)),
                "{bad:?}"
            );
        }
        let four = judged(&[Some(1_000), Some(5), Some(1_003), Some(1_004)]);
        assert_eq!(four.value, Some(4));
        assert_eq!(
            judged(&[Some(1_000), Some(5), Some(9_000)]).state,
            State::Raised
        );
    }

    #[test]
    fn one_that_others_deny_fires_however_near_its_slots_are() {
        let limits = Flag::EndpointsDisagree.default_limits();
        let mut flag = Endpoints::default();
        let named = |slot| vec![("rpc-1".into(), Some(slot)), ("rpc-2".into(), Some(slot))];
        let mut judged = |denied: &[&str], seconds: std::ops::Range<i64>| {
            let mut last = flag.judge(&limits, seconds.start);
            for now in seconds {
                flag.observe(named(1_000));
                flag.deny(denied.iter().map(|name| (*name).into()).collect());
                last = flag.judge(&limits, now);
            }
            last
        };
        assert_eq!(judged(&[], 0..60).state, State::Quiet);
        let raised = judged(&["rpc-2"], 60..120);
        assert_eq!(raised.state, State::Raised);
        assert!(
            raised
                .note
                .ends_with("What rpc-2 said of a transaction others deny.")
        );
        assert_eq!(judged(&[], 120..400).state, State::Quiet);
    }

    #[test]
    fn one_that_says_something_else_of_an_account_fires_however_near_its_slots_are() {
        let limits = Flag::EndpointsDisagree.default_limits();
        let mut flag = Endpoints::default();
        let mut judged = |names: &[&str], seconds: std::ops::Range<i64>| {
            let mut last = flag.judge(&limits, seconds.start);
            for now in seconds {
                let slot = Some(1_000);
                flag.observe(vec![("rpc-1".into(), slot), ("rpc-2".into(), slot)]);
                flag.disagree(names.iter().map(|name| (*name).into()).collect());
                last = flag.judge(&limits, now);
            }
            last
        };
        assert_eq!(judged(&[], 0..60).state, State::Quiet);
        let raised = judged(&["rpc-1", "rpc-2"], 60..120);
        assert_eq!(raised.state, State::Raised);
        let note = "What rpc-1, rpc-2 said of an account others deny.";
        assert!(raised.note.ends_with(note), "{}", raised.note);
        assert_eq!(judged(&[], 120..400).state, State::Quiet);
    }

    #[test]
    fn it_is_not_known_with_less_than_two_answers() {
        for (slots, note) in [
            (&[][..], "A second endpoint is not configured."),
            (&[Some(1)], "A second endpoint is not configured."),
            (&[Some(1), None], "Of 2 endpoints only one answers."),
            (&[None, None], "No endpoint answers."),
        ] {
            let judged = judged(slots);
            assert_eq!((judged.state, judged.note.as_str()), (State::Unknown, note));
        }
    }
}
