//! Two crashes: the keeper is killed, its next life is killed as well, and with that the power fails.

use std::{io, time::Duration};

use ballast_strategy::decide::ActionKind;
use tokio::time::sleep;

use super::{
    Disk, Faults, World,
    scene::{POSITIONS, landed, live_on, world},
};
use crate::journal::Storage;

/// A disk whose first sync, that of what was found, does nothing.
struct Trusting {
    disk: Disk,
    opened: bool,
}

impl Storage for Trusting {
    fn read(&mut self) -> io::Result<Vec<u8>> {
        self.disk.read()
    }
    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.opened = true;
        self.disk.truncate(length)
    }
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.opened = true;
        self.disk.append(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.opened, true) {
            self.disk.sync()
        } else {
            Ok(())
        }
    }
}

fn storage(disk: &Disk, trusting: bool) -> Box<dyn Storage> {
    let disk = disk.clone();
    if trusting {
        let opened = false;
        Box::new(Trusting { disk, opened })
    } else {
        Box::new(disk)
    }
}

/// A move after which every position has to be rehedged once.
fn moved() -> (World, Disk) {
    let (world, disk) = world(2, Faults::default());
    world.lock().set_price(205);
    (world, disk)
}

/// Pairs of kills after the first of which something is not synced, and how many of them end with a position that was acted
/// on twice.
async fn pairs_and_doubles(trusting: bool) -> (usize, usize) {
    let (mut pairs, mut doubles) = (0, 0);
    for first in 1.. {
        let (world, disk) = moved();
        if live_on(&world, &disk, storage(&disk, trusting), first).await {
            break;
        }
        if !disk.has_unsynced() {
            continue;
        }
        for second in 1.. {
            let (world, disk) = moved();
            live_on(&world, &disk, storage(&disk, trusting), first).await;
            sleep(Duration::from_millis(100)).await;
            let done = live_on(&world, &disk, storage(&disk, trusting), second).await;
            disk.lose_power(0);
            sleep(Duration::from_millis(100)).await;
            while !live_on(&world, &disk, storage(&disk, trusting), 0).await {}
            let positions = usize::from(POSITIONS);
            let once = world.lock().violations.is_empty()
                && landed(&world, ActionKind::Rehedge) == positions;
            pairs += 1;
            doubles += usize::from(!once);
            if done {
                break;
            }
        }
    }
    println!("of {pairs} pairs {doubles} act twice");
    (pairs, doubles)
}

#[tokio::test(start_paused = true)]
async fn killed_and_then_without_power_it_acts_once() {
    let (pairs, doubles) = pairs_and_doubles(false).await;
    assert!(pairs > 200, "{pairs}");
    assert_eq!(doubles, 0, "of {pairs} pairs");
}

#[tokio::test(start_paused = true)]
async fn without_a_sync_of_what_is_found_it_would_act_twice() {
    let (pairs, doubles) = pairs_and_doubles(true).await;
    assert!(doubles > 0, "of {pairs} pairs");
}
