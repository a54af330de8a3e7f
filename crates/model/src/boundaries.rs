use ballast_clmm::{SqrtPrice, base_amount_down, wide};
use ruint::aliases::U512;

use crate::{Bps, ModelError, Position, position::hedged_down};

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
    /// For use off chain: about a hundred valuations.
    ///
    /// # Errors
    /// [`ModelError`] if the position has no valuation at the price where its margin is largest.
    pub fn boundaries(&self, threshold: Bps) -> Result<Boundaries, ModelError> {
        if self.debt.is_zero() {
            return Ok(Boundaries::ALL);
        }
        let peak = self.peak(threshold);
        self.value(peak)?;
        let below = |at| {
            self.value(at)
                .is_ok_and(|value| !value.ltv_at_least(threshold))
        };
        Ok(around(peak, below))
    }

    /// The prices between which equity exceeds `floor` quote units. Ends as those of [`Position::boundaries`] for 100 %.
    ///
    /// # Errors
    /// As [`Position::boundaries`].
    pub fn equity_boundaries(&self, floor: i128) -> Result<Boundaries, ModelError> {
        let peak = self.peak(Bps::ONE);
        self.value(peak)?;
        let above = |at| self.value(at).is_ok_and(|value| value.equity() > floor);
        Ok(around(peak, above))
    }

    /// The prices between which `|hedge error| <= tolerance` base units, exactly.
    ///
    /// # Errors
    /// [`ModelError::Clmm`] if the liquidity's amounts exceed 64 bits.
    pub fn hedge_boundaries(&self, hedge: Bps, tolerance: u64) -> Result<Boundaries, ModelError> {
        self.full_base_up()?;
        let tolerance = i128::from(tolerance);
        let fixed = i128::from(self.idle.base) - i128::from(self.debt.base);
        let error = |at: SqrtPrice| {
            let base =
                base_amount_down(self.liquidity, self.band.clamp(at), self.band.sqrt_upper());
            hedged_down(crate::position::saturating(base), hedge) + fixed
        };
        // The error falls as the price rises: too long below, too short above. It is constant outside the band.
        let (low, high) = (self.band.sqrt_lower(), self.band.sqrt_upper());
        let too_long = |at| error(at) > tolerance;
        let too_short = |at| error(at) < -tolerance;
        if too_long(high) || too_short(low) {
            return Ok(Boundaries::Empty);
        }
        let lower = too_long(low).then(|| flip(low, high, |at| !too_long(at)).0);
        let upper = too_short(high).then(|| flip(high, low, |at| !too_short(at)).0);
        Ok(Boundaries::Interval { lower, upper })
    }

    /// The price at which `threshold * assets - debt` is largest, where `t (x + lx) = dx`: `s = L sb / (L + (dx/t - lx) sb)`
    /// inside the band, else one end of all prices.
    fn peak(&self, threshold: Bps) -> SqrtPrice {
        let of_debt = u128::from(Bps::ONE.get());
        let of_assets = u128::from(threshold.get());
        let owed = u128::from(self.debt.base) * of_debt;
        let Some(short) = owed
            .checked_sub(u128::from(self.idle.base) * of_assets)
            .filter(|short| *short > 0)
        else {
            return SqrtPrice::MAX;
        };
        let (lower, upper) = (self.band.sqrt_lower().x64(), self.band.sqrt_upper().x64());
        let weight = U512::from(wide::mul_full(self.liquidity, of_assets)) << 64usize;
        let short = U512::from(short);
        if short * U512::from(wide::mul_full(lower, upper)) >= weight * U512::from(upper - lower) {
            return SqrtPrice::MIN;
        }
        let upper = U512::from(upper);
        (weight * upper)
            .checked_div(weight + short * upper)
            .and_then(|peak| u128::try_from(peak).ok())
            .and_then(|peak| SqrtPrice::new(peak).ok())
            .unwrap_or(SqrtPrice::MAX)
    }
}

/// The interval around `peak` on which `holds`, for a condition that holds nowhere or on one interval with `peak` in it.
fn around(peak: SqrtPrice, holds: impl Fn(SqrtPrice) -> bool) -> Boundaries {
    if !holds(peak) {
        return Boundaries::Empty;
    }
    let end = |end: SqrtPrice| (!holds(end)).then(|| flip(end, peak, &holds).0);
    Boundaries::Interval {
        lower: end(SqrtPrice::MIN),
        upper: end(SqrtPrice::MAX),
    }
}

/// Two neighbouring prices between `fails` and `holds` of which the first fails and the second holds.
fn flip(
    fails: SqrtPrice,
    holds: SqrtPrice,
    check: impl Fn(SqrtPrice) -> bool,
) -> (SqrtPrice, SqrtPrice) {
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
    (fails, holds)
}
