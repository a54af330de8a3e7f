//! `ballast first-keepers`: keepers whom an owner trusts go first for some seconds.

use std::fmt;

use anyhow::{Result, ensure};
use ballast_client::{
    PositionContext, Pubkey, Request, Signer, ballast::state::Position, instruction,
};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    acting::require_owner,
    address::address,
    connection::{Connection, FeeArgs},
    consent::Plan,
    format::duration,
    globals::Globals,
    report::Output,
    target::OnePosition,
    time::Time,
    trouble::misuse,
};

/// What to do with a position's first keepers.
#[derive(Subcommand, Debug)]
pub enum FirstKeepersCommand {
    /// Name one or two keepers who go first, or nobody
    Set(SetArgs),
    /// Show who goes first
    Show(OnePosition),
}

/// For so long after it was noted that something is due only they and the owner rehedge, recenter and compound. Nobody waits
/// with deleveraging, exits and liquidation.
#[derive(Args, Debug)]
pub struct SetArgs {
    /// The position
    #[arg(value_parser = address)]
    pub position: Pubkey,
    /// One or two keepers
    #[arg(value_parser = address, num_args = 1..=2, required_unless_present = "none", conflicts_with = "none")]
    pub keepers: Vec<Pubkey>,
    /// How long the others wait, at most 60s
    #[arg(
        long,
        value_name = "TIME",
        required_unless_present = "none",
        conflicts_with = "none"
    )]
    pub head_start: Option<Time>,
    /// Nobody goes first
    #[arg(long)]
    pub none: bool,
    #[command(flatten)]
    pub fees: FeeArgs,
}

#[derive(Debug, Serialize)]
struct FirstKeepersReport {
    /// What was done; null if it is only shown.
    action: Option<&'static str>,
    position: String,
    first_keepers: Vec<String>,
    head_start_secs: u32,
    signature: Option<String>,
}

/// Shows or names them.
///
/// # Errors
/// What the program refuses, with the rule.
pub async fn run(
    command: &FirstKeepersCommand,
    globals: &Globals,
    output: &mut Output,
) -> Result<()> {
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let args = match command {
        FirstKeepersCommand::Set(args) => args,
        FirstKeepersCommand::Show(args) => {
            let position = PositionContext::load(chain, args.position).await?;
            return output.print(&FirstKeepersReport::new(&position, None));
        }
    };
    let signer = globals.signer()?;
    let key = signer.pubkey();
    let position = PositionContext::load(chain, args.position).await?;
    require_owner(&position, &key)?;
    let Time(secs) = args.head_start.unwrap_or(Time(0));
    ensure!(
        args.none || (1..=Position::LONGEST_HEAD_START_SECS).contains(&secs),
        misuse!(
            "--head-start {} is out of range: write 1s to {}s",
            duration(secs.into()),
            Position::LONGEST_HEAD_START_SECS
        )
    );
    let mut keepers = [Pubkey::default(); 2];
    for (place, keeper) in keepers.iter_mut().zip(&args.keepers) {
        *place = *keeper;
    }
    let market = position.position.market;
    let set = instruction::set_first_keepers(&market, &key, &args.position, keepers, secs);
    let what = "naming the first keepers";
    let named = match args.none {
        true => "nobody: all keepers are alike".to_owned(),
        false => {
            let named: Vec<_> = args.keepers.iter().map(Pubkey::to_string).collect();
            format!("{}, for {}", named.join(" and "), duration(secs.into()))
        }
    };
    let plan = Plan::on_chain(what, globals, &key)
        .line("position", args.position)
        .line("first", named);
    let request = Request::new(&signer, [set]);
    let receipt = connection
        .carry_out(&plan, what, &args.fees, globals, &request)
        .await?;
    let position = PositionContext::load(chain, args.position).await?;
    let signature = Some(receipt.signature.to_string());
    output.print(&FirstKeepersReport::new(&position, signature))
}

impl FirstKeepersReport {
    fn new(position: &PositionContext, signature: Option<String>) -> Self {
        let stored = &position.position;
        let named = stored.first_keepers.iter();
        let named = named.filter(|keeper| **keeper != Pubkey::default());
        Self {
            action: signature.is_some().then_some("naming the first keepers"),
            position: position.address.to_string(),
            first_keepers: named.map(Pubkey::to_string).collect(),
            head_start_secs: stored.head_start_secs,
            signature,
        }
    }
}

impl fmt::Display for FirstKeepersReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "position {}", self.position)?;
        if self.first_keepers.is_empty() {
            writeln!(f, "  first        nobody: all keepers are alike")?;
        } else {
            writeln!(
                f,
                "  first        {}, for {} once something is due",
                self.first_keepers.join(" and "),
                duration(self.head_start_secs.into())
            )?;
        }
        match &self.signature {
            Some(signature) => writeln!(f, "set in transaction {signature}"),
            None => Ok(()),
        }
    }
}
