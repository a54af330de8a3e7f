//! `ballast lend cover-bad-debt | fund-insurance`: money from outside for lenders who have lost, and for those who may.

use std::fmt;

use anyhow::{Result, ensure};
use ballast_client::{Instruction, MarketContext, Pubkey, Request, Side, Signer, instruction};
use ballast_view::TokenNames;
use serde::Serialize;

use super::{AmountArgs, only};
use crate::{
    connection::{Connection, FeeArgs},
    consent::Plan,
    format::amount,
    globals::Globals,
    report::Output,
    target,
    tokens::{Amount, Quantity},
    wallet::{Funds, name},
};

#[derive(Debug, Serialize)]
struct Paid {
    action: &'static str,
    /// `base` or `quote`.
    side: &'static str,
    /// The token's name.
    token: String,
    amount: String,
    bad_debt: String,
    insurance: String,
    signature: String,
}

/// Pays lenders for bad debt that was booked.
///
/// # Errors
/// What is missing or refused.
pub async fn cover(
    args: &AmountArgs<Quantity>,
    globals: &Globals,
    output: &mut Output,
) -> Result<()> {
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let market = target::load(chain, &args.market).await?;
    let names = TokenNames::of(&market.market);
    let side = args.token.side(&names)?;
    let booked = target::snapshot(chain, &market)
        .await?
        .reserve(side)
        .bad_debt;
    let raw = match &args.amount {
        Quantity::All => booked,
        Quantity::Amount(amount) => amount.raw_of(&names, side)?,
    };
    ensure!(
        booked > 0,
        crate::trouble::NothingDue(format!(
            "lenders of {} have no bad debt: there is nothing to cover",
            names.get(side)
        ))
    );
    let payment = Payment {
        action: "covered bad debt of",
        purpose: "cover",
        side,
        raw,
        build: instruction::cover_bad_debt,
    };
    payment.send(&market, &args.fees, globals, output).await
}

/// Adds to what pays for bad debt before lenders do.
///
/// # Errors
/// What is missing or refused.
pub async fn fund(args: &AmountArgs<Amount>, globals: &Globals, output: &mut Output) -> Result<()> {
    let connection = Connection::new(globals);
    let market = target::load(connection.chain(), &args.market).await?;
    let names = TokenNames::of(&market.market);
    let side = args.token.side(&names)?;
    let raw = args.amount.raw_of(&names, side)?;
    let payment = Payment {
        action: "insured with",
        purpose: "insure with",
        side,
        raw,
        build: instruction::fund_insurance,
    };
    payment.send(&market, &args.fees, globals, output).await
}

struct Payment {
    action: &'static str,
    /// The same of what is still to be done.
    purpose: &'static str,
    side: Side,
    raw: u64,
    build: fn(&MarketContext, &Pubkey, Side, u64) -> Instruction,
}

impl Payment {
    async fn send(
        self,
        market: &MarketContext,
        fees: &FeeArgs,
        globals: &Globals,
        output: &mut Output,
    ) -> Result<()> {
        let Self {
            action: done,
            purpose,
            side,
            raw,
            build,
        } = self;
        ensure!(raw > 0, "the amount is 0: pass a positive amount");
        let signer = globals.signer()?;
        let payer = signer.pubkey();
        let connection = Connection::new(globals);
        let chain = connection.chain();
        let funds = Funds::load(chain, market, &payer).await?;
        let mut instructions = funds.provide(market, &payer, only(side, raw))?;
        instructions.push(build(market, &payer, side, raw));
        let names = TokenNames::of(&market.market);
        let action = "paying for lenders";
        let plan = Plan::on_chain(action, globals, &payer)
            .line("market", market.address)
            .line(purpose, names.tokens().amount(side, raw.into()));
        let request = Request::new(&signer, instructions);
        let receipt = connection
            .carry_out(&plan, action, fees, globals, &request)
            .await?;
        let snapshot = target::snapshot(chain, market).await?;
        let reserve = snapshot.reserve(side);
        let decimals = market.token(side).decimals;
        output.print(&Paid {
            action: done,
            side: name(side),
            token: names.get(side).to_owned(),
            amount: amount(raw, decimals),
            bad_debt: amount(reserve.bad_debt, decimals),
            insurance: amount(reserve.insurance, decimals),
            signature: receipt.signature.to_string(),
        })
    }
}

impl fmt::Display for Paid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            action,
            token,
            amount,
            bad_debt,
            insurance,
            signature,
            ..
        } = self;
        writeln!(f, "{action} {amount} {token} in transaction {signature}")?;
        writeln!(
            f,
            "  left         bad debt {bad_debt} {token}, insurance {insurance} {token}"
        )
    }
}
