//! What a snapshot says of itself.

use chrono::{DateTime, Utc};
use rampart_shared::ResourceName;
use serde::{Deserialize, Serialize};

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
}

impl Manifest {
    /// Names the form.
    pub const SCHEMA: &str = "rampart.snapshot/v1";
}
