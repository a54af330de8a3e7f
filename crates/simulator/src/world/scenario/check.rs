//! What a scenario may say.

use super::{PartAt, Scenario, ScenarioError};
use crate::SimulationError;

/// The longest scenario: a year.
const MOST_SECS: u64 = 366 * 86_400;

impl Scenario {
    pub(super) fn check(&self) -> Result<(), ScenarioError> {
        let refuse = |name, value, problem| {
            Err(ScenarioError::Value {
                name,
                value,
                problem,
            })
        };
        let whole = |value: u64| value as f64;
        if self.step_secs == 0 || self.step_secs > 3_600 {
            return refuse("step_secs", whole(self.step_secs), "must be 1 to 3600");
        }
        if self.duration_secs < self.step_secs || self.duration_secs > MOST_SECS {
            let problem = "must be at least one step and at most a year";
            return refuse("duration_secs", whole(self.duration_secs), problem);
        }
        for points in [&self.market.path, &self.perp.basis, &self.pool.other_depth] {
            let mut last = -1.0;
            for [secs, _] in points {
                if !secs.is_finite() || *secs <= last {
                    return refuse("seconds of a point", *secs, "must rise from point to point");
                }
                last = *secs;
            }
        }
        for [_, factor] in &self.market.path {
            if !(0.001..=1_000.0).contains(factor) {
                return refuse("market.path", *factor, "must be from 0.001 to 1000");
            }
        }
        for [_, basis] in &self.perp.basis {
            if !(-0.9..=9.0).contains(basis) {
                return refuse("perp.basis", *basis, "must be from -0.9 to 9");
            }
        }
        let within = [
            ("market.sigma_day", self.market.sigma_day, 2.0),
            ("market.recovery_secs", self.market.recovery_secs, 1e9),
            ("oracle.confidence_bps", self.oracle.confidence_bps, 1e4),
            (
                "oracle.confidence_per_move",
                self.oracle.confidence_per_move,
                1e3,
            ),
            ("pool.arbitrage_cost", self.pool.arbitrage_cost, 1e15),
            ("pool.taker_volume_day", self.pool.taker_volume_day, 1e15),
            ("keepers.latency_secs", self.keepers.latency_secs, 1e6),
            ("keepers.miss", self.keepers.miss, 1.0),
            ("keepers.worsens", self.keepers.worsens, 1e3),
            ("keepers.usual_sigma_day", self.keepers.usual_sigma_day, 2.0),
            (
                "keepers.liquidator_latency_secs",
                self.keepers.liquidator_latency_secs,
                1e6,
            ),
            ("perp.half_life_hours", self.perp.half_life_hours, 1e6),
            ("perp.fee", self.perp.fee, 0.1),
            (
                "market.depth_quote",
                self.market.depth_quote.unwrap_or(0.0),
                1e18,
            ),
        ];
        for (name, value, most) in within {
            if !(0.0..=most).contains(&value) {
                return refuse(name, value, "must be 0 or more, and not beyond all measure");
            }
        }
        let parts = [
            ("pool.others", &self.pool.others),
            ("lending.base_withdrawals", &self.lending.base_withdrawals),
            ("lending.quote_withdrawals", &self.lending.quote_withdrawals),
            ("perp.auto_deleveraging", &self.perp.auto_deleveraging),
        ];
        for (name, parts) in parts {
            for PartAt { part, .. } in parts {
                if !(0.0..=1.0).contains(part) {
                    return refuse(name, *part, "must be a part from 0 to 1");
                }
            }
        }
        let rates = self.perp.flip_hours.iter().chain([&self.perp.funding_hour]);
        for rate in rates {
            if !(-0.1..=0.1).contains(rate) {
                return refuse("funding", *rate, "must be from -0.1 to 0.1 an hour");
            }
        }
        for [_, depth] in &self.pool.other_depth {
            if !(0.0..=1e6).contains(depth) {
                return refuse("pool.other_depth", *depth, "must be from 0 to 1000000");
            }
        }
        let checked = self.perp.check().and_then(|()| self.pool.takers().check());
        if let Err(SimulationError::Parameter {
            name,
            value,
            problem,
        }) = checked
        {
            return refuse(name, value, problem);
        }
        if self.market.depth_quote == Some(0.0) {
            return refuse(
                "market.depth_quote",
                0.0,
                "must be above 0; leave it out for a market that nothing moves",
            );
        }
        if self.oracle.interval_secs == 0 {
            return refuse("oracle.interval_secs", 0.0, "must be at least 1");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let with = |more: &str| {
            let text = format!("name = \"x\"\nsummary = \"\"\nduration_secs = 60\n{more}");
            Scenario::parse(&text).map_err(|error| error.to_string())
        };
        assert!(with("").is_ok());
        for (more, said) in [
            ("step_secs = 0", "step_secs = 0 must be 1 to 3600"),
            ("step_secs = 61", "duration_secs = 60 must be"),
            ("nothing = 1", "unknown field"),
            ("[market]\npath = [[0, 1], [0, 1]]", "must rise"),
            ("[market]\npath = [[0, 0]]", "market.path = 0"),
            (
                "[market]\ndepth_quote = 0",
                "market.depth_quote = 0 must be above 0",
            ),
            ("[keepers]\nmiss = 1.5", "keepers.miss = 1.5"),
            (
                "[keepers]\nlatency_secs = nan",
                "keepers.latency_secs = NaN",
            ),
            ("[oracle]\ninterval_secs = 0", "oracle.interval_secs = 0"),
            ("[perp]\nflip_hours = [-0.205]", "funding = -0.205"),
            (
                "[pool]\nother_pool = { fee = 1, liquidity = 1, trade_size = 1 }",
                "fee of the other pool = 0 short of 1: must be below 1",
            ),
            (
                "[pool]\nother_depth = [[0, 1], [0, 2]]",
                "seconds of a point = 0 must rise",
            ),
            (
                "[pool]\nother_depth = [[0, -1]]",
                "pool.other_depth = -1 must be from 0",
            ),
            (
                "[pool]\nrouting_shift = { at_secs = 1, part = 2 }",
                "part that leaves = -1 short of 1",
            ),
            (
                "[perp]\nbasis_walk = { mean = 0, sd = 1, half_life_hours = 8 }",
                "deviation of the basis = 1 must be from 0 to 0.5",
            ),
            (
                "[perp]\ndeleverages = { after_move = 0.1, within_secs = 0, part = 0.5 }",
                "seconds in which a move auto-deleverages = 0",
            ),
            (
                "[pool]\nothers = [{ at_secs = 1, part = -1 }]",
                "pool.others = -1 must be a part",
            ),
        ] {
            let error = with(more).unwrap_err();
            assert!(error.contains(said), "{more}: {error}");
        }
    }
}
