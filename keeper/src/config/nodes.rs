//! More nodes than one.

use std::{collections::BTreeSet, time::Duration};

use ballast_client::{Endpoint, NodesConfig};
use serde::{Deserialize, Serialize};

use super::{ConfigError, check::require};

/// Further nodes of the same cluster, and how all of them are asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nodes {
    /// JSON-RPC endpoints beside `rpc_url`.
    pub more_rpc_urls: Vec<Endpoint>,
    /// Websocket endpoints beside `ws_url`.
    pub more_ws_urls: Vec<Endpoint>,
    /// How they are asked.
    pub asked: NodesConfig,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawNodes {
    more_rpc_urls: Vec<String>,
    more_ws_urls: Vec<String>,
    patience_ms: u64,
    lag_slots: u64,
    alone_after_secs: u64,
}

impl Default for RawNodes {
    fn default() -> Self {
        Self {
            more_rpc_urls: Vec::new(),
            more_ws_urls: Vec::new(),
            patience_ms: 1_000,
            lag_slots: 25,
            alone_after_secs: 60,
        }
    }
}

impl From<RawNodes> for Nodes {
    fn from(raw: RawNodes) -> Self {
        Self {
            more_rpc_urls: raw.more_rpc_urls.into_iter().map(Endpoint::new).collect(),
            more_ws_urls: raw.more_ws_urls.into_iter().map(Endpoint::new).collect(),
            asked: NodesConfig {
                patience: Duration::from_millis(raw.patience_ms),
                lag_slots: raw.lag_slots,
                alone_after: Duration::from_secs(raw.alone_after_secs),
            },
        }
    }
}

impl Nodes {
    pub(super) fn check(&self, rpc_url: &Endpoint) -> Result<(), ConfigError> {
        let are = |urls: &[Endpoint], schemes: [&str; 2]| {
            urls.iter().all(|url| {
                schemes
                    .iter()
                    .any(|scheme| url.expose().starts_with(scheme))
            })
        };
        require(
            are(&self.more_rpc_urls, ["http://", "https://"]),
            "nodes.more_rpc_urls",
            "has one that is not an http address",
            "write http://HOST:PORT or https://HOST",
        )?;
        require(
            are(&self.more_ws_urls, ["ws://", "wss://"]),
            "nodes.more_ws_urls",
            "has one that is not a websocket address",
            "write ws://HOST:PORT or wss://HOST",
        )?;
        let all = [rpc_url].into_iter().chain(&self.more_rpc_urls);
        let apart: BTreeSet<&str> = all.map(|url| url.expose().trim_end_matches('/')).collect();
        require(
            apart.len() == self.more_rpc_urls.len() + 1,
            "nodes.more_rpc_urls",
            "names a node twice, or that of rpc_url",
            "name other nodes: two of them decide what became of a transaction",
        )?;
        require(
            self.more_rpc_urls.len() <= 7 && self.more_ws_urls.len() <= 7,
            "nodes.more_rpc_urls",
            "or nodes.more_ws_urls has too many",
            "use at most 7 of each",
        )?;
        require(
            (Duration::from_millis(100)..=Duration::from_secs(10)).contains(&self.asked.patience),
            "nodes.patience_ms",
            "is out of range",
            "use 100 to 10000",
        )?;
        require(
            (5..=150).contains(&self.asked.lag_slots),
            "nodes.lag_slots",
            "is out of range",
            "use 5 to 150",
        )?;
        require(
            (Duration::from_secs(10)..=Duration::from_secs(86_400))
                .contains(&self.asked.alone_after),
            "nodes.alone_after_secs",
            "is out of range",
            "use 10 to 86400",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mode, sim::config};

    #[test]
    fn two_opinions_are_of_two_nodes() {
        let mut config = config(Mode::Active);
        let checked = |config: &crate::Config| config.check().map_err(|error| error.to_string());
        let name = |urls: &[&str]| urls.iter().map(|url| Endpoint::from(*url)).collect();
        config.nodes.more_rpc_urls = name(&["https://other.example/KEY-123456"]);
        assert_eq!(checked(&config), Ok(()));
        for wrong in [
            &["ws://other.example"][..],
            &["http://simulation/"],
            &["https://other.example", "https://other.example/"],
            &[
                "http://a", "http://b", "http://c", "http://d", "http://e", "http://f", "http://g",
                "http://h",
            ],
        ] {
            config.nodes.more_rpc_urls = name(wrong);
            let refused = checked(&config).unwrap_err();
            assert!(refused.contains("nodes.more_rpc_urls"), "{refused}");
        }
        config.nodes.more_rpc_urls = Vec::new();
        config.nodes.more_ws_urls = name(&["http://other.example"]);
        assert!(checked(&config).unwrap_err().contains("nodes.more_ws_urls"));
    }

    #[test]
    fn what_is_left_out_is_as_by_default() {
        assert_eq!(Nodes::from(RawNodes::default()), Nodes::default());
    }
}
