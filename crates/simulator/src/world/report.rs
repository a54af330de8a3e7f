//! What has become of everybody.

use std::collections::BTreeMap;

use ballast_clmm::{Amounts, Side, SqrtPrice};
use ballast_model::{lending::uncovered_up, value_down};
use serde::Serialize;

use super::{Trades, Whole, World, WorldError, index};
use crate::Units;

/// A position at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// Quote tokens at the price outside, uncollected fees included.
    pub equity: Whole,
    /// Debt over assets.
    pub ltv_bps: u32,
    /// Base tokens owed.
    pub debt_base: Whole,
    /// Quote tokens owed.
    pub debt_quote: Whole,
    /// Base tokens too many.
    pub delta: Whole,
    /// Liquidity in the pool, as a decimal number.
    #[serde(serialize_with = "as_text")]
    pub liquidity: u128,
}

fn as_text<S: serde::Serializer>(number: &u128, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// At which price somebody has traded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Unwinding {
    /// Whole base tokens sold.
    pub base_sold: f64,
    /// At this mean price; `None` where nothing was sold.
    pub sold_at: Option<f64>,
    /// Whole base tokens bought.
    pub base_bought: f64,
    /// At this mean price.
    pub bought_at: Option<f64>,
}

/// A position before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PositionReport {
    /// What it is called.
    pub name: String,
    /// Whether a keeper looked after it.
    pub kept: bool,
    /// At the start.
    pub before: Standing,
    /// At the end.
    pub after: Standing,
    /// Lowest equity at the oracle's price, whole quote tokens.
    pub lowest_equity: f64,
    /// Highest LTV at the oracle's price.
    pub highest_ltv_bps: u32,
    /// Actions that landed, by kind.
    pub actions: BTreeMap<&'static str, u32>,
    /// Actions that were refused when they landed, by reason.
    pub refused: BTreeMap<&'static str, u32>,
    /// Transactions that did not land.
    pub missed: u32,
    /// Value of the debts that liquidators have repaid, whole quote tokens.
    pub liquidated: f64,
    /// Debts written off, whole base tokens.
    pub bad_debt_base: f64,
    /// Debts written off, whole quote tokens.
    pub bad_debt_quote: f64,
    /// Debts that nothing covers and that are not written off yet, whole quote tokens at the price outside.
    pub uncovered: f64,
    /// What it has traded in the pool.
    pub unwinding: Unwinding,
}

/// A lender before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LenderReport {
    /// What he is called.
    pub name: String,
    /// Which token.
    pub token: &'static str,
    /// What his shares were worth, whole tokens.
    pub before: f64,
    /// What his shares are worth.
    pub after: f64,
    /// What he has taken out on the way.
    pub withdrawn: f64,
    /// What of `after` he could take out now.
    pub at_hand: f64,
}

/// A reserve before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReserveReport {
    /// Which token.
    pub token: &'static str,
    /// Part that was lent out.
    pub utilisation_before_bps: u32,
    /// The largest part.
    pub utilisation_highest_bps: u32,
    /// The part now.
    pub utilisation_after_bps: u32,
    /// Yearly rate now.
    pub borrow_rate_bps: u32,
    /// Bad debt that lenders bear, whole tokens.
    pub lost_by_lenders: f64,
    /// Paid out of the insurance, whole tokens.
    pub lost_by_insurance: f64,
}

/// What the book held at a perp venue.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PerpReport {
    /// Whole base held now; negative: short.
    pub size: f64,
    /// Put up, whole quote tokens.
    pub margin: f64,
    /// Gained by the venue's price.
    pub price: f64,
    /// What of that it was whose way is not that of the price outside.
    pub basis: f64,
    /// Received as funding; negative: paid.
    pub funding: f64,
    /// Paid as fees.
    pub fees: f64,
    /// Whole base that was closed because others could not pay.
    pub auto_deleveraged: f64,
    /// Whether the venue has closed it.
    pub liquidated: bool,
}

/// A whole book before and after.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StressReport {
    /// Price outside at the start.
    pub price_before: f64,
    /// Price outside at the end.
    pub price_after: f64,
    /// The pool's price at the end.
    pub pool_price_after: f64,
    /// The oracle's price at the end.
    pub oracle_price_after: f64,
    /// The market's risk stage at the end.
    pub stage_after: u8,
    /// Every position.
    pub positions: Vec<PositionReport>,
    /// Every lender.
    pub lenders: Vec<LenderReport>,
    /// Both reserves.
    pub reserves: Vec<ReserveReport>,
    /// The venue.
    pub perp: Option<PerpReport>,
    /// Value of all debts that liquidators have repaid, whole quote tokens.
    pub liquidated: f64,
    /// Value of all that was written off, whole quote tokens at the price outside.
    pub bad_debt: f64,
    /// Value of what would have to be.
    pub uncovered: f64,
    /// At which price liquidators have sold what they got, and bought back what they brought.
    pub liquidators: Unwinding,
}

/// What is compared with later.
pub(super) struct Before {
    price: f64,
    positions: Vec<Standing>,
    lenders: Vec<f64>,
    utilisation_bps: [u32; 2],
}

const fn token(side: Side) -> &'static str {
    match side {
        Side::Base => "base",
        Side::Quote => "quote",
    }
}

impl World {
    fn whole(&self, side: Side, raw: f64) -> f64 {
        raw / match side {
            Side::Base => self.units.base_scale(),
            Side::Quote => self.units.quote_scale(),
        }
    }

    fn standing(&self, number: usize, at: SqrtPrice) -> Result<Standing, WorldError> {
        let held = &self.positions[number];
        let model = self.market.position(&held.stored, self.market.now_secs)?;
        let owned = model.with_idle(self.pool.fees_of(held.seat))?;
        let value = owned.value(at)?;
        let Units {
            base_decimals,
            quote_decimals,
        } = self.units;
        Ok(Standing {
            equity: Whole::new(value.equity(), quote_decimals),
            ltv_bps: value.ltv_bps_up(),
            debt_base: Whole::new(model.debt.base.into(), base_decimals),
            debt_quote: Whole::new(model.debt.quote.into(), quote_decimals),
            delta: Whole::new(owned.delta(at)?, base_decimals),
            liquidity: model.liquidity,
        })
    }

    fn claim(&self, number: usize) -> Result<f64, WorldError> {
        let (lender, _) = &self.lenders[number];
        let state = self.market.reserve_at(lender.side, self.market.now_secs)?;
        let raw = state.to_assets_down(lender.shares)?;
        Ok(self.whole(lender.side, raw as f64))
    }

    pub(super) fn standings(&self) -> Result<Before, WorldError> {
        let at = self.fair();
        let utilisation = |side| -> Result<u32, WorldError> {
            let state = self.market.reserve(side).state();
            Ok(state.utilisation_bps_up()?.get())
        };
        Ok(Before {
            price: self.outside.log_price().exp(),
            positions: (0..self.positions.len())
                .map(|number| self.standing(number, at))
                .collect::<Result<_, _>>()?,
            lenders: (0..self.lenders.len())
                .map(|number| self.claim(number))
                .collect::<Result<_, _>>()?,
            utilisation_bps: [utilisation(Side::Base)?, utilisation(Side::Quote)?],
        })
    }

    fn unwinding(&self, trades: &Trades) -> Unwinding {
        let base = |raw: u128| self.whole(Side::Base, raw as f64);
        let price = |quote: u128, sold: u128| {
            (sold > 0).then(|| self.whole(Side::Quote, quote as f64) / base(sold))
        };
        Unwinding {
            base_sold: base(trades.base_sold),
            sold_at: price(trades.quote_received, trades.base_sold),
            base_bought: base(trades.base_bought),
            bought_at: price(trades.quote_paid, trades.base_bought),
        }
    }

    fn worth(&self, amounts: Amounts, at: SqrtPrice) -> Result<f64, WorldError> {
        let base = value_down(amounts.base, at)?;
        Ok((base as f64 + amounts.quote as f64) / self.units.quote_scale())
    }

    /// # Errors
    /// [`WorldError`].
    pub(super) fn report(&self, before: &Before) -> Result<StressReport, WorldError> {
        let at = self.fair();
        let mut positions = Vec::with_capacity(self.positions.len());
        let (mut bad_debt, mut uncovered, mut liquidated) = (0.0, 0.0, 0.0);
        for (number, held) in self.positions.iter().enumerate() {
            let track = &self.tracks[number];
            let model = self.market.position(&held.stored, self.market.now_secs)?;
            let owned = model.with_idle(self.pool.fees_of(held.seat))?;
            let bare = self.worth(uncovered_up(model.debt, &owned.value(at)?), at)?;
            let after = self.standing(number, at)?;
            let lowest = if track.lowest_equity == i128::MAX {
                after.equity.f64()
            } else {
                self.units.quote(track.lowest_equity)
            };
            let report = PositionReport {
                name: held.name.clone(),
                kept: held.kept && self.keepers,
                before: before.positions[number],
                after,
                lowest_equity: lowest,
                highest_ltv_bps: track.highest_ltv_bps,
                actions: track.acts.clone(),
                refused: track.refusals.clone(),
                missed: track.missed,
                liquidated: track.liquidated as f64 / self.units.quote_scale(),
                bad_debt_base: self.whole(Side::Base, track.bad_debt.base as f64),
                bad_debt_quote: self.whole(Side::Quote, track.bad_debt.quote as f64),
                uncovered: bare,
                unwinding: self.unwinding(&track.trades),
            };
            bad_debt += self.worth(track.bad_debt, at)?;
            uncovered += report.uncovered;
            liquidated += report.liquidated;
            positions.push(report);
        }
        let mut lenders = Vec::with_capacity(self.lenders.len());
        for (number, (lender, withdrawn)) in self.lenders.iter().enumerate() {
            let after = self.claim(number)?;
            let liquidity = self.market.reserve(lender.side).liquidity;
            lenders.push(LenderReport {
                name: lender.name.clone(),
                token: token(lender.side),
                before: before.lenders[number],
                after,
                withdrawn: self.whole(lender.side, *withdrawn as f64),
                at_hand: after.min(self.whole(lender.side, liquidity as f64)),
            });
        }
        let mut reserves = Vec::with_capacity(2);
        for side in [Side::Base, Side::Quote] {
            let state = self.market.reserve_at(side, self.market.now_secs)?;
            let losses = self.losses[index(side)];
            let curve = self.market.reserve(side).curve();
            reserves.push(ReserveReport {
                token: token(side),
                utilisation_before_bps: before.utilisation_bps[index(side)],
                utilisation_highest_bps: losses
                    .highest_utilisation_bps
                    .max(before.utilisation_bps[index(side)]),
                utilisation_after_bps: state.utilisation_bps_up()?.get(),
                borrow_rate_bps: state.borrow_rate_bps_up(&curve)?.get(),
                lost_by_lenders: self.whole(side, losses.from_lenders as f64),
                lost_by_insurance: self.whole(side, losses.from_insurance as f64),
            });
        }
        let perp = self.perp.as_ref().map(|perp| PerpReport {
            size: perp.account.size,
            margin: self.units.quote(perp.account.margin),
            price: self.units.quote(perp.flows.price),
            basis: self.units.quote(perp.flows.basis),
            funding: self.units.quote(perp.flows.funding),
            fees: self.units.quote(perp.flows.fees),
            auto_deleveraged: perp.flows.auto_deleveraged,
            liquidated: perp.flows.liquidated,
        });
        Ok(StressReport {
            price_before: before.price,
            price_after: self.outside.log_price().exp(),
            pool_price_after: self.units.log_price(self.pool.sqrt_price()).exp(),
            oracle_price_after: self.units.log_price(self.oracle_price()?).exp(),
            stage_after: self.market.market.stage.stage,
            positions,
            lenders,
            reserves,
            perp,
            liquidated,
            bad_debt,
            uncovered,
            liquidators: self.unwinding(&self.liquidators_trades),
        })
    }
}
