//! Parameters of generated data are found again, and their errors are what they are said to be.

use ballast_simulator::{
    Blocks, Gbm, Jumps, Path, PriceModel, Regime, Regimes, Streams, Weather,
    calibrate::{
        Estimate, Moves, NotCalibrated, Quoted, fit_diffusion, fit_jumps, fit_regimes, measure_flow,
    },
};

/// Moves and volumes of a path, every `secs`.
fn generated(model: &impl PriceModel, seed: u64, count: usize, secs: f64) -> Moves {
    let mut path = model.path(0.0, Streams::new(seed), 0);
    let mut before = 0.0;
    let (mut by, mut volume) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let step = path.step(secs / 86_400.0);
        by.push(Some(step.log_price - before));
        volume.push(Some(step.weather.volume * 1_000.0));
        before = step.log_price;
    }
    Moves::new(by, secs).with_volume(volume)
}

/// How far estimates are from the truth, in their own errors.
#[derive(Default)]
struct Scores(Vec<(&'static str, Vec<f64>)>);

impl Scores {
    fn add(&mut self, name: &'static str, estimate: Estimate, truth: f64) {
        assert!(estimate.error > 0.0, "{name}: {estimate:?}");
        let score = (estimate.value - truth) / estimate.error;
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, scores)) => scores.push(score),
            None => self.0.push((name, vec![score])),
        }
    }

    /// Their mean square is one, their mean nothing, as well as so few can say it.
    #[track_caller]
    fn check(&self, seeds: usize) {
        for (name, scores) in &self.0 {
            assert!(
                scores.len() * 10 >= seeds * 9,
                "{name}: {} of {seeds}",
                scores.len()
            );
            let count = scores.len() as f64;
            let mean = scores.iter().sum::<f64>() / count;
            let square = scores.iter().map(|score| score * score).sum::<f64>() / count;
            assert!(mean.abs() < 0.8, "{name}: mean {mean}, {scores:?}");
            assert!(
                (0.45..1.9).contains(&square),
                "{name}: mean square {square}, {scores:?}"
            );
        }
    }
}

const SEEDS: usize = 40;
const HOUR: f64 = 3_600.0;

#[test]
fn a_diffusion() {
    let mut scores = Scores::default();
    for seed in 0..SEEDS as u64 {
        let fit = fit_diffusion(&generated(
            &Gbm::new(0.05, 0.002).unwrap(),
            seed,
            2_000,
            HOUR,
        ));
        let fit = fit.unwrap();
        scores.add("sigma", fit.sigma_day, 0.05);
        scores.add("drift", fit.drift_day, 0.002);
    }
    scores.check(SEEDS);
}

#[test]
fn jumps() {
    let mut scores = Scores::default();
    let model = Jumps::new(0.04, 0.0, 1.0, -0.02, 0.04).unwrap();
    for seed in 0..SEEDS as u64 {
        let Some(fit) = fit_jumps(&generated(&model, seed, 2_400, HOUR)).unwrap() else {
            continue;
        };
        scores.add("sigma", fit.sigma_day, 0.04);
        scores.add("per day", fit.per_day, 1.0);
        scores.add("mean", fit.mean, -0.02);
        scores.add("sd", fit.sd, 0.04);
    }
    scores.check(SEEDS);
}

#[test]
fn regimes() {
    let mut scores = Scores::default();
    let regime = |sigma_day, days, volume| Regime {
        sigma_day,
        drift_day: 0.0,
        days,
        weather: Weather {
            volume,
            ..Weather::USUAL
        },
    };
    let model = Regimes::new(vec![regime(0.03, 4.0, 1.0), regime(0.09, 2.0, 4.0)]).unwrap();
    for seed in 0..SEEDS as u64 {
        let Some(fit) = fit_regimes(&generated(&model, seed, 4_800, HOUR)).unwrap() else {
            continue;
        };
        let [quiet, wild] = fit.regimes;
        scores.add("quiet sigma", quiet.sigma_day, 0.03);
        scores.add("wild sigma", wild.sigma_day, 0.09);
        scores.add("quiet days", quiet.days, 4.0);
        scores.add("wild days", wild.days, 2.0);
        // On average (4 + 2 4) / 6 is traded.
        scores.add("quiet volume", quiet.volume.unwrap(), 0.5);
        scores.add("wild volume", wild.volume.unwrap(), 2.0);
    }
    scores.check(SEEDS);
}

/// What is not there is not found.
#[test]
fn a_diffusion_has_neither_jumps_nor_regimes() {
    for seed in 0..20 {
        let moves = generated(&Gbm::new(0.05, 0.0).unwrap(), seed, 2_000, HOUR);
        assert_eq!(fit_jumps(&moves), Ok(None));
        assert_eq!(fit_regimes(&moves), Ok(None));
    }
}

/// The likelihood tells which model the record is from.
#[test]
fn each_model_explains_its_own_record_best() {
    let jumps = generated(
        &Jumps::new(0.04, 0.0, 0.5, 0.0, 0.06).unwrap(),
        3,
        3_000,
        HOUR,
    );
    let likelihoods = |moves: &Moves| {
        let regimes = fit_regimes(moves).unwrap();
        (
            fit_jumps(moves)
                .unwrap()
                .map_or(f64::MIN, |fit| fit.log_likelihood),
            regimes.map_or(f64::MIN, |fit| fit.log_likelihood),
        )
    };
    let (by_jumps, by_regimes) = likelihoods(&jumps);
    assert!(by_jumps > by_regimes, "{by_jumps} {by_regimes}");
    let regime = |sigma_day, days| Regime {
        sigma_day,
        drift_day: 0.0,
        days,
        weather: Weather::USUAL,
    };
    let model = Regimes::new(vec![regime(0.02, 3.0), regime(0.08, 3.0)]).unwrap();
    let moves = generated(&model, 4, 3_000, HOUR);
    let (by_jumps, by_regimes) = likelihoods(&moves);
    assert!(by_regimes > by_jumps, "{by_regimes} {by_jumps}");
    // What was not recorded is not nothing.
    let silent = moves.with_volume(Vec::new());
    let regimes = fit_regimes(&silent).unwrap().unwrap().regimes;
    assert!(regimes.iter().all(|regime| regime.volume.is_none()));
}

/// What is missing is left out, and is no move of nothing.
#[test]
fn gaps_change_little() {
    let whole = generated(&Gbm::new(0.05, 0.0).unwrap(), 9, 4_000, HOUR);
    let mut with_gaps = Vec::new();
    let model = Gbm::new(0.05, 0.0).unwrap();
    let mut path = model.path(0.0, Streams::new(9), 0);
    let mut before = 0.0;
    for index in 0..4_000 {
        let step = path.step(HOUR / 86_400.0);
        with_gaps.push((index % 3 != 0).then_some(step.log_price - before));
        before = step.log_price;
    }
    let with_gaps = Moves::new(with_gaps, HOUR);
    assert_eq!(with_gaps.count(), (4_000, 1_334));
    let [whole, part] = [whole, with_gaps].map(|moves| fit_diffusion(&moves).unwrap().sigma_day);
    assert!((whole.value - part.value).abs() < 2.0 * part.error);
    assert!(part.error > whole.error);
    let few = Moves::new(vec![Some(0.1); 99], HOUR);
    assert_eq!(
        fit_diffusion(&few),
        Err(NotCalibrated::TooFew { moves: 99 })
    );
    let still = Moves::new(vec![Some(0.0); 200], HOUR);
    assert_eq!(fit_diffusion(&still), Err(NotCalibrated::NoMoves));
}

/// A pool of which only arbitrageurs and known takers trade.
#[test]
fn takers_are_what_arbitrage_does_not_explain() {
    use ballast_simulator::backtest::Minute;
    // Price 2000 quote per base: token 0 is the quote with 6 decimals, token 1 the base with 18.
    let quoted = Quoted {
        quote_is_token0: true,
        base_decimals: 18,
        quote_decimals: 6,
    };
    let log_tick = 1.0001f64.ln();
    let at = -((2_000f64 / 1e12).ln()) / log_tick;
    let model = Gbm::new(0.05, 0.0).unwrap();
    let mut path = model.path(0.0, Streams::new(5), 0);
    let liquidity = 2e18;
    let (fee, sigma_day) = (0.0005, 0.05);
    let blocks = Blocks::Fixed(2.0);
    let scale = (1e18f64 * 1e6).sqrt();
    let taker_day = 5e6;
    let root = 2_000f64.sqrt();
    let arbitrage_day = liquidity / scale * sigma_day * sigma_day * root / 4.0
        * (1.0 - blocks.arbitrage_part(fee, sigma_day))
        / fee;
    let minutes: Vec<Minute> = (0..4 * 1_440i64)
        .map(|index| {
            let tick = (at - path.step(1.0 / 1_440.0).log_price / log_tick).round() as i32;
            // Traded evenly, half in either token; every other day twice as much of what takers trade, on average 5e6.
            let busy = if index / 1_440 % 2 == 0 {
                2.0 / 3.0
            } else {
                4.0 / 3.0
            };
            let quote = (arbitrage_day + taker_day * busy) / 1_440.0;
            Minute {
                time_secs: index * 60,
                close: tick,
                open: tick,
                lowest: tick,
                highest: tick,
                paid_in: [
                    (quote / 2.0 * 1e6) as u128,
                    (quote / 2.0 / ((-f64::from(tick) * log_tick).exp() * 1e12) * 1e18) as u128,
                ],
                liquidity: liquidity as u128,
                missing_before: 0,
                stale: false,
            }
        })
        .collect();
    let moves = Moves::of_minutes(&minutes, quoted);
    let sigma = fit_diffusion(&moves.every(10)).unwrap().sigma_day;
    assert!(
        (sigma.value - sigma_day).abs() < 3.0 * sigma.error,
        "{sigma:?}"
    );
    let flow = measure_flow(&moves, sigma.value, fee, blocks, scale).unwrap();
    assert!((flow.liquidity.value / liquidity - 1.0).abs() < 1e-9);
    let all = flow.volume_day;
    let expected = arbitrage_day + taker_day;
    assert!(
        (all.value - expected).abs() < 3.0 * all.error,
        "{all:?} {expected}"
    );
    let takers = flow.taker_volume_day;
    assert!(
        (takers.value - taker_day).abs() < 3.0 * takers.error,
        "{takers:?}"
    );
    assert!(takers.error < 0.3 * taker_day);
    // The other way round the price moves the other way.
    let other = Moves::of_minutes(
        &minutes,
        Quoted {
            quote_is_token0: false,
            base_decimals: 6,
            quote_decimals: 18,
        },
    );
    assert!((other.last_price() * moves.last_price() - 1.0).abs() < 1e-9);
    // Candles and minutes do not go together; more of the same do.
    assert_eq!(
        moves.clone().then(Moves::new(vec![None], HOUR)),
        Err(NotCalibrated::Steps {
            one: 60,
            other: 3_600
        })
    );
    let twice = moves.clone().then(moves).unwrap();
    assert_eq!(twice.count(), (8 * 1_440, 2));
}
