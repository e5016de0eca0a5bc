//! What a snapshot says of itself.

use chrono::{DateTime, Utc};
use rampart_shared::{Gap, ResourceName};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The name of the file that holds a [`Manifest`].
pub const MANIFEST_FILE: &str = "rampart-snapshot.json";

/// What a snapshot says of itself: when it was collected, and which kinds all of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always [`Manifest::SCHEMA`].
    pub schema: String,
    /// When collecting began.
    #[serde(default)]
    pub collected_at: Option<DateTime<Utc>>,
    /// The kinds that were collected completely, as `resource.group`; there may be no object of them.
    #[serde(default)]
    pub complete: Vec<ResourceName>,
    /// Why the others were not, by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gaps: BTreeMap<ResourceName, Vec<Gap>>,
}

impl Manifest {
    /// Names the form.
    pub const SCHEMA: &str = "rampart.snapshot/v1";
}
