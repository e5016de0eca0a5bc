use crate::support::{GatedCollector, Server, cluster, eventually};
use axum::http::StatusCode;

#[tokio::test]
async fn evaluate_now_begins_a_run_or_joins_it() {
    let collector = GatedCollector::closed();
    let server = Server::of(vec![cluster("prod", collector.clone())]).await;
    let first = server.post("/api/v1/clusters/prod/evaluate").await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    assert_eq!(first.json()["cluster"], "prod");
    assert_eq!(first.json()["joined"], false);
    let second = server.post("/api/v1/clusters/prod/evaluate").await.json();
    assert_eq!(second["joined"], true);
    assert_eq!(second["run"], first.json()["run"]);
    collector.gate.add_permits(1);
    eventually("the run is recorded", async || {
        server.json("/api/v1/runs").await["runs"].as_array().unwrap().len() == 1
    })
    .await;
    assert_eq!(server.json("/api/v1/runs").await["runs"][0]["id"], first.json()["run"]);
    assert_eq!(collector.begun(), 1);
}

#[tokio::test]
async fn evaluate_all_begins_one_run_a_cluster() {
    let clusters = vec![cluster("east", GatedCollector::closed()), cluster("west", GatedCollector::closed())];
    let server = Server::of(clusters).await;
    let answer = server.post("/api/v1/evaluate").await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let names: Vec<_> = answer.json().as_array().unwrap().iter().map(|run| run["cluster"].clone()).collect();
    assert_eq!(names, ["east", "west"]);
}

#[tokio::test]
async fn what_is_not_configured_cannot_be_evaluated() {
    let server = Server::of(Vec::new()).await;
    let detail = server.post("/api/v1/clusters/prod/evaluate").await.problem(StatusCode::NOT_FOUND);
    assert_eq!(detail, "There is no cluster `prod`. /api/v1/clusters lists them.");
}

#[tokio::test]
async fn nothing_begins_while_stopping() {
    let server = Server::of(vec![cluster("prod", GatedCollector::open())]).await;
    server.scheduler.stop(std::time::Duration::from_secs(1)).await;
    let detail = server.post("/api/v1/evaluate").await.problem(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(detail, "Rampart is stopping and begins no more evaluations.");
}
