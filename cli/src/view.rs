//! A stored position with its numbers at the oracle's price, as commands print it.

use std::fmt;

use anyhow::{Context, Result};
use ballast_client::{Amounts, MarketSnapshot, PositionContext, Side, SqrtPrice};
use ballast_model::{Boundaries, Bps, screen::Real, value_down};
use serde::Serialize;

use crate::{
    format::{amount, bps, change, duration, optional, signed_amount, significant, times},
    range,
};

/// Amounts in whole tokens as exact decimal strings, prices as quote per base.
#[derive(Clone, Debug, Serialize)]
pub struct PositionView {
    pub position: String,
    pub id: u64,
    pub market: String,
    pub owner: String,
    pub slot: u64,
    pub price: f64,
    pub pool_price: f64,
    pub lower: f64,
    pub upper: f64,
    pub tick_lower: i32,
    pub tick_upper: i32,
    pub in_range: bool,
    pub liquidity: String,
    pub pool_base: String,
    pub pool_quote: String,
    pub idle_base: String,
    pub idle_quote: String,
    pub debt_base: String,
    pub debt_quote: String,
    pub assets: String,
    pub debt: String,
    pub equity: String,
    pub delta: String,
    pub hedge_error: String,
    pub leverage_bps: Option<u64>,
    pub ltv_bps: u32,
    pub maintenance_ltv_bps: u32,
    pub liquidation_lower: Option<f64>,
    pub liquidation_upper: Option<f64>,
    pub entry_price: Option<f64>,
    pub entry_equity: String,
    /// Equity and what was paid out since, less the equity at opening. Fees that the pool still holds are not counted.
    pub pnl: String,
    pub open_secs: i64,
    pub rehedges: u32,
    pub deleverages: u32,
    pub liquidations: u32,
    pub keepers_allowed: bool,
}

impl PositionView {
    /// The position with interest to the snapshot's time.
    ///
    /// # Errors
    /// Prices or amounts that are out of range.
    pub fn new(market: &MarketSnapshot, context: &PositionContext) -> Result<Self> {
        let position = &context.position;
        let (base, quote) = (market.market.base_decimals, market.market.quote_decimals);
        let price = |root: SqrtPrice| range::price(root, base, quote).to_f64();
        let oracle = market
            .oracle_sqrt_price()
            .context("the oracle has no usable price")?;
        let model = market
            .position(position, market.now_secs)
            .with_context(|| format!("position {} cannot be valued", context.address))?;
        let value = model.value(oracle)?;
        let pool = model.pool_amounts_down(oracle)?;
        let maintenance = Bps::new(market.market.limits.maintenance_ltv_bps);
        let ends = ends(model.boundaries(maintenance)?);
        let withdrawn = value_down(position.entry.withdrawn_base, oracle)?
            .saturating_add(u128::from(position.entry.withdrawn_quote));
        let pnl = value
            .equity()
            .saturating_add(i128::try_from(withdrawn).unwrap_or(i128::MAX))
            .saturating_sub(i128::from(position.entry.equity));
        let entry_root = SqrtPrice::new(position.entry.sqrt_price_x64.get()).ok();
        let quote_value =
            |value: u128| signed_amount(i128::try_from(value).unwrap_or(i128::MAX), quote);
        Ok(Self {
            position: context.address.to_string(),
            id: position.id,
            market: position.market.to_string(),
            owner: position.owner.to_string(),
            slot: market.slot,
            price: price(oracle),
            pool_price: price(market.pool.sqrt_price),
            lower: price(model.band.sqrt_lower()),
            upper: price(model.band.sqrt_upper()),
            tick_lower: position.tick_lower,
            tick_upper: position.tick_upper,
            in_range: model.band.contains(market.pool.sqrt_price),
            liquidity: model.liquidity.to_string(),
            pool_base: amount(pool.base, base),
            pool_quote: amount(pool.quote, quote),
            idle_base: amount(model.idle.base, base),
            idle_quote: amount(model.idle.quote, quote),
            debt_base: amount(model.debt.base, base),
            debt_quote: amount(model.debt.quote, quote),
            assets: quote_value(value.assets),
            debt: quote_value(value.debt),
            equity: signed_amount(value.equity(), quote),
            delta: signed_amount(model.delta(oracle)?, base),
            hedge_error: signed_amount(model.hedge_error(oracle, position.policy.hedge())?, base),
            leverage_bps: Some(value.leverage_bps_up()).filter(|leverage| *leverage < u64::MAX),
            ltv_bps: value.ltv_bps_up(),
            maintenance_ltv_bps: maintenance.get(),
            liquidation_lower: ends.0.map(price),
            liquidation_upper: ends.1.map(price),
            entry_price: entry_root.map(price),
            entry_equity: amount(position.entry.equity, quote),
            pnl: signed_amount(pnl, quote),
            open_secs: market
                .now_secs
                .saturating_sub(position.entry.opened_at_secs),
            rehedges: position.rehedges,
            deleverages: position.deleverages,
            liquidations: position.liquidations,
            keepers_allowed: position.policy.keeper_enabled == 1,
        })
    }

    /// A price with its distance from the oracle's.
    pub fn distance(&self, price: Option<f64>) -> String {
        match price {
            None => "none".into(),
            Some(price) => format!(
                "{} ({})",
                significant(price, 8),
                change(price / self.price - 1.0)
            ),
        }
    }
}

/// Both ends of an interval; a position without any healthy price has none.
pub fn ends(boundaries: Boundaries) -> (Option<SqrtPrice>, Option<SqrtPrice>) {
    match boundaries {
        Boundaries::Empty => (None, None),
        Boundaries::Interval { lower, upper } => (lower, upper),
    }
}

/// What a position would lack of each token to repay its debts, with everything withdrawn at a price.
///
/// # Errors
/// Amounts that are out of range.
pub fn missing_to_repay(model: &ballast_model::Position, at: SqrtPrice) -> Result<Amounts> {
    let held = model
        .pool_amounts_down(at)?
        .checked_add(model.idle)
        .context("amounts are out of range")?;
    let missing = |side: Side| model.debt.get(side).saturating_sub(held.get(side));
    Ok(Amounts {
        base: missing(Side::Base),
        quote: missing(Side::Quote),
    })
}

impl fmt::Display for PositionView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "position {} (id {})", self.position, self.id)?;
        writeln!(f, "  owner        {}", self.owner)?;
        writeln!(f, "  market       {}", self.market)?;
        writeln!(
            f,
            "  price        {} quote per base (oracle), pool {} ({})",
            significant(self.price, 8),
            significant(self.pool_price, 8),
            change(self.pool_price / self.price - 1.0)
        )?;
        writeln!(
            f,
            "  range        {} to {}{}",
            self.distance(Some(self.lower)),
            self.distance(Some(self.upper)),
            if self.in_range { "" } else { ", OUT OF RANGE" }
        )?;
        writeln!(
            f,
            "  in the pool  {} base + {} quote (liquidity {})",
            self.pool_base, self.pool_quote, self.liquidity
        )?;
        writeln!(
            f,
            "  idle         {} base + {} quote",
            self.idle_base, self.idle_quote
        )?;
        writeln!(
            f,
            "  debt         {} base + {} quote",
            self.debt_base, self.debt_quote
        )?;
        writeln!(
            f,
            "  value        assets {} - debt {} = equity {} quote",
            self.assets, self.debt, self.equity
        )?;
        writeln!(
            f,
            "  result       {} quote since opening {} ago at price {} with equity {} quote",
            self.pnl,
            duration(self.open_secs),
            optional(self.entry_price, 8),
            self.entry_equity
        )?;
        writeln!(
            f,
            "  delta        {} base (hedge error {} base)",
            self.delta, self.hedge_error
        )?;
        writeln!(
            f,
            "  leverage     {}, LTV {}",
            self.leverage_bps.map_or("infinite".into(), times),
            bps(self.ltv_bps)
        )?;
        writeln!(
            f,
            "  liquidation  at LTV {}: below {}, above {}",
            bps(self.maintenance_ltv_bps),
            self.distance(self.liquidation_lower),
            self.distance(self.liquidation_upper)
        )?;
        writeln!(
            f,
            "  history      {} rehedges, {} deleverages, {} liquidations; keepers {}",
            self.rehedges,
            self.deleverages,
            self.liquidations,
            if self.keepers_allowed {
                "allowed"
            } else {
                "switched off"
            }
        )
    }
}
