//! Metadata, reduced to what items read.

use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Labels or annotations.
pub type Labels = BTreeMap<String, String>;

/// What items read of `metadata`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectMeta {
    /// The name.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
    /// The namespace; empty for cluster-scoped objects and where a manifest leaves it out.
    #[serde(default, deserialize_with = "null_is_default")]
    pub namespace: String,
    /// The UID; empty in manifests.
    #[serde(default, deserialize_with = "null_is_default")]
    pub uid: String,
    /// Labels; shared between replicas.
    #[serde(default, deserialize_with = "null_is_default")]
    pub labels: Arc<Labels>,
    /// The annotations that items read; the others are dropped while deserialising.
    #[serde(default, deserialize_with = "kept_annotations")]
    pub annotations: Labels,
    /// Owners.
    #[serde(default, deserialize_with = "null_is_default")]
    pub owner_references: Vec<OwnerReference>,
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

fn kept_annotations<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Labels, D::Error> {
    let mut annotations: Labels = null_is_default(deserializer)?;
    annotations.retain(|name, _| {
        KEPT_ANNOTATIONS.contains(&name.as_str())
            || KEPT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    });
    Ok(annotations)
}

/// `null` in a manifest means the same as leaving the field out.
pub(crate) fn null_is_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}
