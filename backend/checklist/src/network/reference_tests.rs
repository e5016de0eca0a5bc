//! NetworkPolicies again, written another way: each packet is carried past every policy of the cluster in turn.

use super::{Network, NetworkPlugin, Peer, Protocol, Reachability};
use crate::inventory::{
    Inventory, Kind, LabelSelector, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort, Object, Pod,
    PolicyDirection, PolicyPort,
};
use proptest::prelude::*;
use rampart_shared::Source;
use serde_json::{Value, json};
use std::net::IpAddr;

/// Whether the API's words let a connection through.
fn passes(inventory: &Inventory, from: &Result<&Pod, IpAddr>, to: &Pod, port: i64, protocol: &str) -> bool {
    let leaves = match from {
        Ok(pod) => guard(inventory, pod, PolicyDirection::Egress, &Ok(to), to, port, protocol),
        Err(_) => true,
    };
    leaves && guard(inventory, to, PolicyDirection::Ingress, from, to, port, protocol)
}

fn guard(
    inventory: &Inventory,
    guarded: &Pod,
    direction: PolicyDirection,
    other: &Result<&Pod, IpAddr>,
    target: &Pod,
    port: i64,
    protocol: &str,
) -> bool {
    let mut selected = false;
    for NetworkPolicy { meta, spec } in &inventory.network_policies.seen {
        let types = spec.policy_types.clone().unwrap_or_else(|| {
            let mut types = vec!["Ingress".to_owned()];
            types.extend((!spec.egress.is_empty()).then(|| "Egress".to_owned()));
            types
        });
        if meta.namespace != guarded.meta.namespace
            || !chosen(&spec.pod_selector, &guarded.meta.labels)
            || !types.contains(&format!("{direction:?}"))
        {
            continue;
        }
        selected = true;
        let rules = if direction == PolicyDirection::Ingress { &spec.ingress } else { &spec.egress };
        for rule in rules {
            let peers = if direction == PolicyDirection::Ingress { &rule.from } else { &rule.to };
            let peer =
                peers.is_empty() || peers.iter().any(|peer| meant(inventory, peer, &meta.namespace, other));
            let port =
                rule.ports.is_empty() || rule.ports.iter().any(|one| opens(one, target, port, protocol));
            if peer && port {
                return true;
            }
        }
    }
    !selected
}

fn chosen(selector: &LabelSelector, labels: &crate::inventory::Labels) -> bool {
    selector.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value))
        && selector.match_expressions.iter().all(|requirement| {
            let value = labels.get(&requirement.key);
            match requirement.operator.as_str() {
                "In" => value.is_some_and(|value| requirement.values.contains(value)),
                "NotIn" => value.is_none_or(|value| !requirement.values.contains(value)),
                "Exists" => value.is_some(),
                _ => value.is_none(),
            }
        })
}

fn meant(inventory: &Inventory, peer: &NetworkPolicyPeer, own: &str, other: &Result<&Pod, IpAddr>) -> bool {
    if let Some(block) = &peer.ip_block {
        let address = other.map_or_else(|address| address, |pod| pod.ips[0]);
        return within(address, &block.cidr) && !block.except.iter().any(|except| within(address, except));
    }
    let Ok(pod) = other else { return false };
    let namespace = inventory.namespaces.seen.iter().find(|n| n.name == pod.meta.namespace).unwrap();
    let right_namespace = match &peer.namespace_selector {
        Some(selector) => chosen(selector, &namespace.labels),
        None => pod.meta.namespace == own,
    };
    right_namespace && peer.pod_selector.as_ref().is_none_or(|selector| chosen(selector, &pod.meta.labels))
}

/// Compares leading bits as text.
fn within(address: IpAddr, cidr: &str) -> bool {
    let (network, length) = cidr.split_once('/').unwrap();
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => {
            address.octets().iter().map(|octet| format!("{octet:08b}")).collect::<String>()
        }
        IpAddr::V6(_) => String::new(),
    };
    let length: usize = length.parse().unwrap();
    bits(address)[..length] == bits(network.parse().unwrap())[..length]
}

fn opens(one: &NetworkPolicyPort, target: &Pod, port: i64, protocol: &str) -> bool {
    if one.protocol.as_deref().unwrap_or("TCP") != protocol {
        return false;
    }
    match &one.port {
        None => true,
        Some(PolicyPort::Number(first)) => (*first..=one.end_port.unwrap_or(*first)).contains(&port),
        Some(PolicyPort::Name(name)) => target.spec.containers.iter().flat_map(|c| &c.ports).any(|found| {
            found.name == *name
                && found.container_port == port
                && found.protocol.as_deref().unwrap_or("TCP") == protocol
        }),
    }
}

fn labels() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({})),
        Just(json!({"a": "1"})),
        Just(json!({"a": "2"})),
        Just(json!({"a": "1", "b": "1"}))
    ]
}

fn selector() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => Just(json!({})),
        2 => labels().prop_map(|labels| json!({ "matchLabels": labels })),
        1 => Just(json!({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "3"]}]})),
        1 => Just(json!({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]})),
        1 => Just(json!({"matchExpressions": [{"key": "b", "operator": "Exists"}]})),
        1 => Just(json!({"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]})),
    ]
}

fn peer() -> impl Strategy<Value = Value> {
    prop_oneof![
        selector().prop_map(|pods| json!({ "podSelector": pods })),
        selector().prop_map(|namespaces| json!({ "namespaceSelector": namespaces })),
        (selector(), selector()).prop_map(|(n, p)| json!({ "namespaceSelector": n, "podSelector": p })),
        Just(json!({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.1.0/24"]}})),
        Just(json!({"ipBlock": {"cidr": "10.0.0.2/31"}})),
        Just(json!({"ipBlock": {"cidr": "0.0.0.0/1"}})),
        Just(json!({"ipBlock": {"cidr": "0.0.0.0/0"}})),
    ]
}

fn port() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"port": 80})),
        Just(json!({"port": "web"})),
        Just(json!({"port": 80, "endPort": 90})),
        Just(json!({"protocol": "UDP"})),
        Just(json!({"protocol": "TCP"})),
    ]
}

fn rules(field: &'static str) -> impl Strategy<Value = Value> {
    let rule = (prop::collection::vec(peer(), 0..3), prop::collection::vec(port(), 0..3))
        .prop_map(move |(peers, ports)| json!({ field: peers, "ports": ports }));
    prop::collection::vec(rule, 0..3).prop_map(Value::Array)
}

fn policy() -> impl Strategy<Value = Value> {
    let types = prop_oneof![
        Just(Value::Null),
        Just(json!(["Ingress"])),
        Just(json!(["Egress"])),
        Just(json!(["Ingress", "Egress"]))
    ];
    (0..2_u8, selector(), types, rules("from"), rules("to")).prop_map(
        |(namespace, pods, types, ingress, egress)| {
            json!({
                "metadata": { "name": "p", "namespace": format!("n{namespace}") },
                "spec": { "podSelector": pods, "policyTypes": types, "ingress": ingress, "egress": egress },
            })
        },
    )
}

fn clusters() -> impl Strategy<Value = Inventory> {
    let pods = prop::collection::vec((0..2_u8, labels(), any::<bool>()), 1..4);
    (prop::collection::vec(labels(), 2), pods, prop::collection::vec(policy(), 0..4)).prop_map(
        |(namespaces, pods, policies)| {
            let mut inventory = Inventory::empty(Source::Snapshot);
            let mut add = |kind: Kind, value: Value| {
                inventory.insert(Object::deserialize(kind, "", value).unwrap());
            };
            for (number, labels) in namespaces.into_iter().enumerate() {
                add(Kind::Namespaces, json!({"metadata": {"name": format!("n{number}"), "labels": labels}}));
            }
            for (number, (namespace, labels, high)) in pods.into_iter().enumerate() {
                let ip = format!("10.0.{}.{}", u8::from(high), number + 1);
                add(Kind::Pods, json!({
                    "metadata": {"name": format!("p{number}"), "namespace": format!("n{namespace}"), "labels": labels},
                    "spec": {"containers": [{"name": "c", "ports": [{"name": "web", "containerPort": 85 + number}]}]},
                    "status": {"podIPs": [{"ip": ip}]},
                }));
            }
            for policy in policies {
                add(Kind::NetworkPolicies, policy);
            }
            inventory
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn every_connection_meets_the_same_fate(inventory in clusters()) {
        let network = Network::of(&inventory, NetworkPlugin::Other);
        let pods: Vec<&Pod> = inventory.pods.seen.iter().map(|pod| &**pod).collect();
        let outside = ["10.0.1.77", "10.0.0.3", "203.0.113.9"].map(|address| Err(address.parse().unwrap()));
        for &to in &pods {
            for from in pods.iter().copied().map(Ok).chain(outside) {
                if from.is_ok_and(|from| from.meta.name == to.meta.name) {
                    continue;
                }
                for (name, protocol) in [("TCP", Protocol::Tcp), ("UDP", Protocol::Udp)] {
                    for port in [79, 80, 86, 90, 91] {
                        let peer = from.map_or_else(Peer::Address, Peer::Pod);
                        let found = network.reachable(peer, to, port, protocol);
                        let expected = passes(&inventory, &from, to, i64::from(port), name);
                        prop_assert_eq!(found == Reachability::Allowed, expected, "{:?} {:?} {} {}", from, to, port, name);
                        prop_assert!(!matches!(found, Reachability::Undecided(_)));
                    }
                }
            }
        }
    }

    /// What is called open lets everything through that is tried, and what is called isolated is selected.
    #[test]
    fn isolation_agrees_with_what_gets_through(inventory in clusters()) {
        let network = Network::of(&inventory, NetworkPlugin::Other);
        for to in &inventory.pods.seen {
            let open = matches!(network.isolation(to, PolicyDirection::Ingress), super::Isolation::Open(_));
            let tried = [("0.0.0.1", 9), ("10.0.1.77", 80), ("200.0.0.1", 80), ("200.0.0.1", 9)];
            let all = tried.iter().all(|(address, port)| {
                ["TCP", "UDP", "SCTP"].iter().all(|protocol| {
                    passes(&inventory, &Err(address.parse().unwrap()), to, *port, protocol)
                })
            });
            prop_assert_eq!(open, all, "{:?}", to);
        }
    }
}
