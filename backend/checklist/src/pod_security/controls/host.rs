//! What reaches the node: its namespaces, its ports, its processes.

use crate::pod_security::pod::Pod;
use crate::pod_security::wording::{Setters, Violation, bad_containers, containers, counted, quoted, uses};
use std::collections::BTreeSet;

/// `hostNetwork`, `hostPID` and `hostIPC` stay false.
pub(in crate::pod_security) fn host_namespaces(pod: &Pod<'_>, _: u64) -> Option<Violation> {
    let shared: Vec<_> = [
        (pod.host_network, "hostNetwork=true"),
        (pod.host_pid, "hostPID=true"),
        (pod.host_ipc, "hostIPC=true"),
    ]
    .into_iter()
    .filter_map(|(is_set, wording)| is_set.then_some(wording))
    .collect();
    (!shared.is_empty()).then(|| Violation { reason: "host namespaces", detail: shared.join(", ") })
}

/// No container takes a port of the node.
pub(in crate::pod_security) fn host_ports(pod: &Pod<'_>, _: u64) -> Option<Violation> {
    let mut ports = BTreeSet::new();
    let bad = bad_containers(pod, |container| {
        let taken = container.host_ports.iter().filter(|port| **port != 0).map(i64::to_string);
        let mut takes = false;
        ports.extend(taken.inspect(|_| takes = true));
        takes
    });
    (!bad.is_empty()).then(|| Violation {
        reason: "hostPort",
        detail: format!(
            "{} {} {} {}",
            containers(&bad),
            uses(bad.len()),
            counted("hostPort", ports.len()),
            Vec::from_iter(ports).join(", ")
        ),
    })
}

/// Probes and lifecycle handlers call the pod itself, so that the kubelet cannot be made to call others.
pub(in crate::pod_security) fn host_probes_and_host_lifecycle(pod: &Pod<'_>, _: u64) -> Option<Violation> {
    let mut hosts: BTreeSet<&str> = BTreeSet::new();
    // By name, each once: upstream gathers a set.
    let bad: BTreeSet<_> = bad_containers(pod, |container| {
        hosts.extend(container.handler_hosts.iter().copied());
        !container.handler_hosts.is_empty()
    })
    .into_iter()
    .collect();
    (!bad.is_empty()).then(|| Violation {
        reason: "probe or lifecycle host",
        detail: format!(
            "{} {} {} {}",
            containers(&Vec::from_iter(bad.iter().copied())),
            uses(bad.len()),
            counted("probe or lifecycle host", hosts.len()),
            quoted(hosts)
        ),
    })
}

/// No Windows container runs as a process of the host.
pub(in crate::pod_security) fn windows_host_process(pod: &Pod<'_>, _: u64) -> Option<Violation> {
    let setters = Setters::of(pod, |context| context.host_process);
    (!setters.is_empty()).then(|| Violation {
        reason: "hostProcess",
        detail: format!("{setters} must not set securityContext.windowsOptions.hostProcess=true"),
    })
}
