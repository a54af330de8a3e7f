//! Whole swaps across ticks against Orca's core: many steps, each of which starts where the last one ended.

mod common;

use ballast_clmm::{Side, SqrtPrice, SwapMode, SwapStepInput, Tick, swap_step};
use common::{Rng, cases};
use orca::{TickArrayFacade, TickArraySequence, TickFacade, WhirlpoolFacade};
use orca_whirlpools_core as orca;

const SPACING: u16 = 64;
const ARRAY_WIDTH: i32 = 88 * SPACING as i32;

/// Three tick arrays with random positions in them; the pool's price is in the middle one.
fn random_pool(rng: &mut Rng) -> (WhirlpoolFacade, TickArraySequence<3>) {
    let first = -40 * ARRAY_WIDTH + rng.below(80) as i32 * ARRAY_WIDTH;
    let mut arrays = [0, 1, 2].map(|i| {
        Some(TickArrayFacade {
            start_tick_index: first + i * ARRAY_WIDTH,
            ticks: [TickFacade::default(); 88],
        })
    });
    let current = first + ARRAY_WIDTH + rng.below(ARRAY_WIDTH as u64) as i32;
    let low = Tick::new(current).unwrap().sqrt_price().x64();
    let high = Tick::new(current + 1).unwrap().sqrt_price().x64();
    let sqrt_price = low + rng.u128() % (high - low);
    // Something is always there, so that no swap runs through an empty pool for long.
    let mut liquidity = 1 + rng.wide(60);
    for _ in 0..rng.below(12) {
        let (i, j) = (rng.below(264) as i32, rng.below(264) as i32);
        if i == j {
            continue;
        }
        let (lower, upper) = (i.min(j), i.max(j));
        let size = rng.wide(64) as i128;
        for (index, net) in [(lower, size), (upper, -size)] {
            let tick =
                &mut arrays[index as usize / 88].as_mut().unwrap().ticks[index as usize % 88];
            tick.initialized = true;
            tick.liquidity_net += net;
        }
        let (lower, upper) = (
            first + lower * i32::from(SPACING),
            first + upper * i32::from(SPACING),
        );
        if lower <= current && current < upper {
            liquidity += size as u128;
        }
    }
    let pool = WhirlpoolFacade {
        tick_spacing: SPACING,
        fee_rate: rng.below(65_536) as u16,
        liquidity,
        sqrt_price,
        tick_current_index: current,
        ..WhirlpoolFacade::default()
    };
    (pool, TickArraySequence::new(arrays, SPACING).unwrap())
}

struct Swapped {
    base: u64,
    quote: u64,
    fee: u64,
    steps: u64,
}

/// Whirlpool's swap loop around [`swap_step`].
fn swap(
    pool: &WhirlpoolFacade,
    ticks: &TickArraySequence<3>,
    amount: u64,
    limit: SqrtPrice,
    input: Side,
    mode: SwapMode,
) -> Option<Swapped> {
    let mut sqrt_price = SqrtPrice::new(pool.sqrt_price).unwrap();
    let (mut tick, mut liquidity) = (pool.tick_current_index, pool.liquidity);
    let (mut remaining, mut counter_amount, mut fee, mut steps) = (amount, 0u64, 0u64, 0u64);
    while remaining > 0 && sqrt_price != limit {
        let (found, next_tick) = match input {
            Side::Base => ticks.prev_initialized_tick(tick).ok()?,
            Side::Quote => ticks.next_initialized_tick(tick).ok()?,
        };
        let next_price = Tick::new(next_tick).unwrap().sqrt_price();
        let target = match input {
            Side::Base => next_price.max(limit),
            Side::Quote => next_price.min(limit),
        };
        let done = swap_step(SwapStepInput {
            amount_remaining: remaining,
            mode,
            input,
            fee_rate_ppm: pool.fee_rate.into(),
            liquidity,
            sqrt_price,
            target,
        })
        .ok()?;
        steps += 1;
        fee += done.fee;
        let paid = done.amount_in.checked_add(done.fee)?;
        let (specified, other) = match mode {
            SwapMode::ExactIn => (paid, done.amount_out),
            SwapMode::ExactOut => (done.amount_out, paid),
        };
        remaining = remaining.checked_sub(specified)?;
        counter_amount = counter_amount.checked_add(other)?;
        if done.sqrt_price == next_price {
            let net = found.map_or(0, |tick| tick.liquidity_net);
            liquidity = match input {
                Side::Base => liquidity.checked_add_signed(-net)?,
                Side::Quote => liquidity.checked_add_signed(net)?,
            };
            tick = if input == Side::Base {
                next_tick - 1
            } else {
                next_tick
            };
        } else if done.sqrt_price != sqrt_price {
            tick = done.sqrt_price.tick().get();
        }
        sqrt_price = done.sqrt_price;
    }
    let swapped = amount - remaining;
    let (base, quote) = if (input == Side::Base) == (mode == SwapMode::ExactIn) {
        (swapped, counter_amount)
    } else {
        (counter_amount, swapped)
    };
    Some(Swapped {
        base,
        quote,
        fee,
        steps,
    })
}

#[test]
fn whole_swaps_are_orcas() {
    let mut rng = Rng::new(34);
    let (mut crossings, mut refused) = (0u64, 0u64);
    for _ in 0..cases(60_000) {
        let (pool, ticks) = random_pool(&mut rng);
        let (input, mode) = (rng.side(), rng.mode());
        let amount = rng.swap_amount(pool.liquidity).max(1);
        // A limit inside the arrays: behind them Orca's core has no further ticks to offer.
        let current = pool.tick_current_index;
        let reach = rng.below(ARRAY_WIDTH as u64) as i32;
        let limit = match input {
            Side::Base => Tick::new(current - reach).unwrap().sqrt_price(),
            Side::Quote => Tick::new(current + 1 + reach).unwrap().sqrt_price(),
        };
        let theirs = orca::compute_swap(
            amount,
            limit.x64(),
            pool,
            ticks.clone(),
            input == Side::Base,
            mode == SwapMode::ExactIn,
            0,
        );
        let ours = swap(&pool, &ticks, amount, limit, input, mode);
        let context = format!("{amount} {input} {mode:?} to {limit} in {pool:?}");
        match (ours, theirs) {
            (Some(ours), Ok(theirs)) => {
                assert_eq!(
                    (ours.base, ours.quote, ours.fee),
                    (theirs.token_a, theirs.token_b, theirs.trade_fee),
                    "{context}"
                );
                crossings += ours.steps - 1;
            }
            (None, Err(_)) => refused += 1,
            (ours, theirs) => {
                panic!(
                    "{:?} but {:?}: {context}",
                    ours.map(|s| s.base),
                    theirs.map(|s| s.token_a)
                )
            }
        }
    }
    assert!(
        crossings > cases(10_000),
        "only {crossings} ticks crossed, {refused} refused"
    );
}
