//! Opening the file: folder, lock, connections, schema.

use super::{Answer, Store};
use crate::{StoreError, error::sqlite_code};
use sqlx::{
    SqlSafeStr, SqlitePool,
    migrate::{MigrateError, Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// Version, description and text of each migration, in order; listed by the build script.
const MIGRATIONS: &[(i64, &str, &str)] = &include!(concat!(env!("OUT_DIR"), "/sqlite_migrations.rs"));

/// `application_id` of a history, as the first migration sets it.
const APPLICATION_ID: i64 = 0x5261_6d70;

const READERS: u32 = 4;

/// Recording waits for its turn; a page does not wait that long.
const WRITER_PATIENCE: Duration = Duration::from_secs(120);
const READER_PATIENCE: Duration = Duration::from_secs(30);

/// How long another process, such as a backup, may hold its lock.
const BUSY_PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn open(path: &Path) -> Answer<Store> {
    make_folder(path)?;
    let lock = lock(path)?;
    make_file(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        // A loss of power may lose the last runs, which are then made again, and damages nothing.
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(BUSY_PATIENCE);
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(WRITER_PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_with(options.clone())
        .await
        .map_err(|error| opening(path, error))?;
    refuse_another_program(path, &writer).await?;
    migrate(path, &writer).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(READER_PATIENCE)
        .connect_with(options.pragma("query_only", "ON"))
        .await
        .map_err(|error| opening(path, error))?;
    Ok(Store { writer, readers, _lock: Arc::new(lock) })
}

fn make_folder(path: &Path) -> Answer<()> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
    else {
        return Ok(());
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| not_writable(folder, &error))
}

/// The lock is on a file of its own: closing a second handle of the database itself would drop SQLite's locks.
fn lock(path: &Path) -> Answer<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let name = PathBuf::from(name);
    let file = private(&name).map_err(|error| not_writable(&name, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => {
            tracing::warn!(path = %name.display(), %error, "the file system has no locks: make sure that only one Rampart uses this history");
            Ok(file)
        }
    }
}

fn make_file(path: &Path) -> Answer<()> {
    private(path).map(drop).map_err(|error| not_writable(path, &error))
}

/// Opens for writing; a new file is for this user alone. SQLite gives its other files the same mode.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

async fn refuse_another_program(path: &Path, writer: &SqlitePool) -> Answer<()> {
    let tables: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM sqlite_schema WHERE name <> '_sqlx_migrations' AND name NOT LIKE 'sqlite_%'",
    )
    .fetch_one(writer)
    .await
    .map_err(|error| opening(path, error))?;
    let application: i64 = sqlx::query_scalar("PRAGMA application_id")
        .fetch_one(writer)
        .await
        .map_err(|error| opening(path, error))?;
    if tables > 0 && application != APPLICATION_ID {
        let cause = "it is another program's database".to_owned();
        return Err(StoreError::NotAHistory { path: path.to_owned(), cause });
    }
    Ok(())
}

async fn migrate(path: &Path, writer: &SqlitePool) -> Answer<()> {
    let migrations = MIGRATIONS
        .iter()
        .map(|(version, description, sql)| {
            let kind = MigrationType::Simple;
            Migration::new(*version, (*description).into(), kind, sql.into_sql_str(), false)
        })
        .collect();
    let path = path.to_owned();
    match Migrator::with_migrations(migrations).run(writer).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(found)) => {
            let known = MIGRATIONS.last().map_or(0, |(version, ..)| *version);
            Err(StoreError::Newer { path, found, known })
        }
        Err(MigrateError::Execute(error)) => Err(opening(&path, error)),
        Err(MigrateError::ExecuteMigration(error, _)) if sqlite_code(&error) == Some(13) => {
            Err(StoreError::DiskFull)
        }
        Err(error) => Err(StoreError::Migration { path, cause: error.to_string() }),
    }
}

fn opening(path: &Path, error: sqlx::Error) -> StoreError {
    match sqlite_code(&error) {
        // SQLITE_READONLY, SQLITE_IOERR, SQLITE_CANTOPEN
        Some(8 | 10 | 14) => StoreError::NotWritable { path: path.to_owned(), cause: error.to_string() },
        // SQLITE_NOTADB
        Some(26) => {
            StoreError::NotAHistory { path: path.to_owned(), cause: "it is no SQLite database".to_owned() }
        }
        _ => error.into(),
    }
}

fn not_writable(path: &Path, error: &io::Error) -> StoreError {
    StoreError::NotWritable { path: path.to_owned(), cause: error.to_string() }
}
