use ballast_clmm::{Amounts, Band, SqrtPrice, wide};
use ruint::aliases::U512;
use thiserror::Error;

use crate::{Bps, ModelError, Position, Price};

/// What to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenRequest {
    /// Own funds, any mix.
    pub own: Amounts,
    /// Assets over own funds, at least 1.
    pub leverage: Bps,
    /// Base debt over the pool's base; [`Bps::ONE`] is delta-neutral.
    pub hedge: Bps,
    /// Price range.
    pub band: Band,
    /// The price to size at.
    pub at: SqrtPrice,
}

/// How to open it: borrow, trade the surplus, provide the liquidity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenPlan {
    /// Liquidity to provide, rounded down.
    pub liquidity: u128,
    /// What the pool takes for it at `at`, rounded up.
    pub deposit: Amounts,
    /// What to borrow.
    pub borrow: Amounts,
    /// Base that own and borrowed base exceed the deposit by: sell it before providing if positive, buy if negative.
    /// The quote side of that trade is counted at `at`, without fee.
    pub base_surplus: i128,
}

/// Why it cannot be opened like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Leverage below one.
    #[error("leverage {0} must be at least 100%")]
    LeverageBelowOne(Bps),
    /// The funds do not buy one unit of liquidity.
    #[error("own funds worth {0} quote units are too small for this band: add funds")]
    TooSmall(u128),
    /// Borrowing the hedge alone costs more debt than the leverage allows.
    #[error(
        "hedge not affordable: the base to borrow is worth {hedge_value} quote units, but leverage {leverage} on own \
         funds allows debt of only {debt_allowed}: raise leverage, lower the hedge ratio or move the band down"
    )]
    NotAffordable {
        /// Value of the base that the hedge needs borrowed.
        hedge_value: u128,
        /// Debt that the leverage allows.
        debt_allowed: u128,
        /// The leverage asked for.
        leverage: Bps,
    },
    /// See [`ModelError`].
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl OpenPlan {
    /// The same with the hedge sized at `oracle`, where the program judges it, and not where the liquidity is: more or less base is
    /// borrowed, and the difference traded for quote.
    ///
    /// # Errors
    /// [`OpenError::Model`].
    pub fn hedged_at(
        &self,
        request: &OpenRequest,
        oracle: SqrtPrice,
    ) -> Result<OpenPlan, OpenError> {
        let overflow = ModelError::Overflow("base to borrow");
        let pooled = request
            .band
            .amounts_up(self.liquidity, oracle)
            .map_err(ModelError::from)?;
        let base = request.hedge.of_up(u128::from(pooled.base));
        let base = base
            .and_then(|base| u64::try_from(base).ok())
            .ok_or(overflow)?;
        let price = Price::from(request.at);
        let sold = price.value_down(base.saturating_sub(self.borrow.base));
        let bought = price.value_up(self.borrow.base.saturating_sub(base));
        let quote = u128::from(self.borrow.quote)
            .saturating_sub(sold)
            .checked_add(bought)
            .and_then(|quote| u64::try_from(quote).ok());
        let change = i128::from(base) - i128::from(self.borrow.base);
        Ok(OpenPlan {
            borrow: Amounts {
                base,
                quote: quote.ok_or(ModelError::Overflow("quote to borrow"))?,
            },
            base_surplus: self.base_surplus + change,
            ..*self
        })
    }

    /// The position as it stands right after opening, with nothing idle.
    pub fn position(&self, band: Band) -> Position {
        Position {
            band,
            liquidity: self.liquidity,
            idle: Amounts::ZERO,
            debt: self.borrow,
        }
    }
}

/// Sizes a position: liquidity worth `leverage` times own funds, `hedge` times its base borrowed, the
/// rest of the debt in quote. With own funds in quote only and `hedge` = 1 nothing has to be traded and
/// `deposit = own + borrow` holds exactly.
///
/// The quote debt follows from the balance of quote, so that the tokens add up to the last unit; all rounding is the
/// owner's. Without leverage nothing is borrowed for rounding: the position is a few units smaller instead.
///
/// # Errors
/// [`OpenError`].
pub fn plan_open(request: OpenRequest) -> Result<OpenPlan, OpenError> {
    let OpenRequest {
        own,
        leverage,
        hedge,
        band,
        at,
    } = request;
    if leverage < Bps::ONE {
        return Err(OpenError::LeverageBelowOne(leverage));
    }
    let price = Price::from(at);
    let equity = price
        .value_down(own.base)
        .checked_add(u128::from(own.quote))
        .ok_or(ModelError::Overflow("own funds"))?;
    let mut assets = leverage
        .of_down(equity)
        .ok_or(ModelError::Overflow("leveraged funds"))?;
    if leverage == Bps::ONE {
        assets = assets.saturating_sub(price.ceil().saturating_add(3));
    }
    let liquidity = liquidity_for_value_down(&band, assets, at)?;
    if liquidity == 0 {
        return Err(OpenError::TooSmall(equity));
    }
    let deposit = band.amounts_up(liquidity, at).map_err(ModelError::from)?;
    let unhedged = Position {
        band,
        liquidity,
        idle: Amounts::ZERO,
        debt: Amounts::ZERO,
    };
    // Every later valuation and the delta band need them.
    unhedged.full_base_up()?;
    unhedged.full_quote_up()?;

    let borrow_base = hedge
        .of_up(u128::from(deposit.base))
        .and_then(|base| u64::try_from(base).ok())
        .ok_or(ModelError::Overflow("base to borrow"))?;
    let base_surplus = i128::from(own.base) + i128::from(borrow_base) - i128::from(deposit.base);
    let traded = u64::try_from(base_surplus.unsigned_abs())
        .map_err(|_| ModelError::Overflow("base to trade"))?;
    let (proceeds, cost) = if base_surplus > 0 {
        (price.value_down(traded), 0)
    } else {
        (0, price.value_up(traded))
    };
    let uses = u128::from(deposit.quote)
        .checked_add(cost)
        .ok_or(ModelError::Overflow("quote needed"))?;
    let sources = u128::from(own.quote)
        .checked_add(proceeds)
        .ok_or(ModelError::Overflow("quote at hand"))?;
    // What rounding the liquidity down may leave over.
    let one = band.amounts_up(1, at).map_err(ModelError::from)?;
    let rounding = price
        .value_up(one.base)
        .saturating_add(u128::from(one.quote))
        .saturating_add(price.ceil().saturating_mul(2))
        .saturating_add(8);
    if sources > uses.saturating_add(rounding) {
        return Err(OpenError::NotAffordable {
            hedge_value: price.value_up(borrow_base),
            debt_allowed: assets.saturating_sub(equity),
            leverage,
        });
    }
    let borrow_quote = u64::try_from(uses.saturating_sub(sources))
        .map_err(|_| ModelError::Overflow("quote to borrow"))?;
    Ok(OpenPlan {
        liquidity,
        deposit,
        borrow: Amounts {
            base: borrow_base,
            quote: borrow_quote,
        },
        base_surplus,
    })
}

/// The liquidity that is worth `value` quote units at a price, rounded down: exact division of the value by that of one
/// unit, which is `2s - s^2/sb - sa` inside the band, `sb - sa` above it and `s^2 (1/sa - 1/sb)` below.
pub fn liquidity_for_value_down(
    band: &Band,
    value: u128,
    at: SqrtPrice,
) -> Result<u128, ModelError> {
    let overflow = ModelError::Overflow("liquidity");
    let (lower, upper, s) = (band.sqrt_lower().x64(), band.sqrt_upper().x64(), at.x64());
    if s >= upper {
        return wide::shl64_div_down(value, upper - lower).ok_or(overflow);
    }
    if s >= lower {
        // Times 2^64 sb: value * sb * 2^64 / (s (sb - s) + sb (s - sa)).
        let numerator = wide::mul_full(value, upper);
        if numerator.leading_zeros() < 64 {
            return Err(overflow);
        }
        let unit = wide::mul_full(s, upper - s) + wide::mul_full(upper, s - lower);
        let (quotient, _) = wide::div_rem_256(numerator << 64usize, unit).ok_or(overflow)?;
        return u128::try_from(quotient).map_err(|_| overflow);
    }
    // value * sa * sb * 2^64 / (s^2 (sb - sa))
    let product = U512::from(wide::mul_full(lower, upper)) * U512::from(value);
    let unit = U512::from(wide::mul_full(s, s)) * U512::from(upper - lower);
    let quotient = (product << 64usize).checked_div(unit).ok_or(overflow)?;
    u128::try_from(quotient).map_err(|_| overflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn band(lower: u128, upper: u128) -> Band {
        Band::from_sqrt_prices(
            SqrtPrice::new(lower).unwrap(),
            SqrtPrice::new(upper).unwrap(),
        )
        .unwrap()
    }

    proptest! {
        #![proptest_config(crate::seed::config(2_000))]

        #[test]
        fn liquidity_is_worth_its_value_and_one_more_is_not(
            lower in 1u128 << 50..1 << 80, width in 1u128 << 40..1 << 80, at in 1u128 << 48..1 << 82, value in 1u128..1 << 90,
        ) {
            let band = band(lower, lower + width);
            let at = SqrtPrice::new(at).unwrap();
            let Ok(liquidity) = liquidity_for_value_down(&band, value, at) else { return Ok(()) };
            // The exact value of a liquidity times sb (in the band), 1 (above) or sa sb (below), without division.
            let (lower, upper) = (U512::from(lower), U512::from(lower + width));
            let s = U512::from(at.x64());
            let worth = |l: u128| {
                let l = U512::from(l);
                if s >= upper { (l * (upper - lower), U512::from(1) << 64usize) }
                else if s >= lower { (l * (s * (upper - s) + upper * (s - lower)), upper << 64usize) }
                else { (l * s * s * (upper - lower), (lower * upper) << 64usize) }
            };
            let (least, unit) = worth(liquidity);
            prop_assert!(least <= U512::from(value) * unit);
            let (more, unit) = worth(liquidity + 1);
            prop_assert!(more > U512::from(value) * unit);
        }
    }

    #[test]
    fn only_what_rounding_may_leave_over_is_left_unused() {
        // At a price of one: a unit of either for one of liquidity, two of base, and eight.
        const ROUNDING: u128 = 12;
        let tick = |index| ballast_clmm::Tick::new(index).unwrap();
        let band = Band::new(tick(-1_000), tick(1_000)).unwrap();
        let (mut allowed, mut refused) = (0, u128::MAX);
        for quote in 200_000..300_000u64 {
            let plan = plan_open(OpenRequest {
                own: Amounts::new(0, quote),
                leverage: Bps::new(19_999),
                hedge: Bps::ONE,
                band,
                at: SqrtPrice::ONE,
            });
            let assets = u128::from(quote) * 19_999 / 10_000;
            let liquidity = liquidity_for_value_down(&band, assets, SqrtPrice::ONE).unwrap();
            let used = band.amounts_up(liquidity, SqrtPrice::ONE).unwrap().quote;
            let left = u128::from(quote.saturating_sub(used));
            match plan {
                Ok(_) => allowed = allowed.max(left),
                Err(OpenError::NotAffordable { .. }) => refused = refused.min(left),
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!((allowed, refused), (ROUNDING, ROUNDING + 1));
    }

    #[test]
    fn liquidity_beyond_128_bits_is_an_error() {
        let narrow = band(1 << 95, (1 << 95) + 1);
        for at in [
            SqrtPrice::MIN,
            SqrtPrice::new(1 << 95).unwrap(),
            SqrtPrice::MAX,
        ] {
            assert!(liquidity_for_value_down(&narrow, u128::MAX, at).is_err());
        }
        assert_eq!(liquidity_for_value_down(&narrow, 0, SqrtPrice::ONE), Ok(0));
    }

    #[test]
    fn a_hedge_at_another_price_is_borrowed_there_and_traded_here() {
        let tick = |tick| ballast_clmm::Tick::new(tick).unwrap();
        let at = SqrtPrice::ONE;
        let request = OpenRequest {
            own: Amounts::new(0, 1_000_000),
            leverage: Bps::new(30_000),
            hedge: Bps::ONE,
            band: Band::new(tick(-1_000), tick(1_000)).unwrap(),
            at,
        };
        let plan = plan_open(request).unwrap();
        assert_eq!(plan.hedged_at(&request, at), Ok(plan));
        // Below, the same liquidity holds more base; above, less. What is borrowed more is sold, one quote for one base here.
        for (oracle, is_more) in [(-200, true), (200, false)] {
            let oracle = tick(oracle).sqrt_price();
            let there = plan.hedged_at(&request, oracle).unwrap();
            let base = request
                .band
                .amounts_up(plan.liquidity, oracle)
                .unwrap()
                .base;
            assert_eq!(there.borrow.base, base);
            assert_eq!(base > plan.borrow.base, is_more);
            let more = i128::from(base) - i128::from(plan.borrow.base);
            assert_eq!(
                i128::from(there.borrow.quote),
                i128::from(plan.borrow.quote) - more
            );
            assert_eq!(there.base_surplus, plan.base_surplus + more);
            assert_eq!(
                (there.liquidity, there.deposit),
                (plan.liquidity, plan.deposit)
            );
        }
        // What is there already is added to: with base of its own the plan sells some.
        let with_base = OpenRequest {
            own: Amounts::new(300_000, 700_000),
            ..request
        };
        let plan = plan_open(with_base).unwrap();
        assert!(plan.base_surplus > 0);
        let there = plan.hedged_at(&with_base, tick(-200).sqrt_price()).unwrap();
        let more = i128::from(there.borrow.base) - i128::from(plan.borrow.base);
        assert_eq!(there.base_surplus, plan.base_surplus + more);
    }

    #[test]
    fn liquidity_below_a_band_is_its_value_over_what_one_unit_is_worth() {
        // One unit is base worth s^2 (1/sa - 1/sb) = 1/4 (1/1 - 1/2) = 1/8 quote.
        let band = band(1 << 64, 2 << 64);
        let below = SqrtPrice::new(1 << 63).unwrap();
        assert_eq!(liquidity_for_value_down(&band, 100, below), Ok(800));
        // At the lower end both formulas hold: 1 - 1/2.
        assert_eq!(
            liquidity_for_value_down(&band, 100, SqrtPrice::ONE),
            Ok(200)
        );
        // From the upper end on, sb - sa = 1.
        let upper = SqrtPrice::new(2 << 64).unwrap();
        assert_eq!(liquidity_for_value_down(&band, 100, upper), Ok(100));
    }

    #[test]
    fn the_largest_value_that_can_be_shifted_is() {
        // Times the upper end it has 192 bits, and 64 more fit.
        let band = band(1 << 64, 1 << 95);
        let at = SqrtPrice::new(1 << 94).unwrap();
        let liquidity = liquidity_for_value_down(&band, 1 << 96, at).unwrap();
        let unit =
            wide::mul_full(1 << 94, 1 << 94) + wide::mul_full(1 << 95, (1 << 94) - (1 << 64));
        let exact = (U512::from(1) << 255usize) / U512::from(unit);
        assert_eq!(U512::from(liquidity), exact);
        assert!(liquidity_for_value_down(&band, 1 << 97, at).is_err());
    }
}
