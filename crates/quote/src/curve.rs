//! The position along the price.

use serde::Serialize;

use crate::{Sizing, Trigger};

/// A point of the curve: the position untouched, without fees and interest.
#[allow(non_snake_case, reason = "the name of the formulas")]
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// What lies at this price; may be empty.
    pub label: String,
    /// The price.
    pub P: f64,
    /// Equity, quote.
    pub equity: f64,
    /// Equity less the equity at opening.
    pub pnl: f64,
    /// dE/dP, base.
    pub delta: f64,
    /// d2E/dP2, base per unit of price.
    pub gamma: f64,
    /// Assets over equity.
    pub leverage: Option<f64>,
    /// Debt over assets.
    pub ltv: Option<f64>,
}

impl CurvePoint {
    /// The position at a price.
    pub fn new(label: impl Into<String>, price: f64, sizing: &Sizing) -> Self {
        let risk = sizing.risk(price);
        Self {
            label: label.into(),
            P: price,
            equity: risk.equity,
            pnl: risk.equity - sizing.at_open().equity,
            delta: risk.delta,
            gamma: risk.gamma,
            leverage: risk.leverage,
            ltv: risk.ltv,
        }
    }
}

/// Prices from which to which everything lies that matters: range, price now and liquidation prices.
pub(crate) fn span(sizing: &Sizing) -> (f64, f64) {
    use ballast_model::screen::Real;
    let position = sizing.position();
    let (price, lower, upper) = (
        position.price.to_f64(),
        position.lower.to_f64(),
        position.upper.to_f64(),
    );
    let open = sizing.at_open();
    (
        lower.min(price).min(open.lower.unwrap_or(lower / 1.5)),
        upper.max(price).max(open.upper.unwrap_or(upper * 1.5)),
    )
}

/// Every price that matters and `points` between, evenly by ratio, in order.
pub(crate) fn curve(
    sizing: &Sizing,
    triggers: &[Trigger],
    at: &[f64],
    points: u16,
) -> Vec<CurvePoint> {
    use ballast_model::screen::Real;
    let position = sizing.position();
    let mut curve = Vec::new();
    let mut mark = |label: String, price: f64| curve.push(CurvePoint::new(label, price, sizing));
    mark("price now".into(), position.price.to_f64());
    mark("range lower".into(), position.lower.to_f64());
    mark("range upper".into(), position.upper.to_f64());
    for trigger in triggers {
        let side = match trigger.side {
            crate::Side::Lower => "lower",
            crate::Side::Upper => "upper",
        };
        mark(
            format!("{} {side}", trigger.kind.name(trigger.side)),
            trigger.price,
        );
    }
    for price in at {
        mark("asked for".into(), *price);
    }
    let (from, to) = span(sizing);
    let step = (to / from).ln() / f64::from(points.max(2) - 1);
    for index in 0..points {
        mark(String::new(), from * (step * f64::from(index)).exp());
    }
    curve.sort_by(|a, b| a.P.total_cmp(&b.P));
    curve.dedup_by(|next, kept| {
        next.P == kept.P && (next.label.is_empty() || next.label == kept.label)
    });
    curve
}
