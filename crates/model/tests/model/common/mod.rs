//! What several test files share: replayable seeds, positions, and exact values to compare with.
#![allow(
    dead_code,
    unused_imports,
    reason = "every test file uses its own part"
)]

pub mod golden;
mod seed;

use ballast_model::{Amounts, Band, Bps, Position, SqrtPrice, Tick, value_up};
use proptest::prelude::*;
use ruint::aliases::U512;
pub use seed::config;

pub fn sqrt_price(x64: u128) -> SqrtPrice {
    SqrtPrice::new(x64).unwrap()
}

/// The square-root price of a price in raw units.
pub fn at(price: f64) -> SqrtPrice {
    sqrt_price((price.sqrt() * 2f64.powi(64)) as u128)
}

/// The price in raw units.
pub fn price(at: SqrtPrice) -> f64 {
    (at.x64() as f64 / 2f64.powi(64)).powi(2)
}

/// Any band between the ends of all ticks, mostly of ordinary width.
pub fn bands() -> impl Strategy<Value = Band> {
    let ordinary =
        (-80_000i32..80_000, 1i32..20_000).prop_map(|(lower, width)| (lower, lower + width));
    let any = (-443_636i32..443_636, -443_636i32..=443_636)
        .prop_filter_map("empty", |(a, b)| (a != b).then(|| (a.min(b), a.max(b))));
    prop_oneof![4 => ordinary, 1 => any].prop_map(|(lower, upper)| {
        Band::new(Tick::new(lower).unwrap(), Tick::new(upper).unwrap()).unwrap()
    })
}

/// A price inside the band, or near it, or anywhere.
pub fn prices(band: Band) -> impl Strategy<Value = SqrtPrice> {
    let (lower, upper) = (band.sqrt_lower().x64(), band.sqrt_upper().x64());
    let (least, most) = (SqrtPrice::MIN.x64(), SqrtPrice::MAX.x64());
    prop_oneof![
        4 => lower..=upper,
        1 => (lower / 2).max(least)..=lower,
        1 => upper..=(upper * 2).min(most),
        1 => least..=most,
    ]
    .prop_map(sqrt_price)
}

/// A position whose amounts are about `2^bits` units at most, with debts of any LTV up to 150 % at a price near the band.
pub fn positions(bits: core::ops::Range<u32>) -> impl Strategy<Value = Position> {
    (bands(), bits, any::<[u16; 6]>(), any::<[bool; 4]>())
        .prop_flat_map(|(band, bits, parts, flags)| {
            (Just((band, bits, parts, flags)), prices(band))
        })
        .prop_filter_map(
            "amounts beyond 64 bits",
            |((band, bits, parts, flags), near)| {
                let part = |index: usize| f64::from(parts[index]) / 65_535.0;
                // Liquidity whose larger full amount is about 2^bits.
                let (sa, sb) = (
                    price(band.sqrt_lower()).sqrt(),
                    price(band.sqrt_upper()).sqrt(),
                );
                let unit = (1.0 / sa - 1.0 / sb).max(sb - sa);
                let liquidity = (2f64.powi(bits as i32) / unit * (0.5 + part(0) / 2.0)) as u128;
                let bare = Position {
                    band,
                    liquidity,
                    idle: Amounts::ZERO,
                    debt: Amounts::ZERO,
                };
                bare.full_base_up().ok()?;
                bare.full_quote_up().ok()?;
                let value = bare.value(near).ok()?.assets as f64;
                let p = price(near);
                let amount = |value: f64| {
                    if value < 2f64.powi(62) {
                        Some(value as u64)
                    } else {
                        None
                    }
                };
                let idle = Amounts {
                    base: if flags[0] {
                        amount(value / p * part(1))?
                    } else {
                        0
                    },
                    quote: if flags[1] {
                        amount(value * part(2))?
                    } else {
                        0
                    },
                };
                let debt =
                    part(3) * 1.5 * Position { idle, ..bare }.value(near).ok()?.assets as f64;
                let hedge = if flags[2] {
                    part(4)
                } else {
                    f64::from(u8::from(flags[3]))
                };
                let debt = Amounts {
                    base: amount(debt * hedge / p)?,
                    quote: amount(debt * (1.0 - hedge))?,
                };
                Some(Position { idle, debt, ..bare })
            },
        )
}

/// `10000 (t A - D)` at a price, exactly, as (positive part, negative part) over a common denominator, and that
/// denominator: no amount is rounded to whole units.
pub fn exact_margin(position: &Position, at: SqrtPrice, threshold: Bps) -> (U512, U512, U512) {
    let wide = |value: u128| U512::from(value);
    let (lower, upper) = (
        wide(position.band.sqrt_lower().x64()),
        wide(position.band.sqrt_upper().x64()),
    );
    let s = wide(at.x64());
    let inside = wide(position.band.clamp(at).x64());
    let liquidity = wide(position.liquidity);
    let one = U512::from(1);
    // Base: L (sb - q) 2^64 / (q sb); quote: L (q - sa) / 2^64; price: s^2 / 2^128. Times q sb 2^128 each.
    let unit = inside * upper;
    let price = s * s;
    let pool_base = ((liquidity * (upper - inside)) << 64usize) * price;
    let pool_quote = ((liquidity * (inside - lower)) << 64usize) * unit;
    let side = |amounts: Amounts| {
        (U512::from(amounts.base) * price + (U512::from(amounts.quote) << 128usize)) * unit
    };
    let assets = pool_base + pool_quote + side(position.idle);
    (
        assets * U512::from(threshold.get()),
        side(position.debt) * U512::from(Bps::ONE.get()),
        (unit * one) << 128usize,
    )
}

/// `P`, rounded up, in whole quote units.
pub fn unit(at: SqrtPrice) -> u128 {
    value_up(1, at).unwrap()
}

/// Quote units by which a position at a price is off the target: `t A - D`, negative if above it.
pub fn margin(position: &Position, at: SqrtPrice, target: Bps) -> f64 {
    let value = position.value(at).unwrap();
    value.assets as f64 * f64::from(target.get()) / 1e4 - value.debt as f64
}
