//! What must hold whatever a cluster is made of: no item may depend on what means nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

mod cluster;

use cluster::{Documents, evaluate_with, good, inventory, outcomes};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use rampart_checklist::Kind;
use rampart_shared::{Gap, GapReason, ItemId, Outcome};
use serde_json::{Value, json};

/// A container of the API's own form, good and bad in the fields that items read.
fn container(name: &'static str) -> impl Strategy<Value = Value> {
    let flag = || prop_oneof![Just(None), Just(Some(true)), Just(Some(false))];
    let user = prop_oneof![Just(None), Just(Some(0)), Just(Some(1000))];
    let seccomp =
        prop_oneof![Just(None), select(vec!["RuntimeDefault", "Localhost", "Unconfined"]).prop_map(Some)];
    let image = select(vec![
        "ghcr.io/acme/cart:1.0",
        "nginx",
        "evil.example/x@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    ]);
    let variable = prop_oneof![
        Just(json!({ "name": "MODE", "value": "fast" })),
        Just(json!({ "name": "DB_PASSWORD", "value": concat!("hunter", "2-Xk9") })),
        Just(json!({ "name": "KEY", "valueFrom": { "secretKeyRef": { "name": "shop-db", "key": "k" } } })),
    ];
    (flag(), flag(), flag(), user, seccomp, image, proptest::option::of(variable)).prop_map(
        move |(read_only, non_root, privileged, user, seccomp, image, variable)| {
            let mut context = json!({});
            let mut set = |field: &str, value: Option<Value>| {
                if let Some(value) = value {
                    context[field] = value;
                }
            };
            set("readOnlyRootFilesystem", read_only.map(Value::from));
            set("runAsNonRoot", non_root.map(Value::from));
            set("privileged", privileged.map(Value::from));
            set("runAsUser", user.map(Value::from));
            set("seccompProfile", seccomp.map(|kind| json!({ "type": kind })));
            json!({ "name": name, "image": image, "securityContext": context, "env": variable.into_iter().collect::<Vec<_>>() })
        },
    )
}

fn pod_spec() -> impl Strategy<Value = Value> {
    let account = prop_oneof![Just(None), Just(Some("cart"))];
    (
        container("web"),
        proptest::option::of(container("init")),
        proptest::option::of(container("debug")),
        any::<bool>(),
        account,
        proptest::option::of(any::<bool>()),
    )
        .prop_map(|(web, init, debug, host_network, account, automount)| {
            let mut spec = json!({ "containers": [web], "nodeName": "node-1" });
            if let Some(init) = init {
                spec["initContainers"] = json!([init]);
            }
            if let Some(debug) = debug {
                spec["ephemeralContainers"] = json!([debug]);
            }
            if host_network {
                spec["hostNetwork"] = json!(true);
            }
            if let Some(account) = account {
                spec["serviceAccountName"] = json!(account);
            }
            if let Some(automount) = automount {
                spec["automountServiceAccountToken"] = json!(automount);
            }
            spec
        })
}

fn pod(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "name": name, "namespace": "shop", "labels": { "app": "generated" } },
        "spec": spec,
        "status": {
            "phase": "Running",
            "podIPs": [{ "ip": "10.1.0.9" }],
            "ephemeralContainerStatuses": [{ "name": "debug", "state": { "running": {} } }],
        },
    })
}

/// The pod under a controller of this kind, with everything that lies between.
fn wrapped(kind: &str, spec: &Value) -> Vec<Value> {
    let mut template = spec.clone();
    // A template has neither a node nor ephemeral containers.
    let fields = template.as_object_mut().unwrap();
    fields.remove("nodeName");
    fields.remove("ephemeralContainers");
    let template = json!({ "metadata": { "labels": { "app": "generated" } }, "spec": template });
    let owner = |version: &str, kind: &str, name: &str| json!([{ "apiVersion": version, "kind": kind, "name": name, "controller": true }]);
    let object = |version: &str, kind: &str, name: &str, spec: Value| json!({ "apiVersion": version, "kind": kind, "metadata": { "name": name, "namespace": "shop" }, "spec": spec });
    let mut running = pod("generated-1", spec);
    let mut owned_by = |version: &str, kind: &str, name: &str| {
        running["metadata"]["ownerReferences"] = owner(version, kind, name)
    };
    let mut documents = match kind {
        "Deployment" => {
            owned_by("apps/v1", "ReplicaSet", "generated-a");
            let mut replica_set =
                object("apps/v1", "ReplicaSet", "generated-a", json!({ "template": template }));
            replica_set["metadata"]["ownerReferences"] = owner("apps/v1", "Deployment", "generated");
            vec![object("apps/v1", "Deployment", "generated", json!({ "template": template })), replica_set]
        }
        "CronJob" => {
            owned_by("batch/v1", "Job", "generated-1");
            let mut job = object("batch/v1", "Job", "generated-1", json!({ "template": template }));
            job["metadata"]["ownerReferences"] = owner("batch/v1", "CronJob", "generated");
            let spec = json!({ "jobTemplate": { "spec": { "template": template } } });
            vec![object("batch/v1", "CronJob", "generated", spec), job]
        }
        kind => {
            let version = if kind == "Job" { "batch/v1" } else { "apps/v1" };
            owned_by(version, kind, "generated");
            vec![object(version, kind, "generated", json!({ "template": template }))]
        }
    };
    documents.push(running);
    documents
}

/// A worse outcome is less.
fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Fail => 0,
        Outcome::Unknown => 1,
        Outcome::NotApplicable => 2,
        Outcome::Pass => 3,
    }
}

fn with(mut documents: Documents, more: impl IntoIterator<Item = Value>) -> Documents {
    documents.extend(more);
    documents
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn wrapping_a_pod_in_any_controller_keeps_every_outcome(
        spec in pod_spec(),
        kind in select(vec!["Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"]),
    ) {
        let bare = outcomes(&inventory(&with(good(), [pod("generated-1", &spec)])));
        let owned = outcomes(&inventory(&with(good(), wrapped(kind, &spec))));
        prop_assert_eq!(bare, owned, "{}", kind);
    }

    #[test]
    fn the_order_of_objects_does_not_matter(spec in pod_spec(), order in proptest::collection::vec(any::<Index>(), 64)) {
        let documents = with(good(), wrapped("Deployment", &spec));
        let mut shuffled = documents.clone();
        for (position, index) in order.iter().enumerate() {
            let length = shuffled.len();
            shuffled.swap(position % length, index.index(length));
        }
        prop_assert_eq!(evaluate_with(&inventory(&documents)), evaluate_with(&inventory(&shuffled)));
    }

    #[test]
    fn the_names_of_namespaces_do_not_matter(spec in pod_spec(), name in "[a-z]{3,12}") {
        prop_assume!(!["default", "kube", "openshift"].iter().any(|known| name.starts_with(known)));
        let documents = with(good(), [pod("generated-1", &spec)]);
        let renamed: Documents = documents.iter().map(|document| rename(document, "shop", &name)).collect();
        prop_assert_eq!(outcomes(&inventory(&documents)), outcomes(&inventory(&renamed)), "{}", name);
    }

    #[test]
    fn irrelevant_fields_do_not_matter(spec in pod_spec()) {
        let documents = with(good(), [pod("generated-1", &spec)]);
        let mut dressed = documents.clone();
        for document in &mut dressed {
            document["metadata"]["annotations"]["example.com/note"] = json!("kept in a drawer");
            document["metadata"]["managedFields"] = json!([{ "manager": "kubectl", "operation": "Apply" }]);
            document["metadata"]["generation"] = json!(3);
            if document["kind"] == "Pod" {
                document["spec"]["terminationGracePeriodSeconds"] = json!(30);
                document["spec"]["tolerations"] = json!([{ "operator": "Exists" }]);
                document["status"]["qosClass"] = json!("Burstable");
            }
        }
        prop_assert_eq!(evaluate_with(&inventory(&documents)), evaluate_with(&inventory(&dressed)));
    }

    #[test]
    fn an_unrelated_good_object_changes_no_outcome(spec in pod_spec(), unrelated in select(unrelated())) {
        let documents = with(good(), [pod("generated-1", &spec)]);
        let before = outcomes(&inventory(&documents));
        let after = outcomes(&inventory(&with(documents, [unrelated])));
        prop_assert_eq!(before, after);
    }

    #[test]
    fn a_pod_more_never_improves_anything(first in pod_spec(), second in pod_spec()) {
        let documents = with(good(), [pod("generated-1", &first)]);
        let before = outcomes(&inventory(&documents));
        let after = outcomes(&inventory(&with(documents, [pod("generated-2", &second)])));
        for (item, outcome) in after {
            prop_assert!(rank(outcome) <= rank(before[&item]), "{} was {:?} and is {:?}", item, before[&item], outcome);
        }
    }

    #[test]
    fn a_kind_that_was_refused_never_makes_anything_pass(spec in pod_spec(), kind in select(Kind::ALL.to_vec())) {
        let mut seen = inventory(&with(good(), [pod("generated-1", &spec)]));
        let before = outcomes(&seen);
        seen.refuse(kind, Gap::new(kind.name(), GapReason::Forbidden, "refused"));
        for (item, outcome) in outcomes(&seen) {
            // What was not seen may hide a violation, and may be all that there was to examine.
            prop_assert!(
                outcome != Outcome::Pass || before[&item] == Outcome::Pass || before[&item] == Outcome::Fail && hides(item, kind),
                "{} was {:?} without {:?}", item, before[&item], kind
            );
        }
    }
}

/// Whether a kind only shows violations of an item and is never needed for its pass.
fn hides(item: ItemId, kind: Kind) -> bool {
    let item = rampart_checklist::items::ITEMS.iter().find(|found| found.id == item).unwrap();
    !item.needs.iter().any(|need| need.kind == kind && need.role == rampart_checklist::Role::Required)
}

fn rename(value: &Value, from: &str, to: &str) -> Value {
    match value {
        Value::String(text) if text == from => Value::from(to),
        Value::Array(values) => values.iter().map(|value| rename(value, from, to)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), rename(value, from, to)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Good objects that have nothing to do with any violation.
fn unrelated() -> Vec<Value> {
    vec![
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "colours", "namespace": "shop" }, "data": { "sky": "blue" } }),
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "empty" } }),
        json!({ "apiVersion": "v1", "kind": "ServiceAccount", "metadata": { "name": "idle", "namespace": "shop" }, "automountServiceAccountToken": false }),
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "nobody", "namespace": "shop" }, "spec": { "selector": { "app": "nobody" }, "ports": [{ "port": 80 }] } }),
        json!({
            "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": { "name": "metrics", "namespace": "shop" },
            "spec": { "podSelector": { "matchLabels": { "app": "nobody" } }, "policyTypes": ["Ingress"], "ingress": [{ "from": [{ "podSelector": {} }], "ports": [{ "port": 9090 }] }] },
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": "reader", "namespace": "shop" },
            "rules": [{ "apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["colours"], "verbs": ["get"] }],
        }),
    ]
}
