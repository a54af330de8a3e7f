//! `ballast lend`: the lenders' side.

mod insurance;
mod shares;

use std::{fmt, str::FromStr};

use anyhow::{Context, Result, anyhow, bail, ensure};
use ballast_client::{
    Amounts, BallastEvent, Chain, MarketContext, MarketSnapshot, Pubkey, Request, Side, Signer,
    instruction,
};
use ballast_view::TokenNames;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::{
    address::address,
    connection::{Connection, FeeArgs},
    consent::Plan,
    decimal::{Decimal, NumberError},
    format::amount,
    globals::Globals,
    report::Output,
    table::Table,
    target::{self, MarketArgs},
    wallet::{Funds, SIDES, name},
};
use shares::{shares_for_up, worth};

/// What to do as a lender.
#[derive(Subcommand, Debug)]
pub enum LendCommand {
    /// Lend tokens to a reserve
    Deposit(AmountArgs<Decimal>),
    /// Take lent tokens back, an amount or `all`
    Withdraw(AmountArgs<Quantity>),
    /// Show what somebody has lent
    Show(ShowArgs),
    /// Pay lenders for bad debt that was booked, an amount or `all` of it
    CoverBadDebt(AmountArgs<Quantity>),
    /// Add to what pays for bad debt before lenders do; it cannot be taken out again
    FundInsurance(AmountArgs<Decimal>),
}

/// Which of the market's tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Token {
    Base,
    Quote,
}

impl From<Token> for Side {
    fn from(token: Token) -> Self {
        match token {
            Token::Base => Self::Base,
            Token::Quote => Self::Quote,
        }
    }
}

/// How much of which token: a [`Decimal`], or a [`Quantity`] where it may be everything.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct AmountArgs<A>
where
    A: FromStr<Err = NumberError> + Clone + Send + Sync + 'static,
{
    /// Which token
    #[arg(value_enum)]
    pub token: Token,
    /// How much, in whole tokens
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

/// An amount, or everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quantity {
    All,
    Amount(Decimal),
}

impl FromStr for Quantity {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" {
            Ok(Self::All)
        } else {
            text.parse().map(Self::Amount)
        }
    }
}

#[derive(Debug, Serialize)]
struct Moved {
    what: &'static str,
    /// `base` or `quote`.
    side: &'static str,
    /// The token's name.
    token: String,
    amount: String,
    shares: String,
    signature: String,
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
        LendCommand::Deposit(args) => deposit(args, globals, output).await,
        LendCommand::Withdraw(args) => withdraw(args, globals, output).await,
        LendCommand::Show(args) => show(args, globals, output).await,
        LendCommand::CoverBadDebt(args) => insurance::cover(args, globals, output).await,
        LendCommand::FundInsurance(args) => insurance::fund(args, globals, output).await,
    }
}

async fn deposit(args: &AmountArgs<Decimal>, globals: &Globals, output: &mut Output) -> Result<()> {
    let signer = globals.signer()?;
    let lender = signer.pubkey();
    let side = Side::from(args.token);
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let market = target::load(chain, &args.market).await?;
    let raw = args.amount.raw(market.token(side).decimals)?;
    ensure!(raw > 0, "the amount is 0: pass a positive amount");
    let snapshot = target::snapshot(chain, &market).await?;
    let mut state = snapshot.reserve_at(side, snapshot.now_secs)?;
    let shares = state
        .deposit(raw)
        .map_err(|error| anyhow!("this deposit is not possible: {error}"))?;

    let funds = Funds::load(chain, &market, &lender).await?;
    let mut instructions = funds.provide(&market, &lender, only(side, raw))?;
    instructions.push(instruction::create_share_wallet(
        &market, &lender, &lender, side,
    ));
    // Interest until it lands makes shares dearer, by far less than this.
    instructions.push(instruction::deposit(
        &market,
        &lender,
        side,
        raw,
        shares - shares / 1_000,
    ));
    let names = TokenNames::of(&market.market);
    let plan = Plan::on_chain("depositing", globals, &lender)
        .line("market", market.address)
        .line("lend", names.tokens().amount(side, raw.into()))
        .line("for", format_args!("about {shares} shares"));
    let request = Request::new(&signer, instructions);
    let receipt = connection
        .carry_out(&plan, "depositing", &args.fees, globals, &request)
        .await?;
    let minted = receipt.events.iter().find_map(|event| match event {
        BallastEvent::Deposited(event) => Some(event.shares),
        _ => None,
    });
    output.print(&Moved {
        what: "deposited",
        side: name(side),
        token: names.get(side).to_owned(),
        amount: amount(raw, market.token(side).decimals),
        shares: minted.unwrap_or(shares).to_string(),
        signature: receipt.signature.to_string(),
    })
}

async fn withdraw(
    args: &AmountArgs<Quantity>,
    globals: &Globals,
    output: &mut Output,
) -> Result<()> {
    let signer = globals.signer()?;
    let lender = signer.pubkey();
    let side = Side::from(args.token);
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let market = target::load(chain, &args.market).await?;
    let decimals = market.token(side).decimals;
    let snapshot = target::snapshot(chain, &market).await?;
    let state = snapshot.reserve_at(side, snapshot.now_secs)?;
    let held = held_shares(chain, &market, &lender, side).await?;
    ensure!(
        held > 0,
        "{lender} holds no shares of the {} reserve: nothing to take back",
        name(side)
    );
    let shares = match &args.amount {
        Quantity::All => held,
        Quantity::Amount(wanted) => {
            let raw = wanted.raw(decimals)?;
            ensure!(raw > 0, "the amount is 0: pass a positive amount, or all");
            let Some(shares) = shares_for_up(&state, raw, held) else {
                bail!(
                    "{wanted} is more than the {} that {lender} has lent: pass less, or all",
                    amount(worth(&state, held), decimals)
                );
            };
            shares
        }
    };
    // What is shown of losses and not booked yet counts already, so that nobody leaves it to others.
    let shown_loss = snapshot.reserve(side).shown_loss;
    let expected = state.to_assets_at_loss_down(shares, shown_loss)?;
    if expected > state.liquidity {
        bail!(
            "the reserve has only {} at hand, {} are asked for: take less, or wait for repayments",
            amount(state.liquidity, decimals),
            amount(expected, decimals)
        );
    }
    let funds = Funds::load(chain, &market, &lender).await?;
    let mut instructions = funds.provide(&market, &lender, Amounts::ZERO)?;
    // A share loses value by bad debt only, and pays less while a loss is shown; what becomes known on the way refuses this, and
    // the lender decides anew.
    instructions.push(instruction::withdraw(
        &market, &lender, side, shares, expected,
    ));
    let names = TokenNames::of(&market.market);
    let plan = Plan::on_chain("withdrawing", globals, &lender)
        .line("market", market.address)
        .line("take back", names.tokens().amount(side, expected.into()))
        .line("for", format_args!("{shares} shares"));
    let request = Request::new(&signer, instructions);
    let receipt = connection
        .carry_out(&plan, "withdrawing", &args.fees, globals, &request)
        .await?;
    let paid = receipt.events.iter().find_map(|event| match event {
        BallastEvent::Withdrawn(event) => Some(event.amount),
        _ => None,
    });
    output.print(&Moved {
        what: "withdrew",
        side: name(side),
        token: names.get(side).to_owned(),
        amount: amount(paid.unwrap_or(expected), decimals),
        shares: shares.to_string(),
        signature: receipt.signature.to_string(),
    })
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

/// Shares in somebody's associated account.
async fn held_shares(
    chain: &dyn Chain,
    market: &MarketContext,
    owner: &Pubkey,
    side: Side,
) -> Result<u64> {
    let shares = market.share_account(owner, side);
    let account = chain.account(&shares.address).await?;
    Ok(shares.balance(account.as_ref())?.unwrap_or(0))
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            token,
            amount,
            shares,
            signature,
            ..
        } = self;
        writeln!(
            f,
            "{what} {amount} {token} for {shares} shares in transaction {signature}"
        )
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
        for lent in &self.lent {
            table.row([
                lent.token.clone(),
                lent.worth.clone(),
                lent.available.clone(),
                lent.shares.clone(),
                lent.wallet.clone(),
            ]);
        }
        table.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities() {
        assert_eq!("all".parse::<Quantity>().unwrap(), Quantity::All);
        assert!("1.5".parse::<Quantity>().is_ok() && "-1".parse::<Quantity>().is_err());
    }
}
