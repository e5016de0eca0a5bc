//! A violation, with its receipt.

use crate::ResourceName;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The stable name of a finding: a hash over item, rule, group and kind, namespace, owner's name,
/// normalised path and discriminator. Never over an API version, an observed value or an index.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Fingerprint(pub String);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whose namespace a finding is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// It decides the outcome.
    Application,
    /// A system namespace: listed, and decides nothing.
    System,
}

impl Scope {
    /// The form used in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Scope::Application => "application",
            Scope::System => "system",
        }
    }
}

/// The object that a finding names: the owner, never one of its replicas.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// `group/version`, or `version` in the core group.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The namespace; none for cluster-scoped objects.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
}

impl Subject {
    /// The API group; empty for the core group.
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }
}

/// Something that a finding can be resolved only with: a kind, or one object of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RestsOn {
    /// The kind that has to be complete.
    pub kind: ResourceName,
    /// The one object that has to be seen, where one decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
}

/// A violation of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its stable name.
    pub fingerprint: Fingerprint,
    /// A hash over observed and expected; a change of it is an event in the finding's life.
    #[serde(default)]
    pub content: String,
    /// Which rule of the item is violated.
    pub rule: String,
    /// Whether it decides the outcome.
    pub scope: Scope,
    /// The object.
    pub subject: Subject,
    /// The field, relative to the subject.
    pub path: String,
    /// What was found there.
    pub observed: String,
    /// What should be there.
    pub expected: String,
    /// A remark that helps to judge it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What must have been seen completely before its absence means that it is resolved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rests_on: Vec<RestsOn>,
}
