use ballast_model::Amounts;
use proptest::prelude::*;

use super::*;
use crate::{
    point::STEP_SECS,
    step::tests::{account, at, moment},
};

fn opening() -> Opening {
    Opening {
        secs: 500,
        price: at(-16_094),
        equity: 40_000_000,
    }
}

fn begun() -> Track {
    Track::begin(&opening(), &moment(1, -16_094, 0), &account(), None).unwrap()
}

/// The five are the gain since opening, flows apart, to the unit.
fn adds_up(track: &Track) {
    let change = track.equity().unwrap() - track.opening_equity;
    assert_eq!(
        track.sums.total().unwrap(),
        change - track.flow + track.outside
    );
}

#[test]
fn what_happened_before_the_first_sight_is_in_drift() {
    let mut held = account();
    held.counters.paid_out = [3, 1_000];
    held.counters.liquidation_bonus = 70;
    let track = Track::begin(&opening(), &moment(1, -16_094, 0), &held, None).unwrap();
    adds_up(&track);
    assert_eq!(track.observed_from_secs, 1_001);
    assert_eq!(track.sums.costs, -70);
    assert_eq!(track.flow, -1_000);
    assert_eq!(
        (track.sums.fees, track.sums.interest, track.sums.curvature),
        (0, 0, 0)
    );
    assert_eq!(track.reach, Reach::Counters);
}

#[test]
fn the_chains_events_replace_what_the_counters_said() {
    let mut held = account();
    held.counters.paid_out = [0, 1_000];
    let mut track = Track::begin(&opening(), &moment(1, -16_094, 0), &held, None).unwrap();
    let before = track;
    let past = Past {
        fees: 900,
        costs: -40,
        outside: -10,
        flow: 2_000,
    };
    // Known late: steps have been booked since.
    track
        .observe(&moment(2, -16_050, 3), &held, &Happened::default())
        .unwrap();
    track.know_past(past).unwrap();
    adds_up(&track);
    assert_eq!((track.sums.fees, track.sums.costs), (900, -40));
    assert_eq!(track.reach, Reach::Events);
    // Whoever learns it twice has learned it once.
    let once = track;
    track.know_past(past).unwrap();
    assert_eq!(track, once);
    // And before or after a step makes no difference.
    let mut early = before;
    early.know_past(past).unwrap();
    early
        .observe(&moment(2, -16_050, 3), &held, &Happened::default())
        .unwrap();
    assert_eq!(early.sums, track.sums);
}

#[test]
fn every_quarter_of_an_hour_has_one_point() {
    let mut track = begun();
    assert_eq!(track.next_point().unwrap().unwrap().interval_secs, 900);
    assert!(track.next_point().unwrap().is_none());
    let mut seen = Vec::new();
    for slot in 2..4_000u64 {
        let now = moment(slot, -16_094 + (slot % 200) as i32, slot);
        let (_, point) = track
            .observe(&now, &account(), &Happened::default())
            .unwrap();
        if let Some(point) = point {
            assert_eq!(point.sums, track.sums);
            assert_eq!(point.secs, now.secs);
            seen.push(point.interval_secs);
        }
    }
    adds_up(&track);
    assert_eq!(seen, [1_800, 2_700, 3_600, 4_500]);
    assert_eq!(STEP_SECS, 900);
}

#[test]
fn a_closed_position_keeps_its_sums() {
    let mut track = begun();
    track
        .observe(&moment(9, -15_990, 5), &account(), &Happened::default())
        .unwrap();
    let sums = track.sums;
    track.close(2_000).unwrap();
    adds_up(&track);
    assert_eq!((track.sums, track.closed_secs), (sums, Some(2_000)));
    let once = track;
    track.close(3_000).unwrap();
    assert_eq!(track, once);
}

#[test]
fn a_record_reads_back_as_it_was() {
    let mut track = begun();
    track.seen.account.liquidity = u128::MAX;
    track.seen.account.shares = [u128::MAX, 0];
    track.sums.fees = i128::MIN;
    track.sums.costs = i128::MAX;
    let text = serde_json::to_string(&track).unwrap();
    assert_eq!(serde_json::from_str::<Track>(&text).unwrap(), track);
}

proptest! {
    #[test]
    fn sums_add_up_over_any_way(
        steps in proptest::collection::vec((-25_000i32..-8_000, 0u64..50, 0u8..5, 0u64..1 << 30, any::<bool>()), 1..40),
    ) {
        let mut track = begun();
        let mut held = account();
        let mut grown = 0;
        for (index, (tick, growth, what, amount, known)) in steps.into_iter().enumerate() {
            grown += growth;
            let counters = &mut held.counters;
            match what {
                1 => {
                    held.idle[0] += amount;
                    counters.brought[0] += amount;
                }
                2 => {
                    held.idle[1] += amount / 2;
                    counters.fee_actions += 1;
                    counters.swap_loss += amount / 1_000;
                }
                3 => {
                    held.liquidity /= 2;
                    counters.paid_out[1] += amount;
                }
                4 => held.shares[0] += u128::from(amount) << 32,
                _ => {}
            }
            let now = moment(2 + index as u64, tick, grown);
            let happened = Happened {
                at: known.then(|| at(tick + 100)),
                fees_waiting: known.then(|| Amounts::new(amount, 5)),
                outside_costs: u128::from(growth),
                ..Happened::default()
            };
            track.observe(&now, &held, &happened).unwrap();
            adds_up(&track);
        }
        track.book_outside_costs(77).unwrap();
        adds_up(&track);
        track.know_past(Past { fees: 5, costs: -6, outside: -6, flow: 7 }).unwrap();
        adds_up(&track);
        track.close(1 << 40).unwrap();
        adds_up(&track);
    }
}
