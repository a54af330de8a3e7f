use ballast_client::{DecodeError, LoadError};
use solana_sdk::pubkey::Pubkey;
use thiserror::Error;

/// Why an account was not taken into the book.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
    /// With it the market makes no sense.
    #[error("account {address}: {source}")]
    Inconsistent {
        /// Which account.
        address: Pubkey,
        /// What is wrong.
        source: LoadError,
    },
    /// A position of another market.
    #[error("position {address} belongs to market {found}: check the subscription's filter")]
    WrongMarket {
        /// The position.
        address: Pubkey,
        /// Its market.
        found: Pubkey,
    },
}

impl Problem {
    /// The account it is about.
    pub fn address(&self) -> Pubkey {
        match self {
            Self::Inconsistent { address, .. } | Self::WrongMarket { address, .. } => *address,
            Self::Unreadable(error) => match error {
                DecodeError::Missing { address, .. }
                | DecodeError::WrongOwner { address, .. }
                | DecodeError::WrongDiscriminator { address, .. }
                | DecodeError::WrongLength { address, .. }
                | DecodeError::WrongVersion { address, .. }
                | DecodeError::Malformed { address, .. } => *address,
            },
        }
    }
}
