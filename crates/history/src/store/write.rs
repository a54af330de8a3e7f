//! Statements that write.

use super::{
    Batch, Stored, hedge,
    sql::{Database, StoreError, Value},
};
use crate::{
    point::Point,
    record::{ActionRow, Figures, Origin, OverrideRow},
};

/// Whose the store is; the first to ask gets it.
pub(super) fn claim(db: &mut dyn Database, whose: &str) -> Result<(), StoreError> {
    let rows = db.query("SELECT whose FROM owner", &[])?;
    match rows.first().and_then(|row| row.first()) {
        Some(Value::Text(found)) if found != whose => Err(StoreError::Foreign {
            place: db.place(),
            found: found.clone(),
            expected: whose.into(),
        }),
        Some(_) => Ok(()),
        None => db
            .execute("INSERT INTO owner (whose) VALUES ($1)", &[whose.into()])
            .map(|_| ()),
    }
}

pub(super) fn batch(db: &mut dyn Database, batch: &Batch) -> Result<(), StoreError> {
    for stored in &batch.tracks {
        track(db, stored)?;
    }
    for (address, point) in &batch.points {
        self::point(db, address, point)?;
    }
    for row in &batch.actions {
        action(db, row)?;
    }
    for row in &batch.overrides {
        order(db, row)?;
    }
    for (address, progress) in &batch.backfills {
        db.execute(
            "INSERT INTO backfills (position, progress) VALUES ($1, $2)
             ON CONFLICT (position) DO UPDATE SET progress = excluded.progress",
            &[address.into(), progress.into()],
        )?;
    }
    for point in &batch.hedge {
        hedge::write(db, point)?;
    }
    Ok(())
}

fn track(db: &mut dyn Database, stored: &Stored) -> Result<(), StoreError> {
    let track = &stored.track;
    let text = serde_json::to_string(track).map_err(|error| StoreError::Damaged {
        what: "the record",
        whom: stored.address.clone(),
        found: error.to_string(),
    })?;
    let sums = &track.sums;
    db.execute(
        "INSERT INTO positions (address, market, number, opened_secs, observed_from_secs, seen_secs, seen_slot,
             closed_secs, gaps, fees, interest, drift, curvature, costs, flow, track)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
         ON CONFLICT (address) DO UPDATE SET
             observed_from_secs = excluded.observed_from_secs, seen_secs = excluded.seen_secs,
             seen_slot = excluded.seen_slot, closed_secs = excluded.closed_secs, gaps = excluded.gaps,
             fees = excluded.fees, interest = excluded.interest, drift = excluded.drift,
             curvature = excluded.curvature, costs = excluded.costs, flow = excluded.flow, track = excluded.track
         WHERE excluded.seen_slot >= positions.seen_slot",
        &[
            (&stored.address).into(),
            (&stored.market).into(),
            (&stored.number.to_string()).into(),
            track.opened_secs.into(),
            track.observed_from_secs.into(),
            track.seen.secs.into(),
            track.seen.slot.into(),
            track.closed_secs.into(),
            track.gaps.into(),
            sums.fees.into(),
            sums.interest.into(),
            sums.drift.into(),
            sums.curvature.into(),
            sums.costs.into(),
            track.flow.into(),
            (&text).into(),
        ],
    )?;
    Ok(())
}

fn point(db: &mut dyn Database, address: &str, point: &Point) -> Result<(), StoreError> {
    let [lower, upper] = point.ticks;
    let sums = &point.sums;
    db.execute(
        "INSERT INTO points (position, interval_secs, secs, slot, price_x64, equity, delta, ltv_bps, leverage_bps,
             tick_lower, tick_upper, fees, interest, drift, curvature, costs, flow)
         SELECT id, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16
         FROM positions WHERE address = $17
         ON CONFLICT (position, interval_secs) DO NOTHING",
        &[
            point.interval_secs.into(),
            point.secs.into(),
            point.slot.into(),
            point.price_x64.into(),
            point.equity.into(),
            point.delta.into(),
            point.ltv_bps.into(),
            point.leverage_bps.into(),
            lower.into(),
            upper.into(),
            sums.fees.into(),
            sums.interest.into(),
            sums.drift.into(),
            sums.curvature.into(),
            sums.costs.into(),
            point.flow.into(),
            address.into(),
        ],
    )?;
    Ok(())
}

/// A row that is there is completed, never emptied: what is known stays known, and an outcome is never pending again.
fn action(db: &mut dyn Database, row: &ActionRow) -> Result<(), StoreError> {
    let figures = |figures: &Option<Figures>| -> [Value; 3] {
        match figures {
            None => [Value::Null, Value::Null, Value::Null],
            Some(at) => [at.equity.into(), at.delta.into(), at.ltv_bps.into()],
        }
    };
    let origin = match row.origin {
        Origin::Journal => "journal",
        Origin::Chain => "chain",
    };
    let [equity, delta, ltv] = figures(&row.before);
    let [equity_after, delta_after, ltv_after] = figures(&row.after);
    // What a fork took back is in no block: nothing stays of what was told of it while it was in one.
    db.execute(
        "INSERT INTO actions (key, intent, secs, position, number, action, reason, price_x64, outcome, error, signature, slot, cost,
             signer, equity_before, delta_before, ltv_before_bps, equity_after, delta_after, ltv_after_bps, origin)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
         ON CONFLICT (key) DO UPDATE SET
             intent = COALESCE(actions.intent, excluded.intent),
             number = COALESCE(actions.number, excluded.number),
             reason = COALESCE(actions.reason, excluded.reason),
             price_x64 = COALESCE(excluded.price_x64, actions.price_x64),
             outcome = CASE WHEN excluded.outcome = 'pending' THEN actions.outcome ELSE excluded.outcome END,
             error = CASE WHEN excluded.outcome IN ('landed', 'expired') THEN NULL ELSE COALESCE(excluded.error, actions.error) END,
             slot = CASE WHEN excluded.outcome IN ('expired', 'dropped') THEN NULL ELSE COALESCE(excluded.slot, actions.slot) END,
             cost = CASE WHEN excluded.outcome IN ('expired', 'dropped') THEN NULL ELSE COALESCE(excluded.cost, actions.cost) END,
             signer = COALESCE(actions.signer, excluded.signer),
             equity_before = COALESCE(actions.equity_before, excluded.equity_before),
             delta_before = COALESCE(actions.delta_before, excluded.delta_before),
             ltv_before_bps = COALESCE(actions.ltv_before_bps, excluded.ltv_before_bps),
             equity_after = CASE WHEN excluded.outcome IN ('expired', 'dropped') THEN NULL ELSE COALESCE(excluded.equity_after, actions.equity_after) END,
             delta_after = CASE WHEN excluded.outcome IN ('expired', 'dropped') THEN NULL ELSE COALESCE(excluded.delta_after, actions.delta_after) END,
             ltv_after_bps = CASE WHEN excluded.outcome IN ('expired', 'dropped') THEN NULL ELSE COALESCE(excluded.ltv_after_bps, actions.ltv_after_bps) END",
        &[
            (&row.key).into(),
            row.intent.into(),
            row.secs.into(),
            (&row.position).into(),
            row.number.map(|number| Value::Text(number.to_string())).unwrap_or(Value::Null),
            (&row.action).into(),
            row.reason.as_ref().into(),
            row.price_x64.into(),
            (&row.outcome).into(),
            row.error.as_ref().into(),
            row.signature.as_ref().into(),
            row.slot.into(),
            row.cost.into(),
            row.by.as_ref().into(),
            equity,
            delta,
            ltv,
            equity_after,
            delta_after,
            ltv_after,
            origin.into(),
        ],
    )?;
    Ok(())
}

fn order(db: &mut dyn Database, row: &OverrideRow) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO overrides (key, secs, scope, position, number, mode, note, person, until_secs)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (key) DO NOTHING",
        &[
            (&row.key).into(),
            row.secs.into(),
            (&row.scope).into(),
            row.position.as_ref().into(),
            row.number
                .map(|number| Value::Text(number.to_string()))
                .unwrap_or(Value::Null),
            (&row.mode).into(),
            (&row.note).into(),
            (&row.by).into(),
            row.until_secs.into(),
        ],
    )?;
    Ok(())
}

pub(super) fn prune(db: &mut dyn Database, before_secs: i64) -> Result<u64, StoreError> {
    let before = [before_secs.into()];
    let mut gone = 0;
    for statement in [
        "DELETE FROM points WHERE secs < $1",
        "DELETE FROM actions WHERE secs < $1",
        "DELETE FROM overrides WHERE secs < $1",
        "DELETE FROM hedge_points WHERE secs < $1",
        "DELETE FROM positions WHERE closed_secs < $1
             AND NOT EXISTS (SELECT 1 FROM points WHERE points.position = positions.id)",
    ] {
        gone += db.execute(statement, &before)?;
    }
    db.execute(
        "DELETE FROM backfills WHERE position NOT IN (SELECT address FROM positions)",
        &[],
    )?;
    Ok(gone)
}
