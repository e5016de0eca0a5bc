//! CustomResourceDefinitions: which kinds a cluster knows beside its own.

use serde::Deserialize;

/// What is read of a CustomResourceDefinition.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub(super) struct Definition {
    #[serde(default)]
    metadata: Metadata,
    #[serde(default)]
    spec: Spec,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    uid: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
struct Spec {
    #[serde(default)]
    group: String,
    #[serde(default)]
    names: Names,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
struct Names {
    #[serde(default)]
    plural: String,
}

impl Definition {
    /// Whether an object says that it is one.
    pub(super) fn is_named(api_version: &str, kind: &str) -> bool {
        kind == "CustomResourceDefinition" && api_version.starts_with("apiextensions.k8s.io/")
    }

    /// Whether an API server gave it; manifests have no UID.
    pub(super) fn is_from_cluster(&self) -> bool {
        !self.metadata.uid.is_empty()
    }

    /// The plural resource and its group.
    pub(super) fn resource(&self) -> (&str, &str) {
        (&self.spec.names.plural, &self.spec.group)
    }
}
