//! Liquidation: lands at the target, gives no more than the bonus, makes no bad debt.

use crate::common;

use ballast_model::{
    Amounts, Band, Bps, LiquidationError, Position, SqrtPrice, Tick, plan_liquidation, value_up,
};
use common::{config, margin, positions, prices, unit};
use proptest::prelude::*;
use ruint::aliases::U512;

proptest! {
    #![proptest_config(config(20_000))]

    /// Lands at the target from below within rounding; gives no more than the bonus; never leaves less equity than none
    /// where there was some.
    #[test]
    fn liquidation_lands_at_the_target(
        (position, oracle) in positions(16..60).prop_flat_map(|p| (Just(p), prices(p.band))),
        target in 1_000u32..8_500, bonus in 0u32..1_500,
    ) {
        let (target, bonus) = (Bps::new(target), Bps::new(bonus));
        let before = position.value(oracle).unwrap();
        if before.assets.max(before.debt) >= 1 << 100 {
            // Beyond what the plans represent; tests/extremes.rs has those.
            return Ok(());
        }
        let plan = match plan_liquidation(&position, oracle, target, bonus) {
            Ok(plan) => plan,
            Err(error) => {
                let not_needed = matches!(error, LiquidationError::NotNeeded { .. });
                prop_assert!(not_needed && !before.ltv_above(target), "{}", error);
                return Ok(());
            }
        };
        prop_assert!(before.ltv_above(target));
        let after = plan.apply(&position).unwrap();
        let left = after.value(oracle).unwrap();
        let unit = unit(oracle);
        let paid = value_up(plan.repay.base, oracle).unwrap() + u128::from(plan.repay.quote);
        let given = before.assets - left.assets;
        // Never more than the bonus on what was repaid, but for cutting what remains to whole units.
        let allowed = bonus.of_down(paid).unwrap() + paid + 2 * unit + 4;
        if plan.full {
            prop_assert_eq!((after.liquidity, after.idle), (0, Amounts::ZERO));
            prop_assert!(10_000 * before.assets <= before.debt * u128::from(10_000 + bonus.get()));
            if before.debt <= before.assets {
                prop_assert!(after.debt.is_zero() && given <= allowed);
            } else {
                // No bonus; what is left is what was not covered before.
                prop_assert!(paid <= before.assets + 1);
                prop_assert!(paid + unit + 2 >= before.assets);
                let uncovered = before.debt - before.assets;
                prop_assert!(left.debt >= uncovered.saturating_sub(1) && left.debt <= uncovered + unit + 3);
            }
        } else {
            prop_assert!(given <= allowed, "{} > {}", given, allowed);
            prop_assert!((plan.repay.base > 0) == (position.debt.base > 0));
            prop_assert!((plan.repay.quote > 0) == (position.debt.quote > 0));
            // What remains covers its debt, but for a unit of base where that is what the position is counted in.
            prop_assert!(left.debt <= left.assets + unit + 2, "a liquidation made bad debt: {:?}", left);
            let off = margin(&after, oracle, target);
            // A unit each of what is repaid, seized and left in the pool.
            let units = 3.0 * (unit as f64 + 2.0) + 1e-15 * before.assets as f64;
            prop_assert!(off.abs() <= units, "off the target by {} of {}: {:?}", off, units, left);
        }
        let equity = before.equity();
        prop_assert!(equity < 0 || left.equity() >= -(unit as i128 + 2));
        prop_assert!(plan.seize_num <= plan.seize_den && plan.seize_den > 0);
        // The largest whole amounts that are not more than the fraction.
        for (seized, of) in [
            (plan.withdraw_liquidity, position.liquidity),
            (plan.seize_idle.base.into(), position.idle.base.into()),
            (plan.seize_idle.quote.into(), position.idle.quote.into()),
        ] {
            let exact = U512::from(of) * U512::from(plan.seize_num);
            let den = U512::from(plan.seize_den);
            prop_assert!(U512::from(seized) * den <= exact && exact < (U512::from(seized) + U512::from(1)) * den);
        }
    }
}

#[test]
fn underwater_positions_are_liquidated_without_bonus() {
    let band = Band::new(Tick::new(-1_000).unwrap(), Tick::new(1_000).unwrap()).unwrap();
    let position = Position {
        band,
        liquidity: 1_000_000,
        idle: Amounts {
            base: 1_000,
            quote: 1_000,
        },
        debt: Amounts {
            base: 100_000,
            quote: 100_000,
        },
    };
    let one = SqrtPrice::ONE;
    let plan = plan_liquidation(&position, one, Bps::new(8_000), Bps::new(500)).unwrap();
    assert!(plan.full && plan.before.debt == 200_000 && plan.before.assets < 200_000);
    assert_eq!(
        (plan.withdraw_liquidity, plan.seize_idle),
        (1_000_000, position.idle)
    );
    let each = (100_000 * plan.before.assets / 200_000) as u64;
    assert_eq!(
        plan.repay,
        Amounts {
            base: each,
            quote: each
        }
    );
    // Nothing owned: nothing to repay, everything is bad debt.
    let nothing = Position {
        liquidity: 0,
        idle: Amounts::ZERO,
        ..position
    };
    let plan = plan_liquidation(&nothing, one, Bps::new(8_000), Bps::new(500)).unwrap();
    assert!(
        plan.full && plan.repay.is_zero() && plan.apply(&nothing).unwrap().debt == position.debt
    );
}

#[test]
fn refusals_name_what_is_wrong() {
    let band = Band::new(Tick::new(-1_000).unwrap(), Tick::new(1_000).unwrap()).unwrap();
    let position = Position {
        band,
        liquidity: 1_000,
        idle: Amounts::ZERO,
        debt: Amounts { base: 0, quote: 40 },
    };
    assert_eq!(
        plan_liquidation(&position, SqrtPrice::ONE, Bps::new(9_600), Bps::new(500)),
        Err(LiquidationError::BadTarget {
            target: Bps::new(9_600),
            bonus: Bps::new(500)
        })
    );
    assert!(matches!(
        plan_liquidation(&position, SqrtPrice::ONE, Bps::new(8_000), Bps::new(500)),
        Err(LiquidationError::NotNeeded { ltv_bps: 4_167, .. })
    ));
}
