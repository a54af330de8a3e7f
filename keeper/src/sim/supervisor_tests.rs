//! What a service manager hears of a whole keeper.

use std::{os::unix::net::UnixDatagram, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    Faults,
    scene::{parts, settled, world},
};
use crate::{Keeper, Mode, Parts, supervisor::Supervisor};

#[tokio::test(start_paused = true)]
async fn it_hears_that_the_keeper_runs_goes_on_and_stops() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_nonblocking(true).unwrap();
    let heard = || {
        let (mut all, mut bytes) = (Vec::new(), [0; 4_096]);
        while let Ok(length) = socket.recv(&mut bytes) {
            all.push(String::from_utf8(bytes[..length].to_vec()).unwrap());
        }
        all
    };
    let watchdog = Duration::from_secs(30);
    let (world, disk) = world(1, Faults::default());
    world.lock().set_price(205);
    let keeper = Keeper::new(Parts {
        supervisor: Some(Supervisor::at(&path, Some(watchdog)).unwrap()),
        ..parts(&world, &disk, Mode::Active)
    });
    assert_eq!(heard(), Vec::<String>::new());
    let scene = async {
        settled(&world, &disk, Instant::now()).await;
        let first = heard();
        assert!(
            first[0].starts_with("READY=1\nWATCHDOG=1\nSTATUS=active"),
            "{first:?}"
        );
        for _ in 0..10 {
            sleep(watchdog / 2).await;
            let alive = heard();
            assert!(!alive.is_empty(), "the manager would have killed it");
            for told in alive {
                assert!(
                    told.starts_with("WATCHDOG=1\nSTATUS=active, slot "),
                    "{told}"
                );
            }
        }
        // Also where no node answers any more: another start would help nobody.
        world.lock().faults.no_answer = 100;
        sleep(4 * watchdog).await;
        assert!(heard().len() >= 8);
        world.lock().faults.no_answer = 0;
    };
    // Then it is told to stop.
    keeper.run(scene).await.unwrap();
    let last = heard();
    assert!(
        last.iter().any(|told| told.starts_with("STOPPING=1")),
        "{last:?}"
    );
}
