//! Addresses on public clusters, for migrations and tools. Program logic takes every id from its market account.

use solana_address::{Address, address};

/// Orca Whirlpool on mainnet and devnet (upgradeable).
pub const WHIRLPOOL: Address = address!("whirLbMiicVdio4qvUfM5KAg6Ct8VwpYzGff3uctyCc");
/// Orca Whirlpool, the deployment that cannot be upgraded.
pub const WHIRLPOOL_IMMUTABLE: Address = address!("iwhrLHdsgrvmnwU8GF2FSmyabSMjfHwFGJAX2ufJ3ZN");

/// Pyth receiver (Core), owner of price accounts.
pub const PYTH_RECEIVER: Address = address!("rec5EKMGg6MxZYaMdyBfgwp4d5rB9T1VQH5pJv5LtFJ");

/// Wrapped SOL, the same mint on every cluster.
pub const WRAPPED_SOL_MINT: Address = address!("So11111111111111111111111111111111111111112");

/// Pyth feed id of SOL/USD, on every cluster.
pub const SOL_USD_FEED: [u8; 32] =
    feed_id("ef0d8b6fda2ceba41da15d4095d1da392a0d2f8ed0c6c7bc0f4cfac8c280b56d");
/// Pyth feed id of USDC/USD, on every cluster.
pub const USDC_USD_FEED: [u8; 32] =
    feed_id("eaa020c61cc479712813461ce153894a96a6c00b21ed0cfc2798d1f9a9e9c94a");
/// Sponsored price account of SOL/USD, on mainnet and devnet.
pub const SOL_USD_PRICE: Address = address!("7UVimffxr9ow1uXYxsr4LHAcV58mLzhmwaeKvJ1pjLiE");
/// Sponsored price account of USDC/USD, on mainnet and devnet.
pub const USDC_USD_PRICE: Address = address!("Dpw1EAVrSB1ibxiDQyTAW6Zip3J4Btk2x4SgApQCeFbX");

/// Mainnet only.
pub mod mainnet {
    use solana_address::{Address, address};

    /// SOL/USDC Whirlpool, tick spacing 4.
    pub const SOL_USDC_POOL: Address = address!("Czfq3xZZDmsdGdUyrNLtRhGc47cXcZtLG4crryfu44zE");
}

/// Devnet only.
pub mod devnet {
    use solana_address::{Address, address};

    /// Whirlpools config.
    pub const WHIRLPOOLS_CONFIG: Address = address!("FcrweFY1G9HJAHG5inkGB6pKg1HZ6x9UC2WioAfWrGkR");
    /// SOL/devUSDC Whirlpool, tick spacing 64.
    pub const SOL_USDC_POOL: Address = address!("3KBZiL2g8C7tiJ32hTv5v3KM7aK9htpqTw4cTXz1HvPt");
    /// devUSDC, the quote token of [`SOL_USDC_POOL`].
    pub const DEV_USDC_MINT: Address = address!("BRjpCHtyQLNCo8gqRUr8jtdAj5AjPYQaoqbvcZiHok1k");
}

/// A feed id from its 64 hexadecimal digits.
///
/// # Panics
/// At compile time, when a constant above is mistyped: it is private and only used in constants.
const fn feed_id(hex: &str) -> [u8; 32] {
    const fn digit(character: u8) -> u8 {
        match character {
            b'0'..=b'9' => character - b'0',
            b'a'..=b'f' => character - b'a' + 10,
            _ => panic!("feed ids are lower-case hexadecimal"),
        }
    }
    let hex = hex.as_bytes();
    assert!(hex.len() == 64, "feed ids have 64 digits");
    let mut id = [0; 32];
    let mut index = 0;
    while index < 32 {
        id[index] = digit(hex[2 * index]) << 4 | digit(hex[2 * index + 1]);
        index += 1;
    }
    id
}
