//! **Containers do not run as root.**
//!
//! The *effective* `runAsNonRoot` (the container's, else the pod's) is true, and the effective `runAsUser` is not 0.
//! A pod with `hostUsers: false` passes: root in its user namespace is nobody on the node. On Windows `runAsUser`
//! means nothing and is not judged.

use super::Item;
use super::container::{Fault, observe_containers};
use crate::judge::Observation;
use crate::need::WORKLOADS;
use crate::remedy::{Texts, remediation, workload_documents};
use crate::workloads::{ContainerInstance, ContainerUnit, View};
use rampart_shared::{Category, ItemId, ItemResult, Remediation, Subject};
use serde_json::{Map, json};
use std::collections::BTreeSet;

pub(super) const ITEM: Item = Item {
    id: ItemId::NonRootContainers,
    number: 13,
    category: Category::Workloads,
    title: "Containers do not run as root",
    short_title: "Non-root",
    checks: "For every container, runAsNonRoot (its own, else the pod's) is true and runAsUser (its own, else the \
             pod's) is not 0. A pod with hostUsers: false passes, since its root is an ordinary user of the node.",
    why: "A process that runs as root in a container is root on the node once it breaks out, and can use many more \
          kernel interfaces on its way there.",
    cannot_see: "The user that the image names, unless the runtime reports the user of the running container. The \
                 kubelet refuses to start an image whose user is root or has no number when runAsNonRoot is true.",
    references: &[
        (
            "Kubernetes: Pod Security Standards, restricted: Running as Non-root",
            "https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted",
        ),
        (
            "Kubernetes: User namespaces",
            "https://kubernetes.io/docs/concepts/workloads/pods/user-namespaces/",
        ),
    ],
    needs: &WORKLOADS,
    observe,
    remedy,
};

fn observe(view: &View<'_>) -> Observation {
    let mut in_user_namespace = 0;
    let mut overridden_root = Vec::new();
    let mut observation = observe_containers(view, |unit, instance| {
        if instance.spec.host_users == Some(false) {
            in_user_namespace += 1;
            return Some(Vec::new());
        }
        let faults = faults(unit, instance);
        if faults.is_empty()
            && instance.spec.security_context.run_as_user == Some(0)
            && !instance.spec.windows
        {
            overridden_root.push(unit.unit.clone());
        }
        Some(faults)
    });
    if in_user_namespace > 0 {
        observation.notes.push(format!(
            "{in_user_namespace} containers may run as root in a user namespace (hostUsers: false)."
        ));
    }
    overridden_root.dedup();
    observation.notes.extend(overridden_root.into_iter().map(|unit| {
        format!("{unit} overrides its pod's runAsUser: 0; the Pod Security Standard `restricted` refuses such a pod.")
    }));
    observation
}

fn faults(unit: &ContainerUnit<'_>, instance: &ContainerInstance<'_>) -> Vec<Fault> {
    let container = &instance.container.security_context;
    let pod = &instance.spec.security_context;
    let reported = instance
        .pod
        .and_then(|pod| pod.user_ids.iter().find(|(name, _)| name == unit.name))
        .map(|(_, uid)| format!("The runtime reports that it runs as user {uid}."));
    let inherited = |own: bool| (!own).then(|| "Set for the whole pod.".to_owned());
    let mut faults = Vec::new();

    let field = "securityContext.runAsNonRoot";
    match container.run_as_non_root.or(pod.run_as_non_root) {
        Some(true) => {}
        Some(false) => faults.push(
            Fault::new("run-as-non-root-false", field, "false", "true")
                .note(reported.clone().or_else(|| inherited(container.run_as_non_root.is_some()))),
        ),
        None => faults.push(Fault::new("run-as-non-root-unset", field, "unset", "true").note(reported)),
    }
    if !instance.spec.windows && container.run_as_user.or(pod.run_as_user) == Some(0) {
        faults.push(
            Fault::new(RUN_AS_USER_ROOT, "securityContext.runAsUser", "0", "unset or not 0")
                .note(inherited(container.run_as_user.is_some())),
        );
    }
    faults
}

const RUN_AS_USER_ROOT: &str = "run-as-user-root";

/// The part of a finding's path that names the container.
fn container_path(path: &str) -> &str {
    path.split_once("].").map_or(path, |(container, _)| container)
}

fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    // With runAsUser 0 beside it, runAsNonRoot would keep the container from starting.
    let is_root: BTreeSet<(&Subject, &str)> = result
        .application_findings()
        .filter(|finding| finding.rule == RUN_AS_USER_ROOT)
        .map(|finding| (&finding.subject, container_path(&finding.path)))
        .collect();
    let documents = workload_documents(
        view,
        result
            .application_findings()
            .filter(|finding| !is_root.contains(&(&finding.subject, container_path(&finding.path)))),
        |_, _, _| Map::from_iter([("securityContext".to_owned(), json!({ "runAsNonRoot": true }))]),
        |_, _| Map::new(),
    );
    let texts = Texts {
        changes: "Makes the kubelet refuse to start each named container as root. It names no user: which one is right \
                  only the image's maker knows. Containers with runAsUser: 0 are left out, since they would not start: \
                  replace that number in the workload's own manifest first.",
        may_break: "A container whose image runs as root, or names its user by name and not by number, stays in \
                    CreateContainerConfigError; its event says so. Try one replica, and set runAsUser to a user that the \
                    image is made for. Bare pods and Jobs cannot be changed in place: create them anew.",
        undo: "kubectl rollout undo the workload, or apply its former manifest.",
    };
    remediation(result, texts, documents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{assert_findings, inventory, outcome, result};
    use rampart_shared::Outcome;

    const ID: ItemId = ItemId::NonRootContainers;

    fn pod(spec: &str) -> String {
        format!("{{apiVersion: v1, kind: Pod, metadata: {{name: p, namespace: shop}}, spec: {spec}}}")
    }

    #[test]
    fn pod_level_and_container_level_both_do() {
        for spec in [
            "{securityContext: {runAsNonRoot: true}, containers: [{name: c}]}",
            "{containers: [{name: c, securityContext: {runAsNonRoot: true}}]}",
            "{securityContext: {runAsNonRoot: false}, containers: [{name: c, securityContext: {runAsNonRoot: true, runAsUser: 7}}]}",
            "{hostUsers: false, containers: [{name: c, securityContext: {runAsUser: 0}}]}",
            "{os: {name: windows}, containers: [{name: c, securityContext: {runAsNonRoot: true, runAsUser: 0}}]}",
        ] {
            assert_eq!(outcome(ID, &pod(spec)), Outcome::Pass, "{spec}");
        }
    }

    #[test]
    fn a_pod_level_true_overridden_by_false_is_a_violation() {
        assert_findings(
            ID,
            &pod(
                "{securityContext: {runAsNonRoot: true}, containers: [{name: a}, {name: b, securityContext: {runAsNonRoot: false}}]}",
            ),
            Outcome::Fail,
            &["p spec.containers[name=b].securityContext.runAsNonRoot: false"],
        );
    }

    #[test]
    fn a_pod_level_root_overridden_everywhere_passes_with_a_remark() {
        let yaml = pod(
            "{securityContext: {runAsNonRoot: true, runAsUser: 0}, containers: [{name: a, securityContext: {runAsUser: 9}}]}",
        );
        let result = result(ID, &inventory(&yaml));
        assert_eq!(result.outcome(), Outcome::Pass);
        assert!(result.evidence().notes[0].contains("overrides its pod's runAsUser: 0"));
    }

    #[test]
    fn root_by_number_and_unset_are_two_findings_of_one_container() {
        let yaml = pod(
            "{securityContext: {runAsUser: 0}, containers: [{name: c}], initContainers: [{name: i, securityContext: {runAsNonRoot: true, runAsUser: 5}}]}",
        );
        assert_findings(
            ID,
            &yaml,
            Outcome::Fail,
            &[
                "p spec.containers[name=c].securityContext.runAsNonRoot: unset",
                "p spec.containers[name=c].securityContext.runAsUser: 0",
            ],
        );
        assert_eq!(result(ID, &inventory(&yaml)).evidence().violating, 1);
    }

    #[test]
    fn an_ephemeral_container_counts_while_it_runs() {
        let spec = "{securityContext: {runAsNonRoot: true}, containers: [{name: c}], ephemeralContainers: [{name: debug, securityContext: {runAsNonRoot: false}}]}";
        let with = |state: &str| {
            format!(
                "{{apiVersion: v1, kind: Pod, metadata: {{name: p, namespace: shop}}, spec: {spec}, \
                 status: {{phase: Running, ephemeralContainerStatuses: [{{name: debug, state: {{{state}: {{startedAt: x}}}}}}]}}}}"
            )
        };
        assert_findings(
            ID,
            &with("running"),
            Outcome::Fail,
            &["p spec.ephemeralContainers[name=debug].securityContext.runAsNonRoot: false"],
        );
        assert_eq!(outcome(ID, &with("terminated")), Outcome::Pass);
    }

    #[test]
    fn the_remedy_leaves_out_what_would_not_start() {
        let yaml = "{apiVersion: apps/v1, kind: Deployment, metadata: {name: d, namespace: shop}, spec: {template: {spec: \
                    {containers: [{name: plain}, {name: root, securityContext: {runAsUser: 0}}]}}}}";
        let items = crate::evaluate(&inventory(yaml), &crate::Parameters::default()).unwrap();
        let remediation = &items.iter().find(|item| item.result.id() == ID).unwrap().remediation;
        let document: serde_json::Value = remediation.documents[0].object.clone();
        let containers = document["spec"]["template"]["spec"]["containers"].as_array().unwrap();
        assert_eq!(containers, &[json!({ "name": "plain", "securityContext": { "runAsNonRoot": true } })]);
    }
}
