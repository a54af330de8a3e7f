//! Each model's price: its mean and spread, and whether the worked example keeps its value under it.

mod common;

use std::sync::Arc;

use ballast_simulator::{
    Bar, BarModel, Bars, Gbm, Jumps, Moments, Path, PriceModel, Regime, Regimes, Streams, Weather,
};

/// Mean of the price over the price at the start, and spread of its logarithm, after `days` in steps.
fn after(model: &impl PriceModel, days: f64, steps: u32, paths: u64) -> (Moments, Moments) {
    let streams = Streams::new(31);
    let (mut prices, mut logs) = (Moments::default(), Moments::default());
    for number in 0..paths {
        let mut path = model.path(0.0, streams, number);
        let mut last = 0.0;
        for _ in 0..steps {
            last = path.step(days / f64::from(steps)).log_price;
        }
        prices.add(last.exp());
        logs.add(last);
    }
    (prices, logs)
}

#[track_caller]
fn near(measured: &Moments, expected: f64) {
    let off = measured.mean() - expected;
    assert!(
        off.abs() < 4.0 * measured.stderr(),
        "{measured:?}, {expected}"
    );
}

#[test]
fn diffusion() {
    let (prices, logs) = after(&Gbm::new(0.05, 0.01).unwrap(), 4.0, 10, 50_000);
    near(&prices, 0.04f64.exp());
    assert!((logs.sd() / 0.10 - 1.0).abs() < 0.02);
}

#[test]
fn jumps_add_spread_and_no_mean() {
    let model = Jumps::new(0.03, 0.0, 0.5, -0.05, 0.08).unwrap();
    let (prices, logs) = after(&model, 4.0, 10, 100_000);
    near(&prices, 1.0);
    // sigma^2 t + lambda t (m^2 + s^2)
    let expected = 0.03f64.powi(2) * 4.0 + 2.0 * (0.05f64.powi(2) + 0.08f64.powi(2));
    assert!((logs.sd().powi(2) / expected - 1.0).abs() < 0.03);
    // A step says what of it was a jump.
    let mut path = model.path(0.0, Streams::new(1), 0);
    let mut plain = Gbm::new(0.03, 0.0).unwrap().path(0.0, Streams::new(1), 0);
    let mut jumped = 0.0;
    let growth = 0.5 * (-0.05f64 + 0.08f64.powi(2) / 2.0).exp_m1();
    for step in 1..=100 {
        let (with, without) = (path.step(0.1), plain.step(0.1));
        jumped += with.jump;
        let compensated = without.log_price - growth * 0.1 * f64::from(step);
        assert!((with.log_price - compensated - jumped).abs() < 1e-12);
    }
    assert!(jumped != 0.0);
}

#[test]
fn regimes_share_the_time_by_their_length() {
    let regime = |sigma_day, days, volume| Regime {
        sigma_day,
        drift_day: 0.0,
        days,
        weather: Weather {
            volume,
            ..Weather::USUAL
        },
    };
    let model = Regimes::new(vec![regime(0.02, 3.0, 1.0), regime(0.10, 1.0, 5.0)]).unwrap();
    let (prices, logs) = after(&model, 4.0, 400, 5_000);
    near(&prices, 1.0);
    let expected = (0.02f64.powi(2) * 0.75 + 0.10f64.powi(2) * 0.25) * 4.0;
    assert!(
        (logs.sd().powi(2) / expected - 1.0).abs() < 0.12,
        "{logs:?}"
    );
    let mut volume = Moments::default();
    for number in 0..2_000 {
        volume.add(
            model
                .path(0.0, Streams::new(2), number)
                .step(0.01)
                .weather
                .volume,
        );
    }
    near(&volume, 0.75 + 5.0 * 0.25);
    assert!(Regimes::new(vec![regime(0.02, 3.0, 1.0)]).is_err());
    assert!(Regimes::new(vec![regime(0.02, 0.0, 1.0); 2]).is_err());
}

fn recorded() -> Arc<Bars> {
    let bar = |low, high, close| Bar { low, high, close };
    let bars = vec![
        bar(-0.02, 0.01, 0.005),
        bar(-0.03, 0.0, -0.03),
        bar(0.0, 0.05, 0.04),
        bar(-0.01, 0.01, 0.0),
    ];
    Arc::new(Bars::new(bars, 3_600.0).unwrap())
}

#[test]
fn a_replay_meets_every_close_lowest_and_highest_price() {
    let model = BarModel::Replay(recorded());
    for number in 0..50 {
        let mut path = model.path(5.0, Streams::new(3), number);
        let mut close = 5.0;
        // The fifth candle is the first again.
        for (low, high, end) in [
            (-0.02, 0.01, 0.005),
            (-0.03, 0.0, -0.03),
            (0.0, 0.05, 0.04),
            (-0.01, 0.01, 0.0),
            (-0.02, 0.01, 0.005),
        ] {
            let (mut lowest, mut highest) = (f64::INFINITY, f64::NEG_INFINITY);
            let mut variance = 0.0;
            let mut last = 0.0;
            for _ in 0..60 {
                let step = path.step(1.0 / 1_440.0);
                last = step.log_price;
                lowest = lowest.min(last - close);
                highest = highest.max(last - close);
                variance += step.variance;
            }
            let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
            near(last - close, end);
            // The first price of a candle may be its end of the range: where it starts.
            near(lowest.min(0.0), low);
            near(highest.max(0.0), high);
            let range: f64 = high - low;
            near(variance, range * range / (4.0 * 2f64.ln()));
            close += end;
        }
    }
}

#[test]
fn a_bootstrap_strings_blocks_together() {
    let model = BarModel::Bootstrap(recorded(), 2);
    let closes = [0.005, -0.03, 0.04, 0.0];
    let mut seen = [0; 3];
    for number in 0..200 {
        let mut path = model.path(0.0, Streams::new(4), number);
        let mut last = 0.0;
        for _ in 0..3 {
            let mut block = [0.0; 2];
            for close in &mut block {
                let now = path.step(1.0 / 24.0).log_price;
                *close = now - last;
                last = now;
            }
            let start = (0..3).find(|start| {
                (block[0] - closes[*start]).abs() < 1e-9
                    && (block[1] - closes[start + 1]).abs() < 1e-9
            });
            seen[start.unwrap()] += 1;
        }
    }
    assert!(
        seen.iter().all(|count| (150..250).contains(count)),
        "{seen:?}"
    );
}
