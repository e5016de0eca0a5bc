use crate::support::Server;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta};
use rampart::{
    collect::Collected,
    evaluation::{Begun, run_record},
};
use rampart_checklist::{Inventory, Kind, Parameters};
use rampart_shared::{Gap, GapReason, Source};
use uuid::Uuid;

#[tokio::test]
async fn the_trend_has_a_point_a_day() {
    let server = Server::evaluated().await;
    let trend = server.json("/api/v1/trend?days=7").await;
    let points = trend["points"].as_array().unwrap();
    assert_eq!(points.len(), 7, "{trend}");
    assert_eq!(points[6]["day"], "2026-11-23");
    assert!(points[6]["counts"]["fail"].as_u64().unwrap() > 0, "{trend}");
    let of_item = server.json("/api/v1/trend?days=1&cluster=prod&item=read-only-root-filesystem").await;
    assert_eq!(of_item["points"][0]["counts"]["fail"], 1);
    assert_eq!(of_item["points"][0]["violating"], 1);
    assert_eq!(server.json("/api/v1/trend").await["points"].as_array().unwrap().len(), 90);
}

#[tokio::test]
async fn runs_are_paged_newest_first() {
    let server = Server::evaluated().await;
    for _ in 0..2 {
        server.clock.advance(TimeDelta::minutes(1));
        server.evaluate("prod").await;
    }
    let page = server.json("/api/v1/runs?limit=2").await;
    let sequences = |page: &serde_json::Value| {
        page["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| run["sequence"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(sequences(&page), [3, 2]);
    let next = server.json(&format!("/api/v1/clusters/prod/runs?before={}", page["nextBefore"])).await;
    assert_eq!(sequences(&next), [1]);
    assert_eq!(next["nextBefore"], serde_json::Value::Null);
    assert_eq!(sequences(&server.json("/api/v1/runs?cluster=prod").await), [3, 2, 1]);
}

#[tokio::test]
async fn a_run_tells_what_it_read() {
    let server = Server::evaluated().await;
    let runs = server.json("/api/v1/runs").await;
    let id = runs["runs"][0]["id"].as_str().unwrap();
    let run = server.json(&format!("/api/v1/runs/{id}")).await;
    assert_eq!(run["cluster"], "prod");
    let kinds = run["reading"]["kinds"].as_array().unwrap();
    let namespaces = kinds.iter().find(|kind| kind["kind"] == "namespaces").unwrap();
    assert_eq!(namespaces["objects"], 2);
    let unknown = "01a209d6-d126-7ae9-bb09-5a41bd1ae7ff";
    let detail = server.get(&format!("/api/v1/runs/{unknown}")).await.problem(StatusCode::NOT_FOUND);
    assert_eq!(detail, format!("There is no run {unknown}. It may not have ended yet."));
    let detail = server.get("/api/v1/runs/latest").await.problem(StatusCode::BAD_REQUEST);
    assert!(detail.contains("UUID"), "{detail}");
}

#[tokio::test]
async fn a_cluster_tells_what_its_last_run_read() {
    let server = Server::evaluated().await;
    let reading = server.json("/api/v1/clusters/prod/reading").await;
    assert_eq!(reading["cluster"]["name"], "prod");
    let runs = server.json("/api/v1/runs").await;
    assert_eq!(reading["run"], runs["runs"][0]);
    let run = server.json(&format!("/api/v1/runs/{}", runs["runs"][0]["id"].as_str().unwrap())).await;
    for part in ["kinds", "notServed", "gaps", "problems"] {
        assert_eq!(reading[part], run["reading"][part], "{part}");
    }
    server.get("/api/v1/clusters/nothing/reading").await.problem(StatusCode::NOT_FOUND);
}

#[test]
fn what_a_run_could_not_read_says_what_would_close_the_gap() {
    let mut inventory = Inventory::empty(Source::Live);
    inventory.add_gap(Kind::Pods, Gap::new(Kind::Pods.name(), GapReason::Forbidden, "no"));
    let collected = Collected { inventory, kinds: vec![], not_served: vec![], problems: vec![] };
    let at = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
    let begun = Begun { id: Uuid::nil(), at };
    let record = run_record("prod", begun, at, collected, &Parameters::default()).unwrap();
    let gaps = record.details["gaps"].as_array().unwrap();
    let pods = gaps.iter().find(|gap| gap["kind"] == "pods").unwrap();
    assert_eq!(pods["rule"]["resources"][0], "pods");
    assert!(!pods["closedBy"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn a_finding_that_goes_away_is_a_change() {
    let server = Server::evaluated().await;
    let objects = server.folder.path().join("snapshot/objects.yaml");
    let fixed = std::fs::read_to_string(&objects).unwrap().replace(
        "image: registry.example.org/cart:1",
        "image: registry.example.org/cart:1\n          securityContext: { readOnlyRootFilesystem: true }",
    );
    std::fs::write(&objects, fixed).unwrap();
    server.clock.advance(TimeDelta::hours(1));
    server.evaluate("prod").await;
    let changes = server.json("/api/v1/changes?item=read-only-root-filesystem&cluster=prod").await;
    let kinds: Vec<_> =
        changes["changes"].as_array().unwrap().iter().map(|change| change["kind"].clone()).collect();
    assert!(kinds.contains(&"fixed".into()), "{changes}");
    assert!(kinds.contains(&"finding_resolved".into()), "{changes}");
    let findings = "/api/v1/clusters/prod/items/read-only-root-filesystem/findings?state=resolved";
    let finding = server.json(findings).await["findings"][0].clone();
    assert_eq!(finding["resolvedAt"], "2026-11-23T11:00:00Z");
    assert_eq!(server.json("/api/v1/changes?limit=1").await["changes"].as_array().unwrap().len(), 1);
}
