//! What can go wrong, in words for the person who has to act.

use rampart_shared::ItemId;
use std::{io, path::PathBuf};
use uuid::Uuid;

/// Why the history could not be opened, written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder or the file cannot be written.
    #[error(
        "cannot write the history to {path}: {cause}. Make it writable for this user, or choose another data folder with --data-dir."
    )]
    NotWritable {
        /// The file or folder.
        path: PathBuf,
        /// The operating system's or SQLite's own words.
        cause: String,
    },
    /// Another process has the history open.
    #[error(
        "another Rampart uses the history in {path}. Stop it first, or choose another data folder with --data-dir."
    )]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// The database was written by a newer version.
    #[error(
        "{path} was written by a newer version of Rampart (its schema is at {found}, this version knows {known}). Use that version or a newer one; nothing was changed."
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// The newest migration in the database.
        found: i64,
        /// The newest migration that this version knows.
        known: i64,
    },
    /// The file is something else.
    #[error(
        "{path} is not a history of Rampart: {cause}. Choose another data folder with --data-dir, or move that file away."
    )]
    NotAHistory {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// The schema could not be brought up to date.
    #[error("cannot bring the schema of {path} up to date: {cause}")]
    Migration {
        /// The database.
        path: PathBuf,
        /// The cause.
        cause: String,
    },
    /// The database is damaged.
    #[error(
        "the history's database is damaged ({0}). Restore it from a backup, or move it away to begin anew."
    )]
    Damaged(String),
    /// The disk is full.
    #[error(
        "no space left for the history; nothing of this run was recorded. Free some space on the disk of the data folder."
    )]
    DiskFull,
    /// Another process holds a lock for too long.
    #[error(
        "the history's database is locked by another process, such as a backup or an open `sqlite3`; nothing was changed. Try again when it has ended."
    )]
    Busy,
    /// No cluster of that name, or none that may be seen.
    #[error("there is no cluster `{0}`")]
    UnknownCluster(String),
    /// A cluster's interval is no time at all, or too long to be counted in milliseconds.
    #[error("the interval of cluster `{0}` must be at least a millisecond and at most a century")]
    InvalidInterval(String),
    /// The run was recorded before.
    #[error("run {0} is already recorded; nothing was changed")]
    DuplicateRun(Uuid),
    /// A run has two results for one item.
    #[error("the run has two results for the item {0}; nothing was recorded")]
    DuplicateItem(ItemId),
    /// A value in the database is none that this version writes.
    #[error("the history holds a value that this version cannot read: {what} `{value}`")]
    Unreadable {
        /// What the value is.
        what: &'static str,
        /// The value.
        value: String,
    },
    /// The value to be stored cannot be written as JSON.
    #[error("cannot store a value as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Anything else that the database reports.
    #[error("the history's database reports: {0}")]
    Database(#[source] sqlx::Error),
}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        StoreError::Database(sqlx::Error::Io(error))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match sqlite_code(&error) {
            // SQLITE_BUSY, SQLITE_LOCKED
            Some(5 | 6) => StoreError::Busy,
            // SQLITE_CORRUPT, SQLITE_NOTADB
            Some(11 | 26) => StoreError::Damaged(error.to_string()),
            // SQLITE_FULL
            Some(13) => StoreError::DiskFull,
            _ => StoreError::Database(error),
        }
    }
}

/// The primary result code of SQLite, where the error is one of the database's own.
pub(crate) fn sqlite_code(error: &sqlx::Error) -> Option<u32> {
    let extended: u32 = error.as_database_error()?.code()?.parse().ok()?;
    Some(extended & 0xff)
}
