//! The worked example, held: what the mathematics says of it, against many paths.

mod common;

use ballast_model::Bps;
use ballast_simulator::{
    Baseline, Gbm, Interest, Looks, Outcome, Summary, Terms, Watch, hitting::Motion,
};
use common::{EXAMPLE_PRICE, UNITS, example, run};

fn summary(terms: &Terms, outcomes: &[Outcome]) -> Summary {
    let mut summary = Summary::new(terms, outcomes.len() as u64);
    outcomes.iter().for_each(|outcome| summary.add(outcome));
    summary
}

/// Expected equity after 1 and 7 days at 5 % a day, nobody acting and no fees: 96.78 and 87.40.
#[test]
fn expected_equity() {
    let terms = example(None, Interest::default());
    let model = Gbm::new(0.05, 0.0).unwrap();
    for (days, expected) in [(1.0, 96.778), (7.0, 87.402)] {
        // One look is enough: nothing happens on the way.
        let looks = Looks::new(days, 86_400 * 7).unwrap();
        let outcomes = run(&terms, looks, &model, &Baseline::Hold, 40_000, 2);
        let equity = summary(&terms, &outcomes).equity();
        let off = equity.moments().mean() - expected;
        assert!(
            off.abs() < 4.0 * equity.moments().stderr() + 1e-3,
            "{days} days: {} +- {}",
            equity.moments().mean(),
            equity.moments().stderr()
        );
        // The tail: below the mean of all, and its mean below its edge.
        assert!(equity.shortfall(0.05) < equity.quantile(0.05));
        assert!(equity.quantile(0.05) < equity.moments().mean());
    }
}

/// Spread, quantiles and shortfall after a week are those of the lognormal price: summed over a grid of it, by what the position is worth
/// at each.
#[test]
fn the_spread_is_that_of_the_lognormal_price() {
    let terms = example(None, Interest::default());
    let (sigma_day, days, paths) = (0.05f64, 7.0f64, 40_000);
    let spread = sigma_day * days.sqrt();
    let cells = 40_000;
    let mut exact: Vec<(f64, f64)> = (0..cells)
        .map(|cell| {
            let z = 8.0 * (2.0 * (f64::from(cell) + 0.5) / f64::from(cells) - 1.0);
            let log_price = EXAMPLE_PRICE.ln() - spread * spread / 2.0 + spread * z;
            let equity = terms.opened.equity_down(UNITS.sqrt_price(log_price));
            (UNITS.quote(equity.unwrap()), (-z * z / 2.0).exp())
        })
        .collect();
    let all: f64 = exact.iter().map(|(_, weight)| weight).sum();
    exact.iter_mut().for_each(|(_, weight)| *weight /= all);
    exact.sort_by(|one, other| one.0.total_cmp(&other.0));
    let quantile = |part: f64| {
        let mut sum = 0.0;
        let cell = exact.iter().find(|(_, weight)| {
            sum += weight;
            sum >= part
        });
        cell.unwrap().0
    };
    let moment = |of: &dyn Fn(f64) -> f64| -> f64 {
        exact
            .iter()
            .map(|(equity, weight)| of(*equity) * weight)
            .sum()
    };
    let mean = moment(&|equity| equity);
    let sd = moment(&|equity| (equity - mean).powi(2)).sqrt();
    let fourth = moment(&|equity| (equity - mean).powi(4));
    let edge = quantile(0.05);
    let tail = moment(&|equity| (edge - equity).max(0.0)) / 0.05;
    let tail_square = moment(&|equity| (edge - equity).max(0.0).powi(2)) / 0.05;

    let seed = 8;
    println!("seed {seed}");
    let model = Gbm::new(sigma_day, 0.0).unwrap();
    let looks = Looks::new(days, 86_400 * 7).unwrap();
    let outcomes = run(&terms, looks, &model, &Baseline::Hold, paths, seed);
    let equity = summary(&terms, &outcomes).equity();
    let of = paths as f64;
    let off = |found: f64, expected: f64, stderr: f64| {
        println!("{found} is {expected} +- {stderr}");
        assert!(
            (found - expected).abs() < 4.0 * stderr,
            "{found} {expected} {stderr}"
        );
    };
    off(equity.moments().mean(), mean, sd / of.sqrt());
    off(
        equity.moments().sd(),
        sd,
        (fourth - sd.powi(4)).sqrt() / (2.0 * sd * of.sqrt()),
    );
    for part in [0.05, 0.5, 0.95] {
        // As many paths lie below it as chance allows.
        let reach = 4.0 * (part * (1.0 - part) / of).sqrt();
        let (found, low, high) = (
            equity.quantile(part),
            quantile(part - reach),
            quantile(part + reach),
        );
        println!("{part}: {found} in {low} to {high}");
        assert!(
            (low..=high).contains(&found),
            "{part}: {found} {low} {high}"
        );
        // And that is narrow: less than two percent of the funds.
        assert!(high - low < 2.0, "{low} {high}");
    }
    // The shortfall is `edge - mean of (edge - equity)` over the worst 5 %.
    let stderr = ((tail_square - 0.05 * tail * tail) / (0.05 * of)).sqrt();
    off(equity.shortfall(0.05), edge - tail, stderr);
}

/// Looks every minute miss so little that it takes this many paths to tell them from watching all the time: half as much again as a
/// standard deviation of a step, on each side.
#[test]
fn looks_every_minute_are_told_from_watching_all_the_time() {
    let terms = example(None, Interest::default());
    let model = Gbm::new(0.05, 0.0).unwrap();
    let looks = Looks::new(1.0, 60).unwrap();
    let (lower, upper) = ((190.0 / EXAMPLE_PRICE).ln(), (210.0 / EXAMPLE_PRICE).ln());
    let watch = Watch {
        lower: 190f64.ln(),
        upper: 210f64.ln(),
    };
    let (paths, seed) = (40_000, 9);
    println!("seed {seed}");
    let outcomes = common::run_watching(&terms, looks, &model, watch, paths, seed);
    let exits = outcomes
        .iter()
        .filter(|outcome| outcome.first_exit.is_some());
    let seen = exits.count() as f64 / paths as f64;
    let stderr = (seen * (1.0 - seen) / paths as f64).sqrt();
    let motion = Motion::of_price(0.0, 0.05);
    let ends = (Some(lower), Some(upper));
    let at_looks = motion
        .exit_at_looks(ends.0, ends.1, 1.0, looks.step_days())
        .unwrap();
    let all_the_time = motion.exit(ends.0, ends.1, 1.0).unwrap();
    let (at_looks, all_the_time) = (
        at_looks.lower + at_looks.upper,
        all_the_time.lower + all_the_time.upper,
    );
    println!("{seen} +- {stderr}, by formula {at_looks}, all the time {all_the_time}");
    assert!((seen - at_looks).abs() < 3.0 * stderr);
    assert!(all_the_time - seen > 3.0 * stderr);
}

/// Within 7, 30 and 90 days 4.6, 34.6 and 76.6 % are liquidated when watched all the time; an hour between looks misses some, as
/// the shifted closed form says.
#[test]
fn chances_of_liquidation_at_looks_are_the_closed_form() {
    let terms = example(None, Interest::default());
    let model = Gbm::new(0.05, 0.0).unwrap();
    let motion = Motion::of_price(0.0, 0.05);
    let watch = Watch::ends(terms.opened.boundaries(Bps::new(8_000)).unwrap(), UNITS);
    let (lower, upper) = (
        watch.lower - EXAMPLE_PRICE.ln(),
        watch.upper - EXAMPLE_PRICE.ln(),
    );
    for (days, step_secs) in [(7.0, 60), (7.0, 3_600), (30.0, 3_600), (90.0, 3_600)] {
        let paths = if step_secs == 60 { 2_000 } else { 10_000 };
        let looks = Looks::new(days, step_secs).unwrap();
        let outcomes = run(&terms, looks, &model, &Baseline::Hold, paths, 3);
        let summary = summary(&terms, &outcomes);
        let exact = motion
            .exit_at_looks(Some(lower), Some(upper), days, looks.step_days())
            .unwrap();
        for (seen, expected) in [
            (summary.first_exit_lower(), exact.lower),
            (summary.first_exit_upper(), exact.upper),
            (summary.liquidatable(), exact.lower + exact.upper),
        ] {
            let off = seen.probability() - expected;
            assert!(
                off.abs() < 4.0 * seen.stderr(),
                "{days} days, {step_secs} s: {} +- {}, {expected}",
                seen.probability(),
                seen.stderr()
            );
        }
    }
}

/// Without volatility equity is what was put in less interest, to the unit that rounding costs.
#[test]
fn without_volatility_only_interest_is_lost() {
    let interest = Interest::new(0.10, 0.05).unwrap();
    let terms = example(None, interest);
    let model = Gbm::new(0.0, 0.0).unwrap();
    let looks = Looks::new(30.0, 3_600).unwrap();
    let outcome = run(&terms, looks, &model, &Baseline::Hold, 1, 4)[0];
    let grown = |debt: f64, apr: f64| debt * (apr * 30.0 / 365.0f64).exp_m1();
    let base = grown(0.731_475_723_873, 0.10) * 200.0;
    let quote = grown(53.704_855_225_473, 0.05);
    assert!((UNITS.quote(outcome.equity) - (100.0 - base - quote)).abs() < 1e-5);
    let lines = outcome.attribution;
    assert!((UNITS.quote(lines.interest_base) + base).abs() < 1e-5);
    assert!((UNITS.quote(lines.interest_quote) + quote).abs() < 1e-5);
    assert!((outcome.in_range - 1.0).abs() < 1e-12);
    assert_eq!(
        (outcome.first_exit, outcome.liquidatable_secs),
        (None, None)
    );
}

#[test]
fn threads_change_no_bit() {
    let terms = example(None, Interest::new(0.10, 0.05).unwrap());
    let model = Gbm::new(0.05, 0.001).unwrap();
    let looks = Looks::new(2.0, 600).unwrap();
    let hedge = Bps::ONE;
    let with = |threads| {
        common::run_on(
            &terms,
            looks,
            &model,
            &Baseline::Continuous { hedge },
            300,
            5,
            threads,
        )
    };
    let one = with(1);
    assert_eq!(one, with(2));
    assert_eq!(one, with(5));
    assert!(one.windows(2).all(|pair| pair[0].path + 1 == pair[1].path));
}

/// Watched prices count from the start, and the first one counts.
#[test]
fn a_watched_price_that_is_already_passed_counts_at_once() {
    let terms = example(None, Interest::default());
    let looks = Looks::new(1.0, 3_600).unwrap();
    let model = Gbm::new(0.05, 0.0).unwrap();
    let run = |lower: f64, upper: f64| {
        let watch = Watch {
            lower: lower.ln(),
            upper: upper.ln(),
        };
        common::run_watching(&terms, looks, &model, watch, 100, 6)
    };
    for outcome in run(201.0, 300.0) {
        let exit = outcome.first_exit.unwrap();
        assert_eq!((exit.below, exit.secs), (true, 0));
    }
    assert!(
        run(1.0, 1e6)
            .iter()
            .all(|outcome| outcome.first_exit.is_none())
    );
}
