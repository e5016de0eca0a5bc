//! **Containers do not run as root.**
//!
//! The *effective* `runAsNonRoot` (the container's, else the pod's) is true, and the effective `runAsUser` is not 0.
//! A pod with `hostUsers: false` passes: root in its user namespace is nobody on the node. On Windows `runAsUser`
//! means nothing and is not judged.

use super::Item;
use super::container::{Fault, observe_containers};
use crate::judge::Observation;
use crate::need::WORKLOADS;
use crate::workloads::{ContainerInstance, ContainerUnit, View};
use rampart_shared::{Category, ItemId};

mod remedy;

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
    remedy: remedy::remedy,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Parameters;
    use crate::remedy::chosen;
    use crate::testing::{assert_findings, assert_remedied, evaluated, inventory, outcome, result};
    use rampart_shared::Outcome;
    use serde_json::json;

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

    fn deployment(spec: &str) -> String {
        format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: d, namespace: shop}}, spec: {{template: {{spec: {spec}}}}}}}"
        )
    }

    #[test]
    fn the_user_of_a_root_container_is_asked_for_and_never_made_up() {
        let yaml = deployment(
            "{securityContext: {runAsNonRoot: false}, initContainers: [{name: pod-level}], containers: [{name: plain}, \
             {name: root, securityContext: {runAsUser: 0}}]}",
        );
        let remediation = evaluated(ID, &inventory(&yaml), &Parameters::default()).remediation;
        let context = json!({ "runAsNonRoot": true });
        let [plain, root] = &remediation.documents[..] else { panic!("{remediation:?}") };
        assert_eq!(
            plain.object["spec"]["template"]["spec"],
            json!({ "containers": [{ "name": "plain", "securityContext": context }],
                "initContainers": [{ "name": "pod-level", "securityContext": context }] })
        );
        assert!(plain.comment.contains("plain: the image decides"), "{}", plain.comment);
        assert_eq!(chosen(root, &remediation.inputs, |_| None), None);
        assert_eq!(chosen(root, &remediation.inputs, |_| Some("me".to_owned())), None, "no number");
        let object = chosen(root, &remediation.inputs, |_| Some("10001".to_owned())).unwrap();
        assert_eq!(
            object.pointer("/spec/template/spec/containers/0/securityContext"),
            Some(&json!({ "runAsNonRoot": true, "runAsUser": 10001 }))
        );
        // It was 0, and is again.
        assert_eq!(
            root.undo.as_ref().unwrap().pointer("/spec/template/spec/containers/0/securityContext"),
            Some(&json!({ "runAsUser": 0 }))
        );
        assert_eq!(assert_remedied(ID, &inventory(&yaml), &Parameters::default()), Outcome::Pass);
    }

    #[test]
    fn the_user_that_was_seen_is_told_and_decides_what_is_asked() {
        for (uid, asks, comment) in
            [(101, false, "c: runs as user 101 now"), (0, true, "c: runs as root (user 0 was seen)")]
        {
            let yaml = deployment("{containers: [{name: c}]}").replace("Deployment", "StatefulSet")
                + "\n---\n"
                + &format!(
                    "{{apiVersion: v1, kind: Pod, metadata: {{name: d-0, namespace: shop, ownerReferences: [{{apiVersion: apps/v1, \
                     kind: StatefulSet, name: d, controller: true}}]}}, spec: {{containers: [{{name: c}}]}}, status: {{phase: Running, \
                     containerStatuses: [{{name: c, user: {{linux: {{uid: {uid}}}}}}}]}}}}"
                );
            let remediation = evaluated(ID, &inventory(&yaml), &Parameters::default()).remediation;
            assert_eq!(remediation.inputs.len(), usize::from(asks));
            assert!(
                remediation.documents[0].comment.contains(comment),
                "{}",
                remediation.documents[0].comment
            );
            assert_eq!(assert_remedied(ID, &inventory(&yaml), &Parameters::default()), Outcome::Pass);
        }
    }
}
