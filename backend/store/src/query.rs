//! What can be asked.

use chrono::{DateTime, Utc};
use rampart_shared::{
    ItemId, Scope,
    api::{ChangeKind, FindingState},
};
use std::collections::BTreeSet;

/// The clusters that the asker may see. A cluster outside it is as unknown as one that does not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClusterScope {
    /// Every cluster.
    All,
    /// These clusters.
    Only(BTreeSet<String>),
}

impl ClusterScope {
    /// Whether the asker may see this cluster.
    pub fn sees(&self, cluster: &str) -> bool {
        match self {
            ClusterScope::All => true,
            ClusterScope::Only(names) => names.contains(cluster),
        }
    }
}

/// Findings in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StateFilter {
    /// Open or unconfirmed: what stands.
    #[default]
    Standing,
    /// In this state.
    Only(FindingState),
    /// In any state.
    Any,
}

/// Which findings of an item, and which page of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingFilter {
    /// In which state.
    pub state: StateFilter,
    /// In application or system namespaces; none means both.
    pub scope: Option<Scope>,
    /// In this namespace.
    pub namespace: Option<String>,
    /// With this text in kind, namespace, name, path, rule, observed or expected; case of ASCII letters is ignored.
    pub text: Option<String>,
    /// At most so many, at least one.
    pub limit: u32,
    /// Leaving out so many.
    pub offset: u32,
}

impl Default for FindingFilter {
    fn default() -> Self {
        FindingFilter {
            state: StateFilter::default(),
            scope: None,
            namespace: None,
            text: None,
            limit: 100,
            offset: 0,
        }
    }
}

/// Which trend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrendQuery {
    /// So many days, today included.
    pub days: u32,
    /// Of this cluster; none means of all active clusters.
    pub cluster: Option<String>,
    /// Of this item; none means of all items.
    pub item: Option<ItemId>,
}

/// Which changes, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeFilter {
    /// Of this cluster; none means of all active clusters.
    pub cluster: Option<String>,
    /// Of this item.
    pub item: Option<ItemId>,
    /// Of these kinds; empty means of every kind.
    pub kinds: Vec<ChangeKind>,
    /// Not before.
    pub since: Option<DateTime<Utc>>,
    /// At most so many.
    pub limit: u32,
}

impl Default for ChangeFilter {
    fn default() -> Self {
        ChangeFilter { cluster: None, item: None, kinds: Vec::new(), since: None, limit: 100 }
    }
}
