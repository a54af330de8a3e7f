//! Figures that others have published, and what the arithmetic here makes of them.

mod common;

use ballast_model::{Amounts, Band, Moved, Position, SqrtPrice};
use common::UNITS;

fn at(price: f64) -> SqrtPrice {
    UNITS.sqrt_price(price.ln())
}

fn pool(band: Band, liquidity: u128) -> Position {
    Position {
        band,
        liquidity,
        idle: Amounts::ZERO,
        debt: Amounts::ZERO,
    }
}

/// What liquidity over all prices loses against holding its tokens when the price becomes r times itself: `2 sqrt(r) / (1 + r) - 1`, which
/// is 5.72 % at 2 and 20 % at 4. It is the curvature's line of the attribution.
#[test]
fn impermanent_loss_of_the_full_range() {
    let band = Band::from_sqrt_prices(SqrtPrice::MIN, SqrtPrice::MAX).unwrap();
    let position = pool(band, 1_000_000_000_000);
    for (times, loss) in [(2.0, 0.057_191), (0.5, 0.057_191), (4.0, 0.2), (1.0, 0.0)] {
        let to = at(200.0 * times);
        let Moved { drift, curvature } = position.moved(at(200.0), to).unwrap();
        let before = position.equity_down(at(200.0)).unwrap();
        assert_eq!(
            before + drift + curvature,
            position.equity_down(to).unwrap()
        );
        let held = (before + drift) as f64;
        assert!(
            (curvature as f64 / held + loss).abs() < 2e-6,
            "{times}: {curvature} of {held}"
        );
    }
}

/// 2 ETH at 2,000 between 1,500 and 2,500 need 5,076.10 USDC beside them; 2 ETH and 4,000 USDC with the top at 3,000 have their bottom at
/// 1,333.33.
#[test]
fn published_sizes_of_ranges() {
    let two = 2.0 * UNITS.base_scale();
    let quote = |lower: f64, upper: f64| {
        let (root, top) = (2_000f64.sqrt(), upper.sqrt());
        // In the pool's unit: raw base times the root of raw prices.
        let scale = (UNITS.base_scale() * UNITS.quote_scale()).sqrt();
        let liquidity = 2.0 * scale / (1.0 / root - 1.0 / top);
        let band = Band::from_sqrt_prices(at(lower), at(upper)).unwrap();
        let amounts = pool(band, liquidity as u128).pool_amounts_down(at(2_000.0));
        let amounts = amounts.unwrap();
        assert!(
            (amounts.base as f64 / two - 1.0).abs() < 1e-8,
            "{amounts:?}"
        );
        amounts.quote as f64 / UNITS.quote_scale()
    };
    assert!((quote(1_500.0, 2_500.0) - 5_076.10).abs() < 0.005);
    assert!((quote(1_333.333_333, 3_000.0) - 4_000.0).abs() < 0.001);
}

/// Another protocol's margin, assets over debt, of a position at a price of 1.5: 20496382321088983824 / 2^64.
#[test]
fn the_margin_of_a_constant_target_deleverage() {
    let root = |x64: u128| SqrtPrice::new(x64).unwrap();
    let band = Band::from_sqrt_prices(
        root(17_499_818_628_114_608_849),
        root(26_086_568_254_500_584_001),
    )
    .unwrap();
    let position = Position {
        debt: Amounts::new(384_073_560, 969_580_690),
        ..pool(band, 3_902_203_900)
    };
    let two_pow_64 = 2f64.powi(64);
    let value = position
        .value(root((1.5f64.sqrt() * two_pow_64) as u128))
        .unwrap();
    let margin = value.assets as f64 / value.debt as f64;
    // Whole units on either side.
    let published = 20_496_382_321_088_983_824u128 as f64 / two_pow_64;
    assert!(
        (margin / published - 1.0).abs() < 3e-9,
        "{margin} {published}"
    );
}
