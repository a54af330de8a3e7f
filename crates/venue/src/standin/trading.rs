//! Signed actions: who signed, whether it is in time and new, and what it does.

use super::{Desk, lock, records::text};
use crate::{
    hyperliquid::{
        action::{Action, PlaceOrders},
        bytes::{Address, Word},
        order_wire::{OrderKind, OrderRef, OrderWire},
        sign::{Signable, Signature, user_signer},
        user_action::UserAction,
    },
    instrument::Side,
    paper::{
        exchange::Exchange,
        order::{NewOrder, OrderRecord, Refusal, Status},
    },
};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};

const DAY_MS: u64 = 86_400_000;
/// Nonces that the venue remembers for each key.
const NONCES_KEPT: usize = 100;

/// What is posted. Halves of signatures may come without leading zeros.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    action: Value,
    nonce: u64,
    signature: LooseSignature,
    #[serde(default)]
    vault_address: Option<Address>,
    #[serde(default)]
    expires_after: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct LooseSignature {
    r: String,
    s: String,
    v: u8,
}

impl LooseSignature {
    fn strict(&self) -> Option<Signature> {
        let word = |text: &str| {
            format!("0x{:0>64}", text.strip_prefix("0x")?)
                .parse::<Word>()
                .ok()
        };
        Some(Signature {
            r: word(&self.r)?,
            s: word(&self.s)?,
            v: self.v,
        })
    }
}

pub(super) fn err(text: impl std::fmt::Display) -> Value {
    json!({ "status": "err", "response": text.to_string() })
}

fn ok(response: &Value) -> Value {
    json!({ "status": "ok", "response": response })
}

fn statuses(kind: &str, statuses: &[Value]) -> Value {
    ok(&json!({ "type": kind, "data": { "statuses": statuses } }))
}

pub(super) fn answer(desk: &Desk, request: &Value) -> Value {
    match Request::deserialize(request) {
        Ok(request) => carry_out(desk, request).unwrap_or_else(err),
        Err(error) => err(format!(
            "Failed to deserialize the JSON body into the target type: {error}"
        )),
    }
}

fn carry_out(desk: &Desk, request: Request) -> Result<Value, String> {
    let signature = request.signature.strict().ok_or("Invalid signature")?;
    let kind = request.action["type"].as_str().unwrap_or_default();
    if UserAction::KINDS.contains(&kind) {
        let action = UserAction::from_json(request.action).map_err(|error| error.to_string())?;
        let signer =
            user_signer(&action, &signature, desk.network).map_err(|error| error.to_string())?;
        check_nonce(desk, signer, request.nonce)?;
        if let UserAction::ApproveAgent(approval) = action {
            lock(&desk.agents).insert(approval.agent_address, signer);
        }
        return Ok(ok(&json!({ "type": "default" })));
    }
    let action = Action::from_json(request.action).map_err(|error| error.to_string())?;
    let signable = Signable {
        action: &action,
        nonce: request.nonce,
        vault: request.vault_address,
        expires_after: request.expires_after,
    };
    let signer = signable
        .signer(&signature, desk.network)
        .map_err(|error| error.to_string())?;
    let now_ms = desk.clock.now_ms();
    let mut tape = lock(&desk.tape);
    let exchange = tape.at(now_ms);
    let account = lock(&desk.agents).get(&signer).copied().unwrap_or(signer);
    if exchange.ledger(account).is_none() {
        return Err(format!("User or API Wallet {signer} does not exist."));
    }
    if let Some(vault) = request.vault_address {
        return Err(format!("Vault not registered: {vault}"));
    }
    check_nonce(desk, signer, request.nonce)?;
    if request
        .expires_after
        .is_some_and(|time_ms| time_ms < now_ms)
    {
        return Err("Action expired: expiresAfter is in the past".into());
    }
    Ok(act(exchange, account, action))
}

/// New, and within two days before and one day after now.
fn check_nonce(desk: &Desk, signer: Address, nonce: u64) -> Result<(), String> {
    let now_ms = desk.clock.now_ms();
    if nonce <= now_ms.saturating_sub(2 * DAY_MS) || nonce >= now_ms + DAY_MS {
        return Err(format!("Invalid nonce: {nonce} is too far from {now_ms}"));
    }
    let mut all = lock(&desk.nonces);
    let nonces = all.entry(signer).or_default();
    if nonces.contains(&nonce) {
        return Err("Invalid nonce: duplicate nonce".into());
    }
    if nonces.len() >= NONCES_KEPT {
        if nonces.first().is_some_and(|least| nonce < *least) {
            return Err("Invalid nonce: lower than all that are remembered".into());
        }
        nonces.pop_first();
    }
    nonces.insert(nonce);
    Ok(())
}

fn act(exchange: &mut Exchange, account: Address, action: Action) -> Value {
    let done = || ok(&json!({ "type": "default" }));
    match action {
        Action::Order(PlaceOrders { orders, .. }) => {
            let placed: Vec<Value> = orders
                .iter()
                .map(|order| place(exchange, account, order))
                .collect();
            statuses("order", &placed)
        }
        Action::Cancel(cancels) => {
            let cancelled = cancels
                .cancels
                .iter()
                .map(|cancel| (cancel.asset, OrderRef::Oid(cancel.oid)));
            let cancelled: Vec<Value> = cancelled
                .map(|(asset, order)| cancel(exchange, account, asset, order))
                .collect();
            statuses("cancel", &cancelled)
        }
        Action::CancelByCloid(cancels) => {
            let cancelled = cancels
                .cancels
                .iter()
                .map(|cancel| (cancel.asset, OrderRef::Cloid(cancel.cloid)));
            let cancelled: Vec<Value> = cancelled
                .map(|(asset, order)| cancel(exchange, account, asset, order))
                .collect();
            statuses("cancel", &cancelled)
        }
        Action::Modify(change) => match modify(exchange, account, change.oid, &change.order) {
            value if value.get("error").is_some() => {
                err(value["error"].as_str().unwrap_or_default())
            }
            _ => done(),
        },
        Action::BatchModify(changes) => {
            let changed: Vec<Value> = changes
                .modifies
                .iter()
                .map(|change| modify(exchange, account, change.oid, &change.order))
                .collect();
            statuses("order", &changed)
        }
        Action::ScheduleCancel(schedule) => {
            exchange.schedule_cancel(account, schedule.time);
            done()
        }
        Action::UpdateLeverage(update) => exchange
            .set_leverage(account, update.asset, update.leverage)
            .map_or_else(err, |()| done()),
        Action::Noop => done(),
        other => err(format!("The stand-in does not carry this out: {other:?}")),
    }
}

fn new_order(account: Address, wire: &OrderWire) -> Result<NewOrder, Refusal> {
    let OrderKind::Limit(limit) = wire.kind else {
        // Trigger orders are signed by this crate, and never needed by it.
        return Err(Refusal::NotOpen(wire.asset));
    };
    Ok(NewOrder {
        account,
        asset: wire.asset,
        side: if wire.is_buy { Side::Buy } else { Side::Sell },
        price: wire.price.get(),
        size: wire.size.get(),
        tif: limit.tif,
        reduce_only: wire.reduce_only,
        cloid: wire.cloid,
    })
}

fn place(exchange: &mut Exchange, account: Address, wire: &OrderWire) -> Value {
    new_order(account, wire)
        .and_then(|order| exchange.place(order).map(placed))
        .unwrap_or_else(|refusal| json!({ "error": refusal.to_string() }))
}

fn modify(
    exchange: &mut Exchange,
    account: Address,
    reference: OrderRef,
    wire: &OrderWire,
) -> Value {
    let modified =
        new_order(account, wire).and_then(|order| exchange.modify(reference, order).map(placed));
    modified.unwrap_or_else(|refusal| json!({ "error": refusal.to_string() }))
}

fn placed(record: &OrderRecord) -> Value {
    let mut status = if record.status == Status::Open {
        json!({ "resting": { "oid": record.oid } })
    } else {
        let average = (record.notional / record.filled).round_dp(6);
        json!({ "filled": { "oid": record.oid, "totalSz": text(record.filled), "avgPx": text(average) } })
    };
    if let (Some(cloid), Some(Value::Object(fields))) = (
        record.order.cloid,
        status
            .as_object_mut()
            .and_then(|map| map.values_mut().next()),
    ) {
        fields.insert("cloid".into(), json!(cloid));
    }
    status
}

fn cancel(exchange: &mut Exchange, account: Address, asset: u32, reference: OrderRef) -> Value {
    match exchange.cancel(account, asset, reference) {
        Ok(()) => json!("success"),
        Err(refusal) => json!({ "error": refusal.to_string() }),
    }
}

/// Takes half of what every market shows.
pub(super) fn thin_out(desk: &Desk) {
    let mut tape = lock(&desk.tape);
    let exchange = tape.at(desk.clock.now_ms());
    for asset in 0..exchange.markets().len() {
        let market = &exchange.markets()[asset];
        let (mut depth, index, instrument) = (
            market.depth.clone(),
            market.index,
            market.instrument.clone(),
        );
        for level in depth.bids.iter_mut().chain(&mut depth.asks) {
            level.size = instrument
                .size_toward_zero(level.size / Decimal::TWO)
                .max(instrument.lot());
        }
        exchange.set_depth(instrument.asset, index, depth);
    }
}
