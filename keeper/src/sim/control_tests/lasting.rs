//! How long an override lasts: over restarts and kills, for keepers of the same journal, until its end and not longer.

use std::time::Duration;

use ballast_strategy::decide::ActionKind;
use tokio::time::{Instant, sleep};

use super::{ALL, audit, done, minutes, of_position, request};
use crate::{
    Keeper, Mode,
    control::{Mode as M, Refused, Request, Verb},
    journal::{Record, scan},
    sim::{
        Faults,
        scene::{POSITIONS, beside, keeper, landed, parts, settled, world},
    },
};

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
            signer: parts(&world, &disk, mode)
                .signer
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
