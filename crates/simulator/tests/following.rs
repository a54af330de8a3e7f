//! What of a pool follows the price: the liquidity of others, and a fee that moves.

mod common;

use std::sync::Arc;

use ballast_model::{Band, Tick};
use ballast_simulator::{
    Agent, Arbitrage, Baseline, Blocks, FeeTerms, Gbm, Interest, Jumps, Keeper, KeeperTerms, Looks,
    Opening, OtherPool, Outcome, Regime, Regimes, Takers, Terms, TickDepth, Weather,
    ticks::AdaptiveTerms,
};
use ballast_strategy::fixtures;
use common::{BAND, UNITS, opening, run, run_on};

/// A few times the position's own.
const OTHERS: u128 = 40_000_000_000;
const EVERYWHERE: [i32; 2] = [-443_636, 443_636];
const ADAPTIVE: AdaptiveTerms = AdaptiveTerms {
    filter_period_secs: 30,
    decay_period_secs: 600,
    reduction_factor: 5_000,
    control_factor: 4_000,
    max_volatility_accumulator: 350_000,
    tick_group_size: 64,
    major_swap_threshold_ticks: 64,
};

fn fees(arbitrage: Arbitrage) -> FeeTerms {
    FeeTerms {
        fee: 0.000_4,
        protocol_share: 0.13,
        arbitrage,
        takers: Takers {
            volume_day: 2e6,
            others_liquidity: OTHERS as f64,
            other_pool: Some(OtherPool {
                fee: 0.000_5,
                liquidity: OTHERS as f64,
                trade_size: 1_000.0,
            }),
            shift: None,
        },
    }
}

fn terms(fees: FeeTerms) -> Terms {
    let [lower, upper] = fixtures::TICKS.map(|tick| Tick::new(tick).unwrap());
    let opening = Opening {
        band: Band::new(lower, upper).unwrap(),
        ..opening()
    };
    Terms::new(&opening, Some(fees), Interest::new(0.05, 0.08).unwrap())
        .unwrap()
        .with_action_cost(1_000)
}

fn keeper(terms: &Terms) -> Keeper {
    let mut keeper = KeeperTerms::in_market(&fixtures::market(), fixtures::policy(), 400);
    keeper.automation = fixtures::automation();
    Keeper::new(&keeper, terms)
}

fn by_tick(terms: &Terms, lowest: u128, changes: &[(i32, i128)]) -> Terms {
    let depth = TickDepth::new(lowest, changes.iter().copied(), EVERYWHERE).unwrap();
    terms.clone().with_tick_depth(Some(Arc::new(depth)))
}

/// Of the models, on some paths; `agent` of the terms.
fn everywhere<A: Agent + Clone + Sync>(terms: &Terms, agent: impl Fn(&Terms) -> A) -> Vec<Outcome> {
    let looks = Looks::new(3.0, 600).unwrap();
    let storm = |sigma_day, days| Regime {
        sigma_day,
        drift_day: 0.0,
        days,
        weather: Weather {
            volume: 20.0 * sigma_day,
            other_depth: 1.0 + sigma_day,
            ..Weather::USUAL
        },
    };
    let regimes = Regimes::new(vec![storm(0.03, 0.5), storm(0.1, 0.25)]).unwrap();
    let jumps = Jumps::new(0.05, 0.0, 1.0, -0.01, 0.03).unwrap();
    let agent = agent(terms);
    let mut all = run(terms, looks, &Gbm::new(0.06, 0.0).unwrap(), &agent, 30, 301);
    all.extend(run(terms, looks, &jumps, &agent, 30, 302));
    all.extend(run(terms, looks, &regimes, &agent, 30, 303));
    all
}

/// But for what is said of a constant depth alone.
fn same(outcomes: &[Outcome]) -> Vec<Outcome> {
    let all = outcomes.iter();
    all.map(|outcome| Outcome {
        largest_trade: 0.0,
        ..*outcome
    })
    .collect()
}

fn acts(outcomes: &[Outcome]) -> u32 {
    outcomes.iter().map(|outcome| outcome.acts.own()).sum()
}

const WAYS: [Arbitrage; 2] = [Arbitrage::Formula(Blocks::Fixed(0.4)), Arbitrage::EveryLook];

/// Ticks between which the same lies are one number, to the bit.
#[test]
fn flat_depth_by_tick_is_the_constant() {
    for arbitrage in WAYS {
        let bare = terms(fees(arbitrage));
        let constant = bare.clone().with_depth(Some(OTHERS));
        let flat = by_tick(&bare, OTHERS, &[(-16_000, 0)]);
        let [a, b] = [&constant, &flat].map(|terms| everywhere(terms, keeper));
        assert!(acts(&a) > 100, "{}", acts(&a));
        assert_eq!(same(&a), same(&b));
        let [a, b] = [&constant, &flat].map(|terms| everywhere(terms, |_| BAND));
        assert_eq!(same(&a), same(&b));
        assert!(acts(&a) > 100);
    }
}

/// A fee without control is the fixed one, to the bit, and one that never moves far enough as well.
#[test]
fn an_adaptive_fee_without_control_is_the_static_one() {
    let moves = |change: AdaptiveTerms| {
        move |terms: &Terms| terms.clone().with_adaptive_fee(change).unwrap()
    };
    let still = AdaptiveTerms {
        control_factor: 0,
        ..ADAPTIVE
    };
    let bounded = AdaptiveTerms {
        max_volatility_accumulator: 0,
        ..ADAPTIVE
    };
    for arbitrage in WAYS {
        let fixed = terms(fees(arbitrage)).with_depth(Some(OTHERS));
        let expected = everywhere(&fixed, keeper);
        assert_eq!(everywhere(&moves(still)(&fixed), keeper), expected);
        // Nobody acts: trades of its own go through the pool's groups one by one, which rounds otherwise.
        let held = everywhere(&fixed, |_| Baseline::Hold);
        let bounded = everywhere(&moves(bounded)(&fixed), |_| Baseline::Hold);
        assert_eq!(bounded, held);
        let moving = everywhere(&moves(ADAPTIVE)(&fixed), |_| Baseline::Hold);
        assert_ne!(moving, held);
    }
}

/// A price that rises steadily through known steps: takers' fees are volume times fee times the share where it is, by hand.
#[test]
fn takers_fees_are_shared_with_what_lies_where_the_price_is() {
    let takers = Takers {
        volume_day: 1e6,
        others_liquidity: OTHERS as f64,
        ..Takers::default()
    };
    let bare = terms(FeeTerms {
        takers,
        ..fees(Arbitrage::Formula(Blocks::Fixed(0.4)))
    });
    // From 200 half-way to the upper end in a day, and a wall of others in the last quarter of it.
    let wall = -15_960;
    let stepped = by_tick(&bare, OTHERS, &[(wall, 9 * OTHERS as i128)]);
    let looks = Looks::new(1.0, 600).unwrap();
    let model = Gbm::new(0.0, 0.018).unwrap();
    let outcome = run(&stepped, looks, &model, &Baseline::Hold, 1, 5)[0];
    let (start, own) = (200f64.ln(), bare.opened.liquidity as f64);
    let mut expected = 0.0;
    let mut walled = 0;
    for look in 0..144 {
        let at = start + 0.018 * f64::from(look) / 144.0;
        let is_wall = UNITS.tick(at) >= wall;
        walled += u32::from(is_wall);
        let others = if is_wall { 10.0 } else { 1.0 } * OTHERS as f64;
        expected += 1e6 / 144.0 * 0.000_4 * 0.87 * own / (own + others);
    }
    assert!((20..124).contains(&walled), "{walled}");
    // Base among the fees gains with the price.
    let earned = UNITS.quote(outcome.attribution.fees_takers);
    assert!(
        (earned / expected - 1.0).abs() < 0.005,
        "{earned} {expected}"
    );
    let constant = run(&bare, looks, &model, &Baseline::Hold, 1, 5)[0];
    assert!(outcome.attribution.fees_takers < constant.attribution.fees_takers);
    assert_eq!(
        outcome.attribution.fees_arbitrage,
        constant.attribution.fees_arbitrage
    );
}

/// Where little lies beside the position, its own trades cost more, and takers pay it more.
#[test]
fn a_thin_region_costs_more_and_is_shared_with_fewer() {
    let bare = terms(fees(Arbitrage::Formula(Blocks::Fixed(0.4))));
    // So much that its own trades lose little, and are not refused.
    let all = 25 * OTHERS;
    let even = by_tick(&bare, all, &[]);
    // Within a few percent of the start only a tenth.
    let gone = all as i128 * 9 / 10;
    let thin = by_tick(&bare, all, &[(-16_400, -gone), (-15_800, gone)]);
    let sums = |terms: &Terms| {
        let outcomes = everywhere(terms, |_| BAND);
        let sum = |of: fn(&Outcome) -> i128| outcomes.iter().map(of).sum::<i128>();
        let costs = -sum(|outcome| outcome.attribution.swaps);
        (
            costs as f64 / f64::from(acts(&outcomes)),
            sum(|outcome| outcome.attribution.fees_takers),
        )
    };
    let ((cost, earned), (thin_cost, thin_earned)) = (sums(&even), sums(&thin));
    assert!(thin_cost > 1.2 * cost, "{thin_cost} {cost}");
    assert!(thin_earned > earned, "{thin_earned} {earned}");
}

/// What is said of a path is the same on any number of threads.
#[test]
fn threads_change_no_bit() {
    let gone = OTHERS as i128 / 2;
    let changes: Vec<(i32, i128)> = (0..200)
        .map(|step| {
            (
                -18_000 + 20 * step,
                if step % 2 == 0 { -gone } else { gone },
            )
        })
        .collect();
    let terms = by_tick(&terms(fees(WAYS[0])), OTHERS, &changes)
        .with_adaptive_fee(ADAPTIVE)
        .unwrap();
    let looks = Looks::new(3.0, 300).unwrap();
    let model = Jumps::new(0.06, 0.0, 1.0, 0.0, 0.03).unwrap();
    let keeper = keeper(&terms);
    let [one, two, three] =
        [1, 2, 3].map(|threads| run_on(&terms, looks, &model, &keeper, 40, 77, threads));
    assert_eq!(one, two);
    assert_eq!(one, three);
    assert!(acts(&one) > 40);
}

/// The more the market moves, the more of what is traded is paid; in one that stands still no more than the fixed part.
#[test]
fn a_fee_that_moves_earns_more_the_more_the_market_does() {
    let earned = |sigma_day: f64, arbitrage, adaptive: Option<AdaptiveTerms>| {
        let takers = Takers {
            volume_day: 1e6,
            others_liquidity: OTHERS as f64,
            ..Takers::default()
        };
        let mut terms = terms(FeeTerms {
            takers,
            ..fees(arbitrage)
        });
        if let Some(adaptive) = adaptive {
            terms = terms.with_adaptive_fee(adaptive).unwrap();
        }
        let looks = Looks::new(1.0, 30).unwrap();
        let model = Gbm::new(sigma_day, 0.0).unwrap();
        let outcomes = run(&terms, looks, &model, &Baseline::Hold, 40, 9);
        let sum = |of: fn(&Outcome) -> i128| outcomes.iter().map(of).sum::<i128>() as f64;
        [
            sum(|outcome| outcome.attribution.fees_takers),
            sum(|outcome| outcome.attribution.fees_arbitrage),
        ]
    };
    for arbitrage in WAYS {
        let more = [0.0, 0.05, 0.2].map(|sigma| {
            let ([takers, arbitrage], [fixed_takers, fixed_arbitrage]) = (
                earned(sigma, arbitrage, Some(ADAPTIVE)),
                earned(sigma, arbitrage, None),
            );
            println!("sigma {sigma}: {takers} {fixed_takers} {arbitrage} {fixed_arbitrage}");
            assert!(arbitrage >= fixed_arbitrage);
            takers / fixed_takers
        });
        assert_eq!(more[0], 1.0);
        assert!(1.0 < more[1] && more[1] < more[2], "{more:?}");
        assert!(more[2] > 1.2, "{more:?}");
    }
}

/// What is beyond the ticks that are known goes on as at their end, and it is said how long the price was there.
#[test]
fn the_time_beyond_known_ticks_is_told() {
    let bare = terms(fees(WAYS[0]));
    let narrow = TickDepth::new(OTHERS, [], [-16_150, -16_050]).unwrap();
    let terms = bare.with_tick_depth(Some(Arc::new(narrow)));
    let looks = Looks::new(2.0, 600).unwrap();
    let model = Gbm::new(0.05, 0.0).unwrap();
    let outcomes = run(&terms, looks, &model, &BAND, 20, 12);
    let beyond: f64 = outcomes.iter().map(|outcome| outcome.beyond_depth).sum();
    assert!((2.0..20.0).contains(&beyond), "{beyond}");
    assert!(outcomes.iter().any(|outcome| outcome.trade_beyond_depth));
    // With looks that never leave, nothing is.
    let still = Gbm::new(0.0, 0.0).unwrap();
    let outcome = run(&terms, looks, &still, &BAND, 1, 12)[0];
    assert_eq!(
        (outcome.beyond_depth, outcome.trade_beyond_depth),
        (0.0, false)
    );
}
