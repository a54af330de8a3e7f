//! What the figures of a run have to keep.

use anyhow::{Result, ensure};

/// A figure and its bound.
pub enum Limit {
    /// At most so many nanoseconds, of criterion's group and function.
    Nanos(&'static str, f64),
    /// At least this ratio.
    AtLeast(&'static str, f64),
    /// At most this ratio.
    AtMost(&'static str, f64),
}

/// No slower than Orca's core anywhere; a price costs what it makes due and not what there is; and times of a position.
pub const CRITERION: [Limit; 15] = [
    Limit::AtLeast("tick to sqrt price: orca / ballast", 1.0),
    Limit::AtLeast("sqrt price to tick: orca / ballast", 1.0),
    Limit::AtLeast("base amount: orca / ballast", 1.0),
    Limit::AtLeast("quote amount: orca / ballast", 1.0),
    Limit::AtLeast("next price by base: orca / ballast", 1.0),
    Limit::AtLeast("next price by quote: orca / ballast", 1.0),
    Limit::Nanos("boundaries/exact", 2_000.0),
    // Both ends near the peak, where whole units blur most.
    Limit::Nanos("boundaries/exact, in the band", 2_000.0),
    Limit::Nanos("a million positions/price update, 0 hits", 1_000.0),
    Limit::AtLeast("price update: plain scan / 0 hits", 1_000.0),
    // A hundred times as many hits; the memory that they lie in is farther away.
    Limit::AtMost("price update: 10000 hits / 100 hits", 500.0),
    Limit::Nanos(
        "a million positions/position update, assess and watch",
        5_000.0,
    ),
    Limit::Nanos("a million positions/position update, index", 5_000.0),
    Limit::Nanos("a million positions/every position, f64 screen", 4e6),
    Limit::AtLeast("every position: exact value / f64 screen", 5.0),
];

/// A million accounts in ten seconds; an update's decision, from when it came, at 200,000 a second.
pub const LATENCY: [Limit; 2] = [
    Limit::Nanos("cold start, a million accounts", 10e9),
    Limit::Nanos("update to decision, p99", 50_000.0),
];

/// Two million steps a second and core, also where a real keeper's strategy decides; two threads that are worth nearly two; a month of
/// minutes in 33 ms, and 20 ms to start. Mostly by processors' time, which other work on the machine hardly changes.
pub const SIMULATOR: [Limit; 7] = [
    Limit::AtLeast("path_steps_per_cpu_sec", 2e6),
    Limit::AtLeast("keeper_path_steps_per_cpu_sec", 2e6),
    // On the clock, which alone shows what waits; by processors' time, what threads add.
    Limit::AtLeast("one_thread_over_two", 1.9),
    Limit::AtLeast("one_thread_over_two_by_cpu", 1.9),
    Limit::AtMost("backtest_cpu_ms", 33.0),
    Limit::AtMost("start_cpu_ms", 20.0),
    Limit::AtMost("quote_cpu_ms", 20.0),
];

/// Fails with all that is beyond its limit, or was not measured.
pub fn check(
    limits: &[Limit],
    nanos: impl Fn(&str) -> Option<f64>,
    ratio: impl Fn(&str) -> Option<f64>,
) -> Result<()> {
    let missed: Vec<String> = limits
        .iter()
        .filter_map(|limit| {
            let (name, found, kept, bound) = match limit {
                Limit::Nanos(name, most) => {
                    let found = nanos(name);
                    let kept = found.is_some_and(|found| found <= *most);
                    (name, found, kept, format!("at most {most} ns"))
                }
                Limit::AtLeast(name, least) => {
                    let found = ratio(name);
                    let kept = found.is_some_and(|found| found >= *least);
                    (name, found, kept, format!("at least {least}"))
                }
                Limit::AtMost(name, most) => {
                    let found = ratio(name);
                    let kept = found.is_some_and(|found| found <= *most);
                    (name, found, kept, format!("at most {most}"))
                }
            };
            let found = found.map_or("not measured".into(), |found| format!("{found:.2}"));
            (!kept).then(|| format!("{name}: {found}, should be {bound}"))
        })
        .collect();
    ensure!(
        missed.is_empty(),
        "figures beyond their limits; run again on a quiet machine, or find what became slower:\n{}",
        missed.join("\n")
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_can_be_missed() {
        let good = |name: &str| match name {
            "price update: plain scan / 0 hits" => Some(20_000.0),
            "price update: 10000 hits / 100 hits" => Some(100.0),
            "every position: exact value / f64 screen" => Some(20.0),
            _ => Some(1.5),
        };
        let check = |nanos: &dyn Fn(&str) -> Option<f64>, ratio: &dyn Fn(&str) -> Option<f64>| {
            super::check(&CRITERION, nanos, ratio)
        };
        assert!(check(&good, &good).is_ok());
        let ratios = |name: &str| {
            (!name.starts_with("quote amount"))
                .then(|| good(name))
                .flatten()
        };
        let missed = check(&|_| Some(6_000.0), &ratios).unwrap_err().to_string();
        for part in [
            "quote amount: orca / ballast: not measured, should be at least 1",
            "boundaries/exact: 6000.00, should be at most 2000 ns",
        ] {
            assert!(missed.contains(part), "{missed}");
        }
        assert_eq!(missed.lines().count(), 1 + 6, "{missed}");
        assert!(check(&good, &|_| Some(0.9)).is_err());
        assert!(check(&good, &|_| Some(1_001.0)).is_err());
        assert!(check(&|_| Some(1e7), &good).is_err());
    }

    #[test]
    fn a_simulator_that_is_slower_is_told() {
        let good = |name: &str| match name {
            "path_steps_per_cpu_sec" => Some(2e7),
            "keeper_path_steps_per_cpu_sec" => Some(3.9e6),
            "one_thread_over_two" | "one_thread_over_two_by_cpu" => Some(1.95),
            "backtest_cpu_ms" => Some(29.0),
            "start_cpu_ms" | "quote_cpu_ms" => Some(5.0),
            _ => None,
        };
        let check = |ratio: &dyn Fn(&str) -> Option<f64>| check(&SIMULATOR, |_| None, ratio);
        assert!(check(&good).is_ok());
        for (name, slow) in [
            ("path_steps_per_cpu_sec", 1.9e6),
            ("keeper_path_steps_per_cpu_sec", 1.75e6),
            ("one_thread_over_two", 1.89),
            ("one_thread_over_two_by_cpu", 1.89),
            ("backtest_cpu_ms", 33.1),
            ("start_cpu_ms", 21.0),
            ("quote_cpu_ms", 21.0),
        ] {
            let with = |asked: &str| {
                if asked == name {
                    Some(slow)
                } else {
                    good(asked)
                }
            };
            let missed = check(&with).unwrap_err().to_string();
            assert!(
                missed.contains(&format!("{name}: ")) && missed.lines().count() == 2,
                "{missed}"
            );
        }
    }

    #[test]
    fn a_start_that_takes_long_or_an_update_that_waits_is_told() {
        let measured = |start: f64, p99: Option<f64>| {
            let nanos = move |name: &str| match name {
                "cold start, a million accounts" => Some(start),
                _ => p99,
            };
            check(&LATENCY, nanos, |_| None).map_err(|error| error.to_string())
        };
        assert_eq!(measured(9e9, Some(49_000.0)), Ok(()));
        let missed = measured(11e9, Some(51_000.0)).unwrap_err();
        assert_eq!(missed.lines().count(), 3, "{missed}");
        assert!(measured(9e9, None).unwrap_err().contains("not measured"));
    }
}
