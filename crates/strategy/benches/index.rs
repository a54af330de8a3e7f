//! A market with a million positions: what a new price costs, what a changed position costs, beside looking at everything.
//! `cargo xtask bench` collects times and ratios, and fails beyond its limits.

use std::hint::black_box;

use ballast_model::{Boundaries, SqrtPrice};
use ballast_snapshot::Pubkey;
use ballast_strategy::{
    decide::assess,
    fixtures::{self, scattered, scattered_key},
    ids::Ids,
    trigger::{TriggerIndex, Watch},
    watch::watch,
};
use criterion::{Criterion, criterion_group, criterion_main};

const POSITIONS: u64 = 1_000_000;
const HORIZON_SECS: u32 = 600;

/// Square-root prices `part` of the way from 1 to 2.
fn price(part: u64) -> SqrtPrice {
    SqrtPrice::new(SqrtPrice::ONE.x64() + u128::from(part)).expect("within all prices")
}

/// Quiet between an end in the lowest quarter and one in the highest; of position n the (n+1)-th outermost in steps of 2^40, so that
/// it is known how many a price makes due.
fn interval(n: u64) -> Watch {
    let away = n << 40;
    Watch {
        quiet: Boundaries::Interval {
            lower: Some(price((1 << 62) - away)),
            upper: Some(price((3 << 62) + away)),
        },
        until_secs: fixtures::NOW + (scattered(n) % 3_600) as i64,
    }
}

/// The price that makes so many due.
fn hitting(hits: u64) -> SqrtPrice {
    price((3 << 62) + (hits << 40) - 1)
}

fn prices(criterion: &mut Criterion, index: &TriggerIndex) {
    let mut group = criterion.benchmark_group("a million positions");
    for hits in [0, 100, 10_000] {
        let at = hitting(hits);
        assert_eq!(index.due_at_price(at).len() as u64, hits);
        group.bench_function(format!("price update, {hits} hits"), |bencher| {
            bencher.iter(|| index.due_at_price(black_box(at)));
        });
    }
    let watches: Vec<Watch> = (0..POSITIONS).map(interval).collect();
    group.bench_function("price update, plain scan", |bencher| {
        bencher.iter(|| {
            let at = black_box(hitting(0));
            watches
                .iter()
                .filter(|watch| !watch.quiet.contains(at))
                .count()
        });
    });
    group.finish();
}

fn positions(criterion: &mut Criterion, index: &mut TriggerIndex, ids: &Ids<Pubkey, ()>) {
    let mut group = criterion.benchmark_group("a million positions");
    let mut market = fixtures::snapshot(200);
    let position = fixtures::position();
    fixtures::book_debts(&mut market, &position);
    let situation = fixtures::situation(&market, &position);
    let look = || {
        let at = assess(black_box(&situation)).expect("a position that can be judged");
        watch(&situation, &at, HORIZON_SECS).expect("a position that can be judged")
    };
    assert!(matches!(
        look().quiet,
        Boundaries::Interval {
            lower: Some(_),
            upper: Some(_)
        }
    ));
    group.bench_function("position update, assess and watch", |bencher| {
        bencher.iter(look);
    });
    let mut turn = 0;
    group.bench_function("position update, index", |bencher| {
        bencher.iter(|| {
            turn += 1;
            let n = scattered(turn) % POSITIONS;
            let id = ids.id(&scattered_key(n)).expect("entered");
            index.insert(id, interval(scattered(turn + 1) % POSITIONS));
        });
    });
    group.finish();
}

fn index(criterion: &mut Criterion) {
    let (mut index, mut ids) = (TriggerIndex::default(), Ids::default());
    for n in 0..POSITIONS {
        let (id, _) = ids.insert(scattered_key(n), ());
        index.insert(id, interval(n));
    }
    prices(criterion, &index);
    positions(criterion, &mut index, &ids);
}

criterion_group!(benches, index);
criterion_main!(benches);
