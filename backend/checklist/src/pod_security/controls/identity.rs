//! As whom containers run.

use super::is_relaxed_by_user_namespace;
use crate::pod_security::pod::Pod;
use crate::pod_security::wording::{Setters, Violation, bad_containers, containers};

/// `runAsNonRoot` is true for every container, by its own setting or the pod's.
pub(in crate::pod_security) fn run_as_non_root(pod: &Pod<'_>, minor: u64) -> Option<Violation> {
    if is_relaxed_by_user_namespace(pod, minor) {
        return None;
    }
    let violation = |detail| Some(Violation { reason: "runAsNonRoot != true", detail });
    let setters = Setters::of(pod, |context| context.run_as_non_root == Some(false));
    if !setters.is_empty() {
        return violation(format!("{setters} must not set securityContext.runAsNonRoot=false"));
    }
    if pod.security_context.run_as_non_root == Some(true) {
        return None;
    }
    let unset = bad_containers(pod, |container| container.security_context.run_as_non_root.is_none());
    if unset.is_empty() {
        return None;
    }
    violation(format!("pod or {} must set securityContext.runAsNonRoot=true", containers(&unset)))
}

/// Nothing sets `runAsUser: 0`.
pub(in crate::pod_security) fn run_as_user(pod: &Pod<'_>, minor: u64) -> Option<Violation> {
    if is_relaxed_by_user_namespace(pod, minor) {
        return None;
    }
    let setters = Setters::of(pod, |context| context.run_as_user == Some(0));
    (!setters.is_empty())
        .then(|| Violation { reason: "runAsUser=0", detail: format!("{setters} must not set runAsUser=0") })
}
