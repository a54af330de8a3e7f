//! A node, and transactions sent through it.

use std::{
    str::FromStr,
    sync::{Arc, Once},
    time::Duration,
};

use anyhow::{Context, Error, Result};
use ballast_client::{
    BallastEvent, Chain, Failure, OnRetry, PriorityFee, Pubkey, Receipt, Request, Retry, RpcChain,
    RpcConfig, SendError, Sender, SenderConfig, lines_of,
};
use clap::Args;

use crate::{
    consent::{Agreed, Plan},
    globals::Globals,
    progress,
    report::note,
    rules,
    trouble::Explained,
};

/// How long a node may take to answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A node.
pub struct Connection {
    chain: Arc<RpcChain>,
    local: bool,
}

/// What to offer for a place in a block.
#[derive(Args, Clone, Debug, Default)]
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
        let config = RpcConfig::new(TIMEOUT);
        let chain = RpcChain::with_config(globals.url.url(), config, Some(told_once()));
        Self {
            chain: Arc::new(chain),
            local: globals.url.is_local(),
        }
    }

    /// To ask.
    pub fn chain(&self) -> &RpcChain {
        &self.chain
    }

    /// To send what somebody agreed to.
    pub fn sender(&self, fees: &FeeArgs, _: &Agreed) -> Sender {
        self.unasked(fees)
    }

    /// To see what would happen.
    pub fn rehearsal(&self, fees: &FeeArgs) -> Rehearsal {
        Rehearsal(self.unasked(fees))
    }

    /// Simulates one transaction, asks with the plan, sends it.
    ///
    /// # Errors
    /// What would be refused, before anybody is asked; that nobody agreed; [`explained`].
    pub async fn carry_out(
        &self,
        plan: &Plan,
        what: &str,
        fees: &FeeArgs,
        globals: &Globals,
        request: &Request<'_>,
    ) -> Result<Receipt> {
        if let Err(error) = self.rehearsal(fees).events(what, request).await {
            plan.show();
            return Err(error);
        }
        let agreed = plan.agreed(globals)?;
        send(&self.sender(fees, &agreed), what, request).await
    }

    fn unasked(&self, fees: &FeeArgs) -> Sender {
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

/// Simulates, and cannot send.
pub struct Rehearsal(Sender);

impl Rehearsal {
    /// The events that a transaction would have.
    ///
    /// # Errors
    /// [`explained`], if it would be refused.
    pub async fn events(&self, what: &str, request: &Request<'_>) -> Result<Vec<BallastEvent>> {
        let rehearsed = self.0.rehearse(request).await;
        rehearsed
            .map(|rehearsed| rehearsed.events)
            .map_err(explained)
            .with_context(|| format!("{what} would fail"))
    }

    /// Whether it would go through; `Err`: why not.
    ///
    /// # Errors
    /// [`SendError`].
    pub async fn check(&self, request: &Request<'_>) -> Result<(), SendError> {
        self.0.rehearse(request).await.map(drop)
    }
}

/// Says so when the node has to be asked again, the first time.
fn told_once() -> OnRetry {
    let told = Once::new();
    Arc::new(move |retry: &Retry| {
        told.call_once(|| {
            note(format_args!(
                "{} does not answer {} at once ({}): trying again",
                retry.endpoint, retry.what, retry.reason
            ));
        });
    })
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
    let words = error.failure().map(own_words).unwrap_or_default();
    if words.is_empty() {
        return error.into();
    }
    let words: Vec<String> = words.into_iter().map(rules::in_options).collect();
    let words = words.join("; ");
    Explained { error, words }.into()
}

/// The log lines of the program that failed, without those that the runtime and Anchor write.
fn own_words(failure: &Failure) -> Vec<&str> {
    let Some(program) = failure.program else {
        return Vec::new();
    };
    let lines = lines_of(&failure.logs, &program);
    let words = lines
        .into_iter()
        .map(|line| line.strip_prefix("Program log: ").unwrap_or(line));
    let idle = [
        "Instruction: ",
        "AnchorError",
        "Program data: ",
        "Program return: ",
    ];
    words
        .filter(|line| !idle.iter().any(|prefix| line.starts_with(prefix)))
        .filter(|line| !line.ends_with("compute units"))
        .filter(|line| !is_compared(line))
        .collect()
}

/// Whether a line is one of the values that Anchor compared, or says which.
fn is_compared(line: &str) -> bool {
    ["Left", "Right"].iter().any(|side| {
        let behind = line.strip_prefix(side);
        behind.is_some_and(|behind| behind.starts_with(':'))
    }) || line.parse::<Pubkey>().is_ok()
}

#[cfg(test)]
mod tests {
    use solana_sdk::{instruction::InstructionError, transaction::TransactionError};

    use super::*;

    #[test]
    fn the_program_is_quoted_without_the_noise() {
        let program = Pubkey::new_unique();
        let logs = [
            format!("Program {program} invoke [1]"),
            "Program log: Instruction: SetPolicy".into(),
            "Program log: Policy refused: hedge_bps must not exceed 10000".into(),
            "Program log: AnchorError thrown in x.rs. Error Code: BadPolicy.".into(),
            "Program log: Left:".into(),
            format!("Program log: {}", Pubkey::new_unique()),
            "Program log: Right: 5".into(),
            "Program log: 11111111111111111111111111111111".into(),
            format!("Program {program} consumed 5 of 10 compute units"),
            format!("Program {program} failed: custom program error: 0x1773"),
        ];
        let refused = TransactionError::InstructionError(0, InstructionError::Custom(6_003));
        let failure = Failure::new(refused, logs.into(), &[program]);
        assert_eq!(
            own_words(&failure),
            ["Policy refused: hedge_bps must not exceed 10000"]
        );
        let told = explained(SendError::Refused(Box::new(failure))).to_string();
        assert!(
            told.ends_with("(the program says: Policy refused: --hedge must not exceed 100%)"),
            "{told}"
        );
        let silent = Failure::new(TransactionError::BlockhashNotFound, Vec::new(), &[program]);
        assert!(own_words(&silent).is_empty());
    }
}
