//! **Network policies restrict what reaches pods.**
//!
//! Per running pod that is not in its node's network: is it isolated for ingress? Policies of every kind count, as the
//! network plugin puts them together; what allows everything isolates nobody. Egress is counted beside it.

use super::Item;
use super::network_policy::{self, NEEDS, enforcement_gap, free_name, isolated_by, rests_on, suppliers};
use crate::enforcement::{Enforcement, PodEnforcement};
use crate::inventory::{Labels, Node, Pod, PolicyDirection};
use crate::judge::{AbsentViolation, Observation, SeenViolation, Violation};
use crate::network::{Isolation, Network, Open, PolicyReference};
use crate::remedy::{Texts, document, remediation};
use crate::workloads::{OwnedWorkload, View};
use rampart_shared::{Category, ItemId, ItemResult, Remediation, RemediationTarget, Scope};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(super) const ITEM: Item = Item {
    id: ItemId::NetworkPoliciesRestrictPods,
    number: 7,
    category: Category::Network,
    title: "Network policies restrict what reaches every application pod",
    short_title: "Pods isolated",
    checks: "Every running application pod that is not on its node's network is isolated for ingress: by \
             NetworkPolicies, Cilium's or Calico's policies, or Admin, Baseline and Cluster network policies, put \
             together as the network plugin does. A rule that allows every peer on every port isolates nobody. How many \
             pods are isolated for egress is told beside it. A network plugin that is known to enforce policies runs.",
    why: "A pod that no policy isolates answers to every other pod of the cluster. Whoever takes over the least \
          important one can then talk to databases, caches and consoles that were never meant to be reached from there.",
    cannot_see: "Whether the plugin works, what Services and ingress controllers expose on purpose, policies of \
                 Antrea's own kinds, and what Calico's sets of networks hold.",
    references: &[
        (
            "Kubernetes: Network Policies",
            "https://kubernetes.io/docs/concepts/services-networking/network-policies/",
        ),
        ("Cilium: network policy", "https://docs.cilium.io/en/stable/security/policy/"),
        (
            "Calico: global network policy",
            "https://docs.tigera.io/calico/latest/reference/resources/globalnetworkpolicy",
        ),
        ("CIS Kubernetes Benchmark 5.3.2", "https://www.cisecurity.org/benchmark/kubernetes"),
    ],
    needs: &NEEDS,
    observe,
    remedy,
};

fn observe(view: &View<'_>) -> Observation {
    let mut observation = Observation { unit: "pod", ..Observation::default() };
    let network = view.network();
    let nodes: HashMap<&str, &Node> =
        view.inventory.nodes.seen.iter().map(|node| (node.meta.name.as_str(), node)).collect();
    let mut isolation = Cache { network: &network.policies, known: HashMap::new() };
    let mut egress = 0_usize;
    let mut on_host = 0_usize;
    for workload in &view.workloads {
        let (isolated_pods, host_pods): (Vec<&Pod>, Vec<&Pod>) =
            workload.pods.iter().copied().partition(|pod| !pod.spec.host_network);
        let judged = Judged::of(&isolated_pods, &mut isolation, &network.enforcement, &nodes);
        if workload.scope == Scope::Application {
            on_host += host_pods.len();
            egress += isolated_pods
                .iter()
                .filter(|pod| {
                    matches!(isolation.of(pod, PolicyDirection::Egress), Isolation::Isolated { .. })
                })
                .count();
            observation.examined.extend(isolated_pods.iter().map(|pod| unit(pod)));
        }
        judged.report(&mut observation, workload);
    }
    if observation.examined.is_empty() {
        return observation;
    }
    observation.notes.push(format!("Egress: {egress} of {} pods are isolated.", observation.examined.len()));
    if on_host > 0 {
        observation.notes.push(format!(
            "{on_host} pods are in the network of their node, where policies do not reach; they are not counted."
        ));
    }
    let namespaces: BTreeSet<&str> = view
        .workloads
        .iter()
        .filter(|workload| workload.scope == Scope::Application && !workload.pods.is_empty())
        .map(OwnedWorkload::namespace)
        .collect();
    for (policy, _) in namespaces
        .into_iter()
        .flat_map(|namespace| network.policies.wide(namespace))
        .filter(|(_, direction)| *direction == PolicyDirection::Ingress)
    {
        observation
            .notes
            .push(format!("{policy} allows the whole cluster on every port: it isolates from outside only."));
    }
    network_policy::judge(network, &mut observation);
    observation
}

fn unit(pod: &Pod) -> String {
    format!("{}/{}", pod.meta.namespace_or_default(), pod.meta.name)
}

/// Answers by what they depend on: replicas share theirs.
struct Cache<'c, 'n> {
    network: &'c Network<'n>,
    known: HashMap<(PolicyDirection, &'c str, &'c Labels, &'c str), Isolation>,
}

impl<'c> Cache<'c, '_> {
    fn of(&mut self, pod: &'c Pod, direction: PolicyDirection) -> &Isolation {
        let key = (
            direction,
            pod.meta.namespace_or_default(),
            &*pod.meta.labels,
            pod.spec.service_account.as_str(),
        );
        self.known.entry(key).or_insert_with(|| self.network.isolation(pod, direction))
    }
}

/// The pods of a workload that are not isolated, by why.
#[derive(Default)]
struct Judged {
    no_policy: Vec<String>,
    allow_all: BTreeMap<(Vec<PolicyReference>, String), Vec<String>>,
    not_enforced: BTreeMap<&'static str, Vec<String>>,
    enforcement_unknown: BTreeSet<&'static str>,
    undecided: BTreeSet<String>,
}

impl Judged {
    fn of<'c>(
        pods: &[&'c Pod],
        isolation: &mut Cache<'c, '_>,
        enforcement: &Enforcement,
        nodes: &HashMap<&str, &Node>,
    ) -> Judged {
        let mut judged = Judged::default();
        for pod in pods {
            match enforcement.for_pod(pod, nodes.get(pod.node_name.as_str()).copied()) {
                PodEnforcement::AsElsewhere => {}
                PodEnforcement::No(why) => {
                    judged.not_enforced.entry(why).or_default().push(unit(pod));
                    continue;
                }
                PodEnforcement::Unknown(why) => {
                    judged.enforcement_unknown.insert(why);
                }
            }
            match isolation.of(pod, PolicyDirection::Ingress) {
                Isolation::Isolated { .. } => {}
                // What the plugin does not enforce is one finding for the cluster.
                Isolation::Open(Open::NotEnforced(_) | Open::HostNetwork) => {}
                Isolation::Open(Open::NoPolicy) => judged.no_policy.push(unit(pod)),
                Isolation::Open(Open::AllowAll { policies, what }) => {
                    let key = (policies.clone(), what.clone());
                    judged.allow_all.entry(key).or_default().push(unit(pod));
                }
                Isolation::Undecided(reasons) => judged.undecided.extend(reasons.iter().cloned()),
            }
        }
        judged
    }

    fn report(self, observation: &mut Observation, workload: &OwnedWorkload<'_>) {
        let violation = |rule, observed: String, units| Violation {
            rule,
            scope: workload.scope,
            subject: workload.subject.clone(),
            path: "NetworkPolicy Ingress".to_owned(),
            observed,
            expected: "policies that select the pods for ingress and do not allow everything".to_owned(),
            note: None,
            discriminator: String::new(),
            units,
            rests_on: workload.rests_on.iter().cloned().chain(rests_on()).collect(),
        };
        if !self.no_policy.is_empty() {
            observation.absent.push(AbsentViolation {
                violation: violation(
                    "not-isolated",
                    "no policy isolates the pods".to_owned(),
                    self.no_policy,
                ),
                suppliers: suppliers(),
            });
        }
        if let Some(((policies, what), _)) = self.allow_all.first_key_value() {
            let names: Vec<String> = policies.iter().map(ToString::to_string).collect();
            let by = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
            let observed = format!("policies allow {what} on every port{by}");
            let units = self.allow_all.values().flatten().cloned().collect();
            observation.seen.push(SeenViolation(violation("allows-all-ingress", observed, units)));
        }
        for (why, units) in self.not_enforced {
            observation.seen.push(SeenViolation(violation("not-enforced-on-node", why.to_owned(), units)));
        }
        if workload.scope != Scope::Application {
            return;
        }
        let name = format!("{}/{}", workload.namespace(), workload.subject.name);
        let what = format!("{} {name}", workload.subject.kind);
        if !self.undecided.is_empty() {
            observation.undecided.push(isolated_by(&what, &name, &self.undecided));
        }
        observation.undecided.extend(
            self.enforcement_unknown
                .into_iter()
                .map(|why| enforcement_gap(&format!("{what}: {why}")).for_objects(vec![name.clone()])),
        );
    }
}

fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let namespaces: BTreeSet<&str> = result
        .application_findings()
        .filter(|finding| finding.rule == "not-isolated")
        .filter_map(|finding| finding.subject.namespace.as_deref())
        .collect();
    let documents = namespaces
        .into_iter()
        .map(|namespace| {
            let policy = json!({
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": { "name": free_name(view, namespace, "default-deny-ingress"), "namespace": namespace },
                "spec": { "podSelector": {}, "policyTypes": ["Ingress"] },
            });
            let comment = format!("Namespace {namespace}: nothing reaches its pods that no policy allows");
            document(RemediationTarget::NewObject, comment, &policy)
        })
        .collect();
    let texts = Texts {
        changes: "Adds to each namespace with pods that no policy isolates a NetworkPolicy that selects every pod for \
                  ingress and allows nothing. Where a policy allows everything, narrow or delete it: that is not in \
                  this file.",
        may_break: "Connections to these pods that no other policy of the namespace allows stop. Write the policies \
                    that allow what is used first, ingress controllers and monitoring among it, and apply these last.",
        undo: "kubectl delete -f this file. It removes the policies that it added and nothing else.",
    };
    remediation(result, texts, documents)
}

#[cfg(test)]
mod tests {
    use super::super::network_policy::NEEDS;
    use crate::inventory::{Kind, Object};
    use crate::need::Role;
    use crate::testing::{assert_findings, forbid, inventory, outcome, result};
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

    #[test]
    fn isolated_pods_pass_and_the_others_are_named() {
        let yaml = cluster(&[
            pod("cart", ""),
            pod("db", ""),
            policy("db", "{podSelector: {matchLabels: {app: db}}}"),
        ]);
        assert_findings(
            ID,
            &yaml,
            Outcome::Fail,
            &["cart NetworkPolicy Ingress: no policy isolates the pods"],
        );
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
        assert_eq!(outcome(ID, &yaml), Outcome::Fail);
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
        let with =
            |image: &str| good.replace("registry.k8s.io/networking/kube-network-policies:v0.9.0", image);
        assert_eq!(outcome(ID, &with("example.com/net:1")), Outcome::Unknown);
        assert_eq!(outcome(ID, &with("docker.io/flannel/flannel:v0.27.0")), Outcome::Fail);
        assert_eq!(outcome(ID, &with("quay.io/cilium/cilium:v1.18.0")), Outcome::Pass);
        let mut seen = inventory(&with("quay.io/cilium/cilium:v1.18.0"));
        forbid(&mut seen, Kind::ConfigMaps);
        assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown);
        for data in ["enable-policy: never", "policy-audit-mode: 'true'"] {
            let map = format!(
                "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: cilium-config, namespace: kube-system}}, data: {{{data}}}}}"
            );
            let yaml = with("quay.io/cilium/cilium:v1.18.0") + "\n---\n" + &map;
            assert_eq!(outcome(ID, &yaml), Outcome::Fail, "{data}");
        }
    }

    #[test]
    fn fargate_does_not_enforce() {
        let node = "{apiVersion: v1, kind: Node, metadata: {name: f, labels: {eks.amazonaws.com/compute-type: fargate}}}";
        let yaml =
            cluster(&[pod("cart", ", nodeName: f"), policy("all", "{podSelector: {}}"), node.to_owned()]);
        let observed =
            "cart NetworkPolicy Ingress: it runs on Fargate, which does not enforce NetworkPolicies";
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
            [agent(args), pod("cart", ""), policy("all", "{podSelector: {}}"), more.to_owned()]
                .join("\n---\n")
        };
        let endpoints = "{apiVersion: networking.k8s.aws/v1alpha1, kind: PolicyEndpoint, metadata: {name: all-x, namespace: shop}, spec: {}}";
        assert_eq!(outcome(ID, &with("'--enable-network-policy=true'", endpoints)), Outcome::Pass);
        assert_eq!(outcome(ID, &with("'--enable-network-policy=false'", endpoints)), Outcome::Fail);
        assert_eq!(outcome(ID, &with("", endpoints)), Outcome::Fail);
        let alone = with("'--enable-network-policy=true'", "");
        assert_eq!(outcome(ID, &alone), Outcome::Fail);
        let mut seen = inventory(&alone);
        forbid(&mut seen, Kind::PolicyEndpoints);
        assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown);
    }

    #[test]
    fn the_remedy_turns_it_green() {
        let mut seen = inventory(&cluster(&[pod("cart", "")]));
        let items = crate::evaluate(&seen, &crate::Parameters::default()).unwrap();
        let item = items.iter().find(|item| item.result.id() == ID).unwrap();
        assert_eq!(item.remediation.documents.len(), 1);
        for document in &item.remediation.documents {
            let value: serde_json::Value = document.object.clone();
            seen.insert(Object::deserialize(Kind::NetworkPolicies, "networking.k8s.io/v1", value).unwrap());
        }
        assert_eq!(result(ID, &seen).outcome(), Outcome::Pass);
    }
}
