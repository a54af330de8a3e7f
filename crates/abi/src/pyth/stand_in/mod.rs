//! The local stand-in for Pyth's receiver, and for the Wormhole program beside it. It takes what the real ones take, but checks no
//! signatures, and by the instruction here it writes whatever it is told: never for a public cluster.

mod forge;

use solana_address::Address;

pub use forge::{SOURCE, forged_update};

use super::Verification;
use crate::wire::instruction;

/// Price account of a feed; several, told apart by `index`, can exist for one feed.
pub fn price_account(program_id: &Address, feed_id: &[u8; 32], index: u16) -> (Address, u8) {
    Address::find_program_address(&[b"price", feed_id, &index.to_le_bytes()], program_id)
}

instruction! {
    /// Writes a price account, creating it first if need be. Anyone may.
    PostPrice [130, 245, 138, 141, 114, 50, 13, 48];
    /// Accounts of [`PostPrice`].
    PostPriceAccounts {
        /// Pays the rent; becomes the account's write authority.
        writable_signer payer,
        /// [`price_account`] of feed and index.
        writable price_account,
        /// [`spl::SYSTEM_PROGRAM`](crate::spl::SYSTEM_PROGRAM).
        readonly system_program,
    }
    args {
        /// Feed id.
        feed_id: [u8; 32],
        /// Which account of the feed.
        index: u16,
        /// Price, in units of `10^exponent`; any value, 0 and negative ones too.
        price: i64,
        /// Confidence, in units of `10^exponent`.
        conf: u64,
        /// Power of ten of the unit.
        exponent: i32,
        /// Unix seconds; past and future are accepted.
        publish_time: i64,
        /// Unix seconds.
        previous_publish_time: i64,
        /// Average price, in units of `10^exponent`.
        ema_price: i64,
        /// Average confidence, in units of `10^exponent`.
        ema_conf: u64,
        /// How the update claims to have been verified.
        verification: Verification,
    }
}

impl crate::wire::Wire for Verification {
    fn put(&self, data: &mut alloc::vec::Vec<u8>) {
        match self {
            Verification::Partial { signatures } => data.extend_from_slice(&[0, *signatures]),
            Verification::Full => data.push(1),
        }
    }

    fn take(data: &mut &[u8]) -> Option<Self> {
        match u8::take(data)? {
            0 => u8::take(data).map(|signatures| Verification::Partial { signatures }),
            1 => Some(Verification::Full),
            _ => None,
        }
    }
}
