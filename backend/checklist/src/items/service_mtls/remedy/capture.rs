//! Ports that annotations keep from the proxy, and the annotations without them.

use super::plan::{Annotations, Plan};
use super::remaining::Task;
use crate::inventory::{Labels, Pod};
use crate::mesh::{Cause, Meshes, Protection, ServedPort, without_ports};
use crate::workloads::OwnedWorkload;
use rampart_shared::{Fingerprint, Subject};
use std::collections::{BTreeMap, BTreeSet};

/// A workload with the ports that its proxies do not see.
pub(super) struct Captured<'v, 'a> {
    workload: &'v OwnedWorkload<'a>,
    /// The ports, each with the finding.
    pub(super) ports: BTreeMap<ServedPort, Fingerprint>,
}

impl<'v, 'a> Captured<'v, 'a> {
    pub(super) fn of(workload: &'v OwnedWorkload<'a>) -> Self {
        Captured { workload, ports: BTreeMap::new() }
    }
}

const SKIP_INBOUND: &str = "config.linkerd.io/skip-inbound-ports";

/// Plans the annotations of the workload's template and of its namespace, and says what they leave.
pub(super) fn add(plan: &mut Plan<'_>, meshes: &Meshes<'_>, captured: Captured<'_, '_>) {
    let Captured { workload, ports } = captured;
    let served: BTreeSet<ServedPort> = ports.keys().copied().collect();
    let of_template = workload
        .controller
        .filter(|_| rolls_out(workload))
        .map(|owner| changes(&owner.template_annotations, &served))
        .unwrap_or_default();
    let of_namespace = plan
        .namespace(workload.namespace())
        .filter(|_| !of_template.contains_key(SKIP_INBOUND))
        .map(|meta| changes(&meta.annotations, &served))
        .unwrap_or_default();
    let of_namespace: Annotations =
        of_namespace.into_iter().filter(|(name, _)| name == SKIP_INBOUND).collect();
    if of_template.is_empty() && of_namespace.is_empty() {
        for fingerprint in ports.values() {
            let observed = observed(meshes, workload, &served);
            plan.remaining.add_of(Task::NotCaptured(observed), fingerprint, workload);
        }
        return;
    }
    // The pods as the roll-out makes them, but for what a mesh's injector does: that is not imagined.
    let pods: Vec<Pod> =
        workload.pods.iter().map(|pod| with(pod, of_template.iter().chain(&of_namespace))).collect();
    let mut left: Vec<&Fingerprint> = Vec::new();
    let mut waits = false;
    for (port, fingerprint) in &ports {
        let mut is_left = false;
        for pod in &pods {
            if let Protection::Exposed(exposure) = meshes.protection(pod, *port)
                && !plan.settle(meshes, workload.namespace(), port.number, &exposure)
            {
                is_left = true;
                waits |= exposure.cause != Cause::NotCaptured;
            }
        }
        if is_left {
            left.push(fingerprint);
        }
    }
    if waits {
        // Another finding would take this one's place: what mends that comes first.
        for fingerprint in ports.values() {
            let task = Task::CaptureAfterRestart(workload.namespace().to_owned());
            plan.remaining.add_of(task, fingerprint, workload);
        }
        return;
    }
    for fingerprint in left {
        let task = Task::Restart(workload.namespace().to_owned());
        plan.remaining.add_of(task, fingerprint, workload);
    }
    if !of_template.is_empty() {
        plan.annotations.entry(workload.subject.clone()).or_default().extend(of_template);
    }
    if !of_namespace.is_empty() {
        // Another workload may have taken other ports out of the same list.
        let planned = plan.annotations.entry(namespace_subject(workload.namespace())).or_default();
        for (name, (former, new)) in of_namespace {
            let (former, so_far) = planned.remove(&name).unwrap_or((former, new));
            let new = without_ports(&so_far, &served, LINKERD).unwrap_or(so_far);
            planned.insert(name, (former, new));
        }
    }
}

/// A namespace as the owner of annotations.
pub(super) fn namespace_subject(name: &str) -> Subject {
    Subject {
        api_version: "v1".to_owned(),
        kind: "Namespace".to_owned(),
        namespace: None,
        name: name.to_owned(),
    }
}

/// Whether a change of the workload's template makes its pods anew.
pub(super) fn rolls_out(workload: &OwnedWorkload<'_>) -> bool {
    workload.controller.is_some()
        && matches!(workload.subject.kind.as_str(), "Deployment" | "StatefulSet" | "DaemonSet")
}

/// The ports that the proxies have for themselves.
const ISTIO: (u16, u16) = (15000, 15099);
const LINKERD: (u16, u16) = (4190, 4191);

/// The annotations that keep a served port from the proxy, with their values without it.
fn changes(annotations: &Labels, served: &BTreeSet<ServedPort>) -> Annotations {
    let mut changes = Annotations::new();
    let mut change = |name: &str, new: &dyn Fn(&str) -> Option<String>| {
        if let Some(former) = annotations.get(name)
            && let Some(new) = new(former).filter(|new| new != former)
        {
            changes.insert(name.to_owned(), (former.clone(), new));
        }
    };
    let instead =
        |bad: &'static str, good: &'static str| move |former: &str| (former == bad).then(|| good.to_owned());
    change("sidecar.istio.io/interceptionMode", &instead("NONE", "REDIRECT"));
    change("ambient.istio.io/bypass-inbound-capture", &instead("true", "false"));
    change("traffic.sidecar.istio.io/includeInboundPorts", &|former| (former != "*").then(|| "*".to_owned()));
    change("traffic.sidecar.istio.io/excludeInboundPorts", &|former| without_ports(former, served, ISTIO));
    change(SKIP_INBOUND, &|former| without_ports(former, served, LINKERD));
    changes
}

/// The pod with these annotations.
fn with<'c>(pod: &Pod, changes: impl Iterator<Item = (&'c String, &'c (String, String))>) -> Pod {
    let mut pod = pod.clone();
    for (name, (_, new)) in changes {
        pod.meta.annotations.insert(name.clone(), new.clone());
    }
    pod
}

/// What keeps the ports from the proxy, of the first pod and port of which it is so.
fn observed(meshes: &Meshes<'_>, workload: &OwnedWorkload<'_>, served: &BTreeSet<ServedPort>) -> String {
    let exposures = workload.pods.iter().flat_map(|pod| {
        served.iter().filter_map(|port| match meshes.protection(pod, *port) {
            Protection::Exposed(exposure) => Some(exposure.observed),
            Protection::Mutual(_) | Protection::Unknown(_) => None,
        })
    });
    exposures.min().unwrap_or_default()
}
