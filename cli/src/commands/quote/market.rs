//! What a market says: price, fee, interest, limits, depth.

use anyhow::{Context, Result};
use ballast_abi::whirlpool::{
    PoolView, TICKS_PER_ARRAY, TickArrayView, array_start, is_array_start,
};
use ballast_client::{Chain, MarketContext, MarketSnapshot, Pubkey, Side};
use ballast_model::SqrtPrice;
use ballast_quote::{Depth, PoolNow};
use ballast_view::TokenNames;

use super::{QuoteArgs, setting::Setting};
use crate::{
    address::address,
    connection::Connection,
    globals::Globals,
    report::note,
    target::{self, MARKET_VARIABLE},
    trouble::misuse,
    volatility,
};

/// Tick arrays looked at on either side of the price: with a spacing of 4 ticks prices of half to double today's.
const ARRAYS: i32 = 20;
/// Price updates in which volatility is measured.
const SAMPLES: usize = 48;
const BPS: f64 = 10_000.0;

/// The market that other commands take where none is named. A variable that stood for the option itself would have every quote ask a
/// node.
fn from_environment() -> Result<Option<Pubkey>> {
    let Ok(text) = std::env::var(MARKET_VARIABLE) else {
        return Ok(None);
    };
    let address = address(&text).map_err(|error| misuse!("{MARKET_VARIABLE} {text:?}: {error}"));
    Ok(Some(address?))
}

/// Everything of one slot, but for the tick arrays, which are read right afterwards.
///
/// # Errors
/// What cannot be found or read.
pub async fn setting(args: &QuoteArgs, globals: &Globals) -> Result<Setting> {
    let connection = Connection::new(globals);
    let chain = connection.chain();
    let named = match args.market.flatten() {
        None => from_environment()?,
        named => named,
    };
    let address = target::market_address(chain, named).await?;
    let market = target::load_at(chain, address, &args.prices).await?;
    let snapshot = target::snapshot(chain, &market).await?;
    let oracle = snapshot
        .oracle_sqrt_price()
        .context("the oracle has no usable price: pass --price")?;
    let (depth, protocol_share) = depth(chain, &market).await?;
    let asked = args.conditions.sigma_day.is_some() || args.conditions.candles.is_some();
    let sigma = if asked {
        None
    } else {
        let measured = volatility::measured(chain, &market, SAMPLES).await;
        let told = |error| {
            note(format_args!(
                "volatility was not measured: {error}; pass --sigma-day or --candles"
            ));
        };
        measured.map_err(told).ok()
    };
    Ok(Setting {
        source: format!("market {address}, slot {}", snapshot.slot),
        market: Some(address.to_string()),
        names: Some(TokenNames::of(&market.market)),
        price: Some(oracle),
        decimals: (market.market.base_decimals, market.market.quote_decimals),
        tick_spacing: Some(market.market.tick_spacing),
        limits: market.market.limits,
        maintenance_is_the_markets: true,
        fee: f64::from(snapshot.pool.fee_rate_ppm) / 1e6,
        protocol_share,
        base_apr: apr(&snapshot, Side::Base)?,
        quote_apr: apr(&snapshot, Side::Quote)?,
        depth: Some(depth),
        sigma,
    })
}

fn apr(snapshot: &MarketSnapshot, side: Side) -> Result<f64> {
    let state = snapshot.reserve_at(side, snapshot.now_secs)?;
    let rate = state.borrow_rate_bps_up(&snapshot.reserve(side).curve())?;
    Ok(f64::from(rate.get()) / BPS)
}

/// The pool's depth and the protocol's part of its fee.
async fn depth(chain: &dyn Chain, market: &MarketContext) -> Result<(Depth, f64)> {
    let pool = market.market.whirlpool;
    let account = chain.account(&pool).await?;
    let account = account.with_context(|| format!("no pool at {pool}"))?;
    let around = PoolView::parse(&account.data)?.tick_current();
    let spacing = market.market.tick_spacing;
    let width = TICKS_PER_ARRAY * i32::from(spacing);
    let middle = array_start(around, spacing);
    let starts: Vec<i32> = (-ARRAYS..=ARRAYS)
        .map(|index| middle.saturating_add(index * width))
        .filter(|start| is_array_start(*start, spacing))
        .collect();
    // Pool and arrays of one slot.
    let mut addresses = vec![pool];
    addresses.extend(starts.iter().map(|start| market.tick_array(*start)));
    let answer = chain.accounts(&addresses).await?;
    let mut accounts = answer.accounts.iter();
    let now = accounts.next().and_then(Option::as_ref);
    let now = now.with_context(|| format!("no pool at {pool}"))?;
    let view = PoolView::parse(&now.data)?;
    let mut net = Vec::new();
    // An array that nobody has made yet holds no initialised tick.
    for account in accounts
        .flatten()
        .filter(|account| !account.data.is_empty())
    {
        let array = TickArrayView::parse(&account.data)?;
        net.extend(
            array
                .ticks(spacing)
                .map(|(tick, state)| (tick, state.liquidity_net)),
        );
    }
    let first = starts.first().copied().unwrap_or(around);
    let last = starts
        .last()
        .copied()
        .unwrap_or(around)
        .saturating_add(width - 1);
    let ends = (SqrtPrice::MIN.tick().get(), SqrtPrice::MAX.tick().get());
    let state = PoolNow {
        sqrt_price: view.sqrt_price(),
        tick_current: view.tick_current(),
        liquidity: view.liquidity(),
        fee_ppm: view.fee_rate_ppm().into(),
    };
    let depth = Depth::new(state, net, (first.max(ends.0), last.min(ends.1)))
        .context("the pool's tick arrays contradict its liquidity: try again")?;
    Ok((depth, f64::from(view.protocol_fee_rate_bps()) / BPS))
}
