//! Random positions, for tests.

use ballast_model::{Amounts, Band, Position, Tick};
use proptest::prelude::*;

/// Of every size up to so many bits.
pub fn amount(bits: u32) -> impl Strategy<Value = u64> {
    (0..bits).prop_flat_map(|bits| 0..=1u64 << bits)
}

/// A position by its lower tick and the width of its band.
pub fn position(
    (lower, width): (i32, i32),
    liquidity: u128,
    idle: [u64; 2],
    debt: [u64; 2],
) -> Position {
    let tick = |tick| Tick::new(tick).unwrap();
    Position {
        band: Band::new(tick(lower), tick(lower + width)).unwrap(),
        liquidity,
        idle: Amounts::new(idle[0], idle[1]),
        debt: Amounts::new(debt[0], debt[1]),
    }
}

/// Positions anywhere, of every size: liquidity and amounts of up to so many bits.
pub fn positions(liquidity_bits: u32, amount_bits: u32) -> impl Strategy<Value = Position> {
    let both = move || [amount(amount_bits), amount(amount_bits)];
    (
        (-40_000i32..40_000, prop_oneof![Just(1), 1i32..20_000]),
        (0..liquidity_bits).prop_flat_map(|bits| 0..=1u128 << bits),
        both(),
        both(),
    )
        .prop_map(|(band, liquidity, idle, debt)| position(band, liquidity, idle, debt))
}
