//! Swap-free deleverage: the target is reached, no more is withdrawn than needed, and what cannot be done is said.

use crate::common;

use ballast_model::{
    Amounts, Band, Bps, DeleverageError, Position, SqrtPrice, Tick, plan_deleverage,
    plan_deleverage_part, plan_liquidation, value_down,
};
use common::{at, config, margin, positions, prices, sqrt_price, unit};
use proptest::prelude::*;

fn rescaled(at: SqrtPrice, factor: f64) -> SqrtPrice {
    let x64 = (at.x64() as f64 * factor.sqrt()) as u128;
    sqrt_price(x64.clamp(SqrtPrice::MIN.x64(), SqrtPrice::MAX.x64()))
}

/// Withdraws at the pool's price and repays what is owed of what is there.
fn withdrawn(position: &Position, pool: SqrtPrice, liquidity: u128) -> Position {
    let there = position
        .band
        .amounts_down(liquidity, pool)
        .unwrap()
        .checked_add(position.idle)
        .unwrap();
    let repay = there.min(position.debt);
    Position {
        liquidity: position.liquidity - liquidity,
        idle: there.checked_sub(repay).unwrap(),
        debt: position.debt.checked_sub(repay).unwrap(),
        ..*position
    }
}

proptest! {
    #![proptest_config(config(20_000))]

    /// LTV ends at or below the target, with one more unit owed on each side too; with less liquidity than the plan's, by
    /// what its allowance for rounding is worth, it would end above; and "needs a swap" means that everything is not enough.
    #[test]
    fn deleverage_reaches_the_target_and_no_further(
        (position, oracle) in positions(16..60).prop_flat_map(|p| (Just(p), prices(p.band))),
        apart in prop_oneof![2 => -0.02f64..0.02, 1 => -0.6f64..1.0], target in 1_000u32..9_900,
    ) {
        let target = Bps::new(target);
        let pool = rescaled(oracle, 1.0 + apart);
        let before = position.value(oracle).unwrap();
        if before.assets.max(before.debt) >= 1 << 100 {
            // Beyond what the plans represent; tests/extremes.rs has those.
            return Ok(());
        }
        let plan = match plan_deleverage(&position, oracle, pool, target) {
            Ok(plan) => plan,
            Err(DeleverageError::NotNeeded { ltv_bps, .. }) => {
                prop_assert!(!before.ltv_above(target) && ltv_bps == before.ltv_bps_up());
                return Ok(());
            }
            Err(DeleverageError::NeedsSwap { .. }) => {
                let everything = withdrawn(&position, pool, position.liquidity);
                // Above the target, or below it by less than what the plan must leave for shares that round.
                prop_assert!(margin(&everything, oracle, target) < (unit(oracle) + 3) as f64);
                return Ok(());
            }
            Err(other) => return Err(TestCaseError::fail(format!("{other}"))),
        };
        prop_assert!(before.ltv_above(target));
        prop_assert!(plan.liquidity <= position.liquidity);
        let after = plan.apply(&position).unwrap();
        prop_assert_eq!(after, withdrawn(&position, pool, plan.liquidity));
        prop_assert!(!after.value(oracle).unwrap().ltv_above(target));
        let owing = |debt: u64| debt + u64::from(debt > 0);
        let shares = Position { debt: Amounts { base: owing(after.debt.base), quote: owing(after.debt.quote) }, ..after };
        prop_assert!(!shares.value(oracle).unwrap().ltv_above(target));

        // Equity is what it was, but for rounding and for what the pool pays beyond the valuation.
        let equity = (before.equity(), after.value(oracle).unwrap().equity());
        prop_assert!(equity.1 >= equity.0 - 2 * (unit(oracle) as i128 + 2));

        // Less by a millionth, or by liquidity whose effect exceeds the allowance for rounding, is not enough.
        if plan.liquidity > 0 {
            let all = position.pool_amounts_down(pool).unwrap();
            let allowance = (6 * unit(oracle) + 20) as f64;
            let share = f64::from(Bps::ONE.get() - target.get()) / 1e4;
            // The side that still flows at the end is worth at least the smaller of what is flowing.
            let flowing = [
                (value_down(all.base, oracle).unwrap(), after.debt.base > 0),
                (u128::from(all.quote), after.debt.quote > 0),
            ];
            let flow = flowing.iter().filter(|side| side.1).map(|side| side.0).sum::<u128>() as f64;
            let less = if after.debt.is_zero() || flow == 0.0 {
                // Everything is repaid, or what matters is spread over both: take a fixed share away.
                return Ok(());
            } else {
                (allowance / (share * flow)).max(1e-6)
            };
            if less < 1.0 {
                let amount = (position.liquidity as f64 * less) as u128 + 1 + (plan.liquidity as f64 * 1e-6) as u128;
                if amount <= plan.liquidity {
                    let short = withdrawn(&position, pool, plan.liquidity - amount);
                    prop_assert!(short.value(oracle).unwrap().ltv_above(target), "{} of {}", amount, plan.liquidity);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(config(20_000))]

    /// Each debt is repaid, or all of its token in the pool is used for it; with less liquidity something repaid would not be; and
    /// equity is what it was.
    #[test]
    fn the_part_that_goes_without_a_swap_is_the_most_and_no_more(
        (position, oracle) in positions(16..60).prop_flat_map(|p| (Just(p), prices(p.band))),
        apart in prop_oneof![2 => -0.02f64..0.02, 1 => -0.6f64..1.0],
    ) {
        let pool = rescaled(oracle, 1.0 + apart);
        let before = position.value(oracle).unwrap();
        if before.assets.max(before.debt) >= 1 << 100 {
            return Ok(());
        }
        let plan = plan_deleverage_part(&position, pool).unwrap();
        let after = plan.apply(&position).unwrap();
        prop_assert_eq!(after, withdrawn(&position, pool, plan.liquidity));
        let all = position.pool_amounts_down(pool).unwrap();
        for (owed, pooled) in [(after.debt.base, all.base), (after.debt.quote, all.quote)] {
            prop_assert!(owed == 0 || pooled == 0 || plan.liquidity == position.liquidity);
        }
        if plan.liquidity > 0 {
            // By what four units of either token are in liquidity.
            // A unit of liquidity may be several of a token.
            let unit = |all: u64| (position.liquidity * 4).checked_div(u128::from(all)).unwrap_or(0) + 2;
            let less = plan.liquidity.saturating_sub(unit(all.base).max(unit(all.quote)));
            prop_assert!(less == 0 || withdrawn(&position, pool, less).debt != after.debt);
        }
        let value = after.value(oracle).unwrap();
        prop_assert!(value.equity() >= before.equity() - 2 * (unit(oracle) as i128 + 2));
    }
}

/// A published margin: D / A of this position, inverted, in Q64.64.
#[test]
fn constant_target_margin() {
    let band = Band::from_sqrt_prices(
        sqrt_price(17_499_818_628_114_608_849),
        sqrt_price(26_086_568_254_500_584_001),
    )
    .unwrap();
    let position = Position {
        band,
        liquidity: 3_902_203_900,
        idle: Amounts::ZERO,
        debt: Amounts {
            base: 384_073_560,
            quote: 969_580_690,
        },
    };
    let value = position.value(at(1.5)).unwrap();
    let margin_x64 = ballast_clmm::wide::shl64_div_down(value.assets, value.debt).unwrap();
    // The published margin keeps fractions of units of both amounts: three units of assets and one of debt.
    let units = 20_496_382_321_088_983_824u128.abs_diff(margin_x64) as f64 / margin_x64 as f64
        * value.assets as f64;
    assert!(units < 4.0, "{units}");
    // Below 1.25 by constant target: both ways of getting there end at or above it.
    let target = Bps::new(8_000);
    let plan = plan_deleverage(&position, at(1.5), at(1.5), target).unwrap();
    let after = plan.apply(&position).unwrap().value(at(1.5)).unwrap();
    assert!(!after.ltv_above(target) && after.ltv_at_least(Bps::new(7_999)));
    let plan = plan_liquidation(&position, at(1.5), target, Bps::new(500)).unwrap();
    let after = plan.apply(&position).unwrap().value(at(1.5)).unwrap();
    assert!(!plan.full && after.ltv_bps_up() <= 8_001 && after.ltv_at_least(Bps::new(7_999)));
}

#[test]
fn idle_tokens_may_be_enough_to_deleverage() {
    let band = Band::new(Tick::new(-1_000).unwrap(), Tick::new(1_000).unwrap()).unwrap();
    let position = Position {
        band,
        liquidity: 1 << 40,
        idle: Amounts {
            base: 0,
            quote: 60_000_000_000,
        },
        debt: Amounts {
            base: 0,
            quote: 130_000_000_000,
        },
    };
    let one = SqrtPrice::ONE;
    assert!(position.value(one).unwrap().ltv_above(Bps::new(7_000)));
    let plan = plan_deleverage(&position, one, one, Bps::new(7_000)).unwrap();
    assert_eq!((plan.liquidity, plan.withdraw), (0, Amounts::ZERO));
    assert_eq!(
        plan.repay,
        Amounts {
            base: 0,
            quote: 60_000_000_000
        }
    );
}

/// A target that only being free of debt satisfies takes what repays everything, not everything.
#[test]
fn repaying_everything_leaves_the_rest_in_the_pool() {
    let band = Band::new(Tick::new(-1_000).unwrap(), Tick::new(1_000).unwrap()).unwrap();
    let one = SqrtPrice::ONE;
    let bare = Position {
        band,
        liquidity: 1 << 50,
        idle: Amounts::ZERO,
        debt: Amounts::ZERO,
    };
    let all = bare.pool_amounts_down(one).unwrap();
    let position = Position {
        debt: Amounts {
            base: all.base / 10,
            quote: all.quote / 20,
        },
        ..bare
    };
    let plan = plan_deleverage(&position, one, one, Bps::ZERO).unwrap();
    assert_eq!(plan.repay, position.debt);
    // Enough for the larger part, the base, to the unit of liquidity that a unit of base is.
    let tenth = bare.liquidity / 10;
    assert!(
        plan.liquidity.abs_diff(tenth) < 100,
        "{} {tenth}",
        plan.liquidity
    );
    assert_eq!(plan.apply(&position).unwrap().debt, Amounts::ZERO);
}

#[test]
fn one_sided_debts_need_a_swap() {
    // All in base below the band, all owed in quote.
    let band = Band::new(Tick::new(1_000).unwrap(), Tick::new(2_000).unwrap()).unwrap();
    let position = Position {
        band,
        liquidity: 1 << 40,
        idle: Amounts::ZERO,
        debt: Amounts {
            base: 0,
            quote: 50_000_000_000,
        },
    };
    let target = Bps::new(1_000);
    let one = SqrtPrice::ONE;
    assert_eq!(
        plan_deleverage(&position, one, one, target),
        Err(DeleverageError::NeedsSwap { target })
    );
    let shown = DeleverageError::NeedsSwap { target }.to_string();
    assert_eq!(
        shown,
        "repaying both debts without a swap cannot reach LTV 10.00%: swap first, or close"
    );
    // Even when it is over-indebted, as long as the tokens match everything can be repaid with what is there.
    assert_eq!(
        plan_deleverage(&position, one, one, Bps::ONE),
        Err(DeleverageError::BadTarget(Bps::ONE))
    );
}
