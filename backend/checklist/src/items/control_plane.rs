//! What the items about the control plane share: which pods run it, and what to say where they are not seen.

mod servers;

pub(super) use servers::{Server, servers};

use crate::distribution::Distribution;
use crate::flags::Unreadable;
use crate::inventory::{Component, Node, Pod};
use crate::judge::Violation;
use crate::workloads::View;
use crate::{Kind, flags::Flags};
use rampart_shared::{Gap, GapReason, RestsOn, Scope, Subject};
use std::collections::BTreeSet;

/// The active pods that run a component.
pub(super) fn pods<'a>(view: &View<'a>, component: Component) -> Vec<&'a Pod> {
    let mut pods: Vec<&Pod> = view
        .inventory
        .pods
        .seen
        .iter()
        .map(|pod| &**pod)
        .filter(|pod| pod.component() == Some(component) && pod.is_active())
        .collect();
    pods.sort_by_key(|pod| (&pod.meta.namespace, &pod.meta.name));
    pods
}

/// `namespace/name`.
pub(super) fn name(pod: &Pod) -> String {
    format!("{}/{}", pod.meta.namespace, pod.meta.name)
}

/// A violation of one flag of a component that runs as a pod.
pub(super) fn violation(
    pod: &Pod,
    flags: &Flags,
    flag: &'static str,
    observed: String,
    expected: impl Into<String>,
) -> Violation {
    Violation {
        rule: flag,
        scope: Scope::Application,
        subject: Subject {
            api_version: "v1".to_owned(),
            kind: "Pod".to_owned(),
            namespace: Some(pod.meta.namespace.clone()),
            name: pod.meta.name.clone(),
        },
        path: flags.path(flag),
        observed,
        expected: expected.into(),
        note: None,
        discriminator: String::new(),
        units: vec![name(pod)],
        rests_on: vec![RestsOn { kind: Kind::Pods.name(), object: Some(name(pod)) }],
    }
}

/// A gap over one component's flags.
pub(super) fn unreadable(pod: &Pod, error: &Unreadable) -> Gap {
    Gap::new(Kind::Pods.name(), GapReason::NotCollected, format!("{}: {error}", name(pod)))
        .for_objects(vec![name(pod)])
        .closed_by(FLAGZ)
}

/// A gap over one flag whose value only the running container knows.
pub(super) fn unclear(pod: &Pod, flag: &str, text: &str) -> Gap {
    let detail = format!("{}: --{flag} is {text}, which is known only when the container runs", name(pod));
    Gap::new(Kind::Pods.name(), GapReason::NotCollected, detail)
        .for_objects(vec![name(pod)])
        .closed_by(format!("Write the value of --{flag} out in the static pod's manifest."))
}

/// Which API servers an answer of one of them speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ApiServers {
    /// There is one, so its answer is the whole answer.
    One,
    /// There are this many.
    Several(usize),
    /// Nothing shows how many there are.
    Unknown,
}

impl ApiServers {
    /// Counts the nodes of the control plane, the pods, and the addresses behind the Service `default/kubernetes`; the
    /// most counts, since a load balancer can stand for all.
    pub(super) fn of(view: &View<'_>) -> Self {
        let inventory = view.inventory;
        let complete = inventory.nodes.is_complete() && inventory.endpoint_slices.is_complete();
        if view.distribution.hides_control_plane() || !complete {
            return ApiServers::Unknown;
        }
        let nodes = inventory.nodes.seen.iter().filter(|node| {
            ["node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"]
                .iter()
                .any(|label| node.meta.labels.contains_key(*label))
        });
        let addresses: BTreeSet<&String> = inventory
            .endpoint_slices
            .seen
            .iter()
            .filter(|slice| {
                slice.meta.namespace == "default"
                    && slice
                        .meta
                        .labels
                        .get("kubernetes.io/service-name")
                        .is_some_and(|name| name == "kubernetes")
            })
            .flat_map(|slice| slice.endpoints.iter().flat_map(|endpoint| &endpoint.addresses))
            .collect();
        let pods = pods(view, Component::ApiServer).len();
        match nodes.count().max(addresses.len()).max(pods) {
            0 => ApiServers::Unknown,
            1 => ApiServers::One,
            several => ApiServers::Several(several),
        }
    }
}

/// The flags that the API server which answered tells by `/flagz`.
pub(super) fn flagz(view: &View<'_>) -> Option<Flags> {
    let answer = view.inventory.api_server_flags.seen.as_ref()?;
    Some(Flags::of_flagz(Component::ApiServer, &answer.flags))
}

/// What stands for the API server that answered.
pub(super) const ANSWERED: &str = "the API server that answered";

/// A violation of one flag that `/flagz` tells.
pub(super) fn flagz_violation(
    flags: &Flags,
    flag: &'static str,
    observed: String,
    expected: impl Into<String>,
) -> Violation {
    Violation {
        rule: flag,
        scope: Scope::Application,
        subject: Subject {
            api_version: "config.k8s.io/v1beta1".to_owned(),
            kind: "Flagz".to_owned(),
            namespace: None,
            name: Component::ApiServer.program().to_owned(),
        },
        path: flags.path(flag),
        observed,
        expected: expected.into(),
        note: None,
        discriminator: String::new(),
        units: vec![ANSWERED.to_owned()],
        rests_on: vec![RestsOn { kind: Kind::ApiServerFlagz.name(), object: None }],
    }
}

/// One answer is one API server's: a gap for the others, unless there are none.
pub(super) fn others(view: &View<'_>, kind: Kind) -> Option<Gap> {
    let detail = match ApiServers::of(view) {
        ApiServers::One => return None,
        ApiServers::Several(count) => {
            format!("one API server of {count} answered; what the others run with is not known")
        }
        ApiServers::Unknown => {
            "one API server answered; how many others there are, and what they run with, is not known"
                .to_owned()
        }
    };
    Some(
        Gap::new(kind.name(), GapReason::NotCollected, detail)
            .closed_by("Ask each API server at its own address, for example by `kubectl --server`."),
    )
}

/// Why no API server is seen; there always is one.
pub(super) fn no_api_server(view: &View<'_>) -> Gap {
    let distribution = view.distribution;
    if distribution.hides_control_plane() {
        return Gap::new(
            Kind::Pods.name(),
            GapReason::ProviderManaged,
            format!("{distribution} runs the API server and etcd and shows neither's flags"),
        )
        .closed_by(
            "The provider's documentation or support can say how it runs them; nothing in the cluster does.",
        );
    }
    match distribution {
        Distribution::K3s | Distribution::MicroK8s => Gap::new(
            Kind::Pods.name(),
            GapReason::NotCollected,
            format!("{distribution} runs the API server outside any pod, so no pod shows its flags"),
        )
        .closed_by(FLAGZ),
        _ => Gap::new(
            Kind::Pods.name(),
            GapReason::NotCollected,
            "no API server is among the pods that were seen (kube-system, label component=kube-apiserver)",
        )
        .closed_by(
            "In a snapshot: add the pods of kube-system. Where the API server runs outside any pod, its /flagz \
             (Kubernetes 1.36 and newer) shows its flags.",
        ),
    }
}

/// The server nodes of k3s with what they say of their own start.
///
/// # Errors
/// When not every server is known to have said it.
pub(super) fn k3s_servers<'a>(view: &View<'a>) -> Result<Vec<&'a Node>, Box<Gap>> {
    let nodes = &view.inventory.nodes;
    if let Some(gap) = nodes.gaps.first() {
        return Err(Box::new(gap.clone()));
    }
    let is_server = |node: &&Node| {
        [
            "node-role.kubernetes.io/control-plane",
            "node-role.kubernetes.io/master",
            "node-role.kubernetes.io/etcd",
        ]
        .iter()
        .any(|label| node.meta.labels.contains_key(*label))
    };
    let silent: Vec<String> = nodes
        .seen
        .iter()
        .filter(is_server)
        .filter(|node| node.k3s.is_none())
        .map(|node| node.meta.name.clone())
        .collect();
    let servers: Vec<&Node> = nodes.seen.iter().filter(|node| node.k3s.is_some()).collect();
    if servers.is_empty() || !silent.is_empty() {
        let gap = Gap::new(
            Kind::Nodes.name(),
            GapReason::NotCollected,
            "the annotation k3s.io/node-args, in which a k3s server says how it was started, was not seen on every server",
        )
        .for_objects(silent)
        .closed_by("Run the k3s servers with their agent, so that they are nodes that say how they were started.");
        return Err(Box::new(gap));
    }
    Ok(servers)
}

/// What would show flags that no pod shows.
pub(super) const FLAGZ: &str = "The API server's /flagz (Kubernetes 1.36 and newer) shows every effective flag; \
                                `rampart rbac --control-plane-metrics` prints the grant that reads it.";
