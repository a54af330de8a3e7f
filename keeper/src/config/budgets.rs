//! How much each node may be asked.

use std::collections::{BTreeMap, BTreeSet};

use ballast_client::{Endpoint, RpcBudget};
use ballast_model::Bps;
use serde::{Deserialize, Serialize};

use super::{ConfigError, check::require};

/// What a provider allows, for each node by itself. By default there are no bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets {
    /// Of each node that is not named.
    pub usual: RpcBudget,
    /// By host and port, as a URL has them.
    pub of_hosts: BTreeMap<String, RpcBudget>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawBudgets {
    per_second: u32,
    per_hour: u32,
    reserved_bps: u32,
    hosts: BTreeMap<String, RawHost>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawHost {
    per_second: Option<u32>,
    per_hour: Option<u32>,
    reserved_bps: Option<u32>,
}

impl Default for RawBudgets {
    fn default() -> Self {
        let usual = RpcBudget::default();
        Self {
            per_second: usual.per_second,
            per_hour: usual.per_hour,
            reserved_bps: usual.reserved_bps,
            hosts: BTreeMap::new(),
        }
    }
}

impl From<RawBudgets> for Budgets {
    fn from(raw: RawBudgets) -> Self {
        let usual = RpcBudget {
            per_second: raw.per_second,
            per_hour: raw.per_hour,
            reserved_bps: raw.reserved_bps,
        };
        let of_host = |host: &RawHost| RpcBudget {
            per_second: host.per_second.unwrap_or(usual.per_second),
            per_hour: host.per_hour.unwrap_or(usual.per_hour),
            reserved_bps: host.reserved_bps.unwrap_or(usual.reserved_bps),
        };
        let hosts = raw.hosts.iter();
        Self {
            usual,
            of_hosts: hosts
                .map(|(host, raw)| (host.to_lowercase(), of_host(raw)))
                .collect(),
        }
    }
}

/// Host and port of a node.
fn host(endpoint: &Endpoint) -> String {
    let shown = endpoint.to_string().to_lowercase();
    let host = shown.split_once("://");
    let host = host.map_or(shown.as_str(), |(_, rest)| rest);
    host.trim_end_matches('/').to_owned()
}

impl Budgets {
    /// Of a node.
    pub fn of(&self, endpoint: &Endpoint) -> RpcBudget {
        let own = self.of_hosts.get(&host(endpoint));
        own.copied().unwrap_or(self.usual)
    }

    /// `endpoints`: the nodes that there are.
    pub(super) fn check<'a>(
        &self,
        endpoints: impl Iterator<Item = &'a Endpoint>,
    ) -> Result<(), ConfigError> {
        let hosts: BTreeSet<String> = endpoints.map(host).collect();
        for named in self.of_hosts.keys() {
            require(
                hosts.contains(named),
                "budgets.hosts",
                &format!("names {named}, which is no node's"),
                "write HOST or HOST:PORT as in rpc_url or nodes.more_rpc_urls",
            )?;
        }
        for budget in [&self.usual].into_iter().chain(self.of_hosts.values()) {
            require(
                budget.reserved_bps <= Bps::ONE.get() / 2,
                "budgets.reserved_bps",
                "leaves less than half for everything else",
                "use at most 5000",
            )?;
            let bounded = |most: u32, least: u32| most == 0 || most >= least;
            require(
                bounded(budget.per_second, 4),
                "budgets.per_second",
                "is too little to follow a market",
                "use at least 4, or 0 for no bound",
            )?;
            require(
                bounded(budget.per_hour, 7_200),
                "budgets.per_hour",
                "is too little to follow a market",
                "use at least 7200, or 0 for no bound",
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mode, sim::config};

    #[test]
    fn what_is_left_out_is_as_by_default_and_without_bounds() {
        assert_eq!(Budgets::from(RawBudgets::default()), Budgets::default());
    }

    #[test]
    fn a_node_is_found_by_its_host() {
        let text = "per_second = 10\n[hosts.\"Node.example\"]\nper_second = 50\n[hosts.\"127.0.0.1:8899\"]\nper_hour = 9000\n";
        let raw: RawBudgets = toml::from_str(text).unwrap();
        let budgets = Budgets::from(raw);
        let of = |url: &str| {
            let budget = budgets.of(&url.into());
            (budget.per_second, budget.per_hour)
        };
        assert_eq!(of("https://node.example/KEY-0123456789"), (50, 0));
        assert_eq!(of("http://127.0.0.1:8899"), (10, 9_000));
        assert_eq!(of("https://other.example"), (10, 0));
    }

    #[test]
    fn budgets_that_starve_or_are_nobodys_are_refused() {
        let with = |change: fn(&mut Budgets)| {
            let mut config = config(Mode::Active);
            change(&mut config.budgets);
            config.check().map_err(|error| error.to_string())
        };
        assert_eq!(with(|budgets| budgets.usual.per_second = 4), Ok(()));
        type Change = fn(&mut Budgets);
        let changes: [(Change, &str); 4] = [
            (|budgets| budgets.usual.per_second = 3, "budgets.per_second"),
            (|budgets| budgets.usual.per_hour = 7_199, "budgets.per_hour"),
            (
                |budgets| budgets.usual.reserved_bps = 5_001,
                "budgets.reserved_bps",
            ),
            (
                |budgets| {
                    let host = "nobody.example".to_owned();
                    budgets.of_hosts.insert(host, RpcBudget::default());
                },
                "nobody.example",
            ),
        ];
        for (change, key) in changes {
            let refused = with(change).unwrap_err();
            assert!(refused.contains(key), "{key}: {refused}");
        }
    }
}
