//! Why nothing, or what next and at which price: for people.

use ballast::targets::MarketRule;
use ballast_model::{
    Boundaries, Bps, SqrtPrice,
    quiet::{Triggers, quiet_interval},
};

use super::{Assessment, assess};
use crate::{
    situation::{Situation, SituationError},
    watch::automation_triggers,
};

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
    /// The price leaves the band, or reaches its edge: recenter.
    Band,
    /// The price reaches an edge of the owner's window: the owner's reaction to it, and no more recentering.
    Window,
    /// Equity reaches the owner's floor: exit.
    Floor,
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
    let ltv = |bps: Bps| model.boundaries(bps);
    let mut boundaries = vec![
        (
            Threshold::HedgeBand,
            model.hedge_boundaries(policy.hedge(), assessment.hedge_tolerance)?,
        ),
        (
            Threshold::PolicyTrigger,
            ltv(Bps::new(policy.deleverage_trigger_ltv_bps))?,
        ),
        (
            Threshold::MarketTrigger,
            ltv(MarketRule::of(&situation.market.market).trigger)?,
        ),
        (
            Threshold::Maintenance,
            ltv(Bps::new(limits.maintenance_ltv_bps))?,
        ),
    ];
    if model.liquidity > 0 {
        let automated = automation_triggers(&situation.position.automation, assessment.oracle);
        let of = |triggers: Triggers| quiet_interval(model, &triggers);
        if let Some(edge) = automated.edge {
            let edge = Some(edge);
            let only = Triggers {
                edge,
                ..Triggers::default()
            };
            boundaries.push((Threshold::Band, of(only)?));
        }
        let (stop_loss, take_profit) = (automated.stop_loss, automated.take_profit);
        if stop_loss.is_some() || take_profit.is_some() {
            let only = Triggers {
                stop_loss,
                take_profit,
                ..Triggers::default()
            };
            boundaries.push((Threshold::Window, of(only)?));
        }
        if let Some(floor) = automated.equity_floor {
            let equity_floor = Some(floor);
            let only = Triggers {
                equity_floor,
                ..Triggers::default()
            };
            // Fees count.
            let owned = model.with_idle(situation.fees_for_floor())?;
            boundaries.push((Threshold::Floor, quiet_interval(&owned, &only)?));
        }
    }
    Ok(Explanation {
        assessment,
        boundaries,
    })
}
