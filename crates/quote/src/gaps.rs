//! What is left after the price has jumped.

use ballast_model::{Bps, SqrtPrice, plan_liquidation, worth_down};
use serde::Serialize;

use crate::{Opened, Rules};

/// The position after an instant move of the price, before anybody could act. Quote.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gap {
    /// The move, as a part of the price.
    pub change: f64,
    /// The price after it.
    pub price: f64,
    /// LTV.
    pub ltv: Option<f64>,
    /// What happens then.
    #[serde(rename = "settlement")]
    pub end: GapEnd,
    /// What is the owner's afterwards: equity, less what liquidators get.
    pub owner: f64,
    /// What liquidators get beyond what they repay.
    pub bonus: f64,
    /// What was lent.
    pub lent: f64,
    /// What lenders lose of it, before the insurance.
    pub bad_debt: f64,
}

/// What happens after a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum GapEnd {
    /// LTV is below every trigger.
    Healthy,
    /// It is deleveraged.
    Deleverage,
    /// A part is liquidated, so that LTV is restored.
    PartlyLiquidated,
    /// All is liquidated, and the debts are covered.
    Liquidated,
    /// All is liquidated, and the debts are not covered.
    BadDebt,
}

impl Gap {
    pub(crate) fn new(opened: &Opened, rules: &Rules, now: f64, change: f64) -> Option<Self> {
        let price = now * (1.0 + change);
        if price <= 0.0 || !price.is_finite() {
            return None;
        }
        let at = opened.root(price);
        let value = opened.position.value(at).ok()?;
        let quote = |raw: i128| opened.quote(raw);
        let (_, ltv) = Opened::gearing(&opened.position, at).ok()?;
        let gap = |end, owner: f64, bonus: f64, bad_debt: f64| Self {
            change,
            price,
            ltv,
            end,
            owner,
            bonus,
            lent: quote(i128::try_from(value.debt).unwrap_or(i128::MAX)),
            bad_debt,
        };
        let equity = quote(value.equity());
        if !value.ltv_at_least(rules.maintenance) {
            let end = if value.ltv_at_least(rules.deleverage) {
                GapEnd::Deleverage
            } else {
                GapEnd::Healthy
            };
            return Some(gap(end, equity, 0.0, 0.0));
        }
        if value.equity() <= 0 {
            return Some(gap(GapEnd::BadDebt, 0.0, 0.0, -equity));
        }
        let (left, full) = liquidated(opened, rules, at)?;
        let end = if full {
            GapEnd::Liquidated
        } else {
            GapEnd::PartlyLiquidated
        };
        Some(gap(end, left, equity - left, 0.0))
    }
}

/// What a liquidation leaves to the owner of a position with equity, and whether it closes everything.
fn liquidated(opened: &Opened, rules: &Rules, at: SqrtPrice) -> Option<(f64, bool)> {
    let bonus: Bps = rules.liquidation_bonus;
    let plan = plan_liquidation(&opened.position, at, rules.liquidation_target, bonus).ok()?;
    let withdrawn = opened
        .position
        .band
        .amounts_down(plan.withdraw_liquidity, at)
        .ok()?;
    let pot = plan.seize_idle.checked_add(withdrawn).ok()?;
    let exchange = plan.exchange(opened.position.debt, pot, bonus, at).ok()?;
    let after = plan.apply(&opened.position).ok()?;
    // What was withdrawn and is not the liquidator's stays with the owner.
    let rest = worth_down(pot.saturating_sub(exchange.seize), at).ok()?;
    let left = after
        .equity_down(at)
        .ok()?
        .saturating_add(i128::try_from(rest).ok()?);
    Some((opened.quote(left), plan.full))
}
