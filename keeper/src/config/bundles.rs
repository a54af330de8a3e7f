//! A block engine that takes the keeper's transactions before the nodes do.

use std::{collections::BTreeSet, time::Duration};

use ballast_client::{BundleConfig, Endpoint};
use serde::{Deserialize, Serialize};
use solana_sdk::pubkey::Pubkey;

use super::{
    ConfigError, address,
    check::{is_http, require},
};

/// Least tip that engines take.
const LEAST_TIP_LAMPORTS: u64 = 1_000;

/// See the module's description. Without a URL there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundles {
    /// Where it is asked; `None`: only the nodes get what is signed.
    pub url: Option<Endpoint>,
    /// Accounts of which it takes tips.
    pub tip_accounts: Vec<Pubkey>,
    /// Tip when there is no hurry.
    pub min_tip_lamports: u64,
    /// Tip at the boundary. Never more, nor more than half of what priority fee and tip together may cost.
    pub max_tip_lamports: u64,
    /// A question to it ends after this.
    pub timeout: Duration,
    /// How long it has for bringing a transaction into a block before the nodes get it as well.
    pub patience: Duration,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawBundles {
    url: Option<String>,
    tip_accounts: Vec<String>,
    min_tip_lamports: u64,
    max_tip_lamports: u64,
    timeout_ms: u64,
    patience_ms: u64,
}

impl Default for RawBundles {
    fn default() -> Self {
        Self {
            url: None,
            tip_accounts: Vec::new(),
            min_tip_lamports: LEAST_TIP_LAMPORTS,
            max_tip_lamports: 50_000,
            timeout_ms: 500,
            patience_ms: 3_000,
        }
    }
}

impl TryFrom<RawBundles> for Bundles {
    type Error = ConfigError;

    fn try_from(raw: RawBundles) -> Result<Self, ConfigError> {
        let accounts = raw.tip_accounts.iter();
        let accounts = accounts.map(|account| address("bundles.tip_accounts", account));
        Ok(Self {
            url: raw.url.map(Endpoint::new),
            tip_accounts: accounts.collect::<Result<_, _>>()?,
            min_tip_lamports: raw.min_tip_lamports,
            max_tip_lamports: raw.max_tip_lamports,
            timeout: Duration::from_millis(raw.timeout_ms),
            patience: Duration::from_millis(raw.patience_ms),
        })
    }
}

impl Default for Bundles {
    fn default() -> Self {
        let raw = RawBundles::default();
        Self {
            url: None,
            tip_accounts: Vec::new(),
            min_tip_lamports: raw.min_tip_lamports,
            max_tip_lamports: raw.max_tip_lamports,
            timeout: Duration::from_millis(raw.timeout_ms),
            patience: Duration::from_millis(raw.patience_ms),
        }
    }
}

impl Bundles {
    /// The engine, if there is one.
    pub fn engine(&self) -> Option<BundleConfig> {
        Some(BundleConfig {
            endpoint: self.url.clone()?,
            tip_accounts: self.tip_accounts.clone(),
            timeout: self.timeout,
            patience: self.patience,
        })
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        require(
            self.url.as_ref().is_none_or(is_http),
            "bundles.url",
            "is not an http address",
            "write https://HOST/api/v1/bundles",
        )?;
        require(
            self.url.is_some() || self.tip_accounts.is_empty(),
            "bundles.tip_accounts",
            "are of no engine",
            "name the engine as bundles.url, or remove them",
        )?;
        let apart: BTreeSet<&Pubkey> = self.tip_accounts.iter().collect();
        let count = self.tip_accounts.len();
        require(
            apart.len() == count && (self.url.is_none() || (1..=16).contains(&count)),
            "bundles.tip_accounts",
            "are none, too many, or one twice",
            "name 1 to 16 of the accounts that the engine's getTipAccounts tells",
        )?;
        require(
            self.min_tip_lamports >= LEAST_TIP_LAMPORTS,
            "bundles.min_tip_lamports",
            "is less than engines take",
            "use at least 1000",
        )?;
        require(
            (self.min_tip_lamports..=1_000_000_000).contains(&self.max_tip_lamports),
            "bundles.max_tip_lamports",
            "is out of range",
            "use at least min_tip_lamports and at most 1000000000",
        )?;
        require(
            (Duration::from_millis(50)..=Duration::from_secs(5)).contains(&self.timeout),
            "bundles.timeout_ms",
            "is out of range",
            "use 50 to 5000",
        )?;
        require(
            (Duration::from_millis(400)..=Duration::from_secs(30)).contains(&self.patience),
            "bundles.patience_ms",
            "is out of range",
            "use 400 to 30000",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mode, sim::config};

    #[test]
    fn what_is_left_out_is_as_by_default_and_off() {
        let read = Bundles::try_from(RawBundles::default()).unwrap();
        assert_eq!(read, Bundles::default());
        assert_eq!(read.engine(), None);
    }

    #[test]
    fn an_engine_has_tip_accounts_and_a_tip_has_bounds() {
        let good = Bundles {
            url: Some("https://engine.example/api/v1/bundles?uuid=KEY-123456".into()),
            tip_accounts: vec![Pubkey::new_unique()],
            ..Bundles::default()
        };
        let checked = |bundles: Bundles| {
            let mut config = config(Mode::Active);
            config.bundles = bundles;
            config.check().map_err(|error| error.to_string())
        };
        assert_eq!(checked(good.clone()), Ok(()));
        assert!(!format!("{good:?}").contains("KEY-123456"));
        let twice = Pubkey::new_unique();
        let ms = Duration::from_millis;
        for (wrong, key) in [
            (
                Bundles {
                    url: Some("engine.example".into()),
                    ..good.clone()
                },
                "bundles.url",
            ),
            (
                Bundles {
                    url: None,
                    ..good.clone()
                },
                "bundles.tip_accounts",
            ),
            (
                Bundles {
                    tip_accounts: Vec::new(),
                    ..good.clone()
                },
                "bundles.tip_accounts",
            ),
            (
                Bundles {
                    tip_accounts: vec![twice, twice],
                    ..good.clone()
                },
                "bundles.tip_accounts",
            ),
            (
                Bundles {
                    min_tip_lamports: 999,
                    ..good.clone()
                },
                "bundles.min_tip_lamports",
            ),
            (
                Bundles {
                    max_tip_lamports: 999,
                    ..good.clone()
                },
                "bundles.max_tip_lamports",
            ),
            (
                Bundles {
                    timeout: ms(49),
                    ..good.clone()
                },
                "bundles.timeout_ms",
            ),
            (
                Bundles {
                    patience: ms(30_001),
                    ..good
                },
                "bundles.patience_ms",
            ),
        ] {
            let refused = checked(wrong).unwrap_err();
            assert!(refused.contains(key), "{key}: {refused}");
        }
    }
}
