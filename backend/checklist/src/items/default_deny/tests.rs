use super::*;
use crate::Parameters;
use crate::inventory::Kind;
use crate::network::POLICY_KINDS;
use crate::testing::{assert_findings, assert_remedied, forbid, inventory, outcome, result};
use rampart_shared::{Gap, GapReason, Outcome};

const ID: ItemId = ItemId::DefaultDeny;
const POD: &str = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: shop}, spec: {containers: [{name: c}]}, status: {phase: Running, podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}]}}";
const PLUGIN: &str = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: net, namespace: kube-system}, spec: {template: {spec: {containers: [{name: a, image: 'registry.k8s.io/networking/kube-network-policies:v0.9.0'}]}}}}";

fn policy(name: &str, spec: &str) -> String {
    format!(
        "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: {name}, namespace: shop}}, spec: {spec}}}"
    )
}

fn cluster(documents: &[String]) -> String {
    let mut all = vec![POD.to_owned(), PLUGIN.to_owned()];
    all.extend_from_slice(documents);
    all.join("\n---\n")
}

fn deny() -> String {
    policy("deny", "{podSelector: {}, policyTypes: [Ingress, Egress]}")
}

#[track_caller]
fn assert_fails(yaml: &str) {
    assert_eq!(outcome(ID, yaml), Outcome::Fail);
    assert_remedied(ID, &inventory(yaml), &Parameters::default());
}

#[test]
fn an_empty_policy_for_both_directions_passes() {
    assert_findings(ID, &cluster(&[deny()]), Outcome::Pass, &[]);
    let dns = policy(
        "deny",
        "{podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{namespaceSelector: {}}], ports: [{port: 53, protocol: UDP}]}]}",
    );
    assert_findings(ID, &cluster(&[dns]), Outcome::Pass, &[]);
}

#[test]
fn a_policy_without_policy_types_is_for_ingress_only() {
    let yaml = cluster(&[policy("deny", "{podSelector: {}}")]);
    assert_findings(ID, &yaml, Outcome::Fail, &["shop NetworkPolicy Egress: no policy selects every pod"]);
    let note = result(ID, &inventory(&yaml)).evidence().findings[0].note.clone().unwrap();
    assert_eq!(note, "NetworkPolicy deny selects every pod and does not isolate Egress.");
}

#[test]
fn a_policy_for_some_pods_is_no_default() {
    let some = policy("deny", "{podSelector: {matchLabels: {app: a}}, policyTypes: [Ingress, Egress]}");
    assert_findings(
        ID,
        &cluster(&[some]),
        Outcome::Fail,
        &[
            "shop NetworkPolicy Egress: no policy selects every pod",
            "shop NetworkPolicy Ingress: no policy selects every pod",
        ],
    );
}

#[test]
fn allow_all_in_any_form_voids_it() {
    for (rules, observed) in [
        ("[{}]", "allows every peer on every port"),
        ("[{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]", "allows all of IPv4 on every port"),
        (
            "[{from: [{ipBlock: {cidr: 0.0.0.0/1}}]}, {from: [{ipBlock: {cidr: 128.0.0.0/1}}]}]",
            "allows all of IPv4 on every port",
        ),
        (
            "[{ports: [{port: 1, endPort: 65535}, {protocol: UDP}, {protocol: SCTP}]}]",
            "allows every peer on every port",
        ),
    ] {
        for selector in ["{}", "{matchLabels: {app: a}}"] {
            let open = policy(
                "open",
                &format!("{{podSelector: {selector}, policyTypes: [Ingress], ingress: {rules}}}"),
            );
            let expected = format!("open spec.ingress: {observed}");
            assert_findings(ID, &cluster(&[deny(), open]), Outcome::Fail, &[&expected]);
        }
    }
}

#[test]
fn what_is_not_allow_all() {
    for rules in [
        "[{from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]",
        "[{from: [{ipBlock: {cidr: '::/0'}}]}]",
        "[{from: [{namespaceSelector: {}}]}]",
        "[{ports: [{port: 80}]}]",
        "[{ports: [{protocol: TCP}]}]",
        "[{from: [{ipBlock: {cidr: 0.0.0.0/1}}]}, {from: [{ipBlock: {cidr: 128.0.0.0/2}}]}]",
    ] {
        let policy =
            policy("some", &format!("{{podSelector: {{}}, policyTypes: [Ingress], ingress: {rules}}}"));
        assert_eq!(outcome(ID, &cluster(&[deny(), policy])), Outcome::Pass, "{rules}");
    }
}

#[test]
fn one_open_family_of_two_is_a_violation() {
    let open = policy(
        "six",
        "{podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{ipBlock: {cidr: '::/0'}}]}]}",
    );
    let yaml = cluster(&[deny(), open]).replace("[{ip: 10.0.0.1}]", "[{ip: 10.0.0.1}, {ip: 'fd00::1'}]");
    assert_findings(ID, &yaml, Outcome::Fail, &["six spec.ingress: allows all of IPv6 on every port"]);
}

#[test]
fn an_absence_needs_every_supplier() {
    for kind in POLICY_KINDS.into_iter().chain([Kind::OtherPolicyKinds]) {
        let mut seen = inventory(&cluster(&[]));
        forbid(&mut seen, kind);
        assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown);
    }
    let open = policy("open", "{podSelector: {}, policyTypes: [Ingress], ingress: [{}]}");
    let mut seen = inventory(&cluster(&[deny(), open]));
    seen.add_gap(
        Kind::OtherPolicyKinds,
        Gap::new("ciliumnetworkpolicies.cilium.io", GapReason::NotCollected, "not understood"),
    );
    assert_eq!(result(ID, &seen).outcome(), Outcome::Fail);
}

#[test]
fn policies_that_nobody_enforces_do_not_pass() {
    let unrecognised = cluster(&[deny()]).replace("kube-network-policies", "something");
    assert_eq!(outcome(ID, &unrecognised), Outcome::Unknown);
    let flannel = cluster(&[deny()])
        .replace("registry.k8s.io/networking/kube-network-policies", "ghcr.io/flannel-io/flannel");
    assert_findings(
        ID,
        &flannel,
        Outcome::Fail,
        &["net NetworkPolicy enforcement: flannel does not enforce NetworkPolicies"],
    );
    let old = |date: &str| {
        cluster(&[deny()]).replace(
            "registry.k8s.io/networking/kube-network-policies:v0.9.0",
            &format!("docker.io/kindest/kindnetd:v{date}-c6f155d6"),
        )
    };
    assert_eq!(outcome(ID, &old("20240813")), Outcome::Pass);
    assert_fails(&old("20240202"));
}

#[test]
fn namespaces_without_pods_and_system_namespaces_do_not_count() {
    assert_eq!(outcome(ID, PLUGIN), Outcome::NotApplicable);
    let scaled = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: idle}, spec: {replicas: 0, template: {spec: {containers: [{name: c}]}}}}";
    assert_eq!(outcome(ID, &cluster(&[deny(), scaled.to_owned()])), Outcome::Pass);
    assert_fails(&cluster(&[deny(), scaled.replace("replicas: 0", "replicas: 2")]));
}
