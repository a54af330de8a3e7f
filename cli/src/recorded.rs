//! Files of recorded trading, packed or not.

use std::{fs, io::Read, path::Path};

use anyhow::{Context, Result};
use ballast_simulator::backtest::Quoted;
use clap::ValueEnum;
use flate2::read::GzDecoder;

/// First bytes of a file that gzip made.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A token of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Token {
    /// As a Whirlpool has SOL before USDC.
    Token0,
    /// As a pool of Uniswap has USDC before WETH.
    Token1,
}

impl Token {
    /// A pool of which this one is the base.
    pub fn quoted(self, base_decimals: u8, quote_decimals: u8) -> Quoted {
        Quoted {
            quote_is_token0: self == Self::Token1,
            base_decimals,
            quote_decimals,
        }
    }
}

/// A file's text, unpacked; `option` is what named it.
///
/// # Errors
/// A file that cannot be read.
pub fn text(option: &str, path: &Path) -> Result<String> {
    let unreadable = || format!("cannot read {option} {}: check the path", path.display());
    let bytes = fs::read(path).with_context(unreadable)?;
    if !bytes.starts_with(&GZIP) {
        return String::from_utf8(bytes).with_context(unreadable);
    }
    let mut text = String::new();
    GzDecoder::new(bytes.as_slice())
        .read_to_string(&mut text)
        .with_context(unreadable)?;
    Ok(text)
}
