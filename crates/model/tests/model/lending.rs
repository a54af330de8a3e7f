//! Reserves over random histories: who may lose what, and who may not.

use crate::common;

use ballast_model::Bps;
use ballast_model::lending::{
    INDEX_ONE_X64, LendingError, MAX_INDEX_X64, RateCurve, ReserveState, VIRTUAL_ASSETS,
    VIRTUAL_SHARES,
};
use common::config;
use proptest::prelude::*;

const CURVE: RateCurve = RateCurve {
    kink_utilisation: Bps::new(8_000),
    rate_at_zero: Bps::new(100),
    rate_at_kink: Bps::new(1_000),
    rate_at_full: Bps::new(15_000),
};
const FACTOR: Bps = Bps::new(1_000);

/// One call to a reserve, by one of a few lenders and borrowers.
#[derive(Clone, Debug)]
enum Step {
    Deposit { who: usize, amount: u64 },
    Redeem { who: usize, part: u16 },
    Borrow { who: usize, amount: u64 },
    Repay { who: usize, part: u16 },
    Wait { secs: u32 },
    FundInsurance { amount: u64 },
    WriteOff { who: usize },
    Cover { amount: u64 },
}

const PEOPLE: usize = 4;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let amount = || (0u32..50, any::<u64>()).prop_map(|(bits, amount)| amount >> (63 - bits));
    let who = || 0..PEOPLE;
    let step = prop_oneof![
        6 => (who(), amount()).prop_map(|(who, amount)| Step::Deposit { who, amount }),
        4 => (who(), any::<u16>()).prop_map(|(who, part)| Step::Redeem { who, part }),
        6 => (who(), amount()).prop_map(|(who, amount)| Step::Borrow { who, amount }),
        4 => (who(), any::<u16>()).prop_map(|(who, part)| Step::Repay { who, part }),
        6 => (0u32..28).prop_flat_map(|bits| 0..=1u32 << bits).prop_map(|secs| Step::Wait { secs }),
        1 => amount().prop_map(|amount| Step::FundInsurance { amount }),
        1 => who().prop_map(|who| Step::WriteOff { who }),
        1 => amount().prop_map(|amount| Step::Cover { amount }),
    ];
    proptest::collection::vec(step, 1..60)
}

/// A reserve, what its users hold, and every token that went in or out.
struct World {
    state: ReserveState,
    now: i64,
    supply: [u64; PEOPLE],
    debts: [u128; PEOPLE],
    /// Tokens paid in less tokens paid out.
    vault: i128,
    /// What write-offs took from the lenders and nobody has made up for.
    bad_debt: u64,
}

impl World {
    fn new() -> Self {
        Self {
            state: ReserveState::new(0),
            now: 0,
            supply: [0; PEOPLE],
            debts: [0; PEOPLE],
            vault: 0,
            bad_debt: 0,
        }
    }

    /// (assets + virtual, shares + virtual): the share price.
    fn share_price(&self) -> (u128, u128) {
        let assets = self.state.total_assets_down().unwrap();
        (
            u128::from(assets) + u128::from(VIRTUAL_ASSETS),
            u128::from(self.state.supply_shares) + u128::from(VIRTUAL_SHARES),
        )
    }

    /// Applies a step; a refusal must leave the state as it was. Returns what the step took from the lenders' share price.
    fn apply(&mut self, step: &Step) -> Result<u64, TestCaseError> {
        let before = self.state;
        let part = |whole: u128, part: u16| whole * u128::from(part) / u128::from(u16::MAX);
        let mut from_lenders = 0;
        let done: Result<(), LendingError> = match *step {
            Step::Deposit { who, amount } => self.state.deposit(amount).map(|shares| {
                self.supply[who] += shares;
                self.vault += i128::from(amount);
            }),
            Step::Redeem { who, part: p } => {
                let shares = part(u128::from(self.supply[who]), p) as u64;
                self.state.redeem(shares).map(|amount| {
                    self.supply[who] -= shares;
                    self.vault -= i128::from(amount);
                })
            }
            Step::Borrow { who, amount } => self.state.borrow(amount).map(|shares| {
                assert!(shares > 0);
                self.debts[who] += shares;
                self.vault -= i128::from(amount);
            }),
            Step::Repay { who, part: p } => {
                let owed = before.debt_of_up(self.debts[who]).unwrap();
                let amount = part(u128::from(owed), p) as u64;
                self.state.repay(amount, self.debts[who]).map(|burned| {
                    assert!(burned > 0, "a repayment of {amount} burned nothing");
                    self.debts[who] -= burned;
                    self.vault += i128::from(amount);
                    // Never less than the debt falls by, at most a unit more.
                    let left = self.state.debt_of_up(self.debts[who]).unwrap();
                    assert!(
                        owed - left <= amount && owed - left + 1 >= amount,
                        "{owed} - {amount} = {left}"
                    );
                    assert!(amount < owed || self.debts[who] == 0);
                })
            }
            Step::Wait { secs } => {
                self.now += i64::from(secs);
                let accrual = self.state.accrue(self.now, &CURVE, FACTOR).unwrap();
                prop_assert!(accrual.fee <= accrual.interest / 10);
                prop_assert_eq!(
                    self.state.total_debt_up().unwrap() - before.total_debt_up().unwrap(),
                    accrual.interest
                );
                prop_assert!(self.state.borrow_index_x64 >= before.borrow_index_x64);
                Ok(())
            }
            Step::FundInsurance { amount } => self
                .state
                .fund_insurance(amount)
                .map(|()| self.vault += i128::from(amount)),
            Step::WriteOff { who } => self.state.write_off(self.debts[who]).map(|lost| {
                assert_eq!(lost.amount, lost.from_insurance + lost.from_lenders);
                assert!(lost.from_lenders == 0 || self.state.insurance == 0);
                self.debts[who] = 0;
                from_lenders = lost.from_lenders;
                self.bad_debt += lost.from_lenders;
            }),
            Step::Cover { amount } => self.state.cover(amount, self.bad_debt).map(|covered| {
                assert!(covered <= amount);
                self.bad_debt -= covered;
                self.vault += i128::from(covered);
            }),
        };
        if done.is_err() {
            prop_assert_eq!(
                self.state,
                before,
                "{:?} failed and changed something",
                step
            );
        }
        Ok(from_lenders)
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let state = self.state;
        // Every token is accounted for.
        prop_assert_eq!(i128::from(state.liquidity), self.vault);
        prop_assert_eq!(state.supply_shares, self.supply.iter().sum::<u64>());
        prop_assert_eq!(state.debt_shares, self.debts.iter().sum::<u128>());
        // The total debt is the sum of all debts, but for rounding each of them up.
        let total = state.total_debt_up().unwrap();
        let each: u64 = self
            .debts
            .iter()
            .map(|shares| state.debt_of_up(*shares).unwrap())
            .sum();
        prop_assert!(
            total <= each && each < total + PEOPLE as u64,
            "{} {}",
            total,
            each
        );
        // Insurance is covered, so that the lenders' assets are not cut off at 0.
        prop_assert!(
            u128::from(state.liquidity) + u128::from(total) >= u128::from(state.insurance)
        );
        // What lenders could take out is there.
        let claims: u128 = self
            .supply
            .iter()
            .map(|shares| u128::from(state.to_assets_down(*shares).unwrap()))
            .sum();
        prop_assert!(claims <= u128::from(state.total_assets_down().unwrap()));
        prop_assert!(state.utilisation_bps_up().unwrap() <= Bps::ONE);
        Ok(())
    }
}

proptest! {
    #![proptest_config(config(5_000))]

    /// The share price falls by a write-off's loss and by nothing else; tokens and debts add up; what fails changes nothing.
    #[test]
    fn share_price_never_falls(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            let (assets, shares) = world.share_price();
            let lost = world.apply(step)?;
            let (assets_after, shares_after) = world.share_price();
            // assets' / shares' >= (assets - lost) / shares
            prop_assert!(
                assets_after * shares >= (assets - u128::from(lost)) * shares_after,
                "{:?}: {}/{} -> {}/{}", step, assets, shares, assets_after, shares_after
            );
            world.check()?;
        }
    }

    /// After everyone has repaid and left, the vault holds the insurance, and dust in the remaining virtual shares' favour.
    #[test]
    fn everyone_can_leave(steps in steps()) {
        let mut world = World::new();
        for step in &steps {
            world.apply(step)?;
        }
        for who in 0..PEOPLE {
            if world.debts[who] > 0 {
                let owed = world.state.debt_of_up(world.debts[who]).unwrap();
                let burned = world.state.repay(owed, world.debts[who]).unwrap();
                prop_assert_eq!(burned, world.debts[who]);
            }
        }
        prop_assert_eq!((world.state.debt_shares, world.state.total_debt_up()), (0, Ok(0)));
        for who in 0..PEOPLE {
            match world.state.redeem(world.supply[who]) {
                Ok(_) | Err(LendingError::ZeroAmount | LendingError::RoundsToZero) => {}
                Err(other) => return Err(TestCaseError::fail(format!("{other}"))),
            }
        }
        let left = world.state.liquidity - world.state.insurance;
        // The virtual shares keep their part: 1000 shares at the last price, and each redemption's rounding.
        let price = world.share_price().0 / u128::from(world.state.supply_shares + VIRTUAL_SHARES) + 1;
        prop_assert!(u128::from(left) <= price * u128::from(VIRTUAL_SHARES) + PEOPLE as u128 * (price + 1), "{}", left);
    }
}

#[test]
fn a_repayment_of_one_unit_counts() {
    let mut state = ReserveState::new(0);
    state.deposit(1 << 40).unwrap();
    let held = state.borrow(1 << 30).unwrap();
    // Even when the index is at its end.
    for index in [
        INDEX_ONE_X64,
        INDEX_ONE_X64 + 1,
        3 << 63,
        1 << 80,
        MAX_INDEX_X64,
    ] {
        let mut state = ReserveState {
            borrow_index_x64: index,
            liquidity: 0,
            ..state
        };
        let held = if index > 1 << 80 { held >> 20 } else { held };
        let owed = state.debt_of_up(held).unwrap();
        let burned = state.repay(1, held).unwrap();
        assert!(burned > 0);
        assert!(state.debt_of_up(held - burned).unwrap() >= owed - 1);
    }
}

#[test]
fn bad_debt_goes_to_insurance_and_then_to_lenders() {
    let mut state = ReserveState::new(0);
    state.deposit(1_000).unwrap();
    state.fund_insurance(100).unwrap();
    let debt = state.borrow(500).unwrap();
    assert_eq!(state.total_assets_down(), Ok(1_000));
    let lost = state.write_off(debt).unwrap();
    assert_eq!(
        (lost.amount, lost.from_insurance, lost.from_lenders),
        (500, 100, 400)
    );
    assert_eq!(
        (
            state.total_assets_down(),
            state.insurance,
            state.debt_shares
        ),
        (Ok(600), 0, 0)
    );
    assert_eq!(state.write_off(0), Err(LendingError::ZeroAmount));
    assert_eq!(state.write_off(1), Err(LendingError::MoreThanIssued));
}

#[test]
fn zero_and_excess_are_errors() {
    let mut state = ReserveState::new(0);
    assert_eq!(state.deposit(0), Err(LendingError::ZeroAmount));
    assert_eq!(state.redeem(0), Err(LendingError::ZeroAmount));
    assert_eq!(state.borrow(0), Err(LendingError::ZeroAmount));
    assert_eq!(state.repay(0, 1), Err(LendingError::ZeroAmount));
    assert_eq!(state.fund_insurance(0), Err(LendingError::ZeroAmount));
    assert_eq!(state.redeem(1), Err(LendingError::MoreThanIssued));
    assert_eq!(
        state.repay(1, 0),
        Err(LendingError::MoreThanOwed { amount: 1, owed: 0 })
    );
    assert_eq!(
        state.deposit(u64::MAX),
        Err(LendingError::Overflow("supply shares"))
    );
    assert_eq!(state, ReserveState::new(0));
    // The largest deposit, of which a share is a thousandth of a unit.
    state.deposit(u64::MAX / 1_000 - 1).unwrap();
    assert_eq!(state.redeem(999), Err(LendingError::RoundsToZero));
    assert_eq!(state.redeem(1_000), Ok(1));
    assert_eq!(
        state.fund_insurance(u64::MAX),
        Err(LendingError::Overflow("liquidity"))
    );
}
