//! Routing shift: the flow that our positions earn on goes elsewhere. Two ways, of which the worse counts:
//!
//! - **Ours of the pool's.** Flow within a pool is shared by liquidity. What our positions' liquidity would have earned a part of, had the
//!   others' liquidity been as usual, against what it earns a part of now. Only the others move it: that we open, close or leave the
//!   price is no shift.
//! - **The pool's of the pair's**, where the other pools of the pair are configured: the pool's part of all their flow against its usual part,
//!   *and* the pool's own flow against its usual flow; the smaller fall of the two counts.
//!
//! **Who gains?** A rival pool's liquidity provider would like the desk to stop. Wash volume in another pool costs him only the
//! protocol's cut, because the fees come back to him: it lowers this pool's part, but not its own flow, and counts for nothing. To lower that he would
//! have to route other people's orders. Wash volume in this pool, to hide a shift, pays us. Liquidity that he adds here counts as the median of
//! the window against the median of a day: what comes for a swap or a slot is in neither, and what stays takes part of the flow indeed; it
//! costs him capital that follows the price. (Liquidity of single swaps takes flow that this flag does not see.)

use crate::{
    depth_drop::{LEAST_SECS, USUAL_SECS},
    flag::Flag,
    judgement::Judgement,
    latch::{Latch, Reading},
    limits::Limits,
    samples::{Samples, fall_bps_down},
};

/// Between two samples of what others' liquidity usually is.
const USUAL_EVERY_SECS: u32 = 300;
/// Samples of the last window.
const RECENT_SAMPLES: u32 = 60;
/// A part of the pair's flow is kept in parts of this.
const WHOLE: u128 = 1 << 32;

/// The flow of one market's pool.
#[derive(Clone, Debug)]
pub struct RoutingShift {
    latch: Latch,
    /// Our liquidity at the price.
    ours: u128,
    others: Samples,
    others_usual: Samples,
    pair: Option<Pair>,
}

/// The pool among the pools of its pair.
#[derive(Clone, Debug)]
struct Pair {
    window_secs: i64,
    own: Samples,
    all: Samples,
    own_usual: Samples,
    part_usual: Samples,
}

impl RoutingShift {
    /// Nothing seen yet. `pair`: whether the flow of other pools of the pair will be told.
    #[must_use]
    pub fn new(limits: &Limits, pair: bool) -> Self {
        let every_secs = limits.window_secs / RECENT_SAMPLES;
        Self {
            latch: Latch::new(Flag::RoutingShift),
            ours: 0,
            others: Samples::new(limits.window_secs, every_secs),
            others_usual: Samples::new(USUAL_SECS, USUAL_EVERY_SECS),
            pair: pair.then(|| Pair {
                window_secs: limits.window_secs.into(),
                own: Samples::new(limits.window_secs, every_secs),
                all: Samples::new(limits.window_secs, every_secs),
                own_usual: Samples::new(USUAL_SECS, limits.window_secs),
                part_usual: Samples::new(USUAL_SECS, limits.window_secs),
            }),
        }
    }

    /// Liquidity at the price at the end of a slot: of our positions, and all of the pool's.
    pub fn observe_liquidity(&mut self, ours: u128, pool: u128, now_secs: i64) {
        self.ours = ours;
        if self.others.take(pool.saturating_sub(ours), now_secs)
            && let Some(median) = self.others.median()
        {
            self.others_usual.take(median, now_secs);
        }
    }

    /// What was swapped since the last time, in one unit: in this pool, and in all of the pair's together.
    pub fn observe_flow(&mut self, pool: u128, pair: u128, now_secs: i64) {
        if let Some(flows) = &mut self.pair {
            flows.observe(pool, pair.max(pool), now_secs);
        }
    }

    /// How it stands.
    pub fn judge(&mut self, limits: &Limits, now_secs: i64) -> Judgement {
        self.others.forget(now_secs);
        let of_pool = self.of_pool();
        let of_pair = match &mut self.pair {
            Some(pair) => pair.fall(now_secs),
            None => Err("The pair's other pools are not configured.".into()),
        };
        let say = |what: &str, fall: &Reading| match fall {
            Ok(fall) => format!("{what} fell by {}.{:02} %.", fall / 100, fall % 100),
            Err(missing) => format!("{what}: {missing}"),
        };
        let note = format!(
            "{} {}",
            say("Our part of the pool's flow", &of_pool),
            say("The pool's part of the pair's", &of_pair)
        );
        let reading = match (of_pool, of_pair) {
            (Ok(of_pool), Ok(of_pair)) => Ok(of_pool.max(of_pair)),
            (Ok(fall), Err(_)) | (Err(_), Ok(fall)) => Ok(fall),
            (Err(_), Err(_)) => Err(note.clone()),
        };
        self.latch.judge(limits, reading, note, now_secs)
    }

    fn of_pool(&self) -> Reading {
        if self.ours == 0 {
            return Err("None of our positions is at the price.".into());
        }
        let (now, usual) = (self.others.median(), self.others_usual.median());
        let (Some(now), Some(usual)) = (now, usual) else {
            return Err("The pool has not been read within the window.".into());
        };
        if self.others_usual.span_secs() < LEAST_SECS {
            return Err(format!(
                "What is usual is known after {} min.",
                LEAST_SECS / 60
            ));
        }
        // ours / (ours + others), now against the usual: the fall of one is that of the inverse of the other's whole.
        let whole = |others: u128| self.ours.saturating_add(others);
        Ok(fall_bps_down(whole(usual), whole(now)))
    }
}

impl Pair {
    fn observe(&mut self, pool: u128, pair: u128, now_secs: i64) {
        // Both or neither, so that a part is one of the same time.
        if !self.own.take(pool, now_secs) {
            return;
        }
        self.all.take(pair, now_secs);
        if self.own.span_secs() * 2 < self.window_secs {
            return;
        }
        self.own_usual.take(self.own.sum(), now_secs);
        if let Some(part) = self.part() {
            self.part_usual.take(part, now_secs);
        }
    }

    /// The pool's part of the window's flow, in [`WHOLE`]s.
    fn part(&self) -> Option<u128> {
        let (own, all) = (self.own.sum(), self.all.sum());
        let shift = (128 - all.leading_zeros()).saturating_sub(95);
        ((own >> shift) * WHOLE).checked_div(all >> shift)
    }

    fn fall(&mut self, now_secs: i64) -> Reading {
        self.own.forget(now_secs);
        self.all.forget(now_secs);
        let Some(part) = self.part() else {
            return Err("Nothing was swapped within the window.".into());
        };
        if self.part_usual.span_secs() < LEAST_SECS {
            return Err(format!(
                "What is usual is known after {} min.",
                LEAST_SECS / 60
            ));
        }
        let usual = |samples: &Samples| samples.median().unwrap_or(0);
        let of_part = fall_bps_down(part, usual(&self.part_usual));
        let of_flow = fall_bps_down(self.own.sum(), usual(&self.own_usual));
        Ok(of_part.min(of_flow))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::State;

    const LIMITS: Limits = Flag::RoutingShift.default_limits();
    const DAY: i64 = 86_400;

    /// The last judgement of liquidity by second, ours and the whole pool's.
    fn liquidity(secs: i64, seen: impl Fn(i64) -> (u128, u128)) -> Judgement {
        let mut flag = RoutingShift::new(&LIMITS, false);
        let mut last = None;
        for now in (0..=secs).step_by(5) {
            let (ours, pool) = seen(now);
            flag.observe_liquidity(ours, pool, now);
            last = Some(flag.judge(&LIMITS, now));
        }
        last.unwrap()
    }

    /// The last judgement of flow by minute, the pool's and the pair's.
    fn flow(minutes: i64, swapped: impl Fn(i64) -> (u128, u128)) -> Judgement {
        let mut flag = RoutingShift::new(&LIMITS, true);
        let mut last = None;
        for minute in 0..=minutes {
            let (pool, pair) = swapped(minute);
            flag.observe_flow(pool, pair, minute * 60);
            last = Some(flag.judge(&LIMITS, minute * 60));
        }
        last.unwrap()
    }

    #[test]
    fn others_who_come_to_stay_and_halve_our_part_fire() {
        // 100 of 1 000; then of 2 000 for a quarter of an hour's half.
        let judged = liquidity(DAY + 600, |now| {
            (100, if now > DAY { 2_000 } else { 1_000 })
        });
        assert_eq!((judged.state, judged.value), (State::Raised, Some(5_000)));
    }

    #[test]
    fn what_we_do_ourselves_and_what_comes_for_a_moment_do_not() {
        // We close most of ours: the pool shrinks by it.
        let closed = liquidity(DAY + 3_600, |now| {
            if now > DAY { (10, 910) } else { (100, 1_000) }
        });
        assert_eq!((closed.state, closed.value), (State::Quiet, Some(0)));
        let flash = liquidity(DAY + 3_600, |now| {
            (100, if now % 900 < 400 { 50_000 } else { 1_000 })
        });
        assert_eq!((flash.state, flash.value), (State::Quiet, Some(0)));
    }

    #[test]
    fn a_pool_that_loses_its_part_and_its_flow_fires() {
        let judged = flow(1_440 + 16, |minute| {
            (if minute > 1_440 { 40 } else { 100 }, 400)
        });
        assert_eq!((judged.state, judged.value), (State::Raised, Some(6_000)));
        assert!(
            judged
                .note
                .contains("The pool's part of the pair's fell by 60.00 %"),
            "{}",
            judged.note
        );
    }

    #[test]
    fn wash_volume_elsewhere_counts_for_nothing() {
        let washed = flow(1_440 + 60, |minute| {
            (100, if minute > 1_440 { 1_000_000 } else { 400 })
        });
        assert_eq!((washed.state, washed.value), (State::Quiet, Some(0)));
    }

    #[test]
    fn a_quiet_night_in_which_all_pools_sleep_does_not_fire() {
        let asleep = flow(1_440 + 60, |minute| {
            if minute > 1_440 { (5, 20) } else { (100, 400) }
        });
        assert_eq!((asleep.state, asleep.value), (State::Quiet, Some(0)));
    }

    #[test]
    fn it_is_not_known_without_positions_history_or_flow() {
        let none = liquidity(DAY, |_| (0, 1_000));
        assert_eq!(none.state, State::Unknown);
        assert!(
            none.note.contains("None of our positions") && none.note.contains("not configured")
        );
        assert_eq!(liquidity(3_000, |_| (1, 1_000)).state, State::Unknown);
        assert_eq!(flow(60, |_| (1, 2)).state, State::Unknown);
        assert_eq!(flow(200, |_| (0, 0)).state, State::Unknown);
        assert_eq!(flow(200, |_| (1, 2)).state, State::Quiet);
    }
}
