//! Two strategies on the same prices, means known better than the sample's, and paths drawn along their way.

mod common;

use std::ops::ControlFlow;

use ballast_model::{Bps, quiet::HedgeBand};
use ballast_simulator::{
    Arbitrage, Baseline, Blocks, Controlled, FeeTerms, Gbm, Interest, Jumps, Looks, Paired,
    PriceModel, Regime, Regimes, Run, Streams, Takers, Terms, Weather, compare, simulate, trace,
};
use common::{UNITS, example};

fn run(terms: &Terms, looks: Looks, paths: u64, seed: u64) -> Run<'_> {
    Run {
        terms,
        looks,
        maintenance: Bps::new(8_000),
        liquidators: None,
        lag: None,
        watch: None,
        paths,
        streams: Streams::new(seed),
        threads: 0,
    }
}

fn band(part: u32, cost_ppm: u32) -> Baseline {
    let band = HedgeBand {
        hedge: Bps::ONE,
        band: Bps::new(part),
    };
    Baseline::Band {
        band,
        cost_ppm,
        most_ltv: Baseline::ANY_LTV,
    }
}

fn fees() -> FeeTerms {
    FeeTerms {
        fee: 0.0004,
        protocol_share: 0.13,
        arbitrage: Arbitrage::Formula(Blocks::Fixed(0.4)),
        takers: Takers::default(),
    }
}

fn paired(
    terms: &Terms,
    model: &impl PriceModel,
    agents: [&Baseline; 2],
    paths: u64,
    threads: usize,
) -> Paired {
    let looks = Looks::new(7.0, 3_600).unwrap();
    let run = Run {
        threads,
        ..run(terms, looks, paths, 8)
    };
    let mut paired = Paired::new([terms, terms], paths);
    compare(&run, terms, model, agents, |first, second| {
        paired.add(first, second);
        ControlFlow::Continue(())
    })
    .unwrap();
    paired
}

/// The difference is that of the means, line by line; its error is far below that of either; and it is the same on any number of threads.
#[test]
fn a_difference_on_the_same_prices() {
    let terms = example(Some(fees()), Interest::new(0.1, 0.05).unwrap());
    let model = Gbm::new(0.05, 0.0).unwrap();
    let (narrow, wide) = (band(500, 400), band(2_000, 400));
    let pair = paired(&terms, &model, [&narrow, &wide], 2_000, 1);
    let (first, second) = (
        pair.first().equity_moments(),
        pair.second().equity_moments(),
    );
    assert!((pair.equity().mean() - (first.mean() - second.mean())).abs() < 1e-9);
    let apart = first.stderr().hypot(second.stderr());
    assert!(
        pair.equity().stderr() < 0.8 * apart,
        "{:?} {apart}",
        pair.equity()
    );
    let lines: f64 = pair
        .attribution()
        .iter()
        .map(|(_, moments)| moments.mean())
        .sum();
    assert!((lines - pair.equity().mean()).abs() < 1e-9);
    let each = pair
        .first()
        .attribution()
        .iter()
        .zip(pair.second().attribution());
    for (((name, here), (_, there)), (_, difference)) in each.zip(pair.attribution()) {
        assert!(
            (here.mean() - there.mean() - difference.mean()).abs() < 1e-9,
            "{name}"
        );
    }
    // The narrow band trades more, and pays for it.
    let swaps = pair
        .attribution()
        .iter()
        .find(|(name, _)| *name == "swaps")
        .unwrap()
        .1;
    assert!(pair.acts().mean() > 1.0 && swaps.confidence_95().1 < 0.0);
    let again = paired(&terms, &model, [&narrow, &wide], 2_000, 2);
    assert_eq!(again.equity(), pair.equity());
    // The other way round is the negative.
    let other = paired(&terms, &model, [&wide, &narrow], 2_000, 2);
    assert_eq!(other.equity().mean(), -pair.equity().mean());
    let same = paired(&terms, &model, [&wide, &wide], 100, 2);
    assert_eq!((same.equity().mean(), same.equity().stderr()), (0.0, 0.0));
    assert_eq!(same.better().probability(), 0.0);
}

/// Chances that differ: only paths on which exactly one is liquidated count.
#[test]
fn chances_of_liquidation_are_compared_on_the_same_paths() {
    let terms = example(None, Interest::default());
    let model = Gbm::new(0.06, 0.0).unwrap();
    let pair = paired(&terms, &model, [&Baseline::Hold, &band(1_000, 0)], 2_000, 0);
    let (difference, stderr) = pair.liquidatable();
    let [first, second] = [pair.first(), pair.second()].map(|summary| summary.liquidatable());
    assert!((difference - (first.probability() - second.probability())).abs() < 1e-12);
    assert!(
        difference > 4.0 * stderr && stderr > 0.0,
        "{difference} {stderr}"
    );
    assert!(stderr <= first.stderr() + second.stderr());
}

/// MATH: the worked example, nobody acts, no fees: 96.78 and 87.40 after 1 and 7 days at 5 % a day. With what the position as opened is
/// worth as a control, a few paths say it exactly; and the rehedged limit has the same mean.
#[test]
fn control_variates_know_the_mean_better() {
    let terms = example(None, Interest::default());
    let model = Gbm::new(0.05, 0.0).unwrap();
    // The longer, the more depends on how much of the time the price was in range.
    for (days, expected, part) in [(1.0, 96.78, 0.45), (7.0, 87.40, 0.9)] {
        let looks = Looks::new(days, 3_600).unwrap();
        let mean = |agent: Baseline| {
            let mut controlled = Controlled::new(&terms, looks, model.law()).unwrap();
            let mut plain = ballast_simulator::Moments::default();
            simulate(&run(&terms, looks, 1_000, 12), &model, &agent, |outcome| {
                controlled.add(outcome).unwrap();
                plain.add(UNITS.quote(outcome.equity));
                ControlFlow::Continue(())
            })
            .unwrap();
            (controlled.mean().unwrap(), plain)
        };
        let (held, _) = mean(Baseline::Hold);
        assert!((held.mean - expected).abs() < 0.006, "{held:?}");
        assert!(held.stderr < 1e-5 && held.explained > 0.999_999, "{held:?}");
        let (hedged, plain) = mean(band(1_000, 0));
        assert!(
            hedged.stderr < part * plain.stderr(),
            "{hedged:?} {plain:?}"
        );
        assert!(
            (hedged.mean - held.mean).abs() < 4.0 * hedged.stderr,
            "{hedged:?} {held:?}"
        );
    }
}

/// Errors of corrected means are what they are said to be, in every model in which there are controls.
#[test]
fn corrected_means_scatter_as_their_errors_say() {
    let terms = example(None, Interest::default());
    let looks = Looks::new(3.0, 3_600).unwrap();
    fn check(terms: &Terms, looks: Looks, model: &impl PriceModel, least: f64) {
        let means: Vec<_> = (0..16)
            .map(|seed| {
                let mut controlled = Controlled::new(terms, looks, model.law()).unwrap();
                simulate(
                    &run(terms, looks, 200, seed),
                    model,
                    &band(2_000, 0),
                    |outcome| {
                        controlled.add(outcome).unwrap();
                        ControlFlow::Continue(())
                    },
                )
                .unwrap();
                controlled.mean().unwrap()
            })
            .collect();
        let all = means.iter().map(|mean| mean.mean).sum::<f64>() / 16.0;
        let square: f64 = means
            .iter()
            .map(|mean| ((mean.mean - all) / mean.stderr).powi(2))
            .sum::<f64>()
            / 15.0;
        assert!((0.4..2.1).contains(&square), "{square} {means:?}");
        assert!(means[0].explained > least, "{:?}", means[0]);
    }
    check(&terms, looks, &Gbm::new(0.05, 0.0).unwrap(), 0.4);
    // Little is known of what a hedged position makes of these.
    check(&terms, looks, &Gbm::new(0.05, 0.03).unwrap(), 0.0);
    let jumps = Jumps::new(0.04, 0.0, 0.5, -0.02, 0.04).unwrap();
    check(&terms, looks, &jumps, 0.0);
    let regime = |sigma_day, days| Regime {
        sigma_day,
        drift_day: 0.0,
        days,
        weather: Weather::USUAL,
    };
    let regimes = Regimes::new(vec![regime(0.03, 3.0), regime(0.09, 1.0)]).unwrap();
    check(&terms, looks, &regimes, 0.05);
    // Where nothing is known, nothing is said.
    let unknown = Regimes::new(vec![
        regime(0.03, 3.0),
        Regime {
            drift_day: 0.01,
            ..regime(0.09, 1.0)
        },
    ]);
    assert_eq!(unknown.unwrap().law().drift_day, None);
}

/// What is known of the prices says more of a difference than the difference alone, and nothing else.
#[test]
fn a_difference_is_known_better_with_control_variates() {
    let terms = example(Some(fees()), Interest::default());
    let looks = Looks::new(3.0, 3_600).unwrap();
    let model = Gbm::new(0.05, 0.0).unwrap();
    let known = |[first, second]: [Baseline; 2], paths| {
        let mut controlled = Controlled::paired(&terms, looks, model.law()).unwrap();
        let mut plain = ballast_simulator::Moments::default();
        let run = run(&terms, looks, paths, 13);
        compare(&run, &terms, &model, [&first, &second], |first, second| {
            controlled.add_pair(first, second).unwrap();
            plain.add(UNITS.quote(first.equity - second.equity));
            ControlFlow::Continue(())
        })
        .unwrap();
        (controlled.mean().unwrap(), plain)
    };
    for agents in [
        [band(1_000, 400), Baseline::Hold],
        [band(1_000, 400), band(4_000, 400)],
    ] {
        let (better, plain) = known(agents, 500);
        let (_, truth) = known(agents, 5_000);
        println!("{better:?} {} +- {}", plain.mean(), plain.stderr());
        assert!(better.stderr < 0.7 * plain.stderr(), "{better:?} {plain:?}");
        assert!(
            (better.mean - truth.mean()).abs() < 4.0 * better.stderr.hypot(truth.stderr()),
            "{better:?} {truth:?}"
        );
    }
    let (same, _) = known([Baseline::Hold; 2], 200);
    assert_eq!((same.mean, same.stderr), (0.0, 0.0));
}

/// Marks are evenly apart, from the start to the end, and the last is how the path ends.
#[test]
fn paths_along_their_way() {
    let terms = example(Some(fees()), Interest::new(0.1, 0.05).unwrap());
    let looks = Looks::new(2.0, 600).unwrap();
    let model = Gbm::new(0.05, 0.0).unwrap();
    let (run, agent) = (run(&terms, looks, 50, 4), band(1_000, 400));
    let marks = trace(&run, &model, &agent, 20, 48).unwrap();
    assert_eq!(marks.len(), 20);
    let mut outcomes = Vec::new();
    simulate(&run, &model, &agent, |outcome| {
        outcomes.push(*outcome);
        ControlFlow::Continue(())
    })
    .unwrap();
    for (marks, outcome) in marks.iter().zip(&outcomes) {
        assert_eq!(marks.len(), 49);
        for (index, mark) in marks.iter().enumerate() {
            assert_eq!(mark.secs, index as u64 * 3_600);
        }
        let last = marks[48];
        assert!((last.log_price.exp() / outcome.price - 1.0).abs() < 1e-12);
        assert!(
            (last.equity - outcome.equity).abs() <= 2,
            "{last:?} {outcome:?}"
        );
        assert!((marks[0].equity - 100_000_000).abs() <= 3);
    }
    // More marks than steps are as many as steps.
    let short = Looks::new(0.1, 3_600).unwrap();
    let few = trace(
        &Run {
            looks: short,
            ..run
        },
        &model,
        &agent,
        1,
        100,
    )
    .unwrap();
    assert_eq!(few[0].len(), 4);
}
