//! Where the price goes when an amount enters or leaves the pool.

use crate::{
    ClmmError, Side, SqrtPrice,
    wide::{
        digits::mul_128, divide::quotient_of_halves, round_up_if, shl64_div_down, shl64_div_up,
    },
};

/// Which side of a swap its amount fixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SwapMode {
    /// The amount is what the trader pays, fee included.
    ExactIn,
    /// The amount is what the trader receives.
    ExactOut,
}

/// Price after `base` raw units have entered (`ExactIn`) or left (`ExactOut`) the pool, rounded up: a trader paying base
/// moves the price down too little, one taking base moves it up too much; both favour the pool.
///
/// `ceil(L * s * 2^64 / (L * 2^64 +- base * s))`, Whirlpool's `get_next_sqrt_price_from_a_round_up`.
///
/// # Errors
/// [`ClmmError::ZeroLiquidity`]; [`ClmmError::OutputTooLarge`] if the liquidity does not hold that much base at any price;
/// [`ClmmError::LiquidityTooLarge`] if `L * s` exceeds 192 bits; [`ClmmError::SqrtPriceOutOfRange`].
pub const fn next_sqrt_price_from_base_up(
    sqrt_price: SqrtPrice,
    liquidity: u128,
    base: u64,
    mode: SwapMode,
) -> Result<SqrtPrice, ClmmError> {
    if base == 0 {
        return Ok(sqrt_price);
    }
    if liquidity == 0 {
        return Err(ClmmError::ZeroLiquidity);
    }
    let (p_high, p_low) = mul_128(liquidity, sqrt_price.x64());
    if p_high >> 64 != 0 {
        return Err(ClmmError::LiquidityTooLarge);
    }
    let (n_high, n_low) = ((p_high << 64) + (p_low >> 64), p_low << 64);
    // Both below 2^192, so neither the sum nor its carry can wrap.
    let (liquidity_high, liquidity_low) = (liquidity >> 64, liquidity << 64);
    let (moved_high, moved_low) = mul_128(base as u128, sqrt_price.x64());
    let (d_high, d_low) = match mode {
        SwapMode::ExactIn => {
            let (low, carry) = liquidity_low.overflowing_add(moved_low);
            (
                liquidity_high
                    .wrapping_add(moved_high)
                    .wrapping_add(carry as u128),
                low,
            )
        }
        SwapMode::ExactOut => {
            let (low, borrow) = liquidity_low.overflowing_sub(moved_low);
            match liquidity_high.checked_sub(moved_high.wrapping_add(borrow as u128)) {
                Some(high) if high != 0 || low != 0 => (high, low),
                _ => {
                    return Err(ClmmError::OutputTooLarge {
                        side: Side::Base,
                        amount: base,
                    });
                }
            }
        }
    };
    let next = match quotient_of_halves((n_high, n_low), (d_high, d_low)) {
        Some((quotient, inexact)) => round_up_if(quotient, inexact),
        None => None,
    };
    match next {
        Some(x64) => SqrtPrice::new(x64),
        None => Err(ClmmError::SqrtPriceOutOfRange(u128::MAX)),
    }
}

/// Price after `quote` raw units have entered (`ExactIn`) or left (`ExactOut`) the pool, rounded down: a trader paying
/// quote moves the price up too little, one taking quote moves it down too much; both favour the pool.
///
/// `s + floor(quote * 2^64 / L)` or `s - ceil(quote * 2^64 / L)`, Whirlpool's `get_next_sqrt_price_from_b_round_down`.
///
/// # Errors
/// [`ClmmError::ZeroLiquidity`]; [`ClmmError::OutputTooLarge`] if the liquidity does not hold that much quote at any price;
/// [`ClmmError::SqrtPriceOutOfRange`].
pub const fn next_sqrt_price_from_quote_down(
    sqrt_price: SqrtPrice,
    liquidity: u128,
    quote: u64,
    mode: SwapMode,
) -> Result<SqrtPrice, ClmmError> {
    if quote == 0 {
        return Ok(sqrt_price);
    }
    if liquidity == 0 {
        return Err(ClmmError::ZeroLiquidity);
    }
    match mode {
        SwapMode::ExactIn => match shl64_div_down(quote as u128, liquidity) {
            // 128 + 96 bits of which the first are at most 2^128 - 2^64.
            Some(rise) => SqrtPrice::new(sqrt_price.x64().saturating_add(rise)),
            None => Err(ClmmError::SqrtPriceOutOfRange(u128::MAX)),
        },
        SwapMode::ExactOut => match shl64_div_up(quote as u128, liquidity) {
            Some(fall) if fall < sqrt_price.x64() => SqrtPrice::new(sqrt_price.x64() - fall),
            _ => Err(ClmmError::OutputTooLarge {
                side: Side::Quote,
                amount: quote,
            }),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use SwapMode::{ExactIn, ExactOut};

    fn price(whole: u128) -> SqrtPrice {
        SqrtPrice::new(whole << 64).unwrap()
    }

    #[test]
    fn known_from_whirlpool() {
        assert_eq!(
            next_sqrt_price_from_base_up(price(4), 4, 1, ExactIn),
            Ok(price(2))
        );
        assert_eq!(
            next_sqrt_price_from_base_up(price(2), 4, 1, ExactOut),
            Ok(price(4))
        );
        assert_eq!(
            next_sqrt_price_from_quote_down(price(2), 4, 4, ExactIn),
            Ok(price(3))
        );
        assert_eq!(
            next_sqrt_price_from_quote_down(price(3), 4, 4, ExactOut),
            Ok(price(2))
        );
    }

    #[test]
    fn rounds_in_favour_of_the_pool() {
        // 3 * 1 / (3 + 1) = 0.75 and 1 + 1/3, 1 - 1/3.
        let base = next_sqrt_price_from_base_up(price(1), 3, 1, ExactIn).unwrap();
        assert_eq!(base.x64(), 3 << 62);
        let base = next_sqrt_price_from_base_up(price(1), 2, 1, ExactIn).unwrap();
        assert_eq!(base.x64(), (2u128 << 64).div_ceil(3));
        let rise = next_sqrt_price_from_quote_down(price(1), 3, 1, ExactIn).unwrap();
        assert_eq!(rise.x64(), (1 << 64) + (1u128 << 64) / 3);
        let fall = next_sqrt_price_from_quote_down(price(1), 3, 1, ExactOut).unwrap();
        assert_eq!(fall.x64(), (1 << 64) - (1u128 << 64).div_ceil(3));
    }

    #[test]
    fn rounds_up_by_whatever_is_left_of_a_long_division() {
        // 3 * 2^128 divides (3 * 2^64 - 1) * 2^128 with a remainder whose lower 128 bits are zero.
        let next = next_sqrt_price_from_base_up(price(1), (3 << 64) - 1, 1, ExactIn);
        assert_eq!(next, Ok(price(1)));
    }

    #[test]
    fn no_amount_moves_nothing() {
        for (liquidity, mode) in [(0, ExactIn), (0, ExactOut), (7, ExactIn), (7, ExactOut)] {
            assert_eq!(
                next_sqrt_price_from_base_up(price(1), liquidity, 0, mode),
                Ok(price(1))
            );
            assert_eq!(
                next_sqrt_price_from_quote_down(price(1), liquidity, 0, mode),
                Ok(price(1))
            );
        }
    }

    #[test]
    fn an_empty_pool_has_no_next_price() {
        let empty = Err(ClmmError::ZeroLiquidity);
        for mode in [ExactIn, ExactOut] {
            assert_eq!(next_sqrt_price_from_base_up(price(1), 0, 1, mode), empty);
            assert_eq!(next_sqrt_price_from_quote_down(price(1), 0, 1, mode), empty);
        }
    }

    #[test]
    fn a_pool_pays_no_more_than_it_holds() {
        let too_much = |side, amount| Err(ClmmError::OutputTooLarge { side, amount });
        // 4 of liquidity at sqrt price 2 hold 2 base and 8 quote over all prices.
        for base in [2, 3, u64::MAX] {
            let next = next_sqrt_price_from_base_up(price(2), 4, base, ExactOut);
            assert_eq!(next, too_much(Side::Base, base));
        }
        for quote in [8, 9, u64::MAX] {
            let next = next_sqrt_price_from_quote_down(price(2), 4, quote, ExactOut);
            assert_eq!(next, too_much(Side::Quote, quote));
        }
    }

    #[test]
    fn prices_beyond_the_bounds_are_errors() {
        assert!(matches!(
            next_sqrt_price_from_base_up(SqrtPrice::MIN, 1, u64::MAX, ExactIn),
            Err(ClmmError::SqrtPriceOutOfRange(_))
        ));
        assert!(matches!(
            next_sqrt_price_from_quote_down(SqrtPrice::MAX, 1, u64::MAX, ExactIn),
            Err(ClmmError::SqrtPriceOutOfRange(_))
        ));
        assert_eq!(
            next_sqrt_price_from_base_up(SqrtPrice::MAX, u128::MAX, 1, ExactIn),
            Err(ClmmError::LiquidityTooLarge)
        );
    }
}
