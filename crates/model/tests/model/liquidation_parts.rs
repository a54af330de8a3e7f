//! The part of a liquidation that is paid for, wherever the pool's price is: never more than debt and bonus, never worse for
//! those who stay, and more of it for more.

use crate::common;

use ballast_model::{
    Amounts, Bps, Exchange, LiquidationPlan, Position, SqrtPrice, plan_liquidation, worth_down,
};
use common::{config, positions, prices, unit};
use proptest::prelude::*;

const ANY: Amounts = Amounts {
    base: u64::MAX,
    quote: u64::MAX,
};

/// What the program does with a plan: withdraws at the pool's price, and exchanges as much as is paid for then.
fn carry_out(
    position: &Position,
    plan: &LiquidationPlan,
    [oracle, pool]: [SqrtPrice; 2],
    bonus: Bps,
    payable: Amounts,
) -> (Exchange, bool, Position) {
    let withdrawn = position
        .band
        .amounts_down(plan.withdraw_liquidity, pool)
        .unwrap();
    let pot = plan.seize_idle.checked_add(withdrawn).unwrap();
    let exchange = plan.exchange(position.debt, pot, bonus, oracle).unwrap();
    let paid = exchange.part_paid_by(payable);
    let exchange = exchange.part(paid);
    let idle = position.idle.checked_add(withdrawn).unwrap();
    let after = Position {
        liquidity: position.liquidity - plan.withdraw_liquidity,
        idle: idle.checked_sub(exchange.seize).unwrap(),
        debt: position.debt.checked_sub(exchange.repay).unwrap(),
        ..*position
    };
    (exchange, plan.part.is_all() && paid.is_all(), after)
}

/// Any amount, mostly of the size of `of`.
fn around(of: u64) -> impl Strategy<Value = u64> {
    prop_oneof![
        2 => 0..=of,
        1 => (0u32..64).prop_map(move |bits| of >> bits),
        1 => Just(0),
        1 => Just(u64::MAX),
    ]
}

fn cases() -> impl Strategy<Value = (Position, [SqrtPrice; 2], [Amounts; 2])> {
    positions(16..56).prop_flat_map(|position| {
        let (base, quote) = (position.debt.base, position.debt.quote);
        let payable = [around(base), around(quote), around(base), around(quote)];
        (
            Just(position),
            [prices(position.band), prices(position.band)],
            payable.prop_map(|[a, b, c, d]| {
                let (a, b) = (Amounts::new(a, b), Amounts::new(c, d));
                let both = |one: fn(u64, u64) -> u64| {
                    Amounts::new(one(a.base, b.base), one(a.quote, b.quote))
                };
                [both(u64::min), both(u64::max)]
            }),
        )
    })
}

proptest! {
    #![proptest_config(config(20_000))]

    #[test]
    fn a_part_is_fair_to_everybody(
        (position, [oracle, pool], [less, more]) in cases(),
        target in 1_000u32..8_500, bonus in 0u32..1_500,
    ) {
        let (target, bonus) = (Bps::new(target), Bps::new(bonus));
        let before = position.value(oracle).unwrap();
        if before.assets.max(before.debt) >= 1 << 100 {
            return Ok(());
        }
        let Ok(whole) = plan_liquidation(&position, oracle, target, bonus) else {
            return Ok(());
        };
        let all = position.band.amounts_down(position.liquidity, pool);
        if all.is_err() || all.is_ok_and(|all| position.idle.checked_add(all).is_err()) {
            return Ok(());
        }
        let part = |payable| {
            let plan = whole.paid_by(&position, oracle, pool, bonus, payable).unwrap();
            let done = carry_out(&position, &plan, [oracle, pool], bonus, payable);
            (plan, done)
        };
        prop_assert!(part(ANY).0.part.is_all() && part(ANY).1.1);
        let unit = unit(oracle);
        for payable in [less, more] {
            let (plan, (exchange, complete, after)) = part(payable);
            let brought = exchange.brought();
            prop_assert!(brought.base <= payable.base && brought.quote <= payable.quote, "{:?} of {:?}", brought, payable);
            prop_assert!(!plan.full || plan.part.is_all());
            // Never more than debt and bonus, but for less than a unit of each token.
            let repaid = Amounts::new(
                exchange.repay.base.saturating_add(1),
                exchange.repay.quote.saturating_add(1),
            );
            let repaid = worth_down(repaid, oracle).unwrap();
            let given = worth_down(exchange.seize, oracle).unwrap();
            prop_assert!(given <= repaid + bonus.of_down(repaid).unwrap() + 1, "{} for {}", given, repaid);
            let value = after.value(oracle).unwrap();
            let rounding = 3 * unit + 5;
            if plan.insolvent() {
                let uncovered = (before.debt - before.assets) as i128;
                prop_assert!(-value.equity() <= uncovered + rounding as i128, "{:?} {:?}", before, value);
            } else {
                let relaxed = ballast_model::Valuation { assets: value.assets + rounding, ..value };
                prop_assert!(relaxed.ltv_bps_up() <= before.ltv_bps_up(), "{:?} {:?}", before, value);
                // What the owner loses is the liquidator's gain, and rounding.
                let lost = before.equity() - value.equity();
                let gain = exchange.gain(oracle).unwrap() as i128;
                prop_assert!(lost <= gain + rounding as i128, "{} lost, {} gained", lost, gain);
                if complete && plan.full {
                    prop_assert!(after.debt.is_zero());
                }
            }
        }
        // More for more.
        let ((first, (one, ..)), (second, (other, ..))) = (part(less), part(more));
        prop_assert!(first.withdraw_liquidity <= second.withdraw_liquidity);
        prop_assert_eq!(first.part.min(second.part), first.part);
        // What came may have been rounded differently.
        prop_assert!(one.repay.base <= other.repay.base.saturating_add(2));
        prop_assert!(one.repay.quote <= other.repay.quote.saturating_add(2));
    }
}
