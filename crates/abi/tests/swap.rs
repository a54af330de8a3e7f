//! Swaps through tick arrays against `orca_whirlpools_core` 1.0.4 (Apache-2.0), and what holds for every swap.
//!
//! Replay with `BALLAST_SEED`; `BALLAST_CASES` is the number of swaps.

use std::{collections::BTreeMap, env};

use ballast_abi::whirlpool::{
    PoolView, TICKS_PER_ARRAY, TickArrayView, TickState, array_start, layout,
    swap::{SwapArray, SwapError, SwapOutcome, SwapRequest, swap},
    swap_tick_arrays,
};
use ballast_clmm::{SqrtPrice, SwapMode, Tick};
use orca_whirlpools_core::{
    TickArrayFacade, TickArraySequence, TickFacade, WhirlpoolFacade, compute_swap,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::IndexedRandom};

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().expect(name))
}

/// A pool and the ticks of its positions.
struct Market {
    spacing: u16,
    fee_rate: u16,
    protocol_fee_rate: u16,
    sqrt_price: u128,
    tick_current: i32,
    liquidity: u128,
    ticks: BTreeMap<i32, TickState>,
}

impl Market {
    fn random(rng: &mut StdRng) -> Self {
        let spacing: u16 = *[1, 2, 4, 8, 64, 128].choose(rng).unwrap();
        let width = i32::from(spacing);
        let center = rng.random_range(-30_000..=30_000) / width * width;
        let sqrt_price = {
            let (low, high) = (
                Tick::new(center).unwrap(),
                Tick::new(center + width).unwrap(),
            );
            rng.random_range(low.sqrt_price().x64()..high.sqrt_price().x64())
        };
        let tick_current = SqrtPrice::new(sqrt_price).unwrap().tick().get();
        let mut market = Self {
            spacing,
            fee_rate: *[0, 100, 400, 3_000, 10_000].choose(rng).unwrap(),
            protocol_fee_rate: *[0, 300, 2_500].choose(rng).unwrap(),
            sqrt_price,
            tick_current,
            liquidity: 0,
            ticks: BTreeMap::new(),
        };
        for _ in 0..rng.random_range(1..6) {
            let [one, other] = [0; 2].map(|_| center + rng.random_range(-100..=100) * width);
            if one != other {
                let liquidity = rng.random::<u64>() >> rng.random_range(8..44);
                market.add(one.min(other), one.max(other), liquidity.into());
            }
        }
        market
    }

    fn add(&mut self, lower: i32, upper: i32, liquidity: i128) {
        for (index, net) in [(lower, liquidity), (upper, -liquidity)] {
            let tick = self.ticks.entry(index).or_default();
            tick.liquidity_net += net;
            tick.liquidity_gross += liquidity.unsigned_abs();
        }
        if (lower..upper).contains(&self.tick_current) {
            self.liquidity += liquidity.unsigned_abs();
        }
    }

    fn pool_bytes(&self) -> Vec<u8> {
        use layout::pool as at;
        let mut data = vec![0; at::LENGTH];
        let mut put =
            |offset: usize, bytes: &[u8]| data[offset..offset + bytes.len()].copy_from_slice(bytes);
        put(0, &at::DISCRIMINATOR);
        put(at::TICK_SPACING, &self.spacing.to_le_bytes());
        put(at::FEE_RATE, &self.fee_rate.to_le_bytes());
        put(at::PROTOCOL_FEE_RATE, &self.protocol_fee_rate.to_le_bytes());
        put(at::LIQUIDITY, &self.liquidity.to_le_bytes());
        put(at::SQRT_PRICE, &self.sqrt_price.to_le_bytes());
        put(at::TICK_CURRENT, &self.tick_current.to_le_bytes());
        data
    }

    fn ticks_of(&self, start: i32) -> impl Iterator<Item = (usize, &TickState)> {
        let width = i32::from(self.spacing);
        self.ticks
            .range(start..start + TICKS_PER_ARRAY * width)
            .map(move |(index, tick)| (((index - start) / width) as usize, tick))
    }

    /// An array of the fixed or the dynamic kind.
    fn array_bytes(&self, start: i32, dynamic: bool) -> Vec<u8> {
        let ticks: BTreeMap<usize, &TickState> = self.ticks_of(start).collect();
        let mut data = Vec::new();
        if dynamic {
            let bitmap = ticks
                .keys()
                .fold(0u128, |bitmap, number| bitmap | 1 << number);
            data.extend(layout::dynamic_tick_array::DISCRIMINATOR);
            data.extend(start.to_le_bytes());
            data.extend([0; 32]);
            data.extend(bitmap.to_le_bytes());
        } else {
            data.extend(layout::fixed_tick_array::DISCRIMINATOR);
            data.extend(start.to_le_bytes());
        }
        for number in 0..TICKS_PER_ARRAY as usize {
            match ticks.get(&number) {
                Some(tick) => {
                    data.push(1);
                    data.extend(tick.to_bytes());
                }
                None if dynamic => data.push(0),
                None => data.extend([0; 113]),
            }
        }
        if !dynamic {
            data.extend([0; 32]);
        }
        data
    }

    fn core_array(&self, start: i32) -> TickArrayFacade {
        let mut ticks = [TickFacade::default(); TICKS_PER_ARRAY as usize];
        for (number, tick) in self.ticks_of(start) {
            ticks[number] = TickFacade {
                initialized: true,
                liquidity_net: tick.liquidity_net,
                liquidity_gross: tick.liquidity_gross,
                ..TickFacade::default()
            };
        }
        TickArrayFacade {
            start_tick_index: start,
            ticks,
        }
    }

    fn core_pool(&self) -> WhirlpoolFacade {
        WhirlpoolFacade {
            tick_spacing: self.spacing,
            fee_rate: self.fee_rate,
            protocol_fee_rate: self.protocol_fee_rate,
            liquidity: self.liquidity,
            sqrt_price: self.sqrt_price,
            tick_current_index: self.tick_current,
            ..WhirlpoolFacade::default()
        }
    }

    fn starts(&self, a_to_b: bool) -> [i32; 3] {
        swap_tick_arrays(self.tick_current, self.spacing, a_to_b)
    }

    fn swap(&self, request: SwapRequest, dynamic: [bool; 3]) -> Result<SwapOutcome, SwapError> {
        let starts = self.starts(request.a_to_b);
        let data = [0, 1, 2].map(|index| self.array_bytes(starts[index], dynamic[index]));
        let mut arrays = Vec::new();
        for (start, bytes) in starts.iter().zip(&data) {
            // An array without ticks may as well not exist.
            arrays.push(if self.ticks_of(*start).next().is_none() {
                SwapArray::Empty { start: *start }
            } else {
                SwapArray::Initialised(TickArrayView::parse(bytes).unwrap())
            });
        }
        swap(
            &PoolView::parse(&self.pool_bytes()).unwrap(),
            &arrays,
            request,
        )
    }

    fn random_request(&self, rng: &mut StdRng) -> SwapRequest {
        let a_to_b = rng.random();
        let limit = rng.random_bool(0.3).then(|| {
            let ticks = rng.random_range(1..300) * i32::from(self.spacing);
            let tick = self.tick_current + if a_to_b { -ticks } else { ticks };
            Tick::new(tick).unwrap().sqrt_price()
        });
        SwapRequest {
            amount: rng.random::<u64>() >> rng.random_range(10..63),
            mode: if rng.random() {
                SwapMode::ExactIn
            } else {
                SwapMode::ExactOut
            },
            a_to_b,
            limit,
        }
    }
}

#[test]
fn amounts_and_fees_are_those_of_core() {
    let (seed, cases) = (number("BALLAST_SEED", 7), number("BALLAST_CASES", 20_000));
    println!("BALLAST_SEED={seed} BALLAST_CASES={cases}");
    let mut rng = StdRng::seed_from_u64(seed);
    let (mut agreed, mut past, mut crossings) = (0u64, 0u64, 0);
    for case in 0..cases {
        let market = Market::random(&mut rng);
        let request = market.random_request(&mut rng);
        let context = format!("seed {seed}, case {case}, {request:?}");
        match market.swap(request, [0; 3].map(|_| rng.random())) {
            Ok(outcome) => {
                let starts = market.starts(request.a_to_b);
                let sequence = TickArraySequence::new(
                    starts.map(|start| Some(market.core_array(start))),
                    market.spacing,
                );
                let core = compute_swap(
                    request.amount,
                    request.limit.map_or(0, SqrtPrice::x64),
                    market.core_pool(),
                    sequence.unwrap(),
                    request.a_to_b,
                    request.mode == SwapMode::ExactIn,
                    0,
                )
                .unwrap();
                assert_eq!(outcome.amounts.a, core.token_a, "{context}");
                assert_eq!(outcome.amounts.b, core.token_b, "{context}");
                assert_eq!(outcome.fee, core.trade_fee, "{context}");
                check(&market, request, &outcome, &context);
                agreed += 1;
                crossings += outcome.crossings.len();
            }
            Err(SwapError::PastLastArray) => {
                // With a limit at the end of the last array the same swap is filled in part.
                let last = market.starts(request.a_to_b)[2];
                let end = if request.a_to_b {
                    last
                } else {
                    last + TICKS_PER_ARRAY * i32::from(market.spacing) - 1
                };
                let limit = Tick::new(end).unwrap().sqrt_price();
                let limited = SwapRequest {
                    limit: Some(limit),
                    ..request
                };
                let outcome = market.swap(limited, [false; 3]).unwrap();
                assert_eq!(outcome.sqrt_price, limit, "{context}");
                let used = match (request.mode, request.a_to_b) {
                    (SwapMode::ExactIn, true) | (SwapMode::ExactOut, false) => outcome.amounts.a,
                    _ => outcome.amounts.b,
                };
                assert!(used < request.amount, "{context}");
                past += 1;
            }
            Err(SwapError::ZeroAmount) => assert_eq!(request.amount, 0, "{context}"),
            Err(error) => panic!("{context}: {error}"),
        }
    }
    println!("{agreed} agree, {past} run past the last array, {crossings} ticks crossed");
    assert!(agreed > cases / 3 && past > cases / 100 && crossings as u64 > cases / 10);
}

/// What holds for every swap, without another implementation.
fn check(market: &Market, request: SwapRequest, outcome: &SwapOutcome, context: &str) {
    let price = SqrtPrice::new(market.sqrt_price).unwrap();
    if request.a_to_b {
        assert!(outcome.sqrt_price <= price, "{context}");
        assert!(
            request
                .limit
                .is_none_or(|limit| outcome.sqrt_price >= limit),
            "{context}"
        );
    } else {
        assert!(outcome.sqrt_price >= price, "{context}");
        assert!(
            request
                .limit
                .is_none_or(|limit| outcome.sqrt_price <= limit),
            "{context}"
        );
    }
    // Active liquidity is that of the positions around the new tick.
    let active: i128 = market
        .ticks
        .range(..=outcome.tick_current)
        .map(|(_, tick)| tick.liquidity_net)
        .sum();
    assert_eq!(outcome.liquidity, active.unsigned_abs(), "{context}");
    // The tick is the price's, or one below it when the price came down to exactly a tick.
    let tick = outcome.sqrt_price.tick().get();
    assert!(
        outcome.tick_current == tick
            || outcome.tick_current == tick - 1
                && Tick::new(tick).unwrap().sqrt_price() == outcome.sqrt_price,
        "{context}"
    );
    assert!(outcome.protocol_fee <= outcome.fee, "{context}");
    assert_eq!(
        array_start(outcome.tick_current, market.spacing) % TICKS_PER_ARRAY,
        0
    );
}

fn quiet_market() -> Market {
    let mut market = Market {
        spacing: 4,
        fee_rate: 400,
        protocol_fee_rate: 2_500,
        sqrt_price: 1 << 64,
        tick_current: 0,
        liquidity: 0,
        ticks: BTreeMap::new(),
    };
    market.add(-100, 100, 1_000_000_000_000);
    market
}

fn sell(amount: u64) -> SwapRequest {
    SwapRequest {
        amount,
        mode: SwapMode::ExactIn,
        a_to_b: true,
        limit: None,
    }
}

#[test]
fn a_fee_is_split_between_protocol_and_liquidity() {
    let market = quiet_market();
    let outcome = market.swap(sell(1_000_000), [false; 3]).unwrap();
    assert_eq!(outcome.amounts.a, 1_000_000);
    assert_eq!((outcome.fee, outcome.protocol_fee), (400, 100));
    assert_eq!(
        outcome.fee_growth_global_input_x64,
        (300u128 << 64) / 1_000_000_000_000
    );
}

#[test]
fn requests_without_sense_are_refused() {
    let market = quiet_market();
    assert_eq!(market.swap(sell(0), [true; 3]), Err(SwapError::ZeroAmount));
    let price = SqrtPrice::new(market.sqrt_price).unwrap();
    let not_ahead = SwapRequest {
        limit: Some(price),
        ..sell(1)
    };
    assert!(matches!(
        market.swap(not_ahead, [true; 3]),
        Err(SwapError::LimitNotAhead { .. })
    ));
    assert_eq!(
        market.swap(sell(u64::MAX), [true; 3]),
        Err(SwapError::PastLastArray)
    );
    // No arrays, or not the ones of the current tick.
    let bytes = market.pool_bytes();
    let pool = PoolView::parse(&bytes).unwrap();
    assert_eq!(swap(&pool, &[], sell(1)), Err(SwapError::PastLastArray));
    for start in [-704, 352, i32::MIN, i32::MAX] {
        assert!(
            matches!(
                swap(&pool, &[SwapArray::Empty { start }], sell(1)),
                Err(SwapError::MissingArray { tick: 0 })
            ),
            "{start}"
        );
    }
}

#[test]
fn an_output_beyond_the_price_range_is_refused() {
    let lowest = Tick::MIN.get() / 128 * 128;
    let mut market = Market {
        spacing: 128,
        fee_rate: 0,
        protocol_fee_rate: 0,
        sqrt_price: Tick::new(lowest + 256).unwrap().sqrt_price().x64(),
        tick_current: lowest + 256,
        liquidity: 0,
        ticks: BTreeMap::new(),
    };
    market.add(lowest, lowest + 1_280, 1_000_000);
    let request = SwapRequest {
        mode: SwapMode::ExactOut,
        ..sell(1_000_000)
    };
    assert_eq!(market.swap(request, [true; 3]), Err(SwapError::PartialFill));
    // Input is simply not all taken.
    let outcome = market.swap(sell(u64::MAX), [true; 3]).unwrap();
    assert_eq!(outcome.sqrt_price, SqrtPrice::MIN);
    assert!(outcome.amounts.a < u64::MAX);
}
