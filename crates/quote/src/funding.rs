//! The hedge on a perpetual instead of by borrowing.

use serde::Serialize;

use crate::{Conditions, Sizing};

const HOURS_PER_DAY: f64 = 24.0;
const DAYS_PER_YEAR: f64 = 365.0;

/// What the hedge costs a day, quote, at the price now.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HedgeCost {
    /// Base that is hedged: the base debt.
    pub base: f64,
    /// Its value.
    pub notional: f64,
    /// By borrowing it: interest.
    pub borrowed_day: f64,
    /// By a short of the same size on a perpetual: funding paid, negative where shorts receive it. `None`: the rate is not known.
    pub perpetual_day: Option<f64>,
    /// The funding an hour at which both cost the same.
    pub even_funding_hour: f64,
}

impl HedgeCost {
    pub(crate) fn new(sizing: &Sizing, conditions: &Conditions) -> Self {
        use ballast_model::screen::Real;
        let position = sizing.position();
        let base = position.debt_base.to_f64();
        let notional = base * position.price.to_f64();
        let rate_day = (conditions.base_apr / DAYS_PER_YEAR).exp_m1();
        Self {
            base,
            notional,
            borrowed_day: notional * rate_day,
            perpetual_day: conditions
                .funding_hour
                .map(|rate| -rate * HOURS_PER_DAY * notional),
            even_funding_hour: -rate_day / HOURS_PER_DAY,
        }
    }
}
