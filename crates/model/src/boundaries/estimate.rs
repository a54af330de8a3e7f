//! Where the margin is 0, in closed form: a line in price outside the band, a parabola in its square root inside.

use ballast_clmm::{
    Amounts, Side, SqrtPrice,
    wide::{self, U256},
};

use super::curve::{Curve, Sample, within};

/// Where the condition flips, up to what whole units blur.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    pub at_x64: u128,
    /// Three times the distance within which the margin changes by the rounding.
    pub step_x64: u128,
}

impl Curve<'_> {
    /// The root on `end`'s side of `peak`; `None` where it cannot be computed.
    pub fn estimate(&self, end: SqrtPrice, peak: SqrtPrice) -> Option<Estimate> {
        let rising = end < peak;
        let (lower, upper) = (
            self.position.band.sqrt_lower(),
            self.position.band.sqrt_upper(),
        );
        // What the band's ends say decides on which side of them the root is.
        let fails = |at| Some(self.margin(&self.sample(at))? <= 0);
        let (below, above) = (
            Amounts::only(Side::Base, self.full.base),
            Amounts::only(Side::Quote, self.full.quote),
        );
        if rising {
            if peak > upper && fails(upper)? {
                self.straight(above, end, peak)
            } else if peak > lower && fails(lower)? {
                self.curved(self.sample(peak.min(upper)), rising)
            } else {
                self.straight(below, end, peak)
            }
        } else if peak < lower && fails(lower)? {
            self.straight(below, end, peak)
        } else if peak < upper && fails(upper)? {
            self.curved(self.sample(peak.max(lower)), rising)
        } else {
            self.straight(above, end, peak)
        }
    }

    /// By how much the margin grows with the price while the pool holds so much base.
    fn slope(&self, pooled_base: u64) -> i128 {
        let assets = i128::from(pooled_base) + i128::from(self.position.idle.base);
        assets * i128::from(self.weights.of_assets)
            - i128::from(self.position.debt.base) * i128::from(self.weights.of_debt)
    }

    /// Where `slope P = of_debt dy + floor - of_assets y`, outside the band.
    fn straight(&self, pooled: Amounts, end: SqrtPrice, peak: SqrtPrice) -> Option<Estimate> {
        let quote = i128::from(pooled.quote) + i128::from(self.position.idle.quote);
        let lacking = i128::from(self.position.debt.quote) * i128::from(self.weights.of_debt)
            + self.weights.floor
            - quote * i128::from(self.weights.of_assets);
        let slope = self.slope(pooled.base);
        if (slope > 0) != (end < peak) || (lacking > 0) != (slope > 0) {
            return None;
        }
        let lacking = lacking.unsigned_abs();
        let (square, _) = wide::div_rem_256(
            U256::from(lacking) << 128usize,
            U256::from(slope.unsigned_abs()),
        )?;
        let at_x64 = wide::isqrt_down(square);
        // dP / P = dM / lacking, and half of it for the square root.
        let rounding = self.rounding(within(at_x64)).unsigned_abs();
        let step_x64 = wide::mul_div_up(at_x64, 3 * rounding, 2 * lacking)?;
        Some(Estimate {
            at_x64,
            step_x64: step_x64.checked_add(1)?,
        })
    }

    /// Inside the band the margin at `s0 + u` is `M0 + 2 h u - a u^2`, with `h = s0 * slope(s0)` and
    /// `a = of_assets L / sb - slope(0)`. The root on the side on which the margin falls is `M0 / (|h| + sqrt(h^2 + a M0))` away.
    fn curved(&self, from: Sample, rising: bool) -> Option<Estimate> {
        let margin = u128::try_from(self.margin(&from)?).ok()?;
        let slope = self.slope(from.base);
        let steepness = if rising { slope } else { -slope };
        // At the peak it is 0, and whole units make it anything near.
        let steepness = u128::try_from(steepness).unwrap_or(0);
        let full = wide::shl64_div_down(
            self.position.liquidity,
            self.position.band.sqrt_upper().x64(),
        )?;
        let full = i128::try_from(full).ok()?;
        let bend = full
            .checked_mul(i128::from(self.weights.of_assets))?
            .checked_sub(self.slope(0))?;
        let h_x64 = wide::mul_full(from.at.x64(), steepness);
        let bent = wide::mul_full(bend.unsigned_abs(), margin);
        // Shifted by so much, and `a M0` by twice as much, neither the square of `h` nor `a M0` has more than 254 bits.
        let shift = h_x64
            .bit_len()
            .saturating_sub(126)
            .max(bent.bit_len().saturating_sub(126).div_ceil(2));
        // `h` is left with 64 - shift fractional bits, its square with twice as many.
        let h = u128::try_from(h_x64 >> shift).ok()?;
        let bent = bent << 128usize.checked_sub(2 * shift)?;
        let square = wide::mul_full(h, h);
        let discriminant = if bend < 0 {
            square.checked_sub(bent)?
        } else {
            square + bent
        };
        let root = wide::isqrt_down(discriminant);
        let away = |numerator: u128, fraction_bits: usize, divisor: u128| {
            let (quotient, _) =
                wide::div_rem_256(U256::from(numerator) << fraction_bits, U256::from(divisor))?;
            u128::try_from(quotient).ok()
        };
        let distance = away(margin, 128 - shift, h.checked_add(root)?)?;
        let at_x64 = if rising {
            from.at.x64().checked_sub(distance)?
        } else {
            from.at.x64().checked_add(distance)?
        };
        // At the root the margin's slope by the square root is twice the discriminant's root.
        let rounding = self.rounding(within(at_x64)).unsigned_abs();
        let step_x64 = away(3 * rounding, 127 - shift, root)?;
        Some(Estimate {
            at_x64,
            step_x64: step_x64.checked_add(1)?,
        })
    }
}
