//! Price ranges on a pool's grid of ticks.

use anyhow::{Context, Result, bail};
use ballast_model::{
    Tick,
    screen::{Double, Real},
};

pub use ballast_view::price;

use crate::{
    decimal::Positive,
    format::significant,
    trouble::{Misuse, misuse},
};

/// A range that a position may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TickRange {
    /// Lower end.
    pub lower: Tick,
    /// Upper end.
    pub upper: Tick,
}
/// Refuses a range that ends before it begins.
///
/// # Errors
/// If it does.
pub fn in_order(lower: &Positive, upper: &Positive) -> Result<(), Misuse> {
    match lower.double() < upper.double() {
        true => Ok(()),
        false => Err(misuse!(
            "--lower {} is not below --upper {}: a range needs its lower end first",
            **lower,
            **upper
        )),
    }
}

/// The narrowest range of the pool's grid that holds these prices (quote per base, whole tokens). `decimals` are those of
/// base and quote.
///
/// # Errors
/// Prices in the wrong order, or beyond the grid.
pub fn around(
    lower: &Positive,
    upper: &Positive,
    spacing: u16,
    decimals: (u8, u8),
) -> Result<TickRange> {
    if lower.double() >= upper.double() {
        bail!(misuse!(
            "the lower price {lower} is not below the upper price {upper}",
            lower = **lower,
            upper = **upper
        ));
    }
    let root = |price: &Positive| price.sqrt_price_down(decimals.0, decimals.1);
    let at_or_below = |price: &Positive| Ok::<_, anyhow::Error>(root(price)?.tick());
    let range = TickRange {
        lower: at_or_below(lower)?.align_down(spacing).with_context(|| {
            format!("no tick of spacing {spacing} at or below price {}", **lower)
        })?,
        upper: {
            let tick = at_or_below(upper)?;
            // The floor's own price may lie below the one asked for.
            let tick = if tick.sqrt_price() < root(upper)? {
                Tick::new(tick.get() + 1)?
            } else {
                tick
            };
            tick.align_up(spacing).with_context(|| {
                format!("no tick of spacing {spacing} at or above price {}", **upper)
            })?
        },
    };
    Ok(range)
}

/// What is worth knowing before a position is opened at a price outside its range.
pub fn outside(price: Double, lower: Double, upper: Double) -> Option<String> {
    let (side, holds) = if price < lower {
        ("below", "base")
    } else if price >= upper {
        ("above", "quote")
    } else {
        return None;
    };
    let n = |number: Double| significant(number.to_f64(), 10);
    Some(format!(
        "the price {} is {side} the range {} to {}: until it comes back the position holds only {holds} and earns no fees",
        n(price),
        n(lower),
        n(upper)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_grid(lower: &str, upper: &str, spacing: u16) -> Result<TickRange> {
        around(&lower.parse()?, &upper.parse()?, spacing, (9, 6))
    }

    #[test]
    fn the_range_holds_what_was_asked_for() {
        for spacing in [1, 4, 64, 128] {
            let range = on_grid("190", "210", spacing).unwrap();
            let ends =
                [range.lower, range.upper].map(|tick| price(tick.sqrt_price(), 9, 6).to_f64());
            let grid = 1.0001f64.powi(spacing.into()) * (1.0 + 1e-9);
            assert!(ends[0] <= 190.0 && ends[0] > 190.0 / grid, "{ends:?}");
            assert!(ends[1] >= 210.0 && ends[1] < 210.0 * grid, "{ends:?}");
            assert!(
                range.lower.get() % i32::from(spacing) == 0
                    && range.upper.get() % i32::from(spacing) == 0
            );
        }
    }

    #[test]
    fn even_the_narrowest_range_has_two_ends() {
        let range = on_grid("200", "200.0000001", 64).unwrap();
        assert!(range.lower < range.upper);
    }

    #[test]
    fn nonsense_is_refused() {
        for (lower, upper, spacing) in [
            ("210", "190", 64),
            ("200", "200", 64),
            ("190", "210", 0),
            ("1e-40", "1", 1),
        ] {
            assert!(
                on_grid(lower, upper, spacing).is_err(),
                "{lower} {upper} {spacing}"
            );
        }
    }
}
