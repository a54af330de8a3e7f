//! What the plans promise, on random positions: the target is reached, no more is moved than needed, and what cannot be
//! done is said.

mod common;

use ballast_model::{
    Amounts, Band, Bps, DeleverageError, LiquidationError, OpenError, OpenRequest, Position,
    RehedgeError, SqrtPrice, Tick, Trade, plan_deleverage, plan_liquidation, plan_open,
    plan_rehedge, value_down, value_up,
};
use common::{at, bands, config, positions, price, prices, sqrt_price};
use proptest::prelude::*;
use ruint::aliases::U512;

/// `P`, rounded up, in whole quote units.
fn unit(at: SqrtPrice) -> u128 {
    value_up(1, at).unwrap()
}

/// Quote units by which a position at a price is off the target: `t A - D`, negative if above it.
fn margin(position: &Position, at: SqrtPrice, target: Bps) -> f64 {
    let value = position.value(at).unwrap();
    value.assets as f64 * f64::from(target.get()) / 1e4 - value.debt as f64
}

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
        apart in -0.02f64..0.02, target in 1_000u32..9_900,
    ) {
        let target = Bps::new(target);
        let pool = rescaled(oracle, 1.0 + apart);
        let before = position.value(oracle).unwrap();
        prop_assume!(before.assets.max(before.debt) < 1 << 100);
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

    /// Lands at the target from below within rounding; gives no more than the bonus; never leaves less equity than none
    /// where there was some.
    #[test]
    fn liquidation_lands_at_the_target(
        (position, oracle) in positions(16..60).prop_flat_map(|p| (Just(p), prices(p.band))),
        target in 1_000u32..8_500, bonus in 0u32..1_500,
    ) {
        let (target, bonus) = (Bps::new(target), Bps::new(bonus));
        let before = position.value(oracle).unwrap();
        prop_assume!(before.assets.max(before.debt) < 1 << 100);
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
            let units = 2.0 * (unit as f64 + 2.0) + 1e-15 * before.assets as f64;
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

    #[test]
    fn rehedge_makes_the_error_zero(
        (position, at) in positions(4..60).prop_flat_map(|p| (Just(p), prices(p.band))),
        hedge in 0u32..15_000,
    ) {
        let hedge = Bps::new(hedge);
        let error = position.hedge_error(at, hedge).unwrap();
        let plan = match plan_rehedge(&position, at, hedge) {
            Ok(plan) => plan,
            Err(failure) => {
                prop_assert_eq!((failure, error), (RehedgeError::Nothing, 0));
                return Ok(());
            }
        };
        let mut after = position;
        match plan.trade {
            // From what lies idle, else borrowed.
            Trade::SellBase => {
                let idle = plan.base.min(after.idle.base);
                after.idle.base -= idle;
                after.debt.base += plan.base - idle;
            }
            // Repays, else lies idle.
            Trade::BuyBase => {
                let repaid = plan.base.min(after.debt.base);
                after.debt.base -= repaid;
                after.idle.base += plan.base - repaid;
            }
        }
        prop_assert_eq!(after.hedge_error(at, hedge), Ok(0));
        prop_assert_eq!(plan_rehedge(&after, at, hedge), Err(RehedgeError::Nothing));
        // Without hedge ratio it is delta.
        prop_assert_eq!(position.hedge_error(at, Bps::ONE), position.delta(at));
    }

    /// Tokens add up to the unit, leverage and hedge are as asked for within rounding, and rounding is the owner's.
    #[test]
    fn open_adds_up(
        (band, at) in bands().prop_flat_map(|band| (Just(band), prices(band))),
        value in 10u32..56, base_part in prop_oneof![Just(0.0), Just(1.0), 0f64..1.0], leverage in prop_oneof![1 => Just(10_000u32), 5 => 10_000u32..60_000],
        hedge in prop_oneof![Just(10_000u32), Just(0), 0u32..12_000],
    ) {
        let value = 2f64.powi(value as i32);
        let base = value * base_part / price(at);
        prop_assume!(base < 1e18);
        let own = Amounts { base: base as u64, quote: (value * (1.0 - base_part)) as u64 };
        let request = OpenRequest { own, leverage: Bps::new(leverage), hedge: Bps::new(hedge), band, at };
        let equity = value_down(own.base, at).unwrap() + u128::from(own.quote);
        let plan = match plan_open(request) {
            Ok(plan) => plan,
            Err(OpenError::NotAffordable { hedge_value, debt_allowed, .. }) => {
                // The base debt alone exceeds all the debt, but for rounding.
                prop_assert!(hedge_value + 2 * (unit(at) + 3) > debt_allowed);
                return Ok(());
            }
            Err(OpenError::TooSmall(funds)) => {
                prop_assert_eq!(funds, equity);
                return Ok(());
            }
            Err(OpenError::Model(_)) => return Ok(()),
            Err(other) => return Err(TestCaseError::fail(format!("{other}"))),
        };
        prop_assert_eq!(band.amounts_up(plan.liquidity, at), Ok(plan.deposit));
        // Base: own + borrowed = deposited + sold. Quote: own + borrowed + proceeds = deposited + leftover.
        let base = i128::from(own.base) + i128::from(plan.borrow.base) - i128::from(plan.deposit.base);
        prop_assert_eq!(base, plan.base_surplus);
        prop_assert_eq!(u128::from(plan.borrow.base), (u128::from(plan.deposit.base) * u128::from(hedge)).div_ceil(10_000));
        let traded = plan.base_surplus.unsigned_abs() as u64;
        let proceeds = if plan.base_surplus > 0 {
            value_down(traded, at).unwrap() as i128
        } else {
            -(value_up(traded, at).unwrap() as i128)
        };
        let left = i128::from(own.quote) + i128::from(plan.borrow.quote) + proceeds - i128::from(plan.deposit.quote);
        prop_assert!(left >= 0);
        let one = Position { liquidity: 1, ..plan.position(band) };
        let coarse = value_up(band.amounts_up(1, at).unwrap().base, at).unwrap()
            + u128::from(band.amounts_up(1, at).unwrap().quote);
        let rounding = 4 * unit(at) + coarse + 12;
        prop_assert!(left as u128 <= rounding, "{} left of {:?}", left, one);
        prop_assert!(plan.borrow.quote == 0 || left == 0);
        if leverage == 10_000 && hedge == 0 {
            prop_assert_eq!(plan.borrow, Amounts::ZERO);
        }
        // As hedged and as leveraged as asked for, from below, within rounding.
        let position = plan.position(band);
        let value = position.value(at).unwrap();
        let wanted = Bps::new(leverage).of_down(equity).unwrap();
        prop_assert!(value.assets <= wanted && value.assets + rounding >= wanted, "{:?} {}", value, wanted);
        let hedge_error = position.hedge_error(at, Bps::new(hedge)).unwrap();
        prop_assert!((-3..=0).contains(&hedge_error), "{}", hedge_error);
        // Nothing comes from nowhere: what the owner put in covers equity.
        prop_assert!(value.equity() <= equity as i128);
        prop_assert!(value.equity() + left + rounding as i128 >= equity as i128);
        if own.base == 0 && hedge == 10_000 {
            prop_assert_eq!((plan.base_surplus, plan.borrow.base), (0, plan.deposit.base));
            if plan.borrow.quote > 0 {
                prop_assert_eq!(own.checked_add(plan.borrow), Ok(plan.deposit));
            }
        }
    }
}

/// The worked example of MATH section 2 with the mints' decimals, 9 and 6, sized to the last unit: what the reference model
/// gives for L, x and y, in raw units, rounded as the plan says.
#[test]
fn worked_example() {
    // The exact square roots of the prices 190, 200 and 210 in raw units (times 10^-3), rounded down.
    let root = |price: u128| {
        let exact = ballast_clmm::wide::U256::from(price) << 128usize;
        sqrt_price(ballast_clmm::wide::isqrt_down(
            exact / ballast_clmm::wide::U256::from(1_000u64),
        ))
    };
    let band = Band::from_sqrt_prices(root(190), root(210)).unwrap();
    let request = OpenRequest {
        own: Amounts {
            base: 0,
            quote: 100_000_000,
        },
        leverage: Bps::new(30_000),
        hedge: Bps::ONE,
        band,
        at: root(200),
    };
    let plan = plan_open(request).unwrap();
    // L = 13573729405.71, x = 731475723.87, y = 153704855.23, dy = 53704855.23.
    assert_eq!(plan.liquidity, 13_573_729_405);
    assert_eq!(
        plan.deposit,
        Amounts {
            base: 731_475_724,
            quote: 153_704_856
        }
    );
    assert_eq!(
        plan.borrow,
        Amounts {
            base: 731_475_724,
            quote: 53_704_856
        }
    );
    assert_eq!(plan.base_surplus, 0);

    let position = plan.position(band);
    let equity = |price: u128| position.equity_down(root(price)).unwrap();
    // 96.108106142659, 100, 96.298012567098, 67.038983612192: down by at most three units of rounding.
    for (price, exact) in [
        (190, 96_108_106),
        (200, 100_000_000),
        (210, 96_298_012),
        (250, 67_038_983),
    ] {
        assert!(
            (exact - 3..=exact).contains(&equity(price)),
            "{price}: {}",
            equity(price)
        );
    }
    assert_eq!(position.delta(root(190)), Ok(788_489_270));
    assert_eq!(position.delta(root(200)), Ok(-1));
    assert_eq!(position.delta(root(210)), Ok(-731_475_724));
    let leverage = position.value(root(250)).unwrap().leverage_bps_up();
    assert!((45_289..=45_291).contains(&leverage), "{leverage}");

    // Liquidation at 110.846787443450 and 258.635186985545, but for the two or three units that rounding costs there.
    let ballast_model::Boundaries::Interval {
        lower: Some(lower),
        upper: Some(upper),
    } = position.boundaries(Bps::new(8_000)).unwrap()
    else {
        panic!("two boundaries");
    };
    let near = |at: SqrtPrice, exact: f64| (price(at) * 1e3 / exact - 1.0).abs() < 5e-8;
    assert!(
        near(lower, 110.846787443450) && near(upper, 258.635186985545),
        "{lower} {upper}"
    );
}

/// The margin of MATH section 6: D / A of this position, inverted, in Q64.64.
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
    let request = OpenRequest {
        own: Amounts {
            base: 0,
            quote: 1_000_000,
        },
        leverage: Bps::new(12_000),
        hedge: Bps::ONE,
        band,
        at: band.sqrt_lower(),
    };
    // All base at the lower end: the hedge is worth 1.2 million, but the debt may be 0.2 million.
    let error = plan_open(request).unwrap_err();
    let OpenError::NotAffordable {
        hedge_value,
        debt_allowed,
        ..
    } = error
    else {
        panic!("{error}")
    };
    assert_eq!(debt_allowed, 200_000);
    assert!(
        (1_199_990..=1_200_001).contains(&hedge_value),
        "{hedge_value}"
    );
    assert!(
        error
            .to_string()
            .contains("raise leverage, lower the hedge ratio or move the band down")
    );
    // The same without a hedge is fine, and so is any leverage where all is quote.
    plan_open(OpenRequest {
        hedge: Bps::ZERO,
        ..request
    })
    .unwrap();
    plan_open(OpenRequest {
        leverage: Bps::new(60_000),
        at: band.sqrt_upper(),
        ..request
    })
    .unwrap();

    let open = |request| plan_open(request).unwrap_err();
    assert_eq!(
        open(OpenRequest {
            leverage: Bps::new(9_999),
            ..request
        }),
        OpenError::LeverageBelowOne(Bps::new(9_999))
    );
    assert_eq!(
        open(OpenRequest {
            own: Amounts::ZERO,
            ..request
        }),
        OpenError::TooSmall(0)
    );
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

proptest! {
    #![proptest_config(config(20_000))]

    /// Whatever the numbers, plans answer or refuse; they do not panic.
    #[test]
    fn nothing_panics(
        liquidity: u128, shift in 0u32..128, amounts: [u64; 6], ticks: [i32; 2], prices: [u128; 2], bps: [u32; 4],
    ) {
        let tick = |tick: i32| Tick::new(tick.clamp(Tick::MIN.get(), Tick::MAX.get())).unwrap();
        let Ok(band) = Band::new(tick(ticks[0].min(ticks[1]) >> (shift % 16)), tick(ticks[0].max(ticks[1]) >> (shift % 16))) else {
            return Ok(());
        };
        let price = |x64: u128| sqrt_price((x64 >> shift).clamp(SqrtPrice::MIN.x64(), SqrtPrice::MAX.x64()));
        let (oracle, pool) = (price(prices[0]), price(prices[1]));
        let amount = |index: usize| amounts[index] >> (shift / 2);
        let position = Position {
            band,
            liquidity: liquidity >> shift,
            idle: Amounts { base: amount(0), quote: amount(1) },
            debt: Amounts { base: amount(2), quote: amount(3) },
        };
        let ratio = |index: usize| Bps::new(bps[index] >> (shift / 4));
        let _ = position.value(oracle).map(|value| (value.ltv_bps_up(), value.leverage_bps_up(), value.equity()));
        let _ = (position.gamma_per_percent_up(oracle), position.hedge_error(oracle, ratio(0)), position.full_quote_up());
        let _ = (position.grown(liquidity, prices[0]), plan_rehedge(&position, oracle, ratio(0)));
        if let Ok(plan) = plan_deleverage(&position, oracle, pool, ratio(1)) {
            let after = plan.apply(&position).unwrap();
            prop_assert!(!after.value(oracle).unwrap().ltv_above(ratio(1)));
        }
        if let Ok(plan) = plan_liquidation(&position, oracle, ratio(1), ratio(2)) {
            plan.apply(&position).unwrap();
        }
        let own = Amounts { base: amount(4), quote: amount(5) };
        let _ = plan_open(OpenRequest { own, leverage: ratio(3), hedge: ratio(0), band, at: oracle });
    }

    /// The same at the very ends of every type.
    #[test]
    fn nothing_panics_at_the_ends(
        liquidity in prop_oneof![Just(0), Just(1), Just(u128::MAX), Just(1u128 << 64), Just(1 << 96)],
        amounts in [(); 6].map(|()| prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(1u64 << 63)]),
        prices in [(); 2].map(|()| prop_oneof![
            Just(SqrtPrice::MIN), Just(SqrtPrice::MAX), Just(SqrtPrice::ONE),
        ]),
        ticks in prop_oneof![
            Just((-443_636, 443_636)), Just((443_635, 443_636)), Just((-443_636, -443_635)), Just((0, 1)),
        ],
        bps in [(); 4].map(|()| prop_oneof![Just(0), Just(1), Just(9_999), Just(10_000), Just(u32::MAX)]),
    ) {
        let band = Band::new(Tick::new(ticks.0).unwrap(), Tick::new(ticks.1).unwrap()).unwrap();
        let position = Position {
            band,
            liquidity,
            idle: Amounts { base: amounts[0], quote: amounts[1] },
            debt: Amounts { base: amounts[2], quote: amounts[3] },
        };
        let ratio = |index: usize| Bps::new(bps[index]);
        let [oracle, pool] = prices;
        let _ = position.value(oracle).map(|value| (value.ltv_bps_up(), value.leverage_bps_up(), value.equity()));
        let _ = (position.gamma_per_percent_up(oracle), position.hedge_error(oracle, ratio(0)), position.full_quote_up());
        let _ = (position.boundaries(ratio(1)), position.equity_boundaries(i128::MIN), position.equity_boundaries(i128::MAX));
        let _ = (position.hedge_boundaries(ratio(0), amounts[4]), plan_rehedge(&position, oracle, ratio(0)));
        if let Ok(plan) = plan_deleverage(&position, oracle, pool, ratio(1)) {
            let after = plan.apply(&position).unwrap();
            prop_assert!(!after.value(oracle).unwrap().ltv_above(ratio(1)));
        }
        if let Ok(plan) = plan_liquidation(&position, oracle, ratio(1), ratio(2)) {
            plan.apply(&position).unwrap();
        }
        let own = Amounts { base: amounts[4], quote: amounts[5] };
        let _ = plan_open(OpenRequest { own, leverage: ratio(3), hedge: ratio(0), band, at: oracle });
    }
}
