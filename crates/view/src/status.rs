//! The keeper itself.

use serde::Serialize;

use crate::{flag::RedFlags, overrides::Override};

/// Whether something is known: what is not is never `null` or 0 alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// It is.
    Known,
    /// Nobody measures it.
    #[default]
    Unknown,
}

/// The journal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JournalView {
    /// `ok`, `failed`, or `none` in observe mode.
    pub state: &'static str,
    /// Records in it: the sequence number of the newest.
    pub records: u64,
    /// When the newest was written, cluster's clock.
    pub last_secs: Option<i64>,
}

/// The keeper's own SOL.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WalletView {
    /// `null`: not looked at yet.
    pub sol: Option<String>,
    /// With less it warns.
    pub low_below: String,
}

/// Who answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KeeperView {
    /// Version of the program.
    pub version: &'static str,
    /// Commit it was built from; `unknown` where there was no repository.
    pub commit: &'static str,
    /// A new one with every start.
    pub instance: String,
    /// Who signs.
    pub pubkey: String,
    /// The cluster's name.
    pub cluster: String,
    /// Its genesis hash.
    pub genesis_hash: String,
    /// When it was started.
    pub started_secs: i64,
    /// `observe`, `paper`, `reducing`, `active` or `halted`.
    pub mode: String,
    /// Why.
    pub mode_reason: String,
    /// Time between two ticks of the stream.
    pub heartbeat_ms: u64,
    /// The journal.
    pub journal: JournalView,
    /// The wallet.
    pub wallet: WalletView,
}

/// The stream from the chain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StreamView {
    /// `live`, or `stalled`.
    pub state: &'static str,
    /// Time since the newest slot was seen.
    pub lag_ms: u64,
}

/// A node, by name: its URL holds keys.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EndpointView {
    /// Its name.
    pub name: String,
    /// `ok`, `behind` or `silent`.
    pub state: &'static str,
    /// Newest slot from it.
    pub slot: u64,
    /// How long it takes to answer; `null`: not measured.
    pub latency_ms: Option<u64>,
}

/// The keeper's work in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Positions known.
    pub positions: usize,
    /// Something is due and possible.
    pub due: usize,
    /// Something is due and not possible.
    pub blocked: usize,
    /// Actions in flight.
    pub in_flight: usize,
    /// Actions that wait for others to end.
    pub waiting: usize,
}

/// A market, by name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MarketName {
    /// Its address.
    pub market: String,
    /// `BASE/QUOTE`.
    pub name: String,
    /// Name of the base token.
    pub base: String,
    /// Name of the quote token.
    pub quote: String,
    /// Its risk stage.
    pub stage: u8,
    /// The oracle's price; `null`: there is none.
    pub price: Option<f64>,
    /// The pool's price; `null`: the market has not been read yet.
    pub pool_price: Option<f64>,
    /// Positions known.
    pub positions: usize,
}

/// Everything about the keeper.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatusView {
    /// Version of the API.
    pub api: &'static str,
    /// Of the answer.
    pub version: u64,
    /// The keeper's clock.
    pub now: f64,
    /// Newest slot.
    pub slot: u64,
    /// Time since it was seen.
    pub slot_age_ms: u64,
    /// The keeper.
    pub keeper: KeeperView,
    /// The stream.
    pub stream: StreamView,
    /// Nodes.
    pub endpoints: Vec<EndpointView>,
    /// Work.
    pub counts: Counts,
    /// Red flags.
    pub red_flags: RedFlags,
    /// The newest overrides, oldest first.
    pub overrides: Vec<Override>,
    /// Markets.
    pub markets: Vec<MarketName>,
    /// Where a transaction is shown: a template with `{signature}`.
    pub explorer: Option<String>,
}
