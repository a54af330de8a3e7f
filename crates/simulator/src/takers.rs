//! Traders who pay fees for other reasons than the pool's price, and where they go.

use crate::{
    SimulationError,
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
    /// in whole quote tokens per unit of liquidity.
    ///
    /// A trade is split so that its last unit costs the same in both pools: `g + 2 a / (L s)` for an amount a. With
    /// `k = 2 / (L s)` of either, an exponential size of mean m and `q = |g - g'| / k` of the cheaper pool, the size up to which
    /// that pool takes all: the dearer one gets `k / (k + k') e^(-q / m)` with k of the cheaper one.
    pub(crate) fn share_here(&self, fee: f64, liquidity: f64, root: f64) -> f64 {
        let Some(other) = self.other_pool else {
            return 1.0;
        };
        if other.liquidity == 0.0 {
            return 1.0;
        }
        let slope = |liquidity: f64| 2.0 / (liquidity * root);
        let (here, there) = (slope(liquidity), slope(other.liquidity));
        let dearer = |cheap: f64, dear: f64, advantage: f64| {
            cheap / (cheap + dear) * (-advantage / cheap / other.trade_size).exp()
        };
        if fee <= other.fee {
            1.0 - dearer(here, there, other.fee - fee)
        } else {
            dearer(there, here, fee - other.fee)
        }
    }

    /// The part of a day's flow that is still there.
    pub(crate) fn stays(&self, at_days: f64) -> f64 {
        match self.shift {
            Some(shift) if at_days >= shift.after_days => 1.0 - shift.part,
            _ => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// The split of each trade, by bisection on the price of its last unit, over sizes of equal chance.
    fn share_by_trades(fee: f64, liquidity: f64, other: &OtherPool) -> f64 {
        let price = |fee: f64, liquidity: f64, amount: f64| fee + 2.0 * amount / liquidity;
        let (mut here, mut all) = (0.0, 0.0);
        for index in 0..20_000 {
            let size = -other.trade_size * (1.0 - (f64::from(index) + 0.5) / 20_000.0).ln();
            let (mut low, mut high) = (0.0, size);
            for _ in 0..60 {
                let middle = (low + high) / 2.0;
                if price(fee, liquidity, middle) < price(other.fee, other.liquidity, size - middle)
                {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            here += low;
            all += size;
        }
        here / all
    }

    #[test]
    fn trades_are_split_so_that_the_last_unit_costs_the_same() {
        for (fee, liquidity, other_fee, other_liquidity) in [
            (0.0004, 1e7, 0.0004, 3e7),
            (0.0004, 1e7, 0.0005, 1e8),
            (0.003, 1e7, 0.0005, 2e6),
            (0.0005, 5e6, 0.003, 1e9),
        ] {
            let takers = beside(other_fee, other_liquidity);
            let share = takers.share_here(fee, liquidity, 1.0);
            let expected = share_by_trades(fee, liquidity, &takers.other_pool.unwrap());
            assert!((share - expected).abs() < 2e-3, "{share} {expected}");
        }
        // Twice as deep gets twice as much; all comes where there is nothing else.
        let even = beside(0.0004, 2e7).share_here(0.0004, 1e7, 1.0);
        assert!((even - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(beside(0.0, 0.0).share_here(0.5, 1.0, 1.0), 1.0);
        assert_eq!(Takers::default().share_here(0.5, 1.0, 1.0), 1.0);
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
