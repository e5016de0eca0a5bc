//! NetworkPolicies of `networking.k8s.io`.

use super::meta::null_is_default;
use super::{LabelSelector, ObjectMeta};
use serde::{Deserialize, Serialize};

/// A NetworkPolicy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct NetworkPolicy {
    /// Its metadata.
    #[serde(rename = "metadata", default)]
    pub meta: ObjectMeta,
    /// Its spec.
    #[serde(default, deserialize_with = "null_is_default")]
    pub spec: NetworkPolicySpec,
}

/// A direction of traffic, seen from the pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyDirection {
    /// Into the pod.
    Ingress,
    /// Out of the pod.
    Egress,
}

impl PolicyDirection {
    /// As `policyTypes` has it.
    pub const fn as_str(self) -> &'static str {
        match self {
            PolicyDirection::Ingress => "Ingress",
            PolicyDirection::Egress => "Egress",
        }
    }
}

/// The spec of a NetworkPolicy.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicySpec {
    /// Which pods it selects; empty selects all.
    #[serde(default, deserialize_with = "null_is_default")]
    pub pod_selector: LabelSelector,
    /// The directions that it isolates; unset has a default.
    #[serde(default)]
    pub policy_types: Option<Vec<String>>,
    /// What may come in.
    #[serde(default, deserialize_with = "null_is_default")]
    pub ingress: Vec<NetworkPolicyRule>,
    /// What may go out.
    #[serde(default, deserialize_with = "null_is_default")]
    pub egress: Vec<NetworkPolicyRule>,
}

impl NetworkPolicySpec {
    /// Whether it isolates the pods that it selects in this direction. Unset `policyTypes` mean Ingress, and
    /// Egress if there are egress rules.
    pub fn isolates(&self, direction: PolicyDirection) -> bool {
        match &self.policy_types {
            Some(types) if !types.is_empty() => types.iter().any(|name| name == direction.as_str()),
            _ => direction == PolicyDirection::Ingress || !self.egress.is_empty(),
        }
    }

    /// The rules of a direction.
    pub fn rules(&self, direction: PolicyDirection) -> &[NetworkPolicyRule] {
        match direction {
            PolicyDirection::Ingress => &self.ingress,
            PolicyDirection::Egress => &self.egress,
        }
    }
}

/// A rule: these peers on these ports.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
pub struct NetworkPolicyRule {
    /// Ports; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub ports: Vec<NetworkPolicyPort>,
    /// Where it may come from, in an ingress rule; empty means anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub from: Vec<NetworkPolicyPeer>,
    /// Where it may go to, in an egress rule; empty means anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub to: Vec<NetworkPolicyPeer>,
}

impl NetworkPolicyRule {
    /// The peers; an ingress rule's `to` means nothing to the API, and the other way round.
    pub fn peers(&self, direction: PolicyDirection) -> &[NetworkPolicyPeer] {
        match direction {
            PolicyDirection::Ingress => &self.from,
            PolicyDirection::Egress => &self.to,
        }
    }
}

/// A port or a range of ports.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicyPort {
    /// The protocol; unset is TCP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// The port; unset is every port of the protocol.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<PolicyPort>,
    /// The last port of a range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_port: Option<i64>,
}

/// A port by number or by name.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum PolicyPort {
    /// By number.
    Number(i64),
    /// By name.
    Name(String),
}

/// A peer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NetworkPolicyPeer {
    /// Pods by label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_selector: Option<LabelSelector>,
    /// Namespaces by label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// Addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_block: Option<IpBlock>,
}

/// A range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
pub struct IpBlock {
    /// The range.
    #[serde(default)]
    pub cidr: String,
    /// Ranges within it that are not meant.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "null_is_default")]
    pub except: Vec<String>,
}
