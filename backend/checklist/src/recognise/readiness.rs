//! Whether a workload runs, and which nodes a DaemonSet leaves out.

use crate::inventory::{Kind, Workload};
use crate::workloads::View;
use rampart_shared::Scope;
use std::collections::{BTreeMap, BTreeSet};

/// Whether a workload is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// All pods of a DaemonSet, or at least one of another workload.
    Ready,
    /// Too few.
    NotReady {
        /// Pods that are ready.
        ready: i64,
        /// Pods that should be.
        desired: i64,
    },
    /// Its status was not seen, as in a manifest.
    NotKnown,
}

/// Whether a workload is ready. One that is to run no pod is not.
pub fn state(workload: &Workload) -> State {
    let Some(readiness) = workload.ready else {
        return if workload.replicas == Some(0) {
            State::NotReady { ready: 0, desired: 0 }
        } else {
            State::NotKnown
        };
    };
    let (ready, desired) = (readiness.ready, readiness.desired);
    let enough = if workload.kind == Kind::DaemonSets { desired } else { 1 };
    if desired > 0 && ready >= enough { State::Ready } else { State::NotReady { ready, desired } }
}

/// Nodes on which no pod of these DaemonSets is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uncovered {
    /// Linux nodes on which application pods run: their number and the first of their names.
    pub with_applications: Vec<String>,
    /// Other Linux nodes.
    pub idle: Vec<String>,
    /// Nodes that are no machine of the cluster's own, on which DaemonSets do not run, with application pods.
    pub virtual_nodes: Vec<String>,
    /// Nodes with application pods of which the operating system was not seen.
    pub not_known: Vec<String>,
}

/// Which nodes the DaemonSets leave out. Nothing is said where their own pods were not seen: a status without pods
/// names no node.
pub fn uncovered(view: &View<'_>, daemon_sets: &[&Workload]) -> Uncovered {
    let names: BTreeSet<(&str, &str)> = daemon_sets
        .iter()
        .map(|workload| (workload.meta.namespace_or_default(), workload.meta.name.as_str()))
        .collect();
    let mut covered: BTreeSet<&str> = BTreeSet::new();
    let mut applications: BTreeSet<&str> = BTreeSet::new();
    let scheduled =
        view.inventory.pods.seen.iter().filter(|pod| pod.is_active() && !pod.node_name.is_empty());
    for pod in scheduled {
        let namespace = pod.meta.namespace_or_default();
        let owner = pod.meta.controller().filter(|owner| owner.kind == "DaemonSet");
        if owner.is_some_and(|owner| names.contains(&(namespace, owner.name.as_str()))) {
            covered.insert(&pod.node_name);
        } else if !pod.spec.windows && view.scope(namespace) == Scope::Application {
            applications.insert(&pod.node_name);
        }
    }
    let desired: i64 =
        daemon_sets.iter().filter_map(|workload| workload.ready).map(|ready| ready.desired).sum();
    let mut uncovered = Uncovered::default();
    if i64::try_from(covered.len()).unwrap_or(i64::MAX) < desired {
        return uncovered;
    }
    let nodes: BTreeMap<&str, _> =
        view.inventory.nodes.seen.iter().map(|node| (node.meta.name.as_str(), node)).collect();
    for name in nodes.keys().copied().chain(applications.iter().copied()).collect::<BTreeSet<_>>() {
        if covered.contains(name) {
            continue;
        }
        let (has_applications, name) = (applications.contains(name), name.to_owned());
        match nodes.get(name.as_str()) {
            None => uncovered.not_known.push(name),
            Some(node) if node.meta.labels.get("kubernetes.io/os").is_some_and(|os| os == "windows") => {}
            Some(node) if node.is_virtual() && has_applications => uncovered.virtual_nodes.push(name),
            Some(node) if node.is_virtual() => {}
            Some(_) if has_applications => uncovered.with_applications.push(name),
            Some(_) => uncovered.idle.push(name),
        }
    }
    uncovered
}

/// The first names of a list, and how many more there are.
pub fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 10;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{shown} and {more} more"),
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Parameters;
    use crate::testing::inventory;

    fn first(kind: &str, spec: &str, status: &str) -> State {
        let yaml = format!(
            "{{apiVersion: apps/v1, kind: {kind}, metadata: {{name: a, namespace: tools}}, spec: {spec}, status: {status}}}"
        );
        let inventory = inventory(&yaml);
        state(inventory.workloads().next().unwrap())
    }

    #[test]
    fn a_daemon_set_needs_all_its_pods_and_a_deployment_one() {
        for (kind, spec, status, expected) in [
            ("DaemonSet", "{}", "{desiredNumberScheduled: 3, numberReady: 3}", State::Ready),
            (
                "DaemonSet",
                "{}",
                "{desiredNumberScheduled: 3, numberReady: 2}",
                State::NotReady { ready: 2, desired: 3 },
            ),
            (
                "DaemonSet",
                "{}",
                "{desiredNumberScheduled: 0, numberReady: 0}",
                State::NotReady { ready: 0, desired: 0 },
            ),
            ("DaemonSet", "{}", "{}", State::NotKnown),
            ("Deployment", "{replicas: 2}", "{replicas: 2, readyReplicas: 1}", State::Ready),
            ("Deployment", "{replicas: 2}", "{replicas: 2}", State::NotReady { ready: 0, desired: 2 }),
            ("Deployment", "{replicas: 0}", "{}", State::NotReady { ready: 0, desired: 0 }),
            ("StatefulSet", "{replicas: 1}", "{}", State::NotKnown),
        ] {
            assert_eq!(first(kind, spec, status), expected, "{kind} {spec} {status}");
        }
    }

    #[test]
    fn nodes_are_told_apart_by_what_runs_on_them() {
        let node = |name: &str, labels: &str| {
            format!("{{apiVersion: v1, kind: Node, metadata: {{name: {name}, labels: {labels}}}}}\n---\n")
        };
        let pod = |namespace: &str, node: &str, owner: &str| {
            format!(
                "{{apiVersion: v1, kind: Pod, metadata: {{name: p-{node}, namespace: {namespace}, ownerReferences: [{owner}]}}, \
                 spec: {{nodeName: {node}, containers: [{{name: c}}]}}, status: {{phase: Running}}}}\n---\n"
            )
        };
        let agent = "{apiVersion: apps/v1, kind: DaemonSet, name: agent, controller: true}";
        let yaml = "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: agent, namespace: tools}, \
                    status: {desiredNumberScheduled: 1, numberReady: 1}}\n---\n"
            .to_owned()
            + &node("good", "{}")
            + &node("busy", "{kubernetes.io/os: linux}")
            + &node("idle", "{}")
            + &node("win", "{kubernetes.io/os: windows}")
            + &node("fargate", "{eks.amazonaws.com/compute-type: fargate}")
            + &pod("tools", "good", agent)
            + &["good", "busy", "win", "fargate", "gone"].map(|node| pod("shop", node, "")).concat()
            + &pod("kube-system", "idle", "");
        let seen = inventory(&yaml);
        let parameters = Parameters::default();
        let view = View::new(&seen, &parameters);
        let daemon_sets: Vec<&Workload> = seen.daemon_sets.seen.iter().collect();
        let text = |name: &str| vec![name.to_owned()];
        assert_eq!(
            uncovered(&view, &daemon_sets),
            Uncovered {
                with_applications: text("busy"),
                idle: text("idle"),
                virtual_nodes: text("fargate"),
                not_known: text("gone"),
            }
        );
        let unseen = inventory(&yaml.replace("name: agent, controller", "name: other, controller"));
        let view = View::new(&unseen, &parameters);
        assert_eq!(
            uncovered(&view, &unseen.daemon_sets.seen.iter().collect::<Vec<_>>()),
            Uncovered::default()
        );
    }
}
