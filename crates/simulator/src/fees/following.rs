//! What of a pool follows the price: its fee, and the liquidity of others.

use std::sync::Arc;

use super::{Arbitrage, FeeFlow, FeeTerms, SECS_PER_DAY, Stretch, TakersMeet};
use crate::{
    ArbitrageTrade, Terms, TickDepth,
    moving_fee::{MovingFee, Stage},
    pool::traded,
    tick_depth::Level,
    ticks::SwapFee,
};

const EVERYWHERE: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

/// See the module's description.
#[derive(Clone, Debug)]
pub(super) struct Following {
    moving: Option<MovingFee>,
    depth: Option<(Arc<TickDepth>, Level)>,
    /// Days with a price beyond the ticks that are known.
    beyond_days: f64,
}

impl FeeFlow {
    /// The same, of a pool of which something follows the price, if terms say so.
    pub fn following(mut self, terms: &Terms) -> Self {
        let log_price = terms.units.log_price(terms.at);
        // Without control it stands still.
        let adaptive = terms.adaptive_fee.filter(|terms| terms.control_factor > 0);
        let moving = (adaptive.zip(terms.fees))
            .map(|(adaptive, fees)| MovingFee::new(log_price, fees.fee, adaptive, terms.units));
        let depth = terms.tick_depth.as_ref().map(|depth| {
            let level = depth.level(terms.at.tick().get());
            self.now.others = level.liquidity as f64;
            (Arc::clone(depth), level)
        });
        if moving.is_some() || depth.is_some() {
            self.following = Some(Box::new(Following {
                moving,
                depth,
                beyond_days: 0.0,
            }));
        }
        self
    }

    /// Days with a price at which the liquidity of others is not known.
    pub fn beyond_days(&self) -> f64 {
        self.following.as_ref().map_or(0.0, |it| it.beyond_days)
    }

    /// A fee that moves, as a trade would find it so many seconds after the start.
    pub fn moving_fee(&self, secs: u64) -> Option<SwapFee> {
        let moving = self.following.as_ref()?.moving.as_ref()?;
        Some(moving.fee_at(secs))
    }

    /// One step: what takers find in it is the liquidity at its start, and the mean fee of the way that arbitrageurs take the pool. Returns
    /// whether what these have paid trade by trade is counted.
    #[inline(never)]
    pub(super) fn follow(&mut self, terms: &FeeTerms, stretch: &Stretch) -> bool {
        let Some(mut following) = self.following.take() else {
            return false;
        };
        let mut now = self.now;
        let mut is_paid = false;
        if let Some(moving) = &mut following.moving {
            let secs = ((self.elapsed_days + stretch.days) * SECS_PER_DAY).round();
            // `as` saturates.
            (now.fee, is_paid) = self.charge(terms, stretch, moving, secs as u64);
        }
        if let Some((depth, level)) = &mut following.depth {
            let tick = stretch.units.tick(stretch.from);
            if !level.holds(tick) {
                *level = depth.level(tick);
                now.others = level.liquidity as f64;
            }
            if depth.is_beyond(tick) {
                following.beyond_days += stretch.days;
            }
        }
        self.following = Some(following);
        let TakersMeet { fee, others, .. } = self.now;
        if now.fee != fee {
            // What comes back of the loss to arbitrage depends on it.
            self.variance_day = f64::NAN;
        }
        if now.fee != fee || now.others != others {
            self.find(terms, stretch, now);
        }
        is_paid
    }

    /// Arbitrageurs move the pool and its fee. Where their trades are counted one by one, they pay.
    fn charge(
        &mut self,
        terms: &FeeTerms,
        stretch: &Stretch,
        moving: &mut MovingFee,
        secs: u64,
    ) -> (f64, bool) {
        let mut own = ArbitrageTrade::default();
        let mut all = ArbitrageTrade::default();
        let pays = |Stage { from, to, fee }: Stage| {
            let trade = |range| traded((from, to), stretch.to, range, fee / (1.0 - fee));
            own += trade(stretch.range);
            all += trade(EVERYWHERE);
        };
        let (fee, is_paid) = match terms.arbitrage {
            Arbitrage::EveryLook => (moving.arbitrage(stretch.to, secs, pays), true),
            Arbitrage::Formula(_) => {
                let before = stretch.to - stretch.jump;
                let fee = moving.arbitrage(before, secs, |_| ());
                let jumps = stretch.jump != 0.0;
                if jumps {
                    moving.put(before);
                    moving.arbitrage(stretch.to, secs, pays);
                }
                (fee, jumps)
            }
        };
        self.arbitrage.base += own.fee_base;
        self.arbitrage.quote += own.fee_quote;
        if let Some(growth) = &mut self.growth {
            growth.arbitrage.base += all.fee_base;
            growth.arbitrage.quote += all.fee_quote;
        }
        (fee, is_paid)
    }
}
