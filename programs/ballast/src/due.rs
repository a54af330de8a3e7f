//! When recentering and exits are due, and where a new band may lie. The keeper decides by the same functions.

use ballast_clmm::{Band, SqrtPrice, Tick, wide::mul_div_down};
use ballast_model::Bps;

use crate::{
    events::ExitReason,
    state::{Automation, Reaction},
};

/// Whether the price is outside the band, or within `edge_bps` of its width (in square-root price) of either edge.
pub fn at_edge(band: &Band, edge_bps: u32, price: SqrtPrice) -> bool {
    let (lower, upper, s) = (
        band.sqrt_lower().x64(),
        band.sqrt_upper().x64(),
        price.x64(),
    );
    let margin = mul_div_down(
        upper - lower,
        u128::from(edge_bps),
        u128::from(Bps::ONE.get()),
    )
    .unwrap_or(upper - lower);
    s < lower.saturating_add(margin) || s >= upper.saturating_sub(margin)
}

/// Whether the price is strictly inside the owner's window, where keepers may recenter.
pub fn inside_window(automation: &Automation, price: SqrtPrice) -> bool {
    !reached_low(automation, price) && !reached_high(automation, price)
}

/// Whether the middle between the ticks is at most one tick spacing from the price: a band cannot lie nearer, because its
/// edges are multiples of the spacing.
pub fn centred([lower, upper]: [i32; 2], tick_spacing: u16, price: SqrtPrice) -> bool {
    // Ticks have 20 bits.
    let middle = (i64::from(lower) + i64::from(upper)).div_euclid(2);
    let sqrt = |tick: i64| {
        let tick = tick.clamp(i64::from(Tick::MIN.get()), i64::from(Tick::MAX.get()));
        Tick::new(tick as i32).map(Tick::sqrt_price)
    };
    let spacing = i64::from(tick_spacing);
    match (sqrt(middle - spacing), sqrt(middle + spacing + 1)) {
        (Ok(low), Ok(high)) => low <= price && price <= high,
        _ => false,
    }
}

/// Whether the width between the ticks is one that the owner lets keepers choose.
pub fn width_allowed(automation: &Automation, [lower, upper]: [i32; 2]) -> bool {
    let width = i64::from(upper) - i64::from(lower);
    let allowed =
        i64::from(automation.min_width_ticks.max(1))..=i64::from(automation.max_width_ticks);
    allowed.contains(&width)
}

/// The exit that is due at a price and equity (raw quote units at that price): the floor before the window's edges.
pub fn exit_due(
    automation: &Automation,
    price: SqrtPrice,
    equity: i128,
) -> Option<(ExitReason, Reaction)> {
    let exits = |byte: u8| Reaction::from_byte(byte).filter(|reaction| *reaction != Reaction::Hold);
    let at_floor = automation.min_equity > 0 && equity <= i128::from(automation.min_equity);
    let by = |holds: bool, reason, byte| {
        holds
            .then(|| exits(byte))
            .flatten()
            .map(|reaction| (reason, reaction))
    };
    by(at_floor, ExitReason::Floor, automation.at_floor)
        .or_else(|| {
            by(
                reached_low(automation, price),
                ExitReason::Low,
                automation.at_low,
            )
        })
        .or_else(|| {
            by(
                reached_high(automation, price),
                ExitReason::High,
                automation.at_high,
            )
        })
}

fn reached_low(automation: &Automation, price: SqrtPrice) -> bool {
    // A tick that is none, `NO_LOW` among them, is no edge.
    Tick::new(automation.window_low_tick).is_ok_and(|tick| price <= tick.sqrt_price())
}

fn reached_high(automation: &Automation, price: SqrtPrice) -> bool {
    Tick::new(automation.window_high_tick).is_ok_and(|tick| price >= tick.sqrt_price())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tick: i32) -> SqrtPrice {
        Tick::new(tick).unwrap().sqrt_price()
    }

    fn next(price: SqrtPrice, by: i128) -> SqrtPrice {
        SqrtPrice::new(price.x64().checked_add_signed(by).unwrap()).unwrap()
    }

    #[test]
    fn the_edge_is_a_part_of_the_band_and_everything_outside() {
        let band = Band::new(Tick::new(-100).unwrap(), Tick::new(100).unwrap()).unwrap();
        let due = |edge_bps, price| at_edge(&band, edge_bps, price);
        assert!(due(0, next(at(-100), -1)));
        assert!(!due(0, at(-100)));
        assert!(!due(0, next(at(100), -1)));
        assert!(due(0, at(100)));
        let width = band.sqrt_upper().x64() - band.sqrt_lower().x64();
        let tenth = (width / 10) as i128;
        assert!(due(1_000, next(at(-100), tenth - 1)));
        assert!(!due(1_000, next(at(-100), tenth + 1)));
        assert!(!due(1_000, next(at(100), -tenth - 1)));
        assert!(due(1_000, next(at(100), -tenth + 1)));
        assert!(due(1_000, SqrtPrice::MIN) && due(1_000, SqrtPrice::MAX));
    }

    #[test]
    fn a_band_is_centred_within_a_spacing() {
        for (ticks, price, expected) in [
            ([-640, 640], at(0), true),
            ([-640, 640], at(64), true),
            ([-640, 640], at(66), false),
            ([-640, 640], at(-64), true),
            ([-640, 640], at(-65), false),
            ([0, 640], at(0), false),
            ([i32::MIN, i32::MAX], at(0), true),
        ] {
            assert_eq!(centred(ticks, 64, price), expected, "{ticks:?}");
        }
    }

    #[test]
    fn widths_lie_within_the_owners_bounds() {
        let bounds = |min_width_ticks, max_width_ticks| Automation {
            min_width_ticks,
            max_width_ticks,
            ..Automation::OFF
        };
        assert!(width_allowed(&bounds(100, 200), [0, 100]));
        assert!(width_allowed(&bounds(100, 200), [-100, 100]));
        assert!(!width_allowed(&bounds(100, 200), [0, 99]));
        assert!(!width_allowed(&bounds(100, 200), [0, 201]));
        assert!(!width_allowed(&bounds(100, 200), [100, 0]));
        for ticks in [[0, 0], [0, 1], [i32::MIN, i32::MAX]] {
            assert!(!width_allowed(&Automation::OFF, ticks), "{ticks:?}");
        }
    }

    #[test]
    fn each_edge_and_the_floor_has_its_own_reaction() {
        let automation = Automation {
            min_equity: 1_000,
            window_low_tick: -50,
            window_high_tick: 50,
            at_low: 3,
            at_high: 2,
            at_floor: 1,
            ..Automation::OFF
        };
        let due = |price, equity| exit_due(&automation, price, equity);
        assert_eq!(due(at(0), 1_001), None);
        let floor = Some((ExitReason::Floor, Reaction::ExitAsIs));
        assert_eq!(due(at(0), 1_000), floor);
        assert_eq!(due(at(-60), -5), floor);
        let low = Some((ExitReason::Low, Reaction::ExitIntoQuote));
        assert_eq!(due(at(-50), 1_001), low);
        assert_eq!(due(next(at(-50), 1), 1_001), None);
        let high = Some((ExitReason::High, Reaction::ExitIntoBase));
        assert_eq!(due(at(50), 1_001), high);
        assert_eq!(due(next(at(50), -1), 1_001), None);
        assert!(inside_window(&automation, at(0)));
        assert!(!inside_window(&automation, at(50)) && !inside_window(&automation, at(-50)));

        let holding = Automation {
            at_low: 0,
            at_floor: 0,
            ..automation
        };
        assert_eq!(exit_due(&holding, at(-60), 0), None);
        assert_eq!(exit_due(&Automation::OFF, SqrtPrice::MIN, i128::MIN), None);
        assert_eq!(exit_due(&Automation::OFF, SqrtPrice::MAX, 0), None);
        assert!(inside_window(&Automation::OFF, SqrtPrice::MIN));
        assert!(inside_window(&Automation::OFF, SqrtPrice::MAX));
    }
}
