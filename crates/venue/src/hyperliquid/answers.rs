//! The venue's answers, as far as they are used.

use super::bytes::Cloid;
use crate::{
    depth::{Depth, Level},
    funding::Settlement,
    instrument::{Instrument, Side},
    venue::{Done, Fill, FillKind, Funding, OrderState, Position},
};
use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

const HOUR_MS: u64 = 3_600_000;
/// Places that sizes have at most, and leverage that is given at most, anywhere.
const MOST_PLACES: u32 = 8;
const MOST_LEVERAGE: u32 = 1_000;

/// A decimal as text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Text(pub Decimal);

/// Larger numbers make no sense; below, no product of two overflows.
const LARGEST: Decimal = Decimal::from_parts(1_316_134_912, 2_328, 0, false, 0);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Funding rates can be tinier than plain notation shows.
        let value: Decimal = text
            .parse()
            .or_else(|_| Decimal::from_scientific(&text))
            .map_err(serde::de::Error::custom)?;
        if value.abs() > LARGEST {
            return Err(serde::de::Error::custom(format!(
                "{text} is too large to be meant"
            )));
        }
        Ok(Self(value))
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) enum SideText {
    A,
    B,
}

impl From<SideText> for Side {
    fn from(side: SideText) -> Self {
        match side {
            SideText::A => Self::Sell,
            SideText::B => Self::Buy,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Meta {
    universe: Vec<Asset>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asset {
    name: String,
    sz_decimals: u32,
    max_leverage: u32,
    #[serde(default)]
    is_delisted: bool,
}

impl Meta {
    /// What is traded; delisted assets keep their numbers. What no venue of this kind has is left out.
    pub(super) fn instruments(self) -> Vec<Instrument> {
        let numbered = (0..).zip(self.universe).filter(|(_, asset)| {
            !asset.is_delisted
                && asset.sz_decimals <= MOST_PLACES
                && asset.max_leverage <= MOST_LEVERAGE
        });
        numbered
            .map(|(number, asset)| Instrument {
                coin: asset.name,
                asset: number,
                size_places: asset.sz_decimals,
                max_leverage: asset.max_leverage,
            })
            .collect()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Book {
    pub(super) coin: String,
    levels: [Vec<BookLevel>; 2],
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct BookLevel {
    px: Text,
    sz: Text,
}

impl Book {
    pub(super) fn depth(&self) -> Depth {
        let side = |levels: &[BookLevel]| {
            levels
                .iter()
                .map(|level| Level {
                    price: level.px.0,
                    size: level.sz.0,
                })
                .collect()
        };
        Depth {
            bids: side(&self.levels[0]),
            asks: side(&self.levels[1]),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    pub(super) margin_summary: Summary,
    asset_positions: Vec<AssetPosition>,
    /// The venue's clock.
    pub(super) time: u64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Summary {
    pub(super) account_value: Text,
    pub(super) total_margin_used: Text,
}

#[derive(Debug, Deserialize)]
struct AssetPosition {
    position: PositionText,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PositionText {
    coin: String,
    szi: Text,
    entry_px: Option<Text>,
    liquidation_px: Option<Text>,
    unrealized_pnl: Text,
}

impl State {
    pub(super) fn unrealized(&self) -> Decimal {
        self.asset_positions
            .iter()
            .map(|position| position.position.unrealized_pnl.0)
            .sum()
    }

    pub(super) fn positions(self) -> Vec<Position> {
        let positions = self
            .asset_positions
            .into_iter()
            .map(|AssetPosition { position }| Position {
                coin: position.coin,
                size: position.szi.0,
                entry: position.entry_px.map_or(Decimal::ZERO, |text| text.0),
                liquidation: position.liquidation_px.map(|text| text.0),
            });
        positions
            .filter(|position| !position.size.is_zero())
            .collect()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Spot {
    balances: Vec<Balance>,
}

#[derive(Debug, Deserialize)]
struct Balance {
    coin: String,
    total: Text,
}

impl Spot {
    pub(super) fn usdc(&self) -> Decimal {
        self.balances
            .iter()
            .filter(|balance| balance.coin == "USDC")
            .map(|balance| balance.total.0)
            .sum()
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FillText {
    coin: String,
    px: Text,
    sz: Text,
    side: SideText,
    time: u64,
    #[serde(default)]
    dir: String,
    closed_pnl: Text,
    oid: u64,
    fee: Text,
    tid: u64,
}

impl From<FillText> for Fill {
    fn from(fill: FillText) -> Self {
        let kind = if fill.dir.contains("Auto-Deleveraging") {
            FillKind::Deleveraging
        } else if fill.dir.starts_with("Liquidated") {
            FillKind::Liquidation
        } else {
            FillKind::Trade
        };
        Self {
            tid: fill.tid,
            oid: fill.oid,
            time_ms: fill.time,
            coin: fill.coin,
            side: fill.side.into(),
            price: fill.px.0,
            size: fill.sz.0,
            fee: fill.fee.0,
            closed_pnl: fill.closed_pnl.0,
            kind,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct FundingText {
    time: u64,
    delta: FundingDelta,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FundingDelta {
    coin: String,
    usdc: Text,
    szi: Text,
    funding_rate: Text,
}

impl From<FundingText> for Funding {
    fn from(payment: FundingText) -> Self {
        let FundingText { time, delta } = payment;
        Self {
            time_ms: time,
            coin: delta.coin,
            usdc: delta.usdc.0,
            position: delta.szi.0,
            rate: delta.funding_rate.0,
        }
    }
}

/// What an account pays.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FeesText {
    pub(super) user_cross_rate: Text,
}

/// A market's settlement.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SettlementText {
    pub(super) time: u64,
    funding_rate: Text,
    premium: Text,
}

impl SettlementText {
    /// In our words; settlements are hourly today.
    pub(super) fn settlement(&self) -> Option<Settlement> {
        Some(Settlement {
            hour: self.time.saturating_add(HOUR_MS / 2) / HOUR_MS,
            interval_hours: 1,
            rate: self.funding_rate.0.to_f64()?,
            premium: self.premium.0.to_f64()?,
        })
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct OrderStatus {
    status: String,
    order: Option<OrderWithStatus>,
}

#[derive(Debug, Deserialize)]
struct OrderWithStatus {
    order: OrderText,
    status: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderText {
    oid: u64,
    sz: Text,
    orig_sz: Text,
}

impl OrderStatus {
    /// What the status says; none where it says something else.
    pub(super) fn state(&self) -> Option<OrderState> {
        match (self.status.as_str(), &self.order) {
            ("unknownOid", _) => Some(OrderState::NeverSeen),
            ("order", Some(found)) => {
                let done = Done {
                    oid: found.order.oid,
                    filled: found.order.orig_sz.0 - found.order.sz.0,
                };
                let open = matches!(found.status.as_str(), "open" | "triggered");
                Some(if open {
                    OrderState::Open(done)
                } else {
                    OrderState::Closed(done)
                })
            }
            _ => None,
        }
    }
}

/// The answer to an action.
#[derive(Debug, Deserialize)]
pub(super) struct ActionAnswer {
    pub(super) status: String,
    pub(super) response: Value,
}

/// What became of one order or cancel in an action.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ItemStatus {
    Filled(Filled),
    Resting(Resting),
    Error(String),
    Success,
    #[serde(untagged)]
    Other(Value),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Filled {
    pub(super) oid: u64,
    pub(super) total_sz: Text,
}

#[derive(Debug, Deserialize)]
pub(super) struct Resting {
    pub(super) oid: u64,
}

impl ActionAnswer {
    /// The first item's status.
    pub(super) fn first(&self) -> Option<ItemStatus> {
        ItemStatus::deserialize(self.response.pointer("/data/statuses/0")?).ok()
    }
}

/// A message of the stream.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) channel: String,
    #[serde(default)]
    pub(super) data: Value,
}

/// Fills on the stream.
#[derive(Debug, Deserialize)]
pub(super) struct StreamedFills {
    pub(super) fills: Vec<FillText>,
}

/// An order on the stream.
#[derive(Debug, Deserialize)]
pub(super) struct StreamedOrder {
    pub(super) order: StreamedOrderText,
}

/// The part of it that is used.
#[derive(Debug, Deserialize)]
pub(super) struct StreamedOrderText {
    #[serde(default)]
    pub(super) cloid: Option<Cloid>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_both_notations_and_absurd_ones_are_refused() {
        assert_eq!(LARGEST, Decimal::from(10_000_000_000_000_u64));
        let read =
            |text: &str| serde_json::from_str::<Text>(&format!("\"{text}\"")).map(|text| text.0);
        assert_eq!(read("-0.50").unwrap(), Decimal::new(-5, 1));
        assert_eq!(read("1.25e-5").unwrap(), Decimal::new(125, 7));
        for absurd in ["10000000000000.1", "-99999999999999999999", "1e28", "x", ""] {
            assert!(read(absurd).is_err(), "{absurd}");
        }
    }
}
