//! Opening: tokens add up to the unit, sizes are as asked for, and what cannot be afforded is said.

use crate::common;

use ballast_model::{
    Amounts, Band, Bps, OpenError, OpenRequest, Position, SqrtPrice, Tick, plan_open, value_down,
    value_up,
};
use common::{bands, config, price, prices, sqrt_price, unit};
use proptest::prelude::*;

proptest! {
    #![proptest_config(config(20_000))]

    /// Tokens add up to the unit, leverage and hedge are as asked for within rounding, and rounding is the owner's.
    #[test]
    fn open_adds_up(
        (band, at) in bands().prop_flat_map(|band| (Just(band), prices(band))),
        value in 10u32..56, base_part in prop_oneof![Just(0.0), Just(1.0), 0f64..1.0], leverage in prop_oneof![1 => Just(10_000u32), 5 => 10_000u32..60_000],
        hedge in prop_oneof![Just(10_000u32), Just(0), 0u32..12_000],
    ) {
        let value = 2f64.powi(value as i32);
        let base = value * base_part / price(at);
        if base > 1e18 {
            return Ok(());
        }
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

/// The worked example of the reference model with the mints' decimals, 9 and 6, sized to the last unit: what the reference model
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
}
