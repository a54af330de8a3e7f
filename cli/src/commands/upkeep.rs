//! `ballast recenter | compound | collect | exit`: what keepers do for an owner, or the owner alone.

use anyhow::{Context, Result};
use ballast_client::{
    Amounts, BallastEvent, Reaction, RecenterArgs as RecenterRaw, Signer, Tick, Trade,
    ballast::{due, events::Recentered},
    instruction,
};
use ballast_model::{Band, Position, Target, plan_target, screen::Real};
use clap::Args;

use crate::{
    acting::{Acting, PositionArgs, trade_of},
    decimal::Positive,
    facts::{Facts, Range},
    globals::Globals,
    range::{self, TickRange},
    report::Output,
    width::Width,
};

/// Where to move a position. The owner may at any time; a keeper when it is due and within the owner's bounds.
#[derive(Args, Debug)]
pub struct RecenterArgs {
    #[command(flatten)]
    pub position: PositionArgs,
    /// Width of the new band, which is centred on the oracle's price: a percentage, or ticks
    #[arg(long, required_unless_present = "lower", conflicts_with_all = ["lower", "upper"])]
    pub width: Option<Width>,
    /// Lower end of the new band; moved down to the pool's grid
    #[arg(long, value_name = "PRICE", requires = "upper")]
    pub lower: Option<Positive>,
    /// Upper end of the new band; moved up to the pool's grid
    #[arg(long, value_name = "PRICE", requires = "lower")]
    pub upper: Option<Positive>,
    /// For pool programs that cannot move a position: close the Whirlpool position and open another
    #[arg(long)]
    pub replacing: bool,
}

/// Moves a position to a new band.
///
/// # Errors
/// What the program refuses.
pub async fn recenter(args: &RecenterArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(&args.position, globals).await?;
    let ticks = band(&acting, args)?;
    let raw = RecenterRaw {
        tick_lower: ticks.lower.get(),
        tick_upper: ticks.upper.get(),
    };
    let preparation = acting.tick_arrays([raw.tick_lower, raw.tick_upper]).await?;
    let path = acting.path(surplus(&acting, Band::new(ticks.lower, ticks.upper)?)?);
    let (market, key) = (&acting.market, acting.signer.pubkey());
    let build = match args.replacing {
        true => instruction::recenter_replacing,
        false => instruction::recenter,
    };
    let recenter = build(market, &acting.position, &key, raw, &path);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::Recentered(event) => Some(recentered(&acting, event)),
        _ => None,
    };
    let report = acting
        .act("recentering", preparation, recenter, facts)
        .await?;
    output.print(&report)
}

fn band(acting: &Acting, args: &RecenterArgs) -> Result<TickRange> {
    let market = &acting.market.market;
    match (&args.width, &args.lower, &args.upper) {
        (_, Some(lower), Some(upper)) => {
            let decimals = (market.base_decimals, market.quote_decimals);
            range::around(lower, upper, market.tick_spacing, decimals)
        }
        (Some(width), ..) => {
            let price = acting.snapshot.oracle_sqrt_price();
            let price =
                price.context("the oracle has no usable price: pass --lower and --upper")?;
            width.around(price, market.tick_spacing)
        }
        _ => anyhow::bail!("pass --width, or --lower and --upper"),
    }
}

/// Which way the position will trade when everything is out of the pool.
fn surplus(acting: &Acting, band: Band) -> Result<Trade> {
    let at = acting.snapshot.pool.sqrt_price;
    let model = &acting.model;
    let held = model.pool_amounts_down(at)?.checked_add(model.idle);
    let idle = held.context("amounts are out of range")?;
    let empty = Position {
        band,
        liquidity: 0,
        idle,
        ..*model
    };
    let automation = &acting.position.position.automation;
    let target = Target {
        leverage: automation.leverage(&acting.market.market.limits),
        hedge: acting.position.position.policy.hedge(),
        band,
    };
    // What cannot be planned is refused by the program, with its reason.
    let oracle = acting.snapshot.oracle_sqrt_price().unwrap_or(at);
    let plan = plan_target(&empty, &target, at, oracle);
    Ok(trade_of(plan.map_or(0, |plan| plan.base_surplus)))
}

fn recentered(acting: &Acting, event: &Recentered) -> Facts {
    let range = |ticks: [i32; 2]| {
        let market = &acting.market.market;
        let price = |tick| {
            let tick = Tick::new(tick).ok()?;
            let (base, quote) = (market.base_decimals, market.quote_decimals);
            Some(range::price(tick.sqrt_price(), base, quote).to_f64())
        };
        Range {
            ticks,
            // The program's own ticks are ticks.
            prices: ticks.map(|tick| price(tick).unwrap_or(0.0)),
        }
    };
    let before = range([event.tick_lower_before, event.tick_upper_before]);
    let after = range([event.tick_lower, event.tick_upper]);
    let traded = Amounts::new(event.base_traded, event.quote_traded);
    acting
        .facts()
        .range(before, after)
        .both("fees", Amounts::new(event.fees_base, event.fees_quote))
        .both("traded", traded)
        .equity(event.equity_before, event.equity_after)
        .ltv(acting.ltv_bps(), event.ltv_bps)
}

/// Puts the fees to work.
///
/// # Errors
/// What the program refuses.
pub async fn compound(args: &PositionArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(args, globals).await?;
    let key = acting.signer.pubkey();
    let compound = instruction::compound(&acting.market, &acting.position, &key);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::Compounded(event) => {
            let fees = Amounts::new(event.fees_base, event.fees_quote);
            let facts = acting.facts().both("fees", fees);
            let facts = facts.liquidity("liquidity_added", event.liquidity);
            Some(facts.ltv(acting.ltv_bps(), event.ltv_bps))
        }
        _ => None,
    };
    output.print(
        &acting
            .act("compounding", Vec::new(), compound, facts)
            .await?,
    )
}

/// Pays the fees out.
///
/// # Errors
/// What the program refuses.
pub async fn collect(args: &PositionArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(args, globals).await?;
    acting.require_owner()?;
    let preparation = acting.wallet(Amounts::ZERO).await?;
    let wallet = acting.market.wallet(&acting.signer.pubkey());
    let collect = instruction::collect(&acting.market, &acting.position, &wallet);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::FeesCollected(event) => {
            let fees = Amounts::new(event.base, event.quote);
            Some(acting.facts().both("fees", fees))
        }
        _ => None,
    };
    output.print(
        &acting
            .act("collecting fees", preparation, collect, facts)
            .await?,
    )
}

/// Takes a position out of the pool; `close` then pays out what lies idle.
///
/// # Errors
/// What the program refuses.
pub async fn exit(args: &PositionArgs, globals: &Globals, output: &mut Output) -> Result<()> {
    let acting = Acting::load(args, globals).await?;
    let price = acting.snapshot.oracle_sqrt_price();
    let price = price.context("the oracle has no usable price")?;
    let automation = &acting.position.position.automation;
    let equity = acting.model.value(price)?.equity();
    let pool = &acting.snapshot.pool;
    let trade = match due::exit_due(automation, price, equity) {
        // What is owed comes before what is wanted.
        Some((_, Reaction::ExitIntoBase)) if !acting.is_short_of_quote()? => Trade::BuyBase,
        _ => trade_of(acting.model.delta(price)?),
    };
    let path = acting.market.exit_path(pool.tick_current, trade);
    let key = acting.signer.pubkey();
    let exit = instruction::exit(&acting.market, &acting.position, &key, &path);
    let facts = |event: &BallastEvent| match event {
        BallastEvent::Exited(event) => {
            let left = Amounts::new(event.idle_base, event.idle_quote);
            let fees = Amounts::new(event.fees_base, event.fees_quote);
            let reason = format!("{:?}", event.reason).to_lowercase();
            let facts = acting.facts().text("reason", reason);
            Some(facts.both("fees", fees).both("left", left))
        }
        _ => None,
    };
    output.print(&acting.act("exiting", Vec::new(), exit, facts).await?)
}
