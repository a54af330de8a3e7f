//! `ballast explain`: why nothing is done with a position, or what comes next and at which price.

use std::{fmt, time::Duration};

use anyhow::{Context, Result};
use ballast_client::{Amounts, Chain, MarketContext, MarketSnapshot, PositionContext, Pubkey};
use ballast_keeper::execute::{Earned, FeeAccounts, View, ViewRequest};
use ballast_strategy::{
    ActionKind,
    decide::{self, Explanation},
    situation::{Outlook, Situation},
};
use ballast_view::{DecisionView, Next, ThresholdView, TokenNames, Verdict, explain};
use clap::Args;
use console::style;
use serde::Serialize;

use crate::{
    address::address,
    connection::Connection,
    format::amount,
    globals::Globals,
    policy::PolicyView,
    report::Output,
    table::Table,
    target::{self, PriceArgs},
    view::{PositionView, missing_to_repay},
};

/// Which position.
#[derive(Args, Debug)]
pub struct ExplainArgs {
    /// The position
    #[arg(value_parser = address)]
    pub position: Pubkey,
    #[command(flatten)]
    pub prices: PriceArgs,
}

#[derive(Debug, Serialize)]
struct ExplainReport {
    decision: Decided,
    /// The decision and what comes next, in words.
    sentence: String,
    /// Largest hedge error that the policy leaves alone, in base.
    hedge_tolerance: String,
    /// What happens first in either direction.
    next: Next,
    thresholds: Vec<ThresholdView>,
    /// What closing at the pool's price would need from the wallet.
    to_close: ToClose,
    position: PositionView,
    policy: PolicyView,
}

#[derive(Debug, Serialize)]
struct Decided {
    /// `nothing`, `act` or `blocked`.
    verdict: Verdict,
    action: Option<ActionKind>,
    reason: Option<String>,
    obstacles: Vec<String>,
    /// What the action would move.
    details: Option<String>,
}

#[derive(Debug, Serialize)]
struct ToClose {
    pay_base: String,
    pay_quote: String,
}

/// Explains.
///
/// # Errors
/// If the position, its market or prices cannot be read.
pub async fn run(args: &ExplainArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let position = PositionContext::load(chain, args.position).await?;
    let market = target::load_at(chain, position.position.market, &args.prices).await?;
    let snapshot = target::snapshot(chain, &market).await?;
    let fees = fees(chain, &market, &position).await?;
    let outlook = Outlook {
        fees: fees.map(|fees| fees.pending),
        booked_fees: fees.map(|fees| fees.booked),
        ..Outlook::default()
    };
    let situation = Situation {
        market: &snapshot,
        position: &position.position,
        now_secs: snapshot.now_secs,
        slot: snapshot.slot,
        // Any keeper but the owner itself, with all the funds that a liquidation could take.
        keeper: Pubkey::default(),
        funds: Some(Amounts {
            base: u64::MAX,
            quote: u64::MAX,
        }),
        min_gain: 0,
        outlook,
    };
    let explanation =
        decide::explain(&situation).context("nothing can be decided on these data")?;
    output.print(&report(&snapshot, &position, &explanation)?)
}

/// What the position has earned, if that can be read.
async fn fees(
    chain: &dyn Chain,
    market: &MarketContext,
    position: &PositionContext,
) -> Result<Option<Earned>> {
    let request = ViewRequest {
        market,
        position: position.address,
        fees: Some(FeeAccounts::new(market, &position.position)),
        min_slot: 0,
        wallet: None,
    };
    let view = View::fetch(chain, &request, Duration::ZERO).await?;
    Ok(view.fees)
}

fn report(
    snapshot: &MarketSnapshot,
    position: &PositionContext,
    explanation: &Explanation,
) -> Result<ExplainReport> {
    let market = &snapshot.market;
    let (base, quote) = (market.base_decimals, market.quote_decimals);
    let names = TokenNames::of(market);
    let tokens = names.tokens();
    let automation = &position.position.automation;
    let decision = DecisionView::new(&explanation.assessment, tokens, None);
    let next = explain::next(snapshot, automation, explanation);
    let view = PositionView::new(snapshot, position)?;
    let hedge_tolerance = amount(explanation.assessment.hedge_tolerance, base);
    let missing = missing_to_repay(&explanation.assessment.model, explanation.assessment.pool)?;
    Ok(ExplainReport {
        sentence: explain::sentence(&explain::Story {
            decision: &decision,
            next: &next,
            view: &view,
            hedge_tolerance: &hedge_tolerance,
            tokens,
            paused: None,
            liquidatable: explain::liquidatable(snapshot, &explanation.assessment),
            mode: None,
        }),
        decision: Decided {
            verdict: decision.verdict,
            action: decision.action,
            reason: decision.reason,
            obstacles: decision.obstacles,
            details: decision.details,
        },
        hedge_tolerance,
        next,
        thresholds: explain::thresholds(snapshot, automation, explanation),
        to_close: ToClose {
            pay_base: amount(missing.base, base),
            pay_quote: amount(missing.quote, quote),
        },
        position: view,
        policy: PolicyView::from(&position.position.policy),
    })
}

impl fmt::Display for ExplainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sentence in self.sentence.split_inclusive(". ") {
            writeln!(f, "{}", sentence.trim_end())?;
        }
        writeln!(f)?;
        let mut table = Table::new(["<threshold", "<now", "at or below", "at or above"]);
        for threshold in &self.thresholds {
            table.row([
                explain::described(threshold.threshold).into(),
                match threshold.quiet {
                    true => "not reached".to_owned(),
                    false => style("REACHED").yellow().to_string(),
                },
                self.position.distance(threshold.below),
                self.position.distance(threshold.above),
            ]);
        }
        table.fmt(f)?;
        writeln!(f)?;
        self.position.fmt(f)?;
        self.policy.fmt(f)?;
        writeln!(
            f,
            "  to close     {} {} + {} {} from the wallet, at the pool's price",
            self.to_close.pay_base,
            self.position.base,
            self.to_close.pay_quote,
            self.position.quote
        )
    }
}
