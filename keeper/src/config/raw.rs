//! A configuration as it is written.

use std::{collections::BTreeMap, path::PathBuf};

use anchor_client::Cluster;
use ballast_client::{Endpoint, parse_cluster};
use serde::{Deserialize, Serialize};

use super::{
    Config, ConfigError, Fees, Flags, Mode, POOL_PROGRAMS, address, api, automation, budgets,
    bundles, feed, fees, flags, hedge, history, invalid, liquidation, markets, nodes, notify,
    prices, shards, signer, timing,
};

/// Sections in the order in which the example has them.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawConfig {
    /// Required, but perhaps not in the file.
    rpc_url: Option<String>,
    ws_url: Option<String>,
    keypair: Option<PathBuf>,
    #[serde(default)]
    mode: Mode,
    /// As `rpc_url`.
    journal_dir: Option<PathBuf>,
    #[serde(default = "default_in_flight")]
    max_in_flight: usize,
    pool_programs: Option<Vec<String>>,
    #[serde(default)]
    markets: Vec<markets::RawMarket>,
    #[serde(default)]
    signer: signer::RawSigner,
    #[serde(default)]
    timing: timing::RawTiming,
    #[serde(default)]
    fees: fees::RawFees,
    #[serde(default)]
    bundles: bundles::RawBundles,
    #[serde(default)]
    liquidation: liquidation::RawLiquidation,
    #[serde(default)]
    automation: automation::RawAutomation,
    #[serde(default)]
    history: history::RawHistory,
    #[serde(default)]
    prices: prices::RawPrices,
    #[serde(default)]
    nodes: nodes::RawNodes,
    #[serde(default)]
    budgets: budgets::RawBudgets,
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

fn default_in_flight() -> usize {
    32
}

impl RawConfig {
    /// What it says, checked.
    pub(super) fn read(self) -> Result<Config, ConfigError> {
        let rpc_url = self.rpc_url.ok_or_else(|| {
            let fix = "write the node's http://HOST:PORT or https://HOST";
            invalid("rpc_url", "is missing", fix)
        })?;
        let journal_dir = self.journal_dir.ok_or_else(|| {
            let fix = "name a directory that only this keeper uses";
            invalid("journal_dir", "is missing", fix)
        })?;
        let cluster: Cluster = parse_cluster(&rpc_url).map_err(|problem| {
            invalid(
                "rpc_url",
                problem,
                "and ws_url where the websocket is elsewhere",
            )
        })?;
        let mut markets = Vec::with_capacity(self.markets.len());
        let mut pair_pools = BTreeMap::new();
        for (index, market) in self.markets.iter().enumerate() {
            let (market, pools) = market.read(index)?;
            if !pools.is_empty() {
                pair_pools.insert(market.address, pools);
            }
            markets.push(market);
        }
        let pool_programs = match self.pool_programs {
            Some(programs) => {
                let read = programs
                    .iter()
                    .map(|program| address("pool_programs", program));
                read.collect::<Result<_, _>>()?
            }
            None => POOL_PROGRAMS.to_vec(),
        };
        let fees = Fees::from(self.fees);
        let config = Config {
            rpc_url: cluster.url().into(),
            ws_url: self
                .ws_url
                .map_or_else(|| cluster.ws_url().into(), Endpoint::new),
            keypair: self.keypair,
            signer: self.signer.read()?,
            mode: self.mode,
            journal_dir,
            max_in_flight: self.max_in_flight,
            pool_programs,
            markets,
            timing: self.timing.into(),
            fees,
            bundles: self.bundles.try_into()?,
            liquidation: self.liquidation.into(),
            automation: self.automation.into(),
            history: self.history.try_into()?,
            prices: self.prices.into(),
            nodes: self.nodes.into(),
            budgets: self.budgets.into(),
            feed: self.feed.into(),
            flags: Flags::new(
                self.flags,
                &self.contingency,
                pair_pools,
                fees.warn_below_lamports,
            ),
            hedge: self.hedge.read()?,
            shards: self.shards.read()?,
            notify: self.notify.into(),
            api: self.api.try_into()?,
        };
        config.check()?;
        Ok(config)
    }
}
