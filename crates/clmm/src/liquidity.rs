//! How much liquidity an amount of tokens makes: the exact inverses of the amounts of liquidity.

use crate::{
    Amounts, Band, ClmmError, Side, SqrtPrice,
    wide::{
        digits::mul_128, divide::div_rem_256_by_128, round_up_if, shl64_div_down, shl64_div_up,
    },
};

impl Band {
    /// The largest liquidity whose base at this price, rounded up, is at most `base`.
    ///
    /// `base * q * hi / ((hi - q) * 2^64)` with `q` the price clamped to the band and `hi` its upper end.
    ///
    /// # Errors
    /// [`ClmmError::SideUnused`] at and above the band's upper end, where it holds no base;
    /// [`ClmmError::LiquidityTooLarge`] above 128 bits.
    pub const fn liquidity_for_base_down(
        &self,
        base: u64,
        at: SqrtPrice,
    ) -> Result<u128, ClmmError> {
        match self.liquidity_for_base(base, at) {
            Ok((liquidity, _)) => Ok(liquidity),
            Err(error) => Err(error),
        }
    }

    /// The smallest liquidity whose base at this price, rounded down, is at least `base`. Formula and errors as
    /// [`Band::liquidity_for_base_down`].
    ///
    /// # Errors
    /// See [`Band::liquidity_for_base_down`].
    pub const fn liquidity_for_base_up(&self, base: u64, at: SqrtPrice) -> Result<u128, ClmmError> {
        match self.liquidity_for_base(base, at) {
            Ok((liquidity, inexact)) => fits(round_up_if(liquidity, inexact)),
            Err(error) => Err(error),
        }
    }

    /// The largest liquidity whose quote at this price, rounded up, is at most `quote`.
    ///
    /// `quote * 2^64 / (q - lo)` with `q` the price clamped to the band and `lo` its lower end.
    ///
    /// # Errors
    /// [`ClmmError::SideUnused`] at and below the band's lower end, where it holds no quote.
    pub const fn liquidity_for_quote_down(
        &self,
        quote: u64,
        at: SqrtPrice,
    ) -> Result<u128, ClmmError> {
        let width = self.clamp(at).x64().wrapping_sub(self.sqrt_lower().x64());
        if width == 0 {
            return Err(ClmmError::SideUnused(Side::Quote));
        }
        fits(shl64_div_down(quote as u128, width))
    }

    /// The smallest liquidity whose quote at this price, rounded down, is at least `quote`. Formula and errors as
    /// [`Band::liquidity_for_quote_down`].
    ///
    /// # Errors
    /// See [`Band::liquidity_for_quote_down`].
    pub const fn liquidity_for_quote_up(
        &self,
        quote: u64,
        at: SqrtPrice,
    ) -> Result<u128, ClmmError> {
        let width = self.clamp(at).x64().wrapping_sub(self.sqrt_lower().x64());
        if width == 0 {
            return Err(ClmmError::SideUnused(Side::Quote));
        }
        fits(shl64_div_up(quote as u128, width))
    }

    /// The largest liquidity that can be provided with `amounts` at this price: the scarcer token decides, a token that
    /// the band does not use there does not.
    ///
    /// # Errors
    /// [`ClmmError::LiquidityTooLarge`] if the scarcer token alone makes more than 128 bits.
    pub const fn liquidity_for_amounts_down(
        &self,
        amounts: Amounts,
        at: SqrtPrice,
    ) -> Result<u128, ClmmError> {
        use ClmmError::{LiquidityTooLarge, SideUnused};
        match (
            self.liquidity_for_base_down(amounts.base, at),
            self.liquidity_for_quote_down(amounts.quote, at),
        ) {
            (Ok(by_base), Ok(by_quote)) => Ok(if by_base < by_quote {
                by_base
            } else {
                by_quote
            }),
            // A side that is unused, or worth more than 128 bits of liquidity, is not the scarcer one.
            (Ok(liquidity), Err(SideUnused(_) | LiquidityTooLarge))
            | (Err(SideUnused(_) | LiquidityTooLarge), Ok(liquidity)) => Ok(liquidity),
            (Err(SideUnused(_)), Err(error)) | (Err(error), _) | (_, Err(error)) => Err(error),
        }
    }

    const fn liquidity_for_base(
        &self,
        base: u64,
        at: SqrtPrice,
    ) -> Result<(u128, bool), ClmmError> {
        let hi = self.sqrt_upper().x64();
        let q = self.clamp(at).x64();
        let width = hi.wrapping_sub(q);
        if width == 0 {
            return Err(ClmmError::SideUnused(Side::Base));
        }
        // base * q * hi / 2^64, truncated, as high and low halves: q * hi has at most 192 bits, the whole 256.
        let (p_high, p_low) = mul_128(q, hi);
        let (low_high, low_low) = mul_128(base as u128, p_low);
        let (_, high_low) = mul_128(base as u128, p_high);
        let n_high = high_low.wrapping_add(low_high);
        let dropped = low_low as u64 != 0;
        // Truncating the numerator first does not change the quotient: floor(floor(n / 2^64) / w) = floor(n / (2^64 w)).
        match div_rem_256_by_128(n_high >> 64, (n_high << 64) + (low_low >> 64), width) {
            Some((liquidity, rest)) => Ok((liquidity, dropped || rest != 0)),
            None => Err(ClmmError::LiquidityTooLarge),
        }
    }
}

const fn fits(liquidity: Option<u128>) -> Result<u128, ClmmError> {
    match liquidity {
        Some(liquidity) => Ok(liquidity),
        None => Err(ClmmError::LiquidityTooLarge),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Tick;

    fn band() -> Band {
        Band::new(Tick::new(-10).unwrap(), Tick::new(10).unwrap()).unwrap()
    }

    #[test]
    fn known_from_whirlpool() {
        let band = band();
        assert_eq!(
            band.liquidity_for_base_down(1_000, SqrtPrice::MIN),
            Ok(1_000_049)
        );
        assert_eq!(
            band.liquidity_for_base_up(1_000, SqrtPrice::MIN),
            Ok(1_000_050)
        );
        assert_eq!(
            band.liquidity_for_quote_down(1_000, SqrtPrice::MAX),
            Ok(1_000_049)
        );
        assert_eq!(
            band.liquidity_for_quote_up(1_000, SqrtPrice::MAX),
            Ok(1_000_050)
        );
    }

    #[test]
    fn nothing_makes_nothing() {
        for at in [SqrtPrice::MIN, SqrtPrice::ONE, SqrtPrice::MAX] {
            assert_eq!(band().liquidity_for_amounts_down(Amounts::ZERO, at), Ok(0));
        }
    }

    #[test]
    fn a_side_the_band_does_not_use_limits_nothing() {
        let band = band();
        let (lower, upper) = (band.sqrt_lower(), band.sqrt_upper());
        let unused_base = Err(ClmmError::SideUnused(Side::Base));
        let unused_quote = Err(ClmmError::SideUnused(Side::Quote));
        assert_eq!(band.liquidity_for_base_down(1, upper), unused_base);
        assert_eq!(band.liquidity_for_base_up(1, SqrtPrice::MAX), unused_base);
        assert_eq!(band.liquidity_for_quote_down(1, lower), unused_quote);
        assert_eq!(band.liquidity_for_quote_up(1, SqrtPrice::MIN), unused_quote);
        let amounts = Amounts::new(1_000, 0);
        assert_eq!(
            band.liquidity_for_amounts_down(amounts, lower),
            Ok(1_000_049)
        );
        assert_eq!(band.liquidity_for_amounts_down(amounts, upper), Ok(0));
    }

    #[test]
    fn the_scarcer_token_decides() {
        let band = band();
        let by_base = band.liquidity_for_base_down(1_000, SqrtPrice::ONE);
        for quote in [5_000, u64::MAX] {
            let amounts = Amounts::new(1_000, quote);
            assert_eq!(
                band.liquidity_for_amounts_down(amounts, SqrtPrice::ONE),
                by_base
            );
        }
        let by_quote = band.liquidity_for_quote_down(10, SqrtPrice::ONE);
        let amounts = Amounts::new(1_000, 10);
        assert_eq!(
            band.liquidity_for_amounts_down(amounts, SqrtPrice::ONE),
            by_quote
        );
    }

    #[test]
    fn more_than_128_bits_is_an_error_unless_the_other_token_is_scarcer() {
        // The narrowest band at a high price: a unit of liquidity holds almost no base.
        let top = SqrtPrice::MAX.x64();
        let band =
            Band::from_sqrt_prices(SqrtPrice::new(top - 2).unwrap(), SqrtPrice::MAX).unwrap();
        let at = SqrtPrice::new(top - 1).unwrap();
        let too_large = Err(ClmmError::LiquidityTooLarge);
        assert_eq!(band.liquidity_for_base_down(u64::MAX, at), too_large);
        assert_eq!(band.liquidity_for_base_up(u64::MAX, at), too_large);
        let amounts = Amounts::new(u64::MAX, 3);
        assert_eq!(band.liquidity_for_amounts_down(amounts, at), Ok(3 << 64));
        assert_eq!(
            band.liquidity_for_amounts_down(amounts, band.sqrt_lower()),
            too_large
        );
    }
}
