//! The exchange's records in the words of Hyperliquid's interface.

use crate::{
    decimal::WireDecimal,
    hyperliquid::order_wire::Tif,
    instrument::Side,
    paper::{
        exchange::{Exchange, Market},
        ledger::FillRecord,
        order::{OrderRecord, Status},
    },
    venue::{FillKind, Funding},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// A number as text, as the interface has them: without trailing zeros, but with one place.
pub(super) fn text(value: Decimal) -> String {
    let value = value.round_dp(10).normalize();
    if value.scale() == 0 {
        format!("{value}.0")
    } else {
        value.to_string()
    }
}

pub(super) const fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "B",
        Side::Sell => "A",
    }
}

const fn tif(tif: Tif) -> &'static str {
    match tif {
        Tif::Gtc => "Gtc",
        Tif::Ioc => "Ioc",
        Tif::Alo => "Alo",
        Tif::FrontendMarket => "FrontendMarket",
    }
}

/// Where an order stands, in the interface's words.
pub(super) const fn status(status: Status) -> &'static str {
    match status {
        Status::Open => "open",
        Status::Filled => "filled",
        Status::Canceled => "canceled",
        Status::IocCancelRejected => "iocCancelRejected",
    }
}

/// An order as open orders and order updates have it.
pub(super) fn basic_order(exchange: &Exchange, record: &OrderRecord) -> Value {
    let mut order = json!({
        "coin": coin(exchange, record.order.asset),
        "side": side(record.order.side),
        "limitPx": text(record.order.price),
        "sz": text(record.left()),
        "oid": record.oid,
        "timestamp": record.placed_ms,
        "origSz": text(record.order.size),
        "reduceOnly": record.order.reduce_only,
    });
    if let Some(cloid) = record.order.cloid {
        order["cloid"] = json!(cloid);
    }
    order
}

/// An order as its status and the venue's page have it.
pub(super) fn full_order(exchange: &Exchange, record: &OrderRecord) -> Value {
    let mut order = basic_order(exchange, record);
    for (field, value) in [
        ("triggerCondition", json!("N/A")),
        ("isTrigger", json!(false)),
        ("triggerPx", json!("0.0")),
        ("children", json!([])),
        ("isPositionTpsl", json!(false)),
        ("orderType", json!("Limit")),
        ("tif", json!(tif(record.order.tif))),
        ("cloid", json!(record.order.cloid)),
    ] {
        order[field] = value;
    }
    order
}

fn coin(exchange: &Exchange, asset: u32) -> &str {
    exchange
        .markets()
        .get(asset as usize)
        .map_or("", |market| &market.instrument.coin)
}

/// What a fill did, in the interface's words.
fn direction(record: &FillRecord) -> &'static str {
    let (before, size) = (
        record.start_position,
        record.fill.side.signed(record.fill.size),
    );
    let after = before + size;
    match record.fill.kind {
        FillKind::Deleveraging => "Auto-Deleveraging",
        FillKind::Liquidation if before.is_sign_negative() => "Liquidated Cross Short",
        FillKind::Liquidation => "Liquidated Cross Long",
        FillKind::Trade
            if !before.is_zero()
                && !after.is_zero()
                && before.is_sign_negative() != after.is_sign_negative() =>
        {
            if before.is_sign_negative() {
                "Short > Long"
            } else {
                "Long > Short"
            }
        }
        FillKind::Trade => match (record.fill.side, after.abs() > before.abs()) {
            (Side::Buy, true) => "Open Long",
            (Side::Buy, false) => "Close Short",
            (Side::Sell, true) => "Open Short",
            (Side::Sell, false) => "Close Long",
        },
    }
}

/// A fill.
pub(super) fn fill(record: &FillRecord) -> Value {
    let fill = &record.fill;
    let mut value = json!({
        "coin": fill.coin,
        "px": text(fill.price),
        "sz": text(fill.size),
        "side": side(fill.side),
        "time": fill.time_ms,
        "startPosition": text(record.start_position),
        "dir": direction(record),
        "closedPnl": text(fill.closed_pnl),
        "hash": format!("0x{:064x}", fill.tid),
        "oid": fill.oid,
        "crossed": record.crossed,
        "fee": text(fill.fee),
        "tid": fill.tid,
        "feeToken": "USDC",
    });
    if fill.kind == FillKind::Liquidation {
        value["liquidation"] = json!({ "markPx": text(fill.price), "method": "market" });
    }
    value
}

/// A funding payment.
pub(super) fn funding(payment: &Funding) -> Value {
    json!({
        "time": payment.time_ms,
        "hash": format!("0x{:064x}", 0),
        "delta": {
            "type": "funding",
            "coin": payment.coin,
            "usdc": text(payment.usdc),
            "szi": text(payment.position),
            "fundingRate": text(payment.rate),
            "nSamples": null,
        },
    })
}

/// A book.
pub(super) fn book(market: &Market, time_ms: u64) -> Value {
    let levels = |side| -> Vec<Value> {
        let levels = market.depth.against(side).iter().take(20);
        levels
            .map(|level| json!({ "px": wire(level.price), "sz": wire(level.size), "n": 1 }))
            .collect()
    };
    json!({ "coin": market.instrument.coin, "time": time_ms, "levels": [levels(Side::Sell), levels(Side::Buy)] })
}

fn wire(value: Decimal) -> String {
    WireDecimal::exact(value).map_or_else(|_| text(value), |value| value.to_string())
}
