//! `ballast policy set`: what keepers may do with a position.

use std::fmt;

use anyhow::{Result, ensure};
use ballast_client::{
    Chain, Market, PositionContext, Pubkey, Request, Signer, decode_at, instruction,
    trigger_warning,
};
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    address::address,
    connection::{Connection, FeeArgs},
    consent::Plan,
    globals::Globals,
    policy::{PolicyArgs, PolicyView, changes},
    report::Output,
    target::OnePosition,
    trouble::misuse,
};

/// What to do with a policy.
#[derive(Subcommand, Debug)]
pub enum PolicyCommand {
    /// Change a position's policy; what is not given stays
    Set(Box<SetArgs>),
    /// Show a position's policy
    Show(OnePosition),
}

#[derive(Args, Debug)]
pub struct SetArgs {
    /// The position
    #[arg(value_parser = address)]
    pub position: Pubkey,
    #[command(flatten)]
    pub policy: PolicyArgs,
    #[command(flatten)]
    pub fees: FeeArgs,
}

#[derive(Debug, Serialize)]
struct PolicyReport {
    /// What was done; null if it is only shown.
    action: Option<&'static str>,
    position: String,
    policy: PolicyView,
    signature: Option<String>,
}

/// Shows or changes a policy.
///
/// # Errors
/// What the program refuses, with the rule.
pub async fn run(command: &PolicyCommand, globals: &Globals, output: &mut Output) -> Result<()> {
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let args = match command {
        PolicyCommand::Set(args) => args,
        PolicyCommand::Show(args) => {
            let position = PositionContext::load(chain, args.position).await?;
            return output.print(&PolicyReport {
                action: None,
                position: args.position.to_string(),
                policy: PolicyView::from(&position.position.policy),
                signature: None,
            });
        }
    };
    ensure!(
        !args.policy.is_empty(),
        misuse!("nothing to change: pass at least one of the policy options (see --help)")
    );
    let signer = globals.signer()?;
    let position = PositionContext::load(chain, args.position).await?;
    let stored = &position.position;
    ensure!(
        stored.owner == signer.pubkey(),
        "position {} belongs to {}, not to the signer {}: pass its owner's key with --keypair",
        args.position,
        stored.owner,
        signer.pubkey()
    );
    let policy = args.policy.applied_to(stored.policy)?;
    let account = chain.account(&stored.market).await?;
    let market: Market = decode_at(&stored.market, account.as_ref())?;
    let set = instruction::set_policy(&stored.market, &signer.pubkey(), &args.position, policy);
    let action = "setting the policy";
    let plan = Plan::on_chain(action, globals, &signer.pubkey())
        .line("position", args.position)
        .lines(changes(&stored.policy, &policy))
        .warning(trigger_warning(&market.limits, &policy));
    let request = Request::new(&signer, [set]);
    let receipt = connection
        .carry_out(&plan, action, &args.fees, globals, &request)
        .await?;
    output.print(&PolicyReport {
        action: Some(action),
        position: args.position.to_string(),
        policy: PolicyView::from(&policy),
        signature: Some(receipt.signature.to_string()),
    })
}

impl fmt::Display for PolicyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "position {}", self.position)?;
        self.policy.fmt(f)?;
        match &self.signature {
            Some(signature) => writeln!(f, "set in transaction {signature}"),
            None => Ok(()),
        }
    }
}
