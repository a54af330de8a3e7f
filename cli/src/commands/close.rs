//! `ballast close`: everything withdrawn, both debts repaid, the rest paid out.

use std::fmt;

use anyhow::{Context, Result, bail, ensure};
use ballast_client::{
    Amounts, BallastEvent, PositionContext, Pubkey, Request, Reward, Side, Signer,
    ballast::events::PositionClosed, instruction,
};
use ballast_view::TokenNames;
use clap::Args;
use serde::Serialize;

use crate::{
    address::address,
    connection::{Connection, FeeArgs, send},
    consent::Plan,
    globals::Globals,
    report::{Output, Told, note},
    rewards::{CollectedReward, Ending},
    target::{self, PriceArgs, TableArgs},
    tokens::Amount,
    view::missing_to_repay,
    wallet::{Funds, SIDES, name, unwrap_sol},
};

/// Which position, and what may be paid in. Amounts in whole tokens.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct CloseArgs {
    /// The position
    #[arg(value_parser = address)]
    pub position: Pubkey,
    /// Most base that may come from the wallet, where the position holds less than it owes
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub max_pay_base: Amount,
    /// Most quote that may come from the wallet
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub max_pay_quote: Amount,
    /// Turn wrapped SOL back into SOL afterwards
    #[arg(long)]
    pub unwrap: bool,
    /// Plan and simulate, but send nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub prices: PriceArgs,
    #[command(flatten)]
    pub table: TableArgs,
    #[command(flatten)]
    pub fees: FeeArgs,
}

/// What it is called.
const ACTION: &str = "closing the position";

#[derive(Debug, Serialize)]
struct CloseReport {
    action: &'static str,
    position: String,
    /// None if it was only simulated: the rest then is what it would do.
    signature: Option<String>,
    repaid_base: Option<String>,
    repaid_quote: Option<String>,
    fees_base: Option<String>,
    fees_quote: Option<String>,
    paid_base: Option<String>,
    paid_quote: Option<String>,
    brought_base: Option<String>,
    brought_quote: Option<String>,
    /// The pool's rewards that had to be collected.
    rewards: Vec<CollectedReward>,
    /// Why SOL is still wrapped although it should not be, and what to do.
    not_unwrapped: Option<String>,
    #[serde(skip)]
    names: TokenNames,
}

impl CloseReport {
    /// What the events tell; nothing was sent yet.
    fn new(position: &Pubkey, events: &[BallastEvent], names: TokenNames) -> Self {
        let event = events.iter().find_map(|event| match event {
            BallastEvent::PositionClosed(event) => Some(event),
            _ => None,
        });
        let told = |side, raw: fn(&PositionClosed) -> u64| {
            event.map(|event| names.tokens().whole(side, raw(event).into()))
        };
        Self {
            action: ACTION,
            position: position.to_string(),
            signature: None,
            repaid_base: told(Side::Base, |event| event.repaid_base),
            repaid_quote: told(Side::Quote, |event| event.repaid_quote),
            fees_base: told(Side::Base, |event| event.fees_base),
            fees_quote: told(Side::Quote, |event| event.fees_quote),
            paid_base: told(Side::Base, |event| event.paid_base),
            paid_quote: told(Side::Quote, |event| event.paid_quote),
            brought_base: told(Side::Base, |event| event.brought_base),
            brought_quote: told(Side::Quote, |event| event.brought_quote),
            rewards: Vec::new(),
            not_unwrapped: None,
            names,
        }
    }

    /// Prints it; an error if something is left to do.
    fn conclude(self, output: &mut Output) -> Result<()> {
        output.print(&self)?;
        match self.not_unwrapped {
            Some(what) => Err(Told::new(what).into()),
            None => Ok(()),
        }
    }
}

/// Closes.
///
/// # Errors
/// What would have to be paid in; what the program refuses.
pub async fn run(args: &CloseArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let signer = globals.signer()?;
    let owner = signer.pubkey();
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let position = PositionContext::load(chain, args.position).await?;
    ensure!(
        position.position.owner == owner,
        "position {} belongs to {}, not to the signer {owner}: pass its owner's key with --keypair",
        args.position,
        position.position.owner
    );
    let market = target::load_at(chain, position.position.market, &args.prices).await?;
    let snapshot = target::snapshot(chain, &market).await?;
    let names = TokenNames::of(&market.market);
    let max_pay = Amounts {
        base: (args.max_pay_base.raw_of(&names, Side::Base)).context("--max-pay-base")?,
        quote: (args.max_pay_quote.raw_of(&names, Side::Quote)).context("--max-pay-quote")?,
    };
    let model = snapshot.position(&position.position, snapshot.now_secs)?;
    let missing = missing_to_repay(&model, snapshot.pool.sqrt_price)?;
    require_enough(missing, max_pay, &names)?;

    let tokens = names.tokens();
    let pooled = model.pool_amounts_down(snapshot.pool.sqrt_price)?;
    let held = pooled.checked_add(model.idle);
    let plan = Plan::on_chain(ACTION, globals, &owner)
        .line("position", args.position)
        .line(
            "withdraw",
            tokens.both(held.context("amounts are out of range")?),
        )
        .line("repay", tokens.both(model.debt))
        .line("pay in", format_args!("at most {}", tokens.both(max_pay)));
    let plan = match args.unwrap {
        true => plan.line("afterwards", "wrapped SOL is turned back into SOL"),
        false => plan,
    };
    // The wallet needs what is missing now, not all that it may pay.
    let funds = Funds::load(chain, &market, &owner).await?;
    let needed = Amounts {
        base: with_margin(missing.base).min(max_pay.base),
        quote: with_margin(missing.quote).min(max_pay.quote),
    };
    let preparation = funds.provide(&market, &owner, needed)?;
    let wallet = market.wallet(&owner);
    let close = instruction::close(&market, &position, &wallet, max_pay.base, max_pay.quote);
    if args.dry_run {
        let rehearsal = connection.rehearsal(&args.fees);
        let table = target::existing_table(chain, &market, &args.table, &owner).await?;
        let rewards = Reward::of_pool(chain, &market).await?;
        let events = match (table, preparation.is_empty(), rewards.is_empty()) {
            (Some(table), true, true) => {
                let tables = [table];
                let request = Request::new(&signer, [close]).tables(&tables);
                rehearsal.events(ACTION, &request).await?
            }
            _ => {
                note(
                    "closing itself was not simulated: a wallet, a lookup table or the pool's rewards have to be looked after first",
                );
                Vec::new()
            }
        };
        note(plan.to_string().trim_end());
        return output.print(&CloseReport::new(&args.position, &events, names));
    }
    let sender = connection.sender(&args.fees, &plan.agreed(globals)?);
    if !preparation.is_empty() {
        send(
            &sender,
            "preparing the wallet",
            &Request::new(&signer, preparation),
        )
        .await?;
    }
    let tables = [target::table(&sender, &market, &args.table, &signer).await?];
    let ending = Ending {
        sender: &sender,
        signer: &signer,
        tables: &tables,
        market: &market,
        position: &position,
    };
    let (receipt, rewards) = ending.send(close).await?;
    // The position is closed whatever becomes of this.
    let mut not_unwrapped = None;
    if args.unwrap
        && let Some(unwrap) = unwrap_sol(&market, &owner)
    {
        let account = unwrap.accounts.first().map(|account| account.pubkey);
        let sent = send(&sender, "unwrapping SOL", &Request::new(&signer, [unwrap])).await;
        not_unwrapped = sent
            .err()
            .map(|error| still_wrapped(&error, &account.unwrap_or_default()));
    }
    let report = CloseReport {
        signature: Some(receipt.signature.to_string()),
        rewards,
        not_unwrapped,
        ..CloseReport::new(&args.position, &receipt.events, names)
    };
    report.conclude(output)
}

/// What to do about SOL that stayed wrapped.
fn still_wrapped(error: &anyhow::Error, account: &Pubkey) -> String {
    format!(
        "the position is closed, but its SOL is still wrapped, in {account}: run `spl-token unwrap {account}` with the \
         same key ({error:#})"
    )
}

/// Interest and price move until the transaction lands.
fn with_margin(missing: u64) -> u64 {
    missing
        .saturating_add(missing / 100)
        .saturating_add(u64::from(missing > 0))
}

/// Says what closing needs before the program refuses it.
fn require_enough(missing: Amounts, max_pay: Amounts, names: &TokenNames) -> Result<()> {
    let short: Vec<_> = SIDES
        .into_iter()
        .filter(|side| missing.get(*side) > max_pay.get(*side))
        .collect();
    if short.is_empty() {
        return Ok(());
    }
    let tokens = names.tokens();
    let needs = short
        .iter()
        .map(|side| tokens.amount(*side, missing.get(*side).into()));
    let flags = short.iter().map(|side| {
        let most = tokens.whole(*side, with_margin(missing.get(*side)).into());
        format!("--max-pay-{} {most}", name(*side))
    });
    let (needs, flags): (Vec<_>, Vec<_>) = (needs.collect(), flags.collect());
    bail!(
        "the position owes {} more than it holds at the pool's price; to pay that from the wallet pass {}",
        needs.join(" and "),
        flags.join(" ")
    )
}

impl fmt::Display for CloseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.signature {
            Some(signature) => writeln!(
                f,
                "closed position {} in transaction {signature}",
                self.position
            )?,
            None => writeln!(f, "{}: nothing was sent; it would do this", self.action)?,
        }
        let lines = [
            ("repaid", &self.repaid_base, &self.repaid_quote),
            ("fees earned", &self.fees_base, &self.fees_quote),
            ("paid in", &self.brought_base, &self.brought_quote),
            ("paid out", &self.paid_base, &self.paid_quote),
        ];
        for (what, base, quote) in lines {
            if let (Some(base), Some(quote)) = (base, quote) {
                let tokens = self.names.tokens();
                writeln!(
                    f,
                    "  {what:<12} {base} {} + {quote} {}",
                    tokens.base, tokens.quote
                )?;
            }
        }
        for reward in &self.rewards {
            writeln!(f, "  {:<12} {} of {}", "reward", reward.amount, reward.mint)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ballast_abi::clusters::{SOL_USD_FEED, USDC_USD_FEED};
    use ballast_strategy::fixtures;

    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_flag_that_pays_it() {
        let missing = Amounts {
            base: 120_000_000,
            quote: 0,
        };
        let mut market = fixtures::market();
        (market.base_feed, market.quote_feed) = (SOL_USD_FEED, USDC_USD_FEED);
        let names = TokenNames::of(&market);
        let error = require_enough(missing, Amounts::ZERO, &names)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("0.120000000 SOL more") && error.contains("--max-pay-base 0.121200001"),
            "{error}"
        );
        assert!(!error.contains("USDC"), "{error}");
        let enough = Amounts {
            base: 120_000_000,
            quote: 0,
        };
        require_enough(missing, enough, &names).unwrap();
    }

    #[test]
    fn a_close_is_reported_even_if_sol_stays_wrapped() {
        let report = |not_unwrapped| CloseReport {
            signature: Some("SIGNATURE".into()),
            not_unwrapped,
            ..CloseReport::new(&Pubkey::default(), &[], TokenNames::of(&fixtures::market()))
        };
        let mut output = Output::new(true, false);
        report(None).conclude(&mut output).unwrap();
        let account = Pubkey::new_unique();
        let what = still_wrapped(&anyhow::anyhow!("no fee for you"), &account);
        let left = report(Some(what));
        assert!(left.to_string().contains("transaction SIGNATURE"));
        let error = left.conclude(&mut output).unwrap_err();
        assert!(error.is::<Told>());
        let error = error.to_string();
        for part in [
            "is closed",
            &format!("spl-token unwrap {account}"),
            "no fee for you",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }
}
