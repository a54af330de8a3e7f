//! Why nothing, or what next and at which price: for people.

use ballast_model::{Boundaries, Bps, SqrtPrice};

use super::{Assessment, assess};
use crate::situation::{Situation, SituationError};

/// What a price boundary stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// The hedge error leaves the policy's band: rehedge.
    HedgeBand,
    /// LTV reaches the policy's trigger: deleverage.
    PolicyTrigger,
    /// LTV reaches the market's trigger: anyone may deleverage.
    MarketTrigger,
    /// LTV reaches maintenance: liquidation.
    Maintenance,
}

/// A decision with the prices at which it would change, debts as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The decision and its numbers.
    pub assessment: Assessment,
    /// For each threshold, the prices between which it is not reached.
    pub boundaries: Vec<(Threshold, Boundaries)>,
}

impl Explanation {
    /// What the price reaches first when it falls (or rises), and where; `None` if nothing.
    pub fn next(&self, falling: bool) -> Option<(Threshold, SqrtPrice)> {
        let ends = self
            .boundaries
            .iter()
            .filter_map(|(threshold, boundaries)| match boundaries {
                Boundaries::Interval { lower, upper }
                    if boundaries.contains(self.assessment.oracle) =>
                {
                    let end = if falling { *lower } else { *upper };
                    end.map(|end| (*threshold, end))
                }
                _ => None,
            });
        if falling {
            ends.max_by_key(|(_, end)| *end)
        } else {
            ends.min_by_key(|(_, end)| *end)
        }
    }

    /// The prices between which a threshold is not reached.
    pub fn boundaries_of(&self, threshold: Threshold) -> Boundaries {
        let found = self.boundaries.iter().find(|(of, _)| *of == threshold);
        found.map_or(Boundaries::ALL, |(_, boundaries)| *boundaries)
    }
}

/// Explains.
///
/// # Errors
/// As [`assess`].
pub fn explain(situation: &Situation) -> Result<Explanation, SituationError> {
    let assessment = assess(situation)?;
    let model = &assessment.model;
    let (limits, policy) = (&situation.market.market.limits, &situation.position.policy);
    let ltv = |bps| model.boundaries(Bps::new(bps));
    let boundaries = vec![
        (
            Threshold::HedgeBand,
            model.hedge_boundaries(policy.hedge(), assessment.hedge_tolerance)?,
        ),
        (
            Threshold::PolicyTrigger,
            ltv(policy.deleverage_trigger_ltv_bps)?,
        ),
        (Threshold::MarketTrigger, ltv(limits.deleverage_ltv_bps)?),
        (Threshold::Maintenance, ltv(limits.maintenance_ltv_bps)?),
    ];
    Ok(Explanation {
        assessment,
        boundaries,
    })
}
