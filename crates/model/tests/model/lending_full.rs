//! A reserve that is lent out to the last unit, and debts at their caps.

use crate::common;

use ballast_model::Bps;
use ballast_model::lending::{LendingError, RateCurve, ReserveState, growth_x64_up};
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

    /// While everything is lent out interest goes on at the full rate, nobody can withdraw, and the refusal names both
    /// numbers. Every unit repaid can be withdrawn, and not one more.
    #[test]
    fn what_is_repaid_can_be_withdrawn(
        funds in 1u64 << 20..1 << 50, waits in proptest::collection::vec(1i64..1_000_000, 1..20), repaid in 1u64..1 << 50,
    ) {
        let mut state = ReserveState::new(0);
        let shares = state.deposit(funds).unwrap();
        let held = state.borrow(funds).unwrap();
        let mut now = 0;
        for wait in waits {
            now += wait;
            let full = CURVE.rate_x64_up(1 << 64);
            let index = state.borrow_index_x64;
            let grown = ballast_clmm::wide::mul_shr64_up(index, growth_x64_up(full, wait as u64)).unwrap();
            let accrual = state.accrue(now, &CURVE, FACTOR).unwrap();
            prop_assert_eq!(state.borrow_index_x64, grown);
            prop_assert_eq!(state.utilisation_bps_up(), Ok(Bps::ONE));
            prop_assert_eq!(accrual.fee, accrual.interest / 10);
            prop_assert_eq!(state.liquidity, 0);
        }
        let claim = state.to_assets_down(shares).unwrap();
        let before = state;
        prop_assert_eq!(
            state.redeem(shares), Err(LendingError::InsufficientLiquidity { available: 0, requested: claim })
        );
        prop_assert_eq!(state, before);

        let owed = state.debt_of_up(held).unwrap();
        let repaid = repaid.min(owed);
        state.repay(repaid, held).unwrap();
        prop_assert_eq!(state.liquidity, repaid);
        // The most shares that are worth no more than what is there: about those it would buy.
        let (mut payable, mut beyond) = (0, shares + 1);
        while beyond - payable > 1 {
            let middle = payable + (beyond - payable) / 2;
            if state.to_assets_down(middle).unwrap() <= repaid { payable = middle } else { beyond = middle }
        }
        if beyond <= shares {
            let requested = state.to_assets_down(beyond).unwrap();
            let mut greedy = state;
            prop_assert_eq!(
                greedy.redeem(beyond), Err(LendingError::InsufficientLiquidity { available: repaid, requested })
            );
            prop_assert_eq!(greedy, state);
            // A share is far less than a unit: nothing that was repaid stays out of reach.
            prop_assert_eq!(state.to_assets_down(payable), Ok(repaid));
        }
        let paid = state.redeem(payable).unwrap();
        prop_assert_eq!(state.liquidity, repaid - paid);
        prop_assert!(paid == repaid || payable == shares);
    }

    /// A loan raises the total debt by its amount, at most a unit more: a caller that compares the total with a cap refuses
    /// what exceeds the cap and lends what is a unit below it. Another loan is refused when nothing is left.
    #[test]
    fn loans_count_in_full_against_a_cap(
        funds in 1u64 << 20..1 << 50, first in 1u64..1 << 50, second in 1u64..1 << 50, secs in 0i64..30_000_000,
    ) {
        let mut state = ReserveState::new(0);
        state.deposit(funds).unwrap();
        let first = first.min(funds - 1);
        state.borrow(first).unwrap();
        state.accrue(secs, &CURVE, FACTOR).unwrap();
        let before = state.total_debt_up().unwrap();
        let second = second.min(state.liquidity);
        state.borrow(second).unwrap();
        let debt = state.total_debt_up().unwrap();
        prop_assert!(debt - before == second || debt - before == second + 1, "{} {} {}", before, second, debt);
        let left = state.liquidity;
        let full = state;
        prop_assert_eq!(
            state.borrow(left + 1), Err(LendingError::InsufficientLiquidity { available: left, requested: left + 1 })
        );
        prop_assert_eq!(state, full);
        if left > 0 {
            state.borrow(left).unwrap();
        }
        prop_assert_eq!((state.liquidity, state.utilisation_bps_up()), (0, Ok(Bps::ONE)));
    }
}

#[test]
fn full_utilisation() {
    let mut state = ReserveState::new(0);
    let shares = state.deposit(1_000_000_000).unwrap();
    let debt = state.borrow(1_000_000_000).unwrap();
    assert_eq!(state.utilisation_bps_up(), Ok(Bps::ONE));
    assert_eq!(state.borrow_rate_bps_up(&CURVE), Ok(CURVE.rate_at_full));
    // 10 % of the interest is not the lenders'.
    assert_eq!(
        state.supply_rate_bps_down(&CURVE, FACTOR),
        Ok(Bps::new(13_500))
    );
    assert_eq!(
        state.borrow(1),
        Err(LendingError::InsufficientLiquidity {
            available: 0,
            requested: 1
        })
    );
    let part = shares / 1_000;
    assert_eq!(
        state.redeem(part),
        Err(LendingError::InsufficientLiquidity {
            available: 0,
            requested: 1_000_000
        })
    );
    // A day at 150 % a year: e^(1.5/365) - 1 = 0.41180 %.
    let accrual = state.accrue(86_400, &CURVE, FACTOR).unwrap();
    assert!(
        (4_118_000..4_118_100).contains(&accrual.interest),
        "{accrual:?}"
    );
    assert_eq!(accrual.fee, accrual.interest / 10);
    assert_eq!(state.insurance, accrual.fee);
    let owed = state.debt_of_up(debt).unwrap();
    assert_eq!(owed, 1_000_000_000 + accrual.interest);
    assert_eq!(
        state.repay(owed + 1, debt),
        Err(LendingError::MoreThanOwed {
            amount: owed + 1,
            owed
        })
    );
    assert_eq!(state.repay(owed, debt), Ok(debt));
    // The lender gets everything but the insurance, down to the unit of the virtual shares.
    let out = state.redeem(shares).unwrap();
    assert_eq!(state.liquidity, owed - out);
    assert!(
        owed - out - state.insurance <= 2,
        "{}",
        owed - out - state.insurance
    );
}
