use ballast_localdb::Postgres as Server;

use super::{
    schema::{self, VERSION, version},
    *,
};
use crate::{
    Opening,
    step::tests::{account, at, moment},
};

fn stored() -> Stored {
    let opening = Opening {
        secs: 900,
        price: at(-16_094),
        equity: 40_000_000,
    };
    Stored {
        address: "a".into(),
        market: "m".into(),
        number: 1,
        track: Track::begin(&opening, &moment(1, -16_094, 0), &account(), None).unwrap(),
    }
}

fn a_batch_is_written_whole_or_not_at_all<D: Database>(db: D) {
    let mut store = SqlStore::new(db).unwrap();
    let mut stored = stored();
    let point = stored.track.next_point().unwrap().unwrap();
    let batch = Batch {
        tracks: vec![stored.clone()],
        points: vec![("a".into(), point)],
        ..Batch::default()
    };
    let failed = store.in_transaction(|db| {
        write::batch(db, &batch)?;
        db.execute("INSERT INTO owner (whose) VALUES ($1)", &[sql::Value::Null])
    });
    assert!(failed.is_err());
    assert_eq!(store.tracks().unwrap(), []);
    assert_eq!(store.points("a", 0..i64::MAX, 9).unwrap(), []);
    // It goes on with the same connection.
    store.write(&batch).unwrap();
    assert_eq!(store.tracks().unwrap(), [stored]);
    assert_eq!(store.points("a", 0..i64::MAX, 9).unwrap(), [point]);
}

#[test]
fn sqlite_writes_a_batch_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.sqlite");
    a_batch_is_written_whole_or_not_at_all(Sqlite::open(&path).unwrap());
}

#[test]
fn postgres_writes_a_batch_whole_or_not_at_all() {
    if let Some(server) = Server::shared_or_skip() {
        let url = server.database().unwrap();
        a_batch_is_written_whole_or_not_at_all(Postgres::connect(&url).unwrap());
    }
}

#[test]
fn a_lost_connection_is_told_apart_from_a_refusal() {
    let Some(server) = Server::start().ok() else {
        return;
    };
    let url = server.database().unwrap();
    let mut store = SqlStore::new(Postgres::connect(&url).unwrap()).unwrap();
    let refused = store.db.batch("SELECT nonsense").unwrap_err();
    assert!(!refused.is_lost_connection(), "{refused}");
    server.crash().unwrap();
    let lost = store.tracks().unwrap_err();
    assert!(lost.is_lost_connection(), "{lost}");
    let mut again = SqlStore::new(Postgres::connect(&url).unwrap()).unwrap();
    assert_eq!(again.tracks().unwrap(), []);
}

#[test]
fn an_older_schema_is_brought_up_and_a_newer_one_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("history.sqlite");
    let mut db = Sqlite::open(&path).unwrap();
    schema::migrate(&mut db, 1).unwrap();
    assert_eq!(version(&mut db).unwrap(), 1);
    db.execute("INSERT INTO owner (whose) VALUES ($1)", &["me".into()])
        .unwrap();
    drop(db);
    // What was in it is still there, and the new table as well.
    let mut store = SqlStore::new(Sqlite::open(&path).unwrap()).unwrap();
    assert_eq!(version(&mut store.db).unwrap(), VERSION);
    store.claim("me").unwrap();
    assert!(matches!(
        store.claim("you"),
        Err(StoreError::Foreign { .. })
    ));
    assert_eq!(store.backfill("x").unwrap(), None);
    store
        .db
        .batch(&format!(
            "UPDATE schema_version SET version = {}",
            VERSION + 1
        ))
        .unwrap();
    drop(store);
    let error = SqlStore::new(Sqlite::open(&path).unwrap()).err().unwrap();
    assert!(matches!(error, StoreError::Newer { .. }), "{error}");
}

#[test]
fn a_server_elsewhere_is_refused_without_a_word_about_its_network() {
    for url in [
        "postgres://me:secret@db.example.org/x",
        "postgres://me:secret@db.example.org/x?sslmode=require",
    ] {
        let error = Postgres::connect(url).err().unwrap().to_string();
        assert!(error.contains("sslmode=disable"), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
    let error = Postgres::connect("postgres://me:secret@[").err().unwrap();
    assert!(matches!(error, StoreError::Url(_)));
    assert!(!error.to_string().contains("secret"), "{error}");
    let hidden = format!(
        "{:?}",
        Location::Postgres("postgres://me:secret@h/x".into())
    );
    assert!(!hidden.contains("secret"));
}
