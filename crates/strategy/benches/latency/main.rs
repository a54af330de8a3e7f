//! A book of a million positions: how long it takes to begin, and how long an account's update waits for the decision that follows from
//! it while 200,000 come in a second. `cargo xtask bench` collects both, and fails beyond its limits.
//!
//! Begins: base64 as a node answers, the account's bytes, the book by dense ids, an assessment and a watch of each. Not the network.
//! Updates: one of eight is of a position, another account, bytes to decision and new watch; the others are prices that make nobody due,
//! as most do. What a position's update takes by itself stands beside it, and with it how many of them a core could take; and how long
//! each waits where every update is a position's, at 50,000, 100,000 and 200,000 in a second.

mod open_loop;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use ballast::state::Position;
use ballast_snapshot::MarketSnapshot;
use ballast_strategy::{
    decide::{Decision, assess},
    fixtures::{self, scattered, scattered_key},
    held::{Held, Taken},
    situation::Situation,
    trigger::TriggerIndex,
    watch::watch,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use open_loop::Latencies;

const POSITIONS: u32 = 1_000_000;
const HORIZON_SECS: u32 = 600;
/// Updates in five seconds, at 200,000 a second.
const UPDATES: u32 = 1_000_000;
const EVERY: Duration = Duration::from_micros(5);
/// Of so many updates one is a position's.
const MIX: u32 = 8;
/// Different accounts.
const VARIANTS: u64 = 4_096;

/// The keeper's way of an account, without what it tells people and does.
struct Pipeline {
    market: MarketSnapshot,
    held: Held,
    index: TriggerIndex,
    acts: u64,
}

impl Pipeline {
    fn take_in(&mut self, n: u64, slot: u64, bytes: &[u8]) {
        let address = scattered_key(n);
        let position: Position = bytemuck::pod_read_unaligned(bytes);
        if self.held.take_in(address, slot, &position) != Taken::Changed {
            return;
        }
        let (Some(id), Some(tracked)) = (self.held.id(&address), self.held.get(&address)) else {
            return;
        };
        let situation = Situation {
            slot,
            ..fixtures::situation(&self.market, &tracked.position)
        };
        let at = assess(&situation).expect("a position that can be judged");
        let watch = watch(&situation, &at, HORIZON_SECS).expect("a position that can be judged");
        self.acts += u64::from(matches!(at.decision, Decision::Act(..)));
        self.index.insert(id, watch);
    }
}

/// The worked example, with other debts and another band: of most nothing is due.
fn variant(n: u64) -> Position {
    let mut position = fixtures::position();
    position.id = n;
    let shift = (scattered(n) % 40) as i32 - 20;
    position.tick_lower += 4 * shift;
    position.tick_upper += 4 * shift;
    position.policy.delta_band_bps = 2_000;
    position
}

fn main() {
    let mut market = fixtures::snapshot(200);
    let example = fixtures::position();
    fixtures::book_debts(&mut market, &example);
    for reserve in [&mut market.base_reserve, &mut market.quote_reserve] {
        let shares = reserve.debt_shares.get();
        reserve.debt_shares = (shares * u128::from(POSITIONS)).into();
        reserve.liquidity = u64::MAX / 4;
    }
    let accounts: Vec<Vec<u8>> = (0..VARIANTS)
        .map(|n| bytemuck::bytes_of(&variant(n)).to_vec())
        .collect();
    let answered: Vec<String> = accounts
        .iter()
        .map(|bytes| STANDARD.encode(bytes))
        .collect();
    let of = |n: u64| (scattered(n) % VARIANTS) as usize;

    let mut pipeline = Pipeline {
        market,
        held: Held::default(),
        index: TriggerIndex::default(),
        acts: 0,
    };
    let began = Instant::now();
    for n in 0..u64::from(POSITIONS) {
        let bytes = STANDARD.decode(&answered[of(n)]).expect("base64");
        pipeline.take_in(n, fixtures::SLOT, &bytes);
    }
    let start = began.elapsed();
    assert_eq!(pipeline.index.len(), POSITIONS as usize);
    let began = Instant::now();
    let mut read = 0;
    for n in 0..u64::from(POSITIONS) {
        read += black_box(STANDARD.decode(&answered[of(n)]).expect("base64")).len();
    }
    let scan = began.elapsed();
    assert!(read > 0);

    // As fast as it goes, so that one knows how much of the time there is left.
    let update = |pipeline: &mut Pipeline, piece: u32, round: u64| {
        let n = scattered(u64::from(piece) + (round << 32)) % u64::from(POSITIONS);
        let bytes = &accounts[of(n + round + u64::from(piece))];
        pipeline.take_in(n, fixtures::SLOT + round, bytes);
    };
    let closed = UPDATES / 5;
    let began = Instant::now();
    for piece in 0..closed {
        update(&mut pipeline, piece, 1);
    }
    let each = began.elapsed() / closed;
    let oracle = fixtures::sqrt_price_cents(20_000);
    let latencies = Latencies::of(UPDATES, EVERY, |piece| {
        if piece.is_multiple_of(MIX) {
            update(&mut pipeline, piece, 2);
        } else {
            black_box(pipeline.index.due_at_price(black_box(oracle)).len());
        }
    });

    let mut round = 2;
    let mut alone = |per_sec: u32| {
        round += 1;
        let every = Duration::from_secs(1) / per_sec;
        // Two seconds.
        let all = Latencies::of(2 * per_sec, every, |piece| {
            update(&mut pipeline, piece, round);
        });
        all.at_bps(9_900)
    };
    let alone = [50_000, 100_000, 200_000].map(&mut alone);

    let ns = |duration: Duration| duration.as_secs_f64() * 1e9;
    let figures = [
        ("cold start, a million accounts", ns(start)),
        ("cold start, base64 alone", ns(scan)),
        ("a position's update to decision, each", ns(each)),
        ("update to decision, p50", ns(latencies.at_bps(5_000))),
        ("update to decision, p99", ns(latencies.at_bps(9_900))),
        ("update to decision, p99.9", ns(latencies.at_bps(9_990))),
        ("update to decision, longest", ns(latencies.at_bps(10_000))),
        ("positions alone, 50,000 a second, p99", ns(alone[0])),
        ("positions alone, 100,000 a second, p99", ns(alone[1])),
        ("positions alone, 200,000 a second, p99", ns(alone[2])),
        ("decisions to act", pipeline.acts as f64),
    ];
    let lines: Vec<String> = figures
        .iter()
        .map(|(name, value)| format!("  \"{name}\": {value:.0}"))
        .collect();
    println!("{{\n{}\n}}", lines.join(",\n"));
}
