//! What values of a configuration make sense.

use std::time::Duration;

use ballast_client::Endpoint;
use ballast_model::Amounts;

use super::{Config, ConfigError, Fees, Mode, SIGNATURE_LAMPORTS, Timing, invalid};

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

impl Config {
    /// Checks a configuration that was built in code.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for the first rule broken.
    pub fn check(&self) -> Result<(), ConfigError> {
        let starts = |endpoint: &Endpoint, schemes: [&str; 2]| {
            let url = endpoint.expose();
            schemes.iter().any(|scheme| url.starts_with(scheme))
        };
        require(
            starts(&self.rpc_url, ["http://", "https://"]),
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
            self.mode < Mode::Paper || self.keypair.is_some(),
            "keypair",
            "is missing, but paper, reducing and active mode sign transactions",
            "name a keypair file, or set mode = \"observe\"",
        )?;
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
        self.automation.check()?;
        self.prices.check()?;
        self.nodes.check(&self.rpc_url)?;
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
        require(
            !self.liquidation.enabled || self.liquidation.max_pay != Amounts::ZERO,
            "liquidation.max_pay_base",
            "and max_pay_quote are 0, so that no liquidation could pay anything",
            "set at least one of them, or enabled = false",
        )
    }
}

impl Timing {
    fn check(&self) -> Result<(), ConfigError> {
        let ms = Duration::from_millis;
        let secs = Duration::from_secs;
        require(
            (ms(10)..=secs(30)).contains(&self.poll_interval),
            "timing.poll_interval_ms",
            "is out of range",
            "use 10 to 30000",
        )?;
        require(
            self.resend_interval >= self.poll_interval && self.resend_interval <= secs(60),
            "timing.resend_interval_ms",
            "is out of range",
            "use at least poll_interval_ms and at most 60000",
        )?;
        require(
            (ms(50)..=secs(60)).contains(&self.refresh),
            "timing.refresh_interval_ms",
            "is out of range",
            "use 50 to 60000",
        )?;
        require(
            (secs(1)..=secs(600)).contains(&self.watchdog),
            "timing.watchdog_secs",
            "is out of range",
            "use 1 to 600",
        )?;
        require(
            self.resync >= self.watchdog && self.resync <= secs(86_400),
            "timing.resync_secs",
            "is out of range",
            "use at least watchdog_secs and at most 86400",
        )?;
        require(
            (10..=86_400).contains(&self.horizon_secs),
            "timing.horizon_secs",
            "is out of range",
            "use 10 to 86400",
        )?;
        require(
            self.backoff_first >= ms(10) && self.backoff_first <= self.backoff_max,
            "timing.backoff_first_ms",
            "is out of range",
            "use at least 10 and at most backoff_max_secs",
        )?;
        require(
            self.backoff_max <= secs(3_600),
            "timing.backoff_max_secs",
            "is out of range",
            "use at most 3600",
        )
    }
}

impl Fees {
    fn check(&self) -> Result<(), ConfigError> {
        require(
            self.min_micro_lamports <= self.max_micro_lamports,
            "fees.min_micro_lamports",
            "exceeds max_micro_lamports",
            "lower it or raise max_micro_lamports",
        )?;
        require(
            self.max_lamports_per_action <= 1_000_000_000,
            "fees.max_lamports_per_action",
            "is more than 1 SOL",
            "use at most 1000000000",
        )?;
        let action = self
            .max_lamports_per_action
            .saturating_add(SIGNATURE_LAMPORTS);
        require(
            self.max_lamports_per_hour >= action,
            "fees.max_lamports_per_hour",
            "is less than one action may cost",
            "use at least max_lamports_per_action and a signature of 5000, times the actions of a bad hour",
        )?;
        require(
            self.reserved_lamports_per_hour <= self.max_lamports_per_hour,
            "fees.reserved_lamports_per_hour",
            "exceeds max_lamports_per_hour",
            "lower it or raise max_lamports_per_hour",
        )?;
        require(
            self.urgent_distance_bps <= self.relaxed_distance_bps
                && self.relaxed_distance_bps <= 10_000,
            "fees.relaxed_distance_bps",
            "is out of range",
            "use at least urgent_distance_bps and at most 10000",
        )?;
        require(
            self.urgent_secs <= self.relaxed_secs && self.relaxed_secs <= 2_592_000,
            "fees.relaxed_secs",
            "is out of range",
            "use at least urgent_secs and at most 2592000",
        )?;
        require(
            self.max_stake_bps <= 10_000,
            "fees.max_stake_bps",
            "is more than all of it",
            "use at most 10000",
        )
    }
}
