//! The state at a slot, and what actions make of it.

use std::collections::BTreeMap;

use ballast_client::{MarketSnapshot, Position};
use ballast_ledger::{LedgerError, Moved, Order, Pool};
use ballast_model::{
    Amounts, Band, Position as PositionModel, SqrtPrice, base_for_value_up, lending::uncovered_up,
    value_down,
};
use ballast_strategy::{
    act::{Deed, Rules, carry_out},
    decide::{Action, ActionKind, Decision, Kinds, assess},
    situation::{Outlook, Situation},
};
use solana_sdk::pubkey::Pubkey;

/// The state at a slot.
#[derive(Clone)]
pub struct State {
    pub market: MarketSnapshot,
    pub positions: BTreeMap<Pubkey, Position>,
    /// Fees that wait in the Whirlpool positions.
    pub fees: BTreeMap<Pubkey, Amounts>,
}

/// Who liquidates can pay for anything.
const PAYER: Amounts = Amounts {
    base: u64::MAX / 2,
    quote: u64::MAX / 2,
};

impl State {
    /// The reserves owe what the positions owe.
    pub fn book_debts(&mut self) {
        let sum = |shares: fn(&Position) -> u128| self.positions.values().map(shares).sum::<u128>();
        let (base, quote) = (
            sum(|p| p.base_debt_shares.get()),
            sum(|p| p.quote_debt_shares.get()),
        );
        self.market.base_reserve.debt_shares = base.into();
        self.market.quote_reserve.debt_shares = quote.into();
    }

    /// What is due, whatever is refused. Nobody liquidates unless with `funds`.
    pub fn decision(
        &self,
        position: &Pubkey,
        keeper: Pubkey,
        refused: Kinds,
        funds: Option<Amounts>,
    ) -> Option<(Decision, PositionModel)> {
        let situation = Situation {
            market: &self.market,
            position: self.positions.get(position)?,
            now_secs: self.market.now_secs,
            slot: self.market.slot,
            keeper,
            funds,
            min_gain: 0,
            outlook: Outlook {
                // The program waits for nothing.
                unhealthy_since_secs: Some(0),
                fees: Some(self.fees.get(position).copied().unwrap_or(Amounts::ZERO)),
                refused,
                ..Outlook::default()
            },
        };
        let at = assess(&situation).unwrap();
        Some((at.decision, at.model))
    }

    /// What is due if all but `action` is refused that something else may do for, as the program takes either.
    pub fn possible(
        &self,
        position: &Pubkey,
        keeper: Pubkey,
        action: ActionKind,
    ) -> Option<(Decision, PositionModel)> {
        let all = ActionKind::ALL.iter();
        let all = all.fold(Kinds::NONE, |all, kind| all.with(*kind));
        let funds = (action == ActionKind::Liquidate).then_some(PAYER);
        self.decision(position, keeper, all.without(action), funds)
    }
}

impl State {
    /// Shows the reserves what of a position's debts is not covered.
    pub fn show_loss(&mut self, position: &Pubkey) {
        let now_secs = self.market.now_secs;
        let oracle = self.market.oracle_sqrt_price().unwrap();
        let stored = self.positions.get_mut(position).unwrap();
        let model = self.market.position(stored, now_secs).unwrap();
        let loss = uncovered_up(model.debt, &model.value(oracle).unwrap());
        let MarketSnapshot {
            base_reserve,
            quote_reserve,
            ..
        } = &mut self.market;
        base_reserve.show_loss(stored, loss.base).unwrap();
        quote_reserve.show_loss(stored, loss.quote).unwrap();
    }

    /// Does to a position what the program would, in a pool without fees and price impact.
    pub fn apply(&mut self, position: &Pubkey, action: &Action) {
        let fees = self.fees.remove(position).unwrap_or(Amounts::ZERO);
        let stored = self.positions.get_mut(position).unwrap();
        let (market, now_secs) = (self.market.market, self.market.now_secs);
        let oracle = self.market.oracle_sqrt_price().unwrap();
        let ledger = self.market.ledger(stored, now_secs, Fair::at(oracle, fees));
        let mut ledger = ledger.unwrap();
        ledger.payer = PAYER;
        let rules = Rules {
            market: &market,
            position: stored,
            oracle,
            now_secs,
        };
        carry_out(Deed::from(action), &rules, &mut ledger).unwrap();
        self.market.book(stored, &ledger);
        if !ledger.pool.fees.is_zero() {
            self.fees.insert(*position, ledger.pool.fees);
        }
    }
}

/// A pool at the oracle's price.
pub struct Fair {
    oracle: SqrtPrice,
    fees: Amounts,
}

impl Fair {
    /// With fees that the position has earned.
    pub fn at(oracle: SqrtPrice, fees: Amounts) -> Self {
        Self { oracle, fees }
    }
}

impl Pool for Fair {
    type Error = LedgerError;

    fn price(&self) -> SqrtPrice {
        self.oracle
    }

    fn fee_rate_ppm(&self) -> u32 {
        0
    }

    fn swap(&mut self, order: Order, _limit: Option<SqrtPrice>) -> Result<Moved, LedgerError> {
        let worth = |base| u64::try_from(value_down(base, self.oracle).unwrap()).unwrap();
        Ok(match order {
            Order::Sell(base) | Order::Buy(base) => Moved {
                base,
                quote: worth(base),
            },
            Order::Spend(quote) => Moved {
                base: base_for_value_up(quote.into(), self.oracle)?,
                quote,
            },
        })
    }

    fn add(&mut self, _band: &Band, _liquidity: u128) {}

    fn remove(&mut self, _band: &Band, _liquidity: u128) {}

    fn book(&mut self, _band: &Band) {}

    fn collect(&mut self) -> Amounts {
        std::mem::take(&mut self.fees)
    }
}
