use ballast_clmm::{Amounts, Side, SqrtPrice, wide};

use super::exchange::{Exchange, worth_down};
use crate::{Bps, ModelError, base_for_value_up, value_down, value_up};

/// What is earned on what is brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettlementBonus {
    /// As far as what the debts leave over goes.
    pub most: Bps,
    /// Also where that is less, so that the debts are repaid by less. At most [`Self::most`].
    pub of_lenders: Bps,
}

/// How a position is closed at a price that nobody can check any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// What is repaid, and what of the position's tokens is given for it. Only the token that is short is brought.
    pub exchange: Exchange,
    /// Everything that the tokens held pay for is repaid: what is still owed is lost.
    pub complete: bool,
    /// Both debts are repaid in the end, once somebody brings what is missing.
    pub covers_all: bool,
}

/// Repays both debts with the tokens held, `held`; what is missing of one of them is bought from whoever brings it, with the other
/// and a bonus, as far as `payable` goes.
///
/// What is held covers the part c of both debts: all if that is enough, else `c = (A + b h) / (D + b d)` with A the value held,
/// D the value owed, h and d the values held and owed of the token that is short: then the other debt's part and the price
/// of what is missing, `(c d - h)(1 + b)`, are together what is held of the other token. Here b is the bonus that lenders bear; what is left
/// beyond both debts goes into the larger one. For a part f of what is missing no more than that part of what is left is given, and where
/// not all is covered no more than that part of what is held is repaid. Then `(1 - f) c / (1 - f c)` is the c of what remains, and in
/// parts both debts end where they end by one payment, but for units of rounding. What is missing is rounded up: the last unit may cost whoever
/// brings it up to its worth more than is given for it.
///
/// # Errors
/// [`ModelError::Overflow`].
pub fn plan_settlement(
    held: Amounts,
    debt: Amounts,
    at: SqrtPrice,
    bonus: SettlementBonus,
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
            covers_all: repay == debt,
        });
    };
    let bonus_of = |value: u128| bonus.of_lenders.of_down(value).ok_or(overflow);
    let covered = assets
        .checked_add(bonus_of(value(side, held.get(side))?)?)
        .ok_or(overflow)?;
    let needed = owed
        .checked_add(bonus_of(value(side, debt.get(side))?)?)
        .ok_or(overflow)?;
    // Rounded up: a unit of a coarse token may be worth much, and nothing is left to the owner while lenders lose.
    let share = |amount: u64| match wide::mul_div_up(u128::from(amount), covered, needed) {
        Some(part) if covered < needed => part as u64,
        _ => amount,
    };
    let (here, there) = (held.get(side), held.get(side.other()));
    let most = share(debt.get(side)).saturating_sub(here);
    let brought = most.min(payable.get(side));
    let others = share(debt.get(side.other())).min(there);
    let with_bonus = Bps::new(Bps::ONE.get().saturating_add(bonus.most.get()));
    let price = with_bonus.of_down(value(side, brought)?).ok_or(overflow)?;
    let given = match side.other() {
        Side::Quote => u64::try_from(price).unwrap_or(u64::MAX),
        // The last unit may be worth more than the rest of the price.
        Side::Base => match base_for_value_up(price, at) {
            Ok(base) if value_up(base, at)? > price => base.saturating_sub(1),
            Ok(base) => base,
            Err(_) => u64::MAX,
        },
    };
    let part = |all: u64| match wide::mul_div_down(u128::from(all), brought.into(), most.into()) {
        Some(part) if brought < most => part as u64,
        _ => all,
    };
    // Of what is left for all that is missing, a part is given for a part: the rest is kept for whoever brings the rest.
    let given = given.min(part(there.saturating_sub(others)));
    // Where not all is covered, what is held goes into both debts as far as what is missing is brought. Else one token's lenders would have
    // first what both share.
    let (here, others) = if covered < needed {
        (part(here), part(others))
    } else {
        (here, others)
    };
    let amounts = |this: u64, other: u64| Amounts::only(side, this).with(side.other(), other);
    Ok(Settlement {
        exchange: Exchange {
            repay: amounts(here.saturating_add(brought), others),
            seize: amounts(here, others.saturating_add(given)),
        },
        complete: brought == most,
        covers_all: covered >= needed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_BONUS: SettlementBonus = SettlementBonus {
        most: Bps::ZERO,
        of_lenders: Bps::ZERO,
    };

    #[test]
    fn what_grows_out_of_equity_costs_the_lenders_nothing() {
        let at = SqrtPrice::ONE;
        let (held, debt) = (Amounts::new(0, 300_000), Amounts::new(150_000, 50_000));
        let all = Amounts::new(u64::MAX, u64::MAX);
        let plan = |most, of_lenders| {
            let bonus = SettlementBonus {
                most: Bps::new(most),
                of_lenders: Bps::new(of_lenders),
            };
            plan_settlement(held, debt, at, bonus, all).unwrap()
        };
        for (most, given) in [(300, 154_500), (5_000, 225_000), (90_000, 250_000)] {
            let plan = plan(most, 300);
            assert!(plan.complete);
            assert_eq!(plan.exchange.repay, debt);
            assert_eq!(plan.exchange.seize, Amounts::new(0, 50_000 + given));
        }
        // At 100 % both lose the same part: 300 are (150 c)(1 + 1) + 50 c.
        let plan = plan(10_000, 10_000).exchange;
        assert_eq!(plan.repay, Amounts::new(128_572, 42_858));
        assert!(plan.seize.quote <= 300_000 && plan.seize.quote >= 299_997);
    }

    #[test]
    fn where_the_same_part_of_both_is_held_each_token_pays_its_own_debt() {
        // At 2.25 one of base is worth 2, and two that are owed 5: 7 of 14, of which one token holds exactly half.
        let at = SqrtPrice::new(3 << 63).unwrap();
        let held = Amounts::new(1, 5);
        let plan = plan_settlement(held, Amounts::new(2, 9), at, NO_BONUS, Amounts::ZERO);
        let exchange = Exchange {
            repay: held,
            seize: held,
        };
        assert_eq!(
            plan,
            Ok(Settlement {
                exchange,
                complete: true,
                covers_all: false,
            })
        );
    }

    #[test]
    fn what_is_worth_less_than_a_unit_with_its_bonus_takes_a_unit() {
        let bonus = SettlementBonus {
            most: Bps::new(90_000),
            of_lenders: Bps::new(90_000),
        };
        let plan = |held: Amounts, payable| {
            plan_settlement(held, Amounts::new(100, 0), SqrtPrice::ONE, bonus, payable).unwrap()
        };
        let held = Amounts::new(0, 9);
        let nothing = plan(held, Amounts::ZERO);
        assert!(!nothing.complete && !nothing.covers_all && nothing.exchange.repay.is_zero());
        let unit = plan(held, Amounts::new(1, 0));
        assert!(unit.complete);
        let exchange = (unit.exchange.repay, unit.exchange.seize);
        assert_eq!(exchange, (Amounts::new(1, 0), held));
        // Of what holds nothing nobody takes anything.
        assert!(plan(Amounts::ZERO, Amounts::ZERO).complete);
    }
}
