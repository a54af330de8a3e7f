//! `ballast open`: own funds, both loans and the pool position in one transaction.

mod wish;

use std::fmt;

use anyhow::{Error, Result};
use ballast_client::{
    AddressLookupTableAccount, Amounts, BallastEvent, Instruction, Keypair, PositionAddresses,
    PositionContext, Request, Side, Signer, instruction, opening_warning, trigger_warning,
};
use ballast_model::Bps;
use ballast_view::TokenNames;
use clap::Args;
use serde::Serialize;

use crate::{
    acting::{NO_TABLE, missing_arrays},
    connection::{Connection, FeeArgs, Rehearsal, send},
    consent::Plan,
    decimal::{Positive, Ratio},
    format::{bps, significant, times},
    globals::Globals,
    number::Opening,
    policy::{PolicyArgs, PolicyView},
    report::{Output, note},
    slippage::{self, SlippageArgs},
    target::{self, MarketArgs, TableArgs},
    tokens::Amount,
    view::PositionView,
    wallet::Funds,
};
use wish::Wish;

/// What to open. Amounts in whole tokens, prices in quote per base.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct OpenArgs {
    /// Own base brought in
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub own_base: Amount,
    /// Own quote brought in
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub own_quote: Amount,
    /// Assets over own funds: 3 is three times
    #[arg(long)]
    pub leverage: Ratio,
    /// Lower end of the range; moved down to the pool's grid
    #[arg(long, value_name = "PRICE")]
    pub lower: Positive,
    /// Upper end of the range; moved up to the pool's grid
    #[arg(long, value_name = "PRICE")]
    pub upper: Positive,
    /// Number of the position, part of its address [default: the first that is free]
    #[arg(long)]
    pub id: Option<u64>,
    /// Plan and simulate, but send nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub slippage: SlippageArgs,
    #[command(flatten)]
    pub policy: PolicyArgs,
    #[command(flatten)]
    pub market: MarketArgs,
    #[command(flatten)]
    pub table: TableArgs,
    #[command(flatten)]
    pub fees: FeeArgs,
}

/// A plan, and what became of it.
#[derive(Debug, Serialize)]
struct OpenReport {
    planned: Planned,
    policy: PolicyView,
    signature: Option<String>,
    position: Option<PositionView>,
    #[serde(skip)]
    names: TokenNames,
}

#[derive(Debug, Serialize)]
struct Planned {
    position: String,
    id: u64,
    lower: f64,
    upper: f64,
    tick_lower: i32,
    tick_upper: i32,
    leverage_bps: u32,
    liquidity: String,
    deposit_base: String,
    deposit_quote: String,
    borrow_base: String,
    borrow_quote: String,
    /// Sold before providing if positive, bought if negative.
    swap_base: String,
    ltv_bps: u32,
}

/// Opens.
///
/// # Errors
/// What is missing or refused, by name, before anything is sent where that can be known.
pub async fn run(args: &OpenArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let slippage = args.slippage.bound()?;
    let signer = globals.signer()?;
    let owner = signer.pubkey();
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let market = target::load(chain, &args.market).await?;
    let snapshot = target::snapshot(chain, &market).await?;
    let wish = Wish::new(args, slippage, &market, &snapshot)?;
    let opening = Opening {
        owner,
        ticks: wish.ticks,
        own: wish.own,
        now_secs: snapshot.now_secs,
    };
    let id = opening.number(chain, &market, args.id).await?;
    let funds = Funds::load(chain, &market, &owner).await?;
    let addresses = PositionAddresses::new(&market, &owner, id);
    let rehearsal = connection.rehearsal(&args.fees);

    // What must be there beforehand: token accounts, wrapped SOL, the tick arrays of both ends.
    let mut preparation = funds.provide(&market, &owner, wish.own)?;
    let ticks = [wish.ticks.lower.get(), wish.ticks.upper.get()];
    for start in missing_arrays(chain, &market, ticks).await? {
        preparation.push(instruction::create_tick_array(&market, &owner, start));
    }
    let names = TokenNames::of(&market.market);
    let mut report = OpenReport {
        planned: wish.planned(&market, &addresses.position.to_string(), id, &snapshot)?,
        policy: PolicyView::from(&wish.policy),
        signature: None,
        position: None,
        names,
    };
    let outside = wish.outside(&market, &snapshot);
    let limits = &snapshot.market.limits;
    let trigger = trigger_warning(limits, &wish.policy);
    let at_once = opening_warning(limits, &wish.policy, Bps::new(report.planned.ltv_bps));
    let plan = Plan::on_chain("opening the position", globals, &owner)
        .line("market", market.address)
        .lines(report.lines())
        .warning(outside.as_ref())
        .warning(trigger.as_ref())
        .warning(at_once.as_ref())
        .warning(slippage::warning(slippage));
    let trade_at = snapshot.pool.tick_current;
    let path = market.swap_path(trade_at, wish.trade());
    let wallet = market.wallet(&owner);
    let built = |args| instruction::open(&market, &owner, &wallet, args, &path);
    let open = built(wish.args(id));
    let table = target::existing_table(chain, &market, &args.table, &owner).await?;
    let unbound = Unbound {
        rehearsal: &rehearsal,
        signer: &signer,
        open: built(wish.unbound(id)),
        wish: &wish,
        slippage,
    };
    match (&table, preparation.is_empty()) {
        // The simulation would fail for want of these.
        (_, false) => {
            let request = Request::new(&signer, preparation.clone());
            rehearsal.events("preparing the wallet", &request).await?;
            note(
                "opening itself was not simulated: wallet or tick arrays have to be prepared first",
            );
        }
        (None, true) => note(format_args!("opening itself was not simulated: {NO_TABLE}")),
        (Some(table), true) => {
            let tables = [table.clone()];
            let request = Request::new(&signer, [open.clone()]).tables(&tables);
            let rehearsed = rehearsal.events("opening", &request).await;
            if let Err(error) = rehearsed {
                plan.show();
                let error = unbound.sufficient(error, table).await;
                return Err(opening.explain(chain, &market, id, error).await);
            }
        }
    }
    if args.dry_run {
        for warning in [outside, trigger, at_once].into_iter().flatten() {
            note(format_args!("warning: {warning}"));
        }
        return output.print(&report);
    }
    let sender = connection.sender(&args.fees, &plan.agreed(globals)?);
    if !preparation.is_empty() {
        let request = Request::new(&signer, preparation);
        send(&sender, "preparing wallet and tick arrays", &request).await?;
    }
    let tables = [target::table(&sender, &market, &args.table, &signer).await?];
    let request = Request::new(&signer, [open]).tables(&tables);
    let receipt = match send(&sender, "opening the position", &request).await {
        Ok(receipt) => receipt,
        Err(error) => {
            let [table] = &tables;
            let error = unbound.sufficient(error, table).await;
            return Err(opening.explain(chain, &market, id, error).await);
        }
    };
    report.signature = Some(receipt.signature.to_string());
    let position = PositionContext::load(chain, addresses.position).await?;
    let snapshot = target::snapshot(chain, &market).await?;
    report.position = Some(PositionView::new(&snapshot, &position)?);
    output.print(&report)
}

/// What opening would come to without bounds, for whoever was refused for them.
struct Unbound<'a> {
    rehearsal: &'a Rehearsal,
    signer: &'a Keypair,
    open: Instruction,
    wish: &'a Wish,
    slippage: Bps,
}

impl Unbound<'_> {
    /// The error with the slippage that would do, if it is one that a larger slippage does away with.
    async fn sufficient(&self, error: Error, table: &AddressLookupTableAccount) -> Error {
        if !slippage::is_exceeded(&error) {
            return error;
        }
        let tables = [table.clone()];
        let request = Request::new(self.signer, [self.open.clone()]).tables(&tables);
        let events = self.rehearsal.events("opening", &request).await;
        let events = events.unwrap_or_default();
        let enough = events.iter().find_map(|event| match event {
            BallastEvent::PositionOpened(event) => {
                let debt = Amounts::new(event.borrowed_base, event.borrowed_quote);
                let enough = self.wish.plan.sufficient(event.liquidity, debt);
                enough.ok().flatten()
            }
            _ => None,
        });
        slippage::exceeded(error, self.slippage, enough)
    }
}

impl fmt::Display for OpenReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(signature), Some(position)) = (&self.signature, &self.position) {
            writeln!(f, "opened in transaction {signature}")?;
            position.fmt(f)?;
            return self.policy.fmt(f);
        }
        writeln!(f, "opening: nothing was sent; it would do this")?;
        f.write_str(&self.lines())
    }
}

impl OpenReport {
    /// What is planned, a line each.
    fn lines(&self) -> String {
        let plan = &self.planned;
        let (base, quote) = (self.names.get(Side::Base), self.names.get(Side::Quote));
        let swap = match plan.swap_base.strip_prefix('-') {
            Some(bought) => format!("buy {bought} {base}"),
            None if plan
                .swap_base
                .bytes()
                .all(|byte| matches!(byte, b'0' | b'.')) =>
            {
                "nothing".into()
            }
            None => format!("sell {} {base}", plan.swap_base),
        };
        let lines = [
            ("position", format!("{} (id {})", plan.position, plan.id)),
            (
                "range",
                format!(
                    "{} to {} {quote} per {base} (ticks {} to {})",
                    significant(plan.lower, 8),
                    significant(plan.upper, 8),
                    plan.tick_lower,
                    plan.tick_upper
                ),
            ),
            (
                "leverage",
                format!(
                    "{}, LTV {}",
                    times(plan.leverage_bps.into()),
                    bps(plan.ltv_bps)
                ),
            ),
            (
                "provide",
                format!(
                    "{} {base} + {} {quote} (liquidity {})",
                    plan.deposit_base, plan.deposit_quote, plan.liquidity
                ),
            ),
            (
                "borrow",
                format!(
                    "{} {base} + {} {quote}",
                    plan.borrow_base, plan.borrow_quote
                ),
            ),
            ("swap first", swap),
        ];
        let mut text = lines
            .map(|(name, value)| format!("  {name:<12} {value}\n"))
            .concat();
        text.push_str(&self.policy.to_string());
        text
    }
}
