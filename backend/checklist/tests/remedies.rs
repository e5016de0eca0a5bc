//! The remedies of workloads over generated ones, against a small model of server-side apply: what they promise holds,
//! applying them again changes nothing, one export does not take back another, and what undoes them does.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod server_side_apply;

use proptest::prelude::*;
use rampart_checklist::remedy::{chosen, identity, merge, simulate};
use rampart_checklist::workloads::View;
use rampart_checklist::{EvaluatedItem, Inventory, Kind, Object, Parameters, evaluate};
use rampart_shared::{ItemId, Outcome, RemediationDocument, RemediationTarget, Source};
use serde_json::{Value, json};
use server_side_apply::Cluster;
use std::collections::BTreeMap;
use std::time::Instant;

const ITEMS: [ItemId; 5] = [
    ItemId::ReadOnlyRootFilesystem,
    ItemId::NonRootContainers,
    ItemId::SeccompApparmor,
    ItemId::NoSecretsInKubernetes,
    ItemId::LeastPrivilegeServiceAccounts,
];
/// Made up, and put together here so that nothing that looks for tokens takes it for one.
const PASSWORD: &str = concat!("kE9v", "Zq2L", "m4Tt");
const OTHER_PASSWORD: &str = concat!("zq2L", "kE9v", "m4Tt");

fn inventory(objects: &[Value]) -> Inventory {
    let mut inventory = Inventory::empty(Source::Snapshot);
    for object in objects {
        let [api_version, kind, ..] = identity(object);
        let kind = Kind::of(api_version, kind).expect("a known kind");
        inventory.insert(Object::deserialize(kind, api_version, object.clone()).expect("an object"));
    }
    inventory
}

fn evaluated(objects: &[Value]) -> BTreeMap<ItemId, EvaluatedItem> {
    let items = evaluate(&inventory(objects), &Parameters::default()).unwrap();
    items.into_iter().map(|item| (item.result.id(), item)).filter(|(id, _)| ITEMS.contains(id)).collect()
}

/// What would be exported of these items: one document for each object, with what undoes it.
fn exported(items: &BTreeMap<ItemId, EvaluatedItem>, ids: &[ItemId]) -> Vec<RemediationDocument> {
    let mut by_object: BTreeMap<[String; 4], RemediationDocument> = BTreeMap::new();
    for id in ids {
        let remediation = &items[id].remediation;
        let example = |name: &str| {
            remediation.inputs.iter().find(|input| input.name == name).map(|input| input.example.clone())
        };
        for document in &remediation.documents {
            let object = chosen(document, &remediation.inputs, example).expect("an input for every choice");
            let identity = identity(&object).map(str::to_owned);
            match by_object.get_mut(&identity) {
                None => drop(by_object.insert(identity, RemediationDocument { object, ..document.clone() })),
                Some(there) => {
                    merge(&mut there.object, &object);
                    if let (Some(undo), Some(more)) = (&mut there.undo, &document.undo) {
                        merge(undo, more);
                    }
                }
            }
        }
    }
    by_object.into_values().collect()
}

/// Nothing that decides is left but what is named.
fn assert_held(before: &BTreeMap<ItemId, EvaluatedItem>, after: &BTreeMap<ItemId, EvaluatedItem>) {
    for (id, item) in after {
        for finding in item.result.application_findings() {
            let named = before[id]
                .remediation
                .remaining
                .iter()
                .any(|left| left.findings.contains(&finding.fingerprint));
            assert!(named, "{id}: {} {}: {}", finding.subject.name, finding.path, finding.observed);
        }
    }
}

fn context() -> impl Strategy<Value = Value> {
    let flag = || prop::option::of(any::<bool>());
    let profile = |kinds: &'static [&'static str]| prop::option::of(prop::sample::select(kinds));
    (
        flag(),
        flag(),
        prop::option::of(prop::sample::select(&[0, 7][..])),
        profile(&["RuntimeDefault", "Localhost", "Unconfined"]),
        profile(&["RuntimeDefault", "Unconfined"]),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(read_only, non_root, user, seccomp, apparmor, privileged)| {
            let mut context = json!({});
            let mut set = |field: &str, value: Option<Value>| {
                if let Some(value) = value {
                    context[field] = value;
                }
            };
            set("readOnlyRootFilesystem", read_only.map(Value::Bool));
            set("runAsNonRoot", non_root.map(Value::Bool));
            set("runAsUser", user.map(Value::from));
            set("seccompProfile", seccomp.map(|kind| json!({ "type": kind })));
            set("appArmorProfile", apparmor.map(|kind| json!({ "type": kind })));
            set("privileged", privileged.then_some(Value::Bool(true)));
            context
        })
}

fn container(name: &'static str) -> impl Strategy<Value = Value> {
    let variables = prop::sample::subsequence(
        vec![("DB_PASSWORD", PASSWORD), ("MODE", "fast"), ("API_PASSWORD", OTHER_PASSWORD)],
        0..=3,
    );
    let mounts = prop::sample::subsequence(vec!["/tmp", "/var/cache/", "/data"], 0..=3);
    let images = prop::sample::select(&["", "nginx:1.27", "ghcr.io/acme/redis", "busybox"][..]);
    (context(), variables, mounts, images, any::<bool>()).prop_map(
        move |(context, variables, mounts, image, other)| {
            // Two containers may give one variable two values.
            let value = |value: &str| {
                if other && value == PASSWORD { OTHER_PASSWORD.to_owned() } else { value.to_owned() }
            };
            let env: Vec<Value> =
                variables.iter().map(|(name, text)| json!({ "name": name, "value": value(text) })).collect();
            let mounts: Vec<Value> =
                mounts.iter().map(|path| json!({ "name": "scratch", "mountPath": path })).collect();
            let mut container = json!({ "name": name, "image": image, "env": env, "volumeMounts": mounts });
            if context != json!({}) {
                container["securityContext"] = context;
            }
            container
        },
    )
}

fn pod_spec() -> impl Strategy<Value = Value> {
    let containers = (container("a"), container("b"), container("c"), 1..=3_usize)
        .prop_map(|(a, b, c, count)| [a, b, c].into_iter().take(count).collect::<Vec<_>>());
    let init = prop::option::of(container("init"));
    let token = prop::option::of(any::<bool>());
    (containers, init, context(), token, any::<bool>()).prop_map(
        |(containers, init, context, token, taken)| {
            let mut spec =
                json!({ "containers": containers, "volumes": [{ "name": "scratch", "emptyDir": {} }] });
            for field in ["runAsNonRoot", "runAsUser", "seccompProfile", "appArmorProfile"] {
                if !context[field].is_null() {
                    spec["securityContext"][field] = context[field].clone();
                }
            }
            if taken {
                merge(&mut spec, &json!({ "volumes": [{ "name": "writable-a-tmp", "emptyDir": {} }] }));
            }
            if let Some(init) = init {
                spec["initContainers"] = json!([init]);
            }
            if let Some(token) = token {
                spec["automountServiceAccountToken"] = json!(token);
            }
            spec
        },
    )
}

/// A workload, whether it has pods, and as whom its first container runs.
#[derive(Debug, Clone)]
struct Generated {
    object: Value,
    runs: bool,
    user: Option<i64>,
}

fn generated() -> impl Strategy<Value = Generated> {
    const KINDS: [&str; 7] =
        ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "CronJob", "Job", "Pod"];
    (
        prop::sample::select(&KINDS[..]),
        pod_spec(),
        any::<bool>(),
        prop::sample::select(&[None, Some(0), Some(101)][..]),
    )
        .prop_map(|(kind, spec, runs, user)| {
            let template = json!({ "metadata": { "labels": { "app": "cart" } }, "spec": spec });
            let (api_version, spec) = match kind {
                "CronJob" => ("batch/v1", json!({ "jobTemplate": { "spec": { "template": template } } })),
                "Job" => ("batch/v1", json!({ "template": template })),
                "Pod" => ("v1", template["spec"].clone()),
                _ => ("apps/v1", json!({ "template": template })),
            };
            let object = json!({ "apiVersion": api_version, "kind": kind, "spec": spec });
            // The pods of a Deployment belong to a ReplicaSet, those of a CronJob to a Job.
            let runs = runs && matches!(kind, "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job");
            Generated { object, runs, user }
        })
}

fn cluster() -> impl Strategy<Value = Cluster> {
    let store = |kind: &str| {
        json!({ "apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": { "name": "x", "namespace": "other" },
            "spec": { "secretStoreRef": { "kind": kind, "name": "vault" } } })
    };
    let stores = vec![None, Some(store("SecretStore")), Some(store("ClusterSecretStore"))];
    (prop::collection::vec(generated(), 1..4), prop::sample::select(stores)).prop_map(|(workloads, store)| {
        let mut cluster = Cluster::default();
        for (index, mut workload) in workloads.into_iter().enumerate() {
            workload.object["metadata"] = json!({ "name": format!("cart-{index}"), "namespace": "shop" });
            cluster.create(workload.object, workload.runs, workload.user);
        }
        if let Some(store) = store {
            cluster.create(store, false, None);
        }
        let account = json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "default", "namespace": "shop" } });
        cluster.create(account, false, None);
        cluster
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn together_they_hold_again_changes_nothing_and_undone_it_is_as_before(cluster in cluster()) {
        let before = evaluated(&cluster.objects());
        let documents = exported(&before, &ITEMS);
        let text = serde_json::to_string(&before.values().map(|item| &item.remediation).collect::<Vec<_>>()).unwrap();
        prop_assert!(!text.contains(PASSWORD) && !text.contains(OTHER_PASSWORD));

        // What is simulated is what the API server would make of it.
        let mut applied = cluster.clone();
        documents.iter().for_each(|document| applied.apply(&document.object));
        let after = evaluated(&applied.objects());
        assert_held(&before, &after);
        let seen = inventory(&cluster.objects());
        let parameters = Parameters::default();
        let simulated = evaluate(&simulate(&View::new(&seen, &parameters), &documents), &parameters).unwrap();
        for item in simulated.iter().filter(|item| ITEMS.contains(&item.result.id())) {
            let real = &after[&item.result.id()].result;
            let left = |result: &rampart_shared::ItemResult| {
                result.application_findings().map(|finding| finding.fingerprint.clone()).collect::<Vec<_>>()
            };
            prop_assert!(left(&item.result).iter().all(|found| left(real).contains(found)), "{:?}", item.result);
        }

        let again = exported(&after, &ITEMS);
        let mut twice = applied.clone();
        again.iter().for_each(|document| twice.apply(&document.object));
        prop_assert_eq!(twice.specs(), applied.specs());
        for item in after.values().filter(|item| item.result.outcome() == Outcome::Pass) {
            prop_assert!(item.remediation.documents.is_empty(), "{:?}", item.remediation.documents);
        }

        for document in &documents {
            match &document.undo {
                Some(undo) => applied.apply(undo),
                None => {
                    prop_assert_eq!(document.target, RemediationTarget::NewObject);
                    applied.delete(&document.object);
                }
            }
        }
        prop_assert_eq!(without_literals(applied.specs()), without_literals(cluster.specs()));
    }

    #[test]
    fn one_export_after_the_other_takes_nothing_back(
        cluster in cluster(),
        order in Just(ITEMS.to_vec()).prop_shuffle(),
    ) {
        let first = evaluated(&cluster.objects());
        let mut applied = cluster.clone();
        for id in &order {
            let now = evaluated(&applied.objects());
            for document in exported(&now, &[*id]) {
                applied.apply(&document.object);
            }
        }
        assert_held(&first, &evaluated(&applied.objects()));
    }
}

/// Specs as they are but for credentials, which nothing puts back.
fn without_literals(mut specs: Vec<Value>) -> Vec<Value> {
    fn clean(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|_, field| *field != PASSWORD && *field != OTHER_PASSWORD);
                fields.values_mut().for_each(clean);
            }
            Value::Array(list) => list.iter_mut().for_each(clean),
            _ => {}
        }
    }
    specs.iter_mut().for_each(clean);
    specs
}

fn deployment(name: &str, managed_fields: &Value, container: &Value) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": { "name": name, "namespace": "shop", "managedFields": managed_fields },
        "spec": { "template": { "spec": { "automountServiceAccountToken": false, "containers": [container] } } } })
}

#[test]
fn who_owns_a_field_that_changes_is_named() {
    let fields = json!({ "f:spec": { "f:template": { "f:spec": { "f:containers": { "k:{\"name\":\"web\"}": {
        "f:securityContext": { "f:runAsNonRoot": {}, "f:readOnlyRootFilesystem": {} },
        "f:env": { "k:{\"name\":\"DB_PASSWORD\"}": { ".": {}, "f:name": {}, "f:value": {} } } } } } } } });
    let managed = json!([
        { "manager": "helm", "operation": "Update", "fieldsV1": fields },
        { "manager": "argocd-controller", "operation": "Apply", "fieldsV1": fields },
    ]);
    let container = json!({ "name": "web", "env": [{ "name": "DB_PASSWORD", "value": PASSWORD }],
        "securityContext": { "runAsNonRoot": false, "readOnlyRootFilesystem": true } });
    let documents = exported(&evaluated(&[deployment("cart", &managed, &container)]), &ITEMS);
    let path = |field: &str| format!("spec.template.spec.containers[name=web].{field}");
    let found = |items: &[ItemId]| -> Vec<(String, String)> {
        let items = exported(&evaluated(&[deployment("cart", &managed, &container)]), items);
        items
            .iter()
            .flat_map(|document| &document.conflicts)
            .map(|of| (of.path.clone(), of.manager.clone()))
            .collect()
    };
    for (item, field) in [
        (ItemId::NonRootContainers, "securityContext.runAsNonRoot"),
        (ItemId::NoSecretsInKubernetes, "env[name=DB_PASSWORD].value"),
    ] {
        let expected = [(path(field), "argocd-controller".to_owned()), (path(field), "helm".to_owned())];
        assert_eq!(found(&[item]), expected);
    }
    // Nobody set this one, so nobody minds.
    assert_eq!(found(&[ItemId::SeccompApparmor]), []);
    assert_eq!(documents.len(), 1);
}

#[test]
fn what_an_earlier_export_set_stays_in_the_next_and_undoing_that_keeps_it() {
    let container = json!({ "name": "web", "securityContext": { "runAsNonRoot": true } });
    let fields = json!({ "f:spec": { "f:template": { "f:spec": { "f:containers": { "k:{\"name\":\"web\"}": {
        "f:securityContext": { "f:runAsNonRoot": {} } } } } } } });
    for (manager, operation, carried) in [
        ("rampart-remediation", "Apply", true),
        ("rampart-remediation", "Update", false),
        ("helm", "Apply", false),
    ] {
        let managed = json!([{ "manager": manager, "operation": operation, "fieldsV1": fields }]);
        let items = evaluated(&[deployment("cart", &managed, &container)]);
        let document = &items[&ItemId::SeccompApparmor].remediation.documents[0];
        let at = "/spec/template/spec/containers/0/securityContext/runAsNonRoot";
        assert_eq!(document.object.pointer(at).is_some(), carried, "{manager}");
        assert_eq!(document.undo.as_ref().unwrap().pointer(at).is_some(), carried, "{manager}");
    }
}

#[test]
fn five_thousand_workloads_take_no_time() {
    let container =
        json!({ "name": "web", "image": "nginx", "env": [{ "name": "DB_PASSWORD", "value": PASSWORD }] });
    let objects: Vec<Value> = (0..5000)
        .map(|index| {
            let mut object = deployment(&format!("cart-{index}"), &json!([]), &container);
            object["spec"]["template"]["spec"]["automountServiceAccountToken"] = json!(true);
            object
        })
        .collect();
    let seen = inventory(&objects);
    let begun = Instant::now();
    let items = evaluate(&seen, &Parameters::default()).unwrap();
    let documents: usize = items
        .iter()
        .filter(|item| ITEMS.contains(&item.result.id()))
        .map(|item| item.remediation.documents.len())
        .sum();
    assert_eq!(documents, 25_000);
    // A scan of all workloads for each of them takes minutes where nothing is optimised.
    assert!(begun.elapsed().as_secs() < 60, "{:?}", begun.elapsed());
}
