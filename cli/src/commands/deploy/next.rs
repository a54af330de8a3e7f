//! What there is to do for a program, and what that takes, before anything is sent.

use std::path::Path;

use anyhow::{Result, bail, ensure};
use ballast_client::{Chain, Keypair, Signer};

use super::{
    Deployment,
    loader::{self, Buffer, ProgramState, program_state},
    upload,
};
use crate::{consent::Plan, format::amount, globals::read_keypair};

/// What there is to do for the program.
pub(super) enum Next {
    /// The chain holds these bytes already.
    Nothing(ProgramState),
    Upload(Box<Upload>),
}

/// An upload that is to come.
pub(super) struct Upload {
    pub(super) existing: Option<ProgramState>,
    pub(super) buffer: Buffer,
    pub(super) buffer_key: Keypair,
    /// About what it takes from the payer.
    lamports: u64,
}

impl Next {
    /// The same in lines of a plan.
    pub(super) fn told(&self, plan: Plan, file: &Path, length: usize) -> Plan {
        match self {
            Self::Nothing(state) => plan.line(
                "bytes",
                format_args!("the same since slot {}, nothing is uploaded", state.slot),
            ),
            Self::Upload(upload) => plan
                .line("file", format_args!("{}, {length} bytes", file.display()))
                .line(
                    "by",
                    match upload.existing {
                        Some(_) => "an upgrade",
                        None => "a first deployment",
                    },
                )
                .line(
                    "takes",
                    format_args!("about {} SOL, most of it rent", amount(upload.lamports, 9)),
                ),
        }
    }
}

impl Deployment<'_> {
    /// What there is to do.
    ///
    /// # Errors
    /// Somebody else's program, or one without its key; too little SOL.
    pub(super) async fn next(&self, chain: &dyn Chain) -> Result<Next> {
        let Self {
            elf,
            payer,
            program,
            ..
        } = self;
        let existing = program_state(chain, program).await?;
        match existing {
            Some(state) if state.holds(elf) => return Ok(Next::Nothing(state)),
            Some(ref state) => match state.authority {
                Some(authority) if authority == payer.pubkey() => {}
                Some(authority) => bail!(
                    "program {program} may only be upgraded by {authority}, the payer is {}: pass that key with --payer",
                    payer.pubkey()
                ),
                None => {
                    bail!("program {program} can never be upgraded: deploy under another key")
                }
            },
            None => {
                ensure!(
                    self.program_key.is_some(),
                    "program {program} does not exist yet: its key must sign, pass its file with --program-keypair"
                );
                loader::require_free_data_address(chain, program).await?;
            }
        }
        let buffer_key = match self.buffer {
            Some(path) => read_keypair(path, "--buffer")?,
            None => upload::buffer_key(payer, program, elf),
        };
        let buffer = Buffer {
            address: buffer_key.pubkey(),
            authority: payer.pubkey(),
        };
        let lamports = require_funds(chain, self, existing.as_ref(), &buffer).await?;
        Ok(Next::Upload(Box::new(Upload {
            existing,
            buffer,
            buffer_key,
            lamports,
        })))
    }
}

/// About what it will cost; says so before the upload if the payer has less.
async fn require_funds(
    chain: &dyn Chain,
    what: &Deployment<'_>,
    existing: Option<&ProgramState>,
    buffer: &Buffer,
) -> Result<u64> {
    let payer = what.payer.pubkey();
    let answer = chain.accounts(&[payer, buffer.address]).await?;
    let lamports = |index: usize| {
        answer
            .accounts
            .get(index)
            .and_then(Option::as_ref)
            .map_or(0, |account| account.lamports)
    };
    // The buffer's lamports go into the program's account, or come back after an upgrade.
    let mut needed = chain
        .rent_lamports(loader::buffer_bytes(what.elf.len()))
        .await?
        .saturating_sub(lamports(1));
    needed += match existing {
        None => chain.rent_lamports(loader::PROGRAM_BYTES).await?,
        Some(state) => {
            let more = state.growth_for(what.elf.len());
            chain
                .rent_lamports(more)
                .await?
                .saturating_sub(chain.rent_lamports(0).await?)
        }
    };
    // A signature costs 5000 lamports.
    needed += upload::transactions(what.elf.len()) * 5_000 + 1_000_000;
    let has = lamports(0);
    ensure!(
        has >= needed,
        "{payer} has {} SOL, deploying {} bytes takes about {}: fund it with {} more",
        amount(has, 9),
        what.elf.len(),
        amount(needed, 9),
        amount(needed - has, 9)
    );
    Ok(needed)
}
