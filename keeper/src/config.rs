//! Configuration of a keeper: a TOML file. Unknown keys are errors, and every error names the key and the fix.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use anchor_client::Cluster;
use ballast_abi::clusters;
use ballast_client::{Endpoint, parse_cluster};
use ballast_model::Amounts;
use serde::Deserialize;
use solana_sdk::pubkey::Pubkey;

mod api;
mod automation;
mod check;
mod error;
mod feed;
mod flags;
mod hedge;
mod history;
mod malformed;
mod nodes;
mod notify;
mod prices;
mod shards;

pub use api::Api;
pub use automation::Automation;
pub use error::ConfigError;
pub use feed::Feed;
pub use flags::Flags;
pub use hedge::{Hedge, HedgeLease, HedgeVenue, PaperTerms, Perp};
pub use history::History;
pub use nodes::Nodes;
pub use notify::Notify;
pub use prices::Prices;
pub use shards::Shards;

pub use crate::control::Mode;

/// A checked configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// JSON-RPC endpoint, `http://` or `https://`.
    pub rpc_url: Endpoint,
    /// Websocket endpoint, `ws://` or `wss://`.
    pub ws_url: Endpoint,
    /// Key that pays and signs, as a file of the usual JSON array. Never read in observe mode if absent.
    pub keypair: Option<PathBuf>,
    /// What the keeper may do.
    pub mode: Mode,
    /// Directory of the journal; created if missing. One keeper per directory.
    pub journal_dir: PathBuf,
    /// Most actions in flight at a time.
    pub max_in_flight: usize,
    /// Pool programs whose markets are served. Their code runs in transactions that the keeper signs: others' markets are
    /// left alone.
    pub pool_programs: Vec<Pubkey>,
    /// Markets to look after, at least one.
    pub markets: Vec<MarketConfig>,
    /// Intervals.
    pub timing: Timing,
    /// Priority fees.
    pub fees: Fees,
    /// Whether and with how much the keeper liquidates.
    pub liquidation: Liquidation,
    /// Recentering, compounding and risk stages.
    pub automation: Automation,
    /// What has become of positions.
    pub history: History,
    /// Prices newer than those of the price accounts.
    pub prices: Prices,
    /// Nodes beside that of `rpc_url`.
    pub nodes: Nodes,
    /// Which service streams what changes.
    pub feed: Feed,
    /// Red flags and contingency.
    pub flags: Flags,
    /// The hedge on a venue; `None`: positions are hedged on the chain alone.
    pub hedge: Option<Hedge>,
    /// The group of keepers between which positions are shared out; `None`: this one acts for all.
    pub shards: Option<Shards>,
    /// Whom to tell what a person should know.
    pub notify: Notify,
    /// The HTTP interface.
    pub api: Api,
}

/// A market and the price accounts to use for it: the market itself only knows the feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketConfig {
    /// The market's account.
    pub address: Pubkey,
    /// Account with the base token's price.
    pub base_price: Pubkey,
    /// Account with the quote token's price.
    pub quote_price: Pubkey,
    /// The market's lookup table; `None`: the one that its authority owns is searched for.
    pub lookup_table: Option<Pubkey>,
    /// Whether the pool program can move an empty position to other ticks. If it turns out that it cannot, positions are
    /// replaced all the same.
    pub pool_can_reset_range: bool,
    /// What is kept ready to bring its positions back to their targets after a gap, raw units; `None`: nobody said.
    pub buffer: Option<Amounts>,
}

/// Intervals and horizons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// How often an action in flight is looked up.
    pub poll_interval: Duration,
    /// How often the same bytes are sent again until they land or expire.
    pub resend_interval: Duration,
    /// How often a market's own accounts are read, whatever the stream says.
    pub refresh: Duration,
    /// Without any message for this long the stream counts as broken.
    pub watchdog: Duration,
    /// How often all positions are read anew even if the stream looks fine.
    pub resync: Duration,
    /// How long a quiet interval is relied on; debts are grown to its end.
    pub horizon_secs: u32,
    /// First pause after a failure of a position's action; doubles with each further one.
    pub backoff_first: Duration,
    /// Longest such pause.
    pub backoff_max: Duration,
}

/// Priority fees, in millionths of a lamport per compute unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fees {
    /// Paid when there is no hurry.
    pub min_micro_lamports: u64,
    /// Paid at the boundary. Never more.
    pub max_micro_lamports: u64,
    /// Most that one transaction's priority fee may cost, whatever the above.
    pub max_lamports_per_action: u64,
    /// Most that all transactions of an hour may cost.
    pub max_lamports_per_hour: u64,
    /// The part of that which is kept for exits, deleverages and liquidations.
    pub reserved_lamports_per_hour: u64,
    /// With less SOL than this the keeper warns.
    pub warn_below_lamports: u64,
    /// Price distance to the liquidation boundary from which the fee begins to rise.
    pub relaxed_distance_bps: u32,
    /// Price distance to the liquidation boundary within which nothing is simulated before it is sent.
    pub urgent_distance_bps: u32,
    /// Time in which a usual move reaches the boundary, from which the fee begins to rise as well.
    pub relaxed_secs: u32,
    /// Such a time within which nothing is simulated before it is sent.
    pub urgent_secs: u32,
    /// Most of what a liquidation would take that one transaction's priority fee may cost, where that is known in SOL.
    pub max_stake_bps: u32,
}

/// Liquidations by this keeper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Liquidation {
    /// Whether to liquidate at all.
    pub enabled: bool,
    /// Most paid in by one liquidation, raw units.
    pub max_pay: Amounts,
    /// Least gained by one, raw quote units: more than its transaction costs.
    pub min_gain: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    rpc_url: String,
    ws_url: Option<String>,
    keypair: Option<PathBuf>,
    #[serde(default)]
    mode: Mode,
    journal_dir: PathBuf,
    #[serde(default = "default_in_flight")]
    max_in_flight: usize,
    pool_programs: Option<Vec<String>>,
    #[serde(default)]
    markets: Vec<RawMarket>,
    #[serde(default)]
    timing: RawTiming,
    #[serde(default)]
    fees: RawFees,
    #[serde(default)]
    liquidation: RawLiquidation,
    #[serde(default)]
    automation: automation::RawAutomation,
    #[serde(default)]
    history: history::RawHistory,
    #[serde(default)]
    prices: prices::RawPrices,
    #[serde(default)]
    nodes: nodes::RawNodes,
    #[serde(default)]
    feed: feed::RawFeed,
    #[serde(default)]
    flags: flags::RawFlags,
    #[serde(default)]
    contingency: flags::RawContingency,
    #[serde(default)]
    hedge: hedge::RawHedge,
    #[serde(default)]
    shards: shards::RawShards,
    #[serde(default)]
    notify: notify::RawNotify,
    #[serde(default)]
    api: api::RawApi,
}

/// Orca's pool programs, the upgradeable and the immutable one.
pub const POOL_PROGRAMS: [Pubkey; 2] = [clusters::WHIRLPOOL, clusters::WHIRLPOOL_IMMUTABLE];
/// What a signature costs.
pub(crate) const SIGNATURE_LAMPORTS: u64 = 5_000;
/// With less than these may cost the keeper warns, unless the configuration names another amount.
const ACTIONS_TO_AFFORD: u64 = 20;

fn default_in_flight() -> usize {
    32
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawMarket {
    address: String,
    base_price: String,
    quote_price: String,
    lookup_table: Option<String>,
    #[serde(default = "yes")]
    pool_can_reset_range: bool,
    buffer_base: Option<u64>,
    buffer_quote: Option<u64>,
    #[serde(default)]
    pair_pools: Vec<String>,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawTiming {
    poll_interval_ms: u64,
    resend_interval_ms: u64,
    refresh_interval_ms: u64,
    watchdog_secs: u64,
    resync_secs: u64,
    horizon_secs: u32,
    backoff_first_ms: u64,
    backoff_max_secs: u64,
}

impl Default for RawTiming {
    fn default() -> Self {
        Self {
            poll_interval_ms: 400,
            resend_interval_ms: 2_000,
            refresh_interval_ms: 1_000,
            watchdog_secs: 5,
            resync_secs: 300,
            horizon_secs: 600,
            backoff_first_ms: 500,
            backoff_max_secs: 60,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawFees {
    min_micro_lamports: u64,
    max_micro_lamports: u64,
    max_lamports_per_action: u64,
    max_lamports_per_hour: u64,
    reserved_lamports_per_hour: Option<u64>,
    warn_below_lamports: Option<u64>,
    relaxed_distance_bps: u32,
    urgent_distance_bps: u32,
    relaxed_secs: u32,
    urgent_secs: u32,
    max_stake_bps: u32,
}

impl Default for RawFees {
    fn default() -> Self {
        Self {
            min_micro_lamports: 1_000,
            max_micro_lamports: 1_000_000,
            max_lamports_per_action: 200_000,
            max_lamports_per_hour: 1_000_000_000,
            reserved_lamports_per_hour: None,
            warn_below_lamports: None,
            relaxed_distance_bps: 1_000,
            urgent_distance_bps: 100,
            relaxed_secs: 21_600,
            urgent_secs: 600,
            max_stake_bps: 1_000,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawLiquidation {
    enabled: bool,
    max_pay_base: u64,
    max_pay_quote: u64,
    min_gain: u64,
}

impl Default for RawLiquidation {
    fn default() -> Self {
        Self {
            enabled: false,
            max_pay_base: 0,
            max_pay_quote: 0,
            min_gain: 10_000,
        }
    }
}

fn invalid(key: impl Into<String>, problem: impl Into<String>, fix: &'static str) -> ConfigError {
    ConfigError::Invalid {
        key: key.into(),
        problem: problem.into(),
        fix,
    }
}

/// What is no address is not repeated: it may be a URL with a key in it.
fn address(key: &str, text: &str) -> Result<Pubkey, ConfigError> {
    Pubkey::from_str(text).map_err(|_| {
        invalid(
            key,
            "is not an address",
            "write a base58 account address of 32 bytes",
        )
    })
}

impl Config {
    /// Reads and checks a file. Relative paths in it are relative to the file's directory.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|error| ConfigError::Unreadable {
            path: path.to_owned(),
            error,
        })?;
        let mut config = Self::parse(&text).map_err(|error| ConfigError::InFile {
            path: path.to_owned(),
            error: Box::new(error),
        })?;
        let directory = path.parent().unwrap_or(Path::new("."));
        config.journal_dir = directory.join(&config.journal_dir);
        config.history.relative_to(directory);
        config.feed.relative_to(directory);
        if let Some(hedge) = &mut config.hedge {
            hedge.relative_to(directory);
        }
        config.keypair = config.keypair.map(|keypair| directory.join(keypair));
        config.api.read_token = config.api.read_token.map(|token| directory.join(token));
        Ok(config)
    }

    /// Parses and checks the text of a configuration.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let raw: RawConfig =
            toml::from_str(text).map_err(|error| malformed::explain(text, &error))?;
        let cluster: Cluster = parse_cluster(&raw.rpc_url).map_err(|problem| {
            invalid(
                "rpc_url",
                problem,
                "and ws_url where the websocket is elsewhere",
            )
        })?;
        let mut markets = Vec::with_capacity(raw.markets.len());
        let mut pair_pools = BTreeMap::new();
        for (index, market) in raw.markets.iter().enumerate() {
            let key = |name: &str| format!("markets[{index}].{name}");
            let of_market = address(&key("address"), &market.address)?;
            let pools = market.pair_pools.iter();
            let pools = pools.map(|pool| address(&key("pair_pools"), pool));
            let pools: Vec<Pubkey> = pools.collect::<Result<_, _>>()?;
            if !pools.is_empty() {
                pair_pools.insert(of_market, pools);
            }
            markets.push(MarketConfig {
                address: of_market,
                base_price: address(&key("base_price"), &market.base_price)?,
                quote_price: address(&key("quote_price"), &market.quote_price)?,
                lookup_table: match &market.lookup_table {
                    Some(table) => Some(address(&key("lookup_table"), table)?),
                    None => None,
                },
                pool_can_reset_range: market.pool_can_reset_range,
                buffer: match (market.buffer_base, market.buffer_quote) {
                    (None, None) => None,
                    (base, quote) => Some(Amounts {
                        base: base.unwrap_or(0),
                        quote: quote.unwrap_or(0),
                    }),
                },
            });
        }
        let pool_programs = match raw.pool_programs {
            Some(programs) => {
                let read = programs
                    .iter()
                    .map(|program| address("pool_programs", program));
                read.collect::<Result<_, _>>()?
            }
            None => POOL_PROGRAMS.to_vec(),
        };
        let fees = Fees::from(raw.fees);
        let config = Self {
            rpc_url: cluster.url().into(),
            ws_url: raw
                .ws_url
                .map_or_else(|| cluster.ws_url().into(), Endpoint::new),
            keypair: raw.keypair,
            mode: raw.mode,
            journal_dir: raw.journal_dir,
            max_in_flight: raw.max_in_flight,
            pool_programs,
            markets,
            timing: raw.timing.into(),
            fees,
            liquidation: Liquidation {
                enabled: raw.liquidation.enabled,
                max_pay: Amounts {
                    base: raw.liquidation.max_pay_base,
                    quote: raw.liquidation.max_pay_quote,
                },
                min_gain: raw.liquidation.min_gain,
            },
            automation: raw.automation.into(),
            history: raw.history.try_into()?,
            prices: raw.prices.into(),
            nodes: raw.nodes.into(),
            feed: raw.feed.into(),
            flags: Flags::new(
                raw.flags,
                &raw.contingency,
                pair_pools,
                fees.warn_below_lamports,
            ),
            hedge: raw.hedge.read()?,
            shards: raw.shards.read()?,
            notify: raw.notify.into(),
            api: raw.api.try_into()?,
        };
        config.check()?;
        Ok(config)
    }
}

impl From<RawTiming> for Timing {
    fn from(raw: RawTiming) -> Self {
        Self {
            poll_interval: Duration::from_millis(raw.poll_interval_ms),
            resend_interval: Duration::from_millis(raw.resend_interval_ms),
            refresh: Duration::from_millis(raw.refresh_interval_ms),
            watchdog: Duration::from_secs(raw.watchdog_secs),
            resync: Duration::from_secs(raw.resync_secs),
            horizon_secs: raw.horizon_secs,
            backoff_first: Duration::from_millis(raw.backoff_first_ms),
            backoff_max: Duration::from_secs(raw.backoff_max_secs),
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        RawTiming::default().into()
    }
}

impl From<RawFees> for Fees {
    fn from(raw: RawFees) -> Self {
        Self {
            min_micro_lamports: raw.min_micro_lamports,
            max_micro_lamports: raw.max_micro_lamports,
            max_lamports_per_action: raw.max_lamports_per_action,
            max_lamports_per_hour: raw.max_lamports_per_hour,
            reserved_lamports_per_hour: raw
                .reserved_lamports_per_hour
                .unwrap_or(raw.max_lamports_per_hour / 2),
            warn_below_lamports: raw.warn_below_lamports.unwrap_or_else(|| {
                let action = raw
                    .max_lamports_per_action
                    .saturating_add(SIGNATURE_LAMPORTS);
                action.saturating_mul(ACTIONS_TO_AFFORD)
            }),
            relaxed_distance_bps: raw.relaxed_distance_bps,
            urgent_distance_bps: raw.urgent_distance_bps,
            relaxed_secs: raw.relaxed_secs,
            urgent_secs: raw.urgent_secs,
            max_stake_bps: raw.max_stake_bps,
        }
    }
}

impl Default for Fees {
    fn default() -> Self {
        RawFees::default().into()
    }
}

#[cfg(test)]
mod tests;
