//! AdminNetworkPolicy and BaselineAdminNetworkPolicy (`policy.networking.k8s.io/v1alpha1`) and ClusterNetworkPolicy
//! (`v1alpha2`).
//!
//! They isolate nobody by selecting them: their rules act as they are written, in order, before NetworkPolicies (Admin)
//! or after them, for pods that none selects (Baseline): <https://network-policy-api.sigs.k8s.io/api-overview/>.

use super::UnreadablePolicy;
use super::address::IpRange;
use super::endpoint::Protocol;
use super::policy::{Policy, PolicyReference, Section, tier};
use super::rule::{Action, PeerMatch, PortMatch, Rule};
use super::selector::Expression;
use crate::inventory::{Kind, LabelSelector};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Compiles a policy's spec.
pub(super) fn compile(
    kind: Kind,
    reference: PolicyReference,
    spec: &Value,
) -> Result<Policy, UnreadablePolicy> {
    let spec = Spec::deserialize(spec)?;
    let tier = match (kind, spec.tier.as_deref()) {
        (Kind::AdminNetworkPolicies, None) => tier::ADMIN_NETWORK_POLICY,
        (Kind::BaselineAdminNetworkPolicies, None) => tier::BASELINE_ADMIN_NETWORK_POLICY,
        (Kind::ClusterNetworkPolicies, Some("Admin")) => tier::ADMIN,
        (Kind::ClusterNetworkPolicies, Some("Baseline")) => tier::BASELINE,
        (_, tier) => {
            return Err(UnreadablePolicy(format!("the tier `{}` is not known", tier.unwrap_or_default())));
        }
    };
    let section = |rules: &[Value], peers: &str| {
        (!rules.is_empty()).then(|| Section {
            rules: rules.iter().map(|value| rule(value, peers)).collect(),
            ..Section::default()
        })
    };
    Ok(Policy {
        reference,
        subject: subject(&spec.subject),
        tier,
        own_tier: None,
        order: spec.priority.unwrap_or_default(),
        ingress: section(&spec.ingress, "from"),
        egress: section(&spec.egress, "to"),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    tier: Option<String>,
    priority: Option<f64>,
    subject: Map<String, Value>,
    #[serde(default)]
    ingress: Vec<Value>,
    #[serde(default)]
    egress: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NamespacedPod {
    namespace_selector: LabelSelector,
    pod_selector: LabelSelector,
}

fn subject(subject: &Map<String, Value>) -> Expression {
    match pods(subject) {
        Some(expression) => expression,
        None => Expression::Unreadable("its subject is not understood".to_owned()),
    }
}

/// Pods by `namespaces` or `pods`; none where it is anything else.
fn pods(choice: &Map<String, Value>) -> Option<Expression> {
    let mut fields = choice.iter().filter(|(_, value)| !value.is_null());
    let (name, value) = fields.next()?;
    if fields.next().is_some() {
        return None;
    }
    match name.as_str() {
        "namespaces" => {
            // An older form had `namespaceSelector` or `sameLabels` in here, which mean something else.
            let known = |field: &String| matches!(field.as_str(), "matchLabels" | "matchExpressions");
            if !value.as_object()?.keys().all(known) {
                return None;
            }
            Some(Expression::of_namespaces(&LabelSelector::deserialize(value).ok()?))
        }
        "pods" => {
            let pod = NamespacedPod::deserialize(value).ok()?;
            Some(Expression::all(vec![
                Expression::of_namespaces(&pod.namespace_selector),
                Expression::of_pods(&pod.pod_selector),
            ]))
        }
        _ => None,
    }
}

fn rule(value: &Value, peers: &str) -> Rule {
    let action = match value.get("action").and_then(Value::as_str) {
        Some("Allow" | "Accept") => Action::Allow,
        Some("Pass") => Action::Pass,
        Some("Deny") => Action::Deny,
        _ => return Rule::unreadable(Action::Allow, "the action of a rule is not known"),
    };
    let known = |field: &String| {
        matches!(field.as_str(), "name" | "action" | "ports" | "protocols") || field == peers
    };
    if !value.as_object().is_some_and(|rule| rule.keys().all(known)) {
        return Rule::unreadable(action, "a rule has a field that is not understood");
    }
    let list = |field: &str| value.get(field).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let ports: Vec<PortMatch> =
        list("ports").iter().map(port).chain(list("protocols").iter().map(protocol)).collect();
    let peer = PeerMatch::Any(list(peers).iter().map(|value| peer(value, peers)).collect());
    Rule::new(action, peer, if ports.is_empty() { PortMatch::Every } else { PortMatch::Any(ports) })
}

fn peer(value: &Value, peers: &str) -> PeerMatch {
    let unreadable = || PeerMatch::Unreadable("a peer is not understood".to_owned());
    let Some(choice) = value.as_object() else { return unreadable() };
    if let Some(expression) = pods(choice) {
        return PeerMatch::Pods(expression);
    }
    match choice.iter().next() {
        // Ingress has no peers but pods.
        _ if peers == "from" || choice.len() != 1 => unreadable(),
        Some((field, Value::Array(networks))) if field == "networks" => {
            let ranges: Option<Vec<IpRange>> =
                networks.iter().map(|network| IpRange::parse(network.as_str()?)).collect();
            match ranges {
                // They match pods of the cluster by their addresses too.
                Some(ranges) => PeerMatch::Any(
                    ranges
                        .into_iter()
                        .map(|range| PeerMatch::Addresses { range, except: Vec::new() })
                        .collect(),
                ),
                None => unreadable(),
            }
        }
        Some((field, _)) if field == "domainNames" => {
            PeerMatch::SomeAddresses("a rule names its peers by domain".to_owned())
        }
        Some((field, _)) if field == "nodes" => PeerMatch::NamedAddresses,
        _ => unreadable(),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AdminPort {
    port_number: Option<NumberedPort>,
    port_range: Option<PortRange>,
    named_port: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NumberedPort {
    protocol: String,
    port: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PortRange {
    protocol: Option<String>,
    start: i64,
    end: i64,
}

/// A port of `v1alpha1`.
fn port(value: &Value) -> PortMatch {
    let range = |protocol: &str, first, last| match Protocol::parse(protocol) {
        Some(protocol) => PortMatch::range(Some(protocol), first, last),
        None => PortMatch::Unreadable(format!("the protocol `{protocol}` is not known")),
    };
    match AdminPort::deserialize(value) {
        Ok(AdminPort { port_number: Some(port), port_range: None, named_port: None }) => {
            range(&port.protocol, port.port, port.port)
        }
        Ok(AdminPort { port_number: None, port_range: Some(ports), named_port: None }) => {
            range(ports.protocol.as_deref().unwrap_or("TCP"), ports.start, ports.end)
        }
        Ok(AdminPort { port_number: None, port_range: None, named_port: Some(name) }) => {
            PortMatch::Named { protocol: None, name }
        }
        _ => PortMatch::Unreadable("a port is not understood".to_owned()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClusterProtocol {
    tcp: Option<Destination>,
    udp: Option<Destination>,
    sctp: Option<Destination>,
    destination_named_port: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Destination {
    destination_port: Option<ClusterPort>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClusterPort {
    number: Option<i64>,
    range: Option<PortRange>,
}

/// A protocol of `v1alpha2`.
fn protocol(value: &Value) -> PortMatch {
    let unreadable = || PortMatch::Unreadable("a protocol is not understood".to_owned());
    let of = |protocol, destination: Destination| match destination.destination_port {
        None => PortMatch::all_of(protocol),
        Some(ClusterPort { number: Some(number), range: None }) => {
            PortMatch::range(Some(protocol), number, number)
        }
        Some(ClusterPort { number: None, range: Some(PortRange { protocol: None, start, end }) }) => {
            PortMatch::range(Some(protocol), start, end)
        }
        Some(_) => unreadable(),
    };
    match ClusterProtocol::deserialize(value) {
        Ok(ClusterProtocol { tcp: Some(port), udp: None, sctp: None, destination_named_port: None }) => {
            of(Protocol::Tcp, port)
        }
        Ok(ClusterProtocol { tcp: None, udp: Some(port), sctp: None, destination_named_port: None }) => {
            of(Protocol::Udp, port)
        }
        Ok(ClusterProtocol { tcp: None, udp: None, sctp: Some(port), destination_named_port: None }) => {
            of(Protocol::Sctp, port)
        }
        Ok(ClusterProtocol { tcp: None, udp: None, sctp: None, destination_named_port: Some(name) }) => {
            PortMatch::Named { protocol: None, name }
        }
        _ => unreadable(),
    }
}
