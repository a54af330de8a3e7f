//! A pool whose fee follows the price: what arbitrageurs pay on their way, and what others pay meanwhile.

use crate::{
    Units,
    ticks::{AdaptiveTerms, SwapFee},
    units::TICKS_PER_LOG,
};

/// The pool's clock at the start of a path: what it remembers began long before.
const START_SECS: u64 = 1 << 20;

/// The pool's clock so many seconds after the start.
pub(crate) fn clock_secs(secs: u64) -> u64 {
    START_SECS.saturating_add(secs)
}

/// A pool that arbitrageurs keep near the market, as [`crate::ReflectedPool`], with the fee of [`SwapFee`]: what they trade between two
/// looks is one swap, which pays more the farther it goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MovingFee {
    /// Logarithm of the pool's price.
    log_price: f64,
    fee: SwapFee,
    /// The fixed part, as terms say it.
    static_fee: f64,
    units: Units,
}

/// A part of a way at one fee: from one logarithm of the price to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Stage {
    pub from: f64,
    pub to: f64,
    /// Part of the input.
    pub fee: f64,
}

impl MovingFee {
    /// A pool at a price that has not moved for long.
    pub fn new(log_price: f64, static_fee: f64, terms: AdaptiveTerms, units: Units) -> Self {
        // Terms have been checked: it is a whole number of millionths below one.
        let mut fee = SwapFee::adaptive((static_fee * 1e6).round() as u32, terms);
        let group = fee.group(units.tick(log_price)).unwrap_or(0);
        fee.begin(group, clock_secs(0));
        Self {
            log_price,
            fee,
            static_fee,
            units,
        }
    }

    /// Puts the pool's price where arbitrageurs had left it.
    pub fn put(&mut self, log_price: f64) {
        self.log_price = log_price;
    }

    fn rate(&self) -> f64 {
        let ppm = self.fee.rate_ppm();
        if ppm == self.fee.static_ppm {
            self.static_fee
        } else {
            f64::from(ppm) / 1e6
        }
    }

    /// The fee as a swap would find it now, so many seconds after the start.
    pub fn fee_at(&self, secs: u64) -> SwapFee {
        let mut fee = self.fee;
        if let Some(group) = fee.group(self.units.tick(self.log_price)) {
            fee.begin(group, clock_secs(secs));
            fee.enter(group);
        }
        fee
    }

    /// Arbitrageurs trade until nothing is left of what the market at a price offers, and say each part of their way at one fee. Returns
    /// the mean fee of the way; of none, what a trade would pay.
    pub fn arbitrage(&mut self, market: f64, secs: u64, mut pays: impl FnMut(Stage)) -> f64 {
        let now_secs = clock_secs(secs);
        let before = self.log_price;
        let tick = self.units.tick(before);
        let Some(mut group) = self.fee.group(tick) else {
            return self.static_fee;
        };
        self.fee.begin(group, now_secs);
        let down = market < before;
        let mut stage: Option<Stage> = None;
        let (mut paid, mut way) = (0.0, 0.0);
        let mut one_fee = true;
        loop {
            self.fee.enter(group);
            let fee = self.rate();
            let band = -(-fee).ln_1p();
            let at = self.log_price;
            let target = at.clamp(market - band, market + band);
            let end = self.fee.group_end(group, down).map(|tick| self.log(tick));
            let leaves = end.filter(|end| {
                if down {
                    target < *end && *end <= at
                } else {
                    *end < target && at <= *end
                }
            });
            let to = leaves.unwrap_or(target);
            if to != at {
                paid += fee * (to - at).abs();
                way += (to - at).abs();
                self.log_price = to;
                stage = Some(match stage {
                    Some(stage) if stage.fee == fee => Stage { to, ..stage },
                    before => {
                        if let Some(before) = before {
                            one_fee = false;
                            pays(before);
                        }
                        Stage { from: at, to, fee }
                    }
                });
            }
            if leaves.is_none() {
                break;
            }
            group += if down { -1 } else { 1 };
        }
        self.fee
            .end(tick, self.units.tick(self.log_price), now_secs);
        match stage {
            None => self.rate(),
            Some(last) => {
                pays(last);
                if one_fee { last.fee } else { paid / way }
            }
        }
    }

    /// The logarithm of a tick's price.
    fn log(&self, tick: i32) -> f64 {
        let scale = (self.units.base_scale() / self.units.quote_scale()).ln();
        f64::from(tick) / TICKS_PER_LOG + scale
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ArbitrageTrade, ReflectedPool, pool::traded};

    const UNITS: Units = Units {
        base_decimals: 9,
        quote_decimals: 6,
    };
    const TERMS: AdaptiveTerms = AdaptiveTerms::EXAMPLE;
    const STILL: AdaptiveTerms = AdaptiveTerms {
        control_factor: 0,
        ..TERMS
    };
    const RANGE: (f64, f64) = (5.2, 5.4);

    fn fees(trades: impl IntoIterator<Item = ArbitrageTrade>) -> ArbitrageTrade {
        let mut sum = ArbitrageTrade::default();
        trades.into_iter().for_each(|trade| sum += trade);
        sum
    }

    /// One look after the other: what is paid, and the mean fees.
    fn along(pool: &mut MovingFee, markets: &[f64], secs: u64) -> (Vec<ArbitrageTrade>, Vec<f64>) {
        let (mut trades, mut means) = (Vec::new(), Vec::new());
        for (market, look) in markets.iter().zip(1..) {
            let mean = pool.arbitrage(*market, look * secs, |Stage { from, to, fee }| {
                trades.push(traded((from, to), *market, RANGE, fee / (1.0 - fee)));
            });
            means.push(mean);
        }
        (trades, means)
    }

    #[test]
    fn without_control_it_is_the_pool_of_a_fixed_fee_to_the_bit() {
        let still = STILL;
        let start = 200f64.ln();
        let mut fixed = ReflectedPool::new(start, 0.000_4);
        let mut moving = MovingFee::new(start, 0.000_4, still, UNITS);
        let markets = [0.01, 0.0101, -0.07, -0.0698, 0.3, 0.3].map(|moved| start + moved);
        for (market, look) in markets.into_iter().zip(1..) {
            let mut trades = Vec::new();
            let mean = moving.arbitrage(market, look, |Stage { from, to, fee }| {
                trades.push(traded((from, to), market, RANGE, fee / (1.0 - fee)));
            });
            assert_eq!(mean, 0.000_4);
            assert!(trades.len() <= 1);
            let trade = trades.pop().unwrap_or_default();
            assert_eq!(trade, fixed.arbitrage(market, RANGE));
            assert_eq!(moving.log_price, fixed.log_price());
        }
    }

    /// It is what the pool of whole units charges, group by group.
    #[test]
    fn a_way_through_groups_pays_each_ones_fee() {
        let start = 200f64.ln();
        let mut moving = MovingFee::new(start, 0.003, TERMS, UNITS);
        let mut stages = Vec::new();
        let mean = moving.arbitrage(start - 0.025, 60, |stage| stages.push(stage));
        // 1.0001^-16096 times a thousand is just above 200: the group is -252, from tick -16128 on.
        let ends = [-16_128, -16_192, -16_256].map(|tick| moving.log(tick));
        // 4000 (n 64)^2 / 10^5 millionths more in the n-th group.
        let rates = [0.003, 0.003_164, 0.003_656, 0.004_475];
        let froms = [start, ends[0], ends[1], ends[2]];
        assert_eq!(stages.len(), 4, "{stages:?}");
        for (stage, (from, fee)) in stages.iter().zip(froms.into_iter().zip(rates)) {
            assert_eq!((stage.from, stage.fee), (from, fee));
        }
        // It ends where the market's price less the last fee is.
        let last = stages[3];
        assert!((last.to - (start - 0.025 - (-0.004_475f64).ln_1p())).abs() < 1e-12);
        assert!((0.003..0.004_475).contains(&mean), "{mean}");
        // The next swap finds it, and forgets it.
        let ppm = |secs| moving.fee_at(secs).rate_ppm();
        assert_eq!(ppm(61), 4_475);
        // A swap of so many ticks is a major one: half of three groups is left.
        assert_eq!(ppm(90), 3_000 + 369);
        assert_eq!(ppm(660), 3_000);
    }

    #[test]
    fn in_a_market_that_moves_it_earns_more_and_in_a_still_one_the_same() {
        let start = 200f64.ln();
        let new = |terms| MovingFee::new(start, 0.000_4, terms, UNITS);
        let still = STILL;
        let chop: Vec<f64> = (0..200)
            .map(|look| start + if look % 2 == 0 { 0.02 } else { -0.02 })
            .collect();
        let paid = |terms, markets: &[f64]| {
            let (trades, means) = along(&mut new(terms), markets, 60);
            let sum = fees(trades);
            let mean = means.iter().sum::<f64>() / means.len() as f64;
            (sum.fee_quote + sum.fee_base * 200.0, mean)
        };
        let (moving, fixed) = (paid(TERMS, &chop), paid(still, &chop));
        assert!(moving.0 > 1.2 * fixed.0, "{moving:?} {fixed:?}");
        assert!(moving.1 > 1.3 * fixed.1, "{moving:?} {fixed:?}");
        let calm = [start; 50];
        assert_eq!(paid(TERMS, &calm), paid(still, &calm));
    }
}
