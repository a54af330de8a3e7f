//! Questions and their answers.

use super::{
    Desk, lock,
    records::{basic_order, book, fill, full_order, funding, status, text},
};
use crate::{
    hyperliquid::{bytes::Address, order_wire::OrderRef},
    paper::{exchange::Exchange, order::Status},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Fills in one answer, as the venue limits them.
const MOST_FILLS: usize = 2000;
/// And payments.
const MOST_PAYMENTS: usize = 500;

pub(super) fn answer(desk: &Desk, request: &Value) -> Value {
    let now_ms = desk.clock.now_ms();
    let mut tape = lock(&desk.tape);
    let exchange = tape.at(now_ms);
    let user = request["user"]
        .as_str()
        .and_then(|text| text.parse::<Address>().ok());
    let from = request["startTime"].as_u64().unwrap_or(0);
    let to = request["endTime"].as_u64().unwrap_or(u64::MAX);
    let within = |time_ms: u64| (from..=to).contains(&time_ms);
    let ledger = user.and_then(|user| exchange.ledger(user));
    match request["type"].as_str().unwrap_or_default() {
        "meta" => meta(exchange),
        "metaAndAssetCtxs" => json!([meta(exchange), contexts(exchange)]),
        "spotMeta" => json!({
            "tokens": [{
                "name": "USDC", "szDecimals": 8, "weiDecimals": 8, "index": 0, "isCanonical": true,
                "tokenId": "0x00000000000000000000000000000000", "evmContract": null, "fullName": null,
            }],
            "universe": [],
        }),
        "perpDexs" => json!([null]),
        "allMids" => mids(exchange),
        "l2Book" => {
            let market = request["coin"]
                .as_str()
                .and_then(|coin| exchange.market(coin));
            market.map_or(Value::Null, |market| book(market, now_ms))
        }
        "clearinghouseState" => state(exchange, user),
        "spotClearinghouseState" => {
            // Open profits are not in the balance.
            let total = ledger
                .filter(|ledger| ledger.unified)
                .map_or(Decimal::ZERO, |ledger| ledger.cash);
            json!({ "balances": [{ "coin": "USDC", "token": 0, "total": text(total), "hold": "0.0", "entryNtl": "0.0" }] })
        }
        "userAbstraction" => json!(if ledger.is_some_and(|ledger| ledger.unified) {
            "unifiedAccount"
        } else {
            "disabled"
        }),
        "openOrders" => orders(
            exchange,
            user,
            |record| record.status == Status::Open,
            basic_order,
        ),
        "frontendOpenOrders" => orders(
            exchange,
            user,
            |record| record.status == Status::Open,
            full_order,
        ),
        "historicalOrders" => orders(
            exchange,
            user,
            |_| true,
            |exchange, record| json!({ "order": full_order(exchange, record), "status": status(record.status), "statusTimestamp": record.status_ms }),
        ),
        "userFills" => {
            // The newest first, other than by time.
            json!(
                ledger
                    .into_iter()
                    .flat_map(|ledger| ledger.fills.iter().rev())
                    .take(MOST_FILLS)
                    .map(fill)
                    .collect::<Vec<_>>()
            )
        }
        "userFillsByTime" => {
            let fills = ledger
                .into_iter()
                .flat_map(|ledger| &ledger.fills)
                .filter(|record| within(record.fill.time_ms));
            json!(fills.take(MOST_FILLS).map(fill).collect::<Vec<_>>())
        }
        "userFunding" => {
            let payments = ledger
                .into_iter()
                .flat_map(|ledger| &ledger.funding)
                .filter(|payment| within(payment.time_ms));
            json!(
                payments
                    .take(MOST_PAYMENTS)
                    .map(funding)
                    .collect::<Vec<_>>()
            )
        }
        "fundingHistory" => {
            let market = request["coin"]
                .as_str()
                .and_then(|coin| exchange.market(coin));
            let settled = market
                .into_iter()
                .flat_map(|market| market.settled.iter().map(move |settled| (market, settled)));
            let settled = settled
                .filter(|(_, settled)| within(settled.time_ms))
                .take(500)
                .map(|(market, settled)| {
                    json!({
                        "coin": market.instrument.coin,
                        "fundingRate": text(settled.rate),
                        "premium": text(settled.premium),
                        "time": settled.time_ms,
                    })
                });
            json!(settled.collect::<Vec<_>>())
        }
        "orderStatus" => order_status(exchange, user, &request["oid"]),
        "userRole" => {
            let agent = user.is_some_and(|user| lock(&desk.agents).contains_key(&user));
            json!({ "role": if agent { "agent" } else if ledger.is_some() { "user" } else { "missing" } })
        }
        "extraAgents" => {
            let agents = lock(&desk.agents);
            let ours = agents.iter().filter(|(_, account)| Some(**account) == user);
            json!(
                ours.map(
                    |(agent, _)| json!({ "name": "", "address": agent, "validUntil": u64::MAX })
                )
                .collect::<Vec<_>>()
            )
        }
        "userFees" => {
            let fees = exchange.fees();
            json!({ "userCrossRate": text(fees.taker), "userAddRate": text(fees.maker) })
        }
        "userRateLimit" => {
            let volume: Decimal = ledger
                .into_iter()
                .flat_map(|ledger| &ledger.fills)
                .map(|record| record.fill.price * record.fill.size)
                .sum();
            json!({ "cumVlm": text(volume), "nRequestsUsed": 0, "nRequestsCap": 10_000 })
        }
        _ => json!({ "error": "unknown question" }),
    }
}

fn meta(exchange: &Exchange) -> Value {
    let universe = exchange.markets().iter().map(|market| {
        let instrument = &market.instrument;
        json!({ "name": instrument.coin, "szDecimals": instrument.size_places, "maxLeverage": instrument.max_leverage, "marginTableId": 0 })
    });
    json!({ "universe": universe.collect::<Vec<_>>(), "marginTables": [], "collateralToken": 0 })
}

fn contexts(exchange: &Exchange) -> Value {
    let contexts = exchange.markets().iter().map(|market| {
        let mid = market.depth.mid();
        json!({
            "funding": text(market.funding_rate), "premium": text(market.premium), "openInterest": "0.0", "prevDayPx": text(market.index),
            "dayNtlVlm": "0.0", "dayBaseVlm": "0.0", "oraclePx": text(market.index), "markPx": text(market.index),
            "midPx": mid.map(text), "impactPxs": null,
        })
    });
    json!(contexts.collect::<Vec<_>>())
}

pub(super) fn mids(exchange: &Exchange) -> Value {
    let mids = exchange.markets().iter().map(|market| {
        (
            market.instrument.coin.clone(),
            json!(text(market.depth.mid().unwrap_or(market.index))),
        )
    });
    Value::Object(mids.collect())
}

fn orders(
    exchange: &Exchange,
    user: Option<Address>,
    wanted: impl Fn(&crate::paper::order::OrderRecord) -> bool,
    form: impl Fn(&Exchange, &crate::paper::order::OrderRecord) -> Value,
) -> Value {
    let records = user
        .into_iter()
        .flat_map(|user| exchange.orders_of(user))
        .filter(|record| wanted(record));
    json!(
        records
            .take(MOST_FILLS)
            .map(|record| form(exchange, record))
            .collect::<Vec<_>>()
    )
}

fn order_status(exchange: &Exchange, user: Option<Address>, oid: &Value) -> Value {
    let reference: Option<OrderRef> = serde_json::from_value(oid.clone()).ok();
    let record = user
        .zip(reference)
        .and_then(|(user, reference)| exchange.order(user, reference));
    record.map_or_else(
        || json!({ "status": "unknownOid" }),
        |record| {
            json!({
                "status": "order",
                "order": {
                    "order": full_order(exchange, record),
                    "status": status(record.status),
                    "statusTimestamp": record.status_ms,
                },
            })
        },
    )
}

/// The perp account. A unified one's summary says zero: its money is in the spot balance.
fn state(exchange: &Exchange, user: Option<Address>) -> Value {
    let ledger = user.and_then(|user| exchange.ledger(user));
    let account = user.and_then(|user| exchange.account(user));
    let unified = ledger.is_some_and(|ledger| ledger.unified);
    let zero = Decimal::ZERO;
    let (equity, margin) = account.as_ref().map_or((zero, zero), |account| {
        (account.equity, account.margin_used)
    });
    let shown = if unified { zero } else { equity };
    let mut notional = zero;
    let mut positions = Vec::new();
    for position in account.iter().flat_map(|account| &account.positions) {
        let Some(market) = exchange.market(&position.coin) else {
            continue;
        };
        let leverage = ledger
            .and_then(|ledger| ledger.holdings.get(&market.instrument.asset))
            .map_or(1, |held| held.leverage);
        let value = position.size.abs() * market.index;
        notional += value;
        let pnl = position.size * (market.index - position.entry);
        let used = value / Decimal::from(leverage);
        positions.push(json!({
            "type": "oneWay",
            "position": {
                "coin": position.coin, "szi": text(position.size), "entryPx": text(position.entry),
                "leverage": { "type": "cross", "value": leverage }, "maxLeverage": market.instrument.max_leverage,
                "liquidationPx": position.liquidation.map(text), "marginUsed": text(used), "positionValue": text(value),
                "returnOnEquity": text(if used.is_zero() { zero } else { pnl / used }), "unrealizedPnl": text(pnl),
                "cumFunding": { "allTime": "0.0", "sinceChange": "0.0", "sinceOpen": "0.0" },
            },
        }));
    }
    let summary = json!({
        "accountValue": text(shown), "totalMarginUsed": text(margin), "totalNtlPos": text(notional), "totalRawUsd": text(shown),
    });
    json!({
        "marginSummary": summary, "crossMarginSummary": summary, "crossMaintenanceMarginUsed": text(margin / Decimal::TWO),
        "withdrawable": text((shown - margin).max(zero)), "assetPositions": positions, "time": exchange.now_ms(),
    })
}
