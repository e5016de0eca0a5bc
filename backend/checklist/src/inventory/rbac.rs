//! Roles, bindings and service accounts, reduced to what items read.

use super::meta::null_is_default;
use super::network_policy::LabelSelector;
use super::{Kind, ObjectMeta};
use serde::Deserialize;

/// A Role or a ClusterRole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Which of them.
    pub kind: Kind,
    /// Its metadata.
    pub meta: ObjectMeta,
    /// What it allows.
    pub rules: Vec<RoleRule>,
    /// The ClusterRoles whose rules a controller copies into this one.
    pub aggregates: Vec<LabelSelector>,
}

/// A rule of a role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RoleRule {
    /// API groups; `*` is all.
    #[serde(default, deserialize_with = "null_is_default")]
    pub api_groups: Vec<String>,
    /// Resources and subresources; `*` is all.
    #[serde(default, deserialize_with = "null_is_default")]
    pub resources: Vec<String>,
    /// Verbs; `*` is all.
    #[serde(default, deserialize_with = "null_is_default")]
    pub verbs: Vec<String>,
    /// The objects meant; empty is all.
    #[serde(default, deserialize_with = "null_is_default")]
    pub resource_names: Vec<String>,
    /// Paths that are no resources.
    #[serde(default, rename = "nonResourceURLs", deserialize_with = "null_is_default")]
    pub non_resource_urls: Vec<String>,
}

/// A RoleBinding or a ClusterRoleBinding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Which of them.
    pub kind: Kind,
    /// Its metadata.
    pub meta: ObjectMeta,
    /// The role that it gives.
    pub role: RoleReference,
    /// Whom it gives the role.
    pub subjects: Vec<RoleSubject>,
}

/// The role that a binding gives.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct RoleReference {
    /// `Role` or `ClusterRole`.
    #[serde(default)]
    pub kind: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
}

/// Whom a binding gives its role.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct RoleSubject {
    /// `User`, `Group` or `ServiceAccount`.
    #[serde(default)]
    pub kind: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// The namespace of a service account.
    #[serde(default, deserialize_with = "null_is_default")]
    pub namespace: String,
}

/// A ServiceAccount.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct ServiceAccount {
    /// Its metadata.
    #[serde(rename = "metadata", default)]
    pub meta: ObjectMeta,
    /// Whether its pods get a token of the API, where they do not say so themselves; unset is yes.
    #[serde(default, rename = "automountServiceAccountToken")]
    pub automount_token: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawRole {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default, deserialize_with = "null_is_default")]
    rules: Vec<RoleRule>,
    #[serde(default, deserialize_with = "null_is_default")]
    aggregation_rule: RawAggregationRule,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawAggregationRule {
    #[serde(default, deserialize_with = "null_is_default")]
    cluster_role_selectors: Vec<LabelSelector>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawBinding {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default, deserialize_with = "null_is_default")]
    role_ref: RoleReference,
    #[serde(default, deserialize_with = "null_is_default")]
    subjects: Vec<RoleSubject>,
}

impl RawRole {
    pub(super) fn reduce(self, kind: Kind) -> Role {
        Role {
            kind,
            meta: self.metadata,
            rules: self.rules,
            aggregates: self.aggregation_rule.cluster_role_selectors,
        }
    }
}

impl RawBinding {
    pub(super) fn reduce(self, kind: Kind) -> Binding {
        Binding { kind, meta: self.metadata, role: self.role_ref, subjects: self.subjects }
    }
}
