//! What is wrong with a configuration.

use std::{io, path::PathBuf};

/// Why a configuration cannot be used; every text names the file and, where there is one, the line and the key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// The file cannot be read.
    #[error("cannot read the configuration {path}: {cause}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The operating system's words.
        cause: io::Error,
    },
    /// The file says something that cannot be.
    #[error("{path}:{line}: {cause}", path = path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what to do.
        cause: String,
    },
    /// There is no folder to keep data in.
    #[error(
        "there is no place to keep the history: neither XDG_DATA_HOME nor HOME is set. Name a folder with --data-dir."
    )]
    NoDataFolder,
}

/// The line of a byte in a text, from 1.
pub(super) fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
}
