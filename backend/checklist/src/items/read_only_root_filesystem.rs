//! **Containers run with a read-only root filesystem.**
//!
//! `readOnlyRootFilesystem: true` on every init, regular and running ephemeral container. There is no pod-level
//! default. Windows containers cannot have it and are not judged.

use super::Item;
use super::container::{Fault, observe_containers};
use crate::judge::Observation;
use crate::need::WORKLOADS;
use crate::workloads::{ContainerInstance, View};
use rampart_shared::{Category, ItemId};

mod remedy;
mod writable_paths;

pub(super) const ITEM: Item = Item {
    id: ItemId::ReadOnlyRootFilesystem,
    number: 12,
    category: Category::Workloads,
    title: "Containers run with a read-only root filesystem",
    short_title: "Read-only root",
    checks: "Every init, regular and running ephemeral container sets securityContext.readOnlyRootFilesystem to true. \
             Running pods of a workload's current revision decide; where none runs, its template does. Windows \
             containers cannot have it and are not judged.",
    why: "Whoever gets into a container can download tools and leave them there only if they can write. With a \
          read-only root filesystem they cannot, and what the program needs to write goes to volumes made for it.",
    cannot_see: "Mounted volumes that can be written to and from which programs can be run.",
    references: &[
        (
            "Kubernetes: SecurityContext v1",
            "https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#security-context-1",
        ),
        (
            "NSA/CISA Kubernetes Hardening Guidance: immutable container file systems",
            "https://media.defense.gov/2022/Aug/29/2003066362/-1/-1/0/CTR_KUBERNETES_HARDENING_GUIDANCE_1.2_20220829.PDF",
        ),
    ],
    needs: &WORKLOADS,
    observe,
    remedy: remedy::remedy,
};

fn observe(view: &View<'_>) -> Observation {
    observe_containers(view, |_, instance| (!instance.spec.windows).then(|| faults(instance)))
}

fn faults(instance: &ContainerInstance<'_>) -> Vec<Fault> {
    let field = "securityContext.readOnlyRootFilesystem";
    match instance.container.security_context.read_only_root_filesystem {
        Some(true) => Vec::new(),
        Some(false) => vec![Fault::new("false", field, "false", "true")],
        None => vec![Fault::new("unset", field, "unset", "true")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Parameters;
    use crate::inventory::Kind;
    use crate::testing::{assert_findings, assert_remedied, evaluated, forbid, inventory, outcome, result};
    use rampart_shared::{Outcome, Remediation, Scope};
    use serde_json::json;

    const ID: ItemId = ItemId::ReadOnlyRootFilesystem;

    fn deployment(containers: &str) -> String {
        format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: cart, namespace: shop}}, spec: {{template: {{spec: {containers}}}}}}}"
        )
    }

    #[test]
    fn true_on_every_container_passes() {
        let yaml = deployment(
            "{initContainers: [{name: init, securityContext: {readOnlyRootFilesystem: true}}], \
              containers: [{name: web, securityContext: {readOnlyRootFilesystem: true}}]}",
        );
        assert_findings(ID, &yaml, Outcome::Pass, &[]);
    }

    #[test]
    fn unset_and_false_are_violations_in_init_containers_too() {
        let yaml = deployment(
            "{initContainers: [{name: init}], containers: [{name: web, securityContext: {readOnlyRootFilesystem: false}}, \
              {name: good, securityContext: {readOnlyRootFilesystem: true}}]}",
        );
        assert_findings(
            ID,
            &yaml,
            Outcome::Fail,
            &[
                "cart spec.template.spec.containers[name=web].securityContext.readOnlyRootFilesystem: false",
                "cart spec.template.spec.initContainers[name=init].securityContext.readOnlyRootFilesystem: unset",
            ],
        );
        let result = result(ID, &inventory(&yaml));
        assert_eq!((result.evidence().examined, result.evidence().violating), (3, 2));
        assert_eq!(result.evidence().findings[0].rule, "false");
    }

    #[test]
    fn windows_containers_are_not_judged() {
        let yaml = deployment("{os: {name: windows}, containers: [{name: web}]}");
        assert_eq!(outcome(ID, &yaml), Outcome::NotApplicable);
    }

    #[test]
    fn system_namespaces_are_listed_and_do_not_decide() {
        let yaml = deployment("{containers: [{name: web, securityContext: {readOnlyRootFilesystem: true}}]}")
            + "\n---\n"
            + &deployment("{containers: [{name: web}]}").replace("shop", "kube-system");
        let result = result(ID, &inventory(&yaml));
        assert_eq!(result.outcome(), Outcome::Pass);
        assert_eq!(result.evidence().findings[0].scope, Scope::System);
        assert_eq!((result.evidence().examined, result.evidence().violating), (1, 0));
    }

    #[test]
    fn a_missing_kind_never_passes_and_a_seen_violation_fails_all_the_same() {
        for kind in WORKLOADS.map(|need| need.kind) {
            let good =
                deployment("{containers: [{name: web, securityContext: {readOnlyRootFilesystem: true}}]}");
            let mut seen = inventory(&good);
            forbid(&mut seen, kind);
            assert_eq!(result(ID, &seen).outcome(), Outcome::Unknown, "{kind:?}");
            let mut seen = inventory(&deployment("{containers: [{name: web}]}"));
            if kind != Kind::Deployments {
                forbid(&mut seen, kind);
                assert_eq!(result(ID, &seen).outcome(), Outcome::Fail, "{kind:?}");
            }
        }
    }

    fn remediation(yaml: &str) -> Remediation {
        evaluated(ID, &inventory(yaml), &Parameters::default()).remediation
    }

    #[test]
    fn empty_volumes_go_where_the_image_writes_and_nothing_is_mounted() {
        let yaml = deployment(
            "{volumes: [{name: writable-side-tmp, emptyDir: {}}, {name: cache, emptyDir: {}}], containers: [\
             {name: web, image: 'ghcr.io/acme/nginx:1.27', volumeMounts: [{name: cache, mountPath: /var/cache/}]}, \
             {name: side, image: 'busybox@sha256:0a'}]}",
        );
        let remediation = remediation(&yaml);
        assert_eq!(remediation.documents.len(), 1);
        let document = &remediation.documents[0];
        let spec = &document.object["spec"]["template"]["spec"];
        assert_eq!(
            spec["containers"],
            json!([
                { "name": "side", "securityContext": { "readOnlyRootFilesystem": true },
                  "volumeMounts": [{ "mountPath": "/tmp", "name": "writable-side-tmp-2" }] },
                { "name": "web", "securityContext": { "readOnlyRootFilesystem": true }, "volumeMounts": [
                    { "mountPath": "/tmp", "name": "writable-web-tmp" }, { "mountPath": "/var/run", "name": "writable-web-var-run" },
                ] },
            ])
        );
        let volumes: Vec<&str> = spec["volumes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|volume| volume["name"].as_str().unwrap())
            .collect();
        assert_eq!(volumes, ["writable-side-tmp-2", "writable-web-tmp", "writable-web-var-run"]);
        assert!(document.comment.contains("https://hub.docker.com/_/nginx"), "{}", document.comment);
        assert_remedied(ID, &inventory(&yaml), &Parameters::default());
    }

    #[test]
    fn what_cannot_be_changed_in_place_is_told_with_what_to_do() {
        let bad = "{containers: [{name: web}]}";
        let owned = |kind: &str| {
            format!(
                "{{apiVersion: v1, kind: Pod, metadata: {{name: p, namespace: shop, ownerReferences: [{kind}]}}, spec: {bad}, status: {{phase: Running}}}}"
            )
        };
        let injected =
            deployment("{containers: [{name: web, securityContext: {readOnlyRootFilesystem: true}}]}")
                .replace("Deployment", "StatefulSet")
                + "\n---\n"
                + &owned("{apiVersion: apps/v1, kind: StatefulSet, name: cart, controller: true}");
        for (yaml, task) in [
            (owned(""), "Create these pods anew with securityContext.readOnlyRootFilesystem: true"),
            (
                owned("").replace("name: p,", "name: p, annotations: {kubernetes.io/config.mirror: x},"),
                "staticPodPath",
            ),
            (
                owned("").replace(bad, "{containers: [{name: web, securityContext: {readOnlyRootFilesystem: true}}], ephemeralContainers: [{name: d}]}")
                    .replace("phase: Running", "phase: Running, ephemeralContainerStatuses: [{name: d, state: {running: {}}}]"),
                "kubectl -n shop delete pod p",
            ),
            (deployment(bad).replace("apps/v1, kind: Deployment", "batch/v1, kind: Job"), "Create these Jobs anew"),
            (owned("{apiVersion: acme.io/v1, kind: Shop, name: s, controller: true}"), "Shop shop/s"),
            (owned("{apiVersion: apps/v1, kind: DaemonSet, name: s, controller: true}"), "saw their pods alone: DaemonSet shop/s"),
            (injected, "on admission"),
            (
                deployment(bad).replace("Deployment", "ReplicaSet") + "\n---\n"
                    + &owned("{apiVersion: apps/v1, kind: ReplicaSet, name: cart, controller: true}"),
                "Delete the pods of these ReplicaSets",
            ),
        ] {
            let remaining = remediation(&yaml).remaining;
            assert_eq!(remaining.len(), 1, "{yaml}");
            assert!(remaining[0].task.contains(task), "{}", remaining[0].task);
            assert_remedied(ID, &inventory(&yaml), &Parameters::default());
        }
    }

    #[test]
    fn a_cron_job_is_changed_where_it_keeps_its_template() {
        let yaml = "{apiVersion: batch/v1, kind: CronJob, metadata: {name: c, namespace: shop}, spec: {jobTemplate: {spec: \
                    {template: {spec: {containers: [{name: web}]}}}}}}";
        let object = &remediation(yaml).documents[0].object;
        assert_eq!(
            object.pointer("/spec/jobTemplate/spec/template/spec/containers/0/securityContext"),
            Some(&json!({ "readOnlyRootFilesystem": true }))
        );
        assert_eq!(assert_remedied(ID, &inventory(yaml), &Parameters::default()), Outcome::Pass);
    }
}
