//! Names of tokens.

use ballast_abi::clusters::{self, WRAPPED_SOL_MINT};
use ballast_snapshot::Pubkey;

/// The mints that have a name.
const NAMES: [(Pubkey, &str); 3] = [
    (WRAPPED_SOL_MINT, "SOL"),
    (
        Pubkey::from_str_const("EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"),
        "USDC",
    ),
    (clusters::devnet::DEV_USDC_MINT, "devUSDC"),
];

/// What is shown of a token: its name, or the beginning of its mint's address.
pub fn token_name(mint: &Pubkey) -> String {
    let known = NAMES.iter().find(|(known, _)| known == mint);
    known.map_or_else(
        || mint.to_string().chars().take(4).collect(),
        |(_, name)| (*name).to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_name_or_the_beginning_of_its_address() {
        assert_eq!(token_name(&WRAPPED_SOL_MINT), "SOL");
        assert_eq!(token_name(&Pubkey::default()), "1111");
    }
}
