//! A ledger of numbers.

use ballast_clmm::{Amounts, Band, Side, SqrtPrice};
use ballast_model::{
    Bps, Position,
    lending::{LendingError, ReserveState},
};

use crate::{Caps, Counter, Ledger, LedgerError, Moved, Order, error::overflow};

/// A pool as a [`Values`] sees it.
pub trait Pool {
    /// Why a swap fails.
    type Error: From<LedgerError>;

    /// Its price.
    fn price(&self) -> SqrtPrice;

    /// Its fee, 1e-6 of the input.
    fn fee_rate_ppm(&self) -> u32;

    /// Swaps, at most until its price reaches the limit.
    ///
    /// # Errors
    /// What it refuses.
    fn swap(&mut self, order: Order, limit: Option<SqrtPrice>) -> Result<Moved, Self::Error>;

    /// Takes note of the position's liquidity in a band: so much more.
    fn add(&mut self, band: &Band, liquidity: u128);

    /// Takes note of the position's liquidity in a band: so much less. Books its fees.
    fn remove(&mut self, band: &Band, liquidity: u128);

    /// Books the fees that the position's liquidity in a band has earned until now.
    fn book(&mut self, band: &Band);

    /// The position's booked fees, which it does not have any more afterwards.
    fn collect(&mut self) -> Amounts;
}

/// A reserve as a [`Values`] sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lender {
    /// Its numbers, interest booked to now.
    pub state: ReserveState,
    /// Up to where it lends.
    pub caps: Caps,
}

/// A position with its reserves and a pool, as values of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values<P> {
    /// Range of the liquidity.
    pub band: Band,
    /// Liquidity.
    pub liquidity: u128,
    /// What it holds outside the pool.
    pub idle: Amounts,
    /// Debt shares of base and quote.
    pub shares: [u128; 2],
    /// The reserves of base and quote.
    pub lenders: [Lender; 2],
    /// The pool.
    pub pool: P,
    /// What the payer of a liquidation has at hand.
    pub payer: Amounts,
    /// What swaps have lost against the oracle's price so far, quote units.
    pub swap_loss: u64,
    /// Debts up to which a loan only replaces one that was there before, which the caps do not bind.
    pub refinanced: Amounts,
}

const fn index(side: Side) -> usize {
    match side {
        Side::Base => 0,
        Side::Quote => 1,
    }
}

impl<P: Pool> Values<P> {
    /// The reserve of one side.
    pub fn lender(&self, side: Side) -> &Lender {
        &self.lenders[index(side)]
    }

    /// Debt shares of one side.
    pub fn shares(&self, side: Side) -> u128 {
        self.shares[index(side)]
    }

    fn add_idle(&mut self, more: Amounts) -> Result<(), LedgerError> {
        let idle = self.idle.checked_add(more);
        self.idle = idle.map_err(|error| LedgerError::Model(error.into()))?;
        Ok(())
    }

    /// Provides liquidity out of what lies idle; returns what it took, rounded up.
    ///
    /// # Errors
    /// [`LedgerError::Short`] where too little lies idle, what is out of range.
    pub fn provide(&mut self, liquidity: u128) -> Result<Amounts, P::Error> {
        let spent = self.band.amounts_up(liquidity, self.pool.price());
        let spent = spent.map_err(|error| LedgerError::Model(error.into()))?;
        self.take_idle(spent)?;
        let total = self.liquidity.checked_add(liquidity);
        self.liquidity = total.ok_or(overflow("liquidity"))?;
        self.pool.add(&self.band, liquidity);
        Ok(spent)
    }

    fn take_idle(&mut self, less: Amounts) -> Result<(), LedgerError> {
        let side = if less.base > self.idle.base {
            Side::Base
        } else {
            Side::Quote
        };
        let idle = self.idle.checked_sub(less);
        self.idle = idle.map_err(|_| LedgerError::Short { side })?;
        Ok(())
    }

    /// A payer with no bound has none afterwards either.
    fn receive(&mut self, more: Amounts) {
        self.payer = Amounts {
            base: self.payer.base.saturating_add(more.base),
            quote: self.payer.quote.saturating_add(more.quote),
        };
    }

    fn owed(&self, side: Side) -> Result<u64, LedgerError> {
        let state = &self.lender(side).state;
        let owed = state.debt_of_up(self.shares(side));
        owed.map_err(|error| LedgerError::Lending { side, error })
    }
}

impl<P: Pool> Ledger for Values<P> {
    type Error = P::Error;

    fn position(&self) -> Result<Position, P::Error> {
        Ok(Position {
            band: self.band,
            liquidity: self.liquidity,
            idle: self.idle,
            debt: Amounts {
                base: self.owed(Side::Base)?,
                quote: self.owed(Side::Quote)?,
            },
        })
    }

    fn band(&self) -> Band {
        self.band
    }

    fn liquidity(&self) -> u128 {
        self.liquidity
    }

    fn idle(&self) -> Amounts {
        self.idle
    }

    fn owed_up(&self, side: Side) -> Result<u64, P::Error> {
        Ok(self.owed(side)?)
    }

    fn room_down(&self) -> Result<Amounts, P::Error> {
        let room = |side| {
            let Lender { state, caps } = self.lender(side);
            let room = caps.room_down(state);
            room.map_err(|error| LedgerError::Lending { side, error })
        };
        Ok(Amounts {
            base: room(Side::Base)?,
            quote: room(Side::Quote)?,
        })
    }

    fn pool_price(&self) -> Result<SqrtPrice, P::Error> {
        Ok(self.pool.price())
    }

    fn pool_price_and_fee_ppm(&self) -> Result<(SqrtPrice, u32), P::Error> {
        Ok((self.pool.price(), self.pool.fee_rate_ppm()))
    }

    fn refinance(&mut self) -> Result<(), P::Error> {
        self.refinanced = self.position()?.debt;
        Ok(())
    }

    fn borrow(&mut self, side: Side, amount: u64) -> Result<(), P::Error> {
        if amount == 0 {
            return Ok(());
        }
        let refused = |error| LedgerError::Lending { side, error };
        let lender = &mut self.lenders[index(side)];
        let more = lender.state.borrow(amount).map_err(refused)?;
        let shares = &mut self.shares[index(side)];
        *shares = shares.checked_add(more).ok_or(overflow("debt shares"))?;
        self.add_idle(Amounts::only(side, amount))?;
        let Lender { state, caps } = self.lender(side);
        let replaces = self.owed(side)? <= self.refinanced.get(side);
        if !replaces && !caps.allow(state).map_err(refused)? {
            return Err(LedgerError::Capped { side, amount }.into());
        }
        Ok(())
    }

    fn repay(&mut self, side: Side, most: u64) -> Result<u64, P::Error> {
        let amount = self.owed(side)?.min(most).min(self.idle.get(side));
        let held = self.shares(side);
        let burned = match self.lenders[index(side)].state.repay(amount, held) {
            Err(LendingError::ZeroAmount | LendingError::RoundsToZero) => return Ok(0),
            burned => burned.map_err(|error| LedgerError::Lending { side, error })?,
        };
        let left = held.checked_sub(burned);
        self.shares[index(side)] = left.ok_or(overflow("debt shares"))?;
        self.take_idle(Amounts::only(side, amount))?;
        Ok(amount)
    }

    fn provide_at_most(&mut self, liquidity: u128, _most: Amounts) -> Result<Amounts, P::Error> {
        // Nobody moves this pool between what was computed and now.
        self.provide(liquidity)
    }

    fn withdraw(&mut self, liquidity: u128) -> Result<Amounts, P::Error> {
        let received = self.band.amounts_down(liquidity, self.pool.price());
        let received = received.map_err(|error| LedgerError::Model(error.into()))?;
        let left = self.liquidity.checked_sub(liquidity);
        self.liquidity = left.ok_or(overflow("liquidity"))?;
        self.pool.remove(&self.band, liquidity);
        self.add_idle(received)?;
        Ok(received)
    }

    fn collect(&mut self) -> Result<Amounts, P::Error> {
        let fees = self.pool.collect();
        self.add_idle(fees)?;
        Ok(fees)
    }

    fn swap(&mut self, order: Order, limit: Option<SqrtPrice>) -> Result<Moved, P::Error> {
        let moved = self.pool.swap(order, limit)?;
        let (base, quote) = (Amounts::new(moved.base, 0), Amounts::new(0, moved.quote));
        let (paid, received) = match order {
            Order::Sell(_) => (base, quote),
            Order::Buy(_) | Order::Spend(_) => (quote, base),
        };
        self.take_idle(paid)?;
        self.add_idle(received)?;
        Ok(moved)
    }

    fn note_swap_loss(&mut self, loss: u64) {
        self.swap_loss = self.swap_loss.saturating_add(loss);
    }
}

impl<P: Pool> Counter for Values<P> {
    fn take_in(&mut self, side: Side, amount: u64) -> Result<(), P::Error> {
        let amount = Amounts::only(side, amount);
        let payer = self.payer.checked_sub(amount);
        self.payer = payer.map_err(|_| LedgerError::NothingToPayWith)?;
        Ok(self.add_idle(amount)?)
    }

    fn pay_out(&mut self, side: Side, amount: u64) -> Result<(), P::Error> {
        let amount = Amounts::only(side, amount);
        self.take_idle(amount)?;
        self.receive(amount);
        Ok(())
    }

    fn book_losses(&mut self, repaid: Amounts, bonus: Bps) -> Result<Amounts, P::Error> {
        let mut paid = Amounts::ZERO;
        for side in [Side::Base, Side::Quote] {
            let lost = self.owed(side)?;
            if lost == 0 {
                continue;
            }
            let shares = self.shares(side);
            let state = &mut self.lenders[index(side)].state;
            let amount = state.pay_write_off_bonus(repaid.get(side), lost, bonus);
            let written_off = state.write_off(shares);
            written_off.map_err(|error| LedgerError::Lending { side, error })?;
            self.shares[index(side)] = 0;
            paid = paid.with(side, amount);
        }
        self.receive(paid);
        Ok(paid)
    }
}
