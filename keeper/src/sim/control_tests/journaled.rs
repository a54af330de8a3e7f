//! An override is journaled before it is answered; two people do not undo each other, and a key has one answer.

use std::time::Duration;

use solana_sdk::pubkey::Pubkey;
use tokio::time::{sleep, timeout};

use super::{of_position, request};
use crate::{
    Mode,
    control::{Control, Mode as M, Refused, Request, Verb},
    journal::{Header, Journal, SharedJournal, VERSION},
    sim::{
        Disk, Faults, World,
        scene::{keeper, world},
    },
};

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
        ..
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
    // Of a position what is in force for it is expected. Whoever is told reads whose mode it is, and what made it so.
    let expecting = |number, verb, mode| Request {
        expect_mode: Some(mode),
        ..of_position(number, verb)
    };
    let refused = control.apply(expecting(1, Verb::Pause, M::Active)).await;
    let told = refused.unwrap_err().to_string();
    let reduced = "the position's mode is reducing now, not active (#";
    assert!(
        told.starts_with(reduced) && told.contains(" by test: because of a test"),
        "{told}"
    );
    control
        .apply(expecting(1, Verb::Pause, M::Reducing))
        .await
        .unwrap();
    let refused = control.apply(expecting(1, Verb::Resume, M::Reducing)).await;
    let told = refused.unwrap_err().to_string();
    let paused = "the position's mode is paused now, not reducing (#";
    assert!(told.starts_with(paused), "{told}");
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
