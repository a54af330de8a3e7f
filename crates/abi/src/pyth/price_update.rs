//! `PriceUpdateV2`, the receiver's price account.

use solana_address::Address;
use thiserror::Error;

use crate::{
    LayoutError,
    bytes::{self, address_at, array, i32_at, i64_at, u64_at},
};

const WHAT: &str = "Pyth price update";
/// Where the verification level is.
const TAG: usize = 40;

/// A price as the receiver stores it: `price * 10^exponent`, times in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PriceUpdate {
    /// Who may overwrite or close the account.
    pub write_authority: Address,
    /// What the price is of, for instance SOL/USD.
    pub feed_id: [u8; 32],
    /// Price, in units of `10^exponent`.
    pub price: i64,
    /// Half width of the confidence interval, in units of `10^exponent`.
    pub conf: u64,
    /// Power of ten of the unit.
    pub exponent: i32,
    /// When the price was published.
    pub publish_time: i64,
    /// When the price before it was published.
    pub previous_publish_time: i64,
    /// Exponentially weighted average of the price, in units of `10^exponent`.
    pub ema_price: i64,
    /// Exponentially weighted average of the confidence, in units of `10^exponent`.
    pub ema_conf: u64,
    /// Slot in which the account was written.
    pub posted_slot: u64,
}

/// How much of the signatures under a price were checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verification {
    /// Only so many signatures: anyone who controls a few guardians can make such a price.
    Partial {
        /// Number of signatures that were checked.
        signatures: u8,
    },
    /// All signatures that a quorum needs.
    Full,
}

/// Why an account holds no usable price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PythError {
    /// Not a price account.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The price is verified by too few signatures.
    #[error(
        "price update verified by only {signatures} signatures: post it with full verification"
    )]
    Partial {
        /// Number of signatures that were checked.
        signatures: u8,
    },
}

impl PriceUpdate {
    /// Account length in bytes, whatever the verification.
    pub const LENGTH: usize = 134;
    /// sha256("account:PriceUpdateV2")[..8].
    pub const DISCRIMINATOR: [u8; 8] = [34, 241, 35, 99, 157, 126, 244, 205];

    /// Checks length, discriminator and full verification, nothing else: who owns the account, which feed it is, sign,
    /// exponent, age and confidence are the caller's to check.
    ///
    /// # Errors
    /// [`PythError::Partial`] for a price that is not fully verified, else what does not fit the layout.
    pub fn parse(data: &[u8]) -> Result<Self, PythError> {
        let bytes = bytes::account::<{ Self::LENGTH }>(WHAT, data, &Self::DISCRIMINATOR)?;
        match bytes[TAG] {
            0 => Err(PythError::Partial {
                signatures: bytes[TAG + 1],
            }),
            1 => Ok(Self::body(bytes, TAG + 1)),
            _ => Err(LayoutError::Value {
                what: WHAT,
                field: "verification_level",
            }
            .into()),
        }
    }

    fn body(bytes: &[u8; Self::LENGTH], at: usize) -> Self {
        Self {
            write_authority: address_at(bytes, 8),
            feed_id: array(bytes, at),
            price: i64_at(bytes, at + 32),
            conf: u64_at(bytes, at + 40),
            exponent: i32_at(bytes, at + 48),
            publish_time: i64_at(bytes, at + 52),
            previous_publish_time: i64_at(bytes, at + 60),
            ema_price: i64_at(bytes, at + 68),
            ema_conf: u64_at(bytes, at + 76),
            posted_slot: u64_at(bytes, at + 84),
        }
    }

    /// The account's bytes; with full verification one byte at the end is unused and zero.
    pub fn encode(&self, verification: Verification) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let mut end = 0;
        let mut put = |field: &[u8]| {
            bytes[end..end + field.len()].copy_from_slice(field);
            end += field.len();
        };
        put(&Self::DISCRIMINATOR);
        put(self.write_authority.as_ref());
        match verification {
            Verification::Partial { signatures } => put(&[0, signatures]),
            Verification::Full => put(&[1]),
        }
        put(&self.feed_id);
        put(&self.price.to_le_bytes());
        put(&self.conf.to_le_bytes());
        put(&self.exponent.to_le_bytes());
        put(&self.publish_time.to_le_bytes());
        put(&self.previous_publish_time.to_le_bytes());
        put(&self.ema_price.to_le_bytes());
        put(&self.ema_conf.to_le_bytes());
        put(&self.posted_slot.to_le_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update() -> PriceUpdate {
        PriceUpdate {
            write_authority: Address::new_from_array([1; 32]),
            feed_id: [2; 32],
            price: -3,
            conf: 4,
            exponent: -8,
            publish_time: 6,
            previous_publish_time: 5,
            ema_price: 7,
            ema_conf: 8,
            posted_slot: u64::MAX,
        }
    }

    #[test]
    fn a_full_update_survives_the_round_trip() {
        let bytes = update().encode(Verification::Full);
        assert_eq!(PriceUpdate::parse(&bytes), Ok(update()));
        assert_eq!(bytes[133], 0);
        // Offsets of abi: price 73, exponent 89, publish time 93, posted slot 125.
        assert_eq!(i64_at(&bytes, 73), -3);
        assert_eq!(i32_at(&bytes, 89), -8);
        assert_eq!(i64_at(&bytes, 93), 6);
        assert_eq!(u64_at(&bytes, 125), u64::MAX);
    }

    #[test]
    fn partial_unknown_and_foreign_accounts_are_refused() {
        let partial = update().encode(Verification::Partial { signatures: 5 });
        assert_eq!(
            PriceUpdate::parse(&partial),
            Err(PythError::Partial { signatures: 5 })
        );
        assert_eq!(array::<32>(&partial, 42), [2; 32]);
        let good = update().encode(Verification::Full);
        let mut bad = good;
        bad[TAG] = 2;
        assert!(matches!(
            PriceUpdate::parse(&bad),
            Err(PythError::Layout(LayoutError::Value { .. }))
        ));
        let mut bad = good;
        bad[7] ^= 1;
        assert!(matches!(
            PriceUpdate::parse(&bad),
            Err(PythError::Layout(LayoutError::Discriminator { .. }))
        ));
        for length in [0, 8, 133] {
            assert!(matches!(
                PriceUpdate::parse(&good[..length]),
                Err(PythError::Layout(LayoutError::Length { .. }))
            ));
        }
    }
}
