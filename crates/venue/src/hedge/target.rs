//! What to trade, from values alone. Sizes are in the base token, positive for long.

use super::{exposure::Exposure, permit::Held};
use crate::{
    depth::Depth,
    instrument::{Instrument, MIN_NOTIONAL, Side},
};
use rust_decimal::Decimal;

/// How the hedge trades.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Half of the band in which nothing is traded.
    pub band: Decimal,
    /// How far from the best price an order may fill, in basis points.
    pub cap_bps: Decimal,
    /// The share of what is visible within the cap that one order takes.
    pub depth_share: Decimal,
}

/// An order to send, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Send it.
    Trade(Ticket),
    /// Everything that may be true is inside the band, or too little outside it for an order.
    Inside,
    /// The chain goes first.
    ChainFirst,
    /// Nothing is offered within the cap.
    NoDepth,
    /// The order that would be needed is not permitted.
    Held(Held),
}

/// What to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Buy or sell.
    pub side: Side,
    /// How much.
    pub size: Decimal,
    /// The worst price.
    pub cap: Decimal,
    /// Whether it may only shrink the position.
    pub reduce_only: bool,
    /// What is left for further orders.
    pub left: Decimal,
}

/// Decides. Only what is needed whatever becomes of the intents in flight is traded, to the band's edge; what is left outside after
/// rounding toward zero is less than a lot. An order below the venue's minimum is raised to it, if that stays inside the band.
#[must_use]
pub fn decide(
    exposure: Exposure,
    position: Decimal,
    rules: &Rules,
    instrument: &Instrument,
    depth: &Depth,
) -> Decision {
    let (low, high) = exposure.with(position);
    let (side, excess) = if low > rules.band {
        (Side::Sell, low - rules.band)
    } else if high < -rules.band {
        (Side::Buy, -rules.band - high)
    } else if exposure.waits_for_chain(position, rules.band) {
        return Decision::ChainFirst;
    } else {
        return Decision::Inside;
    };
    let Some(cap) = cap(side, rules.cap_bps, instrument, depth) else {
        return Decision::NoDepth;
    };
    let needed = instrument.size_toward_zero(excess);
    if needed.is_zero() {
        return Decision::Inside;
    }
    // By the price that counts for the venue's minimum: the order's own.
    let least = instrument.min_size_up(cap);
    let shrinks = !position.is_zero() && Side::of(position) != side;
    // What closes the whole position may be smaller than the minimum.
    let wanted = if needed >= least || (shrinks && needed == position.abs()) {
        needed
    } else if least <= excess + rules.band + rules.band {
        least
    } else {
        return Decision::Inside;
    };
    let visible = depth.visible(side, cap);
    if visible.is_zero() {
        return Decision::NoDepth;
    }
    let slice = instrument
        .size_toward_zero(visible * rules.depth_share)
        .max(least);
    // A rest that would be below the minimum goes along.
    let size = if wanted <= slice || wanted - slice < least {
        wanted
    } else {
        slice
    };
    Decision::Trade(Ticket {
        side,
        size,
        cap,
        reduce_only: shrinks && size <= position.abs(),
        left: wanted - size,
    })
}

/// The worst price that an order may have: rounded so that it is never worse, but not beyond the best that is offered.
fn cap(side: Side, cap_bps: Decimal, instrument: &Instrument, depth: &Depth) -> Option<Decimal> {
    let best = depth.against(side).first()?.price;
    let share = cap_bps / Decimal::from(10_000);
    Some(match side {
        Side::Buy => instrument
            .price_down(best * (Decimal::ONE + share))
            .max(best),
        Side::Sell => instrument.price_up(best * (Decimal::ONE - share)).min(best),
    })
}

/// Whether the rest of a hedge may be left: `|book + perp|` is inside the band and one smallest order.
#[must_use]
pub fn settled(
    exposure: Exposure,
    position: Decimal,
    rules: &Rules,
    instrument: &Instrument,
    price: Decimal,
) -> bool {
    let (low, high) = exposure.with(position);
    let lot = instrument
        .lot()
        .max(if rules.band * Decimal::TWO * price < MIN_NOTIONAL {
            instrument.min_size_up(price)
        } else {
            Decimal::ZERO
        });
    low <= rules.band + lot && high >= -rules.band - lot
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::depth::Level;
    use crate::instrument::sol;
    use proptest::prelude::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn depth(size: &str) -> Depth {
        let level = |price: &str| Level {
            price: dec(price),
            size: dec(size),
        };
        Depth {
            bids: vec![level("99.9"), level("99.5")],
            asks: vec![level("100.1"), level("100.5")],
        }
    }

    fn rules() -> Rules {
        Rules {
            band: dec("2"),
            cap_bps: dec("100"),
            depth_share: dec("0.5"),
        }
    }

    fn ticket(exposure: Exposure, position: &str, depth: &Depth) -> Ticket {
        match decide(exposure, dec(position), &rules(), &sol(), depth) {
            Decision::Trade(ticket) => ticket,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn trades_to_the_edge_and_not_inside_the_band() {
        let deep = depth("1000");
        for position in ["-8", "-10", "-12"] {
            assert_eq!(
                decide(
                    Exposure::of(dec("10")),
                    dec(position),
                    &rules(),
                    &sol(),
                    &deep
                ),
                Decision::Inside
            );
        }
        let sell = ticket(Exposure::of(dec("10")), "0", &deep);
        assert_eq!(
            (sell.side, sell.size, sell.reduce_only),
            (Side::Sell, dec("8"), false)
        );
        assert_eq!(sell.cap, dec("98.901"));
        let buy = ticket(Exposure::of(dec("1.239")), "-5", &deep);
        assert_eq!(
            (buy.side, buy.size, buy.reduce_only),
            (Side::Buy, dec("1.76"), true)
        );
        assert_eq!(buy.cap, dec("101.1"));
    }

    #[test]
    fn only_what_is_needed_whatever_is_in_flight_and_the_chain_first() {
        let deep = depth("1000");
        let waiting = Exposure::of(dec("10")).in_flight(dec("-9"));
        assert_eq!(
            decide(waiting, Decimal::ZERO, &rules(), &sol(), &deep),
            Decision::Inside
        );
        let partly = Exposure::of(dec("10"))
            .in_flight(dec("-5"))
            .in_flight(dec("3"));
        assert_eq!(ticket(partly, "0", &deep).size, dec("3"));
        let due = Exposure::of(dec("10")).due(dec("-10"));
        assert_eq!(
            decide(due, Decimal::ZERO, &rules(), &sol(), &deep),
            Decision::ChainFirst
        );
        // What the chain will not cure is not left to it.
        let rest = due.and(Exposure::of(dec("7")));
        assert_eq!(ticket(rest, "0", &deep).size, dec("5"));
        // Nor is a book called due that is inside the band as it is.
        let calm = Exposure::of(dec("1")).due(dec("-1"));
        assert_eq!(
            decide(calm, Decimal::ZERO, &rules(), &sol(), &deep),
            Decision::Inside
        );
    }

    #[test]
    fn slices_by_what_is_visible_and_raises_what_is_too_small() {
        let thin = depth("2");
        let first = ticket(Exposure::of(dec("20")), "0", &thin);
        assert_eq!((first.size, first.left), (dec("2"), dec("16")));
        assert_eq!(
            decide(
                Exposure::of(dec("20")),
                Decimal::ZERO,
                &rules(),
                &sol(),
                &Depth::default()
            ),
            Decision::NoDepth
        );
        // Five cents over the edge: ten dollars, because the band has room.
        let small = ticket(Exposure::of(dec("2.05")), "0", &depth("100"));
        assert_eq!(small.size, sol().min_size_up(small.cap));
        let closing = Rules {
            band: Decimal::ZERO,
            ..rules()
        };
        let last = decide(
            Exposure::of(Decimal::ZERO),
            dec("-0.05"),
            &closing,
            &sol(),
            &depth("100"),
        );
        assert!(
            matches!(last, Decision::Trade(Ticket { reduce_only: true, size, .. }) if size == dec("0.05")),
            "{last:?}"
        );
        let narrow = Rules {
            band: dec("0.01"),
            ..rules()
        };
        assert_eq!(
            decide(
                Exposure::of(dec("0.05")),
                Decimal::ZERO,
                &narrow,
                &sol(),
                &depth("100")
            ),
            Decision::Inside
        );
    }

    proptest! {
        #[test]
        fn repeated_decisions_end_inside_the_band_and_a_lot(delta in -5000_i64..5000, start in -5000_i64..5000, size in 1_i64..200, band in 0_i64..300) {
            let (exposure, rules) = (Exposure::of(Decimal::new(delta, 2)), Rules { band: Decimal::new(band, 2), ..rules() });
            let mut position = Decimal::new(start, 2);
            for _ in 0..20_000 {
                let Decision::Trade(ticket) = decide(exposure, position, &rules, &sol(), &depth(&size.to_string())) else { break };
                let before = exposure.with(position).0;
                let next = position + ticket.side.signed(ticket.size);
                // Never through the band.
                prop_assert!(exposure.with(next).0.abs() < before.abs() || exposure.with(next).0.abs() <= rules.band);
                prop_assert!(!ticket.reduce_only || next.abs() < position.abs());
                position = next;
            }
            prop_assert!(settled(exposure, position, &rules, &sol(), dec("100")), "{position}");
        }
    }
}
