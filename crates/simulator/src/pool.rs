//! A pool that arbitrageurs keep near the market: its price is reflected in the band that its fee leaves.

use std::ops::AddAssign;

/// One unit of liquidity, and the arbitrageurs that trade with it.
///
/// Buying base in the pool costs its price over `1 - g`, selling pays its price times `1 - g`. So arbitrageurs trade while the
/// logarithms of pool and market are farther apart than `-ln(1 - g)`, and stop there: after each chance to trade the pool's price
/// is the market's, clamped to that band. Fees counted from the pool's moves, not the market's, stay finite however short the
/// steps are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReflectedPool {
    /// Logarithm of the pool's price.
    log_price: f64,
    /// `-ln(1 - g)`.
    band: f64,
    /// `g / (1 - g)`: fee per amount that reaches the curve.
    fee_rate: f64,
}

/// What arbitrageurs traded with one unit of liquidity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ArbitrageTrade {
    /// Fees paid in base.
    pub fee_base: f64,
    /// Fees paid in quote.
    pub fee_quote: f64,
    /// What arbitrageurs gained at the market's price after these fees, in quote.
    pub profit: f64,
}

impl AddAssign for ArbitrageTrade {
    fn add_assign(&mut self, other: Self) {
        self.fee_base += other.fee_base;
        self.fee_quote += other.fee_quote;
        self.profit += other.profit;
    }
}

impl ReflectedPool {
    /// A pool at a price with this logarithm; `fee` is a part of the input, below 1.
    pub fn new(log_price: f64, fee: f64) -> Self {
        Self {
            log_price,
            band: -(-fee).ln_1p(),
            fee_rate: fee / (1.0 - fee),
        }
    }

    /// Logarithm of the pool's price.
    pub fn log_price(&self) -> f64 {
        self.log_price
    }

    /// A chance to trade against a market with this logarithm of the price. Counted is what liquidity between `lower` and `upper`
    /// (logarithms of prices) sees of it.
    pub fn arbitrage(&mut self, market: f64, range: (f64, f64)) -> ArbitrageTrade {
        let before = self.log_price;
        let after = before.clamp(market - self.band, market + self.band);
        if after == before {
            return ArbitrageTrade::default();
        }
        self.log_price = after;
        traded((before, after), market, range, self.fee_rate)
    }
}

/// What one unit of liquidity between `lower` and `upper` sees of a trade from one price to another, all as logarithms; `fee_rate` is the
/// fee per amount that reaches the curve.
pub(crate) fn traded(
    (before, after): (f64, f64),
    market: f64,
    (lower, upper): (f64, f64),
    fee_rate: f64,
) -> ArbitrageTrade {
    let root = |log_price: f64| (log_price.max(lower).min(upper) / 2.0).exp();
    let (from, to) = (root(before), root(after));
    let (quote, base) = (to - from, from.recip() - to.recip());
    let price = market.exp();
    let mut trade = ArbitrageTrade::default();
    if quote > 0.0 {
        trade.fee_quote = quote * fee_rate;
    } else {
        trade.fee_base = -base * fee_rate;
    }
    trade.profit = base * price - quote - trade.fee_quote - trade.fee_base * price;
    trade
}

#[cfg(test)]
mod tests {
    use rand::Rng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, Exp1, StandardNormal};

    use super::*;
    use crate::{
        Blocks,
        stream::{Source, Streams},
    };

    const EVERYWHERE: (f64, f64) = (-100.0, 100.0);
    const SIGMA_DAY: f64 = 0.05;

    /// What one unit of liquidity pays arbitrageurs and gets in fees, as parts of `L sigma^2 s / 4`.
    struct Measured {
        arbitrage: f64,
        fees: f64,
        /// Standard error of either.
        stderr: f64,
    }

    /// A long way of the market, from chance to chance. The market's own random moves have known means: with the control
    /// variate `sum dx^2 + 2 z dx` (z the distance of the market from the pool), what fees and arbitrage are together is known
    /// nearly exactly.
    fn measure(fee: f64, blocks: Blocks, chances: u32, seed: u64) -> (Measured, f64) {
        let streams = Streams::new(seed);
        let mut price = streams.of(0, Source::Price);
        let mut times = streams.of(0, Source::BlockTimes);
        let mut pool = ReflectedPool::new(0.0, fee);
        let mut market = 0.0;
        let (mut fees, mut profit, mut squares, mut control, mut expected) =
            (0.0, 0.0, 0.0, 0.0, 0.0);
        for _ in 0..chances {
            let variance = SIGMA_DAY * SIGMA_DAY / 86_400.0 * secs(blocks, &mut times);
            let normal: f64 = StandardNormal.sample(&mut price);
            let step = variance.sqrt() * normal;
            let apart = market - pool.log_price();
            control += step * step - variance + 2.0 * apart * step;
            expected += variance;
            market += step;
            let trade = pool.arbitrage(market, EVERYWHERE);
            // As parts of liquidity's value: LVR is then the same at every price.
            let root = (market / 2.0).exp();
            fees += (trade.fee_quote + trade.fee_base * market.exp()) / root;
            profit += trade.profit / root;
            squares += (trade.profit / root) * (trade.profit / root);
            // Far from where it began the floating point loses digits.
            if market.abs() > 1.0 {
                let shift = market;
                market = 0.0;
                pool = ReflectedPool::new(pool.log_price() - shift, fee);
            }
        }
        let loss = expected / 4.0;
        let measured = Measured {
            arbitrage: profit / loss,
            fees: fees / loss,
            stderr: squares.sqrt() / loss,
        };
        (measured, (fees + profit - control / 4.0) / loss)
    }

    fn secs(blocks: Blocks, rng: &mut ChaCha8Rng) -> f64 {
        match blocks {
            Blocks::Fixed(secs) => secs,
            Blocks::Poisson(secs) => secs * rng.sample::<f64, _>(Exp1),
        }
    }

    /// MATH of expected results: ARB / LVR in percent at sigma 5 % a day, by fee in basis points.
    #[track_caller]
    fn check(blocks: Blocks, table: &[(f64, f64)]) {
        for (bp, percent) in table {
            let (measured, sum) = measure(bp / 1e4, blocks, 1_500_000, 11);
            assert!(
                (sum - 1.0).abs() < 0.002,
                "{blocks:?}, {bp} bp: fees and arbitrage are {sum} of LVR"
            );
            let off = measured.arbitrage * 100.0 - percent;
            assert!(
                off.abs() < 0.06 + 400.0 * measured.stderr,
                "{blocks:?}, {bp} bp: {} +- {}",
                measured.arbitrage,
                measured.stderr
            );
            // And by formula, where it holds.
            let formula = blocks.arbitrage_part(bp / 1e4, SIGMA_DAY);
            assert!((measured.arbitrage - formula).abs() < 0.006 + 4.0 * measured.stderr);
            assert!((measured.fees - (1.0 - formula)).abs() < 0.02);
        }
    }

    #[test]
    fn what_arbitrageurs_keep_with_poisson_blocks_of_12_seconds() {
        let table = [
            (1.0, 80.6),
            (5.0, 45.5),
            (10.0, 29.4),
            (30.0, 12.2),
            (100.0, 4.0),
        ];
        check(Blocks::Poisson(12.0), &table);
    }

    #[test]
    fn what_arbitrageurs_keep_with_fixed_blocks_of_12_seconds() {
        check(
            Blocks::Fixed(12.0),
            &[(1.0, 77.9), (5.0, 40.7), (30.0, 10.3)],
        );
    }

    #[test]
    fn what_arbitrageurs_keep_with_poisson_blocks_of_400_milliseconds() {
        let table = [
            (1.0, 43.2),
            (4.0, 16.0),
            (5.0, 13.2),
            (10.0, 7.1),
            (30.0, 2.5),
        ];
        check(Blocks::Poisson(0.4), &table);
    }

    #[test]
    fn what_arbitrageurs_keep_with_blocks_of_400_milliseconds() {
        let table = [
            (1.0, 38.5),
            (4.0, 13.5),
            (5.0, 11.1),
            (10.0, 5.9),
            (30.0, 2.0),
        ];
        check(Blocks::Fixed(0.4), &table);
    }

    #[test]
    fn a_trade_up_and_a_trade_down() {
        let mut pool = ReflectedPool::new(0.0, 0.01);
        // Within the band nobody trades.
        for market in [0.01, -0.01] {
            assert_eq!(
                pool.arbitrage(market, EVERYWHERE),
                ArbitrageTrade::default()
            );
        }
        // Up to the market's price less the fee: quote is paid in.
        let up = pool.arbitrage(0.5, EVERYWHERE);
        let to = (0.5f64.exp() * 0.99).sqrt();
        assert!((up.fee_quote - (to - 1.0) / 99.0).abs() < 1e-12 && up.fee_base == 0.0);
        let paid = (to - 1.0) / 0.99;
        assert!((up.profit - (0.5f64.exp() * (1.0 - 1.0 / to) - paid)).abs() < 1e-12);
        // Down again: base.
        let down = pool.arbitrage(-0.5, EVERYWHERE);
        assert!(down.fee_base > 0.0 && down.fee_quote == 0.0 && down.profit > 0.0);
        assert!((pool.log_price() - (-0.5 - 0.99f64.ln())).abs() < 1e-12);
    }

    #[test]
    fn liquidity_sees_only_what_happens_in_its_range() {
        let mut all = ReflectedPool::new(0.0, 0.001);
        let mut part = all;
        let whole = all.arbitrage(0.4, EVERYWHERE);
        let above = part.arbitrage(0.4, (0.2, 1.0));
        let share = ((0.399f64 / 2.0).exp() - 0.1f64.exp()) / ((0.399f64 / 2.0).exp() - 1.0);
        assert!((above.fee_quote / whole.fee_quote - share).abs() < 1e-4);
        assert_eq!(part, all);
        assert_eq!(part.arbitrage(0.0, (5.0, 6.0)).fee_base, 0.0);
    }

    /// `L sigma^2 s / 4` as basis points of the position's value a day, at sigma 5 %: full range, and ranges around the price.
    #[test]
    fn loss_to_arbitrage_before_fees() {
        let day = SIGMA_DAY * SIGMA_DAY;
        assert!((day / 8.0 * 1e4 - 3.125).abs() < 1e-12);
        for (width, expected) in [
            (0.01, 629.7),
            (0.05, 129.67),
            (0.10, 67.15),
            (0.20, 35.87),
            (0.50, 17.03),
        ] {
            let value = 2.0 - 2.0 / (1.0f64 + width).sqrt();
            assert!(
                (day / 4.0 / value * 1e4 / expected - 1.0).abs() < 1e-3,
                "{width}"
            );
            // The same by trading without fee, every second of a day.
            let mut rng = Streams::new(5).of(0, Source::Price);
            let mut pool = ReflectedPool::new(0.0, 0.0);
            let mut market = 0.0;
            let mut lost = 0.0;
            let mut variance = 0.0;
            for _ in 0..86_400 {
                let normal: f64 = StandardNormal.sample(&mut rng);
                let step = SIGMA_DAY / 86_400f64.sqrt() * normal;
                market += step;
                variance += step * step;
                lost += pool.arbitrage(market, EVERYWHERE).profit / (market / 2.0).exp();
            }
            assert!((lost / (variance / 4.0) - 1.0).abs() < 1e-3);
        }
    }
}
