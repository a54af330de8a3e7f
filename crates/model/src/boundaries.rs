mod condition;
mod curve;
mod estimate;
#[cfg(test)]
mod looks;

use ballast_clmm::{
    SqrtPrice, base_amount_down,
    wide::{self, U256},
};
use ruint::aliases::U512;

use crate::{Bps, ModelError, Position, position::hedged_down};
use condition::Condition;
use curve::Curve;

/// The prices between which something holds: an open interval of square-root prices.
///
/// The ends themselves are the nearest prices at which it does not hold any more; `None` means no end on that side, up
/// to the bounds of [`SqrtPrice`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundaries {
    /// It holds at no price.
    Empty,
    /// It holds strictly between the two.
    Interval {
        /// Nearest price below at which it fails.
        lower: Option<SqrtPrice>,
        /// Nearest price above at which it fails.
        upper: Option<SqrtPrice>,
    },
}

impl Boundaries {
    /// Every price.
    pub const ALL: Self = Self::Interval {
        lower: None,
        upper: None,
    };

    /// Whether a price lies strictly inside.
    pub fn contains(&self, at: SqrtPrice) -> bool {
        match *self {
            Self::Empty => false,
            Self::Interval { lower, upper } => {
                lower.is_none_or(|lower| lower < at) && upper.is_none_or(|upper| at < upper)
            }
        }
    }

    /// The prices inside both.
    pub fn intersection(self, other: Self) -> Self {
        let (Self::Interval { lower, upper }, Self::Interval { lower: l, upper: u }) =
            (self, other)
        else {
            return Self::Empty;
        };
        // None is below every price, as a lower end needs; for the upper one it has to count as above.
        let lower = lower.max(l);
        let upper = match (upper, u) {
            (Some(upper), Some(u)) => Some(upper.min(u)),
            (upper, u) => upper.or(u),
        };
        match (lower, upper) {
            (Some(lower), Some(upper)) if upper.x64() <= lower.x64().saturating_add(1) => {
                Self::Empty
            }
            _ => Self::Interval { lower, upper },
        }
    }
}

impl Position {
    /// The prices between which debt / assets is below `threshold`: what [`crate::Valuation::ltv_at_least`] says of
    /// [`Position::value`], found by bisection on exactly that.
    ///
    /// Assets are concave in price and the debt is linear, so there is one interval. Whole units blur its
    /// ends: the returned ends are two neighbouring prices of which the inner one holds and the outer one does not, and
    /// wherever another price contradicts the interval, `threshold * assets - debt`, taken without rounding, lies within
    /// `t (P + 2) + 1` quote units of 0, P at the higher of the two prices. An interval on which it never exceeds that may be
    /// returned as empty.
    ///
    /// For use off chain: a root in closed form for each end, and the bisection's steps within what whole units blur around it.
    ///
    /// # Errors
    /// [`ModelError`] if the position has no valuation at the price where its margin is largest.
    pub fn boundaries(&self, threshold: Bps) -> Result<Boundaries, ModelError> {
        if self.debt.is_zero() {
            return Ok(Boundaries::ALL);
        }
        self.around(self.peak(threshold), Condition::LtvBelow(threshold))
    }

    /// The prices between which equity exceeds `floor` quote units. Ends as those of [`Position::boundaries`] for 100 %.
    ///
    /// # Errors
    /// As [`Position::boundaries`].
    pub fn equity_boundaries(&self, floor: i128) -> Result<Boundaries, ModelError> {
        self.around(self.peak(Bps::ONE), Condition::EquityAbove(floor))
    }

    /// The interval around `peak` on which a condition holds that holds nowhere or on one interval with `peak` in it.
    fn around(&self, peak: SqrtPrice, condition: Condition) -> Result<Boundaries, ModelError> {
        if !condition.holds(&self.value(peak)?) {
            return Ok(Boundaries::Empty);
        }
        let (lower, upper) = (SqrtPrice::MIN, SqrtPrice::MAX);
        Ok(match Curve::new(self, condition, peak) {
            Some(curve) => Boundaries::Interval {
                lower: curve.flip(lower, peak),
                upper: curve.flip(upper, peak),
            },
            None => {
                let holds = |at| self.value(at).is_ok_and(|value| condition.holds(&value));
                let end = |end| (!holds(end)).then(|| flip(end, peak, holds));
                Boundaries::Interval {
                    lower: end(lower),
                    upper: end(upper),
                }
            }
        })
    }

    /// The prices between which `|hedge error| <= tolerance` base units, exactly.
    ///
    /// # Errors
    /// [`ModelError::Clmm`] if the liquidity's amounts exceed 64 bits.
    pub fn hedge_boundaries(&self, hedge: Bps, tolerance: u64) -> Result<Boundaries, ModelError> {
        self.full_base_up()?;
        let (low, high) = (self.band.sqrt_lower(), self.band.sqrt_upper());
        let fixed = i128::from(self.idle.base) - i128::from(self.debt.base);
        let error_below = hedged_down(base_amount_down(self.liquidity, low, high)?, hedge) + fixed;
        // The error falls as the price rises: too long below, too short above. It is constant outside the band; above it nothing is
        // left in the pool.
        let error_above = fixed;
        let tolerance = i128::from(tolerance);
        if error_above > tolerance || error_below < -tolerance {
            return Ok(Boundaries::Empty);
        }
        let last_at_least = |error: i128| self.last_with_hedged(error - fixed, hedge);
        let mut ends = (None, None);
        if error_below > tolerance {
            ends.0 = Some(last_at_least(tolerance + 1)?);
        }
        if error_above < -tolerance {
            let last = last_at_least(-tolerance)?;
            ends.1 = Some(SqrtPrice::new(last.x64() + 1)?);
        }
        let (lower, upper) = ends;
        Ok(Boundaries::Interval { lower, upper })
    }

    /// The last price at which the hedge of the pool's base, [`hedged_down`], is at least so much, where it is below the band and
    /// is not above it.
    fn last_with_hedged(&self, hedged: i128, hedge: Bps) -> Result<SqrtPrice, ModelError> {
        // The least base of which the hedge is that, and then L (sb - s) / (s sb) >= base.
        let (hedged, one) = (hedged.unsigned_abs(), u128::from(Bps::ONE.get()));
        let base = wide::mul_div_up(hedged, one, u128::from(hedge.get()));
        let last = base.and_then(|base| {
            let (last, _) = self.price_with(1, base)?;
            Some(SqrtPrice::new(last))
        });
        Ok(last.ok_or(ModelError::Overflow("base"))??)
    }

    /// The price at which `threshold * assets - debt` is largest, where `t (x + lx) = dx`: `s = L sb / (L + (dx/t - lx) sb)`
    /// inside the band, else one end of all prices.
    fn peak(&self, threshold: Bps) -> SqrtPrice {
        let of_debt = u128::from(Bps::ONE.get());
        let of_assets = threshold.get();
        let owed = u128::from(self.debt.base) * of_debt;
        let Some(short) = owed
            .checked_sub(u128::from(self.idle.base) * u128::from(of_assets))
            .filter(|short| *short > 0)
        else {
            return SqrtPrice::MAX;
        };
        let lower = self.band.sqrt_lower().x64();
        match self.price_with(of_assets, short) {
            Some((peak, inexact)) if peak > lower || (peak == lower && inexact) => {
                SqrtPrice::new(peak).unwrap_or(SqrtPrice::MAX)
            }
            Some(_) => SqrtPrice::MIN,
            None => SqrtPrice::MAX,
        }
    }

    /// The price at which the liquidity, `times` over, is so much base: `L sb / (L + base sb)`, rounded down, and whether it is not
    /// exactly that. It lies below the band for more base than there is.
    fn price_with(&self, times: u32, base: u128) -> Option<(u128, bool)> {
        let upper = self.band.sqrt_upper().x64();
        let liquidity = wide::mul_full(self.liquidity, u128::from(times));
        let owed = wide::mul_full(base, upper);
        // Of 64 fractional bits and times a price of 96.
        if liquidity.bit_len() <= 96 && owed.bit_len() < 256 {
            let liquidity = liquidity << 64usize;
            let (price, rest) = wide::div_rem_256(liquidity * U256::from(upper), liquidity + owed)?;
            return Some((u128::try_from(price).ok()?, !rest.is_zero()));
        }
        let liquidity = U512::from(liquidity) << 64usize;
        let denominator = liquidity + U512::from(owed);
        if denominator.is_zero() {
            return None;
        }
        let (price, rest) = (liquidity * U512::from(upper)).div_rem(denominator);
        Some((u128::try_from(price).ok()?, !rest.is_zero()))
    }
}

/// The first of two neighbouring prices between `fails` and `holds`, of which it fails and the second one holds.
fn flip(fails: SqrtPrice, holds: SqrtPrice, mut check: impl FnMut(SqrtPrice) -> bool) -> SqrtPrice {
    let (mut fails, mut holds) = (fails, holds);
    while fails.x64().abs_diff(holds.x64()) > 1 {
        let middle = fails.x64().midpoint(holds.x64());
        // Between two valid prices.
        let Ok(middle) = SqrtPrice::new(middle) else {
            break;
        };
        if check(middle) {
            holds = middle;
        } else {
            fails = middle;
        }
    }
    fails
}
