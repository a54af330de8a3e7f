//! What to do with a position: exact amounts for each action.

mod deleverage;
mod exchange;
mod hedged;
mod liquidate;
mod open;
mod rehedge;
mod settle;
mod target;

pub use deleverage::{DeleverageError, DeleveragePlan, plan_deleverage, plan_deleverage_part};
pub use exchange::{Exchange, Part, worth_down};
pub use hedged::{HedgedError, HedgedPlan, HedgedRequest, plan_hedged};
pub use liquidate::{LiquidationError, LiquidationPlan, plan_liquidation};
pub use open::{OpenError, OpenPlan, OpenRequest, liquidity_for_value_down, plan_open};
pub use rehedge::{RehedgeError, RehedgePlan, Trade, plan_rehedge};
pub use settle::{Settlement, SettlementBonus, plan_settlement};
pub use target::{Target, TargetError, TargetPlan, plan_target};
