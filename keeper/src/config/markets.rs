//! Markets to look after.

use ballast_model::Amounts;
use serde::{Deserialize, Serialize};
use solana_sdk::pubkey::Pubkey;

use super::{ConfigError, address};

/// A market and the price accounts to use for it: the market itself only knows the feeds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarketConfig {
    /// The market's account.
    pub address: Pubkey,
    /// Account with the base token's price.
    pub base_price: Pubkey,
    /// Account with the quote token's price.
    pub quote_price: Pubkey,
    /// The market's lookup table; `None`: the one that its authority owns is searched for.
    pub lookup_table: Option<Pubkey>,
    /// Whether the pool program can move an empty position to other ticks. If it turns out that it cannot, positions are
    /// replaced all the same.
    pub pool_can_reset_range: bool,
    /// What is kept ready to bring its positions back to their targets after a gap, raw units; `None`: nobody said.
    pub buffer: Option<Amounts>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMarket {
    address: String,
    base_price: String,
    quote_price: String,
    lookup_table: Option<String>,
    #[serde(default = "yes")]
    pool_can_reset_range: bool,
    buffer_base: Option<u64>,
    buffer_quote: Option<u64>,
    #[serde(default)]
    pair_pools: Vec<String>,
}

fn yes() -> bool {
    true
}

impl RawMarket {
    /// The market, and the other pools of its pair. `index`: its place among all.
    pub(super) fn read(&self, index: usize) -> Result<(MarketConfig, Vec<Pubkey>), ConfigError> {
        let key = |name: &str| format!("markets[{index}].{name}");
        let of_market = address(&key("address"), &self.address)?;
        let pools = self.pair_pools.iter();
        let pools = pools.map(|pool| address(&key("pair_pools"), pool));
        let pools: Vec<Pubkey> = pools.collect::<Result<_, _>>()?;
        let market = MarketConfig {
            address: of_market,
            base_price: address(&key("base_price"), &self.base_price)?,
            quote_price: address(&key("quote_price"), &self.quote_price)?,
            lookup_table: match &self.lookup_table {
                Some(table) => Some(address(&key("lookup_table"), table)?),
                None => None,
            },
            pool_can_reset_range: self.pool_can_reset_range,
            buffer: match (self.buffer_base, self.buffer_quote) {
                (None, None) => None,
                (base, quote) => Some(Amounts {
                    base: base.unwrap_or(0),
                    quote: quote.unwrap_or(0),
                }),
            },
        };
        Ok((market, pools))
    }
}
