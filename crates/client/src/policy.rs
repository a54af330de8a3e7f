//! The policy of a new position, and what a deleverage trigger leaves room for.

use ballast::state::{least_deviation_bps, least_swap_loss_bps};
use ballast_model::Bps;

use crate::{Limits, Policy};

/// Room for the fee of the usual pools and a little impact.
const DEFAULT_MAX_SWAP_LOSS_BPS: u32 = 50;
/// Room between a deleverage trigger and where a move of the stress distance begins to reach maintenance: what the price moves while a
/// keeper's transaction lands, and interest.
const LANDING_ROOM_BPS: u32 = 25;

/// What a new position's trigger leaves beyond that: for a jump after a move. Of positions without a hedge it halves the chance of
/// liquidation where prices jump, and costs nothing that can be told from luck elsewhere (docs/PARAMETERS.md).
const JUMP_ROOM_BPS: u32 = 175;

/// The highest deleverage trigger from below which no move of the market's stress distance reaches maintenance, with room for what
/// the price moves while a keeper acts.
///
/// A move down by s takes no more than s of the assets and adds no debt; one up by s adds no more than s to the debt and takes no
/// assets. So LTV rises by no more than the factor `1 / (1 - s)`, whatever a position holds and owes.
pub fn highest_trigger_down(limits: &Limits) -> Bps {
    let left = Bps::new(Bps::ONE.get().saturating_sub(limits.stress_distance_bps));
    let reaches = left.of_down(limits.maintenance_ltv_bps.into()).unwrap_or(0);
    let reaches = u32::try_from(reaches).unwrap_or(limits.maintenance_ltv_bps);
    Bps::new(reaches.saturating_sub(LANDING_ROOM_BPS))
}

/// The policy of a new position unless its owner says otherwise. Its trigger leaves room for a move of the stress distance and more, if
/// there is room above the market's target. Its swaps may pay the pool's fee from wherever the pool rests by itself.
pub fn default_policy(limits: &Limits, fee_rate_ppm: u16) -> Policy {
    let resting_bps = least_deviation_bps(fee_rate_ppm);
    let enough_bps = DEFAULT_MAX_SWAP_LOSS_BPS.max(least_swap_loss_bps(resting_bps, fee_rate_ppm));
    Policy {
        hedge_bps: 10_000,
        delta_band_bps: 1_000,
        delta_target_bps: 500,
        deleverage_trigger_ltv_bps: highest_trigger_down(limits)
            .get()
            .saturating_sub(JUMP_ROOM_BPS)
            .max(limits.target_ltv_bps.saturating_add(1))
            .min(limits.deleverage_ltv_bps),
        deleverage_target_ltv_bps: limits.target_ltv_bps,
        // What a swap may lose is also what somebody who moves the pool around it can gain.
        max_swap_loss_bps: limits.max_swap_loss_bps.min(enough_bps),
        min_rebalance_interval_secs: limits.min_rebalance_interval_secs,
        keeper_enabled: 1,
    }
}

/// What is worth knowing of a position opened above the LTV that a rehedge brings it down to; `None` if it is not above. A rehedge makes
/// its trade anyway, and comes down with it.
pub fn rehedge_warning(target: Bps, ltv: Bps) -> Option<String> {
    // Assets over what is left of them, in hundredths.
    let left = u64::from(Bps::ONE.get().saturating_sub(target.get())).max(1);
    let hundredths = 100 * u64::from(Bps::ONE.get()) / left;
    (ltv > target).then(|| {
        format!(
            "the position opens at LTV {ltv}, its deleverage target is {target}: the first rehedge withdraws liquidity down to it, and \
             leverage above {}.{:02} does not last; use less leverage, or a higher target in the policy",
            hundredths / 100,
            hundredths % 100
        )
    })
}

/// What is worth knowing of a position opened at or above the trigger from which it is deleveraged, or above the target that the first
/// rehedge brings it to; `None` if it is below.
pub fn opening_warning(limits: &Limits, policy: &Policy, ltv: Bps) -> Option<String> {
    let market = limits.deleverage_ltv_bps;
    let trigger = if policy.keeper_enabled == 0 {
        market
    } else {
        policy.deleverage_trigger_ltv_bps.min(market)
    };
    let target = policy.deleverage_target_ltv_bps;
    if ltv.get() >= trigger {
        return Some(format!(
            "the position opens at LTV {ltv}, its deleverage trigger is {}: it would be deleveraged to {} at once, use less leverage \
             or a higher trigger",
            Bps::new(trigger),
            Bps::new(target)
        ));
    }
    // Where no keeper acts nobody rehedges but the owner.
    (policy.keeper_enabled != 0)
        .then(|| rehedge_warning(Bps::new(target), ltv))
        .flatten()
}

/// What is worth knowing of a policy under which a move of the stress distance may reach maintenance before a keeper acts; `None` if it
/// cannot, or if the owner lets no keeper act.
pub fn trigger_warning(limits: &Limits, policy: &Policy) -> Option<String> {
    let trigger = policy
        .deleverage_trigger_ltv_bps
        .min(limits.deleverage_ltv_bps);
    let highest = highest_trigger_down(limits);
    if policy.keeper_enabled == 0 || trigger <= highest.get() {
        return None;
    }
    Some(format!(
        "from below the deleverage trigger {} a price move of {} can reach maintenance {} before a keeper acts: use a trigger of at \
         most {highest}",
        Bps::new(trigger),
        Bps::new(limits.stress_distance_bps),
        Bps::new(limits.maintenance_ltv_bps)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keepers_swap_may_pay_the_pools_fee() {
        // Whatever the market leaves beside its distance.
        for (deviation, loss, fee_rate_ppm, expected) in [
            (94, 100, 400, 50),
            (30, 150, 400, 50),
            (100, 132, 3_000, 76),
            (115, 219, 10_000, 219),
            (115, 400, 10_000, 219),
            (40, 45, 400, 45),
        ] {
            let limits = Limits {
                max_pool_deviation_bps: deviation,
                max_swap_loss_bps: loss,
                ..Limits::default()
            };
            let policy = default_policy(&limits, fee_rate_ppm);
            assert_eq!(policy.max_swap_loss_bps, expected);
        }
    }

    #[test]
    fn an_opening_at_its_own_trigger_is_told() {
        // Beside a stress distance of 10 % the default trigger is below the initial LTV.
        let limits = limits(8_000, 1_000);
        let policy = default_policy(&limits, 400);
        assert_eq!(policy.deleverage_trigger_ltv_bps, 7_000);
        let told = |policy, ltv_bps| opening_warning(&limits, policy, Bps::new(ltv_bps));
        assert_eq!(told(&policy, 6_500), None);
        for ltv_bps in [7_000, 7_500] {
            let told = told(&policy, ltv_bps).unwrap();
            assert!(told.contains("trigger is 70.00%"), "{told}");
            assert!(told.contains("to 65.00%"), "{told}");
        }
        // Without keepers it is the market's trigger that counts.
        let off = Policy {
            keeper_enabled: 0,
            ..policy
        };
        assert_eq!(told(&off, 7_699), None);
        assert!(told(&off, 7_700).unwrap().contains("77.00%"));
    }

    /// Leverage 3 is an LTV of 66.67 %, and the first rehedge brings it to 65 %: leverage 2.857.
    #[test]
    fn an_opening_above_the_target_is_told() {
        let limits = limits(8_000, 500);
        let policy = default_policy(&limits, 400);
        let told = |policy, ltv_bps| opening_warning(&limits, policy, Bps::new(ltv_bps));
        for ltv_bps in [6_501, 6_667, 7_399] {
            let told = told(&policy, ltv_bps).unwrap();
            assert!(told.contains("deleverage target is 65.00%"), "{told}");
            assert!(told.contains("leverage above 2.85 does not last"), "{told}");
        }
        assert_eq!(told(&policy, 6_500), None);
        let higher = Policy {
            deleverage_target_ltv_bps: 6_700,
            ..policy
        };
        assert_eq!(told(&higher, 6_667), None);
        assert!(rehedge_warning(Bps::new(9_999), Bps::ONE).is_some());
    }

    fn limits(maintenance_ltv_bps: u32, stress_distance_bps: u32) -> Limits {
        Limits {
            target_ltv_bps: 6_500,
            deleverage_ltv_bps: 7_700,
            maintenance_ltv_bps,
            stress_distance_bps,
            max_swap_loss_bps: 100,
            ..Limits::default()
        }
    }

    #[test]
    fn the_default_trigger_leaves_the_stress_distance() {
        for (maintenance, stress, expected) in [
            // 80 % less 5 %, a little, and what a jump may take.
            (8_000, 500, 7_400),
            (8_001, 500, 7_400),
            // The market's own is lower.
            (8_500, 500, 7_700),
            (8_000, 0, 7_700),
            // No room above the market's target.
            (8_000, 2_000, 6_501),
            (8_000, 10_000, 6_501),
        ] {
            let limits = limits(maintenance, stress);
            let policy = default_policy(&limits, 400);
            assert_eq!(policy.deleverage_trigger_ltv_bps, expected);
            let roomy = expected > 6_501;
            assert_eq!(trigger_warning(&limits, &policy).is_none(), roomy);
            if roomy {
                // Even from the trigger itself.
                let most = u64::from(expected) * 10_000 / u64::from(10_000 - stress);
                assert!(most < u64::from(maintenance), "{most}");
            }
        }
    }

    #[test]
    fn a_trigger_that_leaves_less_is_told_with_what_would_do() {
        let limits = limits(8_000, 500);
        let policy = Policy {
            deleverage_trigger_ltv_bps: 7_576,
            ..default_policy(&limits, 400)
        };
        let told = trigger_warning(&limits, &policy).unwrap();
        assert!(told.contains("trigger 75.76%"), "{told}");
        assert!(told.contains("move of 5.00%"), "{told}");
        assert!(told.contains("at most 75.75%"), "{told}");
        // Above the market's own it is the market's that counts.
        let policy = Policy {
            deleverage_trigger_ltv_bps: 7_900,
            ..policy
        };
        let told = trigger_warning(&limits, &policy).unwrap();
        assert!(told.contains("trigger 77.00%"), "{told}");
        let off = Policy {
            keeper_enabled: 0,
            ..policy
        };
        assert_eq!(trigger_warning(&limits, &off), None);
    }
}
