//! **Containers run with a read-only root filesystem.**
//!
//! `readOnlyRootFilesystem: true` on every init, regular and running ephemeral container. There is no pod-level
//! default. Windows containers cannot have it and are not judged.

use super::Item;
use super::container::{Fault, observe_containers};
use crate::judge::Observation;
use crate::need::WORKLOADS;
use crate::recognise::image;
use crate::remedy::{Texts, remediation, workload_documents};
use crate::workloads::{ContainerInstance, View};
use rampart_shared::{Category, ItemId, ItemResult, Remediation, Subject};
use serde_json::{Map, Value, json};

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
    remedy,
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

/// Where the programs of well-known images write, by the image's repository.
const WRITABLE_PATHS: [(&str, &[&str]); 8] = [
    ("nginx", &["/var/cache/nginx", "/var/run"]),
    ("nginx-unprivileged", &["/tmp"]),
    ("httpd", &["/usr/local/apache2/logs"]),
    ("redis", &["/data"]),
    ("memcached", &["/tmp"]),
    ("postgres", &["/var/run/postgresql", "/tmp"]),
    ("mysql", &["/var/run/mysqld", "/tmp"]),
    ("rabbitmq", &["/var/lib/rabbitmq"]),
];

fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let documents = workload_documents(
        view,
        result.application_findings(),
        |subject, container, _| {
            let mounts: Vec<Value> = writable_paths(view, subject, container)
                .iter()
                .map(|path| json!({ "name": volume_name(path), "mountPath": path }))
                .collect();
            Map::from_iter([
                ("securityContext".to_owned(), json!({ "readOnlyRootFilesystem": true })),
                ("volumeMounts".to_owned(), Value::Array(mounts)),
            ])
        },
        |subject, containers| {
            let mut paths: Vec<&str> =
                containers.iter().flat_map(|container| writable_paths(view, subject, container)).collect();
            paths.sort_unstable();
            paths.dedup();
            let volumes =
                paths.iter().map(|path| json!({ "name": volume_name(path), "emptyDir": {} })).collect();
            Map::from_iter([("volumes".to_owned(), Value::Array(volumes))])
        },
    );
    let texts = Texts {
        changes: "Makes the root filesystem of each named container read-only, and mounts an empty volume at /tmp \
                  and where images that are known to write do so.",
        may_break: "A program that writes elsewhere fails with EROFS (Read-only file system). Look for that in its log \
                    after the roll-out of one replica, and mount a volume there. An empty volume hides what the image \
                    has at its path. Bare pods and Jobs cannot be changed in place: create them anew with the field set.",
        undo: "kubectl rollout undo the workload, or apply its former manifest.",
    };
    remediation(result, texts, documents)
}

/// `/tmp`, and what the image is known to write.
fn writable_paths(view: &View<'_>, subject: &Subject, container: &str) -> Vec<&'static str> {
    let template =
        view.workloads.iter().find(|workload| workload.subject == *subject).and_then(|w| w.template);
    let image = template
        .into_iter()
        .flat_map(|spec| spec.containers.iter().chain(&spec.init_containers))
        .find(|found| found.name == container)
        .map_or("", |found| found.image.as_str());
    let mut paths = vec!["/tmp"];
    let repository = image::last_component(image::repository(image));
    if let Some((_, known)) = WRITABLE_PATHS.iter().find(|(name, _)| *name == repository) {
        paths.extend(known.iter().filter(|path| **path != "/tmp"));
    }
    paths
}

fn volume_name(path: &str) -> String {
    format!("writable{}", path.replace('/', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Kind, Object};
    use crate::testing::{assert_findings, forbid, inventory, outcome, result};
    use rampart_shared::{Outcome, Scope};

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

    #[test]
    fn the_remedy_turns_it_green() {
        let yaml = deployment("{containers: [{name: web, image: 'ghcr.io/acme/nginx:1.27'}, {name: side}]}");
        let inventory = inventory(&yaml);
        let items = crate::evaluate(&inventory, &crate::Parameters::default()).unwrap();
        let remediation = &items.iter().find(|item| item.result.id() == ID).unwrap().remediation;
        assert_eq!(remediation.documents.len(), 1);
        let document: Value = remediation.documents[0].object.clone();
        let containers = document["spec"]["template"]["spec"]["containers"].as_array().unwrap();
        let web = containers.iter().find(|container| container["name"] == "web").unwrap();
        assert_eq!(
            web["volumeMounts"][1],
            json!({ "name": "writable-var-cache-nginx", "mountPath": "/var/cache/nginx" })
        );
        let mut fixed = crate::Inventory::empty(rampart_shared::Source::Snapshot);
        fixed.insert(Object::deserialize(Kind::Deployments, "apps/v1", document).unwrap());
        assert_eq!(result(ID, &fixed).outcome(), Outcome::Pass);
    }
}
