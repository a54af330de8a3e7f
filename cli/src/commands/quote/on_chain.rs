//! The same position as the program would open it: its own fixed-point arithmetic, raw units.

use ballast_model::{Boundaries, Bps, OpenError, SqrtPrice};
use ballast_quote::Opened;
use serde::Serialize;
use thiserror::Error;

use super::setting::Request;
use crate::decimal::NumberError;

/// Raw integer amounts as decimal strings: they outgrow what JSON readers keep.
#[derive(Clone, Debug, Serialize)]
pub struct OnChain {
    pub tick_lower: Option<i32>,
    pub tick_upper: Option<i32>,
    pub sqrt_price_x64: String,
    pub leverage_bps: u32,
    pub hedge_bps: u32,
    pub maintenance_ltv_bps: u32,
    pub liquidity: String,
    pub own_quote: String,
    pub deposit_base: String,
    pub deposit_quote: String,
    pub debt_base: String,
    pub debt_quote: String,
    pub equity: String,
    pub delta: String,
    pub ltv_bps: u32,
    /// Whether anyone may liquidate it as soon as it is open.
    pub liquidatable: bool,
    pub liquidation_lower_sqrt_price_x64: Option<String>,
    pub liquidation_upper_sqrt_price_x64: Option<String>,
}

/// Why the program could not open it.
#[derive(Clone, Debug, Error)]
pub enum OnChainError {
    #[error(transparent)]
    Number(#[from] NumberError),
    #[error(transparent)]
    Plan(#[from] OpenError),
    #[error(transparent)]
    Model(#[from] ballast_model::ModelError),
    #[error("the range is too narrow for square-root prices: widen it")]
    Range,
}

/// The plan's numbers.
pub fn plan(
    request: &Request,
    opened: Option<&Result<Opened, OpenError>>,
) -> Result<OnChain, OnChainError> {
    if let Some(unfit) = &request.unfit {
        return Err(unfit.clone());
    }
    let opening = request.inputs.opening.ok_or(OnChainError::Range)?;
    let Opened {
        plan, position, at, ..
    } = (*opened.ok_or(OnChainError::Range)?)?;
    let maintenance: Bps = request.inputs.rules.maintenance;
    let value = position.value(at)?;
    let ends = match position.boundaries(maintenance)? {
        Boundaries::Empty => (None, None),
        Boundaries::Interval { lower, upper } => (lower, upper),
    };
    let root = |end: Option<SqrtPrice>| end.map(|end| end.x64().to_string());
    Ok(OnChain {
        tick_lower: request.ticks.map(|ticks| ticks.lower.get()),
        tick_upper: request.ticks.map(|ticks| ticks.upper.get()),
        sqrt_price_x64: at.x64().to_string(),
        leverage_bps: opening.leverage.get(),
        hedge_bps: opening.hedge.get(),
        maintenance_ltv_bps: maintenance.get(),
        liquidity: plan.liquidity.to_string(),
        own_quote: opening.own_quote.to_string(),
        deposit_base: plan.deposit.base.to_string(),
        deposit_quote: plan.deposit.quote.to_string(),
        debt_base: plan.borrow.base.to_string(),
        debt_quote: plan.borrow.quote.to_string(),
        equity: value.equity().to_string(),
        delta: position.delta(at)?.to_string(),
        ltv_bps: value.ltv_bps_up(),
        liquidatable: value.ltv_at_least(maintenance),
        liquidation_lower_sqrt_price_x64: root(ends.0),
        liquidation_upper_sqrt_price_x64: root(ends.1),
    })
}
