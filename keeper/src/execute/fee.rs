//! How much to pay for a place in a block: the nearer the liquidation boundary, the more.

use ballast_model::{Boundaries, Bps, Position, SqrtPrice, price};
use ballast_strategy::decide::ActionKind;

use crate::config::Fees;

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

/// Whether there is no time to simulate.
pub fn is_urgent(fees: &Fees, distance_bps: Option<u32>) -> bool {
    distance_bps.is_some_and(|distance| distance <= fees.urgent_distance_bps)
}

/// Micro-lamports per compute unit: from the least, at the relaxed distance, linearly to the most, at the urgent one.
/// Every attempt before that did not land halves the distance. Never more than the caps allow for `compute_units`.
pub fn micro_lamports(
    fees: &Fees,
    distance_bps: Option<u32>,
    attempt: u32,
    compute_units: u32,
) -> u64 {
    let (near, far) = (fees.urgent_distance_bps, fees.relaxed_distance_bps);
    let distance = distance_bps
        .unwrap_or(far)
        .checked_shr(attempt)
        .unwrap_or(0);
    let relaxed = distance >= far;
    let distance = distance.clamp(near, far);
    let span = u128::from(
        fees.max_micro_lamports
            .saturating_sub(fees.min_micro_lamports),
    );
    let (gone, way) = (u128::from(far - distance), u128::from(far - near));
    // Urgent and relaxed may be the same distance: all within it is urgent.
    let rise = if relaxed {
        0
    } else {
        (span * gone).checked_div(way).unwrap_or(span)
    };
    let wanted = fees
        .min_micro_lamports
        .saturating_add(u64::try_from(rise).unwrap_or(u64::MAX));
    let affordable =
        u128::from(fees.max_lamports_per_action) * 1_000_000 / u128::from(compute_units.max(1));
    wanted
        .min(fees.max_micro_lamports)
        .min(u64::try_from(affordable).unwrap_or(u64::MAX))
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
    };

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
                micro_lamports(&FEES, distance, 0, 100_000),
                expected,
                "{distance:?}"
            );
        }
        assert_eq!(
            micro_lamports(&FEES, Some(900), 1, 100_000),
            micro_lamports(&FEES, Some(450), 0, 100_000)
        );
        assert_eq!(micro_lamports(&FEES, Some(900), 40, 100_000), 1_001_000);
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
                micro_lamports(&fees, distance, 0, 100_000),
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
            assert_eq!(is_urgent(&FEES, distance), urgent);
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

    proptest! {
        #[test]
        fn caps_hold(distance in proptest::option::of(any::<u32>()), attempt: u32, units: u32, cap in 0u64..1_000_000_000) {
            let fees = Fees { max_lamports_per_action: cap, ..FEES };
            let fee = micro_lamports(&fees, distance, attempt, units);
            prop_assert!(fee <= fees.max_micro_lamports);
            prop_assert!(u128::from(fee) * u128::from(units) <= u128::from(cap) * 1_000_000);
        }
    }
}
