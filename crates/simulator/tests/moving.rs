//! Reserves and a price feed that do not stand still: each moves what it should, and nothing else.

mod common;

use ballast_model::{Band, Bps, Tick, lending::RateCurve};
use ballast_simulator::{
    Act, Arbitrage, Baseline, Blocks, Confidence, FeeTerms, FeedTerms, Gbm, Interest, Keeper,
    KeeperTerms, Lag, Looks, Opening, Outcome, Passage, Regime, Regimes, ReserveTerms, Reversion,
    Run, Source, Stalls, Streams, Takers, Terms, Weather, replay,
};
use ballast_strategy::fixtures;
use common::{BAND, UNITS, collect, liquidated, opening, run};
use rand::Rng;
use rand_distr::{Exp1, StandardNormal};

const DAY_SECS: u64 = 86_400;

fn terms() -> Terms {
    let [lower, upper] = fixtures::TICKS.map(|tick| Tick::new(tick).unwrap());
    let opening = Opening {
        band: Band::new(lower, upper).unwrap(),
        ..opening()
    };
    Terms::new(&opening, None, Interest::default()).unwrap()
}

/// Where takers pay enough for new bands and for compounding.
fn paying() -> Terms {
    Terms {
        fees: Some(FeeTerms {
            fee: 0.0004,
            protocol_share: 0.13,
            arbitrage: Arbitrage::Formula(Blocks::Fixed(0.4)),
            takers: Takers {
                volume_day: 2e6,
                others_liquidity: 1e12,
                other_pool: None,
                shift: None,
            },
        }),
        ..terms()
    }
}

fn keeper(terms: &Terms, automated: bool) -> Keeper {
    let mut keeper = KeeperTerms::in_market(&fixtures::market(), fixtures::policy(), 400);
    if automated {
        keeper.automation = fixtures::automation();
    }
    Keeper::new(&keeper, terms)
}

/// 10 % at 80 % lent out, 150 % at all.
fn reserve(mean: f64, sd: f64) -> ReserveTerms {
    ReserveTerms {
        utilisation: Reversion {
            mean,
            sd,
            half_life_hours: 12.0,
        },
        curve: RateCurve {
            kink_utilisation: Bps::new(8_000),
            rate_at_zero: Bps::new(0),
            rate_at_kink: Bps::new(1_000),
            rate_at_full: Bps::new(15_000),
        },
        max_utilisation: Bps::new(9_500),
    }
}

const STALLS: Stalls = Stalls {
    per_day: 6.0,
    mean_secs: 3_600.0,
    worsens: 0.0,
    calm_sigma_day: 0.05,
};

fn feed(stalls: Option<Stalls>, bps: f64) -> FeedTerms {
    FeedTerms {
        stalls,
        confidence: Confidence { bps, per_move: 0.0 },
        liquidation_max_age_secs: 30,
        liquidation_max_confidence_bps: 200.0,
    }
}

/// What is owed grows by all the rates of the path, one step after the other: found again from the path's own random numbers.
#[test]
fn interest_is_the_sum_of_the_paths_rates() {
    let terms = terms()
        .with_reserves([Some(reserve(0.75, 0.15)), Some(reserve(0.6, 0.3))])
        .unwrap();
    let (seed, step) = (91, 1_800);
    let looks = Looks::new(20.0, step).unwrap();
    let growth = |path, source, [mean, sd]: [f64; 2]| {
        let mut rng = Streams::new(seed).of(path, source);
        let (mut level, mut paid) = (mean, 0.0);
        for _ in 0..looks.count() {
            let used = level.clamp(0.0, 1.0);
            paid += step as f64
                * if used <= 0.8 {
                    used / 0.8 * 0.1
                } else {
                    0.1 + (used - 0.8) / 0.2 * 1.4
                };
            let left = 0.5f64.powf(step as f64 / 3_600.0 / 12.0);
            let normal: f64 = rng.sample(StandardNormal);
            level = mean + (level - mean) * left + sd * (1.0 - left * left).sqrt() * normal;
        }
        (paid / (365.0 * DAY_SECS as f64)).exp_m1()
    };
    // Nothing moves but the rates.
    let still = Gbm::new(0.0, 0.0).unwrap();
    let outcomes = run(&terms, looks, &still, &Baseline::Hold, 20, seed);
    let debt = terms.opened.debt;
    let mut seen = Vec::new();
    for outcome in &outcomes {
        let grown = [
            growth(outcome.path, Source::BaseUtilisation, [0.75, 0.15]),
            growth(outcome.path, Source::QuoteUtilisation, [0.6, 0.3]),
        ];
        let base = -(debt.base as f64) * grown[0] * outcome.price * UNITS.quote_scale()
            / UNITS.base_scale();
        let quote = -(debt.quote as f64) * grown[1];
        let lines = outcome.attribution;
        assert!(
            (lines.interest_base as f64 - base).abs() < 5.0,
            "{base} {lines:?}"
        );
        assert!(
            (lines.interest_quote as f64 - quote).abs() < 5.0,
            "{quote} {lines:?}"
        );
        let gain = outcome.equity - i128::from(terms.own_quote);
        assert_eq!(gain, lines.total());
        seen.push(lines.interest_quote);
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 20);
}

/// A reserve whose utilisation does not wander has one rate.
#[test]
fn what_does_not_wander_is_a_constant_rate() {
    let still = terms()
        .with_reserves([Some(reserve(0.8, 0.0)), Some(reserve(0.4, 0.0))])
        .unwrap();
    let constant = Terms {
        interest: Interest::new(0.1, 0.05).unwrap(),
        ..terms()
    };
    let looks = Looks::new(10.0, 600).unwrap();
    let model = Gbm::new(0.05, 0.0).unwrap();
    let kept = |terms: &Terms| run(terms, looks, &model, &keeper(terms, false), 20, 92);
    let mut acted = 0;
    for (one, other) in kept(&still).iter().zip(&kept(&constant)) {
        assert_eq!(one.acts, other.acts);
        acted += one.acts.own();
        // Debts are rounded up to whole units wherever they are counted.
        assert!((one.equity - other.equity).abs() < 200, "{one:?} {other:?}");
    }
    assert!(acted > 20, "{acted}");
}

/// Above its limit a reserve lends nothing: a new band, which has to borrow, waits; a rehedge makes do with what is owed.
#[test]
fn a_reserve_that_is_lent_out_lends_no_more() {
    let model = Gbm::new(0.06, 0.0).unwrap();
    let looks = Looks::new(4.0, 600).unwrap();
    let acts = |mean: f64| {
        let terms = paying()
            .with_reserves([Some(reserve(mean, 0.0)), Some(reserve(mean, 0.0))])
            .unwrap();
        let agent = keeper(&terms, true);
        let run = Run {
            liquidators: None,
            ..liquidated(&terms, looks, 30, 93)
        };
        let mut counts = [0; 3];
        for path in 0..30 {
            let replayed = replay(&run, &model, &agent, path).unwrap();
            let acts = replayed.outcome.acts;
            counts[0] += acts.count(Act::Recenter);
            counts[1] += acts.count(Act::Rehedge);
            let short = |text: &str| text.contains("reserve cannot lend");
            counts[2] += u32::from(replayed.remarks.iter().any(|remark| short(&remark.text)));
        }
        counts
    };
    let ([recenters, rehedges, short], full) = (acts(0.5), acts(0.99));
    println!("{recenters} {rehedges} {short}, where nothing is lent {full:?}");
    assert!(recenters > 30 && rehedges > 30 && short == 0);
    assert!(
        full[0] < recenters / 2 && full[1] > 30 && full[2] > 10,
        "{full:?}"
    );
}

/// The looks of a path that find the feed silent, from the path's own random numbers: with the first, the age of what it shows.
fn silent(seed: u64, path: u64, looks: Looks) -> Vec<bool> {
    let mut rng = Streams::new(seed).of(path, Source::Feed);
    let rate = STALLS.per_day / DAY_SECS as f64;
    let mut spans = Vec::new();
    let mut end = 0.0;
    while end < looks.days() * DAY_SECS as f64 {
        let wait: f64 = rng.sample(Exp1);
        let length: f64 = rng.sample(Exp1);
        let begin = end + wait / rate;
        end = begin + length * STALLS.mean_secs;
        spans.push((begin, end));
    }
    (0..=looks.count())
        .map(|index| {
            let secs = looks.secs(index) as f64;
            spans
                .iter()
                .any(|(begin, end)| *begin <= secs && secs < *end)
        })
        .collect()
}

/// While the feed is silent nothing is done that needs a price: ten minutes are older than any may be but for a deleverage without a
/// swap, which takes one of the last hour once the silence has raised the market's risk stage.
#[test]
fn nothing_lands_in_a_stall() {
    let bare = terms();
    let stalled = terms().with_feed(feed(Some(STALLS), 0.0)).unwrap();
    let model = Gbm::new(0.08, 0.0).unwrap();
    let looks = Looks::new(4.0, 600).unwrap();
    let (mut would, mut acts, mut told) = (0, 0, 0);
    let agents = |terms: &Terms| keeper(terms, false);
    for path in 0..40 {
        let of = |terms: &Terms| {
            let run = Run {
                liquidators: None,
                ..liquidated(terms, looks, 40, 94)
            };
            let kept = replay(&run, &model, &agents(terms), path).unwrap();
            let banded = replay(&run, &model, &BAND, path).unwrap();
            (kept, banded)
        };
        let silent = silent(94, path, looks);
        let is_silent = |secs: u64| silent[usize::try_from(secs / 600).unwrap()];
        let ((kept, banded), (free, _)) = (of(&stalled), of(&bare));
        assert_eq!(kept.outcome.price, free.outcome.price);
        let seen = silent.iter().filter(|silent| **silent).count();
        let part = seen as f64 / looks.count() as f64;
        assert!((kept.outcome.silent - part).abs() < 1e-9, "{part} {kept:?}");
        would += (free.events.iter())
            .filter(|event| is_silent(event.secs))
            .count();
        acts += kept.events.len();
        for event in &kept.events {
            assert!(
                !is_silent(event.secs) || event.act == Act::Deleverage,
                "{event:?}"
            );
        }
        for event in &banded.events {
            assert!(!is_silent(event.secs), "{event:?}");
        }
        told += (kept.remarks.iter())
            .filter(|remark| is_silent(remark.secs) && remark.text.contains("s old"))
            .count();
    }
    println!("{acts} acts, {would} would have been in a stall, {told} times it was told");
    assert!(would > 20 && acts > 60, "{would} {acts}");
}

/// Nobody liquidates at an old price either: it is done at the first one that is published again, if it is still due.
#[test]
fn liquidators_wait_for_a_price() {
    let terms = common::example(None, Interest::default())
        .with_feed(feed(Some(STALLS), 0.0))
        .unwrap();
    let model = Gbm::new(0.15, 0.0).unwrap();
    let looks = Looks::new(6.0, 600).unwrap();
    let run = liquidated(&terms, looks, 60, 95);
    let (mut waited, mut done) = (0, 0);
    for path in 0..60 {
        let replayed = replay(&run, &model, &Baseline::Hold, path).unwrap();
        let silent = silent(95, path, looks);
        let is_silent = |secs: u64| silent[usize::try_from(secs / 600).unwrap()];
        let mut events = replayed.events.iter();
        let first = events.next().map(|event| event.secs);
        if let Some(secs) = replayed.outcome.liquidatable_secs {
            if is_silent(secs) {
                waited += 1;
                assert!(first.is_none_or(|first| first > secs), "{path}");
            } else {
                assert_eq!(first, Some(secs), "{path}");
            }
        }
        for event in &replayed.events {
            assert_eq!(event.act, Act::Liquidation);
            assert!(!is_silent(event.secs), "{event:?}");
            done += 1;
        }
    }
    println!("{done} liquidations, {waited} had to wait");
    assert!(waited > 3 && done > 15, "{waited} {done}");
}

/// Above half a per cent a price is too uncertain to lay a new band or to add liquidity, above two to swap: the rules of the market.
#[test]
fn at_an_uncertain_price_less_is_done() {
    let model = Gbm::new(0.05, 0.0).unwrap();
    let looks = Looks::new(4.0, 1_800).unwrap();
    let count = |bps: f64| {
        let terms = paying().with_feed(feed(None, bps)).unwrap();
        let outcomes = run(&terms, looks, &model, &keeper(&terms, true), 30, 96);
        [Act::Rehedge, Act::Recenter, Act::Compound].map(|act| {
            let of = |outcome: &Outcome| outcome.acts.count(act);
            outcomes.iter().map(of).sum::<u32>()
        })
    };
    let [sure, unsure, wide] = [49.0, 51.0, 201.0].map(count);
    println!("{sure:?} {unsure:?} {wide:?}");
    assert!(sure.iter().all(|count| *count > 0), "{sure:?}");
    assert_eq!(unsure[1], 0);
    // Without new bands the hedge is what is left to do.
    assert!(unsure[0] > 0, "{unsure:?}");
    assert_eq!(wide, [0; 3]);
}

/// In regimes silence comes with the storm, and so does doubt.
#[test]
fn what_worsens_does_so_in_the_storm() {
    let regime = |sigma_day| Regime {
        sigma_day,
        drift_day: 0.0,
        days: 1_000.0,
        weather: Weather::USUAL,
    };
    let regimes = Regimes::new(vec![regime(0.02), regime(0.10)]).unwrap();
    let worse = Stalls {
        worsens: 2.0,
        mean_secs: 600.0,
        ..STALLS
    };
    let terms = terms().with_feed(feed(Some(worse), 0.0)).unwrap();
    let looks = Looks::new(10.0, 600).unwrap();
    let outcomes = run(&terms, looks, &regimes, &Baseline::Hold, 40, 97);
    let mut parts: Vec<f64> = outcomes.iter().map(|outcome| outcome.silent).collect();
    parts.sort_by(f64::total_cmp);
    // Three times as many, three times as long.
    let gap = parts
        .windows(2)
        .map(|two| two[1] - two[0])
        .fold(0.0, f64::max);
    assert!(gap > 0.1, "{parts:?}");
    assert!(
        parts[0] > 0.01 && parts[0] < 0.08 && parts[39] > 0.2,
        "{parts:?}"
    );
}

/// With everything on, late and lossy as well: lines add up to the unit, no bit depends on threads, and prices are what they are without.
#[test]
fn with_all_of_it_lines_add_up_on_any_number_of_threads() {
    let moving = |terms: Terms| {
        let feed = FeedTerms {
            confidence: Confidence {
                bps: 20.0,
                per_move: 2.0,
            },
            ..feed(
                Some(Stalls {
                    worsens: 1.0,
                    ..STALLS
                }),
                0.0,
            )
        };
        terms
            .with_reserves([Some(reserve(0.7, 0.2)), Some(reserve(0.8, 0.2))])
            .unwrap()
            .with_feed(feed)
            .unwrap()
    };
    let (moved, bare) = (moving(paying()), paying());
    let model = Regimes::new(vec![
        Regime {
            sigma_day: 0.03,
            drift_day: 0.0,
            days: 1.0,
            weather: Weather::USUAL,
        },
        Regime {
            sigma_day: 0.12,
            drift_day: 0.0,
            days: 0.5,
            weather: Weather::USUAL,
        },
    ])
    .unwrap();
    let looks = Looks::new(4.0, 600).unwrap();
    let lag = Lag {
        oracle_delay_secs: 0,
        passage: Passage {
            latency_secs: 300.0,
            miss: 0.1,
            worsens: 1.0,
            calm_sigma_day: 0.05,
        },
    };
    let kept = |terms: &Terms, threads: usize, lag: Option<Lag>| {
        let run = Run {
            lag,
            threads,
            ..liquidated(terms, looks, 60, 98)
        };
        collect(&run, &model, &keeper(terms, true))
    };
    let free = kept(&bare, 0, None);
    for lag in [None, Some(lag)] {
        let one = kept(&moved, 1, lag);
        assert_eq!(one, kept(&moved, 3, lag));
        let mut different = 0;
        for (outcome, free) in one.iter().zip(&free) {
            let gain = outcome.equity - i128::from(moved.own_quote);
            assert_eq!(gain, outcome.attribution.total(), "{outcome:?}");
            assert_eq!(outcome.price, free.price);
            different += usize::from(outcome.acts != free.acts);
        }
        assert!(different > 20, "{different}");
        let most = one.iter().map(|outcome| outcome.acts.own()).max();
        println!("at most {most:?} acts, {different} paths differ");
        assert!(most > Some(2), "{most:?}");
    }
}
