//! `rate = (premium + clamp(interest − premium, ±bound)) / divisor`. Where the premium is within the bound of the interest rate, the
//! rate is the interest rate exactly: the distribution of rates has a point mass there. The venue has changed divisor and bound
//! several times without notice in its data, so both are learnt from the settlements, and every settlement is checked.

use super::Settlement;

/// Interest per divisor: 0.01 % for eight hours.
pub const INTEREST: f64 = 0.0001;
/// The bound that the venue documents today, assumed until a settlement shows one.
const BOUND_TODAY: f64 = 0.0005;
/// Reported rates have eight places: half of the last, and what floats add.
const TOLERANCE: f64 = 6e-9;
/// Bounds are multiples of this, by its inverse: a float's division by it is exact to the last place.
const BOUND_STEPS: f64 = 1e5;
const BOUND_STEP: f64 = 1.0 / BOUND_STEPS;
/// Divisors that the venue may use: none, or hours of which a settlement is one.
const DIVISORS: [f64; 2] = [8.0, 1.0];

/// What is known of the clamp.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clamp {
    /// There is none: the rate is the premium's share alone.
    Absent,
    /// Settlements showed only that the bound is at least this.
    AtLeast(f64),
    /// A settlement beyond the bound showed it.
    Exact(f64),
}

/// How a premium becomes a rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Formula {
    /// What the sum is divided by.
    pub divisor: f64,
    /// The clamp.
    pub clamp: Clamp,
}

/// What a settlement says about the formula.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Notice {
    /// It fits what was known, or makes it more precise.
    Fits,
    /// It is the first one.
    Learnt(Formula),
    /// It contradicts what was known; this fits instead.
    Changed(Formula),
    /// No formula of this kind fits: forecasts are not to be relied on.
    Unexplained,
}

impl Formula {
    /// The rate that a premium gives.
    #[must_use]
    pub fn rate(&self, premium: f64) -> f64 {
        let bound = match self.clamp {
            Clamp::Absent => 0.0,
            Clamp::AtLeast(bound) => bound.max(BOUND_TODAY),
            Clamp::Exact(bound) => bound,
        };
        let gap = INTEREST - premium;
        // Said apart, so that the point mass is one float and not several.
        let sum = if gap.abs() <= bound {
            INTEREST
        } else {
            premium + gap.clamp(-bound, bound)
        };
        sum / self.divisor
    }

    /// The formulas that explain one settlement, the most telling first.
    fn candidates(settlement: &Settlement) -> impl Iterator<Item = Self> {
        let Settlement { rate, premium, .. } = *settlement;
        let gap = INTEREST - premium;
        DIVISORS.into_iter().flat_map(move |divisor| {
            let adjustment = rate * divisor - premium;
            let slack = TOLERANCE * divisor;
            let whole = (adjustment - gap).abs() <= slack;
            let none = adjustment.abs() <= slack;
            let bound = (adjustment.abs() * BOUND_STEPS).round() / BOUND_STEPS;
            let clipped = !whole
                && bound > 0.0
                && (adjustment.abs() - bound).abs() <= slack
                && adjustment.signum() == gap.signum()
                && bound < gap.abs();
            [
                none.then_some(Clamp::Absent),
                clipped.then_some(Clamp::Exact(bound)),
                whole.then_some(Clamp::AtLeast(gap.abs())),
            ]
            .into_iter()
            .flatten()
            .map(move |clamp| Self { divisor, clamp })
        })
    }

    /// What is known after a settlement that does not contradict it.
    fn refined(&self, settlement: &Settlement) -> Option<Self> {
        Self::candidates(settlement)
            .filter(|candidate| candidate.divisor == self.divisor)
            .find_map(|candidate| {
                let clamp = match (self.clamp, candidate.clamp) {
                    (Clamp::Absent, Clamp::Absent) => Clamp::Absent,
                    (Clamp::AtLeast(known), Clamp::AtLeast(shown)) => {
                        Clamp::AtLeast(known.max(shown))
                    }
                    // Half a step, because bounds are rounded to steps and gaps are not.
                    (Clamp::AtLeast(known), Clamp::Exact(shown))
                        if shown >= known - BOUND_STEP / 2.0 =>
                    {
                        Clamp::Exact(shown)
                    }
                    (Clamp::Exact(known), Clamp::AtLeast(shown))
                        if shown <= known + BOUND_STEP / 2.0 =>
                    {
                        Clamp::Exact(known)
                    }
                    (Clamp::Exact(known), Clamp::Exact(shown))
                        if (known - shown).abs() < BOUND_STEP / 2.0 =>
                    {
                        Clamp::Exact(known)
                    }
                    _ => return None,
                };
                Some(Self {
                    divisor: self.divisor,
                    clamp,
                })
            })
    }
}

/// Follows the formula through the settlements.
#[derive(Debug, Clone, Default)]
pub struct FormulaWatch {
    known: Option<Formula>,
}

impl FormulaWatch {
    /// What is known.
    #[must_use]
    pub const fn formula(&self) -> Option<Formula> {
        self.known
    }

    /// Checks one settlement, the next in time.
    pub fn observe(&mut self, settlement: &Settlement) -> Notice {
        if let Some(refined) = self.known.and_then(|known| known.refined(settlement)) {
            self.known = Some(refined);
            return Notice::Fits;
        }
        let Some(found) = Formula::candidates(settlement).next() else {
            return Notice::Unexplained;
        };
        let first = self.known.is_none();
        self.known = Some(found);
        if first {
            Notice::Learnt(found)
        } else {
            Notice::Changed(found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(formula: &Formula, premium: f64) -> Settlement {
        let rate = (formula.rate(premium) * 1e8).round() / 1e8;
        Settlement {
            hour: 0,
            interval_hours: 1,
            rate,
            premium,
        }
    }

    #[test]
    fn a_premium_near_the_interest_rate_gives_the_interest_rate_exactly() {
        let today = Formula {
            divisor: 8.0,
            clamp: Clamp::Exact(0.0005),
        };
        for premium in [-0.0004, -0.0001, 0.0, 0.0001, 0.0006] {
            assert_eq!(today.rate(premium), INTEREST / 8.0, "{premium}");
        }
        assert!((today.rate(0.001) - 0.0005 / 8.0).abs() < 1e-15);
        assert!((today.rate(-0.001) + 0.0005 / 8.0).abs() < 1e-15);
    }

    #[test]
    fn the_bound_is_learnt_without_an_alarm_and_a_change_raises_one() {
        let old = Formula {
            divisor: 8.0,
            clamp: Clamp::Exact(0.0003),
        };
        let new = Formula {
            divisor: 8.0,
            clamp: Clamp::Exact(0.0002),
        };
        let mut watch = FormulaWatch::default();
        assert!(matches!(
            watch.observe(&settled(&old, 0.0002)),
            Notice::Learnt(_)
        ));
        for premium in [0.0003, -0.0001, 0.0009, -0.0011, 0.0001] {
            assert_eq!(
                watch.observe(&settled(&old, premium)),
                Notice::Fits,
                "{premium}"
            );
        }
        assert_eq!(watch.formula(), Some(old));
        // Both formulas give the same here, and only then.
        assert_eq!(watch.observe(&settled(&new, 0.00025)), Notice::Fits);
        assert_eq!(watch.observe(&settled(&new, 0.0004)), Notice::Changed(new));
        assert_eq!(watch.observe(&settled(&new, 0.0004)), Notice::Fits);
    }

    #[test]
    fn a_rate_that_no_formula_gives_is_said() {
        let mut watch = FormulaWatch::default();
        let odd = Settlement {
            hour: 0,
            interval_hours: 1,
            rate: 0.000_123_45,
            premium: -0.002,
        };
        assert_eq!(watch.observe(&odd), Notice::Unexplained);
        assert_eq!(watch.formula(), None);
    }
}
