//! How much to pay for a place in a block: the nearer the liquidation boundary by price or time, the more; and no more than a part of what
//! is lost there.

use ballast_client::Limits;
use ballast_model::{Boundaries, Bps, Position, Side, SqrtPrice, price};
use ballast_strategy::{
    decide::{ActionKind, Assessment},
    urgency::{Fences, MOST_URGENT_PPM, Stakes, at_stake_lamports_up},
};

use crate::config::{Bundles, Fees};

/// Compute-unit limit of an action that is not simulated first.
pub fn compute_units_unsimulated(kind: ActionKind) -> u32 {
    match kind {
        ActionKind::RefreshPrice | ActionKind::RefreshStage => 100_000,
        ActionKind::Rehedge | ActionKind::Deleverage | ActionKind::Compound => 300_000,
        ActionKind::DeleverageSwap | ActionKind::Liquidate => 400_000,
        ActionKind::Exit => 500_000,
        ActionKind::Recenter => 700_000,
    }
}

/// Added for each token account that has to be created first.
pub const UNITS_TO_CREATE_WALLET: u32 = 50_000;

/// Distance of the oracle's price to the nearer liquidation boundary, in basis points of the price; 0 at or beyond it,
/// `None` if there is none.
pub fn distance_bps(model: &Position, oracle: SqrtPrice, maintenance: Bps) -> Option<u32> {
    let Ok(boundaries) = model.boundaries(maintenance) else {
        return Some(0);
    };
    match boundaries {
        Boundaries::Interval { lower, upper } if boundaries.contains(oracle) => lower
            .into_iter()
            .chain(upper)
            .map(|end| price::distance_bps(oracle, end))
            .min(),
        _ => Some(0),
    }
}

/// What is known of a position's boundary, by which its fee is set. `sol`: which of the market's tokens is SOL.
pub fn stakes(
    at: &Assessment,
    limits: &Limits,
    day_ticks: Option<u32>,
    sol: Option<Side>,
) -> Stakes {
    let bonus = Bps::new(limits.liquidation_bonus_bps);
    let distance = distance_bps(&at.model, at.oracle, Bps::new(limits.maintenance_ltv_bps));
    Stakes {
        distance_bps: distance,
        day_ticks,
        // What cannot be computed bounds nothing.
        at_stake_lamports: at_stake_lamports_up(&at.value, at.oracle, bonus, sol)
            .ok()
            .flatten()
            .filter(|_| distance.is_some()),
    }
}

/// Between which distances and times the fee rises.
pub fn fences(fees: &Fees) -> Fences {
    Fences {
        relaxed_distance_bps: fees.relaxed_distance_bps,
        urgent_distance_bps: fees.urgent_distance_bps,
        relaxed_secs: fees.relaxed_secs,
        urgent_secs: fees.urgent_secs,
    }
}

/// Whether there is no time to simulate.
pub fn is_urgent(fees: &Fees, stakes: &Stakes) -> bool {
    stakes.is_urgent(&fences(fees))
}

/// Micro-lamports per compute unit: from the least, where nothing is urgent, linearly to the most. Never more than the caps allow for
/// `compute_units` beside a tip, nor than a part of what is at stake; but the least is always paid.
pub fn micro_lamports(
    fees: &Fees,
    stakes: &Stakes,
    attempt: u32,
    compute_units: u32,
    tip_lamports: u64,
) -> u64 {
    let span = fees
        .max_micro_lamports
        .saturating_sub(fees.min_micro_lamports);
    let wanted = fees
        .min_micro_lamports
        .saturating_add(risen(fees, stakes, attempt, span));
    let affordable_down = |lamports: u64| {
        let left = lamports.saturating_sub(tip_lamports);
        let most = u128::from(left) * 1_000_000 / u128::from(compute_units.max(1));
        u64::try_from(most).unwrap_or(u64::MAX)
    };
    let worth = stakes.worth_lamports_down(Bps::new(fees.max_stake_bps));
    let worth = worth.map_or(u64::MAX, affordable_down);
    wanted
        .min(worth.max(fees.min_micro_lamports))
        .min(fees.max_micro_lamports)
        .min(affordable_down(fees.max_lamports_per_action))
}

/// The tip of a bundle: from the least, where nothing is urgent, linearly to the most. Never more than half of what the caps allow for a
/// transaction, nor than half of the part of what is at stake. `None`: that is less than engines take.
pub fn tip_lamports(bundles: &Bundles, fees: &Fees, stakes: &Stakes, attempt: u32) -> Option<u64> {
    let (least, most) = (bundles.min_tip_lamports, bundles.max_tip_lamports);
    let rise = risen(fees, stakes, attempt, most.saturating_sub(least));
    let worth = stakes.worth_lamports_down(Bps::new(fees.max_stake_bps));
    let tip = least
        .saturating_add(rise)
        .min(fees.max_lamports_per_action / 2)
        .min(worth.map_or(u64::MAX, |worth| worth / 2));
    (tip >= least).then_some(tip)
}

/// The part of a span that is reached by urgency, rounded down.
fn risen(fees: &Fees, stakes: &Stakes, attempt: u32, span: u64) -> u64 {
    let urgency = u128::from(stakes.urgency_ppm(&fences(fees), attempt));
    let rise = u128::from(span) * urgency / u128::from(MOST_URGENT_PPM);
    u64::try_from(rise).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use ballast_strategy::fixtures;
    use proptest::prelude::*;

    use super::*;

    const FEES: Fees = Fees {
        min_micro_lamports: 1_000,
        max_micro_lamports: 1_001_000,
        warn_below_lamports: 0,
        max_lamports_per_action: 1_000_000,
        max_lamports_per_hour: 1_000_000_000,
        reserved_lamports_per_hour: 0,
        relaxed_distance_bps: 1_000,
        urgent_distance_bps: 100,
        relaxed_secs: 21_600,
        urgent_secs: 600,
        max_stake_bps: 1_000,
    };

    fn at(distance_bps: Option<u32>) -> Stakes {
        Stakes {
            distance_bps,
            ..Stakes::default()
        }
    }

    #[test]
    fn it_rises_towards_the_boundary() {
        for (distance, expected) in [
            (None, 1_000),
            (Some(5_000), 1_000),
            (Some(1_000), 1_000),
            (Some(550), 501_000),
            (Some(100), 1_001_000),
            (Some(0), 1_001_000),
        ] {
            assert_eq!(
                micro_lamports(&FEES, &at(distance), 0, 100_000, 0),
                expected,
                "{distance:?}"
            );
        }
        assert_eq!(
            micro_lamports(&FEES, &at(Some(900)), 1, 100_000, 0),
            micro_lamports(&FEES, &at(Some(450)), 0, 100_000, 0)
        );
        assert_eq!(
            micro_lamports(&FEES, &at(Some(900)), 40, 100_000, 0),
            1_001_000
        );
    }

    #[test]
    fn with_one_distance_for_both_it_is_the_least_from_there_on() {
        let fees = Fees {
            urgent_distance_bps: 1_000,
            ..FEES
        };
        for (distance, expected) in [
            (None, 1_000),
            (Some(1_000), 1_000),
            (Some(999), 1_001_000),
            (Some(0), 1_001_000),
        ] {
            assert_eq!(
                micro_lamports(&fees, &at(distance), 0, 100_000, 0),
                expected,
                "{distance:?}"
            );
        }
    }

    #[test]
    fn urgent_is_within_the_distance() {
        for (distance, urgent) in [
            (None, false),
            (Some(101), false),
            (Some(100), true),
            (Some(0), true),
        ] {
            assert_eq!(is_urgent(&FEES, &at(distance)), urgent);
        }
    }

    #[test]
    fn the_worked_example_is_liquidated_at_258_and_110_dollars() {
        let (market, position) = (fixtures::snapshot(200), fixtures::position());
        let model = fixtures::situation(&market, &position).model().unwrap();
        let distance =
            |cents| distance_bps(&model, fixtures::sqrt_price_cents(cents), Bps::new(8_000));
        // 258.635 / 200 = 1.2932, and 110.847 / 120 = 0.9237.
        assert!(
            distance(20_000).unwrap().abs_diff(2_932) <= 15,
            "{:?}",
            distance(20_000)
        );
        assert!(
            distance(12_000).unwrap().abs_diff(763) <= 15,
            "{:?}",
            distance(12_000)
        );
        assert_eq!(distance(26_000), Some(0));
        assert_eq!(
            distance_bps(
                &Position {
                    debt: Default::default(),
                    ..model
                },
                fixtures::sqrt_price_cents(1),
                Bps::ONE
            ),
            None
        );
    }

    #[test]
    fn little_at_stake_is_worth_little_but_the_least_is_paid() {
        let with = |lamports| Stakes {
            at_stake_lamports: Some(lamports),
            ..at(Some(0))
        };
        // A tenth of it, for 100,000 units.
        for (lamports, expected) in [
            (0, 1_000),
            (1_000, 1_000),
            (10_000, 10_000),
            (1_001_000, 1_001_000),
            (u64::MAX, 1_001_000),
        ] {
            assert_eq!(
                micro_lamports(&FEES, &with(lamports), 0, 100_000, 0),
                expected
            );
        }
    }

    #[test]
    fn the_worked_example_stakes_its_bonus_where_its_base_is_sol() {
        let (market, position) = (fixtures::snapshot(200), fixtures::position());
        let at =
            ballast_strategy::decide::assess(&fixtures::situation(&market, &position)).unwrap();
        let limits = &market.market.limits;
        let found = stakes(&at, limits, Some(400), Some(Side::Base));
        let maintenance = Bps::new(limits.maintenance_ltv_bps);
        let distance = distance_bps(&at.model, at.oracle, maintenance);
        assert_eq!((found.distance_bps, found.day_ticks), (distance, Some(400)));
        let bonus = u128::from(limits.liquidation_bonus_bps) * at.value.debt / 10_000;
        // 200 dollars of 10^6 units are a SOL of 10^9.
        let lamports = u128::from(found.at_stake_lamports.unwrap());
        assert!(lamports.abs_diff(bonus * 5) < 20, "{lamports} {bonus}");
        assert_eq!(stakes(&at, limits, None, None).at_stake_lamports, None);
    }

    fn any_stakes() -> impl Strategy<Value = Stakes> {
        (
            proptest::option::of(0u32..20_000),
            proptest::option::of(any::<u32>()),
            proptest::option::of(any::<u64>()),
        )
            .prop_map(|(distance_bps, day_ticks, at_stake_lamports)| Stakes {
                distance_bps,
                day_ticks,
                at_stake_lamports,
            })
    }

    const BUNDLES: fn() -> Bundles = || Bundles {
        min_tip_lamports: 1_000,
        max_tip_lamports: 101_000,
        ..Bundles::default()
    };

    #[test]
    fn the_tip_rises_towards_the_boundary_and_is_no_more_than_half_of_the_caps() {
        for (distance, expected) in [
            (None, 1_000),
            (Some(1_000), 1_000),
            (Some(550), 51_000),
            (Some(0), 101_000),
        ] {
            let tip = tip_lamports(&BUNDLES(), &FEES, &at(distance), 0);
            assert_eq!(tip, Some(expected), "{distance:?}");
        }
        let cap = |lamports| Fees {
            max_lamports_per_action: lamports,
            ..FEES
        };
        let tip = |fees: &Fees| tip_lamports(&BUNDLES(), fees, &at(Some(0)), 0);
        assert_eq!(tip(&cap(60_000)), Some(30_000));
        assert_eq!(tip(&cap(2_000)), Some(1_000));
        assert_eq!(tip(&cap(1_999)), None);
        let with = |lamports| Stakes {
            at_stake_lamports: Some(lamports),
            ..at(Some(0))
        };
        // Half of a tenth.
        assert_eq!(
            tip_lamports(&BUNDLES(), &FEES, &with(100_000), 0),
            Some(5_000)
        );
        assert_eq!(tip_lamports(&BUNDLES(), &FEES, &with(19_999), 0), None);
    }

    proptest! {
        #[test]
        fn caps_hold_with_a_tip(stakes in any_stakes(), attempt: u32, units: u32, cap in 0u64..1_000_000_000) {
            let fees = Fees { max_lamports_per_action: cap, ..FEES };
            let Some(tip) = tip_lamports(&BUNDLES(), &fees, &stakes, attempt) else {
                return Ok(());
            };
            prop_assert!((1_000..=101_000).contains(&tip));
            let fee = micro_lamports(&fees, &stakes, attempt, units, tip);
            prop_assert!(fee <= micro_lamports(&fees, &stakes, attempt, units, 0));
            let cost = u128::from(fee) * u128::from(units) + u128::from(tip) * 1_000_000;
            prop_assert!(cost <= u128::from(cap) * 1_000_000);
            if let Some(worth) = stakes.worth_lamports_down(Bps::new(fees.max_stake_bps)) {
                let least = fee <= fees.min_micro_lamports;
                prop_assert!(least || cost <= u128::from(worth) * 1_000_000);
                prop_assert!(tip <= worth / 2);
            }
        }

        #[test]
        fn caps_hold(stakes in any_stakes(), attempt: u32, units: u32, cap in 0u64..1_000_000_000) {
            let fees = Fees { max_lamports_per_action: cap, ..FEES };
            let fee = micro_lamports(&fees, &stakes, attempt, units, 0);
            prop_assert!(fee <= fees.max_micro_lamports);
            prop_assert!(u128::from(fee) * u128::from(units) <= u128::from(cap) * 1_000_000);
            if let Some(worth) = stakes.worth_lamports_down(Bps::new(fees.max_stake_bps)) {
                let least = fee <= fees.min_micro_lamports;
                prop_assert!(least || u128::from(fee) * u128::from(units) <= u128::from(worth) * 1_000_000);
            }
        }

        #[test]
        fn nearer_or_more_at_stake_is_never_paid_less(stakes in any_stakes(), attempt in 0u32..20, units: u32, nearer: u32, more: u64) {
            let fee = |stakes| micro_lamports(&FEES, &stakes, attempt, units, 0);
            let near = Stakes { distance_bps: stakes.distance_bps.map(|it| it.saturating_sub(nearer)), ..stakes };
            prop_assert!(fee(near) >= fee(stakes));
            let much = Stakes { at_stake_lamports: stakes.at_stake_lamports.map(|it| it.saturating_add(more)), ..stakes };
            prop_assert!(fee(much) >= fee(stakes));
            prop_assert!(micro_lamports(&FEES, &stakes, attempt + 1, units, 0) >= fee(stakes));
        }
    }
}
