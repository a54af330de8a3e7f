//! Reserves over random histories: who may lose what, and who may not.

mod common;

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
    Insure { amount: u64 },
    WriteOff { who: usize },
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
        1 => amount().prop_map(|amount| Step::Insure { amount }),
        1 => who().prop_map(|who| Step::WriteOff { who }),
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
}

impl World {
    fn new() -> Self {
        Self {
            state: ReserveState::new(0),
            now: 0,
            supply: [0; PEOPLE],
            debts: [0; PEOPLE],
            vault: 0,
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
            Step::Insure { amount } => self
                .state
                .insure(amount)
                .map(|()| self.vault += i128::from(amount)),
            Step::WriteOff { who } => self.state.write_off(self.debts[who]).map(|lost| {
                assert_eq!(lost.amount, lost.from_insurance + lost.from_lenders);
                assert!(lost.from_lenders == 0 || self.state.insurance == 0);
                self.debts[who] = 0;
                from_lenders = lost.from_lenders;
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

    /// An attacker who is first, and raises the share price with a donation before the victim's deposit, does not gain: what
    /// it takes out is at most what it put in. The victim loses at most a thousandth of the donation and a share's rounding.
    #[test]
    fn first_depositor_cannot_inflate(
        first in 1u64..1_000_000, donation in 0u64..1 << 50, victim in 1u64..1 << 50,
    ) {
        // Nothing reads a raw balance, so a donation can only be interest that is paid on purpose: raise the assets behind the
        // shares as if it had been repaid.
        let mut state = ReserveState::new(0);
        let attacker = state.deposit(first).unwrap();
        state.liquidity += donation;
        let deposited = state.deposit(victim);
        let paid = deposited.map_or(0, |_| victim);
        let out = state.redeem(attacker).unwrap_or(0);
        prop_assert!(out <= first + donation + paid / 1_000, "{}", out);
        let loss = u128::from(first) + u128::from(donation) - u128::from(out).min(u128::from(first) + u128::from(donation));
        match deposited {
            Ok(shares) => {
                let back = state.to_assets_down(shares).unwrap();
                let stolen = u128::from(victim.saturating_sub(back));
                // To take one unit from the victim by rounding, the attacker gives up more to the virtual shares.
                prop_assert!(stolen <= loss + 2, "victim lost {}, attacker {}", stolen, loss);
            }
            Err(refused) => prop_assert_eq!(refused, LendingError::RoundsToZero),
        }
    }
}

#[test]
fn full_utilisation() {
    let mut state = ReserveState::new(0);
    let shares = state.deposit(1_000_000_000).unwrap();
    let debt = state.borrow(1_000_000_000).unwrap();
    assert_eq!(state.utilisation_bps_up(), Ok(Bps::ONE));
    assert_eq!(state.borrow_rate_bps_up(&CURVE), Ok(CURVE.rate_at_full));
    // 10 % of the interest is not the lenders'.
    assert_eq!(
        state.supply_rate_bps_down(&CURVE, FACTOR),
        Ok(Bps::new(13_500))
    );
    assert_eq!(
        state.borrow(1),
        Err(LendingError::InsufficientLiquidity {
            available: 0,
            requested: 1
        })
    );
    let part = shares / 1_000;
    assert_eq!(
        state.redeem(part),
        Err(LendingError::InsufficientLiquidity {
            available: 0,
            requested: 1_000_000
        })
    );
    // A day at 150 % a year: e^(1.5/365) - 1 = 0.41180 %.
    let accrual = state.accrue(86_400, &CURVE, FACTOR).unwrap();
    assert!(
        (4_118_000..4_118_100).contains(&accrual.interest),
        "{accrual:?}"
    );
    assert_eq!(accrual.fee, accrual.interest / 10);
    assert_eq!(state.insurance, accrual.fee);
    let owed = state.debt_of_up(debt).unwrap();
    assert_eq!(owed, 1_000_000_000 + accrual.interest);
    assert_eq!(
        state.repay(owed + 1, debt),
        Err(LendingError::MoreThanOwed {
            amount: owed + 1,
            owed
        })
    );
    assert_eq!(state.repay(owed, debt), Ok(debt));
    // The lender gets everything but the insurance, down to the unit of the virtual shares.
    let out = state.redeem(shares).unwrap();
    assert_eq!(state.liquidity, owed - out);
    assert!(
        owed - out - state.insurance <= 2,
        "{}",
        owed - out - state.insurance
    );
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
    state.insure(100).unwrap();
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
    assert_eq!(state.insure(0), Err(LendingError::ZeroAmount));
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
        state.insure(u64::MAX),
        Err(LendingError::Overflow("liquidity"))
    );
}
