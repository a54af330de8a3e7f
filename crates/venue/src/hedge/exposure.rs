//! What is to be hedged, as far as it is known. Sizes are in the base token, positive for long.

use rust_decimal::Decimal;

/// The book's delta as far as it is known: what the chain shows, and what actions on the chain may make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exposure {
    low: Decimal,
    high: Decimal,
    /// The same if nothing of what is due on the chain happens: what the chain would be left to cure.
    undue: (Decimal, Decimal),
}

impl Exposure {
    /// The snapshot's delta with nothing in flight.
    #[must_use]
    pub const fn of(delta: Decimal) -> Self {
        Self {
            low: delta,
            high: delta,
            undue: (delta, delta),
        }
    }

    /// An intent in flight that may change the delta by this much, or may not.
    #[must_use]
    pub fn in_flight(self, change: Decimal) -> Self {
        let (low, high) = (change.min(Decimal::ZERO), change.max(Decimal::ZERO));
        Self {
            undue: (self.undue.0 + low, self.undue.1 + high),
            ..self.due(change)
        }
    }

    /// An action on the chain is due that would change the delta by this much. The chain goes first: what it may cure is not traded.
    #[must_use]
    pub fn due(self, change: Decimal) -> Self {
        Self {
            low: self.low + change.min(Decimal::ZERO),
            high: self.high + change.max(Decimal::ZERO),
            ..self
        }
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            low: self.low + other.low,
            high: self.high + other.high,
            undue: (self.undue.0 + other.undue.0, self.undue.1 + other.undue.1),
        }
    }

    /// The least and the most that the delta may be.
    #[must_use]
    pub const fn ends(self) -> (Decimal, Decimal) {
        (self.low, self.high)
    }

    /// The book's and the perp's delta together.
    #[must_use]
    pub fn with(self, position: Decimal) -> (Decimal, Decimal) {
        (self.low + position, self.high + position)
    }

    /// Whether something would have to be traded but for what is due on the chain.
    pub(super) fn waits_for_chain(self, position: Decimal, band: Decimal) -> bool {
        self.undue.0 + position > band || self.undue.1 + position < -band
    }
}
