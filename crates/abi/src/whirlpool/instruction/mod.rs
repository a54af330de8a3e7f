//! Instructions of the Whirlpool program: `Name` holds the arguments, `NameAccounts` the accounts in order.

mod liquidity;
mod position;
mod reposition;
mod set_up;
mod swap;

pub use liquidity::*;
pub use position::*;
pub use reposition::*;
pub use set_up::*;
pub use swap::*;

pub use crate::wire::NoRemainingAccounts;

use solana_address::{Address, address};

/// Update authority of the metadata of position NFTs, a constant of the Whirlpool program.
pub const METADATA_UPDATE_AUTHORITY: Address =
    address!("3axbTs2z5GBy6usVbNVoqEgZMng3vZvMnAoX29BFfwhr");
