//! What is done with a position, by the transitions of `ballast-ledger` as the program does it.

use ballast_ledger::{
    Caps, HedgeTerms, Ledger, LedgerError, Lender, LiquidationTerms, Values, hedge, liquidate,
};
use ballast_model::{
    Amounts, Bps, LiquidationError, ModelError, Position, Side, SqrtPrice,
    lending::{DEBT_SHARE_BITS, INDEX_ONE_X64, ReserveState},
    plan_liquidation,
};

use super::Desk;
use crate::{Act, Event, Liquidators, own_pool::OwnPool, reserves::Lent, ticks::SwapFee};

/// What the reserves hold: more than anybody borrows.
pub(crate) const PLENTY: u64 = 1 << 50;

/// A reserve, and one position's debt to it: in shares of an index that stands at one, for interest is the desk's.
fn lender(owed: u64, lent: Lent) -> (Lender, u128) {
    let debt_shares = u128::from(owed) << DEBT_SHARE_BITS;
    let state = ReserveState {
        liquidity: lent.liquidity,
        borrow_index_x64: INDEX_ONE_X64,
        debt_shares: debt_shares + (u128::from(lent.others) << DEBT_SHARE_BITS),
        supply_shares: 0,
        insurance: 0,
        last_accrual_secs: 0,
    };
    let caps = Caps {
        borrow_cap: u64::MAX,
        max_utilisation: lent.max_utilisation,
    };
    (Lender { state, caps }, debt_shares)
}

impl Desk<'_> {
    /// The pool as a trade of its own would meet it now. Its fee is so much, and more where it moves.
    pub(crate) fn pool(&self, fee_ppm: u32) -> Result<OwnPool, ModelError> {
        let moving = self.flow.moving_fee(self.settled_secs);
        self.pool_with(moving.unwrap_or(SwapFee::fixed(fee_ppm)))
    }

    fn pool_with(&self, fee: SwapFee) -> Result<OwnPool, ModelError> {
        OwnPool::new(self.at, fee, self.terms, self.settled_secs, self.fees)
    }

    /// Notes how large the trades of an action were.
    pub(crate) fn traded(&mut self, pool: &OwnPool) {
        self.largest_trade = self.largest_trade.max(pool.largest_part());
        self.trade_beyond_depth |= pool.went_beyond();
    }

    /// Its ledger: a pool at the market's price with a fee, which owes the position what it has earned.
    fn ledger(&self, fee_ppm: u32) -> Result<Values<OwnPool>, ModelError> {
        let position = &self.position;
        let lent = |side| self.lent(side).unwrap_or(Lent::PLENTY);
        let (base, base_shares) = lender(position.debt.base, lent(Side::Base));
        let (quote, quote_shares) = lender(position.debt.quote, lent(Side::Quote));
        Ok(Values {
            band: position.band,
            liquidity: position.liquidity,
            idle: position.idle,
            shares: [base_shares, quote_shares],
            lenders: [base, quote],
            pool: self.pool_with(SwapFee::fixed(fee_ppm))?,
            payer: Amounts::ZERO,
            swap_loss: 0,
            refinanced: Amounts::ZERO,
        })
    }

    /// Hedges as the program would: see [`ballast_ledger::hedge()`]. What that would refuse is not done. Returns whether it was done.
    ///
    /// # Errors
    /// [`ModelError`] of amounts beyond 64 bits.
    pub fn rehedge(
        &mut self,
        oracle: SqrtPrice,
        terms: &HedgeTerms,
        fee_ppm: u32,
    ) -> Result<bool, ModelError> {
        let mut ledger = self.ledger(fee_ppm)?;
        let done = hedge(&mut ledger, &self.position, self.at, oracle, terms)
            .and_then(|_| ledger.position());
        match done {
            Ok(after) => {
                self.traded(&ledger.pool);
                self.acted(Act::Rehedge, after, ledger.pool.fees()?)?;
                Ok(true)
            }
            Err(LedgerError::Model(error)) => Err(error),
            Err(_) => Ok(false),
        }
    }

    /// Somebody who can pay for it liquidates at the price that was last settled, as the program would: see
    /// [`ballast_ledger::liquidate()`]. What is still owed when nothing is left is written off. Returns whether there was anything to
    /// do.
    ///
    /// # Errors
    /// [`LiquidationError`], but [`LiquidationError::NotNeeded`].
    pub(crate) fn liquidate(
        &mut self,
        Liquidators { target, bonus }: Liquidators,
    ) -> Result<bool, LiquidationError> {
        let plan = match plan_liquidation(&self.position, self.at, target, bonus) {
            Ok(plan) => plan,
            Err(LiquidationError::NotNeeded { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let terms = LiquidationTerms {
            oracle: self.at,
            bonus,
            // The reserves have no insurance.
            write_off_bonus: Bps::ZERO,
            funds: Amounts::new(u64::MAX, u64::MAX),
        };
        let mut ledger = self.ledger(0)?;
        ledger.payer = terms.funds;
        let at_hand = |ledger: &Values<OwnPool>| {
            let [base, quote] = ledger.lenders.map(|lender| lender.state.liquidity);
            Amounts::new(base, quote)
        };
        let (owed, held) = (self.position.debt, at_hand(&ledger));
        let done =
            liquidate(&mut ledger, &self.position, plan, &terms).and_then(|_| ledger.position());
        let after = match done {
            Ok(after) => after,
            Err(LedgerError::Model(error)) => return Err(error.into()),
            Err(_) => return Ok(false),
        };
        let before = self.equity()?;
        let repaid = at_hand(&ledger).saturating_sub(held);
        let written_off = owed.saturating_sub(repaid).saturating_sub(after.debt);
        (self.position, self.fees) = (after, ledger.pool.fees()?);
        self.position.debt = after
            .debt
            .checked_add(written_off)
            .map_err(ModelError::from)?;
        let between = self.equity()?;
        self.position.debt = after.debt;
        self.attribution.liquidation += between - before;
        self.attribution.bad_debt += self.equity()? - between;
        self.anchor_here();
        self.note(Act::Liquidation, before)?;
        Ok(true)
    }

    /// Takes over what somebody has made of the position, and what is left of its fees; what that costs is booked, and interest is
    /// counted anew from the debts that it left.
    ///
    /// # Errors
    /// [`ModelError`] of amounts beyond 64 bits.
    pub fn acted(&mut self, act: Act, position: Position, fees: Amounts) -> Result<(), ModelError> {
        let before = self.equity()?;
        (self.position, self.fees) = (position, fees);
        self.attribution.swaps += self.equity()? - before;
        self.anchor_here();
        self.note(act, before)
    }

    fn note(&mut self, act: Act, equity_before: i128) -> Result<(), ModelError> {
        self.acts.add(act);
        if act != Act::Liquidation {
            self.attribution.gas -= i128::from(self.terms.action_cost);
        }
        if self.events.is_some() {
            let value = self.whole()?.value(self.at)?;
            let event = Event {
                secs: self.settled_secs,
                at: self.at,
                act,
                equity_before,
                equity: value.equity() + self.beside(),
                ltv_bps: value.ltv_bps_up(),
            };
            self.events.get_or_insert_default().push(event);
        }
        Ok(())
    }
}
