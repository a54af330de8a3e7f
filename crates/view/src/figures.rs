//! The numbers of one position, from which its views are made.

use ballast::state::Position as Stored;
use ballast_model::{
    Boundaries, Bps, Position, SqrtPrice, Valuation,
    screen::{RiskInput, risk},
    value_down,
};
use ballast_snapshot::{MarketSnapshot, Pubkey};
use ballast_strategy::{prices::PriceFault, situation::SituationError};

use crate::{
    detail::maintenance,
    position::{Nearest, PositionView, SideOfPrice},
    price::Scale,
    text::{amount, signed_amount},
};

/// What a day's usual move is taken for where it is not known, as a part of the price.
pub const ASSUMED_SIGMA_DAY: f64 = 0.04;
/// A boundary closer to zero (or to infinity) than this part of the band is none that anybody could reach: dust of a debt.
const DUST: f64 = 1e-6;

/// A stored position with its values at the oracle's price, interest to the snapshot's time.
#[derive(Clone, Copy, Debug)]
pub struct Figures<'a> {
    /// The market.
    pub market: &'a MarketSnapshot,
    /// The position's address.
    pub address: Pubkey,
    /// As stored.
    pub stored: &'a Stored,
    /// As a value, debts with interest.
    pub model: Position,
    /// The oracle's price.
    pub oracle: SqrtPrice,
    /// Value there.
    pub value: Valuation,
    /// Delta there.
    pub delta: i128,
    /// Prices at which LTV reaches maintenance.
    pub liquidation: (Option<SqrtPrice>, Option<SqrtPrice>),
}

/// Both ends of an interval; a position without any healthy price has none.
pub fn ends(boundaries: Boundaries) -> (Option<SqrtPrice>, Option<SqrtPrice>) {
    match boundaries {
        Boundaries::Empty => (None, None),
        Boundaries::Interval { lower, upper } => (lower, upper),
    }
}

impl<'a> Figures<'a> {
    /// Values a position.
    ///
    /// # Errors
    /// Prices or amounts that are out of range.
    pub fn new(
        market: &'a MarketSnapshot,
        address: Pubkey,
        stored: &'a Stored,
    ) -> Result<Self, SituationError> {
        let oracle = market.oracle_sqrt_price().map_err(PriceFault::from)?;
        let model = market.position(stored, market.now_secs)?;
        let maintenance = Bps::new(market.market.limits.maintenance_ltv_bps);
        Ok(Self {
            market,
            address,
            stored,
            model,
            oracle,
            value: model.value(oracle)?,
            delta: model.delta(oracle)?,
            liquidation: ends(model.boundaries(maintenance)?),
        })
    }

    /// Of the market's tokens.
    pub fn scale(&self) -> Scale {
        scale(self.market)
    }

    /// The oracle's price.
    pub fn price(&self) -> f64 {
        self.scale().price(self.oracle)
    }

    /// The maintenance boundaries that somebody could reach.
    pub fn liquidation_prices(&self) -> (Option<f64>, Option<f64>) {
        self.reachable(&self.model, self.liquidation)
    }

    /// The same of another position in this market.
    ///
    /// # Errors
    /// Amounts that are out of range.
    pub fn liquidation_prices_of(
        &self,
        other: &Position,
    ) -> Result<(Option<f64>, Option<f64>), SituationError> {
        let boundaries = other.boundaries(maintenance(self.market))?;
        Ok(self.reachable(other, ends(boundaries)))
    }

    fn reachable(
        &self,
        of: &Position,
        (lower, upper): (Option<SqrtPrice>, Option<SqrtPrice>),
    ) -> (Option<f64>, Option<f64>) {
        let scale = self.scale();
        let band = [of.band.sqrt_lower(), of.band.sqrt_upper()].map(|end| scale.price(end));
        (
            lower
                .map(|end| scale.price(end))
                .filter(|end| *end >= DUST * band[0]),
            upper
                .map(|end| scale.price(end))
                .filter(|end| *end <= band[1] / DUST),
        )
    }

    /// The nearer of the two, with the market's usual move of a day.
    pub fn nearest(&self, sigma_day: f64) -> Option<Nearest> {
        let (lower, upper) = self.liquidation_prices();
        if self.value.ltv_at_least(maintenance(self.market)) {
            return Some(reached(self.price(), upper));
        }
        nearest(self.price(), lower, upper, sigma_day)
    }

    /// Profit and loss since opening: equity and what was paid out since, less the equity at opening. Fees that the pool still
    /// holds are not counted.
    ///
    /// # Errors
    /// Amounts that are out of range.
    pub fn pnl(&self) -> Result<i128, SituationError> {
        let entry = &self.stored.entry;
        let withdrawn = value_down(entry.withdrawn_base, self.oracle)?
            .saturating_add(u128::from(entry.withdrawn_quote));
        Ok(self
            .value
            .equity()
            .saturating_add(i128::try_from(withdrawn).unwrap_or(i128::MAX))
            .saturating_sub(i128::from(entry.equity)))
    }

    /// Raw base per unit of raw price: how delta changes with the price.
    pub fn gamma_raw(&self) -> f64 {
        let input = RiskInput::<f64>::new(&self.model, self.oracle, Bps::ONE);
        risk(&input).gamma
    }

    /// An amount of base.
    pub fn base(&self, raw: i128) -> String {
        signed_amount(raw, self.market.market.base_decimals)
    }

    /// An amount of quote.
    pub fn quote(&self, raw: i128) -> String {
        signed_amount(raw, self.market.market.quote_decimals)
    }
}

/// Of a market's tokens.
pub fn scale(market: &MarketSnapshot) -> Scale {
    Scale {
        base_decimals: market.market.base_decimals,
        quote_decimals: market.market.quote_decimals,
    }
}

/// Of a position that may be liquidated now: nothing is nearer, however far beyond the boundary the price is, and whether or not
/// there is a price at which it would be healthy.
pub(crate) fn reached(price: f64, upper: Option<f64>) -> Nearest {
    Nearest {
        side: if upper.is_some_and(|upper| price >= upper) {
            SideOfPrice::Upper
        } else {
            SideOfPrice::Lower
        },
        distance_bps: 0,
        sigma_days: 0.0,
    }
}

/// Of a healthy position's two boundaries the one at the smaller |P*/P - 1|.
pub fn nearest(
    price: f64,
    lower: Option<f64>,
    upper: Option<f64>,
    sigma_day: f64,
) -> Option<Nearest> {
    let sides = [(SideOfPrice::Lower, lower), (SideOfPrice::Upper, upper)];
    let distances = sides
        .into_iter()
        .filter_map(|(side, end)| Some((side, end? / price - 1.0)));
    let (side, distance) = distances.min_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    Some(Nearest {
        side,
        // `as` saturates.
        distance_bps: (distance * 1e4).round() as i64,
        sigma_days: (distance.abs() / sigma_day * 100.0).round() / 100.0,
    })
}

impl PositionView {
    /// The position with interest to the snapshot's time.
    ///
    /// # Errors
    /// Prices or amounts that are out of range.
    pub fn new(
        market: &MarketSnapshot,
        address: Pubkey,
        stored: &Stored,
    ) -> Result<Self, SituationError> {
        Self::of(&Figures::new(market, address, stored)?)
    }

    /// As [`PositionView::new`].
    ///
    /// # Errors
    /// As [`PositionView::new`].
    pub fn of(figures: &Figures) -> Result<Self, SituationError> {
        let Figures {
            market,
            address,
            stored,
            model,
            oracle,
            value,
            delta,
            ..
        } = figures;
        let (base, quote) = (market.market.base_decimals, market.market.quote_decimals);
        let price = |root: SqrtPrice| figures.scale().price(root);
        let pool = model.pool_amounts_down(*oracle)?;
        let (liquidation_lower, liquidation_upper) = figures.liquidation_prices();
        let entry_root = SqrtPrice::new(stored.entry.sqrt_price_x64.get()).ok();
        let quote_value =
            |value: u128| signed_amount(i128::try_from(value).unwrap_or(i128::MAX), quote);
        Ok(Self {
            position: address.to_string(),
            id: stored.id,
            market: stored.market.to_string(),
            owner: stored.owner.to_string(),
            slot: market.slot,
            price: price(*oracle),
            pool_price: price(market.pool.sqrt_price),
            lower: price(model.band.sqrt_lower()),
            upper: price(model.band.sqrt_upper()),
            tick_lower: stored.tick_lower,
            tick_upper: stored.tick_upper,
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
            equity: figures.quote(value.equity()),
            delta: figures.base(*delta),
            hedge_error: figures.base(model.hedge_error(*oracle, stored.policy.hedge())?),
            leverage_bps: leverage(value),
            ltv_bps: value.ltv_bps_up(),
            maintenance_ltv_bps: market.market.limits.maintenance_ltv_bps,
            liquidation_lower,
            liquidation_upper,
            entry_price: entry_root.map(price),
            entry_equity: amount(stored.entry.equity, quote),
            open_secs: market.now_secs.saturating_sub(stored.entry.opened_at_secs),
            rehedges: stored.rehedges,
            deleverages: stored.deleverages,
            liquidations: stored.liquidations,
            keepers_allowed: stored.policy.keeper_enabled == 1,
        })
    }
}

/// Leverage, rounded up; `None`: no equity.
pub(crate) fn leverage(value: &Valuation) -> Option<u64> {
    Some(value.leverage_bps_up()).filter(|leverage| *leverage < u64::MAX)
}
