//! What `ballast quote` prints.

use std::fmt;

use ballast_model::screen::{Double, Real, RiskReport};
use serde::{Serialize, Serializer};

use super::{
    Request,
    on_chain::{OnChain, OnChainError},
    sizing::Sizing,
};
use crate::{
    format::{change, optional, percent, significant},
    range,
    table::Table,
};

/// Digits of prices and amounts in tables.
const DIGITS: usize = 10;

/// A quote in whole tokens. Named as in `ballast risk`, whose input the JSON form is: P, pa, pb, L, lx, ly, dx, dy, t; x
/// and y are the amounts in the pool; `lower` and `upper` the liquidation prices.
#[allow(
    non_snake_case,
    reason = "the names of the formulas and of `ballast risk`"
)]
#[derive(Debug, Serialize)]
pub struct QuoteReport {
    pub P: f64,
    pub pa: f64,
    pub pb: f64,
    pub L: f64,
    pub x: f64,
    pub y: f64,
    pub lx: f64,
    pub ly: f64,
    pub dx: f64,
    pub dy: f64,
    pub t: f64,
    pub own_funds: f64,
    pub hedge: f64,
    #[serde(flatten)]
    pub risk: RiskReport,
    /// Whether LTV is at or above maintenance already.
    pub liquidated_at_once: bool,
    /// Whether the pool trades in the range, so that the position earns fees.
    pub in_range: bool,
    pub warnings: Vec<String>,
    /// Why this should not be opened, if so; the first of the warnings.
    #[serde(skip)]
    pub refusal: Option<String>,
    pub curve: Vec<CurvePoint>,
    #[serde(serialize_with = "plan_or_error")]
    pub on_chain: Result<OnChain, OnChainError>,
    /// Of base and quote.
    #[serde(skip)]
    decimals: (u8, u8),
}

fn plan_or_error<S: Serializer>(
    plan: &Result<OnChain, OnChainError>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Refused {
        error: String,
    }
    match plan {
        Ok(plan) => plan.serialize(serializer),
        Err(error) => Refused {
            error: error.to_string(),
        }
        .serialize(serializer),
    }
}

/// A point of the PnL curve: the position untouched, without fees and interest.
#[allow(non_snake_case, reason = "the name of the formulas")]
#[derive(Debug, Serialize)]
pub struct CurvePoint {
    pub label: &'static str,
    pub P: f64,
    pub equity: f64,
    pub pnl: f64,
    pub delta: f64,
    pub gamma: f64,
    pub leverage: Option<f64>,
    pub ltv: Option<f64>,
}

impl CurvePoint {
    /// The position at a price.
    pub fn new(label: &'static str, price: f64, sizing: &Sizing) -> Self {
        let risk = sizing.risk(Double::new(price));
        let opened = sizing.position();
        Self {
            label,
            P: price,
            equity: risk.equity,
            pnl: risk.equity - sizing.risk(opened.price).equity,
            delta: risk.delta,
            gamma: risk.gamma,
            leverage: risk.leverage,
            ltv: risk.ltv,
        }
    }
}

impl QuoteReport {
    pub fn new(
        request: &Request,
        sizing: &Sizing,
        risk: RiskReport,
        curve: Vec<CurvePoint>,
        decimals: (u8, u8),
        on_chain: Result<OnChain, OnChainError>,
    ) -> Self {
        let position = sizing.position();
        let beyond = range::outside(request.price, request.lower, request.upper);
        let threshold = position.threshold.to_f64();
        // In whole basis points on chain, rounded against the owner: either of both is reason enough.
        let liquidated_at_once = risk.ltv.is_some_and(|ltv| ltv >= threshold)
            || on_chain.as_ref().is_ok_and(|plan| plan.liquidatable);
        let refusal = liquidated_at_once.then(|| {
            format!(
                "LTV {} is at or above maintenance {}: the position would be liquidated at once, use less leverage",
                percent(risk.ltv.unwrap_or(0.0)),
                percent(threshold)
            )
        });
        Self {
            liquidated_at_once,
            in_range: beyond.is_none(),
            warnings: refusal.iter().cloned().chain(beyond).collect(),
            refusal,
            P: position.price.to_f64(),
            pa: position.lower.to_f64(),
            pb: position.upper.to_f64(),
            L: position.liquidity.to_f64(),
            x: sizing.base.to_f64(),
            y: sizing.quote.to_f64(),
            lx: 0.0,
            ly: 0.0,
            dx: position.debt_base.to_f64(),
            dy: position.debt_quote.to_f64(),
            t: position.threshold.to_f64(),
            own_funds: request.equity.to_f64(),
            hedge: request.hedge.to_f64(),
            risk,
            curve,
            on_chain,
            decimals,
        }
    }
}

impl fmt::Display for QuoteReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = |value: f64| significant(value, DIGITS);
        let base = |value: f64, digits| significant(whole_units(value, self.decimals.0), digits);
        let quote = |value: f64, digits| significant(whole_units(value, self.decimals.1), digits);
        let distance = |price: Option<f64>| match price {
            Some(price) => format!("{} ({})", n(price), change(price / self.P - 1.0)),
            None => "none".into(),
        };
        writeln!(
            f,
            "Position at {} quote per base, amounts in whole tokens",
            n(self.P)
        )?;
        if let Err(why) = &self.on_chain {
            writeln!(
                f,
                "No on-chain plan, the program could not open this: {why}"
            )?;
        }
        for warning in &self.warnings {
            writeln!(f, "WARNING: {warning}")?;
        }
        writeln!(f)?;
        writeln!(f, "  own funds    {} quote", n(self.own_funds))?;
        writeln!(
            f,
            "  range        {} to {} ({} to {})",
            n(self.pa),
            n(self.pb),
            change(self.pa / self.P - 1.0),
            change(self.pb / self.P - 1.0)
        )?;
        writeln!(
            f,
            "  leverage     {}, LTV {}",
            optional(self.risk.leverage, 6),
            percent(self.risk.ltv.unwrap_or(0.0))
        )?;
        writeln!(f, "  liquidity    {}", n(self.L))?;
        writeln!(
            f,
            "  delta        {} base; {} per 1% of price",
            base(self.risk.delta, DIGITS),
            base(self.risk.gamma * self.P / 100.0, DIGITS)
        )?;
        let at = percent(self.t);
        if self.liquidated_at_once {
            writeln!(f, "  liquidation  at once: LTV is at or above {at} already")?;
        } else {
            writeln!(
                f,
                "  liquidation  at LTV {at}: below {}, above {}",
                distance(self.risk.lower),
                distance(self.risk.upper)
            )?;
        }
        writeln!(f)?;
        let mut amounts = Table::new(["<", "base", "quote", "value in quote"]);
        for (name, of_base, of_quote) in [
            ("in the pool", self.x, self.y),
            ("borrowed", self.dx, self.dy),
        ] {
            amounts.row([
                name.into(),
                base(of_base, DIGITS),
                quote(of_quote, DIGITS),
                quote(of_base * self.P + of_quote, DIGITS),
            ]);
        }
        amounts.fmt(f)?;
        writeln!(f)?;
        writeln!(f, "If nothing is done (no fees, no interest, no hedging):")?;
        let mut curve = Table::new([
            "price", "equity", "PnL", "PnL %", "delta", "leverage", "LTV", "<",
        ]);
        for point in &self.curve {
            curve.row([
                significant(point.P, 8),
                quote(point.equity, 8),
                quote(point.pnl, 6),
                change(point.pnl / self.own_funds),
                base(point.delta, 6),
                point
                    .leverage
                    .map_or("-".into(), |leverage| significant(leverage, 4)),
                point.ltv.map_or("-".into(), percent),
                point.label.into(),
            ]);
        }
        curve.fmt(f)?;
        let Ok(plan) = &self.on_chain else {
            return Ok(());
        };
        writeln!(f)?;
        writeln!(
            f,
            "On chain (raw units): liquidity {}, deposit {} + {}, borrow {} + {}",
            plan.liquidity, plan.deposit_base, plan.deposit_quote, plan.debt_base, plan.debt_quote
        )
    }
}

/// Nothing instead of what is less than the token's smallest unit.
fn whole_units(value: f64, decimals: u8) -> f64 {
    if value.abs() < 10f64.powi(-i32::from(decimals)) {
        0.0
    } else {
        value
    }
}
