//! Traders who pay fees for other reasons than the pool's price, and where they go.

use crate::{
    SimulationError, Units,
    error::{at_least, below_one},
};

/// Traders who come for other reasons than the pool's price.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Takers {
    /// What they trade a day, in whole quote tokens, wherever the price is.
    pub volume_day: f64,
    /// Liquidity of others around the price, in the pool's unit; fees are shared with it.
    pub others_liquidity: f64,
    /// Another pool that takes a part of each trade; `None`: all comes here.
    pub other_pool: Option<OtherPool>,
    /// From when on a part of the flow goes elsewhere.
    pub shift: Option<RoutingShift>,
}

/// A pool of the same tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "keeper", derive(serde::Deserialize))]
#[cfg_attr(feature = "keeper", serde(deny_unknown_fields))]
pub struct OtherPool {
    /// Its fee, in parts of the input.
    pub fee: f64,
    /// Its liquidity around the price, in the pool's unit.
    pub liquidity: f64,
    /// Mean size of a trade, in whole quote tokens; sizes are exponential.
    pub trade_size: f64,
}

/// Flow that leaves for good.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoutingShift {
    /// When, in days after the start.
    pub after_days: f64,
    /// Which part of it.
    pub part: f64,
}

/// The root of a price in whole quote tokens per unit of liquidity: liquidity times it is a pool's depth.
pub(crate) fn depth_root(log_price: f64, units: Units) -> f64 {
    // A unit of liquidity times the raw root price is a raw unit of quote.
    (log_price / 2.0).exp() / (units.base_scale() * units.quote_scale()).sqrt()
}

impl Takers {
    /// Refuses what makes no sense.
    pub(crate) fn check(&self) -> Result<(), SimulationError> {
        let positive = "must be greater than 0";
        let not_negative = "must be 0 or more";
        at_least("taker volume", self.volume_day, 0.0, not_negative)?;
        at_least(
            "liquidity of others",
            self.others_liquidity,
            0.0,
            not_negative,
        )?;
        if let Some(other) = &self.other_pool {
            below_one("fee of the other pool", other.fee)?;
            at_least(
                "liquidity of the other pool",
                other.liquidity,
                0.0,
                not_negative,
            )?;
            at_least("trade size", other.trade_size, f64::MIN_POSITIVE, positive)?;
        }
        if let Some(shift) = &self.shift {
            at_least("day of the shift", shift.after_days, 0.0, not_negative)?;
            at_least("part that leaves", shift.part, 0.0, not_negative)?;
            at_least(
                "part that leaves",
                1.0 - shift.part,
                0.0,
                "short of 1: must be at most 1",
            )?;
        }
        Ok(())
    }

    /// The part of takers' volume that comes to a pool with this fee and liquidity (others' and the position's), at a root price
    /// in whole quote tokens per unit of liquidity, while the other pool has `other_depth` times its usual liquidity.
    pub(crate) fn share_here(&self, fee: f64, liquidity: f64, root: f64, other_depth: f64) -> f64 {
        let Some(other) = self.other_pool else {
            return 1.0;
        };
        let there = other.liquidity * other_depth;
        if there == 0.0 {
            return 1.0;
        }
        if liquidity == 0.0 {
            return 0.0;
        }
        Route {
            here: Curve::new(fee, liquidity * root),
            there: Curve::new(other.fee, there * root),
        }
        .mean_share_here(other.trade_size)
    }

    /// The part of a day's flow that is still there.
    pub(crate) fn stays(&self, at_days: f64) -> f64 {
        match self.shift {
            Some(shift) if at_days >= shift.after_days => 1.0 - shift.part,
            _ => 1.0,
        }
    }
}

/// The root of what the next unit costs in a pool, over the root price before the trade: `start + slope a` after an amount a.
///
/// Of an input a a pool with fee g and depth D (liquidity times root price, in whole quote tokens) keeps `(1 - g) a` for its
/// curve, which moves its root price by the part `(1 - g) a / D`; the next unit costs the new price over `1 - g`. What sells
/// base goes the other way on the inverse price, by the same numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Curve {
    start: f64,
    slope: f64,
}

impl Curve {
    fn new(fee: f64, depth: f64) -> Self {
        let kept = (1.0 - fee).sqrt();
        Self {
            start: kept.recip(),
            slope: kept / depth,
        }
    }
}

/// Two pools that a trade is split over, at best: so that the last unit costs the same in both.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Route {
    here: Curve,
    there: Curve,
}

impl Route {
    /// The cheaper pool, the dearer one, and the amount up to which the cheaper one takes all.
    fn by_price(&self) -> (Curve, Curve, f64) {
        let (cheap, dear) = if self.here.start <= self.there.start {
            (self.here, self.there)
        } else {
            (self.there, self.here)
        };
        (cheap, dear, (dear.start - cheap.start) / cheap.slope)
    }

    /// The part of exponential sizes with this mean that comes here.
    ///
    /// The dearer pool gets of a size a what exceeds q, the size up to which the cheaper one takes all, in proportion to depth:
    /// `k / (k + k') (a - q)` with k the cheaper one's slope. Over all sizes that is `k / (k + k') e^(-q / m)` of the volume.
    fn mean_share_here(&self, mean_size: f64) -> f64 {
        let (cheap, dear, alone) = self.by_price();
        let dearer = cheap.slope / (cheap.slope + dear.slope) * (-alone / mean_size).exp();
        if cheap == self.here {
            1.0 - dearer
        } else {
            dearer
        }
    }
}

#[cfg(test)]
mod tests {
    use ballast_clmm::{Side, SqrtPrice, SwapMode, SwapStepInput, swap_step};

    use super::*;

    /// What of one trade comes here.
    fn here_of(route: &Route, size: f64) -> f64 {
        let (cheap, dear, alone) = route.by_price();
        let dearer = cheap.slope / (cheap.slope + dear.slope) * (size - alone).max(0.0);
        if cheap == route.here {
            size - dearer
        } else {
            dearer
        }
    }

    fn beside(fee: f64, liquidity: f64) -> Takers {
        let other_pool = Some(OtherPool {
            fee,
            liquidity,
            trade_size: 1_000.0,
        });
        Takers {
            volume_day: 1e6,
            other_pool,
            ..Takers::default()
        }
    }

    /// Fee in millionths and liquidity of the pool here, and of the other one.
    const POOLS: [(u32, u64, u32, u64); 6] = [
        (400, 10_000_000_000_000, 400, 30_000_000_000_000),
        (400, 10_000_000_000_000, 500, 100_000_000_000_000),
        (3_000, 10_000_000_000_000, 500, 2_000_000_000_000),
        (500, 5_000_000_000_000, 3_000, 1_000_000_000_000_000),
        (100, 1_000_000_000_000, 10_000, 1_000_000_000_000),
        (0, 3_000_000_000_000, 65_000, 2_000_000_000_000),
    ];

    fn route((fee, liquidity, other_fee, other_liquidity): (u32, u64, u32, u64)) -> Route {
        let curve = |fee: u32, liquidity| Curve::new(f64::from(fee) / 1e6, liquidity as f64);
        Route {
            here: curve(fee, liquidity),
            there: curve(other_fee, other_liquidity),
        }
    }

    /// What a pool at a price of one pays for an input, by the pool program's arithmetic.
    fn paid(fee_ppm: u32, liquidity: u64, input: Side, amount: u64) -> u64 {
        let target = match input {
            Side::Base => SqrtPrice::MIN,
            Side::Quote => SqrtPrice::MAX,
        };
        let step = swap_step(SwapStepInput {
            amount_remaining: amount,
            mode: SwapMode::ExactIn,
            input,
            fee_rate_ppm: fee_ppm,
            liquidity: liquidity.into(),
            sqrt_price: SqrtPrice::ONE,
            target,
        });
        step.unwrap().amount_out
    }

    /// Nobody who splits a trade otherwise gets more from the two pools together, whichever way it goes.
    #[test]
    fn no_other_split_pays_more() {
        for pools in POOLS {
            let (fee, liquidity, other_fee, other_liquidity) = pools;
            for size in [10_000_000u64, 3_000_000_000, 500_000_000_000] {
                for input in [Side::Base, Side::Quote] {
                    let out = |here: u64| {
                        paid(fee, liquidity, input, here)
                            + paid(other_fee, other_liquidity, input, size - here)
                    };
                    let best = here_of(&route(pools), size as f64).round() as u64;
                    let (most, off) = (out(best), (size / 50).max(1));
                    let others = [best.saturating_sub(off), (best + off).min(size), 0, size];
                    for other in others {
                        // Each pool rounds twice.
                        assert!(out(other) <= most + 4, "{pools:?} {size} {best} {other}");
                    }
                }
            }
        }
    }

    /// Where both pools are used, the next unit costs the same in either; where one is not, no less in that one.
    #[test]
    fn the_last_unit_costs_the_same_in_both_after_fees() {
        let mut both = 0;
        for pools in POOLS {
            let route = route(pools);
            let next = |curve: Curve, amount: f64| (curve.start + curve.slope * amount).powi(2);
            for size in [1e7, 3e9, 5e11, 2e13] {
                let here = here_of(&route, size);
                let there = size - here;
                let costs = [next(route.here, here), next(route.there, there)];
                if here > 0.0 && there > 0.0 {
                    both += 1;
                    assert!(
                        (costs[0] / costs[1] - 1.0).abs() < 1e-12,
                        "{pools:?} {size}"
                    );
                } else {
                    let [used, other] = if here > 0.0 {
                        costs
                    } else {
                        [costs[1], costs[0]]
                    };
                    assert!(used <= other, "{pools:?} {size}");
                }
            }
        }
        assert!((12..24).contains(&both), "{both}");
        // By hand: a fee of 19 % in the pool there, as deep as the one here without. Its first unit costs 1/0.81, which is what
        // a trade of 1/0.9 - 1 of the depth makes of the price here; of twice that 0.9 : 1 of what exceeds it goes there.
        let route = Route {
            here: Curve::new(0.0, 9.0),
            there: Curve::new(0.19, 9.0),
        };
        let expected = 1.0 + 1.0 * 0.9 / 1.9;
        assert!((here_of(&route, 2.0) - expected).abs() < 1e-12);
    }

    #[test]
    fn the_share_is_the_mean_over_sizes() {
        for pools in POOLS {
            let (route, mean) = (route(pools), 2e10);
            let (mut here, mut all) = (0.0, 0.0);
            for index in 0..20_000 {
                let size = -mean * (1.0 - (f64::from(index) + 0.5) / 20_000.0).ln();
                here += here_of(&route, size);
                all += size;
            }
            let share = route.mean_share_here(mean);
            assert!((share - here / all).abs() < 2e-3, "{pools:?} {share}");
        }
        // Twice as deep gets twice as much; all comes where there is nothing else.
        let even = beside(0.0004, 2e7).share_here(0.0004, 1e7, 1.0, 1.0);
        assert!((even - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(beside(0.0, 0.0).share_here(0.5, 1.0, 1.0, 1.0), 1.0);
        assert_eq!(beside(0.0, 1e9).share_here(0.5, 1.0, 1.0, 0.0), 1.0);
        assert_eq!(Takers::default().share_here(0.5, 1.0, 1.0, 1.0), 1.0);
        // Nothing comes to a pool that has nothing.
        assert_eq!(beside(0.1, 1e9).share_here(0.0, 0.0, 1.0, 1.0), 0.0);
    }

    /// A cheaper or a deeper pool beside it takes flow away, step by step; a dearer one less the smaller trades are.
    #[test]
    fn a_cheaper_or_deeper_pool_beside_it_takes_flow_away() {
        let share = |fee, liquidity| beside(fee, liquidity).share_here(0.0004, 1e7, 1.0, 1.0);
        for liquidity in [1e5, 1e7, 1e9] {
            let by_fee = [0.003, 0.0005, 0.0004, 0.0003, 0.0].map(|fee| share(fee, liquidity));
            assert!(by_fee.windows(2).all(|two| two[1] < two[0]), "{by_fee:?}");
        }
        for fee in [0.0003, 0.0004, 0.0005] {
            let by_depth = [1e5, 1e6, 1e7, 1e8].map(|liquidity| share(fee, liquidity));
            assert!(
                by_depth.windows(2).all(|two| two[1] < two[0]),
                "{by_depth:?}"
            );
        }
        let twice = beside(0.0003, 1e7).share_here(0.0004, 1e7, 1.0, 2.0);
        assert_eq!(twice, share(0.0003, 2e7));
        // Trades of 1000 that cost 0.02 % of slippage at this depth do not pay 0.1 % more.
        assert!(share(0.0014, 1e7) > 0.99 && share(0.0014, 1e5) > 0.99);
        assert!(share(0.0, 1e7) < 0.1);
    }

    #[test]
    fn flow_leaves_on_a_day() {
        let shift = Some(RoutingShift {
            after_days: 2.0,
            part: 0.75,
        });
        let takers = Takers {
            shift,
            ..Takers::default()
        };
        assert_eq!((takers.stays(1.99), takers.stays(2.0)), (1.0, 0.25));
        assert_eq!(Takers::default().stays(1e9), 1.0);
    }
}
