//! Cilium's policies as its documentation shows them, and Cilium's configuration.
//!
//! <https://docs.cilium.io/en/stable/security/policy/layer3/>, <https://docs.cilium.io/en/stable/security/policy/intro/>,
//! <https://docs.cilium.io/en/stable/security/policy/deny/>

use super::NetworkPlugin;
use super::testing::{Cluster, EGRESS, INGRESS};

fn policy(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {{name: {name}, namespace: shop}}, spec: {spec}}}\n---\n"
    )
}

fn clusterwide(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: cilium.io/v2, kind: CiliumClusterwideNetworkPolicy, metadata: {{name: {name}}}, spec: {spec}}}\n---\n"
    )
}

fn configuration(data: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: cilium-config, namespace: kube-system}}, data: {data}}}\n---\n"
    )
}

fn cluster(policies: &[String]) -> Cluster {
    Cluster::new(NetworkPlugin::Cilium, &policies.concat())
}

/// A policy `p` for every pod of the namespace with these ingress rules.
fn ingress(rules: &str) -> Cluster {
    cluster(&[policy("p", &format!("{{endpointSelector: {{}}, ingress: {rules}}}"))])
}

#[test]
fn an_empty_rule_is_a_default_deny() {
    let deny = ingress("[{}]");
    assert_eq!(deny.default("shop", INGRESS), "isolated by p");
    assert_eq!(deny.default("shop", EGRESS), "open");
    assert_eq!(deny.reach("vault", "cart", 80), "denied by p");
    let kubernetes = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: k, namespace: shop}, spec: {podSelector: {}, ingress: [{}]}}";
    assert_eq!(cluster(&[kubernetes.to_owned()]).default("shop", INGRESS), "open to every peer by k");
}

#[test]
fn an_empty_list_of_rules_says_nothing() {
    assert_eq!(ingress("[]").default("shop", INGRESS), "open");
    assert_eq!(cluster(&[policy("p", "{endpointSelector: {}}")]).isolation("cart", INGRESS), "open");
}

#[test]
fn peers_are_of_the_own_namespace_unless_they_say_otherwise() {
    let own = ingress("[{fromEndpoints: [{}]}]");
    assert_eq!(own.reach("web", "cart", 80), "allowed");
    assert_eq!(own.reach("vault", "cart", 80), "denied by p");
    assert_eq!(own.default("shop", INGRESS), "isolated by p");
    for selector in [
        "{matchLabels: {'k8s:io.kubernetes.pod.namespace': bank}}",
        "{matchLabels: {io.kubernetes.pod.namespace: bank, app: vault}}",
        "{matchLabels: {io.cilium.k8s.namespace.labels.team: blue}}",
        "{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: Exists}]}",
        "{matchLabels: {'any:io.kubernetes.pod.namespace': bank, io.cilium.k8s.policy.serviceaccount: keeper}}",
    ] {
        assert_eq!(
            ingress(&format!("[{{fromEndpoints: [{selector}]}}]")).reach("vault", "cart", 80),
            "allowed",
            "{selector}"
        );
    }
    let everywhere = cluster(&[clusterwide("c", "{endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}")]);
    assert_eq!(everywhere.reach("vault", "cart", 80), "allowed");
    assert_eq!(everywhere.reach("203.0.113.9", "cart", 80), "denied by c");
    assert_eq!(everywhere.default("bank", INGRESS), "isolated by c");
}

#[test]
fn allow_all_is_the_entity_all_or_world_and_cluster() {
    for open in [
        "[{fromEntities: [all]}]",
        "[{fromEntities: [world, cluster]}]",
        "[{fromEntities: [world]}, {fromEntities: [cluster]}]",
        "[{fromEntities: [world-ipv4, cluster]}]",
        "[{fromCIDR: [0.0.0.0/0]}, {fromEntities: [cluster]}]",
        "[{toPorts: [{ports: [{port: '0', protocol: ANY}]}]}]",
        "[{toPorts: [{ports: [{port: '1', endPort: 65535}]}]}]",
    ] {
        assert_eq!(ingress(open).default("shop", INGRESS), "open to every peer by p", "{open}");
    }
    for isolated in [
        "[{fromEntities: [world]}]",
        "[{fromEntities: [cluster]}]",
        "[{fromEntities: [host, remote-node, health, kube-apiserver]}]",
        "[{fromEntities: [none]}]",
        "[{fromCIDR: [0.0.0.0/0, '::/0']}]",
        "[{fromEntities: [all], toPorts: [{ports: [{port: '80', protocol: TCP}]}]}]",
        "[{fromEntities: [all], icmps: [{fields: [{type: 8}]}]}]",
        "[{toPorts: [{ports: [{port: http}]}]}]",
    ] {
        assert_eq!(ingress(isolated).default("shop", INGRESS), "isolated by p", "{isolated}");
    }
    assert_eq!(
        ingress("[{fromEntities: [world-ipv4, cluster]}]").dual_stack().default("shop", INGRESS),
        "open to all of IPv4 by p"
    );
}

#[test]
fn default_deny_can_be_switched_off_and_any_policy_that_asks_for_it_wins() {
    let off = policy(
        "tolerant",
        "{endpointSelector: {}, enableDefaultDeny: {ingress: false}, ingress: [{fromEntities: [world]}]}",
    );
    assert_eq!(cluster(std::slice::from_ref(&off)).isolation("cart", INGRESS), "open");
    assert_eq!(cluster(std::slice::from_ref(&off)).reach("vault", "cart", 80), "allowed");
    let on = policy("strict", "{endpointSelector: {}, ingress: [{}]}");
    assert_eq!(cluster(&[off, on]).isolation("cart", INGRESS), "isolated by strict");
    // https://github.com/cilium/cilium/blob/main/pkg/policy/repository.go looks at the field where there are rules.
    let alone = policy("alone", "{endpointSelector: {}, enableDefaultDeny: {ingress: true}, egress: [{}]}");
    assert_eq!(cluster(&[alone]).isolation("cart", INGRESS), "undecided");
}

#[test]
fn denials_come_first_and_ask_for_default_deny() {
    let deny =
        policy("deny", "{endpointSelector: {}, ingressDeny: [{fromEndpoints: [{matchLabels: {app: web}}]}]}");
    let open = policy("open", "{endpointSelector: {}, ingress: [{fromEntities: [all]}]}");
    assert_eq!(cluster(std::slice::from_ref(&deny)).isolation("cart", INGRESS), "isolated by deny");
    let both = cluster(&[deny.clone(), open]);
    assert_eq!(both.reach("web", "cart", 80), "denied by deny");
    assert_eq!(both.reach("vault", "cart", 80), "allowed");
    assert_eq!(
        both.isolation("cart", INGRESS),
        "open to every peer by open",
        "a denial of some isolates from them alone"
    );
    let kubernetes = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: k, namespace: shop}, spec: {podSelector: {}, ingress: [{}]}}";
    assert_eq!(cluster(&[deny, kubernetes.to_owned()]).reach("web", "cart", 80), "denied by deny");
}

#[test]
fn specs_are_read_beside_spec() {
    let specs = "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: s, namespace: shop}, specs: [{endpointSelector: {matchLabels: {app: web}}, ingress: [{}]}, {endpointSelector: {matchLabels: {app: cart}}, egress: [{}]}]}";
    let specs = cluster(&[specs.to_owned()]);
    assert_eq!(specs.isolation("web", INGRESS), "isolated by s");
    assert_eq!(specs.isolation("cart", INGRESS), "open");
    assert_eq!(specs.isolation("cart", EGRESS), "isolated by s");
}

#[test]
fn policies_for_nodes_select_no_pods() {
    let nodes = clusterwide("host", "{nodeSelector: {}, ingress: [{}]}");
    assert_eq!(cluster(&[nodes]).isolation("cart", INGRESS), "open");
}

#[test]
fn a_namespaces_policy_stays_in_its_namespace() {
    let stray = policy(
        "p",
        "{endpointSelector: {matchLabels: {'k8s:io.kubernetes.pod.namespace': bank}}, ingress: [{}]}",
    );
    let stray = cluster(&[stray]);
    assert_eq!(stray.isolation("vault", INGRESS), "open");
    assert_eq!(stray.isolation("cart", INGRESS), "isolated by p");
    let but = clusterwide(
        "c",
        "{endpointSelector: {matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, values: [kube-system]}]}, egress: [{}]}",
    );
    let but = cluster(&[but]);
    assert_eq!(but.default("shop", EGRESS), "isolated by c");
    assert_eq!(but.isolation("dns", EGRESS), "open");
}

#[test]
fn the_configuration_decides_what_counts() {
    let deny = policy("p", "{endpointSelector: {}, ingress: [{}]}");
    let with = |data| cluster(&[deny.clone(), configuration(data)]);
    assert_eq!(with("{enable-policy: default}").isolation("cart", INGRESS), "isolated by p");
    assert_eq!(
        with("{enable-policy: never}").isolation("cart", INGRESS),
        "not enforced: Cilium runs with enable-policy: never"
    );
    assert_eq!(
        with("{policy-audit-mode: 'true'}").default("shop", INGRESS),
        "not enforced: Cilium runs with policy-audit-mode: true"
    );
    assert_eq!(with("{enable-policy: sometimes}").isolation("cart", INGRESS), "undecided");
    let always = with("{enable-policy: always}");
    assert_eq!(always.isolation("vault", INGRESS), "isolated by ");
    assert_eq!(always.default("bank", EGRESS), "isolated by ");
    let kubernetes = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: k, namespace: shop}, spec: {podSelector: {}}}\n---\n".to_owned();
    let ignored = cluster(&[kubernetes.clone(), configuration("{enable-k8s-networkpolicy: 'false'}")]);
    assert_eq!(ignored.isolation("cart", INGRESS), "open");
    assert_eq!(ignored.network().ignored().len(), 1);
    assert_eq!(cluster(&[kubernetes]).isolation("cart", INGRESS), "isolated by k");
}

#[test]
fn what_is_not_evaluated_is_undecided_where_it_matters() {
    for rules in [
        "[{fromEntities: [all], toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET}]}}]}]",
        "[{fromEntities: [all], authentication: {mode: required}}]",
        "[{fromEndpoints: [{}, {matchLabels: {'container:x': y}}]}, {fromRequires: [{matchLabels: {team: a}}]}]",
        "[{fromEntities: [all], fromSurprise: [x]}]",
        "[{fromEntities: [martians]}]",
        "[{fromEndpoints: [], toPorts: [{ports: [{port: '80'}]}]}]",
        "[{fromEntities: [all], fromEndpoints: [{}]}]",
    ] {
        assert_eq!(ingress(rules).reach("web", "cart", 80), "undecided", "{rules}");
    }
    // Names are resolved to what is outside the cluster: no pod is let through by them.
    let names = cluster(&[policy("p", "{endpointSelector: {}, egress: [{toFQDNs: [{matchPattern: '*'}]}]}")]);
    assert_eq!(names.default("shop", EGRESS), "isolated by p");
    let services = cluster(&[policy(
        "p",
        "{endpointSelector: {}, egress: [{toServices: [{k8sService: {serviceName: x}}]}]}",
    )]);
    assert_eq!(services.reach("cart", "vault", 80), "undecided");
    let unknown = cluster(&[policy("p", "{endpointSelector: {}, surprise: true, ingress: [{}]}")]);
    assert_eq!(unknown.isolation("cart", INGRESS), "undecided");
    assert_eq!(unknown.isolation("vault", INGRESS), "open", "another namespace");
    let broken = cluster(&[policy("p", "{endpointSelector: {}, ingress: 7}")]);
    assert_eq!(broken.isolation("cart", INGRESS), "undecided");
}

#[test]
fn dns_with_rules_of_layer_seven_is_a_default_deny_all_the_same() {
    // https://docs.cilium.io/en/stable/network/servicemesh/default-deny-ingress-policy/
    let dns = clusterwide(
        "d",
        "{endpointSelector: {}, egress: [{toEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns}}], toPorts: [{ports: [{port: '53', protocol: UDP}], rules: {dns: [{matchPattern: '*'}]}}]}]}",
    );
    assert_eq!(cluster(&[dns]).default("shop", EGRESS), "isolated by d");
}

#[test]
fn other_plugins_do_not_enforce_them() {
    let deny = policy("p", "{endpointSelector: {}, ingress: [{}]}");
    let calico = Cluster::new(NetworkPlugin::Calico, &deny);
    assert_eq!(calico.isolation("cart", INGRESS), "open");
    assert_eq!(calico.network().ignored().values().sum::<usize>(), 1);
}
