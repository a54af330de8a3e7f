//! What a stream leaves out, in simulated time: gaps at its beginning, slots alone, deafness, dead slots.

use std::{sync::Arc, time::Duration};

use ballast_feed::Feed;
use solana_sdk::pubkey::Pubkey;
use tokio::time::{Instant, sleep};

use super::{
    Follower,
    testing::{
        ledger::{Ledger, LedgerFeed, Tells},
        reader::follow,
    },
};
use crate::{book::MarketBook, config::Timing, sim::bytes};

const OLD: Pubkey = Pubkey::new_from_array([100; 32]);
const NEW: Pubkey = Pubkey::new_from_array([101; 32]);
const SECS: fn(u64) -> Duration = Duration::from_secs;
/// Within which new positions and changed policies are seen, whatever a stream does.
const SEEN_WITHIN: Duration = Duration::from_secs(2);

/// A book of what such a stream tells.
fn reader(ledger: &Ledger, tells: Tells, dies_after: Option<u64>) -> Follower {
    let feed: Arc<dyn Feed> = Arc::new(LedgerFeed {
        ledger: ledger.clone(),
        tells,
        dies_after,
    });
    follow(Arc::new(ledger.clone()), vec![feed], Timing::default())
}

fn idle_base(book: &MarketBook, address: Pubkey) -> Option<u64> {
    book.position(&address)
        .map(|known| known.position.idle_base)
}

/// The node that is asked is 40 slots behind the one that streams: what lies between is in neither the first answer nor the stream.
#[tokio::test(start_paused = true)]
async fn what_changed_before_the_stream_began_is_read_although_the_snapshot_lags_by_40_slots() {
    let ledger = Ledger::new(&[OLD]);
    sleep(SECS(60)).await;
    ledger.lag(40);
    ledger.write(OLD, |position| position.idle_base = 77);
    ledger.write(NEW, |_| {});
    // No list of transactions helps.
    ledger.lists_nothing();
    sleep(SECS(1)).await;
    let mut reader = reader(&ledger, Tells::All, None);
    let took = reader
        .read_until(|book| idle_base(book, OLD) == Some(77) && book.position(&NEW).is_some())
        .await;
    // Not before the node has come there, and then at once.
    assert!(took < SECS(16 + 4), "{took:?}");
    assert!(reader.lost.is_empty(), "{:?}", reader.lost);
    // Not read again and again meanwhile.
    assert_eq!(ledger.reads_of_all(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_keeps_up_is_asked_for_everything_once() {
    let ledger = Ledger::new(&[OLD]);
    // A little behind, as `confirmed` is.
    ledger.lag(2);
    let mut reader = reader(&ledger, Tells::All, None);
    reader.read_for(SECS(60)).await;
    assert_eq!(ledger.reads_of_all(), 1);
    assert!(reader.lost.is_empty(), "{:?}", reader.lost);
}

/// Opened, changed and closed positions while a stream tells slots, or slots and the clock, and nothing else.
#[tokio::test(start_paused = true)]
async fn new_positions_and_changed_policies_are_seen_within_2_s_while_slots_alone_arrive() {
    for (tells, shows) in [
        (Tells::Slots, true),
        (Tells::Clock, true),
        (Tells::Slots, false),
    ] {
        let ledger = Ledger::new(&[OLD]);
        let mut reader = reader(&ledger, tells, None);
        if !shows {
            ledger.shows_nothing();
        }
        reader.read_for(SECS(20)).await;
        let reads = ledger.reads_of_all();
        let mut slowest = Duration::ZERO;
        for step in 1..=30 {
            // At every phase of what is done once a second.
            reader.read_for(Duration::from_millis(2_370)).await;
            ledger.write(OLD, |position| position.policy.delta_band_bps = step);
            let took = reader
                .read_until(|book| {
                    let known = book.position(&OLD).unwrap();
                    known.position.policy.delta_band_bps == step
                })
                .await;
            slowest = slowest.max(took);
        }
        reader.read_for(SECS(3)).await;
        ledger.write(NEW, |_| {});
        let opened = reader
            .read_until(|book| book.position(&NEW).is_some())
            .await;
        reader.read_for(SECS(3)).await;
        ledger.close(OLD);
        let closed = reader
            .read_until(|book| book.position(&OLD).is_none())
            .await;
        for took in [slowest, opened, closed] {
            assert!(took < SEEN_WITHIN, "{tells:?}: {took:?}");
        }
        assert!(reader.lost.is_empty(), "{:?}", reader.lost);
        // Where transactions are shown, nobody else's position is read.
        assert_eq!(ledger.reads_of_all() == reads, shows, "{tells:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_tells_everything_makes_no_question_of_its_own() {
    let ledger = Ledger::new(&[OLD]);
    // If the list led to questions, they would be for all positions.
    ledger.shows_nothing();
    let mut reader = reader(&ledger, Tells::All, None);
    reader.read_for(SECS(5)).await;
    for step in 1..=30 {
        ledger.write(OLD, |position| position.idle_base = step);
        reader.read_for(Duration::from_millis(1_130)).await;
        assert_eq!(idle_base(&reader.book, OLD), Some(step));
    }
    assert_eq!(ledger.reads_of_all(), 1);
}

/// A closed position belongs to the program no longer, so that no stream tells of it; others that are told do not hide it.
#[tokio::test(start_paused = true)]
async fn a_closed_position_is_gone_within_2_s() {
    let ledger = Ledger::new(&[OLD]);
    let mut reader = reader(&ledger, Tells::All, None);
    for phase in 0..10 {
        ledger.write(OLD, |_| {});
        reader
            .read_for(SECS(20) + Duration::from_millis(130 * phase))
            .await;
        assert!(reader.book.position(&OLD).is_some());
        let (closing, began) = (ledger.clone(), Instant::now());
        closing.close(OLD);
        tokio::spawn(async move {
            sleep(Duration::from_millis(800)).await;
            closing.write(NEW, |_| {});
        });
        reader
            .read_until(|book| book.position(&OLD).is_none())
            .await;
        assert!(began.elapsed() < SEEN_WITHIN, "{:?}", began.elapsed());
        reader.read_for(SECS(3)).await;
        assert!(reader.book.position(&NEW).is_some());
    }
    assert_eq!(ledger.reads_of_all(), 1);
}

/// A stream that has told of the clock and no longer does is begun anew within a few seconds, even where no transactions are listed.
#[tokio::test(start_paused = true)]
async fn a_stream_that_became_deaf_is_begun_anew() {
    let ledger = Ledger::new(&[OLD]);
    ledger.lists_nothing();
    let mut reader = reader(&ledger, Tells::ClockUntil(20), None);
    reader.read_for(SECS(9)).await;
    assert!(reader.lost.is_empty(), "{:?}", reader.lost);
    ledger.write(NEW, |_| {});
    let took = reader
        .read_until(|book| book.position(&NEW).is_some())
        .await;
    assert!(took < SECS(6), "{took:?}");
    assert!(reader.lost[0].contains("clock"), "{:?}", reader.lost);
}

/// What a dead slot told is taken back, also by a node that is behind: a change, a new position, a closed one.
#[tokio::test(start_paused = true)]
async fn what_a_dead_slot_told_is_taken_back() {
    let closed = Pubkey::new_from_array([102; 32]);
    for lag in [0, 5] {
        let ledger = Ledger::new(&[OLD, closed]);
        ledger.lists_nothing();
        sleep(SECS(10)).await;
        ledger.lag(lag);
        let mut reader = reader(&ledger, Tells::All, Some(3));
        reader.read_for(SECS(10)).await;
        ledger.write(OLD, |position| position.idle_base = 77);
        ledger.write(NEW, |_| {});
        let slot = ledger.now();
        reader
            .read_until(|book| idle_base(book, OLD) == Some(77) && book.position(&NEW).is_some())
            .await;
        ledger.die(slot);
        let before = bytes::position_at(&OLD).idle_base;
        let took = reader
            .read_until(|book| {
                idle_base(book, OLD) == Some(before) && book.position(&NEW).is_none()
            })
            .await;
        assert!(took < SECS(5), "{took:?}");
        assert!(reader.book.position(&closed).is_some());
        assert!(reader.lost.is_empty(), "{:?}", reader.lost);
    }
}
