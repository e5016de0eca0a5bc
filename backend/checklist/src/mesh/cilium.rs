//! Cilium: mutual authentication together with WireGuard or IPsec, or ztunnel with the namespace enrolled.
//!
//! With mutual authentication every rule that admits traffic to the port must demand it. Policies that Cilium enforces
//! and that know no authentication (NetworkPolicies) must not admit any.

use super::selector::Selector;
use super::{Cause, Exposure, Mesh, Protection, Protocol, ServedPort, gaps_of, unreadable};
use crate::inventory::null_is_default;
use crate::inventory::{
    Inventory, Kind, Labels, NetworkPolicy, NetworkPolicyPort, ObjectMeta, Pod, PolicyDirection, PolicyPort,
    Resource,
};
use rampart_shared::{Gap, GapReason};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

/// Cilium's configuration and policies.
#[derive(Debug)]
pub(super) struct Cilium<'a> {
    inventory: &'a Inventory,
    configuration: Option<Configuration>,
    namespaces: HashMap<&'a str, &'a ObjectMeta>,
    policies: HashMap<&'a str, Vec<Policy<'a>>>,
    clusterwide: Vec<Policy<'a>>,
    network_policies: HashMap<&'a str, Vec<&'a NetworkPolicy>>,
    /// By namespace, those that could not be read; the cluster-wide ones under none.
    unread: HashMap<Option<&'a str>, Vec<Gap>>,
}

/// What `cilium-config` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Configuration {
    ztunnel: bool,
    mutual_authentication: bool,
    encryption: Option<&'static str>,
    enforcement: Enforcement,
}

/// `enable-policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Enforcement {
    Default,
    Always,
    Never,
}

#[derive(Debug)]
struct Policy<'a> {
    resource: &'a Resource,
    rule: Rule,
}

/// A policy's body: one rule, or several.
#[derive(Debug, Deserialize)]
struct Body {
    #[serde(default)]
    spec: Option<Rule>,
    #[serde(default, deserialize_with = "null_is_default")]
    specs: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    /// None where it selects nodes.
    #[serde(default)]
    endpoint_selector: Option<Selector>,
    #[serde(default)]
    ingress: Option<Vec<IngressRule>>,
    #[serde(default)]
    ingress_deny: Option<Vec<Value>>,
    #[serde(default, deserialize_with = "null_is_default")]
    enable_default_deny: DefaultDeny,
}

#[derive(Debug, Deserialize, Default)]
struct DefaultDeny {
    #[serde(default)]
    ingress: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct IngressRule {
    #[serde(default)]
    from_endpoints: Option<Vec<Value>>,
    #[serde(default)]
    from_entities: Option<Vec<Value>>,
    #[serde(default, rename = "fromCIDR")]
    from_cidr: Option<Vec<Value>>,
    #[serde(default, rename = "fromCIDRSet")]
    from_cidr_set: Option<Vec<Value>>,
    #[serde(default)]
    from_groups: Option<Vec<Value>>,
    #[serde(default)]
    from_nodes: Option<Vec<Value>>,
    #[serde(default)]
    to_ports: Option<Vec<PortRule>>,
    #[serde(default)]
    icmps: Option<Vec<Value>>,
    #[serde(default)]
    authentication: Option<Authentication>,
}

#[derive(Debug, Deserialize)]
struct PortRule {
    #[serde(default, deserialize_with = "null_is_default")]
    ports: Vec<PortProtocol>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PortProtocol {
    #[serde(default, deserialize_with = "null_is_default")]
    port: String,
    #[serde(default)]
    end_port: Option<i64>,
    #[serde(default)]
    protocol: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
struct Authentication {
    mode: AuthenticationMode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum AuthenticationMode {
    Disabled,
    Required,
    /// Refuses everything.
    TestAlwaysFail,
}

/// Namespaces in which Cilium is installed.
const NAMESPACES: [&str; 3] = ["kube-system", "cilium", "cilium-system"];

impl<'a> Cilium<'a> {
    pub(super) fn of(inventory: &'a Inventory, unread: &mut Vec<Gap>) -> Self {
        let mut cilium = Cilium {
            inventory,
            configuration: NAMESPACES
                .into_iter()
                .find_map(|namespace| inventory.config_map(namespace, "cilium-config"))
                .map(|map| Configuration::of(&map.data)),
            namespaces: inventory.namespaces.seen.iter().map(|meta| (meta.name.as_str(), meta)).collect(),
            policies: HashMap::new(),
            clusterwide: Vec::new(),
            network_policies: HashMap::new(),
            unread: HashMap::new(),
        };
        // Without mutual authentication Cilium's policies do not matter here.
        if !cilium.configuration.is_some_and(|configuration| configuration.mutual_authentication) {
            return cilium;
        }
        for kind in [Kind::CiliumNetworkPolicies, Kind::CiliumClusterwideNetworkPolicies] {
            for resource in &inventory.resources(kind).seen {
                let namespace = kind.is_namespaced().then(|| resource.meta.namespace_or_default());
                match resource.parse::<Body>() {
                    Ok(Body { spec, specs }) => {
                        let list = match namespace {
                            Some(namespace) => cilium.policies.entry(namespace).or_default(),
                            None => &mut cilium.clusterwide,
                        };
                        list.extend(spec.into_iter().chain(specs).map(|rule| Policy { resource, rule }));
                    }
                    Err(error) => {
                        let gap = unreadable(resource, &error);
                        unread.push(gap.clone());
                        cilium.unread.entry(namespace).or_default().push(gap);
                    }
                }
            }
        }
        for policy in &inventory.network_policies.seen {
            cilium.network_policies.entry(policy.meta.namespace_or_default()).or_default().push(policy);
        }
        cilium
    }

    /// Whether ztunnel runs, to which namespaces can be enrolled.
    pub(super) fn ztunnel_is_on(&self) -> bool {
        self.configuration.is_some_and(|configuration| configuration.ztunnel)
    }

    /// What reaches a port of a pod that has no other mesh.
    pub(super) fn protection(&self, pod: &Pod, port: ServedPort) -> Protection {
        let Some(configuration) = self.configuration else {
            return Protection::Exposed(Exposure::absent(Cause::NoMesh, NO_MESH, &[Kind::ConfigMaps]));
        };
        if configuration.ztunnel {
            let namespace = pod.meta.namespace_or_default();
            let enrolled = self
                .namespaces
                .get(namespace)
                .and_then(|meta| meta.labels.get("io.cilium/mtls-enabled"))
                .is_some_and(|value| value == "true");
            return Protection::Exposed(match (enrolled, port.protocol) {
                (true, Protocol::Tcp) => return Protection::Mutual(Mesh::CiliumZtunnel),
                (_, other @ (Protocol::Udp | Protocol::Sctp)) => Exposure::seen(
                    Cause::NotTcp,
                    format!("{}: Cilium's ztunnel takes TCP alone", other.as_str()),
                ),
                (false, Protocol::Tcp) => Exposure::absent(
                    Cause::NoMesh,
                    format!(
                        "{NO_MESH}, and namespace {namespace} is not enrolled to Cilium's ztunnel (io.cilium/mtls-enabled)"
                    ),
                    &[Kind::Namespaces],
                ),
            });
        }
        match (configuration.mutual_authentication, configuration.encryption) {
            (false, None) => Protection::Exposed(Exposure::seen(Cause::NoMesh, NO_MESH)),
            (false, Some(encryption)) => Protection::Exposed(Exposure::seen(
                Cause::EncryptionAlone,
                format!("{NO_MESH}; Cilium encrypts with {encryption}, which is not mutual authentication"),
            )),
            (true, None) => Protection::Exposed(Exposure::seen(
                Cause::AuthenticationAlone,
                format!("{NO_MESH}; Cilium authenticates, and encrypts with neither WireGuard nor IPsec"),
            )),
            (true, Some(_)) => self.authenticated(pod, port, configuration.enforcement),
        }
    }

    /// Whether all that admits traffic to the port demands authentication.
    fn authenticated(&self, pod: &Pod, port: ServedPort, enforcement: Enforcement) -> Protection {
        let namespace = pod.meta.namespace_or_default();
        if enforcement == Enforcement::Never {
            return Protection::Exposed(Exposure::seen(
                Cause::CiliumPolicy,
                "enable-policy: never in cilium-config, so that no policy demands authentication",
            ));
        }
        let mut isolated = enforcement == Enforcement::Always;
        let mut required = None;
        let mut admits: Option<(&Policy<'_>, Option<Authentication>)> = None;
        let of_namespace = self.policies.get(namespace).into_iter().flatten();
        for policy in of_namespace.chain(&self.clusterwide) {
            if !self.selects(&policy.rule, pod) {
                continue;
            }
            isolated |= policy.rule.isolates();
            for rule in policy.rule.ingress.iter().flatten().filter(|rule| rule.admits(pod, port)) {
                match rule.authentication {
                    Some(Authentication { mode: AuthenticationMode::Required }) => required = Some(policy),
                    Some(Authentication { mode: AuthenticationMode::TestAlwaysFail }) => {}
                    other => admits = admits.or(Some((policy, other))),
                }
            }
        }
        for policy in self.network_policies.get(namespace).into_iter().flatten() {
            let selector = &policy.spec.pod_selector;
            let may_select =
                selector.match_labels.iter().all(|(name, value)| pod.meta.labels.get(name) == Some(value));
            if !may_select || !policy.spec.isolates(PolicyDirection::Ingress) {
                continue;
            }
            let certain = selector.match_expressions.is_empty();
            isolated |= certain;
            let admits =
                policy.spec.rules(PolicyDirection::Ingress).iter().any(|rule| {
                    rule.ports.is_empty() || rule.ports.iter().any(|named| names(named, pod, port))
                });
            if admits && certain {
                return Protection::Exposed(Exposure::seen(
                    Cause::CiliumPolicy,
                    format!(
                        "NetworkPolicy {namespace}/{} admits traffic, and knows no authentication",
                        policy.meta.name
                    ),
                ));
            }
            if admits {
                return self.not_understood(
                    Kind::NetworkPolicies,
                    format!(
                        "NetworkPolicy {namespace}/{} admits traffic without authentication, and selects pods by matchExpressions",
                        policy.meta.name
                    ),
                );
            }
        }
        if let Some((policy, authentication)) = admits {
            let name = policy.resource.name();
            let kind = &policy.resource.object_kind;
            // A rule that says nothing takes over what another one for the same peers demands.
            if authentication.is_none()
                && let Some(other) = required
            {
                return self.not_understood(
                    policy.resource.kind,
                    format!(
                        "A rule of {kind} {name} says nothing of authentication, and {} demands it of some peers; \
                         what Cilium derives for the first is not understood",
                        other.resource.name()
                    ),
                );
            }
            return Protection::Exposed(
                Exposure::seen(
                    Cause::CiliumPolicy,
                    format!("{kind} {name} admits traffic without authentication.mode: required"),
                )
                .with(policy.resource),
            );
        }
        let kinds =
            [Kind::CiliumNetworkPolicies, Kind::CiliumClusterwideNetworkPolicies, Kind::NetworkPolicies];
        let mut gaps: Vec<Gap> = [Some(namespace), None]
            .iter()
            .filter_map(|place| self.unread.get(place))
            .flatten()
            .cloned()
            .collect();
        gaps.extend(gaps_of(self.inventory, &kinds));
        // A cluster-wide policy may select by the labels of namespaces.
        if !self.clusterwide.is_empty() {
            gaps.extend(gaps_of(self.inventory, &[Kind::Namespaces]));
        }
        if !gaps.is_empty() {
            return Protection::Unknown(gaps);
        }
        if isolated {
            Protection::Mutual(Mesh::CiliumMutualAuthentication)
        } else {
            Protection::Exposed(Exposure::seen(
                Cause::CiliumPolicy,
                "no policy isolates the pod at ingress, so that none demands authentication",
            ))
        }
    }

    fn not_understood(&self, kind: Kind, detail: String) -> Protection {
        Protection::Unknown(vec![
            Gap::new(kind.name(), GapReason::NotCollected, detail)
                .closed_by("Set authentication.mode: required on every rule that admits traffic to the pod."),
        ])
    }

    fn selects(&self, rule: &Rule, pod: &Pod) -> bool {
        let namespace = pod.meta.namespace_or_default();
        let Some(selector) = &rule.endpoint_selector else { return false };
        selector.matches(|key| {
            // Labels have a source before a colon; `k8s` and `any` are those of pods.
            let key = match key.split_once(':') {
                Some(("k8s" | "any", key)) => key,
                Some(_) => return None,
                None => key,
            };
            match key {
                "io.kubernetes.pod.namespace" => Some(namespace),
                "io.cilium.k8s.policy.serviceaccount" => Some(pod.spec.service_account.as_str()),
                key => match key.strip_prefix("io.cilium.k8s.namespace.labels.") {
                    Some(label) => self.namespaces.get(namespace)?.labels.get(label).map(String::as_str),
                    None => pod.meta.labels.get(key).map(String::as_str),
                },
            }
        })
    }
}

/// What is seen of a pod without any mesh.
const NO_MESH: &str = "no proxy of a mesh runs in the pod";

impl Configuration {
    fn of(data: &Labels) -> Self {
        let is = |key: &str, value: &str| data.get(key).is_some_and(|found| found == value);
        Configuration {
            ztunnel: is("enable-ztunnel", "true"),
            mutual_authentication: is("mesh-auth-mutual-enabled", "true")
                && !is("mesh-auth-enabled", "false"),
            encryption: if is("enable-wireguard", "true") {
                Some("WireGuard")
            } else if is("enable-ipsec", "true") {
                Some("IPsec")
            } else {
                None
            },
            enforcement: match data.get("enable-policy").map(String::as_str) {
                Some("always") => Enforcement::Always,
                Some("never") => Enforcement::Never,
                _ => Enforcement::Default,
            },
        }
    }
}

impl Rule {
    /// Whether what it does not admit is refused.
    fn isolates(&self) -> bool {
        let speaks = self.ingress.as_ref().is_some_and(|rules| !rules.is_empty())
            || self.ingress_deny.as_ref().is_some_and(|rules| !rules.is_empty());
        self.enable_default_deny.ingress.unwrap_or(speaks)
    }
}

impl IngressRule {
    fn admits(&self, pod: &Pod, port: ServedPort) -> bool {
        let peers = [
            &self.from_endpoints,
            &self.from_entities,
            &self.from_cidr,
            &self.from_cidr_set,
            &self.from_groups,
            &self.from_nodes,
        ];
        let names_peers = peers.iter().any(|peers| peers.is_some());
        let has_peers = peers.into_iter().flatten().any(|peers| !peers.is_empty());
        match &self.to_ports {
            // Ports alone are for everybody; an empty list of peers is for nobody.
            Some(ports) if !ports.is_empty() => {
                (has_peers || !names_peers) && ports.iter().any(|rule| rule.names(pod, port))
            }
            // A rule for ICMP is not for ports.
            _ => has_peers && self.icmps.as_ref().is_none_or(Vec::is_empty),
        }
    }
}

impl PortRule {
    fn names(&self, pod: &Pod, port: ServedPort) -> bool {
        self.ports.is_empty() || self.ports.iter().any(|named| named.names(pod, port))
    }
}

impl PortProtocol {
    fn names(&self, pod: &Pod, port: ServedPort) -> bool {
        let protocol = match self.protocol.as_deref() {
            None | Some("" | "ANY") => true,
            Some(protocol) => protocol.eq_ignore_ascii_case(port.protocol.as_str()),
        };
        let Some(number) = port.number.map(i64::from) else { return protocol };
        protocol
            && match self.port.parse::<i64>() {
                Ok(0) => true,
                Ok(first) => (first..=self.end_port.unwrap_or(first).max(first)).contains(&number),
                Err(_) => is_named(pod, &self.port, number),
            }
    }
}

/// Whether a port of a NetworkPolicy is this one.
fn names(named: &NetworkPolicyPort, pod: &Pod, port: ServedPort) -> bool {
    let Some(number) = port.number.map(i64::from) else { return true };
    named.protocol.as_deref().unwrap_or("TCP") == port.protocol.as_str()
        && match &named.port {
            None => true,
            Some(PolicyPort::Number(first)) => {
                (*first..=named.end_port.unwrap_or(*first).max(*first)).contains(&number)
            }
            Some(PolicyPort::Name(name)) => is_named(pod, name, number),
        }
}

fn is_named(pod: &Pod, name: &str, number: i64) -> bool {
    super::served_ports::ports(pod)
        .any(|(_, declared)| declared.name == name && declared.container_port == number)
}
