//! Prices and amounts of a recorded pool, as quote per base.

/// The logarithm of a tick.
const LOG_TICK: f64 = 0.000_099_995_000_333_308_34;

/// Which token of a pool is the quote, and the tokens' decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// Whether token 0 is: then the pool's price is that of the quote.
    pub quote_is_token0: bool,
    /// Decimals of the base token.
    pub base_decimals: u8,
    /// Decimals of the quote token.
    pub quote_decimals: u8,
}

impl Quoted {
    /// The logarithm of the price in raw units, quote per base, of what is so in the pool's.
    pub(crate) fn turned(self, pool_log: f64) -> f64 {
        if self.quote_is_token0 {
            -pool_log
        } else {
            pool_log
        }
    }

    /// The same of a tick, or of a way of so many.
    pub(crate) fn log(self, tick: i32) -> f64 {
        self.turned(f64::from(tick) * LOG_TICK)
    }

    /// Price in whole tokens of one in raw units.
    pub(crate) fn whole(self, log_price: f64) -> f64 {
        let scale = f64::from(self.base_decimals) - f64::from(self.quote_decimals);
        log_price.exp() * 10f64.powf(scale)
    }

    /// Price in whole tokens at a tick.
    pub(crate) fn price(self, tick: i32) -> f64 {
        self.whole(self.log(tick))
    }

    /// Base and quote of what is of token 0 and token 1.
    pub(crate) fn base_and_quote<T: Copy>(self, [token0, token1]: [T; 2]) -> [T; 2] {
        if self.quote_is_token0 {
            [token1, token0]
        } else {
            [token0, token1]
        }
    }

    /// What was traded, in whole quote tokens, of raw amounts that were paid in at a tick.
    pub(crate) fn volume(self, paid_in: [u128; 2], tick: i32) -> f64 {
        self.volume_at(paid_in, self.log(tick))
    }

    /// The same at a price.
    pub(crate) fn volume_at(self, paid_in: [u128; 2], log_price: f64) -> f64 {
        let [base, quote] = self.base_and_quote(paid_in);
        let whole = |amount: u128, decimals: u8| amount as f64 / 10f64.powi(decimals.into());
        whole(quote, self.quote_decimals) + whole(base, self.base_decimals) * self.whole(log_price)
    }
}
