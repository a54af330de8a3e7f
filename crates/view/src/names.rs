//! Names of tokens.

use ballast::state::Market;
use ballast_abi::clusters::{self, SOL_USD_FEED, USDC_USD_FEED, WRAPPED_SOL_MINT};
use ballast_model::Side;
use ballast_snapshot::Pubkey;
use ballast_strategy::Tokens;

/// Mints that have a name.
const MINTS: [(Pubkey, &str); 3] = [
    (WRAPPED_SOL_MINT, "SOL"),
    (
        Pubkey::from_str_const("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"),
        "USDC",
    ),
    (clusters::devnet::DEV_USDC_MINT, "devUSDC"),
];

/// What feeds are prices of. The market's authority has chosen them, so that they name a token better than what anybody may have
/// written about its mint.
const FEEDS: [([u8; 32], &str); 2] = [(SOL_USD_FEED, "SOL"), (USDC_USD_FEED, "USDC")];

/// The names of a market's tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenNames {
    base: String,
    quote: String,
    decimals: (u8, u8),
}

impl TokenNames {
    /// Of a market.
    pub fn of(market: &Market) -> Self {
        Self {
            base: name(&market.base_mint, &market.base_feed),
            quote: name(&market.quote_mint, &market.quote_feed),
            decimals: (market.base_decimals, market.quote_decimals),
        }
    }

    /// To write amounts with.
    pub fn tokens(&self) -> Tokens<'_> {
        Tokens {
            base: &self.base,
            quote: &self.quote,
            decimals: self.decimals,
        }
    }

    /// Of one token.
    pub fn get(&self, side: Side) -> &str {
        match side {
            Side::Base => &self.base,
            Side::Quote => &self.quote,
        }
    }
}

/// A well-known mint's name, else that of what its price is of, else the beginning of the mint's address.
fn name(mint: &Pubkey, feed: &[u8; 32]) -> String {
    let by_mint = MINTS.iter().find(|(known, _)| known == mint);
    let by_feed = || FEEDS.iter().find(|(known, _)| known == feed);
    by_mint
        .map(|(_, name)| *name)
        .or_else(|| by_feed().map(|(_, name)| *name))
        .map_or_else(
            || mint.to_string().chars().take(4).collect(),
            ToOwned::to_owned,
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_name_or_what_its_price_is_of_or_the_beginning_of_its_address() {
        let (nobody, other) = (Pubkey::default(), [7; 32]);
        assert_eq!(name(&WRAPPED_SOL_MINT, &other), "SOL");
        assert_eq!(name(&nobody, &USDC_USD_FEED), "USDC");
        assert_eq!(name(&nobody, &other), "1111");
        // The mint comes first.
        let dev = clusters::devnet::DEV_USDC_MINT;
        assert_eq!(name(&dev, &USDC_USD_FEED), "devUSDC");
    }
}
