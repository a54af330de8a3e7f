//! Attacks on the share price: by the first depositor, by donations, by roundings.
//!
//! The books count what their own calls receive, so that a direct transfer to the vault changes nothing. What is left to
//! an attacker is what the calls allow, and all of it is tried here, `cover` without the bad debt that bounds it.

use crate::common;

use ballast_model::Bps;
use ballast_model::lending::{
    LendingError, RateCurve, ReserveState, VIRTUAL_ASSETS, VIRTUAL_SHARES,
};
use common::config;
use proptest::prelude::*;

const CURVE: RateCurve = RateCurve {
    kink_utilisation: Bps::new(8_000),
    rate_at_zero: Bps::new(100),
    rate_at_kink: Bps::new(1_000),
    rate_at_full: Bps::new(100_000),
};

/// One call by the attacker.
#[derive(Clone, Debug)]
enum Move {
    Deposit(u64),
    /// Of its shares, in 65536ths; all of them at the end of the range.
    Redeem(u16),
    /// Just enough to mint one more share than so many, less a unit: the largest loss by rounding.
    DepositBetweenShares(u8),
    /// Cover of bad debt, as much as it likes.
    Cover(u64),
    FundInsurance(u64),
    Borrow(u64),
    Wait(u32),
    Repay(u16),
}

fn amounts() -> impl Strategy<Value = u64> {
    (0u32..45, any::<u64>()).prop_map(|(bits, amount)| (amount >> (63 - bits)).max(1))
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => prop_oneof![Just(1), amounts()].prop_map(Move::Deposit),
        4 => prop_oneof![Just(u16::MAX), any::<u16>()].prop_map(Move::Redeem),
        3 => any::<u8>().prop_map(Move::DepositBetweenShares),
        3 => amounts().prop_map(Move::Cover),
        1 => amounts().prop_map(Move::FundInsurance),
        2 => amounts().prop_map(Move::Borrow),
        2 => (0u32..25).prop_map(|bits| Move::Wait(1 << bits)),
        2 => prop_oneof![Just(u16::MAX), any::<u16>()].prop_map(Move::Repay),
    ];
    proptest::collection::vec(one, 0..30)
}

/// A reserve in which only the attacker has acted.
struct Attack {
    state: ReserveState,
    now: i64,
    shares: u64,
    debt: u128,
    /// Raw units paid in less those taken out.
    spent: i128,
}

fn part(whole: u128, part: u16) -> u128 {
    (whole * u128::from(part)).div_ceil(u128::from(u16::MAX))
}

impl Attack {
    fn new() -> Self {
        Self {
            state: ReserveState::new(0),
            now: 0,
            shares: 0,
            debt: 0,
            spent: 0,
        }
    }

    /// Makes one move; what the reserve refuses is a move lost.
    fn make(&mut self, step: &Move) {
        match *step {
            Move::Deposit(amount) => self.deposit(amount),
            Move::Redeem(of) => {
                let shares = part(u128::from(self.shares), of) as u64;
                if let Ok(paid) = self.state.redeem(shares) {
                    self.shares -= shares;
                    self.spent -= i128::from(paid);
                }
            }
            Move::DepositBetweenShares(shares) => {
                let (assets, supply) = priced(&self.state);
                let amount = (assets * (u128::from(shares) + 2)).div_ceil(supply) - 1;
                if let Ok(amount) = u64::try_from(amount) {
                    self.deposit(amount);
                }
            }
            Move::Cover(amount) => {
                if let Ok(covered) = self.state.cover(amount, u64::MAX) {
                    assert_eq!(covered, amount);
                    self.spent += i128::from(covered);
                }
            }
            Move::FundInsurance(amount) => {
                if self.state.fund_insurance(amount).is_ok() {
                    self.spent += i128::from(amount);
                }
            }
            Move::Borrow(amount) => {
                let amount = amount.min(self.state.liquidity);
                if let Ok(shares) = self.state.borrow(amount) {
                    self.debt += shares;
                    self.spent -= i128::from(amount);
                }
            }
            Move::Wait(secs) => {
                self.now += i64::from(secs);
                self.state.accrue(self.now, &CURVE, Bps::ZERO).unwrap();
            }
            Move::Repay(of) => {
                let owed = self.state.debt_of_up(self.debt).unwrap();
                let amount = part(u128::from(owed), of) as u64;
                if let Ok(burned) = self.state.repay(amount, self.debt) {
                    self.debt -= burned;
                    self.spent += i128::from(amount);
                }
            }
        }
    }

    fn deposit(&mut self, amount: u64) {
        if let Ok(minted) = self.state.deposit(amount) {
            self.shares += minted;
            self.spent += i128::from(amount);
        }
    }

    /// What the attacker is down by if it repays everything and leaves: paid in, and owed, less its claim.
    fn loss(&self) -> i128 {
        let owed = self.state.debt_of_up(self.debt).unwrap();
        let claim = self.state.to_assets_down(self.shares).unwrap();
        self.spent + i128::from(owed) - i128::from(claim)
    }
}

/// Assets and shares with the virtual ones: their quotient is the share price.
fn priced(state: &ReserveState) -> (u128, u128) {
    (
        u128::from(state.total_assets_down().unwrap()) + u128::from(VIRTUAL_ASSETS),
        u128::from(state.supply_shares) + u128::from(VIRTUAL_SHARES),
    )
}

proptest! {
    #![proptest_config(config(10_000))]

    /// Whatever an attacker does before others come, and however it prices the share: it has lost a thousand shares' price
    /// by then, less one unit, to the virtual shares. A victim loses less than one share's price and a unit by rounding, or
    /// is refused. So after up to a thousand victims' deposits the attacker is still down.
    #[test]
    fn the_attacker_loses_what_a_thousand_victims_could(
        moves in moves(), victims in proptest::collection::vec(amounts(), 1..20),
    ) {
        let mut attack = Attack::new();
        for step in &moves {
            let (assets, supply) = priced(&attack.state);
            attack.make(step);
            let (assets_after, supply_after) = priced(&attack.state);
            prop_assert!(assets_after * supply >= assets * supply_after, "{:?} lowered the price", step);
        }
        let (assets, supply) = priced(&attack.state);
        let loss = attack.loss();
        prop_assert!(loss >= 0, "{}", loss);
        let virtual_worth = (assets * u128::from(VIRTUAL_SHARES) / supply) as i128;
        prop_assert!(loss + i128::from(VIRTUAL_ASSETS) >= virtual_worth, "{} {}", loss, virtual_worth);

        for amount in victims {
            let (assets, supply) = priced(&attack.state);
            match attack.state.deposit(amount) {
                Ok(shares) => {
                    let back = attack.state.to_assets_down(shares).unwrap();
                    let lost = u128::from(amount.saturating_sub(back));
                    prop_assert!(back <= amount);
                    prop_assert!(lost <= assets / supply + 1, "{} of {} at {}/{}", lost, amount, assets, supply);
                }
                Err(refused) => {
                    prop_assert_eq!(refused, LendingError::RoundsToZero);
                    prop_assert!(u128::from(amount) * supply < assets);
                }
            }
        }
        prop_assert!(attack.loss() >= 0, "the attack gains {}", -attack.loss());
        if virtual_worth > 1_000 {
            prop_assert!(attack.loss() > 0);
        }
    }

    /// The classic: a first deposit, a donation by the one booked way, a victim. Every unit that the victim loses cost the
    /// attacker a thousand, and the victim loses at most a thousandth of the donation per unit of the first deposit.
    #[test]
    fn first_depositor_cannot_inflate(
        first in prop_oneof![Just(1), amounts()], donation in 1u64..1 << 50, victim in 1u64..1 << 50,
    ) {
        let mut state = ReserveState::new(0);
        let attacker = state.deposit(first).unwrap();
        prop_assert_eq!(state.cover(donation, donation), Ok(donation));
        let deposited = state.deposit(victim);
        let out = state.redeem(attacker).unwrap();
        let spent = u128::from(first) + u128::from(donation);
        prop_assert!(u128::from(out) <= spent, "{} of {}", out, spent);
        let loss = spent - u128::from(out);
        // Nearly all of what falls to the virtual shares, donation / (first + 1).
        prop_assert!(loss + 1 >= u128::from(donation) / (u128::from(first) + 1) * 99 / 100, "{}", loss);
        match deposited {
            Ok(shares) => {
                let back = state.to_assets_down(shares).unwrap();
                let lost = u128::from(victim.saturating_sub(back));
                prop_assert!(lost <= u128::from(donation) / 1_000 / (u128::from(first) + 1) + 2, "{}", lost);
                prop_assert!(lost.saturating_sub(2) * 900 <= loss, "victim lost {}, attacker {}", lost, loss);
            }
            Err(refused) => prop_assert_eq!(refused, LendingError::RoundsToZero),
        }
    }
}

/// Tokens sent to the vault are no part of the state: the same calls give the same books, whatever lies there.
#[test]
fn the_books_count_calls_only() {
    let mut state = ReserveState::new(0);
    let shares = state.deposit(1).unwrap();
    assert_eq!(shares, VIRTUAL_SHARES);
    assert_eq!(state.total_assets_down(), Ok(1));
    // The victim's price is the first price.
    assert_eq!(state.deposit(1_000_000), Ok(1_000_000 * VIRTUAL_SHARES));
    assert_eq!(state.redeem(shares), Ok(1));
    assert_eq!(state.liquidity, 1_000_000);
}
