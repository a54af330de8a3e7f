//! Prices that come late, and actions that land late or not at all.

mod common;

use std::ops::ControlFlow;

use ballast_model::{Band, Tick};
use ballast_simulator::{
    Agent, Gbm, Interest, Keeper, KeeperTerms, Lag, Looks, Opening, Outcome, Passage, Run, Summary,
    Terms, replay, simulate,
};
use ballast_strategy::fixtures;
use common::{BAND, opening};

fn terms(interest: Interest) -> Terms {
    let [lower, upper] = fixtures::TICKS.map(|tick| Tick::new(tick).unwrap());
    let opening = Opening {
        band: Band::new(lower, upper).unwrap(),
        ..opening()
    };
    Terms::new(&opening, None, interest).unwrap()
}

fn keeper(terms: &Terms) -> Keeper {
    let keeper = KeeperTerms {
        automation: fixtures::automation(),
        ..KeeperTerms::in_market(&fixtures::market(), fixtures::policy(), 400)
    };
    Keeper::new(&keeper, terms)
}

fn lag(oracle_delay_secs: u64, latency_secs: f64, miss: f64) -> Lag {
    Lag {
        oracle_delay_secs,
        passage: Passage {
            latency_secs,
            miss,
            worsens: 0.0,
            calm_sigma_day: 0.05,
        },
    }
}

fn with(run: &Run<'_>, lag: Option<Lag>, agent: &(impl Agent + Clone + Sync)) -> Vec<Outcome> {
    let run = Run { lag, ..run.clone() };
    let mut outcomes = Vec::new();
    simulate(&run, &Gbm::new(0.06, 0.0).unwrap(), agent, |outcome| {
        outcomes.push(*outcome);
        ControlFlow::Continue(())
    })
    .unwrap();
    outcomes
}

/// A lag of nothing changes no bit, whoever acts and whoever liquidates.
#[test]
fn without_a_lag_nothing_changes() {
    let terms = terms(Interest::new(0.2, 0.1).unwrap());
    let run = common::liquidated(&terms, Looks::new(4.0, 600).unwrap(), 60, 61);
    let none = Some(lag(0, 0.0, 0.0));
    let kept = keeper(&terms);
    assert_eq!(with(&run, None, &kept), with(&run, none, &kept));
    assert_eq!(with(&run, None, &BAND), with(&run, none, &BAND));
}

/// What is due at a price is done when the price is seen, and so much later as it takes to land.
#[test]
fn what_is_due_is_done_later() {
    let terms = terms(Interest::default());
    let model = Gbm::new(0.06, 0.0).unwrap();
    let run = common::liquidated(&terms, Looks::new(4.0, 60).unwrap(), 40, 62);
    let first = |lag, path| {
        let run = Run {
            lag,
            liquidators: None,
            ..run.clone()
        };
        let replayed = replay(&run, &model, &BAND, path).unwrap();
        replayed.events.first().map(|event| event.secs)
    };
    let (mut seen_late, mut landed_late) = (0, 0);
    for path in 0..40 {
        let Some(secs) = first(None, path) else {
            continue;
        };
        // At the price that is seen then nothing else is due than was.
        if secs + 300 <= 4 * 86_400 {
            assert_eq!(first(Some(lag(290, 0.0, 0.0)), path), Some(secs + 300));
            seen_late += 1;
        }
        // The price may have come back meanwhile.
        let landed = first(Some(lag(0, 300.0, 0.0)), path);
        assert!(
            landed.is_none_or(|landed| landed >= secs + 300),
            "{landed:?} {secs}"
        );
        landed_late += u32::from(landed == Some(secs + 300));
    }
    // Half of the prices have come back by then.
    assert!(
        seen_late > 30 && landed_late > 10,
        "{seen_late} {landed_late}"
    );
}

/// A keeper that is late protects less, one whose transactions are lost as well still less; on any number of threads the same.
#[test]
fn who_is_late_protects_less() {
    let terms = terms(Interest::default());
    let looks = Looks::new(7.0, 300).unwrap();
    let run = common::liquidated(&terms, looks, 150, 63);
    let kept = keeper(&terms);
    let late = Some(lag(600, 3_600.0, 0.6));
    let [good, bad] = [None, late].map(|lag| with(&run, lag, &kept));
    let shortfall = |outcomes: &[Outcome]| {
        let mut summary = Summary::new(&terms, 150);
        outcomes.iter().for_each(|outcome| summary.add(outcome));
        (
            summary.equity().shortfall(0.05),
            summary.liquidatable().probability(),
        )
    };
    let ((good_worst, good_chance), (bad_worst, bad_chance)) = (shortfall(&good), shortfall(&bad));
    println!("worst 5 % {good_worst} and {bad_worst}, liquidated {good_chance} and {bad_chance}");
    assert!(bad_worst < good_worst - 1.0, "{bad_worst} {good_worst}");
    assert!(bad_chance > good_chance, "{bad_chance} {good_chance}");
    let alone = Run {
        threads: 1,
        ..run.clone()
    };
    assert_eq!(with(&alone, late, &kept), bad);
    for outcome in &bad {
        let gain = outcome.equity - i128::from(terms.own_quote);
        assert_eq!(gain, outcome.attribution.total(), "{outcome:?}");
    }
}

#[test]
fn a_lag_that_makes_no_sense_is_refused() {
    let terms = terms(Interest::default());
    let run = Run {
        lag: Some(lag(0, 0.0, 1.0)),
        ..common::liquidated(&terms, Looks::new(1.0, 600).unwrap(), 1, 64)
    };
    let refused = simulate(&run, &Gbm::new(0.06, 0.0).unwrap(), &BAND, |_| {
        ControlFlow::Continue(())
    });
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("chance of missing")
    );
}
