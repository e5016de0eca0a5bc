//! Calico's policies as its documentation shows them.
//!
//! <https://docs.tigera.io/calico/latest/reference/resources/globalnetworkpolicy>,
//! <https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy>

use super::NetworkPlugin;
use super::testing::{Cluster, EGRESS, INGRESS};

fn policy(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {{name: {name}, namespace: shop}}, spec: {spec}}}\n---\n"
    )
}

fn global(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {{name: {name}}}, spec: {spec}}}\n---\n"
    )
}

fn tier(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {{name: {name}}}, spec: {spec}}}\n---\n"
    )
}

fn kubernetes(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: {name}, namespace: shop}}, spec: {spec}}}\n---\n"
    )
}

fn cluster(policies: &[String]) -> Cluster {
    Cluster::new(NetworkPlugin::Calico, &policies.concat())
}

#[test]
fn types_have_a_default() {
    let isolation = |spec| {
        let one = cluster(&[policy("p", spec)]);
        [INGRESS, EGRESS].map(|direction| one.isolation("cart", direction) == "isolated by p")
    };
    assert_eq!(isolation("{selector: all()}"), [true, false]);
    assert_eq!(isolation("{ingress: [{action: Deny}]}"), [true, false]);
    assert_eq!(isolation("{egress: [{action: Deny}]}"), [false, true]);
    assert_eq!(isolation("{ingress: [{action: Deny}], egress: [{action: Deny}]}"), [true, true]);
    assert_eq!(isolation("{types: [Egress], ingress: []}"), [false, true]);
    // Past Calico's API nobody fills them in, and the agent takes none for both.
    let raw = "{apiVersion: crd.projectcalico.org/v1, kind: NetworkPolicy, metadata: {name: p, namespace: shop}, spec: {selector: all()}}";
    let raw = cluster(&[raw.to_owned()]);
    assert_eq!(
        (raw.isolation("cart", INGRESS).as_str(), raw.isolation("cart", EGRESS).as_str()),
        ("isolated by p", "undecided")
    );
}

#[test]
fn a_global_default_deny_leaves_out_what_it_says() {
    let deny = cluster(&[global(
        "deny-app-policy",
        "{namespaceSelector: 'projectcalico.org/name not in {\"kube-system\", \"calico-system\"}', types: [Ingress, Egress], egress: [{action: Allow, protocol: UDP, destination: {selector: 'k8s-app == \"kube-dns\"', ports: [53]}}]}",
    )]);
    assert_eq!(deny.default("shop", INGRESS), "isolated by deny-app-policy");
    assert_eq!(deny.default("bank", EGRESS), "isolated by deny-app-policy");
    assert_eq!(deny.isolation("dns", INGRESS), "open");
    let label = cluster(&[global("p", "{selector: 'projectcalico.org/namespace == \"shop\"'}")]);
    assert_eq!(
        (label.default("shop", INGRESS).as_str(), label.default("bank", INGRESS).as_str()),
        ("isolated by p", "open")
    );
}

#[test]
fn rules_act_in_order() {
    let first = |order: &str| {
        cluster(&[
            policy("deny", &format!("{{{order}types: [Ingress], ingress: [{{action: Deny}}]}}")),
            policy("open", "{order: 20, types: [Ingress], ingress: [{action: Allow}]}"),
        ])
    };
    assert_eq!(first("order: 10, ").isolation("cart", INGRESS), "isolated by deny open");
    assert_eq!(first("order: 30, ").isolation("cart", INGRESS), "open to every peer by open");
    // Without an order it comes last.
    assert_eq!(first("").isolation("cart", INGRESS), "open to every peer by open");
}

#[test]
fn network_policies_stand_at_1000_in_the_default_tier() {
    let open = kubernetes("k", "{podSelector: {}, ingress: [{}]}");
    let at = |order| {
        cluster(&[open.clone(), policy("deny", &format!("{{order: {order}, ingress: [{{action: Deny}}]}}"))])
    };
    assert_eq!(at(999).reach("vault", "cart", 80), "denied by deny");
    assert_eq!(at(1001).reach("vault", "cart", 80), "allowed");
}

#[test]
fn a_tiers_default_action_is_for_the_pods_that_its_policies_select() {
    let security = |action: &str| {
        cluster(&[
            tier("security", &format!("{{order: 100{action}}}")),
            global(
                "security.web",
                "{tier: security, selector: 'app == \"web\"', types: [Ingress], ingress: [{action: Deny, source: {nets: [198.51.100.0/24]}}]}",
            ),
            kubernetes("k", "{podSelector: {}, ingress: [{}]}"),
        ])
    };
    let denies = security("");
    assert_eq!(denies.reach("vault", "web", 80), "denied by security.web");
    assert_eq!(denies.reach("vault", "cart", 80), "allowed");
    let passes = security(", defaultAction: Pass");
    assert_eq!(passes.reach("vault", "web", 80), "allowed");
    assert_eq!(passes.reach("198.51.100.1", "web", 80), "denied by security.web");
    assert_eq!(passes.isolation("cart", INGRESS), "open to every peer by k");
}

#[test]
fn pass_goes_to_the_next_tier_and_skips_the_rest_of_its_own() {
    let pass = [
        tier("security", "{order: 100}"),
        global(
            "security.pass",
            "{tier: security, order: 1, types: [Ingress], ingress: [{action: Pass, source: {namespaceSelector: 'team == \"blue\"'}}]}",
        ),
        global("security.deny", "{tier: security, order: 2, types: [Ingress], ingress: [{action: Deny}]}"),
    ];
    assert_eq!(cluster(&pass).reach("vault", "cart", 80), "allowed", "no later tier has policies");
    assert_eq!(cluster(&pass).reach("dns", "cart", 80), "denied by security.deny");
    let deny = kubernetes("k", "{podSelector: {}}");
    assert_eq!(cluster(&[pass.concat(), deny]).reach("vault", "cart", 80), "denied by k");
    let lost = global("lost", "{tier: nowhere, types: [Ingress]}");
    let lost = cluster(&[lost]);
    assert_eq!(lost.isolation("cart", INGRESS), "undecided");
    assert_eq!(lost.network().gaps().len(), 1);
}

#[test]
fn policies_for_hosts_select_no_pods() {
    for host in ["preDNAT: true, applyOnForward: true", "doNotTrack: true, applyOnForward: true"] {
        assert_eq!(
            cluster(&[global("h", &format!("{{{host}, types: [Ingress]}}"))]).isolation("cart", INGRESS),
            "open"
        );
    }
    // This alone changes nothing for pods.
    assert_eq!(
        cluster(&[global("h", "{applyOnForward: true, types: [Ingress]}")]).isolation("cart", INGRESS),
        "isolated by h"
    );
}

#[test]
fn both_ends_of_a_rule_are_read() {
    let role = "{order: 1, types: [Ingress], ingress: [{action: Allow, protocol: TCP, source: {selector: 'app == \"web\"'}, destination: {ports: [6379, '7000:7010', http]}}]}";
    let role = cluster(&[policy("p", role)]);
    for (from, port, expected) in [
        ("web", 6379, "allowed"),
        ("web", 7010, "allowed"),
        ("web", 8080, "allowed"),
        ("web", 7011, "denied by p"),
        ("vault", 6379, "denied by p"),
    ] {
        assert_eq!(role.reach(from, "cart", port), expected, "{from} {port}");
    }
    let own = cluster(&[global(
        "p",
        "{types: [Ingress], ingress: [{action: Allow, destination: {selector: 'app == \"cart\"'}}]}",
    )]);
    assert_eq!(own.isolation("cart", INGRESS), "open to every peer by p");
    assert_eq!(own.isolation("web", INGRESS), "isolated by p");
}

#[test]
fn what_is_negated() {
    let not = |entity: &str| {
        cluster(&[policy("p", &format!("{{ingress: [{{action: Allow, source: {entity}}}]}}"))])
    };
    assert_eq!(not("{notNets: [10.1.1.0/24]}").reach("vault", "cart", 80), "denied by p");
    assert_eq!(not("{notNets: [10.1.1.0/24]}").reach("web", "cart", 80), "allowed");
    assert_eq!(not("{notSelector: 'app == \"vault\"'}").reach("vault", "cart", 80), "denied by p");
    assert_eq!(not("{notSelector: 'app == \"vault\"'}").reach("203.0.113.9", "cart", 80), "allowed");
    assert_eq!(
        not("{serviceAccounts: {names: [keeper]}, namespaceSelector: all()}").reach("vault", "cart", 80),
        "allowed"
    );
    let ports = cluster(&[policy(
        "p",
        "{ingress: [{action: Allow, protocol: TCP, destination: {notPorts: [22]}}, {action: Allow, notProtocol: TCP}]}",
    )]);
    assert_eq!(ports.reach("vault", "cart", 22), "denied by p");
    assert_eq!(ports.reach("vault", "cart", 23), "allowed");
    assert_eq!(ports.isolation("cart", INGRESS), "isolated by p");
}

#[test]
fn what_opens_everything() {
    for (rules, expected) in [
        ("[{action: Allow}]", "open to every peer by p"),
        ("[{action: Log}, {action: Allow}]", "open to every peer by p"),
        ("[{action: Allow, source: {nets: [0.0.0.0/0]}}]", "open to all of IPv4 by p"),
        ("[{action: Allow, ipVersion: 4}]", "open to all of IPv4 by p"),
        ("[{action: Allow, ipVersion: 6}]", "isolated by p"),
        ("[{action: Allow, source: {selector: all()}}]", "isolated by p"),
        ("[{action: Allow, source: {namespaceSelector: all()}}]", "isolated by p"),
        ("[{action: Allow, protocol: TCP}]", "isolated by p"),
        ("[{action: Allow, protocol: ICMP}]", "isolated by p"),
        ("[{action: Log}]", "isolated by p"),
    ] {
        assert_eq!(
            cluster(&[policy("p", &format!("{{ingress: {rules}}}"))]).isolation("cart", INGRESS),
            expected,
            "{rules}"
        );
    }
}

#[test]
fn the_objects_behind_calicos_api_are_not_counted_twice() {
    let crd = "{apiVersion: crd.projectcalico.org/v1, kind: NetworkPolicy, metadata: {name: default.old, namespace: shop}, spec: {types: [Ingress]}}\n---\n".to_owned();
    assert_eq!(cluster(std::slice::from_ref(&crd)).isolation("cart", INGRESS), "isolated by default.old");
    assert_eq!(
        cluster(&[crd, policy("new", "{types: [Ingress]}")]).isolation("cart", INGRESS),
        "isolated by new"
    );
}

#[test]
fn what_is_not_evaluated_is_undecided_where_it_matters() {
    for rules in [
        "[{action: Allow, http: {methods: [GET]}}]",
        "[{action: Allow, source: {services: {name: web}}}]",
        "[{action: Allow, source: {surprise: true}}]",
        "[{action: Allow, source: {ports: [80]}, protocol: TCP}]",
        "[{action: Allow, source: {serviceAccounts: {selector: 'role == \"x\"'}}}]",
        "[{action: Allow, source: {selector: 'app ~ \"x\"'}}]",
        "[{action: Maybe}]",
    ] {
        assert_eq!(
            cluster(&[policy("p", &format!("{{ingress: {rules}}}"))]).reach("web", "cart", 80),
            "undecided",
            "{rules}"
        );
    }
    let accounts = cluster(&[policy("p", "{serviceAccountSelector: 'role == \"x\"', types: [Ingress]}")]);
    assert_eq!(accounts.isolation("cart", INGRESS), "undecided");
    let surprise = cluster(&[policy("p", "{surprise: 1, types: [Ingress]}")]);
    assert_eq!(
        (surprise.isolation("cart", INGRESS).as_str(), surprise.isolation("vault", INGRESS).as_str()),
        ("undecided", "open")
    );
}
