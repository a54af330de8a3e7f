//! Stream lag: no newer slot has reached the keeper, by stream or by poll, for too long, measured by the keeper's own monotonic clock.
//!
//! **Who gains?** An outsider would have to cut the keeper off from its nodes, or stop the cluster. The freshest of everything counts:
//! a websocket that falls silent while polls go on costs a second, not a flag; a node that lags behind others that are asked is
//! [`crate::endpoints`]'s, and only if all of them stop is it both. So one bad endpoint among several raises one flag at most. A keeper with
//! one node has one eye, and this is the flag that it has closed. A node that goes on but stays behind is not seen here, because its
//! clock is as late as its slots: a second endpoint is what shows it. A node that lies about its slots can keep the flag quiet; the keeper
//! trusts its node for everything else as well.

use crate::{flag::Flag, judgement::Judgement, latch::Latch, limits::Limits};

/// The newest slot known.
#[derive(Clone, Debug)]
pub struct StreamLag {
    latch: Latch,
    /// The slot, and when it came.
    newest: Option<(u64, i64)>,
}

impl Default for StreamLag {
    fn default() -> Self {
        Self {
            latch: Latch::new(Flag::StreamLag),
            newest: None,
        }
    }
}

impl StreamLag {
    /// Data of a slot came.
    pub fn observe(&mut self, slot: u64, now_secs: i64) {
        if self.newest.is_none_or(|(newest, _)| slot > newest) {
            self.newest = Some((slot, now_secs));
        }
    }

    /// How it stands.
    pub fn judge(&mut self, limits: &Limits, now_secs: i64) -> Judgement {
        let reading = self.newest.map_or_else(
            || Err("Nothing has been read from the cluster yet.".into()),
            |(_, at)| Ok(u64::try_from(now_secs.saturating_sub(at)).unwrap_or(0)),
        );
        let slot = self.newest.map_or(0, |(slot, _)| slot);
        let note = format!("Time since slot {slot}, the newest known.");
        self.latch.judge(limits, reading, note, now_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::State;

    fn judged(slots: &[(i64, u64)], until: i64) -> Judgement {
        let limits = Flag::StreamLag.default_limits();
        let mut flag = StreamLag::default();
        let mut last = flag.judge(&limits, 0);
        for now in 0..=until {
            for (_, slot) in slots.iter().filter(|(at, _)| *at == now) {
                flag.observe(*slot, now);
            }
            last = flag.judge(&limits, now);
        }
        last
    }

    #[test]
    fn no_newer_slot_fires() {
        assert_eq!(judged(&[(0, 7), (1, 9)], 15).state, State::Quiet);
        let judged = judged(&[(0, 7), (1, 9)], 16);
        assert_eq!((judged.state, judged.value), (State::Raised, Some(15)));
        assert!(judged.note.contains("slot 9"));
    }

    #[test]
    fn slots_every_few_seconds_do_not_and_old_ones_are_no_news() {
        let slots: Vec<(i64, u64)> = (0..100)
            .map(|n| (n * 5, 7 + u64::try_from(n).unwrap()))
            .collect();
        assert_eq!(judged(&slots, 495).state, State::Quiet);
        let same: Vec<(i64, u64)> = (0..20).map(|n| (n, 7)).collect();
        assert_eq!(judged(&same, 19).state, State::Raised);
    }

    #[test]
    fn it_is_not_known_before_the_first() {
        assert_eq!(judged(&[], 100).state, State::Unknown);
    }
}
