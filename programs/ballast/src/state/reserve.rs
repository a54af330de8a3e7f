//! A reserve: one token of one market, lent to that market's positions.

use anchor_lang::prelude::*;
use ballast_clmm::Side;
use ballast_ledger::Caps;
use ballast_model::{
    Bps,
    lending::{RateCurve, ReserveState},
};

use bytemuck::{Pod, Zeroable};

use super::{Position, Wide};
use crate::{errors::BallastError, math::ToProgramError};

/// Everything of a reserve that the market's authority may change.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, AnchorSerialize, AnchorDeserialize, Pod, Zeroable,
)]
#[repr(C)]
pub struct ReserveParams {
    /// Yearly borrow rate at zero utilisation.
    pub rate_at_zero_bps: u32,
    /// Utilisation at the kink of the rate curve.
    pub kink_utilisation_bps: u32,
    /// Yearly borrow rate at the kink.
    pub rate_at_kink_bps: u32,
    /// Yearly borrow rate at full utilisation.
    pub rate_at_full_bps: u32,
    /// Share of interest that goes to the insurance balance.
    pub reserve_factor_bps: u32,
    /// Largest utilisation that new debt may bring about.
    pub max_utilisation_bps: u32,
    /// Largest amount lent to this reserve, in raw units.
    pub supply_cap: u64,
    /// Largest amount owed to this reserve, in raw units.
    pub borrow_cap: u64,
}

/// One reserve. PDA: `["reserve", market, mint]`.
#[account(zero_copy)]
#[derive(Debug)]
#[repr(C)]
pub struct Reserve {
    /// Layout version, [`Reserve::VERSION`].
    pub version: u8,
    /// Bump of this account's address.
    pub bump: u8,
    /// 0 base, 1 quote.
    pub side: u8,
    /// Decimals of the mint.
    pub decimals: u8,
    /// Explicit padding.
    pub padding: [u8; 4],
    /// The market.
    pub market: Pubkey,
    /// The token lent.
    pub mint: Pubkey,
    /// Token account that holds what is not lent out; owned by this reserve's address.
    pub vault: Pubkey,
    /// Mint of the lenders' shares; its authority is this reserve's address.
    pub share_mint: Pubkey,
    /// Borrow index, Q64.64; debt = shares * index, rounded up.
    pub borrow_index_x64: Wide,
    /// Debt shares of all positions.
    pub debt_shares: Wide,
    /// Raw units in the vault as accounted; what others send to the vault does not count.
    pub liquidity: u64,
    /// Lenders' shares, equal to the share mint's supply as far as shares were minted here.
    pub supply_shares: u64,
    /// Part of the assets that is set aside against bad debt.
    pub insurance: u64,
    /// Bad debt ever booked that insurance did not cover, in raw units.
    pub bad_debt: u64,
    /// Time up to which interest is booked.
    pub last_accrual_secs: i64,
    /// Largest amount lent to this reserve.
    pub supply_cap: u64,
    /// Largest amount owed to this reserve.
    pub borrow_cap: u64,
    /// See [`ReserveParams`].
    pub rate_at_zero_bps: u32,
    /// See [`ReserveParams`].
    pub kink_utilisation_bps: u32,
    /// See [`ReserveParams`].
    pub rate_at_kink_bps: u32,
    /// See [`ReserveParams`].
    pub rate_at_full_bps: u32,
    /// See [`ReserveParams`].
    pub reserve_factor_bps: u32,
    /// See [`ReserveParams`].
    pub max_utilisation_bps: u32,
    /// Announced parameters (since version 2, like all that follows).
    pub pending: ReserveParams,
    /// From when anyone may put them in force. 0: nothing is announced.
    pub pending_effective_at_secs: i64,
    /// Debt that positions no longer cover, as shown by anyone and not booked yet: who withdraws leaves so much less behind (like
    /// all that follows, in room that was zero before).
    pub shown_loss: u64,
    /// Slot of the last change of liquidity or debt.
    pub changed_slot: u64,
    /// Utilisation before the first change in that slot.
    pub utilisation_before_bps: u32,
    /// Explicit padding.
    pub padding_2: u32,
    /// Room for later versions.
    pub reserved: [u64; 23],
}

impl Reserve {
    /// Current layout version.
    pub const VERSION: u8 = 2;
    /// Seed prefix.
    pub const SEED: &'static [u8] = b"reserve";
    /// Seed prefix of the vault.
    pub const VAULT_SEED: &'static [u8] = b"vault";
    /// Seed prefix of the share mint.
    pub const SHARES_SEED: &'static [u8] = b"shares";
    /// Account size with discriminator.
    pub const SPACE: usize = 8 + core::mem::size_of::<Self>();

    /// Which token of the market this is.
    pub fn side(&self) -> Side {
        if self.side == 0 {
            Side::Base
        } else {
            Side::Quote
        }
    }

    /// The numbers that the lending arithmetic works on.
    pub fn state(&self) -> ReserveState {
        ReserveState {
            liquidity: self.liquidity,
            borrow_index_x64: self.borrow_index_x64.get(),
            debt_shares: self.debt_shares.get(),
            supply_shares: self.supply_shares,
            insurance: self.insurance,
            last_accrual_secs: self.last_accrual_secs,
        }
    }

    /// Stores what the lending arithmetic computed.
    pub fn set_state(&mut self, state: &ReserveState) {
        self.liquidity = state.liquidity;
        self.borrow_index_x64 = state.borrow_index_x64.into();
        self.debt_shares = state.debt_shares.into();
        self.supply_shares = state.supply_shares;
        self.insurance = state.insurance;
        self.last_accrual_secs = state.last_accrual_secs;
    }

    /// Takes note that something may change in this slot, with the utilisation before it: called before anything does.
    ///
    /// # Errors
    /// [`BallastError::OutOfRange`].
    pub fn note_slot(&mut self, slot: u64) -> Result<()> {
        if self.changed_slot != slot {
            self.utilisation_before_bps = self.state().utilisation_bps_up().or_range()?.get();
            self.changed_slot = slot;
        }
        Ok(())
    }

    /// Utilisation at the end of the last slot before this one: what somebody lends, withdraws or borrows for a moment within a
    /// slot changes nothing about it.
    ///
    /// # Errors
    /// [`BallastError::OutOfRange`].
    pub fn utilisation_before_slot_bps(&self, slot: u64) -> Result<u32> {
        if self.changed_slot == slot {
            return Ok(self.utilisation_before_bps);
        }
        Ok(self.state().utilisation_bps_up().or_range()?.get())
    }

    /// Puts `loss` in place of what a position has shown of its debt to this reserve, and keeps the sum.
    ///
    /// # Errors
    /// [`BallastError::OutOfRange`] if the sum is not one of what positions show.
    pub fn show_loss(&mut self, position: &mut Position, loss: u64) -> Result<()> {
        let shown = match self.side() {
            Side::Base => &mut position.shown_loss_base,
            Side::Quote => &mut position.shown_loss_quote,
        };
        let others = self.shown_loss.checked_sub(*shown).or_range()?;
        self.shown_loss = others.checked_add(loss).or_range()?;
        *shown = loss;
        Ok(())
    }

    /// The rate curve.
    pub fn curve(&self) -> RateCurve {
        RateCurve {
            kink_utilisation: Bps::new(self.kink_utilisation_bps),
            rate_at_zero: Bps::new(self.rate_at_zero_bps),
            rate_at_kink: Bps::new(self.rate_at_kink_bps),
            rate_at_full: Bps::new(self.rate_at_full_bps),
        }
    }

    /// Up to where it lends.
    pub fn caps(&self) -> Caps {
        Caps {
            borrow_cap: self.borrow_cap,
            max_utilisation: Bps::new(self.max_utilisation_bps),
        }
    }

    /// The parameters in force.
    pub fn params(&self) -> ReserveParams {
        ReserveParams {
            rate_at_zero_bps: self.rate_at_zero_bps,
            kink_utilisation_bps: self.kink_utilisation_bps,
            rate_at_kink_bps: self.rate_at_kink_bps,
            rate_at_full_bps: self.rate_at_full_bps,
            reserve_factor_bps: self.reserve_factor_bps,
            max_utilisation_bps: self.max_utilisation_bps,
            supply_cap: self.supply_cap,
            borrow_cap: self.borrow_cap,
        }
    }

    /// Puts checked parameters in force.
    ///
    /// # Errors
    /// [`BallastError::BadParameters`] if [`ReserveParams::check`] refuses them.
    pub fn set_params(&mut self, params: &ReserveParams) -> Result<()> {
        params.check()?;
        self.rate_at_zero_bps = params.rate_at_zero_bps;
        self.kink_utilisation_bps = params.kink_utilisation_bps;
        self.rate_at_kink_bps = params.rate_at_kink_bps;
        self.rate_at_full_bps = params.rate_at_full_bps;
        self.reserve_factor_bps = params.reserve_factor_bps;
        self.max_utilisation_bps = params.max_utilisation_bps;
        self.supply_cap = params.supply_cap;
        self.borrow_cap = params.borrow_cap;
        Ok(())
    }
}

impl ReserveParams {
    /// Largest yearly rate that may be configured: 1000 %.
    pub const MAX_RATE_BPS: u32 = 100_000;

    /// Whether putting `self` in place of `old` only keeps new loans and deposits away: then it needs no notice.
    pub fn only_restrains(&self, old: &Self) -> bool {
        let restrained = Self {
            max_utilisation_bps: old.max_utilisation_bps,
            supply_cap: old.supply_cap,
            borrow_cap: old.borrow_cap,
            ..*self
        };
        restrained == *old
            && self.max_utilisation_bps <= old.max_utilisation_bps
            && self.supply_cap <= old.supply_cap
            && self.borrow_cap <= old.borrow_cap
    }

    /// # Errors
    /// [`BallastError::BadParameters`]; the log names the rule.
    pub fn check(&self) -> Result<()> {
        let one = Bps::ONE.get();
        let rules = [
            (
                self.kink_utilisation_bps > 0 && self.kink_utilisation_bps < one,
                "kink_utilisation_bps must lie in 1..=9999",
            ),
            (
                self.rate_at_zero_bps <= self.rate_at_kink_bps,
                "rate_at_zero_bps must not exceed rate_at_kink_bps",
            ),
            (
                self.rate_at_kink_bps <= self.rate_at_full_bps,
                "rate_at_kink_bps must not exceed rate_at_full_bps",
            ),
            (
                self.rate_at_full_bps <= Self::MAX_RATE_BPS,
                "rate_at_full_bps must not exceed 100000",
            ),
            (
                self.reserve_factor_bps <= 5_000,
                "reserve_factor_bps must not exceed 5000",
            ),
            (
                self.max_utilisation_bps > 0 && self.max_utilisation_bps <= one,
                "max_utilisation_bps must lie in 1..=10000",
            ),
            (
                self.borrow_cap <= self.supply_cap,
                "borrow_cap must not exceed supply_cap",
            ),
        ];
        for (holds, rule) in rules {
            if !holds {
                msg!("Reserve parameters refused: {}", rule);
                return err!(BallastError::BadParameters);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_for_parameters_fires_and_its_edge_passes() {
        let sound = ReserveParams {
            rate_at_zero_bps: 100,
            kink_utilisation_bps: 8_000,
            rate_at_kink_bps: 1_000,
            rate_at_full_bps: 20_000,
            reserve_factor_bps: 1_000,
            max_utilisation_bps: 9_500,
            supply_cap: 1_000,
            borrow_cap: 900,
        };
        type Change = fn(&mut ReserveParams);
        let refused: [Change; 9] = [
            |p| p.kink_utilisation_bps = 0,
            |p| p.kink_utilisation_bps = 10_000,
            |p| p.rate_at_zero_bps = 1_001,
            |p| p.rate_at_kink_bps = 20_001,
            |p| p.rate_at_full_bps = 100_001,
            |p| p.reserve_factor_bps = 5_001,
            |p| p.max_utilisation_bps = 0,
            |p| p.max_utilisation_bps = 10_001,
            |p| p.borrow_cap = 1_001,
        ];
        for (number, change) in refused.into_iter().enumerate() {
            let mut params = sound;
            change(&mut params);
            assert!(params.check().is_err(), "change {number}");
        }
        let allowed: [Change; 6] = [
            |p| p.kink_utilisation_bps = 9_999,
            |p| p.rate_at_zero_bps = 1_000,
            |p| p.rate_at_full_bps = 100_000,
            |p| p.reserve_factor_bps = 5_000,
            |p| p.max_utilisation_bps = 10_000,
            |p| p.borrow_cap = 1_000,
        ];
        for (number, change) in allowed.into_iter().enumerate() {
            let mut params = sound;
            change(&mut params);
            assert!(params.check().is_ok(), "edge {number}");
        }
    }
}
