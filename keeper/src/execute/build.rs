//! From a decision to instructions.

use std::collections::HashMap;

use ballast_client::{
    AddressLookupTableAccount, Cause, Failure, MarketContext, PositionContext, RecenterArgs, Trade,
    instruction, lookup_table,
};
use ballast_model::HedgedPlan;
use solana_sdk::{instruction::Instruction, pubkey::Pubkey};

use super::{Executor, Trouble, View};
use crate::decide::{Action, RecenterPlan};

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
                let path = path(plan.swap);
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
                let (base, quote) = (max_pay.base, max_pay.quote);
                // Both accounts are needed, to pay from or to be paid to, even if nothing has to be paid in.
                let mut all: Vec<_> = view
                    .missing_wallets
                    .iter()
                    .map(|side| instruction::create_wallet(market, &keeper, &keeper, *side))
                    .collect();
                all.push(instruction::liquidate(
                    market, position, &keeper, &wallet, base, quote,
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

    /// The market's lookup table, if there is one. It is looked for until it is found or the node refuses to search.
    pub(super) async fn tables(
        &self,
        market: &MarketContext,
    ) -> Result<Vec<AddressLookupTableAccount>, Trouble> {
        if let Some(tables) = self.learned().tables.get(&market.address) {
            return Ok(tables.clone());
        }
        let chain = self.chain.as_ref();
        let mut configs = self.config.markets.iter();
        let known = configs.find(|config| config.address == market.address);
        let found = match known.and_then(|config| config.lookup_table) {
            Some(address) => vec![lookup_table::load(chain, &address).await?],
            None => {
                let authority = &market.market.authority;
                let addresses = market.static_addresses();
                match lookup_table::find(chain, authority, &addresses).await {
                    Ok(table) => table.into_iter().collect(),
                    Err(lookup_table::LookupTableError::Chain(
                        ballast_client::ChainError::Refused { reason, .. },
                    )) => {
                        self.warn(format!(
                            "the node does not search for lookup tables ({reason}): name the table of market {} as \
                             lookup_table, or positions cannot be recentered",
                            market.address
                        ));
                        Vec::new()
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        };
        let mut learned = self.learned();
        learned.tables.insert(market.address, found.clone());
        Ok(found)
    }
}

/// What was found out about markets on the way.
#[derive(Debug, Default)]
pub(super) struct Learned {
    /// Markets whose pool program cannot move a position.
    pub replaces: std::collections::HashSet<Pubkey>,
    /// Lookup tables.
    pub tables: HashMap<Pubkey, Vec<AddressLookupTableAccount>>,
    /// Rent of a position's account.
    pub position_rent: Option<u64>,
}
