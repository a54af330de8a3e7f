//! The section as it is written.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use ballast_history::store::Postgres;
use ballast_venue::hyperliquid::{bytes::Address, sign::Network};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use solana_sdk::pubkey::Pubkey;

use super::{Hedge, HedgeLease, HedgeVenue, PaperTerms, Perp};
use crate::config::{ConfigError, address, check::require, invalid};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum RawVenue {
    #[default]
    Off,
    Paper,
    Hyperliquid,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::config) struct RawHedge {
    venue: RawVenue,
    network: Option<String>,
    url: Option<String>,
    account: Option<String>,
    agent_key: Option<PathBuf>,
    owners: Vec<String>,
    perps: Vec<RawPerp>,
    every_ms: u64,
    order_ms: u64,
    cap_bps: Decimal,
    depth_share: Decimal,
    max_deviation_bps: Decimal,
    max_snapshot_age_secs: u64,
    max_price_age_secs: u32,
    chain_patience_secs: u64,
    max_loss: Option<Decimal>,
    max_fees_per_day: Option<Decimal>,
    lease_url: Option<String>,
    lease_member: Option<String>,
    paper_deposit: Decimal,
    paper_spread_bps: Decimal,
    paper_depth: Decimal,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawPerp {
    coin: String,
    markets: Vec<String>,
    band: Decimal,
    risk_aversion: Option<Decimal>,
    max_position: Decimal,
}

impl Default for RawHedge {
    fn default() -> Self {
        Self {
            venue: RawVenue::Off,
            network: None,
            url: None,
            account: None,
            agent_key: None,
            owners: Vec::new(),
            perps: Vec::new(),
            every_ms: 3_000,
            order_ms: 5_000,
            cap_bps: Decimal::from(30),
            depth_share: Decimal::new(5, 1),
            max_deviation_bps: Decimal::ONE_HUNDRED,
            max_snapshot_age_secs: 10,
            max_price_age_secs: 90,
            chain_patience_secs: 60,
            max_loss: None,
            max_fees_per_day: None,
            lease_url: None,
            lease_member: None,
            paper_deposit: Decimal::from(100_000),
            paper_spread_bps: Decimal::from(4),
            paper_depth: Decimal::from(1_000_000),
        }
    }
}

impl RawHedge {
    /// What it says; `None`: there is no hedge.
    pub(in crate::config) fn read(self) -> Result<Option<Hedge>, ConfigError> {
        if self.venue == RawVenue::Off {
            let idle = self.account.is_none() && self.agent_key.is_none() && self.perps.is_empty();
            return require(
                idle,
                "hedge.venue",
                "is off, but what is hedged is said",
                "set venue = \"paper\" or \"hyperliquid\", or leave the section out",
            )
            .map(|()| None);
        }
        let account = match (&self.account, self.venue) {
            (Some(text), _) => text.parse().map_err(|_| {
                invalid(
                    "hedge.account",
                    "is no account of the venue",
                    "write 0x and 40 hex digits",
                )
            })?,
            (None, RawVenue::Paper) => Address([0; 20]),
            (None, _) => {
                return Err(invalid(
                    "hedge.account",
                    "is missing",
                    "name the account that holds the position: not the agent's address",
                ));
            }
        };
        let owners = self.owners.iter();
        let owners: BTreeSet<Pubkey> = owners
            .map(|owner| address("hedge.owners", owner))
            .collect::<Result<_, _>>()?;
        let venue = self.venue(!owners.is_empty())?;
        let perps = self.perps.into_iter().enumerate();
        let perps = perps.map(|(index, perp)| perp.read(index));
        Ok(Some(Hedge {
            venue,
            account,
            owners,
            perps: perps.collect::<Result<_, _>>()?,
            every: Duration::from_millis(self.every_ms),
            order_ms: self.order_ms,
            cap_bps: self.cap_bps,
            depth_share: self.depth_share,
            max_deviation_bps: self.max_deviation_bps,
            max_snapshot_age: Duration::from_secs(self.max_snapshot_age_secs),
            max_price_age_secs: self.max_price_age_secs.into(),
            chain_patience: Duration::from_secs(self.chain_patience_secs),
            max_loss: self.max_loss,
            max_fees_per_day: self.max_fees_per_day,
            lease: lease(self.lease_url, self.lease_member)?,
        }))
    }

    fn venue(&self, has_owners: bool) -> Result<HedgeVenue, ConfigError> {
        if self.venue == RawVenue::Paper {
            require(
                self.network.is_none() && self.url.is_none() && self.agent_key.is_none(),
                "hedge.network",
                "url and agent_key are for a real venue",
                "leave them out for venue = \"paper\"",
            )?;
            return Ok(HedgeVenue::Paper(PaperTerms {
                deposit: self.paper_deposit,
                spread_bps: self.paper_spread_bps,
                depth: self.paper_depth,
            }));
        }
        let network = self.network.as_deref().unwrap_or_default();
        let network: Network = network.parse().map_err(|_| {
            invalid(
                "hedge.network",
                "is no network of the venue",
                "say mainnet or testnet: signatures are for one of them",
            )
        })?;
        let agent_key = self.agent_key.clone().ok_or_else(|| {
            invalid(
                "hedge.agent_key",
                "is missing",
                "name the file with the agent's key, mode 600",
            )
        })?;
        require(
            has_owners,
            "hedge.owners",
            "is empty: whoever opens a position in the market would move the account at the venue",
            "name the owners whose positions are hedged",
        )?;
        let url = self.url.clone();
        Ok(HedgeVenue::Hyperliquid {
            network,
            url: url.unwrap_or_else(|| network.url().to_owned()),
            agent_key,
        })
    }
}

fn lease(url: Option<String>, member: Option<String>) -> Result<Option<HedgeLease>, ConfigError> {
    match (url, member) {
        (None, None) => Ok(None),
        (Some(url), Some(member)) => {
            Postgres::check(&url).map_err(|error| {
                invalid(
                    "hedge.lease_url",
                    error.to_string(),
                    "write postgres://USER@HOST/DATABASE",
                )
            })?;
            require(
                !member.trim().is_empty(),
                "hedge.lease_member",
                "is empty",
                "give each keeper a name of its own",
            )?;
            Ok(Some(HedgeLease { url, member }))
        }
        _ => Err(invalid(
            "hedge.lease_url",
            "and lease_member belong together",
            "set both, each keeper with a name of its own, or neither",
        )),
    }
}

impl RawPerp {
    fn read(self, index: usize) -> Result<Perp, ConfigError> {
        let key = format!("hedge.perps[{index}].markets");
        let markets = self.markets.iter().map(|market| address(&key, market));
        Ok(Perp {
            coin: self.coin,
            markets: markets.collect::<Result<_, _>>()?,
            band: self.band,
            risk_aversion: self.risk_aversion,
            max_position: self.max_position,
        })
    }
}
