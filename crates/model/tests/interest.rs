//! Interest over time.

mod common;

use ballast_model::Bps;
use ballast_model::lending::{RateCurve, ReserveState, SECONDS_PER_YEAR, growth_x64_up};
use common::config;
use proptest::prelude::*;

const CURVE: RateCurve = RateCurve {
    kink_utilisation: Bps::new(8_000),
    rate_at_zero: Bps::new(100),
    rate_at_kink: Bps::new(1_000),
    rate_at_full: Bps::new(15_000),
};
const FACTOR: Bps = Bps::new(1_000);

proptest! {
    #![proptest_config(config(5_000))]

    /// Many short steps charge what one long step does, but for the series' remainder, x^4/24 e^x, and rounding.
    #[test]
    fn steps_agree_at_a_constant_rate(
        debt in 1u64 << 20..1 << 50, rate in 1u32..20_000, secs in 1u32..30_000_000, count in 1u32..200,
    ) {
        let curve = RateCurve {
            kink_utilisation: Bps::new(5_000),
            rate_at_zero: Bps::new(rate),
            rate_at_kink: Bps::new(rate),
            rate_at_full: Bps::new(rate),
        };
        let mut once = ReserveState::new(0);
        once.deposit(debt).unwrap();
        once.borrow(debt / 2).unwrap();
        let mut often = once;
        once.accrue(i64::from(secs), &curve, FACTOR).unwrap();
        for step in 1..=u64::from(count) {
            often.accrue((u64::from(secs) * step / u64::from(count)) as i64, &curve, FACTOR).unwrap();
        }
        prop_assert_eq!(often.last_accrual_secs, once.last_accrual_secs);
        let x = f64::from(rate) / 1e4 * f64::from(secs) / SECONDS_PER_YEAR as f64;
        let (one, many) = (once.borrow_index_x64 as f64, often.borrow_index_x64 as f64);
        let drift = (many - one) / one;
        let rounding = f64::from(count) * 2e-19 + 4e-16;
        prop_assert!(drift <= x.powi(4) / 24.0 * x.exp() + rounding, "{} at x = {}", drift, x);
        prop_assert!(drift >= -rounding, "{} at x = {}", drift, x);
        prop_assert!(many / 2f64.powi(64) <= x.exp() * (1.0 + rounding));
    }

    /// Where the rate rises with utilisation, waiting never costs borrowers more than being charged often.
    #[test]
    fn accruing_often_never_charges_less(
        debt in 1u64 << 30..1 << 50, part in 1u64..=100, days in 1i64..365, count in 1i64..50,
    ) {
        let mut once = ReserveState::new(0);
        once.deposit(debt).unwrap();
        once.borrow(debt / 100 * part).unwrap();
        let mut often = once;
        once.accrue(days * 86_400, &CURVE, FACTOR).unwrap();
        for step in 1..=count {
            often.accrue(days * 86_400 * step / count, &CURVE, FACTOR).unwrap();
        }
        prop_assert!(often.borrow_index_x64 + (1 << 20) >= once.borrow_index_x64);
    }
}

/// The index grows by the published factor at the published rate, rounded up.
#[test]
fn the_index_rounds_up() {
    let mut state = ReserveState::new(0);
    state.deposit(1_000_000).unwrap();
    state.borrow(400_000).unwrap();
    for now in 1..1_000 {
        let before = state;
        // 40 % of the assets, and what interest adds to them.
        let debt = u128::from(state.total_debt_up().unwrap());
        let utilisation = (debt << 64).div_ceil(debt + u128::from(state.liquidity));
        let growth = growth_x64_up(CURVE.rate_x64_up(utilisation), 1);
        state.accrue(now, &CURVE, FACTOR).unwrap();
        let exact = ruint::aliases::U256::from(before.borrow_index_x64)
            * ruint::aliases::U256::from(growth);
        let index = ruint::aliases::U256::from(state.borrow_index_x64) << 64usize;
        assert!(index >= exact && index - exact < ruint::aliases::U256::from(1u128 << 64));
    }
}

#[test]
fn a_clock_that_goes_back_changes_nothing() {
    let mut state = ReserveState::new(1_000);
    state.deposit(1_000_000).unwrap();
    state.borrow(900_000).unwrap();
    let before = state;
    for now in [1_000, 999, 0, i64::MIN] {
        assert_eq!(state.accrue(now, &CURVE, FACTOR).unwrap().interest, 0);
        assert_eq!(state, before);
    }
}

#[test]
fn interest_stops_before_it_breaks_the_reserve() {
    let mut state = ReserveState::new(0);
    state.deposit(1 << 50).unwrap();
    let debt = state.borrow(1 << 50).unwrap();
    let steep = RateCurve {
        rate_at_full: Bps::new(u32::MAX),
        ..CURVE
    };
    for year in 1..100 {
        state
            .accrue(year * SECONDS_PER_YEAR as i64, &steep, FACTOR)
            .unwrap();
        state.total_assets_down().unwrap();
        let owed = state.debt_of_up(debt).unwrap();
        { state }.repay(owed, debt).unwrap();
    }
    assert_eq!(state.last_accrual_secs, 99 * SECONDS_PER_YEAR as i64);
    state.accrue(i64::MAX, &steep, FACTOR).unwrap();
    let mut ancient = ReserveState {
        last_accrual_secs: i64::MIN,
        ..state
    };
    ancient
        .accrue(i64::MAX, &CURVE, Bps::new(u32::MAX))
        .unwrap();
}
