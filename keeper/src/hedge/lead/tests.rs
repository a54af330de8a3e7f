//! Two hedgers on one account, in an order that a seed says: each is paused anywhere, orders arrive late or never, answers are lost.
//! With the lease no order is made twice; members that take it at once, and write without looking, are caught by the same test.

use std::sync::{Arc, Mutex};

use ballast_localdb::Postgres as Server;
use ballast_venue::clock::Clock;
use rust_decimal::Decimal;

use super::*;

mod renewal;
mod stage;

use stage::{DELTA, Memory, Shared, Stage};

const SEEDS: u64 = 60;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

/// What came of a seed.
struct Played {
    traded: Decimal,
    position: Decimal,
    /// Whether both led at some time.
    both: bool,
    /// Trades that a member took for a stranger's.
    strangers: usize,
}

/// Plays a seed. With every second one the other member has its turn while one is paused in the middle of its own.
async fn play(seed: u64, careless: bool) -> Played {
    let shared = Arc::new(Mutex::new(Shared::default()));
    let mut stage = Stage::new(|member| {
        let shared = Arc::clone(&shared);
        Arc::new(move || {
            Ok(Memory {
                shared: Arc::clone(&shared),
                member,
                careless,
            })
        })
    });
    let mut random = Random(seed);
    for step in 0..120 {
        stage.pause(500 + random.below(2_500)).await;
        let member = random.below(2) as usize;
        // In the end the weather clears.
        if step >= 80 {
            stage.turn(member, 0).await;
            continue;
        }
        let now_ms = stage.clock.now_ms();
        let paused = &mut stage.members[member].paused_until_ms;
        if *paused > now_ms {
            continue;
        }
        if random.below(8) == 0 {
            *paused = now_ms + random.below(150_000);
        }
        let late = |random: &mut Random| random.below(2) * (1 + random.below(9_000));
        if !stage.stand(member).await {
            continue;
        }
        let before_ms = stage.clock.now_ms();
        if random.below(3) == 0 {
            stage.pause(random.below(90_000)).await;
            if seed % 2 == 1 {
                let late_ms = late(&mut random);
                stage.turn(1 - member, late_ms).await;
            }
        }
        let stale = random.below(2) == 0;
        let now_ms = if stale {
            before_ms
        } else {
            stage.clock.now_ms()
        };
        let late_ms = late(&mut random);
        stage.act(member, now_ms, late_ms).await;
    }
    let (traded, position) = stage.traded();
    Played {
        traded,
        position,
        both: stage.members.iter().all(|member| member.led > 0),
        strangers: stage.strangers,
    }
}

#[tokio::test]
async fn with_the_lease_two_hedgers_make_no_order_twice() {
    let mut both = 0;
    for seed in 0..SEEDS {
        let played = play(seed, false).await;
        let wanted = Decimal::from(DELTA - 1);
        let came = (played.traded, played.position);
        assert_eq!(came, (wanted, -wanted), "seed {seed}");
        // Who was paused for longer than its lease does not know what the other did meanwhile.
        if seed % 2 == 0 {
            assert_eq!(
                played.strangers, 0,
                "seed {seed}: the other's orders are ours"
            );
        }
        both += u64::from(played.both);
    }
    assert!(
        both > SEEDS / 3,
        "they took turns in {both} of {SEEDS} seeds"
    );
}

#[tokio::test]
async fn members_that_take_the_lease_at_once_are_caught_by_the_same_test() {
    let mut twice = 0;
    for seed in 0..SEEDS {
        let played = play(seed, true).await;
        twice += u64::from(played.traded > Decimal::from(DELTA - 1));
    }
    assert!(twice > 0, "no seed shows it");
}

#[tokio::test]
async fn on_postgres_the_next_leader_waits_settles_and_knows_the_last_ones_orders() {
    let Some(server) = Server::shared_or_skip() else {
        return;
    };
    let url = server.database().unwrap();
    let mut stage: Stage<Leases> = Stage::new(|member| {
        let url = url.clone();
        Arc::new(move || {
            let (client, _) = Postgres::client(&url).map_err(|error| error.to_string())?;
            Leases::new(client, &format!("member {member}")).map_err(|error| error.to_string())
        })
    });
    // The first leads; its order arrives, and its answer does not. Then it is gone.
    stage.turn(0, 1_000).await;
    stage.pause(2_000).await;
    let wanted = Decimal::from(DELTA - 1);
    assert_eq!(stage.traded(), (wanted, -wanted));
    for _ in 0..28 {
        stage.turn(1, 0).await;
        stage.pause(2_000).await;
    }
    assert_eq!(stage.members[1].led, 0, "the lease still holds");
    stage.pause(6_000).await;
    stage.turn(1, 0).await;
    stage.turn(1, 0).await;
    assert_eq!((stage.members[1].led, stage.strangers), (2, 0));
    // The first comes back, and follows. What it did it finds out when it leads again.
    stage.turn(0, 0).await;
    assert_eq!(stage.members[0].led, 1);
    stage.pause(70_000).await;
    stage.turn(0, 0).await;
    assert_eq!((stage.members[0].led, stage.strangers), (2, 0));
    assert_eq!(stage.traded(), (wanted, -wanted));
    assert_eq!(stage.members[0].hedger.books().open().count(), 0);
}
