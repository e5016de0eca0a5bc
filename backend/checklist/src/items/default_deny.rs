//! **Every application namespace denies by default.**
//!
//! Per application namespace with pods, and per direction: would a pod that is made tomorrow, with labels that nobody
//! knows, be denied? Only policies that select every pod can answer yes. They must isolate the direction, all of them
//! together must not allow everything, and no policy that selects some pods may allow everything either. The network
//! plugin must be one that enforces policies.

mod remedy;

#[cfg(test)]
mod tests;

use super::Item;
use super::network_policy::{self, NEEDS, isolated_by, rests_on, suppliers};
use crate::inventory::{NetworkPolicy, PolicyDirection};
use crate::judge::{AbsentViolation, Observation, SeenViolation, Violation};
use crate::network::{Isolation, NamespaceDefault, Open, PolicyReference};
use crate::workloads::View;
use rampart_shared::{Category, ItemId, Scope, Subject};
use std::collections::BTreeSet;

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
    remedy: remedy::remedy,
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
