//! Prices at which something happens.

use ballast_model::{
    Boundaries, SqrtPrice,
    quiet::{Triggers, quiet_interval},
};
use serde::Serialize;

use crate::{Opened, Rules, Sizing};

/// What happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerKind {
    /// LTV reaches maintenance: anyone may liquidate.
    Liquidation,
    /// LTV reaches the trigger of policy or market.
    Deleverage,
    /// The hedge error leaves its band.
    Rehedge,
    /// The price leaves the range or comes to its edge.
    Recenter,
    /// The price reaches the edge of the owner's window.
    Window,
    /// Equity falls to the owner's floor.
    Floor,
}

impl TriggerKind {
    /// Its name.
    pub fn name(self, side: Side) -> &'static str {
        match (self, side) {
            (Self::Liquidation, _) => "liquidation",
            (Self::Deleverage, _) => "deleverage",
            (Self::Rehedge, _) => "rehedge",
            (Self::Recenter, _) => "recenter",
            (Self::Window, Side::Lower) => "stop-loss",
            (Self::Window, Side::Upper) => "take-profit",
            (Self::Floor, _) => "equity floor",
        }
    }
}

/// On which side of the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Below.
    Lower,
    /// Above.
    Upper,
}

/// A price at which something happens, and the position there if nothing was done before. All of them are closed forms: each
/// trigger alone allows an open interval of prices.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Trigger {
    /// What.
    pub kind: TriggerKind,
    /// Below or above.
    pub side: Side,
    /// The price.
    pub price: f64,
    /// Its distance from the price now, as a part of that.
    pub change: f64,
    /// Equity there, quote.
    pub equity: f64,
    /// Delta there, base.
    pub delta: f64,
    /// Leverage there.
    pub leverage: Option<f64>,
    /// LTV there.
    pub ltv: Option<f64>,
}

impl Trigger {
    fn new(kind: TriggerKind, side: Side, price: f64, sizing: &Sizing, now: f64) -> Self {
        let risk = sizing.risk(price);
        Self {
            kind,
            side,
            price,
            change: price / now - 1.0,
            equity: risk.equity,
            delta: risk.delta,
            leverage: risk.leverage,
            ltv: risk.ltv,
        }
    }
}

/// Each trigger alone.
fn alone(rules: &Rules) -> impl Iterator<Item = (TriggerKind, Triggers)> {
    let none = Triggers::default();
    let window = rules.low.is_some() || rules.high.is_some();
    [
        Some((
            TriggerKind::Deleverage,
            Triggers {
                ltv: Some(rules.deleverage),
                ..none
            },
        )),
        Some((
            TriggerKind::Rehedge,
            Triggers {
                hedge: Some(rules.hedge),
                ..none
            },
        )),
        rules.edge.map(|edge| {
            (
                TriggerKind::Recenter,
                Triggers {
                    edge: Some(edge),
                    ..none
                },
            )
        }),
        window.then_some((
            TriggerKind::Window,
            Triggers {
                stop_loss: rules.low,
                take_profit: rules.high,
                ..none
            },
        )),
        rules.floor.map(|floor| {
            (
                TriggerKind::Floor,
                Triggers {
                    equity_floor: Some(floor.into()),
                    ..none
                },
            )
        }),
    ]
    .into_iter()
    .flatten()
}

/// Every trigger in order of its price, and what would be due at once.
pub(crate) fn triggers(
    sizing: &Sizing,
    opened: Option<&Opened>,
    rules: &Rules,
    now: f64,
) -> (Vec<Trigger>, Vec<TriggerKind>) {
    let open = sizing.at_open();
    let mut found = Vec::new();
    let mut due = Vec::new();
    let mut add = |kind, side, price: Option<f64>| {
        found.extend(price.map(|price| Trigger::new(kind, side, price, sizing, now)));
    };
    add(TriggerKind::Liquidation, Side::Lower, open.lower);
    add(TriggerKind::Liquidation, Side::Upper, open.upper);
    if let Some(opened) = opened {
        for (kind, triggers) in alone(rules) {
            let Ok(quiet) = quiet_interval(&opened.position, &triggers) else {
                continue;
            };
            if !quiet.contains(opened.at) {
                due.push(kind);
            }
            if let Boundaries::Interval { lower, upper } = quiet {
                let price = |end: Option<SqrtPrice>| end.map(|end| opened.price(end));
                add(kind, Side::Lower, price(lower));
                add(kind, Side::Upper, price(upper));
            }
        }
    }
    found.sort_by(|a, b| a.price.total_cmp(&b.price));
    (found, due)
}
