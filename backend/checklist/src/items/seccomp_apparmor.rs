//! **seccomp or AppArmor confines every container.**
//!
//! An explicit `Unconfined` of either kind, or a privileged container, falls short. Otherwise a container is confined
//! by seccomp `RuntimeDefault` or `Localhost` (its own, else the pod's, else the node's `seccompDefault`), or by an
//! AppArmor profile (its own, else the older annotation, else the pod's). Unset AppArmor is often the runtime's
//! default, but the API does not show it.

use super::Item;
use super::container::{Fault, observe_containers};
use crate::inventory::{Kind, PodSpec};
use crate::judge::Observation;
use crate::need::Need;
use crate::workloads::{ContainerInstance, View};
use rampart_shared::{Category, Gap, GapReason, ItemId};
use std::collections::BTreeSet;

mod remedy;

pub(super) const ITEM: Item = Item {
    id: ItemId::SeccompApparmor,
    number: 14,
    category: Category::Workloads,
    title: "seccomp or AppArmor confines every container",
    short_title: "seccomp / AppArmor",
    checks: "No container is privileged or explicitly Unconfined, and each has a seccomp profile RuntimeDefault or \
             Localhost (its own, the pod's, or by the node's seccompDefault) or an AppArmor profile.",
    why: "Most ways out of a container go through system calls that ordinary programs never make. A profile takes these \
          away; without one, every kernel flaw is within reach of whoever gets in.",
    cannot_see: "The AppArmor profile that a runtime applies when none is named, and what a Localhost profile allows.",
    references: &[
        (
            "Kubernetes: Restrict a container's syscalls with seccomp",
            "https://kubernetes.io/docs/tutorials/security/seccomp/",
        ),
        (
            "Kubernetes: Restrict a container's access to resources with AppArmor",
            "https://kubernetes.io/docs/tutorials/security/apparmor/",
        ),
        (
            "Kubernetes: Pod Security Standards, restricted: Seccomp",
            "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
        ),
    ],
    needs: &[
        Need::required(Kind::Pods),
        Need::required(Kind::Deployments),
        Need::required(Kind::ReplicaSets),
        Need::required(Kind::StatefulSets),
        Need::required(Kind::DaemonSets),
        Need::required(Kind::Jobs),
        Need::required(Kind::CronJobs),
        Need::conditional(Kind::KubeletConfigz),
    ],
    observe,
    remedy: remedy::remedy,
};

/// The rule of privileged containers: a person has to decide about them.
const PRIVILEGED: &str = "privileged";
/// The rule of containers that AppArmor is told to leave alone.
const APPARMOR_UNCONFINED: &str = "apparmor-unconfined";

fn observe(view: &View<'_>) -> Observation {
    // Where only the node's configuration could confine a container and it was not read, it stays open.
    let mut open_nodes: BTreeSet<String> = BTreeSet::new();
    let system = |instance: &ContainerInstance<'_>| {
        instance
            .pod
            .is_some_and(|pod| view.scope(pod.meta.namespace_or_default()) == rampart_shared::Scope::System)
    };
    let mut observation = observe_containers(view, |_, instance| {
        if instance.spec.windows {
            return None;
        }
        let faults = faults(instance);
        if !faults.is_empty() || is_confined(instance) {
            return Some(faults);
        }
        let unset = vec![
            Fault::new("unset", "securityContext.seccompProfile", "unset", "RuntimeDefault or Localhost")
                .rests_on(Kind::KubeletConfigz),
        ];
        let Some(node) = instance.pod.map(|pod| pod.node_name.as_str()).filter(|node| !node.is_empty())
        else {
            return Some(unset);
        };
        match view.inventory.kubelet_configurations.seen.get(node) {
            Some(configuration) if configuration.seccomp_default == Some(true) => Some(Vec::new()),
            Some(_) => Some(unset),
            None => {
                if !system(instance) {
                    open_nodes.insert(node.to_owned());
                }
                Some(Vec::new())
            }
        }
    });
    if !open_nodes.is_empty() {
        observation.undecided.push(open_question(view, open_nodes));
    }
    observation
}

/// Explicitly unconfined, or privileged, which switches both mechanisms off.
fn faults(instance: &ContainerInstance<'_>) -> Vec<Fault> {
    let container = &instance.container.security_context;
    let mut faults = Vec::new();
    if container.privileged == Some(true) {
        faults.push(Fault::new(PRIVILEGED, "securityContext.privileged", "true", "false"));
    }
    if seccomp(instance) == Some("Unconfined") {
        faults.push(Fault::new(
            "seccomp-unconfined",
            "securityContext.seccompProfile.type",
            "Unconfined",
            "RuntimeDefault or Localhost",
        ));
    }
    if apparmor(instance) == Some("Unconfined") {
        faults.push(Fault::new(
            APPARMOR_UNCONFINED,
            "securityContext.appArmorProfile.type",
            "Unconfined",
            "RuntimeDefault or Localhost",
        ));
    }
    faults
}

fn is_confined(instance: &ContainerInstance<'_>) -> bool {
    let confines = |profile: Option<&str>| matches!(profile, Some("RuntimeDefault" | "Localhost"));
    confines(seccomp(instance)) || confines(apparmor(instance))
}

fn seccomp<'a>(instance: &ContainerInstance<'a>) -> Option<&'a str> {
    let own = instance.container.security_context.seccomp_profile.as_ref();
    own.or(instance.spec.security_context.seccomp_profile.as_ref()).map(|profile| profile.kind.as_str())
}

/// The container's field, else the older annotation, else the pod's field.
fn apparmor<'a>(instance: &ContainerInstance<'a>) -> Option<&'a str> {
    let own = instance.container.security_context.app_armor_profile.as_ref();
    let pod = instance.spec.security_context.app_armor_profile.as_ref();
    own.map(|profile| profile.kind.as_str())
        .or_else(|| annotated(instance.spec, &instance.container.name))
        .or(pod.map(|profile| profile.kind.as_str()))
}

fn annotated<'a>(spec: &'a PodSpec, container: &str) -> Option<&'a str> {
    let (_, profile) = spec.apparmor_annotations.iter().find(|(name, _)| name == container)?;
    match profile.as_str() {
        "unconfined" => Some("Unconfined"),
        "runtime/default" => Some("RuntimeDefault"),
        localhost if localhost.starts_with("localhost/") => Some("Localhost"),
        _ => None,
    }
}

/// The gap of the nodes whose configuration would decide.
fn open_question(view: &View<'_>, nodes: BTreeSet<String>) -> Gap {
    let kind = Kind::KubeletConfigz.name();
    let cause = view
        .inventory
        .kubelet_configurations
        .gaps
        .iter()
        .find(|gap| nodes.iter().any(|node| gap.hides(&kind, Some(node))));
    let reason = cause.map_or(GapReason::NotCollected, |gap| gap.reason);
    let why = cause.map_or("it was not read", |gap| gap.detail.as_str());
    let detail = format!(
        "Containers without a profile run on {} {}; only the kubelet's seccompDefault could confine them: {why}",
        nodes.len(),
        if nodes.len() == 1 { "node" } else { "nodes" }
    );
    Gap::new(kind, reason, detail).for_objects(nodes.into_iter().collect()).closed_by(
        "Name a seccomp profile in the workloads, or let Rampart read the kubelets' configuration.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Parameters;
    use crate::testing::{assert_findings, assert_remedied, evaluated, inventory, outcome, result};
    use rampart_shared::Outcome;
    use serde_json::json;

    const ID: ItemId = ItemId::SeccompApparmor;

    fn running(spec: &str) -> String {
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p, namespace: shop}}, spec: {spec}, status: {{phase: Running}}}}"
        )
    }

    #[test]
    fn every_good_form() {
        for spec in [
            "{containers: [{name: c, securityContext: {seccompProfile: {type: RuntimeDefault}}}]}",
            "{containers: [{name: c, securityContext: {seccompProfile: {type: Localhost, localhostProfile: a.json}}}]}",
            "{securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: [{name: c}], initContainers: [{name: i}]}",
            "{containers: [{name: c, securityContext: {appArmorProfile: {type: RuntimeDefault}}}]}",
            "{securityContext: {appArmorProfile: {type: Localhost}}, containers: [{name: c}]}",
            "{securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: c, securityContext: {seccompProfile: {type: RuntimeDefault}}}]}",
        ] {
            assert_eq!(outcome(ID, &running(spec)), Outcome::Pass, "{spec}");
        }
        assert_eq!(
            outcome(ID, &running("{os: {name: windows}, containers: [{name: c}]}")),
            Outcome::NotApplicable
        );
    }

    #[test]
    fn every_bad_form() {
        for (spec, path, observed) in [
            ("{containers: [{name: c}]}", "seccompProfile", "unset"),
            (
                "{containers: [{name: c, securityContext: {privileged: true, seccompProfile: {type: RuntimeDefault}}}]}",
                "privileged",
                "true",
            ),
            (
                "{securityContext: {seccompProfile: {type: RuntimeDefault}}, containers: [{name: c, securityContext: {seccompProfile: {type: Unconfined}}}]}",
                "seccompProfile.type",
                "Unconfined",
            ),
            (
                "{securityContext: {seccompProfile: {type: RuntimeDefault}, appArmorProfile: {type: Unconfined}}, containers: [{name: c}]}",
                "appArmorProfile.type",
                "Unconfined",
            ),
        ] {
            let expected = format!("p spec.containers[name=c].securityContext.{path}: {observed}");
            assert_findings(ID, &running(spec), Outcome::Fail, &[&expected]);
        }
    }

    #[test]
    fn annotations_count_for_apparmor_and_not_for_seccomp() {
        let annotated = |annotation: &str| {
            running("{containers: [{name: c}]}")
                .replace("namespace: shop", &format!("namespace: shop, annotations: {{{annotation}}}"))
        };
        let apparmor = "container.apparmor.security.beta.kubernetes.io/c";
        assert_eq!(outcome(ID, &annotated(&format!("{apparmor}: runtime/default"))), Outcome::Pass);
        assert_eq!(outcome(ID, &annotated(&format!("{apparmor}: unconfined"))), Outcome::Fail);
        assert_eq!(
            outcome(ID, &annotated("seccomp.security.alpha.kubernetes.io/pod: runtime/default")),
            Outcome::Fail
        );
    }

    #[test]
    fn the_nodes_default_confines_running_pods_alone() {
        let pod = running("{nodeName: node-1, containers: [{name: c}]}");
        let node =
            |value: &str| format!("{{kind: KubeletConfiguration, node: node-1, seccompDefault: {value}}}");
        assert_eq!(outcome(ID, &format!("{pod}\n---\n{}", node("true"))), Outcome::Pass);
        assert_eq!(outcome(ID, &format!("{pod}\n---\n{}", node("false"))), Outcome::Fail);
        let unread = result(ID, &inventory(&pod));
        assert_eq!(unread.outcome(), Outcome::Unknown);
        assert_eq!(unread.evidence().gaps[0].objects, ["node-1"]);
        let template = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: shop}, spec: {template: {spec: {containers: [{name: c}]}}}}";
        assert_eq!(outcome(ID, &format!("{template}\n---\n{}", node("true"))), Outcome::Fail);
    }

    #[test]
    fn what_is_privileged_stays_and_the_rest_is_remedied() {
        let deployment = |metadata: &str, spec: &str| {
            format!(
                "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: d, namespace: shop}}, spec: {{template: {{metadata: {metadata}, spec: {spec}}}}}}}"
            )
        };
        let annotation = "{annotations: {container.apparmor.security.beta.kubernetes.io/c: unconfined}}";
        let default = json!({ "type": "RuntimeDefault" });
        for (metadata, spec, context, task) in [
            ("{}", "{containers: [{name: c}]}", Some(json!({ "seccompProfile": default })), None),
            (
                "{}",
                "{securityContext: {seccompProfile: {type: Unconfined}}, containers: [{name: c}]}",
                Some(json!({ "seccompProfile": default })),
                None,
            ),
            (
                "{}",
                "{securityContext: {appArmorProfile: {type: Unconfined}, seccompProfile: {type: RuntimeDefault}}, containers: [{name: c}]}",
                Some(json!({ "appArmorProfile": default })),
                None,
            ),
            (
                "{}",
                "{containers: [{name: c, securityContext: {seccompProfile: {type: Unconfined}, appArmorProfile: {type: Unconfined}}}]}",
                Some(json!({ "appArmorProfile": default, "seccompProfile": default })),
                None,
            ),
            (
                "{}",
                "{containers: [{name: c, securityContext: {privileged: true}}]}",
                None,
                Some("privileged"),
            ),
            (annotation, "{containers: [{name: c}]}", None, Some("annotation")),
        ] {
            let inventory = inventory(&deployment(metadata, spec));
            let remediation = evaluated(ID, &inventory, &Parameters::default()).remediation;
            let object = remediation.documents.first().map(|document| {
                document.object["spec"]["template"]["spec"]["containers"][0]["securityContext"].clone()
            });
            assert_eq!(object, context, "{spec}");
            assert_eq!(remediation.remaining.len(), usize::from(task.is_some()), "{spec}");
            let told = remediation.remaining.iter().all(|left| left.task.contains(task.unwrap_or_default()));
            assert!(told, "{:?}", remediation.remaining);
            let after = assert_remedied(ID, &inventory, &Parameters::default());
            assert_eq!(after == Outcome::Pass, task.is_none(), "{spec}");
        }
    }
}
