//! What a container may do beyond its own: privileged mode, escalation, capabilities.

use super::is_spared_as_windows;
use crate::pod_security::pod::Pod;
use crate::pod_security::wording::{Violation, bad_containers, containers, quoted};
use std::collections::BTreeSet;

/// The capabilities that container runtimes give by default, without `NET_RAW`.
const DEFAULT_CAPABILITIES: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// No container is privileged.
pub(in crate::pod_security) fn privileged(pod: &Pod<'_>, _: u64) -> Option<Violation> {
    let bad = bad_containers(pod, |container| container.privileged);
    (!bad.is_empty()).then(|| Violation {
        reason: "privileged",
        detail: format!("{} must not set securityContext.privileged=true", containers(&bad)),
    })
}

/// Every container sets `allowPrivilegeEscalation: false`.
pub(in crate::pod_security) fn allow_privilege_escalation(pod: &Pod<'_>, minor: u64) -> Option<Violation> {
    if is_spared_as_windows(pod, minor) {
        return None;
    }
    let bad = bad_containers(pod, |container| container.allow_privilege_escalation != Some(false));
    (!bad.is_empty()).then(|| Violation {
        reason: "allowPrivilegeEscalation != false",
        detail: format!("{} must set securityContext.allowPrivilegeEscalation=false", containers(&bad)),
    })
}

/// No container adds a capability beyond the default ones.
pub(in crate::pod_security) fn capabilities_baseline(pod: &Pod<'_>, _: u64) -> Option<Violation> {
    let detail = added_beyond(pod, &DEFAULT_CAPABILITIES)?;
    Some(Violation { reason: "non-default capabilities", detail })
}

/// Every container drops all capabilities, and adds none but `NET_BIND_SERVICE`.
pub(in crate::pod_security) fn capabilities_restricted(pod: &Pod<'_>, minor: u64) -> Option<Violation> {
    if is_spared_as_windows(pod, minor) {
        return None;
    }
    let kept = bad_containers(pod, |container| !container.capabilities_dropped.contains(&"ALL"));
    let not_dropped = (!kept.is_empty())
        .then(|| format!("{} must set securityContext.capabilities.drop=[\"ALL\"]", containers(&kept)));
    let details: Vec<_> = not_dropped.into_iter().chain(added_beyond(pod, &["NET_BIND_SERVICE"])).collect();
    (!details.is_empty())
        .then(|| Violation { reason: "unrestricted capabilities", detail: details.join("; ") })
}

fn added_beyond(pod: &Pod<'_>, allowed: &[&str]) -> Option<String> {
    let mut added: BTreeSet<&str> = BTreeSet::new();
    let bad = bad_containers(pod, |container| {
        let mut adds = false;
        let beyond =
            container.capabilities_added.iter().copied().filter(|capability| !allowed.contains(capability));
        added.extend(beyond.inspect(|_| adds = true));
        adds
    });
    (!bad.is_empty()).then(|| {
        format!("{} must not include {} in securityContext.capabilities.add", containers(&bad), quoted(added))
    })
}
