//! `ballast lend`: the lenders' side.

mod exchange;
mod insurance;
mod shares;

use std::{fmt, str::FromStr};

use anyhow::{Context, Result};
use ballast_client::{Amounts, Chain, MarketContext, MarketSnapshot, Pubkey, Side, Signer};
use ballast_view::TokenNames;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    address::address,
    connection::{Connection, FeeArgs},
    decimal::NumberError,
    format::{amount, sized},
    globals::Globals,
    report::Output,
    table::Table,
    target::{self, MarketArgs},
    tokens::{Amount, Quantity, Token},
    wallet::{Funds, SIDES, name},
};
use shares::{held_shares, worth};

/// What to do as a lender.
#[derive(Subcommand, Debug)]
pub enum LendCommand {
    /// Lend tokens to a reserve
    Deposit(AmountArgs<Amount>),
    /// Take lent tokens back, an amount or `all`
    Withdraw(AmountArgs<Quantity>),
    /// Show what somebody has lent
    Show(ShowArgs),
    /// Pay lenders for bad debt that was booked, an amount or `all` of it
    CoverBadDebt(AmountArgs<Quantity>),
    /// Add to what pays for bad debt before lenders do; it cannot be taken out again
    FundInsurance(AmountArgs<Amount>),
}

/// How much of which token: an [`Amount`], or a [`Quantity`] where it may be everything.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct AmountArgs<A>
where
    A: FromStr<Err = NumberError> + Clone + Send + Sync + 'static,
{
    /// Which token: base, quote, or its name
    pub token: Token,
    /// How much, in whole tokens: 10 or "10 USDC"
    #[arg(value_parser = A::from_str)]
    pub amount: A,
    #[command(flatten)]
    pub market: MarketArgs,
    #[command(flatten)]
    pub fees: FeeArgs,
}

#[derive(Args, Debug)]
pub struct ShowArgs {
    /// Whose [default: the signer]
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub owner: Option<Pubkey>,
    #[command(flatten)]
    pub market: MarketArgs,
}

#[derive(Debug, Serialize)]
struct LentReport {
    owner: String,
    market: String,
    lent: Vec<Lent>,
}

#[derive(Debug, Serialize)]
struct Lent {
    /// `base` or `quote`.
    side: &'static str,
    /// The token's name.
    token: String,
    shares: String,
    worth: String,
    /// What could be taken out now.
    available: String,
    wallet: String,
}

/// Lends, takes back, shows.
///
/// # Errors
/// What is missing or refused.
pub async fn run(command: &LendCommand, globals: &Globals, output: &mut Output) -> Result<()> {
    match command {
        LendCommand::Deposit(args) => exchange::deposit(args, globals, output).await,
        LendCommand::Withdraw(args) => exchange::withdraw(args, globals, output).await,
        LendCommand::Show(args) => show(args, globals, output).await,
        LendCommand::CoverBadDebt(args) => insurance::cover(args, globals, output).await,
        LendCommand::FundInsurance(args) => insurance::fund(args, globals, output).await,
    }
}

async fn show(args: &ShowArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let owner = match args.owner {
        Some(owner) => owner,
        None => {
            let signer = globals.signer();
            signer
                .context("no owner: --owner ADDRESS needs no key, without it it is the signer")?
                .pubkey()
        }
    };
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let market = target::load(chain, &args.market).await?;
    let snapshot = target::snapshot(chain, &market).await?;
    let funds = Funds::load(chain, &market, &owner).await?;
    let mut report = LentReport {
        owner: owner.to_string(),
        market: market.address.to_string(),
        lent: Vec::new(),
    };
    for side in SIDES {
        report
            .lent
            .push(lent(chain, &market, &snapshot, &funds, &owner, side).await?);
    }
    output.print(&report)
}

async fn lent(
    chain: &dyn Chain,
    market: &MarketContext,
    snapshot: &MarketSnapshot,
    funds: &Funds,
    owner: &Pubkey,
    side: Side,
) -> Result<Lent> {
    let decimals = market.token(side).decimals;
    let state = snapshot.reserve_at(side, snapshot.now_secs)?;
    let shares = held_shares(chain, market, owner, side).await?;
    let worth = worth(&state, shares);
    Ok(Lent {
        side: name(side),
        token: TokenNames::of(&market.market).get(side).to_owned(),
        shares: shares.to_string(),
        worth: amount(worth, decimals),
        available: amount(worth.min(state.liquidity), decimals),
        wallet: amount(funds.get(side), decimals),
    })
}

fn only(side: Side, raw: u64) -> Amounts {
    match side {
        Side::Base => Amounts {
            base: raw,
            quote: 0,
        },
        Side::Quote => Amounts {
            base: 0,
            quote: raw,
        },
    }
}

impl fmt::Display for LentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "lender {} in market {}", self.owner, self.market)?;
        let mut table = Table::new([
            "<token",
            "lent",
            "available now",
            "?shares",
            "in the wallet",
        ]);
        let decimal = |text: &str| match f.alternate() {
            true => text.to_owned(),
            false => sized(text),
        };
        for lent in &self.lent {
            table.row([
                lent.token.clone(),
                decimal(&lent.worth),
                decimal(&lent.available),
                lent.shares.clone(),
                decimal(&lent.wallet),
            ]);
        }
        table.fmt(f)
    }
}
