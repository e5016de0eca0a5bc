//! What the documents leave to a person, and how it is done.

use crate::remedy::{kubectl, reference};
use crate::workloads::OwnedWorkload;
use rampart_shared::{Fingerprint, Remainder};
use std::collections::{BTreeMap, BTreeSet};

/// Something that a person has to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// Choose a mesh and install it.
    NoMesh,
    /// Say which of several meshes it is.
    SeveralMeshes,
    /// Make the pods of this namespace anew.
    Restart(String),
    /// The same, before ports that annotations keep from the proxy are given to it.
    CaptureAfterRestart(String),
    /// Wait until Istio's node agents have taken in the pods of this namespace.
    Ambient(String),
    /// Take back the label or annotation by which a workload stays out of the mesh.
    OptedOut(String),
    /// Keep the mesh's own control plane apart.
    ControlPlane(String),
    /// Let the proxy see a port that no annotation of a template keeps from it.
    NotCaptured(String),
    /// Give the pod a network of its own.
    HostNetwork,
    /// Protect what is not TCP.
    NotTcp,
    /// Switch Cilium's encryption on.
    Encryption,
    /// Demand authentication in Cilium's policies.
    CiliumPolicy(String),
}

/// Tasks with the findings that stay until they are done.
#[derive(Debug, Default)]
pub(super) struct Remaining {
    tasks: BTreeMap<Task, Left>,
}

#[derive(Debug, Default)]
struct Left {
    findings: BTreeSet<Fingerprint>,
    /// The workloads, by kind and name.
    workloads: BTreeSet<(String, String)>,
}

impl Remaining {
    /// A finding that stays.
    pub(super) fn add(&mut self, task: Task, finding: &Fingerprint) {
        self.tasks.entry(task).or_default().findings.insert(finding.clone());
    }

    /// A finding that stays, with the workload that it is about.
    pub(super) fn add_of(&mut self, task: Task, finding: &Fingerprint, workload: &OwnedWorkload<'_>) {
        let left = self.tasks.entry(task).or_default();
        left.findings.insert(finding.clone());
        left.workloads.insert((workload.subject.kind.clone(), workload.subject.name.clone()));
    }

    pub(super) fn into_remainders(self) -> Vec<Remainder> {
        self.tasks
            .into_iter()
            .map(|(task, left)| Remainder {
                task: task.text(&left.workloads),
                findings: left.findings.into_iter().collect(),
            })
            .collect()
    }
}

impl Task {
    fn text(&self, workloads: &BTreeSet<(String, String)>) -> String {
        match self {
            Task::NoMesh => "Choose a mesh and install it, with an operator or chart of its own; Rampart cannot install programs, \
                             and which one fits is for a person to say. Istio: `istioctl install`, \
                             https://istio.io/latest/docs/setup/install/; Linkerd: `linkerd install --crds | kubectl apply -f -` and \
                             `linkerd install | kubectl apply -f -`, https://linkerd.io/2/getting-started/; Cilium with ztunnel, \
                             where Cilium is the network plugin, https://docs.cilium.io/en/latest/security/network/encryption-ztunnel/. \
                             Once it runs, this remedy puts the namespaces into it."
                .to_owned(),
            Task::SeveralMeshes => "More than one mesh runs here: which of them these workloads belong into is for a person to say. \
                                    Enrol their namespaces into it: for Istio by the label istio-injection=enabled or \
                                    istio.io/dataplane-mode=ambient, for Linkerd by the annotation linkerd.io/inject=enabled, for Cilium's \
                                    ztunnel by the label io.cilium/mtls-enabled=true. Then make the pods anew."
                .to_owned(),
            Task::Restart(namespace) => restart(namespace, workloads),
            Task::CaptureAfterRestart(namespace) => format!(
                "{} Only then does this remedy take the ports out of the annotation that keeps them from the proxy: today \
                 the proxy would let everybody in.",
                restart(namespace, workloads)
            ),
            Task::Ambient(namespace) => format!(
                "Goes once Istio's node agents have taken the pods of namespace {namespace} in, which needs no restart: \
                 `{}` shows ambient.istio.io/redirection: enabled on each. Rampart does not imagine what the mesh's own \
                 programs do.",
                kubectl(namespace, "describe pods")
            ),
            Task::OptedOut(name) => format!(
                "Somebody keeps these workloads out of the mesh by {name} on their pods ({}): say whether that is still meant, take \
                 it out of the template, and the roll-out puts the proxy in.",
                names(workloads)
            ),
            Task::ControlPlane(namespace) => format!(
                "Namespace {namespace} runs the mesh's own control plane, which is not enrolled. List it under system_namespaces \
                 to have it reported apart, and move other workloads out of it."
            ),
            Task::NotCaptured(observed) => format!(
                "{observed}, and no annotation of a workload's template says so that could be changed ({}). Where the mesh's \
                 installation says it, change it there (Istio: values.global.proxy, Linkerd: proxyInit.ignoreInboundPorts); a \
                 pod without controller is made anew without the annotation; a proxy's own port is taken out of the Service. \
                 Then make the pods anew.",
                names(workloads)
            ),
            Task::HostNetwork => format!(
                "No mesh protects a pod on the node's network: set hostNetwork to false where the workload does not need it, take it \
                 out of the Service, or waive it with a reason ({}). Whether it needs the node's network is for a person to say.",
                names(workloads)
            ),
            Task::NotTcp => format!(
                "A mesh takes TCP alone: let the clients use TCP, encrypt in the program (DTLS, QUIC), take the port out of the \
                 Service, or waive it with a reason ({}).",
                names(workloads)
            ),
            Task::Encryption => "Switch Cilium's encryption on beside its mutual authentication: `helm upgrade cilium cilium/cilium \
                                 --namespace kube-system --reuse-values --set encryption.enabled=true --set encryption.type=wireguard`, \
                                 https://docs.cilium.io/en/stable/security/network/encryption-wireguard/. It needs WireGuard in the \
                                 kernel of every node, which is not seen here, and changes the MTU: a person has to look first. The \
                                 policies are judged after that."
                .to_owned(),
            Task::CiliumPolicy(observed) => format!(
                "{observed}. Set authentication.mode: required on every ingress rule that admits traffic to these workloads ({}), in \
                 CiliumNetworkPolicies that select them: \
                 https://docs.cilium.io/en/stable/network/servicemesh/mutual-authentication/mutual-authentication-example/. Clients \
                 outside the cluster and on nodes' networks have no identity and are cut off: which of them must go on is for a \
                 person to say. The feature is deprecated in Cilium 1.20; ztunnel takes its place.",
                names(workloads)
            ),
        }
    }
}

/// The commands that make the pods of a namespace anew.
fn restart(namespace: &str, workloads: &BTreeSet<(String, String)>) -> String {
    let rolled = |kind: &str| matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet");
    let (rolled, others): (Vec<_>, Vec<_>) = workloads.iter().partition(|(kind, _)| rolled(kind));
    let rolled: Vec<String> = rolled.into_iter().filter_map(|(kind, name)| reference(kind, name)).collect();
    let mut text = format!(
        "Goes once the pods in namespace {namespace} are made anew, which puts the mesh's proxy with its settings into them"
    );
    if !rolled.is_empty() {
        text.push_str(&format!(
            ": `{}`",
            kubectl(namespace, &format!("rollout restart {}", rolled.join(" ")))
        ));
    }
    text.push('.');
    if !others.is_empty() {
        let others: BTreeSet<(String, String)> = others.into_iter().cloned().collect();
        text.push_str(&format!(
            " Nothing rolls these out: delete their pods, or wait for the next run: {}.",
            names(&others)
        ));
    }
    text.push_str(
        " Restart before plaintext is refused. Rampart does not imagine what the mesh's injector does.",
    );
    text
}

/// The first workloads, and how many more there are.
fn names(workloads: &BTreeSet<(String, String)>) -> String {
    let names: Vec<String> = workloads.iter().map(|(kind, name)| format!("{kind} {name}")).collect();
    crate::recognise::readiness::some_of(&names)
}
