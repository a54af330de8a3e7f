//! Closed forms against the simulator, on seeded paths.

mod common;

use std::ops::ControlFlow;

use ballast_simulator::{
    Baseline, Gbm, Interest, Liquidators, Looks, Outcome, Run, Streams, Terms, simulate,
};
use common::{example, inputs, quote};

fn walked(
    terms: &Terms,
    looks: Looks,
    agent: Baseline,
    paths: u64,
    liquidators: Option<Liquidators>,
) -> Vec<Outcome> {
    let run = Run {
        terms,
        looks,
        maintenance: example().rules.maintenance,
        liquidators,
        lag: None,
        watch: None,
        paths,
        streams: Streams::new(17),
        threads: 0,
    };
    let mut outcomes = Vec::new();
    simulate(&run, &Gbm::new(0.05, 0.0).unwrap(), &agent, |outcome| {
        outcomes.push(*outcome);
        ControlFlow::Continue(())
    })
    .unwrap();
    outcomes
}

/// Mean and standard error.
fn mean(numbers: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = numbers.clone().count() as f64;
    let mean = numbers.clone().sum::<f64>() / count;
    let variance = numbers.map(|number| (number - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}

/// How often a band is left, by formula and by counting: narrow and wide bands, a day and a week.
#[test]
fn rehedges_per_day() {
    for (lower, upper, band_bps, days, step_secs, paths, within) in [
        (190.0, 210.0, 1_000, 1.0, 2, 300, 0.03),
        (190.0, 210.0, 3_000, 7.0, 20, 600, 0.03),
        (160.0, 250.0, 300, 3.0, 5, 200, 0.03),
    ] {
        let mut inputs = inputs(lower, upper, 100);
        inputs.rules.hedge.band = ballast_model::Bps::new(band_bps);
        inputs.conditions.horizon_days = days;
        let rehedging = quote(&inputs).rehedging.unwrap();
        let terms = Terms::new(&inputs.opening.unwrap(), None, Interest::default()).unwrap();
        let agent = Baseline::Band {
            band: inputs.rules.hedge,
            cost_ppm: 0,
            most_ltv: Baseline::ANY_LTV,
        };
        let outcomes = walked(
            &terms,
            Looks::new(days, step_secs).unwrap(),
            agent,
            paths,
            None,
        );
        let count = |outcome: &Outcome| {
            f64::from(outcome.acts.count(ballast_simulator::Act::Rehedge)) / days
        };
        let (counted, stderr) = mean(outcomes.iter().map(count));
        let expected = rehedging.per_day_to_horizon.unwrap();
        println!(
            "{lower} to {upper}, band {band_bps}: {expected} expected, {counted} +- {stderr} counted"
        );
        assert!(
            (counted - expected).abs() < within * expected + 3.0 * stderr,
            "{lower} to {upper}, band {band_bps}: {expected} is not {counted} +- {stderr}"
        );
    }
}

/// Liquidations within a month, by side, and within a week.
#[test]
fn chances_of_liquidation() {
    let inputs = example();
    let quote = quote(&inputs);
    let terms = Terms::new(&inputs.opening.unwrap(), None, Interest::default()).unwrap();
    let outcomes = walked(
        &terms,
        Looks::new(30.0, 300).unwrap(),
        Baseline::Hold,
        3_000,
        None,
    );
    for (days, said) in [(7.0, 0.046), (30.0, 0.346)] {
        let chance = quote
            .chances
            .iter()
            .find(|chance| chance.days == days)
            .unwrap();
        let exits = chance.liquidation.unwrap();
        assert!((exits.either - said).abs() < 6e-4, "{exits:?}");
        let within = |outcome: &&Outcome| {
            outcome
                .first_exit
                .is_some_and(|exit| exit.secs as f64 <= days * 86_400.0)
        };
        let part = |below: bool| {
            let through =
                |outcome: &&Outcome| outcome.first_exit.is_some_and(|exit| exit.below == below);
            outcomes.iter().filter(within).filter(through).count() as f64 / outcomes.len() as f64
        };
        for (expected, counted) in [(exits.lower, part(true)), (exits.upper, part(false))] {
            let stderr = (expected * (1.0 - expected) / outcomes.len() as f64).sqrt();
            // Looks every 5 minutes miss some: about 1 % of the chance.
            assert!(
                (expected - counted).abs() < 3.0 * stderr + 0.02 * expected + 1e-3,
                "{days} days: {expected} is not {counted}"
            );
        }
        // Debts do not grow here; reached before is the lower LTV.
        assert_eq!(chance.liquidation_grown, chance.liquidation);
        assert!(chance.deleverage.unwrap().either > exits.either);
    }
    // With interest the debts at the end are nearer to the boundaries.
    let mut dear = inputs.clone();
    (dear.conditions.base_apr, dear.conditions.quote_apr) = (0.5, 0.5);
    let chance = common::quote(&dear).chances[2];
    assert!(
        chance.liquidation_grown.unwrap().either > chance.liquidation.unwrap().either + 0.01,
        "{chance:?}"
    );
}
