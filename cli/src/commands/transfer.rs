//! `ballast transfer | accept | reward`: a position changes hands; keepers are paid.

use std::fmt;

use anyhow::{Context, Result, ensure};
use ballast_abi::spl;
use ballast_client::{
    Chain, Instruction, PositionContext, Pubkey, Request, Signer, ballast::state::Position,
    instruction,
};
use clap::{Args, Subcommand};
use serde::Serialize;
use solana_sdk::instruction::AccountMeta;

use crate::{
    acting::require_owner,
    address::address,
    connection::{Connection, FeeArgs},
    consent::Plan,
    format::amount,
    globals::Globals,
    report::Output,
    tokens::{Amount, Quantity},
    trouble::misuse,
};

/// Decimals of SOL.
const SOL: u8 = 9;

/// To whom a position is offered.
#[derive(Args, Debug)]
pub struct TransferArgs {
    /// The position
    #[arg(value_parser = address)]
    pub position: Pubkey,
    /// Who may take it over, with all that it owes
    #[arg(value_parser = address, required_unless_present = "cancel", conflicts_with = "cancel")]
    pub to: Option<Pubkey>,
    /// Take an offer back
    #[arg(long)]
    pub cancel: bool,
    #[command(flatten)]
    pub fees: FeeArgs,
}

/// Which offer to take.
#[derive(Args, Debug)]
pub struct AcceptArgs {
    /// The position
    #[arg(value_parser = address)]
    pub position: Pubkey,
    #[command(flatten)]
    pub fees: FeeArgs,
}

/// What to do with the SOL that keepers are paid from.
#[derive(Subcommand, Debug)]
pub enum RewardCommand {
    /// Put SOL there; anyone may
    Fund(FundArgs),
    /// Take SOL back
    Reclaim(ReclaimArgs),
}

#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct FundArgs {
    /// The position
    #[arg(value_parser = address)]
    pub position: Pubkey,
    /// How much SOL
    pub sol: Amount,
    #[command(flatten)]
    pub fees: FeeArgs,
}

#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct ReclaimArgs {
    /// The position
    #[arg(value_parser = address)]
    pub position: Pubkey,
    /// How much SOL, or `all`
    pub sol: Quantity,
    #[command(flatten)]
    pub fees: FeeArgs,
}

#[derive(Debug, Serialize)]
struct OwnerReport {
    action: &'static str,
    position: String,
    owner: String,
    /// Who may take it over.
    offered_to: Option<String>,
    signature: String,
}

#[derive(Debug, Serialize)]
struct RewardReport {
    action: &'static str,
    position: String,
    /// SOL that lies there for keepers.
    available_sol: String,
    signature: String,
}

/// Offers, or takes an offer back.
///
/// # Errors
/// What the program refuses.
pub async fn transfer(args: &TransferArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let key = globals.signer()?.pubkey();
    let connection = Connection::new(globals);
    let position = PositionContext::load(connection.chain(), args.position).await?;
    require_owner(&position, &key)?;
    let to = args.to.unwrap_or_default();
    let offer = instruction::transfer(&key, &args.position, to);
    let plan =
        Plan::on_chain("offering the position", globals, &key).line("position", args.position);
    let plan = match args.to {
        Some(to) => plan.line(
            "to",
            format_args!("{to}, who may take it over with all that it owes"),
        ),
        None => plan.line("to", "nobody any more"),
    };
    let fees = &args.fees;
    owned(
        &connection,
        fees,
        globals,
        output,
        args.position,
        offer,
        plan,
    )
    .await
}

/// Takes an offered position over.
///
/// # Errors
/// What the program refuses.
pub async fn accept(args: &AcceptArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let key = globals.signer()?.pubkey();
    let connection = Connection::new(globals);
    let position = PositionContext::load(connection.chain(), args.position).await?;
    let accept = instruction::accept_transfer(&key, &args.position);
    let plan = Plan::on_chain("taking the position over", globals, &key)
        .line("position", args.position)
        .line(
            "from",
            format_args!("{}, with all that it owes", position.position.owner),
        );
    let fees = &args.fees;
    owned(
        &connection,
        fees,
        globals,
        output,
        args.position,
        accept,
        plan,
    )
    .await
}

async fn owned(
    connection: &Connection,
    fees: &FeeArgs,
    globals: &Globals,
    output: &mut Output,
    address: Pubkey,
    instruction: Instruction,
    plan: Plan,
) -> Result<()> {
    let signer = globals.signer()?;
    let request = Request::new(&signer, [instruction]);
    let action = "handing the position over";
    let receipt = connection
        .carry_out(&plan, action, fees, globals, &request)
        .await?;
    let position = PositionContext::load(connection.chain(), address).await?;
    let pending = position.position.pending_owner;
    output.print(&OwnerReport {
        action,
        position: address.to_string(),
        owner: position.position.owner.to_string(),
        offered_to: (pending != Pubkey::default()).then(|| pending.to_string()),
        signature: receipt.signature.to_string(),
    })
}

/// Puts SOL where keepers are paid from, or takes it back.
///
/// # Errors
/// What the program refuses.
pub async fn reward(command: &RewardCommand, globals: &Globals, output: &mut Output) -> Result<()> {
    let signer = globals.signer()?;
    let key = signer.pubkey();
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let (address, fees) = match command {
        RewardCommand::Fund(args) => (args.position, &args.fees),
        RewardCommand::Reclaim(args) => (args.position, &args.fees),
    };
    // SOL that is sent elsewhere by mistake is lost.
    let position = PositionContext::load(chain, address).await?;
    let what = "moving the keepers' SOL";
    let plan = Plan::on_chain(what, globals, &key)
        .line("position", address)
        .line("owner", position.position.owner);
    let (plan, instruction) = match command {
        RewardCommand::Fund(args) => {
            let lamports = args.sol.raw("SOL", SOL)?;
            ensure!(
                lamports > 0,
                misuse!("the amount is 0: pass a positive amount")
            );
            let account = chain.account(&key).await?;
            let held = account.map_or(0, |account| account.lamports);
            ensure!(
                held >= lamports,
                "{key} holds {} SOL, {} SOL are to be put there: pass less, or send {} SOL more to it",
                amount(held, SOL),
                amount(lamports, SOL),
                amount(lamports - held, SOL)
            );
            let plan = plan.line("put there", format_args!("{} SOL", amount(lamports, SOL)));
            (plan, pay(&key, &address, lamports))
        }
        RewardCommand::Reclaim(args) => {
            require_owner(&position, &key)?;
            let (lamports, told) = match &args.sol {
                Quantity::All => (u64::MAX, "all that is there".to_owned()),
                Quantity::Amount(sol) => (sol.raw("SOL", SOL)?, format!("{sol} SOL")),
            };
            let plan = plan.line("take back", told);
            (plan, instruction::reclaim_reward(&key, &address, lamports))
        }
    };
    let request = Request::new(&signer, [instruction]);
    let receipt = connection
        .carry_out(&plan, what, fees, globals, &request)
        .await?;
    output.print(&RewardReport {
        action: match command {
            RewardCommand::Fund(_) => "funding rewards",
            RewardCommand::Reclaim(_) => "reclaiming rewards",
        },
        position: address.to_string(),
        available_sol: amount(available(chain, &address).await?, SOL),
        signature: receipt.signature.to_string(),
    })
}

/// Lamports on a position's account beyond its rent: what keepers are paid from.
///
/// # Errors
/// If the cluster does not answer.
pub async fn available(chain: &dyn Chain, position: &Pubkey) -> Result<u64> {
    let account = chain.account(position).await?;
    let account = account.with_context(|| format!("no position at {position}"))?;
    let rent = chain.rent_lamports(Position::SPACE).await?;
    Ok(account.lamports.saturating_sub(rent))
}

/// The system program's transfer.
fn pay(from: &Pubkey, to: &Pubkey, lamports: u64) -> Instruction {
    let mut data = 2u32.to_le_bytes().to_vec();
    data.extend_from_slice(&lamports.to_le_bytes());
    Instruction {
        program_id: spl::SYSTEM_PROGRAM,
        accounts: vec![AccountMeta::new(*from, true), AccountMeta::new(*to, false)],
        data,
    }
}

impl fmt::Display for OwnerReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "position {}", self.position)?;
        writeln!(f, "  owner        {}", self.owner)?;
        match &self.offered_to {
            Some(to) => writeln!(
                f,
                "  offered to   {to}, who takes it over with `ballast accept {}`",
                self.position
            )?,
            None => writeln!(f, "  offered to   nobody")?,
        }
        writeln!(f, "done in transaction {}", self.signature)
    }
}

impl fmt::Display for RewardReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "position {}", self.position)?;
        writeln!(f, "  for keepers  {} SOL", self.available_sol)?;
        writeln!(f, "done in transaction {}", self.signature)
    }
}
