//! Ticks and amounts beside Orca's own core, in one run. `cargo xtask bench` collects the ratios.

use std::hint::black_box;

use ballast_clmm::{
    SqrtPrice, SwapMode, Tick, base_amount_up, next_sqrt_price_from_base_up,
    next_sqrt_price_from_quote_down, quote_amount_up,
};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use orca_whirlpools_core as orca;

/// Ticks over the whole range, at odd places.
fn ticks() -> Vec<Tick> {
    (Tick::MIN.get()..=Tick::MAX.get())
        .step_by(997)
        .map(|tick| Tick::new(tick).expect("within the range"))
        .collect()
}

fn compare<T: Copy>(
    criterion: &mut Criterion,
    name: &str,
    inputs: &[T],
    ours: impl Fn(T) -> u128,
    theirs: impl Fn(T) -> u128,
) {
    let mut group = criterion.benchmark_group(name);
    group.throughput(criterion::Throughput::Elements(inputs.len() as u64));
    group.bench_function(BenchmarkId::from_parameter("ballast"), |bencher| {
        bencher.iter(|| {
            inputs
                .iter()
                .fold(0u128, |sum, input| sum ^ ours(black_box(*input)))
        });
    });
    group.bench_function(BenchmarkId::from_parameter("orca"), |bencher| {
        bencher.iter(|| {
            inputs
                .iter()
                .fold(0u128, |sum, input| sum ^ theirs(black_box(*input)))
        });
    });
    group.finish();
}

fn clmm(criterion: &mut Criterion) {
    let ticks = ticks();
    compare(
        criterion,
        "tick to sqrt price",
        &ticks,
        |tick| tick.sqrt_price().x64(),
        |tick| orca::tick_index_to_sqrt_price(tick.get()),
    );
    let prices: Vec<SqrtPrice> = ticks.iter().map(|tick| tick.sqrt_price()).collect();
    compare(
        criterion,
        "sqrt price to tick",
        &prices,
        |price| price.tick().get().unsigned_abs().into(),
        |price| {
            orca::sqrt_price_to_tick_index(price.x64())
                .unsigned_abs()
                .into()
        },
    );
    let bands: Vec<(SqrtPrice, SqrtPrice)> = prices
        .windows(2)
        .filter(|pair| pair[0].x64() >> 50 > 0 && pair[1].x64() >> 84 == 0)
        .map(|pair| (pair[0], pair[1]))
        .collect();
    const LIQUIDITY: u128 = 429_239_012_648;
    compare(
        criterion,
        "base amount",
        &bands,
        |(lower, upper)| base_amount_up(LIQUIDITY, lower, upper).map_or(0, u128::from),
        |(lower, upper)| {
            orca::try_get_amount_delta_a(lower.x64(), upper.x64(), LIQUIDITY, true)
                .map_or(0, u128::from)
        },
    );
    compare(
        criterion,
        "quote amount",
        &bands,
        |(lower, upper)| quote_amount_up(LIQUIDITY, lower, upper).map_or(0, u128::from),
        |(lower, upper)| {
            orca::try_get_amount_delta_b(lower.x64(), upper.x64(), LIQUIDITY, true)
                .map_or(0, u128::from)
        },
    );
    // Where a swap of a tenth of a unit, and its opposite, ends: by an amount that comes in, and one that goes out.
    let swaps: Vec<(SqrtPrice, SwapMode)> = bands
        .iter()
        .flat_map(|(price, _)| [(*price, SwapMode::ExactIn), (*price, SwapMode::ExactOut)])
        .collect();
    const AMOUNT: u64 = 100_000;
    let known = |mode| mode == SwapMode::ExactIn;
    compare(
        criterion,
        "next price by base",
        &swaps,
        |(price, mode)| {
            next_sqrt_price_from_base_up(price, LIQUIDITY, AMOUNT, mode)
                .map_or(0, |next| next.x64())
        },
        |(price, mode)| {
            orca::try_get_next_sqrt_price_from_a(price.x64(), LIQUIDITY, AMOUNT, known(mode))
                .unwrap_or(0)
        },
    );
    compare(
        criterion,
        "next price by quote",
        &swaps,
        |(price, mode)| {
            next_sqrt_price_from_quote_down(price, LIQUIDITY, AMOUNT, mode)
                .map_or(0, |next| next.x64())
        },
        |(price, mode)| {
            orca::try_get_next_sqrt_price_from_b(price.x64(), LIQUIDITY, AMOUNT, known(mode))
                .unwrap_or(0)
        },
    );
}

criterion_group!(benches, clmm);
criterion_main!(benches);
