//! Metadata, reduced to what items read.

use super::credential::{CredentialAt, in_annotations};
use super::field_owner::{FieldOwner, ManagedFields};
use crate::credentials::LAST_APPLIED;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Labels or annotations.
pub type Labels = BTreeMap<String, String>;

/// What items read of `metadata`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(from = "RawObjectMeta")]
pub struct ObjectMeta {
    /// The name.
    pub name: String,
    /// The namespace; empty for cluster-scoped objects and where a manifest leaves it out.
    pub namespace: String,
    /// The UID; empty in manifests.
    pub uid: String,
    /// Labels; shared between replicas.
    pub labels: Arc<Labels>,
    /// The annotations that items read; the others are dropped while deserialising.
    pub annotations: Labels,
    /// The credentials in its annotations, also in those that are dropped.
    pub credentials: Vec<CredentialAt>,
    /// Owners.
    pub owner_references: Vec<OwnerReference>,
    /// Whether kubectl's client-side apply keeps there what it applied last.
    pub client_side_applied: bool,
}

impl ObjectMeta {
    /// The owner that controls the object.
    pub fn controller(&self) -> Option<&OwnerReference> {
        self.owner_references.iter().find(|owner| owner.controller)
    }

    /// The namespace of a namespaced object: manifests that leave it out mean `default`.
    pub fn namespace_or_default(&self) -> &str {
        if self.namespace.is_empty() { "default" } else { &self.namespace }
    }
}

/// A reference to an owner.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnerReference {
    /// The owner's API version.
    #[serde(default)]
    pub api_version: String,
    /// The owner's kind.
    #[serde(default)]
    pub kind: String,
    /// The owner's name.
    #[serde(default)]
    pub name: String,
    /// Whether the owner controls the object.
    #[serde(default, deserialize_with = "null_is_default")]
    pub controller: bool,
}

/// Annotations that items read. `k3s.io/node-args` may hold credentials: nodes reduce it further.
const KEPT_ANNOTATIONS: [&str; 10] = [
    "deployment.kubernetes.io/revision",
    "deprecated.daemonset.template.generation",
    "kubernetes.io/config.mirror",
    "kubeadm.alpha.kubernetes.io/cri-socket",
    "k3s.io/node-args",
    "k3s.io/node-env",
    "rke2.io/node-args",
    "rke2.io/node-env",
    "consul.hashicorp.com/connect-inject-status",
    "kuma.io/sidecar-injected",
];
/// Families of annotations that items read.
const KEPT_PREFIXES: [&str; 14] = [
    "container.apparmor.security.beta.kubernetes.io/",
    "eks.amazonaws.com/",
    "iam.gke.io/",
    "azure.workload.identity/",
    "sidecar.istio.io/",
    "traffic.sidecar.istio.io/",
    "ambient.istio.io/",
    "inject.istio.io/",
    "linkerd.io/",
    "config.linkerd.io/",
    "vault.hashicorp.com/agent-inject",
    "service.beta.openshift.io/",
    "service.alpha.openshift.io/",
    "rbac.authorization.kubernetes.io/",
];

/// Metadata with who owns which field; for the kinds whose fields remedies apply.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "RawObjectMeta<ManagedFields>")]
pub(super) struct ManagedObjectMeta {
    pub(super) meta: ObjectMeta,
    pub(super) field_owners: Vec<FieldOwner>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "M: Deserialize<'de> + Default"))]
struct RawObjectMeta<M = IgnoredAny> {
    #[serde(default, deserialize_with = "null_is_default")]
    name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    namespace: String,
    #[serde(default, deserialize_with = "null_is_default")]
    uid: String,
    #[serde(default, deserialize_with = "null_is_default")]
    labels: Arc<Labels>,
    #[serde(default, deserialize_with = "null_is_default")]
    annotations: Labels,
    #[serde(default, deserialize_with = "null_is_default")]
    owner_references: Vec<OwnerReference>,
    #[serde(default)]
    managed_fields: M,
}

impl From<RawObjectMeta<ManagedFields>> for ManagedObjectMeta {
    fn from(mut raw: RawObjectMeta<ManagedFields>) -> Self {
        let field_owners = std::mem::take(&mut raw.managed_fields).0;
        ManagedObjectMeta { meta: raw.into(), field_owners }
    }
}

impl<M> From<RawObjectMeta<M>> for ObjectMeta {
    fn from(raw: RawObjectMeta<M>) -> Self {
        let RawObjectMeta { name, namespace, uid, labels, mut annotations, owner_references, .. } = raw;
        let credentials = in_annotations(&annotations);
        let client_side_applied = annotations.contains_key(LAST_APPLIED);
        annotations.retain(|name, _| {
            KEPT_ANNOTATIONS.contains(&name.as_str())
                || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        });
        ObjectMeta {
            name,
            namespace,
            uid,
            labels,
            annotations,
            credentials,
            owner_references,
            client_side_applied,
        }
    }
}

/// `null` in a manifest means the same as leaving the field out.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
