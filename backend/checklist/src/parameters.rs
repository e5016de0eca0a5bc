//! What a person may set about the checklist, globally or for one cluster.

use crate::distribution::Distribution;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Parameters of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Namespaces that are system namespaces here, beside Kubernetes' and the distribution's own. A trailing
    /// `*` matches any ending.
    pub system_namespaces: Vec<String>,
    /// Whether violations in system namespaces decide workload items too.
    pub include_system_namespaces: bool,
}

impl Parameters {
    /// A digest that changes when the parameters do.
    pub fn digest(&self) -> String {
        // Serialising two plain fields cannot fail; an empty text would only make two digests equal.
        let text = serde_json::to_string(self).unwrap_or_default();
        crate::fingerprint::hex(&Sha256::digest(text.as_bytes()))[..16].to_owned()
    }

    /// Whether a namespace is a system namespace.
    pub fn is_system(&self, namespace: &str, distribution: Distribution) -> bool {
        matches!(namespace, "kube-system" | "kube-public" | "kube-node-lease")
            || distribution.system_namespaces().iter().any(|pattern| matches(pattern, namespace))
            || self.system_namespaces.iter().any(|pattern| matches(pattern, namespace))
    }
}

fn matches(pattern: &str, namespace: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => namespace.starts_with(prefix),
        None => namespace == pattern,
    }
}
