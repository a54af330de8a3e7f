//! The state at a slot, and what actions make of it.

use std::collections::BTreeMap;

use ballast_client::{MarketSnapshot, Position};
use ballast_model::{
    Amounts, Band, HedgedPlan, Position as PositionModel, Side, SqrtPrice, Tick, Trade, value_down,
};
use solana_sdk::pubkey::Pubkey;

use ballast_strategy::{
    decide::{Action, ActionKind, Decision, Kinds, assess},
    fixtures,
    situation::{Outlook, Situation},
};

/// The state at a slot.
#[derive(Clone)]
pub struct State {
    pub market: MarketSnapshot,
    pub positions: BTreeMap<Pubkey, Position>,
    /// Fees that wait in the Whirlpool positions.
    pub fees: BTreeMap<Pubkey, Amounts>,
}

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

    /// What is due, whatever is refused.
    pub fn decision(
        &self,
        position: &Pubkey,
        keeper: Pubkey,
        refused: Kinds,
    ) -> Option<(Decision, PositionModel)> {
        let situation = Situation {
            market: &self.market,
            position: self.positions.get(position)?,
            now_secs: self.market.now_secs,
            slot: self.market.slot,
            keeper,
            funds: None,
            min_gain: 0,
            outlook: Outlook {
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
        self.decision(position, keeper, all.without(action))
    }
}

/// What the program would do, without fees and price impact. Returns whether it paid the position's fees.
pub fn apply(
    stored: &mut Position,
    model: &PositionModel,
    action: &Action,
    oracle: SqrtPrice,
    fees: Amounts,
) -> bool {
    let traded = |model: &PositionModel, trade: Trade, base: u64| {
        let quote = u64::try_from(value_down(base, oracle).unwrap()).unwrap();
        let mut after = *model;
        let (paid, received) = match trade {
            Trade::SellBase => (Side::Base, Amounts::only(Side::Quote, quote)),
            Trade::BuyBase => (Side::Quote, Amounts::only(Side::Base, base)),
        };
        let cost = if paid == Side::Base { base } else { quote };
        let idle = after.idle.get(paid).min(cost);
        after.idle = after.idle.saturating_sub(Amounts::only(paid, idle));
        after.debt = after
            .debt
            .checked_add(Amounts::only(paid, cost - idle))
            .unwrap();
        after.idle = after.idle.checked_add(received).unwrap();
        repaid(&after)
    };
    let earned = |model: &PositionModel| {
        repaid(&PositionModel {
            idle: model.idle.checked_add(fees).unwrap(),
            ..*model
        })
    };
    let emptied = |model: &PositionModel| {
        let amounts = model.band.amounts_down(model.liquidity, oracle).unwrap();
        earned(&PositionModel {
            liquidity: 0,
            idle: model.idle.checked_add(amounts).unwrap(),
            ..*model
        })
    };
    let pays_fees = matches!(
        action,
        Action::Recenter(_) | Action::Exit(_) | Action::Compound(_)
    );
    let after = match action {
        Action::Rehedge(plan) | Action::DeleverageSwap { plan, .. } => hedged(model, plan, oracle),
        Action::Recenter(plan) => {
            [stored.tick_lower, stored.tick_upper] = plan.ticks;
            let [lower, upper] = plan.ticks.map(|tick| Tick::new(tick).unwrap());
            let mut after = PositionModel {
                band: Band::new(lower, upper).unwrap(),
                ..emptied(model)
            };
            if let Some((trade, base)) = plan.swap {
                after = traded(&after, trade, base);
            }
            let deposit = after.band.amounts_up(plan.liquidity, oracle).unwrap();
            let borrowed = deposit.saturating_sub(after.idle);
            after.debt = after.debt.checked_add(borrowed).unwrap();
            after.idle = after.idle.checked_add(borrowed).unwrap();
            after.idle = after.idle.checked_sub(deposit).unwrap();
            after.liquidity = plan.liquidity;
            repaid(&after)
        }
        Action::Compound(_) => earned(model),
        Action::Exit(plan) => {
            let mut after = emptied(model);
            if let Some((trade, base)) = plan.swap {
                after = traded(&after, trade, base);
            }
            after
        }
        Action::Deleverage { plan, .. } => plan.apply(model).unwrap(),
        Action::Liquidate { plan, .. } => plan.apply(model).unwrap(),
    };
    stored.liquidity = after.liquidity.into();
    stored.idle_base = after.idle.get(Side::Base);
    stored.idle_quote = after.idle.get(Side::Quote);
    stored.base_debt_shares = fixtures::shares(after.debt.base).into();
    stored.quote_debt_shares = fixtures::shares(after.debt.quote).into();
    pays_fees
}

fn hedged(model: &PositionModel, plan: &HedgedPlan, oracle: SqrtPrice) -> PositionModel {
    let base = plan.trade.map_or(0, |plan| plan.base);
    let quote = u64::try_from(value_down(base, oracle).unwrap()).unwrap();
    plan.after(model, base, quote).unwrap()
}

fn repaid(model: &PositionModel) -> PositionModel {
    let repaid = model.idle.min(model.debt);
    PositionModel {
        idle: model.idle.saturating_sub(repaid),
        debt: model.debt.saturating_sub(repaid),
        ..*model
    }
}
