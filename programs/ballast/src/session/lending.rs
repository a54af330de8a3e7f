//! Borrowing and repaying within a session.

use anchor_lang::prelude::*;
use ballast_clmm::{Amounts, Side};
use ballast_model::{
    Bps,
    lending::{LendingError, ReserveState, WriteOff},
};

use super::Session;
use crate::{
    errors::BallastError,
    events::{Accrued, BadDebtBooked},
    groups::LendingAccounts,
    math::ToProgramError,
    state::{Market, Reserve, Wide, require_version},
};

impl From<LendingError> for BallastError {
    fn from(error: LendingError) -> Self {
        match error {
            LendingError::ZeroAmount => Self::ZeroAmount,
            LendingError::RoundsToZero => Self::RoundsToZero,
            LendingError::InsufficientLiquidity { .. } => Self::InsufficientLiquidity,
            _ => Self::OutOfRange,
        }
    }
}

/// Checks the reserve of one side and everything passed with it, and books its interest up to `now_secs` in a copy.
///
/// # Errors
/// [`BallastError::WrongReserve`], [`BallastError::WrongReserveAccount`], [`BallastError::WrongTokenProgram`],
/// [`BallastError::WrongVersion`].
pub fn load_reserve(
    market_key: Pubkey,
    market: &Market,
    lending: &LendingAccounts,
    side: Side,
    now_secs: i64,
) -> Result<Box<Reserve>> {
    let loader = lending.reserve(side);
    require_keys_eq!(
        loader.key(),
        market.reserve(side),
        BallastError::WrongReserve
    );
    let mut reserve = Box::new(*loader.load()?);
    require_version(reserve.version, Reserve::VERSION)?;
    require_keys_eq!(reserve.market, market_key, BallastError::WrongReserve);
    require_keys_eq!(
        lending.vault(side).key(),
        reserve.vault,
        BallastError::WrongReserveAccount
    );
    require_keys_eq!(
        lending.mint(side).key(),
        reserve.mint,
        BallastError::WrongReserveAccount
    );
    let program = lending.token_program(side).key();
    require_keys_eq!(
        *lending.mint(side).owner,
        program,
        BallastError::WrongTokenProgram
    );
    accrue(loader.key(), &mut reserve, now_secs)?;
    Ok(reserve)
}

/// Books interest up to `now_secs` and says so in an event. Every instruction that changes a reserve begins with it, so this is
/// also where the reserve remembers how it stood before the slot.
///
/// # Errors
/// [`BallastError::OutOfRange`].
pub fn accrue(key: Pubkey, reserve: &mut Reserve, now_secs: i64) -> Result<()> {
    reserve.note_slot(Clock::get()?.slot)?;
    let mut state = reserve.state();
    let accrual = state
        .accrue(
            now_secs,
            &reserve.curve(),
            Bps::new(reserve.reserve_factor_bps),
        )
        .or_range()?;
    reserve.set_state(&state);
    if accrual.interest > 0 {
        emit!(Accrued {
            reserve: key,
            interest: accrual.interest,
            insurance_share: accrual.fee,
            borrow_index_x64: state.borrow_index_x64,
            at_secs: now_secs,
        });
    }
    Ok(())
}

impl<'info> Session<'_, 'info> {
    /// What the position owes on one side, interest included, rounded up.
    ///
    /// # Errors
    /// [`BallastError::OutOfRange`].
    pub fn owed(&self, side: Side) -> Result<u64> {
        let known = self.known_owed(side);
        if let Some(owed) = known.get() {
            return Ok(owed);
        }
        let shares = self.shares(side).get();
        let owed = self.reserve(side).state().debt_of_up(shares).or_range()?;
        known.set(Some(owed));
        Ok(owed)
    }

    /// From here on loans up to the present debts are not bound by the reserves' caps: for what repays and borrows anew.
    ///
    /// # Errors
    /// [`BallastError::OutOfRange`].
    pub fn refinance(&mut self) -> Result<()> {
        self.refinanced = Amounts {
            base: self.owed(Side::Base)?,
            quote: self.owed(Side::Quote)?,
        };
        Ok(())
    }

    /// What may be borrowed: what the vault has, within the reserve's caps.
    ///
    /// # Errors
    /// [`BallastError::OutOfRange`].
    pub fn room(&self) -> Result<Amounts> {
        let room = |reserve: &Reserve| reserve.caps().room_down(&reserve.state()).or_range();
        Ok(Amounts {
            base: room(&self.base_reserve)?,
            quote: room(&self.quote_reserve)?,
        })
    }

    /// Borrows into the position's idle amount, within the reserve's caps; nothing happens for zero.
    ///
    /// # Errors
    /// [`BallastError::InsufficientLiquidity`], [`BallastError::BorrowCapExceeded`].
    pub fn borrow(&mut self, side: Side, amount: u64) -> Result<()> {
        if amount == 0 {
            return Ok(());
        }
        self.take_loan(side, amount)?;
        if self.owed(side)? > self.refinanced.get(side) {
            let reserve = self.reserve(side);
            let allowed = reserve.caps().allow(&reserve.state()).or_range()?;
            require!(allowed, BallastError::BorrowCapExceeded);
        }
        Ok(())
    }

    fn take_loan(&mut self, side: Side, amount: u64) -> Result<()> {
        let mut state = self.reserve(side).state();
        let shares = state.borrow(amount).map_err(BallastError::from)?;
        self.reserve_mut(side).set_state(&state);
        let total = self.shares(side).get().checked_add(shares).or_range()?;
        *self.shares_mut(side) = total.into();
        self.add_idle(side, amount)?;
        self.transfer_from_vault(side, amount, self.accounts.tokens(side))
    }

    /// Moves tokens that are booked as gone out of a reserve's vault.
    pub(super) fn transfer_from_vault(
        &self,
        side: Side,
        amount: u64,
        to: &AccountInfo<'info>,
    ) -> Result<()> {
        let reserve = self.reserve(side);
        let seeds: &[&[u8]] = &[
            Reserve::SEED,
            reserve.market.as_ref(),
            reserve.mint.as_ref(),
            &[reserve.bump],
        ];
        let authority = self.lending.reserve(side).as_ref();
        self.token(side)
            .transfer(self.lending.vault(side), to, authority, amount, &[seeds])
    }

    /// Repays as much as is owed out of the idle amount, at most `max`; returns what was repaid.
    ///
    /// # Errors
    /// [`BallastError::RoundsToZero`] if the amount would not burn a share.
    pub fn repay(&mut self, side: Side, max: u64) -> Result<u64> {
        let owed = self.owed(side)?;
        let amount = self.repayable(side, owed, max);
        if amount == 0 {
            return Ok(0);
        }
        let mut state = self.reserve(side).state();
        let held = self.shares(side).get();
        let burned = state.repay_of(owed, amount, held);
        let burned = burned.map_err(BallastError::from)?;
        self.book_repayment(side, amount, &state, burned)
    }

    /// Repays up to `max` like [`Self::repay`], but leaves dust that would not burn a share idle instead of failing:
    /// dust must not block what reduces risk.
    ///
    /// # Errors
    /// [`BallastError::OutOfRange`] and those of the token program.
    pub fn repay_unless_dust(&mut self, side: Side, max: u64) -> Result<u64> {
        let owed = self.owed(side)?;
        let amount = self.repayable(side, owed, max);
        if amount == 0 {
            return Ok(0);
        }
        let mut state = self.reserve(side).state();
        let held = self.shares(side).get();
        match state.repay_of(owed, amount, held) {
            Err(LendingError::RoundsToZero) => Ok(0),
            burned => {
                let burned = burned.map_err(BallastError::from)?;
                self.book_repayment(side, amount, &state, burned)
            }
        }
    }

    /// What of a debt is to be repaid: no more than is asked for, and than lies idle.
    fn repayable(&self, side: Side, owed: u64, max: u64) -> u64 {
        owed.min(max).min(self.position.idle().get(side))
    }

    /// Books what a repayment has made of the reserve, and moves the tokens.
    fn book_repayment(
        &mut self,
        side: Side,
        amount: u64,
        state: &ReserveState,
        burned: u128,
    ) -> Result<u64> {
        self.reserve_mut(side).set_state(state);
        let left = self.shares(side).get().checked_sub(burned).or_range()?;
        *self.shares_mut(side) = left.into();
        self.limit_shown_loss(side)?;
        self.take_idle(side, amount)?;

        let (tokens, vault) = (self.accounts.tokens(side), self.lending.vault(side));
        let authority = self.accounts.position.as_ref();
        self.with_position_seeds(|seeds| {
            self.token(side)
                .transfer(tokens, vault, authority, amount, &[seeds])
        })?;
        Ok(amount)
    }

    /// Repays both debts from what lies idle. It changes neither equity nor delta, and lowers LTV and interest.
    ///
    /// # Errors
    /// As [`Self::repay_unless_dust`].
    pub fn settle(&mut self) -> Result<Amounts> {
        Ok(Amounts {
            base: self.repay_unless_dust(Side::Base, u64::MAX)?,
            quote: self.repay_unless_dust(Side::Quote, u64::MAX)?,
        })
    }

    /// Writes off what is still owed: insurance pays first, then the lenders, in the books and in an event.
    ///
    /// # Errors
    /// [`BallastError::OutOfRange`].
    pub fn write_off(&mut self, side: Side) -> Result<u64> {
        let shares = self.shares(side).get();
        if shares == 0 {
            return Ok(0);
        }
        let mut state = self.reserve(side).state();
        let WriteOff {
            amount,
            from_insurance,
            from_lenders,
        } = state.write_off(shares).or_range()?;
        let (reserve_key, position_key) = (
            self.lending.reserve(side).key(),
            self.accounts.position.key(),
        );
        let reserve = self.reserve_mut(side);
        reserve.set_state(&state);
        reserve.bad_debt = reserve.bad_debt.saturating_add(from_lenders);
        *self.shares_mut(side) = 0.into();
        self.limit_shown_loss(side)?;
        emit!(BadDebtBooked {
            reserve: reserve_key,
            position: position_key,
            amount,
            from_insurance,
            from_lenders,
        });
        Ok(amount)
    }

    /// No more loss is shown of a debt than is left of it.
    fn limit_shown_loss(&mut self, side: Side) -> Result<()> {
        let shown = self.position.shown_loss(side);
        if shown == 0 {
            return Ok(());
        }
        let left = shown.min(self.owed(side)?);
        let Self {
            position,
            base_reserve,
            quote_reserve,
            ..
        } = self;
        let reserve = match side {
            Side::Base => base_reserve,
            Side::Quote => quote_reserve,
        };
        reserve.show_loss(position, left)
    }

    fn shares(&self, side: Side) -> Wide {
        match side {
            Side::Base => self.position.base_debt_shares,
            Side::Quote => self.position.quote_debt_shares,
        }
    }

    fn shares_mut(&mut self, side: Side) -> &mut Wide {
        self.known_owed(side).set(None);
        match side {
            Side::Base => &mut self.position.base_debt_shares,
            Side::Quote => &mut self.position.quote_debt_shares,
        }
    }
}
