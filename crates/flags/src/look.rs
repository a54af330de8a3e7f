//! What a single look can judge, as `ballast doctor` takes one: values of this moment against the same thresholds, without windows.
//! What needs more than one look is unknown, and says so.

use crate::{
    endpoints::spread,
    flag::Flag,
    judgement::{Judgement, State},
    latch::Reading,
    limits::Rules,
    samples::fall_bps_down,
};

/// What was seen. `Err`: why it was not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Age of the older of the two prices.
    pub price_age_secs: Result<i64, String>,
    /// The pool's liquidity, and its average as the chain has it.
    pub depth: Result<(u128, u128), String>,
    /// How long the stream took to tell a slot.
    pub stream_secs: Result<u64, String>,
    /// What each endpoint told as its slot.
    pub endpoints: Vec<(String, Option<u64>)>,
    /// The balance of the key that signs.
    pub lamports: Result<u64, String>,
    /// What is missing to judge funding and fills of the hedge.
    pub hedge: String,
}

impl Look {
    /// One judgement of each flag, in their order.
    #[must_use]
    pub fn judge(&self, rules: &Rules) -> Vec<Judgement> {
        let judge = |flag| {
            let (reading, note) = self.reading(flag);
            let (value, state, note) = match reading {
                Ok(value) if rules.of(flag).is_bad(flag.unit(), value) => {
                    (Some(value), State::Raised, note.to_owned())
                }
                Ok(value) => (Some(value), State::Quiet, note.to_owned()),
                Err(missing) => (None, State::Unknown, missing),
            };
            Judgement {
                flag,
                state,
                value,
                limits: *rules.of(flag),
                since_secs: None,
                note,
            }
        };
        Flag::ALL.map(judge).to_vec()
    }

    fn reading(&self, flag: Flag) -> (Reading, &'static str) {
        match flag {
            Flag::OracleStall => {
                let age = self.price_age_secs.clone();
                let age = age.map(|age| u64::try_from(age).unwrap_or(0));
                (age, "One look: age of the price in the market's accounts.")
            }
            Flag::DepthDrop => {
                let fall = self.depth.clone();
                let fall = fall.map(|(now, average)| fall_bps_down(now, average));
                (fall, "One look: liquidity now, against the average that the chain keeps.")
            }
            Flag::StreamLag => (
                self.stream_secs.clone(),
                "One look: how long the stream took to tell a slot.",
            ),
            Flag::EndpointsDisagree => (spread(&self.endpoints), "One look: slots told."),
            Flag::OwnSolLow => (self.lamports.clone(), "One look: balance of the key that signs."),
            Flag::RoutingShift => (
                Err("What is usual is known to a keeper that has run for an hour: see its /api/v1/flags.".into()),
                "",
            ),
            Flag::FundingSpike | Flag::HedgeFills => (Err(self.hedge.clone()), ""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states(look: &Look) -> Vec<State> {
        let judgements = look.judge(&Rules::default());
        assert!(
            judgements
                .iter()
                .all(|judgement| !judgement.note.is_empty())
        );
        judgements.iter().map(|judgement| judgement.state).collect()
    }

    #[test]
    fn what_was_seen_is_judged_and_the_rest_is_unknown() {
        use State::{Quiet, Raised, Unknown};
        let missing = || "not asked".to_owned();
        let blind = Look {
            price_age_secs: Err(missing()),
            depth: Err(missing()),
            stream_secs: Err(missing()),
            endpoints: Vec::new(),
            lamports: Err(missing()),
            hedge: missing(),
        };
        assert_eq!(states(&blind), [Unknown; 8]);
        let slots = |second| vec![("rpc-1".into(), Some(100)), ("rpc-2".into(), Some(second))];
        let well = Look {
            price_age_secs: Ok(-1),
            depth: Ok((600, 1_000)),
            stream_secs: Ok(1),
            endpoints: slots(110),
            lamports: Ok(1_000_000_000),
            hedge: missing(),
        };
        let expected = [Quiet, Quiet, Unknown, Unknown, Unknown, Quiet, Quiet, Quiet];
        assert_eq!(states(&well), expected);
        let ill = Look {
            price_age_secs: Ok(120),
            depth: Ok((500, 1_000)),
            stream_secs: Ok(10),
            endpoints: slots(125),
            lamports: Ok(4_100_000),
            hedge: missing(),
        };
        let expected = expected.map(|state| if state == Quiet { Raised } else { state });
        assert_eq!(states(&ill), expected);
    }
}
