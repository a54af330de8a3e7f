//! One step of a swap: from the current price towards the next initialised tick or the limit, within one liquidity.

use crate::{
    ClmmError, Side, SqrtPrice, SwapMode,
    amounts::{amount_down, amount_up},
    next_sqrt_price_from_base_up, next_sqrt_price_from_quote_down,
    wide::digits::mul_64,
};

/// Fee rates are in millionths: 3000 is 0.3 %.
pub const FEE_RATE_DENOMINATOR_PPM: u32 = 1_000_000;

/// What a step starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapStepInput {
    /// What is left of the swap's amount, raw units: of the input, fee included, or of the output.
    pub amount_remaining: u64,
    /// Which of the two `amount_remaining` is.
    pub mode: SwapMode,
    /// The token the trader pays. Base in lowers the price, quote in raises it.
    pub input: Side,
    /// Fee in millionths of the input, below 1000000.
    pub fee_rate_ppm: u32,
    /// Active liquidity between the two prices.
    pub liquidity: u128,
    /// Current price.
    pub sqrt_price: SqrtPrice,
    /// Where the step ends at the latest: the price of the next initialised tick, or the trader's limit if nearer.
    pub target: SqrtPrice,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SwapStep {
    /// Raw units paid into the pool's curve, without fee.
    pub amount_in: u64,
    /// Raw units paid out.
    pub amount_out: u64,
    /// Raw units of fee, paid in the input token on top of `amount_in`.
    pub fee: u64,
    /// Price after the step; equal to the target if it was reached.
    pub sqrt_price: SqrtPrice,
}

/// Computes one step of a swap, bit for bit Whirlpool's `compute_swap`.
///
/// Inputs round up and outputs down. With an exact input, the curve gets `floor(remaining * (1 - fee))`; if that does not
/// reach the target, the fee is everything that the curve did not take, otherwise `ceil(in * fee / (1 - fee))`, as with an
/// exact output. An exact output never pays more than was asked for.
///
/// # Errors
/// [`ClmmError::FeeRateTooHigh`]; [`ClmmError::TargetBehindPrice`]; [`ClmmError::AmountTooLarge`] if an amount, or the input
/// and its fee together, exceed 64 bits; and those of the next price ([`next_sqrt_price_from_base_up`],
/// [`next_sqrt_price_from_quote_down`]).
pub const fn swap_step(step: SwapStepInput) -> Result<SwapStep, ClmmError> {
    let SwapStepInput {
        amount_remaining,
        mode,
        input,
        fee_rate_ppm,
        liquidity,
        sqrt_price,
        target,
    } = step;
    if fee_rate_ppm >= FEE_RATE_DENOMINATOR_PPM {
        return Err(ClmmError::FeeRateTooHigh(fee_rate_ppm));
    }
    let behind = match input {
        Side::Base => target.x64() > sqrt_price.x64(),
        Side::Quote => target.x64() < sqrt_price.x64(),
    };
    if behind {
        return Err(ClmmError::TargetBehindPrice {
            current: sqrt_price.x64(),
            target: target.x64(),
        });
    }

    // What the curve may take or pay in this step.
    let available = match mode {
        SwapMode::ExactIn => less_fee_down(amount_remaining, fee_rate_ppm),
        SwapMode::ExactOut => amount_remaining,
    };
    // The fixed amount up to the target. One that exceeds 64 bits only means that the target is out of reach; this happens
    // in full-range pools.
    let fixed_to_target = match fixed_amount(mode, input, liquidity, sqrt_price, target) {
        Ok(amount) => Some(amount),
        Err(ClmmError::AmountTooLarge) => None,
        Err(error) => return Err(error),
    };
    let reached_in_full = match fixed_to_target {
        Some(amount) => amount <= available,
        None => false,
    };
    let next = if reached_in_full {
        target
    } else {
        match next_price(mode, input, liquidity, sqrt_price, available) {
            Ok(next) => next,
            Err(error) => return Err(error),
        }
    };
    // Rounding may reach the target although the amount fell short of it.
    let at_target = next.x64() == target.x64();

    let fixed = match fixed_to_target {
        Some(amount) if at_target => amount,
        _ => match fixed_amount(mode, input, liquidity, sqrt_price, next) {
            Ok(amount) => amount,
            Err(error) => return Err(error),
        },
    };
    let other = match other_amount(mode, input, liquidity, sqrt_price, next) {
        Ok(amount) => amount,
        Err(error) => return Err(error),
    };
    let (amount_in, amount_out) = match mode {
        SwapMode::ExactIn => (fixed, other),
        SwapMode::ExactOut => (
            other,
            if fixed < amount_remaining {
                fixed
            } else {
                amount_remaining
            },
        ),
    };
    let fee = match mode {
        SwapMode::ExactIn if !at_target => amount_remaining.checked_sub(amount_in),
        _ => fee_on_top_up(amount_in, fee_rate_ppm),
    };
    match fee {
        Some(fee) if amount_in.checked_add(fee).is_some() => Ok(SwapStep {
            amount_in,
            amount_out,
            fee,
            sqrt_price: next,
        }),
        _ => Err(ClmmError::AmountTooLarge),
    }
}

/// The amount that `amount_remaining` limits: the input, rounded up, or the output, rounded down.
const fn fixed_amount(
    mode: SwapMode,
    input: Side,
    liquidity: u128,
    from: SqrtPrice,
    to: SqrtPrice,
) -> Result<u64, ClmmError> {
    match mode {
        SwapMode::ExactIn => amount_up(input, liquidity, from, to),
        SwapMode::ExactOut => amount_down(input.other(), liquidity, from, to),
    }
}

/// The amount that follows: the output, rounded down, or the input, rounded up.
const fn other_amount(
    mode: SwapMode,
    input: Side,
    liquidity: u128,
    from: SqrtPrice,
    to: SqrtPrice,
) -> Result<u64, ClmmError> {
    match mode {
        SwapMode::ExactIn => amount_down(input.other(), liquidity, from, to),
        SwapMode::ExactOut => amount_up(input, liquidity, from, to),
    }
}

const fn next_price(
    mode: SwapMode,
    input: Side,
    liquidity: u128,
    sqrt_price: SqrtPrice,
    amount: u64,
) -> Result<SqrtPrice, ClmmError> {
    let moved = match mode {
        SwapMode::ExactIn => input,
        SwapMode::ExactOut => input.other(),
    };
    match moved {
        Side::Base => next_sqrt_price_from_base_up(sqrt_price, liquidity, amount, mode),
        Side::Quote => next_sqrt_price_from_quote_down(sqrt_price, liquidity, amount, mode),
    }
}

/// `floor(amount * (1e6 - fee) / 1e6)`, never above `amount`.
const fn less_fee_down(amount: u64, fee_rate_ppm: u32) -> u64 {
    let keep = FEE_RATE_DENOMINATOR_PPM.saturating_sub(fee_rate_ppm) as u64;
    (mul_64(amount, keep) / FEE_RATE_DENOMINATOR_PPM as u128) as u64
}

/// `ceil(amount * fee / (1e6 - fee))`; `None` above 64 bits.
const fn fee_on_top_up(amount: u64, fee_rate_ppm: u32) -> Option<u64> {
    let keep = FEE_RATE_DENOMINATOR_PPM.saturating_sub(fee_rate_ppm) as u128;
    // Below 2^84, and the rate was checked to be below 1e6.
    let padded = mul_64(amount, fee_rate_ppm as u64).wrapping_add(keep.saturating_sub(1));
    match padded.checked_div(keep) {
        Some(fee) if fee >> 64 == 0 => Some(fee as u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base_amount_up;

    /// 0.3 % of 1000 base against liquidity 10^6 at price 1, down to price 1/4.
    const STEP: SwapStepInput = SwapStepInput {
        amount_remaining: 1_000,
        mode: SwapMode::ExactIn,
        input: Side::Base,
        fee_rate_ppm: 3_000,
        liquidity: 1_000_000,
        sqrt_price: SqrtPrice::ONE,
        target: match SqrtPrice::new(1 << 63) {
            Ok(price) => price,
            Err(_) => SqrtPrice::ONE,
        },
    };

    #[test]
    fn an_input_that_stops_short_pays_the_rest_as_fee() {
        let step = swap_step(STEP).unwrap();
        // 997 into the curve: 10^6 * 997 / (10^6 + 997) = 996.006...
        assert_eq!((step.amount_in, step.amount_out, step.fee), (997, 996, 3));
        assert!(STEP.target < step.sqrt_price && step.sqrt_price < STEP.sqrt_price);
    }

    #[test]
    fn an_input_that_reaches_the_target_pays_the_fee_on_top() {
        let step = swap_step(SwapStepInput {
            amount_remaining: u64::MAX,
            ..STEP
        })
        .unwrap();
        // 10^6 * (2 - 1) base for 10^6 * (1 - 1/2) quote; 10^6 * 3 / 997 = 3009.03 rounded up.
        assert_eq!(
            (step.amount_in, step.amount_out, step.fee),
            (1_000_000, 500_000, 3_010)
        );
        assert_eq!(step.sqrt_price, STEP.target);
    }

    #[test]
    fn an_input_too_small_to_move_the_price_is_all_fee() {
        let step = swap_step(SwapStepInput {
            liquidity: 1 << 80,
            ..STEP
        })
        .unwrap();
        let expected = SwapStep {
            amount_in: 0,
            amount_out: 0,
            fee: 1_000,
            sqrt_price: STEP.sqrt_price,
        };
        assert_eq!(step, expected);
    }

    #[test]
    fn an_output_is_never_more_than_asked_for() {
        let step = SwapStepInput {
            mode: SwapMode::ExactOut,
            amount_remaining: 996,
            ..STEP
        };
        let step = swap_step(step).unwrap();
        // 996 * 10^6 / (10^6 - 996) = 996.99..., and 997 * 3 / 997 = 3.
        assert_eq!((step.amount_in, step.amount_out, step.fee), (997, 996, 3));
    }

    #[test]
    fn an_empty_stretch_costs_nothing() {
        let step = swap_step(SwapStepInput {
            liquidity: 0,
            ..STEP
        })
        .unwrap();
        let expected = SwapStep {
            amount_in: 0,
            amount_out: 0,
            fee: 0,
            sqrt_price: STEP.target,
        };
        assert_eq!(step, expected);
    }

    #[test]
    fn a_target_out_of_reach_of_64_bits_is_not_an_error() {
        let step = SwapStepInput {
            liquidity: 1 << 60,
            target: SqrtPrice::MIN,
            ..STEP
        };
        assert_eq!(
            base_amount_up(step.liquidity, step.sqrt_price, step.target),
            Err(ClmmError::AmountTooLarge)
        );
        let done = swap_step(step).unwrap();
        assert_eq!((done.amount_in, done.amount_out, done.fee), (997, 996, 3));
    }

    #[test]
    fn liquidity_beyond_whirlpools_products_is_an_error() {
        let step = SwapStepInput {
            mode: SwapMode::ExactOut,
            input: Side::Quote,
            amount_remaining: 1,
            liquidity: 1 << 127,
            target: SqrtPrice::MAX,
            ..STEP
        };
        assert_eq!(swap_step(step), Err(ClmmError::LiquidityTooLarge));
    }

    #[test]
    fn fees_of_everything_and_more_are_refused() {
        for fee_rate_ppm in [1_000_000, u32::MAX] {
            let step = swap_step(SwapStepInput {
                fee_rate_ppm,
                ..STEP
            });
            assert_eq!(step, Err(ClmmError::FeeRateTooHigh(fee_rate_ppm)));
        }
        assert!(
            swap_step(SwapStepInput {
                fee_rate_ppm: 999_999,
                ..STEP
            })
            .is_ok()
        );
    }

    #[test]
    fn a_target_behind_the_price_is_refused() {
        let (one, half) = (STEP.sqrt_price.x64(), STEP.target.x64());
        assert_eq!(
            swap_step(SwapStepInput {
                input: Side::Quote,
                ..STEP
            }),
            Err(ClmmError::TargetBehindPrice {
                current: one,
                target: half
            })
        );
        let up = SwapStepInput {
            sqrt_price: STEP.target,
            target: STEP.sqrt_price,
            ..STEP
        };
        assert_eq!(
            swap_step(up),
            Err(ClmmError::TargetBehindPrice {
                current: half,
                target: one
            })
        );
        assert!(
            swap_step(SwapStepInput {
                input: Side::Quote,
                ..up
            })
            .is_ok()
        );
    }

    #[test]
    fn an_input_and_fee_beyond_64_bits_are_an_error() {
        let step = SwapStepInput {
            mode: SwapMode::ExactOut,
            amount_remaining: u64::MAX,
            fee_rate_ppm: 999_999,
            liquidity: 1 << 62,
            ..STEP
        };
        assert_eq!(swap_step(step), Err(ClmmError::AmountTooLarge));
    }
}
