//! `ballast rehedge | deleverage | liquidate | show-loss | settle`: what keeps positions and lenders safe, by hand. Anybody may, as
//! far as the owner's policy and the market's limits let them.

use anyhow::{Context, Result};
use ballast_client::{
    Amounts, BallastEvent, Bps, Instruction, MarketContext, PriceAccounts, Pubkey, Side, Signer,
    SqrtPrice, Trade,
    ballast::targets::{self, Due, MarketRule},
    instruction,
};
use ballast_model::{DeleverageError, HedgedRequest, plan_hedged};
use ballast_view::TokenNames;
use clap::Args;

use crate::{
    acting::{Acting, PositionArgs, trade_of},
    globals::Globals,
    report::{Output, note},
    tokens::{Amount, Quantity},
};

/// Which position, and how.
#[derive(Args, Debug)]
pub struct DeleverageArgs {
    #[command(flatten)]
    pub position: PositionArgs,
    /// Only with a swap where the target takes one [default: with a swap if it takes one, else as far as repaying goes]
    #[arg(long, conflicts_with = "no_swap")]
    pub swap: bool,
    /// Without a swap, as far as repaying with what the pool pays goes
    #[arg(long)]
    pub no_swap: bool,
}

/// Which position, and what the liquidator may pay. Amounts in whole tokens.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct LiquidateArgs {
    #[command(flatten)]
    pub position: PositionArgs,
    /// Most base that may come from the wallet, or `all` that it takes; what this pays for is done
    #[arg(long, default_value = "all", value_name = "AMOUNT")]
    pub max_pay_base: Quantity,
    /// Most quote that may come from the wallet, or `all` that it takes
    #[arg(long, default_value = "all", value_name = "AMOUNT")]
    pub max_pay_quote: Quantity,
    /// What has to be gained at least, in quote at the oracle's price; with less nothing is done
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub min_gain: Amount,
}

/// Which position, and what may be brought in exchange for its tokens. Amounts in whole tokens.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct SettleArgs {
    #[command(flatten)]
    pub position: PositionArgs,
    /// Most base that may come from the wallet, in exchange for the position's quote, or `all` that it takes
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub max_pay_base: Quantity,
    /// Most quote that may come from the wallet, in exchange for the position's base, or `all` that it takes
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub max_pay_quote: Quantity,
    /// What has to be received of the position's base at least; with less nothing is done
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub min_received_base: Amount,
    /// What has to be received of the position's quote at least; with less nothing is done
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub min_received_quote: Amount,
}

/// Brings delta back to the policy's target with one swap.
///
/// # Errors
/// What the program refuses.
pub async fn rehedge(args: &PositionArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(args, globals).await?;
    let price = acting.snapshot.oracle_sqrt_price();
    let price = price.context("the oracle has no usable price")?;
    let (market, policy) = (&acting.snapshot.market, &acting.position.position.policy);
    let value = acting.model.value(price)?;
    let limit = targets::rehedge_limit(MarketRule::of(market), policy, &value);
    let most = targets::max_swap_loss(&market.limits, policy);
    let path = acting.path(hedging_trade(&acting, price, limit, [Bps::ZERO, most])?);
    let key = acting.signer.pubkey();
    let rehedge = instruction::rehedge(&acting.market, &acting.position, &key, &path);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::Rehedged(event) => {
            let traded = Amounts::new(event.base_traded, event.quote_traded);
            let facts = acting.facts().both("traded", traded);
            Some(facts.ltv(acting.ltv_bps(), event.ltv_bps))
        }
        _ => None,
    };
    output.print(&acting.act("rehedging", Vec::new(), rehedge, facts).await?)
}

/// Brings LTV down: by repaying with what the pool pays where that reaches the target, else with a swap, else as far as repaying
/// goes.
///
/// # Errors
/// What the program refuses.
pub async fn deleverage(
    args: &DeleverageArgs,
    globals: &Globals,
    output: &mut Output,
) -> Result<()> {
    let acting = Acting::load(&args.position, globals).await?;
    let deleverage = match chosen(&acting, args).await? {
        Some(with_swap) => with_swap,
        None => {
            let key = acting.signer.pubkey();
            instruction::deleverage(&acting.market, &acting.position, &key)
        }
    };
    let facts = |event: &BallastEvent| match event {
        BallastEvent::Deleveraged(event) => {
            let repaid = Amounts::new(event.repaid_base, event.repaid_quote);
            let facts = acting.facts().both("repaid", repaid);
            Some(facts.ltv(Some(event.ltv_before_bps), event.ltv_after_bps))
        }
        BallastEvent::DeleveragedWithSwap(event) => {
            let repaid = Amounts::new(event.repaid_base, event.repaid_quote);
            let traded = Amounts::new(event.base_traded, event.quote_traded);
            let swap = match (event.base_traded, event.sold) {
                (0, _) => "none",
                (_, true) => "sold base",
                (_, false) => "bought base",
            };
            let facts = acting.facts().text("swap", swap).both("traded", traded);
            let facts = facts.quote("swap_loss", event.swap_loss.into());
            let facts = facts.both("repaid", repaid);
            Some(facts.ltv(Some(event.ltv_before_bps), event.ltv_after_bps))
        }
        _ => None,
    };
    let report = acting.act("deleveraging", Vec::new(), deleverage, facts);
    output.print(&report.await?)
}

/// The instruction with a swap, if that is what to send.
async fn chosen(acting: &Acting<'_>, args: &DeleverageArgs) -> Result<Option<Instruction>> {
    if args.no_swap {
        return Ok(None);
    }
    let price = match acting.snapshot.oracle_sqrt_price() {
        Ok(price) => price,
        Err(error) if args.swap => return Err(error).context("the oracle has no usable price"),
        Err(_) => return Ok(None),
    };
    let due = due(acting, price)?;
    let reached = due.is_none_or(|due| {
        let plan = due.plan(&acting.model, price, acting.snapshot.pool.sqrt_price);
        !matches!(plan, Err(DeleverageError::NeedsSwap { .. }))
    });
    if reached && !args.swap {
        return Ok(None);
    }
    let trade = match due {
        Some(due) => {
            let (market, policy) = (&acting.snapshot.market, &acting.position.position.policy);
            let most = due.max_swap_loss(&market.limits, policy);
            hedging_trade(acting, price, due.target, [most; 2])?
        }
        // The program says that it is not due.
        None => Trade::SellBase,
    };
    let key = acting.signer.pubkey();
    let path = acting.path(trade);
    let swap = instruction::deleverage_swap(&acting.market, &acting.position, &key, &path);
    if args.swap {
        return Ok(Some(swap));
    }
    let Some(refusal) = acting.refusal(swap.clone()).await? else {
        return Ok(Some(swap));
    };
    note(format_args!(
        "the target takes a swap, which is refused: {refusal}\nrepaying as far as that goes without one"
    ));
    Ok(None)
}

/// What is due, if anything is; whoever is not allowed to is told by the program.
fn due(acting: &Acting, price: SqrtPrice) -> Result<Option<Due>> {
    let value = acting.model.value(price)?;
    let rule = MarketRule::of(&acting.snapshot.market);
    let policy = &acting.position.position.policy;
    Ok(targets::deleverage_due(rule, policy, true, &value).ok())
}

/// Which way the program will trade to hedge the position and bring its LTV to `target`. `losses` are the one that is allowed for
/// and the largest.
fn hedging_trade(
    acting: &Acting,
    price: SqrtPrice,
    target: Bps,
    [loss, max_loss]: [Bps; 2],
) -> Result<Trade> {
    let snapshot = &acting.snapshot;
    let hedge = acting.position.position.policy.hedge();
    let request = HedgedRequest {
        hedge,
        target,
        loss,
        max_loss,
        room: snapshot.room_at(snapshot.now_secs)?,
    };
    // What cannot be planned is refused by the program, with its reason.
    let plan = plan_hedged(&acting.model, price, snapshot.pool.sqrt_price, &request);
    Ok(match plan.ok().and_then(|plan| plan.trade) {
        Some(plan) => plan.trade,
        None => trade_of(acting.model.hedge_error(price, hedge)?),
    })
}

/// Closes as much of an unhealthy position as restores the target LTV, for a bonus.
///
/// # Errors
/// What is missing or refused.
pub async fn liquidate(args: &LiquidateArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(&args.position, globals).await?;
    let market = &acting.market;
    let names = TokenNames::of(&market.market);
    let most = most(&names, &args.max_pay_base, &args.max_pay_quote)?;
    let preparation = acting.wallet(Amounts::ZERO).await?;
    let key = acting.signer.pubkey();
    let wallet = market.wallet(&key);
    let position = &acting.position;
    let min_gain = args.min_gain.raw_of(&names, Side::Quote);
    let min_gain = min_gain.context("--min-gain")?;
    let liquidate = instruction::liquidate(market, position, &key, &wallet, most, min_gain);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::Liquidated(event) => {
            let repaid = Amounts::new(event.repaid_base, event.repaid_quote);
            let seized = Amounts::new(event.seized_base, event.seized_quote);
            let facts = acting.facts().both("repaid", repaid).both("seized", seized);
            let facts = facts.quote("bonus", event.bonus.into());
            Some(facts.ltv(Some(event.ltv_before_bps), event.ltv_after_bps))
        }
        _ => None,
    };
    let report = acting.act("liquidating", preparation, liquidate, facts);
    output.print(&report.await?)
}

/// Shows the reserves what of a position's debts its collateral does not cover, so that lenders who leave before it is booked
/// bear their part of it.
///
/// # Errors
/// What the program refuses.
pub async fn show_loss(args: &PositionArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(args, globals).await?;
    let show = instruction::show_loss(&acting.market, &acting.position.address);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::LossShown(event) => {
            let loss = Amounts::new(event.loss_base, event.loss_quote);
            let facts = acting.facts().both("loss", loss);
            Some(facts.ltv(None, event.ltv_bps))
        }
        _ => None,
    };
    let report = acting.act("showing the loss", Vec::new(), show, facts);
    output.print(&report.await?)
}

/// Repays a position's debts with what it holds, in a market that has had no price for a week.
///
/// # Errors
/// What is missing or refused.
pub async fn settle(args: &SettleArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(&args.position, globals).await?;
    let market = own_prices(&acting.market);
    let names = TokenNames::of(&market.market);
    let most = most(&names, &args.max_pay_base, &args.max_pay_quote)?;
    let least = Amounts {
        base: (args.min_received_base.raw_of(&names, Side::Base)).context("--min-received-base")?,
        quote: (args.min_received_quote.raw_of(&names, Side::Quote))
            .context("--min-received-quote")?,
    };
    let preparation = acting.wallet(Amounts::ZERO).await?;
    let key = acting.signer.pubkey();
    let wallet = market.wallet(&key);
    let settle = instruction::settle(&market, &acting.position, &key, &wallet, most, least);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::Settled(event) => {
            let rest = match event.complete {
                true => "settled: its owner may close it",
                false => {
                    "waits for somebody who brings more, its owner or from a day after the first settlement anybody: see --max-pay-base and --max-pay-quote"
                }
            };
            let repaid = Amounts::new(event.repaid_base, event.repaid_quote);
            let brought = Amounts::new(event.brought_base, event.brought_quote);
            let received = Amounts::new(event.received_base, event.received_quote);
            let facts = acting.facts().text("outcome", rest).both("repaid", repaid);
            let facts = facts.both("brought", brought).both("received", received);
            Some(facts.ratio("bonus_bps", event.bonus_bps))
        }
        _ => None,
    };
    output.print(&acting.act("settling", preparation, settle, facts).await?)
}

/// What may be paid.
fn most(names: &TokenNames, base: &Quantity, quote: &Quantity) -> Result<Amounts> {
    Ok(Amounts {
        base: base.raw_of(names, Side::Base).context("--max-pay-base")?,
        quote: (quote.raw_of(names, Side::Quote)).context("--max-pay-quote")?,
    })
}

/// The market with its own price accounts, whose silence is what counts, where it names them.
fn own_prices(market: &MarketContext) -> MarketContext {
    let or = |own: Pubkey, found| match own == Pubkey::default() {
        true => found,
        false => own,
    };
    let mut market = market.clone();
    market.prices = PriceAccounts {
        base: or(market.market.base_price_account, market.prices.base),
        quote: or(market.market.quote_price_account, market.prices.quote),
    };
    market
}
