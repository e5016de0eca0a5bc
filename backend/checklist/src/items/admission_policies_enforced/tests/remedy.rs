//! What the remedy's policies say to requests, and what it gives where.

use super::*;
use crate::testing::admission::{SILENT, Stages, TOLD_THEN_REFUSED, create, owner, pod, update};
use rampart_shared::Remediation;
use serde_json::{Value, json};

fn remediation(inventory: &Inventory) -> Remediation {
    evaluated(ID, inventory, &Parameters::default()).remediation
}

fn kinds(remediation: &Remediation, stage: RemediationStage) -> Vec<String> {
    let objects = remediation.of_stage(stage).map(|document| &document.object);
    objects
        .map(|object| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]))
        })
        .collect()
}

fn hardened(name: &str) -> Value {
    json!({ "name": name, "image": "ghcr.io/acme/cart", "securityContext": {
        "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true } })
}

fn without(mut container: Value, field: &str) -> Value {
    container["securityContext"].as_object_mut().unwrap().remove(field);
    container
}

/// Containers that break one rule each, also by saying nothing.
fn bad() -> Vec<Value> {
    let mut privileged = hardened("bad");
    privileged["securityContext"]["privileged"] = json!(true);
    let mut escalating = hardened("bad");
    escalating["securityContext"]["allowPrivilegeEscalation"] = json!(true);
    let mut mutable = hardened("bad");
    mutable["securityContext"]["readOnlyRootFilesystem"] = json!(false);
    vec![
        privileged,
        escalating,
        mutable,
        without(hardened("bad"), "allowPrivilegeEscalation"),
        without(hardened("bad"), "readOnlyRootFilesystem"),
        json!({ "name": "bad", "image": "a" }),
    ]
}

#[test]
fn what_is_made_anew_is_held_against_the_rules_wherever_a_pod_spec_stands() {
    let stages = Stages::of(&remediation(&cluster("", "")));
    let specs = |container: &Value| {
        [
            json!({ "containers": [hardened("good"), container] }),
            json!({ "containers": [hardened("good")], "initContainers": [container] }),
        ]
    };
    let requests = |spec: &Value| {
        [
            ("Deployment", "apps/deployments"),
            ("StatefulSet", "apps/statefulsets"),
            ("DaemonSet", "apps/daemonsets"),
            ("ReplicaSet", "apps/replicasets"),
            ("ReplicationController", "replicationcontrollers"),
            ("Job", "batch/jobs"),
            ("CronJob", "batch/cronjobs"),
        ]
        .map(|(kind, resource)| create(resource, &owner(kind, spec)))
        .into_iter()
        .chain([create("pods", &pod(spec))])
        .collect::<Vec<_>>()
    };
    for container in bad() {
        for spec in specs(&container) {
            for request in requests(&spec) {
                assert_eq!(stages.answers(&request), TOLD_THEN_REFUSED, "{request:#?}");
            }
        }
    }
    for spec in specs(&hardened("also-good")) {
        for request in requests(&spec) {
            assert_eq!(stages.answers(&request), SILENT, "{request:#?}");
        }
    }
    // Windows knows neither field, and Linux nodes run no pod for Windows.
    let windows = json!({ "os": { "name": "windows" }, "containers": [{ "name": "a", "image": "a" }] });
    for request in requests(&windows) {
        assert_eq!(stages.answers(&request), SILENT, "{request:#?}");
    }
}

#[test]
fn what_is_older_than_the_policy_can_still_be_scaled_finished_and_debugged_well() {
    let stages = Stages::of(&remediation(&cluster("", "")));
    let bad = json!({ "name": "bad", "image": "a" });
    let old = pod(&json!({ "containers": [bad] }));
    let mut held = old.clone();
    held["metadata"]["finalizers"] = json!(["batch.kubernetes.io/job-tracking"]);
    assert_eq!(stages.answers(&update("pods", &old, &held)), SILENT);
    let mut debugged = old.clone();
    debugged["spec"]["ephemeralContainers"] = json!([bad]);
    let debug = |object: &Value, old: &Value| update("pods:ephemeralcontainers", object, old);
    assert_eq!(stages.answers(&debug(&debugged, &old)), TOLD_THEN_REFUSED);
    let mut twice = debugged.clone();
    twice["spec"]["ephemeralContainers"] = json!([bad, hardened("good")]);
    assert_eq!(stages.answers(&debug(&twice, &debugged)), SILENT);
    twice["spec"]["ephemeralContainers"] = json!([hardened("good"), { "name": "worse", "image": "a" }]);
    assert_eq!(stages.answers(&debug(&twice, &old)), TOLD_THEN_REFUSED);
    for (kind, resource) in [("Deployment", "apps/deployments"), ("CronJob", "batch/cronjobs")] {
        let old = owner(kind, &json!({ "containers": [bad] }));
        let mut scaled = old.clone();
        scaled["spec"]["replicas"] = json!(7);
        scaled["spec"]["suspend"] = json!(true);
        assert_eq!(stages.answers(&update(resource, &scaled, &old)), SILENT, "{kind}");
        let changed = owner(kind, &json!({ "containers": [bad, hardened("more")] }));
        assert_eq!(stages.answers(&update(resource, &changed, &old)), TOLD_THEN_REFUSED, "{kind}");
    }
}

#[test]
fn no_policy_holds_in_system_namespaces() {
    let stages = Stages::of(&remediation(&cluster("", "")));
    let mut request = create("pods", &pod(&json!({ "containers": [{ "name": "bad", "image": "a" }] })));
    assert_eq!(stages.answers(&request), TOLD_THEN_REFUSED);
    let namespace = request.namespace.as_mut().unwrap();
    namespace.name = "kube-system".to_owned();
    namespace.object =
        Some(json!({ "metadata": { "labels": { "kubernetes.io/metadata.name": "kube-system" } } }));
    assert_eq!(stages.answers(&request), SILENT);
}

#[test]
fn every_stage_is_a_whole_set_under_the_same_names() {
    let remediation = remediation(&cluster("", ""));
    let names = [
        "ValidatingAdmissionPolicy rampart-pod-hardening",
        "ValidatingAdmissionPolicyBinding rampart-pod-hardening",
        "ValidatingAdmissionPolicy rampart-pod-hardening-controllers",
        "ValidatingAdmissionPolicyBinding rampart-pod-hardening-controllers",
        "ValidatingAdmissionPolicy rampart-pod-hardening-cronjobs",
        "ValidatingAdmissionPolicyBinding rampart-pod-hardening-cronjobs",
        "Namespace shop",
    ];
    for stage in RemediationStage::ALL {
        assert_eq!(kinds(&remediation, stage), names, "{stage:?}");
    }
}

#[test]
fn defaults_are_for_api_servers_that_serve_them_and_no_stage_that_observes() {
    let mut seen = cluster("", "");
    for (version, serves) in [(None, false), (Some("v1.35.4"), false), (Some("v1.36.3"), true)] {
        seen.version = version.map(str::to_owned);
        let remediation = remediation(&seen);
        for stage in RemediationStage::ALL {
            let expected = serves && stage != RemediationStage::Observe;
            let kinds = kinds(&remediation, stage);
            for kind in ["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"] {
                let found = kinds.contains(&format!("{kind} rampart-pod-defaults"));
                assert_eq!(found, expected, "{version:?} {stage:?}");
            }
        }
        assert_eq!(assert_remedied(ID, &seen, &Parameters::default()), Outcome::Pass);
    }
}

#[test]
fn an_api_server_without_the_kind_leaves_it_to_a_person() {
    let mut seen = cluster("", "");
    seen.version = Some("v1.29.9".to_owned());
    let remediation = remediation(&seen);
    assert_eq!(kinds(&remediation, RemediationStage::Enforce), ["Namespace shop"]);
    assert_eq!(remediation.remaining[0].findings.len(), 9);
    assert_remedied(ID, &seen, &Parameters::default());
}

#[test]
fn where_kyverno_is_asked_it_is_one_of_its_policies() {
    let running = |webhook: &str| cluster("", webhook.trim_start_matches("---\n"));
    let seen = running(KYVERNO_WEBHOOK);
    let remediation = remediation(&seen);
    let mut actions = Vec::new();
    for stage in RemediationStage::ALL {
        assert_eq!(kinds(&remediation, stage), ["ClusterPolicy rampart-pod-hardening", "Namespace shop"]);
        let policy = &remediation.of_stage(stage).next().unwrap().object["spec"];
        let rules = policy["rules"].as_array().unwrap();
        assert_eq!(rules.len(), 3);
        assert_eq!(rules[0]["exclude"]["any"][0]["resources"]["namespaces"][2], "kube-system");
        actions.push((rules[0]["validate"]["failureAction"].clone(), policy["emitWarning"] == true));
    }
    assert_eq!(actions, [(json!("Audit"), false), (json!("Audit"), true), (json!("Enforce"), false)]);
    assert_eq!(assert_remedied(ID, &seen, &Parameters::default()), Outcome::Pass);
    for (from, to) in [
        ("ready: true", "ready: false"),
        ("pods, pods/ephemeralcontainers", "pods"),
        ("validate.kyverno", "vpol.validate.kyverno"),
    ] {
        let seen = running(&KYVERNO_WEBHOOK.replace(from, to));
        let kinds = kinds(&self::remediation(&seen), RemediationStage::Enforce);
        assert!(kinds[0].starts_with("ValidatingAdmissionPolicy "), "{to}: {kinds:?}");
        assert_eq!(assert_remedied(ID, &seen, &Parameters::default()), Outcome::Pass, "{to}");
    }
}

#[test]
fn a_sample_that_lets_unset_fields_pass_is_completed() {
    let sample = "object.spec.containers.all(c, !has(c.securityContext) || !has(c.securityContext.privileged) || \
                  c.securityContext.privileged == false)";
    let seen = cluster("", &policy("pods", sample, "Deny"));
    assert_eq!(assert_remedied(ID, &seen, &Parameters::default()), Outcome::Pass);
    // So is an earlier stage of the remedy itself.
    for stage in [RemediationStage::Observe, RemediationStage::Warn] {
        let seen = cluster("", &remedied_policies(stage));
        assert_eq!(admitted(&seen), set(&EVERYTHING));
        assert_eq!(assert_remedied(ID, &seen, &Parameters::default()), Outcome::Pass);
    }
}

#[test]
fn a_namespace_gets_the_strictest_level_that_none_of_its_pods_breaks_and_keeps_a_stricter_one() {
    let labels = |stage: RemediationStage, there: &str, spec: &str| {
        let mut yaml = format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, labels: {{{there}}}}}}}\n---\n"
        );
        yaml += &format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: cart, namespace: shop}}, spec: {{{spec}}}, status: {{phase: Running}}}}"
        );
        let remediation = remediation(&inventory(&yaml));
        let mut documents =
            remediation.of_stage(stage).filter(|document| document.object["kind"] == "Namespace");
        let document = documents.next().unwrap().clone();
        let text =
            |label: &str| document.object["metadata"]["labels"][label].as_str().unwrap_or("-").to_owned();
        let found = ["enforce", "warn", "audit"]
            .map(|mode| text(&format!("pod-security.kubernetes.io/{mode}")))
            .join(" ");
        (found, document.undo.unwrap()["metadata"]["labels"].clone())
    };
    let plain = "containers: [{name: a, image: a}]";
    let host = "hostPID: true, containers: [{name: a, image: a}]";
    let good = "securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}, containers: [{name: a, \
                securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}]";
    let of = |stage, there: &str, spec: &str| labels(stage, there, spec).0;
    use RemediationStage::{Enforce, Observe, Warn};
    assert_eq!(of(Observe, "", plain), "- - baseline");
    assert_eq!(of(Warn, "", plain), "- baseline baseline");
    assert_eq!(of(Enforce, "", plain), "baseline baseline baseline");
    assert_eq!(of(Enforce, "", good), "restricted restricted restricted");
    assert_eq!(of(Enforce, "", host), "- baseline baseline");
    let warned =
        "pod-security.kubernetes.io/warn: restricted, pod-security.kubernetes.io/enforce: privileged";
    let (found, undo) = labels(Enforce, warned, plain);
    assert_eq!(found, "baseline restricted baseline");
    let former = json!({ "pod-security.kubernetes.io/enforce": "privileged", "pod-security.kubernetes.io/warn": "restricted" });
    assert_eq!(undo, former);
    let table = &remediation(&cluster("", "")).tables[1].rows;
    assert_eq!(table[0][..2], ["shop", "baseline"]);
    assert!(table[0][2].starts_with("Pod cart: "), "{table:?}");
}

#[test]
fn whom_it_would_hit_is_told_beforehand() {
    let more = "apiVersion: apps/v1
kind: Deployment
metadata: {name: pay, namespace: shop}
spec:
  replicas: 0
  template:
    spec:
      initContainers: [{name: setup, securityContext: {privileged: true, readOnlyRootFilesystem: true}}]
      containers: [{name: pay, securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: good, namespace: shop}
spec: {template: {spec: {containers: [{name: a, securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true}}]}}}
";
    let table = &remediation(&cluster("", more)).tables[0];
    let rows: Vec<String> = table.rows.iter().map(|row| row.join(" | ")).collect();
    assert_eq!(
        rows,
        [
            "shop | Deployment pay | privileged: true (setup); allowPrivilegeEscalation is not false (setup)",
            "shop | Pod cart | allowPrivilegeEscalation is not false (cart); readOnlyRootFilesystem is not true (cart)",
        ]
    );
}

#[test]
fn where_the_cluster_itself_runs_nothing_is_enforced() {
    let parameters = Parameters { include_system_namespaces: true, ..Parameters::default() };
    let seen = cluster("", "");
    let remediation = evaluated(ID, &seen, &parameters).remediation;
    assert_eq!(remediation.remaining[0].findings.len(), 9);
    assert!(!kinds(&remediation, RemediationStage::Enforce).contains(&"Namespace kube-system".to_owned()));
    assert_remedied(ID, &seen, &parameters);
}
