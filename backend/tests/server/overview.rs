use crate::support::{GatedCollector, ManualClock, Server, cluster};
use chrono::TimeDelta;
use tempfile::TempDir;

#[tokio::test]
async fn the_checklist_has_every_item_in_order() {
    let server = Server::of(Vec::new()).await;
    let checklist = server.json("/api/v1/checklist").await;
    assert_eq!(checklist["catalogue"], rampart_checklist::CATALOGUE);
    let ids: Vec<_> =
        checklist["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids, rampart_shared::ItemId::ALL.map(rampart_shared::ItemId::as_str));
    for item in checklist["items"].as_array().unwrap() {
        assert!(item["why"].as_str().is_some_and(|why| why.len() > 20), "{item}");
    }
}

#[tokio::test]
async fn without_clusters_the_page_is_told_what_to_do() {
    let server = Server::of(Vec::new()).await;
    let overview = server.json("/api/v1/overview").await;
    assert_eq!(overview["clusters"], serde_json::json!([]));
    assert_eq!(overview["score"], serde_json::Value::Null);
    assert_eq!(overview["advice"], "Add a cluster.");
    assert_eq!(overview["now"], "2026-11-23T10:00:00Z");
}

#[tokio::test]
async fn a_cluster_stands_in_the_overview_with_its_outcomes() {
    let server = Server::evaluated().await;
    let overview = server.json("/api/v1/overview").await;
    assert_eq!(overview["advice"], serde_json::Value::Null);
    let prod = &overview["clusters"][0];
    assert_eq!(prod["name"], "prod");
    assert_eq!(prod["labels"]["environment"], "test");
    assert_eq!(prod["source"], "snapshot");
    assert_eq!(prod["freshness"], "current");
    assert_eq!(prod["running"], serde_json::Value::Null);
    assert!(prod["nextEvaluationAt"].as_str().unwrap() > "2026-11-23T10:00:00Z", "{prod}");
    let cell =
        |id: &str| prod["items"].as_array().unwrap().iter().find(|item| item["id"] == id).unwrap().clone();
    assert_eq!(cell("read-only-root-filesystem")["outcome"], "fail");
    assert_eq!(cell("read-only-root-filesystem")["findings"], 1);
    assert_eq!(server.json("/api/v1/clusters").await, overview["clusters"]);
}

#[tokio::test]
async fn a_stale_cluster_has_no_green_cell() {
    let server = Server::evaluated().await;
    server.clock.advance(TimeDelta::hours(4));
    let overview = server.json("/api/v1/overview").await;
    let prod = &overview["clusters"][0];
    assert_eq!(prod["freshness"], "stale");
    for item in prod["items"].as_array().unwrap() {
        assert!(matches!(item["outcome"].as_str().unwrap(), "unknown" | "not_applicable"), "{item}");
    }
    assert_eq!(prod["score"]["low"], 0.0);
}

#[tokio::test]
async fn a_running_evaluation_is_shown() {
    let collector = GatedCollector::closed();
    let server = Server::of(vec![cluster("prod", collector)]).await;
    let run = server.scheduler.evaluate("prod").unwrap().run;
    let overview = server.json("/api/v1/overview").await;
    assert_eq!(overview["clusters"][0]["running"], run.to_string());
    assert_eq!(overview["clusters"][0]["nextEvaluationAt"], serde_json::Value::Null);
    assert_eq!(overview["clusters"][0]["freshness"], "never_evaluated");
}

#[tokio::test]
async fn two_names_of_one_cluster_are_reported() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("snapshot");
    crate::support::write_snapshot(&path);
    let collector = rampart::collect::SnapshotCollector { path, assume_complete: true };
    let clusters = vec![cluster("east", collector.clone()), cluster("west", collector)];
    let server = Server::over(folder, ManualClock::new(), clusters).await;
    server.evaluate("east").await;
    server.evaluate("west").await;
    let advice = server.json("/api/v1/overview").await["advice"].clone();
    assert_eq!(advice, "east and west are one cluster: it counts more than once. Remove all but one name.");
}
