//! Funding spike: what holding the hedge costs or earns a year at the venue, by the rates that were settled lately. A rate far from
//! the usual in either direction says that the perpetual has left its index, which is what the hedge relies on.
//!
//! **Who gains?** Someone with a position at the venue gains by a high rate anyway, and would like others to close theirs. The value is
//! the median of the settlements of the window: one hour's rate counts for nothing. To raise it he has to hold the premium over most of two
//! hours of three against everybody who trades it away, and pays the rate himself meanwhile.
//! To keep it quiet he would have to trade against a premium that others make, which removes what the flag is about.

use std::collections::BTreeMap;

use crate::{
    flag::Flag,
    judgement::Judgement,
    latch::{Latch, Reading},
    limits::Limits,
};

/// Hours of a year.
const HOURS: u64 = 8_760;
/// Parts per billion in a basis point.
const PPB_PER_BPS: u64 = 100_000;
/// Fewer settlements than this are chance.
const FEWEST: usize = 2;

/// The settled rates of the hedge's perpetual.
#[derive(Clone, Debug)]
pub struct FundingSpike {
    latch: Latch,
    /// Whether there is a hedge at all.
    hedged: bool,
    /// Hourly rates, parts per billion, by the time of their settlement.
    settled: BTreeMap<i64, i64>,
}

impl FundingSpike {
    /// Nothing settled yet.
    #[must_use]
    pub const fn new(hedged: bool) -> Self {
        Self {
            latch: Latch::new(Flag::FundingSpike),
            hedged,
            settled: BTreeMap::new(),
        }
    }

    /// The rate of one hour, parts per billion of the notional; the same settlement may be told twice.
    pub fn observe(&mut self, settled_secs: i64, hourly_ppb: i64) {
        self.settled.insert(settled_secs, hourly_ppb);
    }

    /// How it stands.
    pub fn judge(&mut self, limits: &Limits, now_secs: i64) -> Judgement {
        let from = now_secs.saturating_sub(limits.window_secs.into());
        self.settled = self.settled.split_off(&from);
        let reading = self.rate();
        let note = format!(
            "Median of {} settlements, either direction.",
            self.settled.len()
        );
        self.latch.judge(limits, reading, note, now_secs)
    }

    fn rate(&self) -> Reading {
        if !self.hedged {
            return Err("No hedge is configured.".into());
        }
        if self.settled.len() < FEWEST {
            return Err(format!(
                "{} settlements are known within the window, {FEWEST} are needed.",
                self.settled.len()
            ));
        }
        let mut rates: Vec<u64> = self
            .settled
            .values()
            .map(|rate| rate.unsigned_abs())
            .collect();
        // Of an even number the lower one of the two in the middle.
        let middle = (rates.len() - 1) / 2;
        let (_, median, _) = rates.select_nth_unstable(middle);
        Ok(median.saturating_mul(HOURS) / PPB_PER_BPS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::State;

    const LIMITS: Limits = Flag::FundingSpike.default_limits();

    /// Settled hourly until second 36 000.
    fn after(rates: &[i64]) -> Judgement {
        let mut flag = FundingSpike::new(true);
        let mut last = flag.judge(&LIMITS, 0);
        for (hours_ago, rate) in rates.iter().rev().enumerate().rev() {
            let at = 36_000 - 3_600 * i64::try_from(hours_ago).unwrap();
            flag.observe(at, *rate);
            last = flag.judge(&LIMITS, at);
        }
        last
    }

    #[test]
    fn two_hours_far_from_the_usual_fire_in_either_direction() {
        // 0.00125 % an hour is 10.95 % a year.
        let judged = after(&[12_500, 12_500, 60_000, -60_000, 60_000]);
        assert_eq!((judged.state, judged.value), (State::Raised, Some(5_256)));
        assert_eq!(judged.since_secs, Some(32_400 + 3_600));
    }

    #[test]
    fn the_usual_rate_or_one_hour_of_any_does_not() {
        let judged = after(&[12_500; 30]);
        assert_eq!((judged.state, judged.value), (State::Quiet, Some(1_095)));
        assert_eq!(
            after(&[12_500, 12_500, 9_000_000, 12_500]).state,
            State::Quiet
        );
        assert_eq!(after(&[12_500, 12_500, i64::MIN]).state, State::Quiet);
    }

    #[test]
    fn it_is_not_known_without_a_hedge_or_settlements() {
        let mut without = FundingSpike::new(false);
        without.observe(0, 1);
        without.observe(1, 1);
        assert_eq!(without.judge(&LIMITS, 2).note, "No hedge is configured.");
        assert_eq!(after(&[12_500]).state, State::Unknown);
        let mut old = FundingSpike::new(true);
        old.observe(0, 1);
        old.observe(3_600, 1);
        assert_eq!(old.judge(&LIMITS, 3_600).state, State::Quiet);
        assert_eq!(old.judge(&LIMITS, 20_000).state, State::Unknown);
    }
}
