//! Amounts as everybody is told them.

use std::fmt;

use ballast_strategy::text::signed_amount;
use serde::{Serialize, Serializer};

/// An amount of a token. As text, and so in JSON, it is a decimal number in whole tokens with all of the token's places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    raw: i128,
    decimals: u8,
}

impl Whole {
    /// Of raw units.
    pub fn new(raw: i128, decimals: u8) -> Self {
        Self { raw, decimals }
    }

    /// Of whole tokens, to the nearest raw unit.
    pub fn nearest(whole: f64, decimals: u8) -> Self {
        // `as` saturates.
        let raw = (whole * 10f64.powi(decimals.into())).round() as i128;
        Self { raw, decimals }
    }

    /// In whole tokens.
    pub fn f64(self) -> f64 {
        self.raw as f64 / 10f64.powi(self.decimals.into())
    }
}

impl fmt::Display for Whole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&signed_amount(self.raw, self.decimals))
    }
}

impl Serialize for Whole {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_told_with_all_places() {
        for (raw, decimals, text, whole) in [
            (1_500_000, 6, "1.500000", 1.5),
            (-1, 9, "-0.000000001", -1e-9),
            (0, 6, "0.000000", 0.0),
        ] {
            let amount = Whole::new(raw, decimals);
            assert_eq!(amount.to_string(), text);
            assert_eq!(serde_json::to_value(amount).unwrap(), text);
            assert_eq!(amount.f64(), whole);
            assert_eq!(Whole::nearest(whole, decimals), amount);
        }
    }
}
