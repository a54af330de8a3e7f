use ballast_clmm::{Amounts, Side, SqrtPrice, wide};

use super::exchange::{Exchange, worth_down};
use crate::{Bps, ModelError, base_for_value_up, value_down, value_up};

/// How a position is closed at a price that nobody can check any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What is repaid, and what of the position's tokens is given for it. Only the token that is short is brought.
    pub exchange: Exchange,
    /// Everything that the tokens held pay for is repaid: what is still owed is lost.
    pub complete: bool,
}

/// Repays both debts with the tokens held, `held`; what is missing of one of them is bought from whoever brings it, with the other
/// and a bonus, as far as `payable` goes.
///
/// What is held covers the part c of both debts: all if that is enough, else `c = (A + b h) / (D + b d)` with A the value held,
/// D the value owed, h and d the values held and owed of the token that is short: then the other debt's part and the price
/// of what is missing, `(c d - h)(1 + b)`, are together what is held of the other token. Both debts lose the same part.
///
/// # Errors
/// [`ModelError::Overflow`].
pub fn plan_settlement(
    held: Amounts,
    debt: Amounts,
    at: SqrtPrice,
    bonus: Bps,
    payable: Amounts,
) -> Result<Settlement, ModelError> {
    let overflow = ModelError::Overflow("value to settle");
    let assets = worth_down(held, at)?;
    let owed = value_up(debt.base, at)?
        .checked_add(u128::from(debt.quote))
        .ok_or(overflow)?;
    let value = |side, amount: u64| match side {
        Side::Base => value_down(amount, at),
        Side::Quote => Ok(u128::from(amount)),
    };
    // The token that is short, if the same part of both debts is repaid.
    let short = |side: Side| {
        let (held, debt) = (u128::from(held.get(side)), u128::from(debt.get(side)));
        let part = assets.min(owed);
        // held < debt * part / owed
        wide::mul_full(held, owed) < wide::mul_full(debt, part)
    };
    let Some(side) = [Side::Base, Side::Quote]
        .into_iter()
        .find(|side| short(*side))
    else {
        // Each token pays its own debt: all of it, unless what is owed is worth no more than rounding.
        let repay = held.min(debt);
        let exchange = Exchange {
            repay,
            seize: repay,
        };
        return Ok(Settlement {
            exchange,
            complete: true,
        });
    };
    let bonus_of = |value: u128| bonus.of_down(value).ok_or(overflow);
    let covered = assets
        .checked_add(bonus_of(value(side, held.get(side))?)?)
        .ok_or(overflow)?;
    let needed = owed
        .checked_add(bonus_of(value(side, debt.get(side))?)?)
        .ok_or(overflow)?;
    let share = |amount: u64| match wide::mul_div_down(u128::from(amount), covered, needed) {
        Some(part) if covered < needed => part as u64,
        _ => amount,
    };
    let (here, there) = (held.get(side), held.get(side.other()));
    let most = share(debt.get(side)).saturating_sub(here);
    let brought = most.min(payable.get(side));
    let others = share(debt.get(side.other())).min(there);
    let with_bonus = Bps::new(Bps::ONE.get().saturating_add(bonus.get()));
    let price = with_bonus.of_down(value(side, brought)?).ok_or(overflow)?;
    let given = match side.other() {
        Side::Quote => u64::try_from(price).unwrap_or(u64::MAX),
        // One unit may be worth more than the rest of the price.
        Side::Base => base_for_value_up(price, at).map_or(u64::MAX, |base| base.saturating_sub(1)),
    };
    let given = given.min(there.saturating_sub(others));
    let amounts = |this: u64, other: u64| Amounts::only(side, this).with(side.other(), other);
    Ok(Settlement {
        exchange: Exchange {
            repay: amounts(here.saturating_add(brought), others),
            seize: amounts(here, others.saturating_add(given)),
        },
        complete: brought == most,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_same_part_of_both_is_held_each_token_pays_its_own_debt() {
        // At 2.25 one of base is worth 2, and two that are owed 5: 7 of 14, of which one token holds exactly half.
        let at = SqrtPrice::new(3 << 63).unwrap();
        let held = Amounts::new(1, 5);
        let plan = plan_settlement(held, Amounts::new(2, 9), at, Bps::ZERO, Amounts::ZERO);
        let exchange = Exchange {
            repay: held,
            seize: held,
        };
        assert_eq!(
            plan,
            Ok(Settlement {
                exchange,
                complete: true
            })
        );
    }
}
