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
    /// The price from which both sides are searched, and the margin there: both ask for it several times.
    peak: (Sample, Option<i128>),
}

/// A price and the pool's base at it. The base falls as the price rises, so that between two prices with the same base there is
/// no other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    pub at: SqrtPrice,
    pub base: u64,
}

/// Everything at a price: the pool's quote rises with it.
#[derive(Clone, Copy, Debug)]
struct Look {
    sample: Sample,
    quote: u64,
    value: Valuation,
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
    pub fn new(position: &'a Position, condition: Condition, peak: SqrtPrice) -> Option<Self> {
        let (lower, upper) = (position.band.sqrt_lower(), position.band.sqrt_upper());
        let full = Amounts {
            base: base_amount_down(position.liquidity, lower, upper).ok()?,
            quote: quote_amount_down(position.liquidity, lower, upper).ok()?,
        };
        let small = [full.base, position.idle.base, position.debt.base]
            .iter()
            .all(|amount| amount >> SMALL_BITS == 0);
        let unknown = Sample {
            at: SqrtPrice::MIN,
            base: full.base,
        };
        let mut curve = Self {
            position,
            full,
            weights: condition.weights().filter(|_| small)?,
            condition,
            peak: (unknown, None),
        };
        let sample = curve.sample(peak);
        curve.peak = (sample, curve.margin(&sample));
        Some(curve)
    }

    /// The pool's base at a price.
    pub fn sample(&self, at: SqrtPrice) -> Sample {
        let (peak, _) = self.peak;
        if at == peak.at {
            return peak;
        }
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
        let (mut before, mut after) = (self.look(&low), self.look(&high));
        while above - below > 1 {
            let middle = below.midpoint(above);
            let mut is_low = middle <= low.at.x64();
            if !is_low && middle < high.at.x64() {
                let sample = self.sample_between(within(middle), low.base, high.base);
                let look = self.look(&sample);
                let holds = look.is_some_and(|look| self.condition.holds(&look.value));
                is_low = holds != rising;
                if is_low {
                    (low, before) = (sample, look);
                } else {
                    (high, after) = (sample, look);
                }
                if let (Some(before), Some(after)) = (before, after) {
                    let step = self.single_step(&before, &after, rising);
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

    /// The flip between two prices, if it is the only step that there is between them of anything: a unit of base that the pool gives
    /// away, one of quote that it takes, one of the base's value or of the debt's. Each is in closed form.
    fn single_step(&self, low: &Look, high: &Look, rising: bool) -> Option<SqrtPrice> {
        let steps = (
            low.sample.base.checked_sub(high.sample.base)?,
            high.quote.checked_sub(low.quote)?,
            high.value.debt.checked_sub(low.value.debt)?,
        );
        let worth = |look: &Look| {
            let quote = u128::from(look.quote) + u128::from(self.position.idle.quote);
            look.value.assets.checked_sub(quote)
        };
        // Where the step is done.
        let first_x64 = match (steps, rising) {
            ((0, 1, 0), true) if worth(low) == worth(high) => {
                // `L (s - sa) >= quote`.
                let away = (u128::from(high.quote) << 64).div_ceil(self.position.liquidity);
                self.position.band.sqrt_lower().x64().checked_add(away)?
            }
            ((0, 0, 0), true) if worth(high)? == worth(low)? + 1 => {
                // `base s^2 >= value`.
                let base = high.sample.base + self.position.idle.base;
                let (square, rest) = square(worth(high)?, base)?;
                wide::isqrt_down(if rest.is_zero() {
                    square.checked_sub(U256::from(1))?
                } else {
                    square
                }) + 1
            }
            ((0, 0, 1), false) if worth(low) == worth(high) => {
                // `base s^2 > value`.
                let Amounts { base, quote } = self.position.debt;
                let (square, _) = square(low.value.debt.checked_sub(u128::from(quote))?, base)?;
                wide::isqrt_down(square) + 1
            }
            ((1, 0, 0), false) if self.same_worth(low, high) => {
                // Beyond the last price with as much base.
                let (last, _) = self.position.price_with(1, u128::from(low.sample.base))?;
                last + 1
            }
            _ => return None,
        };
        let inside = low.sample.at.x64() < first_x64 && first_x64 <= high.sample.at.x64();
        let failing = first_x64 - u128::from(rising);
        SqrtPrice::new(failing).ok().filter(|_| inside)
    }

    /// Whether the base at either price is worth the same, in whole units, at both.
    fn same_worth(&self, low: &Look, high: &Look) -> bool {
        let [below, above] = [low, high].map(|look| Price::from(look.sample.at));
        [low, high].into_iter().all(|look| {
            let base = look.sample.base + self.position.idle.base;
            below.value_down(base) == above.value_down(base)
        })
    }

    /// Exactly what the condition says of [`Position::value`].
    pub fn holds(&self, sample: &Sample) -> bool {
        self.value(sample)
            .is_some_and(|value| self.condition.holds(&value))
    }

    /// The condition's margin as whole units have it: less than `M` by less than [`Self::rounding`].
    pub fn margin(&self, sample: &Sample) -> Option<i128> {
        let (peak, margin) = self.peak;
        if sample.at == peak.at && margin.is_some() {
            return margin;
        }
        self.weights.margin(&self.value(sample)?)
    }

    fn value(&self, sample: &Sample) -> Option<Valuation> {
        Some(self.look(sample)?.value)
    }

    fn look(&self, sample: &Sample) -> Option<Look> {
        #[cfg(test)]
        super::looks::note();
        let quote = self.quote(sample.at);
        let pooled = Amounts {
            base: sample.base,
            quote,
        };
        let value = self.position.valuation(Price::from(sample.at), pooled);
        Some(Look {
            sample: *sample,
            quote,
            value: value.ok()?,
        })
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

/// Of the square-root price at which an amount of base has this value, rounded down, with what is left.
fn square(value: u128, base: u64) -> Option<(U256, U256)> {
    wide::div_rem_256(U256::from(value) << 128usize, U256::from(base))
}

/// The nearest square-root price.
pub(super) fn within(x64: u128) -> SqrtPrice {
    SqrtPrice::new(x64.clamp(SqrtPrice::MIN.x64(), SqrtPrice::MAX.x64())).unwrap_or(SqrtPrice::MAX)
}
