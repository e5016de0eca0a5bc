use crate::support::{GatedCollector, Server, cluster, eventually, start};
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use rampart::{
    collect::{Collected, Collector, Step, Unreachable},
    schedule::Status,
};
use rampart_shared::{
    Source,
    api::{Event, RunKind},
};
use rampart_store::{ClusterScope, History};
use std::time::Duration;

const ALL: ClusterScope = ClusterScope::All;

/// Lets the scheduler run beside the test.
fn run(server: &Server) {
    let scheduler = server.scheduler.clone();
    tokio::spawn(async move { scheduler.run().await });
}

async fn recorded(server: &Server) -> usize {
    server.store.runs(&ALL, None, 100, None).await.unwrap().runs.len()
}

async fn at_rest(server: &Server, runs: usize) {
    eventually("the runs are recorded", async || recorded(server).await == runs).await;
    eventually("nothing runs", async || server.scheduler.status("prod").running.is_none()).await;
}

/// Moves the clock through a time span, so that every due time in it comes.
async fn pass(server: &Server, span: TimeDelta) {
    let steps = 60;
    for _ in 0..steps {
        server.clock.advance(span / steps);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_new_cluster_is_evaluated_at_once_and_then_once_an_interval() {
    let collector = GatedCollector::open();
    let server = Server::of(vec![cluster("prod", collector.clone())]).await;
    run(&server);
    at_rest(&server, 1).await;
    let next = server.scheduler.status("prod").next_evaluation_at.unwrap();
    assert!(next > start() && next <= start() + TimeDelta::minutes(66), "{next}");
    server.clock.advance(next - start() - TimeDelta::seconds(1));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(collector.begun(), 1);
    server.clock.advance(TimeDelta::seconds(1));
    at_rest(&server, 2).await;
    assert_eq!(server.scheduler.status("prod").next_evaluation_at, Some(next + TimeDelta::hours(1)));
}

#[tokio::test]
async fn after_a_stop_there_is_one_catch_up_run_and_no_repetition() {
    let collector = GatedCollector::open();
    let server = Server::of(vec![cluster("prod", collector.clone())]).await;
    run(&server);
    at_rest(&server, 1).await;
    let due = server.scheduler.status("prod").next_evaluation_at;

    // Started again before anything was due: nothing is repeated.
    let server = again(server, collector.clone()).await;
    run(&server);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(collector.begun(), 1);
    assert_eq!(server.scheduler.status("prod").next_evaluation_at, due);

    // Started again after five due times were missed: one run makes up for all.
    server.scheduler.stop(Duration::from_secs(1)).await;
    server.clock.advance(TimeDelta::minutes(5 * 60 + 30));
    let server = again(server, collector.clone()).await;
    run(&server);
    at_rest(&server, 2).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(collector.begun(), 2);
}

/// The same history and clock under a new scheduler.
async fn again(server: Server, collector: GatedCollector) -> Server {
    let (folder, clock) = server.end().await;
    Server::over(folder, clock, vec![cluster("prod", collector)]).await
}

#[tokio::test]
async fn a_run_that_outlasts_its_interval_is_not_joined_by_a_second_one() {
    let collector = GatedCollector::closed();
    let server = Server::of(vec![cluster("prod", collector.clone())]).await;
    run(&server);
    eventually("the run begins", async || collector.begun() == 1).await;
    pass(&server, TimeDelta::hours(3)).await;
    assert_eq!(collector.begun(), 1);
    collector.gate.add_permits(1);
    at_rest(&server, 1).await;
    let next = server.scheduler.status("prod").next_evaluation_at.unwrap();
    assert!(next > start() + TimeDelta::hours(3), "{next}");
}

#[tokio::test]
async fn no_more_clusters_are_read_at_once_than_allowed() {
    let collector = GatedCollector::closed();
    let names = ["a", "b", "c", "d", "e"];
    let server = Server::of(names.map(|name| cluster(name, collector.clone())).into()).await;
    let mut events = server.events.subscribe();
    run(&server);
    eventually("two begin", async || collector.begun() == 2).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(collector.begun(), 2);
    let mut waiting = 0;
    while let Ok(published) = events.try_recv() {
        waiting += usize::from(
            matches!(&published.event, Event::RunProgress { step, .. } if step == "waiting for other clusters"),
        );
    }
    assert_eq!(waiting, 3);
    collector.gate.add_permits(5);
    eventually("all are recorded", async || recorded(&server).await == 5).await;
}

struct Panics;

impl Collector for Panics {
    fn source(&self) -> Source {
        Source::Live
    }

    fn collect<'a>(
        &'a self,
        _: DateTime<Utc>,
        _: &'a (dyn Fn(Step) + Send + Sync),
    ) -> BoxFuture<'a, Result<Collected, Unreachable>> {
        Box::pin(async { panic!("a defect") })
    }
}

#[tokio::test]
async fn a_panic_ends_one_run_and_harms_no_other() {
    let server = Server::of(vec![cluster("bad", Panics), cluster("prod", GatedCollector::open())]).await;
    for _ in 0..2 {
        let Event::RunFailed { cluster, detail, .. } = server.evaluate("bad").await else {
            panic!("it ended well")
        };
        assert_eq!(cluster, "bad");
        assert_eq!(detail, "the evaluation broke off; the cause is in the log. Nothing was recorded.");
        assert_eq!(server.scheduler.status("bad").running, None);
    }
    assert!(matches!(server.evaluate("prod").await, Event::RunFinished { .. }));
    assert_eq!(recorded(&server).await, 1);
}

#[tokio::test]
async fn a_cluster_that_never_answers_is_unreachable() {
    let mut slow = cluster("prod", GatedCollector::closed());
    slow.timeout = Duration::from_millis(50);
    let server = Server::of(vec![slow]).await;
    let Event::RunFinished { run } = server.evaluate("prod").await else { panic!("it was not recorded") };
    assert_eq!(run.kind, RunKind::Unreachable);
    assert!(run.detail.unwrap().starts_with("Reading the cluster took longer than 50ms."));
}

#[tokio::test]
async fn stopping_waits_for_a_run_that_ends_in_time() {
    let collector = GatedCollector::closed();
    let server = Server::of(vec![cluster("prod", collector.clone())]).await;
    server.scheduler.evaluate("prod").unwrap();
    eventually("the run begins", async || collector.begun() == 1).await;
    let stopping = tokio::spawn({
        let scheduler = server.scheduler.clone();
        async move { scheduler.stop(Duration::from_secs(10)).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    collector.gate.add_permits(1);
    stopping.await.unwrap();
    assert_eq!(recorded(&server).await, 1);
}

#[tokio::test]
async fn stopping_drops_a_run_that_does_not_end_and_records_nothing_of_it() {
    let collector = GatedCollector::closed();
    let server = Server::of(vec![cluster("prod", collector.clone())]).await;
    server.scheduler.evaluate("prod").unwrap();
    eventually("the run begins", async || collector.begun() == 1).await;
    tokio::time::timeout(Duration::from_secs(5), server.scheduler.stop(Duration::from_millis(50)))
        .await
        .unwrap();
    assert_eq!(recorded(&server).await, 0);
}

#[tokio::test]
async fn clusters_that_are_not_configured_any_more_keep_their_history_and_are_not_evaluated() {
    let server = Server::of(vec![cluster("prod", GatedCollector::open())]).await;
    server.evaluate("prod").await;
    let (folder, clock) = server.end().await;
    let server = Server::over(folder, clock, Vec::new()).await;
    assert_eq!(server.scheduler.status("prod"), Status::default());
    assert_eq!(server.json("/api/v1/overview").await["clusters"], serde_json::json!([]));
    assert_eq!(server.json("/api/v1/clusters/prod/runs").await["runs"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn events_of_finished_runs_are_in_the_order_of_their_sequences() {
    let names: Vec<String> = (0..20).map(|number| format!("cluster-{number}")).collect();
    let clusters = names.iter().map(|name| cluster(name, GatedCollector::open())).collect();
    let server = Server::of(clusters).await;
    let mut events = server.events.subscribe();
    for name in &names {
        server.scheduler.evaluate(name).unwrap();
    }
    let mut sequences = Vec::new();
    while sequences.len() < names.len() {
        let published = tokio::time::timeout(Duration::from_secs(10), events.recv()).await.unwrap().unwrap();
        sequences.extend(published.sequence);
    }
    assert!(sequences.is_sorted(), "{sequences:?}");
}
