//! What is particular to the history in a SQLite file: the file itself, and what is written to it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests, too, stop at what they do not expect"
)]

mod common;

use common::*;
use rampart_store::{ClusterScope::All, FindingFilter, History, Store, StoreError};
use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn folder() -> (PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (folder.path().join("data").join("rampart.db"), folder)
}

/// A connection beside Rampart's own, as `sqlite3` would make it.
async fn beside(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn made(path: &Path) {
    let store = Store::open(path).await.unwrap();
    store.upsert_cluster(&cluster("prod")).await.unwrap();
    store.record(&run(1, vec![failing(CONTAINERS, vec![finding("cart")])])).await.unwrap();
    store.close().await;
}

async fn refusal(path: &Path) -> StoreError {
    Store::open(path).await.expect_err("it is refused")
}

#[tokio::test]
async fn a_history_is_there_when_it_is_opened_again() {
    let (path, _folder) = folder();
    made(&path).await;
    let names: Vec<_> =
        fs::read_dir(path.parent().unwrap()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "closing leaves the database and its lock: {names:?}");
    let store = Store::open(&path).await.unwrap();
    let page = store.findings(&All, "prod", CONTAINERS, &FindingFilter::default()).await.unwrap();
    assert_eq!(page.findings[0].finding, finding("cart"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_history_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (path, _folder) = folder();
    let _store = Store::open(&path).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let mut files = 0;
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = entry.unwrap().path();
        assert_eq!(mode(&file), 0o600, "{}", file.display());
        files += 1;
    }
    assert!(files >= 3, "database, write-ahead log and lock");
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "a file, no folder").unwrap();
    let error = refusal(&file.join("data").join("rampart.db")).await;
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
    let message = error.to_string();
    assert!(
        message.starts_with(&format!("cannot write the history to {}/data: ", file.display())),
        "{message}"
    );
    assert!(message.contains("--data-dir"), "{message}");

    // A folder in the database's place.
    let error = refusal(folder.path()).await;
    assert!(matches!(error, StoreError::NotWritable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_history_is_used_by_one_process() {
    let (path, _folder) = folder();
    let store = Store::open(&path).await.unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, StoreError::InUse { .. }), "{error:?}");
    assert!(error.to_string().contains("another Rampart"), "{error}");
    drop(store);
    Store::open(&path).await.unwrap();
}

#[tokio::test]
async fn a_newer_history_is_refused_and_left_as_it_is() {
    let (path, _folder) = folder();
    made(&path).await;
    let mut connection = beside(&path).await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (4711, 'of tomorrow', TRUE, x'00', 1)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, StoreError::Newer { found: 4711, known: 2, .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains("newer version of Rampart") && message.contains("4711"), "{message}");
    let runs: i64 =
        sqlx::query_scalar("SELECT count(*) FROM run").fetch_one(&mut beside(&path).await).await.unwrap();
    assert_eq!(runs, 1);
}

#[tokio::test]
async fn other_files_are_refused_and_left_as_they_are() {
    let (path, _folder) = folder();
    fs::create_dir(path.parent().unwrap()).unwrap();
    let text = "not a database at all ".repeat(1000);
    fs::write(&path, &text).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, StoreError::NotAHistory { .. }), "{error:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);

    let other = path.with_file_name("other.db");
    let mut connection = beside(&other).await;
    sqlx::query("CREATE TABLE song (name TEXT)").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let error = refusal(&other).await;
    assert!(error.to_string().contains("another program's database"), "{error}");
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema")
        .fetch_all(&mut beside(&other).await)
        .await
        .unwrap();
    assert_eq!(tables, ["song"]);
}

#[tokio::test]
async fn a_damaged_history_is_said_to_be_damaged() {
    let (path, _folder) = folder();
    made(&path).await;
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(&path, bytes).unwrap();
    let error = refusal(&path).await;
    assert!(matches!(error, StoreError::Damaged(_)), "{error:?}");
}

#[tokio::test]
async fn a_lock_held_elsewhere_is_said_to_be_one() {
    let (path, _folder) = folder();
    made(&path).await;
    let store = Store::open(&path).await.unwrap();
    let mut backup = beside(&path).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut backup).await.unwrap();
    let run = run(2, vec![passing(CONTAINERS)]);
    let error = store.record(&run).await.unwrap_err();
    assert!(matches!(error, StoreError::Busy), "{error:?}");
    sqlx::query("ROLLBACK").execute(&mut backup).await.unwrap();
    store.record(&run).await.unwrap();
}

/// Every statement that would touch these tables fails, so an unchanged run must not even try.
#[tokio::test]
async fn an_unchanged_run_writes_no_state_finding_or_remediation() {
    let (path, _folder) = folder();
    let store = Store::open(&path).await.unwrap();
    store.upsert_cluster(&cluster("prod")).await.unwrap();
    let findings: Vec<_> = (0..200).map(|number| finding(&format!("cart-{number}"))).collect();
    let items = || {
        vec![
            failing(CONTAINERS, findings.clone()),
            passing(KUBELETS),
            unknown(rampart_shared::ItemId::SeccompApparmor, vec![no_pods()]),
        ]
    };
    store.record(&run(1, items())).await.unwrap();
    let mut connection = beside(&path).await;
    for trigger in [
        "CREATE TRIGGER a BEFORE INSERT ON finding BEGIN SELECT RAISE(ABORT, 'written'); END",
        "CREATE TRIGGER b BEFORE UPDATE ON finding BEGIN SELECT RAISE(ABORT, 'written'); END",
        "CREATE TRIGGER c BEFORE INSERT ON item_state BEGIN SELECT RAISE(ABORT, 'written'); END",
        "CREATE TRIGGER d BEFORE UPDATE ON item_state BEGIN SELECT RAISE(ABORT, 'written'); END",
        "CREATE TRIGGER e BEFORE INSERT ON remediation BEGIN SELECT RAISE(ABORT, 'written'); END",
        "CREATE TRIGGER f BEFORE INSERT ON change BEGIN SELECT RAISE(ABORT, 'written'); END",
        "CREATE TRIGGER g BEFORE INSERT ON cause BEGIN SELECT RAISE(ABORT, 'written'); END",
    ] {
        sqlx::query(trigger).execute(&mut connection).await.unwrap();
    }
    assert!(!store.record(&run(2, items())).await.unwrap().run.changed);
    store.record(&run(3, vec![passing(CONTAINERS)])).await.expect_err("the triggers hold");
    assert_eq!(store.last_run(&All, "prod").await.unwrap().unwrap().finished_at, at(2));
}
