use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_000_000;
const DAY: i64 = 86_400;

fn address(number: u8) -> Pubkey {
    Pubkey::new_from_array([number; 32])
}

fn position(number: u8) -> Scope {
    Scope::Position {
        position: address(number),
    }
}

fn record(id: u64, secs: i64, scope: Scope, mode: Verb, until_secs: Option<i64>) -> OverrideRecord {
    OverrideRecord {
        applied: Applied {
            entry: Override {
                id,
                secs,
                scope,
                mode,
                note: format!("note {id}"),
                by: "test".into(),
                until_secs,
            },
            in_flight: Vec::new(),
        },
        key: None,
    }
}

fn folded(records: &[OverrideRecord]) -> Overrides {
    let mut overrides = Overrides::default();
    records.iter().for_each(|record| overrides.fold(record));
    overrides
}

/// The keeper's mode at a time, after these were given to an active keeper.
fn mode_after(records: &[(Verb, Option<i64>)], now_secs: i64) -> Mode {
    let records: Vec<_> = records
        .iter()
        .zip(1..)
        .map(|((verb, until), id)| record(id, NOW, Scope::Keeper, *verb, *until))
        .collect();
    folded(&records).mode(Mode::Active, now_secs)
}

#[test]
fn the_last_word_counts() {
    use Verb::{Halt, Reduce, Resume};
    for (records, expected) in [
        (vec![], Mode::Active),
        (vec![Halt], Mode::Halted),
        (vec![Reduce], Mode::Reducing),
        (vec![Halt, Reduce], Mode::Reducing),
        (vec![Reduce, Halt], Mode::Halted),
        (vec![Halt, Resume], Mode::Active),
        (vec![Halt, Resume, Reduce], Mode::Reducing),
        (vec![Reduce, Halt, Resume], Mode::Active),
    ] {
        let records: Vec<_> = records.into_iter().map(|verb| (verb, None)).collect();
        assert_eq!(mode_after(&records, NOW), expected, "{records:?}");
        assert_eq!(mode_after(&records, i64::MAX), expected, "{records:?}");
    }
}

#[test]
fn what_ends_by_itself_leaves_what_was_before() {
    use Verb::{Halt, Reduce, Resume};
    let (hour, day) = (Some(NOW + 3_600), Some(NOW + DAY));
    for (records, within, after_hour, after_day) in [
        (vec![(Halt, hour)], Mode::Halted, Mode::Active, Mode::Active),
        (
            vec![(Reduce, None), (Halt, hour)],
            Mode::Halted,
            Mode::Reducing,
            Mode::Reducing,
        ),
        (
            vec![(Reduce, day), (Halt, hour)],
            Mode::Halted,
            Mode::Reducing,
            Mode::Active,
        ),
        // A longer one stands for the shorter beneath it.
        (
            vec![(Halt, hour), (Reduce, day)],
            Mode::Reducing,
            Mode::Reducing,
            Mode::Active,
        ),
        (
            vec![(Halt, hour), (Reduce, None)],
            Mode::Reducing,
            Mode::Reducing,
            Mode::Reducing,
        ),
        // Lifted for an hour, then halted again.
        (
            vec![(Halt, None), (Reduce, hour)],
            Mode::Reducing,
            Mode::Halted,
            Mode::Halted,
        ),
        (
            vec![(Reduce, None), (Halt, hour), (Resume, None)],
            Mode::Active,
            Mode::Active,
            Mode::Active,
        ),
    ] {
        assert_eq!(mode_after(&records, NOW), within, "{records:?}");
        assert_eq!(mode_after(&records, NOW + 3_599), within, "{records:?}");
        assert_eq!(mode_after(&records, NOW + 3_600), after_hour, "{records:?}");
        assert_eq!(mode_after(&records, NOW + DAY), after_day, "{records:?}");
    }
}

#[test]
fn no_override_gives_more_than_the_configuration() {
    for configured in Mode::ALL {
        for (verb, bound) in [
            (Verb::Halt, Mode::Halted),
            (Verb::Reduce, Mode::Reducing),
            (Verb::Resume, Mode::Active),
        ] {
            let overrides = folded(&[record(1, NOW, Scope::Keeper, verb, None)]);
            let mode = overrides.mode(configured, NOW);
            assert!(mode <= configured);
            assert_eq!(mode, configured.min(bound));
        }
    }
}

#[test]
fn a_position_has_the_lesser_of_its_own_and_the_keepers() {
    let overrides = folded(&[
        record(1, NOW, position(1), Verb::Pause, None),
        record(2, NOW, position(2), Verb::Reduce, Some(NOW + 60)),
        record(3, NOW, position(3), Verb::Pause, None),
        record(4, NOW, position(3), Verb::Resume, None),
    ]);
    assert_eq!(overrides.mode(Mode::Active, NOW), Mode::Active);
    let bounds = |overrides: &Overrides, now| {
        [1, 2, 3, 4].map(|number| overrides.position_bound(&address(number), now))
    };
    use Mode::{Active, Halted, Reducing};
    assert_eq!(bounds(&overrides, NOW), [Halted, Reducing, Active, Active]);
    assert_eq!(
        bounds(&overrides, NOW + 60),
        [Halted, Active, Active, Active]
    );
    let bound_by = |number| Some(overrides.position(&address(number), NOW)?.id);
    assert_eq!([1, 2, 3, 4].map(bound_by), [Some(1), Some(2), None, None]);
    let mut reduced = overrides;
    reduced.fold(&record(5, NOW, Scope::Keeper, Verb::Reduce, None));
    assert_eq!(
        bounds(&reduced, NOW),
        [Halted, Reducing, Reducing, Reducing]
    );
}

#[test]
fn an_answer_is_owed_for_a_day() {
    let mut keyed = record(7, NOW, Scope::Keeper, Verb::Halt, None);
    keyed.key = Some("k".into());
    let mut overrides = folded(&[
        keyed.clone(),
        record(8, NOW, Scope::Keeper, Verb::Resume, None),
    ]);
    let answer = |overrides: &Overrides, now| overrides.answer("k", now).map(|it| it.entry.id);
    assert_eq!(answer(&overrides, NOW + DAY - 1), Some(7));
    assert_eq!(answer(&overrides, NOW + DAY), None);
    // A clock that was put back owes it still.
    assert_eq!(answer(&overrides, NOW - 5), Some(7));
    assert_eq!(overrides.answer("other", NOW), None);
    // However many came in between.
    for id in 9..2_000 {
        overrides.fold(&record(
            id,
            NOW + DAY - 1,
            Scope::Keeper,
            Verb::Reduce,
            None,
        ));
    }
    assert_eq!(answer(&overrides, NOW + DAY - 1), Some(7));
    overrides.fold(&record(2_000, NOW + DAY, Scope::Keeper, Verb::Reduce, None));
    assert_eq!(answer(&overrides, NOW + DAY - 1), None);
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        Just(Verb::Halt),
        Just(Verb::Reduce),
        Just(Verb::Pause),
        Just(Verb::Resume)
    ]
}

fn records() -> impl Strategy<Value = Vec<OverrideRecord>> {
    let one = (0u8..4, verb(), proptest::option::of(1i64..4), 0i64..DAY);
    proptest::collection::vec(one, 0..400).prop_map(|all| {
        let mut secs = NOW;
        let mut records = Vec::new();
        for ((number, verb, hours, pause), id) in all.into_iter().zip(1..) {
            secs += pause / 16;
            let scope = if number == 0 {
                Scope::Keeper
            } else {
                position(number)
            };
            let until = hours
                .filter(|_| verb != Verb::Resume)
                .map(|hours| secs + hours * 3_600);
            records.push(record(id, secs, scope, verb, until));
        }
        records
    })
}

/// What stands at a time, in the plain way: the last word whose time is not over, unless a later one without end, or with a
/// later end, or a resume came.
fn plainly(records: &[OverrideRecord], scope: Scope, now_secs: i64) -> Mode {
    let of_scope = records
        .iter()
        .filter(|record| record.applied.entry.scope == scope);
    let entries: Vec<_> = of_scope.map(|record| &record.applied.entry).collect();
    let end = |entry: &Override| entry.until_secs.unwrap_or(i64::MAX);
    for (index, entry) in entries.iter().enumerate().rev() {
        if entry.mode == Verb::Resume {
            return Mode::Active;
        }
        let outlived = entries[index + 1..]
            .iter()
            .any(|later| end(later) >= end(entry));
        if now_secs < end(entry) && !outlived {
            return entry.mode.bound().unwrap();
        }
    }
    Mode::Active
}

proptest! {
    #[test]
    fn the_fold_is_what_the_plain_rule_says(records in records(), later in 0i64..4 * 3_600) {
        let overrides = folded(&records);
        let now = overrides.newest_secs().max(NOW) + later;
        prop_assert_eq!(overrides.mode(Mode::Active, now), plainly(&records, Scope::Keeper, now));
        for number in 1..4 {
            let own = plainly(&records, position(number), now);
            let expected = own.min(overrides.mode(Mode::Active, now));
            prop_assert_eq!(overrides.position_bound(&address(number), now), expected);
        }
    }

    /// A journal that is put aside leaves to the next one what it stands for, also over and over and with more to come.
    #[test]
    fn what_is_carried_over_stands_for_everything(records in records(), cuts in proptest::collection::vec(0usize..400, 0..4)) {
        let mut whole = Overrides::default();
        let mut carried = Overrides::default();
        for (index, record) in records.iter().enumerate() {
            if cuts.contains(&index) {
                carried = folded(&carried.carried());
            }
            whole.fold(record);
            carried.fold(record);
            prop_assert_eq!(&carried.keeper, &whole.keeper);
            prop_assert_eq!(&carried.positions, &whole.positions);
            prop_assert_eq!(carried.newest_secs, whole.newest_secs);
            prop_assert_eq!(carried.newest().next(), whole.newest().next());
        }
    }

    /// Layers end one before the other, so that there are never more than differ in their ends.
    #[test]
    fn layers_end_in_turn(records in records()) {
        let overrides = folded(&records);
        for layers in overrides.positions.values().chain([&overrides.keeper]) {
            let end = |layer: &OverrideRecord| layer.applied.entry.until_secs.unwrap_or(i64::MAX);
            prop_assert!(layers.windows(2).all(|pair| end(&pair[0]) > end(&pair[1])));
        }
    }
}
