//! What a book shows: levels, and what an order would pay.

use crate::instrument::Side;
use rust_decimal::Decimal;

/// A price with what is offered at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The price.
    pub price: Decimal,
    /// The size.
    pub size: Decimal,
}

/// Both sides of a book, best first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Depth {
    /// Who buys.
    pub bids: Vec<Level>,
    /// Who sells.
    pub asks: Vec<Level>,
}

/// What an order would fill at once, and for how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sweep {
    /// The size that would fill.
    pub size: Decimal,
    /// What it is worth at the levels' prices.
    pub notional: Decimal,
    /// The worst price among them.
    pub worst: Decimal,
}

impl Depth {
    /// The side that an order of this side takes from.
    #[must_use]
    pub fn against(&self, side: Side) -> &[Level] {
        match side {
            Side::Buy => &self.asks,
            Side::Sell => &self.bids,
        }
    }

    /// Halfway between the best prices; none where a side is empty.
    #[must_use]
    pub fn mid(&self) -> Option<Decimal> {
        Some((self.bids.first()?.price + self.asks.first()?.price) / Decimal::TWO)
    }

    /// Half of what is between the best prices, as a share of the middle; none where a side is empty.
    #[must_use]
    pub fn half_spread(&self) -> Option<Decimal> {
        let ask = self.asks.first()?.price;
        let mid = self.mid().filter(|mid| !mid.is_zero())?;
        Some((ask - mid) / mid)
    }

    /// What an order would fill at once within a limit.
    #[must_use]
    pub fn sweep(&self, side: Side, size: Decimal, limit: Decimal) -> Option<Sweep> {
        let mut sweep = Sweep {
            size: Decimal::ZERO,
            notional: Decimal::ZERO,
            worst: self.against(side).first()?.price,
        };
        for level in self.against(side) {
            let left = size - sweep.size;
            if left <= Decimal::ZERO || !side.accepts(level.price, limit) {
                break;
            }
            let taken = left.min(level.size);
            sweep.size += taken;
            sweep.notional += taken * level.price;
            sweep.worst = level.price;
        }
        Some(sweep)
    }

    /// What is offered within a limit.
    #[must_use]
    pub fn visible(&self, side: Side, limit: Decimal) -> Decimal {
        self.against(side)
            .iter()
            .take_while(|level| side.accepts(level.price, limit))
            .map(|level| level.size)
            .sum()
    }
}
