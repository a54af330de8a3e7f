//! `ballast automation`: what keepers may do beyond hedging and deleveraging.

use std::fmt;

use anyhow::{Result, ensure};
use ballast_client::{
    Chain, Market, PositionContext, Pubkey, Request, Signer, decode_at, instruction,
};
use ballast_view::TokenNames;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    acting::require_owner,
    address::address,
    automation::{AutomationArgs, AutomationView},
    connection::{Connection, FeeArgs},
    consent::Plan,
    format::amount,
    globals::Globals,
    report::Output,
    target::OnePosition,
    trouble::misuse,
};

use super::transfer::available;

/// What to do with a position's automation.
#[derive(Subcommand, Debug)]
pub enum AutomationCommand {
    /// Change it; what is not given stays
    Set(Box<SetArgs>),
    /// Show it
    Show(OnePosition),
}

#[derive(Args, Debug)]
pub struct SetArgs {
    /// The position
    #[arg(value_parser = address)]
    pub position: Pubkey,
    #[command(flatten)]
    pub automation: AutomationArgs,
    #[command(flatten)]
    pub fees: FeeArgs,
}

#[derive(Debug, Serialize)]
struct AutomationReport {
    /// What was done; null if it is only shown.
    action: Option<&'static str>,
    position: String,
    automation: AutomationView,
    /// SOL that lies there for keepers.
    available_sol: String,
    signature: Option<String>,
}

/// Shows or changes it.
///
/// # Errors
/// What the program refuses, with the rule.
pub async fn run(
    command: &AutomationCommand,
    globals: &Globals,
    output: &mut Output,
) -> Result<()> {
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let address = match command {
        AutomationCommand::Set(args) => args.position,
        AutomationCommand::Show(args) => args.position,
    };
    let position = PositionContext::load(chain, address).await?;
    let stored = &position.position;
    let market = chain.account(&stored.market).await?;
    let market: Market = decode_at(&stored.market, market.as_ref())?;
    let names = TokenNames::of(&market);
    let (mut automation, mut signature) = (stored.automation, None);
    if let AutomationCommand::Set(args) = command {
        let signer = globals.signer()?;
        let key = signer.pubkey();
        require_owner(&position, &key)?;
        ensure!(
            !args.automation.is_empty(),
            misuse!("nothing to change: pass at least one of the automation options (see --help)")
        );
        automation = args.automation.applied_to(automation, &names)?;
        let set = instruction::set_automation(&stored.market, &key, &address, automation);
        let what = "setting the automation";
        let plan = Plan::on_chain(what, globals, &key)
            .line("position", address)
            .lines(AutomationView::new(&automation, &names));
        let request = Request::new(&signer, [set]);
        let receipt = connection
            .carry_out(&plan, what, &args.fees, globals, &request)
            .await?;
        signature = Some(receipt.signature.to_string());
    }
    output.print(&AutomationReport {
        action: signature.is_some().then_some("setting the automation"),
        position: address.to_string(),
        automation: AutomationView::new(&automation, &names),
        available_sol: amount(available(chain, &address).await?, 9),
        signature,
    })
}

impl fmt::Display for AutomationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "position {}", self.position)?;
        self.automation.fmt(f)?;
        writeln!(
            f,
            "               {} SOL lie there for them",
            self.available_sol
        )?;
        match &self.signature {
            Some(signature) => writeln!(f, "set in transaction {signature}"),
            None => Ok(()),
        }
    }
}
