//! `ballast increase | repay | decrease`: the owner's funds go in and out.

use anyhow::{Context, Result, ensure};
use ballast_client::{
    Amounts, BallastEvent, DecreaseArgs as DecreaseRaw, IncreaseArgs as IncreaseRaw, Side, Signer,
    instruction,
};
use ballast_model::Bps;
use ballast_view::TokenNames;
use clap::{ArgGroup, Args};

use crate::{
    acting::{Acting, PositionArgs},
    decimal::Ratio,
    format::times,
    globals::Globals,
    growth::{Bounds, Growth, Wanted},
    report::Output,
    slippage::{self, SlippageArgs},
    tokens::{Amount, Quantity},
    trouble::misuse,
    wallet::SIDES,
};

/// Options of which one has to be there.
fn any_of<const N: usize>(name: &'static str, options: [&'static str; N]) -> ArgGroup {
    ArgGroup::new(name)
        .required(true)
        .multiple(true)
        .args(options)
}

/// What to bring. Amounts in whole tokens.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
#[command(group(any_of("brought", ["own_base", "own_quote", "leverage"])))]
pub struct IncreaseArgs {
    #[command(flatten)]
    pub position: PositionArgs,
    /// Own base brought in
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub own_base: Amount,
    /// Own quote brought in
    #[arg(long, default_value = "0", value_name = "AMOUNT")]
    pub own_quote: Amount,
    /// Leverage afterwards: where it is higher already the funds repay debt [default: what it is]
    #[arg(long)]
    pub leverage: Option<Ratio>,
    #[command(flatten)]
    pub slippage: SlippageArgs,
}

/// What to repay from the wallet. Amounts in whole tokens.
#[derive(Args, Debug)]
#[command(allow_negative_numbers = true)]
#[command(group(any_of("repaid", ["base", "quote"])))]
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

/// Brings funds, or only other leverage.
///
/// # Errors
/// What is missing or refused.
pub async fn increase(args: &IncreaseArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let slippage = args.slippage.bound()?;
    let acting = Acting::load(&args.position, globals).await?;
    acting.require_owner()?;
    let market = &acting.market;
    let names = TokenNames::of(&market.market);
    let own = Amounts {
        base: (args.own_base.raw_of(&names, Side::Base)).context("--own-base")?,
        quote: (args.own_quote.raw_of(&names, Side::Quote)).context("--own-quote")?,
    };
    let (leverage, growth) = planned(&acting, args, own)?;
    let preparation = acting.wallet(own).await?;
    let wallet = market.wallet(&acting.signer.pubkey());
    let path = acting.path(growth.trade());
    let built = |bounds: Bounds| {
        let raw = IncreaseRaw {
            own_base: own.base,
            own_quote: own.quote,
            leverage_bps: leverage.get(),
            min_liquidity: bounds.min_liquidity,
            max_base_debt: bounds.max_debt.base,
            max_quote_debt: bounds.max_debt.quote,
        };
        instruction::increase(market, &acting.position, &wallet, raw, &path)
    };
    let increase = built(growth.bounds(slippage)?);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::PositionIncreased(event) => {
            let facts = acting.facts().both("own", own);
            let facts = facts.liquidity("liquidity_added", event.liquidity);
            Some(facts.ltv(acting.ltv_bps(), event.ltv_bps))
        }
        _ => None,
    };
    let plan = acting
        .plan("increasing")
        .line("bring", acting.told(own))
        .line(
            "leverage",
            format_args!("up to {}", times(leverage.get().into())),
        )
        .line("swap first", growth.told_swap(&names))
        .line("provide", acting.told(growth.deposit))
        .line(
            "debt",
            format_args!(
                "{} → {}",
                acting.told(acting.model.debt),
                acting.told(growth.after.debt)
            ),
        )
        .warning(slippage::warning(slippage));
    let acted = acting.act_by(plan, "increasing", preparation, increase, facts);
    match acted.await {
        Err(error) if slippage::is_exceeded(&error) => {
            let events = acting.events("increasing", built(Bounds::NONE)).await;
            let events = events.ok().flatten().unwrap_or_default();
            let enough = events.iter().find_map(|event| match event {
                BallastEvent::PositionIncreased(event) => {
                    let debt = Amounts::new(event.debt_base, event.debt_quote);
                    growth.sufficient(event.liquidity, debt).ok().flatten()
                }
                _ => None,
            });
            Err(slippage::exceeded(error, slippage, enough))
        }
        acted => output.print(&acted?),
    }
}

/// The leverage to go to, and what becomes of the position.
fn planned(acting: &Acting, args: &IncreaseArgs, own: Amounts) -> Result<(Bps, Growth)> {
    let snapshot = &acting.snapshot;
    let limits = &acting.market.market.limits;
    let at = snapshot.pool.sqrt_price;
    let now = acting.model.value(at)?.leverage_bps_up();
    let leverage = match &args.leverage {
        Some(leverage) => leverage.bps_down().context("--leverage")?,
        None => Bps::new(u32::try_from(now).unwrap_or(u32::MAX)),
    };
    ensure!(
        leverage.get() <= limits.max_leverage_bps,
        misuse!(
            "leverage {} is above the market's cap of {}: pass --leverage",
            times(leverage.get().into()),
            times(limits.max_leverage_bps.into())
        )
    );
    let mut model = acting.model;
    model.idle = model
        .idle
        .checked_add(own)
        .context("amounts are out of range")?;
    let stored = &acting.position.position;
    let wanted = Wanted {
        model,
        shares: [
            stored.base_debt_shares.get(),
            stored.quote_debt_shares.get(),
        ],
        leverage,
        policy: stored.policy,
        oracle: snapshot.oracle_sqrt_price().unwrap_or(at),
    };
    let growth = Growth::new(snapshot, &wanted)?;
    // The program refuses it without a word on what else to type.
    ensure!(
        own != Amounts::ZERO || growth.added > 0,
        misuse!(
            "there is nothing to increase: without own funds `increase` only raises leverage, which is {} already, and {} was asked \
             for: pass --own-quote or --own-base, or lower it with `ballast decrease {} --part`",
            times(now),
            times(leverage.get().into()),
            acting.position.address
        )
    );
    Ok((leverage, growth))
}

/// Repays from the wallet.
///
/// # Errors
/// What is missing or refused.
pub async fn repay(args: &RepayArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(&args.position, globals).await?;
    acting.require_owner()?;
    let market = &acting.market;
    let names = TokenNames::of(&market.market);
    let most = Amounts {
        base: args.base.raw_of(&names, Side::Base).context("--base")?,
        quote: args.quote.raw_of(&names, Side::Quote).context("--quote")?,
    };
    let owed = acting.model.debt;
    ensure!(
        most != Amounts::ZERO,
        misuse!("the amounts are 0: pass --base or --quote")
    );
    ensure!(
        SIDES
            .iter()
            .any(|side| most.get(*side) > 0 && owed.get(*side) > 0),
        crate::trouble::NothingDue("nothing of that is owed".into())
    );
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
            let repaid = Amounts::new(event.base, event.quote);
            Some(acting.facts().both("repaid", repaid))
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
    ensure!(
        part <= Bps::ONE,
        crate::trouble::Misuse(format!("--part {} is more than all", *args.part))
    );
    let names = TokenNames::of(&market.market);
    let raw_of = |quantity: &Quantity, side, option| {
        let raw = quantity.raw_of(&names, side);
        raw.context(option)
    };
    let raw = DecreaseRaw {
        liquidity: part.of_down(acting.model.liquidity).unwrap_or(0),
        repay_base: raw_of(&args.repay_base, Side::Base, "--repay-base")?,
        repay_quote: raw_of(&args.repay_quote, Side::Quote, "--repay-quote")?,
        pay_base: raw_of(&args.pay_base, Side::Base, "--pay-base")?,
        pay_quote: raw_of(&args.pay_quote, Side::Quote, "--pay-quote")?,
    };
    ensure!(
        raw.liquidity > 0
            || raw.pay_base > 0
            || raw.pay_quote > 0
            || acting.model.idle != Amounts::ZERO,
        crate::trouble::Misuse("nothing to do: pass --part, --pay-base or --pay-quote".into())
    );
    let preparation = acting.wallet(Amounts::ZERO).await?;
    let wallet = market.wallet(&acting.signer.pubkey());
    let decrease = instruction::decrease(market, &acting.position, &wallet, raw);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::PositionDecreased(event) => {
            let repaid = Amounts::new(event.repaid_base, event.repaid_quote);
            let paid = Amounts::new(event.paid_base, event.paid_quote);
            let asked = Amounts::new(raw.pay_base, raw.pay_quote);
            let facts = acting.facts().liquidity("liquidity", event.liquidity);
            let facts = facts.both("repaid", repaid).both("paid", paid);
            Some(facts.warned(paid_less(&acting, asked, paid)))
        }
        _ => None,
    };
    output.print(
        &acting
            .act("decreasing", preparation, decrease, facts)
            .await?,
    )
}

/// That less is paid out than was asked for, and why.
fn paid_less(acting: &Acting, asked: Amounts, paid: Amounts) -> Option<String> {
    // Of `all` anything is enough.
    let enough = |side| match asked.get(side) {
        u64::MAX => paid.get(side) > 0,
        asked => paid.get(side) >= asked,
    };
    let short: Vec<_> = SIDES.into_iter().filter(|side| !enough(*side)).collect();
    let names = TokenNames::of(&acting.market.market);
    let told = short.iter().map(|side| {
        let paid = match paid.get(*side) {
            0 => "nothing".into(),
            some => names.tokens().amount(*side, some.into()),
        };
        match asked.get(*side) {
            u64::MAX => format!("{paid} of the {} is paid out", names.get(*side)),
            asked => format!(
                "{paid} of {} is paid out",
                names.tokens().amount(*side, asked.into())
            ),
        }
    });
    let told: Vec<_> = told.collect();
    (!told.is_empty()).then(|| {
        format!(
            "{}: debts come first, and what is withdrawn repays them; a larger --part withdraws more, and --repay-base and \
             --repay-quote say how much of it repays",
            told.join(" and ")
        )
    })
}
