//! Ticks and prices against Orca's published core, over every tick and millions of prices.

mod common;

use ballast_clmm::{SqrtPrice, Tick};
use common::{Rng, cases};
use orca_whirlpools_core as orca;

fn all_ticks() -> impl Iterator<Item = Tick> {
    (Tick::MIN.get()..=Tick::MAX.get()).map(|index| Tick::new(index).unwrap())
}

#[test]
fn bounds_are_orcas() {
    assert_eq!(Tick::MIN.get(), orca::MIN_TICK_INDEX);
    assert_eq!(Tick::MAX.get(), orca::MAX_TICK_INDEX);
    assert_eq!(SqrtPrice::MIN.x64(), orca::MIN_SQRT_PRICE);
    assert_eq!(SqrtPrice::MAX.x64(), orca::MAX_SQRT_PRICE);
    assert_eq!(
        ballast_clmm::TICK_ARRAY_SIZE as usize,
        orca::TICK_ARRAY_SIZE
    );
}

#[test]
fn every_tick_has_orcas_price() {
    let mut previous = 0;
    for tick in all_ticks() {
        let price = tick.sqrt_price().x64();
        assert_eq!(
            price,
            orca::tick_index_to_sqrt_price(tick.get()),
            "tick {tick}"
        );
        assert!(price > previous, "prices must rise with the tick: {tick}");
        previous = price;
    }
}

#[test]
fn every_tick_begins_at_its_price() {
    for tick in all_ticks() {
        let price = tick.sqrt_price();
        assert_eq!(price.tick(), tick);
        assert_eq!(orca::sqrt_price_to_tick_index(price.x64()), tick.get());
        if tick > Tick::MIN {
            let below = SqrtPrice::new(price.x64() - 1).unwrap();
            assert_eq!(below.tick().get(), tick.get() - 1, "just below tick {tick}");
            assert_eq!(orca::sqrt_price_to_tick_index(below.x64()), tick.get() - 1);
        }
    }
}

#[test]
fn tick_is_the_floor_of_every_price_drawn() {
    let mut rng = Rng::new(1);
    for _ in 0..cases(4_000_000) {
        let price = rng.price();
        let tick = price.tick();
        assert!(tick.sqrt_price() <= price, "price {price}");
        if let Ok(next) = Tick::new(tick.get() + 1) {
            assert!(price < next.sqrt_price(), "price {price}");
        }
    }
}

#[test]
fn random_prices_have_orcas_tick() {
    let mut rng = Rng::new(2);
    for _ in 0..cases(4_000_000) {
        let price = rng.price();
        assert_eq!(
            price.tick().get(),
            orca::sqrt_price_to_tick_index(price.x64()),
            "price {price}"
        );
    }
}

#[test]
fn alignment_and_arrays_are_orcas() {
    let mut rng = Rng::new(3);
    for _ in 0..cases(1_000_000) {
        let tick = rng.tick();
        let spacing = [
            1,
            2,
            4,
            8,
            16,
            64,
            128,
            256,
            32_768,
            1 + rng.below(65_535) as u16,
        ][rng.below(10) as usize];
        assert_eq!(
            tick.array_start(spacing),
            Ok(orca::get_tick_array_start_tick_index(tick.get(), spacing))
        );
        assert_eq!(
            tick.is_aligned(spacing),
            Ok(orca::is_tick_initializable(tick.get(), spacing))
        );
        let down = orca::get_initializable_tick_index(tick.get(), spacing, Some(false));
        assert_eq!(
            tick.align_down(spacing),
            Tick::new(down),
            "tick {tick} spacing {spacing}"
        );
        let up = orca::get_initializable_tick_index(tick.get(), spacing, Some(true));
        assert_eq!(
            tick.align_up(spacing),
            Tick::new(up),
            "tick {tick} spacing {spacing}"
        );
    }
}
