//! How a market should be.

use ballast_client::{MarketParams, Pubkey, ReserveParams, ballast::state};
use serde::Deserialize;
use thiserror::Error;
use toml::Table;

/// Why tables do not describe a market.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DesiredError {
    /// Something is missing or malformed.
    #[error("the migrations do not describe a market: {0}")]
    Incomplete(String),
    /// A market cannot be set up without this.
    #[error("the migrations name no {0}: add it to [market], or pass it")]
    MissingAddress(&'static str),
}

/// Addresses and feeds of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketAddresses {
    /// Whirlpool program.
    pub whirlpool_program: Pubkey,
    /// The pool.
    pub whirlpool: Pubkey,
    /// Owner of genuine price accounts.
    pub price_receiver: Pubkey,
    /// Feed id of base/USD.
    pub base_feed: [u8; 32],
    /// Feed id of quote/USD.
    pub quote_feed: [u8; 32],
    /// Price account of base/USD, part of the lookup table.
    pub base_price: Pubkey,
    /// Price account of quote/USD, part of the lookup table.
    pub quote_price: Pubkey,
    /// Who may tighten the mode; all zero: nobody.
    pub guardian: Pubkey,
    /// Who created the market, which is part of its address; `None`: whoever applies. To be named once the authority has been
    /// handed over.
    pub creator: Option<Pubkey>,
    /// The market's lookup table, if it is known already.
    pub lookup_table: Option<Pubkey>,
}

/// A market with its reserves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desired {
    /// Addresses; `None` where the files leave them to the caller, as on a local cluster.
    pub market: Option<MarketAddresses>,
    /// Risk limits.
    pub limits: RiskLimits,
    /// Demands on prices.
    pub oracle_rules: OracleRules,
    /// Limits of what keepers do.
    pub keepers: KeeperLimits,
    /// Risk stages.
    pub stages: Stages,
    /// Rules of the safety net.
    pub safety: Safety,
    /// The reserve of the base token.
    pub base_reserve: ReserveRules,
    /// The reserve of the quote token.
    pub quote_reserve: ReserveRules,
}

macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident => $target:path { $($field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
        #[serde(deny_unknown_fields)]
        #[allow(missing_docs, reason = "documented at the program's type")]
        pub struct $name {
            $(pub $field: $type,)*
        }

        impl From<$name> for $target {
            fn from(rules: $name) -> Self {
                Self { $($field: rules.$field),* }
            }
        }
    };
}

mirror! {
    /// See [`state::Limits`].
    RiskLimits => state::Limits {
        max_position_value: u64,
        min_position_value: u64,
        max_leverage_bps: u32,
        initial_ltv_bps: u32,
        deleverage_ltv_bps: u32,
        maintenance_ltv_bps: u32,
        target_ltv_bps: u32,
        liquidation_bonus_bps: u32,
        stress_distance_bps: u32,
        max_pool_deviation_bps: u32,
        max_swap_loss_bps: u32,
        min_rebalance_interval_secs: u32,
    }
}

mirror! {
    /// See [`state::OracleRules`].
    OracleRules => state::OracleRules {
        max_age_tight_secs: u32,
        max_age_loose_secs: u32,
        max_confidence_tight_bps: u32,
        max_confidence_loose_bps: u32,
        max_ema_divergence_bps: u32,
        max_future_secs: u32,
    }
}

mirror! {
    /// See [`state::KeeperRules`].
    KeeperLimits => state::KeeperRules {
        max_reward_lamports: u64,
        max_daily_loss_bps: u32,
        min_recenter_interval_secs: u32,
    }
}

mirror! {
    /// See [`state::StageRules`].
    Stages => state::StageRules {
        silence_secs: u32,
        long_silence_secs: u32,
        confidence_bps: u32,
        wide_confidence_bps: u32,
        ema_divergence_bps: u32,
        wide_ema_divergence_bps: u32,
        pool_divergence_bps: u32,
        depth_drop_bps: u32,
        utilisation_bps: u32,
        persistence_secs: u32,
        calm_secs: u32,
        max_age_stalled_secs: u32,
        deleverage_ltv_bps: u32,
        target_ltv_bps: u32,
    }
}

/// See [`state::SafetyRules`]. What is left out, or 0, stands for the program's default.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "documented at the program's type")]
pub struct Safety {
    pub grace_secs: u32,
    pub max_age_swap_secs: u32,
    pub max_age_liquidation_secs: u32,
    pub write_off_bonus_bps: u32,
    pub max_defensive_loss_bps: u32,
}

impl From<Safety> for state::SafetyRules {
    fn from(rules: Safety) -> Self {
        Self {
            grace_secs: rules.grace_secs,
            max_age_swap_secs: rules.max_age_swap_secs,
            max_age_liquidation_secs: rules.max_age_liquidation_secs,
            write_off_bonus_bps: rules.write_off_bonus_bps,
            max_defensive_loss_bps: rules.max_defensive_loss_bps,
            reserved: 0,
        }
    }
}

mirror! {
    /// See [`ReserveParams`].
    ReserveRules => ReserveParams {
        rate_at_zero_bps: u32,
        kink_utilisation_bps: u32,
        rate_at_kink_bps: u32,
        rate_at_full_bps: u32,
        reserve_factor_bps: u32,
        max_utilisation_bps: u32,
        supply_cap: u64,
        borrow_cap: u64,
    }
}

/// The files' form: text for addresses, everything optional until all files are laid over each other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    market: Option<MarketTable>,
    limits: RiskLimits,
    oracle_rules: OracleRules,
    keepers: KeeperLimits,
    stages: Stages,
    #[serde(default)]
    safety: Safety,
    base_reserve: ReserveRules,
    quote_reserve: ReserveRules,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MarketTable {
    whirlpool_program: String,
    whirlpool: String,
    price_receiver: String,
    base_feed: String,
    quote_feed: String,
    base_price: String,
    quote_price: String,
    guardian: Option<String>,
    creator: Option<String>,
    lookup_table: Option<String>,
}

impl Desired {
    /// Refuses keys that no state has, also while others are still missing.
    pub(crate) fn check(table: &Table) -> Result<(), String> {
        // A missing field is reported last, so that anything else shows first: try with what is there.
        match table.clone().try_into::<File>() {
            Ok(file) => file
                .market
                .as_ref()
                .map_or(Ok(()), |market| addresses(market).map(|_| ())),
            Err(error) if error.message().starts_with("missing field") => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(crate) fn from_table(table: &Table) -> Result<Self, DesiredError> {
        let file: File = table
            .clone()
            .try_into()
            .map_err(|error: toml::de::Error| DesiredError::Incomplete(error.to_string()))?;
        let market = file
            .market
            .as_ref()
            .map(addresses)
            .transpose()
            .map_err(DesiredError::Incomplete)?;
        Ok(Self {
            market,
            limits: file.limits,
            oracle_rules: file.oracle_rules,
            keepers: file.keepers,
            stages: file.stages,
            safety: file.safety,
            base_reserve: file.base_reserve,
            quote_reserve: file.quote_reserve,
        })
    }

    /// The same parameters for a market at other addresses.
    pub fn at(mut self, addresses: MarketAddresses) -> Self {
        self.market = Some(addresses);
        self
    }

    /// The market's parameters as the program takes them.
    pub fn market_params(&self) -> MarketParams {
        MarketParams {
            limits: self.limits.into(),
            oracle_rules: self.oracle_rules.into(),
            keepers: self.keepers.into(),
            stages: self.stages.into(),
        }
    }
}

fn addresses(table: &MarketTable) -> Result<MarketAddresses, String> {
    let address = |field: &str, text: &str| {
        text.parse::<Pubkey>()
            .map_err(|_| format!("market.{field}: {text:?} is not an address (base58, 32 bytes)"))
    };
    let optional =
        |field, text: &Option<String>| text.as_deref().map(|text| address(field, text)).transpose();
    Ok(MarketAddresses {
        whirlpool_program: address("whirlpool_program", &table.whirlpool_program)?,
        whirlpool: address("whirlpool", &table.whirlpool)?,
        price_receiver: address("price_receiver", &table.price_receiver)?,
        base_feed: feed("base_feed", &table.base_feed)?,
        quote_feed: feed("quote_feed", &table.quote_feed)?,
        base_price: address("base_price", &table.base_price)?,
        quote_price: address("quote_price", &table.quote_price)?,
        guardian: optional("guardian", &table.guardian)?.unwrap_or_default(),
        creator: optional("creator", &table.creator)?,
        lookup_table: optional("lookup_table", &table.lookup_table)?,
    })
}

/// A feed id from its 64 hexadecimal digits.
fn feed(field: &str, text: &str) -> Result<[u8; 32], String> {
    let wrong = || format!("market.{field}: {text:?} is not a feed id (64 hexadecimal digits)");
    if text.len() != 64 || !text.is_ascii() {
        return Err(wrong());
    }
    let mut id = [0; 32];
    for (byte, at) in id.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| wrong())?;
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use ballast_abi::clusters;

    use super::*;
    use crate::Migrations;

    #[test]
    fn devnet_is_what_the_interface_page_says_and_its_parameters_pass_the_program() {
        let desired = Migrations::built_in("devnet").unwrap().desired().unwrap();
        let market = desired.market.unwrap();
        assert_eq!(market.whirlpool, clusters::devnet::SOL_USDC_POOL);
        assert_eq!(market.whirlpool_program, clusters::WHIRLPOOL);
        assert_eq!(market.price_receiver, clusters::PYTH_RECEIVER);
        assert_eq!(
            (market.base_feed, market.quote_feed),
            (clusters::SOL_USD_FEED, clusters::USDC_USD_FEED)
        );
        assert_eq!(
            (market.base_price, market.quote_price),
            (clusters::SOL_USD_PRICE, clusters::USDC_USD_PRICE)
        );
    }

    #[test]
    fn built_in_parameters_pass_the_program() {
        // With the pool's fee and tick spacing.
        for (cluster, fee_rate_ppm, spacing) in [("localnet", 400, 4), ("devnet", 3_000, 64)] {
            let desired = Migrations::built_in(cluster).unwrap().desired().unwrap();
            desired.market_params().check().unwrap();
            let limits = desired.market_params().limits;
            limits.check_fee(fee_rate_ppm).unwrap();
            limits.check_reach(spacing).unwrap();
            state::SafetyRules::from(desired.safety).check().unwrap();
            ReserveParams::from(desired.base_reserve).check().unwrap();
            ReserveParams::from(desired.quote_reserve).check().unwrap();
        }
    }

    #[test]
    fn malformed_addresses_are_named() {
        assert!(feed("base_feed", "00").is_err());
        assert!(feed("base_feed", &"é".repeat(32)).is_err());
        assert!(feed("base_feed", &"0g".repeat(32)).is_err());
        let text = include_str!("../devnet/0001_sol_usdc.toml")
            .replace("whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc", "0");
        let error = Desired::check(&text.parse().unwrap()).unwrap_err();
        assert!(error.contains("market.whirlpool_program"), "{error}");
    }
}
