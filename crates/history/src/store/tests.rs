use super::{
    schema::{self, VERSION, version},
    *,
};

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
        .batch(&format!("UPDATE schema_version SET version = {}", VERSION + 1))
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
    let hidden = format!("{:?}", Location::Postgres("postgres://me:secret@h/x".into()));
    assert!(!hidden.contains("secret"));
}
