//! Positions of the reference model's files, in raw units of up to 10^17.

use ballast_model::{Amounts, Band, Bps, Position, SqrtPrice};
use ruint::aliases::{U256, U512};
use serde_json::Value;

/// A decimal number, exactly: mantissa times a power of ten.
pub struct Exact {
    mantissa: U512,
    exponent: i32,
}

impl Exact {
    pub fn new(text: &str) -> Self {
        let (number, exponent) = text.split_once(['E', 'e']).unwrap_or((text, "0"));
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let mantissa = format!("{whole}{fraction}").parse().unwrap();
        let exponent: i32 = exponent.parse().unwrap();
        Self {
            mantissa,
            exponent: exponent - fraction.len() as i32,
        }
    }

    /// `self * 10^power * 2^shift`, rounded down.
    pub fn scaled_down(&self, power: i32, shift: usize) -> U512 {
        let power = power + self.exponent;
        let ten = U512::from(10).pow(U512::from(power.unsigned_abs()));
        let mantissa = self.mantissa << shift;
        if power >= 0 {
            mantissa * ten
        } else {
            mantissa / ten
        }
    }
}

/// A golden position in raw units, with the decimals that make them.
pub struct Case {
    pub position: Position,
    pub at: SqrtPrice,
    pub threshold: Bps,
    pub base_power: i32,
    pub quote_power: i32,
}

impl Case {
    pub fn new(line: &Value) -> Self {
        let text = |field: &str| line[field].as_str().unwrap();
        let float = |field: &str| text(field).parse::<f64>().unwrap();
        let (sa, sb) = (float("pa").sqrt(), float("pb").sqrt());
        let liquidity = float("L");
        let decimals =
            |amounts: [f64; 3]| 17 - amounts.into_iter().fold(0.0, f64::max).log10().ceil() as i32;
        let mut base_power =
            decimals([liquidity * (1.0 / sa - 1.0 / sb), float("lx"), float("dx")]);
        let quote_power = decimals([liquidity * (sb - sa), float("ly"), float("dy")]);
        base_power -= (base_power + quote_power).rem_euclid(2);

        let sqrt = |field: &str| {
            let price = Exact::new(text(field)).scaled_down(quote_power - base_power, 128);
            SqrtPrice::new(ballast_clmm::wide::isqrt_down(price.to::<U256>())).unwrap()
        };
        let amount =
            |field: &str, power: i32| Exact::new(text(field)).scaled_down(power, 0).to::<u64>();
        let amounts = |base: &str, quote: &str| Amounts {
            base: amount(base, base_power),
            quote: amount(quote, quote_power),
        };
        let liquidity = Exact::new(text("L")).scaled_down((base_power + quote_power) / 2, 0);
        Self {
            position: Position {
                band: Band::from_sqrt_prices(sqrt("pa"), sqrt("pb")).unwrap(),
                liquidity: liquidity.to(),
                idle: amounts("lx", "ly"),
                debt: amounts("dx", "dy"),
            },
            at: sqrt("P"),
            threshold: Bps::new((float("t") * 1e4).round() as u32),
            base_power,
            quote_power,
        }
    }

    pub fn price(&self, at: SqrtPrice) -> f64 {
        (at.x64() as f64 / 2f64.powi(64)).powi(2) * 10f64.powi(self.base_power - self.quote_power)
    }
}
