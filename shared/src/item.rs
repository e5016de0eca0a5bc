//! Which items the checklist has, and what is said about each.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One item of the checklist. The order of the variants is the checklist's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ItemId {
    /// etcd speaks TLS, to its clients and to its peers.
    EtcdTls,
    /// The NodeRestriction admission plugin confines kubelets.
    KubeletNodeRestriction,
    /// Kubelets refuse anonymous requests.
    KubeletAnonymousAuth,
    /// Kubelets ask the API server who may do what.
    KubeletWebhookAuthorization,
    /// Kubelets serve no read-only port.
    KubeletReadOnlyPort,
    /// A third-party identity provider authenticates people.
    ApiServerThirdPartyAuth,
    /// Network policies restrict who reaches every application pod.
    NetworkPoliciesRestrictPods,
    /// Every application namespace denies by default.
    DefaultDeny,
    /// A monitor sees the flows between pods.
    NetworkTrafficMonitoring,
    /// Admission refuses pods that break the rules.
    AdmissionPoliciesEnforced,
    /// Images come from trusted registries.
    TrustedRegistries,
    /// Containers run with a read-only root filesystem.
    ReadOnlyRootFilesystem,
    /// Containers do not run as root.
    NonRootContainers,
    /// seccomp or AppArmor confines every container.
    SeccompApparmor,
    /// A secret manager keeps the secrets, and etcd keeps them encrypted.
    SecretManager,
    /// No credential stands in a manifest, and no Secret lacks a manager.
    NoSecretsInKubernetes,
    /// Service accounts hold no more rights than their pods need.
    LeastPrivilegeServiceAccounts,
    /// Services talk to each other over mutual TLS.
    ServiceMtls,
}

impl ItemId {
    /// Every item, in the checklist's order.
    pub const ALL: [ItemId; 18] = [
        ItemId::EtcdTls,
        ItemId::KubeletNodeRestriction,
        ItemId::KubeletAnonymousAuth,
        ItemId::KubeletWebhookAuthorization,
        ItemId::KubeletReadOnlyPort,
        ItemId::ApiServerThirdPartyAuth,
        ItemId::NetworkPoliciesRestrictPods,
        ItemId::DefaultDeny,
        ItemId::NetworkTrafficMonitoring,
        ItemId::AdmissionPoliciesEnforced,
        ItemId::TrustedRegistries,
        ItemId::ReadOnlyRootFilesystem,
        ItemId::NonRootContainers,
        ItemId::SeccompApparmor,
        ItemId::SecretManager,
        ItemId::NoSecretsInKubernetes,
        ItemId::LeastPrivilegeServiceAccounts,
        ItemId::ServiceMtls,
    ];

    /// The identifier used in the API, the database and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            ItemId::EtcdTls => "etcd-tls",
            ItemId::KubeletNodeRestriction => "kubelet-node-restriction",
            ItemId::KubeletAnonymousAuth => "kubelet-anonymous-auth",
            ItemId::KubeletWebhookAuthorization => "kubelet-webhook-authorization",
            ItemId::KubeletReadOnlyPort => "kubelet-read-only-port",
            ItemId::ApiServerThirdPartyAuth => "api-server-third-party-auth",
            ItemId::NetworkPoliciesRestrictPods => "network-policies-restrict-pods",
            ItemId::DefaultDeny => "default-deny",
            ItemId::NetworkTrafficMonitoring => "network-traffic-monitoring",
            ItemId::AdmissionPoliciesEnforced => "admission-policies-enforced",
            ItemId::TrustedRegistries => "trusted-registries",
            ItemId::ReadOnlyRootFilesystem => "read-only-root-filesystem",
            ItemId::NonRootContainers => "non-root-containers",
            ItemId::SeccompApparmor => "seccomp-apparmor",
            ItemId::SecretManager => "secret-manager",
            ItemId::NoSecretsInKubernetes => "no-secrets-in-kubernetes",
            ItemId::LeastPrivilegeServiceAccounts => "least-privilege-service-accounts",
            ItemId::ServiceMtls => "service-mtls",
        }
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no item of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the checklist has no item `{0}`")]
pub struct UnknownItem(pub String);

impl FromStr for ItemId {
    type Err = UnknownItem;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ItemId::ALL.into_iter().find(|item| item.as_str() == text).ok_or_else(|| UnknownItem(text.to_owned()))
    }
}

/// The four parts of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// etcd, the API server and the kubelets.
    ClusterComponents,
    /// Network policies and what is seen of the traffic.
    Network,
    /// Pods and what admits them.
    Workloads,
    /// Secrets, service accounts and service-to-service encryption.
    Data,
}

impl Category {
    /// Every category, in the checklist's order.
    pub const ALL: [Category; 4] =
        [Category::ClusterComponents, Category::Network, Category::Workloads, Category::Data];

    /// The heading under which the category's items stand.
    pub const fn title(self) -> &'static str {
        match self {
            Category::ClusterComponents => "Cluster components",
            Category::Network => "Network",
            Category::Workloads => "Workloads",
            Category::Data => "Data",
        }
    }
}

/// A source to read on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reference {
    /// What the source is called.
    pub title: String,
    /// Its address; always `https`.
    pub url: String,
}

/// What a person needs to know about an item. The texts live with the item's code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ItemDocumentation {
    /// Which item.
    pub id: ItemId,
    /// Its number in the full checklist, 1 to 18.
    pub number: u8,
    /// The part of the checklist that it belongs to.
    pub category: Category,
    /// A sentence that is true when the item holds.
    pub title: String,
    /// Two or three words for a column heading.
    pub short_title: String,
    /// What is checked, and what decides it.
    pub checks: String,
    /// Why it matters: what an attacker gains where it does not hold.
    pub why: String,
    /// What the item cannot see.
    pub cannot_see: String,
    /// Controls and documentation.
    pub references: Vec<Reference>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_serialised_form_agree() {
        for item in ItemId::ALL {
            assert_eq!(item.as_str().parse(), Ok(item));
            assert_eq!(serde_json::to_string(&item).unwrap(), format!("\"{item}\""));
        }
        assert!("etcd".parse::<ItemId>().is_err());
    }
}
