use ballast_clmm::{Amounts, Side, SqrtPrice, wide};

use crate::{Bps, ModelError, value_down};

/// Value of both amounts at a price, rounded down.
///
/// # Errors
/// [`ModelError::Overflow`].
pub fn worth_down(amounts: Amounts, at: SqrtPrice) -> Result<u128, ModelError> {
    value_down(amounts.base, at)?
        .checked_add(u128::from(amounts.quote))
        .ok_or(ModelError::Overflow("value"))
}

/// A fraction, at most 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    num: u64,
    den: u64,
}

impl Part {
    /// Everything.
    pub const ALL: Self = Self { num: 1, den: 1 };

    /// `num / den`; everything if that is not less than 1.
    pub const fn new(num: u64, den: u64) -> Self {
        if num < den {
            Self { num, den }
        } else {
            Self::ALL
        }
    }

    /// Whether it is everything.
    pub const fn is_all(self) -> bool {
        self.num == self.den
    }

    /// The smaller of two.
    pub fn min(self, other: Self) -> Self {
        let cross = |a: Self, b: Self| u128::from(a.num) * u128::from(b.den);
        if cross(other, self) < cross(self, other) {
            other
        } else {
            self
        }
    }

    /// This part of both amounts, rounded down.
    pub fn of_down(self, amounts: Amounts) -> Amounts {
        // At most the amount itself.
        let part =
            |amount: u64| (u128::from(amount) * u128::from(self.num) / u128::from(self.den)) as u64;
        Amounts {
            base: part(amounts.base),
            quote: part(amounts.quote),
        }
    }

    /// This part of a liquidity, rounded down.
    pub fn of_liquidity_down(self, liquidity: u128) -> u128 {
        wide::mul_div_down(liquidity, u128::from(self.num), u128::from(self.den))
            .map_or(liquidity, |part| part.min(liquidity))
    }
}

/// Debt repaid by somebody and collateral given for it, netted per token: of each token the payer's wallet brings what is
/// repaid beyond what is given, or receives what is given beyond what is repaid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Debts repaid.
    pub repay: Amounts,
    /// Collateral given.
    pub seize: Amounts,
}

impl Exchange {
    /// Gives `pot` for `repay`, but no more than that is worth with the bonus. A pool price away from the oracle's makes
    /// withdrawn tokens worth more than the liquidity was valued at; that surplus is the owner's.
    ///
    /// # Errors
    /// [`ModelError::Overflow`].
    pub fn capped(
        repay: Amounts,
        pot: Amounts,
        bonus: Bps,
        at: SqrtPrice,
    ) -> Result<Self, ModelError> {
        let with_bonus = Bps::new(Bps::ONE.get().saturating_add(bonus.get()));
        let allowed = with_bonus
            .of_down(worth_down(repay, at)?)
            .ok_or(ModelError::Overflow("collateral given"))?;
        let worth = worth_down(pot, at)?;
        let seize = if worth <= allowed {
            pot
        } else {
            portions_down(pot, allowed, worth)
        };
        Ok(Self { repay, seize })
    }

    /// What the wallet brings.
    pub fn brought(&self) -> Amounts {
        self.repay.saturating_sub(self.seize)
    }

    /// What the wallet receives.
    pub fn received(&self) -> Amounts {
        self.seize.saturating_sub(self.repay)
    }

    /// The largest part for which `payable` is enough: that share of [`Exchange::brought`], by the token that is scarcer.
    pub fn part_paid_by(&self, payable: Amounts) -> Part {
        let brought = self.brought();
        let of = |side| Part::new(payable.get(side), brought.get(side));
        of(Side::Base).min(of(Side::Quote))
    }

    /// A part of it, everything rounded down: less than a unit of each token in anybody's favour. What
    /// [`Exchange::part_paid_by`] says never brings more than was payable: of a token of which m is brought in all, the part k
    /// brings `floor(k repay) - floor(k seize) < k m + 1`, and `k m` is at most payable, a whole number; none of one of which
    /// none is brought.
    #[must_use]
    pub fn part(&self, part: Part) -> Self {
        Self {
            repay: part.of_down(self.repay),
            seize: part.of_down(self.seize),
        }
    }

    /// Value given beyond what is repaid.
    ///
    /// # Errors
    /// [`ModelError::Overflow`].
    pub fn gain(&self, at: SqrtPrice) -> Result<u128, ModelError> {
        Ok(worth_down(self.seize, at)?.saturating_sub(worth_down(self.repay, at)?))
    }
}

/// Both debts in proportion, as far as collateral worth `worth` pays for debt worth `owed`, rounded down; all of them if it is
/// enough.
pub(super) fn affordable_down(debt: Amounts, worth: u128, owed: u128) -> Amounts {
    if worth >= owed {
        return debt;
    }
    portions_down(debt, worth, owed)
}

/// `amounts * num / den` for `num < den`, rounded down.
fn portions_down(amounts: Amounts, num: u128, den: u128) -> Amounts {
    // Less than the amount, so that it fits.
    let part = |amount: u64| {
        wide::mul_div_down(u128::from(amount), num, den).map_or(0, |part| part as u64)
    };
    Amounts {
        base: part(amounts.base),
        quote: part(amounts.quote),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: SqrtPrice = SqrtPrice::ONE;

    fn amounts(base: u64, quote: u64) -> Amounts {
        Amounts { base, quote }
    }

    #[test]
    fn collateral_given_never_exceeds_debt_and_bonus() {
        let bonus = Bps::new(500);
        let seize = |repay, pot| Exchange::capped(repay, pot, bonus, AT).unwrap().seize;
        assert_eq!(seize(amounts(0, 100), amounts(40, 60)), amounts(40, 60));
        let capped = seize(amounts(10_000, 0), amounts(4_000, 6_600));
        assert_eq!(capped, amounts(3_962, 6_537));
        assert!(worth_down(capped, AT).unwrap() <= 10_500);
        assert_eq!(
            seize(Amounts::ZERO, amounts(u64::MAX, u64::MAX)),
            Amounts::ZERO
        );
    }

    #[test]
    fn insolvent_debt_is_repaid_in_proportion_and_never_beyond_the_collateral() {
        let debt = amounts(100, 300);
        assert_eq!(affordable_down(debt, 200, 400), amounts(50, 150));
        assert_eq!(affordable_down(debt, 400, 400), debt);
        assert_eq!(
            affordable_down(amounts(u64::MAX, 1), u128::MAX - 1, u128::MAX),
            amounts(u64::MAX - 1, 0)
        );
        assert_eq!(affordable_down(amounts(7, 7), 0, 14), Amounts::ZERO);
    }

    #[test]
    fn the_scarcer_token_decides_how_much_is_paid_for() {
        let exchange = Exchange {
            repay: amounts(100, 50),
            seize: amounts(20, 10),
        };
        assert_eq!(exchange.brought(), amounts(80, 40));
        assert_eq!(exchange.received(), Amounts::ZERO);
        for (payable, part) in [
            (amounts(80, 40), Part::ALL),
            (amounts(u64::MAX, u64::MAX), Part::ALL),
            (amounts(40, 39), Part::new(40, 80)),
            (amounts(79, 10), Part::new(10, 40)),
            (amounts(0, 40), Part::new(0, 80)),
        ] {
            assert_eq!(exchange.part_paid_by(payable), part, "{payable:?}");
        }
        let half = exchange.part(Part::new(1, 2));
        assert_eq!((half.repay, half.seize), (amounts(50, 25), amounts(10, 5)));
        // What brings nothing needs nothing.
        let given = Exchange {
            repay: amounts(1, 1),
            seize: amounts(1, 2),
        };
        assert!(given.part_paid_by(Amounts::ZERO).is_all());
    }

    #[test]
    fn a_part_is_a_fraction_of_each_amount_and_of_liquidity() {
        let (third, half) = (Part::new(1, 3), Part::new(2, 4));
        assert_eq!((third.min(half), half.min(third)), (third, third));
        // Of two that are alike the first is as good.
        assert_eq!(half.min(Part::new(1, 2)), half);
        // 3/7 < 4/9, though 3 + 9 > 4 + 7.
        let (smaller, larger) = (Part::new(3, 7), Part::new(4, 9));
        assert_eq!(
            (larger.min(smaller), smaller.min(larger)),
            (smaller, smaller)
        );
        assert_eq!(Part::ALL.min(larger), larger);
        assert_eq!(third.of_liquidity_down(10), 3);
        assert_eq!(Part::ALL.of_liquidity_down(u128::MAX), u128::MAX);
        assert_eq!(half.of_liquidity_down(u128::MAX), u128::MAX / 2);
        assert_eq!(third.of_down(Amounts::new(10, 2)), Amounts::new(3, 0));
    }
}
