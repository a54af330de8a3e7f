//! The position's own trades, by hand and against each other.

use std::sync::Arc;

use ballast_model::Bps;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::{Interest, Opening, Units, ticks::AdaptiveTerms};

/// A price of 4 and a liquidity of 10^12: 2 10^12 quote below it, 5 10^11 base above.
const LIQUIDITY: u128 = 1_000_000_000_000;

fn terms() -> Terms {
    let units = Units {
        base_decimals: 6,
        quote_decimals: 6,
    };
    let at = |price: f64| units.sqrt_price(price.ln());
    let opening = Opening {
        units,
        at: at(4.0),
        band: Band::from_sqrt_prices(at(3.0), at(5.0)).unwrap(),
        own_quote: 1_000_000,
        leverage: Bps::new(20_000),
        hedge: Bps::ONE,
    };
    Terms::new(&opening, None, Interest::default()).unwrap()
}

fn pool_in(terms: &Terms, fee: SwapFee) -> OwnPool {
    let price = SqrtPrice::new(2 << 64).unwrap();
    OwnPool::new(price, fee, terms, 0, Amounts::new(5, 7)).unwrap()
}

fn pool(fee_ppm: u32, depth: Option<u128>) -> OwnPool {
    pool_in(&terms().with_depth(depth), SwapFee::fixed(fee_ppm))
}

fn by_tick(changes: &[(i32, i128)], known: [i32; 2]) -> Terms {
    let depth = TickDepth::new(LIQUIDITY, changes.iter().copied(), known).unwrap();
    terms().with_tick_depth(Some(Arc::new(depth)))
}

/// Flat liquidity by tick is constant liquidity, to the unit: whatever is traded, and wherever it is stopped.
#[test]
fn flat_ticks_are_constant_liquidity_to_the_unit() {
    let mut rng = ChaCha8Rng::seed_from_u64(81);
    let flat = by_tick(&[], [-100, 100]);
    let mut stopped = 0;
    for _ in 0..2_000 {
        let fee_ppm = rng.random_range(0..10_000);
        let mut constant = pool(fee_ppm, Some(LIQUIDITY));
        let mut ticks = pool_in(&flat, SwapFee::fixed(fee_ppm));
        // Several in a row, as an action may have.
        for _ in 0..3 {
            let amount = 1 << rng.random_range(0..40);
            let amount = rng.random_range(1..=amount);
            let order = match rng.random_range(0..3) {
                0 => Order::Sell(amount),
                1 => Order::Buy(amount),
                _ => Order::Spend(amount),
            };
            let price = constant.price().x64();
            let off = price >> rng.random_range(6..20);
            let limit = match order {
                Order::Sell(_) => price - off,
                Order::Buy(_) | Order::Spend(_) => price + off,
            };
            let limit = rng.random::<bool>().then(|| SqrtPrice::new(limit).unwrap());
            let found = [constant.swap(order, limit), ticks.swap(order, limit)];
            let [a, b] = found.map(|moved| moved.map_err(|error| error.to_string()));
            assert_eq!(a, b, "{order:?} {limit:?}");
            assert_eq!(constant.price(), ticks.price());
            stopped += u32::from(limit == Some(ticks.price()));
        }
    }
    assert!(stopped > 100, "{stopped}");
}

/// Where little lies, a trade costs more, and by as much as its part of the way says.
#[test]
fn a_trade_through_a_thin_region_costs_more() {
    // Tick 13863 is the price's. A hundred ticks below it about half is left.
    let thin = by_tick(&[(13_762, LIQUIDITY as i128 * 9 / 10)], [13_000, 14_000]);
    assert_eq!(
        thin.tick_depth.as_ref().unwrap().liquidity_at(price(2.0)),
        1_900_000_000_000
    );
    let sold = |terms: &Terms, base| {
        let mut pool = pool_in(terms, SwapFee::fixed(400));
        let quote = pool.swap(Order::Sell(base), None).unwrap().quote;
        (quote, pool.went_beyond())
    };
    let even = terms().with_depth(Some(1_900_000_000_000));
    // Small trades stay above the step.
    assert_eq!(sold(&thin, 1_000_000_000), sold(&even, 1_000_000_000));
    let (thin_quote, beyond) = sold(&thin, 20_000_000_000);
    let (even_quote, _) = sold(&even, 20_000_000_000);
    assert!(
        thin_quote < even_quote && !beyond,
        "{thin_quote} {even_quote}"
    );
    // Beyond the last known tick it goes on as there.
    let (_, beyond) = sold(&thin, 200_000_000_000);
    assert!(beyond);
}

/// A fee that moves costs a trade more the farther it goes, and nothing more within its group.
#[test]
fn a_moving_fee_is_paid_by_its_own_trades() {
    let adaptive = AdaptiveTerms::EXAMPLE;
    let moving = SwapFee::adaptive(400, adaptive);
    let constant = terms().with_depth(Some(LIQUIDITY));
    let sold = |terms: &Terms, fee: SwapFee, base| {
        let mut fee = fee;
        // Of the price's group.
        fee.begin(216, clock_secs(0));
        let mut pool = pool_in(terms, fee);
        assert_eq!(pool.fee_rate_ppm(), 400);
        pool.swap(Order::Sell(base), None).unwrap().quote
    };
    let fixed = SwapFee::fixed(400);
    assert_eq!(
        sold(&constant, moving, 100_000_000),
        sold(&constant, fixed, 100_000_000)
    );
    let far = 30_000_000_000;
    assert!(sold(&constant, moving, far) < sold(&constant, fixed, far));
    // The same through ticks.
    let flat = by_tick(&[], [-100, 100]);
    assert_eq!(sold(&flat, moving, far), sold(&constant, moving, far));
}

fn price(root: f64) -> SqrtPrice {
    SqrtPrice::new((root * 2f64.powi(64)) as u128).unwrap()
}

/// By hand: sold base x takes the root of the price s to `L / (L / s + x (1 - f))`, and brings `L (s - s')`.
#[test]
fn a_trade_moves_the_price_along_constant_liquidity() {
    let (liquidity, s) = (LIQUIDITY as f64, 2.0);
    for fee_ppm in [0, 3_000] {
        let kept = 1.0 - f64::from(fee_ppm) / 1e6;
        let mut sold = pool(fee_ppm, Some(LIQUIDITY));
        let base = 5_000_000_000u64;
        let moved = sold.swap(Order::Sell(base), None).unwrap();
        let after = liquidity / (liquidity / s + base as f64 * kept);
        let expected = liquidity * (s - after);
        assert_eq!(moved.base, base);
        assert!(
            (moved.quote as f64 - expected).abs() < 3.0,
            "{moved:?} {expected}"
        );
        // A hundredth of what is there: the price has moved by two hundredths.
        let root = sold.price().x64() as f64 / 2f64.powi(64);
        assert!((root - after).abs() < 1e-9);
        assert!((sold.largest_part() - 0.01).abs() < 2e-4, "{sold:?}");

        let mut bought = pool(fee_ppm, Some(LIQUIDITY));
        let moved = bought.swap(Order::Buy(base), None).unwrap();
        let after = liquidity / (liquidity / s - base as f64);
        let expected = liquidity * (after - s) / kept;
        assert_eq!(moved.base, base);
        assert!(
            (moved.quote as f64 - expected).abs() < 3.0,
            "{moved:?} {expected}"
        );
        let mut spent = pool(fee_ppm, Some(LIQUIDITY));
        let again = spent.swap(Order::Spend(moved.quote), None).unwrap();
        assert_eq!(again.quote, moved.quote);
        assert!(again.base.abs_diff(base) <= 3, "{again:?}");
    }
}

#[test]
fn a_limit_ends_it_and_more_depth_costs_less() {
    let limit = SqrtPrice::new((2 << 64) - (1 << 60)).unwrap();
    let mut pool_there = pool(0, Some(LIQUIDITY));
    let part = pool_there
        .swap(Order::Sell(u64::MAX / 2), Some(limit))
        .unwrap();
    assert_eq!(pool_there.price(), limit);
    assert!(
        part.base < u64::MAX / 2 && part.quote == 62_500_000_000,
        "{part:?}"
    );
    let got = |depth| {
        pool(400, depth)
            .swap(Order::Sell(1_000_000_000), None)
            .unwrap()
            .quote
    };
    let all = [Some(LIQUIDITY), Some(LIQUIDITY * 1_000), None].map(got);
    assert!(
        all.is_sorted() && all[0] < all[1] && all[2] - all[1] < 20_000,
        "{all:?}"
    );
    // As deep as can be it is the one that does not move.
    assert!(all[2] - got(Some(LIQUIDITY << 24)) <= 2);
    assert_eq!(pool(0, None).largest_part(), 0.0);
}

#[test]
fn fees_are_paid_as_without_depth() {
    let band = Band::new(Tick::new(0).unwrap(), Tick::new(64).unwrap()).unwrap();
    for depth in [None, Some(LIQUIDITY)] {
        let mut pool = pool(0, depth);
        assert_eq!(pool.fees(), Ok(Amounts::new(5, 7)));
        pool.book(&band);
        assert_eq!(pool.collect(), Amounts::new(5, 7));
        assert_eq!(pool.fees(), Ok(Amounts::ZERO));
    }
}
