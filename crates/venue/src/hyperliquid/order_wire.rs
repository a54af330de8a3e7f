//! Orders in the venue's wire form. The order of fields is part of what is signed.

use crate::{
    decimal::WireDecimal,
    hyperliquid::bytes::{Address, Cloid},
};
use serde::{Deserialize, Deserializer, Serialize};

/// How long a limit order lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tif {
    /// Rests until it is cancelled.
    Gtc,
    /// Fills what it can at once; the rest is cancelled.
    Ioc,
    /// Rests, and is cancelled instead of taking.
    Alo,
    /// What the venue's own page sends for a market order.
    FrontendMarket,
}

/// Which side of the entry a trigger protects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TriggerKind {
    /// Take profit.
    Tp,
    /// Stop loss.
    Sl,
}

/// A limit order's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// How long it lives.
    pub tif: Tif,
}

/// A trigger order's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Trigger {
    /// Whether it becomes a market order.
    pub is_market: bool,
    /// From which price on.
    pub trigger_px: WireDecimal,
    /// Which side of the entry.
    pub tpsl: TriggerKind,
}

/// What kind of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderKind {
    /// A limit order.
    Limit(Limit),
    /// An order that waits for a price.
    Trigger(Trigger),
}

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderWire {
    /// The asset's number in `meta`.
    #[serde(rename = "a")]
    pub asset: u32,
    /// Whether it buys.
    #[serde(rename = "b")]
    pub is_buy: bool,
    /// Limit price.
    #[serde(rename = "p")]
    pub price: WireDecimal,
    /// Size in the base asset.
    #[serde(rename = "s")]
    pub size: WireDecimal,
    /// Whether it may only shrink the position.
    #[serde(rename = "r")]
    pub reduce_only: bool,
    /// Limit or trigger.
    #[serde(rename = "t")]
    pub kind: OrderKind,
    /// The client order id.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub cloid: Option<Cloid>,
}

/// How the orders of a batch hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Grouping {
    /// Not at all.
    #[default]
    Na,
    /// Triggers of the batch's own order.
    NormalTpsl,
    /// Triggers of the whole position.
    PositionTpsl,
    /// Priority, paid for.
    #[serde(untagged)]
    Priority {
        /// The rate.
        p: u32,
    },
}

impl<'de> Deserialize<'de> for Grouping {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Priority {
            p: u32,
        }
        let value = serde_json::Value::deserialize(deserializer)?;
        match value.as_str() {
            Some("na") => Ok(Self::Na),
            Some("normalTpsl") => Ok(Self::NormalTpsl),
            Some("positionTpsl") => Ok(Self::PositionTpsl),
            Some(other) => Err(serde::de::Error::unknown_variant(
                other,
                &["na", "normalTpsl", "positionTpsl"],
            )),
            None => Priority::deserialize(value)
                .map(|Priority { p }| Self::Priority { p })
                .map_err(serde::de::Error::custom),
        }
    }
}

/// Who else is paid for an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Builder {
    /// The builder's address.
    #[serde(rename = "b")]
    pub address: Address,
    /// The fee in tenths of a basis point.
    #[serde(rename = "f")]
    pub fee_tenth_bps: u32,
}

/// An order by the venue's number or by ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(untagged)]
pub enum OrderRef {
    /// The venue's number.
    Oid(u64),
    /// Ours.
    Cloid(Cloid),
}

impl<'de> Deserialize<'de> for OrderRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        match (value.as_u64(), value.as_str()) {
            (Some(oid), _) => Ok(Self::Oid(oid)),
            (None, Some(text)) => text
                .parse()
                .map(Self::Cloid)
                .map_err(serde::de::Error::custom),
            (None, None) => Err(serde::de::Error::custom(format!(
                "{value} is neither an order number nor a client order id"
            ))),
        }
    }
}

/// A change of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModifyWire {
    /// Which order.
    pub oid: OrderRef,
    /// What it becomes.
    pub order: OrderWire,
}
