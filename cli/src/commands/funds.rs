//! `ballast increase | repay | decrease`: the owner's funds go in and out.

use anyhow::{Context, Result, ensure};
use ballast_client::{
    Amounts, BallastEvent, DecreaseArgs as DecreaseRaw, IncreaseArgs as IncreaseRaw, Side, Signer,
    Trade, instruction,
};
use ballast_model::{Bps, Target, plan_target, value_down};
use clap::Args;

use crate::{
    acting::{Acting, PositionArgs, trade_of},
    decimal::{Decimal, Ratio},
    facts::Facts,
    format::{bps, times},
    globals::Globals,
    report::Output,
    slippage::{self, SlippageArgs},
};

use super::lend::Quantity;

/// What to bring. Amounts in whole tokens.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct IncreaseArgs {
    #[command(flatten)]
    pub position: PositionArgs,
    /// Own base brought in
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub own_base: Decimal,
    /// Own quote brought in
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub own_quote: Decimal,
    /// Leverage afterwards: where it is higher already the funds repay debt [default: what it is]
    #[arg(long)]
    pub leverage: Option<Ratio>,
    #[command(flatten)]
    pub slippage: SlippageArgs,
}

/// What to repay from the wallet. Amounts in whole tokens.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct RepayArgs {
    #[command(flatten)]
    pub position: PositionArgs,
    /// Base to repay, or `all` that is owed
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub base: Quantity,
    /// Quote to repay, or `all` that is owed
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub quote: Quantity,
}

/// What to take out. Amounts in whole tokens.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
pub struct DecreaseArgs {
    #[command(flatten)]
    pub position: PositionArgs,
    /// Part of the liquidity to withdraw from the pool
    #[arg(long, default_value = "0", value_name = "RATIO")]
    pub part: Ratio,
    /// Base to repay out of what is idle then, or `all`
    #[arg(long, default_value = "all", value_name = "AMOUNT")]
    pub repay_base: Quantity,
    /// Quote to repay out of what is idle then, or `all`
    #[arg(long, default_value = "all", value_name = "AMOUNT")]
    pub repay_quote: Quantity,
    /// Base to pay out to the wallet, or `all` that is idle then
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub pay_base: Quantity,
    /// Quote to pay out to the wallet, or `all` that is idle then
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub pay_quote: Quantity,
}

/// Raw units; `all` is as much as there is.
///
/// # Errors
/// More decimals than the token has.
pub fn raw(quantity: &Quantity, decimals: u8) -> Result<u64> {
    match quantity {
        Quantity::All => Ok(u64::MAX),
        Quantity::Amount(amount) => Ok(amount.raw(decimals)?),
    }
}

/// Brings funds, or only other leverage.
///
/// # Errors
/// What is missing or refused.
pub async fn increase(args: &IncreaseArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let slippage = args.slippage.bound()?;
    let acting = Acting::load(&args.position, globals).await?;
    acting.require_owner()?;
    let market = &acting.market;
    let own = Amounts {
        base: args
            .own_base
            .raw(market.base.decimals)
            .context("--own-base")?,
        quote: args
            .own_quote
            .raw(market.quote.decimals)
            .context("--own-quote")?,
    };
    let (args, trade) = planned(&acting, args, slippage, own)?;
    let preparation = acting.wallet(own).await?;
    let wallet = market.wallet(&acting.signer.pubkey());
    let path = acting.path(trade);
    let increase = instruction::increase(market, &acting.position, &wallet, args, &path);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::PositionIncreased(event) => {
            let [own_base, own_quote] = acting.shown(own);
            Some(Facts::from([
                ("own_base", own_base),
                ("own_quote", own_quote),
                ("liquidity_added", event.liquidity.to_string()),
                ("ltv_afterwards", bps(event.ltv_bps)),
            ]))
        }
        _ => None,
    };
    let plan = acting
        .plan("increasing")
        .line("bring", acting.told(own))
        .line(
            "leverage",
            format_args!("up to {}", times(args.leverage_bps.into())),
        )
        .warning(slippage::warning(slippage));
    output.print(
        &acting
            .act_by(plan, "increasing", preparation, increase, facts)
            .await?,
    )
}

/// The program's arguments, and which way it will trade.
fn planned(
    acting: &Acting,
    args: &IncreaseArgs,
    slippage: Bps,
    own: Amounts,
) -> Result<(IncreaseRaw, Trade)> {
    let limits = &acting.market.market.limits;
    let at = acting.snapshot.pool.sqrt_price;
    let leverage = match &args.leverage {
        Some(leverage) => leverage.bps_down().context("--leverage")?,
        None => {
            let now = acting.model.value(at)?.leverage_bps_up();
            Bps::new(u32::try_from(now).unwrap_or(u32::MAX))
        }
    };
    ensure!(
        leverage.get() <= limits.max_leverage_bps,
        "leverage {} is above the market's cap of {}: pass --leverage",
        times(leverage.get().into()),
        times(limits.max_leverage_bps.into())
    );
    let mut model = acting.model;
    model.idle = model
        .idle
        .checked_add(own)
        .context("amounts are out of range")?;
    let target = Target {
        leverage,
        hedge: acting.position.position.policy.hedge(),
        band: model.band,
    };
    let oracle = acting.snapshot.oracle_sqrt_price().unwrap_or(at);
    let plan = plan_target(&model, &target, at, oracle)?;
    let added = plan.liquidity - model.liquidity;
    // What either debt may be: as the plan has it, or as it is if that is more, and a part of all assets more.
    let value = model.value(at)?;
    let equity = value.assets.saturating_sub(value.debt);
    let assets = leverage.of_up(equity).context("amounts are out of range")?;
    let pooled = model.band.amounts_up(plan.liquidity, at)?;
    let hedged = target.hedge.of_up(pooled.base.into());
    let hedged = hedged
        .and_then(|base| u64::try_from(base).ok())
        .context("amounts are out of range")?;
    let quote = (assets - equity).saturating_sub(value_down(hedged, at)?);
    let quote = u64::try_from(quote).context("amounts are out of range")?;
    let most = |side: Side, planned: u64, of: u128| {
        let room = slippage.of_up(of).unwrap_or(u128::MAX);
        let debt = u128::from(planned.max(model.debt.get(side)));
        u64::try_from(debt.saturating_add(room).saturating_add(2)).unwrap_or(u64::MAX)
    };
    let raw = IncreaseRaw {
        own_base: own.base,
        own_quote: own.quote,
        leverage_bps: leverage.get(),
        min_liquidity: Bps::new(Bps::ONE.get() - slippage.get())
            .of_down(added)
            .unwrap_or(0),
        max_base_debt: most(Side::Base, hedged, pooled.base.into()),
        max_quote_debt: most(Side::Quote, quote, assets),
    };
    Ok((raw, trade_of(plan.base_surplus)))
}

/// Repays from the wallet.
///
/// # Errors
/// What is missing or refused.
pub async fn repay(args: &RepayArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(&args.position, globals).await?;
    acting.require_owner()?;
    let market = &acting.market;
    let most = Amounts {
        base: raw(&args.base, market.base.decimals).context("--base")?,
        quote: raw(&args.quote, market.quote.decimals).context("--quote")?,
    };
    let owed = acting.model.debt;
    // Interest until it lands.
    let needed = |side: Side| {
        let owed = owed.get(side);
        most.get(side).min(owed.saturating_add(owed / 10_000))
    };
    let needed = Amounts {
        base: needed(Side::Base),
        quote: needed(Side::Quote),
    };
    let preparation = acting.wallet(needed).await?;
    let wallet = market.wallet(&acting.signer.pubkey());
    let repay = instruction::repay(market, &acting.position, &wallet, most.base, most.quote);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::PositionRepaid(event) => {
            let [base, quote] = acting.shown(Amounts::new(event.base, event.quote));
            Some(Facts::from([
                ("repaid_base", base),
                ("repaid_quote", quote),
            ]))
        }
        _ => None,
    };
    output.print(&acting.act("repaying", preparation, repay, facts).await?)
}

/// Takes liquidity out, repays, pays out.
///
/// # Errors
/// What is missing or refused.
pub async fn decrease(args: &DecreaseArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(&args.position, globals).await?;
    acting.require_owner()?;
    let market = &acting.market;
    let part = args.part.bps_down().context("--part")?;
    ensure!(part <= Bps::ONE, "--part {} is more than all", *args.part);
    let (base, quote) = (market.base.decimals, market.quote.decimals);
    let raw = DecreaseRaw {
        liquidity: part.of_down(acting.model.liquidity).unwrap_or(0),
        repay_base: raw(&args.repay_base, base).context("--repay-base")?,
        repay_quote: raw(&args.repay_quote, quote).context("--repay-quote")?,
        pay_base: raw(&args.pay_base, base).context("--pay-base")?,
        pay_quote: raw(&args.pay_quote, quote).context("--pay-quote")?,
    };
    ensure!(
        raw.liquidity > 0
            || raw.pay_base > 0
            || raw.pay_quote > 0
            || acting.model.idle != Amounts::ZERO,
        "nothing to do: pass --part, --pay-base or --pay-quote"
    );
    let preparation = acting.wallet(Amounts::ZERO).await?;
    let wallet = market.wallet(&acting.signer.pubkey());
    let decrease = instruction::decrease(market, &acting.position, &wallet, raw);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::PositionDecreased(event) => {
            let repaid = Amounts::new(event.repaid_base, event.repaid_quote);
            let [repaid_base, repaid_quote] = acting.shown(repaid);
            let [paid_base, paid_quote] =
                acting.shown(Amounts::new(event.paid_base, event.paid_quote));
            Some(Facts::from([
                ("liquidity", event.liquidity.to_string()),
                ("repaid_base", repaid_base),
                ("repaid_quote", repaid_quote),
                ("paid_base", paid_base),
                ("paid_quote", paid_quote),
            ]))
        }
        _ => None,
    };
    output.print(
        &acting
            .act("decreasing", preparation, decrease, facts)
            .await?,
    )
}
