//! Halts, reductions and pauses against the simulated cluster: they bind at once, survive kills, and end when they are to end.

mod binding;
mod files;
mod journaled;
mod lasting;

use std::{collections::BTreeSet, time::Duration};

use ballast_strategy::decide::ActionKind;
use solana_sdk::pubkey::Pubkey;
use tokio::time::sleep;

use super::{
    Disk, World,
    scene::{POSITIONS, automation, landed},
};
use crate::{
    control::{Overrides, Permission, Request, Scope, Verb},
    journal::{Record, scan},
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
