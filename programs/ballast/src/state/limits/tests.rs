use super::*;

fn sound() -> MarketParams {
    MarketParams {
        limits: Limits {
            max_position_value: 1_000_000,
            min_position_value: 10,
            max_leverage_bps: 40_000,
            initial_ltv_bps: 7_500,
            deleverage_ltv_bps: 7_700,
            maintenance_ltv_bps: 8_000,
            target_ltv_bps: 6_500,
            liquidation_bonus_bps: 300,
            stress_distance_bps: 500,
            max_pool_deviation_bps: 100,
            max_swap_loss_bps: 100,
            min_rebalance_interval_secs: 2,
        },
        oracle_rules: OracleRules {
            max_age_tight_secs: 60,
            max_age_loose_secs: 120,
            max_confidence_tight_bps: 50,
            max_confidence_loose_bps: 200,
            max_ema_divergence_bps: 500,
            max_future_secs: 5,
        },
        keepers: KeeperRules {
            max_reward_lamports: 1_000_000,
            max_daily_loss_bps: 500,
            min_recenter_interval_secs: 60,
        },
        stages: StageRules {
            silence_secs: 90,
            long_silence_secs: 300,
            confidence_bps: 100,
            wide_confidence_bps: 300,
            ema_divergence_bps: 500,
            wide_ema_divergence_bps: 1_000,
            pool_divergence_bps: 200,
            depth_drop_bps: 7_000,
            utilisation_bps: 9_800,
            persistence_secs: 30,
            calm_secs: 600,
            max_age_stalled_secs: 3_600,
            deleverage_ltv_bps: 7_300,
            target_ltv_bps: 6_000,
        },
    }
}

/// Of a market with little leverage.
fn low(params: &mut MarketParams) {
    let limits = &mut params.limits;
    limits.max_leverage_bps = 12_000;
    (limits.target_ltv_bps, limits.initial_ltv_bps) = (2_000, 3_000);
    (limits.deleverage_ltv_bps, limits.maintenance_ltv_bps) = (4_000, 5_000);
    (
        params.stages.target_ltv_bps,
        params.stages.deleverage_ltv_bps,
    ) = (1_500, 3_500);
}

#[test]
fn every_rule_for_parameters_fires_and_its_edge_passes() {
    type Change = fn(&mut MarketParams);
    let refused: [Change; 31] = [
        |p| p.limits.max_leverage_bps = 10_000,
        |p| p.limits.max_leverage_bps = 0,
        |p| p.limits.max_leverage_bps = 40_017,
        |p| p.limits.target_ltv_bps = 0,
        |p| p.limits.target_ltv_bps = 7_700,
        |p| p.limits.initial_ltv_bps = 7_700,
        |p| p.limits.deleverage_ltv_bps = 8_000,
        |p| {
            p.limits.liquidation_bonus_bps = 2_001;
            p.limits.maintenance_ltv_bps = 7_800;
        },
        |p| p.limits.maintenance_ltv_bps = 9_515,
        |p| p.limits.maintenance_ltv_bps = u32::MAX,
        |p| p.limits.liquidation_bonus_bps = u32::MAX,
        |p| p.limits.min_rebalance_interval_secs = 86_401,
        |p| p.limits.stress_distance_bps = 10_000,
        |p| p.limits.max_pool_deviation_bps = 0,
        |p| p.limits.max_pool_deviation_bps = 2_001,
        |p| p.limits.max_swap_loss_bps = 0,
        |p| p.limits.max_swap_loss_bps = 1_112,
        |p| p.limits.max_swap_loss_bps = u32::MAX,
        |p| {
            p.limits.maintenance_ltv_bps = 9_400;
            p.limits.max_swap_loss_bps = 310;
        },
        |p| {
            low(p);
            p.limits.max_swap_loss_bps = 2_001;
        },
        |p| p.limits.min_position_value = 1_000_001,
        |p| p.limits.min_position_value = 0,
        |p| p.oracle_rules.max_age_tight_secs = 0,
        |p| {
            p.oracle_rules.max_age_tight_secs = 121;
            p.stages.silence_secs = 121;
        },
        |p| {
            p.oracle_rules.max_age_loose_secs = 3_601;
            p.stages.max_age_stalled_secs = 3_601;
        },
        |p| p.oracle_rules.max_confidence_loose_bps = u32::MAX,
        |p| p.oracle_rules.max_confidence_tight_bps = 201,
        |p| {
            p.oracle_rules.max_confidence_tight_bps = 49;
            p.oracle_rules.max_confidence_loose_bps = 49;
        },
        |p| {
            p.oracle_rules.max_age_tight_secs = 29;
            p.oracle_rules.max_age_loose_secs = 29;
        },
        |p| p.oracle_rules.max_ema_divergence_bps = 5_001,
        |p| p.oracle_rules.max_future_secs = 61,
    ];
    for (number, change) in refused.into_iter().enumerate() {
        let mut params = sound();
        change(&mut params);
        assert!(params.check().is_err(), "change {number}");
    }
    let more: [Change; 3] = [
        |p| p.oracle_rules.max_confidence_tight_bps = 0,
        |p| p.oracle_rules.max_confidence_loose_bps = 2_001,
        |p| p.oracle_rules.max_ema_divergence_bps = 0,
    ];
    for (number, change) in more.into_iter().enumerate() {
        let mut params = sound();
        change(&mut params);
        assert!(params.check().is_err(), "change {number} of the rest");
    }
    let allowed: [Change; 14] = [
        |_| (),
        |p| p.limits.max_swap_loss_bps = 999,
        |p| {
            p.limits.maintenance_ltv_bps = 9_400;
            p.limits.max_swap_loss_bps = 299;
        },
        |p| {
            low(p);
            p.limits.max_swap_loss_bps = 2_000;
        },
        |p| p.limits.max_leverage_bps = 40_000,
        |p| {
            p.limits.target_ltv_bps = 7_699;
            p.stages.deleverage_ltv_bps = 7_700;
        },
        |p| p.limits.initial_ltv_bps = 7_699,
        |p| p.limits.maintenance_ltv_bps = 9_514,
        |p| p.limits.min_position_value = 1_000_000,
        |p| {
            p.oracle_rules.max_age_tight_secs = 120;
            p.stages.silence_secs = 120;
        },
        |p| {
            p.oracle_rules.max_age_loose_secs = 3_600;
            p.stages.max_age_stalled_secs = 3_600;
        },
        |p| p.oracle_rules.max_confidence_tight_bps = 200,
        |p| p.oracle_rules.max_confidence_loose_bps = 50,
        |p| {
            p.oracle_rules.max_age_tight_secs = 30;
            p.oracle_rules.max_age_loose_secs = 30;
        },
    ];
    for (number, change) in allowed.into_iter().enumerate() {
        let mut params = sound();
        change(&mut params);
        assert!(params.check().is_ok(), "edge {number}");
    }
}

#[test]
fn every_rule_since_version_2_fires_and_its_edge_passes() {
    type Change = fn(&mut MarketParams);
    let pairs: [(Change, Change); 23] = [
        (
            |p| {
                p.limits.maintenance_ltv_bps = 9_514;
                p.oracle_rules.max_confidence_loose_bps = 205;
            },
            |p| {
                p.limits.maintenance_ltv_bps = 9_514;
                p.oracle_rules.max_confidence_loose_bps = 204;
            },
        ),
        (
            |p| p.limits.max_pool_deviation_bps = 501,
            |p| p.limits.max_pool_deviation_bps = 500,
        ),
        (
            |p| p.keepers.max_daily_loss_bps = 0,
            |p| p.keepers.max_daily_loss_bps = 1,
        ),
        (
            |p| p.keepers.max_daily_loss_bps = 5_001,
            |p| p.keepers.max_daily_loss_bps = 5_000,
        ),
        (
            |p| p.keepers.max_reward_lamports = 100_000_001,
            |p| p.keepers.max_reward_lamports = 100_000_000,
        ),
        (
            |p| p.keepers.min_recenter_interval_secs = 604_801,
            |p| p.keepers.min_recenter_interval_secs = 604_800,
        ),
        (
            |p| p.stages.silence_secs = 0,
            |p| (p.stages.silence_secs, p.stages.long_silence_secs) = (0, 0),
        ),
        (
            |p| p.stages.silence_secs = 300,
            |p| p.stages.silence_secs = 299,
        ),
        (
            |p| p.stages.silence_secs = 59,
            |p| p.stages.silence_secs = 60,
        ),
        (
            |p| p.stages.confidence_bps = 0,
            |p| p.stages.wide_confidence_bps = 0,
        ),
        (
            |p| p.stages.confidence_bps = 300,
            |p| p.stages.confidence_bps = 299,
        ),
        (
            |p| p.stages.ema_divergence_bps = 0,
            |p| p.stages.wide_ema_divergence_bps = 0,
        ),
        (
            |p| p.stages.ema_divergence_bps = 1_000,
            |p| p.stages.ema_divergence_bps = 999,
        ),
        (
            |p| p.stages.depth_drop_bps = 10_000,
            |p| p.stages.depth_drop_bps = 9_999,
        ),
        (
            |p| p.stages.utilisation_bps = 10_001,
            |p| p.stages.utilisation_bps = 10_000,
        ),
        (
            |p| p.stages.persistence_secs = 10,
            |p| p.stages.persistence_secs = 11,
        ),
        (
            |p| p.stages.persistence_secs = 3_601,
            |p| p.stages.persistence_secs = 3_600,
        ),
        (
            |p| p.stages.calm_secs = 86_401,
            |p| p.stages.calm_secs = 86_400,
        ),
        (
            |p| p.stages.max_age_stalled_secs = 119,
            |p| p.stages.max_age_stalled_secs = 120,
        ),
        (
            |p| p.stages.max_age_stalled_secs = 86_401,
            |p| p.stages.max_age_stalled_secs = 86_400,
        ),
        (
            |p| p.stages.deleverage_ltv_bps = 7_701,
            |p| p.stages.deleverage_ltv_bps = 7_700,
        ),
        (
            |p| p.stages.deleverage_ltv_bps = 6_500,
            |p| p.stages.deleverage_ltv_bps = 6_501,
        ),
        (
            |p| p.stages.target_ltv_bps = 6_501,
            |p| p.stages.target_ltv_bps = 6_500,
        ),
    ];
    for (number, (fires, passes)) in pairs.into_iter().enumerate() {
        let with = |change: Change| {
            let mut params = sound();
            change(&mut params);
            params
        };
        assert!(with(fires).check().is_err(), "rule {number}");
        assert!(with(passes).check().is_ok(), "edge of rule {number}");
        // A migration asks for all but the first two, which are about what was there before.
        let asked = with(fires).check_since_version_2().is_err();
        assert_eq!(asked, number >= 2, "rule {number}");
    }
    let mut params = sound();
    params.stages.target_ltv_bps = 0;
    assert!(params.check().is_err());
}

#[test]
fn only_the_largest_size_restrains_and_only_downwards() {
    type Change = fn(&mut MarketParams, u32);
    let down: [Change; 1] = [|p, to| p.limits.max_position_value += u64::from(to)];
    let restrains = |change: Change, to: u32| {
        let (mut old, mut new) = (sound(), sound());
        change(&mut old, 1);
        change(&mut new, to);
        new.only_restrains(&old)
    };
    for (number, change) in down.into_iter().enumerate() {
        assert!(restrains(change, 0) && restrains(change, 1), "{number}");
        assert!(!restrains(change, 2), "{number}");
    }
    let never: [Change; 11] = [
        |p, to| p.limits.max_leverage_bps += to,
        |p, to| p.limits.initial_ltv_bps += to,
        |p, to| p.limits.min_position_value += u64::from(to),
        |p, to| p.limits.deleverage_ltv_bps += to,
        |p, to| p.limits.maintenance_ltv_bps += to,
        |p, to| p.limits.target_ltv_bps += to,
        |p, to| p.limits.stress_distance_bps += to,
        |p, to| p.limits.max_pool_deviation_bps += to,
        |p, to| p.oracle_rules.max_age_tight_secs += to,
        |p, to| p.keepers.min_recenter_interval_secs += to,
        |p, to| p.stages.calm_secs += to,
    ];
    for (number, change) in never.into_iter().enumerate() {
        assert!(!restrains(change, 0) && !restrains(change, 2), "{number}");
        assert!(restrains(change, 1), "{number}: nothing has changed");
    }
}

#[test]
fn whatever_a_market_was_made_with_the_cautious_rules_obey_every_rule() {
    let mut params = sound();
    for (tight, loose) in [(1, 1), (60, 120), (300, 3_600), (3_600, 3_600)] {
        for (target, deleverage) in [(1, 2), (6_500, 7_700), (9_000, 9_001)] {
            params.oracle_rules.max_age_tight_secs = tight;
            params.oracle_rules.max_age_loose_secs = loose;
            params.limits.target_ltv_bps = target;
            params.limits.deleverage_ltv_bps = deleverage;
            let RulesSinceVersion2 { keepers, stages } = RulesSinceVersion2::cautious(&params);
            let migrated = MarketParams {
                keepers,
                stages,
                ..params
            };
            migrated.check_since_version_2().unwrap();
            // Nobody but the oracle raises a stage, and no trigger is tightened before it does.
            assert_eq!(stages.deleverage_ltv_bps, deleverage);
            assert_eq!(
                (
                    stages.pool_divergence_bps,
                    stages.depth_drop_bps,
                    stages.utilisation_bps
                ),
                (0, 0, 0)
            );
        }
    }
}

fn caps(max_pool_deviation_bps: u32, max_swap_loss_bps: u32) -> Limits {
    Limits {
        max_pool_deviation_bps,
        max_swap_loss_bps,
        ..Limits::default()
    }
}

#[test]
fn swaps_that_protect_stay_within_the_arrays_that_a_pool_walks_through() {
    let with = caps;
    for (spacing, reach_bps) in [(1, 173), (2, 344), (4, 678), (64, 3_749)] {
        for loss in [0, 50, 100] {
            with(reach_bps - loss, loss).check_reach(spacing).unwrap();
            let beyond = with(reach_bps - loss + 1, loss).check_reach(spacing);
            assert_eq!(beyond, Err(BallastError::BadParameters.into()));
        }
        // From a pool that far above the oracle's price to that far below it, and the other way round.
        let ratio = |bps: u32, sign: f64| 1.0 + sign * f64::from(bps) / 10_000.0;
        let (deviation, loss) = (reach_bps - 50, 50);
        let arrays = 1.0001f64.powi(2 * 88 * i32::from(spacing));
        assert!(ratio(deviation, 1.0) / ratio(loss, -1.0) <= arrays);
        assert!(ratio(loss, 1.0) / ratio(deviation, -1.0) <= arrays);
    }
    assert!(with(u32::MAX, u32::MAX).check_reach(u16::MAX).is_err());
}

/// Against the limit at which a swap ends, which knows nothing of this rule.
#[test]
fn as_far_away_as_a_pool_may_be_a_swap_still_begins_and_a_little_farther_none_does() {
    use ballast_model::{
        SqrtPrice, Trade,
        price::{scale_down, scale_up, swap_limit},
    };
    let limit = |trade, loss, fee| swap_limit(trade, SqrtPrice::ONE, Bps::new(loss), fee).unwrap();
    let one = Bps::ONE.get();
    for fee in [0, 100, 400, 3_000, 10_000, 65_535] {
        for loss in [1, 30, 100, 153, 800, 2_000] {
            let deviation = largest_deviation_bps(loss, fee);
            let begins = least_swap_loss_bps(deviation, fee) <= loss;
            let ppm = u32::from(fee);
            let (buys, sells) = (
                limit(Trade::BuyBase, loss, ppm),
                limit(Trade::SellBase, loss, ppm),
            );
            if begins {
                assert!(buys > scale_up(SqrtPrice::ONE, Bps::new(one + deviation)).unwrap());
                assert!(sells < scale_down(SqrtPrice::ONE, Bps::new(one - deviation)).unwrap());
            } else {
                assert_eq!(deviation, 0, "{fee} {loss}");
            }
            let farther = deviation + 2;
            assert!(
                buys < scale_up(SqrtPrice::ONE, Bps::new(one + farther)).unwrap(),
                "{fee} {loss}"
            );
            let rests = deviation >= least_deviation_bps(fee);
            assert_eq!(
                caps(deviation, loss).check_fee(fee).is_ok(),
                begins && rests
            );
            let beyond = caps(deviation + 1, loss).check_fee(fee);
            assert_eq!(beyond, Err(BallastError::BadParameters.into()));
        }
    }
    // What the built-in markets have.
    assert_eq!(largest_deviation_bps(100, 400), 94);
    for (deviation, fee, loss) in [(100, 3_000, 132), (115, 10_000, 219)] {
        assert_eq!(least_swap_loss_bps(deviation, fee), loss);
        caps(deviation, loss).check_fee(fee).unwrap();
    }
}

/// Somebody brings a pool back only while that earns more than the fee: what is bought below the oracle's price is worth more than
/// was paid, and what is sold above it less than was got.
#[test]
fn a_pool_that_nobody_is_paid_to_bring_back_is_near_enough_for_a_swap() {
    for fee in [0, 100, 400, 3_000, 10_000, 65_535] {
        let kept = 1.0 - f64::from(fee) / 1e6;
        let least = f64::from(least_deviation_bps(fee)) / 1e4;
        // Brought back from there pays, with a tenth of a percent to spare.
        assert!((1.0 + least) * kept > 1.001, "{fee}");
        assert!(kept / (1.0 - least) > 1.001, "{fee}");
        let least = least_deviation_bps(fee);
        let loss = least_swap_loss_bps(least, fee);
        caps(least, loss).check_fee(fee).unwrap();
        for (deviation, loss) in [(least - 1, loss), (least, loss - 1)] {
            let short = caps(deviation, loss).check_fee(fee);
            assert_eq!(short, Err(BallastError::BadParameters.into()), "{fee}");
        }
    }
    // A pool of 1 % rests outside of 50 bps.
    assert!(caps(50, 153).check_fee(10_000).is_err());
}

#[test]
fn limits_that_fall_short_of_the_fee_become_no_worse() {
    let passes = |(deviation, loss), (then_deviation, then_loss), fee| {
        let now = caps(deviation, loss);
        caps(then_deviation, then_loss)
            .check_fee_after(&now, fee)
            .is_ok()
    };
    for (now, then, fee, expected) in [
        // A greater distance takes more than itself from the cap.
        ((115, 219), (200, 304), 10_000, false),
        ((115, 219), (200, 305), 10_000, true),
        ((68, 100), (468, 500), 3_000, false),
        ((68, 100), (468, 501), 3_000, true),
        // Less than now does no harm where it is enough.
        ((68, 200), (68, 100), 3_000, true),
        // What was short may stay, or come nearer.
        ((100, 100), (100, 100), 3_000, true),
        ((100, 100), (100, 101), 3_000, true),
        ((100, 100), (99, 100), 3_000, true),
        ((100, 100), (100, 99), 3_000, false),
        ((100, 100), (101, 100), 3_000, false),
        ((50, 153), (50, 153), 10_000, true),
        ((50, 153), (60, 164), 10_000, true),
        ((50, 153), (49, 153), 10_000, false),
        ((50, 153), (115, 218), 10_000, false),
        ((50, 153), (115, 219), 10_000, true),
    ] {
        assert_eq!(
            passes(now, then, fee),
            expected,
            "{now:?} to {then:?} at {fee}"
        );
    }
}
