//! Statements that read.

use std::ops::Range;

use super::{
    Stored,
    sql::{Database, Row, StoreError, Value},
};
use crate::{
    Sums,
    point::Point,
    record::{ActionRow, Figures, Origin, OverrideRow},
};

/// Which actions are asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActionQuery {
    /// Of this position; `None`: of all.
    pub position: Option<String>,
    /// Only those before this one; `None`: from the newest on.
    pub before: Option<Before>,
    /// At most so many.
    pub limit: u32,
}

/// A row that was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// By its number in the store.
    Row(i64),
    /// By its intent's number in the journal.
    Intent(u64),
}

/// A row with its number. Numbers say which row, not when: what the chain's history brings later has higher ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered<T> {
    /// Its number.
    pub id: i64,
    /// It.
    pub row: T,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actions {
    /// Newest first.
    pub rows: Vec<Numbered<ActionRow>>,
    /// Whether there are more.
    pub more: bool,
}

const TRACK: &str = "SELECT address, market, number, track FROM positions";

fn stored(values: Vec<Value>) -> Result<Stored, StoreError> {
    let mut row = Row::new(values, "a position");
    let address = row.text("the address")?;
    let market = row.text("the market")?;
    let number = row.parsed("the number")?;
    let text = row.text("the record")?;
    let track = serde_json::from_str(&text).map_err(|_| StoreError::Damaged {
        what: "the record",
        whom: address.clone(),
        found: text,
    })?;
    Ok(Stored {
        address,
        market,
        number,
        track,
    })
}

pub(super) fn tracks(db: &mut dyn Database) -> Result<Vec<Stored>, StoreError> {
    let rows = db.query(&format!("{TRACK} ORDER BY id"), &[])?;
    rows.into_iter().map(stored).collect()
}

pub(super) fn track(db: &mut dyn Database, address: &str) -> Result<Option<Stored>, StoreError> {
    let rows = db.query(&format!("{TRACK} WHERE address = $1"), &[address.into()])?;
    rows.into_iter().next().map(stored).transpose()
}

const POINT: &str = "interval_secs, secs, slot, price_x64, equity, delta, ltv_bps, leverage_bps, tick_lower, tick_upper, fees, \
                     interest, drift, curvature, costs, flow";

/// The columns of [`POINT`].
fn point(row: &mut Row) -> Result<Point, StoreError> {
    Ok(Point {
        interval_secs: row.int("the interval")?,
        secs: row.int("the time")?,
        slot: row.int("the slot")?,
        price_x64: row.parsed("the price")?,
        equity: row.parsed("the equity")?,
        delta: row.parsed("the delta")?,
        ltv_bps: row.int("the LTV")?,
        leverage_bps: row.int_or_none("the leverage")?,
        ticks: [row.int("the lower tick")?, row.int("the upper tick")?],
        sums: Sums {
            fees: row.parsed("the fees")?,
            interest: row.parsed("the interest")?,
            drift: row.parsed("the drift")?,
            curvature: row.parsed("the curvature")?,
            costs: row.parsed("the costs")?,
        },
        flow: row.parsed("the flow")?,
    })
}

pub(super) fn points(
    db: &mut dyn Database,
    address: &str,
    span: Range<i64>,
    limit: u32,
) -> Result<Vec<Point>, StoreError> {
    let rows = db.query(
        &format!(
            "SELECT {POINT} FROM points WHERE position = (SELECT id FROM positions WHERE address = $1)
             AND interval_secs >= $2 AND interval_secs < $3 ORDER BY interval_secs LIMIT $4"
        ),
        &[
            address.into(),
            span.start.into(),
            span.end.into(),
            limit.into(),
        ],
    )?;
    rows.into_iter()
        .map(|values| point(&mut Row::new(values, address)))
        .collect()
}

pub(super) fn first_points(
    db: &mut dyn Database,
    from_secs: i64,
) -> Result<Vec<(String, Point)>, StoreError> {
    let rows = db.query(
        &format!(
            "SELECT address, {POINT} FROM points
             JOIN (SELECT position AS whose, MIN(interval_secs) AS first FROM points WHERE interval_secs >= $1
                   GROUP BY position) AS firsts ON points.position = whose AND interval_secs = first
             JOIN (SELECT id, address FROM positions) AS named ON named.id = points.position"
        ),
        &[from_secs.into()],
    )?;
    let read = |values| {
        let mut row = Row::new(values, "a point");
        let address = row.text("the address")?;
        Ok((address, point(&mut row)?))
    };
    rows.into_iter().map(read).collect()
}

fn figures(row: &mut Row) -> Result<Option<Figures>, StoreError> {
    let equity = row.parsed_or_none("the equity")?;
    let delta = row.parsed_or_none("the delta")?;
    let ltv_bps = row.int_or_none("the LTV")?;
    Ok(match (equity, delta, ltv_bps) {
        (Some(equity), Some(delta), Some(ltv_bps)) => Some(Figures {
            equity,
            delta,
            ltv_bps,
        }),
        _ => None,
    })
}

fn action(values: Vec<Value>) -> Result<Numbered<ActionRow>, StoreError> {
    let mut row = Row::new(values, "an action");
    Ok(Numbered {
        id: row.int("the number")?,
        row: ActionRow {
            key: row.text("the key")?,
            intent: row.int_or_none("the intent")?,
            secs: row.int("the time")?,
            position: row.text("the position")?,
            number: row.parsed_or_none("the position's number")?,
            action: row.text("the action")?,
            reason: row.text_or_none("the reason")?,
            price_x64: row.parsed_or_none("the price")?,
            outcome: row.text("the outcome")?,
            error: row.text_or_none("the error")?,
            signature: row.text_or_none("the signature")?,
            slot: row.int_or_none("the slot")?,
            cost: row.parsed_or_none("the cost")?,
            by: row.text_or_none("the signer")?,
            before: figures(&mut row)?,
            after: figures(&mut row)?,
            origin: match row.text("the origin")?.as_str() {
                "chain" => Origin::Chain,
                _ => Origin::Journal,
            },
        },
    })
}

pub(super) fn actions(db: &mut dyn Database, query: &ActionQuery) -> Result<Actions, StoreError> {
    // In order of time, and of writing where that is the same.
    let mut newest = (i64::MAX, i64::MAX);
    if let Some(before) = query.before {
        let (column, number): (_, Value) = match before {
            Before::Row(id) => ("id", id.into()),
            Before::Intent(id) => ("intent", id.into()),
        };
        let rows = db.query(
            &format!("SELECT secs, id FROM actions WHERE {column} = $1"),
            &[number],
        )?;
        match rows.first().map(Vec::as_slice) {
            Some([Value::Int(secs), Value::Int(id)]) => newest = (*secs, *id),
            // It is too old to be kept: so is all before it.
            _ => {
                return Ok(Actions {
                    rows: Vec::new(),
                    more: false,
                });
            }
        }
    }
    let mut values: Vec<Value> = vec![
        newest.0.into(),
        newest.1.into(),
        (i64::from(query.limit) + 1).into(),
    ];
    let mut of = "";
    if let Some(position) = &query.position {
        values.push(position.into());
        of = "AND position = $4";
    }
    let rows = db.query(
        &format!(
            "SELECT id, key, intent, secs, position, number, action, reason, price_x64, outcome, error, signature, slot, cost, signer,
                 equity_before, delta_before, ltv_before_bps, equity_after, delta_after, ltv_after_bps, origin
             FROM actions WHERE (secs, id) < ($1, $2) {of} ORDER BY secs DESC, id DESC LIMIT $3"
        ),
        &values,
    )?;
    let limit = query.limit as usize;
    let more = rows.len() > limit;
    let rows = rows.into_iter().take(limit).map(action);
    Ok(Actions {
        rows: rows.collect::<Result<_, _>>()?,
        more,
    })
}

pub(super) fn overrides(
    db: &mut dyn Database,
    limit: u32,
) -> Result<Vec<Numbered<OverrideRow>>, StoreError> {
    let rows = db.query(
        "SELECT id, key, secs, scope, position, number, mode, note, person, until_secs FROM overrides
         ORDER BY secs DESC, id DESC LIMIT $1",
        &[limit.into()],
    )?;
    let read = |values| {
        let mut row = Row::new(values, "an override");
        Ok(Numbered {
            id: row.int("the number")?,
            row: OverrideRow {
                key: row.text("the key")?,
                secs: row.int("the time")?,
                scope: row.text("the scope")?,
                position: row.text_or_none("the position")?,
                number: row.parsed_or_none("the position's number")?,
                mode: row.text("the mode")?,
                note: row.text("the note")?,
                by: row.text("the person")?,
                until_secs: row.int_or_none("the end")?,
            },
        })
    };
    rows.into_iter().map(read).collect()
}

pub(super) fn backfill(db: &mut dyn Database, address: &str) -> Result<Option<String>, StoreError> {
    let rows = db.query(
        "SELECT progress FROM backfills WHERE position = $1",
        &[address.into()],
    )?;
    let read = |values| Row::new(values, address).text("the progress");
    rows.into_iter().next().map(read).transpose()
}
