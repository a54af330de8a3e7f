//! Widths of bands, and bands of a width around a price.

use std::str::FromStr;

use anyhow::{Context, Result};
use ballast_model::{SqrtPrice, Tick, screen::Real};

use crate::{decimal::Ratio, range::TickRange};

/// The ratio of two prices that are a tick apart.
const TICK: f64 = 1.0001;

/// The distance from a band's lower to its upper end, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Width(pub u32);

impl FromStr for Width {
    type Err = String;

    /// `10%`: the upper price is 10 % above the lower; `1024`: so many ticks.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("`{text}` is no width: write a percentage like 10%, or a whole number of ticks")
        };
        // As it is printed: the ticks count.
        let (text, ratio) = match text.split_once(" ticks (") {
            Some((ticks, ratio)) => (ticks, Some(ratio)),
            None => (text, None),
        };
        if ratio.is_some_and(|ratio| !ratio.ends_with("%)") || text.ends_with('%')) {
            return Err(wrong());
        }
        if !text.ends_with('%') {
            let ticks = text.strip_suffix(" ticks").unwrap_or(text);
            return ticks.parse().map(Self).map_err(|_| wrong());
        }
        let ratio: Ratio = text.parse().map_err(|_| wrong())?;
        let ticks = (1.0 + ratio.double().to_f64()).ln() / TICK.ln();
        // Wider than all ticks is refused by whoever uses it.
        if !(0.0..=f64::from(u32::MAX)).contains(&ticks) {
            return Err(wrong());
        }
        Ok(Self(ticks.round() as u32))
    }
}

impl Width {
    /// The same for people.
    pub fn told(self) -> String {
        let ratio = TICK.powf(self.0.into()) - 1.0;
        format!("{} ticks ({})", self.0, crate::format::percent(ratio))
    }

    /// The band of this width, rounded up to the pool's grid, whose middle is as near to a price as the grid allows.
    ///
    /// # Errors
    /// Beyond the grid.
    pub fn around(self, price: SqrtPrice, spacing: u16) -> Result<TickRange> {
        let grid = i64::from(spacing.max(1));
        let width = (i64::from(self.0.max(1)) + grid - 1).div_euclid(grid) * grid;
        let lower = i64::from(price.tick().get()) - width / 2;
        // To the nearest of the grid, so that the middle is off by half a spacing at most.
        let lower = (lower + grid / 2).div_euclid(grid) * grid;
        let tick = |tick: i64| {
            let tick = i32::try_from(tick)
                .ok()
                .and_then(|tick| Tick::new(tick).ok());
            tick.with_context(|| format!("a band of {} ticks does not fit here", self.0))
        };
        Ok(TickRange {
            lower: tick(lower)?,
            upper: tick(lower + width)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use ballast_client::ballast::due;

    use super::*;

    #[test]
    fn widths_are_ticks_or_a_ratio_of_prices() {
        let width = |text: &str| text.parse::<Width>();
        assert_eq!(width("1024"), Ok(Width(1_024)));
        // 1.0001^953 = 1.1000
        assert_eq!(width("10%"), Ok(Width(953)));
        assert_eq!(width("0%"), Ok(Width(0)));
        assert_eq!(width("10 %"), Ok(Width(953)));
        assert_eq!(width("953 ticks"), Ok(Width(953)));
        assert_eq!(Width(953).told(), "953 ticks (10.00%)");
        assert_eq!(width("953 ticks (10.00%)"), Ok(Width(953)));
        assert_eq!(width("600 ticks (6.18%)"), Ok(Width(600)));
        for wrong in [
            "",
            "%",
            "-5",
            "1.5",
            "x%",
            "-1%",
            "600 ticks (",
            "10% ticks (6%",
        ] {
            let error = width(wrong).unwrap_err();
            assert!(error.contains("10%"), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_band_around_a_price_is_one_that_the_program_calls_centred() {
        for spacing in [1u16, 4, 64, 128] {
            for tick in [-16_095, -16_094, -16_064, 0, 1, 31, 32, 33, 100_001] {
                for width in [1, 63, 400, 1_000, 1_001] {
                    let price = Tick::new(tick).unwrap().sqrt_price();
                    let band = Width(width).around(price, spacing).unwrap();
                    let ticks = [band.lower.get(), band.upper.get()];
                    assert!(due::centred(ticks, spacing, price), "{ticks:?} at {tick}");
                    let found = ticks[1] - ticks[0];
                    assert!(found >= width as i32 && found < width as i32 + i32::from(spacing));
                    assert!(ticks.iter().all(|tick| tick % i32::from(spacing) == 0));
                }
            }
        }
        let price = Tick::new(0).unwrap().sqrt_price();
        for wide in [1_000_000, u32::MAX] {
            assert!(Width(wide).around(price, 64).is_err());
        }
    }
}
