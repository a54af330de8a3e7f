//! Liquidity of others by tick, as a pool shows it at one moment.

use std::collections::BTreeMap;

use ballast_clmm::{SqrtPrice, Tick};

use crate::ticks::{SwapFee, TickPool, TickPoolError};

/// What others provide, tick by tick. It stays as it is while the price moves. Beyond the ticks that are known it goes on as at their end.
#[derive(Clone, Debug)]
pub struct TickDepth {
    /// A pool with nothing else in it: swaps go through copies of it.
    pool: TickPool,
    /// Active below the first change.
    lowest: u128,
    /// Ticks at which liquidity changes, rising, and what is active from there on.
    changes: Vec<(i32, u128)>,
    known: [i32; 2],
}

/// Ticks between which liquidity is the same: from the first one to below the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Level {
    from: i32,
    to: i32,
    pub liquidity: u128,
}

impl Level {
    /// Whether a tick is one of them.
    pub fn holds(&self, tick: i32) -> bool {
        self.from <= tick && tick < self.to
    }
}

impl TickDepth {
    /// Of what is active at the lowest known tick, and of the changes above it up to the highest one, upwards.
    ///
    /// # Errors
    /// [`TickPoolError`]: ticks that are none, or liquidity that does not add up.
    pub fn new(
        lowest: u128,
        changes: impl IntoIterator<Item = (i32, i128)>,
        known: [i32; 2],
    ) -> Result<Self, TickPoolError> {
        let [from, to] = known;
        let signed = i128::try_from(lowest).map_err(|_| TickPoolError::BadTick(from))?;
        let mut net = BTreeMap::from([(Tick::MIN.get(), signed)]);
        let mut active = lowest;
        let mut steps = Vec::new();
        let within = changes
            .into_iter()
            .filter(|(tick, change)| from < *tick && *tick <= to && *change != 0);
        for (tick, change) in within.collect::<BTreeMap<_, _>>() {
            active = active
                .checked_add_signed(change)
                .ok_or(TickPoolError::BadTick(tick))?;
            steps.push((tick, active));
            net.insert(tick, change);
        }
        let mut pool = TickPool::new(SqrtPrice::ONE, SwapFee::fixed(0), 0);
        pool.initialise(&net, [Tick::MIN.get(), Tick::MAX.get()])?;
        Ok(Self {
            pool,
            lowest,
            changes: steps,
            known,
        })
    }

    /// The ticks between which all is known.
    pub fn known(&self) -> [i32; 2] {
        self.known
    }

    /// Whether a tick is beyond them.
    pub(crate) fn is_beyond(&self, tick: i32) -> bool {
        tick < self.known[0] || self.known[1] < tick
    }

    /// Active liquidity at a price.
    pub fn liquidity_at(&self, price: SqrtPrice) -> u128 {
        self.level(price.tick().get()).liquidity
    }

    /// The ticks around one with the same liquidity.
    pub(crate) fn level(&self, tick: i32) -> Level {
        let above = self.changes.partition_point(|(at, _)| *at <= tick);
        let below = above.checked_sub(1).and_then(|at| self.changes.get(at));
        Level {
            from: below.map_or(i32::MIN, |(at, _)| *at),
            to: self.changes.get(above).map_or(i32::MAX, |(at, _)| *at),
            liquidity: below.map_or(self.lowest, |(_, active)| *active),
        }
    }

    /// A pool with this liquidity at a price.
    pub(crate) fn pool(&self, price: SqrtPrice, fee: SwapFee) -> TickPool {
        let mut pool = self.pool.clone().with_fee(fee);
        pool.set_price(price);
        pool
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn liquidity_is_what_is_active_at_a_tick_and_goes_on_beyond_the_known_ones() {
        let changes = [(-100, 5), (-50, 40), (0, -30), (60, 7), (100, -1_000)];
        // What is beyond the known ticks does not matter, nor a change at the lowest: it is counted already.
        let depth = TickDepth::new(10, changes, [-100, 90]).unwrap();
        let levels = [-200, -100, -51, -50, -1, 0, 59, 60, 5_000].map(|tick| depth.level(tick));
        let expected = [10, 10, 10, 50, 50, 20, 20, 27, 27];
        assert_eq!(levels.map(|level| level.liquidity), expected);
        for (tick, level) in [(-51, levels[1]), (-50, levels[3]), (59, levels[5])] {
            assert!(level.holds(tick), "{level:?}");
        }
        assert!(!levels[2].holds(-50) && !levels[3].holds(0));
        // The pool that swaps go through has the same.
        for tick in [-443_600, -101, -50, 0, 59, 60, 443_600] {
            let price = Tick::new(tick).unwrap().sqrt_price();
            let pool = depth.pool(price, SwapFee::fixed(7));
            assert_eq!(pool.liquidity(), depth.liquidity_at(price), "{tick}");
        }
        assert!(depth.is_beyond(-101) && !depth.is_beyond(-100));
        assert!(depth.is_beyond(91) && !depth.is_beyond(90));
    }

    #[test]
    fn less_than_nothing_is_refused() {
        let refused = TickDepth::new(10, [(0, -11)], [-5, 5]).unwrap_err();
        assert_eq!(refused, TickPoolError::BadTick(0));
        assert!(TickDepth::new(u128::MAX, [], [-5, 5]).is_err());
        assert!(TickDepth::new(1, [(443_637, 1)], [-5, 443_640]).is_err());
    }
}
