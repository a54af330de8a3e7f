//! What a step of the hedge is to do.

use rust_decimal::Decimal;

use super::{exposure::Exposure, permit::Permit};

/// What a step is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// What is to be hedged; `None`: it is not known, and nothing is traded.
    pub exposure: Option<Exposure>,
    /// What is permitted.
    pub permit: Permit,
    /// What the base is worth elsewhere. A venue whose price is far from it is not traded on.
    pub price: Option<Decimal>,
    /// How far it may be from that, in basis points.
    pub within_bps: Decimal,
}

impl From<Exposure> for Want {
    fn from(exposure: Exposure) -> Self {
        Self {
            exposure: Some(exposure),
            permit: Permit::ALL,
            price: None,
            within_bps: Decimal::ZERO,
        }
    }
}

impl Want {
    pub(super) fn is_off(&self, mid: Decimal) -> bool {
        let of =
            |price: Decimal| (mid - price).abs() * Decimal::from(10_000) > self.within_bps * price;
        self.price.is_some_and(of)
    }
}
