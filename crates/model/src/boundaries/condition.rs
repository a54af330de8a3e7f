use crate::{Bps, Valuation};

/// What is asked of a position at a price.
#[derive(Clone, Copy, Debug)]
pub(super) enum Condition {
    /// Debt / assets is below this.
    LtvBelow(Bps),
    /// Equity exceeds so many quote units.
    EquityAbove(i128),
}

/// The same as a sum: it holds where `assets * of_assets - debt * of_debt` exceeds `floor`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    pub of_assets: u32,
    pub of_debt: u32,
    pub floor: i128,
}

/// Values and floors of fewer bits leave every sum of weighted ones within an `i128`.
const SMALL_BITS: u32 = 94;

impl Condition {
    pub fn holds(self, value: &Valuation) -> bool {
        match self {
            Self::LtvBelow(threshold) => !value.ltv_at_least(threshold),
            Self::EquityAbove(floor) => value.equity() > floor,
        }
    }

    /// `None` for a floor beyond what margins are computed with.
    pub fn weights(self) -> Option<Weights> {
        let (of_assets, of_debt, floor) = match self {
            Self::LtvBelow(threshold) => (threshold.get(), Bps::ONE.get(), 0),
            Self::EquityAbove(floor) => (1, 1, floor),
        };
        (floor.unsigned_abs() >> SMALL_BITS == 0).then_some(Weights {
            of_assets,
            of_debt,
            floor,
        })
    }
}

impl Weights {
    /// By how much the sum exceeds the floor; `None` for values that are too large.
    pub fn margin(&self, value: &Valuation) -> Option<i128> {
        let weighted = |value: u128, weight: u32| {
            (value >> SMALL_BITS == 0).then(|| value as i128 * i128::from(weight))
        };
        let (assets, debt) = (
            weighted(value.assets, self.of_assets)?,
            weighted(value.debt, self.of_debt)?,
        );
        Some(assets - debt - self.floor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_above_zero_is_a_condition_that_holds() {
        let conditions = [
            Condition::LtvBelow(Bps::new(8_000)),
            Condition::EquityAbove(2_000),
            Condition::EquityAbove(-1),
        ];
        for condition in conditions {
            let weights = condition.weights().unwrap();
            for debt in [1, 7_999, 8_000, 8_001, 10_000, 10_001, 20_000] {
                let value = Valuation {
                    assets: 10_000,
                    debt,
                };
                let margin = weights.margin(&value).unwrap();
                assert_eq!(margin > 0, condition.holds(&value), "{condition:?} {debt}");
            }
        }
    }

    #[test]
    fn what_is_too_large_has_no_margin() {
        let weights = Condition::LtvBelow(Bps::new(u32::MAX)).weights().unwrap();
        let (most, beyond) = ((1 << SMALL_BITS) - 1, 1 << SMALL_BITS);
        let margin = |assets, debt| weights.margin(&Valuation { assets, debt });
        assert!(margin(most, most).is_some());
        assert_eq!((margin(beyond, 0), margin(0, beyond)), (None, None));
        let floors = |floor| Condition::EquityAbove(floor).weights().is_some();
        assert!(floors(-(most as i128)) && !floors(-(beyond as i128)) && !floors(i128::MIN));
    }
}
