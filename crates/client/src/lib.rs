//! Everything off-chain code needs to talk to the Ballast program: addresses, instructions, decoded accounts, a market
//! snapshot as pure values, transactions with lookup tables, a sender that classifies what became of them, and events.
//!
//! How the parts fit:
//!
//! 1. [`Chain`] is what is asked of a cluster; [`RpcChain`] is a JSON-RPC node, [`Nodes`] several. Tests have an in-process one.
//! 2. [`MarketContext::load`] fetches a market once; it holds every address that instructions of this market share.
//! 3. [`instruction`] builds instructions from a [`MarketContext`] and a [`PositionContext`] (or, before a position
//!    exists, its [`PositionAddresses`]).
//! 4. [`MarketContext::snapshot`] reads market, reserves, pool and prices at one slot; [`MarketSnapshot::position`] turns a
//!    stored position into a [`ballast_model::Position`] with debts grown to a given time.
//! 5. [`Sender::prepare`] simulates, sets compute limit and fee and signs; [`Sender::deliver`] sends the same bytes until
//!    the outcome is known, by a [`Lane`]: the nodes, or a block engine with the nodes behind it. [`Sender::send`] does both and
//!    expects success.
//!
//! Units: raw token units, prices as square roots of raw quote per raw base in Q64.64, ratios in basis points, times in
//! Unix seconds.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

mod account;
mod agreement;
mod chain;
mod cluster;
mod deployed;
mod endpoint;
mod event;
mod failure;
mod fate;
pub mod instruction;
mod lane;
mod logs;
pub mod lookup_table;
mod market;
mod nodes;
mod outcome;
pub mod pda;
mod policy;
mod position;
pub mod posting;
mod recorded;
mod request;
mod reward;
mod rpc;
mod sender;
mod signing;
mod snapshot;
mod standing;
mod token_account;
mod transaction;

pub use account::{DecodeError, ProgramAccount, decode, decode_any_version, decode_at, existing};
pub use agreement::{Agreement, Claim, Claimed, Difference};
pub use anchor_client::Cluster;
pub use ballast::{
    self, Automation, DecreaseArgs, Health, IncreaseArgs, InitMarketArgs, KeeperRules, MarketMode,
    MarketParams, OpenArgs, OracleSource, Policy, RecenterArgs, ReserveParams, RulesSinceVersion2,
    SafetyRules, StageRules,
    errors::BallastError,
    state::{Entry, Limits, Market, OracleChange, OracleRules, Position, Reaction, Reserve},
};
pub use chain::{
    AccountFilter, Accounts, Blockhash, Chain, ChainError, ClusterClock, Confirmation,
    EXPIRY_MARGIN, Expiry, OwnedAccounts, PastTransaction, Simulation, Standing, TransactionRecord,
    TransactionStatus,
};
pub use cluster::{CLUSTERS, parse_cluster};
pub use deployed::sources_of;
pub use endpoint::{Endpoint, HIDDEN};
pub use event::BallastEvent;
pub use failure::{Cause, Failure};
pub use fate::{Fate, await_fate, fate};
pub use lane::{
    BundleConfig, BundleLane, BundleTraffic, Fallback, FallbackReason, Lane, OnFallback, PlainLane,
    tip_instruction, tip_lamports,
};
pub use logs::{is_truncated, lines_of};
pub use market::{MarketContext, MarketError, PoolAddresses, SwapPath, TokenContext, Wallet};
pub use nodes::{Condition, NodeSeen, Nodes, NodesConfig, Reach};
pub use outcome::{Outcome, Receipt, Rehearsed, SendError};
pub use policy::{
    default_policy, highest_trigger_down, opening_warning, rehedge_warning, trigger_warning,
};
pub use position::{PositionAddresses, PositionContext, Positions, markets};
pub use recorded::{RecordedChain, RecordedError};
pub use request::{ComputeLimit, PriorityFee, Request, SenderConfig};
pub use reward::Reward;
pub use rpc::{OnRetry, Retry, RpcBudget, RpcChain, RpcConfig, Traffic, protecting};
pub use sender::Sender;
pub use signing::{Payer, RemoteSigner, SignError, SignerAddress, SignerConfig, TransactionSigner};
pub use snapshot::LoadError;
pub use token_account::TokenAccount;
pub use transaction::{BuildError, MAX_TRANSACTION_BYTES, Prepared, build};

pub use ballast_model::{Amounts, Band, Bps, Side, SqrtPrice, Tick, Trade};
pub use ballast_snapshot::{MarketSnapshot, PoolState, PriceAccounts, SnapshotError, position_in};
pub use solana_sdk::{
    account::Account,
    instruction::Instruction,
    message::AddressLookupTableAccount,
    pubkey::Pubkey,
    signature::{Keypair, Signature},
    signer::Signer,
    transaction::VersionedTransaction,
};
