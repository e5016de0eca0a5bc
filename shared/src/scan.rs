//! What `rampart scan` prints.

use crate::{ItemResult, Score};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Where an inventory came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// An API server.
    Live,
    /// Files.
    Snapshot,
}

/// One cluster in a scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterScan {
    /// The cluster's name.
    pub name: String,
    /// Where the inventory came from.
    pub source: Source,
    /// When it was collected; none where the snapshot does not say.
    #[serde(serialize_with = "seconds")]
    pub collected_at: Option<DateTime<Utc>>,
    /// The score; none when nothing applies.
    pub score: Option<Score>,
    /// Every item, in the checklist's order.
    pub items: Vec<ItemResult>,
}

/// The result of `rampart scan --format json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScanReport {
    /// Always [`ScanReport::SCHEMA`].
    pub schema: String,
    /// The checklist's version.
    pub catalogue: String,
    /// The clusters, by name.
    pub clusters: Vec<ClusterScan>,
}

impl ScanReport {
    /// Names the form.
    pub const SCHEMA: &str = "rampart.scan/v1";

    /// A report over these clusters, sorted by name.
    pub fn new(catalogue: impl Into<String>, mut clusters: Vec<ClusterScan>) -> Self {
        clusters.sort_by(|a, b| a.name.cmp(&b.name));
        ScanReport { schema: Self::SCHEMA.to_owned(), catalogue: catalogue.into(), clusters }
    }
}

fn seconds<S: serde::Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(&time.format("%Y-%m-%dT%H:%M:%SZ")),
        None => serializer.serialize_none(),
    }
}
