//! Deleveraging with a swap: the reference's numbers, the target reached and no more withdrawn than it takes, within what may be
//! borrowed.

use crate::common;

use std::path::PathBuf;

use ballast_model::{
    Amounts, Band, Bps, HedgedError, HedgedPlan, HedgedRequest, Position, SqrtPrice, Tick, Trade,
    plan_hedged, value_down, value_up,
};
use common::{at, config, golden::Case, positions, prices, sqrt_price, unit};
use num_rational::BigRational;
use num_traits::{One, Signed, ToPrimitive, Zero};
use proptest::prelude::*;
use serde_json::Value;

const ANY: Amounts = Amounts {
    base: u64::MAX / 4,
    quote: u64::MAX / 4,
};

fn request(target: u32, loss: u32) -> HedgedRequest {
    HedgedRequest {
        hedge: Bps::ONE,
        target: Bps::new(target),
        loss: Bps::new(loss),
        max_loss: Bps::new(loss),
        room: ANY,
    }
}

/// What the plan's swap moves at the largest loss.
fn worst_swap(plan: &HedgedPlan, oracle: SqrtPrice, loss: Bps) -> (u64, u64) {
    swap_at(plan, oracle, loss).unwrap()
}

/// The same, if it fits 64 bits.
fn swap_at(plan: &HedgedPlan, oracle: SqrtPrice, loss: Bps) -> Option<(u64, u64)> {
    let Some(swap) = plan.trade else {
        return Some((0, 0));
    };
    let (one, loss) = (u128::from(Bps::ONE.get()), u128::from(loss.get()));
    let quote = match swap.trade {
        Trade::SellBase => (value_up(swap.base, oracle).unwrap() * (one - loss)).div_ceil(one),
        Trade::BuyBase => value_down(swap.base, oracle).unwrap() * (one + loss) / one,
    };
    Some((swap.base, u64::try_from(quote).ok()?))
}

/// The worked example, 3x at 200 in the band 190 to 210, in raw units of 9 and 6 decimals.
fn worked_example() -> Position {
    let price = |dollars: f64| at(dollars / 1_000.0);
    Position {
        band: Band::from_sqrt_prices(price(190.0), price(210.0)).unwrap(),
        liquidity: (429.239_012_648_545 * 1e9 / 1_000f64.sqrt()) as u128,
        idle: Amounts::ZERO,
        debt: Amounts {
            base: 731_475_724,
            quote: 53_704_855,
        },
    }
}

#[test]
fn the_worked_example_ends_where_the_reference_says() {
    // Price, target, part, sold (bought if negative), debts and equity afterwards.
    for (dollars, target, part, sold, debts, equity) in [
        (
            250.0,
            6_500,
            0.370_851_658_710,
            -731_475_724i64,
            (0, 124_161_356),
            66_856_115,
        ),
        (
            180.0,
            6_000,
            0.517_087_094_633,
            788_489_270,
            (734_010_711, 0),
            88_081_285,
        ),
    ] {
        let (position, oracle) = (worked_example(), at(dollars / 1_000.0));
        let plan = plan_hedged(&position, oracle, oracle, &request(target, 10)).unwrap();
        let withdrawn = plan.liquidity as f64 / position.liquidity as f64;
        assert!((withdrawn - part).abs() < 3e-7, "{withdrawn} at {dollars}");
        let swap = plan.trade.unwrap();
        assert_eq!(swap.trade == Trade::SellBase, sold > 0);
        assert!(
            swap.base.abs_diff(sold.unsigned_abs()) <= 2,
            "{}",
            swap.base
        );
        let (base, quote) = worst_swap(&plan, oracle, Bps::new(10));
        let after = plan.after(&position, base, quote).unwrap();
        assert!(after.debt.base.abs_diff(debts.0) < 400, "{:?}", after.debt);
        assert!(after.debt.quote.abs_diff(debts.1) < 60, "{:?}", after.debt);
        let value = after.value(oracle).unwrap();
        assert!((value.equity() - equity).abs() < 8, "{}", value.equity());
        assert!(!value.ltv_above(Bps::new(target)) && value.ltv_at_least(Bps::new(target - 1)));
        assert_eq!(after.hedge_error(oracle, Bps::ONE), Ok(0));
    }
}

/// Every position of the reference's file, where rounding to whole units costs about 1e-16 of a value.
#[test]
fn random_positions_end_where_the_reference_says() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/hedged.jsonl");
    let mut cases = 0;
    for text in std::fs::read_to_string(file).unwrap().lines() {
        let line: Value = serde_json::from_str(text).unwrap();
        let number = |field: &str| line[field].as_str().unwrap().parse::<f64>().unwrap();
        let bps = |field: &str| Bps::new((number(field) * 1e4).round() as u32);
        let Case {
            position,
            at,
            threshold,
            base_power,
            quote_power,
        } = Case::new(&line);
        let request = HedgedRequest {
            hedge: bps("h"),
            target: threshold,
            loss: bps("k"),
            max_loss: bps("k"),
            room: ANY,
        };
        let plan = plan_hedged(&position, at, at, &request).unwrap();
        let part = plan.liquidity as f64 / position.liquidity as f64;
        assert!((part - number("part")).abs() < 1e-9, "{part} in {text}");
        let traded = plan.trade.map_or(0.0, |swap| match swap.trade {
            Trade::SellBase => swap.base as f64,
            Trade::BuyBase => -(swap.base as f64),
        });
        let scale = position.full_base_up().unwrap().max(position.debt.base) as f64;
        let expected = number("trade") * 10f64.powi(base_power);
        assert!(
            (traded - expected).abs() < scale * 1e-8 + 4.0,
            "{traded} in {text}"
        );
        let (base, quote) = worst_swap(&plan, at, request.loss);
        let after = plan.after(&position, base, quote).unwrap();
        let assets = position.value(at).unwrap().assets as f64;
        for (what, actual, expected) in [
            ("quote debt", after.debt.quote as f64, number("quote_debt")),
            ("idle quote", after.idle.quote as f64, number("quote_idle")),
            (
                "equity",
                after.value(at).unwrap().equity() as f64,
                number("equity"),
            ),
        ] {
            let expected = expected * 10f64.powi(quote_power);
            assert!(
                (actual - expected).abs() < assets * 1e-8,
                "{what} {actual} in {text}"
            );
        }
        let debt = number("base_debt") * 10f64.powi(base_power);
        assert!(
            (after.debt.base as f64 - debt).abs() < scale * 1e-8 + 4.0,
            "in {text}"
        );
        cases += 1;
    }
    assert_eq!(cases, 400);
}

fn rational(value: impl Into<num_bigint::BigInt>) -> BigRational {
    BigRational::from_integer(value.into())
}

fn ratio(bps: Bps) -> BigRational {
    rational(bps.get()) / rational(Bps::ONE.get())
}

/// MATH section 4 without rounding, and without the linear bounds that the plan makes of it: what is left of each of its
/// conditions where the part `m` of the liquidity stays. The first three in quote, the last in base.
fn conditions(
    position: &Position,
    oracle: SqrtPrice,
    pool: SqrtPrice,
    request: &HedgedRequest,
    m: &BigRational,
) -> [BigRational; 4] {
    let root = |at: SqrtPrice| rational(at.x64()) / rational(1u128 << 64);
    let (low, high) = (
        root(position.band.sqrt_lower()),
        root(position.band.sqrt_upper()),
    );
    let liquidity = rational(position.liquidity);
    let base = |at: SqrtPrice| {
        let inside = root(position.band.clamp(at));
        &liquidity * (inside.recip() - high.recip())
    };
    let price = root(oracle) * root(oracle);
    let x = base(oracle);
    let y = &liquidity * (root(position.band.clamp(oracle)) - low);
    let value = &x * &price + y;
    let (idle, debt) = (position.idle, position.debt);
    let equity =
        &value + (rational(idle.base) - rational(debt.base)) * &price + rational(idle.quote)
            - rational(debt.quote);
    let hedged = ratio(request.hedge) * m * x;
    let out = (BigRational::one() - m) * base(pool);
    let traded = (out + rational(idle.base) - rational(debt.base) + &hedged).abs() * &price;
    let left = |loss: Bps| &equity - ratio(loss) * &traded;
    let (target, hedged_value) = (ratio(request.target), &hedged * &price);
    let of_equity = BigRational::one() - &target;
    [
        left(request.loss) - m * &value * &of_equity,
        left(request.loss) * &target - &hedged_value * &of_equity,
        left(request.max_loss) + rational(debt.quote) + rational(request.room.quote)
            - (m * &value - &hedged_value),
        rational(debt.base) + rational(request.room.base) - hedged,
    ]
}

fn rescaled(at: SqrtPrice, factor: f64) -> SqrtPrice {
    let x64 = (at.x64() as f64 * factor.sqrt()) as u128;
    sqrt_price(x64.clamp(SqrtPrice::MIN.x64(), SqrtPrice::MAX.x64()))
}

proptest! {
    #![proptest_config(config(20_000))]

    /// At the largest loss of the swap LTV ends at or below the target, with one more unit owed on each side too; the hedge is
    /// exact; neither debt has grown beyond what could be borrowed. And one of the conditions holds no more room.
    #[test]
    fn the_least_liquidity_that_ends_hedged_and_below_the_target(
        (position, oracle) in positions(16..60).prop_flat_map(|p| (Just(p), prices(p.band))),
        apart in prop_oneof![2 => -0.02f64..0.02, 1 => -0.4f64..0.6],
        target in 500u32..9_900, loss in 0u32..300, more in 0u32..200,
        hedge in prop_oneof![2 => Just(10_000u32), 1 => 0u32..=10_000],
        room in prop_oneof![1 => Just((64u32, 64u32)), 2 => (0u32..64, 0u32..64)],
    ) {
        let before = position.value(oracle).unwrap();
        if before.assets.max(before.debt) >= 1 << 90 {
            return Ok(());
        }
        let pool = rescaled(oracle, 1.0 + apart);
        let part = |amount: u64, bits: u32| amount.checked_shr(63 - bits.min(63)).unwrap_or(0);
        let room = Amounts {
            base: part(ANY.base, room.0),
            quote: part(ANY.quote, room.1),
        };
        let request = HedgedRequest {
            hedge: Bps::new(hedge),
            target: Bps::new(target),
            loss: Bps::new(loss),
            max_loss: Bps::new(loss + more),
            room,
        };
        let allowance = (4 * unit(oracle) + 8) as i128;
        let plan = match plan_hedged(&position, oracle, pool, &request) {
            Ok(plan) => plan,
            Err(HedgedError::NoEquity) => {
                // Nothing is left of the equity if everything is withdrawn and swapped.
                let zero = BigRational::zero();
                let left = &conditions(&position, oracle, pool, &request, &zero)[2]
                    - rational(position.debt.quote) - rational(room.quote);
                prop_assert!(left < rational(2 * allowance), "{}", left);
                return Ok(());
            }
            Err(other) => return Err(TestCaseError::fail(format!("{other}"))),
        };
        if swap_at(&plan, oracle, request.max_loss).is_none() {
            return Ok(());
        }
        let (base, quote) = worst_swap(&plan, oracle, request.loss);
        let after = plan.after(&position, base, quote).unwrap();
        prop_assert_eq!(after.hedge_error(oracle, request.hedge), Ok(0));
        let owing = |debt: u64| debt + u64::from(debt > 0);
        let shares = Position { debt: Amounts { base: owing(after.debt.base), quote: owing(after.debt.quote) }, ..after };
        let value = shares.value(oracle).unwrap();
        prop_assert!(value.equity() > 0 && !value.ltv_above(request.target), "{:?}", value);
        // What the swap needs at its largest loss can be borrowed.
        let (base, quote) = worst_swap(&plan, oracle, request.max_loss);
        let idle = position.idle.checked_add(plan.withdraw).unwrap();
        match plan.trade.map(|swap| swap.trade) {
            Some(Trade::SellBase) => prop_assert!(base.saturating_sub(idle.base) <= room.base),
            Some(Trade::BuyBase) => prop_assert!(quote.saturating_sub(idle.quote) <= room.quote),
            None => {}
        }

        // Not more than it takes: a condition is used up, but for rounding and the unit of liquidity.
        if plan.liquidity > 0 {
            let m = BigRational::new((position.liquidity - plan.liquidity).into(), position.liquidity.into());
            let left = conditions(&position, oracle, pool, &request, &m);
            let rounding = rational(4 * allowance)
                + rational(8) * rational(before.assets.max(1)) / rational(position.liquidity);
            let worth = [
                left[0] < rounding,
                left[1] < rounding,
                left[2] < rounding,
                left[3] < rational(4) + rational(4 * u128::from(position.full_base_up().unwrap())) / rational(position.liquidity),
            ];
            let shown = left.map(|left| left.to_f64());
            prop_assert!(worth.contains(&true), "{:?} of {}", shown, rounding.to_f64().unwrap());
        }
    }
}

#[test]
fn without_equity_there_is_no_plan() {
    let position = worked_example();
    // At 360 all of the equity and more is lost.
    let gone = at(0.36);
    assert!(position.value(gone).unwrap().equity() < 0);
    let planned = plan_hedged(&position, gone, gone, &request(6_500, 10));
    assert_eq!(planned, Err(HedgedError::NoEquity));
    let whole = plan_hedged(&position, at(0.25), at(0.25), &request(10_000, 10));
    assert_eq!(whole, Err(HedgedError::BadTarget(Bps::ONE)));
}

/// What cannot be borrowed is taken from the position's own liquidity.
#[test]
fn without_loans_the_position_hedges_itself() {
    let (position, edge) = (worked_example(), at(0.19));
    let limit = Bps::new(position.value(edge).unwrap().ltv_bps_up());
    let with_room = |base| HedgedRequest {
        hedge: Bps::ONE,
        target: Bps::new(9_000),
        loss: Bps::ZERO,
        max_loss: Bps::new(100),
        room: Amounts { base, quote: 0 },
    };
    let borrowing = plan_hedged(&position, edge, edge, &with_room(u64::MAX / 4)).unwrap();
    assert_eq!(borrowing.liquidity, 0);
    let alone = plan_hedged(&position, edge, edge, &with_room(0)).unwrap();
    // X = 1.52 base, of which 0.73 are owed: as much stays as that hedges.
    let kept = 1.0 - alone.liquidity as f64 / position.liquidity as f64;
    assert!((kept - 0.731_475 / 1.519_965).abs() < 1e-4, "{kept}");
    let traded = |plan: &HedgedPlan| plan.trade.unwrap().base;
    assert!(traded(&alone).abs_diff(traded(&borrowing)) <= 1);
    // And what borrowing would push beyond the LTV that is there.
    let held = HedgedRequest {
        target: limit,
        ..with_room(u64::MAX / 4)
    };
    let plan = plan_hedged(&position, edge, edge, &held).unwrap();
    let quote = value_up(plan.trade.unwrap().base, edge).unwrap() as u64;
    let after = plan
        .after(&position, plan.trade.unwrap().base, quote)
        .unwrap();
    let value = after.value(edge).unwrap();
    assert!(plan.liquidity > 0 && !value.ltv_above(limit));
    assert_eq!(after.hedge_error(edge, Bps::ONE), Ok(0));
}

#[test]
fn extremes_are_errors_and_never_panics() {
    let band = Band::new(Tick::MIN, Tick::MAX).unwrap();
    for liquidity in [0, 1, 1 << 63, u128::MAX] {
        for amount in [0, 1, u64::MAX] {
            let both = Amounts::new(amount, amount);
            for (idle, debt) in [(both, Amounts::ZERO), (Amounts::ZERO, both), (both, both)] {
                let position = Position {
                    band,
                    liquidity,
                    idle,
                    debt,
                };
                for at in [SqrtPrice::MIN, SqrtPrice::ONE, SqrtPrice::MAX] {
                    for pool in [SqrtPrice::MIN, SqrtPrice::ONE, SqrtPrice::MAX] {
                        let _ = plan_hedged(&position, at, pool, &request(6_500, u32::MAX));
                        let _ = plan_hedged(&position, at, pool, &request(0, 0));
                    }
                }
            }
        }
    }
}
