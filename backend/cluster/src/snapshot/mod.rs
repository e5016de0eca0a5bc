//! Fills an inventory from files: what `kubectl get … -o yaml` or `-o json` wrote, or manifests not yet applied.
//!
//! Files are read in parallel; each document is reduced to what items read and dropped before the next. The order of
//! files and documents decides nothing but which of two different objects with one name counts: the later one.

mod assemble;
mod definition;
mod document;
mod entry;
mod error;
mod files;
mod input;
mod json;
mod list;
mod manifest;
mod places;
mod yaml;

pub use error::{Problem, SnapshotError};
pub use input::{Content, SnapshotInput, inputs};
pub use manifest::{MANIFEST_FILE, Manifest};
pub use places::Places;

use rampart_checklist::Inventory;

/// How a snapshot is read.
#[derive(Debug, Clone, Default)]
pub struct ReadOptions {
    /// A kind that the snapshot lacks was collected, and there are none of it.
    pub assume_complete: bool,
    /// How much is read at most.
    pub limits: Limits,
}

/// How much is read at most.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of one file, or of one entry of an archive.
    pub file: u64,
    /// Bytes of an archive's entries together.
    pub archive: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { file: 1 << 30, archive: 4 << 30 }
    }
}

/// What the files of one cluster say.
#[derive(Debug)]
pub struct Snapshot {
    /// What was seen, and what was not.
    pub inventory: Inventory,
    /// Documents that could not be used.
    pub problems: Vec<Problem>,
    /// Where the objects were found.
    pub places: Places,
}

/// Reads one cluster's files. Problems with single documents are gaps in the inventory, and are returned as well.
///
/// # Errors
/// When there is nothing to evaluate: a path that does not exist, an unreadable archive, no Kubernetes objects.
pub fn read(
    input: &SnapshotInput,
    options: &ReadOptions,
) -> Result<(Inventory, Vec<Problem>), SnapshotError> {
    let Snapshot { inventory, problems, .. } = read_with_places(input, options)?;
    Ok((inventory, problems))
}

/// The same, with the places of the objects.
///
/// # Errors
/// As [`read`].
pub fn read_with_places(input: &SnapshotInput, options: &ReadOptions) -> Result<Snapshot, SnapshotError> {
    let files = files::read(input, &options.limits)?;
    if files.is_empty() {
        return Err(SnapshotError::NoFiles { name: input.to_string() });
    }
    assemble::assemble(files, options.assume_complete)
        .ok_or_else(|| SnapshotError::NoObjects { name: input.to_string() })
}
