//! What a reserve's books say about insurance and bad debt follows from the events.

use ballast_client::{BallastEvent, Pubkey, Reserve};

use super::Played;

/// Both balances change by what events say, and by nothing else.
pub(super) fn check_books(address: &Pubkey, before: &Reserve, after: &Reserve, played: &Played) {
    let sum = |of: &dyn Fn(&BallastEvent) -> u64| -> u128 {
        played
            .events
            .iter()
            .map(|event| u128::from(of(event)))
            .sum()
    };
    let booked = sum(&|event| match event {
        BallastEvent::BadDebtBooked(booked) if booked.reserve == *address => booked.from_lenders,
        _ => 0,
    });
    let covered = sum(&|event| match event {
        BallastEvent::BadDebtCovered(covered) if covered.reserve == *address => covered.amount,
        _ => 0,
    });
    assert_eq!(
        u128::from(after.bad_debt) + covered,
        u128::from(before.bad_debt) + booked,
        "bad debt is miscounted"
    );
    let used = sum(&|event| match event {
        BallastEvent::BadDebtBooked(booked) if booked.reserve == *address => booked.from_insurance,
        _ => 0,
    });
    let rewards = sum(&|event| match event {
        BallastEvent::WriteOffRewarded(paid) if paid.reserve == *address => paid.amount,
        _ => 0,
    });
    let earned = sum(&|event| match event {
        BallastEvent::Accrued(accrued) if accrued.reserve == *address => accrued.insurance_share,
        _ => 0,
    });
    let funded = sum(&|event| match event {
        BallastEvent::InsuranceFunded(funded) if funded.reserve == *address => funded.amount,
        _ => 0,
    });
    assert!(
        rewards * 10 <= u128::from(before.insurance) + earned,
        "too much insurance was paid for booking losses"
    );
    assert_eq!(
        u128::from(after.insurance) + used + rewards,
        u128::from(before.insurance) + earned + funded,
        "insurance is miscounted"
    );
}
