//! Remediations that somebody took out of Rampart.

use chrono::{DateTime, Utc};
use rampart_shared::{ItemId, RemediationStage, api::ExportFormat};

/// An export, as it is recorded: one entry for each item of each cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportRecord {
    /// When.
    pub at: DateTime<Utc>,
    /// Who, as they called themselves.
    pub by: String,
    /// The stage.
    pub stage: RemediationStage,
    /// The form.
    pub format: ExportFormat,
    /// The clusters, each with the items of which it has documents.
    pub items: Vec<(String, Vec<ItemId>)>,
}
