use super::*;
use crate::{
    past::{AsOpened, PastEvent},
    point::STEP_SECS as POINT_SECS,
    step::tests::{account, at, moment},
    track::Reach,
};

fn frame(secs: i64, tick: i32, sights: Vec<Sight>) -> Frame {
    Frame {
        market: "m".into(),
        moment: Moment {
            secs,
            ..moment(secs as u64, tick, secs as u64)
        },
        base_is_native: true,
        decimals: [9, 6],
        complete: true,
        sights,
    }
}

fn sight(address: &str) -> Sight {
    Sight {
        address: address.into(),
        number: 7,
        opening: Opening {
            secs: 500,
            price: at(-16_094),
            equity: 40_000_000,
        },
        account: account(),
        slot: 1,
        hedge: Bps::ONE,
        fees_waiting: None,
        reward_lamports: 50_000,
    }
}

fn adds_up(stored: &Stored) {
    let track = &stored.track;
    let change = track.equity().unwrap() - track.opening_equity;
    let total = track.sums.total().unwrap();
    assert_eq!(total, change - track.flow + track.outside);
}

#[test]
fn points_come_with_their_record_and_quiet_frames_cost_nothing() {
    let mut ledger = Ledger::default();
    let (mut written, mut points) = (0, 0);
    for secs in 1_000..1_000 + 3 * POINT_SECS {
        let mut batch = Batch::default();
        let tick = -16_094 + (secs % 50) as i32;
        let troubles = ledger.take_in(&frame(secs, tick, vec![sight("a")]), &mut batch);
        assert_eq!(troubles, [""; 0]);
        for (address, point) in &batch.points {
            let track = &batch
                .tracks
                .iter()
                .find(|stored| stored.address == *address);
            assert_eq!(track.unwrap().track.sums, point.sums);
        }
        written += batch.tracks.len();
        points += batch.points.len();
    }
    assert_eq!(points, 4);
    // Once a minute.
    assert!((45..=50).contains(&written), "{written}");
    adds_up(ledger.get("a").unwrap());
    assert_eq!(ledger.get("a").unwrap().track.gaps, 0);
}

#[test]
fn a_number_that_is_taken_again_is_another_position() {
    let mut ledger = Ledger::default();
    let mut batch = Batch::default();
    ledger.take_in(&frame(1_000, -16_094, vec![sight("a")]), &mut batch);
    let mut reading = Reading::default();
    reading.note(PastEvent {
        opens: true,
        opened: Some(AsOpened {
            price_x64: at(-16_094).x64(),
            ticks: [-16_200, -16_000],
            liquidity: 1,
            debt: [0, 0],
            equity: 40_000_000,
        }),
        ..PastEvent::default()
    });
    assert!(ledger.read_past("a", &reading, &mut batch).unwrap());
    ledger.book_fee("a", 7, 5_000, &mut batch).unwrap();
    let first = ledger.get("a").unwrap().track;
    assert!(first.opened.is_some() && first.sums.costs < 0);
    ledger.take_in(&frame(1_100, -16_094, vec![]), &mut batch);
    assert!(ledger.get("a").unwrap().track.closed_secs.is_some());

    let mut batch = Batch::default();
    let mut second = sight("a");
    (second.opening.secs, second.opening.equity) = (1_150, 41_000_000);
    ledger.take_in(&frame(1_200, -16_094, vec![second.clone()]), &mut batch);
    let kept = ledger.get("a").unwrap();
    let track = &kept.track;
    assert_eq!((track.opened_secs, track.closed_secs), (1_150, None));
    assert_eq!((track.opened, track.reach), (None, Reach::Counters));
    assert_eq!((track.sums.costs, track.flow), (0, 0));
    adds_up(kept);
    // Its past is read anew, and no fee of the former one's is booked again.
    assert_eq!(batch.backfills, [("a".to_owned(), String::new())]);
    let again = ledger.book_fee("a", 7, 5_000, &mut batch).unwrap();
    assert_eq!(again, None);
    // A reading that had begun before, and an older answer, are about the former one and change nothing.
    assert!(!ledger.read_past("a", &reading, &mut batch).unwrap());
    assert_eq!(ledger.get("a").unwrap().track.reach, Reach::Counters);
    ledger.take_in(&frame(1_190, -16_094, vec![sight("a")]), &mut batch);
    assert_eq!(ledger.get("a").unwrap().track.opened_secs, 1_150);
}

#[test]
fn a_restart_goes_on_where_the_store_ends_with_the_same_total() {
    let frames: Vec<_> = (0..100)
        .map(|index| frame(1_000 + 10 * index, -16_094 + index as i32, vec![sight("a")]))
        .collect();
    let mut whole = Ledger::default();
    let mut killed = Ledger::default();
    let mut store: Option<Stored> = None;
    for (index, frame) in frames.iter().enumerate() {
        let mut batch = Batch::default();
        killed.take_in(frame, &mut batch);
        store = batch.tracks.pop().or(store);
        // Killed in the middle of a minute, every time.
        if index % 33 == 20 {
            killed = Ledger::new(store.clone().into_iter().collect());
        }
        whole.take_in(frame, &mut Batch::default());
    }
    let (killed, whole) = (killed.get("a").unwrap(), whole.get("a").unwrap());
    adds_up(killed);
    adds_up(whole);
    assert_eq!(
        killed.track.sums.total().unwrap(),
        whole.track.sums.total().unwrap()
    );
    assert_eq!(killed.track.observed_from_secs, 1_000);
    assert_eq!(killed.track.gaps, 0);
}

#[test]
fn a_long_silence_is_a_gap() {
    let mut ledger = Ledger::default();
    let mut batch = Batch::default();
    ledger.take_in(&frame(1_000, -16_094, vec![sight("a")]), &mut batch);
    ledger.take_in(&frame(1_100, -16_000, vec![sight("a")]), &mut batch);
    assert_eq!(ledger.get("a").unwrap().track.gaps, 0);
    ledger.take_in(&frame(1_300, -16_050, vec![sight("a")]), &mut batch);
    assert_eq!(ledger.get("a").unwrap().track.gaps, 1);
    ledger.note_loss();
    assert_eq!(ledger.get("a").unwrap().track.gaps, 2);
    adds_up(ledger.get("a").unwrap());
    // The newest of each is enough.
    let mut batch = Batch::default();
    ledger.rest(&mut batch);
    ledger.rest(&mut batch);
    assert_eq!(batch.tracks.len(), 1);
}

#[test]
fn a_position_that_is_gone_is_closed_and_one_that_was_only_missing_comes_back() {
    let mut ledger = Ledger::default();
    let mut batch = Batch::default();
    let both = vec![sight("a"), sight("b")];
    ledger.take_in(&frame(1_000, -16_094, both.clone()), &mut batch);
    // Not all were read: nothing is known of the other.
    let mut partial = frame(1_010, -16_094, vec![sight("a")]);
    partial.complete = false;
    ledger.take_in(&partial, &mut batch);
    assert_eq!(ledger.get("b").unwrap().track.closed_secs, None);
    ledger.take_in(&frame(1_020, -16_094, vec![sight("a")]), &mut batch);
    let closed = ledger.get("b").unwrap();
    assert_eq!(closed.track.closed_secs, Some(1_020));
    assert_eq!(closed.track.equity().unwrap(), 0);
    adds_up(closed);
    let sums = closed.track.sums;
    ledger.take_in(&frame(1_030, -16_094, both), &mut batch);
    let back = ledger.get("b").unwrap();
    assert_eq!(back.track.closed_secs, None);
    adds_up(back);
    assert_eq!(back.track.sums.fees, sums.fees);
    // Positions of other markets are none of this one's business.
    let mut other = frame(1_040, -16_094, Vec::new());
    other.market = "n".into();
    ledger.take_in(&other, &mut batch);
    assert_eq!(ledger.get("a").unwrap().track.closed_secs, None);
}

#[test]
fn rewards_and_fees_of_transactions_are_costs_beside_the_equity() {
    let mut ledger = Ledger::default();
    let mut batch = Batch::default();
    ledger.take_in(&frame(1_000, -16_094, vec![sight("a")]), &mut batch);
    let before = ledger.get("a").unwrap().track;
    let mut rewarded = sight("a");
    rewarded.account.counters.last_reward_secs = 1_001;
    ledger.take_in(&frame(1_001, -16_094, vec![rewarded]), &mut batch);
    let after = ledger.get("a").unwrap();
    let reward = worth(Amounts::new(50_000, 0), at(-16_094)).unwrap();
    assert_eq!(after.track.sums.costs, before.sums.costs - reward);
    assert_eq!(after.track.outside, -reward);
    adds_up(after);
    // Read from the journal again after a restart, a fee is still one.
    for _ in 0..2 {
        ledger.book_fee("a", 5, 5_000, &mut batch).unwrap();
    }
    let fee = worth(Amounts::new(5_000, 0), at(-16_094)).unwrap();
    let after = ledger.get("a").unwrap();
    assert_eq!(after.track.outside, -reward - fee);
    adds_up(after);
    // What a fork took back was not paid for, also once it is read again.
    let paid = ledger.book_fee("a", 6, 5_000, &mut batch).unwrap().unwrap();
    ledger.give_fee_back("a", paid, &mut batch).unwrap();
    ledger.book_fee("a", 6, 5_000, &mut batch).unwrap();
    let after = ledger.get("a").unwrap();
    assert_eq!(after.track.outside, -reward - fee);
    adds_up(after);
    assert_eq!(
        ledger.book_fee("nobody", 5, 5_000, &mut batch).unwrap(),
        None
    );
}

#[test]
fn a_position_that_cannot_be_valued_is_told_once_and_stops_no_other() {
    let mut ledger = Ledger::default();
    let mut bad = sight("bad");
    bad.account.ticks = [5, 5];
    for secs in [1_000, 1_010] {
        let mut batch = Batch::default();
        let sights = vec![bad.clone(), sight("a")];
        let troubles = ledger.take_in(&frame(secs, -16_094, sights), &mut batch);
        assert_eq!(troubles.len(), usize::from(secs == 1_000), "{troubles:?}");
    }
    assert!(ledger.get("a").is_some() && ledger.get("bad").is_none());
    let mut batch = Batch::default();
    ledger.take_in(&frame(1_020, -16_094, vec![sight("bad")]), &mut batch);
    assert!(ledger.get("bad").is_some());
}

#[test]
fn a_past_that_is_read_late_is_in_the_sums() {
    let mut ledger = Ledger::default();
    let mut batch = Batch::default();
    ledger.take_in(&frame(1_000, -16_094, vec![sight("a")]), &mut batch);
    ledger.take_in(&frame(1_010, -16_000, vec![sight("a")]), &mut batch);
    let before = ledger.get("a").unwrap().track;
    let mut reading = Reading::default();
    reading.note(crate::PastEvent {
        fees: [1_000, 0],
        cost: 30,
        reward_lamports: 5_000,
        ..crate::PastEvent::default()
    });
    reading.note(crate::PastEvent {
        opens: true,
        ..crate::PastEvent::default()
    });
    ledger.read_past("a", &reading, &mut batch).unwrap();
    let after = ledger.get("a").unwrap();
    adds_up(after);
    // At the price of the first sight, since no event says one.
    let at = at(-16_094);
    let fees = worth(Amounts::new(1_000, 0), at).unwrap();
    let reward = worth(Amounts::new(5_000, 0), at).unwrap();
    assert_eq!(after.track.sums.fees - before.sums.fees, fees);
    assert_eq!(after.track.sums.costs - before.sums.costs, -30 - reward);
    assert_eq!(after.track.sums.curvature, before.sums.curvature);
    assert_eq!(batch.tracks.last(), Some(after));
}
