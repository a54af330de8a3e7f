//! Addresses on the command line.

use ballast_client::Pubkey;

/// For `value_parser` of every option that is an address.
///
/// # Errors
/// What an address looks like; the value is named by the caller.
pub fn address(text: &str) -> Result<Pubkey, String> {
    text.parse().map_err(|_| {
        "this is no address: an address is 32 bytes in base58, 32 to 44 letters and digits without 0, O, I and l, like \
         So11111111111111111111111111111111111111112"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        let sol = "So11111111111111111111111111111111111111112";
        assert_eq!(address(sol).unwrap().to_string(), sol);
        for text in ["", "foo", "0", &sol[1..], &format!("{sol}1"), "id.json"] {
            let error = address(text).unwrap_err();
            assert!(error.contains("base58"), "{text:?}: {error}");
        }
    }
}
