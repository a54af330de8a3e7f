//! How far a deleverage goes, and who may ask for it. The keeper decides by the same functions.

use ballast_clmm::SqrtPrice;
use ballast_model::{
    Bps, DeleverageError, DeleveragePlan, ModelError, Position as PositionModel, Valuation,
    plan_deleverage,
};

use crate::state::{Limits, Market, Policy};

/// Whose trigger asks for a deleverage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggeredBy {
    /// The owner's policy, which binds keepers.
    Policy,
    /// The market, which nobody can forbid.
    Market,
}

/// The market's own trigger and target, which its risk stage tightens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketRule {
    /// LTV from which anyone may deleverage.
    pub trigger: Bps,
    /// LTV to which it then goes.
    pub target: Bps,
}

/// Distance above the target from which a deleverage at stage 3 is worth a transaction.
const STAGE_3_MARGIN_BPS: u32 = 50;

impl MarketRule {
    /// At the market's present stage.
    pub fn of(market: &Market) -> Self {
        let (limits, stages) = (&market.limits, &market.stages);
        let (trigger, target) = match market.stage.stage {
            0 | 1 => (limits.deleverage_ltv_bps, limits.target_ltv_bps),
            2 => (stages.deleverage_ltv_bps, limits.target_ltv_bps),
            // Anything above the target, but for what a price moves every minute.
            _ => (
                stages.target_ltv_bps.saturating_add(STAGE_3_MARGIN_BPS),
                stages.target_ltv_bps,
            ),
        };
        Self {
            trigger: Bps::new(trigger),
            target: Bps::new(target),
        }
    }
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The stronger of the reasons that there are: the market's before the policy's.
    pub by: TriggeredBy,
    /// The LTV that was reached.
    pub trigger: Bps,
    /// The LTV to go down to.
    pub target: Bps,
    /// A higher target, where `target` cannot be reached without a swap: below the market's trigger, at which something would be
    /// due again. With it a policy's target that is out of reach never stands in the way of the market's, nor the market's in
    /// the way of an owner's who is content with less.
    pub otherwise: Option<Bps>,
}

/// Why nothing may be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotDue {
    /// LTV is below every trigger.
    BelowTriggers,
    /// Only the policy's trigger is reached, and the owner lets no keeper act.
    KeeperDisabled,
}

/// Whether a position is to be deleveraged, and how far. `allowed_by_owner`: the signer is the owner, or the policy
/// lets keepers act.
///
/// # Errors
/// [`NotDue`].
pub fn deleverage_due(
    market: MarketRule,
    policy: &Policy,
    allowed_by_owner: bool,
    value: &Valuation,
) -> Result<Due, NotDue> {
    let rule = |trigger, target| (Bps::new(trigger), Bps::new(target));
    let policys = rule(
        policy.deleverage_trigger_ltv_bps,
        policy.deleverage_target_ltv_bps,
    );
    let markets = (market.trigger, market.target);
    let due = |by, (trigger, target)| Due {
        by,
        trigger,
        target,
        otherwise: None,
    };
    let by_policy = value.ltv_at_least(policys.0);
    match (by_policy && allowed_by_owner, value.ltv_at_least(markets.0)) {
        (true, true) => Ok(Due {
            by: TriggeredBy::Market,
            trigger: markets.0,
            target: policys.1.min(markets.1),
            otherwise: Some(policys.1.max(markets.1)).filter(|target| *target < markets.0),
        }),
        (false, true) => Ok(due(TriggeredBy::Market, markets)),
        (true, false) => Ok(due(TriggeredBy::Policy, policys)),
        (false, false) if by_policy => Err(NotDue::KeeperDisabled),
        (false, false) => Err(NotDue::BelowTriggers),
    }
}

/// LTV that a rehedge may lead to, but for what its swap loses: the one that is there, but no more than the owner goes down to, and at
/// least as much as owner and market both do. Beyond it the position's own base is sold instead of borrowed base.
///
/// So a rehedge is also the moment to come down from above the owner's target, whose trade is made anyway: a position that stays
/// above it until the trigger is the one that the next gap liquidates.
pub fn rehedge_limit(market: MarketRule, policy: &Policy, before: &Valuation) -> Bps {
    let owners = Bps::new(policy.deleverage_target_ltv_bps);
    Bps::new(before.ltv_bps_up()).clamp(owners.min(market.target), owners)
}

/// LTV from which a rehedge must not make the stressed LTV any higher.
pub fn rehedge_trigger(limits: &Limits, policy: &Policy) -> Bps {
    Bps::new(
        policy
            .deleverage_trigger_ltv_bps
            .min(limits.deleverage_ltv_bps),
    )
}

/// Largest loss of a rehedge's swap, on the value traded.
pub fn max_swap_loss(limits: &Limits, policy: &Policy) -> Bps {
    Bps::new(policy.max_swap_loss_bps.min(limits.max_swap_loss_bps))
}

impl Due {
    /// Largest loss of the deleverage's swap, on the value traded. Above the market's trigger the owner has no say: a cap below
    /// the pool's fee would keep everybody from acting.
    pub fn max_swap_loss(&self, limits: &Limits, policy: &Policy) -> Bps {
        match self.by {
            TriggeredBy::Market => Bps::new(limits.max_swap_loss_bps),
            TriggeredBy::Policy => max_swap_loss(limits, policy),
        }
    }

    /// Whether it is due at the newest known price as well, if that is another than the one that is used: who picks an older price
    /// makes nothing due that only the owner asks for. What the market asks for is due at either, as long as it does not swap: so a
    /// newest price that soon proves wrong keeps nobody from reducing risk.
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn at_newest(
        &self,
        position: &PositionModel,
        used: SqrtPrice,
        newest: Option<SqrtPrice>,
    ) -> Result<bool, ModelError> {
        let newest = newest.filter(|newest| *newest != used);
        match (self.by, newest) {
            (TriggeredBy::Market, _) | (_, None) => Ok(true),
            (TriggeredBy::Policy, Some(newest)) => {
                Ok(position.value(newest)?.ltv_at_least(self.trigger))
            }
        }
    }

    /// What is due at the newest known price as well, whoever asks for it: a swap loses something, to whoever stands in the pool.
    /// Where only the market's trigger is missed there, the owner's may be reached at both. `allowed_by_owner`: as in
    /// [`deleverage_due`].
    ///
    /// # Errors
    /// [`ModelError`].
    pub fn with_swap_at_newest(
        self,
        policy: &Policy,
        allowed_by_owner: bool,
        position: &PositionModel,
        used: SqrtPrice,
        newest: Option<SqrtPrice>,
    ) -> Result<Option<Self>, ModelError> {
        let Some(newest) = newest.filter(|newest| *newest != used) else {
            return Ok(Some(self));
        };
        let value = position.value(newest)?;
        if value.ltv_at_least(self.trigger) {
            return Ok(Some(self));
        }
        let owners = Self {
            by: TriggeredBy::Policy,
            trigger: Bps::new(policy.deleverage_trigger_ltv_bps),
            target: Bps::new(policy.deleverage_target_ltv_bps),
            otherwise: None,
        };
        let due_too = self.by == TriggeredBy::Market
            && allowed_by_owner
            // At the price that is used it is at the market's.
            && owners.trigger <= self.trigger
            && value.ltv_at_least(owners.trigger);
        Ok(due_too.then_some(owners))
    }

    /// The plan, and the target that it reaches.
    ///
    /// # Errors
    /// See [`plan_deleverage`].
    pub fn plan(
        &self,
        position: &PositionModel,
        oracle: SqrtPrice,
        pool: SqrtPrice,
    ) -> Result<(Bps, DeleveragePlan), DeleverageError> {
        let to =
            |target| plan_deleverage(position, oracle, pool, target).map(|plan| (target, plan));
        let Some(higher) = self.otherwise.filter(|higher| *higher != self.target) else {
            return to(self.target);
        };
        // The easier one first: if it needs a swap, so does the other.
        let easier = match to(higher) {
            Err(DeleverageError::NotNeeded { .. }) => return to(self.target),
            easier => easier?,
        };
        match to(self.target) {
            Err(DeleverageError::NeedsSwap { .. }) => Ok(easier),
            plan => plan,
        }
    }
}

#[cfg(test)]
mod tests {
    use ballast_clmm::{Amounts, Band, Tick};

    use super::*;

    #[test]
    fn where_both_triggers_are_reached_the_lower_target_counts_and_the_higher_will_do() {
        let market = MarketRule {
            trigger: Bps::new(7_700),
            target: Bps::new(6_500),
        };
        let due = |owners_target, ltv_bps| {
            let policy = Policy {
                deleverage_trigger_ltv_bps: 7_600,
                deleverage_target_ltv_bps: owners_target,
                ..Policy::default()
            };
            let value = Valuation {
                assets: 10_000,
                debt: ltv_bps,
            };
            let due = deleverage_due(market, &policy, true, &value).unwrap();
            (due.target.get(), due.otherwise.map(Bps::get))
        };
        assert_eq!(due(6_800, 7_700), (6_500, Some(6_800)));
        assert_eq!(due(6_200, 7_700), (6_200, Some(6_500)));
        assert_eq!(due(6_500, 7_700), (6_500, Some(6_500)));
        // Above the market's trigger something would be due again.
        assert_eq!(due(7_700, 7_700), (6_500, None));
        // The owner's alone.
        assert_eq!(due(6_800, 7_699), (6_800, None));
    }

    #[test]
    fn a_swap_that_the_market_asks_for_at_one_price_only_is_made_if_the_owner_asks_for_it_at_both()
    {
        let position = PositionModel {
            band: Band::new(Tick::new(-100).unwrap(), Tick::new(100).unwrap()).unwrap(),
            liquidity: 0,
            idle: Amounts::new(0, 10_000),
            debt: Amounts::new(7_640, 0),
        };
        // 76.40 % at a price of one.
        let newest = SqrtPrice::ONE;
        let used = Tick::new(200).unwrap().sqrt_price();
        let market = MarketRule {
            trigger: Bps::new(7_700),
            target: Bps::new(6_500),
        };
        let due = |owners_trigger, allowed, newest| {
            let policy = Policy {
                deleverage_trigger_ltv_bps: owners_trigger,
                deleverage_target_ltv_bps: 6_800,
                ..Policy::default()
            };
            let value = position.value(used).unwrap();
            let due = deleverage_due(market, &policy, allowed, &value).unwrap();
            assert_eq!(due.by, TriggeredBy::Market);
            let due = due.with_swap_at_newest(&policy, allowed, &position, used, newest);
            due.unwrap().map(|due| (due.by, due.target.get()))
        };
        let (owners, markets) = (TriggeredBy::Policy, TriggeredBy::Market);
        assert_eq!(due(7_575, true, Some(newest)), Some((owners, 6_800)));
        // Not reached at the newest; or above the market's own; or the owner lets nobody act.
        assert_eq!(due(7_650, true, Some(newest)), None);
        assert_eq!(due(7_900, true, Some(newest)), None);
        assert_eq!(due(7_575, false, Some(newest)), None);
        for same in [None, Some(used)] {
            assert_eq!(due(7_575, true, same), Some((markets, 6_500)));
        }
    }

    #[test]
    fn of_a_trigger_and_of_a_loss_the_lower_of_owners_and_markets_counts() {
        for (owners, markets, lower) in [(70, 77, 70), (77, 77, 77), (79, 77, 77)] {
            let policy = Policy {
                deleverage_trigger_ltv_bps: owners,
                max_swap_loss_bps: owners,
                ..Policy::default()
            };
            let limits = Limits {
                deleverage_ltv_bps: markets,
                max_swap_loss_bps: markets,
                ..Limits::default()
            };
            assert_eq!(rehedge_trigger(&limits, &policy).get(), lower);
            assert_eq!(max_swap_loss(&limits, &policy).get(), lower);
        }
    }

    #[test]
    fn a_rehedge_ends_between_the_lower_target_and_the_owners() {
        let limit = |owners, ltv_bps| {
            let market = MarketRule {
                trigger: Bps::new(7_700),
                target: Bps::new(6_500),
            };
            let policy = Policy {
                deleverage_target_ltv_bps: owners,
                ..Policy::default()
            };
            let before = Valuation {
                assets: 10_000,
                debt: ltv_bps,
            };
            rehedge_limit(market, &policy, &before).get()
        };
        for (ltv_bps, expected) in [(0, 6_500), (6_400, 6_500), (6_700, 6_700), (7_500, 6_800)] {
            assert_eq!(limit(6_800, ltv_bps), expected, "{ltv_bps}");
        }
        for ltv_bps in [0, 6_200, 6_400, 7_500, 11_000] {
            assert_eq!(limit(6_200, ltv_bps), 6_200, "{ltv_bps}");
        }
    }
}
