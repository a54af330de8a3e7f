//! Every one of a million positions at a new price: the screen in `f64`, beside the exact value of each.
//! `cargo xtask bench` collects times and ratios, and fails beyond its limit.

use std::hint::black_box;

use ballast_model::{Bps, Position};
use ballast_strategy::{
    fixtures::{self, scattered},
    sweep::Sweep,
};
use criterion::{Criterion, criterion_group, criterion_main};

const POSITIONS: u64 = 1_000_000;
const TRIGGER: Bps = Bps::new(8_300);

/// The worked example, of another size and debt each.
fn position(example: &Position, n: u64) -> Position {
    let part = |amount: u64, salt: u64| amount / 2 + scattered(n + salt) % (amount / 2 + 1);
    let mut position = *example;
    position.liquidity = position.liquidity / 2 + u128::from(scattered(n) % 1_000_000);
    position.debt.base = part(position.debt.base, 1 << 32) / 2;
    position.debt.quote = part(position.debt.quote, 1 << 33) / 2;
    position
}

fn sweep(criterion: &mut Criterion) {
    let mut market = fixtures::snapshot(200);
    let stored = fixtures::position();
    fixtures::book_debts(&mut market, &stored);
    let situation = fixtures::situation(&market, &stored);
    let example = situation.model().expect("a position that can be judged");
    let positions: Vec<Position> = (0..POSITIONS).map(|n| position(&example, n)).collect();
    let mut sweep = Sweep::default();
    for (id, position) in (0..).zip(&positions) {
        sweep.insert(id, position, TRIGGER);
    }
    let at = fixtures::sqrt_price_cents(20_300);
    let exactly = || {
        let values = positions
            .iter()
            .map(|position| position.value(black_box(at)));
        let reached = values.filter(|value| {
            let value = value.as_ref();
            value.is_ok_and(|value| value.ltv_at_least(TRIGGER))
        });
        reached.count()
    };
    let mut suspects = Vec::new();
    let totals = sweep.at(at, &mut suspects);
    assert!(totals.equity() > 0.0 && suspects.len() >= exactly());

    let mut group = criterion.benchmark_group("a million positions");
    group.sample_size(20);
    group.bench_function("every position, f64 screen", |bencher| {
        bencher.iter(|| {
            suspects.clear();
            sweep.at(black_box(at), &mut suspects)
        });
    });
    group.sample_size(10);
    group.bench_function("every position, exact value", |bencher| {
        bencher.iter(exactly);
    });
    group.finish();
}

criterion_group!(benches, sweep);
criterion_main!(benches);
