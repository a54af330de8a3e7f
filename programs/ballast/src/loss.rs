//! What of a position's debts lenders are shown as uncovered. The keeper decides by the same function.

use ballast_clmm::{Amounts, SqrtPrice, wide::mul_full};
use ballast_model::{ModelError, Position as PositionModel, Valuation, lending::uncovered_up};

use crate::oracle::OraclePrice;

/// The prices that a loss is shown at.
#[derive(Clone, Copy, Debug)]
pub struct LossPrices {
    /// The price that is used.
    pub used: OraclePrice,
    /// Whether it is as certain as what a loss may be booked at.
    pub used_is_certain: bool,
    /// The newest that is known.
    pub newest: SqrtPrice,
    /// Whether that one is.
    pub newest_is_certain: bool,
}

/// What lenders are to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What the collateral does not cover of each debt, rounded up.
    pub uncovered: Amounts,
    /// What the position is worth at [`Self::at`].
    pub value: Valuation,
    /// The price that counts.
    pub at: SqrtPrice,
}

impl Loss {
    fn at(position: &PositionModel, price: SqrtPrice) -> Result<Self, ModelError> {
        let value = position.value(price)?;
        Ok(Self {
            uncovered: uncovered_up(position.debt, &value),
            value,
            at: price,
        })
    }

    /// What is uncovered wherever in its interval the price really is. Assets are concave in the price and debt is a line, so that of
    /// an interval over which the part that is covered, A / D, only rises or only falls it is largest at an end. Where it is largest within
    /// the interval nothing is said to be uncovered.
    fn at_least(position: &PositionModel, price: &OraclePrice) -> Result<Self, ModelError> {
        let low = Self::at(position, price.low)?;
        if low.covered_part_falls(position)? {
            return Ok(low);
        }
        let high = Self::at(position, price.high)?;
        Ok(if high.covered_part_falls(position)? {
            Self {
                uncovered: Amounts::ZERO,
                ..high
            }
        } else {
            high
        })
    }

    /// Whether A / D falls with a rising price: by how much assets rise with it is the base held, by how much debt does the base owed,
    /// so that it falls where `held / owed < A / D`.
    fn covered_part_falls(&self, position: &PositionModel) -> Result<bool, ModelError> {
        let owed = position.debt.base;
        let held = position.delta(self.at)?.saturating_add(i128::from(owed));
        let held = u128::try_from(held).unwrap_or(0);
        Ok(mul_full(held, self.value.debt) < mul_full(u128::from(owed), self.value.assets))
    }
}

/// What is uncovered at the price that is used or at the newest that is known, whichever leaves more: no lender shows a loss away with a
/// price of before the gap. Of an uncertain price that is used, what is uncovered in its whole interval. As long as either is uncertain,
/// which it is right after a gap, no less is shown than was `shown` before.
///
/// # Errors
/// [`ModelError`].
pub fn loss_to_show(
    position: &PositionModel,
    prices: &LossPrices,
    shown: Amounts,
) -> Result<Loss, ModelError> {
    let used = prices.used.mid;
    let mut loss = if prices.used_is_certain {
        Loss::at(position, used)?
    } else {
        Loss::at_least(position, &prices.used)?
    };
    if prices.newest_is_certain && prices.newest != used {
        let then = Loss::at(position, prices.newest)?;
        // Both are in proportion to the debts.
        if then.uncovered.base > loss.uncovered.base || then.uncovered.quote > loss.uncovered.quote
        {
            loss = then;
        }
    }
    if !(prices.used_is_certain && prices.newest_is_certain) {
        loss.uncovered = Amounts {
            base: loss.uncovered.base.max(shown.base),
            quote: loss.uncovered.quote.max(shown.quote),
        };
    }
    Ok(loss)
}

#[cfg(test)]
mod tests {
    use ballast_clmm::{Band, Tick};

    use super::*;

    fn tick(tick: i32) -> SqrtPrice {
        Tick::new(tick).unwrap().sqrt_price()
    }

    /// Holds base below its band and quote above it, and owes `debt` of quote units at a price of one, half of it in base.
    fn position(debt: u64) -> PositionModel {
        PositionModel {
            band: Band::new(Tick::new(-100).unwrap(), Tick::new(100).unwrap()).unwrap(),
            liquidity: 1_000_000_000,
            idle: Amounts::ZERO,
            debt: Amounts::new(debt / 2, debt / 2),
        }
    }

    fn prices(used: [i32; 3], certain: bool) -> LossPrices {
        let [low, mid, high] = used.map(tick);
        LossPrices {
            used: OraclePrice { low, mid, high },
            used_is_certain: certain,
            newest: mid,
            newest_is_certain: certain,
        }
    }

    fn uncovered(debt: u64, prices: &LossPrices, shown: Amounts) -> Amounts {
        let position = position(debt);
        loss_to_show(&position, prices, shown).unwrap().uncovered
    }

    #[test]
    fn of_an_uncertain_price_what_is_uncovered_everywhere_in_its_interval() {
        let exact = |at| uncovered(11_000_000, &prices([at; 3], true), Amounts::ZERO);
        let wide = |low, high| {
            let mid = i32::midpoint(low, high);
            uncovered(11_000_000, &prices([low, mid, high], false), Amounts::ZERO)
        };
        // Above the band it is short of base: less is uncovered below. Below the band it is long.
        assert_eq!(wide(1_000, 3_000), exact(1_000));
        assert_eq!(wide(-3_000, -1_000), exact(-1_000));
        assert!(exact(1_000).base > 0 && exact(1_000).base < exact(3_000).base);
        assert!(exact(-1_000).base > 0 && exact(-1_000).base < exact(-3_000).base);
        // Uncovered at both ends, and somewhere between them perhaps not.
        assert_eq!(wide(-3_000, 3_000), Amounts::ZERO);
    }

    #[test]
    fn no_more_is_shown_than_is_uncovered_anywhere_in_the_interval() {
        let mut shown = 0;
        // From long to short of base; where base held is base owed equity is highest within the interval, and the part that is
        // covered is not.
        for (base, quote) in [(0, 11), (3, 8), (5, 6), (6, 5), (8, 3), (11, 0)] {
            for idle in [Amounts::new(0, 0), Amounts::new(4, 0), Amounts::new(0, 4)] {
                let million = |amounts: Amounts| {
                    Amounts::new(amounts.base * 1_000_000, amounts.quote * 1_000_000)
                };
                let position = PositionModel {
                    idle: million(idle),
                    debt: million(Amounts::new(base + idle.base, quote + idle.quote)),
                    ..position(0)
                };
                for (low, high) in [
                    (-3_000, 3_000),
                    (-900, -90),
                    (-50, 50),
                    (20, 400),
                    (500, 4_000),
                ] {
                    let prices = prices([low, i32::midpoint(low, high), high], false);
                    let loss = loss_to_show(&position, &prices, Amounts::ZERO).unwrap();
                    for step in 0..=40 {
                        let price = tick(low + (high - low) * step / 40);
                        let there = Loss::at(&position, price).unwrap().uncovered;
                        let least = there.base >= loss.uncovered.base
                            && there.quote >= loss.uncovered.quote;
                        assert!(least, "{position:?}: {loss:?}, {there:?} at {price}");
                    }
                    shown += u32::from(loss.uncovered != Amounts::ZERO);
                }
            }
        }
        assert!(shown > 30, "{shown}");
    }

    #[test]
    fn while_a_price_is_uncertain_nothing_is_shown_away() {
        let shown = Amounts::new(1_000, 2_000);
        let mut prices = prices([0; 3], true);
        assert_eq!(uncovered(5_000_000, &prices, shown), Amounts::ZERO);
        for (used, newest) in [(false, true), (true, false), (false, false)] {
            (prices.used_is_certain, prices.newest_is_certain) = (used, newest);
            assert_eq!(uncovered(5_000_000, &prices, shown), shown);
        }
        // More may be.
        let above = tick(3_000);
        prices.used = OraclePrice {
            low: above,
            mid: above,
            high: above,
        };
        (prices.used_is_certain, prices.newest_is_certain) = (true, false);
        let more = uncovered(11_000_000, &prices, shown);
        assert!(more.base > shown.base && more.quote > shown.quote);
    }

    #[test]
    fn the_larger_of_used_and_newest_if_that_is_certain() {
        let at = |at| uncovered(11_000_000, &prices([at; 3], true), Amounts::ZERO);
        let with = |newest, certain| {
            let prices = LossPrices {
                newest: tick(newest),
                newest_is_certain: certain,
                ..prices([2_000; 3], true)
            };
            uncovered(11_000_000, &prices, Amounts::ZERO)
        };
        assert_eq!(with(3_000, true), at(3_000));
        assert_eq!(with(1_000, true), at(2_000));
        assert_eq!(with(3_000, false), at(2_000));
    }
}
