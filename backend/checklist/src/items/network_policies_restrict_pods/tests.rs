use super::NEEDS;
use crate::Parameters;
use crate::inventory::Kind;
use crate::need::Role;
use crate::testing::{assert_findings, assert_remedied, forbid, inventory, outcome, result};
use rampart_shared::{ItemId, Outcome, Scope};

const ID: ItemId = ItemId::NetworkPoliciesRestrictPods;
const PLUGIN: &str = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: net, namespace: kube-system}, spec: {template: {spec: {containers: [{name: a, image: 'registry.k8s.io/networking/kube-network-policies:v0.9.0'}]}}}}";

fn pod(name: &str, more: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: shop, labels: {{app: {name}}}}}, spec: {{containers: [{{name: c}}]{more}}}, status: {{phase: Running, podIPs: [{{ip: 10.0.0.1}}]}}}}"
    )
}

fn policy(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: {name}, namespace: shop}}, spec: {spec}}}"
    )
}

fn cluster(documents: &[String]) -> String {
    [&[PLUGIN.to_owned()], documents].concat().join("\n---\n")
}

fn notes(yaml: &str) -> Vec<String> {
    result(ID, &inventory(yaml)).evidence().notes.clone()
}

#[track_caller]
fn assert_fails(yaml: &str) {
    assert_eq!(outcome(ID, yaml), Outcome::Fail, "{yaml}");
    assert_remedied(ID, &inventory(yaml), &Parameters::default());
}

#[test]
fn isolated_pods_pass_and_the_others_are_named() {
    let yaml =
        cluster(&[pod("cart", ""), pod("db", ""), policy("db", "{podSelector: {matchLabels: {app: db}}}")]);
    assert_findings(ID, &yaml, Outcome::Fail, &["cart NetworkPolicy Ingress: no policy isolates the pods"]);
    let all = cluster(&[pod("cart", ""), pod("db", ""), policy("all", "{podSelector: {}}")]);
    assert_findings(ID, &all, Outcome::Pass, &[]);
    assert!(notes(&all).contains(&"Egress: 0 of 2 pods are isolated.".to_owned()), "{:?}", notes(&all));
    let egress =
        cluster(&[pod("cart", ""), policy("all", "{podSelector: {}, policyTypes: [Ingress, Egress]}")]);
    assert!(notes(&egress).contains(&"Egress: 1 of 1 pods are isolated.".to_owned()));
}

#[test]
fn egress_alone_is_not_enough() {
    let yaml = cluster(&[pod("cart", ""), policy("out", "{podSelector: {}, policyTypes: [Egress]}")]);
    assert_fails(&yaml);
}

#[test]
fn allow_all_isolates_nobody() {
    let yaml = cluster(&[
        pod("cart", ""),
        policy("deny", "{podSelector: {}}"),
        policy("open", "{podSelector: {matchLabels: {app: cart}}, ingress: [{}]}"),
    ]);
    let observed =
        "cart NetworkPolicy Ingress: policies allow every peer on every port (NetworkPolicy shop/open)";
    assert_findings(ID, &yaml, Outcome::Fail, &[observed]);
}

#[test]
fn the_whole_cluster_is_wide_and_no_violation() {
    let yaml = cluster(&[
        pod("cart", ""),
        policy("wide", "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}"),
    ]);
    assert_eq!(outcome(ID, &yaml), Outcome::Pass);
    assert!(notes(&yaml).iter().any(|note| note.contains("shop/wide allows the whole cluster")));
}

#[test]
fn pods_on_the_host_network_and_finished_ones_do_not_count() {
    let host = pod("agent", ", hostNetwork: true");
    assert_eq!(outcome(ID, &cluster(std::slice::from_ref(&host))), Outcome::NotApplicable);
    let done = pod("job", "").replace("Running", "Succeeded");
    let yaml = cluster(&[host, done, pod("cart", ""), policy("all", "{podSelector: {}}")]);
    assert_eq!(outcome(ID, &yaml), Outcome::Pass);
}

#[test]
fn the_owner_is_named_and_not_each_of_its_pods() {
    let owned = |name: &str| {
        pod(name, "").replace(
            "labels: {",
            "ownerReferences: [{apiVersion: apps/v1, kind: StatefulSet, name: cart, controller: true}], labels: {",
        )
    };
    let set = "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: cart, namespace: shop}, spec: {template: {spec: {containers: [{name: c}]}}}}";
    let yaml = cluster(&[owned("cart-0"), owned("cart-1"), set.to_owned()]);
    let result = result(ID, &inventory(&yaml));
    assert_eq!(result.evidence().findings.len(), 1);
    assert_eq!(result.evidence().findings[0].subject.kind, "StatefulSet");
    assert_eq!((result.evidence().examined, result.evidence().violating), (2, 2));
}

#[test]
fn system_namespaces_do_not_decide() {
    let system = pod("dns", "").replace("namespace: shop", "namespace: kube-system");
    let result =
        result(ID, &inventory(&cluster(&[pod("cart", ""), policy("all", "{podSelector: {}}"), system])));
    assert_eq!(result.outcome(), Outcome::Pass);
    assert_eq!(result.evidence().findings[0].scope, Scope::System);
}

#[test]
fn missing_evidence_never_passes() {
    let good = cluster(&[pod("cart", ""), policy("all", "{podSelector: {}}")]);
    for need in NEEDS.iter().filter(|need| need.role == Role::Required) {
        let mut seen = inventory(&good);
        forbid(&mut seen, need.kind);
        assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown, "{:?}", need.kind);
    }
}

#[test]
fn where_nobody_enforces_there_is_no_pass() {
    let good = cluster(&[pod("cart", ""), policy("all", "{podSelector: {}}")]);
    let with = |image: &str| good.replace("registry.k8s.io/networking/kube-network-policies:v0.9.0", image);
    assert_eq!(outcome(ID, &with("example.com/net:1")), Outcome::Unknown);
    assert_fails(&with("docker.io/flannel/flannel:v0.27.0"));
    assert_eq!(outcome(ID, &with("quay.io/cilium/cilium:v1.18.0")), Outcome::Pass);
    let mut seen = inventory(&with("quay.io/cilium/cilium:v1.18.0"));
    forbid(&mut seen, Kind::ConfigMaps);
    assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown);
    for data in ["enable-policy: never", "policy-audit-mode: 'true'"] {
        let map = format!(
            "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: cilium-config, namespace: kube-system}}, data: {{{data}}}}}"
        );
        let yaml = with("quay.io/cilium/cilium:v1.18.0") + "\n---\n" + &map;
        assert_fails(&yaml);
    }
}

#[test]
fn fargate_does_not_enforce() {
    let node = "{apiVersion: v1, kind: Node, metadata: {name: f, labels: {eks.amazonaws.com/compute-type: fargate}}}";
    let yaml = cluster(&[pod("cart", ", nodeName: f"), policy("all", "{podSelector: {}}"), node.to_owned()]);
    let observed = "cart NetworkPolicy Ingress: it runs on Fargate, which does not enforce NetworkPolicies";
    assert_findings(ID, &yaml, Outcome::Fail, &[observed]);
}

#[test]
fn eks_enforces_when_its_agent_is_on_and_a_controller_feeds_it() {
    let agent = |args: &str| {
        PLUGIN.replace(
            "{name: a, image: 'registry.k8s.io/networking/kube-network-policies:v0.9.0'}",
            &format!("{{name: aws-eks-nodeagent, image: 'example.com/amazon/aws-network-policy-agent:v1.2', args: [{args}]}}"),
        )
    };
    let with = |args: &str, more: &str| {
        [agent(args), pod("cart", ""), policy("all", "{podSelector: {}}"), more.to_owned()].join("\n---\n")
    };
    let endpoints = "{apiVersion: networking.k8s.aws/v1alpha1, kind: PolicyEndpoint, metadata: {name: all-x, namespace: shop}, spec: {}}";
    assert_eq!(outcome(ID, &with("'--enable-network-policy=true'", endpoints)), Outcome::Pass);
    assert_fails(&with("'--enable-network-policy=false'", endpoints));
    assert_fails(&with("", endpoints));
    let alone = with("'--enable-network-policy=true'", "");
    assert_fails(&alone);
    let mut seen = inventory(&alone);
    forbid(&mut seen, Kind::PolicyEndpoints);
    assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown);
}
