//! The program's token amounts and fees against `orca_whirlpools_core` 1.0.4 (Apache-2.0), through random lives of pools.

mod support;

use ballast_abi::whirlpool::{
    PoolView, PositionView, TICKS_PER_ARRAY, TickArrayView, TickState, array_start,
    instruction::SwapV2, swap_tick_arrays,
};
use orca_whirlpools_core::{
    PositionFacade, TickArrayFacade, TickArraySequence, TickFacade, WhirlpoolFacade,
    collect_fees_quote, compute_swap, decrease_liquidity_quote, increase_liquidity_quote,
};
use support::*;

fn pool_facade(pool: PoolView) -> WhirlpoolFacade {
    WhirlpoolFacade {
        tick_spacing: pool.tick_spacing(),
        fee_rate: pool.fee_rate_ppm(),
        protocol_fee_rate: pool.protocol_fee_rate_bps(),
        liquidity: pool.liquidity(),
        sqrt_price: pool.sqrt_price().x64(),
        tick_current_index: pool.tick_current(),
        fee_growth_global_a: pool.fee_growth_global_a_x64(),
        fee_growth_global_b: pool.fee_growth_global_b_x64(),
        ..WhirlpoolFacade::default()
    }
}

fn position_facade(position: PositionView) -> PositionFacade {
    PositionFacade {
        liquidity: position.liquidity(),
        tick_lower_index: position.lower().get(),
        tick_upper_index: position.upper().get(),
        fee_growth_checkpoint_a: position.fee_growth_checkpoint_a_x64(),
        fee_owed_a: position.fee_owed_a(),
        fee_growth_checkpoint_b: position.fee_growth_checkpoint_b_x64(),
        fee_owed_b: position.fee_owed_b(),
        ..PositionFacade::default()
    }
}

fn tick_facade(tick: Option<TickState>) -> TickFacade {
    tick.map_or_else(TickFacade::default, |tick| TickFacade {
        initialized: true,
        liquidity_net: tick.liquidity_net,
        liquidity_gross: tick.liquidity_gross,
        fee_growth_outside_a: tick.fee_growth_outside_a_x64,
        fee_growth_outside_b: tick.fee_growth_outside_b_x64,
        reward_growths_outside: tick.reward_growths_outside_x64,
    })
}

fn tick(life: &Life, index: i32) -> TickFacade {
    let spacing = life.pool.spec.tick_spacing;
    let data = life.world.data(&life.pool.array_of(index));
    tick_facade(
        TickArrayView::parse(&data)
            .unwrap()
            .tick(index, spacing)
            .unwrap(),
    )
}

fn array_facade(life: &Life, start: i32) -> TickArrayFacade {
    let spacing = life.pool.spec.tick_spacing;
    let data = life.world.data(&life.pool.tick_array(start));
    let view = TickArrayView::parse(&data).ok();
    let mut ticks = [TickFacade::default(); TICKS_PER_ARRAY as usize];
    for (number, tick) in ticks.iter_mut().enumerate() {
        let index = start + number as i32 * i32::from(spacing);
        *tick = tick_facade(view.and_then(|view| view.tick(index, spacing).unwrap()));
    }
    TickArrayFacade {
        start_tick_index: start,
        ticks,
    }
}

/// The arrays the program uses of those that are passed: consecutive ones from the first.
fn sequence(life: &Life, args: &SwapV2, order: [usize; 3]) -> TickArraySequence<3> {
    let spacing = life.pool.spec.tick_spacing;
    let tick_current = life.pool.with(&life.world, |pool| pool.tick_current());
    let starts = swap_tick_arrays(tick_current, spacing, args.a_to_b);
    let passed = order.map(|index| starts[index]);
    let mut arrays = [None; 3];
    for (index, start) in starts.into_iter().enumerate() {
        if !passed.contains(&start) || starts[..index].contains(&start) {
            break;
        }
        arrays[index] = Some(array_facade(life, start));
    }
    TickArraySequence::new(arrays, spacing).unwrap()
}

/// Balances of (trader, pool) in both tokens.
fn balances(life: &Life, trader: usize) -> [u64; 4] {
    let trader = &life.traders[trader];
    [
        trader.account_a,
        trader.account_b,
        life.pool.vault_a,
        life.pool.vault_b,
    ]
    .map(|account| life.world.balance(&account))
}

/// Amounts that went from the trader to the pool, checked to have left the one and reached the other.
fn paid(before: [u64; 4], after: [u64; 4]) -> [i128; 2] {
    let change = |index: usize| i128::from(after[index]) - i128::from(before[index]);
    assert_eq!(change(0), -change(2));
    assert_eq!(change(1), -change(3));
    [change(2), change(3)]
}

/// What core expects an operation to move from the trader to the pool, and to owe afterwards in fees.
struct Expected {
    trader: usize,
    paid: [u64; 2],
    /// Whether the amounts go to the pool; a swap moves one each way.
    into_pool: [bool; 2],
    owed: Option<(usize, [u64; 2])>,
}

fn owed(life: &Life, position: usize) -> [u64; 2] {
    let (position, _) = life.positions[position];
    let quote = collect_fees_quote(
        life.pool.with(&life.world, pool_facade),
        position.with(&life.world, position_facade),
        tick(life, position.lower),
        tick(life, position.upper),
        None,
        None,
    )
    .unwrap();
    [quote.fee_owed_a, quote.fee_owed_b]
}

/// Core's opinion before an operation. Called when the operation is known to succeed: core does not check as much.
fn expect(life: &Life, op: &Op) -> Option<Expected> {
    let pool = life.pool.with(&life.world, pool_facade);
    let band = |position: usize| {
        let (position, trader) = life.positions[position];
        (position.lower, position.upper, trader)
    };
    Some(match *op {
        Op::Increase { position, args } => {
            let (lower, upper, trader) = band(position);
            let quote = increase_liquidity_quote(
                args.liquidity,
                0,
                pool.sqrt_price,
                lower,
                upper,
                None,
                None,
            )
            .unwrap();
            Expected {
                trader,
                paid: [quote.token_est_a, quote.token_est_b],
                into_pool: [true, true],
                owed: None,
            }
        }
        Op::Decrease { position, args } => {
            let (lower, upper, trader) = band(position);
            let quote = decrease_liquidity_quote(
                args.liquidity,
                0,
                pool.sqrt_price,
                lower,
                upper,
                None,
                None,
            )
            .unwrap();
            Expected {
                trader,
                paid: [quote.token_est_a, quote.token_est_b],
                into_pool: [false, false],
                owed: Some((position, owed(life, position))),
            }
        }
        Op::Update { position } => Expected {
            trader: 0,
            paid: [0, 0],
            into_pool: [true, true],
            owed: Some((position, owed(life, position))),
        },
        Op::Swap {
            trader,
            args,
            order,
        } => {
            let result = compute_swap(
                args.amount,
                args.sqrt_price_limit,
                pool,
                sequence(life, &args, order),
                args.a_to_b,
                args.amount_is_input,
                0,
            )
            .unwrap();
            Expected {
                trader,
                paid: [result.token_a, result.token_b],
                into_pool: [args.a_to_b, !args.a_to_b],
                owed: None,
            }
        }
        _ => return None,
    })
}

#[test]
fn amounts_and_fees_are_those_of_core() {
    let seed = seed();
    let (mut swaps, mut changes, mut updates) = (0, 0, 0);
    for number in 0..pools(60) {
        let mut rng = rng(seed, number);
        let spec = random_spec(&mut rng);
        // Two equal worlds: the second is always one operation behind, so that core sees the state before one.
        let mut ahead = Life::new(&Deployment::under_test(), spec);
        let mut behind = Life::new(&Deployment::under_test(), spec);
        for step in 0..120 {
            let op = ahead.draw(&mut rng);
            let context = format!("seed {seed}, pool {number} {spec:?}, step {step}, {op:?}");
            if ahead.apply(&op).is_ok()
                && let Some(expected) = expect(&behind, &op)
            {
                let before = balances(&behind, expected.trader);
                let after = balances(&ahead, expected.trader);
                let signed = [0, 1].map(|side| {
                    let amount = i128::from(expected.paid[side]);
                    if expected.into_pool[side] {
                        amount
                    } else {
                        -amount
                    }
                });
                assert_eq!(paid(before, after), signed, "{context}");
                if let Some((position, owed)) = expected.owed {
                    let position = ahead.positions[position].0;
                    let found = position.with(&ahead.world, |position| {
                        [position.fee_owed_a(), position.fee_owed_b()]
                    });
                    assert_eq!(found, owed, "{context}");
                }
                match op {
                    Op::Swap { .. } => swaps += 1,
                    Op::Update { .. } => updates += 1,
                    _ => changes += 1,
                }
            }
            assert_eq!(
                verdict(&op, &behind.apply(&op)).is_ok(),
                ahead.last_succeeded(),
                "{context}"
            );
        }
    }
    println!(
        "{swaps} swaps, {changes} changes of liquidity, {updates} updates of fees agree with core"
    );
    assert!(swaps >= 1_000 && changes >= 1_000 && updates >= 100);
}

/// A swap that is refused for want of tick arrays does fit in part: up to the end of the arrays, and no further.
#[test]
fn a_swap_past_the_arrays_fails_only_if_it_must() {
    /// The token program's.
    const INSUFFICIENT_FUNDS: u32 = 1;
    let seed = seed();
    let mut seen = 0;
    for number in 0..pools(30) {
        let mut rng = rng(seed, 1_000_000 + number);
        let mut life = Life::new(&Deployment::under_test(), random_spec(&mut rng));
        for step in 0..120 {
            let op = life.draw(&mut rng);
            let before = life.pool.with(&life.world, |pool| pool.tick_current());
            let Err(failure) = life.apply(&op) else {
                continue;
            };
            let Op::Swap {
                trader,
                args,
                order,
            } = op
            else {
                continue;
            };
            if failure.code != Some(6038) || order != [0, 1, 2] {
                continue;
            }
            let spacing = life.pool.spec.tick_spacing;
            let last = swap_tick_arrays(before, spacing, args.a_to_b)[2];
            assert_eq!(array_start(last, spacing), last);
            let upmost = last + (TICKS_PER_ARRAY - 1) * i32::from(spacing);
            let edge = if args.a_to_b {
                last
            } else if array_facade(&life, last).ticks[TICKS_PER_ARRAY as usize - 1].initialized {
                // Past its upmost tick the program looks for the next array, though this one goes on for a spacing.
                upmost
            } else {
                upmost + i32::from(spacing) - 1
            };
            let edge = ballast_clmm::Tick::new(edge).unwrap().sqrt_price();
            let limited = Op::Swap {
                trader,
                args: SwapV2 {
                    sqrt_price_limit: edge.x64(),
                    other_amount_threshold: if args.amount_is_input { 0 } else { u64::MAX },
                    ..args
                },
                order,
            };
            let context = format!("seed {seed}, pool {number}, step {step}, {op:?}");
            let earlier = balances(&life, trader);
            if let Err(failure) = life.apply(&limited) {
                // A price limit on or behind the price: the pool stood at the very edge. Or the trader has too few tokens.
                let expected = matches!(failure.code, Some(6034 | INSUFFICIENT_FUNDS));
                assert!(expected, "{context}: {}", failure.text);
                continue;
            }
            let [a, b] = paid(earlier, balances(&life, trader));
            let (given, taken) = if args.a_to_b { (a, -b) } else { (b, -a) };
            let used = if args.amount_is_input { given } else { taken };
            assert!(used < i128::from(args.amount), "{context}");
            assert_eq!(
                life.pool.with(&life.world, |pool| pool.sqrt_price()),
                edge,
                "{context}"
            );
            seen += 1;
        }
    }
    println!("{seen} swaps past the last array looked at");
    assert!(seen >= 20);
}
