//! How many valuations a boundary takes. What is found does not depend on the estimate, only how soon: a bisection of all prices takes
//! over a hundred.

use std::{cell::Cell, collections::BTreeMap};

use ballast_clmm::{Amounts, Band, SqrtPrice, Tick, base_amount_down, quote_amount_down};

use super::{condition::Condition, curve::Curve};
use crate::{Bps, Position};

thread_local! {
    static LOOKS: Cell<u32> = const { Cell::new(0) };
}

/// Notes a valuation.
pub(super) fn note() {
    LOOKS.set(LOOKS.get() + 1);
}

/// Looks of many boundaries.
#[derive(Debug, Default)]
struct Looks {
    flips: u32,
    all: u32,
    most: u32,
}

impl Looks {
    fn add(&mut self, looks: u32) {
        self.flips += 1;
        self.all += looks;
        self.most = self.most.max(looks);
    }
}

/// Numbers that look random, the same in every run.
struct Random(u64);

impl Random {
    /// At least 0, and below 1.
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn within(&mut self, from: f64, to: f64) -> f64 {
        from + self.unit() * (to - from)
    }
}

fn drawn(random: &mut Random) -> Option<Position> {
    let centre = random.within(-40_000.0, 40_000.0) as i32;
    let tick = |tick: i32| Tick::new(tick).unwrap();
    let band = Band::new(
        tick(centre - random.within(10.0, 4_000.0) as i32),
        tick(centre + random.within(10.0, 4_000.0) as i32),
    )
    .unwrap();
    let liquidity = 10f64.powf(random.within(9.0, 15.0)) as u128;
    let (lower, upper) = (band.sqrt_lower(), band.sqrt_upper());
    let full = Amounts {
        base: base_amount_down(liquidity, lower, upper).ok()?,
        quote: quote_amount_down(liquidity, lower, upper).ok()?,
    };
    let mut part = |of: u64, chance: f64, most: f64| {
        if random.unit() < chance {
            (of as f64 * random.within(0.0, most)) as u64
        } else {
            0
        }
    };
    Some(Position {
        band,
        liquidity,
        debt: Amounts::new(part(full.base, 0.8, 1.1), part(full.quote, 0.8, 1.1)),
        idle: Amounts::new(part(full.base, 0.3, 0.5), part(full.quote, 0.3, 0.5)),
    })
}

#[test]
fn a_boundary_takes_few_valuations() {
    let mut random = Random(1);
    let mut found: BTreeMap<(&str, &str), Looks> = BTreeMap::new();
    for _ in 0..60_000 {
        let Some(position) = drawn(&mut random) else {
            continue;
        };
        let condition = if random.unit() < 0.5 {
            Condition::LtvBelow(Bps::new(random.within(5_000.0, 9_900.0) as u32))
        } else {
            let quote = position.full_quote_up().unwrap() as f64;
            Condition::EquityAbove((quote * random.within(-0.5, 1.5)) as i128)
        };
        let peak = match condition {
            Condition::LtvBelow(threshold) => position.peak(threshold),
            Condition::EquityAbove(_) => position.peak(Bps::ONE),
        };
        let holds = position
            .value(peak)
            .is_ok_and(|value| condition.holds(&value));
        if !holds || position.debt.is_zero() {
            continue;
        }
        for (side, end) in [("below", SqrtPrice::MIN), ("above", SqrtPrice::MAX)] {
            LOOKS.set(0);
            let Some(curve) = Curve::new(&position, condition, peak) else {
                continue;
            };
            let Some(at) = curve.flip(end, peak) else {
                continue;
            };
            let place = if at < position.band.sqrt_lower() {
                "left of the band"
            } else if at > position.band.sqrt_upper() {
                "right of the band"
            } else {
                "in the band"
            };
            found.entry((side, place)).or_default().add(LOOKS.get());
        }
    }
    let bounds = [
        (("above", "in the band"), 19.2, 30),
        (("above", "left of the band"), 16.4, 25),
        (("above", "right of the band"), 13.6, 25),
        (("below", "in the band"), 31.5, 85),
        (("below", "left of the band"), 23.8, 75),
        (("below", "right of the band"), 49.6, 75),
    ];
    for (place, mean_bound, most_bound) in bounds {
        let looks = &found[&place];
        let mean = f64::from(looks.all) / f64::from(looks.flips);
        println!(
            "{place:?}: {mean:.3} in {}, {} at most",
            looks.flips, looks.most
        );
        assert!(
            looks.flips > 300 && mean < mean_bound && looks.most <= most_bound,
            "{place:?}"
        );
    }
}
