//! Positions, points and actions to write.

use ballast_history::{
    Account, ActionRow, Counters, Figures, Happened, HedgePoint, Moment, Opening, Origin,
    OverrideRow, Point, Track,
    store::{Batch, Stored},
};
use ballast_model::{SqrtPrice, Tick, lending::ReserveState};
use rust_decimal::Decimal;

pub fn at(tick: i32) -> SqrtPrice {
    Tick::new(tick).unwrap().sqrt_price()
}

pub fn moment(secs: i64, tick: i32) -> Moment {
    let one = 1u128 << 64;
    let reserve = ReserveState {
        borrow_index_x64: one + (one >> 24) * secs.unsigned_abs() as u128,
        ..ReserveState::new(0)
    };
    Moment {
        secs,
        slot: secs.unsigned_abs() * 2,
        price: at(tick),
        reserves: [reserve; 2],
    }
}

pub fn account() -> Account {
    Account {
        ticks: [-16_648, -15_648],
        liquidity: 27_000_000_000,
        idle: [5, 7],
        shares: [730_000_000 << 32, 54_000_000 << 32],
        counters: Counters::default(),
    }
}

/// A position that was first seen at 1,000 s.
pub fn begun(address: &str) -> Stored {
    let opening = Opening {
        secs: 900,
        price: at(-16_094),
        equity: 40_000_000,
    };
    Stored {
        address: address.into(),
        market: "market".into(),
        number: u64::MAX,
        track: Track::begin(&opening, &moment(1_000, -16_094), &account(), None).unwrap(),
    }
}

/// Brings it to a time, and returns what is to be written.
pub fn watched(stored: &mut Stored, secs: i64, tick: i32) -> Batch {
    let (_, point) = stored
        .track
        .observe(&moment(secs, tick), &account(), &Happened::default())
        .unwrap();
    Batch {
        tracks: vec![stored.clone()],
        points: point
            .map(|point| (stored.address.clone(), point))
            .into_iter()
            .collect(),
        ..Batch::default()
    }
}

/// Everything from 1,000 s on, every `step` seconds, in one batch each.
pub fn batches(stored: &mut Stored, count: i64, step: i64) -> Vec<Batch> {
    (1..=count)
        .map(|index| watched(stored, 1_000 + index * step, -16_094 + (index % 300) as i32))
        .collect()
}

pub fn points_of(batches: &[Batch]) -> Vec<Point> {
    let points = batches.iter().flat_map(|batch| batch.points.iter());
    points.map(|(_, point)| *point).collect()
}

pub fn action(signature: &str, position: &str, secs: i64, outcome: &str) -> ActionRow {
    ActionRow {
        key: ActionRow::key_of(signature, position),
        intent: None,
        secs,
        position: position.into(),
        number: Some(u64::MAX),
        action: "rehedge".into(),
        reason: Some("it's due; \"really\"".into()),
        price_x64: None,
        outcome: outcome.into(),
        error: None,
        signature: Some(signature.into()),
        slot: None,
        cost: None,
        by: Some("keeper".into()),
        before: Some(Figures {
            equity: i128::MIN,
            delta: -3,
            ltv_bps: u32::MAX,
        }),
        after: None,
        origin: Origin::Journal,
    }
}

pub fn order(key: &str, secs: i64) -> OverrideRow {
    OverrideRow {
        key: key.into(),
        secs,
        scope: "position".into(),
        position: Some("a".into()),
        number: Some(7),
        mode: "pause".into(),
        note: "zero \0 and ü".into(),
        by: "me".into(),
        until_secs: Some(secs + 60),
    }
}

/// A perpetual with numbers of many places; every second one without the account's equity.
pub fn hedged(account: &str, coin: &str, secs: i64) -> HedgePoint {
    let third = Decimal::from(secs) / Decimal::from(3);
    let odd = secs / 900 % 2 == 1;
    HedgePoint {
        account: account.into(),
        coin: coin.into(),
        interval_secs: HedgePoint::interval_secs(secs),
        secs,
        price: Decimal::new(1, 10) + third,
        position: -third,
        equity: odd.then_some(Decimal::MAX),
        realised: third,
        unrealised: -Decimal::new(123_456_789_012_345, 12),
        funding: Decimal::new(-1, 18),
        fees: -third,
    }
}
