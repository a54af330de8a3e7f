//! From a decision to instructions.

use std::collections::HashMap;

use ballast_client::{
    Cause, Failure, MarketContext, PositionContext, RecenterArgs, Trade, instruction,
};
use ballast_model::HedgedPlan;
use ballast_strategy::decide::{Action, RecenterPlan};
use solana_sdk::{instruction::Instruction, pubkey::Pubkey};

use super::{Executor, Trouble, View};

/// What an Anchor program says of an instruction that it does not know.
const UNKNOWN_INSTRUCTION: u32 = 101;

/// What may be sent for an action.
#[derive(Clone, Debug)]
pub(super) struct Instructions {
    pub first: Vec<Instruction>,
    /// Instead of the first if the pool program does not know how to move a position.
    pub replacing: Option<Vec<Instruction>>,
}

impl From<Vec<Instruction>> for Instructions {
    fn from(first: Vec<Instruction>) -> Self {
        Self {
            first,
            replacing: None,
        }
    }
}

/// Whether a pool program has refused because it is too old to move a position.
pub(super) fn cannot_reset_range(market: &MarketContext, failure: &Failure) -> bool {
    let unknown = matches!(
        failure.cause,
        Cause::Anchor {
            code: UNKNOWN_INSTRUCTION,
            ..
        }
    );
    unknown && failure.program == Some(market.market.whirlpool_program)
}

fn swap_of(plan: &HedgedPlan) -> Option<(Trade, u64)> {
    plan.trade.map(|plan| (plan.trade, plan.base))
}

impl Executor {
    /// The instructions of an action.
    pub(super) async fn instructions(
        &self,
        market: &MarketContext,
        position: &PositionContext,
        action: &Action,
        view: &View,
    ) -> Result<Instructions, Trouble> {
        let keeper = self.keeper();
        let tick = view.market.pool.tick_current;
        let path = |swap: Option<(Trade, u64)>| {
            let trade = swap.map_or(Trade::SellBase, |(trade, _)| trade);
            market.swap_path(tick, trade)
        };
        let only = |instruction| Instructions::from(vec![instruction]);
        Ok(match action {
            Action::Rehedge(plan) => {
                let path = path(swap_of(plan));
                only(instruction::rehedge(market, position, &keeper, &path))
            }
            Action::Recenter(plan) => {
                let path = path(plan.swap);
                let [tick_lower, tick_upper] = plan.ticks;
                let args = RecenterArgs {
                    tick_lower,
                    tick_upper,
                };
                let arrays = self.missing_tick_arrays(market, plan).await?;
                let with = |last: Instruction| {
                    let mut all = arrays.clone();
                    all.push(last);
                    all
                };
                let moving = instruction::recenter(market, position, &keeper, args, &path);
                let replacing =
                    instruction::recenter_replacing(market, position, &keeper, args, &path);
                if self.knows_no_reset(&market.address) {
                    with(replacing).into()
                } else {
                    Instructions {
                        first: with(moving),
                        replacing: Some(with(replacing)),
                    }
                }
            }
            Action::Compound(_) => only(instruction::compound(market, position, &keeper)),
            Action::Exit(plan) => {
                let trade = plan.swap.map_or(Trade::SellBase, |(trade, _)| trade);
                let path = market.exit_path(tick, trade);
                only(instruction::exit(market, position, &keeper, &path))
            }
            Action::Deleverage { .. } => only(instruction::deleverage(market, position, &keeper)),
            Action::DeleverageSwap { plan, .. } => {
                let path = path(swap_of(plan));
                only(instruction::deleverage_swap(
                    market, position, &keeper, &path,
                ))
            }
            Action::Liquidate { max_pay, .. } => {
                let wallet = market.wallet(&keeper);
                let min_gain = self.config.liquidation.min_gain;
                // Both accounts are needed, to pay from or to be paid to, even if nothing has to be paid in.
                let mut all: Vec<_> = view
                    .missing_wallets
                    .iter()
                    .map(|side| instruction::create_wallet(market, &keeper, &keeper, *side))
                    .collect();
                all.push(instruction::liquidate(
                    market, position, &keeper, &wallet, *max_pay, min_gain,
                ));
                all.into()
            }
        })
    }

    /// Instructions that create the tick arrays which the new band needs and which do not exist.
    async fn missing_tick_arrays(
        &self,
        market: &MarketContext,
        plan: &RecenterPlan,
    ) -> Result<Vec<Instruction>, Trouble> {
        let mut starts = market.band_array_starts(plan.ticks).to_vec();
        starts.dedup();
        let addresses: Vec<_> = starts
            .iter()
            .map(|start| market.tick_array(*start))
            .collect();
        let answer = self.chain.accounts(&addresses).await?;
        let program = market.market.whirlpool_program;
        let exists = |index: usize| {
            let account = answer.accounts.get(index).and_then(Option::as_ref);
            account.is_some_and(|account| account.owner == program)
        };
        let missing: Vec<_> = (0..starts.len())
            .filter(|index| !exists(*index))
            .map(|index| instruction::create_tick_array(market, &self.keeper(), starts[index]))
            .collect();
        if !missing.is_empty() && !self.config.automation.create_tick_arrays {
            let [lower, upper] = plan.ticks;
            return Err(Trouble::NoTickArrays { lower, upper });
        }
        Ok(missing)
    }

    fn knows_no_reset(&self, market: &Pubkey) -> bool {
        let configured = |config: &&crate::MarketConfig| config.address == *market;
        let can = self.config.markets.iter().find(configured);
        !can.is_none_or(|market| market.pool_can_reset_range)
            || self.learned().replaces.contains(market)
    }
}

/// What was found out about markets on the way.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// Markets whose pool program cannot move a position.
    pub replaces: std::collections::HashSet<Pubkey>,
    /// Addresses of lookup tables that were found.
    pub tables: HashMap<Pubkey, Pubkey>,
    /// What was last warned of about a market's lookup table.
    pub table_warnings: HashMap<Pubkey, String>,
    /// Rent of a position's account.
    pub position_rent: Option<u64>,
}
