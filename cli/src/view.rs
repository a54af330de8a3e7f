//! A stored position with its numbers at the oracle's price, as commands print it.

use std::{fmt, ops::Deref};

use anyhow::{Context, Result};
use ballast_client::{Amounts, MarketSnapshot, PositionContext, Side, SqrtPrice};
use ballast_view::{Figures, TokenNames};
use serde::Serialize;

use crate::format::{bps, change, duration, optional, significant, times};

/// Amounts in whole tokens as exact decimal strings, prices as quote per base.
#[derive(Clone, Debug, Serialize)]
pub struct PositionView {
    #[serde(flatten)]
    view: ballast_view::PositionView,
    /// Equity and what was paid out since, less the equity at opening. Fees that the pool still holds are not counted.
    pub pnl_total: String,
    /// How far the price is from the nearer maintenance boundary, 1e4 (P* / P - 1): below zero it is below the price. 0: it is
    /// reached; `null`: there is none.
    pub distance_bps: Option<i64>,
    /// The same in days of the market's usual movement; `null`: there is none, or that is not known.
    pub sigma_days: Option<f64>,
    /// Name of the base token.
    pub base: String,
    /// Name of the quote token.
    pub quote: String,
}

impl Deref for PositionView {
    type Target = ballast_view::PositionView;

    fn deref(&self) -> &Self::Target {
        &self.view
    }
}

impl PositionView {
    /// The position with interest to the snapshot's time.
    ///
    /// # Errors
    /// Prices or amounts that are out of range.
    pub fn new(market: &MarketSnapshot, context: &PositionContext) -> Result<Self> {
        Self::moving(market, context, None)
    }

    /// As [`PositionView::new`], in a market that usually moves so much a day.
    ///
    /// # Errors
    /// As [`PositionView::new`].
    pub fn moving(
        market: &MarketSnapshot,
        context: &PositionContext,
        sigma_day: Option<f64>,
    ) -> Result<Self> {
        let figures = Figures::new(market, context.address, &context.position)
            .with_context(|| format!("position {} cannot be valued", context.address))?;
        let names = TokenNames::of(&market.market);
        Ok(Self {
            view: ballast_view::PositionView::of(&figures)?,
            pnl_total: figures.quote(figures.pnl()?),
            // The same end is nearer, whatever a day's movement.
            distance_bps: figures.nearest(1.0).map(|nearest| nearest.distance_bps),
            sigma_days: sigma_day
                .and_then(|sigma_day| figures.nearest(sigma_day))
                .map(|nearest| nearest.sigma_days),
            base: names.get(Side::Base).to_owned(),
            quote: names.get(Side::Quote).to_owned(),
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
        let Self { base, quote, .. } = self;
        writeln!(f, "position {} (id {})", self.position, self.id)?;
        writeln!(f, "  owner        {}", self.owner)?;
        writeln!(f, "  market       {}", self.market)?;
        writeln!(
            f,
            "  price        {} {quote} per {base} (oracle), pool {} ({})",
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
            "  in the pool  {} {base} + {} {quote} (liquidity {})",
            self.pool_base, self.pool_quote, self.liquidity
        )?;
        writeln!(
            f,
            "  idle         {} {base} + {} {quote}",
            self.idle_base, self.idle_quote
        )?;
        writeln!(
            f,
            "  debt         {} {base} + {} {quote}",
            self.debt_base, self.debt_quote
        )?;
        writeln!(
            f,
            "  value        assets {} - debt {} = equity {} {quote}",
            self.assets, self.debt, self.equity
        )?;
        writeln!(
            f,
            "  result       {} {quote} since opening {} ago at price {} with equity {} {quote}",
            self.pnl_total,
            duration(self.open_secs),
            optional(self.entry_price, 8),
            self.entry_equity
        )?;
        writeln!(
            f,
            "  delta        {} {base} (hedge error {} {base})",
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
            "  history      {}, {}, {}; keepers {}",
            counted(self.rehedges.into(), "rehedge"),
            counted(self.deleverages.into(), "deleveraging"),
            counted(self.liquidations.into(), "liquidation"),
            if self.keepers_allowed {
                "allowed"
            } else {
                "switched off"
            }
        )
    }
}

/// How many, with the word in its number.
fn counted(count: u64, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        _ => format!("{count} {one}s"),
    }
}
