//! Remediations as files that a person takes away: the same remediations and choices give the same bytes.

mod bundle;
mod names;
mod picked;
mod plan;
mod readme;
mod stream;

pub use bundle::{ExportFile, files, fleet};
pub use names::slug;
pub use plan::{Plan, UnknownChoice, plans};
pub use stream::yaml;

use rampart_shared::{ItemId, RemediationStage, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// What a person picked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The set of documents.
    pub stage: RemediationStage,
    /// The items; all where none is named.
    pub items: BTreeSet<ItemId>,
    /// The namespaces. Where none is named, all of them and what is about the cluster as a whole.
    pub namespaces: BTreeSet<String>,
    /// The objects that findings are about; all where none is named.
    pub subjects: BTreeSet<Subject>,
    /// The answers to inputs, by their names.
    pub choices: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests;
