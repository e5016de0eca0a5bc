//! CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy, and Cilium's own configuration.
//!
//! <https://docs.cilium.io/en/stable/security/policy/>. A rule without any member selects nothing, so that
//! `ingress: [{}]` is a default deny; an empty `ingress` says nothing at all. Denials come before what is allowed,
//! by whatever policy: <https://docs.cilium.io/en/stable/security/policy/deny/>.

use super::UnreadablePolicy;
use super::address::{IpFamily, IpRange};
use super::endpoint::Protocol;
use super::policy::{DefaultDeny, Policy, PolicyReference, Section, tier};
use super::rule::{Action, PeerMatch, PortMatch, Rule};
use super::selector::{Expression, Key};
use crate::inventory::{LabelSelector, Labels};
use serde::Deserialize;
use serde_json::{Map, Value};

/// What ConfigMap `kube-system/cilium-config` says of policies.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CiliumConfiguration {
    /// When policies are enforced.
    pub enable_policy: EnablePolicy,
    /// Whether what policies would drop is only logged.
    pub policy_audit_mode: bool,
    /// Whether NetworkPolicies of Kubernetes are left out of account.
    pub ignores_network_policies: bool,
}

/// `enable-policy`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum EnablePolicy {
    /// For the pods that a policy selects.
    #[default]
    Default,
    /// For every pod: what no policy allows is dropped.
    Always,
    /// Never.
    Never,
    /// A value that is not known.
    Unknown(String),
}

impl CiliumConfiguration {
    /// Reads the data of the ConfigMap. <https://docs.cilium.io/en/stable/security/policy/intro/>.
    pub fn of(data: &Labels) -> CiliumConfiguration {
        let value = |name: &str| data.get(name).map(|value| value.trim().to_ascii_lowercase());
        let is = |name: &str, wanted: &str| value(name).is_some_and(|value| value == wanted);
        CiliumConfiguration {
            enable_policy: match value("enable-policy").as_deref() {
                None | Some("" | "default") => EnablePolicy::Default,
                Some("always") => EnablePolicy::Always,
                Some("never") => EnablePolicy::Never,
                Some(other) => EnablePolicy::Unknown(other.to_owned()),
            },
            policy_audit_mode: is("policy-audit-mode", "true"),
            ignores_network_policies: is("enable-k8s-networkpolicy", "false"),
        }
    }
}

/// Compiles `spec` and each of `specs`. Denials are policies of their own, which come first.
pub(super) fn compile(reference: &PolicyReference, body: &Value) -> Result<Vec<Policy>, UnreadablePolicy> {
    let specs = match body.get("specs") {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(specs)) => specs,
        Some(_) => return Err(UnreadablePolicy("`specs` is no list".to_owned())),
    };
    let mut policies = Vec::new();
    for spec in body.get("spec").filter(|spec| !spec.is_null()).into_iter().chain(specs) {
        match Spec::deserialize(spec) {
            Ok(spec) => policies.extend(of_spec(reference, spec)),
            Err(_) => policies.push(Policy::unreadable(reference.clone(), UnreadablePolicy::FORM)),
        }
    }
    Ok(policies)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    endpoint_selector: Option<LabelSelector>,
    node_selector: Option<Value>,
    #[serde(default)]
    ingress: Option<Vec<Value>>,
    #[serde(default)]
    ingress_deny: Option<Vec<Value>>,
    #[serde(default)]
    egress: Option<Vec<Value>>,
    #[serde(default)]
    egress_deny: Option<Vec<Value>>,
    #[serde(default)]
    enable_default_deny: Option<EnableDefaultDeny>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct EnableDefaultDeny {
    ingress: Option<bool>,
    egress: Option<bool>,
}

fn of_spec(reference: &PolicyReference, spec: Spec) -> Vec<Policy> {
    let harmless = |field: &String| matches!(field.as_str(), "labels" | "description" | "log");
    if let Some((field, _)) = spec.rest.iter().find(|(field, value)| !harmless(field) && !value.is_null()) {
        return vec![Policy::unreadable(
            reference.clone(),
            &format!("its field `{field}` is not understood"),
        )];
    }
    let selector = match (&spec.endpoint_selector, &spec.node_selector) {
        (Some(selector), None) => selector,
        // A policy for nodes: no pod but those of the host's network.
        (None, Some(_)) => return Vec::new(),
        _ => {
            let reason = "it must have an endpointSelector or a nodeSelector";
            return vec![Policy::unreadable(reference.clone(), reason)];
        }
    };
    let namespace = reference.namespace.as_deref();
    let subject = subject(selector, namespace);
    let default = spec.enable_default_deny.unwrap_or_default();
    let (ingress, ingress_deny) = (spec.ingress.unwrap_or_default(), spec.ingress_deny.unwrap_or_default());
    let (egress, egress_deny) = (spec.egress.unwrap_or_default(), spec.egress_deny.unwrap_or_default());
    let section = |rules: &[Value], others: &[Value], asked: Option<bool>, from: bool, action| {
        let default_deny = match (asked, rules.is_empty() && others.is_empty()) {
            (Some(false), _) | (None, true) => DefaultDeny::No,
            (_, false) => DefaultDeny::Yes,
            // The agent looks at this field where there are rules; newer ones may look at it alone.
            (Some(true), true) => {
                DefaultDeny::Unknown("enableDefaultDeny is set where there are no rules".to_owned())
            }
        };
        let mut compiled: Vec<Rule> =
            rules.iter().map(|value| rule(value, namespace, from, action)).collect();
        if action == Action::Deny && others.iter().any(requires) {
            // What a rule requires narrows every other rule too.
            compiled.push(Rule::unreadable(Action::Deny, "a rule has fromRequires or toRequires"));
        }
        let any = !compiled.is_empty() || default_deny != DefaultDeny::No;
        any.then_some(Section { rules: compiled, default_deny })
    };
    let policy = |order, ingress, egress| Policy {
        reference: reference.clone(),
        subject: subject.clone(),
        tier: tier::DEFAULT,
        own_tier: None,
        order,
        ingress,
        egress,
    };
    vec![
        policy(
            -1.0,
            section(&ingress_deny, &ingress, default.ingress, true, Action::Deny),
            section(&egress_deny, &egress, default.egress, false, Action::Deny),
        ),
        policy(
            0.0,
            section(&ingress, &ingress_deny, default.ingress, true, Action::Allow),
            section(&egress, &egress_deny, default.egress, false, Action::Allow),
        ),
    ]
}

/// A policy of a namespace selects in its namespace, whatever its selector says of namespaces.
fn subject(selector: &LabelSelector, namespace: Option<&str>) -> Expression {
    match namespace {
        None => Expression::of(selector, key),
        Some(namespace) => {
            let is_namespace = |name: &str| key(name) == Key::NamespaceName;
            let mut selector = selector.clone();
            selector.match_labels.retain(|name, _| !is_namespace(name));
            selector.match_expressions.retain(|requirement| !is_namespace(&requirement.key));
            Expression::all(vec![Expression::in_namespace(namespace), Expression::of(&selector, key)])
        }
    }
}

/// What a label's key in a selector of Cilium asks for.
fn key(name: &str) -> Key {
    let name = match name.split_once(':') {
        None => name,
        Some(("k8s" | "any", name)) => name,
        Some(("reserved", _)) => return Key::Reserved,
        Some(_) => return Key::NotRead(format!("a selector asks for the label `{name}`")),
    };
    match name {
        "io.kubernetes.pod.namespace" => Key::NamespaceName,
        "io.cilium.k8s.policy.serviceaccount" => Key::ServiceAccount,
        "io.cilium.k8s.policy.cluster" => Key::NotRead("a selector asks for the cluster's name".to_owned()),
        _ => match name.strip_prefix("io.cilium.k8s.namespace.labels.") {
            Some(label) => Key::NamespaceLabel(label.to_owned()),
            None => Key::Label(name.to_owned()),
        },
    }
}

fn rule(value: &Value, namespace: Option<&str>, from: bool, action: Action) -> Rule {
    let Some(fields) = value.as_object() else {
        return Rule::unreadable(action, "a rule is no object");
    };
    let mut peers: Vec<(&str, PeerMatch)> = Vec::new();
    let mut port = PortMatch::Every;
    let mut has_ports = false;
    let mut condition = None;
    for (field, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        let list = value.as_array().map_or(&[][..], Vec::as_slice);
        let any = |one: &dyn Fn(&Value) -> PeerMatch| PeerMatch::Any(list.iter().map(one).collect());
        let named = |what: &str| PeerMatch::SomeAddresses(format!("a rule names its peers by {what}"));
        let peer = match (field.strip_prefix(if from { "from" } else { "to" }), field.as_str()) {
            (_, "toPorts") => {
                if !list.is_empty() {
                    has_ports = true;
                    port = PortMatch::Any(list.iter().flat_map(|rule| ports(rule, &mut condition)).collect());
                }
                continue;
            }
            (_, "icmps") => {
                if !list.is_empty() {
                    // Ports are asked about, and ICMP has none.
                    has_ports = true;
                    port = PortMatch::None;
                }
                continue;
            }
            (_, "authentication") => {
                if value.get("mode").and_then(Value::as_str) != Some("disabled") {
                    condition = Some("a rule asks for mutual authentication".to_owned());
                }
                continue;
            }
            (Some("Endpoints"), _) => any(&|value| endpoints(value, namespace)),
            (Some("Entities"), _) => any(&|value| entity(value.as_str().unwrap_or_default())),
            (Some("CIDR"), _) => any(&|value| addresses(value.as_str().unwrap_or_default(), &[])),
            (Some("CIDRSet"), _) => any(&cidr_rule),
            (Some("Nodes"), _) => PeerMatch::NamedAddresses,
            (Some("FQDNs"), _) => named("domain"),
            (Some("Groups"), _) => named("a provider's group"),
            (Some("Services"), _) => PeerMatch::Unreadable("a rule names its peers by Service".to_owned()),
            _ => return Rule::unreadable(action, format!("the field `{field}` of a rule is not evaluated")),
        };
        if list.is_empty() && has_empty_list(value) {
            // Versions differ on whether an empty list is nobody or everybody.
            peers.push((field, PeerMatch::Unreadable(format!("`{field}` is an empty list"))));
        } else {
            peers.push((field, peer));
        }
    }
    let peer = match (peers.len(), has_ports) {
        (0, false) => PeerMatch::Nobody,
        (0, true) => PeerMatch::Anyone,
        (1, false) if matches!(&peers[..], [(_, PeerMatch::Unreadable(_))]) && empty_lists(fields) => {
            PeerMatch::Nobody
        }
        (1, _) => peers.remove(0).1,
        _ => return Rule::unreadable(action, "a rule has more than one kind of peer, which Cilium refuses"),
    };
    Rule { condition, ..Rule::new(action, peer, port) }
}

fn requires(rule: &Value) -> bool {
    ["fromRequires", "toRequires"]
        .iter()
        .any(|field| rule.get(field).is_some_and(|value| !value.is_null() && !has_empty_list(value)))
}

fn has_empty_list(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

/// Whether every member is an empty list: such a rule selects nothing in every version.
fn empty_lists(fields: &Map<String, Value>) -> bool {
    fields.values().all(|value| value.is_null() || has_empty_list(value))
}

/// Peers by label: those of the policy's own namespace, unless the selector says otherwise.
fn endpoints(value: &Value, namespace: Option<&str>) -> PeerMatch {
    let Ok(selector) = LabelSelector::deserialize(value) else {
        return PeerMatch::Unreadable("a selector of peers cannot be read".to_owned());
    };
    let keys: Vec<Key> = selector
        .match_labels
        .keys()
        .chain(selector.match_expressions.iter().map(|requirement| &requirement.key))
        .map(|name| key(name))
        .collect();
    if keys.contains(&Key::Reserved) {
        let mut labels = selector.match_labels.keys();
        return match (labels.next().and_then(|name| name.strip_prefix("reserved:")), keys.len()) {
            (Some(name), 1) if selector.match_expressions.is_empty() => entity(name),
            _ => PeerMatch::Unreadable("a selector asks for a reserved label".to_owned()),
        };
    }
    let chooses = keys.iter().any(|key| matches!(key, Key::NamespaceName | Key::NamespaceLabel(_)));
    let own = match namespace {
        Some(namespace) if !chooses => Expression::in_namespace(namespace),
        _ => Expression::Everything,
    };
    PeerMatch::Pods(Expression::all(vec![own, Expression::of(&selector, key)]))
}

fn entity(name: &str) -> PeerMatch {
    let world = |family| PeerMatch::All(vec![PeerMatch::World, PeerMatch::Family(family)]);
    match name {
        "all" => PeerMatch::Anyone,
        "world" => PeerMatch::World,
        "world-ipv4" => world(IpFamily::V4),
        "world-ipv6" => world(IpFamily::V6),
        // Nodes are of the cluster too; what is asked about are pods and what is outside.
        "cluster" => PeerMatch::Pods(Expression::Everything),
        "kube-apiserver" => PeerMatch::NamedAddresses,
        "host" | "remote-node" | "init" | "health" | "unmanaged" | "ingress" | "none" => PeerMatch::Nobody,
        other => PeerMatch::Unreadable(format!("the entity `{other}` is not known")),
    }
}

/// Cilium compares ranges with what is outside the cluster alone.
fn addresses(cidr: &str, except: &[String]) -> PeerMatch {
    let parsed: Option<Vec<IpRange>> = except.iter().map(|cidr| IpRange::parse(cidr)).collect();
    match (IpRange::parse(cidr), parsed) {
        (Some(range), Some(except)) => PeerMatch::OutsideAddresses { range, except },
        _ => PeerMatch::Unreadable(format!("the range `{cidr}` cannot be read")),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CidrRule {
    cidr: String,
    #[serde(default)]
    except: Vec<String>,
}

fn cidr_rule(value: &Value) -> PeerMatch {
    match CidrRule::deserialize(value) {
        Ok(rule) => addresses(&rule.cidr, &rule.except),
        Err(_) => PeerMatch::SomeAddresses("a rule names ranges by a group of them".to_owned()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PortProtocol {
    port: String,
    #[serde(default)]
    protocol: String,
    end_port: Option<i64>,
}

fn ports(rule: &Value, condition: &mut Option<String>) -> Vec<PortMatch> {
    let Some(fields) = rule.as_object() else {
        return vec![PortMatch::Unreadable("an entry of toPorts cannot be read".to_owned())];
    };
    if let Some((field, _)) =
        fields.iter().find(|(field, value)| field.as_str() != "ports" && !value.is_null())
    {
        *condition = Some(format!("a rule asks for more than ports: `{field}`"));
    }
    match fields.get("ports").and_then(Value::as_array) {
        Some(ports) if !ports.is_empty() => ports.iter().map(port).collect(),
        _ => vec![PortMatch::Unreadable("an entry of toPorts has no ports".to_owned())],
    }
}

fn port(value: &Value) -> PortMatch {
    let Ok(PortProtocol { port, protocol, end_port }) = PortProtocol::deserialize(value) else {
        return PortMatch::Unreadable("a port cannot be read".to_owned());
    };
    let protocol = match protocol.to_ascii_uppercase().as_str() {
        "" | "ANY" => None,
        "ICMP" | "ICMPV6" => return PortMatch::None,
        name => match Protocol::parse(name) {
            Some(protocol) => Some(protocol),
            None => return PortMatch::Unreadable(format!("the protocol `{name}` is not known")),
        },
    };
    match port.parse::<i64>() {
        // Port 0 stands for every port.
        Ok(0) => PortMatch::range(protocol, 0, i64::from(u16::MAX)),
        Ok(first) => PortMatch::range(protocol, first, end_port.filter(|last| *last > 0).unwrap_or(first)),
        Err(_) => PortMatch::Named { protocol, name: port.to_ascii_lowercase() },
    }
}
