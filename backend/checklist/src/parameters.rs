//! What a person may set about the checklist, globally or for one cluster.

use crate::credentials::FingerprintKey;
use crate::distribution::Distribution;
use crate::image_reference::Pattern;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Parameters of an evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Namespaces that are system namespaces here, beside Kubernetes' and the distribution's own. A trailing
    /// `*` matches any ending.
    pub system_namespaces: Vec<String>,
    /// Namespaces that decide although they are Kubernetes' or the distribution's own; they win. A trailing `*`
    /// matches any ending.
    pub application_namespaces: Vec<String>,
    /// Whether violations in system namespaces decide workload items too.
    pub include_system_namespaces: bool,
    /// Who else is known to authenticate people.
    #[serde(rename = "api-server-third-party-auth")]
    pub api_server_third_party_auth: Recognisers,
    /// Which other monitors see flows.
    #[serde(rename = "network-traffic-monitoring")]
    pub network_traffic_monitoring: Recognisers,
    /// Which registries are trusted.
    #[serde(rename = "trusted-registries")]
    pub trusted_registries: TrustedRegistries,
    /// Which other managers keep secrets.
    #[serde(rename = "secret-manager")]
    pub secret_manager: Recognisers,
    /// The key of credentials' fingerprints. It is no setting: it stands in no file of settings and takes no part in
    /// the digest. Without one, a credential is told without a fingerprint, so that a change of it goes unnoticed; a
    /// key that everybody knows would be worse, since weak passwords could be tried against the fingerprints.
    #[serde(skip)]
    pub fingerprint_key: Option<FingerprintKey>,
}

/// What a person adds to the table of things that an item recognises.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recognisers {
    /// One for each thing.
    pub recognise: Vec<Recogniser>,
}

/// How a workload is recognised that an item's own table does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recogniser {
    /// What it is called.
    pub name: String,
    /// An image's repository, whole or its last components, without tag: `acme/flow-agent`.
    #[serde(default)]
    pub image: Option<String>,
    /// A label of the workload, `name` or `name=value`.
    #[serde(default)]
    pub label: Option<String>,
}

/// Which registries are trusted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrustedRegistries {
    /// Registries, with or without the first components of a repository: `registry.k8s.io`, `ghcr.io/acme`.
    pub allow: Vec<Pattern>,
}

impl Parameters {
    /// A digest that changes when the parameters do.
    pub fn digest(&self) -> String {
        // Serialising plain fields cannot fail; an empty text would only make two digests equal.
        let text = serde_json::to_string(self).unwrap_or_default();
        crate::fingerprint::hex(&Sha256::digest(text.as_bytes()))[..16].to_owned()
    }

    /// Whether a namespace is a system namespace.
    pub fn is_system(&self, namespace: &str, distribution: Distribution) -> bool {
        let system = matches!(namespace, "kube-system" | "kube-public" | "kube-node-lease")
            || distribution.system_namespaces().iter().any(|pattern| matches(pattern, namespace))
            || self.system_namespaces.iter().any(|pattern| matches(pattern, namespace));
        system && !self.application_namespaces.iter().any(|pattern| matches(pattern, namespace))
    }
}

fn matches(pattern: &str, namespace: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => namespace.starts_with(prefix),
        None => namespace == pattern,
    }
}
