//! **Every application namespace denies by default.**
//!
//! Per application namespace with pods, and per direction: would a pod that is made tomorrow, with labels that nobody
//! knows, be denied? Only policies that select every pod can answer yes. They must isolate the direction, all of them
//! together must not allow everything, and no policy that selects some pods may allow everything either. The network
//! plugin must be one that enforces policies.

use super::Item;
use super::network_policy::{self, NEEDS, free_name, isolated_by, rests_on, suppliers};
use crate::inventory::{NetworkPolicy, PolicyDirection};
use crate::judge::{AbsentViolation, Observation, SeenViolation, Violation};
use crate::network::{Isolation, NamespaceDefault, Open, PolicyReference};
use crate::remedy::{Texts, document, remediation};
use crate::workloads::View;
use rampart_shared::{Category, ItemId, ItemResult, Remediation, RemediationTarget, Scope, Subject};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const ITEM: Item = Item {
    id: ItemId::DefaultDeny,
    number: 8,
    category: Category::Network,
    title: "Every application namespace denies traffic by default",
    short_title: "Default deny",
    checks: "In every application namespace with pods, policies that select every pod isolate ingress and egress, and \
             no policy allows everything. NetworkPolicies, Cilium's and Calico's policies, Admin, Baseline and Cluster \
             network policies are put together as the network plugin does. A network plugin that is known to enforce \
             policies runs.",
    why: "Without a default deny, every pod of the cluster reaches every other, and a pod made tomorrow is open to all \
          of them. With it, whoever takes one pod over reaches what was meant to be reached from there, and no more.",
    cannot_see: "Whether the plugin works, policies of the network outside the cluster, and policies of Antrea's own \
                 kinds: where a cluster serves these, the item is unknown. What policies for \
                 some pods each allow together shows in the item on isolated pods, once such pods run.",
    references: &[
        (
            "Kubernetes: Network Policies, default policies",
            "https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-policies",
        ),
        ("Cilium: policy enforcement modes", "https://docs.cilium.io/en/stable/security/policy/intro/"),
        (
            "Calico: policy tiers",
            "https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy",
        ),
        ("Network Policy API", "https://network-policy-api.sigs.k8s.io/api-overview/"),
        ("CIS Kubernetes Benchmark 5.3.2", "https://www.cisecurity.org/benchmark/kubernetes"),
    ],
    needs: &NEEDS,
    observe,
    remedy,
};

const DIRECTIONS: [PolicyDirection; 2] = [PolicyDirection::Ingress, PolicyDirection::Egress];

fn observe(view: &View<'_>) -> Observation {
    let mut observation = Observation { unit: "namespace", ..Observation::default() };
    let network = view.network();
    for namespace in namespaces(view) {
        observation.examined.insert(namespace.to_owned());
        for direction in DIRECTIONS {
            let default = network.policies.namespace_default(namespace, direction);
            judge_direction(&mut observation, view, namespace, direction, default);
        }
        for (policy, direction) in network.policies.wide(namespace) {
            observation.notes.push(format!(
                "{policy} allows the whole cluster on every port ({}): it isolates from outside only.",
                direction.as_str()
            ));
        }
    }
    if !observation.examined.is_empty() {
        network_policy::judge(network, &mut observation);
    }
    observation
}

/// Application namespaces that have pods, or a workload that would make some.
fn namespaces<'a>(view: &'a View<'_>) -> BTreeSet<&'a str> {
    view.workloads
        .iter()
        .filter(|workload| workload.scope == Scope::Application)
        .filter(|workload| workload.has_pods())
        .map(|workload| workload.namespace())
        .collect()
}

fn judge_direction(
    observation: &mut Observation,
    view: &View<'_>,
    namespace: &str,
    direction: PolicyDirection,
    default: NamespaceDefault,
) {
    let name = direction.as_str();
    let NamespaceDefault { of_all, opened_for_some, undecided_for_some } = default;
    match of_all {
        Isolation::Isolated { by } => {
            if let Some(note) = exceptions(view, &by, direction) {
                observation.notes.push(note);
            }
        }
        // What the plugin does not enforce is one finding for the cluster.
        Isolation::Open(Open::NotEnforced(_) | Open::HostNetwork) => {}
        Isolation::Open(Open::NoPolicy) => {
            observation.absent.push(AbsentViolation {
                violation: no_policy(view, namespace, direction),
                suppliers: suppliers(),
            });
        }
        Isolation::Open(Open::AllowAll { policies, what }) => {
            let allow = |policy| SeenViolation(allow_all(namespace, policy, direction, &what));
            observation.seen.extend(policies.iter().map(allow));
        }
        Isolation::Undecided(reasons) => {
            observation.undecided.push(isolated_by(
                &format!("Namespace {namespace} ({name})"),
                namespace,
                &reasons,
            ));
        }
    }
    for (policy, what) in &opened_for_some {
        observation.seen.push(SeenViolation(allow_all(namespace, policy, direction, what)));
    }
    if !undecided_for_some.is_empty() {
        let what = format!("Some pods of namespace {namespace} ({name})");
        observation.undecided.push(isolated_by(&what, namespace, &undecided_for_some));
    }
}

fn no_policy(view: &View<'_>, namespace: &str, direction: PolicyDirection) -> Violation {
    let name = direction.as_str();
    Violation {
        rule: match direction {
            PolicyDirection::Ingress => "no-ingress-default-deny",
            PolicyDirection::Egress => "no-egress-default-deny",
        },
        scope: Scope::Application,
        subject: Subject {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: namespace.to_owned(),
        },
        path: format!("NetworkPolicy {name}"),
        observed: "no policy selects every pod".to_owned(),
        expected: format!("a NetworkPolicy with an empty podSelector and policyTypes {name}"),
        note: none_isolates_though(view, namespace, direction),
        discriminator: String::new(),
        units: vec![namespace.to_owned()],
        rests_on: rests_on(),
    }
}

/// Policies that select every pod and leave this direction alone deserve a word: `policyTypes` has a default.
fn none_isolates_though(view: &View<'_>, namespace: &str, direction: PolicyDirection) -> Option<String> {
    let policy =
        of_namespace(view, namespace).find(|policy| policy.spec.pod_selector.selects_everything())?;
    let name = &policy.meta.name;
    (!policy.spec.isolates(direction)).then(|| {
        format!("NetworkPolicy {name} selects every pod and does not isolate {}.", direction.as_str())
    })
}

/// What the policies that select every pod let through all the same.
fn exceptions(view: &View<'_>, by: &[PolicyReference], direction: PolicyDirection) -> Option<String> {
    let allowing: Vec<String> = by
        .iter()
        .filter(|reference| reference.kind == "NetworkPolicy")
        .filter(|reference| {
            let namespace = reference.namespace.as_deref().unwrap_or_default();
            of_namespace(view, namespace)
                .any(|policy| policy.meta.name == reference.name && !policy.spec.rules(direction).is_empty())
        })
        .map(ToString::to_string)
        .collect();
    (!allowing.is_empty()).then(|| {
        format!("Exceptions to the default deny of {} stand in {}.", direction.as_str(), allowing.join(", "))
    })
}

fn of_namespace<'a>(view: &'a View<'_>, namespace: &str) -> impl Iterator<Item = &'a NetworkPolicy> {
    let policies = view.inventory.network_policies.seen.iter();
    policies.filter(move |policy| policy.meta.namespace_or_default() == namespace)
}

fn allow_all(namespace: &str, policy: &PolicyReference, direction: PolicyDirection, what: &str) -> Violation {
    let (rule, field) = match direction {
        PolicyDirection::Ingress => ("allows-all-ingress", "spec.ingress"),
        PolicyDirection::Egress => ("allows-all-egress", "spec.egress"),
    };
    Violation {
        rule,
        scope: Scope::Application,
        subject: policy.subject(),
        path: field.to_owned(),
        observed: format!("allows {what} on every port"),
        expected: "named peers or ports".to_owned(),
        note: None,
        // A policy of the cluster opens each namespace up.
        discriminator: if policy.namespace.is_some() { String::new() } else { namespace.to_owned() },
        units: vec![namespace.to_owned()],
        rests_on: rests_on(),
    }
}

fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let mut directions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for finding in result.application_findings() {
        let direction = match finding.rule.as_str() {
            "no-ingress-default-deny" => "Ingress",
            "no-egress-default-deny" => "Egress",
            _ => continue,
        };
        directions.entry(&finding.subject.name).or_default().insert(direction);
    }
    let mut documents = Vec::new();
    for (namespace, directions) in directions {
        let metadata =
            |name: &str| json!({ "name": free_name(view, namespace, name), "namespace": namespace });
        let policy = json!({
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata("default-deny"),
            "spec": { "podSelector": {}, "policyTypes": directions },
        });
        let names: Vec<&str> = directions.iter().copied().collect();
        let comment = format!("Namespace {namespace}: denies {} by default", names.join(" and "));
        documents.push(document(RemediationTarget::NewObject, comment, &policy));
        if directions.contains("Egress") {
            let dns = json!({
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": metadata("allow-dns"),
                "spec": {
                    "podSelector": {},
                    "policyTypes": ["Egress"],
                    "egress": [{
                        "to": [{ "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": "kube-system" } },
                                 "podSelector": { "matchLabels": { "k8s-app": "kube-dns" } } }],
                        "ports": [{ "protocol": "UDP", "port": 53 }, { "protocol": "TCP", "port": 53 }],
                    }],
                },
            });
            documents.push(document(
                RemediationTarget::NewObject,
                format!("Namespace {namespace}: keeps DNS working"),
                &dns,
            ));
        }
    }
    let texts = Texts {
        changes: "Adds to each namespace a NetworkPolicy that selects every pod and allows nothing, and for egress one \
                  that keeps DNS working. Where a policy allows everything, narrow or delete it: that is not in this file.",
        may_break: "All traffic that no other policy of the namespace allows stops, new connections at once. Write the \
                    policies that allow what is used first, and apply these last. DNS is allowed to pods labelled \
                    k8s-app: kube-dns in kube-system; a node-local cache needs a rule of its own.",
        undo: "kubectl delete -f this file. It removes the policies that it added and nothing else.",
    };
    remediation(result, texts, documents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Kind, Object};
    use crate::network::POLICY_KINDS;
    use crate::testing::{assert_findings, forbid, inventory, outcome, result};
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
        assert_findings(
            ID,
            &yaml,
            Outcome::Fail,
            &["shop NetworkPolicy Egress: no policy selects every pod"],
        );
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
        assert_eq!(outcome(ID, &old("20240202")), Outcome::Fail);
    }

    #[test]
    fn namespaces_without_pods_and_system_namespaces_do_not_count() {
        assert_eq!(outcome(ID, PLUGIN), Outcome::NotApplicable);
        let scaled = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: idle}, spec: {replicas: 0, template: {spec: {containers: [{name: c}]}}}}";
        assert_eq!(outcome(ID, &cluster(&[deny(), scaled.to_owned()])), Outcome::Pass);
        assert_eq!(
            outcome(ID, &cluster(&[deny(), scaled.replace("replicas: 0", "replicas: 2")])),
            Outcome::Fail
        );
    }

    #[test]
    fn the_remedy_turns_it_green() {
        // A policy of that name is there already, for ingress only: it must stay as it is.
        let mut seen = inventory(&cluster(&[policy("default-deny", "{podSelector: {}}")]));
        let items = crate::evaluate(&seen, &crate::Parameters::default()).unwrap();
        let item = items.iter().find(|item| item.result.id() == ID).unwrap();
        for document in &item.remediation.documents {
            let value: serde_json::Value = document.object.clone();
            seen.insert(Object::deserialize(Kind::NetworkPolicies, "networking.k8s.io/v1", value).unwrap());
        }
        let names: BTreeSet<&str> =
            seen.network_policies.seen.iter().map(|policy| policy.meta.name.as_str()).collect();
        assert_eq!(names, BTreeSet::from(["allow-dns", "default-deny", "default-deny-rampart"]));
        assert_eq!(result(ID, &seen).outcome(), Outcome::Pass);
    }
}
