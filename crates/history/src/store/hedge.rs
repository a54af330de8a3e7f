//! Statements about the hedge's points.

use std::ops::Range;

use rust_decimal::Decimal;

use super::sql::{Database, Row, StoreError, Value};
use crate::HedgePoint;

fn value(amount: &Decimal) -> Value {
    Value::Text(amount.normalize().to_string())
}

pub(super) fn write(db: &mut dyn Database, point: &HedgePoint) -> Result<(), StoreError> {
    db.execute(
        "INSERT INTO hedge_points (account, coin, interval_secs, secs, price, position, equity, realised, unrealised, funding, fees)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (account, coin, interval_secs) DO NOTHING",
        &[
            (&point.account).into(),
            (&point.coin).into(),
            point.interval_secs.into(),
            point.secs.into(),
            value(&point.price),
            value(&point.position),
            point.equity.as_ref().map_or(Value::Null, value),
            value(&point.realised),
            value(&point.unrealised),
            value(&point.funding),
            value(&point.fees),
        ],
    )?;
    Ok(())
}

pub(super) fn points(
    db: &mut dyn Database,
    [account, coin]: [&str; 2],
    span: Range<i64>,
    limit: u32,
) -> Result<Vec<HedgePoint>, StoreError> {
    let rows = db.query(
        "SELECT interval_secs, secs, price, position, equity, realised, unrealised, funding, fees FROM hedge_points
         WHERE account = $1 AND coin = $2 AND interval_secs >= $3 AND interval_secs < $4
         ORDER BY interval_secs LIMIT $5",
        &[
            account.into(),
            coin.into(),
            span.start.into(),
            span.end.into(),
            limit.into(),
        ],
    )?;
    let read = |values| {
        let mut row = Row::new(values, coin);
        Ok(HedgePoint {
            account: account.into(),
            coin: coin.into(),
            interval_secs: row.int("the interval")?,
            secs: row.int("the time")?,
            price: row.parsed("the price")?,
            position: row.parsed("the position")?,
            equity: row.parsed_or_none("the equity")?,
            realised: row.parsed("what was realised")?,
            unrealised: row.parsed("what was not realised")?,
            funding: row.parsed("the funding")?,
            fees: row.parsed("the fees")?,
        })
    };
    rows.into_iter().map(read).collect()
}
