//! Between prices and amounts as paths have them (floating point, whole tokens) and as positions have them (integers, raw
//! units).

use ballast_model::SqrtPrice;

/// Ticks of a logarithm of 1: `1 / ln(1.0001)`.
pub(crate) const TICKS_PER_LOG: f64 = 10_000.499_991_668_185;
const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;

/// Decimals of a market's two tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Units {
    /// Of the base token.
    pub base_decimals: u8,
    /// Of the quote token.
    pub quote_decimals: u8,
}

impl Units {
    /// Raw units of a whole quote token.
    pub fn quote_scale(self) -> f64 {
        10f64.powi(self.quote_decimals.into())
    }

    /// Raw units of a whole base token.
    pub fn base_scale(self) -> f64 {
        10f64.powi(self.base_decimals.into())
    }

    /// An amount of quote in whole tokens.
    pub fn quote(self, raw: i128) -> f64 {
        raw as f64 / self.quote_scale()
    }

    /// Half the logarithm of (raw quote per raw base) / (whole quote per whole base).
    fn half_log_scale(self) -> f64 {
        (f64::from(self.quote_decimals) - f64::from(self.base_decimals)) * 10f64.ln() / 2.0
    }

    /// Logarithm of the price in whole tokens.
    pub fn log_price(self, at: SqrtPrice) -> f64 {
        2.0 * ((at.x64() as f64 / TWO_POW_64).ln() - self.half_log_scale())
    }

    /// The tick that a price is in. Next to a tick's end it may be the neighbour's: nothing that counts units goes by it.
    pub fn tick(self, log_price: f64) -> i32 {
        let raw = log_price + 2.0 * self.half_log_scale();
        // `as` saturates.
        (raw * TICKS_PER_LOG).floor() as i32
    }

    /// The nearest price that a pool can have.
    pub fn sqrt_price(self, log_price: f64) -> SqrtPrice {
        let x64 = (log_price / 2.0 + self.half_log_scale()).exp() * TWO_POW_64;
        // `as` saturates.
        let x64 = (x64 as u128).clamp(SqrtPrice::MIN.x64(), SqrtPrice::MAX.x64());
        SqrtPrice::new(x64).unwrap_or(SqrtPrice::MIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_go_there_and_back() {
        let units = Units {
            base_decimals: 9,
            quote_decimals: 6,
        };
        // sqrt(0.2) in Q64.64, from the decimals of the command line's tests.
        let at = units.sqrt_price(200f64.ln());
        assert!(at.x64().abs_diff(8_249_634_742_471_189_717) < 1 << 14);
        assert!((units.log_price(at) - 200f64.ln()).abs() < 1e-14);
        assert_eq!(units.quote(1_500_000), 1.5);
        for price in [0.002f64, 1.7, 200.0, 3e5] {
            let tick = units.sqrt_price(price.ln()).tick().get();
            assert_eq!(units.tick(price.ln()), tick, "{price}");
        }
        assert_eq!(units.sqrt_price(1e6), SqrtPrice::MAX);
        assert_eq!(units.sqrt_price(-1e6), SqrtPrice::MIN);
    }
}
