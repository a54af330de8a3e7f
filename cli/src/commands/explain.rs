//! `ballast explain`: why nothing is done with a position, or what comes next and at which price.

use std::{fmt, time::Duration};

use anyhow::{Context, Result};
use ballast_client::{
    Amounts, Chain, MarketContext, MarketSnapshot, PositionContext, Pubkey, Side, SqrtPrice, Trade,
};
use ballast_keeper::execute::{Earned, FeeAccounts, View, ViewRequest};
use ballast_model::{Boundaries, HedgedPlan, screen::Real};
use ballast_strategy::{
    decide::{self, Action, Assessment, Decision, Explanation, Reason, Threshold},
    situation::{Outlook, Situation},
};
use clap::Args;
use serde::Serialize;

use crate::{
    address::address,
    connection::Connection,
    format::{amount, bps, signed_amount, significant},
    globals::Globals,
    policy::PolicyView,
    range,
    report::Output,
    table::Table,
    target::{self, PriceArgs},
    view::{PositionView, ends, missing_to_repay},
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
    decision: DecisionView,
    /// Largest hedge error that the policy leaves alone, in base.
    hedge_tolerance: String,
    /// What happens first if the price falls.
    next_below: Option<Next>,
    /// What happens first if the price rises.
    next_above: Option<Next>,
    thresholds: Vec<ThresholdView>,
    /// What closing at the pool's price would need from the wallet.
    to_close: ToClose,
    position: PositionView,
    policy: PolicyView,
}

#[derive(Debug, Serialize)]
struct DecisionView {
    /// `nothing`, `act` or `blocked`.
    verdict: &'static str,
    action: Option<String>,
    reason: Option<String>,
    obstacle: Option<String>,
    /// What the action would move.
    details: Option<String>,
}

#[derive(Debug, Serialize)]
struct Next {
    price: f64,
    threshold: Threshold,
}

#[derive(Debug, Serialize)]
struct ThresholdView {
    threshold: Threshold,
    /// Whether it is not reached at the oracle's price.
    quiet: bool,
    below: Option<f64>,
    above: Option<f64>,
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
    let (base, quote) = (
        snapshot.market.base_decimals,
        snapshot.market.quote_decimals,
    );
    let price = |root: SqrtPrice| range::price(root, base, quote).to_f64();
    let next = |falling| {
        explanation.next(falling).map(|(threshold, at)| Next {
            price: price(at),
            threshold,
        })
    };
    let view = |(threshold, boundaries): &(Threshold, Boundaries)| {
        let (lower, upper) = ends(*boundaries);
        ThresholdView {
            threshold: *threshold,
            quiet: boundaries.contains(explanation.assessment.oracle),
            below: lower.map(price),
            above: upper.map(price),
        }
    };
    let missing = missing_to_repay(&explanation.assessment.model, explanation.assessment.pool)?;
    Ok(ExplainReport {
        decision: DecisionView::new(&explanation.assessment, (base, quote)),
        hedge_tolerance: amount(explanation.assessment.hedge_tolerance, base),
        next_below: next(true),
        next_above: next(false),
        thresholds: explanation.boundaries.iter().map(view).collect(),
        to_close: ToClose {
            pay_base: amount(missing.base, base),
            pay_quote: amount(missing.quote, quote),
        },
        position: PositionView::new(snapshot, position)?,
        policy: PolicyView::from(&position.position.policy),
    })
}

impl DecisionView {
    fn new(assessment: &Assessment, decimals: (u8, u8)) -> Self {
        let nothing = Self {
            verdict: "nothing",
            action: None,
            reason: None,
            obstacle: None,
            details: None,
        };
        match &assessment.decision {
            Decision::Nothing => nothing,
            Decision::Act(action, reason) => Self {
                verdict: "act",
                action: Some(action.kind().to_string()),
                reason: Some(reasoned(reason, decimals)),
                details: Some(details(action, decimals)),
                ..nothing
            },
            Decision::Blocked { wanted, reason, .. } => Self {
                verdict: "blocked",
                action: Some(wanted.to_string()),
                reason: Some(reasoned(reason, decimals)),
                obstacle: assessment.decision.obstacles(),
                ..nothing
            },
        }
    }
}

/// A reason in whole tokens.
fn reasoned(reason: &Reason, (base, quote): (u8, u8)) -> String {
    match reason {
        Reason::Hedge { error, tolerance } => format!(
            "{} by {} base, {} are tolerated",
            if *error > 0 { "long" } else { "short" },
            signed_amount(error.saturating_abs(), base),
            amount(*tolerance, base)
        ),
        Reason::Fees { worth, least } => format!(
            "fees worth {} quote wait, {} are to be compounded",
            signed_amount(i128::try_from(*worth).unwrap_or(i128::MAX), quote),
            amount(*least, quote)
        ),
        other => other.to_string(),
    }
}

fn details(action: &Action, (base, quote): (u8, u8)) -> String {
    let both = |amounts: Amounts| {
        format!(
            "{} base and {} quote",
            amount(amounts.get(Side::Base), base),
            amount(amounts.get(Side::Quote), quote)
        )
    };
    let hedged = |plan: &HedgedPlan| {
        let swap = match plan.trade {
            Some(plan) if plan.trade == Trade::SellBase => {
                format!("sell {} base in the pool", amount(plan.base, base))
            }
            Some(plan) => format!("buy {} base in the pool", amount(plan.base, base)),
            None => "swap nothing".to_owned(),
        };
        if plan.liquidity > 0 {
            format!("withdraw {}, {swap} and repay with it", both(plan.withdraw))
        } else {
            swap
        }
    };
    match action {
        Action::Rehedge(plan) => hedged(plan),
        Action::DeleverageSwap { target, plan } => {
            format!("{}, down to LTV {target}", hedged(plan))
        }
        Action::Deleverage { target, plan } => {
            format!(
                "withdraw {} and repay {}, down to LTV {target}",
                both(plan.withdraw),
                both(plan.repay)
            )
        }
        Action::Recenter(plan) => {
            let [lower, upper] = plan.ticks;
            let swap = match plan.swap {
                Some((Trade::SellBase, sold)) => format!(", selling {} base", amount(sold, base)),
                Some((Trade::BuyBase, bought)) => format!(", buying {} base", amount(bought, base)),
                None => String::new(),
            };
            format!("move to the band of ticks {lower} to {upper}{swap}")
        }
        Action::Compound(plan) => format!("put fees of {} to work", both(plan.fees)),
        Action::Exit(plan) => {
            format!("repay everything and leave about {} idle", both(plan.idle))
        }
        Action::Liquidate { plan, .. } => format!("close {} of the debt", both(plan.repay)),
    }
}

fn described(threshold: Threshold) -> &'static str {
    match threshold {
        Threshold::HedgeBand => "hedge error leaves its band: rehedge",
        Threshold::PolicyTrigger => "LTV reaches the policy's trigger: deleverage",
        Threshold::MarketTrigger => "LTV reaches the market's trigger: anyone may deleverage",
        Threshold::Maintenance => "LTV reaches maintenance: liquidation",
        Threshold::Band => "price leaves the band or reaches its edge: recenter",
        Threshold::Window => "price crosses an edge of the owner's window",
        Threshold::Floor => "equity reaches the owner's floor: exit",
    }
}

impl fmt::Display for ExplainReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decision = &self.decision;
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        match decision.verdict {
            "nothing" => writeln!(
                f,
                "nothing to do at price {} quote per base: hedge error {} base (up to {} base is left alone), LTV {} (trigger {})",
                significant(self.position.price, 8),
                self.position.hedge_error,
                self.hedge_tolerance,
                bps(self.position.ltv_bps),
                bps(self.policy.deleverage_trigger_ltv_bps)
            )?,
            "act" => writeln!(
                f,
                "{} is due: {}. It would {}.",
                text(&decision.action),
                text(&decision.reason),
                text(&decision.details)
            )?,
            _ => writeln!(
                f,
                "{} is due ({}) but not possible: {}",
                text(&decision.action),
                text(&decision.reason),
                text(&decision.obstacle)
            )?,
        }
        for (next, direction) in [(&self.next_below, "falls"), (&self.next_above, "rises")] {
            match next {
                Some(next) => writeln!(
                    f,
                    "if the price {direction} to {}: {}",
                    self.position.distance(Some(next.price)),
                    described(next.threshold)
                )?,
                None => writeln!(f, "if the price {direction}: nothing becomes due")?,
            }
        }
        writeln!(f)?;
        let mut table = Table::new(["<threshold", "<now", "at or below", "at or above"]);
        for threshold in &self.thresholds {
            table.row([
                described(threshold.threshold).into(),
                if threshold.quiet {
                    "not reached"
                } else {
                    "REACHED"
                }
                .into(),
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
            "  to close     {} base + {} quote from the wallet, at the pool's price",
            self.to_close.pay_base, self.to_close.pay_quote
        )
    }
}
