//! What is around a position: a second pool that takers also trade in, a perp venue, and regimes that change both.

mod common;

use ballast_model::{Bps, quiet::HedgeBand};
use ballast_simulator::{
    Arbitrage, Baseline, Blocks, FeeTerms, Gbm, Interest, Looks, Moments, Opening, OtherPool,
    Outcome, Path, PerpShock, PerpTerms, PriceModel, Regime, Regimes, Streams, Takers, Terms,
    Weather,
};
use common::{EXAMPLE_PRICE, UNITS, example, opening, run, run_on};

const FEE: f64 = 0.0004;

/// The pool of the example, whose takers may go elsewhere.
fn fees(other_pool: Option<OtherPool>) -> FeeTerms {
    FeeTerms {
        fee: FEE,
        protocol_share: 0.13,
        arbitrage: Arbitrage::Formula(Blocks::Fixed(0.4)),
        takers: Takers {
            volume_day: 1e5,
            others_liquidity: 1e12,
            other_pool,
            shift: None,
        },
    }
}

fn other(fee: f64, liquidity: f64) -> OtherPool {
    OtherPool {
        fee,
        liquidity,
        trade_size: 100.0,
    }
}

/// A venue without any cost but that of funding, and a band for the short.
fn perp(funding_hour: f64, band: u32) -> PerpTerms {
    PerpTerms {
        venue: PerpShock {
            funding_hour,
            fill_latency_secs: 0,
            fee: 0.0,
            ..PerpShock::default()
        },
        margin: 100_000_000,
        maintenance: 0.05,
        band: Bps::new(band),
    }
}

fn regime(sigma_day: f64, days: f64, weather: Weather) -> Regime {
    Regime {
        sigma_day,
        drift_day: 0.0,
        days,
        weather,
    }
}

const CALM: Weather = Weather {
    volume: 1.0,
    other_depth: 1.0,
    funding_hour: Some(0.000_02),
    paid: None,
};
const STORM: Weather = Weather {
    volume: 4.0,
    other_depth: 20.0,
    funding_hour: Some(-0.000_5),
    paid: None,
};

fn calm_and_storm() -> Regimes {
    Regimes::new(vec![regime(0.02, 1.0, CALM), regime(0.09, 0.5, STORM)]).unwrap()
}

fn mean(outcomes: &[Outcome], of: impl Fn(&Outcome) -> i128) -> Moments {
    let mut moments = Moments::default();
    for outcome in outcomes {
        moments.add(UNITS.quote(of(outcome)));
    }
    moments
}

fn taker_fees(terms: &Terms, model: &impl PriceModel, paths: u64) -> f64 {
    let looks = Looks::new(4.0, 1_800).unwrap();
    let outcomes = run(terms, looks, model, &Baseline::Hold, paths, 41);
    mean(&outcomes, |outcome| outcome.attribution.fees_takers).mean()
}

#[test]
fn a_cheaper_or_deeper_second_pool_takes_the_flow_away() {
    let model = Gbm::new(0.05, 0.0).unwrap();
    let beside = |pool| {
        let terms = example(Some(fees(pool)), Interest::default());
        taker_fees(&terms, &model, 100)
    };
    let alone = beside(None);
    // Too dear by more than a trade's slippage here, however deep it is.
    assert!(beside(Some(other(0.05, 1e15))) > 0.97 * alone);
    let as_good = beside(Some(other(FEE, 1.013e12)));
    assert!((as_good / alone - 0.5).abs() < 0.01, "{as_good} {alone}");
    let cheaper = beside(Some(other(FEE / 4.0, 1.013e12)));
    let deeper = beside(Some(other(FEE, 20e12)));
    assert!(cheaper < 0.7 * as_good, "{cheaper} {as_good}");
    assert!(
        (deeper / alone - 1.013 / 21.013).abs() < 0.01,
        "{deeper} {alone}"
    );
    let both = beside(Some(other(FEE / 4.0, 20e12)));
    assert!(both < 0.1 * deeper && both < cheaper, "{both} {deeper}");
}

/// The pool beside is twenty times as deep in a storm: of that time, and only of it, takers' fees are those of such a pool.
#[test]
fn a_regime_moves_the_flow_elsewhere() {
    let there = |weather: Weather| Weather {
        other_depth: weather.other_depth,
        ..Weather::USUAL
    };
    let still = |first, second| {
        Regimes::new(vec![
            regime(0.0, 1.0, there(first)),
            regime(0.0, 0.5, there(second)),
        ])
        .unwrap()
    };
    let terms = example(Some(fees(Some(other(FEE, 1.013e12)))), Interest::default());
    let paid = |model: &Regimes| {
        let looks = Looks::new(4.0, 1_800).unwrap();
        run(&terms, looks, model, &Baseline::Hold, 20, 41)
    };
    let changing = still(CALM, STORM);
    let all = [still(CALM, CALM), changing.clone(), still(STORM, STORM)];
    let [calm, mixed, storm] = all.map(|model| paid(&model));
    let mut stormy = 0;
    for (number, outcome) in (0..).zip(&mixed) {
        let mut path = changing.path(EXAMPLE_PRICE.ln(), Streams::new(41), number);
        let steps = (0..192).filter(|_| path.step(1_800.0 / 86_400.0).weather.other_depth > 1.0);
        let part = steps.count() as f64 / 192.0;
        stormy += u32::from(part > 0.0 && part < 1.0);
        let of = |outcome: &Outcome| UNITS.quote(outcome.attribution.fees_takers);
        let index = number as usize;
        let expected = of(&calm[index]) * (1.0 - part) + of(&storm[index]) * part;
        assert!(
            (of(outcome) - expected).abs() < 1e-4,
            "{number} {expected} {outcome:?}"
        );
        assert_eq!(outcome.equity - terms.funds(), outcome.attribution.total());
    }
    assert!(stormy > 10, "{stormy}");
    let of =
        |outcomes: &[Outcome]| mean(outcomes, |outcome| outcome.attribution.fees_takers).mean();
    assert!(of(&storm) < 0.12 * of(&calm));
}

/// Whatever the time is like, all of it changes at once.
#[test]
fn a_regime_changes_volatility_volume_depth_and_funding_together() {
    let model = calm_and_storm();
    let mut seen = [0, 0];
    for number in 0..50 {
        let mut path = model.path(0.0, Streams::new(7), number);
        for _ in 0..96 {
            let step = path.step(1.0 / 24.0);
            let sigma = (step.variance * 24.0).sqrt();
            let storm = sigma > 0.05;
            assert!((sigma - if storm { 0.09 } else { 0.02 }).abs() < 1e-12);
            assert_eq!(step.weather, if storm { STORM } else { CALM });
            seen[usize::from(storm)] += 1;
        }
    }
    let part = f64::from(seen[1]) / f64::from(seen[0] + seen[1]);
    assert!((part - 1.0 / 3.0).abs() < 0.08, "{seen:?}");
}

/// Nothing moves: funding is what notional, rate and time make it.
#[test]
fn funding_is_paid_on_what_is_held() {
    let unhedged = Opening {
        hedge: Bps::new(0),
        ..opening()
    };
    let terms = Terms::new(&unhedged, None, Interest::default()).unwrap();
    let delta = terms.opened.delta(terms.at).unwrap() as f64 / UNITS.base_scale();
    let flat = Gbm::new(0.0, 0.0).unwrap();
    let looks = Looks::new(2.0, 3_600).unwrap();
    for rate in [0.000_02, -0.000_05] {
        let terms = terms.clone().with_perp(perp(rate, 1_000)).unwrap();
        let outcome = run(&terms, looks, &flat, &Baseline::Hold, 1, 1)[0];
        let expected = delta * EXAMPLE_PRICE * rate * 48.0;
        let paid = UNITS.quote(outcome.attribution.funding);
        assert!((paid - expected).abs() < 1e-4, "{paid} {expected}");
        assert_eq!(outcome.equity - terms.funds(), outcome.attribution.total());
        assert_eq!(terms.funds(), 200_000_000);
    }
}

/// All strategies, everything on, regimes that change all of it: the lines are the gain, to the unit, on every path.
#[test]
fn the_attribution_adds_up_with_a_venue_and_a_second_pool() {
    let pool = other(0.0003, 2e12);
    let venue = PerpTerms {
        venue: PerpShock {
            fill_latency_secs: 2,
            ..PerpShock::default()
        },
        ..perp(0.0, 1_000)
    };
    let half = Opening {
        hedge: Bps::new(5_000),
        ..opening()
    };
    let interest = Interest::new(0.2, 0.1).unwrap();
    let terms = Terms::new(&half, Some(fees(Some(pool))), interest).unwrap();
    let terms = terms.with_action_cost(1_000).with_perp(venue).unwrap();
    let (model, looks) = (calm_and_storm(), Looks::new(5.0, 1_800).unwrap());
    let band = HedgeBand {
        hedge: Bps::new(5_000),
        band: Bps::new(1_000),
    };
    for agent in [
        Baseline::Hold,
        Baseline::Band {
            band,
            cost_ppm: 400,
            most_ltv: Bps::new(6_500),
        },
    ] {
        let outcomes = run(&terms, looks, &model, &agent, 200, 42);
        for outcome in &outcomes {
            let lines = &outcome.attribution;
            assert_eq!(outcome.equity - terms.funds(), lines.total(), "{outcome:?}");
            assert!(outcome.lowest_equity <= outcome.equity);
            assert!(lines.perp != 0 && lines.funding != 0 && lines.perp_fees < 0);
        }
        // Calm pays the short a little, storms cost it more.
        let funding = mean(&outcomes, |outcome| outcome.attribution.funding);
        assert!(funding.mean() < -4.0 * funding.stderr(), "{funding:?}");
        // Any number of threads, the same to the unit.
        assert_eq!(run_on(&terms, looks, &model, &agent, 200, 42, 1), outcomes);
        assert_eq!(run_on(&terms, looks, &model, &agent, 200, 42, 3), outcomes);
    }
}

/// A position that borrows no base is as exposed as its pool; with the short it is nearly as neutral as one that does.
#[test]
fn the_short_hedges() {
    let unhedged = Opening {
        hedge: Bps::new(0),
        ..opening()
    };
    let terms = Terms::new(&unhedged, None, Interest::default()).unwrap();
    let (model, looks) = (Gbm::new(0.03, 0.0).unwrap(), Looks::new(2.0, 600).unwrap());
    let all = |terms: &Terms, agent| run(terms, looks, &model, &agent, 300, 43);
    let bare = all(&terms, Baseline::Hold);
    let held = terms.clone().with_perp(perp(0.0, 100)).unwrap();
    let hedged = all(&held, Baseline::Hold);
    // The limit of hedging by debt, for nothing.
    let neutral = all(
        &example(None, Interest::default()),
        Baseline::Continuous { hedge: Bps::ONE },
    );
    let sd = |outcomes: &[Outcome]| mean(outcomes, |outcome| outcome.equity).sd();
    let [bare, by_short, by_debt] = [&bare, &hedged, &neutral].map(|outcomes| sd(outcomes));
    assert!(by_short < 0.1 * bare, "{by_short} {bare}");
    assert!(
        (by_short / by_debt - 1.0).abs() < 0.35,
        "{by_short} {by_debt}"
    );
    // Its price is a fair game.
    let gained = mean(&hedged, |outcome| outcome.attribution.perp);
    assert!(gained.mean().abs() < 3.5 * gained.stderr(), "{gained:?}");
    // With no funding and no fees nothing else has changed: the position itself is the one without it.
    let lines = |outcome: &Outcome| (outcome.attribution.curvature, outcome.attribution.rounding);
    let again = all(&terms, Baseline::Hold);
    assert!(
        hedged
            .iter()
            .zip(&again)
            .all(|(with, without)| lines(with) == lines(without))
    );
}

/// Without enough margin the venue closes a short that follows nothing on the way up, and it stays closed.
#[test]
fn a_short_without_margin_is_closed() {
    let unhedged = Opening {
        hedge: Bps::new(0),
        ..opening()
    };
    let terms = Terms::new(&unhedged, None, Interest::default()).unwrap();
    let thin = PerpTerms {
        margin: 20_000_000,
        ..perp(0.0, 10_000)
    };
    let terms = terms.with_perp(thin).unwrap();
    let up = Gbm::new(0.0, 0.1).unwrap();
    let outcome = run(
        &terms,
        Looks::new(3.0, 600).unwrap(),
        &up,
        &Baseline::Hold,
        1,
        1,
    )[0];
    let lost = UNITS.quote(-outcome.attribution.perp);
    // `20 - d x` is 5 % of `d (200 + x)` after a move x; looks are a tenth of that apart.
    let delta = terms.opened.delta(terms.at).unwrap() as f64 / UNITS.base_scale();
    let closed = delta * (20.0 / delta - 10.0) / 1.05;
    assert!((0.0..0.2).contains(&(lost - closed)), "{lost} {closed}");
    assert_eq!(outcome.equity - terms.funds(), outcome.attribution.total());
}

/// What a regime says of things that are not there changes nothing.
#[test]
fn weather_that_nobody_feels_changes_no_bit() {
    let terms = example(Some(fees(None)), Interest::new(0.1, 0.05).unwrap());
    let looks = Looks::new(3.0, 1_800).unwrap();
    let with = |weather: fn(Weather) -> Weather| {
        let regimes = vec![
            regime(0.02, 1.0, weather(CALM)),
            regime(0.09, 0.5, weather(STORM)),
        ];
        run(
            &terms,
            looks,
            &Regimes::new(regimes).unwrap(),
            &Baseline::Hold,
            100,
            44,
        )
    };
    let volume_alone = with(|weather| Weather {
        volume: weather.volume,
        ..Weather::USUAL
    });
    let funding_too = with(|weather| Weather {
        other_depth: 1.0,
        ..weather
    });
    assert_eq!(volume_alone, funding_too);
}
