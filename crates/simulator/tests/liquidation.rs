//! Liquidations on the way, and what they leave.

mod common;

use std::ops::ControlFlow;

use ballast_model::{Boundaries, Bps};
use ballast_simulator::{
    Act, Agent, Baseline, Desk, Gbm, Interest, Jumps, Looks, Opening, Quiet, Run, Terms, WalkError,
    replay, simulate, trace,
};
use common::{UNITS, example, run, run_liquidated};

/// Without gaps the owner loses the bonus on what was repaid; at each liquidation LTV falls from 80 to 65 %.
#[test]
fn a_liquidation_costs_its_bonus() {
    let terms = example(None, Interest::default());
    let model = Gbm::new(0.05, 0.0).unwrap();
    let looks = Looks::new(30.0, 600).unwrap();
    let left = run(&terms, looks, &model, &Baseline::Hold, 300, 51);
    let taken = run_liquidated(&terms, looks, &model, 300, 51);
    let mut liquidated = 0;
    for (left, taken) in left.iter().zip(&taken) {
        let gain = taken.equity - i128::from(terms.own_quote);
        assert_eq!(gain, taken.attribution.total(), "{taken:?}");
        assert_eq!(left.liquidatable_secs, taken.liquidatable_secs);
        assert_eq!(taken.attribution.bad_debt, 0);
        assert!(
            taken.lowest_equity <= taken.equity
                && taken.lowest_equity <= left.lowest_equity.max(taken.equity)
        );
        if taken.liquidatable_secs.is_none() {
            assert_eq!(left, taken);
            continue;
        }
        liquidated += 1;
        // Debt of about 240 against assets of 300: 0.8 - 0.65 of them, over what the bonus leaves, times 3 %; several times at most.
        let bonus = -UNITS.quote(taken.attribution.liquidation);
        assert!((2.0..15.0).contains(&bonus), "{bonus}");
    }
    assert!(liquidated > 60, "{liquidated}");
}

/// A gap beyond the debts leaves nothing to the owner and a loss to the lenders, no more.
#[test]
fn a_gap_leaves_bad_debt_and_no_negative_equity() {
    let terms = example(None, Interest::default());
    let model = Jumps::new(0.02, 0.0, 0.5, 0.0, 0.6).unwrap();
    let looks = Looks::new(5.0, 3_600).unwrap();
    let outcomes = run_liquidated(&terms, looks, &model, 200, 52);
    let mut bad = 0;
    for outcome in &outcomes {
        let gain = outcome.equity - i128::from(terms.own_quote);
        assert_eq!(gain, outcome.attribution.total(), "{outcome:?}");
        assert!(outcome.equity >= 0, "{outcome:?}");
        assert!(outcome.attribution.bad_debt >= 0);
        bad += u32::from(outcome.attribution.bad_debt > 0);
    }
    assert!(bad > 10, "{bad}");
    // Where nobody liquidates they end below nothing.
    let left = run(&terms, looks, &model, &Baseline::Hold, 200, 52);
    assert!(left.iter().any(|outcome| outcome.equity < 0));
}

/// The lowest equity is the one at the price's extreme, of paths that came back as well.
#[test]
fn the_lowest_equity_on_the_way() {
    let terms = example(None, Interest::default());
    let model = Gbm::new(0.05, 0.0).unwrap();
    let looks = Looks::new(7.0, 3_600).unwrap();
    let outcomes = run(&terms, looks, &model, &Baseline::Hold, 200, 53);
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome.lowest_equity <= outcome.equity)
    );
    let back = outcomes
        .iter()
        .filter(|outcome| outcome.lowest_equity + 1_000_000 < outcome.equity);
    assert!(back.count() > 20);
}

/// Somebody who looks at every step, and does nothing.
#[derive(Clone)]
struct Looker;

impl Agent for Looker {
    fn quiet(&self, _: &Desk<'_>, _: u64) -> Result<Quiet, WalkError> {
        Ok(Boundaries::Empty.into())
    }

    fn watches_fees(&self) -> bool {
        false
    }

    fn watches_prices(&self) -> bool {
        false
    }

    fn pass(&mut self, _: u64, _: i32) {}

    fn act(&mut self, _: &mut Desk<'_>) -> Result<(), WalkError> {
        Ok(())
    }
}

/// What goes up and comes back has fallen, though never below the own funds.
#[test]
fn the_largest_fall_from_a_peak() {
    // Without a hedge equity follows the price.
    let unhedged = Opening {
        hedge: Bps::ZERO,
        ..common::opening()
    };
    let terms = Terms::new(&unhedged, None, Interest::default()).unwrap();
    let model = Gbm::new(0.05, 0.0).unwrap();
    let looks = Looks::new(3.0, 3_600).unwrap();
    let run = Run {
        liquidators: None,
        ..common::liquidated(&terms, looks, 50, 56)
    };
    let outcomes = common::run(&terms, looks, &model, &Looker, 50, 56);
    let (marks, mut more) = (trace(&run, &model, &Looker, 50, looks.count()).unwrap(), 0);
    for (outcome, marks) in outcomes.iter().zip(&marks) {
        let (mut peak, mut fall) = (i128::MIN, 0);
        for mark in marks {
            peak = peak.max(mark.equity);
            fall = fall.max(peak - mark.equity);
        }
        assert!(
            (outcome.largest_fall - fall).abs() <= 4,
            "{outcome:?} {fall}"
        );
        let below = i128::from(terms.own_quote) - outcome.lowest_equity;
        more += u32::from(fall > below.max(0) + 1_000_000);
    }
    assert!(more > 20, "{more}");
}

/// A path alone is the path of the run, and its events tell where its equity went.
#[test]
fn a_path_is_replayed_with_its_events() {
    let terms = example(None, Interest::default());
    let model = Gbm::new(0.05, 0.0).unwrap();
    let looks = Looks::new(30.0, 600).unwrap();
    let outcomes = run_liquidated(&terms, looks, &model, 60, 54);
    let run = common::liquidated(&terms, looks, 60, 54);
    let mut events = 0;
    for outcome in &outcomes {
        let ballast_simulator::Replayed {
            outcome: again,
            events: noted,
            ..
        } = replay(&run, &model, &Baseline::Hold, outcome.path).unwrap();
        assert_eq!(again, *outcome);
        assert_eq!(noted.len(), outcome.acts.count(Act::Liquidation) as usize);
        let lost: i128 = noted
            .iter()
            .map(|event| event.equity - event.equity_before)
            .sum();
        assert_eq!(lost, outcome.attribution.liquidation);
        assert!(
            noted
                .iter()
                .all(|event| event.act == Act::Liquidation && event.ltv_bps <= 6_501)
        );
        events += noted.len();
    }
    assert!(events > 5, "{events}");
}

/// Who has seen enough says so; what comes later is not handed on.
#[test]
fn a_run_ends_where_it_is_told_to() {
    let terms = example(None, Interest::default());
    let model = Gbm::new(0.05, 0.0).unwrap();
    let looks = Looks::new(1.0, 3_600).unwrap();
    let run = common::liquidated(&terms, looks, 10_000, 55);
    let mut seen = 0;
    let enough = |outcome: &ballast_simulator::Outcome| {
        seen += 1;
        if outcome.path == 4_321 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    };
    simulate(&run, &model, &Baseline::Hold, enough).unwrap();
    assert_eq!(seen, 4_322);
}
