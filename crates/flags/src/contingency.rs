//! Contingency capital: how much of each token would bring every position back to its target after the price has jumped, with nobody
//! having acted and the pool not to be relied on.
//!
//! For one position at the price after the gap, with hedge ratio h and target loan-to-value t:
//!
//! 1. The hedge error `e = h x + lx - dx` is made zero. Base that is owed too much of (e < 0) is brought and repaid. Base that is held too
//!    much of (e > 0) is bought off the position at the price: its value is brought in quote, the base goes out, what does not lie idle
//!    borrowed.
//! 2. If debt is above t of the assets then, quote is brought that repays quote debt, one for one; once that is repaid, what is brought
//!    lies idle and counts as an asset.
//!
//! Both steps leave the hedge at zero error. What comes out of a position (base in step 1) is not counted towards what others need, so
//! that no order among them is assumed.

use ballast_model::{Amounts, Bps, ModelError, Position, SqrtPrice, price, value_up};

/// What a position is to be brought back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aim {
    /// Base debt over the pool's base.
    pub hedge: Bps,
    /// Loan-to-value at most.
    pub ltv: Bps,
}

/// What has to be brought into one position, and what comes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    /// Tokens brought.
    pub bring: Amounts,
    /// Base that the position gives for quote brought.
    pub base_out: u64,
}

/// The prices after a gap to either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Lower.
    pub down: SqrtPrice,
    /// Higher.
    pub up: SqrtPrice,
}

/// What the whole book needs after a gap to either side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contingency {
    /// After the price has fallen by the gap.
    pub down: Amounts,
    /// After it has risen.
    pub up: Amounts,
    /// Positions that no amount was found for: their numbers are out of range.
    pub failed: usize,
}

/// Whether what is kept is enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cover {
    /// Of each token there is at least what is needed.
    Enough,
    /// Of one there is not.
    Short,
    /// It is not configured what is kept, or a position's need is not known.
    Unknown,
}

impl Need {
    /// What a position needs at a price.
    ///
    /// # Errors
    /// [`ModelError`] if an amount exceeds 64 bits or a value 128.
    pub fn of(position: &Position, aim: Aim, at: SqrtPrice) -> Result<Self, ModelError> {
        let overflow = ModelError::Overflow("contingency");
        let error = position.hedge_error(at, aim.hedge)?;
        let base = u64::try_from(error.unsigned_abs()).map_err(|_| overflow)?;
        let mut need = Self::default();
        if error < 0 {
            need.bring.base = base;
        } else {
            need.base_out = base;
            need.bring.quote = u64::try_from(value_up(base, at)?).map_err(|_| overflow)?;
        }
        let hedged = need.apply(position)?;
        let more = quote_for_ltv_up(&hedged, aim.ltv, at)?;
        need.bring.quote = need.bring.quote.checked_add(more).ok_or(overflow)?;
        Ok(need)
    }

    /// The position after it: base brought repays, base that goes out is idle or borrowed, quote brought repays and then lies idle.
    ///
    /// # Errors
    /// [`ModelError`] if an amount exceeds 64 bits, or more base is brought than is owed.
    pub fn apply(&self, position: &Position) -> Result<Position, ModelError> {
        let from_idle = self.base_out.min(position.idle.base);
        let repaid_quote = self.bring.quote.min(position.debt.quote);
        let borrowed = Amounts::new(self.base_out - from_idle, 0);
        let repaid = Amounts::new(self.bring.base, repaid_quote);
        let idle = Amounts::new(0, self.bring.quote - repaid_quote);
        Ok(Position {
            idle: position
                .idle
                .checked_sub(Amounts::new(from_idle, 0))?
                .checked_add(idle)?,
            debt: position.debt.checked_add(borrowed)?.checked_sub(repaid)?,
            ..*position
        })
    }
}

/// Least quote that brings debt down to `ltv` of the assets.
fn quote_for_ltv_up(position: &Position, ltv: Bps, at: SqrtPrice) -> Result<u64, ModelError> {
    let overflow = ModelError::Overflow("contingency");
    let value = position.value(at)?;
    if !value.ltv_above(ltv) {
        return Ok(0);
    }
    let allowed = ltv.of_down(value.assets).ok_or(overflow)?;
    // Repaying takes as much from the debt.
    let excess = value.debt - allowed;
    let owed = u128::from(position.debt.quote);
    let needed = if excess <= owed {
        excess
    } else {
        // The rest lies idle: assets must be at least the debt that stays over the ratio, which none are for 0.
        if ltv == Bps::ZERO {
            return Err(overflow);
        }
        let stays = value.debt - owed;
        let assets = stays
            .checked_mul(Bps::ONE.get().into())
            .ok_or(overflow)?
            .div_ceil(ltv.get().into());
        owed + assets.saturating_sub(value.assets)
    };
    u64::try_from(needed).map_err(|_| overflow)
}

impl Gap {
    /// To either side of a price.
    ///
    /// # Errors
    /// [`ModelError`] if a price after the gap is none.
    pub fn new(at: SqrtPrice, gap: Bps) -> Result<Self, ModelError> {
        let one = Bps::ONE.get();
        Ok(Self {
            down: price::scale_down(at, Bps::new(one.saturating_sub(gap.get())))?,
            up: price::scale_up(at, Bps::new(one.saturating_add(gap.get())))?,
        })
    }
}

impl Contingency {
    /// Adds what one position needs after a gap.
    pub fn add(&mut self, position: &Position, aim: Aim, gap: &Gap) {
        let needs = Need::of(position, aim, gap.down).and_then(|below| {
            let above = Need::of(position, aim, gap.up)?;
            let down = self.down.checked_add(below.bring)?;
            Ok((down, self.up.checked_add(above.bring)?))
        });
        match needs {
            Ok((down, up)) => (self.down, self.up) = (down, up),
            Err(_) => self.failed += 1,
        }
    }

    /// Of each token what the worse side needs.
    #[must_use]
    pub fn needed(&self) -> Amounts {
        Amounts::new(
            self.down.base.max(self.up.base),
            self.down.quote.max(self.up.quote),
        )
    }

    /// Against what is kept ready; `None`: nobody said.
    #[must_use]
    pub fn cover(&self, kept: Option<Amounts>) -> Cover {
        let needed = self.needed();
        match kept {
            Some(kept) if kept.base < needed.base || kept.quote < needed.quote => Cover::Short,
            Some(_) if self.failed == 0 => Cover::Enough,
            _ => Cover::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use ballast_model::{Band, OpenRequest, Tick, plan_open};
    use proptest::prelude::*;

    use super::*;

    const AIM: Aim = Aim {
        hedge: Bps::ONE,
        ltv: Bps::new(7_000),
    };

    fn root(price: f64) -> SqrtPrice {
        SqrtPrice::new((price.sqrt() * 2f64.powi(64)) as u128).unwrap()
    }

    fn band(lower: i32, upper: i32) -> Band {
        Band::new(Tick::new(lower).unwrap(), Tick::new(upper).unwrap()).unwrap()
    }

    /// Three times leverage, hedged, at 0.2 (200 dollars for a token of nine decimals against six).
    fn opened() -> Position {
        let plan = plan_open(OpenRequest {
            own: Amounts::new(0, 1_000_000_000),
            leverage: Bps::new(30_000),
            hedge: Bps::ONE,
            band: band(-17_096, -15_092),
            at: root(0.2),
        });
        let plan = plan.unwrap();
        Position {
            band: band(-17_096, -15_092),
            liquidity: plan.liquidity,
            idle: Amounts::ZERO,
            debt: plan.borrow,
        }
    }

    /// Applying what is needed brings the hedge to zero and debt to the aim, and one quote less does not.
    fn proves(position: &Position, aim: Aim, at: SqrtPrice) -> Need {
        let need = Need::of(position, aim, at).unwrap();
        let after = need.apply(position).unwrap();
        assert_eq!(after.hedge_error(at, aim.hedge), Ok(0), "{need:?}");
        let value = after.value(at).unwrap();
        assert!(!value.ltv_above(aim.ltv), "{need:?} {value:?}");
        // What the hedge alone needs.
        let for_hedge = value_up(need.base_out, at).unwrap();
        if u128::from(need.bring.quote) > for_hedge {
            let mut less = need;
            less.bring.quote -= 1;
            let after = less.apply(position).unwrap();
            assert!(
                after.value(at).unwrap().ltv_above(aim.ltv),
                "{need:?} is not the least"
            );
        }
        need
    }

    #[test]
    fn after_a_fall_quote_is_brought_for_the_base_that_the_band_has_gathered() {
        let (position, at) = (opened(), root(0.18));
        let error = position.hedge_error(at, Bps::ONE).unwrap();
        assert!(error > 0);
        let need = proves(&position, AIM, at);
        assert_eq!((need.bring.base, i128::from(need.base_out)), (0, error));
        assert!(u128::from(need.bring.quote) >= value_up(need.base_out, at).unwrap());
    }

    #[test]
    fn after_a_rise_base_is_brought_for_the_base_that_the_band_has_sold() {
        let (position, at) = (opened(), root(0.22));
        let error = position.hedge_error(at, Bps::ONE).unwrap();
        assert!(error < 0);
        let need = proves(&position, AIM, at);
        assert_eq!((i128::from(need.bring.base), need.base_out), (-error, 0));
        // Repaying so much brings debt below the aim by itself.
        assert_eq!(need.bring.quote, 0);
    }

    #[test]
    fn a_position_at_its_aim_needs_nothing() {
        let mut position = opened();
        let at = root(0.2);
        position.debt.base -= u64::try_from(-position.hedge_error(at, Bps::ONE).unwrap()).unwrap();
        assert_eq!(proves(&position, AIM, at), Need::default());
    }

    #[test]
    fn once_the_quote_debt_is_repaid_more_quote_lies_idle() {
        let mut position = opened();
        position.debt.quote = 1_000;
        let aim = Aim {
            ltv: Bps::new(1_000),
            ..AIM
        };
        let need = proves(&position, aim, root(0.2));
        let after = need.apply(&position).unwrap();
        assert!(after.debt.quote == 0 && after.idle.quote > 0, "{after:?}");
        // Nothing brings a debt in base to none of the assets.
        assert!(
            Need::of(
                &position,
                Aim {
                    ltv: Bps::ZERO,
                    ..AIM
                },
                root(0.2)
            )
            .is_err()
        );
    }

    #[test]
    fn the_book_needs_the_sum_and_of_each_token_the_worse_side() {
        let (one, gap) = (opened(), Gap::new(root(0.2), Bps::new(1_000)).unwrap());
        let mut single = Contingency::default();
        single.add(&one, AIM, &gap);
        let mut twice = single;
        twice.add(&one, AIM, &gap);
        for (single, twice) in [(single.down, twice.down), (single.up, twice.up)] {
            assert_eq!(twice, single.checked_add(single).unwrap());
        }
        assert!(single.down.quote > 0 && single.down.base == 0);
        assert!(single.up.base > 0);
        let needed = single.needed();
        assert_eq!(
            (needed.base, needed.quote),
            (single.up.base, single.down.quote.max(single.up.quote))
        );
        let (short, enough) = (Amounts::new(needed.base, needed.quote - 1), needed);
        assert_eq!(single.cover(Some(short)), Cover::Short);
        assert_eq!(single.cover(Some(enough)), Cover::Enough);
        assert_eq!(single.cover(None), Cover::Unknown);
        assert_eq!(
            Contingency::default().cover(Some(Amounts::ZERO)),
            Cover::Enough
        );
    }

    #[test]
    fn what_cannot_be_computed_is_counted_and_leaves_the_cover_open() {
        let mut broken = opened();
        broken.liquidity = u128::MAX;
        let gap = Gap::new(root(0.2), Bps::new(1_000)).unwrap();
        let mut book = Contingency::default();
        book.add(&broken, AIM, &gap);
        book.add(&opened(), AIM, &gap);
        assert_eq!(book.failed, 1);
        let plenty = Amounts::new(u64::MAX, u64::MAX);
        assert_eq!(book.cover(Some(plenty)), Cover::Unknown);
        assert_eq!(book.cover(Some(Amounts::ZERO)), Cover::Short);
        assert!(Gap::new(SqrtPrice::MIN, Bps::new(5_000)).is_err());
    }

    proptest! {
        #[test]
        fn whatever_the_position_what_is_needed_brings_it_back(
            liquidity in 1_000u128..1_000_000_000_000,
            lower in -30_000i32..0,
            width in 10i32..20_000,
            idle in (0u64..1_000_000_000, 0u64..1_000_000_000),
            debt in (0u64..10_000_000_000_000, 0u64..10_000_000_000_000),
            hedge in 0u32..=10_000,
            ltv in 1u32..9_500,
            price in 0.05f64..1.0,
        ) {
            let position = Position {
                band: band(lower, lower + width),
                liquidity,
                idle: Amounts::new(idle.0, idle.1),
                debt: Amounts::new(debt.0, debt.1),
            };
            let aim = Aim { hedge: Bps::new(hedge), ltv: Bps::new(ltv) };
            proves(&position, aim, root(price));
        }
    }
}
