//! `ballast market migrate`: what anyone may do for a market of the earlier version, so that nobody who has lent or borrowed there
//! depends on its authority.

use std::fmt;

use anyhow::{Context, Result};
use ballast_client::{
    Chain, DecodeError, Instruction, Market, Positions, Pubkey, Request, Reserve, Signer,
    decode_any_version, instruction, pda,
};
use clap::Args;
use serde::Serialize;

use crate::{
    address::address,
    connection::{Connection, FeeArgs, send},
    consent::Plan,
    globals::Globals,
    report::Output,
};

/// As many positions as fit a transaction.
const STEPS_PER_TRANSACTION: usize = 12;

/// Which market.
#[derive(Args, Debug)]
pub struct MigrateArgs {
    /// The market
    #[arg(long, env = "BALLAST_MARKET", value_name = "ADDRESS", value_parser = address)]
    pub market: Pubkey,
    #[command(flatten)]
    pub fees: FeeArgs,
}

#[derive(Debug, Serialize)]
struct MigrateReport {
    market: String,
    migrated: Vec<String>,
    signatures: Vec<String>,
}

/// Brings the market, its reserves and positions to this version, with cautious rules for what is new in it.
///
/// # Errors
/// If there is no such market; what the program refuses.
pub async fn run(args: &MigrateArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let signer = globals.signer()?;
    let connection = Connection::new(globals);
    let steps = steps(connection.chain(), &args.market).await?;
    if steps.is_empty() {
        return output.print(&MigrateReport::of(&args.market));
    }
    let plan = Plan::on_chain("migrating", globals, &signer.pubkey());
    let plan = steps
        .iter()
        .fold(plan, |plan, (what, _)| plan.line("to this version", what));
    let sender = connection.sender(&args.fees, &plan.agreed(globals)?);
    let mut report = MigrateReport::of(&args.market);
    for some in steps.chunks(STEPS_PER_TRANSACTION) {
        let (what, migrate): (Vec<String>, Vec<Instruction>) = some.iter().cloned().unzip();
        let request = Request::new(&signer, migrate);
        let receipt = send(&sender, "migrating", &request).await?;
        report.migrated.extend(what);
        report.signatures.push(receipt.signature.to_string());
    }
    output.print(&report)
}

/// What is of the earlier version: the market first, without which nothing else goes.
async fn steps(chain: &dyn Chain, address: &Pubkey) -> Result<Vec<(String, Instruction)>> {
    let account = chain.account(address).await?;
    let account = account
        .with_context(|| format!("no market at {address}: check --market and the cluster"))?;
    let market: Market = decode_any_version(address, &account)?;
    let mut steps = Vec::new();
    if market.version != Market::VERSION {
        let migrate = instruction::migrate_market(address, None);
        steps.push((format!("market {address}"), migrate));
    }
    for mint in [&market.base_mint, &market.quote_mint] {
        let at = pda::reserve(address, mint);
        let Some(account) = chain.account(&at).await? else {
            continue;
        };
        let reserve: Reserve = decode_any_version(&at, &account)?;
        if reserve.version != Reserve::VERSION {
            steps.push((format!("reserve {at}"), instruction::migrate_reserve(&at)));
        }
    }
    for error in Positions::of_market(chain, address).await?.unreadable {
        if let DecodeError::WrongVersion { address: at, .. } = error {
            let migrate = instruction::migrate_position(address, &at);
            steps.push((format!("position {at}"), migrate));
        }
    }
    Ok(steps)
}

impl MigrateReport {
    /// Nothing yet.
    fn of(market: &Pubkey) -> Self {
        Self {
            market: market.to_string(),
            migrated: Vec::new(),
            signatures: Vec::new(),
        }
    }
}

impl fmt::Display for MigrateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.migrated.is_empty() {
            return writeln!(
                f,
                "market {}: everything is of this version already",
                self.market
            );
        }
        for what in &self.migrated {
            writeln!(f, "migrated {what}")?;
        }
        writeln!(f, "done in {}", self.signatures.join(", "))
    }
}
