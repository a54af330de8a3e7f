//! Red flags on a running keeper. A task of its own looks at the engine's pictures once a second, judges, tells what was raised or
//! cleared, and has the keeper only reduce risk when enough are raised. The engine does not wait for any of it.
//!
//! - [`watch`] is that task; [`endpoints`] and [`flow`] ask nodes for what the pictures do not hold. `sample` compares what they say of accounts.
//! - `pass` goes over a market's positions: our liquidity, boundaries that come near, contingency.
//! - [`Shown`] is what the API shows of them.
//! - [`reduce`] is the way from flags to the mode, and from a person's `resume` back.
//!
//! What they mean is in [`ballast_flags`].

pub mod endpoints;
pub mod flow;
mod pass;
pub mod reduce;
mod sample;
mod shown;
pub mod watch;

use std::{collections::BTreeMap, sync::Arc};

use ballast_client::Condition;
use ballast_flags::{
    Verdict,
    contingency::{Contingency, Cover},
    hedge_fills::Fill,
};
use ballast_model::Amounts;
use solana_sdk::pubkey::Pubkey;

pub use pass::aim;
pub use shown::Shown;
pub use watch::Watcher;

/// What the flags say now, for whoever reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlagsNow {
    /// When, Unix seconds.
    pub secs: i64,
    /// All flags.
    pub verdict: Verdict,
    /// So many raised ones reduce; 0: none do.
    pub reduce_at: u32,
    /// The gap that contingency is for, to either side.
    pub gap_bps: u32,
    /// By market.
    pub contingency: BTreeMap<Pubkey, MarketContingency>,
    /// The nodes, the keeper's own first; empty where only that is configured.
    pub endpoints: Vec<EndpointSeen>,
}

/// The newest of them.
pub type FlagsWatch = tokio::sync::watch::Receiver<Arc<FlagsNow>>;

/// What one market's positions would need after a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketContingency {
    /// Decimals of base and quote.
    pub decimals: [u8; 2],
    /// What they would need.
    pub needs: Contingency,
    /// What is kept for it; `None`: nobody said.
    pub kept: Option<Amounts>,
}

impl MarketContingency {
    /// Whether it is enough.
    pub fn cover(&self) -> Cover {
        self.needs.cover(self.kept)
    }
}

/// A node, when it was last asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointSeen {
    /// Its name: URLs hold keys.
    pub name: String,
    /// Scheme and host.
    pub label: String,
    /// The slot that it told; `None`: it did not answer.
    pub slot: Option<u64>,
    /// How long it took.
    pub latency_ms: u64,
    /// How it stands, if the keeper works with it; `None`: it is asked for its slot only.
    pub condition: Option<Condition>,
}

/// What others tell the flags.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The nodes were asked.
    Endpoints(Vec<EndpointSeen>),
    /// What was swapped in a market's pool, and in all pools of its pair.
    Flow {
        /// The market.
        market: Pubkey,
        /// In its pool, quote units.
        pool: u128,
        /// In all of them.
        pair: u128,
    },
    /// A funding rate was settled.
    Funding {
        /// When, Unix seconds.
        settled_secs: i64,
        /// Parts per billion of the notional an hour.
        hourly_ppb: i64,
    },
    /// An order of the hedge was sent.
    HedgeSent,
    /// What became of one.
    HedgeFill(Fill),
}
