//! Which clusters there are.

use rampart_shared::Source;
use std::{collections::BTreeMap, time::Duration};

/// A cluster as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterRegistration {
    /// Its name; everything recorded hangs on it.
    pub name: String,
    /// Labels, such as environment or team.
    pub labels: BTreeMap<String, String>,
    /// Where its inventory comes from.
    pub source: Source,
    /// The longest time between two evaluations that are due; three of them without one make it stale.
    pub interval: Duration,
    /// Whether it is configured now. Others keep their history and are not listed.
    pub active: bool,
}

/// Several active clusters that are one: the UID of their `kube-system` namespace is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityConflict {
    /// The UID.
    pub identity: String,
    /// The names, sorted.
    pub clusters: Vec<String>,
}
