//! Token amounts, and how much of each token liquidity holds between two prices.

use crate::{
    ClmmError, SqrtPrice,
    wide::{digits::mul_128, divide::quotient_of_halves},
};

/// One of the two tokens of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The pool's token A, whose price is quoted.
    Base,
    /// The pool's token B, in which prices and values are stated.
    Quote,
}

impl Side {
    /// The other token.
    pub const fn other(self) -> Side {
        match self {
            Side::Base => Side::Quote,
            Side::Quote => Side::Base,
        }
    }
}

impl core::fmt::Display for Side {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Side::Base => "base",
            Side::Quote => "quote",
        })
    }
}

/// An amount of each token, in raw units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Amounts {
    /// Raw units of token A.
    pub base: u64,
    /// Raw units of token B.
    pub quote: u64,
}

impl Amounts {
    /// Nothing of either token.
    pub const ZERO: Amounts = Amounts { base: 0, quote: 0 };

    /// Both amounts.
    pub const fn new(base: u64, quote: u64) -> Amounts {
        Amounts { base, quote }
    }

    /// `amount` of one token and nothing of the other.
    pub const fn only(side: Side, amount: u64) -> Amounts {
        Amounts::ZERO.with(side, amount)
    }

    /// The amount of one token.
    pub const fn get(self, side: Side) -> u64 {
        match side {
            Side::Base => self.base,
            Side::Quote => self.quote,
        }
    }

    /// The same amounts with one of them replaced.
    pub const fn with(self, side: Side, amount: u64) -> Amounts {
        match side {
            Side::Base => Amounts {
                base: amount,
                ..self
            },
            Side::Quote => Amounts {
                quote: amount,
                ..self
            },
        }
    }

    /// Whether there is nothing of either token.
    pub const fn is_zero(self) -> bool {
        self.base == 0 && self.quote == 0
    }

    /// Sum per token.
    ///
    /// # Errors
    /// [`ClmmError::AmountOverflow`] names the token whose sum exceeds 64 bits.
    pub const fn checked_add(self, other: Amounts) -> Result<Amounts, ClmmError> {
        let Some(base) = self.base.checked_add(other.base) else {
            return Err(ClmmError::AmountOverflow(Side::Base));
        };
        let Some(quote) = self.quote.checked_add(other.quote) else {
            return Err(ClmmError::AmountOverflow(Side::Quote));
        };
        Ok(Amounts { base, quote })
    }

    /// Difference per token.
    ///
    /// # Errors
    /// [`ClmmError::AmountUnderflow`] names the token of which `other` has more.
    pub const fn checked_sub(self, other: Amounts) -> Result<Amounts, ClmmError> {
        let Some(base) = self.base.checked_sub(other.base) else {
            return Err(ClmmError::AmountUnderflow(Side::Base));
        };
        let Some(quote) = self.quote.checked_sub(other.quote) else {
            return Err(ClmmError::AmountUnderflow(Side::Quote));
        };
        Ok(Amounts { base, quote })
    }

    /// Difference per token, zero where `other` has more.
    pub const fn saturating_sub(self, other: Amounts) -> Amounts {
        Amounts {
            base: self.base.saturating_sub(other.base),
            quote: self.quote.saturating_sub(other.quote),
        }
    }

    /// The smaller amount per token.
    pub fn min(self, other: Amounts) -> Amounts {
        Amounts {
            base: self.base.min(other.base),
            quote: self.quote.min(other.quote),
        }
    }
}

/// Raw base that `liquidity` holds between two prices (in either order), rounded down: what a withdrawal or a swap pays.
///
/// `L * (hi - lo) * 2^64 / (hi * lo)`, Whirlpool's `get_amount_delta_a`.
///
/// # Errors
/// [`ClmmError::AmountTooLarge`] above 64 bits; [`ClmmError::LiquidityTooLarge`] if `L * (hi - lo)` exceeds the 192 bits
/// that Whirlpool computes with.
#[cfg_attr(not(target_os = "solana"), inline)]
pub const fn base_amount_down(
    liquidity: u128,
    a: SqrtPrice,
    b: SqrtPrice,
) -> Result<u64, ClmmError> {
    match base_amount(liquidity, a, b) {
        Ok((amount, _)) => Ok(amount),
        Err(error) => Err(error),
    }
}

/// Raw base that `liquidity` takes between two prices (in either order), rounded up: what a deposit or a swap costs.
/// Formula and errors as [`base_amount_down`].
///
/// # Errors
/// See [`base_amount_down`].
#[cfg_attr(not(target_os = "solana"), inline)]
pub const fn base_amount_up(liquidity: u128, a: SqrtPrice, b: SqrtPrice) -> Result<u64, ClmmError> {
    match base_amount(liquidity, a, b) {
        Ok((amount, inexact)) => round_up_if(amount, inexact),
        Err(error) => Err(error),
    }
}

/// Raw quote that `liquidity` holds between two prices (in either order), rounded down: what a withdrawal or a swap pays.
///
/// `L * (hi - lo) / 2^64`, Whirlpool's `get_amount_delta_b`.
///
/// # Errors
/// [`ClmmError::AmountTooLarge`] above 64 bits.
#[cfg_attr(not(target_os = "solana"), inline)]
pub const fn quote_amount_down(
    liquidity: u128,
    a: SqrtPrice,
    b: SqrtPrice,
) -> Result<u64, ClmmError> {
    match quote_amount(liquidity, a, b) {
        Ok((amount, _)) => Ok(amount),
        Err(error) => Err(error),
    }
}

/// Raw quote that `liquidity` takes between two prices (in either order), rounded up: what a deposit or a swap costs.
/// Formula and errors as [`quote_amount_down`].
///
/// # Errors
/// See [`quote_amount_down`].
#[cfg_attr(not(target_os = "solana"), inline)]
pub const fn quote_amount_up(
    liquidity: u128,
    a: SqrtPrice,
    b: SqrtPrice,
) -> Result<u64, ClmmError> {
    match quote_amount(liquidity, a, b) {
        Ok((amount, inexact)) => round_up_if(amount, inexact),
        Err(error) => Err(error),
    }
}

/// [`base_amount_up`] or [`quote_amount_up`].
pub(crate) const fn amount_up(
    side: Side,
    liquidity: u128,
    from: SqrtPrice,
    to: SqrtPrice,
) -> Result<u64, ClmmError> {
    match side {
        Side::Base => base_amount_up(liquidity, from, to),
        Side::Quote => quote_amount_up(liquidity, from, to),
    }
}

/// [`base_amount_down`] or [`quote_amount_down`].
pub(crate) const fn amount_down(
    side: Side,
    liquidity: u128,
    from: SqrtPrice,
    to: SqrtPrice,
) -> Result<u64, ClmmError> {
    match side {
        Side::Base => base_amount_down(liquidity, from, to),
        Side::Quote => quote_amount_down(liquidity, from, to),
    }
}

#[cfg_attr(not(target_os = "solana"), inline)]
const fn base_amount(
    liquidity: u128,
    a: SqrtPrice,
    b: SqrtPrice,
) -> Result<(u64, bool), ClmmError> {
    let distance = distance(a, b);
    // Of an empty position, and beyond a band's end: no division is needed for it.
    if liquidity == 0 || distance == 0 {
        return Ok((0, false));
    }
    let (n_high, n_low) = mul_128(liquidity, distance);
    if n_high >> 64 != 0 {
        return Err(ClmmError::LiquidityTooLarge);
    }
    let shifted = ((n_high << 64) + (n_low >> 64), n_low << 64);
    match quotient_of_halves(shifted, mul_128(a.x64(), b.x64())) {
        Some((quotient, inexact)) if quotient >> 64 == 0 => Ok((quotient as u64, inexact)),
        _ => Err(ClmmError::AmountTooLarge),
    }
}

#[cfg_attr(not(target_os = "solana"), inline)]
const fn quote_amount(
    liquidity: u128,
    a: SqrtPrice,
    b: SqrtPrice,
) -> Result<(u64, bool), ClmmError> {
    let distance = distance(a, b);
    if liquidity == 0 || distance == 0 {
        return Ok((0, false));
    }
    let (high, low) = mul_128(liquidity, distance);
    if high != 0 {
        return Err(ClmmError::AmountTooLarge);
    }
    Ok(((low >> 64) as u64, low as u64 != 0))
}

#[cfg_attr(not(target_os = "solana"), inline)]
const fn distance(a: SqrtPrice, b: SqrtPrice) -> u128 {
    let (difference, negative) = a.x64().overflowing_sub(b.x64());
    if negative {
        difference.wrapping_neg()
    } else {
        difference
    }
}

#[cfg_attr(not(target_os = "solana"), inline)]
const fn round_up_if(amount: u64, inexact: bool) -> Result<u64, ClmmError> {
    match amount.checked_add(inexact as u64) {
        Some(amount) => Ok(amount),
        None => Err(ClmmError::AmountTooLarge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: SqrtPrice = match SqrtPrice::new(2 << 64) {
        Ok(price) => price,
        Err(_) => SqrtPrice::ONE,
    };

    #[test]
    fn sides_select_amounts() {
        let amounts = Amounts::new(3, 5);
        assert_eq!((amounts.get(Side::Base), amounts.get(Side::Quote)), (3, 5));
        assert_eq!(amounts.with(Side::Quote, 7), Amounts::new(3, 7));
        assert_eq!(Amounts::only(Side::Base, 9), Amounts::new(9, 0));
        assert_eq!(Side::Base.other(), Side::Quote);
        assert_eq!(Side::Quote.other(), Side::Base);
        assert!(Amounts::ZERO.is_zero() && !Amounts::only(Side::Quote, 1).is_zero());
    }

    #[test]
    fn sums_and_differences_name_the_token_that_fails() {
        let (a, b) = (Amounts::new(3, 5), Amounts::new(2, 1));
        assert_eq!(a.checked_add(b), Ok(Amounts::new(5, 6)));
        assert_eq!(a.checked_sub(b), Ok(Amounts::new(1, 4)));
        assert_eq!(b.saturating_sub(a), Amounts::ZERO);
        assert_eq!(a.min(Amounts::new(9, 1)), Amounts::new(3, 1));
        let full = Amounts::new(u64::MAX, 0);
        assert_eq!(
            full.checked_add(b),
            Err(ClmmError::AmountOverflow(Side::Base))
        );
        assert_eq!(
            Amounts::new(0, u64::MAX).checked_add(b),
            Err(ClmmError::AmountOverflow(Side::Quote))
        );
        assert_eq!(
            b.checked_sub(a),
            Err(ClmmError::AmountUnderflow(Side::Base))
        );
        assert_eq!(
            full.checked_sub(b),
            Err(ClmmError::AmountUnderflow(Side::Quote))
        );
    }

    #[test]
    fn liquidity_between_sqrt_prices_one_and_two() {
        // Base 5 * (1 - 1/2) = 2.5, quote 5 * (2 - 1) = 5.
        assert_eq!(base_amount_down(5, SqrtPrice::ONE, TWO), Ok(2));
        assert_eq!(base_amount_up(5, SqrtPrice::ONE, TWO), Ok(3));
        assert_eq!(quote_amount_down(5, SqrtPrice::ONE, TWO), Ok(5));
        assert_eq!(quote_amount_up(5, SqrtPrice::ONE, TWO), Ok(5));
        // A whole number is not rounded up.
        assert_eq!(base_amount_up(4, SqrtPrice::ONE, TWO), Ok(2));
    }

    #[test]
    fn the_order_of_the_prices_does_not_matter() {
        assert_eq!(base_amount_up(5, TWO, SqrtPrice::ONE), Ok(3));
        assert_eq!(quote_amount_down(5, TWO, SqrtPrice::ONE), Ok(5));
    }

    #[test]
    fn no_distance_or_no_liquidity_is_no_amount() {
        for (liquidity, to) in [(0, TWO), (u128::MAX, SqrtPrice::ONE)] {
            assert_eq!(base_amount_up(liquidity, SqrtPrice::ONE, to), Ok(0));
            assert_eq!(quote_amount_up(liquidity, SqrtPrice::ONE, to), Ok(0));
        }
    }

    #[test]
    fn amounts_beyond_64_bits_are_errors() {
        let full = u128::from(u64::MAX);
        assert_eq!(quote_amount_up(full, SqrtPrice::ONE, TWO), Ok(u64::MAX));
        assert_eq!(
            quote_amount_down(full + 1, SqrtPrice::ONE, TWO),
            Err(ClmmError::AmountTooLarge)
        );
        let fits = 2 * full;
        assert_eq!(base_amount_up(fits, SqrtPrice::ONE, TWO), Ok(u64::MAX));
        // One more half unit: only the amount rounded up leaves 64 bits.
        assert_eq!(
            base_amount_down(fits + 1, SqrtPrice::ONE, TWO),
            Ok(u64::MAX)
        );
        assert_eq!(
            base_amount_up(fits + 1, SqrtPrice::ONE, TWO),
            Err(ClmmError::AmountTooLarge)
        );
        assert_eq!(
            base_amount_down(u128::MAX, SqrtPrice::MIN, SqrtPrice::MAX),
            Err(ClmmError::LiquidityTooLarge)
        );
    }
}
