//! Remediations tried in dry runs: what is asked, and how each answer is told.

use crate::server::{Reply, Server};
use rampart_cluster::live::dry_run;
use rampart_shared::api::{DryRunAnswer, DryRunOutcome};
use serde_json::{Value, json};
use std::time::Duration;

fn served(resources: &[(&str, &str, bool)]) -> Reply {
    let resources: Vec<Value> = resources
        .iter()
        .map(|(name, kind, namespaced)| json!({ "name": name, "kind": kind, "namespaced": namespaced }))
        .collect();
    Reply::json(&json!({ "kind": "APIResourceList", "resources": resources }))
}

fn deployment(name: &str) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": "shop" } })
}

async fn ask(server: &Server, objects: &[Value]) -> Vec<DryRunAnswer> {
    let objects: Vec<&Value> = objects.iter().collect();
    dry_run(&server.connection().await, &objects, Duration::from_secs(10)).await
}

#[tokio::test]
async fn every_request_is_a_strict_dry_run() {
    let server = Server::start().await;
    server
        .on(
            "GET /apis/apps/v1",
            [served(&[("deployments/status", "Deployment", true), ("deployments", "Deployment", true)])],
        )
        .on("GET /api/v1", [served(&[("namespaces", "Namespace", false)])])
        .on("PATCH /apis/apps/v1/namespaces/shop/deployments/cart", [Reply::json(&json!({}))])
        .on(
            "PATCH /api/v1/namespaces/shop",
            [Reply::With(200, ("warning", "299 - \"pods \\\"a\\\" would be refused\""), "{}".to_owned())],
        );
    let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop" } });
    let answers = ask(&server, &[deployment("cart"), namespace]).await;
    assert!(answers.iter().all(|answer| answer.outcome == DryRunOutcome::Accepted), "{answers:?}");
    assert_eq!(answers[0].object, "Deployment shop/cart");
    assert_eq!(answers[1].warnings, ["pods \"a\" would be refused"]);
    let patches: Vec<String> =
        server.asked().into_iter().filter(|asked| asked.starts_with("PATCH ")).collect();
    assert_eq!(patches.len(), 2);
    for patch in patches {
        assert!(
            patch
                .ends_with("?dryRun=All&fieldManager=rampart-remediation&fieldValidation=Strict&force=false"),
            "{patch}"
        );
    }
}

#[tokio::test]
async fn conflicts_refusals_and_silence_are_told_apart() {
    let server = Server::start().await;
    let path = |name: &str, force: bool| {
        format!(
            "PATCH /apis/apps/v1/namespaces/shop/deployments/{name}?dryRun=All&fieldManager=rampart-remediation&fieldValidation=Strict&force={force}"
        )
    };
    let conflict = "Apply failed with 1 conflict: conflict with \"kubectl-client-side-apply\"";
    server
        .on("GET /apis/apps/v1", [served(&[("deployments", "Deployment", true)])])
        .on(&path("taken", false), [Reply::status(409, conflict)])
        .on(&path("taken", true), [Reply::json(&json!({}))])
        .on(&path("wrong", false), [Reply::status(422, "spec.x: unknown field")])
        .on(&path("forbidden", false), [Reply::status(403, "User cannot patch")])
        .on(&path("broken", false), [Reply::status(500, "etcd is gone")]);
    let unknown = json!({ "apiVersion": "example.org/v1", "kind": "Widget", "metadata": { "name": "w" } });
    let hostile = deployment("../../../../api/v1/namespaces/shop");
    let answers = ask(
        &server,
        &[
            deployment("taken"),
            deployment("wrong"),
            deployment("forbidden"),
            deployment("broken"),
            unknown,
            hostile,
        ],
    )
    .await;
    let told: Vec<(DryRunOutcome, Option<&str>)> =
        answers.iter().map(|answer| (answer.outcome, answer.words.as_deref())).collect();
    assert_eq!(answers[0].conflict.as_deref(), Some(conflict));
    assert_eq!(
        told,
        [
            (DryRunOutcome::Accepted, None),
            (DryRunOutcome::Refused, Some("spec.x: unknown field")),
            (DryRunOutcome::Refused, Some("User cannot patch")),
            (DryRunOutcome::Unanswered, Some("the API server answered 500: etcd is gone")),
            (DryRunOutcome::Refused, Some("The cluster does not serve example.org/v1.")),
            (DryRunOutcome::Refused, Some("`../../../../api/v1/namespaces/shop` cannot be a name.")),
        ]
    );
}
