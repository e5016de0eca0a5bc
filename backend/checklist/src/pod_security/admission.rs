//! Which requests Pod Security Admission evaluates, and which it refuses.
//!
//! After <https://github.com/kubernetes/pod-security-admission/blob/v0.36.3/admission/admission.go>.

use super::checks::{Forbidden, evaluate};
use super::pod::{Container, Pod};
use super::policy::{NamespacePolicy, Version};
use std::collections::HashMap;

/// The first minor release whose API server enforces unless it is told not to:
/// <https://kubernetes.io/docs/tasks/configure-pod-container/enforce-standards-admission-controller/>.
const FIRST_ENFORCING_MINOR: u64 = 23;

/// What becomes of a request to create or update an object. Nothing is evaluated on deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Evaluation {
    /// A pod that breaks the enforced level is refused.
    Enforced,
    /// The pod template is held against the warned and audited levels; the request is never refused.
    WarnedAndAudited,
    /// Not looked at.
    None,
}

/// What becomes of a create or update of a resource; `subresource` is empty for the object itself.
pub fn evaluation(group: &str, resource: &str, subresource: &str) -> Evaluation {
    match (group, resource) {
        // What is not named is evaluated: `ephemeralcontainers`, `resize` and what is to come.
        ("", "pods") => match subresource {
            "exec" | "attach" | "binding" | "eviction" | "log" | "portforward" | "proxy" | "status" => {
                Evaluation::None
            }
            _ => Evaluation::Enforced,
        },
        ("", "replicationcontrollers" | "podtemplates")
        | ("apps", "replicasets" | "deployments" | "statefulsets" | "daemonsets")
        | ("batch", "jobs" | "cronjobs")
            if subresource.is_empty() =>
        {
            Evaluation::WarnedAndAudited
        }
        _ => Evaluation::None,
    }
}

/// Whether an update of a pod, or of one of its evaluated subresources, is evaluated: where a container was
/// added or got another image. Any other update is allowed, so that pods that broke the rules before can
/// still be finalised.
pub fn is_significant_update(pod: &Pod<'_>, old: &Pod<'_>) -> bool {
    let mut old_ephemeral = HashMap::new();
    for container in &old.ephemeral_containers {
        old_ephemeral.entry(container.name).or_insert(container.image);
    }
    have_other_images(&pod.regular_containers, &old.regular_containers)
        || have_other_images(&pod.init_containers, &old.init_containers)
        || pod
            .ephemeral_containers
            .iter()
            .any(|container| old_ephemeral.get(container.name) != Some(&container.image))
}

/// What an API server refuses a new pod for; none where it admits it. `server_minor` is the server's own
/// release, where it is known. Exemptions of namespaces, users and runtime classes are the server's
/// configuration, which no label shows.
pub fn rejects(policy: &NamespacePolicy, pod: &Pod<'_>, server_minor: Option<u64>) -> Option<Vec<Forbidden>> {
    if server_minor.is_some_and(|minor| minor < FIRST_ENFORCING_MINOR) {
        return None;
    }
    let version = Version::V1(policy.enforce.version.minor_on(server_minor));
    Some(evaluate(policy.enforce.level, version, pod)).filter(|forbidden| !forbidden.is_empty())
}

/// Compares by position, as upstream does.
fn have_other_images(new: &[Container<'_>], old: &[Container<'_>]) -> bool {
    !new.iter().map(|container| container.image).eq(old.iter().map(|container| container.image))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod_security::{Level, LevelVersion};
    use serde_json::{Value, json};

    #[test]
    fn only_pods_are_enforced_upon() {
        use Evaluation::{Enforced, None, WarnedAndAudited};
        for (group, resource, subresource, expected) in [
            ("", "pods", "", Enforced),
            ("", "pods", "ephemeralcontainers", Enforced),
            ("", "pods", "resize", Enforced),
            ("", "pods", "status", None),
            ("", "pods", "exec", None),
            ("", "pods", "binding", None),
            ("", "pods", "eviction", None),
            ("metrics.k8s.io", "pods", "", None),
            ("apps", "deployments", "", WarnedAndAudited),
            ("apps", "deployments", "scale", None),
            ("apps", "replicasets", "", WarnedAndAudited),
            ("apps", "statefulsets", "", WarnedAndAudited),
            ("apps", "daemonsets", "", WarnedAndAudited),
            ("apps", "daemonsets", "status", None),
            ("batch", "jobs", "", WarnedAndAudited),
            ("batch", "cronjobs", "", WarnedAndAudited),
            ("", "replicationcontrollers", "", WarnedAndAudited),
            ("", "podtemplates", "", WarnedAndAudited),
            ("", "deployments", "", None),
            ("argoproj.io", "rollouts", "", None),
        ] {
            assert_eq!(
                evaluation(group, resource, subresource),
                expected,
                "{group}/{resource}/{subresource}"
            );
        }
    }

    #[test]
    fn updates_count_when_a_container_or_an_image_is_new() {
        let spec = |spec: Value| json!({ "spec": spec });
        let old = spec(json!({
            "initContainers": [{ "name": "i", "image": "1" }],
            "containers": [{ "name": "c", "image": "1" }, { "name": "d", "image": "2" }],
            "ephemeralContainers": [{ "name": "e", "image": "1" }, { "name": "f", "image": "2" }],
        }));
        let changed = |pointer: &str, value: Value| {
            let mut pod = old.clone();
            *pod.pointer_mut(pointer).unwrap() = value;
            pod
        };
        for (pod, significant) in [
            (old.clone(), false),
            (changed("/spec/containers/0/image", json!("3")), true),
            (changed("/spec/containers/0/name", json!("x")), false),
            (changed("/spec/containers", json!([{ "name": "c", "image": "1" }])), true),
            (changed("/spec/initContainers/0/image", json!("3")), true),
            (changed("/spec/initContainers", json!([])), true),
            (changed("/spec/ephemeralContainers/1/image", json!("3")), true),
            (changed("/spec/ephemeralContainers/1/name", json!("g")), true),
            (changed("/spec/ephemeralContainers", json!([{ "name": "f", "image": "2" }])), false),
            (
                changed(
                    "/spec/containers/0",
                    json!({ "name": "c", "image": "1", "securityContext": { "privileged": true } }),
                ),
                false,
            ),
        ] {
            let (new, old) = (Pod::read(&pod).unwrap(), Pod::read(&old).unwrap());
            assert_eq!(is_significant_update(&new, &old), significant, "{pod}");
        }
    }

    #[test]
    fn a_server_evaluates_no_version_newer_than_its_own() {
        let pod = json!({ "spec": { "containers": [
            { "name": "c", "livenessProbe": { "httpGet": { "host": "a.example" } } },
        ] } });
        let pod = Pod::read(&pod).unwrap();
        let policy = |version| NamespacePolicy {
            enforce: LevelVersion { level: Level::Baseline, version },
            ..NamespacePolicy::default()
        };
        for (version, server, rejected) in [
            (Version::Latest, None, true),
            (Version::Latest, Some(34), true),
            (Version::Latest, Some(33), false),
            (Version::V1(34), Some(33), false),
            (Version::V1(33), Some(36), false),
            (Version::V1(99), Some(36), true),
        ] {
            assert_eq!(
                rejects(&policy(version), &pod, server).is_some(),
                rejected,
                "{version} on {server:?}"
            );
        }
        let bad = json!({ "spec": { "hostPID": true } });
        let bad = Pod::read(&bad).unwrap();
        assert!(rejects(&policy(Version::Latest), &bad, Some(23)).is_some());
        assert!(rejects(&policy(Version::Latest), &bad, Some(22)).is_none());
        assert!(rejects(&NamespacePolicy::default(), &bad, Some(36)).is_none());
        let audited =
            NamespacePolicy { audit: policy(Version::Latest).enforce, ..NamespacePolicy::default() };
        assert!(rejects(&audited, &bad, Some(36)).is_none());
    }
}
