//! Files that halt and reduce.

use std::{fs, time::Duration};

use ballast_strategy::decide::ActionKind;
use tokio::time::{Instant, sleep};

use super::{ALL, audit, automation, done, minutes, request};
use crate::{
    Keeper, Mode,
    control::{Mode as M, Refused, Verb},
    sim::{
        Disk, Faults, World,
        scene::{beside, parts, settled, world},
    },
};

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
