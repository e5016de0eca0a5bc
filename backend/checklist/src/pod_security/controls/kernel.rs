//! What reaches the kernel: `/proc` and sysctls.

use super::is_relaxed_by_user_namespace;
use crate::pod_security::pod::Pod;
use crate::pod_security::wording::{Violation, bad_containers, containers, quoted};
use std::collections::BTreeSet;

/// The sysctls that may be set, each with the version that first allows it.
const SAFE_SYSCTLS: [(&str, u64); 12] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
];

/// `/proc` stays masked, except in a user namespace.
pub(in crate::pod_security) fn proc_mount_baseline(pod: &Pod<'_>, minor: u64) -> Option<Violation> {
    if is_relaxed_by_user_namespace(pod, minor) { None } else { proc_mount_restricted(pod, minor) }
}

/// `/proc` stays masked.
pub(in crate::pod_security) fn proc_mount_restricted(pod: &Pod<'_>, _: u64) -> Option<Violation> {
    let mut types = BTreeSet::new();
    let bad = bad_containers(pod, |container| {
        let unmasked = container.proc_mount.filter(|proc_mount| *proc_mount != "Default");
        types.extend(unmasked);
        unmasked.is_some()
    });
    (!bad.is_empty()).then(|| Violation {
        reason: "procMount",
        detail: format!("{} must not set securityContext.procMount to {}", containers(&bad), quoted(types)),
    })
}

/// Only sysctls are set that are namespaced and isolated.
pub(in crate::pod_security) fn sysctls(pod: &Pod<'_>, minor: u64) -> Option<Violation> {
    let is_safe = |name: &str| SAFE_SYSCTLS.iter().any(|(safe, since)| *safe == name && minor >= *since);
    let forbidden: Vec<_> = pod.sysctls.iter().copied().filter(|name| !is_safe(name)).collect();
    (!forbidden.is_empty()).then(|| Violation { reason: "forbidden sysctls", detail: forbidden.join(", ") })
}
