//! The worked example: 100 at 200, 190 to 210, three times, hedged.
#![allow(dead_code)]

use ballast_model::{Band, Bps, quiet::HedgeBand, screen::Double};
use ballast_quote::{Asked, Conditions, Inputs, Quote, Rules};
use ballast_simulator::{Opening, Units};

pub const UNITS: Units = Units {
    base_decimals: 9,
    quote_decimals: 6,
};

/// A hedge ratio of hundredths.
pub fn inputs(lower: f64, upper: f64, hedge_percent: u32) -> Inputs {
    let at = |price: f64| UNITS.sqrt_price(price.ln());
    let hedge = Bps::new(hedge_percent * 100);
    Inputs {
        asked: Asked {
            units: UNITS,
            price: Double::new(200.0),
            lower: Double::new(lower),
            upper: Double::new(upper),
            equity: Double::new(100.0),
            leverage: Double::new(3.0),
            hedge: Double::new(f64::from(hedge_percent)) / Double::new(100.0),
            maintenance: Double::new(8.0) / Double::new(10.0),
        },
        opening: Some(Opening {
            units: UNITS,
            at: at(200.0),
            band: Band::from_sqrt_prices(at(lower), at(upper)).unwrap(),
            own_quote: 100_000_000,
            leverage: Bps::new(30_000),
            hedge,
        }),
        rules: Rules {
            maintenance: Bps::new(8_000),
            liquidation_target: Bps::new(6_500),
            liquidation_bonus: Bps::new(300),
            deleverage: Bps::new(7_700),
            deleverage_target: Bps::new(6_500),
            hedge: HedgeBand {
                hedge,
                band: Bps::new(1_000),
            },
            rehedge_ltv: (Bps::new(6_500), Bps::new(6_500)),
            min_interval_secs: 0,
            edge: None,
            low: None,
            high: None,
            floor: None,
        },
        conditions: Conditions {
            sigma_day: Some(0.05),
            fee: Some(0.0004),
            protocol_share: 0.13,
            block_secs: 0.4,
            base_apr: 0.0,
            quote_apr: 0.0,
            depth: None,
            funding_hour: None,
            action_cost: 0.0,
            horizon_days: 7.0,
            gaps: vec![-0.5, -0.2, -0.05, 0.05, 0.2, 0.31, 0.4],
        },
        at: vec![],
        points: 13,
    }
}

pub fn example() -> Inputs {
    inputs(190.0, 210.0, 100)
}

pub fn quote(inputs: &Inputs) -> Quote {
    Quote::new(inputs).unwrap()
}

#[track_caller]
pub fn close(actual: f64, expected: f64, relative: f64) {
    assert!(
        (actual - expected).abs() <= relative * expected.abs(),
        "{actual} is not {expected}"
    );
}
