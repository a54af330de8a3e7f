//! What an order may do to the position, whatever the exposure asks for: by mode, and by the most that may be held.

use super::target::{Decision, Ticket};
use crate::instrument::{Instrument, Side};
use rust_decimal::Decimal;

/// Where an order may leave the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Nearer to zero, and not beyond it.
    Shrink,
    /// At most so far from zero, or nearer to zero than before.
    UpTo(Decimal),
}

/// What is permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permit {
    /// Whether anything may be signed and sent. Otherwise the venue is asked, and the decision is shown.
    pub sends: bool,
    /// What an order may do.
    pub room: Room,
}

impl Permit {
    /// Everything.
    pub const ALL: Self = Self {
        sends: true,
        room: Room::UpTo(Decimal::MAX),
    };
}

/// Why an order is not permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It would not shrink the position.
    OnlyShrinks,
    /// The position is as large as it may be.
    Most,
}

impl Room {
    /// A decision as far as it is permitted: a smaller order, or none.
    #[must_use]
    pub fn bound(self, decision: Decision, position: Decimal, instrument: &Instrument) -> Decision {
        let Decision::Trade(ticket) = decision else {
            return decision;
        };
        let against = match ticket.side {
            Side::Buy => -position,
            Side::Sell => position,
        };
        // What can be traded before the position is zero.
        let shrinks = against.max(Decimal::ZERO);
        match self {
            Self::Shrink if shrinks.is_zero() => Decision::Held(Held::OnlyShrinks),
            Self::Shrink => cut(ticket, shrinks, shrinks, instrument, Held::OnlyShrinks),
            Self::UpTo(most) => match against.checked_add(most) {
                // Beyond the most already: nearer to zero is always permitted.
                Some(room) => cut(ticket, room.max(shrinks), shrinks, instrument, Held::Most),
                None => Decision::Trade(ticket),
            },
        }
    }
}

/// Cuts an order to what fits. What is below the venue's minimum is no order, unless it closes the whole position.
fn cut(
    ticket: Ticket,
    room: Decimal,
    shrinks: Decimal,
    instrument: &Instrument,
    held: Held,
) -> Decision {
    if ticket.size <= room {
        return Decision::Trade(Ticket {
            reduce_only: ticket.size <= shrinks,
            ..ticket
        });
    }
    let size = instrument.size_toward_zero(room);
    let closes = size == shrinks && !size.is_zero();
    if size.is_zero() || (size < instrument.min_size_up(ticket.cap) && !closes) {
        return Decision::Held(held);
    }
    Decision::Trade(Ticket {
        size,
        reduce_only: size <= shrinks,
        left: ticket.left + (ticket.size - size),
        ..ticket
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instrument::sol;
    use proptest::prelude::*;

    fn ticket(side: Side, size: Decimal) -> Ticket {
        Ticket {
            side,
            size,
            cap: 100.into(),
            reduce_only: false,
            left: Decimal::ZERO,
        }
    }

    #[test]
    fn reducing_closes_at_most_what_is_held_and_opens_nothing() {
        let bound = |side, size: i64, position: i64| {
            let trade = Decision::Trade(ticket(side, size.into()));
            Room::Shrink.bound(trade, position.into(), &sol())
        };
        assert_eq!(bound(Side::Sell, 5, 0), Decision::Held(Held::OnlyShrinks));
        assert_eq!(bound(Side::Sell, 5, -3), Decision::Held(Held::OnlyShrinks));
        let Decision::Trade(closing) = bound(Side::Sell, 5, 3) else {
            panic!("closing is permitted");
        };
        assert_eq!(
            (closing.size, closing.reduce_only, closing.left),
            (3.into(), true, 2.into())
        );
    }

    #[test]
    fn the_most_is_not_passed_and_too_small_a_rest_is_no_order() {
        let bound = |size: &str, position: &str| {
            let trade = Decision::Trade(ticket(Side::Sell, size.parse().unwrap()));
            Room::UpTo(10.into()).bound(trade, position.parse().unwrap(), &sol())
        };
        let size = |decision| match decision {
            Decision::Trade(ticket) => ticket.size,
            other => panic!("{other:?}"),
        };
        assert_eq!(size(bound("15", "0")), 10.into());
        assert_eq!(size(bound("15", "-4")), 6.into());
        // Nine dollars.
        assert_eq!(bound("15", "-9.91"), Decision::Held(Held::Most));
        assert_eq!(bound("15", "-12"), Decision::Held(Held::Most));
        // From far beyond toward zero, but not through it.
        assert_eq!(size(bound("40", "30")), 40.into());
        assert_eq!(size(bound("45", "30")), 40.into());
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_the_room_is_kept(size in 1_i64..5_000, position in -5_000_i64..5_000, most in 0_i64..5_000, buys: bool) {
            let side = if buys { Side::Buy } else { Side::Sell };
            let (size, position, most) = (Decimal::new(size, 2), Decimal::new(position, 2), Decimal::new(most, 2));
            for room in [Room::Shrink, Room::UpTo(most)] {
                let Decision::Trade(permitted) = room.bound(Decision::Trade(ticket(side, size)), position, &sol()) else { continue };
                let after = position + side.signed(permitted.size);
                prop_assert!(permitted.size > Decimal::ZERO && permitted.size <= size);
                prop_assert_eq!(permitted.size + permitted.left, size);
                match room {
                    Room::Shrink => prop_assert!(after.abs() < position.abs() && after * position >= Decimal::ZERO && permitted.reduce_only),
                    Room::UpTo(most) => prop_assert!(after.abs() <= most || (after.abs() < position.abs() && after * position >= Decimal::ZERO)),
                }
            }
        }
    }
}
