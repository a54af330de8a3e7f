//! Losses that are known and not booked yet: who sees one first gains nothing by leaving first, and who stays loses nothing by it.

use crate::common;

use ballast_model::{
    Amounts, Bps, Valuation,
    lending::{LendingError, ReserveState, uncovered_up},
};
use common::config;
use proptest::prelude::*;

/// A reserve with two lenders and one borrower; their shares and the debt.
#[derive(Clone, Debug)]
struct Reserve {
    state: ReserveState,
    lenders: [u64; 2],
    debt_shares: u128,
}

fn reserves() -> impl Strategy<Value = Reserve> {
    (
        1_000u64..1 << 45,
        1_000u64..1 << 45,
        1u32..=99,
        0u64..1 << 30,
    )
        .prop_map(|(first, second, lent_percent, insurance)| {
            let mut state = ReserveState::new(0);
            let lenders = [first, second].map(|amount| state.deposit(amount).unwrap());
            if insurance > 0 {
                state.fund_insurance(insurance).unwrap();
            }
            let lent = state.liquidity as u128 * u128::from(lent_percent) / 100;
            let debt_shares = state.borrow(lent as u64).unwrap();
            Reserve {
                state,
                lenders,
                debt_shares,
            }
        })
}

impl Reserve {
    fn debt(&self) -> u64 {
        self.state.debt_of_up(self.debt_shares).unwrap()
    }

    /// Repays all but the loss and writes that off, for a bonus.
    fn book(&mut self, loss: u64, bonus: Bps) {
        let repaid = self.debt() - loss;
        if repaid > 0 {
            let burned = self.state.repay(repaid, self.debt_shares).unwrap();
            self.debt_shares -= burned;
        }
        let before = self.state;
        let lost = self.debt();
        let paid = self.state.pay_write_off_bonus(repaid, lost, bonus);
        let ended = u128::from(repaid) + u128::from(lost);
        assert!(
            paid <= before.insurance / 10
                && paid <= lost
                && u128::from(paid) <= bonus.of_down(ended).unwrap()
        );
        assert_eq!(self.state.insurance + paid, before.insurance);
        assert_eq!(self.state.liquidity + paid, before.liquidity);
        assert_eq!(self.state.total_assets_down(), before.total_assets_down());
        if self.debt_shares > 0 {
            self.state.write_off(self.debt_shares).unwrap();
        }
    }

    fn worth(&self, lender: usize) -> u64 {
        self.state.to_assets_down(self.lenders[lender]).unwrap()
    }
}

proptest! {
    #![proptest_config(config(20_000))]

    #[test]
    fn leaving_first_gains_nothing_and_costs_nobody(
        reserve in reserves(), lost_bps in 0u64..=10_000, bonus in 0u32..=500, part_bps in 1u64..=10_000,
    ) {
        let loss = (u128::from(reserve.debt()) * u128::from(lost_bps) / 10_000) as u64;
        let shares = (u128::from(reserve.lenders[0]) * u128::from(part_bps) / 10_000) as u64;
        let bonus = Bps::new(bonus);
        let mut waits = reserve.clone();
        waits.book(loss, bonus);
        let mut leaves = reserve.clone();
        let paid = match leaves.state.redeem_at_loss(shares, loss) {
            Ok(paid) => paid,
            // Lent out, or nothing left: nobody left first.
            Err(_) => return Ok(()),
        };
        leaves.lenders[0] -= shares;
        leaves.book(loss, bonus);
        let would_have = waits.state.to_assets_down(shares).unwrap();
        prop_assert!(paid <= would_have, "{} at once, {} later", paid, would_have);
        for lender in [0, 1] {
            let (with, without) = (leaves.worth(lender), waits.state.to_assets_down(leaves.lenders[lender]).unwrap());
            prop_assert!(with + 1 >= without, "{} instead of {}", with, without);
        }
        // Nothing shown is what it always was.
        let mut plain = reserve.state;
        let mut same = reserve.state;
        prop_assert_eq!(plain.redeem(shares), same.redeem_at_loss(shares, 0));
        prop_assert_eq!(plain, same);
    }

    #[test]
    fn a_loss_is_what_is_not_covered_in_proportion(
        base in any::<u64>(), quote in any::<u64>(), debt in 1u128..1 << 100, assets in 0u128..1 << 100,
    ) {
        let (owed, value) = (Amounts { base, quote }, Valuation { assets, debt });
        let loss = uncovered_up(owed, &value);
        prop_assert!(loss.base <= base && loss.quote <= quote);
        if assets >= debt {
            prop_assert!(loss.is_zero());
        } else {
            let exact = |amount: u64| (amount as f64) * ((debt - assets) as f64 / debt as f64);
            for (part, of) in [(loss.base, base), (loss.quote, quote)] {
                prop_assert!((part as f64 - exact(of)).abs() <= 1.0 + 1e-9 * of as f64, "{} of {}", part, of);
                prop_assert!(of == 0 || part > 0);
            }
        }
    }
}

#[test]
fn a_share_pays_less_while_a_loss_is_shown() {
    let mut state = ReserveState::new(0);
    let shares = state.deposit(10_000).unwrap();
    state.fund_insurance(100).unwrap();
    state.borrow(5_000).unwrap();
    // 90 of the insurance are the lenders'.
    for (loss, paid) in [
        (0, 1_000),
        (90, 1_000),
        (91, 999),
        (1_090, 900),
        (10_090, 0),
    ] {
        assert_eq!(
            state.to_assets_at_loss_down(shares / 10, loss),
            Ok(paid),
            "{loss}"
        );
    }
    assert_eq!(
        state.redeem_at_loss(shares / 10, 10_090),
        Err(LendingError::RoundsToZero)
    );
    assert_eq!(state.redeem_at_loss(0, 0), Err(LendingError::ZeroAmount));
    assert_eq!(
        state.redeem_at_loss(u64::MAX, 0),
        Err(LendingError::MoreThanIssued)
    );
    assert!(matches!(
        state.redeem_at_loss(shares, 0),
        Err(LendingError::InsufficientLiquidity { .. })
    ));
    // A bonus is a part of the debt that ends, at most what is lost, a tenth of the insurance, and what is there.
    let bonus = Bps::new(100);
    for (repaid, lost, liquidity, paid) in [
        (400, 100, 5_000, 5),
        (0, 500, 5_000, 5),
        (497, 3, 5_000, 3),
        (500, 0, 5_000, 0),
        (4_000, 1_000, 5_000, 10),
        (4_000, 1_000, 7, 7),
        (59, 40, 1, 0),
    ] {
        let mut after = ReserveState { liquidity, ..state };
        let given = after.pay_write_off_bonus(repaid, lost, bonus);
        assert_eq!(given, paid, "{repaid} {lost}");
    }
}
