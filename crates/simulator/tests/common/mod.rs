//! The worked example: 100 at 200, 190 to 210, three times.
#![allow(dead_code)]

use std::ops::ControlFlow;

use ballast_model::{Band, Bps, quiet::HedgeBand};
use ballast_simulator::{
    Agent, Baseline, FeeTerms, Interest, Liquidators, Looks, Opening, Outcome, PriceModel, Run,
    Streams, Terms, Units, Watch, simulate,
};

pub const UNITS: Units = Units {
    base_decimals: 9,
    quote_decimals: 6,
};
pub const EXAMPLE_PRICE: f64 = 200.0;

/// Rehedges everything from a fifth of the base that is held on.
pub const BAND: Baseline = Baseline::Band {
    band: HedgeBand {
        hedge: Bps::ONE,
        band: Bps::new(2_000),
    },
    cost_ppm: 400,
    most_ltv: Bps::new(6_500),
};

pub fn opening() -> Opening {
    let at = |price: f64| UNITS.sqrt_price(price.ln());
    Opening {
        units: UNITS,
        at: at(EXAMPLE_PRICE),
        band: Band::from_sqrt_prices(at(190.0), at(210.0)).unwrap(),
        own_quote: 100_000_000,
        leverage: Bps::new(30_000),
        hedge: Bps::ONE,
    }
}

pub fn example(fees: Option<FeeTerms>, interest: Interest) -> Terms {
    Terms::new(&opening(), fees, interest).unwrap()
}

pub fn run(
    terms: &Terms,
    looks: Looks,
    model: &impl PriceModel,
    agent: &(impl Agent + Clone + Sync),
    paths: u64,
    seed: u64,
) -> Vec<Outcome> {
    run_on(terms, looks, model, agent, paths, seed, 0)
}

pub fn run_on(
    terms: &Terms,
    looks: Looks,
    model: &impl PriceModel,
    agent: &(impl Agent + Clone + Sync),
    paths: u64,
    seed: u64,
    threads: usize,
) -> Vec<Outcome> {
    let run = Run {
        terms,
        looks,
        maintenance: Bps::new(8_000),
        liquidators: None,
        lag: None,
        watch: None,
        paths,
        streams: Streams::new(seed),
        threads,
    };
    collect(&run, model, agent)
}

pub fn run_watching(
    terms: &Terms,
    looks: Looks,
    model: &impl PriceModel,
    watch: Watch,
    paths: u64,
    seed: u64,
) -> Vec<Outcome> {
    let run = Run {
        terms,
        looks,
        maintenance: Bps::new(8_000),
        liquidators: None,
        lag: None,
        watch: Some(watch),
        paths,
        streams: Streams::new(seed),
        threads: 0,
    };
    collect(&run, model, &ballast_simulator::Baseline::Hold)
}

/// With liquidators who restore an LTV of 65 % for 3 %.
pub fn liquidated(terms: &Terms, looks: Looks, paths: u64, seed: u64) -> Run<'_> {
    Run {
        terms,
        looks,
        maintenance: Bps::new(8_000),
        liquidators: Some(Liquidators {
            target: Bps::new(6_500),
            bonus: Bps::new(300),
        }),
        lag: None,
        watch: None,
        paths,
        streams: Streams::new(seed),
        threads: 0,
    }
}

/// All paths of [`liquidated`].
pub fn run_liquidated(
    terms: &Terms,
    looks: Looks,
    model: &impl PriceModel,
    paths: u64,
    seed: u64,
) -> Vec<Outcome> {
    let run = liquidated(terms, looks, paths, seed);
    collect(&run, model, &ballast_simulator::Baseline::Hold)
}

/// Every path's outcome, in order.
pub fn collect(
    run: &Run<'_>,
    model: &impl PriceModel,
    agent: &(impl Agent + Clone + Sync),
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    simulate(run, model, agent, |outcome| {
        outcomes.push(*outcome);
        ControlFlow::Continue(())
    })
    .unwrap();
    outcomes
}
