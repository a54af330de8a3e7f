use orca_whirlpools_core as orca;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::*;

const SPACING: i32 = 64;
const ARRAY: i32 = 88 * SPACING;

fn price(tick: i32) -> SqrtPrice {
    Tick::new(tick).unwrap().sqrt_price()
}

fn order(amount: u64, mode: SwapMode, input: Side) -> SwapOrder {
    SwapOrder {
        amount,
        mode,
        input,
        limit: None,
    }
}

/// A pool with random liquidity over three arrays, and the same for Orca's own core.
fn random(rng: &mut StdRng) -> (TickPool, orca::WhirlpoolFacade, orca::TickArraySequence<3>) {
    let first = rng.random_range(-8..6) * ARRAY;
    let current = first + ARRAY + rng.random_range(0..ARRAY);
    let fee_ppm: u16 = rng.random();
    let mut pool = TickPool::new(price(current), SwapFee::fixed(fee_ppm.into()), 1_300);
    let mut bands = vec![[0, 263]];
    for _ in 0..rng.random_range(0..12) {
        let (a, b) = (rng.random_range(0..264), rng.random_range(0..264));
        if a != b {
            bands.push([a.min(b), a.max(b)]);
        }
    }
    for range in bands {
        let seat = pool.seat(range.map(|tick| first + tick * SPACING));
        pool.provide(seat, rng.random_range(1..1 << 56)).unwrap();
    }
    let arrays = [0, 1, 2].map(|number| {
        let start = first + number * ARRAY;
        let mut ticks = [orca::TickFacade::default(); 88];
        for (tick, state) in pool.ticks() {
            if (start..start + ARRAY).contains(&tick) {
                let at = &mut ticks[((tick - start) / SPACING) as usize];
                (at.initialized, at.liquidity_net) = (true, state.net);
            }
        }
        Some(orca::TickArrayFacade {
            start_tick_index: start,
            ticks,
        })
    });
    let facade = orca::WhirlpoolFacade {
        tick_spacing: SPACING as u16,
        fee_rate: fee_ppm,
        liquidity: pool.liquidity(),
        sqrt_price: pool.sqrt_price().x64(),
        tick_current_index: pool.tick_current(),
        ..orca::WhirlpoolFacade::default()
    };
    let sequence = orca::TickArraySequence::new(arrays, SPACING as u16).unwrap();
    (pool, facade, sequence)
}

#[test]
fn swaps_are_orcas_to_the_unit_and_tokens_are_conserved() {
    let mut rng = StdRng::seed_from_u64(7);
    let mut crossings = 0;
    for number in 0..4_000 {
        let (mut pool, facade, ticks) = random(&mut rng);
        let before = pool.clone();
        let input = if rng.random() {
            Side::Base
        } else {
            Side::Quote
        };
        let mode = if rng.random() {
            SwapMode::ExactIn
        } else {
            SwapMode::ExactOut
        };
        let amount = 1u64 << rng.random_range(20..62);
        let reach = rng.random_range(1..ARRAY);
        let to = match input {
            Side::Base => pool.tick_current() - reach,
            Side::Quote => pool.tick_current() + reach,
        };
        let limit = price(to);
        let theirs = orca::compute_swap(
            amount,
            limit.x64(),
            facade,
            ticks,
            input == Side::Base,
            mode == SwapMode::ExactIn,
            0,
        );
        let asked = SwapOrder {
            limit: Some(limit),
            ..order(amount, mode, input)
        };
        let ours = pool.swap(asked, 0);
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                assert_eq!(
                    (ours.amounts.base, ours.amounts.quote, ours.fee),
                    (theirs.token_a, theirs.token_b, theirs.trade_fee),
                    "{number}"
                );
                let moved = |after: u64, before: u64| i128::from(after) - i128::from(before);
                let base = moved(pool.vault().base, before.vault().base);
                let quote = moved(pool.vault().quote, before.vault().quote);
                let (in_base, in_quote) = match input {
                    Side::Base => (1, -1),
                    Side::Quote => (-1, 1),
                };
                assert_eq!(base, in_base * i128::from(ours.amounts.base));
                assert_eq!(quote, in_quote * i128::from(ours.amounts.quote));
                let between = |(tick, _): &(i32, &TickLiquidity)| {
                    let (a, b) = (before.tick_current(), pool.tick_current());
                    *tick > a.min(b) && *tick <= a.max(b)
                };
                crossings += pool.ticks().filter(between).count();
            }
            (Err(_), Err(_)) => assert_eq!(pool, before),
            (ours, theirs) => panic!("{number}: {ours:?}, {:?}", theirs.map(|swap| swap.token_a)),
        }
    }
    assert!(crossings > 1_000, "{crossings}");
}

/// Whoever leaves last finds what is owed to everybody: rounding is the pool's.
#[test]
fn everybody_can_leave_with_fees_after_any_number_of_swaps() {
    let mut rng = StdRng::seed_from_u64(8);
    for _ in 0..200 {
        let (mut pool, ..) = random(&mut rng);
        let mut paid = Amounts::ZERO;
        for secs in 0..20 {
            let input = if rng.random() {
                Side::Base
            } else {
                Side::Quote
            };
            let amount = 1u64 << rng.random_range(1..50);
            if let Ok(traded) = pool.swap(order(amount, SwapMode::ExactIn, input), secs) {
                let fee = Amounts::only(input, traded.fee - traded.protocol_fee);
                paid = paid.checked_add(fee).unwrap();
            }
        }
        let mut earned = Amounts::ZERO;
        for seat in 0..pool.seats.len() {
            let state = pool.seat_at(seat);
            let owed = pool.fees_of(seat);
            pool.withdraw(seat, state.liquidity()).unwrap();
            let fees = pool.collect(seat).unwrap();
            assert_eq!(fees, owed);
            earned = earned.checked_add(fees).unwrap();
        }
        assert_eq!((pool.liquidity(), pool.ticks().count()), (0, 0));
        // Nobody earns more than was paid.
        assert!(earned.base <= paid.base && earned.quote <= paid.quote);
        assert!(pool.vault().checked_sub(pool.protocol_fees()).is_ok());
    }
}

#[test]
fn a_seat_earns_its_part_of_what_happens_in_its_range() {
    let mut pool = TickPool::new(price(0), SwapFee::fixed(10_000), 2_500);
    let seats = [[-640, 640], [-640, 640], [64, 640]].map(|range| pool.seat(range));
    for (seat, liquidity) in seats.into_iter().zip([3_000_000_000, 1_000_000_000, 5]) {
        pool.provide(seat, liquidity).unwrap();
    }
    let traded = pool
        .swap(order(1_000_000, SwapMode::ExactIn, Side::Quote), 0)
        .unwrap();
    assert_eq!((traded.fee, traded.protocol_fee), (10_000, 2_500));
    assert_eq!(pool.protocol_fees(), Amounts::new(0, 2_500));
    let fees = seats.map(|seat| pool.fees_of(seat).quote);
    assert_eq!(fees, [5_624, 1_874, 0]);
    pool.book(seats[0]);
    assert_eq!(pool.collect(seats[0]), Ok(Amounts::new(0, 5_624)));
    assert_eq!(pool.fees_of(seats[0]), Amounts::ZERO);
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut pool = TickPool::new(price(0), SwapFee::fixed(3_000), 0);
    let seat = pool.seat([-64, 64]);
    pool.provide(seat, 1_000_000).unwrap();
    let before = pool.clone();
    assert_eq!(
        pool.withdraw(seat, 1_000_001),
        Err(TickPoolError::TooLittleLiquidity {
            held: 1_000_000,
            asked: 1_000_001
        })
    );
    let behind = SwapOrder {
        limit: Some(price(1)),
        ..order(5, SwapMode::ExactIn, Side::Base)
    };
    assert!(matches!(
        pool.swap(behind, 0),
        Err(TickPoolError::LimitNotAhead { .. })
    ));
    assert_eq!(pool, before);
    // Beyond all liquidity a swap ends with a part of what was asked.
    let all = pool
        .swap(order(1_000_000, SwapMode::ExactIn, Side::Base), 0)
        .unwrap();
    assert!(all.amounts.base < 1_000_000);
    assert_eq!((pool.sqrt_price(), pool.liquidity()), (SqrtPrice::MIN, 0));
}

/// A long swap pays more the farther it goes; the same way in a pool of a fixed fee pays the fixed fee.
#[test]
fn an_adaptive_fee_is_charged_group_by_group() {
    let terms = AdaptiveTerms::EXAMPLE;
    let pool = |fee| {
        let mut pool = TickPool::new(price(32), fee, 0);
        let seat = pool.seat([-6_400, 6_400]);
        pool.provide(seat, 1_000_000_000_000).unwrap();
        pool
    };
    let down = |pool: &mut TickPool, to: i32| {
        let asked = SwapOrder {
            limit: Some(price(to)),
            ..order(u64::MAX, SwapMode::ExactIn, Side::Base)
        };
        pool.swap(asked, 10_000).unwrap()
    };
    let (mut adaptive, mut fixed) = (
        pool(SwapFee::adaptive(3_000, terms)),
        pool(SwapFee::fixed(3_000)),
    );
    // Within the first group both charge the same.
    assert_eq!(down(&mut adaptive, 5), down(&mut fixed, 5));
    let (dear, cheap) = (down(&mut adaptive, -192), down(&mut fixed, -192));
    // What comes out is rounded down at each step.
    assert!(cheap.amounts.quote - dear.amounts.quote <= 3);
    // By hand: 5 ticks at 0.3 %, then groups 1, 2, 3 below at 3164, 3656, 4475 ppm.
    let group = |from: i32, to: i32, ppm: u64| {
        let base = ballast_clmm::base_amount_up(1_000_000_000_000, price(to), price(from)).unwrap();
        (base * ppm).div_ceil(1_000_000 - ppm)
    };
    let expected = group(5, 0, 3_000)
        + group(0, -64, 3_164)
        + group(-64, -128, 3_656)
        + group(-128, -192, 4_475);
    assert_eq!(dear.fee, expected);
    assert!(dear.fee > cheap.fee);
    assert_eq!(adaptive.fee().rate_ppm(), 4_475);
}
