//! What can be wrong with a snapshot.

use std::fmt;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// Why a snapshot cannot be evaluated at all.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// A path does not exist.
    #[error("{path} does not exist. Name a folder, a .tar.gz archive or files that kubectl wrote")]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// A path could not be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An archive is damaged or is not one.
    #[error("cannot read the archive {path}: {source}. Pack the folder again with `tar czf`")]
    Archive {
        /// The archive.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An archive holds more than is read.
    #[error("the archive {path} holds more than {limit} bytes. Leave out what is not `kubectl get` output")]
    TooLarge {
        /// The archive.
        path: PathBuf,
        /// The bytes that are read at most.
        limit: u64,
    },
    /// There is no file of a form that is read.
    #[error(
        "{name} holds no .yaml, .yml or .json file. Add the output of `kubectl get … -A -o yaml`, for example \
         `kubectl get pods -A -o yaml > pods.yaml`"
    )]
    NoFiles {
        /// What was to be read.
        name: String,
    },
    /// The files hold nothing that is a Kubernetes object.
    #[error(
        "{name} holds no Kubernetes objects. Add the output of `kubectl get … -A -o yaml`, for example \
         `kubectl get pods -A -o yaml > pods.yaml`"
    )]
    NoObjects {
        /// What was to be read.
        name: String,
    },
    /// One name for several clusters.
    #[error("--name {name} names one cluster, but the paths are {count} (each folder and archive is one)")]
    NameForSeveral {
        /// The name.
        name: String,
        /// How many clusters the paths are.
        count: usize,
    },
    /// One path twice.
    #[error("{path} is there twice. Name each folder, archive or file once")]
    Twice {
        /// The path.
        path: PathBuf,
    },
}

/// A document or file that could not be used. It is a gap in the inventory as well.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file, relative to the folder or archive.
    pub file: String,
    /// The line; none where the whole file is meant.
    pub line: Option<u64>,
    /// What is wrong and what follows from it.
    pub cause: String,
}

impl Problem {
    /// `file` or `file:line`.
    pub fn place(&self) -> String {
        match self.line {
            Some(line) => format!("{}:{line}", self.file),
            None => self.file.clone(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.cause)
    }
}
