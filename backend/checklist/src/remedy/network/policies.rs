//! The policies that close a namespace and keep what is evidently used working.

use super::access::{ApiServerAccess, Reachers};
use super::traffic::{PodPort, Served, Traffic, as_json, blocks};
use crate::inventory::{Labels, PolicyDirection};
use rampart_shared::ChosenField;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A policy to be, under the name that it gets where that is free.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) name: String,
    /// What it is for, after the namespace.
    pub(super) comment: String,
    pub(super) spec: Value,
    /// Whether it is a CiliumNetworkPolicy.
    pub(super) is_cilium: bool,
    pub(super) choices: Vec<ChosenField>,
}

/// What does not differ between namespaces.
#[derive(Debug)]
pub(super) struct Common {
    dns: Vec<Value>,
    served: BTreeSet<PodPort>,
    front_doors: Vec<Value>,
}

/// The port of Istio's node proxies, and the addresses from which they pass probes on:
/// <https://istio.io/latest/docs/ambient/usage/networkpolicy/>.
const AMBIENT_PORT: u16 = 15008;
const AMBIENT_PROBES: [&str; 2] = ["169.254.7.127/32", "fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128"];

impl Common {
    pub(super) fn of(traffic: &Traffic<'_>) -> Common {
        let front_doors: BTreeSet<IpAddr> = traffic.front_doors();
        Common { dns: traffic.dns(), served: traffic.served_anywhere(), front_doors: blocks(&front_doors) }
    }
}

/// Selects every pod and allows nothing.
pub(super) fn default_deny(direction: PolicyDirection) -> Draft {
    let name = match direction {
        PolicyDirection::Ingress => "default-deny-ingress",
        PolicyDirection::Egress => "default-deny-egress",
    };
    let comment = format!("denies {} by default", direction.as_str().to_lowercase());
    draft(name, comment, json!({ "podSelector": {}, "policyTypes": [direction.as_str()] }))
}

/// What keeps reaching the pods of a namespace.
pub(super) fn ingress(traffic: &Traffic<'_>, common: &Common, namespace: &str) -> Vec<Draft> {
    let mut drafts: Vec<Draft> =
        traffic.served(namespace).iter().map(|served| of_service(common, served)).collect();
    if traffic.is_ambient(namespace) {
        let probes: Vec<Value> =
            AMBIENT_PROBES.iter().map(|cidr| json!({ "ipBlock": { "cidr": cidr } })).collect();
        let spec = json!({
            "podSelector": {},
            "policyTypes": ["Ingress"],
            "ingress": [
                { "from": [{ "namespaceSelector": {} }], "ports": [PodPort::number(AMBIENT_PORT, "TCP").as_json()] },
                { "from": probes },
            ],
        });
        drafts.push(draft(
            "allow-ingress-ambient-mesh",
            "keeps Istio's ambient mesh and its probes working".to_owned(),
            spec,
        ));
    }
    drafts
}

/// What the pods of a namespace keep reaching.
pub(super) fn egress(
    traffic: &Traffic<'_>,
    common: &Common,
    access: &ApiServerAccess,
    namespace: &str,
) -> Vec<Draft> {
    let every = |rules: Vec<Value>| json!({ "podSelector": {}, "policyTypes": ["Egress"], "egress": rules });
    let mut drafts =
        vec![draft("allow-egress-dns", "keeps DNS working".to_owned(), every(common.dns.clone()))];
    let mut served = common.served.clone();
    if traffic.is_ambient(namespace) {
        served.insert(PodPort::number(AMBIENT_PORT, "TCP"));
    }
    if !served.is_empty() {
        let rule = json!({ "to": [{ "namespaceSelector": {} }], "ports": as_json(&served) });
        let comment =
            "keeps Services working: pods of the cluster, on the ports on which Services send them traffic";
        drafts.push(draft("allow-egress-services", comment.to_owned(), every(vec![rule])));
    }
    let outside: Vec<Value> = traffic
        .addresses(namespace)
        .iter()
        .map(|(ports, addresses)| json!({ "to": blocks(addresses), "ports": as_json(ports) }))
        .collect();
    if !outside.is_empty() {
        let comment = "keeps the addresses working that stand behind its Services and are no pods'";
        drafts.push(draft("allow-egress-addresses", comment.to_owned(), every(outside)));
    }
    if let Some(reachers) = access.of_namespace(namespace) {
        drafts.extend(to_api_server(access, reachers));
    }
    drafts
}

fn of_service(common: &Common, served: &Served<'_>) -> Draft {
    let Served { service, from_cluster, from_anywhere } = served;
    let mut rules = Vec::new();
    if !from_cluster.is_empty() {
        let mut from = vec![json!({ "namespaceSelector": {} })];
        from.extend(common.front_doors.iter().cloned());
        rules.push(json!({ "from": from, "ports": as_json(from_cluster) }));
    }
    if !from_anywhere.is_empty() {
        rules.push(json!({ "ports": as_json(from_anywhere) }));
    }
    let list =
        |ports: &BTreeSet<PodPort>| ports.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut whence = Vec::new();
    if !from_cluster.is_empty() {
        whence.push(format!("pods of the cluster on {}", list(from_cluster)));
    }
    if !from_anywhere.is_empty() {
        whence.push(format!("anyone on {}", list(from_anywhere)));
    }
    let comment = format!("keeps Service {} working: for {}", service.meta.name, whence.join(", for "));
    let spec = json!({
        "podSelector": { "matchLabels": service.spec.selector },
        "policyTypes": ["Ingress"],
        "ingress": rules,
    });
    draft(&format!("allow-ingress-{}", service.meta.name), comment, spec)
}

fn to_api_server(access: &ApiServerAccess, reachers: &Reachers) -> Vec<Draft> {
    let to = |name: &str, labels: &Labels| {
        let of = if labels.is_empty() { String::new() } else { format!(" for {name}") };
        let name = if labels.is_empty() {
            "allow-egress-api-server".to_owned()
        } else {
            format!("allow-egress-api-server-{name}")
        };
        let comment = format!("keeps the API server reachable{of}");
        let mut selector = Map::new();
        if !labels.is_empty() {
            selector.insert("matchLabels".to_owned(), json!(labels));
        }
        if access.is_cilium {
            let spec =
                json!({ "endpointSelector": selector, "egress": [{ "toEntities": ["kube-apiserver"] }] });
            return Draft { is_cilium: true, ..draft(&name, comment, spec) };
        }
        let spec = json!({ "podSelector": selector, "policyTypes": ["Egress"], "egress": access.rules });
        Draft { choices: access.choices.clone(), ..draft(&name, comment, spec) }
    };
    match reachers {
        Reachers::Everyone => vec![to("", &Labels::new())],
        Reachers::Some(workloads) => workloads.iter().map(|(labels, name)| to(name, labels)).collect(),
    }
}

fn draft(name: &str, comment: String, spec: Value) -> Draft {
    Draft { name: name.to_owned(), comment, spec, is_cilium: false, choices: Vec::new() }
}
