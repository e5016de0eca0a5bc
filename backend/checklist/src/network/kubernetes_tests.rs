//! NetworkPolicies: the cases of the API's documentation, and what is taken for something else.
//!
//! <https://kubernetes.io/docs/concepts/services-networking/network-policies/>

use super::testing::{Cluster, EGRESS, INGRESS};
use super::{NetworkPlugin, Protocol};

fn policy(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: {name}, namespace: shop}}, spec: {spec}}}\n---\n"
    )
}

fn cluster(policies: &[(&str, &str)]) -> Cluster {
    let policies: String = policies.iter().map(|(name, spec)| policy(name, spec)).collect();
    Cluster::new(NetworkPlugin::Other, &policies)
}

#[test]
fn without_policies_everything_is_open() {
    let open = cluster(&[]);
    assert_eq!(open.isolation("cart", INGRESS), "open");
    assert_eq!(open.default("shop", EGRESS), "open");
    assert_eq!(open.reach("vault", "cart", 8080), "allowed");
    assert_eq!(open.reach("203.0.113.9", "cart", 8080), "allowed");
}

#[test]
fn a_policy_without_policy_types_is_for_ingress_only() {
    let seed = cluster(&[("deny", "{podSelector: {}}")]);
    assert_eq!(seed.isolation("cart", INGRESS), "isolated by deny");
    assert_eq!(seed.isolation("cart", EGRESS), "open");
    assert_eq!(seed.default("shop", INGRESS), "isolated by deny");
    assert_eq!(seed.default("shop", EGRESS), "open");
    let both = cluster(&[("deny", "{podSelector: {}, egress: [{ports: [{port: 53}]}]}")]);
    assert_eq!(both.default("shop", EGRESS), "isolated by deny");
    assert_eq!(both.isolation("vault", INGRESS), "open", "another namespace");
}

#[test]
fn default_deny_and_allow_all() {
    let deny = cluster(&[("deny", "{podSelector: {}, policyTypes: [Ingress, Egress]}")]);
    for from in ["web", "vault", "203.0.113.9"] {
        assert_eq!(deny.reach(from, "cart", 80), "denied by deny");
    }
    assert_eq!(deny.reach("cart", "vault", 80), "denied by deny");
    assert_eq!(deny.reach("cart", "cart", 80), "allowed", "a pod reaches itself");
    let open = cluster(&[("deny", "{podSelector: {}}"), ("open", "{podSelector: {}, ingress: [{}]}")]);
    assert_eq!(open.default("shop", INGRESS), "open to every peer by open");
    assert_eq!(open.reach("vault", "cart", 80), "allowed");
}

#[test]
fn allow_all_for_some_pods_is_told_apart() {
    let some = cluster(&[
        ("deny", "{podSelector: {}}"),
        ("open", "{podSelector: {matchLabels: {app: cart}}, ingress: [{}]}"),
    ]);
    assert_eq!(some.default("shop", INGRESS), "isolated by deny, some open to every peer by open");
    assert_eq!(some.isolation("cart", INGRESS), "open to every peer by open");
    assert_eq!(some.isolation("web", INGRESS), "isolated by deny");
    let alone = cluster(&[("some", "{podSelector: {matchLabels: {app: cart}}}")]);
    assert_eq!(alone.default("shop", INGRESS), "open");
    assert_eq!(alone.isolation("cart", INGRESS), "isolated by some");
}

#[test]
fn two_halves_are_the_whole() {
    let halves = [
        ("low", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/1}}]}]}"),
        ("high", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 128.0.0.0/1}}]}]}"),
    ];
    assert_eq!(cluster(&halves).default("shop", INGRESS), "open to all of IPv4 by high low");
    assert_eq!(cluster(&halves[..1]).default("shop", INGRESS), "isolated by low");
    let ports = cluster(&[(
        "ports",
        "{podSelector: {}, ingress: [{ports: [{port: 1, endPort: 40000}, {protocol: UDP}]}, {ports: [{port: 40001, endPort: 65535}, {protocol: SCTP}]}]}",
    )]);
    assert_eq!(ports.default("shop", INGRESS), "open to every peer by ports");
}

#[test]
fn all_of_ipv6_opens_dual_stack_only() {
    let six = [("six", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: '::/0'}}]}]}")];
    assert_eq!(cluster(&six).default("shop", INGRESS), "isolated by six");
    assert_eq!(cluster(&six).dual_stack().default("shop", INGRESS), "open to all of IPv6 by six");
    let except = [(
        "most",
        "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]}",
    )];
    assert_eq!(cluster(&except).default("shop", INGRESS), "isolated by most");
}

#[test]
fn the_whole_cluster_is_wide_and_not_open() {
    let wide = cluster(&[("wide", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}")]);
    assert_eq!(wide.default("shop", INGRESS), "isolated by wide");
    assert_eq!(wide.network().wide("shop").len(), 1);
    assert_eq!(wide.reach("vault", "cart", 80), "allowed");
    assert_eq!(wide.reach("203.0.113.9", "cart", 80), "denied by wide");
    for narrow in
        ["[{from: [{podSelector: {}}]}]", "[{from: [{namespaceSelector: {}}], ports: [{port: 80}]}]", "[{}]"]
    {
        let narrow = cluster(&[("narrow", &format!("{{podSelector: {{}}, ingress: {narrow}}}"))]);
        assert!(narrow.network().wide("shop").is_empty());
    }
}

#[test]
fn both_selectors_in_one_entry_are_both_meant_and_two_entries_are_either() {
    let combined = cluster(&[(
        "p",
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}, podSelector: {matchLabels: {app: web}}}]}]}",
    )]);
    assert_eq!(combined.reach("vault", "cart", 80), "denied by p");
    assert_eq!(combined.reach("web", "cart", 80), "denied by p");
    let separate = cluster(&[(
        "p",
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: blue}}}, {podSelector: {matchLabels: {app: web}}}]}]}",
    )]);
    assert_eq!(separate.reach("vault", "cart", 80), "allowed");
    assert_eq!(separate.reach("web", "cart", 80), "allowed");
    assert_eq!(separate.reach("dns", "cart", 80), "denied by p");
}

#[test]
fn dns_is_an_exception_and_no_violation() {
    let dns = cluster(&[(
        "deny",
        "{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53, protocol: UDP}]}]}",
    )]);
    assert_eq!(dns.default("shop", EGRESS), "isolated by deny");
    assert_eq!(dns.reach_by("cart", "dns", 53, Protocol::Udp), "allowed");
    assert_eq!(dns.reach("cart", "dns", 53), "denied by deny");
    assert_eq!(dns.reach_by("cart", "vault", 53, Protocol::Udp), "denied by deny");
}

#[test]
fn ports_by_name_by_range_and_by_protocol() {
    let ports = cluster(&[(
        "p",
        "{podSelector: {}, ingress: [{ports: [{port: http}, {port: 32000, endPort: 32768}]}]}",
    )]);
    for (port, expected) in [
        (8080, "allowed"),
        (32000, "allowed"),
        (32768, "allowed"),
        (32769, "denied by p"),
        (80, "denied by p"),
    ] {
        assert_eq!(ports.reach("vault", "cart", port), expected, "{port}");
    }
    assert_eq!(ports.reach("vault", "web", 8080), "denied by p", "web has no port of that name");
    assert_eq!(ports.reach_by("vault", "cart", 32000, Protocol::Udp), "denied by p");
    assert_eq!(ports.default("shop", INGRESS), "isolated by p");
}

#[test]
fn blocks_leave_out_what_they_except() {
    let blocks = cluster(&[(
        "p",
        "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 172.17.0.0/16, except: [172.17.1.0/24]}}]}]}",
    )]);
    assert_eq!(blocks.reach("172.17.2.1", "cart", 80), "allowed");
    assert_eq!(blocks.reach("172.17.1.1", "cart", 80), "denied by p");
    let pods = "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.1.1.0/24}}]}]}";
    assert_eq!(cluster(&[("p", pods)]).reach("vault", "cart", 80), "allowed");
    // Cilium does not take pods for addresses: https://docs.cilium.io/en/stable/network/kubernetes/policy/
    assert_eq!(
        Cluster::new(NetworkPlugin::Cilium, &policy("p", pods)).reach("vault", "cart", 80),
        "denied by p"
    );
}

#[test]
fn both_ends_must_agree() {
    let ends = Cluster::new(
        NetworkPlugin::Other,
        &(policy("in", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}")
            + "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: out, namespace: bank}, spec: {podSelector: {}, policyTypes: [Egress]}}"),
    );
    assert_eq!(ends.reach("vault", "cart", 80), "denied by out");
    assert_eq!(ends.reach("dns", "cart", 80), "allowed");
}

#[test]
fn a_rules_field_of_the_other_direction_means_nothing() {
    let strange = cluster(&[("p", "{podSelector: {}, ingress: [{to: [{podSelector: {}}]}]}")]);
    assert_eq!(strange.default("shop", INGRESS), "open to every peer by p");
}

#[test]
fn what_cannot_be_read_is_undecided() {
    for rules in [
        "[{from: [{}]}]",
        "[{from: [{ipBlock: {cidr: nowhere}}]}]",
        "[{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [nowhere]}}]}]",
        "[{from: [{ipBlock: {cidr: 0.0.0.0/0}, podSelector: {}}]}]",
        "[{ports: [{protocol: TCP}, {protocol: UDP}, {protocol: SCTP}], from: [{}]}]",
    ] {
        let strange = cluster(&[("p", &format!("{{podSelector: {{}}, ingress: {rules}}}"))]);
        assert_eq!(strange.default("shop", INGRESS), "undecided", "{rules}");
        assert_eq!(strange.reach("10.9.9.9", "cart", 80), "undecided", "{rules}");
    }
    // A strange rule does not hide that everything else is dropped.
    let port = cluster(&[("p", "{podSelector: {}, ingress: [{from: [{}], ports: [{port: 80}]}]}")]);
    assert_eq!(port.default("shop", INGRESS), "isolated by p");
    let selector =
        cluster(&[("p", "{podSelector: {matchExpressions: [{key: app, operator: Near, values: [x]}]}}")]);
    assert_eq!(selector.isolation("cart", INGRESS), "undecided");
}

#[test]
fn thousands_of_rules_are_no_matter() {
    let blocks: Vec<String> =
        (0..3000).map(|n| format!("{{ipBlock: {{cidr: {}.{}.0.0/16}}}}", n % 250, n / 12)).collect();
    let many =
        cluster(&[("many", &format!("{{podSelector: {{}}, ingress: [{{from: [{}]}}]}}", blocks.join(", ")))]);
    assert_eq!(many.default("shop", INGRESS), "isolated by many");
}
