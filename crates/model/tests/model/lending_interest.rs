//! Interest over time.

use crate::common;

use ballast_model::Bps;
use ballast_model::lending::{
    RateCurve, ReserveState, SECONDS_PER_YEAR, VIRTUAL_ASSETS, VIRTUAL_SHARES, growth_x64_up,
};
use common::config;
use proptest::prelude::*;

const CURVE: RateCurve = RateCurve {
    kink_utilisation: Bps::new(8_000),
    rate_at_zero: Bps::new(100),
    rate_at_kink: Bps::new(1_000),
    rate_at_full: Bps::new(15_000),
};
const FACTOR: Bps = Bps::new(1_000);

/// One rate whatever the utilisation.
fn flat(rate_bps: u32) -> RateCurve {
    let rate = Bps::new(rate_bps);
    RateCurve {
        kink_utilisation: Bps::new(5_000),
        rate_at_zero: rate,
        rate_at_kink: rate,
        rate_at_full: rate,
    }
}

fn part_of(funds: u64, percent: u64) -> u64 {
    (u128::from(funds) * u128::from(percent) / 100) as u64
}

/// A reserve of which `percent` are lent out.
fn lent(funds: u64, percent: u64) -> ReserveState {
    let mut state = ReserveState::new(0);
    state.deposit(funds).unwrap();
    if percent > 0 {
        state.borrow(part_of(funds, percent)).unwrap();
    }
    state
}

/// Accrues up to each of the times in turn, then up to `end`.
fn accrued(mut state: ReserveState, times: &[u64], end: u64, curve: &RateCurve) -> ReserveState {
    let mut times: Vec<_> = times.iter().map(|time| time % end).collect();
    times.sort_unstable();
    for time in times.into_iter().chain([end]) {
        state.accrue(time as i64, curve, FACTOR).unwrap();
    }
    state
}

/// `index (1 + 4 n 2^-64)`, rounded up: what `n` steps may add to the exact index.
fn drifted(index_x64: u128, steps: usize) -> u128 {
    index_x64 + ((index_x64 * 4 * steps as u128) >> 64) + 1
}

/// Yearly rate in Q64 at the present utilisation.
fn rate_x64(state: &ReserveState, curve: &RateCurve) -> u128 {
    let debt = u128::from(state.total_debt_up().unwrap());
    curve.rate_x64_up((debt << 64).div_ceil(debt + u128::from(state.liquidity)))
}

/// A time in seconds and its division, even (by a count) or not.
fn divisions() -> impl Strategy<Value = (u64, Vec<u64>)> {
    let uneven = (
        1u64..30_000_000,
        proptest::collection::vec(any::<u64>(), 0..200),
    );
    let even = (1u64..30_000_000, 1u64..200)
        .prop_map(|(end, count)| (end, (1..count).map(|step| end * step / count).collect()));
    prop_oneof![uneven, even]
}

proptest! {
    #![proptest_config(config(5_000))]

    /// At one rate no division of a time charges more than another but for its roundings, 4 * 2^-64 a step; and none less
    /// than the exact e^x, of which the long step's own index is within its one step.
    #[test]
    fn steps_agree_at_a_constant_rate(
        funds in 1u64 << 20..1 << 50, rate in 1u32..100_000, (end, times) in divisions(), (_, other) in divisions(),
    ) {
        let curve = flat(rate);
        let start = lent(funds, 50);
        let once = accrued(start, &[], end, &curve);
        for division in [&times, &other] {
            let often = accrued(start, division, end, &curve);
            prop_assert_eq!(often.last_accrual_secs, once.last_accrual_secs);
            prop_assert!(often.borrow_index_x64 <= drifted(once.borrow_index_x64, division.len() + 1));
            prop_assert!(once.borrow_index_x64 <= drifted(often.borrow_index_x64, 1));
            // In raw units: a unit of rounding, and the index's drift.
            let (one, many) = (once.total_debt_up().unwrap(), often.total_debt_up().unwrap());
            prop_assert!(one.abs_diff(many) <= 1 + ((u128::from(one) * 4 * 200) >> 64) as u64, "{} {}", one, many);
        }
    }

    /// Where the rate rises with utilisation, charging often never charges less than one long step, and never more than the
    /// rate at the end would have over the whole time.
    #[test]
    fn interest_on_interest_is_bounded_by_the_last_rate(
        funds in 1u64 << 20..1 << 50, percent in 1u64..=100, (end, times) in divisions(),
    ) {
        let start = lent(funds, percent);
        let once = accrued(start, &[], end, &CURVE);
        let often = accrued(start, &times, end, &CURVE);
        let steps = times.len() + 1;
        prop_assert!(once.borrow_index_x64 <= drifted(often.borrow_index_x64, 1));
        let (first, last) = (rate_x64(&start, &CURVE), rate_x64(&often, &CURVE));
        prop_assert!(first <= last);
        let excess = growth_x64_up(last - first, end);
        let most = ballast_clmm::wide::mul_shr64_up(once.borrow_index_x64, excess).unwrap();
        prop_assert!(
            often.borrow_index_x64 <= drifted(most, steps), "{} {}", often.borrow_index_x64, most
        );
        if percent == 100 {
            // No higher rate is left: as at a constant one.
            prop_assert!(often.borrow_index_x64 <= drifted(once.borrow_index_x64, steps));
        }
    }

    /// The insurance gets the reserve factor's share of every interest, rounded down, and the lenders all the rest.
    #[test]
    fn the_fee_is_the_reserve_factors_share(
        funds in 1u64 << 20..1 << 50, percent in 1u64..=100, factor in 0u32..=10_000, secs in 1i64..30_000_000,
    ) {
        let mut state = lent(funds, percent);
        let (assets, debt) = (state.total_assets_down().unwrap(), state.total_debt_up().unwrap());
        let accrual = state.accrue(secs, &CURVE, Bps::new(factor)).unwrap();
        prop_assert_eq!(u128::from(accrual.fee), u128::from(accrual.interest) * u128::from(factor) / 10_000);
        prop_assert_eq!(state.insurance, accrual.fee);
        prop_assert_eq!(state.total_debt_up().unwrap() - debt, accrual.interest);
        prop_assert_eq!(state.total_assets_down().unwrap() - assets, accrual.interest - accrual.fee);
        prop_assert_eq!(state.liquidity, funds - part_of(funds, percent));
    }

    /// In one second the order of a deposit and a withdrawal changes what they give by a rounding only, and what the others
    /// hold never falls by either.
    #[test]
    fn the_order_within_a_second_does_not_matter(
        funds in 1u64 << 20..1 << 50, percent in 0u64..=50, secs in 1i64..30_000_000,
        deposit in 1u64..1 << 50, part in 1u64..=100,
    ) {
        let mut start = lent(funds, percent);
        let other = start.deposit(funds).unwrap();
        start.accrue(secs, &CURVE, FACTOR).unwrap();
        let shares = other / 100 * part;
        let before = start.to_assets_down(1_000_000_000).unwrap();
        let (mut first, mut second) = (start, start);
        let minted = [first.deposit(deposit), second.redeem(shares).and_then(|_| second.deposit(deposit))];
        let accrual = first.accrue(secs, &CURVE, FACTOR).unwrap();
        prop_assert_eq!(accrual.interest, 0);
        let paid = [first.redeem(shares), { start }.redeem(shares)];
        let ([Ok(early), Ok(late)], [Ok(after), Ok(ahead)]) = (minted, paid) else {
            // Too small a deposit for the price, or more than is there: no matter in which order but for liquidity.
            return Ok(());
        };
        // Whoever is second meets the price that the first left, higher by what that one lost by rounding: less than a share's
        // worth by the deposit, less than a unit by the withdrawal, in either case spread over all shares.
        let assets = u128::from(start.total_assets_down().unwrap() + VIRTUAL_ASSETS);
        let supply = u128::from(start.supply_shares + VIRTUAL_SHARES);
        let spread = u128::from(early) * supply / assets / (supply - u128::from(shares)) + 2;
        prop_assert!(late <= early && u128::from(early - late) <= spread, "{} {} {}", early, late, spread);
        prop_assert!(ahead <= after && after - ahead <= 1, "{} {}", after, ahead);
        for state in [first, second] {
            prop_assert!(state.to_assets_down(1_000_000_000).unwrap() >= before);
        }
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
