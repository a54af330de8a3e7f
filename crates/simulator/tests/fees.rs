//! Fees of a position on its paths.

mod common;

use ballast_model::Bps;
use ballast_simulator::{
    Arbitrage, Baseline, Blocks, FeeTerms, Gbm, Interest, Looks, Moments, Outcome, Takers, Terms,
};
use common::{UNITS, example, opening, run};

fn fees(arbitrage: Arbitrage, takers: Takers) -> FeeTerms {
    FeeTerms {
        fee: 0.0005,
        protocol_share: 0.0,
        arbitrage,
        takers,
    }
}

fn mean(outcomes: &[Outcome], line: impl Fn(&Outcome) -> i128) -> Moments {
    let mut moments = Moments::default();
    for outcome in outcomes {
        moments.add(UNITS.quote(line(outcome)));
    }
    moments
}

/// Blocks of 12 seconds, their trades one by one or by formula: the same fees.
#[test]
fn trades_one_by_one_pay_what_the_formula_says() {
    let model = Gbm::new(0.05, 0.0).unwrap();
    let looks = Looks::new(0.25, 12).unwrap();
    let with = |arbitrage| {
        let terms = example(
            Some(fees(arbitrage, Takers::default())),
            Interest::default(),
        );
        let outcomes = run(&terms, looks, &model, &Baseline::Hold, 1_000, 21);
        mean(&outcomes, |outcome| outcome.attribution.fees_arbitrage)
    };
    let each = with(Arbitrage::EveryLook);
    let formula = with(Arbitrage::Formula(Blocks::Fixed(12.0)));
    // One price path, two ways of counting: the noise is common.
    let off = each.mean() / formula.mean() - 1.0;
    assert!(off.abs() < 0.02, "{} {}", each.mean(), formula.mean());
    // Steps of a minute with blocks of 12 seconds: five times as long, the same.
    let coarse = Looks::new(0.25, 60).unwrap();
    let terms = example(
        Some(fees(
            Arbitrage::Formula(Blocks::Fixed(12.0)),
            Takers::default(),
        )),
        Interest::default(),
    );
    let outcomes = run(&terms, coarse, &model, &Baseline::Hold, 1_000, 22);
    let minute = mean(&outcomes, |outcome| outcome.attribution.fees_arbitrage);
    assert!((minute.mean() - formula.mean()).abs() < 4.0 * minute.stderr().hypot(formula.stderr()));
}

/// The hedged limit: what curvature costs is `L sigma^2 s / 4` for the time in range, and with blocks ever shorter fees give
/// nearly all of it back.
#[test]
fn hedged_all_the_time_what_is_lost_is_lvr() {
    let terms = example(
        Some(fees(
            Arbitrage::Formula(Blocks::Fixed(0.4)),
            Takers::default(),
        )),
        Interest::default(),
    );
    let model = Gbm::new(0.05, 0.0).unwrap();
    let looks = Looks::new(0.5, 60).unwrap();
    let hedge = Bps::ONE;
    let outcomes = run(
        &terms,
        looks,
        &model,
        &Baseline::Continuous { hedge },
        200,
        23,
    );
    let lost = mean(&outcomes, |outcome| outcome.attribution.curvature);
    let earned = mean(&outcomes, |outcome| outcome.attribution.fees_arbitrage);
    let returned = 1.0 - Blocks::Fixed(0.4).arbitrage_part(0.0005, 0.05);
    assert!(
        (earned.mean() / -lost.mean() / returned - 1.0).abs() < 0.02,
        "{lost:?} {earned:?}"
    );
    // What is left of the price is the base among uncollected fees.
    let drift = mean(&outcomes, |outcome| outcome.attribution.hedge_drift);
    assert!(drift.sd() < 0.05, "{drift:?}");
}

/// Fees and what arbitrageurs keep are what is lost to them, for every kind of block: within half a percent, over what the same paths'
/// steps lose on average. What they keep is from MATH's table of measured parts at 5 bp, not from the formula that the fees come from.
#[test]
fn fees_and_arbitrage_are_lvr_for_every_kind_of_block() {
    let model = Gbm::new(0.05, 0.0).unwrap();
    let paths = 1_000;
    let seed = 28;
    println!("seed {seed}");
    let of = |step_secs, arbitrage, agent: &Baseline| {
        let terms = example(
            Some(fees(arbitrage, Takers::default())),
            Interest::default(),
        );
        let looks = Looks::new(0.5, step_secs).unwrap();
        let outcomes = run(&terms, looks, &model, agent, paths, seed);
        let sum = |of: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(of).sum::<f64>();
        let lvr = -sum(&|outcome| outcome.expected_curvature);
        let earned = sum(&|outcome| UNITS.quote(outcome.attribution.fees_arbitrage));
        let lost = -sum(&|outcome| UNITS.quote(outcome.attribution.curvature));
        (earned / lvr, lost / lvr)
    };
    for (blocks, kept) in [
        (Blocks::Fixed(12.0), 0.407),
        (Blocks::Poisson(12.0), 0.455),
        (Blocks::Fixed(0.4), 0.111),
        (Blocks::Poisson(0.4), 0.132),
    ] {
        let (earned, _) = of(60, Arbitrage::Formula(blocks), &Baseline::Hold);
        println!("{blocks:?}: {earned} of LVR earned, {kept} kept");
        assert!((earned + kept - 1.0).abs() < 0.005, "{blocks:?}: {earned}");
    }
    // Their trades one by one.
    let (earned, _) = of(12, Arbitrage::EveryLook, &Baseline::Hold);
    println!("one by one: {earned}");
    assert!((earned + 0.407 - 1.0).abs() < 0.005, "{earned}");
    // And it is what curvature costs who is always hedged.
    let hedge = Bps::ONE;
    let blocks = Arbitrage::Formula(Blocks::Fixed(12.0));
    let (_, lost) = of(60, blocks, &Baseline::Continuous { hedge });
    println!("lost: {lost}");
    assert!((lost - 1.0).abs() < 0.005, "{lost}");
}

/// Without volatility takers' fees are all there is: volume times fee times share, less the protocol's.
#[test]
fn takers_pay_by_share_of_liquidity_and_time_in_range() {
    let opened = Terms::new(&opening(), None, Interest::default())
        .unwrap()
        .opened;
    let terms = FeeTerms {
        protocol_share: 0.13,
        ..fees(
            Arbitrage::EveryLook,
            Takers {
                volume_day: 1_000_000.0,
                others_liquidity: 3.0 * opened.liquidity as f64,
                ..Takers::default()
            },
        )
    };
    let terms = example(Some(terms), Interest::default());
    let looks = Looks::new(2.0, 3_600).unwrap();
    let flat = Gbm::new(0.0, 0.0).unwrap();
    let outcome = run(&terms, looks, &flat, &Baseline::Hold, 1, 24)[0];
    // 2 days, 500 a day in fees, a quarter of it, 87 % of that.
    let earned = UNITS.quote(outcome.attribution.fees_takers);
    assert!((earned - 217.5).abs() < 1e-5, "{earned}");
    assert_eq!(outcome.attribution.fees_arbitrage, 0);
    assert_eq!(outcome.equity - 100_000_000, outcome.attribution.total());
    // Out of range nobody pays it.
    let away = Gbm::new(0.0, 1.0).unwrap();
    let outcome = run(&terms, looks, &away, &Baseline::Hold, 1, 25)[0];
    let part = UNITS.quote(outcome.attribution.fees_takers) / 217.5;
    assert!(
        part < 0.1 && (part / outcome.in_range - 1.0).abs() < 0.5,
        "{part}"
    );
}

/// Every strategy, interest and fees on: the lines are the gain, to the unit, on every path.
#[test]
fn the_attribution_adds_up_to_the_unit() {
    let terms = example(
        Some(fees(
            Arbitrage::Formula(Blocks::Poisson(0.4)),
            Takers {
                volume_day: 1e5,
                others_liquidity: 1e12,
                ..Takers::default()
            },
        )),
        Interest::new(0.2, 0.1).unwrap(),
    );
    let model = Gbm::new(0.08, 0.01).unwrap();
    let looks = Looks::new(5.0, 1_800).unwrap();
    let hedge = Bps::ONE;
    let band = ballast_model::quiet::HedgeBand {
        hedge,
        band: Bps::new(3_000),
    };
    for agent in [
        Baseline::Hold,
        Baseline::Continuous { hedge },
        Baseline::Band {
            band,
            cost_ppm: 400,
            most_ltv: Bps::new(6_500),
        },
    ] {
        let mut acted = 0;
        for outcome in run(&terms, looks, &model, &agent, 300, 26) {
            let gain = outcome.equity - i128::from(terms.own_quote);
            assert_eq!(gain, outcome.attribution.total(), "{agent:?} {outcome:?}");
            assert!(outcome.attribution.fees_takers > 0 && outcome.attribution.interest_base < 0);
            acted += outcome.acts.own();
        }
        assert_eq!(acted > 0, agent != Baseline::Hold);
    }
}
