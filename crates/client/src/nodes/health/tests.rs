//! Conditions and order of nodes.

use super::*;

const LAG: u64 = 25;

fn telling(slots: &[u64]) -> Vec<Health> {
    let tell = |slot: &u64| {
        let mut health = Health::default();
        health.tells(*slot, 1_000);
        health
    };
    slots.iter().map(tell).collect()
}

fn order_of(slots: &[u64]) -> Vec<usize> {
    order(&telling(slots), LAG, 1_000)
}

#[test]
fn who_lags_is_asked_last_and_a_few_slots_are_no_lag() {
    assert_eq!(order_of(&[1_000, 1_024]), [0, 1]);
    assert_eq!(order_of(&[1_000, 1_025]), [1, 0]);
    assert_eq!(order_of(&[900, 1_000, 1_001]), [1, 2, 0]);
    let told = conditions(&telling(&[900, 1_000, 1_001]), LAG, 1_000);
    assert_eq!(told[0], Condition::Behind { slots: 100 });
}

#[test]
fn one_of_three_that_is_ahead_of_time_is_asked_last_and_makes_nobody_a_laggard() {
    for wrong in [1_200, u64::MAX] {
        let all = telling(&[wrong, 1_000, 1_002]);
        assert_eq!(order(&all, LAG, 1_000), [1, 2, 0]);
        let told = conditions(&all, LAG, 1_000);
        assert!(matches!(told[0], Condition::Ahead { .. }), "{told:?}");
        assert_eq!(&told[1..], [Condition::Well; 2]);
    }
    // Of two nobody knows which: the one that is ahead goes first, but no further than the other can have come.
    let two = telling(&[1_000, u64::MAX]);
    assert_eq!(order(&two, LAG, 1_000), [1, 0]);
    assert_eq!(ceiling(&two[..1], 1_000), Some(1_150));
}

#[test]
fn a_node_that_stands_still_holds_nobody_back() {
    let mut all = telling(&[1_000, 1_000]);
    for second in 1..=120 {
        let now_ms = 1_000 + second * 1_000;
        all[0].tells(1_000, now_ms);
        all[1].tells(1_000 + second * 5 / 2, now_ms);
        let ceiling = ceiling(&all[..1], now_ms).unwrap();
        assert!(ceiling > 1_000 + second * 5 / 2);
    }
    assert_eq!(order(&all, LAG, 121_000), [1, 0]);
    assert_eq!(
        conditions(&all, LAG, 121_000)[0],
        Condition::Behind { slots: 300 }
    );
}

#[test]
fn what_was_told_a_while_ago_is_no_lag() {
    let mut all = telling(&[1_000, 1_000]);
    all[1].tells(1_035, 15_000);
    assert_eq!(order(&all, LAG, 15_000), [0, 1]);
}

#[test]
fn a_node_behind_a_balancer_that_answers_from_the_past_once_is_no_laggard() {
    let mut all = telling(&[1_000, 1_000]);
    all[0].tells(900, 1_100);
    assert_eq!(conditions(&all, LAG, 1_100)[0], Condition::Well);
    for second in 2..9 {
        all[0].tells(900 + second, second * 1_000);
        all[1].tells(1_000 + second, second * 1_000);
    }
    let told = conditions(&all, LAG, 8_000)[0];
    assert!(matches!(told, Condition::Behind { .. }), "{told:?}");
}

#[test]
fn who_fails_is_asked_after_who_lags_and_again_in_its_turn_once_it_answers() {
    let mut all = telling(&[1_000, 1_000, 950]);
    all[0].failed();
    assert_eq!(order(&all, LAG, 1_000), [1, 2, 0]);
    all[0].answered(10);
    assert_eq!(order(&all, LAG, 1_000), [0, 1, 2]);
    all[0].answered(4_000);
    assert_eq!(order(&all, LAG, 1_000), [1, 0, 2]);
}

#[test]
fn who_contradicted_others_is_asked_last_for_a_while() {
    let mut all = telling(&[1_000, 1_000]);
    all[0].contradicted(1_000);
    all[1].failed();
    assert_eq!(order(&all, LAG, 1_000), [1, 0]);
    assert_eq!(conditions(&all, LAG, 600_999)[0], Condition::Contradicted);
    assert_eq!(conditions(&all, LAG, 601_000)[0], Condition::Well);
}

#[test]
fn who_says_something_else_of_an_account_is_asked_last_for_a_while() {
    let mut all = telling(&[1_000, 1_000, 1_000]);
    all[0].disagrees(1_000);
    all[1].contradicted(1_000);
    assert_eq!(order(&all, LAG, 1_000), [2, 0, 1]);
    assert_eq!(conditions(&all, LAG, 600_999)[0], Condition::Disagrees);
    assert_eq!(conditions(&all, LAG, 601_000)[0], Condition::Well);
    // Of two that dispute each other neither is preferred.
    let mut two = telling(&[1_000, 1_000]);
    two.iter_mut().for_each(|one| one.disagrees(1_000));
    assert_eq!(order(&two, LAG, 1_000), [0, 1]);
}

#[test]
fn whose_blockhash_expired_comes_after_its_equals_for_a_while() {
    let mut all = telling(&[1_000, 1_000, 950]);
    all[0].misled(1_000);
    assert_eq!(order(&all, LAG, 1_000), [1, 0, 2]);
    assert_eq!(conditions(&all, LAG, 1_000)[0], Condition::Well);
    all[1].misled(1_000);
    assert_eq!(order(&all, LAG, 1_000), [0, 1, 2]);
}

#[test]
fn silence_is_counted_from_the_first_question_without_an_answer() {
    let mut health = Health::default();
    assert!(!health.is_silent(0, 1_000_000));
    for second in 5..=64 {
        health.bears_witness(false, second * 1_000);
    }
    assert!(!health.is_silent(60_000, 64_999));
    assert!(health.is_silent(60_000, 65_000));
    health.bears_witness(true, 66_000);
    assert!(!health.is_silent(60_000, 1_000_000));
}

#[test]
fn two_questions_far_apart_without_an_answer_are_no_silence_between_them() {
    let mut health = Health::default();
    health.bears_witness(false, 0);
    health.answered(10);
    health.bears_witness(false, 100_000);
    assert!(!health.is_silent(60_000, 100_000));
    health.bears_witness(false, 130_000);
    assert!(health.is_silent(30_000, 130_000));
    // Who answers nothing at all is not waited for anew each time.
    health.bears_witness(false, 900_000);
    assert!(health.is_silent(60_000, 900_000));
}

#[test]
fn whose_clock_contradicts_its_slot_is_asked_last_until_it_bears_it_out() {
    let mut all = telling(&[1_000, 1_000]);
    all[0].tells(u64::MAX, 2_000);
    all[0].tells_falsely(500, 2_000);
    assert_eq!(order(&all, LAG, 2_000), [1, 0]);
    assert_eq!(
        conditions(&all, LAG, 2_000),
        [Condition::Ahead { slots: 500 }, Condition::Well]
    );
    // What it told before makes nobody a laggard.
    assert_eq!(reference(&all, 2_000), Some(1_002));
    all[0].tells_truly();
    assert_eq!(order(&all, LAG, 2_000), [0, 1]);
}
