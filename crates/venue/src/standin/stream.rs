//! What happens, as it happens. A subscription to a coin that does not exist closes the connection, as the venue does.

use super::{
    Desk, info, lock,
    records::{basic_order, book, fill, funding, status},
};
use crate::{hyperliquid::bytes::Address, paper::exchange::Exchange};
use axum::{
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    response::Response,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// What a connection has been told of one subscription.
#[derive(Debug, Clone, Default)]
struct Told {
    /// Records so far.
    records: usize,
    /// Orders by number, with what was said last.
    orders: BTreeMap<u64, String>,
    /// The last message, so that nothing is said twice.
    last: Option<String>,
}

pub(super) async fn upgrade(State(desk): State<Arc<Desk>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|socket| async move {
        // Whoever went away needs no answer.
        let _ = serve(&desk, socket).await;
    })
}

async fn serve(desk: &Desk, mut socket: WebSocket) -> Result<(), axum::Error> {
    let mut changes = desk.changes();
    if desk.closed() {
        return Ok(());
    }
    let mut subscriptions: BTreeMap<String, (Value, Told)> = BTreeMap::new();
    loop {
        tokio::select! {
            message = socket.recv() => {
                let Some(Ok(message)) = message else { return Ok(()) };
                let Message::Text(text) = message else { continue };
                let request: Value = serde_json::from_str(&text).unwrap_or_default();
                let subscription = request["subscription"].clone();
                let silent = desk.silent();
                match request["method"].as_str() {
                    Some("ping") if !silent => send(&mut socket, &json!({ "channel": "pong" })).await?,
                    Some("subscribe") => {
                        let unknown = subscription["coin"].as_str().is_some_and(|coin| lock(&desk.tape).at(desk.clock.now_ms()).market(coin).is_none());
                        if unknown {
                            return Ok(());
                        }
                        subscriptions.entry(subscription.to_string()).or_insert_with(|| (subscription.clone(), Told::default()));
                        if !silent {
                            send(&mut socket, &json!({ "channel": "subscriptionResponse", "data": request })).await?;
                        }
                    }
                    Some("unsubscribe") => {
                        subscriptions.remove(&subscription.to_string());
                    }
                    _ => {}
                }
            }
            changed = changes.changed() => if changed.is_err() { return Ok(()) },
        }
        if desk.closed() {
            return Ok(());
        }
        if desk.silent() {
            continue;
        }
        for (subscription, told) in subscriptions.values_mut() {
            let message = {
                let now_ms = desk.clock.now_ms();
                let mut tape = lock(&desk.tape);
                news(tape.at(now_ms), subscription, told)
            };
            if let Some(message) = message {
                let text = message.to_string();
                if told.last.as_ref() != Some(&text) {
                    send(&mut socket, &message).await?;
                    told.last = Some(text);
                }
            }
        }
    }
}

async fn send(socket: &mut WebSocket, message: &Value) -> Result<(), axum::Error> {
    socket.send(Message::Text(message.to_string().into())).await
}

/// The next message of a subscription, if there is anything to say.
fn news(exchange: &Exchange, subscription: &Value, told: &mut Told) -> Option<Value> {
    let user: Option<Address> = subscription["user"]
        .as_str()
        .and_then(|text| text.parse().ok());
    let ledger = user.and_then(|user| exchange.ledger(user));
    let market = subscription["coin"]
        .as_str()
        .and_then(|coin| exchange.market(coin));
    let first = told.last.is_none();
    match subscription["type"].as_str()? {
        "allMids" => {
            Some(json!({ "channel": "allMids", "data": { "mids": info::mids(exchange) } }))
        }
        "l2Book" => {
            let mut data = book(market?, exchange.now_ms());
            // The time alone is no news.
            if told
                .last
                .as_deref()
                .and_then(|last| serde_json::from_str::<Value>(last).ok())
                .is_some_and(|last| last["data"]["levels"] == data["levels"])
            {
                return None;
            }
            data["time"] = json!(exchange.now_ms());
            Some(json!({ "channel": "l2Book", "data": data }))
        }
        "bbo" => {
            let book = book(market?, exchange.now_ms());
            let best = [&book["levels"][0][0], &book["levels"][1][0]];
            Some(
                json!({ "channel": "bbo", "data": { "coin": book["coin"], "time": book["time"], "bbo": best } }),
            )
        }
        kind @ ("userFills" | "userEvents") => {
            let fills = &ledger?.fills;
            let new: Vec<Value> = fills[told.records.min(fills.len())..]
                .iter()
                .map(fill)
                .collect();
            told.records = fills.len();
            if kind == "userFills" {
                (first || !new.is_empty())
                    .then(|| json!({ "channel": "userFills", "data": { "user": user, "isSnapshot": first, "fills": new } }))
            } else {
                (!new.is_empty()).then(|| json!({ "channel": "user", "data": { "fills": new } }))
            }
        }
        "userFundings" => {
            let payments = &ledger?.funding;
            let new: Vec<Value> = payments[told.records.min(payments.len())..]
                .iter()
                .map(funding)
                .collect();
            told.records = payments.len();
            (first || !new.is_empty())
                .then(|| json!({ "channel": "userFundings", "data": { "user": user, "isSnapshot": first, "fundings": new } }))
        }
        "orderUpdates" => {
            let mut updates = Vec::new();
            for record in exchange.orders_of(user?) {
                let update = json!({
                    "order": basic_order(exchange, record), "status": status(record.status), "statusTimestamp": record.status_ms,
                });
                let text = update.to_string();
                if told.orders.get(&record.oid) != Some(&text) {
                    told.orders.insert(record.oid, text);
                    updates.push(update);
                }
            }
            (!updates.is_empty()).then(|| json!({ "channel": "orderUpdates", "data": updates }))
        }
        _ => None,
    }
}
