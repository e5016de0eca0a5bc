//! Which images get which names, what stays to be done, and what the policies say to requests.

use super::*;
use crate::testing::admission::{SILENT, Stages, TOLD_THEN_REFUSED, create, owner, update};
use rampart_shared::{Remediation, RemediationDocument, RemediationStage, RemediationTarget};
use serde_json::{Value, json};

const MIRROR: &str = "trusted-registry-mirror";

fn remediation(yaml: &str, allow: &[&str]) -> Remediation {
    let inventory = inventory(yaml);
    assert_remedied(ID, &inventory, &trusting(allow));
    evaluated(ID, &inventory, &trusting(allow)).remediation
}

fn deployment(spec: &str) -> String {
    format!(
        "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: cart, namespace: shop}}, spec: {{template: {{spec: {{{spec}}}}}}}}}"
    )
}

/// The only configuration of a workload.
fn configuration(remediation: &Remediation) -> &RemediationDocument {
    let mut documents =
        remediation.documents.iter().filter(|document| document.target == RemediationTarget::Apply);
    let document = documents.next().unwrap();
    assert!(documents.next().is_none() && document.stage == RemediationStage::Enforce);
    document
}

#[test]
fn the_same_image_is_named_in_the_registry_that_a_person_chooses() {
    let digest = format!("sha256:{}", "1f".repeat(32));
    let spec = format!(
        "initContainers: [{{name: init, image: nginx}}, {{name: fine, image: ghcr.io/acme/a}}], \
         containers: [{{name: web, image: 'quay.io/other/shop:1@{digest}'}}], \
         volumes: [{{name: files, image: {{reference: 'localhost:5000/files:2'}}}}]"
    );
    let remediation = remediation(&deployment(&spec), &["ghcr.io/acme", "quay.io/acme"]);
    let document = configuration(&remediation);
    let lists = json!({
        "containers": [{ "name": "web", "image": format!("quay.io/other/shop:1@{digest}") }],
        "initContainers": [{ "name": "init", "image": "nginx" }],
        "volumes": [{ "name": "files", "image": { "reference": "localhost:5000/files:2" } }],
    });
    // Until somebody chooses, applying it changes nothing; undoing it gives the former images back.
    assert_eq!(document.object["spec"]["template"]["spec"], lists);
    assert_eq!(document.undo.as_ref().unwrap()["spec"]["template"]["spec"], lists);
    let [input] = &remediation.inputs[..] else { panic!() };
    assert_eq!(
        (input.name.as_str(), input.example.as_str(), &input.default),
        (MIRROR, "ghcr.io/acme", &None)
    );
    let chosen = crate::remedy::chosen(document, &remediation.inputs, |_| Some("mirror:5000/all".to_owned()));
    let spec = &chosen.unwrap()["spec"]["template"]["spec"];
    assert_eq!(spec["initContainers"][0]["image"], "mirror:5000/all/library/nginx");
    assert_eq!(spec["containers"][0]["image"], format!("mirror:5000/all/other/shop:1@{digest}"));
    assert_eq!(spec["volumes"][0]["image"]["reference"], "mirror:5000/all/files:2");
    assert!(crate::remedy::chosen(document, &remediation.inputs, |_| None).is_none());
    assert!(remediation.remaining.is_empty());
}

#[test]
fn running_pods_get_the_images_of_their_template_whatever_makes_them() {
    let spec = EVERYWHERE.replace("IMAGE", "quay.io/acme/shop:1");
    for (kind, api_version, before) in [
        ("Deployment", "apps/v1", "template: {spec: "),
        ("StatefulSet", "apps/v1", "template: {spec: "),
        ("DaemonSet", "apps/v1", "template: {spec: "),
        ("ReplicaSet", "apps/v1", "template: {spec: "),
        ("CronJob", "batch/v1", "jobTemplate: {spec: {template: {spec: "),
    ] {
        let after = "}".repeat(before.matches('{').count());
        let owner = format!(
            "{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: cart, namespace: shop}}, spec: {{{before}{{{spec}}}{after}}}}}"
        );
        let reference = format!(
            "ownerReferences: [{{apiVersion: {api_version}, kind: {kind}, name: cart, controller: true}}]"
        );
        let mut yaml = owner.clone();
        if matches!(kind, "StatefulSet" | "DaemonSet" | "ReplicaSet") {
            yaml += &format!(
                "\n---\n{}",
                pod(&spec).replace(
                    "name: cart, namespace: shop",
                    &format!("name: cart-1, namespace: shop, {reference}")
                )
            );
        }
        for allow in ["ghcr.io", "docker.io/library", "*.example.com", "[fd00::7]:5000"] {
            let inventory = inventory(&yaml);
            let after = assert_remedied(ID, &inventory, &trusting(&[allow]));
            // An ephemeral container goes with its pod, and the roll-out replaces the pod.
            // Nobody replaces the pods of a ReplicaSet, and the remedy says so.
            let expected = if kind == "ReplicaSet" { Outcome::Fail } else { Outcome::Pass };
            assert_eq!(after, expected, "{kind} {allow}");
        }
    }
}

#[test]
fn a_name_without_registry_gets_the_one_that_it_stands_for() {
    let yaml = format!(
        "{}\n---\n{}",
        node("cri-o://1.34.1"),
        deployment("containers: [{name: web, image: 'nginx:1'}]")
    );
    for allow in [&["docker.io"][..], &[]] {
        let remediation = remediation(&yaml, allow);
        let document = configuration(&remediation);
        let image = &document.object["spec"]["template"]["spec"]["containers"][0]["image"];
        assert_eq!((image, document.choices.len()), (&json!("docker.io/library/nginx:1"), 0));
        assert!(remediation.inputs.is_empty());
    }
    assert_eq!(configuration(&remediation(&yaml, &["ghcr.io"])).choices.len(), 1);
}

#[test]
fn what_no_document_can_change_is_a_task() {
    let owned = |owner: &str, spec: &str| {
        pod(spec).replace(
            "name: cart,",
            &format!("name: cart, ownerReferences: [{{{owner}, name: cart, controller: true}}],"),
        )
    };
    let web = "containers: [{name: web, image: quay.io/x/y}]";
    let job = "{apiVersion: batch/v1, kind: Job, metadata: {name: cart, namespace: shop}, spec: {template: {spec: {containers: [{name: web, image: quay.io/x/y}]}}}}";
    let set = |spec: &str| deployment(spec).replace("Deployment", "StatefulSet");
    let of_set = |spec: &str| owned("apiVersion: apps/v1, kind: StatefulSet", spec);
    let injected = "containers: [{name: web, image: ghcr.io/a/b}, {name: proxy, image: quay.io/x/y}]";
    let mutated = "containers: [{name: web, image: quay.io/x/y}]";
    let fine = "containers: [{name: web, image: ghcr.io/a/b}]";
    let debug = "containers: [{name: web, image: ghcr.io/a/b}], ephemeralContainers: [{name: debug, image: quay.io/x/y}]";
    for (yaml, words) in [
        (pod(web), "pod without a controller"),
        (job.to_owned(), "template of a Job"),
        (owned("apiVersion: example.com/v1, kind: Game", web), "Another controller"),
        (format!("{}\n---\n{}", set(fine), of_set(injected)), "on their way"),
        (format!("{}\n---\n{}", set(fine), of_set(mutated)), "on their way"),
        (format!("{}\n---\n{}", set(fine), of_set(debug)), "ephemeral container"),
        (deployment("containers: [{name: web, image: 'ghcr.io/A/b'}]"), "right name"),
    ] {
        let remediation = remediation(&yaml, &["ghcr.io"]);
        let [remainder] = &remediation.remaining[..] else { panic!("{words}: {remediation:#?}") };
        assert!(remainder.task.contains(words), "{}", remainder.task);
        assert!(remediation.documents.iter().all(|document| document.target == RemediationTarget::NewObject));
    }
}

#[test]
fn without_a_list_the_remedy_says_what_to_write_into_the_settings() {
    let remediation = remediation(&deployment("containers: [{name: web, image: nginx}]"), &[]);
    assert!(remediation.documents.is_empty() && remediation.inputs.is_empty());
    let list = "[checklist.trusted-registries]\nallow = [\n  \"docker.io/library\",\n]";
    assert!(remediation.changes.ends_with(list), "{}", remediation.changes);
}

#[test]
fn every_stage_is_a_whole_set_of_policies_after_the_images() {
    let yaml = deployment("containers: [{name: web, image: quay.io/x/y}]");
    let remediation = remediation(&yaml, &["ghcr.io"]);
    let names =
        ["pods", "controllers", "cronjobs"].map(|suffix| format!("rampart-trusted-registries-{suffix}"));
    for (stage, actions) in
        RemediationStage::ALL.into_iter().zip([json!(["Audit"]), json!(["Audit", "Warn"]), json!(["Deny"])])
    {
        let objects: Vec<&Value> = remediation.of_stage(stage).map(|document| &document.object).collect();
        let images = usize::from(stage == RemediationStage::Enforce);
        assert_eq!(objects.len(), 6 + images);
        for (pair, name) in objects[images..].chunks(2).zip(&names) {
            assert_eq!([&pair[0]["metadata"]["name"], &pair[1]["spec"]["policyName"]], [name, name]);
            assert_eq!(pair[1]["spec"]["validationActions"], actions);
            let selector = &pair[1]["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"][0];
            assert_eq!(selector["values"], json!(["kube-node-lease", "kube-public", "kube-system"]));
        }
    }
    assert_eq!(remediation.tables[0].rows, [["shop", "Deployment cart", "quay.io/x/y"]]);
    let mut old = inventory(&yaml);
    old.version = Some("v1.29.1".to_owned());
    let remediation = evaluated(ID, &old, &trusting(&["ghcr.io"])).remediation;
    assert_eq!(remediation.documents.len(), 1, "the images alone");
}

#[test]
fn new_images_are_held_against_the_list_and_old_ones_left_alone() {
    let stages =
        Stages::of(&remediation(&deployment("containers: [{name: web, image: quay.io/x/y}]"), &["ghcr.io"]));
    let (good, bad) =
        (json!({ "name": "a", "image": "ghcr.io/x/y" }), json!({ "name": "b", "image": "quay.io/x/y" }));
    let volume = json!([{ "name": "v", "image": { "reference": "quay.io/x/y" } }]);
    for (spec, answers) in [
        (json!({ "containers": [good] }), SILENT),
        (json!({ "containers": [good, bad] }), TOLD_THEN_REFUSED),
        (json!({ "containers": [good], "initContainers": [bad] }), TOLD_THEN_REFUSED),
        (json!({ "containers": [good], "volumes": volume }), TOLD_THEN_REFUSED),
        (json!({ "containers": [good], "volumes": [{ "name": "v", "emptyDir": {} }] }), SILENT),
    ] {
        let pod = crate::testing::admission::pod(&spec);
        assert_eq!(stages.answers(&create("pods", &pod)), answers, "{spec}");
        for (kind, resource) in [
            ("Deployment", "apps/deployments"),
            ("ReplicationController", "replicationcontrollers"),
            ("Job", "batch/jobs"),
            ("CronJob", "batch/cronjobs"),
        ] {
            let made = owner(kind, &spec);
            assert_eq!(stages.answers(&create(resource, &made)), answers, "{kind} {spec}");
            let mut scaled = made.clone();
            scaled["spec"]["replicas"] = json!(7);
            assert_eq!(stages.answers(&update(resource, &scaled, &made)), SILENT, "{kind} {spec}");
            let before = owner(kind, &json!({ "containers": [good] }));
            assert_eq!(stages.answers(&update(resource, &made, &before)), answers, "{kind} {spec}");
        }
        let mut held = pod.clone();
        held["metadata"]["finalizers"] = json!(["example.com/hold"]);
        assert_eq!(stages.answers(&update("pods", &pod, &held)), SILENT, "{spec}");
        for (debugging, answers) in
            [(&good, SILENT), (&json!({ "name": "d", "image": "docker.io/x" }), TOLD_THEN_REFUSED)]
        {
            let mut debugged = pod.clone();
            debugged["spec"]["ephemeralContainers"] = json!([debugging]);
            assert_eq!(
                stages.answers(&update("pods:ephemeralcontainers", &debugged, &pod)),
                answers,
                "{spec}"
            );
        }
    }
}
