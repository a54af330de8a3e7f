//! Oracle stall: the newest price that the keeper knows is old, by the cluster's clock of the same moment.
//!
//! **Who gains?** Nobody outside can raise it: publish times are signed, and a keeper takes the newest of price accounts and price
//! service. A node that lags shows its clock as late as its prices, so that it counts for nothing here ([`crate::stream_lag`] sees it).
//! Whoever pays for the sponsored price accounts can let them fall silent: a keeper without a price service of its own then has this
//! flag, rightly, because it cannot act on such prices either. To keep it quiet while the oracle stalls one would have to sign prices.

use crate::{
    flag::Flag,
    judgement::Judgement,
    latch::{Latch, Reading},
    limits::Limits,
};

/// The prices of one market.
#[derive(Clone, Debug)]
pub struct OracleStall {
    latch: Latch,
    age_secs: Option<u64>,
}

impl Default for OracleStall {
    fn default() -> Self {
        Self {
            latch: Latch::new(Flag::OracleStall),
            age_secs: None,
        }
    }
}

impl OracleStall {
    /// How old the older of the two newest prices is. Prices from the future are 0 seconds old.
    pub fn observe(&mut self, age_secs: i64) {
        self.age_secs = Some(u64::try_from(age_secs).unwrap_or(0));
    }

    /// How it stands.
    pub fn judge(&mut self, limits: &Limits, now_secs: i64) -> Judgement {
        let reading = age(self.age_secs);
        self.latch.judge(
            limits,
            reading,
            "Age of the newest price known.".into(),
            now_secs,
        )
    }
}

fn age(age_secs: Option<u64>) -> Reading {
    age_secs.ok_or_else(|| "No price has been read yet.".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judgement::State;

    fn at_the_end(ages: impl Iterator<Item = i64>) -> Judgement {
        let (mut flag, limits) = (OracleStall::default(), Flag::OracleStall.default_limits());
        assert_eq!(flag.judge(&limits, 0).state, State::Unknown);
        let mut last = None;
        for (now, age) in ages.enumerate() {
            flag.observe(age);
            last = Some(flag.judge(&limits, i64::try_from(now).unwrap()));
        }
        last.unwrap()
    }

    #[test]
    fn a_price_that_is_not_followed_fires() {
        let judged = at_the_end(100..=130);
        assert_eq!((judged.state, judged.value), (State::Raised, Some(130)));
        assert_eq!(
            judged.since_secs,
            Some(30),
            "120 s at second 20, and 10 s more"
        );
    }

    #[test]
    fn sponsored_accounts_that_follow_every_minute_do_not_nor_does_one_late_update() {
        assert_eq!(at_the_end((0..600).map(|now| now % 61)).state, State::Quiet);
        assert_eq!(at_the_end((100..=129).chain([2])).state, State::Quiet);
        assert_eq!(at_the_end([-4; 60].into_iter()).value, Some(0));
    }

    #[test]
    fn it_clears_after_a_calm_minute() {
        let stall = 100..=140;
        assert_eq!(
            at_the_end(stall.clone().chain([5; 60])).state,
            State::Raised
        );
        assert_eq!(at_the_end(stall.chain([5; 61])).state, State::Quiet);
    }
}
