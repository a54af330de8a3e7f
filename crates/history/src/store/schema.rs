//! The tables, version by version.

use super::sql::{Database, StoreError, Value};

/// One step per version. `{id}` is a column of growing numbers. Integers beyond 64 bits are text. Steps that have been released
/// never change.
const STEPS: [&str; 3] = [
    // 1: sums, points, actions, overrides.
    "CREATE TABLE owner (whose TEXT NOT NULL);
     CREATE TABLE positions (
         id {id},
         address TEXT NOT NULL UNIQUE,
         market TEXT NOT NULL,
         number TEXT NOT NULL,
         opened_secs BIGINT NOT NULL,
         observed_from_secs BIGINT NOT NULL,
         seen_secs BIGINT NOT NULL,
         seen_slot BIGINT NOT NULL,
         closed_secs BIGINT,
         gaps BIGINT NOT NULL,
         fees TEXT NOT NULL,
         interest TEXT NOT NULL,
         drift TEXT NOT NULL,
         curvature TEXT NOT NULL,
         costs TEXT NOT NULL,
         flow TEXT NOT NULL,
         track TEXT NOT NULL
     );
     CREATE TABLE points (
         position BIGINT NOT NULL REFERENCES positions (id),
         interval_secs BIGINT NOT NULL,
         secs BIGINT NOT NULL,
         slot BIGINT NOT NULL,
         price_x64 TEXT NOT NULL,
         equity TEXT NOT NULL,
         delta TEXT NOT NULL,
         ltv_bps BIGINT NOT NULL,
         leverage_bps BIGINT,
         tick_lower BIGINT NOT NULL,
         tick_upper BIGINT NOT NULL,
         fees TEXT NOT NULL,
         interest TEXT NOT NULL,
         drift TEXT NOT NULL,
         curvature TEXT NOT NULL,
         costs TEXT NOT NULL,
         flow TEXT NOT NULL,
         PRIMARY KEY (position, interval_secs)
     );
     CREATE INDEX points_by_time ON points (interval_secs);
     CREATE TABLE actions (
         id {id},
         key TEXT NOT NULL UNIQUE,
         intent BIGINT,
         secs BIGINT NOT NULL,
         position TEXT NOT NULL,
         number TEXT,
         action TEXT NOT NULL,
         reason TEXT,
         price_x64 TEXT,
         outcome TEXT NOT NULL,
         error TEXT,
         signature TEXT,
         slot BIGINT,
         cost TEXT,
         signer TEXT,
         equity_before TEXT,
         delta_before TEXT,
         ltv_before_bps BIGINT,
         equity_after TEXT,
         delta_after TEXT,
         ltv_after_bps BIGINT,
         origin TEXT NOT NULL
     );
     CREATE INDEX actions_by_time ON actions (secs, id);
     CREATE INDEX actions_by_intent ON actions (intent);
     CREATE INDEX actions_by_position ON actions (position, secs, id);
     CREATE TABLE overrides (
         id {id},
         key TEXT NOT NULL UNIQUE,
         secs BIGINT NOT NULL,
         scope TEXT NOT NULL,
         position TEXT,
         number TEXT,
         mode TEXT NOT NULL,
         note TEXT NOT NULL,
         person TEXT NOT NULL,
         until_secs BIGINT
     );
     CREATE INDEX overrides_by_time ON overrides (secs, id);",
    // 2: how far the chain's history of a position has been read.
    "CREATE TABLE backfills (
         position TEXT PRIMARY KEY,
         progress TEXT NOT NULL
     );",
    // 3: points of the hedge. Decimal numbers are text.
    "CREATE TABLE hedge_points (
         account TEXT NOT NULL,
         coin TEXT NOT NULL,
         interval_secs BIGINT NOT NULL,
         secs BIGINT NOT NULL,
         price TEXT NOT NULL,
         position TEXT NOT NULL,
         equity TEXT,
         realised TEXT NOT NULL,
         unrealised TEXT NOT NULL,
         funding TEXT NOT NULL,
         fees TEXT NOT NULL,
         PRIMARY KEY (account, coin, interval_secs)
     );",
];

/// The newest version.
pub const VERSION: i64 = STEPS.len() as i64;

/// Brings the tables to a version, from whatever they are at.
///
/// # Errors
/// [`StoreError::Newer`] and those of the database.
pub fn migrate(db: &mut dyn Database, to: i64) -> Result<(), StoreError> {
    db.batch("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")?;
    let found = version(db)?;
    if found > VERSION {
        return Err(StoreError::Newer {
            place: db.place(),
            found,
            known: VERSION,
        });
    }
    for next in found + 1..=to {
        let Some(step) = usize::try_from(next - 1).ok().and_then(|at| STEPS.get(at)) else {
            break;
        };
        let step = step.replace("{id}", db.identity());
        let (begin, noted) = (
            db.begin(),
            format!("DELETE FROM schema_version; INSERT INTO schema_version VALUES ({next})"),
        );
        let done = db.batch(&format!("{begin}; {step} {noted}; COMMIT"));
        if done.is_err() {
            // The first error is the one that matters.
            let _ = db.batch("ROLLBACK");
        }
        done?;
    }
    Ok(())
}

/// The version that the tables are at; 0: there are none.
///
/// # Errors
/// Those of the database.
pub fn version(db: &mut dyn Database) -> Result<i64, StoreError> {
    let rows = db.query("SELECT version FROM schema_version", &[])?;
    Ok(match rows.first().and_then(|row| row.first()) {
        Some(Value::Int(version)) => *version,
        _ => 0,
    })
}
