//! Owners, revisions and paths of findings, seen through the item for read-only root filesystems.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

use rampart_checklist::{Inventory, Kind, Object, Parameters, evaluate_item};
use rampart_shared::{Gap, GapReason, ItemId, ItemResult, Outcome, Source};

const GOOD: &str = "{containers: [{name: web, securityContext: {readOnlyRootFilesystem: true}}]}";
const BAD: &str = "{containers: [{name: web}]}";

fn deployment(template: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: cart, namespace: shop, \
         annotations: {{deployment.kubernetes.io/revision: '2'}}}}, spec: {{template: {{spec: {template}}}}}}}"
    )
}

fn replica_set(name: &str, revision: u32, template: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: ReplicaSet, metadata: {{name: {name}, namespace: shop, \
         annotations: {{deployment.kubernetes.io/revision: '{revision}'}}, \
         ownerReferences: [{{apiVersion: apps/v1, kind: Deployment, name: cart, controller: true}}]}}, \
         spec: {{replicas: 1, template: {{spec: {template}}}}}}}"
    )
}

fn pod(owner: &str, spec: &str, rest: &str) -> String {
    let (api_version, kind, name) = match owner.split(' ').collect::<Vec<_>>()[..] {
        [api_version, kind, name] => (api_version, kind, name),
        _ => panic!("{owner}"),
    };
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}-x1, namespace: shop, {rest} \
         ownerReferences: [{{apiVersion: {api_version}, kind: {kind}, name: {name}, controller: true}}]}}, \
         spec: {spec}, status: {{phase: Running}}}}"
    )
}

fn inventory(documents: &[String]) -> Inventory {
    let mut inventory = Inventory::empty(Source::Snapshot);
    for document in documents {
        let value: serde_json::Value = serde_saphyr::from_str(document).unwrap();
        let text = |field: &str| value[field].as_str().unwrap().to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let kind = Kind::of(&api_version, &kind).unwrap();
        inventory.insert(Object::deserialize(kind, &api_version, value).unwrap());
    }
    inventory
}

fn result(inventory: &Inventory) -> ItemResult {
    evaluate_item(ItemId::ReadOnlyRootFilesystem, inventory, &Parameters::default()).unwrap().unwrap()
}

/// Kind, name and path of each finding, with how many containers were examined.
fn findings(inventory: &Inventory) -> (u32, Vec<String>) {
    let result = result(inventory);
    let texts = result
        .evidence()
        .findings
        .iter()
        .map(|f| {
            let path = f.path.trim_end_matches(".securityContext.readOnlyRootFilesystem");
            format!("{} {} {path}", f.subject.kind, f.subject.name)
        })
        .collect();
    (result.evidence().examined, texts)
}

#[test]
fn the_owner_is_named_once_for_all_its_pods() {
    let rs = "apps/v1 ReplicaSet cart-5f";
    let mut documents = vec![deployment(BAD), replica_set("cart-5f", 2, BAD)];
    for replica in 0..400 {
        documents.push(pod(rs, BAD, "").replace("cart-5f-x1", &format!("cart-5f-{replica}")));
    }
    let expected = vec!["Deployment cart spec.template.spec.containers[name=web]".to_owned()];
    assert_eq!(findings(&inventory(&documents)), (1, expected));
}

#[test]
fn pods_of_the_current_revision_decide_over_the_template() {
    // Admission added what the template lacks.
    let documents =
        [deployment(BAD), replica_set("cart-5f", 2, BAD), pod("apps/v1 ReplicaSet cart-5f", GOOD, "")];
    assert_eq!(result(&inventory(&documents)).outcome(), Outcome::Pass);
    // Admission spoilt what the template has.
    let documents =
        [deployment(GOOD), replica_set("cart-5f", 2, GOOD), pod("apps/v1 ReplicaSet cart-5f", BAD, "")];
    assert_eq!(result(&inventory(&documents)).outcome(), Outcome::Fail);
}

#[test]
fn an_older_revision_brings_the_template_in_and_a_remark() {
    let documents = [
        deployment(GOOD),
        replica_set("cart-4e", 1, BAD),
        replica_set("cart-5f", 2, GOOD),
        pod("apps/v1 ReplicaSet cart-4e", BAD, ""),
    ];
    let result = result(&inventory(&documents));
    assert_eq!(result.outcome(), Outcome::Pass);
    assert!(result.evidence().notes[0].contains("older revision of Deployment shop/cart"), "{result:?}");
}

#[test]
fn completed_pods_do_not_count_and_the_template_does() {
    let completed = pod("apps/v1 ReplicaSet cart-5f", BAD, "").replace("Running", "Succeeded");
    let documents = [deployment(GOOD), replica_set("cart-5f", 2, GOOD), completed];
    assert_eq!(result(&inventory(&documents)).outcome(), Outcome::Pass);
}

#[test]
fn a_container_only_in_the_pod_has_a_path_of_its_own() {
    let injected =
        "{containers: [{name: web, securityContext: {readOnlyRootFilesystem: true}}, {name: istio-proxy}]}";
    let documents =
        [deployment(GOOD), replica_set("cart-5f", 2, GOOD), pod("apps/v1 ReplicaSet cart-5f", injected, "")];
    let expected = vec!["Deployment cart pod:spec.containers[name=istio-proxy]".to_owned()];
    assert_eq!(findings(&inventory(&documents)), (2, expected));
}

#[test]
fn unread_replica_sets_do_not_rename_the_finding() {
    let labelled = pod("apps/v1 ReplicaSet cart-5f", BAD, "labels: {pod-template-hash: 5f},");
    let seen = inventory(&[deployment(BAD), replica_set("cart-5f", 2, BAD), labelled.clone()]);
    let mut unread = inventory(&[deployment(BAD), labelled]);
    unread.add_gap(Kind::ReplicaSets, Gap::new(Kind::ReplicaSets.name(), GapReason::Forbidden, "refused"));
    let fingerprint = |inventory: &Inventory| result(inventory).evidence().findings[0].fingerprint.clone();
    assert_eq!(fingerprint(&seen), fingerprint(&unread));
}

#[test]
fn cron_jobs_own_the_pods_of_their_jobs() {
    let cron_job = format!(
        "{{apiVersion: batch/v1, kind: CronJob, metadata: {{name: nightly, namespace: shop}}, \
         spec: {{jobTemplate: {{spec: {{template: {{spec: {BAD}}}}}}}}}}}"
    );
    let job = format!(
        "{{apiVersion: batch/v1, kind: Job, metadata: {{name: nightly-29385600, namespace: shop, \
         ownerReferences: [{{apiVersion: batch/v1, kind: CronJob, name: nightly, controller: true}}]}}, \
         spec: {{template: {{spec: {BAD}}}}}}}"
    );
    let documents = [cron_job, job, pod("batch/v1 Job nightly-29385600", BAD, "")];
    let expected =
        vec!["CronJob nightly spec.jobTemplate.spec.template.spec.containers[name=web]".to_owned()];
    assert_eq!(findings(&inventory(&documents)), (1, expected));
}

#[test]
fn finished_jobs_are_not_judged() {
    let job = format!(
        "{{apiVersion: batch/v1, kind: Job, metadata: {{name: once, namespace: shop}}, \
         spec: {{template: {{spec: {BAD}}}}}, status: {{conditions: [{{type: Complete, status: 'True'}}]}}}}"
    );
    assert_eq!(result(&inventory(&[job])).outcome(), Outcome::NotApplicable);
}

#[test]
fn stateful_sets_and_daemon_sets_know_their_current_revision() {
    let set = format!(
        "{{apiVersion: apps/v1, kind: StatefulSet, metadata: {{name: db, namespace: shop}}, \
         spec: {{template: {{spec: {GOOD}}}}}, status: {{updateRevision: db-2}}}}"
    );
    let of = |revision: &str| {
        pod("apps/v1 StatefulSet db", BAD, &format!("labels: {{controller-revision-hash: {revision}}},"))
    };
    assert_eq!(result(&inventory(&[set.clone(), of("db-1")])).outcome(), Outcome::Pass);
    assert_eq!(result(&inventory(&[set, of("db-2")])).outcome(), Outcome::Fail);
    let set = format!(
        "{{apiVersion: apps/v1, kind: DaemonSet, metadata: {{name: db, namespace: shop, \
         annotations: {{deprecated.daemonset.template.generation: '7'}}}}, spec: {{template: {{spec: {GOOD}}}}}}}"
    );
    let of = |generation: u32| {
        pod("apps/v1 DaemonSet db", BAD, &format!("labels: {{pod-template-generation: '{generation}'}},"))
    };
    assert_eq!(result(&inventory(&[set.clone(), of(6)])).outcome(), Outcome::Pass);
    assert_eq!(result(&inventory(&[set, of(7)])).outcome(), Outcome::Fail);
}

#[test]
fn owners_of_other_kinds_are_named_by_their_reference() {
    let rollout = pod("argoproj.io/v1alpha1 Rollout web", BAD, "");
    let expected = vec!["Rollout web pod:spec.containers[name=web]".to_owned()];
    assert_eq!(findings(&inventory(&[rollout])), (1, expected));
}

#[test]
fn manifests_without_namespace_are_in_default() {
    let bare = format!("{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {BAD}}}");
    let result = result(&inventory(&[bare]));
    assert_eq!(result.evidence().findings[0].subject.namespace.as_deref(), Some("default"));
}

#[test]
fn the_order_of_objects_does_not_matter() {
    let mut documents = vec![
        deployment(BAD),
        replica_set("cart-4e", 1, BAD),
        replica_set("cart-5f", 2, GOOD),
        pod("apps/v1 ReplicaSet cart-4e", BAD, ""),
        pod("apps/v1 ReplicaSet cart-5f", GOOD, ""),
        format!("{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, spec: {BAD}}}"),
    ];
    let first = result(&inventory(&documents));
    for _ in 0..documents.len() {
        documents.rotate_left(1);
        assert_eq!(result(&inventory(&documents)), first);
    }
}
