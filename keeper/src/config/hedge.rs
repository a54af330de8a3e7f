//! The hedge on a venue: where, for whose positions, and how much. Off unless a venue is named.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use ballast_history::store::Postgres;
use ballast_venue::hyperliquid::{bytes::Address, sign::Network};
use rust_decimal::Decimal;
use serde::Deserialize;
use solana_sdk::pubkey::Pubkey;

use super::{ConfigError, address, check::require, invalid};

/// What the rate limit of the venue leaves for one perpetual's step.
const LEAST_STEP: Duration = Duration::from_secs(2);

/// A hedge of positions' residual delta.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hedge {
    /// Where.
    pub venue: HedgeVenue,
    /// The account that holds the perpetuals: not the agent.
    pub account: Address,
    /// Whose positions are hedged; none: everybody's.
    pub owners: BTreeSet<Pubkey>,
    /// What is traded for which markets, at least one.
    pub perps: Vec<Perp>,
    /// Between two steps.
    pub every: Duration,
    /// How long an order may take to arrive.
    pub order_ms: u64,
    /// How far from the best price an order may fill.
    pub cap_bps: Decimal,
    /// The share of what is visible within that which one order takes.
    pub depth_share: Decimal,
    /// A venue whose price is farther from the oracle's is not traded on.
    pub max_deviation_bps: Decimal,
    /// A snapshot whose newest slot was seen longer ago is not traded on.
    pub max_snapshot_age: Duration,
    /// Nor one whose price is older.
    pub max_price_age_secs: i64,
    /// So long an action that is due on the chain is waited for.
    pub chain_patience: Duration,
    /// With more lost, in dollars since the hedge's journal began, the position only shrinks.
    pub max_loss: Option<Decimal>,
    /// With more fees paid in a day, in dollars, the position only shrinks.
    pub max_fees_per_day: Option<Decimal>,
    /// The leader's lease; `None`: this process is the leader while it holds the hedge's journal.
    pub lease: Option<HedgeLease>,
}

/// Where it is traded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HedgeVenue {
    /// Nowhere: this process matches orders around the oracle's price.
    Paper(PaperTerms),
    /// Hyperliquid.
    Hyperliquid {
        /// Which network signatures are for.
        network: Network,
        /// Where its interface is.
        url: String,
        /// The file with the agent's key.
        agent_key: PathBuf,
    },
}

/// What the paper venue offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaperTerms {
    /// What the account has at first, dollars.
    pub deposit: Decimal,
    /// Between the best prices.
    pub spread_bps: Decimal,
    /// Within ten spreads of the best price, dollars on each side.
    pub depth: Decimal,
}

/// A perpetual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Perp {
    /// Its name at the venue.
    pub coin: String,
    /// Markets whose base token it is.
    pub markets: Vec<Pubkey>,
    /// Half of the band in which nothing is traded, base tokens.
    pub band: Decimal,
    /// Risk aversion per dollar: with it the band grows with cost and gamma.
    pub risk_aversion: Option<Decimal>,
    /// The most that is held, base tokens.
    pub max_position: Decimal,
}

/// Who of several keepers hedges.
#[derive(Clone, PartialEq, Eq)]
pub struct HedgeLease {
    /// The database; may hold a password.
    pub url: String,
    /// Which keeper this is.
    pub member: String,
}

impl fmt::Debug for HedgeLease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HedgeLease")
            .field("member", &self.member)
            .finish_non_exhaustive()
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RawVenue {
    #[default]
    Off,
    Paper,
    Hyperliquid,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawHedge {
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

#[derive(Deserialize)]
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
    pub(super) fn read(self) -> Result<Option<Hedge>, ConfigError> {
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

impl Hedge {
    /// Relative paths are relative to the configuration's file.
    pub(super) fn relative_to(&mut self, directory: &Path) {
        if let HedgeVenue::Hyperliquid { agent_key, .. } = &mut self.venue {
            *agent_key = directory.join(&agent_key);
        }
    }

    /// Whether orders are only on paper.
    pub fn is_paper(&self) -> bool {
        matches!(self.venue, HedgeVenue::Paper(_))
    }

    /// The venue's name, with its network.
    pub fn venue_name(&self) -> String {
        match &self.venue {
            HedgeVenue::Paper(_) => "paper".into(),
            HedgeVenue::Hyperliquid { network, .. } => format!("hyperliquid {network}"),
        }
    }

    /// The market's perpetual.
    pub fn perp_of(&self, market: &Pubkey) -> Option<&Perp> {
        self.perps.iter().find(|perp| perp.markets.contains(market))
    }

    /// In one line.
    pub fn summary(&self) -> String {
        let perps = self.perps.iter().map(|perp| {
            format!(
                "{} for {} market{}, band ±{}, at most {}",
                perp.coin,
                perp.markets.len(),
                if perp.markets.len() == 1 { "" } else { "s" },
                perp.band,
                perp.max_position
            )
        });
        let whose = match self.owners.len() {
            0 => "everybody's positions".to_owned(),
            1 => "positions of 1 owner".to_owned(),
            many => format!("positions of {many} owners"),
        };
        format!(
            "{}, account {}, {whose}: {}",
            self.venue_name(),
            self.account,
            perps.collect::<Vec<_>>().join("; ")
        )
    }

    pub(super) fn check(&self, known: &[Pubkey]) -> Result<(), ConfigError> {
        let zero = Decimal::ZERO;
        require(
            !self.perps.is_empty(),
            "hedge.perps",
            "is empty, so that nothing would be hedged",
            "add a [[hedge.perps]] table with coin, markets, band and max_position",
        )?;
        let (mut coins, mut markets) = (BTreeSet::new(), BTreeSet::new());
        for (index, perp) in self.perps.iter().enumerate() {
            let key = |name: &str| format!("hedge.perps[{index}].{name}");
            require(
                !perp.coin.is_empty() && coins.insert(&perp.coin),
                &key("coin"),
                "is empty, or listed twice",
                "name each of the venue's perpetuals once, with all of its markets",
            )?;
            require(
                !perp.markets.is_empty()
                    && perp.markets.iter().all(|market| known.contains(market)),
                &key("markets"),
                "is empty, or names a market that this keeper does not look after",
                "use addresses that are in [[markets]]",
            )?;
            require(
                perp.markets.iter().all(|market| markets.insert(*market)),
                &key("markets"),
                "names a market twice",
                "a market has one perpetual",
            )?;
            require(
                perp.band >= zero && perp.band <= perp.max_position,
                &key("band"),
                "is negative, or more than max_position",
                "use base tokens, such as band = 2",
            )?;
            require(
                perp.max_position > zero
                    && perp.max_position < Decimal::from(1_000_000_000_000_u64),
                &key("max_position"),
                "is out of range",
                "use base tokens, more than 0",
            )?;
            require(
                perp.risk_aversion.is_none_or(|aversion| aversion > zero),
                &key("risk_aversion"),
                "is not above 0",
                "use a number per dollar, such as 0.001, or leave it out",
            )?;
        }
        let perps = u32::try_from(self.perps.len()).unwrap_or(u32::MAX);
        require(
            self.every >= LEAST_STEP.saturating_mul(perps)
                && self.every <= Duration::from_secs(600),
            "hedge.every_ms",
            "is out of range",
            "use at least 2000 for each perpetual, which is what the venue's rate limit leaves, and at most 600000",
        )?;
        require(
            (1_000..=30_000).contains(&self.order_ms),
            "hedge.order_ms",
            "is out of range",
            "use 1000 to 30000",
        )?;
        require(
            self.cap_bps >= zero && self.cap_bps <= Decimal::from(1_000),
            "hedge.cap_bps",
            "is out of range",
            "use 0 to 1000",
        )?;
        require(
            self.depth_share > zero && self.depth_share <= Decimal::ONE,
            "hedge.depth_share",
            "is out of range",
            "use more than 0 and at most 1",
        )?;
        require(
            self.max_deviation_bps > zero && self.max_deviation_bps <= Decimal::from(2_000),
            "hedge.max_deviation_bps",
            "is out of range",
            "use more than 0 and at most 2000",
        )?;
        require(
            (Duration::from_secs(1)..=Duration::from_secs(300)).contains(&self.max_snapshot_age)
                && (1..=3_600).contains(&self.max_price_age_secs),
            "hedge.max_snapshot_age_secs",
            "or max_price_age_secs is out of range",
            "use 1 to 300, and 1 to 3600",
        )?;
        require(
            self.chain_patience <= Duration::from_secs(3_600),
            "hedge.chain_patience_secs",
            "is out of range",
            "use at most 3600",
        )?;
        let above = |limit: Option<Decimal>| limit.is_none_or(|limit| limit > zero);
        require(
            above(self.max_loss) && above(self.max_fees_per_day),
            "hedge.max_loss",
            "or max_fees_per_day is not above 0",
            "use dollars, or leave them out for no limit",
        )?;
        let HedgeVenue::Paper(terms) = &self.venue else {
            return Ok(());
        };
        require(
            terms.deposit > zero && terms.depth > zero,
            "hedge.paper_deposit",
            "or paper_depth is not above 0",
            "use dollars",
        )?;
        require(
            terms.spread_bps > zero && terms.spread_bps <= Decimal::from(500),
            "hedge.paper_spread_bps",
            "is out of range",
            "use more than 0 and at most 500",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKET: Pubkey = Pubkey::new_from_array([7; 32]);

    fn parse(text: &str) -> Result<Option<Hedge>, String> {
        let raw: RawHedge = toml::from_str(text).map_err(|error| error.to_string())?;
        let hedge = raw.read().map_err(|error| error.to_string())?;
        if let Some(hedge) = &hedge {
            hedge.check(&[MARKET]).map_err(|error| error.to_string())?;
        }
        Ok(hedge)
    }

    fn perp() -> String {
        format!(
            "[[perps]]\ncoin = \"SOL\"\nmarkets = [\"{MARKET}\"]\nband = 2.5\nmax_position = \"500\"\n"
        )
    }

    fn real() -> String {
        format!(
            "venue = \"hyperliquid\"\nnetwork = \"testnet\"\naccount = \"0x{}\"\nagent_key = \"key\"\nowners = [\"{MARKET}\"]\n",
            "1f".repeat(20)
        )
    }

    #[test]
    fn it_is_off_until_a_venue_is_named_and_the_least_is_few_lines() {
        assert_eq!(parse("").unwrap(), None);
        assert_eq!(parse("venue = \"off\"").unwrap(), None);
        let paper = parse(&format!("venue = \"paper\"\n{}", perp()))
            .unwrap()
            .unwrap();
        assert!(paper.is_paper());
        assert_eq!(paper.perps[0].band, Decimal::new(25, 1));
        assert_eq!(paper.every, Duration::from_secs(3));
        assert_eq!(
            paper.summary(),
            format!(
                "paper, account 0x{}, everybody's positions: SOL for 1 market, band ±2.5, at most 500",
                "00".repeat(20)
            )
        );
        let mut real = parse(&(real() + &perp())).unwrap().unwrap();
        real.relative_to(Path::new("etc"));
        let HedgeVenue::Hyperliquid {
            network,
            url,
            agent_key,
        } = &real.venue
        else {
            panic!("{:?}", real.venue);
        };
        assert_eq!(
            (*network, url.as_str(), agent_key.as_path()),
            (
                Network::Testnet,
                Network::Testnet.url(),
                Path::new("etc/key")
            )
        );
        assert_eq!(
            real.perp_of(&MARKET).map(|perp| perp.coin.as_str()),
            Some("SOL")
        );
        assert_eq!(real.perp_of(&Pubkey::default()), None);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_key() {
        let paper = || format!("venue = \"paper\"\n{}", perp());
        let other = "[[perps]]\ncoin = \"BTC\"\nband = 1\nmax_position = 2\n";
        for (text, key) in [
            (perp(), "hedge.venue"),
            ("venue = \"paper\"\n".into(), "hedge.perps"),
            (
                "venue = \"paper\"\nnetwork = \"mainnet\"\n".to_owned() + &perp(),
                "hedge.network",
            ),
            (
                real().replace("testnet", "mainet") + &perp(),
                "hedge.network",
            ),
            (real().replace("network", "# ") + &perp(), "hedge.network"),
            (
                real().replace("agent_key", "# ") + &perp(),
                "hedge.agent_key",
            ),
            (real().replace("account", "# ") + &perp(), "hedge.account"),
            (real().replace("0x1f", "0x") + &perp(), "hedge.account"),
            (real().replace("owners", "# ") + &perp(), "hedge.owners"),
            (paper() + &perp(), "hedge.perps[1].coin"),
            (
                paper().replace("band = 2.5", "band = -1"),
                "hedge.perps[0].band",
            ),
            (
                paper().replace("band = 2.5", "band = 501"),
                "hedge.perps[0].band",
            ),
            (paper().replace("500", "0"), "hedge.perps[0]"),
            (
                format!("{}{other}markets = [\"{MARKET}\"]", paper()),
                "hedge.perps[1].markets",
            ),
            (
                format!("{}{other}markets = [\"{}\"]", paper(), Pubkey::default()),
                "hedge.perps[1].markets",
            ),
            ("every_ms = 1999\n".to_owned() + &paper(), "hedge.every_ms"),
            ("order_ms = 999\n".to_owned() + &paper(), "hedge.order_ms"),
            (
                "depth_share = 1.5\n".to_owned() + &paper(),
                "hedge.depth_share",
            ),
            ("max_loss = 0\n".to_owned() + &paper(), "hedge.max_loss"),
            (
                "max_deviation_bps = 0\n".to_owned() + &paper(),
                "hedge.max_deviation_bps",
            ),
            (
                "lease_url = \"postgres://me@localhost/x\"\n".to_owned() + &paper(),
                "hedge.lease_url",
            ),
            (
                "lease_url = \"mysql://me:secret@h/x\"\nlease_member = \"a\"\n".to_owned()
                    + &paper(),
                "hedge.lease_url",
            ),
            (
                "paper_spread_bps = 0\n".to_owned() + &paper(),
                "hedge.paper_spread_bps",
            ),
            ("bnad = 1\n".to_owned() + &paper(), "bnad"),
            (paper() + "size = 1", "size"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(key), "{key}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
