//! Fees as a record says that they were paid.

use super::{Arbitrage, Blocks, Earned, FeeFlow, FeeTerms, Stretch, root_scale, scaled};
use crate::Paid;

const SECS_PER_DAY: f64 = 86_400.0;

impl FeeFlow {
    /// A step of which is known what the pool's liquidity was paid. What arbitrageurs pay by formula of it is theirs; where that is more
    /// than was paid, they have paid it later. The rest is takers'.
    ///
    /// Liquidity that comes to a pool brings arbitrageurs along: what they pay to each unit of it stays. What takers pay is shared. A
    /// second pool had its part before anything was recorded.
    pub(super) fn by_record(&mut self, terms: &FeeTerms, paid: &Paid, stretch: &Stretch) {
        let blocks = match terms.arbitrage {
            Arbitrage::Formula(blocks) => blocks,
            Arbitrage::EveryLook => Blocks::Fixed(stretch.days * SECS_PER_DAY),
        };
        let returned = self.handed_back(terms.fee, blocks, stretch);
        let by_arbitrage = |unseen: &mut f64, part: f64| {
            let owed = *unseen + returned;
            let shown = owed.min(part);
            *unseen = owed - shown;
            shown
        };
        let [base, quote] = &mut self.unseen;
        let arbitrage = [
            by_arbitrage(base, paid.parts[0]),
            by_arbitrage(quote, paid.parts[1]),
        ];
        let root = (stretch.from / 2.0).exp();
        let earned = |[base, quote]: [f64; 2]| Earned {
            base: base / root,
            quote: quote * root,
        };
        let scale = root_scale(stretch.units);
        let own_depth = stretch.liquidity * root * scale;
        let share = if paid.depth > 0.0 {
            paid.depth / (paid.depth + own_depth)
        } else {
            1.0
        };
        let kept = share * terms.takers.stays(self.elapsed_days);
        let takers = [0, 1].map(|side: usize| (paid.parts[side] - arbitrage[side]) * kept);
        let takers = scaled(earned(takers), terms, stretch.liquidity, scale);
        let arbitrage = earned(arbitrage);
        if stretch.inside {
            self.arbitrage += arbitrage;
            self.takers += takers;
        }
        if let Some(growth) = &mut self.growth {
            growth.arbitrage += arbitrage;
            growth.takers += takers;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RoutingShift, Takers, Units, Weather};

    const UNITS: Units = Units {
        base_decimals: 9,
        quote_decimals: 6,
    };
    const TERMS: FeeTerms = FeeTerms {
        fee: 0.0005,
        protocol_share: 0.2,
        arbitrage: Arbitrage::Formula(Blocks::Fixed(0.4)),
        takers: Takers {
            volume_day: 0.0,
            others_liquidity: 0.0,
            other_pool: None,
            shift: None,
        },
    };

    fn stretch(paid: Paid, liquidity: f64, variance: f64) -> Stretch {
        Stretch {
            from: 200f64.ln(),
            inside: true,
            to: 201f64.ln(),
            variance,
            jump: 0.0,
            weather: Weather {
                paid: Some(paid),
                ..Weather::USUAL
            },
            days: 1.0 / 1_440.0,
            liquidity,
            range: (190f64.ln(), 210f64.ln()),
            units: UNITS,
        }
    }

    /// Fees of both kinds, raw.
    fn fees(flow: &FeeFlow, terms: &FeeTerms, liquidity: f64) -> [Earned; 2] {
        let scale = root_scale(UNITS);
        [
            flow.paid_by_arbitrage(terms, liquidity, scale),
            flow.paid_by_takers(terms, liquidity, 200f64.ln(), UNITS),
        ]
    }

    /// Raw quote per unit of liquidity at a price of 200: the root of 0.2.
    const ROOT: f64 = 0.447_213_595_499_957_9;

    #[test]
    fn all_that_was_paid_is_somebodys() {
        let paid = Paid {
            parts: [3e-8, 5e-8],
            depth: 1e30,
        };
        let liquidity = 1e12;
        let mut flow = FeeFlow::new(Some(&TERMS), 200f64.ln());
        // The second minute is wilder than what was paid in it, and the third pays for both.
        for variance in [1e-8, 1e-6, 0.0, 0.0] {
            flow.add(&TERMS, &stretch(paid, liquidity, variance));
        }
        let [arbitrage, takers] = fees(&flow, &TERMS, liquidity);
        let kept = liquidity * 0.8;
        let near = |found: f64, expected: f64| {
            assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
        };
        near(arbitrage.base + takers.base, 4.0 * 3e-8 / ROOT * kept);
        near(arbitrage.quote + takers.quote, 4.0 * 5e-8 * ROOT * kept);
        let back = |variance: f64| {
            let sigma_day = (variance * 1_440.0f64).sqrt();
            variance * (1.0 - Blocks::Fixed(0.4).arbitrage_part(0.0005, sigma_day)) / 8.0
        };
        // All of it is more than base was paid in three minutes, and less than quote was.
        let owed = back(1e-8) + back(1e-6);
        assert!(owed > 3.0 * 3e-8 && owed < 3.0 * 5e-8, "{owed}");
        near(arbitrage.quote, owed * ROOT * kept);
        near(arbitrage.base, owed.min(back(1e-8) + 9e-8) / ROOT * kept);
        assert!(takers.base > 0.0);
    }

    #[test]
    fn takers_fees_are_shared_and_may_leave() {
        let depth = 1e9;
        let paid = Paid {
            parts: [3e-8, 5e-8],
            depth,
        };
        // As deep as the pool.
        let liquidity = depth / ROOT;
        let earned = |terms: &FeeTerms, liquidity: f64| {
            let mut flow = FeeFlow::new(Some(terms), 200f64.ln());
            flow.count_growth();
            flow.add(terms, &stretch(paid, liquidity, 0.0));
            flow.add(
                terms,
                &Stretch {
                    inside: false,
                    ..stretch(paid, liquidity, 0.0)
                },
            );
            let [arbitrage, takers] = fees(&flow, terms, liquidity);
            assert_eq!(arbitrage, Earned::default());
            flow.clear(terms, liquidity, 200f64.ln(), UNITS);
            // The pool counts the minute out of range, too.
            let [base, quote] = flow.growth().unwrap();
            assert!((base * liquidity / takers.base - 2.0).abs() < 1e-9);
            assert!((quote * liquidity / takers.quote - 2.0).abs() < 1e-9);
            takers.quote / liquidity
        };
        let alone = 5e-8 * ROOT * 0.8;
        assert!((earned(&TERMS, 1.0) / alone - 1.0).abs() < 1e-8);
        assert!((earned(&TERMS, liquidity) / alone - 0.5).abs() < 1e-9);
        let gone = Takers {
            shift: Some(RoutingShift {
                after_days: 0.0,
                part: 0.75,
            }),
            ..TERMS.takers
        };
        let gone = FeeTerms {
            takers: gone,
            ..TERMS
        };
        assert!((earned(&gone, 1.0) / alone - 0.25).abs() < 1e-8);
    }
}
