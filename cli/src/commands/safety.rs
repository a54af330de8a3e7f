//! `ballast rehedge | deleverage | liquidate`: what keeps positions and lenders safe, by hand. Anybody may, as far as the
//! owner's policy and the market's limits let them.

use anyhow::{Context, Result};
use ballast_client::{Amounts, BallastEvent, Signer, instruction};
use clap::Args;

use crate::{
    acting::{Acting, Facts, PositionArgs, trade_of},
    format::{amount, bps},
    globals::Globals,
    report::Output,
};

use super::{funds::raw, lend::Quantity};

/// Which position, and what the liquidator may pay. Amounts in whole tokens.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct LiquidateArgs {
    #[command(flatten)]
    pub position: PositionArgs,
    /// Most base that may come from the wallet, or `all` that it takes
    #[arg(long, default_value = "all", value_name = "AMOUNT")]
    pub max_pay_base: Quantity,
    /// Most quote that may come from the wallet, or `all` that it takes
    #[arg(long, default_value = "all", value_name = "AMOUNT")]
    pub max_pay_quote: Quantity,
}

/// Brings delta back to the policy's target with one swap.
///
/// # Errors
/// What the program refuses.
pub async fn rehedge(args: &PositionArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(args, globals).await?;
    let price = acting.snapshot.oracle_sqrt_price();
    let price = price.context("the oracle has no usable price")?;
    let hedge = acting.position.position.policy.hedge();
    let path = acting.path(trade_of(acting.model.hedge_error(price, hedge)?));
    let key = acting.signer.pubkey();
    let rehedge = instruction::rehedge(&acting.market, &acting.position, &key, &path);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::Rehedged(event) => {
            let traded = Amounts::new(event.base_traded, event.quote_traded);
            let [traded_base, traded_quote] = acting.shown(traded);
            Some(Facts::from([
                ("traded_base", traded_base),
                ("traded_quote", traded_quote),
                ("ltv_afterwards", bps(event.ltv_bps)),
            ]))
        }
        _ => None,
    };
    output.print(&acting.act("rehedging", Vec::new(), rehedge, facts).await?)
}

/// Brings LTV down without a swap.
///
/// # Errors
/// What the program refuses.
pub async fn deleverage(args: &PositionArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(args, globals).await?;
    let key = acting.signer.pubkey();
    let deleverage = instruction::deleverage(&acting.market, &acting.position, &key);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::Deleveraged(event) => {
            let repaid = Amounts::new(event.repaid_base, event.repaid_quote);
            let [repaid_base, repaid_quote] = acting.shown(repaid);
            Some(Facts::from([
                ("repaid_base", repaid_base),
                ("repaid_quote", repaid_quote),
                ("ltv_before", bps(event.ltv_before_bps)),
                ("ltv_afterwards", bps(event.ltv_after_bps)),
            ]))
        }
        _ => None,
    };
    let report = acting.act("deleveraging", Vec::new(), deleverage, facts);
    output.print(&report.await?)
}

/// Closes as much of an unhealthy position as restores the target LTV, for a bonus.
///
/// # Errors
/// What is missing or refused.
pub async fn liquidate(args: &LiquidateArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(&args.position, globals).await?;
    let market = &acting.market;
    let (base, quote) = (market.base.decimals, market.quote.decimals);
    let most = Amounts {
        base: raw(&args.max_pay_base, base).context("--max-pay-base")?,
        quote: raw(&args.max_pay_quote, quote).context("--max-pay-quote")?,
    };
    let preparation = acting.wallet(Amounts::ZERO).await?;
    let key = acting.signer.pubkey();
    let wallet = market.wallet(&key);
    let position = &acting.position;
    let liquidate = instruction::liquidate(market, position, &key, &wallet, most, 0);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::Liquidated(event) => {
            let repaid = Amounts::new(event.repaid_base, event.repaid_quote);
            let seized = Amounts::new(event.seized_base, event.seized_quote);
            let [repaid_base, repaid_quote] = acting.shown(repaid);
            let [seized_base, seized_quote] = acting.shown(seized);
            Some(Facts::from([
                ("repaid_base", repaid_base),
                ("repaid_quote", repaid_quote),
                ("seized_base", seized_base),
                ("seized_quote", seized_quote),
                ("bonus", amount(event.bonus, quote)),
                ("ltv_before", bps(event.ltv_before_bps)),
                ("ltv_afterwards", bps(event.ltv_after_bps)),
            ]))
        }
        _ => None,
    };
    let report = acting.act("liquidating", preparation, liquidate, facts);
    output.print(&report.await?)
}
