//! What to send, and how.

use std::time::Duration;

use solana_sdk::{instruction::Instruction, message::AddressLookupTableAccount, signer::Signer};

use crate::chain::Blockhash;
use crate::signing::Payer;

/// What to offer for a place in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriorityFee {
    /// Nothing.
    None,
    /// So many micro-lamports per compute unit.
    Fixed(u64),
    /// What others paid lately for the same accounts.
    Recent {
        /// Which of the recent fees, 0 the lowest, 100 the highest.
        percentile: u8,
        /// Never more than this, micro-lamports per compute unit.
        cap: u64,
    },
}

/// How the compute limit is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComputeLimit {
    /// By a simulation first, with a margin. A transaction that would fail is not sent.
    Simulated,
    /// Given: no simulation, for what is urgent.
    Fixed(u32),
}

/// How to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderConfig {
    /// Added to the simulated compute units: amounts and ticks crossed may differ when it lands.
    pub compute_margin_bps: u32,
    /// Unless a request says otherwise.
    pub fee: PriorityFee,
    /// Pause between two looks at the status.
    pub poll: Duration,
    /// Pause between sending the same bytes again.
    pub resend: Duration,
    /// When to stop waiting. Blockhashes last 60 to 90 seconds on public clusters.
    pub deadline: Duration,
    /// How long to wait for the logs of a transaction that has landed.
    pub record_wait: Duration,
}

impl Default for SenderConfig {
    fn default() -> Self {
        Self {
            compute_margin_bps: 2_000,
            fee: PriorityFee::None,
            poll: Duration::from_millis(250),
            resend: Duration::from_secs(2),
            deadline: Duration::from_secs(120),
            record_wait: Duration::from_secs(5),
        }
    }
}

/// What to send.
#[derive(Clone)]
pub struct Request<'a> {
    /// Pays fees, signs.
    pub payer: Payer<'a>,
    /// Other signers.
    pub signers: Vec<&'a (dyn Signer + Sync)>,
    /// Instructions without those for the compute budget.
    pub instructions: Vec<Instruction>,
    /// Lookup tables.
    pub tables: &'a [AddressLookupTableAccount],
    /// How the compute limit is found.
    pub compute: ComputeLimit,
    /// `None`: the sender's.
    pub fee: Option<PriorityFee>,
    /// To sign with, for what must not live longer; `None`: the newest.
    pub blockhash: Option<Blockhash>,
}

impl<'a> Request<'a> {
    /// Signed by the payer alone, simulated, without lookup tables.
    pub fn new(payer: impl Into<Payer<'a>>, instructions: impl Into<Vec<Instruction>>) -> Self {
        Self {
            payer: payer.into(),
            signers: Vec::new(),
            instructions: instructions.into(),
            tables: &[],
            compute: ComputeLimit::Simulated,
            fee: None,
            blockhash: None,
        }
    }

    /// One more signer.
    pub fn signer(mut self, signer: &'a (dyn Signer + Sync)) -> Self {
        self.signers.push(signer);
        self
    }

    /// With lookup tables.
    pub fn tables(mut self, tables: &'a [AddressLookupTableAccount]) -> Self {
        self.tables = tables;
        self
    }

    /// With another priority fee than the sender's.
    pub fn fee(mut self, fee: PriorityFee) -> Self {
        self.fee = Some(fee);
        self
    }

    /// Signed with this blockhash, if there is one.
    pub fn blockhash(mut self, blockhash: Option<Blockhash>) -> Self {
        self.blockhash = blockhash;
        self
    }

    /// With a given compute limit and no simulation.
    pub fn compute_limit(mut self, units: u32) -> Self {
        self.compute = ComputeLimit::Fixed(units);
        self
    }
}
