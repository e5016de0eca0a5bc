//! Remediations as files that a person takes away: the same remediations and choices give the same bytes.

mod stream;

pub use stream::yaml;

use rampart_shared::RemediationStage;
use std::collections::BTreeMap;

/// What a person picked.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The set of documents.
    pub stage: RemediationStage,
    /// The answers to inputs, by their names.
    pub choices: BTreeMap<String, String>,
}
