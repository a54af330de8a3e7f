use ballast_clmm::{
    Amounts, SqrtPrice, base_amount_down, quote_amount_down,
    wide::{self, U256},
};

use crate::{Position, Price, Valuation, position::saturating};

use super::condition::{Condition, Weights};

/// A condition on a position as a function of the price, for positions whose amounts are far from the ends of their types:
/// no valuation of theirs saturates or overflows at any price, so that the exact margin
/// `M = assets * of_assets - debt * of_debt - floor`, without any rounding, is concave in price.
pub(super) struct Curve<'a> {
    pub position: &'a Position,
    /// What the liquidity is below its band, and above it.
    pub full: Amounts,
    pub weights: Weights,
    condition: Condition,
}

/// A price and the pool's base at it. The base falls as the price rises, so that between two prices with the same base there is
/// no other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub at: SqrtPrice,
    pub base: u64,
}

/// Everything beyond `fails` fails, and everything between `holds` and the peak holds.
pub(super) struct Bracket {
    pub fails: Sample,
    pub holds: Sample,
}

/// Amounts of fewer bits are worth less than 2^126 together at any price.
const SMALL_BITS: u32 = 61;

/// How often the bracket is widened, eightfold each time, before it is left to be the whole side.
const WIDENINGS: u32 = 4;

impl<'a> Curve<'a> {
    pub fn new(position: &'a Position, condition: Condition) -> Option<Self> {
        let (lower, upper) = (position.band.sqrt_lower(), position.band.sqrt_upper());
        let full = Amounts {
            base: base_amount_down(position.liquidity, lower, upper).ok()?,
            quote: quote_amount_down(position.liquidity, lower, upper).ok()?,
        };
        let small = [full.base, position.idle.base, position.debt.base]
            .iter()
            .all(|amount| amount >> SMALL_BITS == 0);
        Some(Self {
            position,
            full,
            weights: condition.weights().filter(|_| small)?,
            condition,
        })
    }

    /// The pool's base at a price.
    pub fn sample(&self, at: SqrtPrice) -> Sample {
        self.sample_between(at, self.full.base, 0)
    }

    /// [`Self::sample`] of a price that lies between two of which the pool's base is known.
    pub fn sample_between(&self, at: SqrtPrice, below: u64, above: u64) -> Sample {
        let band = &self.position.band;
        let base = if below == above || at <= band.sqrt_lower() {
            below
        } else if at >= band.sqrt_upper() {
            0
        } else {
            saturating(base_amount_down(
                self.position.liquidity,
                at,
                band.sqrt_upper(),
            ))
        };
        Sample { at, base }
    }

    /// Where the condition flips on `end`'s side of the peak, at which it holds: the price nearest to the peak at which bisection
    /// finds that it fails. `None` if it holds at `end`.
    pub fn flip(&self, end: SqrtPrice, peak: SqrtPrice) -> Option<SqrtPrice> {
        if self.holds(&self.sample(end)) {
            return None;
        }
        let rising = end < peak;
        let Bracket { fails, holds } = self.bracket(end, peak);
        let (mut low, mut high) = if rising {
            (fails, holds)
        } else {
            (holds, fails)
        };
        // The steps of a bisection of the whole side: whole units make more than one flip within the bracket, and the result has to
        // be the one that it ends at. A step outside the bracket is known, but its side is anybody's guess: no branch on it.
        let (mut below, mut above) = (end.min(peak).x64(), end.max(peak).x64());
        let (mut before, mut after) = (self.value(&low), self.value(&high));
        while above - below > 1 {
            let middle = below.midpoint(above);
            let mut is_low = middle <= low.at.x64();
            if !is_low && middle < high.at.x64() {
                let sample = self.sample_between(within(middle), low.base, high.base);
                let value = self.value(&sample);
                let holds = value.is_some_and(|value| self.condition.holds(&value));
                is_low = holds != rising;
                if is_low {
                    (low, before) = (sample, value);
                } else {
                    (high, after) = (sample, value);
                }
                if let (Some(before), Some(after)) = (before, after) {
                    let step = self.single_step((low.at, before), (high.at, after), rising);
                    if step.is_some() {
                        return step;
                    }
                }
            }
            let mask = u128::from(is_low).wrapping_neg();
            below = (middle & mask) | (below & !mask);
            above = (above & mask) | (middle & !mask);
        }
        Some(within(if rising { below } else { above }))
    }

    /// The flip between two prices on the same side of the band, if it is the only step of a value that there is between them: of
    /// the assets' to more, or of the debt's. Each is in closed form.
    fn single_step(
        &self,
        (low, before): (SqrtPrice, Valuation),
        (high, after): (SqrtPrice, Valuation),
        rising: bool,
    ) -> Option<SqrtPrice> {
        let more = |before: u128, after: u128| after.checked_sub(before);
        let steps = (
            more(before.assets, after.assets)?,
            more(before.debt, after.debt)?,
        );
        let band = &self.position.band;
        if steps.0 + steps.1 != 1 || (high > band.sqrt_lower() && low < band.sqrt_upper()) {
            return None;
        }
        let square = |value: u128, amount: u64| {
            wide::div_rem_256(U256::from(value) << 128usize, U256::from(amount))
        };
        let at_x64 = match (steps, rising) {
            ((1, 0), true) => {
                // The first price with `base s^2 >= value`, and it fails before.
                let quote = u128::from(self.quote(high)) + u128::from(self.position.idle.quote);
                let base = self.sample(high).base + self.position.idle.base;
                let (square, rest) = square(after.assets.checked_sub(quote)?, base)?;
                let below = if rest.is_zero() {
                    square.checked_sub(U256::from(1))?
                } else {
                    square
                };
                wide::isqrt_down(below)
            }
            ((0, 1), false) => {
                // The first price with `base s^2 > value`.
                let Amounts { base, quote } = self.position.debt;
                let (square, _) = square(before.debt.checked_sub(u128::from(quote))?, base)?;
                wide::isqrt_down(square) + 1
            }
            _ => return None,
        };
        SqrtPrice::new(at_x64).ok()
    }

    /// Exactly what the condition says of [`Position::value`].
    pub fn holds(&self, sample: &Sample) -> bool {
        self.value(sample)
            .is_some_and(|value| self.condition.holds(&value))
    }

    /// The condition's margin as whole units have it: less than `M` by less than [`Self::rounding`].
    pub fn margin(&self, sample: &Sample) -> Option<i128> {
        self.weights.margin(&self.value(sample)?)
    }

    fn value(&self, sample: &Sample) -> Option<Valuation> {
        let pooled = Amounts {
            base: sample.base,
            quote: self.quote(sample.at),
        };
        self.position.valuation(Price::from(sample.at), pooled).ok()
    }

    /// The pool's quote at a price.
    fn quote(&self, at: SqrtPrice) -> u64 {
        let (lower, upper) = (
            self.position.band.sqrt_lower(),
            self.position.band.sqrt_upper(),
        );
        if at >= upper {
            self.full.quote
        } else if at <= lower {
            0
        } else {
            saturating(quote_amount_down(self.position.liquidity, lower, at))
        }
    }

    /// What whole units take away at most. Above the band there is no base in the pool.
    pub fn rounding(&self, at: SqrtPrice) -> i128 {
        if at < self.position.band.sqrt_upper() {
            self.rounding_with_base(at)
        } else {
            self.rounding_of(0)
        }
    }

    fn rounding_with_base(&self, at: SqrtPrice) -> i128 {
        self.rounding_of(Price::from(at).ceil())
    }

    /// A unit of the pool's base, worth so much, of its quote, of the value of all base and of the debt.
    fn rounding_of(&self, base_value: u128) -> i128 {
        let Weights {
            of_assets, of_debt, ..
        } = self.weights;
        // A price in whole units has at most 65 bits, a weight 32.
        (base_value as i128 + 2) * i128::from(of_assets) + i128::from(of_debt)
    }

    /// Narrows the flip between `end`, at which the condition fails, and `peak`, at which it holds, down to what whole units can
    /// blur.
    ///
    /// `M` is concave and above 0 at the peak. Where `M <= 0` the condition fails, at every price beyond too. And `M` less
    /// [`Self::rounding`] is concave up to the band's upper end and beyond it, so that the condition holds between two prices at
    /// which, and at that end if it lies between them, the margin is at least the rounding.
    pub fn bracket(&self, end: SqrtPrice, peak: SqrtPrice) -> Bracket {
        let (end, peak) = (self.sample(end), self.sample(peak));
        let whole = Bracket {
            fails: end,
            holds: peak,
        };
        let Some(estimate) = self.estimate(end.at, peak.at) else {
            return whole;
        };
        let low = end.at.min(peak.at).x64();
        let high = end.at.max(peak.at).x64();
        let point = |widening: u32, outwards: bool| {
            let step = estimate.step_x64.saturating_mul(1 << (3 * widening));
            let point = if outwards == (end.at < peak.at) {
                estimate.at_x64.saturating_sub(step)
            } else {
                estimate.at_x64.saturating_add(step)
            };
            let at = within(point.clamp(low, high));
            let sample = self.sample(at);
            Some((sample, self.margin(&sample)?, self.rounding(at)))
        };
        let fails = (0..WIDENINGS)
            .filter_map(|widening| point(widening, true))
            .find(|(_, margin, rounding)| margin.saturating_add(*rounding) <= 0);
        let holds = (0..WIDENINGS)
            .filter_map(|widening| point(widening, false))
            .find(|(_, margin, rounding)| margin >= rounding)
            .filter(|(sample, ..)| self.holds_between(sample.at, peak));
        Bracket {
            fails: fails.map_or(end, |(sample, ..)| sample),
            holds: holds.map_or(peak, |(sample, ..)| sample),
        }
    }

    /// Whether the margin is at least the rounding at the peak, and at the band's upper end if it lies between the two.
    fn holds_between(&self, at: SqrtPrice, peak: Sample) -> bool {
        let upper = self.position.band.sqrt_upper();
        let covers = |sample: &Sample, rounding: i128| {
            self.margin(sample).is_some_and(|margin| margin >= rounding)
        };
        let between = at.min(peak.at) < upper && upper < at.max(peak.at);
        covers(&peak, self.rounding(peak.at))
            && (!between || covers(&self.sample(upper), self.rounding_with_base(upper)))
    }
}

/// The nearest square-root price.
pub(super) fn within(x64: u128) -> SqrtPrice {
    SqrtPrice::new(x64.clamp(SqrtPrice::MIN.x64(), SqrtPrice::MAX.x64())).unwrap_or(SqrtPrice::MAX)
}
