//! Next prices and swap steps against Orca's core.

mod common;

use ballast_clmm::{
    ClmmError, Side, SqrtPrice, SwapMode, SwapStep, SwapStepInput, next_sqrt_price_from_base_up,
    next_sqrt_price_from_quote_down, swap_step,
};
use common::{Rng, cases};
use orca_whirlpools_core as orca;
use ruint::aliases::U512;

fn big(x: u128) -> U512 {
    U512::from(x)
}

/// An amount that moves the price by a sensible part, or any amount.
#[test]
fn next_price_from_base_is_orcas() {
    let mut rng = Rng::new(30);
    let mut moved = 0u64;
    for _ in 0..cases(2_000_000) {
        let price = rng.price();
        let liquidity = rng.wide(128);
        let (amount, mode) = (rng.swap_amount(liquidity), rng.mode());
        let ours = next_sqrt_price_from_base_up(price, liquidity, amount, mode);
        let context = (price.x64(), liquidity, amount, mode);

        let s = price.x64();
        let (held, taken) = (big(liquidity) << 64, big(amount.into()) * big(s));
        if amount == 0 {
            assert_eq!(ours, Ok(price));
            continue;
        } else if liquidity == 0 {
            assert_eq!(ours, Err(ClmmError::ZeroLiquidity));
            continue;
        } else if (big(liquidity) * big(s)) >> 192 != U512::ZERO {
            // Orca's core loses the top bits here; the program refuses.
            assert_eq!(ours, Err(ClmmError::LiquidityTooLarge), "{context:?}");
            continue;
        } else if mode == SwapMode::ExactOut && held <= taken {
            // Orca's core divides by zero or wraps here; the program refuses.
            let expected = ClmmError::OutputTooLarge {
                side: Side::Base,
                amount,
            };
            assert_eq!(ours, Err(expected), "{context:?}");
            continue;
        }
        let theirs =
            orca::try_get_next_sqrt_price_from_a(s, liquidity, amount, mode == SwapMode::ExactIn);
        match ours {
            Ok(price) => assert_eq!(Ok(price.x64()), theirs, "{context:?}"),
            Err(ClmmError::SqrtPriceOutOfRange(_)) => {
                assert_eq!(theirs, Err(orca::SQRT_PRICE_OUT_OF_BOUNDS), "{context:?}");
            }
            Err(other) => panic!("{other}: {context:?}"),
        }
        moved += u64::from(ours.is_ok_and(|next| next != price));
    }
    assert!(moved > cases(200_000), "only {moved} moved the price");
}

#[test]
fn next_price_from_quote_is_orcas() {
    let mut rng = Rng::new(31);
    let mut moved = 0u64;
    for _ in 0..cases(2_000_000) {
        let price = rng.price();
        let liquidity = rng.wide(128);
        let (amount, mode) = (rng.swap_amount(liquidity), rng.mode());
        let ours = next_sqrt_price_from_quote_down(price, liquidity, amount, mode);
        let context = (price.x64(), liquidity, amount, mode);

        if amount == 0 {
            assert_eq!(ours, Ok(price));
            continue;
        } else if liquidity == 0 {
            assert_eq!(ours, Err(ClmmError::ZeroLiquidity));
            continue;
        }
        let fall = (u128::from(amount) << 64).div_ceil(liquidity);
        if mode == SwapMode::ExactOut && fall >= price.x64() {
            // Orca's core wraps here; the program refuses.
            let expected = ClmmError::OutputTooLarge {
                side: Side::Quote,
                amount,
            };
            assert_eq!(ours, Err(expected), "{context:?}");
            continue;
        }
        let exact_in = mode == SwapMode::ExactIn;
        let theirs = orca::try_get_next_sqrt_price_from_b(price.x64(), liquidity, amount, exact_in);
        match ours {
            Ok(price) => assert_eq!(Ok(price.x64()), theirs, "{context:?}"),
            Err(ClmmError::SqrtPriceOutOfRange(_)) => {
                assert_eq!(theirs, Err(orca::SQRT_PRICE_OUT_OF_BOUNDS), "{context:?}");
            }
            Err(other) => panic!("{other}: {context:?}"),
        }
        moved += u64::from(ours.is_ok_and(|next| next != price));
    }
    assert!(moved > cases(200_000), "only {moved} moved the price");
}

/// A step written from Whirlpool's specification with Orca's published primitives. Steps that Orca's core would get
/// wrong (silent loss of top bits) are left out by the caller.
fn reference_step(step: SwapStepInput) -> Result<SwapStep, &'static str> {
    let exact_in = step.mode == SwapMode::ExactIn;
    let a_to_b = step.input == Side::Base;
    let (now, target) = (step.sqrt_price.x64(), step.target.x64());
    let delta = |of_a: bool, to: u128, up: bool| {
        if of_a {
            orca::try_get_amount_delta_a(now, to, step.liquidity, up)
        } else {
            orca::try_get_amount_delta_b(now, to, step.liquidity, up)
        }
    };
    let fixed_is_a = a_to_b == exact_in;
    let available = if exact_in {
        let keep = u128::from(1_000_000 - step.fee_rate_ppm);
        (u128::from(step.amount_remaining) * keep / 1_000_000) as u64
    } else {
        step.amount_remaining
    };
    let to_target = delta(fixed_is_a, target, exact_in);
    let next = match to_target {
        Ok(amount) if amount <= available => target,
        Err(error) if error != orca::AMOUNT_EXCEEDS_MAX_U64 => return Err(error),
        _ if fixed_is_a => {
            orca::try_get_next_sqrt_price_from_a(now, step.liquidity, available, exact_in)?
        }
        _ => orca::try_get_next_sqrt_price_from_b(now, step.liquidity, available, exact_in)?,
    };
    let fixed = delta(fixed_is_a, next, exact_in)?;
    let other = delta(!fixed_is_a, next, !exact_in)?;
    let (amount_in, amount_out) = if exact_in {
        (fixed, other)
    } else {
        (other, fixed.min(step.amount_remaining))
    };
    let fee = if exact_in && next != target {
        step.amount_remaining - amount_in
    } else {
        let (rate, keep) = (
            u128::from(step.fee_rate_ppm),
            u128::from(1_000_000 - step.fee_rate_ppm),
        );
        u64::try_from((u128::from(amount_in) * rate).div_ceil(keep))
            .map_err(|_| orca::AMOUNT_EXCEEDS_MAX_U64)?
    };
    amount_in
        .checked_add(fee)
        .ok_or(orca::AMOUNT_EXCEEDS_MAX_U64)?;
    let sqrt_price = SqrtPrice::new(next).unwrap();
    Ok(SwapStep {
        amount_in,
        amount_out,
        fee,
        sqrt_price,
    })
}

fn random_step(rng: &mut Rng, liquidity_bits: u32) -> SwapStepInput {
    let sqrt_price = rng.price();
    let input = rng.side();
    let target = if rng.flag() {
        rng.price()
    } else {
        rng.price_near(sqrt_price)
    };
    let (low, high) = (sqrt_price.min(target), sqrt_price.max(target));
    let (sqrt_price, target) = match input {
        Side::Base => (high, low),
        Side::Quote => (low, high),
    };
    let liquidity = rng.wide(liquidity_bits);
    let mut step = SwapStepInput {
        amount_remaining: rng.swap_amount(liquidity),
        mode: rng.mode(),
        input,
        fee_rate_ppm: [
            0,
            100,
            400,
            3_000,
            65_535,
            999_999,
            rng.below(1_000_000) as u32,
        ][rng.below(7) as usize],
        liquidity,
        sqrt_price,
        target,
    };
    // A third of the cases: an amount about as large as what reaches the target, where rounding decides.
    if rng.below(3) == 0
        && let Ok(to_target) = swap_step(SwapStepInput {
            amount_remaining: u64::MAX,
            ..step
        })
    {
        let whole = match step.mode {
            SwapMode::ExactIn => to_target.amount_in.saturating_add(to_target.fee),
            SwapMode::ExactOut => to_target.amount_out,
        };
        step.amount_remaining = whole.saturating_add(rng.below(5)).saturating_sub(2);
    }
    step
}

#[test]
fn steps_are_orcas() {
    let mut rng = Rng::new(32);
    let (mut reached, mut stopped, mut refused) = (0u64, 0u64, 0u64);
    for _ in 0..cases(2_000_000) {
        // 96 bits: no product leaves the 192 bits within which Orca's core is exact.
        let step = random_step(&mut rng, 96);
        let ours = swap_step(step);
        if step.liquidity == 0 && step.amount_remaining > 0 {
            assert_eq!(ours.map(|s| s.sqrt_price), Ok(step.target));
        }
        let theirs = reference_step(step);
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                assert_eq!(ours, theirs, "{step:?}");
                if ours.sqrt_price == step.target {
                    reached += 1
                } else {
                    stopped += 1
                }
            }
            (Err(_), Err(_)) => refused += 1,
            (ours, theirs) => panic!("{ours:?} but {theirs:?} for {step:?}"),
        }
    }
    let enough = cases(100_000);
    assert!(
        reached > enough && stopped > enough && refused > 0,
        "{reached} {stopped} {refused}"
    );
}

#[test]
fn steps_favour_the_pool() {
    let mut rng = Rng::new(33);
    for _ in 0..cases(1_000_000) {
        let step = random_step(&mut rng, 110);
        let Ok(done) = swap_step(step) else {
            continue;
        };
        let (from, to) = (step.sqrt_price, done.sqrt_price);
        let context = format!("{step:?} {done:?}");
        // Never beyond the target, never backwards.
        match step.input {
            Side::Base => assert!(step.target <= to && to <= from, "{context}"),
            Side::Quote => assert!(from <= to && to <= step.target, "{context}"),
        }
        match step.mode {
            SwapMode::ExactIn => {
                let paid = u128::from(done.amount_in) + u128::from(done.fee);
                assert!(paid <= u128::from(step.amount_remaining), "{context}");
                if to != step.target {
                    assert_eq!(paid, u128::from(step.amount_remaining), "{context}");
                }
            }
            SwapMode::ExactOut => {
                assert!(done.amount_out <= step.amount_remaining, "{context}");
            }
        }
        // What comes in is at least, and what goes out at most, what the curve asks for between the two prices.
        let difference = big(step.liquidity) * big(from.x64().abs_diff(to.x64()));
        let product = big(from.x64()) * big(to.x64());
        let (base, quote) = match step.input {
            Side::Base => (done.amount_in, done.amount_out),
            Side::Quote => (done.amount_out, done.amount_in),
        };
        let base_given = big(base.into()) * product;
        let base_asked = difference << 64;
        let quote_given = big(quote.into()) << 64;
        match step.input {
            Side::Base => assert!(
                base_given >= base_asked && quote_given <= difference,
                "{context}"
            ),
            Side::Quote => assert!(
                base_given <= base_asked && quote_given >= difference,
                "{context}"
            ),
        }
    }
}
