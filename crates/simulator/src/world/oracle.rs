//! The oracle: late, wide in a storm, and at times silent.

use ballast_abi::pyth::PriceUpdate;
use ballast_snapshot::{MarketSnapshot, Pubkey};

use super::{outside::Outside, scenario::OracleTerms};

/// Prices are published with so many decimals.
const PRICE_DECIMALS: i32 = 8;
/// In which a moving average forgets all but 1/e.
const AVERAGE_SECS: f64 = 3_600.0;
const SECS_PER_DAY: f64 = 86_400.0;

/// Publishes the price outside to a market's two price accounts.
#[derive(Clone, Debug)]
pub struct Oracle {
    terms: OracleTerms,
    average: f64,
    published: Option<u64>,
}

/// `as` saturates.
fn raw(price: f64) -> i64 {
    (price * 10f64.powi(PRICE_DECIMALS)).round() as i64
}

/// A price of one feed about which nobody is in doubt.
pub(super) fn update(feed_id: [u8; 32], price: f64, publish_time: i64) -> PriceUpdate {
    PriceUpdate {
        write_authority: Pubkey::default(),
        feed_id,
        price: raw(price),
        conf: raw(price * 1e-5).unsigned_abs(),
        exponent: -PRICE_DECIMALS,
        publish_time,
        previous_publish_time: publish_time.saturating_sub(1),
        ema_price: raw(price),
        ema_conf: 0,
        posted_slot: 0,
    }
}

impl Oracle {
    /// One whose moving average has settled.
    pub fn new(terms: &OracleTerms, log_price: f64) -> Self {
        Self {
            terms: terms.clone(),
            average: log_price.exp(),
            published: None,
        }
    }

    /// Publishes, if it is time for it. Returns whether it has.
    pub fn step(&mut self, secs: u64, outside: &Outside, market: &mut MarketSnapshot) -> bool {
        let stalled = self.terms.stalls.iter().any(|stall| stall.holds(secs));
        let due = self
            .published
            .is_none_or(|last| secs >= last.saturating_add(self.terms.interval_secs));
        if stalled || !due {
            return false;
        }
        let since = secs - self.published.unwrap_or(secs);
        self.published = Some(secs);
        let price = outside.log_price_before(self.terms.delay_secs).exp();
        self.average += (price - self.average) * (1.0 - (-(since as f64) / AVERAGE_SECS).exp());
        let minute_bps = outside.sigma_day() * (60.0 / SECS_PER_DAY).sqrt() * 1e4;
        let bps = self.terms.confidence_bps + self.terms.confidence_per_move * minute_bps;
        let delay = i64::try_from(self.terms.delay_secs).unwrap_or(i64::MAX);
        let publish_time = market.now_secs.saturating_sub(delay);
        let slot = market.slot;
        let [base, quote] = [market.market.base_feed, market.market.quote_feed];
        market.base_price = PriceUpdate {
            conf: raw(price * bps / 1e4).unsigned_abs(),
            ema_price: raw(self.average),
            posted_slot: slot,
            ..update(base, price, publish_time)
        };
        market.quote_price = PriceUpdate {
            posted_slot: slot,
            ..update(quote, 1.0, publish_time)
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use ballast_strategy::fixtures;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::world::scenario::{MarketShock, Span};

    fn outside(path: Vec<[f64; 2]>) -> Outside {
        let shock = MarketShock {
            path,
            ..MarketShock::default()
        };
        Outside::new(&shock, 200f64.ln(), 0.05, ChaCha8Rng::seed_from_u64(1))
    }

    #[test]
    fn it_is_late_and_silent_while_it_stalls() {
        let mut market = outside(vec![[0.0, 1.0], [100.0, 0.5]]);
        let mut snapshot = fixtures::snapshot(200);
        let start = snapshot.now_secs;
        let terms = OracleTerms {
            delay_secs: 10,
            interval_secs: 10,
            stalls: vec![Span {
                from_secs: 40,
                to_secs: 70,
            }],
            ..OracleTerms::default()
        };
        let mut oracle = Oracle::new(&terms, 200f64.ln());
        let mut came = Vec::new();
        for secs in (0..=100).step_by(5) {
            market.step(secs);
            snapshot.now_secs = start + secs as i64;
            if oracle.step(secs, &market, &mut snapshot) {
                came.push(secs);
                let price = snapshot.base_price;
                assert_eq!(price.publish_time, snapshot.now_secs - 10);
                let seen = market.log_price_before(10).exp();
                assert_eq!(price.price, raw(seen));
                // The average is behind.
                assert!(price.ema_price >= price.price);
            }
        }
        assert_eq!(came, [0, 10, 20, 30, 70, 80, 90, 100]);
    }

    #[test]
    fn it_is_less_sure_the_more_the_price_moves() {
        let mut snapshot = fixtures::snapshot(200);
        let mut width = |path| {
            let mut market = outside(path);
            let mut oracle = Oracle::new(&OracleTerms::default(), 200f64.ln());
            for secs in (0..=60).step_by(5) {
                market.step(secs);
                oracle.step(secs, &market, &mut snapshot);
            }
            snapshot.base_price.conf * 10_000 / snapshot.base_price.price.unsigned_abs()
        };
        let (calm, storm) = (width(vec![]), width(vec![[0.0, 1.0], [60.0, 0.9]]));
        assert!(calm < 6 && storm > 20, "{calm} {storm}");
    }
}
