use crate::support::{Answer, Server, request};
use axum::{
    body::Body,
    http::{Method, StatusCode, header},
};
use chrono::TimeDelta;

const ITEM: &str = "/api/v1/clusters/prod/items/read-only-root-filesystem/remediation";

/// What a page's form sends.
async fn export(server: &Server, form: &str) -> Answer {
    let mut request = request(Method::POST, "/api/v1/exports");
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
    headers.insert("sec-fetch-site", "same-origin".parse().unwrap());
    *request.body_mut() = Body::from(form.to_owned());
    server.send(request).await
}

#[tokio::test]
async fn what_is_shown_is_what_is_downloaded() {
    let server = Server::evaluated().await;
    let view = server.json(ITEM).await;
    assert_eq!((&view["item"], &view["stage"]), (&"read-only-root-filesystem".into(), &"enforce".into()));
    assert_eq!((&view["exports"], &view["verified"]), (&serde_json::json!([]), &serde_json::Value::Null));
    let yaml = view["yaml"].as_str().unwrap();
    assert!(yaml.contains("readOnlyRootFilesystem: true"), "{yaml}");
    let file = export(&server, "cluster=prod&item=read-only-root-filesystem&stage=enforce&format=yaml").await;
    assert_eq!((file.status, file.text()), (StatusCode::OK, yaml.to_owned()));
    assert_eq!(file.header("content-type"), "application/yaml");
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"prod-read-only-root-filesystem.yaml\""
    );
    let observed = server.json(&format!("{ITEM}?stage=observe")).await;
    assert_eq!(observed["stage"], "observe");
    assert!(!observed["yaml"].as_str().unwrap().contains("readOnlyRootFilesystem"), "{observed}");
    server.get(&format!("{ITEM}?stage=later")).await.problem(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn who_exports_is_in_the_history_and_so_is_the_run_that_saw_it_work() {
    let server = Server::evaluated().await;
    for by in ["", "&by=++Ada%0A+of+platform+"] {
        server.clock.advance(TimeDelta::minutes(1));
        let form = format!("cluster=prod&item=read-only-root-filesystem&format=kustomize{by}");
        assert_eq!(export(&server, &form).await.status, StatusCode::OK);
    }
    let view = server.json(ITEM).await;
    let by: Vec<_> = view["exports"].as_array().unwrap().iter().map(|export| &export["by"]).collect();
    assert_eq!(by, ["Ada of platform", "rampart"]);
    assert_eq!(view["exports"][0]["at"], "2026-11-23T10:02:00Z");
    assert_eq!(view["verified"], serde_json::Value::Null);
    let objects = server.folder.path().join("snapshot/objects.yaml");
    let fixed = std::fs::read_to_string(&objects).unwrap().replace(
        "image: registry.example.org/cart:1",
        "image: registry.example.org/cart:1\n          securityContext: { readOnlyRootFilesystem: true }",
    );
    std::fs::write(&objects, fixed).unwrap();
    server.clock.advance(TimeDelta::hours(1));
    server.evaluate("prod").await;
    let runs = server.json("/api/v1/runs").await;
    let view = server.json(ITEM).await;
    assert_eq!(view["verified"]["run"], runs["runs"][0]["id"]);
    let changes = server.json("/api/v1/changes?item=read-only-root-filesystem").await;
    let exported: Vec<_> = changes["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["kind"] == "remediation_exported")
        .map(|change| change["detail"].as_str().unwrap())
        .collect();
    assert_eq!(exported, ["by Ada of platform, enforce, kustomize", "by rampart, enforce, kustomize"]);
}

#[tokio::test]
async fn bundles_are_zips_and_the_same_each_time() {
    let server = Server::evaluated().await;
    for (form, name) in [
        ("format=kustomize", "prod.zip"),
        ("cluster=prod&format=component&item=default-deny", "prod-default-deny-component.zip"),
        ("format=undo&namespace=checkout", "prod-undo.zip"),
    ] {
        let file = export(&server, form).await;
        assert_eq!(file.status, StatusCode::OK, "{}", file.text());
        assert_eq!(file.header("content-type"), "application/zip");
        assert_eq!(file.header("content-disposition"), format!("attachment; filename=\"{name}\""));
        assert!(file.body.starts_with(b"PK\x03\x04"));
        assert_eq!(file.body, export(&server, form).await.body, "{form}");
    }
}

#[tokio::test]
async fn findings_pick_the_objects_that_they_are_about() {
    let server = Server::evaluated().await;
    let findings = server.json("/api/v1/clusters/prod/items/read-only-root-filesystem/findings").await;
    let fingerprint = findings["findings"][0]["finding"]["fingerprint"].as_str().unwrap();
    let form = format!("cluster=prod&item=read-only-root-filesystem&finding={fingerprint}");
    let file = export(&server, &form).await;
    assert!(file.text().contains("readOnlyRootFilesystem: true"), "{}", file.text());
    let without_cluster = export(&server, &format!("finding={fingerprint}")).await;
    assert!(without_cluster.problem(StatusCode::BAD_REQUEST).contains("exactly one"));
}

#[tokio::test]
async fn what_is_wrong_in_a_form_is_named() {
    let server = Server::evaluated().await;
    for (form, words) in [
        ("cluster=prodd", "no cluster `prodd`"),
        ("cluster=prod&item=etcd", "no item `etcd`"),
        ("stage=later", "stage `later`"),
        ("format=tar", "yaml, undo, kustomize or component"),
        ("choice.nothing=x", "`nothing`"),
        ("choice.nothing=%00", "control characters"),
        ("colour=red", "field `colour`"),
        ("cluster=prod&finding=x", "finding `x`"),
        ("namespace=nowhere&item=read-only-root-filesystem&stage=observe", "nothing to export"),
    ] {
        let detail = export(&server, form).await.problem(StatusCode::BAD_REQUEST);
        assert!(detail.contains(words), "{form}: {detail}");
    }
    let changes = server.json("/api/v1/changes").await;
    assert!(!changes.to_string().contains("remediation_exported"));
    let plain = server.post("/api/v1/exports").await;
    plain.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
