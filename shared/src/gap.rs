//! What was not seen, and why.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A Kubernetes resource as `resource.group` (`pods`, `deployments.apps`), or a part of one as
/// `resource/part` (`nodes/configz`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct ResourceName(pub String);

impl ResourceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for ResourceName {
    fn from(text: &str) -> Self {
        ResourceName(text.to_owned())
    }
}

/// Why something was not seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The API server refused (403).
    Forbidden,
    /// The API server does not serve it.
    NotServed,
    /// It was asked for and did not arrive whole: time-out, error, malformed answer or document.
    Failed,
    /// Nobody asked for it: it is not in the snapshot, or reading it is switched off.
    NotCollected,
    /// The provider runs it and shows it to nobody.
    ProviderManaged,
}

impl GapReason {
    /// The form used in the API and the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            GapReason::Forbidden => "forbidden",
            GapReason::NotServed => "not_served",
            GapReason::Failed => "failed",
            GapReason::NotCollected => "not_collected",
            GapReason::ProviderManaged => "provider_managed",
        }
    }
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A rule of a ClusterRole.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct PolicyRule {
    /// API groups; the core group is the empty string. Empty for paths that are no resources.
    pub api_groups: Vec<String>,
    /// Resources, subresources as `resource/subresource`. Empty for paths that are no resources.
    pub resources: Vec<String>,
    /// Names of the objects; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resource_names: Vec<String>,
    /// Paths that are no resources, such as `/metrics`.
    #[serde(default, rename = "nonResourceURLs", skip_serializing_if = "Vec::is_empty")]
    pub non_resource_urls: Vec<String>,
    /// Verbs.
    pub verbs: Vec<String>,
}

/// Something that was not seen: a kind, or named objects of a kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// What was not seen.
    pub kind: ResourceName,
    /// Why.
    pub reason: GapReason,
    /// The cause in words, with the server's own where there are some.
    pub detail: String,
    /// The objects that are missing, by `name` or `namespace/name`; empty means that any may be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<String>,
    /// What would close the gap, in words.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub closed_by: String,
    /// The grant that would close it, where a grant would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<PolicyRule>,
}

impl Gap {
    /// A gap over a whole kind.
    pub fn new(kind: impl Into<ResourceName>, reason: GapReason, detail: impl Into<String>) -> Self {
        Gap {
            kind: kind.into(),
            reason,
            detail: detail.into(),
            objects: Vec::new(),
            closed_by: String::new(),
            rule: None,
        }
    }

    /// The same gap, for these objects alone.
    #[must_use]
    pub fn for_objects(mut self, objects: Vec<String>) -> Self {
        self.objects = objects;
        self
    }

    /// The same gap, with what would close it.
    #[must_use]
    pub fn closed_by(mut self, text: impl Into<String>) -> Self {
        self.closed_by = text.into();
        self
    }

    /// Whether the gap hides this object of this kind. Without a name: whether it hides anything of the kind.
    pub fn hides(&self, kind: &ResourceName, object: Option<&str>) -> bool {
        self.kind == *kind
            && match object {
                Some(name) => self.objects.is_empty() || self.objects.iter().any(|o| o == name),
                None => true,
            }
    }
}

impl From<String> for ResourceName {
    fn from(text: String) -> Self {
        ResourceName(text)
    }
}
