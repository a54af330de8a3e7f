//! The hedge on a venue: where, for whose positions, and how much. Off unless a venue is named.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

use ballast_venue::hyperliquid::{bytes::Address, sign::Network};
use rust_decimal::Decimal;
use solana_sdk::pubkey::Pubkey;

use super::{ConfigError, check::require};

mod raw;
#[cfg(test)]
mod tests;

pub(super) use raw::RawHedge;

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

    /// Between two steps, at least, in the long run.
    pub fn least_gap(&self) -> Duration {
        LEAST_STEP.saturating_mul(u32::try_from(self.perps.len()).unwrap_or(u32::MAX))
    }

    /// The venue's name, with its network.
    pub fn venue_name(&self) -> String {
        match &self.venue {
            HedgeVenue::Paper(_) => "paper".into(),
            HedgeVenue::Hyperliquid { network, .. } => format!("hyperliquid {network}"),
        }
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
        require(
            self.every >= self.least_gap() && self.every <= Duration::from_secs(600),
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
