//! Token amounts, and how much of each token liquidity holds between two prices.

use crate::{
    ClmmError, SqrtPrice,
    wide::{
        digits::mul_128,
        div_rem_256,
        divide::{div_rem_256_by_128, from_halves},
    },
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

const fn base_amount(
    liquidity: u128,
    a: SqrtPrice,
    b: SqrtPrice,
) -> Result<(u64, bool), ClmmError> {
    let (lo, hi) = ordered(a, b);
    let (n_high, n_low) = mul_128(liquidity, hi.wrapping_sub(lo));
    if n_high >> 64 != 0 {
        return Err(ClmmError::LiquidityTooLarge);
    }
    let (n_high, n_low) = (n_high << 64 | n_low >> 64, n_low << 64);
    let (d_high, d_low) = mul_128(hi, lo);
    let step = if d_high == 0 {
        div_rem_256_by_128(n_high, n_low, d_low)
    } else {
        match div_rem_256(from_halves(n_high, n_low), from_halves(d_high, d_low)) {
            // Quotients by 129 bits and more fit 128 bits.
            Some((quotient, rest)) => {
                let (q, r) = (quotient.as_limbs(), rest.as_limbs());
                Some((
                    (q[1] as u128) << 64 | q[0] as u128,
                    (r[0] | r[1] | r[2] | r[3]) as u128,
                ))
            }
            None => None,
        }
    };
    match step {
        Some((quotient, rest)) if quotient >> 64 == 0 => Ok((quotient as u64, rest != 0)),
        _ => Err(ClmmError::AmountTooLarge),
    }
}

const fn quote_amount(
    liquidity: u128,
    a: SqrtPrice,
    b: SqrtPrice,
) -> Result<(u64, bool), ClmmError> {
    let (lo, hi) = ordered(a, b);
    let (high, low) = mul_128(liquidity, hi.wrapping_sub(lo));
    if high != 0 {
        return Err(ClmmError::AmountTooLarge);
    }
    Ok(((low >> 64) as u64, low as u64 != 0))
}

const fn ordered(a: SqrtPrice, b: SqrtPrice) -> (u128, u128) {
    if a.x64() <= b.x64() {
        (a.x64(), b.x64())
    } else {
        (b.x64(), a.x64())
    }
}

const fn round_up_if(amount: u64, inexact: bool) -> Result<u64, ClmmError> {
    match amount.checked_add(inexact as u64) {
        Some(amount) => Ok(amount),
        None => Err(ClmmError::AmountTooLarge),
    }
}
