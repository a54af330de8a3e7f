//! Halts, reductions and pauses against the simulated cluster: they bind at once, survive kills, and end when they are to end.

use std::{collections::BTreeSet, fs, time::Duration};

use ballast_client::{Automation, Reaction};
use ballast_model::Amounts;
use ballast_strategy::{decide::ActionKind, fixtures};
use solana_sdk::pubkey::Pubkey;
use tokio::time::{Instant, sleep, timeout};

use super::{
    Disk, Faults, World,
    crash_tests::{POSITIONS, beside, keeper, landed, parts, settled, world},
};
use crate::{
    Keeper, KeeperEvent, Mode,
    control::{Control, Mode as M, Overrides, Permission, Refused, Request, Scope, Verb},
    journal::{Header, Journal, Record, SharedJournal, VERSION, scan},
};

const ALL: usize = POSITIONS as usize;

fn position(number: u8) -> Pubkey {
    Pubkey::new_from_array([100 + number; 32])
}

fn request(verb: Verb) -> Request {
    Request {
        scope: Scope::Keeper,
        verb,
        note: "because of a test".into(),
        until_secs: None,
        expect_mode: None,
        key: None,
        by: "test".into(),
    }
}

fn of_position(number: u8, verb: Verb) -> Request {
    Request {
        scope: Scope::Position {
            position: position(number),
        },
        ..request(verb)
    }
}

async fn minutes(minutes: u64) {
    sleep(Duration::from_secs(60 * minutes)).await;
}

/// No intent follows an override that forbids it, for a keeper that is configured to act. Overrides that end by themselves are
/// not looked at.
fn audit(disk: &Disk) {
    let mut overrides = Overrides::default();
    for record in scan(&disk.bytes()).unwrap().records {
        match record {
            Record::Override(record) => overrides.fold(&record),
            Record::Intent(intent) => {
                let bound = overrides.position_bound(&intent.position, 0);
                assert_eq!(
                    bound.permission(intent.action),
                    Permission::Send,
                    "{} of {} in mode {bound}",
                    intent.action,
                    intent.position
                );
            }
            _ => {}
        }
    }
}

/// How many positions something was done for.
fn acted_on(world: &World) -> usize {
    let inner = world.lock();
    let positions: BTreeSet<_> = inner
        .landings
        .iter()
        .map(|landing| landing.position)
        .collect();
    positions.len()
}

/// Everything that was done, by kind.
fn done(world: &World) -> Vec<(ActionKind, usize)> {
    assert_eq!(world.lock().violations, Vec::<String>::new());
    let kinds = ActionKind::ALL.into_iter();
    let counts = kinds.map(|kind| (kind, landed(world, kind)));
    counts.filter(|(_, count)| *count > 0).collect()
}

#[tokio::test(start_paused = true)]
async fn a_halted_keeper_sends_nothing_whatever_is_due_and_resumes_at_once() {
    let (world, disk) = world(1, Faults::default());
    let keeper = keeper(&world, &disk, Mode::Active);
    let (control, mut events) = (keeper.control(), keeper.events());
    let scene = async {
        sleep(Duration::from_secs(5)).await;
        let applied = control.apply(request(Verb::Halt)).await.unwrap();
        assert_eq!((control.mode(), applied.in_flight), (M::Halted, Vec::new()));
        // Past the trigger of a deleverage.
        world.lock().set_price(290);
        minutes(10).await;
        assert_eq!((done(&world), world.lock().submits), (Vec::new(), 0));
        control.apply(request(Verb::Resume)).await.unwrap();
        let resumed = Instant::now();
        while acted_on(&world) < ALL {
            sleep(Duration::from_millis(100)).await;
            assert!(resumed.elapsed() < Duration::from_secs(60));
        }
        // A transaction lands within four slots.
        assert!(
            resumed.elapsed() < Duration::from_secs(4),
            "{:?}",
            resumed.elapsed()
        );
    };
    beside(keeper, scene).await;
    audit(&disk);
    let mut told = Vec::new();
    let mut decisions = 0;
    while let Ok(event) = events.try_recv() {
        match event {
            KeeperEvent::ModeChanged { mode, reason } => told.push((mode, reason)),
            KeeperEvent::Decision(decision) if told.len() == 1 => {
                decisions += usize::from(decision.action.is_some());
            }
            _ => {}
        }
    }
    let modes: Vec<_> = told.iter().map(|(mode, _)| *mode).collect();
    assert_eq!(modes, [M::Halted, M::Active]);
    assert!(
        told[0].1.contains("because of a test") && told[1].1 == "configured",
        "{told:?}"
    );
    // It still says what would be due.
    assert!(decisions >= ALL, "{decisions}");
}

/// Everything allowed, out of the pool at 204 dollars and below.
fn automation() -> Automation {
    Automation {
        window_low_tick: fixtures::sqrt_price_cents(20_400).tick().get(),
        at_low: Reaction::ExitIntoQuote as u8,
        recenter_cooldown_secs: 0,
        ..fixtures::automation()
    }
}

#[tokio::test(start_paused = true)]
async fn reducing_rehedges_deleverages_and_exits_but_neither_recenters_nor_compounds() {
    let (world, disk) = world(2, Faults::default());
    let keeper = keeper(&world, &disk, Mode::Active);
    let control = keeper.control();
    let scene = async {
        sleep(Duration::from_secs(5)).await;
        control.apply(request(Verb::Reduce)).await.unwrap();
        // Where it would recenter, it rehedges.
        world
            .lock()
            .change_positions(|position| position.automation = automation());
        world.lock().set_price(216);
        minutes(20).await;
        assert_eq!(done(&world), [(ActionKind::Rehedge, ALL)]);
        control.apply(request(Verb::Resume)).await.unwrap();
        minutes(10).await;
        let recentered = [(ActionKind::Recenter, ALL), (ActionKind::Rehedge, ALL)];
        assert_eq!(done(&world), recentered);
        control.apply(request(Verb::Reduce)).await.unwrap();
        world.lock().earn(Amounts::new(10_000_000, 1_000_000));
        minutes(20).await;
        assert_eq!(done(&world), recentered);
        control.apply(request(Verb::Resume)).await.unwrap();
        minutes(10).await;
        let expected = [
            (ActionKind::Compound, ALL),
            (ActionKind::Recenter, ALL),
            (ActionKind::Rehedge, ALL),
        ];
        assert_eq!(done(&world), expected);
        control.apply(request(Verb::Reduce)).await.unwrap();
    };
    beside(keeper, scene).await;
    // Another life finds it so; what the first learned of the price's moves would have it choose otherwise than the simulated
    // chain.
    let keeper = self::keeper(&world, &disk, Mode::Active);
    let control = keeper.control();
    let scene = async {
        world.lock().set_price(203);
        minutes(5).await;
        assert_eq!(control.mode(), M::Reducing);
        assert_eq!(landed(&world, ActionKind::Exit), ALL);
    };
    beside(keeper, scene).await;
    audit(&disk);
}

#[tokio::test(start_paused = true)]
async fn reducing_deleverages_where_a_rehedge_does_not_help() {
    let (world, disk) = world(3, Faults::default());
    // No hedge is wanted, so that only LTV counts.
    world.lock().refuses = Some(ActionKind::Rehedge);
    let keeper = keeper(&world, &disk, Mode::Active);
    let control = keeper.control();
    let scene = async {
        sleep(Duration::from_secs(5)).await;
        control.apply(request(Verb::Reduce)).await.unwrap();
        world.lock().set_price(290);
        minutes(5).await;
    };
    beside(keeper, scene).await;
    let all = done(&world).into_iter();
    let deleverages = [ActionKind::Deleverage, ActionKind::DeleverageSwap];
    let lowering = all.filter(|(kind, _)| deleverages.contains(kind));
    assert_eq!(lowering.map(|(_, count)| count).sum::<usize>(), ALL);
    audit(&disk);
}

#[tokio::test(start_paused = true)]
async fn a_paused_position_is_left_alone_and_the_others_are_not() {
    let (world, disk) = world(4, Faults::default());
    let keeper = keeper(&world, &disk, Mode::Active);
    let control = keeper.control();
    let scene = async {
        sleep(Duration::from_secs(5)).await;
        control.apply(of_position(1, Verb::Pause)).await.unwrap();
        assert_eq!(control.position_mode(&position(1)), M::Halted);
        assert_eq!(control.position_mode(&position(0)), M::Active);
        assert_eq!(control.mode(), M::Active);
        world.lock().set_price(290);
        minutes(10).await;
        let touched = |number| {
            let inner = world.lock();
            let mut landings = inner.landings.iter();
            landings.any(|landing| landing.position == position(number))
        };
        assert_eq!([0, 1, 2].map(touched), [true, false, true]);
        control.apply(of_position(1, Verb::Resume)).await.unwrap();
        sleep(Duration::from_secs(5)).await;
        assert!(touched(1));
    };
    beside(keeper, scene).await;
    audit(&disk);
}

#[tokio::test(start_paused = true)]
async fn a_halt_survives_a_restart_and_nobody_sends_again_what_was_in_flight() {
    // Nothing lands: what was sent would be sent again until it expires.
    let faults = Faults {
        lost: 100,
        ..Faults::default()
    };
    let (world, disk) = world(5, faults);
    world.lock().set_price(205);
    let first = keeper(&world, &disk, Mode::Active);
    let control = first.control();
    let scene = async {
        while world.lock().submits < ALL {
            sleep(Duration::from_millis(50)).await;
        }
        let applied = control.apply(request(Verb::Halt)).await.unwrap();
        assert_eq!(applied.in_flight.len(), ALL);
        assert!(
            applied
                .in_flight
                .iter()
                .all(|flight| flight.action == ActionKind::Rehedge)
        );
        // What a node is being handed at this moment.
        sleep(Duration::from_millis(100)).await;
        let submits = world.lock().submits;
        sleep(Duration::from_secs(20)).await;
        assert_eq!(world.lock().submits, submits);
        submits
    };
    let submits = beside(first, scene).await;
    let second = keeper(&world, &disk, Mode::Active);
    let control = second.control();
    let scene = async {
        minutes(10).await;
        assert_eq!(control.mode(), M::Halted);
        assert_eq!(world.lock().submits, submits);
        world.lock().faults = Faults::default();
        control.apply(request(Verb::Resume)).await.unwrap();
        settled(&world, &disk, Instant::now()).await;
    };
    beside(second, scene).await;
    assert_eq!(done(&world), [(ActionKind::Rehedge, ALL)]);
    audit(&disk);
}

#[tokio::test(start_paused = true)]
async fn observers_and_paper_keepers_take_overrides_that_a_keeper_of_the_same_journal_keeps() {
    let (world, disk) = world(6, Faults::default());
    world.lock().set_price(205);
    for mode in [Mode::Observe, Mode::Paper] {
        let keeper = Keeper::new(crate::Parts {
            // Who only observes needs no key.
            keypair: parts(&world, &disk, mode)
                .keypair
                .filter(|_| mode == Mode::Paper),
            ..parts(&world, &disk, mode)
        });
        let control = keeper.control();
        let scene = async {
            sleep(Duration::from_secs(5)).await;
            // The configuration is the upper bound.
            control.apply(request(Verb::Resume)).await.unwrap();
            assert_eq!(control.mode(), mode);
            control.apply(request(Verb::Reduce)).await.unwrap();
            assert_eq!(control.mode(), mode);
            control.apply(request(Verb::Halt)).await.unwrap();
            assert_eq!(control.mode(), M::Halted);
        };
        beside(keeper, scene).await;
        let records = || scan(&disk.bytes()).unwrap().records.len();
        let before = records();
        let again = self::keeper(&world, &disk, mode);
        beside(again, minutes(1)).await;
        // Nothing is simulated by a halted paper keeper.
        assert_eq!(records(), before + usize::from(mode == Mode::Observe));
    }
    let active = keeper(&world, &disk, Mode::Active);
    let control = active.control();
    beside(active, minutes(5)).await;
    assert_eq!((control.mode(), world.lock().submits), (M::Halted, 0));
}

#[tokio::test(start_paused = true)]
async fn configured_modes_bind_like_overrides() {
    for (mode, expected) in [
        (Mode::Halted, vec![]),
        (Mode::Reducing, vec![(ActionKind::Rehedge, ALL)]),
        (Mode::Active, vec![(ActionKind::Recenter, ALL)]),
    ] {
        let (world, disk) = world(7, Faults::default());
        world
            .lock()
            .change_positions(|position| position.automation = automation());
        world.lock().set_price(216);
        let keeper = keeper(&world, &disk, mode);
        let control = keeper.control();
        let scene = async {
            sleep(Duration::from_secs(1)).await;
            control.apply(request(Verb::Resume)).await.unwrap();
            minutes(5).await;
            assert_eq!(control.mode(), mode);
        };
        beside(keeper, scene).await;
        assert_eq!(done(&world), expected, "{mode}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_halt_with_an_end_ends_then_whatever_the_clock_does_meanwhile() {
    let (world, disk) = world(8, Faults::default());
    world.lock().set_price(205);
    let first = keeper(&world, &disk, Mode::Active);
    let control = first.control();
    // Before the keeper does anything.
    let halt = async {
        loop {
            let until_secs = Some(control.now_secs() + 3_600);
            let halt = Request {
                until_secs,
                ..request(Verb::Halt)
            };
            match control.apply(halt).await {
                Err(Refused::NotReady) => sleep(Duration::from_millis(1)).await,
                done => return done.unwrap(),
            }
        }
    };
    let scene = async {
        let until_secs = halt.await.entry.until_secs.unwrap();
        minutes(10).await;
        // Somebody sets the clock wrong, and right again.
        for off in [86_400, -86_400] {
            world.lock().clock_off_secs = off;
            minutes(5).await;
            world.lock().clock_off_secs = 0;
            minutes(5).await;
        }
        assert_eq!(control.mode(), M::Halted);
        until_secs
    };
    let until_secs = beside(first, scene).await;
    // A clock that was put back before the start makes it no longer than it was meant to be.
    world.lock().clock_off_secs = -7_200;
    let second = keeper(&world, &disk, Mode::Active);
    let control = second.control();
    let scene = async {
        sleep(Duration::from_secs(1)).await;
        let left = until_secs - control.now_secs();
        assert!((3_590..=3_600).contains(&left), "{left}");
        world.lock().clock_off_secs = 0;
        let submits = world.lock().submits;
        // The clock is believed after ten minutes: 31 minutes have gone, 29 are left.
        minutes(28).await;
        assert_eq!((control.mode(), world.lock().submits), (M::Halted, submits));
        minutes(2).await;
        assert_eq!(control.mode(), M::Active);
        assert_eq!(landed(&world, ActionKind::Rehedge), ALL);
    };
    beside(second, scene).await;
}

#[tokio::test(start_paused = true)]
async fn a_file_halts_within_a_second_and_holds_until_it_is_gone_and_somebody_resumes() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("halt");
    let with_files = |world: &World, disk: &Disk| {
        Keeper::new(crate::Parts {
            halt_dir: Some(directory.path().to_owned()),
            ..parts(world, disk, Mode::Active)
        })
    };
    let (world, disk) = world(9, Faults::default());
    let first = with_files(&world, &disk);
    let control = first.control();
    let scene = async {
        sleep(Duration::from_secs(5)).await;
        fs::write(&file, "venue is down\n").unwrap();
        sleep(Duration::from_secs(1)).await;
        let standing = control.standing();
        assert_eq!(standing.mode, M::Halted);
        assert!(
            standing.reason.contains("venue is down"),
            "{}",
            standing.reason
        );
        world.lock().set_price(205);
        for verb in [Verb::Resume, Verb::Reduce] {
            let refused = control.apply(request(verb)).await.unwrap_err();
            assert_eq!(refused, Refused::HeldByFile { file: "halt" });
        }
        minutes(1).await;
    };
    beside(first, scene).await;
    assert_eq!(world.lock().submits, 0);
    // Started with it there, it is not journaled again; without it, it still holds.
    let second = with_files(&world, &disk);
    let control = second.control();
    let scene = async {
        minutes(1).await;
        fs::remove_file(&file).unwrap();
        minutes(1).await;
        assert_eq!((control.mode(), world.lock().submits), (M::Halted, 0));
        assert_eq!(control.overrides().newest().count(), 1);
        control.apply(request(Verb::Resume)).await.unwrap();
        settled(&world, &disk, Instant::now()).await;
    };
    beside(second, scene).await;
    assert_eq!(done(&world), [(ActionKind::Rehedge, ALL)]);
    audit(&disk);
}

#[tokio::test(start_paused = true)]
async fn a_file_from_before_the_start_binds_before_anything_is_done_and_needs_no_text() {
    for (name, mode) in [("halt", M::Halted), ("reduce", M::Reducing)] {
        let directory = tempfile::tempdir().unwrap();
        // A directory will do.
        fs::create_dir(directory.path().join(name)).unwrap();
        let (world, disk) = world(10, Faults::default());
        world
            .lock()
            .change_positions(|position| position.automation = automation());
        world.lock().set_price(216);
        let keeper = Keeper::new(crate::Parts {
            halt_dir: Some(directory.path().to_owned()),
            ..parts(&world, &disk, Mode::Active)
        });
        let control = keeper.control();
        let scene = async {
            minutes(2).await;
            assert_eq!(control.mode(), mode);
            let overrides = control.overrides();
            let newest = overrides.newest().next().unwrap();
            assert_eq!((newest.by.as_str(), newest.mode.name()), ("file", name));
        };
        beside(keeper, scene).await;
        let expected = match mode {
            M::Reducing => vec![(ActionKind::Rehedge, ALL)],
            _ => Vec::new(),
        };
        assert_eq!(done(&world), expected, "{name}");
        audit(&disk);
    }
}

/// A handle on a disk, as a keeper opens it.
fn opened(world: &World, disk: &Disk) -> Control {
    let header = Header {
        version: VERSION,
        genesis_hash: [1; 32].into(),
        keeper: Pubkey::default(),
        continues: None,
    };
    let (journal, recovered) = Journal::with_storage(disk.clone(), "test".into(), &header).unwrap();
    let control = Control::new(
        Mode::Active,
        crate::events::Events::default(),
        Some(world.system_clock()),
    );
    control.open(SharedJournal::new(journal), recovered.overrides);
    control
}

#[tokio::test(start_paused = true)]
async fn two_people_do_not_undo_each_other() {
    let (world, disk) = world(11, Faults::default());
    let control = opened(&world, &disk);
    let expecting = |verb, mode| Request {
        expect_mode: Some(mode),
        ..request(verb)
    };
    // Both see an active keeper. One halts it; the other, who meant to reduce it, is told.
    control
        .apply(expecting(Verb::Halt, M::Active))
        .await
        .unwrap();
    let refused = control
        .apply(expecting(Verb::Reduce, M::Active))
        .await
        .unwrap_err();
    let Refused::ModeChanged {
        expected,
        found,
        latest,
    } = &refused
    else {
        panic!("{refused}");
    };
    assert_eq!((*expected, *found), (M::Active, M::Halted));
    assert_eq!(latest.as_ref().unwrap().note, "because of a test");
    assert!(refused.to_string().contains("because of a test"));
    assert_eq!((refused.code(), refused.status()), ("mode_changed", 409));
    assert_eq!(control.mode(), M::Halted);
    control
        .apply(expecting(Verb::Reduce, M::Halted))
        .await
        .unwrap();
    // Of a position what is in force for it is expected.
    let expecting = |number, verb, mode| Request {
        expect_mode: Some(mode),
        ..of_position(number, verb)
    };
    assert!(
        control
            .apply(expecting(1, Verb::Pause, M::Active))
            .await
            .is_err()
    );
    control
        .apply(expecting(1, Verb::Pause, M::Reducing))
        .await
        .unwrap();
    assert!(
        control
            .apply(expecting(1, Verb::Resume, M::Reducing))
            .await
            .is_err()
    );
    control
        .apply(expecting(1, Verb::Resume, M::Halted))
        .await
        .unwrap();
    // Two at the same time: one of them.
    let control = opened(&world, &disk);
    let request = |verb| Request {
        expect_mode: Some(M::Reducing),
        ..request(verb)
    };
    let (one, other) = tokio::join!(
        control.apply(request(Verb::Halt)),
        control.apply(request(Verb::Resume))
    );
    assert_eq!(
        usize::from(one.is_ok()) + usize::from(other.is_ok()),
        1,
        "{one:?} {other:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_key_has_the_same_answer_for_a_day() {
    let (world, disk) = world(12, Faults::default());
    let control = opened(&world, &disk);
    let keyed = |verb, key: &str| Request {
        key: Some(key.into()),
        expect_mode: (verb == Verb::Halt).then_some(M::Active),
        ..request(verb)
    };
    let first = control.apply(keyed(Verb::Halt, "a")).await.unwrap();
    // The mode is another now, and the answer is the same; also after a resume, which it does not undo, and after a restart.
    assert_eq!(control.apply(keyed(Verb::Halt, "a")).await.unwrap(), first);
    control.apply(keyed(Verb::Resume, "b")).await.unwrap();
    for _ in 0..2 {
        let control = opened(&world, &disk);
        assert_eq!(control.apply(keyed(Verb::Halt, "a")).await.unwrap(), first);
        assert_eq!(control.mode(), M::Active);
        assert_eq!(control.overrides().newest().count(), 2);
    }
    // A key that stands for something else is not answered with that.
    let refused = control.apply(keyed(Verb::Resume, "a")).await.unwrap_err();
    assert_eq!(refused.field(), Some("Idempotency-Key"), "{refused}");
    sleep(Duration::from_secs(86_400)).await;
    let next = control.apply(keyed(Verb::Halt, "a")).await.unwrap();
    assert!(next.entry.id > first.entry.id);
    assert_eq!(control.mode(), M::Halted);
}

/// Kills the machine at every operation of an override, with power and without.
#[tokio::test(start_paused = true)]
async fn what_was_answered_holds_and_what_was_not_written_does_not() {
    let mut outcomes = Vec::new();
    for lose_power in [false, true] {
        for crash_at in 1.. {
            let (world, disk) = world(13, Faults::default());
            let control = opened(&world, &disk);
            world.crash.begin(crash_at);
            let answered = control.apply(request(Verb::Halt)).await.is_ok();
            let crashed = world.crash.has_happened();
            world.crash.begin(0);
            if lose_power {
                disk.lose_power(0);
            }
            let mode = opened(&world, &disk).mode();
            if answered {
                assert_eq!(mode, M::Halted);
            }
            outcomes.push((lose_power, answered, mode));
            if !crashed {
                break;
            }
        }
    }
    let expected = [
        // Torn while it was appended.
        (false, false, M::Active),
        // Appended, and killed before the answer: it holds.
        (false, false, M::Halted),
        (false, true, M::Halted),
        (true, false, M::Active),
        (true, false, M::Active),
        (true, true, M::Halted),
    ];
    assert_eq!(outcomes, expected);
}

#[tokio::test(start_paused = true)]
async fn an_override_that_cannot_be_journaled_is_refused_and_ends_the_keeper() {
    let (world, disk) = world(14, Faults::default());
    let keeper = keeper(&world, &disk, Mode::Active);
    let control = keeper.control();
    let running = keeper.run(std::future::pending());
    let scene = async {
        sleep(Duration::from_secs(5)).await;
        world.lock().set_price(205);
        // The next operation is the journal's.
        disk.fail();
        let refused = control.apply(request(Verb::Resume)).await.unwrap_err();
        assert!(matches!(refused, Refused::Journal(_)), "{refused}");
        assert_eq!(control.mode(), M::Halted);
    };
    let (ended, ()) = tokio::join!(timeout(Duration::from_secs(30), running), scene);
    let error = ended.unwrap().unwrap_err().to_string();
    assert!(error.contains("halted"), "{error}");
    assert_eq!(world.lock().submits, 0);
}

/// People halt, reduce, pause and resume at random while the cluster misbehaves and the keeper is killed: nothing is sent
/// against their word, nothing twice, and in the end everything is done.
#[tokio::test(start_paused = true)]
async fn at_random_times_on_a_bad_cluster_every_word_counts() {
    let mut intents = 0;
    for seed in 0..12 {
        let faults = Faults {
            no_answer: 10,
            lost: 40,
            fails: 15,
            lags: 30,
            lag_slots: 20,
        };
        let (world, disk) = world(seed, faults);
        for dollars in [205, 290, 205] {
            world.lock().set_price(dollars);
            for _ in 0..3 {
                let keeper = keeper(&world, &disk, Mode::Active);
                let control = keeper.control();
                let people = async {
                    for _ in 0..6 {
                        let (pause, word, number) = {
                            let mut inner = world.lock();
                            (inner.random(8_000), inner.random(7), inner.random(3))
                        };
                        sleep(Duration::from_millis(pause)).await;
                        let number = u8::try_from(number).unwrap();
                        let request = match word {
                            0 => request(Verb::Halt),
                            1 => request(Verb::Reduce),
                            2 | 3 => request(Verb::Resume),
                            4 => of_position(number, Verb::Pause),
                            5 => of_position(number, Verb::Reduce),
                            _ => of_position(number, Verb::Resume),
                        };
                        let told = control.apply(request).await;
                        assert!(matches!(told, Ok(_) | Err(Refused::NotReady)), "{told:?}");
                    }
                };
                // Killed, or ended because no node answers at its start.
                tokio::select! {
                    () = people => {}
                    ended = keeper.run(std::future::pending()) => assert!(ended.is_err()),
                }
                audit(&disk);
            }
            // Its start needs answers.
            world.lock().faults.no_answer = 0;
            let last = keeper(&world, &disk, Mode::Active);
            let control = last.control();
            let scene = async {
                sleep(Duration::from_secs(1)).await;
                control.apply(request(Verb::Resume)).await.unwrap();
                for number in 0..POSITIONS {
                    control
                        .apply(of_position(number, Verb::Resume))
                        .await
                        .unwrap();
                }
                settled(&world, &disk, Instant::now()).await;
            };
            beside(last, scene).await;
            audit(&disk);
            world.lock().faults = faults;
        }
        assert_eq!(world.lock().violations, Vec::<String>::new(), "{seed}");
        let records = scan(&disk.bytes()).unwrap().records;
        intents += records
            .iter()
            .filter(|record| matches!(record, Record::Intent(_)))
            .count();
    }
    assert!(intents > 50, "{intents}");
}
