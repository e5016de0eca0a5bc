//! Which security profiles confine containers: seccomp, AppArmor, SELinux.

use super::is_spared_as_windows;
use crate::pod_security::pod::Pod;
use crate::pod_security::wording::{
    Setters, Violation, annotation, bad_containers, containers, counted, quoted,
};
use std::collections::BTreeSet;

const APP_ARMOR_ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";
const SECCOMP_POD_ANNOTATION: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER_ANNOTATION: &str = "container.seccomp.security.alpha.kubernetes.io/";

/// The field is the authority on seccomp from v1.19 on, annotations are before.
const SECCOMP_FIELD_SINCE: u64 = 19;

/// AppArmor is not turned off, neither by a field nor by an annotation.
pub(in crate::pod_security) fn app_armor_profile(pod: &Pod<'_>, _: u64) -> Option<Violation> {
    let mut values = BTreeSet::new();
    let setters = Setters::of(pod, |context| {
        let bad = context.app_armor_profile.filter(|profile| !is_allowed_type(profile));
        values.extend(bad);
        bad.is_some()
    });
    // Any annotation with the prefix counts, whether the pod has such a container or not.
    let mut annotations: Vec<_> = pod
        .annotations
        .iter()
        .filter(|(name, value)| name.starts_with(APP_ARMOR_ANNOTATION) && !is_allowed_app_armor(value))
        .map(|(name, value)| annotation(name, value))
        .collect();
    annotations.sort_unstable();

    let mut who = Vec::new();
    if !setters.is_empty() {
        who.push(setters.to_string());
    }
    if !annotations.is_empty() {
        who.push(counted("annotation", annotations.len()));
    }
    (!who.is_empty()).then(|| {
        let values: Vec<_> = values.into_iter().map(str::to_owned).chain(annotations).collect();
        Violation {
            reason: if values.len() == 1 {
                "forbidden AppArmor profile"
            } else {
                "forbidden AppArmor profiles"
            },
            detail: format!("{} must not set AppArmor profile type to {}", who.join(" and "), quoted(values)),
        }
    })
}

/// Seccomp is not turned off.
pub(in crate::pod_security) fn seccomp_baseline(pod: &Pod<'_>, minor: u64) -> Option<Violation> {
    let detail = if minor < SECCOMP_FIELD_SINCE { seccomp_annotations(pod) } else { seccomp_fields(pod) }?;
    Some(Violation { reason: "seccompProfile", detail })
}

/// Every container has a seccomp profile, its own or the pod's.
pub(in crate::pod_security) fn seccomp_restricted(pod: &Pod<'_>, minor: u64) -> Option<Violation> {
    if is_spared_as_windows(pod, minor) {
        return None;
    }
    let detail = seccomp_fields(pod).or_else(|| seccomp_unset(pod))?;
    Some(Violation { reason: "seccompProfile", detail })
}

/// SELinux keeps user and role, and the type is one of containers.
pub(in crate::pod_security) fn se_linux_options(pod: &Pod<'_>, minor: u64) -> Option<Violation> {
    let is_allowed = |selinux_type: &str| match selinux_type {
        "" | "container_t" | "container_init_t" | "container_kvm_t" => true,
        "container_engine_t" => minor >= 31,
        _ => false,
    };
    let mut types = BTreeSet::new();
    let (mut sets_user, mut sets_role) = (false, false);
    let setters = Setters::of(pod, |context| {
        let options = &context.se_linux_options;
        let bad_type = !is_allowed(options.selinux_type);
        if bad_type {
            types.insert(options.selinux_type);
        }
        sets_user |= !options.user.is_empty();
        sets_role |= !options.role.is_empty();
        bad_type || !options.user.is_empty() || !options.role.is_empty()
    });
    (!setters.is_empty()).then(|| {
        let mut what = Vec::new();
        if !types.is_empty() {
            what.push(format!("{} {}", counted("type", types.len()), quoted(types)));
        }
        if sets_user {
            what.push("user may not be set".to_owned());
        }
        if sets_role {
            what.push("role may not be set".to_owned());
        }
        Violation {
            reason: "seLinuxOptions",
            detail: format!("{setters} set forbidden securityContext.seLinuxOptions: {}", what.join("; ")),
        }
    })
}

fn seccomp_annotations(pod: &Pod<'_>) -> Option<String> {
    let of_containers =
        pod.containers().map(|container| format!("{SECCOMP_CONTAINER_ANNOTATION}{}", container.name));
    let forbidden: BTreeSet<_> = std::iter::once(SECCOMP_POD_ANNOTATION.to_owned())
        .chain(of_containers)
        .filter_map(|name| {
            let value = pod.annotations.get(name.as_str())?;
            (!is_allowed_seccomp(value)).then(|| annotation(&name, value))
        })
        .collect();
    (!forbidden.is_empty()).then(|| {
        format!(
            "forbidden {} {}",
            counted("annotation", forbidden.len()),
            Vec::from_iter(forbidden).join(", ")
        )
    })
}

fn seccomp_fields(pod: &Pod<'_>) -> Option<String> {
    let mut types = BTreeSet::new();
    let setters = Setters::of(pod, |context| {
        let bad = context.seccomp_profile.filter(|profile| !is_allowed_type(profile));
        types.extend(bad);
        bad.is_some()
    });
    (!setters.is_empty())
        .then(|| format!("{setters} must not set securityContext.seccompProfile.type to {}", quoted(types)))
}

fn seccomp_unset(pod: &Pod<'_>) -> Option<String> {
    if pod.security_context.seccomp_profile.is_some() {
        return None;
    }
    let unset = bad_containers(pod, |container| container.security_context.seccomp_profile.is_none());
    (!unset.is_empty()).then(|| {
        format!(
            "pod or {} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"",
            containers(&unset)
        )
    })
}

/// Of seccomp and AppArmor alike.
fn is_allowed_type(profile: &str) -> bool {
    matches!(profile, "RuntimeDefault" | "Localhost")
}

fn is_allowed_app_armor(annotation: &str) -> bool {
    matches!(annotation, "" | "runtime/default") || annotation.starts_with("localhost/")
}

fn is_allowed_seccomp(annotation: &str) -> bool {
    matches!(annotation, "runtime/default" | "docker/default") || annotation.starts_with("localhost/")
}
