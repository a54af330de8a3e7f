//! `ballast close`: everything withdrawn, both debts repaid, the rest paid out.

use std::fmt;

use anyhow::{Context, Result, bail, ensure};
use ballast_client::{
    Amounts, BallastEvent, PositionContext, Pubkey, Request, Side, Signer, instruction,
};
use ballast_view::TokenNames;
use clap::Args;
use serde::Serialize;

use crate::{
    address::address,
    connection::{Connection, FeeArgs, send},
    consent::Plan,
    decimal::Decimal,
    format::amount,
    globals::Globals,
    report::{Output, Told},
    rewards::{CollectedReward, Ending},
    target::{self, PriceArgs, TableArgs},
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
    pub max_pay_base: Decimal,
    /// Most quote that may come from the wallet
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub max_pay_quote: Decimal,
    /// Turn wrapped SOL back into SOL afterwards
    #[arg(long)]
    pub unwrap: bool,
    #[command(flatten)]
    pub prices: PriceArgs,
    #[command(flatten)]
    pub table: TableArgs,
    #[command(flatten)]
    pub fees: FeeArgs,
}

#[derive(Debug, Serialize)]
struct CloseReport {
    position: String,
    signature: String,
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
    /// Prints it; an error if something is left to do.
    fn conclude(self, output: &mut Output) -> Result<()> {
        output.print(&self)?;
        match self.not_unwrapped {
            Some(what) => Err(Told(what).into()),
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
    let max_pay = Amounts {
        base: args.max_pay_base.raw(market.base.decimals)?,
        quote: args.max_pay_quote.raw(market.quote.decimals)?,
    };
    let model = snapshot.position(&position.position, snapshot.now_secs)?;
    let missing = missing_to_repay(&model, snapshot.pool.sqrt_price)?;
    require_enough(missing, max_pay, |side| market.token(side).decimals)?;

    let names = TokenNames::of(&market.market);
    let tokens = names.tokens();
    let pooled = model.pool_amounts_down(snapshot.pool.sqrt_price)?;
    let held = pooled.checked_add(model.idle);
    let plan = Plan::on_chain("closing the position", globals, &owner)
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
    let sender = connection.sender(&args.fees, &plan.agreed(globals)?);
    // The wallet needs what is missing now, not all that it may pay.
    let funds = Funds::load(chain, &market, &owner).await?;
    let needed = Amounts {
        base: with_margin(missing.base).min(max_pay.base),
        quote: with_margin(missing.quote).min(max_pay.quote),
    };
    let preparation = funds.provide(&market, &owner, needed)?;
    if !preparation.is_empty() {
        send(
            &sender,
            "preparing the wallet",
            &Request::new(&signer, preparation),
        )
        .await?;
    }
    let tables = [target::table(&sender, &market, &args.table, &signer).await?];
    let wallet = market.wallet(&owner);
    let close = instruction::close(&market, &position, &wallet, max_pay.base, max_pay.quote);
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
    let event = receipt.events.iter().find_map(|event| match event {
        BallastEvent::PositionClosed(event) => Some(event),
        _ => None,
    });
    let base = |raw: fn(&ballast_client::ballast::events::PositionClosed) -> u64| {
        event.map(|event| amount(raw(event), market.base.decimals))
    };
    let quote = |raw: fn(&ballast_client::ballast::events::PositionClosed) -> u64| {
        event.map(|event| amount(raw(event), market.quote.decimals))
    };
    let report = CloseReport {
        position: args.position.to_string(),
        signature: receipt.signature.to_string(),
        repaid_base: base(|event| event.repaid_base),
        repaid_quote: quote(|event| event.repaid_quote),
        fees_base: base(|event| event.fees_base),
        fees_quote: quote(|event| event.fees_quote),
        paid_base: base(|event| event.paid_base),
        paid_quote: quote(|event| event.paid_quote),
        brought_base: base(|event| event.brought_base),
        brought_quote: quote(|event| event.brought_quote),
        rewards,
        not_unwrapped,
        names,
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
fn require_enough(missing: Amounts, max_pay: Amounts, decimals: impl Fn(Side) -> u8) -> Result<()> {
    let short: Vec<_> = SIDES
        .into_iter()
        .filter(|side| missing.get(*side) > max_pay.get(*side))
        .collect();
    if short.is_empty() {
        return Ok(());
    }
    let needs: Vec<_> = short
        .iter()
        .map(|side| {
            format!(
                "{} {}",
                amount(missing.get(*side), decimals(*side)),
                name(*side)
            )
        })
        .collect();
    let flags: Vec<_> = short
        .iter()
        .map(|side| {
            format!(
                "--max-pay-{} {}",
                name(*side),
                amount(with_margin(missing.get(*side)), decimals(*side))
            )
        })
        .collect();
    bail!(
        "the position owes {} more than it holds at the pool's price; to pay that from the wallet pass {}",
        needs.join(" and "),
        flags.join(" ")
    )
}

impl fmt::Display for CloseReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "closed position {} in transaction {}",
            self.position, self.signature
        )?;
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
    use ballast_strategy::fixtures;

    use super::*;

    #[test]
    fn what_is_missing_is_named_with_the_flag_that_pays_it() {
        let missing = Amounts {
            base: 120_000_000,
            quote: 0,
        };
        let decimals = |side| if side == Side::Base { 9 } else { 6 };
        let error = require_enough(missing, Amounts::ZERO, decimals)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("0.120000000 base") && error.contains("--max-pay-base 0.121200001"),
            "{error}"
        );
        assert!(!error.contains("quote "), "{error}");
        let enough = Amounts {
            base: 120_000_000,
            quote: 0,
        };
        require_enough(missing, enough, decimals).unwrap();
    }

    #[test]
    fn a_close_is_reported_even_if_sol_stays_wrapped() {
        let report = |not_unwrapped| CloseReport {
            position: "POSITION".into(),
            signature: "SIGNATURE".into(),
            repaid_base: None,
            repaid_quote: None,
            fees_base: None,
            fees_quote: None,
            paid_base: None,
            paid_quote: None,
            brought_base: None,
            brought_quote: None,
            rewards: Vec::new(),
            not_unwrapped,
            names: TokenNames::of(&fixtures::market()),
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
