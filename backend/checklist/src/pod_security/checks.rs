//! Which controls apply at a level and version.
//!
//! After <https://github.com/kubernetes/pod-security-admission/tree/v0.36.3/policy>.

use super::controls;
use super::pod::Pod;
use super::policy::{Level, Version};
use super::wording::Violation;
use std::fmt;

/// A control that forbids a pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forbidden {
    /// Upstream's ID of the control.
    pub control: &'static str,
    /// Why, in a few words.
    pub reason: &'static str,
    /// What in the pod breaks it.
    pub detail: String,
}

/// What a level forbids of a pod, in the order in which the API server tells it. [`Version::Latest`] is the
/// newest version that is known here: put an API server's own in its place by [`Version::minor_on`].
pub fn evaluate(level: Level, version: Version, pod: &Pod<'_>) -> Vec<Forbidden> {
    let minor = version.minor_on(None);
    let applies = |check: &&Check| check.level <= level && check.since <= minor;
    let overridden: Vec<_> = CHECKS.iter().filter(applies).filter_map(|check| check.overrides).collect();
    CHECKS
        .iter()
        .filter(applies)
        .filter(|check| !overridden.contains(&check.control))
        .filter_map(|check| {
            let Violation { reason, detail } = (check.evaluate)(pod, minor)?;
            Some(Forbidden { control: check.control, reason, detail })
        })
        .collect()
}

impl fmt::Display for Forbidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.reason, self.detail)
    }
}

/// A control, and where it applies.
struct Check {
    control: &'static str,
    /// The lowest level that has it.
    level: Level,
    /// The first minor release that has it.
    since: u64,
    /// The laxer control of `baseline` that it stands for.
    overrides: Option<&'static str>,
    evaluate: fn(&Pod<'_>, u64) -> Option<Violation>,
}

impl Check {
    const fn baseline(
        control: &'static str,
        since: u64,
        evaluate: fn(&Pod<'_>, u64) -> Option<Violation>,
    ) -> Check {
        Check { control, level: Level::Baseline, since, overrides: None, evaluate }
    }

    const fn restricted(
        control: &'static str,
        since: u64,
        evaluate: fn(&Pod<'_>, u64) -> Option<Violation>,
    ) -> Check {
        Check { control, level: Level::Restricted, since, overrides: None, evaluate }
    }

    const fn overriding(mut self, control: &'static str) -> Check {
        self.overrides = Some(control);
        self
    }
}

/// `baseline` first, each level by ID.
const CHECKS: [Check; 19] = [
    Check::baseline("appArmorProfile", 0, controls::app_armor_profile),
    Check::baseline("capabilities_baseline", 0, controls::capabilities_baseline),
    Check::baseline("hostNamespaces", 0, controls::host_namespaces),
    Check::baseline("hostPathVolumes", 0, controls::host_path_volumes),
    Check::baseline("hostPorts", 0, controls::host_ports),
    Check::baseline("hostProbesAndHostLifecycle", 34, controls::host_probes_and_host_lifecycle),
    Check::baseline("privileged", 0, controls::privileged),
    Check::baseline("procMount", 0, controls::proc_mount_baseline),
    Check::baseline("seLinuxOptions", 0, controls::se_linux_options),
    Check::baseline("seccompProfile_baseline", 0, controls::seccomp_baseline),
    Check::baseline("sysctls", 0, controls::sysctls),
    Check::baseline("windowsHostProcess", 0, controls::windows_host_process),
    Check::restricted("allowPrivilegeEscalation", 8, controls::allow_privilege_escalation),
    Check::restricted("capabilities_restricted", 22, controls::capabilities_restricted)
        .overriding("capabilities_baseline"),
    Check::restricted("procMount_restricted", 35, controls::proc_mount_restricted).overriding("procMount"),
    Check::restricted("restrictedVolumes", 0, controls::restricted_volumes).overriding("hostPathVolumes"),
    Check::restricted("runAsNonRoot", 0, controls::run_as_non_root),
    Check::restricted("runAsUser", 23, controls::run_as_user),
    Check::restricted("seccompProfile_restricted", 19, controls::seccomp_restricted)
        .overriding("seccompProfile_baseline"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod_security::NEWEST_MINOR;
    use serde_json::{Value, json};
    use std::ops::RangeInclusive;

    /// A pod that breaks nothing at any version.
    fn good() -> Value {
        json!({ "spec": {
            "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
            "containers": [{ "name": "c", "securityContext": {
                "allowPrivilegeEscalation": false,
                "capabilities": { "drop": ["ALL"] },
            } }],
        } })
    }

    fn with(mut pod: Value, pointer: &str, value: Value) -> Value {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        pod.pointer_mut(parent).unwrap()[field] = value;
        pod
    }

    fn controls(level: Level, minor: u64, pod: &Value) -> Vec<&'static str> {
        evaluate(level, Version::V1(minor), &Pod::read(pod).unwrap())
            .into_iter()
            .map(|forbidden| forbidden.control)
            .collect()
    }

    const CONTAINER: &str = "/spec/containers/0/securityContext";

    #[test]
    fn every_control_applies_at_its_versions() {
        use Level::{Baseline, Restricted};
        let context = |field: &str, value: Value| with(good(), &format!("{CONTAINER}/{field}"), value);
        let spec = |field: &str, value: Value| with(good(), &format!("/spec/{field}"), value);
        let in_user_namespace = |pod: Value| with(pod, "/spec/hostUsers", json!(false));
        let windows = |pod: Value| with(pod, "/spec/os", json!({ "name": "windows" }));
        let sysctl = |name: &str| spec("securityContext/sysctls", json!([{ "name": name, "value": "1" }]));
        let bare = json!({ "spec": {
            "securityContext": { "runAsNonRoot": true },
            "containers": [{ "name": "c" }],
        } });
        let probe = json!({ "tcpSocket": { "host": "127.0.0.1", "port": 80 } });
        let unconfined =
            json!({ "annotations": { "seccomp.security.alpha.kubernetes.io/pod": "unconfined" } });
        let all = 0..=NEWEST_MINOR;
        let cases: Vec<(&str, Level, Value, RangeInclusive<u64>)> = vec![
            (
                "hostProbesAndHostLifecycle",
                Baseline,
                with(good(), "/spec/containers/0/livenessProbe", probe),
                34..=36,
            ),
            ("procMount", Baseline, context("procMount", json!("Unmasked")), all.clone()),
            ("procMount", Baseline, in_user_namespace(context("procMount", json!("Unmasked"))), 0..=34),
            ("procMount", Restricted, in_user_namespace(context("procMount", json!("Unmasked"))), 0..=34),
            (
                "procMount_restricted",
                Restricted,
                in_user_namespace(context("procMount", json!("Unmasked"))),
                35..=36,
            ),
            ("runAsNonRoot", Restricted, context("runAsNonRoot", json!(false)), all.clone()),
            ("runAsNonRoot", Restricted, in_user_namespace(context("runAsNonRoot", json!(false))), 0..=34),
            ("runAsUser", Restricted, context("runAsUser", json!(0)), 23..=36),
            ("runAsUser", Restricted, in_user_namespace(context("runAsUser", json!(0))), 23..=34),
            ("allowPrivilegeEscalation", Restricted, bare.clone(), 8..=36),
            ("allowPrivilegeEscalation", Restricted, windows(bare.clone()), 8..=24),
            ("capabilities_restricted", Restricted, bare.clone(), 22..=36),
            ("capabilities_restricted", Restricted, windows(bare.clone()), 22..=24),
            ("seccompProfile_restricted", Restricted, bare.clone(), 19..=36),
            ("seccompProfile_restricted", Restricted, windows(bare), 19..=24),
            (
                "capabilities_baseline",
                Baseline,
                context("capabilities", json!({ "add": ["NET_RAW"] })),
                all.clone(),
            ),
            (
                "capabilities_baseline",
                Restricted,
                context("capabilities", json!({ "add": ["NET_RAW"] })),
                0..=21,
            ),
            (
                "seccompProfile_baseline",
                Baseline,
                context("seccompProfile", json!({ "type": "Unconfined" })),
                19..=36,
            ),
            ("seccompProfile_baseline", Baseline, with(good(), "/metadata", unconfined.clone()), 0..=18),
            ("seccompProfile_baseline", Restricted, with(good(), "/metadata", unconfined), 0..=18),
            ("hostPathVolumes", Baseline, spec("volumes", json!([{ "hostPath": {} }])), all.clone()),
            ("restrictedVolumes", Restricted, spec("volumes", json!([{ "hostPath": {} }])), all.clone()),
            (
                "seLinuxOptions",
                Baseline,
                context("seLinuxOptions", json!({ "type": "container_engine_t" })),
                0..=30,
            ),
            ("sysctls", Baseline, sysctl("net.ipv4.ip_local_reserved_ports"), 0..=26),
            ("sysctls", Baseline, sysctl("net.ipv4.tcp_keepalive_time"), 0..=28),
            ("sysctls", Baseline, sysctl("net.ipv4.tcp_rmem"), 0..=31),
            ("sysctls", Baseline, sysctl("kernel.msgmax"), all),
        ];
        for (control, level, pod, versions) in cases {
            let forbidden: Vec<_> =
                (0..=NEWEST_MINOR).filter(|minor| controls(level, *minor, &pod).contains(&control)).collect();
            assert_eq!(forbidden, Vec::from_iter(versions), "{control} of {level}: {pod}");
        }
    }

    #[test]
    fn every_kind_of_container_is_looked_at() {
        for containers in ["initContainers", "containers", "ephemeralContainers"] {
            let privileged = json!({ "name": "a", "securityContext": { "privileged": true } });
            let pod = json!({ "spec": { containers: [privileged] } });
            assert_eq!(controls(Level::Baseline, 36, &pod), ["privileged"], "{containers}");
            assert!(controls(Level::Restricted, 36, &pod).contains(&"runAsNonRoot"), "{containers}");
            assert!(controls(Level::Privileged, 36, &pod).is_empty());
        }
    }

    #[test]
    fn a_stricter_control_stands_for_the_one_that_it_overrides() {
        for check in &CHECKS {
            if let Some(overridden) = check.overrides {
                assert_eq!(check.level, Level::Restricted);
                let laxer = CHECKS.iter().find(|laxer| laxer.control == overridden).unwrap();
                assert_eq!(laxer.level, Level::Baseline);
            }
        }
        let pod = with(good(), "/spec/volumes", json!([{ "name": "v", "hostPath": { "path": "/" } }]));
        assert_eq!(controls(Level::Restricted, 36, &pod), ["restrictedVolumes"]);
    }

    #[test]
    fn a_volume_without_a_source_is_an_empty_dir() {
        for (volume, forbidden) in [
            (json!({ "name": "v" }), false),
            (json!({ "name": "v", "nfs": null }), false),
            (json!({ "name": "v", "nfs": {} }), true),
            (json!({ "name": "v", "image": {} }), false),
            (json!({ "name": "v", "yetToCome": {} }), true),
        ] {
            let pod = with(good(), "/spec/volumes", json!([volume]));
            assert_eq!(!controls(Level::Restricted, 36, &pod).is_empty(), forbidden, "{pod}");
        }
    }

    #[test]
    fn controls_are_told_in_the_order_of_the_api_server() {
        assert!(CHECKS.is_sorted_by_key(|check| (check.level, check.control)));
        let pod = json!({ "spec": {
            "hostNetwork": true,
            "initContainers": [{ "name": "a", "ports": [{ "hostPort": 80 }] }],
            "volumes": [{ "name": "v" }],
            "containers": [
                { "name": "b", "ports": [{ "containerPort": 80 }, { "containerPort": 1, "hostPort": 443 }] },
            ],
        } });
        let told: Vec<_> = evaluate(Level::Baseline, Version::Latest, &Pod::read(&pod).unwrap())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            told,
            [
                "host namespaces (hostNetwork=true)",
                "hostPort (containers \"a\", \"b\" use hostPorts 443, 80)",
            ]
        );
    }

    #[test]
    fn a_good_pod_breaks_nothing() {
        for minor in 0..=NEWEST_MINOR {
            assert_eq!(controls(Level::Restricted, minor, &good()), [""; 0], "v1.{minor}");
        }
    }
}
