//! Walks through a pool's depth against swaps through its tick arrays, to the unit.

use std::collections::BTreeMap;

use ballast_abi::whirlpool::{
    PoolView, TICKS_PER_ARRAY, TickArrayView, TickState, array_start, layout,
    swap::{SwapArray, SwapRequest, swap},
};
use ballast_clmm::{SqrtPrice, SwapMode, Tick};
use ballast_model::Trade;
use ballast_quote::{Depth, PoolNow};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

const SPACING: i32 = 4;
const WIDTH: i32 = SPACING * TICKS_PER_ARRAY;
const FEE_PPM: u16 = 400;

struct Pool {
    sqrt_price: SqrtPrice,
    tick_current: i32,
    liquidity: u128,
    net: BTreeMap<i32, i128>,
}

impl Pool {
    fn random(rng: &mut StdRng) -> Self {
        let centre = rng.random_range(-20_000..20_000) / SPACING * SPACING;
        let tick = |tick: i32| Tick::new(tick).unwrap().sqrt_price().x64();
        let on_a_tick = rng.random_bool(0.2);
        let x64 = if on_a_tick {
            tick(centre)
        } else {
            rng.random_range(tick(centre)..tick(centre + SPACING))
        };
        let sqrt_price = SqrtPrice::new(x64).unwrap();
        // After a downward crossing the pool stands below the tick that its price is at.
        let tick_current = sqrt_price.tick().get() - i32::from(on_a_tick && rng.random_bool(0.5));
        let mut pool = Self {
            sqrt_price,
            tick_current,
            liquidity: 0,
            net: BTreeMap::new(),
        };
        for _ in 0..rng.random_range(1..9) {
            let [one, other] = [0; 2].map(|_| centre + rng.random_range(-90..=90) * SPACING);
            let liquidity = i128::from(rng.random::<u64>() >> rng.random_range(10..40));
            if one != other {
                let (lower, upper) = (one.min(other), one.max(other));
                *pool.net.entry(lower).or_default() += liquidity;
                *pool.net.entry(upper).or_default() -= liquidity;
                if (lower..upper).contains(&pool.tick_current) {
                    pool.liquidity += liquidity.unsigned_abs();
                }
            }
        }
        pool
    }

    fn bytes(&self) -> Vec<u8> {
        use layout::pool as at;
        let mut data = vec![0; at::LENGTH];
        let mut put =
            |offset: usize, bytes: &[u8]| data[offset..offset + bytes.len()].copy_from_slice(bytes);
        put(0, &at::DISCRIMINATOR);
        put(at::TICK_SPACING, &(SPACING as u16).to_le_bytes());
        put(at::FEE_RATE, &FEE_PPM.to_le_bytes());
        put(at::LIQUIDITY, &self.liquidity.to_le_bytes());
        put(at::SQRT_PRICE, &self.sqrt_price.x64().to_le_bytes());
        put(at::TICK_CURRENT, &self.tick_current.to_le_bytes());
        data
    }

    fn array(&self, start: i32) -> Vec<u8> {
        let mut data = Vec::from(layout::fixed_tick_array::DISCRIMINATOR);
        data.extend(start.to_le_bytes());
        for number in 0..TICKS_PER_ARRAY {
            match self.net.get(&(start + number * SPACING)) {
                Some(net) => {
                    data.push(1);
                    let tick = TickState {
                        liquidity_net: *net,
                        liquidity_gross: net.unsigned_abs(),
                        ..TickState::default()
                    };
                    data.extend(tick.to_bytes());
                }
                None => data.extend([0; 113]),
            }
        }
        data.extend([0; 32]);
        data
    }

    fn depth(&self, known: (i32, i32)) -> Depth {
        let pool = PoolNow {
            sqrt_price: self.sqrt_price,
            tick_current: self.tick_current,
            liquidity: self.liquidity,
            fee_ppm: FEE_PPM.into(),
        };
        Depth::new(
            pool,
            self.net.iter().map(|(tick, net)| (*tick, *net)),
            known,
        )
        .unwrap()
    }
}

#[test]
fn a_walk_is_a_swap_to_the_unit() {
    let mut rng = StdRng::seed_from_u64(70_503);
    let (mut filled, mut empty) = (0, 0);
    for case in 0..600 {
        let pool = Pool::random(&mut rng);
        let bytes = pool.bytes();
        let view = PoolView::parse(&bytes).unwrap();
        let down = rng.random_bool(0.5);
        let first = array_start(
            pool.tick_current + if down { 0 } else { SPACING },
            SPACING as u16,
        );
        let starts: Vec<i32> = (0..3)
            .map(|index| first + if down { -index } else { index } * WIDTH)
            .collect();
        let data: Vec<_> = starts.iter().map(|start| pool.array(*start)).collect();
        let arrays: Vec<_> = data
            .iter()
            .map(|data| SwapArray::Initialised(TickArrayView::parse(data).unwrap()))
            .collect();
        let (trade, mode) = if down {
            (Trade::SellBase, SwapMode::ExactIn)
        } else {
            (Trade::BuyBase, SwapMode::ExactOut)
        };
        let base = rng.random::<u64>() >> *[20u32, 30, 36, 44].choose(&mut rng).unwrap();
        let base = base.max(1);
        let request = SwapRequest {
            amount: base,
            mode,
            a_to_b: down,
            limit: None,
        };
        let low = starts.iter().min().copied().unwrap();
        let known = (
            low.min(pool.tick_current),
            starts.iter().max().copied().unwrap() + WIDTH - 1,
        );
        let known = (known.0, known.1.max(pool.tick_current));
        let walked = pool.depth(known).walk(pool.sqrt_price, trade, base);
        match (swap(&view, &arrays, request), walked) {
            (Ok(swapped), Ok(walked)) => {
                filled += 1;
                assert_eq!(
                    (swapped.amounts.a, swapped.amounts.b),
                    (walked.base, walked.quote),
                    "case {case}"
                );
                assert_eq!(
                    (swapped.fee, swapped.sqrt_price),
                    (walked.fee, walked.sqrt_price),
                    "case {case}"
                );
            }
            (Err(_), Err(_)) => empty += 1,
            (swapped, walked) => panic!("case {case}: {swapped:?}, but {walked:?}"),
        }
    }
    assert!(filled > 200 && empty > 20, "{filled} {empty}");
}

#[test]
fn from_another_price_the_liquidity_there_counts() {
    let mut rng = StdRng::seed_from_u64(5);
    let everywhere = (Tick::MIN.get(), Tick::MAX.get());
    let mut compared = 0;
    for _ in 0..200 {
        let pool = Pool::random(&mut rng);
        let depth = pool.depth(everywhere);
        // What a swap there leaves, is where the next one begins.
        let Ok(first) = depth.walk(pool.sqrt_price, Trade::SellBase, 1 << 20) else {
            continue;
        };
        let Ok(both) = depth.walk(pool.sqrt_price, Trade::SellBase, 1 << 21) else {
            continue;
        };
        if depth
            .net()
            .any(|(tick, _)| Tick::new(tick).unwrap().sqrt_price() == first.sqrt_price)
        {
            continue;
        }
        let second = depth
            .walk(first.sqrt_price, Trade::SellBase, 1 << 20)
            .unwrap();
        let together = first.quote + second.quote;
        // Each swap rounds by a unit of base and some of quote.
        let rounding = 4 + (both.quote >> 20);
        assert!(
            both.quote.abs_diff(together) <= rounding,
            "{} {together}",
            both.quote
        );
        compared += 1;
    }
    assert!(compared > 50, "{compared}");
}
