//! Addresses and client order ids: fixed numbers of bytes, written as `0x` and lower-case hex.

use core::{fmt, str::FromStr};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Text that is not the hex expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}: 0x and {digits} hex digits are expected")]
pub struct HexError {
    what: &'static str,
    digits: usize,
    text: String,
}

/// Reads `0x` and exactly `N` bytes of hex, in either case.
///
/// # Errors
/// Another prefix, another length, or digits that are not hex.
pub(crate) fn hex_bytes<const N: usize>(
    what: &'static str,
    text: &str,
) -> Result<[u8; N], HexError> {
    let mut bytes = [0; N];
    let read = text
        .strip_prefix("0x")
        .or_else(|| text.strip_prefix("0X"))
        .is_some_and(|digits| hex::decode_to_slice(digits, &mut bytes).is_ok());
    if read {
        Ok(bytes)
    } else {
        Err(HexError {
            what,
            digits: 2 * N,
            text: text.to_owned(),
        })
    }
}

macro_rules! hex_type {
    ($(#[$doc:meta])* $name:ident, $length:literal, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $length]);

        impl FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                hex_bytes($what, text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "0x{}", hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, formatter)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

hex_type!(
    /// An account's, agent's or vault's address.
    Address, 20, "address"
);
hex_type!(
    /// A client order id: chosen by us, so that an order can be found whose answer was lost.
    Cloid, 16, "client order id"
);
hex_type!(
    /// A hash, or one half of a signature.
    Word, 32, "32-byte word"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_read_in_either_case_and_written_in_lower() {
        let address: Address = "0xD5C69EF5feee1a0fd3896ef66290f786cd95bd1c"
            .parse()
            .unwrap();
        assert_eq!(
            address.to_string(),
            "0xd5c69ef5feee1a0fd3896ef66290f786cd95bd1c"
        );
        for wrong in [
            "d5c69ef5feee1a0fd3896ef66290f786cd95bd1c",
            "0xd5",
            "0xg5c69ef5feee1a0fd3896ef66290f786cd95bd1c",
            "",
        ] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
        assert!(
            "0x1bc2de6ccaadaa8ce145da77ced9a7f"
                .parse::<Cloid>()
                .is_err()
        );
    }
}
