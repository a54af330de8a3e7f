//! What values of a configuration make sense.

use ballast_client::Endpoint;

use super::{Config, ConfigError, Mode, invalid};

/// The error of `key` unless `holds`.
pub(super) fn require(
    holds: bool,
    key: &str,
    problem: &str,
    fix: &'static str,
) -> Result<(), ConfigError> {
    if holds {
        Ok(())
    } else {
        Err(invalid(key, problem, fix))
    }
}

fn starts(endpoint: &Endpoint, schemes: [&str; 2]) -> bool {
    let url = endpoint.expose();
    schemes.iter().any(|scheme| url.starts_with(scheme))
}

/// Whether an address is one for HTTP.
pub(super) fn is_http(endpoint: &Endpoint) -> bool {
    starts(endpoint, ["http://", "https://"])
}

impl Config {
    /// Checks a configuration that was built in code.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for the first rule broken.
    pub fn check(&self) -> Result<(), ConfigError> {
        require(
            is_http(&self.rpc_url),
            "rpc_url",
            "is not an http address",
            "write http://HOST:PORT or https://HOST",
        )?;
        require(
            starts(&self.ws_url, ["ws://", "wss://"]),
            "ws_url",
            "is not a websocket address",
            "write ws://HOST:PORT or wss://HOST",
        )?;
        require(
            self.mode < Mode::Paper || self.signs(),
            "keypair",
            "is missing, but paper, reducing and active mode sign transactions",
            "name a keypair file or a [signer], or set mode = \"observe\"",
        )?;
        if let Some(signer) = &self.signer {
            signer.check(self.keypair.as_ref())?;
        }
        require(
            !self.journal_dir.as_os_str().is_empty(),
            "journal_dir",
            "is empty",
            "name a directory that only this keeper uses",
        )?;
        require(
            (1..=1_024).contains(&self.max_in_flight),
            "max_in_flight",
            "is out of range",
            "use 1 to 1024",
        )?;
        require(
            !self.pool_programs.is_empty(),
            "pool_programs",
            "is empty, so that no market could be served",
            "name the programs whose pools are trusted, or leave it out for Orca's",
        )?;
        require(
            !self.markets.is_empty(),
            "markets",
            "is empty",
            "add a [[markets]] table with address, base_price and quote_price",
        )?;
        for (index, market) in self.markets.iter().enumerate() {
            let before = self.markets.iter().take(index);
            if before
                .into_iter()
                .any(|other| other.address == market.address)
            {
                let key = format!("markets[{index}].address");
                return Err(invalid(
                    key,
                    format!("{} is listed twice", market.address),
                    "remove one of them",
                ));
            }
        }
        self.timing.check()?;
        self.fees.check()?;
        self.bundles.check()?;
        self.automation.check()?;
        self.prices.check()?;
        self.nodes.check(&self.rpc_url)?;
        let nodes = [&self.rpc_url].into_iter();
        self.budgets.check(nodes.chain(&self.nodes.more_rpc_urls))?;
        self.feed.check()?;
        self.flags.check()?;
        if let Some(hedge) = &self.hedge {
            let markets: Vec<_> = self.markets.iter().map(|market| market.address).collect();
            hedge.check(&markets)?;
        }
        if let Some(shards) = &self.shards {
            shards.check(self.nodes.more_rpc_urls.len())?;
        }
        self.notify.check()?;
        self.api.check()?;
        self.liquidation.check()
    }
}
