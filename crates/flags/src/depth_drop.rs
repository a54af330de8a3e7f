//! Depth drop: the pool's liquidity at its price, as the median of the last minutes, against the median of a day.
//!
//! **Who gains?** Someone who wants the desk to stop recentering puts up liquidity to inflate the usual depth and takes it away again,
//! or takes his own away for a moment. Both are medians of what stood at the ends of slots: liquidity that is put up for a swap, a
//! slot or an hour is in neither. To raise the usual depth it has to stand for half of the day (of what was seen of it), at the price, and so
//! follow the price and lose to arbitrageurs all the time. Who really is half of the pool and leaves raises the flag, rightly.
//! Someone who wants to hide a drop has to hold liquidity at the price for half of each window: that is depth.
//! A keeper that was just started knows half a day's worth of nothing: see [`LEAST_SECS`].

use crate::{
    flag::Flag,
    judgement::Judgement,
    latch::{Latch, Reading},
    limits::Limits,
    samples::{Samples, fall_bps_down},
};

/// What is usual is what was so for this long.
pub const USUAL_SECS: u32 = 86_400;
/// What is usual is not known before this.
pub const LEAST_SECS: i64 = 3_600;
/// Between two samples of what is usual.
const USUAL_EVERY_SECS: u32 = 300;
/// Samples of the last window.
const RECENT_SAMPLES: u32 = 60;

/// The liquidity of one market's pool.
#[derive(Clone, Debug)]
pub struct DepthDrop {
    latch: Latch,
    recent: Samples,
    usual: Samples,
}

impl DepthDrop {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            latch: Latch::new(Flag::DepthDrop),
            recent: Samples::new(limits.window_secs, limits.window_secs / RECENT_SAMPLES),
            usual: Samples::new(USUAL_SECS, USUAL_EVERY_SECS),
        }
    }

    /// The pool's active liquidity at the end of a slot.
    pub fn observe(&mut self, liquidity: u128, now_secs: i64) {
        if self.recent.take(liquidity, now_secs)
            && let Some(median) = self.recent.median()
        {
            self.usual.take(median, now_secs);
        }
    }

    /// How it stands.
    pub fn judge(&mut self, limits: &Limits, now_secs: i64) -> Judgement {
        self.recent.forget(now_secs);
        let reading = self.fall();
        let hours = self.usual.span_secs() / 3_600;
        let note = format!("Median liquidity at the price, against that of the last {hours} h.");
        self.latch.judge(limits, reading, note, now_secs)
    }

    fn fall(&self) -> Reading {
        let now = self
            .recent
            .median()
            .ok_or("The pool has not been read within the window.")?;
        if self.usual.span_secs() < LEAST_SECS {
            return Err(format!(
                "What is usual is known after {} min of watching, {} min so far.",
                LEAST_SECS / 60,
                self.usual.span_secs() / 60
            ));
        }
        Ok(fall_bps_down(now, self.usual.median().unwrap_or(0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::State;

    const LIMITS: Limits = Flag::DepthDrop.default_limits();

    /// The last judgement of a pool whose liquidity is given by second.
    fn after(secs: i64, liquidity: impl Fn(i64) -> u128) -> Judgement {
        let mut flag = DepthDrop::new(&LIMITS);
        let mut last = None;
        for now in 0..=secs {
            flag.observe(liquidity(now), now);
            if now % 10 == 0 || now == secs {
                last = Some(flag.judge(&LIMITS, now));
            }
        }
        last.unwrap()
    }

    const DAY: i64 = 86_400;

    #[test]
    fn half_of_the_depth_gone_for_half_of_the_window_fires() {
        let left = |now| if now > DAY { 499 } else { 1_000 };
        let judged = after(DAY + 160, left);
        assert_eq!((judged.state, judged.value), (State::Raised, Some(5_010)));
        assert_eq!(after(DAY + 140, left).state, State::Quiet);
    }

    #[test]
    fn a_third_gone_or_a_moment_without_does_not() {
        assert_eq!(
            after(DAY + 3_000, |now| if now > DAY { 670 } else { 1_000 }).state,
            State::Quiet
        );
        // Somebody takes his liquidity away for two minutes in five.
        let flickers = |now: i64| if now % 300 < 120 { 10 } else { 1_000 };
        assert_eq!(after(DAY, flickers).value, Some(0));
    }

    #[test]
    fn liquidity_that_is_put_up_for_less_than_half_of_the_day_counts_for_nothing() {
        // Ten times the depth for eleven hours, then gone.
        let inflated = |now: i64| {
            if now > DAY - 12 * 3_600 && now < DAY - 3_600 {
                10_000
            } else {
                1_000
            }
        };
        let judged = after(DAY, inflated);
        assert_eq!((judged.state, judged.value), (State::Quiet, Some(0)));
        // For thirteen it does: he has stood there all the time.
        let longer = |now: i64| {
            if now > DAY - 14 * 3_600 && now < DAY - 3_600 {
                10_000
            } else {
                1_000
            }
        };
        assert_eq!(after(DAY, longer).state, State::Raised);
    }

    #[test]
    fn it_is_not_known_in_the_first_hour_nor_when_nobody_looks() {
        let judged = after(3_500, |now| if now > 1_800 { 1 } else { 1_000 });
        assert_eq!((judged.state, judged.value), (State::Unknown, None));
        assert!(judged.note.contains("55 min so far"), "{}", judged.note);
        let mut flag = DepthDrop::new(&LIMITS);
        for now in 0..7_200 {
            flag.observe(1_000, now);
        }
        assert_eq!(flag.judge(&LIMITS, 7_200).state, State::Quiet);
        assert_eq!(flag.judge(&LIMITS, 7_600).state, State::Unknown);
    }

    #[test]
    fn it_clears_when_the_depth_is_back_and_on_the_edge_it_stays() {
        let back = |to: u128| {
            move |now: i64| match now - DAY {
                ..1 => 1_000,
                1..600 => 400,
                _ => to,
            }
        };
        assert_eq!(after(DAY + 1_400, back(900)).state, State::Quiet);
        assert_eq!(after(DAY + 1_300, back(900)).state, State::Raised);
        assert_eq!(after(DAY + 3_000, back(600)).state, State::Raised);
    }
}
