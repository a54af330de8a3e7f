//! Settlement at the last price: what is held pays, what is missing of one token is bought with the other, and both debts lose
//! the same part of what is not covered.

use crate::common;

use ballast_model::{
    Amounts, Bps, SettlementBonus, Side, SqrtPrice, plan_settlement, value_up, worth_down,
};
use common::config;
use proptest::prelude::*;

const ANY: Amounts = Amounts {
    base: u64::MAX,
    quote: u64::MAX,
};

fn amounts() -> impl Strategy<Value = Amounts> {
    let one = || (0u32..50, any::<u64>()).prop_map(|(bits, amount)| amount >> (63 - bits));
    (one(), one()).prop_map(|(base, quote)| Amounts { base, quote })
}

fn large() -> impl Strategy<Value = Amounts> {
    let one = || (1u64 << 30)..(1 << 40);
    (one(), one()).prop_map(|(base, quote)| Amounts { base, quote })
}

proptest! {
    #![proptest_config(config(20_000))]

    #[test]
    fn a_settlement_adds_up(
        held in amounts(), debt in amounts(), payable in amounts(),
        at in (1u128 << 56)..(1u128 << 72), of_lenders in prop_oneof![0u32..1_500, 0u32..=90_000, Just(90_000 << 15)], more in 0u32..90_000,
    ) {
        let (at, bonus) = (SqrtPrice::new(at).unwrap(), Bps::new(of_lenders + more));
        let both = SettlementBonus { most: bonus, of_lenders: Bps::new(of_lenders) };
        // What a unit of quote, to which values are rounded, is worth with the bonus.
        let times = 1 + u128::from(bonus.get()).div_ceil(10_000);
        let unit = value_up(1, at).unwrap();
        let worth = |amounts| worth_down(amounts, at).unwrap();
        for payable in [payable, ANY, Amounts::ZERO] {
            let plan = plan_settlement(held, debt, at, both, payable).unwrap();
            let exchange = plan.exchange;
            let (brought, received) = (exchange.brought(), exchange.received());
            for side in [Side::Base, Side::Quote] {
                prop_assert!(exchange.repay.get(side) <= debt.get(side));
                prop_assert!(exchange.seize.get(side) <= held.get(side));
                prop_assert!(brought.get(side) <= payable.get(side));
                // One of them is bought with the other.
                prop_assert!(brought.get(side) == 0 || received.get(side) == 0);
            }
            prop_assert!(brought.base == 0 || brought.quote == 0);
            let paid = worth(brought);
            prop_assert!(worth(received) <= paid + bonus.of_down(paid).unwrap(), "{:?} for {:?}", received, brought);
            if payable == ANY {
                prop_assert!(plan.complete);
            }
            let left = held.checked_sub(exchange.seize).unwrap();
            let (assets, owed) = (worth(held), value_up(debt.base, at).unwrap() + u128::from(debt.quote));
            if assets >= owed + both.of_lenders.of_up(owed).unwrap() {
                // What is left pays what is still owed, also after a part: only equity bears the rest of the bonus.
                let still = debt.checked_sub(exchange.repay).unwrap();
                let still = value_up(still.base, at).unwrap() + u128::from(still.quote);
                prop_assert!(
                    worth(left) + 4 * unit + 8 >= still,
                    "{} left for {} after {:?}", worth(left), still, brought
                );
            }
            if !plan.complete {
                continue;
            }
            if assets >= owed + both.of_lenders.of_up(owed).unwrap() {
                prop_assert_eq!(exchange.repay, debt);
            }
            if exchange.repay != debt {
                // Nothing of worth is kept from the lenders,
                let useful = worth(left);
                prop_assert!(useful <= unit + 8 + 2 * times, "{} left of {}", useful, assets);
                // and both lose the same part, but for units.
                let cross = |a: u64, b: u64| u128::from(a) * u128::from(b);
                let apart = cross(exchange.repay.base, debt.quote)
                    .abs_diff(cross(exchange.repay.quote, debt.base));
                let per_base = 4 * u128::from(debt.quote) + 4 * u128::from(debt.base);
                prop_assert!(
                    apart <= per_base * (2 + unit) || apart <= per_base * (2 + (1 << 20) / unit.max(1)),
                    "{:?} of {:?}", exchange.repay, debt
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(config(20_000))]

    /// However what is missing is split, and whether somebody comes who brings nothing: lenders of either token have what one payment
    /// would have left them.
    #[test]
    fn lenders_of_both_tokens_have_the_same_in_parts(
        held in large(), debt in large(), at in (1u128 << 62)..(1 << 66), hole in 0u32..3,
        split in proptest::collection::vec(0u64..=40, 1..5), of_lenders in 0u32..1_500, more in 0u32..5_000,
    ) {
        let at = SqrtPrice::new(at).unwrap();
        let bonus = SettlementBonus { most: Bps::new(of_lenders + more), of_lenders: Bps::new(of_lenders) };
        // Of both tokens something is held, or of one.
        let held = match hole {
            0 => held.with(Side::Base, 0),
            1 => held.with(Side::Quote, 0),
            _ => held,
        };
        let once = plan_settlement(held, debt, at, bonus, ANY).unwrap().exchange;
        let (mut left, mut owed) = (held, debt);
        let missing = once.brought();
        let some = split.into_iter().flat_map(|percent| [percent, 0]).map(|percent| {
            let part = |all: u64| all / 100 * percent;
            Amounts::new(part(missing.base), part(missing.quote))
        });
        for most in some.chain([ANY]) {
            let part = plan_settlement(left, owed, at, bonus, most).unwrap().exchange;
            left = left.checked_sub(part.seize).unwrap();
            owed = owed.checked_sub(part.repay).unwrap();
        }
        let repaid = debt.checked_sub(owed).unwrap();
        for side in [Side::Base, Side::Quote] {
            let (once, parts) = (once.repay.get(side), repaid.get(side));
            prop_assert!(once.abs_diff(parts) <= 200, "{:?}: {} in parts, {} at once", side, parts, once);
        }
    }
}

#[test]
fn what_is_short_is_bought_at_the_price_and_a_bonus() {
    let at = SqrtPrice::ONE;
    let bonus = SettlementBonus {
        most: Bps::new(500),
        of_lenders: Bps::new(500),
    };
    let plan = |held, debt, payable| plan_settlement(held, debt, at, bonus, payable).unwrap();
    // Enough of both.
    let both = plan(Amounts::new(100, 90), Amounts::new(100, 80), Amounts::ZERO);
    assert!(both.complete);
    assert_eq!(both.exchange.repay, Amounts::new(100, 80));
    assert_eq!(both.exchange.received(), Amounts::ZERO);
    // 40 of base short, paid with 42 of quote.
    let held = Amounts::new(60, 200);
    let debt = Amounts::new(100, 80);
    let bought = plan(held, debt, ANY);
    assert!(bought.complete);
    assert_eq!(bought.exchange.repay, debt);
    assert_eq!(bought.exchange.brought(), Amounts::new(40, 0));
    assert_eq!(bought.exchange.received(), Amounts::new(0, 42));
    let half = plan(held, debt, Amounts::new(20, 0));
    assert!(!half.complete);
    assert_eq!(half.exchange.repay, Amounts::new(80, 80));
    assert_eq!(half.exchange.received(), Amounts::new(0, 21));
    // Half of both is covered, less half the bonus on what is bought.
    let insolvent = plan(
        Amounts::new(0, 100_000),
        Amounts::new(100_000, 100_000),
        ANY,
    );
    assert!(insolvent.complete);
    // 1 / 2.05 of both.
    assert_eq!(insolvent.exchange.repay, Amounts::new(48_781, 48_781));
    assert_eq!(insolvent.exchange.brought(), Amounts::new(48_781, 0));
    assert_eq!(insolvent.exchange.received(), Amounts::new(0, 51_219));
    // The same the other way round.
    let base = plan(
        Amounts::new(100_000, 0),
        Amounts::new(100_000, 100_000),
        ANY,
    );
    assert_eq!(base.exchange.received(), Amounts::new(51_219, 0));
    // A price that is a whole number of units of base is paid with as many, and one that is not with what it covers.
    let at_par = |held, debt| {
        let none = SettlementBonus {
            most: Bps::ZERO,
            of_lenders: Bps::ZERO,
        };
        plan_settlement(held, debt, at, none, ANY).unwrap()
    };
    let exact = at_par(Amounts::new(200, 0), Amounts::new(0, 40));
    assert_eq!(exact.exchange.received(), Amounts::new(40, 0));
    // Nothing held: everything is lost, and nobody has to bring anything for that.
    let nothing = plan(Amounts::ZERO, Amounts::new(5, 5), Amounts::ZERO);
    assert!(nothing.complete && nothing.exchange.repay.is_zero());
}

/// A unit of the token that is short may be worth much. The last one, too, is brought before anything is written off: else what is held beyond
/// the units before it would be the owner's, and the lenders' loss.
#[test]
fn of_a_coarse_token_a_unit_more_is_brought_before_anything_is_written_off() {
    // 150 quote a unit.
    let at = SqrtPrice::new((1 << 64) * 12_247_449 / 1_000_000).unwrap();
    let plan = |held: u64, owed, bonus_bps| {
        let bonus = Bps::new(bonus_bps);
        let bonus = SettlementBonus {
            most: bonus,
            of_lenders: bonus,
        };
        plan_settlement(Amounts::new(0, held), Amounts::new(owed, 0), at, bonus, ANY).unwrap()
    };
    for (bonus_bps, brought) in [(300, 7), (1_000, 7), (1_200, 6), (90_000, 1)] {
        let all = plan(1_000, 9, bonus_bps);
        assert!(all.complete && !all.covers_all);
        assert_eq!(all.exchange.brought(), Amounts::new(brought, 0));
        assert_eq!(all.exchange.received(), Amounts::new(0, 1_000));
    }
    // What is worth less than a unit as well.
    let rest = plan(73, 3, 300);
    assert!(rest.complete);
    assert_eq!(rest.exchange.brought(), Amounts::new(1, 0));
    assert_eq!(rest.exchange.received(), Amounts::new(0, 73));
}
