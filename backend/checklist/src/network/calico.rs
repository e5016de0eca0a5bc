//! Calico's NetworkPolicy and GlobalNetworkPolicy, and its tiers.
//!
//! <https://docs.tigera.io/calico/latest/reference/resources/globalnetworkpolicy>,
//! <https://docs.tigera.io/calico/latest/reference/resources/tier>. Rules are tried in order; what no rule of a tier
//! decides meets the tier's default action, for the pods that a policy of the tier selects. Staged policies are
//! kinds of their own, which enforce nothing and are not read.

use super::UnreadablePolicy;
use super::address::{IpFamily, IpRange};
use super::calico_selector::{is_global, parse};
use super::endpoint::Protocol;
use super::policy::{DefaultDeny, Policy, PolicyReference, Section, Tier, tier};
use super::rule::{Action, PeerMatch, PortMatch, Rule};
use super::selector::{Expression, Key};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Compiles a policy's spec; none where it is for hosts alone.
pub(super) fn compile(reference: PolicyReference, spec: &Value) -> Result<Option<Policy>, UnreadablePolicy> {
    let spec = Spec::deserialize(spec)?;
    if let Some((field, _)) =
        spec.rest.iter().find(|(field, value)| field.as_str() != "performanceHints" && !value.is_null())
    {
        return Err(UnreadablePolicy(format!("its field `{field}` is not understood")));
    }
    // Felix leaves both kinds out of the tiers of workloads; `applyOnForward` alone changes nothing for them:
    // https://github.com/projectcalico/calico/blob/master/felix/calc/event_sequencer.go
    if spec.do_not_track || spec.pre_dnat {
        return Ok(None);
    }
    let namespace = reference.namespace.clone();
    let section = |rules: &Option<Vec<Value>>, name: &str, from: bool| {
        let rules = rules.as_deref().unwrap_or_default();
        let default_deny = applies(&spec, &reference, name)?;
        Some(Section {
            rules: rules.iter().filter_map(|value| rule(value, namespace.as_deref(), from)).collect(),
            default_deny,
        })
    };
    let (ingress, egress) = (section(&spec.ingress, "Ingress", true), section(&spec.egress, "Egress", false));
    let mut subject = vec![pods(&spec.selector)];
    if let Some(namespace) = &namespace {
        subject.push(Expression::in_namespace(namespace));
    } else {
        subject.push(namespaces(&spec.namespace_selector));
    }
    if !spec.service_account_selector.trim().is_empty() {
        subject.push(parse(&spec.service_account_selector, &|label| {
            Key::NotRead(format!("it selects by the label `{label}` of service accounts"))
        }));
    }
    Ok(Some(Policy {
        subject: Expression::all(subject),
        tier: tier::DEFAULT,
        own_tier: spec.tier.filter(|tier| !tier.is_empty()),
        // Without an order a policy comes last.
        order: spec.order.unwrap_or(f64::INFINITY),
        ingress,
        egress,
        reference,
    }))
}

/// Reads a tier.
pub(super) fn tier(name: &str, spec: &Value) -> Result<Tier, UnreadablePolicy> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct TierSpec {
        order: Option<f64>,
        default_action: Option<String>,
    }
    let spec = TierSpec::deserialize(spec)?;
    let denies = match spec.default_action.as_deref() {
        None | Some("" | "Deny") => true,
        Some("Pass") => false,
        Some(other) => return Err(UnreadablePolicy(format!("the default action `{other}` is not known"))),
    };
    Ok(Tier { name: name.to_owned(), order: spec.order.unwrap_or(f64::INFINITY), denies })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    tier: Option<String>,
    order: Option<f64>,
    #[serde(default)]
    selector: String,
    #[serde(default)]
    namespace_selector: String,
    #[serde(default)]
    service_account_selector: String,
    types: Option<Vec<String>>,
    ingress: Option<Vec<Value>>,
    egress: Option<Vec<Value>>,
    #[serde(default)]
    do_not_track: bool,
    #[serde(default, rename = "preDNAT")]
    pre_dnat: bool,
    #[serde(default, rename = "applyOnForward")]
    _apply_on_forward: bool,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// Whether the policy is about a direction, and so brings the tier's default action with it. Unset `types` mean
/// Egress if there are egress rules, and Ingress if there are ingress rules or no rules at all.
fn applies(spec: &Spec, reference: &PolicyReference, name: &str) -> Option<DefaultDeny> {
    let has = |rules: &Option<Vec<Value>>| rules.as_ref().is_some_and(|rules| !rules.is_empty());
    match spec.types.as_deref() {
        Some(types) if !types.is_empty() => {
            types.iter().any(|found| found == name).then_some(DefaultDeny::Yes)
        }
        _ if if name == "Egress" { has(&spec.egress) } else { has(&spec.ingress) || !has(&spec.egress) } => {
            Some(DefaultDeny::Yes)
        }
        // Calico's own API fills `types` in. Objects written past it keep none, which the agent takes for both.
        _ if reference.api_version.starts_with("crd.projectcalico.org/") => Some(DefaultDeny::Unknown(
            "its types are not set and Calico's API did not fill them in".to_owned(),
        )),
        _ => None,
    }
}

fn pods(selector: &str) -> Expression {
    parse(selector, &|label| match label {
        "projectcalico.org/namespace" => Key::NamespaceName,
        "projectcalico.org/serviceaccount" => Key::ServiceAccount,
        "projectcalico.org/orchestrator" => Key::Orchestrator,
        _ => match (label.strip_prefix("pcns."), label.strip_prefix("pcsa.")) {
            (Some(label), _) => Key::NamespaceLabel(label.to_owned()),
            (_, Some(label)) => {
                Key::NotRead(format!("a selector asks for the label `{label}` of service accounts"))
            }
            _ => Key::Label(label.to_owned()),
        },
    })
}

fn namespaces(selector: &str) -> Expression {
    parse(selector, &|label| match label {
        "projectcalico.org/name" => Key::NamespaceName,
        _ => Key::NamespaceLabel(label.to_owned()),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawRule {
    #[serde(rename = "action")]
    _action: String,
    ip_version: Option<i64>,
    protocol: Option<Value>,
    not_protocol: Option<Value>,
    icmp: Option<Value>,
    #[serde(rename = "notICMP")]
    not_icmp: Option<Value>,
    #[serde(default)]
    source: Entity,
    #[serde(default)]
    destination: Entity,
    http: Option<Value>,
    #[serde(rename = "metadata")]
    _metadata: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entity {
    #[serde(default)]
    nets: Vec<String>,
    #[serde(default)]
    not_nets: Vec<String>,
    #[serde(default)]
    selector: String,
    #[serde(default)]
    not_selector: String,
    #[serde(default)]
    namespace_selector: String,
    services: Option<Value>,
    #[serde(default)]
    ports: Vec<Value>,
    #[serde(default)]
    not_ports: Vec<Value>,
    service_accounts: Option<ServiceAccounts>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceAccounts {
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    selector: String,
}

/// None for a rule that does nothing.
fn rule(value: &Value, namespace: Option<&str>, from: bool) -> Option<Rule> {
    let action = match value.get("action").and_then(Value::as_str) {
        Some("Allow") => Action::Allow,
        Some("Deny") => Action::Deny,
        Some("Pass") => Action::Pass,
        Some("Log") => return None,
        _ => return Some(Rule::unreadable(Action::Allow, "the action of a rule is not known")),
    };
    let rule = match RawRule::deserialize(value) {
        Ok(rule) => rule,
        Err(_) => return Some(Rule::unreadable(action, "a rule has a field that is not understood")),
    };
    let mut peer = Vec::new();
    match rule.ip_version {
        None => {}
        Some(4) => peer.push(PeerMatch::Family(IpFamily::V4)),
        Some(6) => peer.push(PeerMatch::Family(IpFamily::V6)),
        Some(other) => peer.push(PeerMatch::Unreadable(format!("the IP version `{other}` is not known"))),
    }
    let mut condition = rule.http.map(|_| "a rule asks for HTTP".to_owned());
    if !rule.source.ports.is_empty() || !rule.source.not_ports.is_empty() {
        condition = Some("a rule asks for ports of the source".to_owned());
    }
    let mut port = Vec::new();
    let protocols = rule.protocol.as_ref().map(protocol);
    port.extend(protocols.clone());
    port.extend(rule.not_protocol.as_ref().map(|value| PortMatch::Not(Box::new(protocol(value)))));
    if rule.icmp.is_some() || rule.not_icmp.is_some() {
        // Both go with the protocol ICMP alone, which has no ports.
        port.push(PortMatch::None);
    }
    if !rule.destination.ports.is_empty() {
        port.push(PortMatch::Any(rule.destination.ports.iter().map(ports).collect()));
    }
    if !rule.destination.not_ports.is_empty() {
        let ports = rule.destination.not_ports.iter().map(ports).collect();
        port.push(PortMatch::Not(Box::new(PortMatch::Any(ports))));
    }
    let (theirs, own) =
        if from { (&rule.source, &rule.destination) } else { (&rule.destination, &rule.source) };
    peer.extend(entity(theirs, namespace));
    Some(Rule {
        own: all_peers(entity(own, namespace)),
        condition,
        ..Rule::new(action, all_peers(peer), all_ports(port))
    })
}

fn all_peers(mut all: Vec<PeerMatch>) -> PeerMatch {
    match all.len() {
        0 => PeerMatch::Anyone,
        1 => all.remove(0),
        _ => PeerMatch::All(all),
    }
}

fn all_ports(mut all: Vec<PortMatch>) -> PortMatch {
    match all.len() {
        0 => PortMatch::Every,
        1 => all.remove(0),
        _ => PortMatch::All(all),
    }
}

/// Everything that is asked of one end; nothing where anyone will do.
fn entity(entity: &Entity, namespace: Option<&str>) -> Vec<PeerMatch> {
    let nets = |nets: &[String]| {
        PeerMatch::Any(
            nets.iter()
                .map(|net| match IpRange::parse(net) {
                    Some(range) => PeerMatch::Addresses { range, except: Vec::new() },
                    None => PeerMatch::Unreadable(format!("the range `{net}` cannot be read")),
                })
                .collect(),
        )
    };
    let mut asked = Vec::new();
    if !entity.nets.is_empty() {
        asked.push(nets(&entity.nets));
    }
    if !entity.not_nets.is_empty() {
        asked.push(PeerMatch::Not(Box::new(nets(&entity.not_nets))));
    }
    if !entity.not_selector.trim().is_empty() {
        asked.push(PeerMatch::Not(Box::new(PeerMatch::Pods(pods(&entity.not_selector)))));
    }
    if entity.services.is_some() {
        asked.push(PeerMatch::Unreadable("a rule names its peers by Service".to_owned()));
    }
    let (selector, selected) = (entity.selector.trim(), entity.namespace_selector.trim());
    if selector.is_empty() && selected.is_empty() && entity.service_accounts.is_none() {
        return asked;
    }
    if is_global(selected) {
        // Sets of networks and hosts, which are no pods.
        asked.push(PeerMatch::NamedAddresses);
        return asked;
    }
    let mut expressions = vec![pods(selector)];
    match (selected.is_empty(), namespace) {
        (false, _) => expressions.push(namespaces(selected)),
        // A selector of a namespaced policy stays in its namespace.
        (true, Some(namespace)) => expressions.push(Expression::in_namespace(namespace)),
        (true, None) => {}
    }
    let mut only_pods = false;
    if let Some(accounts) = &entity.service_accounts {
        only_pods = true;
        if !accounts.names.is_empty() {
            expressions.push(Expression::In(Key::ServiceAccount, accounts.names.clone()));
        }
        if !accounts.selector.trim().is_empty() {
            expressions.push(parse(&accounts.selector, &|label| {
                Key::NotRead(format!("a rule asks for the label `{label}` of service accounts"))
            }));
        }
    }
    let selected = PeerMatch::Pods(Expression::all(expressions));
    // A selector picks sets of networks too, by their labels.
    asked.push(if only_pods { selected } else { PeerMatch::Any(vec![selected, PeerMatch::NamedAddresses]) });
    asked
}

fn protocol(value: &Value) -> PortMatch {
    let protocol = match (value.as_str(), value.as_i64()) {
        (Some("TCP"), _) | (_, Some(6)) => Protocol::Tcp,
        (Some("UDP"), _) | (_, Some(17)) => Protocol::Udp,
        (Some("SCTP"), _) | (_, Some(132)) => Protocol::Sctp,
        (Some("ICMP" | "ICMPv6" | "UDPLite"), _) => return PortMatch::None,
        (_, Some(1..=255)) => return PortMatch::None,
        _ => return PortMatch::Unreadable(format!("the protocol {value} is not known")),
    };
    PortMatch::all_of(protocol)
}

/// A number, a range such as `80:90`, or a name.
fn ports(value: &Value) -> PortMatch {
    if let Some(number) = value.as_i64() {
        return PortMatch::range(None, number, number);
    }
    let Some(text) = value.as_str() else {
        return PortMatch::Unreadable(format!("the port {value} is not understood"));
    };
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) => PortMatch::range(None, first, last),
        _ if text.contains(':') => PortMatch::Unreadable(format!("the ports `{text}` are not understood")),
        _ => PortMatch::Named { protocol: None, name: text.to_owned() },
    }
}
