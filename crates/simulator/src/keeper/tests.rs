//! What a simulated keeper measures on its way.

use ballast_model::Bps;
use ballast_strategy::fixtures;

use super::*;
use crate::{
    Gbm, Interest, Looks, Opening, PriceModel, Regime, Regimes, Streams, Units, Watch, Weather,
    walk::{Itinerary, walk},
};

const UNITS: Units = Units {
    base_decimals: 9,
    quote_decimals: 6,
};

fn terms() -> Terms {
    let [lower, upper] = fixtures::TICKS.map(|tick| ballast_model::Tick::new(tick).unwrap());
    let opening = Opening {
        units: UNITS,
        at: UNITS.sqrt_price(200f64.ln()),
        band: ballast_model::Band::new(lower, upper).unwrap(),
        own_quote: 100_000_000,
        leverage: Bps::new(30_000),
        hedge: Bps::ONE,
    };
    Terms::new(&opening, None, Interest::default()).unwrap()
}

fn keeper(terms: &Terms) -> Keeper {
    let keeper = KeeperTerms::in_market(&fixtures::market(), fixtures::policy(), 400);
    Keeper::new(&keeper, terms)
}

/// What it takes a day's move for at the end of a path.
fn measured(model: &impl PriceModel, looks: Looks, path: u64) -> Option<u32> {
    let terms = terms();
    let mut keeper = keeper(&terms);
    let itinerary = Itinerary {
        terms: &terms,
        looks,
        maintenance: Bps::new(8_000),
        liquidators: None,
        lag: None,
        streams: Streams::new(51),
        watch: Watch {
            lower: f64::NEG_INFINITY,
            upper: f64::INFINITY,
        },
        record: false,
        marks: None,
        fair: false,
    };
    let prices = model.path(UNITS.log_price(terms.at), Streams::new(51), path);
    walk(&itinerary, path, prices, &mut keeper).unwrap();
    let desk = Desk::new(&terms).unwrap();
    keeper.situation(&desk).outlook.volatility
}

/// Whatever the prices come from, and however seldom anything is due: it is the deviation of the prices that were looked at.
#[test]
fn it_measures_how_much_the_price_moves() {
    let gbm = |sigma| Gbm::new(sigma, 0.0).unwrap();
    for (step_secs, days) in [(60, 4.0), (30, 4.0), (600, 10.0)] {
        let looks = Looks::new(days, step_secs).unwrap();
        for sigma in [0.01, 0.05, 0.12] {
            let found = measured(&gbm(sigma), looks, 0).unwrap();
            let expected = sigma * 10_000.0;
            println!("{sigma} at {step_secs} s: {found} ticks");
            // The faster average follows what was seen in an hour: sixty steps, or six.
            assert!(
                (0.75 * expected..1.8 * expected).contains(&f64::from(found)),
                "{sigma} at {step_secs} s: {found}"
            );
        }
    }
    // Nothing is said before half an hour.
    let found = |secs: f64| measured(&gbm(0.05), Looks::new(secs / 86_400.0, 60).unwrap(), 0);
    assert_eq!((found(1_740.0), found(1_800.0).is_some()), (None, true));
}

/// No number of the model is asked: in regimes it is what the present one moves.
#[test]
fn it_follows_the_regime() {
    let regime = |sigma_day| Regime {
        sigma_day,
        drift_day: 0.0,
        days: 1_000.0,
        weather: Weather::USUAL,
    };
    let regimes = Regimes::new(vec![regime(0.02), regime(0.10)]).unwrap();
    let looks = Looks::new(2.0, 60).unwrap();
    let found: Vec<u32> = (0..8)
        .map(|path| measured(&regimes, looks, path).unwrap())
        .collect();
    println!("{found:?}");
    let quiet = found.iter().filter(|ticks| **ticks < 400).count();
    let wild = found.iter().filter(|ticks| **ticks > 700).count();
    assert_eq!(quiet + wild, 8, "{found:?}");
    assert!(quiet > 0 && wild > 0, "{found:?}");
}
