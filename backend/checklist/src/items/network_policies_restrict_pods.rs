//! **Network policies restrict what reaches pods.**
//!
//! Per running pod that is not in its node's network: is it isolated for ingress? Policies of every kind count, as the
//! network plugin puts them together; what allows everything isolates nobody. Egress is counted beside it.

mod remedy;

#[cfg(test)]
mod tests;

use super::Item;
use super::network_policy::{self, NEEDS, enforcement_gap, isolated_by, rests_on, suppliers};
use crate::enforcement::{Enforcement, PodEnforcement};
use crate::inventory::{Labels, Node, Pod, PolicyDirection};
use crate::judge::{AbsentViolation, Observation, SeenViolation, Violation};
use crate::network::{Isolation, Network, Open, PolicyReference};
use crate::workloads::{OwnedWorkload, View};
use rampart_shared::{Category, ItemId, Scope};
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
    remedy: remedy::remedy,
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
