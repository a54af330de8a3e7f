//! What a store does.

use ballast_history::{
    Figures, HedgePoint, Origin,
    store::{ActionQuery, Batch, Before, StoreError},
};

use crate::{
    Place, each_store,
    values::{action, batches, begun, hedged, order, points_of, watched},
};

each_store! {
    what_is_written_is_there_after_a_restart,
    what_is_written_twice_is_there_once,
    an_older_record_does_not_replace_a_newer_one,
    actions_come_newest_first_in_pages,
    an_action_is_completed_and_never_emptied,
    points_are_read_by_time,
    retention_keeps_the_sums,
    a_store_is_of_one_keeper,
    a_reader_sees_what_is_written_and_changes_nothing,
    overrides_and_backfills_are_kept,
    points_of_the_hedge_are_kept_to_the_last_place_and_once,
}

fn what_is_written_is_there_after_a_restart(place: &Place) {
    let mut first = begun("a");
    let mut second = begun("b");
    let mut store = place.open();
    let mut written = batches(&mut first, 40, 300);
    written.extend(batches(&mut second, 3, 300));
    for batch in &written {
        store.write(batch).unwrap();
    }
    drop(store);
    let mut store = place.open();
    assert_eq!(store.tracks().unwrap(), [first.clone(), second]);
    assert_eq!(store.track("a").unwrap(), Some(first.clone()));
    assert_eq!(store.track("c").unwrap(), None);
    let points = store.points("a", 0..i64::MAX, 1_000).unwrap();
    assert_eq!(points, points_of(&written[..40]));
    assert!(points.len() > 10);
    // The sums go on from there.
    let batch = watched(&mut first, 20_000, -16_000);
    store.write(&batch).unwrap();
    assert_eq!(store.track("a").unwrap(), Some(first));
}

fn what_is_written_twice_is_there_once(place: &Place) {
    let mut stored = begun("a");
    let mut store = place.open();
    let written = batches(&mut stored, 10, 450);
    for mut batch in written.clone() {
        batch.actions.push(action("s", "a", 5, "landed"));
        batch.actions.push(action("s", "b", 5, "landed"));
        batch.overrides.push(order("1", 9));
        store.write(&batch).unwrap();
        store.write(&batch).unwrap();
    }
    let all = ActionQuery {
        limit: 100,
        ..ActionQuery::default()
    };
    // One transaction may do something to two positions.
    assert_eq!(store.actions(&all).unwrap().rows.len(), 2);
    assert_eq!(store.overrides(100).unwrap().len(), 1);
    let points = store.points("a", 0..i64::MAX, 100).unwrap();
    assert_eq!(points, points_of(&written));
    assert!(points.len() < written.len());
    assert_eq!(store.tracks().unwrap().len(), 1);
}

fn an_older_record_does_not_replace_a_newer_one(place: &Place) {
    let mut stored = begun("a");
    let written = batches(&mut stored, 5, 300);
    let mut store = place.open();
    for batch in &written {
        store.write(batch).unwrap();
    }
    store.write(&written[1]).unwrap();
    assert_eq!(store.track("a").unwrap(), Some(stored));
}

fn actions_come_newest_first_in_pages(place: &Place) {
    let mut store = place.open();
    let mut batch = Batch::default();
    // Two of each second, and the older ones last, as a backfill brings them.
    for index in (0..25i64).rev() {
        let position = if index % 2 == 0 { "a" } else { "b" };
        let mut row = action(&format!("s{index}"), position, index / 2, "landed");
        row.intent = (index % 3 == 0).then_some(index as u64);
        batch.actions.push(row);
    }
    store.write(&batch).unwrap();
    let mut query = ActionQuery {
        limit: 7,
        ..ActionQuery::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = store.actions(&query).unwrap();
        assert!(page.rows.len() <= 7);
        query.before = page.rows.last().map(|row| match row.row.intent {
            Some(intent) => Before::Intent(intent),
            None => Before::Row(row.id),
        });
        seen.extend(page.rows.into_iter().map(|row| (row.row.secs, row.row.key)));
        if !page.more {
            break;
        }
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.is_sorted_by(|a, b| a.0 >= b.0), "{seen:?}");
    let mut keys: Vec<_> = seen.into_iter().map(|(_, key)| key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 25);

    let of_one = ActionQuery {
        position: Some("b".into()),
        limit: 12,
        before: None,
    };
    let page = store.actions(&of_one).unwrap();
    assert!(page.rows.iter().all(|row| row.row.position == "b"));
    assert_eq!((page.rows.len(), page.more), (12, false));
    let unknown = ActionQuery {
        before: Some(Before::Row(1 << 40)),
        limit: 5,
        position: None,
    };
    assert!(store.actions(&unknown).unwrap().rows.is_empty());
}

fn an_action_is_completed_and_never_emptied(place: &Place) {
    let mut store = place.open();
    let mut write = |row| {
        let batch = Batch {
            actions: vec![row],
            ..Batch::default()
        };
        store.write(&batch).unwrap();
        let all = ActionQuery {
            limit: 9,
            ..ActionQuery::default()
        };
        let mut rows = store.actions(&all).unwrap().rows;
        assert_eq!(rows.len(), 1);
        rows.remove(0).row
    };
    let pending = action("s", "a", 10, "pending");
    assert_eq!(write(pending.clone()), pending);
    // The chain's events know the price, the slot and the cost.
    let mut chain = action("s", "a", 12, "landed");
    (chain.reason, chain.before, chain.origin) = (None, None, Origin::Chain);
    (chain.price_x64, chain.slot, chain.cost) = (Some(u128::MAX), Some(77), Some(-5));
    let after = Figures {
        equity: i128::MAX,
        delta: 0,
        ltv_bps: 1,
    };
    chain.after = Some(after);
    let both = write(chain);
    assert_eq!(both.secs, 10);
    assert_eq!(both.reason, pending.reason);
    assert_eq!(both.before, pending.before);
    assert_eq!(both.after, Some(after));
    assert_eq!(
        (both.price_x64, both.slot, both.cost, both.outcome.as_str()),
        (Some(u128::MAX), Some(77), Some(-5), "landed")
    );
    // A late word of what was sent changes nothing.
    assert_eq!(write(pending), both);
    // A fork took it back, and it never came into another block: it has left nothing, and cost nothing.
    let gone = write(action("s", "a", 10, "expired"));
    assert_eq!(gone.outcome, "expired");
    assert_eq!((gone.slot, gone.cost, gone.after), (None, None, None));
    assert_eq!(gone.before, both.before);
}

fn points_are_read_by_time(place: &Place) {
    let mut store = place.open();
    let mut stored = begun("a");
    let written = batches(&mut stored, 12, 900);
    for batch in &written {
        store.write(batch).unwrap();
    }
    let mut late = begun("late");
    let other = watched(&mut late, 9_100, -16_000);
    store.write(&other).unwrap();
    let points = points_of(&written);
    let between = store.points("a", 2_700..5_400, 100).unwrap();
    assert_eq!(between, points[1..4]);
    assert_eq!(store.points("a", 2_700..5_400, 2).unwrap(), points[1..3]);
    let mut first = store.first_points(4_000).unwrap();
    first.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("a".to_string(), points[3]),
        ("late".to_string(), other.points[0].1),
    ];
    assert_eq!(first, expected);
}

fn retention_keeps_the_sums(place: &Place) {
    let mut store = place.open();
    let mut stored = begun("a");
    for batch in batches(&mut stored, 12, 900) {
        store.write(&batch).unwrap();
    }
    let mut closed = begun("closed");
    let mut batch = watched(&mut closed, 1_900, -16_000);
    closed.track.close(2_000).unwrap();
    batch.tracks = vec![closed.clone()];
    batch.actions.push(action("old", "a", 100, "landed"));
    batch.actions.push(action("new", "a", 9_000, "landed"));
    batch.backfills.push(("closed".into(), "done".into()));
    store.write(&batch).unwrap();

    assert_eq!(store.prune(1_500).unwrap(), 1, "the old action alone");
    assert_eq!(store.tracks().unwrap(), [stored.clone(), closed]);
    assert!(store.prune(6_000).unwrap() > 0);
    assert_eq!(store.tracks().unwrap(), [stored]);
    let points = store.points("a", 0..i64::MAX, 100).unwrap();
    assert!(points.iter().all(|point| point.secs >= 6_000) && !points.is_empty());
    assert_eq!(store.backfill("closed").unwrap(), None);
}

fn a_store_is_of_one_keeper(place: &Place) {
    place.open().claim("cluster keeper").unwrap();
    let mut store = place.open();
    store.claim("cluster keeper").unwrap();
    let error = store.claim("cluster another").unwrap_err();
    assert!(matches!(error, StoreError::Foreign { .. }), "{error}");
    store.claim("cluster keeper").unwrap();
}

fn a_reader_sees_what_is_written_and_changes_nothing(place: &Place) {
    let mut writer = place.open();
    let mut reader = place.open_to_read();
    assert_eq!(reader.tracks().unwrap(), []);
    let mut stored = begun("a");
    writer.write(&watched(&mut stored, 2_000, -16_000)).unwrap();
    assert_eq!(reader.track("a").unwrap(), Some(stored));
}

fn overrides_and_backfills_are_kept(place: &Place) {
    let mut store = place.open();
    let mut batch = Batch {
        overrides: vec![order("1", 5), order("2", 9), order("3", 7)],
        backfills: vec![("a".into(), "{}".into())],
        ..Batch::default()
    };
    store.write(&batch).unwrap();
    let rows = store.overrides(2).unwrap();
    let keys: Vec<_> = rows.iter().map(|row| row.row.key.as_str()).collect();
    assert_eq!(keys, ["2", "3"]);
    // Postgres knows no zero character.
    assert_eq!(rows[0].row.note, "zero  and ü");
    batch.backfills = vec![("a".into(), "more".into())];
    store.write(&batch).unwrap();
    assert_eq!(store.backfill("a").unwrap().as_deref(), Some("more"));
}

fn points_of_the_hedge_are_kept_to_the_last_place_and_once(place: &Place) {
    let mut store = place.open();
    let all: Vec<HedgePoint> = (0..6)
        .map(|index| hedged("venue me", "SOL", 900 * index + 7))
        .collect();
    for point in &all {
        let batch = Batch {
            hedge: vec![
                point.clone(),
                hedged("venue me", "BTC", point.secs),
                hedged("venue you", "SOL", point.secs),
            ],
            ..Batch::default()
        };
        assert!(!batch.is_empty() && batch.len() == 3);
        store.write(&batch).unwrap();
        // Another life sees the same quarter of an hour again: the first sight stays.
        let mut later = point.clone();
        (later.secs, later.realised) = (point.secs + 60, 0.into());
        let again = Batch {
            hedge: vec![later],
            ..Batch::default()
        };
        store.write(&again).unwrap();
    }
    drop(store);
    let mut store = place.open();
    let mut read = |span, limit| store.hedge_points("venue me", "SOL", span, limit).unwrap();
    assert_eq!(read(0..i64::MAX, 100), all);
    assert_eq!(read(900..2_700, 100), all[1..3]);
    assert_eq!(read(900..i64::MAX, 1), all[1..2]);
    assert_eq!(
        store
            .hedge_points("venue me", "ETH", 0..i64::MAX, 9)
            .unwrap(),
        []
    );
    for point in &all {
        let total = point.total().unwrap();
        assert_eq!(
            total,
            point.realised + point.unrealised + point.funding + point.fees
        );
    }
    // Old ones go as those of positions do.
    assert_eq!(store.prune(1_000).unwrap(), 2 * 3);
    assert_eq!(
        store
            .hedge_points("venue me", "SOL", 0..i64::MAX, 9)
            .unwrap(),
        all[2..]
    );
}
