//! A position's numbers: the exact fixed point of the chain beside the floating-point twin, and answering a line of
//! `ballast risk`. `cargo xtask bench` collects the ratios.

use std::{hint::black_box, path::Path};

use ballast_clmm::{Amounts, Band, SqrtPrice, Tick};
use ballast_model::{
    Bps, OpenRequest, Position, plan_open,
    screen::{Double, RiskInput, risk, risk_line},
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

const MAINTENANCE: Bps = Bps::new(8_000);

/// The worked example at 200: band about 190 to 210, 100 quote of own funds, leverage 3.
fn example() -> (Position, SqrtPrice) {
    let tick = |tick| Tick::new(tick).expect("within the range");
    let band = Band::new(tick(-16_608), tick(-15_608)).expect("in order");
    let at = tick(-16_096).sqrt_price();
    let request = OpenRequest {
        own: Amounts {
            base: 0,
            quote: 100_000_000,
        },
        leverage: Bps::new(30_000),
        hedge: Bps::ONE,
        band,
        at,
    };
    let plan = plan_open(request).expect("affordable");
    let position = Position {
        band,
        liquidity: plan.liquidity,
        idle: Amounts::ZERO,
        debt: plan.borrow,
    };
    (position, at)
}

fn model(criterion: &mut Criterion) {
    let (position, at) = example();
    let mut group = criterion.benchmark_group("boundaries");
    group.bench_function(BenchmarkId::from_parameter("exact"), |bencher| {
        bencher.iter(|| black_box(&position).boundaries(black_box(MAINTENANCE)));
    });
    // Just above what the position begins with, so that both ends are in the band.
    let near = Bps::new(6_700);
    group.bench_function(
        BenchmarkId::from_parameter("exact, in the band"),
        |bencher| {
            bencher.iter(|| black_box(&position).boundaries(black_box(near)));
        },
    );
    group.bench_function(BenchmarkId::from_parameter("screen, double"), |bencher| {
        bencher.iter(|| {
            risk(&RiskInput::<Double>::new(
                black_box(&position),
                at,
                MAINTENANCE,
            ))
        });
    });
    group.bench_function(BenchmarkId::from_parameter("screen, f64"), |bencher| {
        bencher.iter(|| {
            risk(&RiskInput::<f64>::new(
                black_box(&position),
                at,
                MAINTENANCE,
            ))
        });
    });
    group.finish();

    criterion.bench_function("value at a price", |bencher| {
        bencher.iter(|| black_box(&position).value(black_box(at)));
    });

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/vectors.jsonl");
    let text =
        std::fs::read_to_string(file).expect("the golden vectors are part of the repository");
    let lines: Vec<&str> = text.lines().collect();
    let mut group = criterion.benchmark_group("risk lines");
    group.throughput(Throughput::Elements(lines.len() as u64));
    group.bench_function("all", |bencher| {
        bencher.iter(|| {
            lines
                .iter()
                .map(|line| risk_line(line).map_or(0, |answer| answer.len()))
                .sum::<usize>()
        });
    });
    group.finish();
}

criterion_group!(benches, model);
criterion_main!(benches);
