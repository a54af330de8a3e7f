//! `ballast lend deposit | withdraw`: tokens for shares of a reserve, and back.

use std::fmt;

use anyhow::{Result, anyhow, bail, ensure};
use ballast_client::{
    Amounts, BallastEvent, Instruction, Keypair, MarketContext, Pubkey, Request, Side, Signer,
    instruction,
};
use ballast_view::TokenNames;
use serde::Serialize;

use super::{
    AmountArgs, only,
    shares::{held_shares, shares_for_up, worth},
};
use crate::{
    connection::{Connection, FeeArgs},
    consent::Plan,
    format::{amount, percent},
    globals::Globals,
    report::Output,
    target::{self, MarketArgs},
    tokens::{Amount, Quantity},
    trouble::misuse,
    wallet::{Funds, name},
};

#[derive(Debug, Serialize)]
struct Moved {
    action: &'static str,
    /// `base` or `quote`.
    side: &'static str,
    /// The token's name.
    token: String,
    amount: String,
    shares: String,
    signature: String,
}

/// Lends.
///
/// # Errors
/// What is missing or refused.
pub async fn deposit(
    args: &AmountArgs<Amount>,
    globals: &Globals,
    output: &mut Output,
) -> Result<()> {
    let lender = Lender::new(&args.market, &args.fees, globals).await?;
    let (market, owner) = (&lender.market, lender.address());
    let names = TokenNames::of(&market.market);
    let side = args.token.side(&names)?;
    let raw = args.amount.raw_of(&names, side)?;
    ensure!(raw > 0, misuse!("the amount is 0: pass a positive amount"));
    let snapshot = target::snapshot(lender.connection.chain(), market).await?;
    let mut state = snapshot.reserve_at(side, snapshot.now_secs)?;
    let shares = state
        .deposit(raw)
        .map_err(|error| anyhow!("this deposit is not possible: {error}"))?;
    // Interest until it lands makes shares dearer, by far less than this.
    let least = shares - shares / 1_000;
    let exchange = Exchange {
        doing: "depositing",
        done: "deposited",
        purpose: "lend",
        price: format!(
            "shares of all {} that is lent, which grow by its interest",
            names.get(side)
        ),
        side,
        raw,
        shares,
    };
    let provided = only(side, raw);
    let instructions = vec![
        instruction::create_share_wallet(market, &owner, &owner, side),
        instruction::deposit(market, &owner, side, raw, least),
    ];
    lender.send(exchange, provided, instructions, output).await
}

/// Takes back.
///
/// # Errors
/// What is missing or refused.
pub async fn withdraw(
    args: &AmountArgs<Quantity>,
    globals: &Globals,
    output: &mut Output,
) -> Result<()> {
    let lender = Lender::new(&args.market, &args.fees, globals).await?;
    let (market, owner) = (&lender.market, lender.address());
    let names = TokenNames::of(&market.market);
    let side = args.token.side(&names)?;
    let chain = lender.connection.chain();
    let told = |raw: u64| names.tokens().amount(side, raw.into());
    let snapshot = target::snapshot(chain, market).await?;
    let state = snapshot.reserve_at(side, snapshot.now_secs)?;
    let held = held_shares(chain, market, &owner, side).await?;
    ensure!(
        held > 0,
        crate::trouble::NothingDue(format!(
            "{owner} has lent no {}: nothing to take back",
            names.get(side)
        ))
    );
    let shares = match &args.amount {
        Quantity::All => held,
        Quantity::Amount(wanted) => {
            let raw = wanted.raw_of(&names, side)?;
            ensure!(
                raw > 0,
                misuse!("the amount is 0: pass a positive amount, or all")
            );
            let Some(shares) = shares_for_up(&state, raw, held) else {
                bail!(misuse!(
                    "{} is more than the {} that {owner} has lent: pass less, or all",
                    told(raw),
                    told(worth(&state, held))
                ));
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
            told(state.liquidity),
            told(expected)
        );
    }
    let exchange = Exchange {
        doing: "withdrawing",
        done: "withdrew",
        purpose: "take back",
        price: format!(
            "{} of what is lent, which is worth {}",
            percent(shares as f64 / held as f64),
            told(worth(&state, held))
        ),
        side,
        raw: expected,
        shares,
    };
    // A share loses value by bad debt only, and pays less while a loss is shown; what becomes known on the way refuses this, and
    // the lender decides anew.
    let withdrawal = instruction::withdraw(market, &owner, side, shares, expected);
    lender
        .send(exchange, Amounts::ZERO, vec![withdrawal], output)
        .await
}

/// Tokens for shares or shares for tokens: as expected, until it has landed.
struct Exchange {
    /// What is being done.
    doing: &'static str,
    /// The same, of what was done.
    done: &'static str,
    /// The same, of what is still to be done.
    purpose: &'static str,
    /// What is given for it, in words.
    price: String,
    side: Side,
    raw: u64,
    shares: u64,
}

impl Exchange {
    /// Takes what the program says for what was expected.
    fn learn(&mut self, event: &BallastEvent) {
        match event {
            BallastEvent::Deposited(event) => self.shares = event.shares,
            BallastEvent::Withdrawn(event) => self.raw = event.amount,
            _ => {}
        }
    }
}

/// Who signs, in a market.
struct Lender<'a> {
    signer: Keypair,
    connection: Connection,
    market: MarketContext,
    fees: &'a FeeArgs,
    globals: &'a Globals,
}

impl<'a> Lender<'a> {
    async fn new(market: &MarketArgs, fees: &'a FeeArgs, globals: &'a Globals) -> Result<Self> {
        let signer = globals.signer()?;
        let connection = Connection::new(globals);
        let market = target::load(connection.chain(), market).await?;
        Ok(Self {
            signer,
            connection,
            market,
            fees,
            globals,
        })
    }

    fn address(&self) -> Pubkey {
        self.signer.pubkey()
    }

    /// Exchanges, with so much from the wallet.
    async fn send(
        &self,
        mut exchange: Exchange,
        provided: Amounts,
        instructions: Vec<Instruction>,
        output: &mut Output,
    ) -> Result<()> {
        let (market, owner, side) = (&self.market, self.address(), exchange.side);
        let funds = Funds::load(self.connection.chain(), market, &owner).await?;
        let mut all = funds.provide(market, &owner, provided)?;
        all.extend(instructions);
        let names = TokenNames::of(&market.market);
        let plan = Plan::on_chain(exchange.doing, self.globals, &owner)
            .line("market", market.address)
            .line(
                exchange.purpose,
                names.tokens().amount(side, exchange.raw.into()),
            )
            .line("for", &exchange.price);
        let request = Request::new(&self.signer, all);
        let receipt = self
            .connection
            .carry_out(&plan, exchange.doing, self.fees, self.globals, &request)
            .await?;
        for event in &receipt.events {
            exchange.learn(event);
        }
        output.print(&Moved {
            action: exchange.done,
            side: name(side),
            token: names.get(side).to_owned(),
            amount: amount(exchange.raw, market.token(side).decimals),
            shares: exchange.shares.to_string(),
            signature: receipt.signature.to_string(),
        })
    }
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            action,
            token,
            amount,
            signature,
            ..
        } = self;
        writeln!(f, "{action} {amount} {token} in transaction {signature}")
    }
}
