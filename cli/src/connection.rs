//! A node, and transactions sent through it.

use std::{str::FromStr, sync::Arc, time::Duration};

use anyhow::{Context, Error, Result};
use ballast_client::{
    Chain, Failure, PriorityFee, Receipt, Request, RpcChain, SendError, Sender, SenderConfig,
    lines_of,
};
use clap::Args;

use crate::{globals::Globals, progress};

/// How long a node may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A node.
pub struct Connection {
    chain: Arc<RpcChain>,
    local: bool,
}

/// What to offer for a place in a block.
#[derive(Args, Clone, Debug)]
pub struct FeeArgs {
    /// Priority fee in micro-lamports per compute unit, or `auto`: what others pay lately [default: auto; 0 on localnet]
    #[arg(long, value_name = "FEE")]
    pub priority_fee: Option<FeeChoice>,
}

/// A fixed fee, or what others pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeeChoice {
    Auto,
    Fixed(u64),
}

impl FromStr for FeeChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "auto" => Ok(Self::Auto),
            number => number
                .parse()
                .map(Self::Fixed)
                .map_err(|_| "write a whole number of micro-lamports, or auto"),
        }
    }
}

/// Most that `auto` offers, micro-lamports per compute unit: 0.0004 SOL for a transaction of 400,000 units.
const AUTO_CAP: u64 = 1_000_000;

impl Connection {
    /// The node that the options name. Connects on first use.
    pub fn new(globals: &Globals) -> Self {
        Self {
            chain: Arc::new(RpcChain::new(globals.url.url(), TIMEOUT)),
            local: globals.url.is_local(),
        }
    }

    /// To ask.
    pub fn chain(&self) -> &RpcChain {
        &self.chain
    }

    /// To send.
    pub fn sender(&self, fees: &FeeArgs) -> Sender {
        let auto = PriorityFee::Recent {
            percentile: 75,
            cap: AUTO_CAP,
        };
        let fee = match fees.priority_fee {
            Some(FeeChoice::Fixed(0)) => PriorityFee::None,
            Some(FeeChoice::Fixed(fee)) => PriorityFee::Fixed(fee),
            Some(FeeChoice::Auto) => auto,
            None if self.local => PriorityFee::None,
            None => auto,
        };
        let chain: Arc<dyn Chain> = self.chain.clone();
        Sender::new(
            chain,
            SenderConfig {
                fee,
                ..SenderConfig::default()
            },
        )
    }
}

/// Sends and waits, showing what for.
///
/// # Errors
/// [`explained`].
pub async fn send(sender: &Sender, what: &str, request: &Request<'_>) -> Result<Receipt> {
    let bar = progress::spinner(what.to_owned());
    let sent = sender.send(request).await;
    bar.finish_and_clear();
    sent.map_err(explained)
        .with_context(|| format!("{what} failed"))
}

/// A failed transaction with what the program logged about it: some errors only name the rule there.
pub fn explained(error: SendError) -> Error {
    let logged = error
        .failure()
        .map(own_words)
        .filter(|words| !words.is_empty());
    let error = Error::from(error);
    match logged {
        Some(words) => Error::msg(format!("{error:#}\nthe program says: {}", words.join("; "))),
        None => error,
    }
}

/// The program's own log lines, without those that Anchor writes.
fn own_words(failure: &Failure) -> Vec<&str> {
    let lines = lines_of(&failure.logs, &ballast_client::ballast::ID);
    let words = lines
        .into_iter()
        .filter_map(|line| line.strip_prefix("Program log: "));
    words
        .filter(|line| !line.starts_with("Instruction: ") && !line.starts_with("AnchorError"))
        .collect()
}
