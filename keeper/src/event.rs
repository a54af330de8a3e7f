//! What the keeper tells the world: for tables, tests and dashboards.

use ballast_client::{MarketContext, MarketSnapshot};
use ballast_flags::Flag;
use ballast_strategy::decide::{ActionKind, Assessment, Decision};
use ballast_view::TokenNames;
use serde::Serialize;
use solana_sdk::{pubkey::Pubkey, signature::Signature};

use crate::{
    control::{Mode, Override},
    hedge::HedgeEvent,
    journal::{Inputs, Outcome, text},
};

/// A decision that differs from the one before, or leads to an action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecisionEvent {
    /// The market.
    #[serde(with = "text")]
    pub market: Pubkey,
    /// The position; the market itself for what is done to the market.
    #[serde(with = "text")]
    pub position: Pubkey,
    /// What is due; `None`: nothing.
    pub action: Option<ActionKind>,
    /// Why; empty if nothing is due.
    pub reason: String,
    /// What stands in its way.
    pub obstacles: Vec<String>,
    /// The numbers that it was made on.
    pub inputs: Inputs,
}

/// What happened. Sent to everybody who listens; those who are too slow miss some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum KeeperEvent {
    /// The keeper runs.
    Started {
        /// In this mode.
        mode: Mode,
        /// Who signs.
        #[serde(with = "text")]
        keeper: Pubkey,
        /// Intents of an earlier run whose outcome has to be found first.
        open_intents: usize,
    },
    /// A market was read anew.
    Resync {
        /// The market.
        #[serde(with = "text")]
        market: Pubkey,
        /// As it was at this slot.
        slot: u64,
        /// Number of its positions.
        positions: usize,
    },
    /// The stream broke; polling goes on until it is back.
    StreamLost {
        /// Why.
        reason: String,
    },
    /// See [`DecisionEvent`].
    Decision(DecisionEvent),
    /// A transaction was journaled and is being sent.
    Sent {
        /// The position.
        #[serde(with = "text")]
        position: Pubkey,
        /// What it does.
        action: ActionKind,
        /// Its signature.
        #[serde(with = "text")]
        signature: Signature,
        /// How often the action was tried before without landing.
        attempt: u32,
        /// Whether it was taken up from an earlier run.
        resumed: bool,
    },
    /// What became of a transaction.
    Resolved {
        /// The position.
        #[serde(with = "text")]
        position: Pubkey,
        /// What it did.
        action: ActionKind,
        /// Why.
        reason: String,
        /// Its signature.
        #[serde(with = "text")]
        signature: Signature,
        /// What became of it.
        outcome: Outcome,
    },
    /// Nothing was sent, because the action would fail.
    Refused {
        /// The position.
        #[serde(with = "text")]
        position: Pubkey,
        /// What was planned.
        action: ActionKind,
        /// Why it would fail.
        error: String,
    },
    /// What the action would have done, in paper mode.
    Paper {
        /// The position.
        #[serde(with = "text")]
        position: Pubkey,
        /// What was planned.
        action: ActionKind,
        /// Why it would fail; `None`: it would succeed.
        error: Option<String>,
    },
    /// A person said something, and it is in the journal.
    Override(Override),
    /// Another mode is in force.
    ModeChanged {
        /// Which.
        mode: Mode,
        /// Why.
        reason: String,
    },
    /// A red flag was raised, or is quiet again.
    RedFlag {
        /// Which.
        flag: Flag,
        /// Raised, or quiet again.
        raised: bool,
        /// What was seen, with its unit.
        value: String,
        /// From where on it is raised, with its unit.
        threshold: String,
        /// On what it rests.
        note: String,
    },
    /// Liquidation boundaries have come near.
    BoundaryNear {
        /// The market.
        #[serde(with = "text")]
        market: Pubkey,
        /// The position with the highest LTV among them.
        #[serde(with = "text")]
        position: Pubkey,
        /// Positions that were not near before.
        positions: usize,
        /// Nearer than this many usual days' moves, in basis points.
        within_sigma_days_bps: u32,
        /// That position's LTV.
        ltv_bps: u32,
    },
    /// What is kept ready has become too little to bring all positions of a market back after a gap, or is enough again.
    Contingency {
        /// The market.
        #[serde(with = "text")]
        market: Pubkey,
        /// Too little, or enough again.
        short: bool,
        /// The gap, to either side.
        gap_bps: u32,
        /// Base needed and kept, whole tokens.
        base: [String; 2],
        /// Quote needed and kept, whole tokens.
        quote: [String; 2],
    },
    /// Of the hedge at a venue.
    Hedge(HedgeEvent),
    /// Something is wrong but can be lived with: an unreadable account, a node that does not answer.
    Warning {
        /// What.
        message: String,
    },
    /// What a node did not answer before, it answers again.
    Recovered {
        /// Of which market.
        #[serde(with = "text")]
        market: Pubkey,
        /// What was wrong.
        reason: String,
    },
    /// The keeper may not act any more.
    Halted {
        /// Why.
        reason: String,
    },
    /// The keeper has ended.
    Stopped,
}

/// The numbers of an assessment.
pub fn inputs(at: &Assessment) -> Inputs {
    Inputs {
        slot: at.slot,
        now_secs: at.now_secs,
        oracle_x64: at.oracle.x64(),
        pool_x64: at.pool.x64(),
        ltv_bps: at.value.ltv_bps_up(),
        equity: at.value.equity(),
        hedge_error: at.hedge_error,
    }
}

/// The numbers of a market, where no position is looked at.
pub fn market_inputs(market: &MarketSnapshot) -> Inputs {
    Inputs {
        slot: market.slot,
        now_secs: market.now_secs,
        oracle_x64: market.oracle_sqrt_price().map_or(0, |price| price.x64()),
        pool_x64: market.pool.sqrt_price.x64(),
        ltv_bps: 0,
        equity: 0,
        hedge_error: 0,
    }
}

impl DecisionEvent {
    /// Of an assessment.
    pub fn new(market: &MarketContext, position: Pubkey, at: &Assessment) -> Self {
        let names = TokenNames::of(&market.market);
        let tokens = names.tokens();
        let (action, reason) = match at.decision {
            Decision::Nothing => (None, String::new()),
            Decision::Act(action, reason) => (Some(action.kind()), reason.told(tokens)),
            Decision::Blocked { wanted, reason, .. } => (Some(wanted), reason.told(tokens)),
        };
        Self {
            market: market.address,
            position,
            action,
            reason,
            obstacles: at.decision.obstacles(tokens, at.now_secs),
            inputs: inputs(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use ballast_abi::clusters::{SOL_USD_FEED, USDC_USD_FEED};
    use ballast_client::PriceAccounts;
    use ballast_strategy::{decide::assess, fixtures};

    use super::*;

    /// What is journaled and logged are the words of `ballast explain`.
    #[test]
    fn a_decision_is_told_in_whole_tokens_with_their_names() {
        let (mut snapshot, position) = (fixtures::snapshot(206), fixtures::position());
        fixtures::book_debts(&mut snapshot, &position);
        snapshot.market.base_feed = SOL_USD_FEED;
        snapshot.market.quote_feed = USDC_USD_FEED;
        let at = assess(&fixtures::situation(&snapshot, &position)).unwrap();
        let nobody = Pubkey::default();
        let prices = PriceAccounts {
            base: nobody,
            quote: nobody,
        };
        let market = MarketContext::new(snapshot.address, snapshot.market, [nobody; 2], prices);
        let told = DecisionEvent::new(&market, snapshot.address, &at);
        assert_eq!(told.action, Some(ActionKind::Rehedge));
        let words = told.reason.strip_prefix("short by 0.").unwrap();
        assert!(words.contains(" SOL, 0."), "{}", told.reason);
    }
}
