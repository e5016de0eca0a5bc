//! Fills a history through [`History::record`] and prints, a JSON object a line, what recording and reading cost
//! in relation to one another, so that the numbers hold on any machine.

#![allow(clippy::print_stdout, clippy::unwrap_used, clippy::expect_used, reason = "a benchmark")]

use chrono::{DateTime, TimeDelta, Utc};
use rampart_shared::{
    Basis, Evidence, Finding, Fingerprint, ItemId, ItemResult, Remediation, RestsOn, Scope, Source, Subject,
    Verdict,
};
use rampart_store::{
    ClusterRegistration, ClusterScope::All, EvaluatedItem, History, RunOutcome, RunRecord, Store, TrendQuery,
};
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
use std::{collections::BTreeMap, path::Path, time::Duration, time::Instant};
use uuid::Uuid;

const CLUSTERS: u32 = 10;
const DAYS: u32 = 90;
/// A cluster's open findings: 9 items with so many each.
const FINDINGS: u32 = 30;
/// So often a finding comes or goes in a cluster.
const HOURS_BETWEEN_CHANGES: u32 = 24;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(bench());
}

async fn bench() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rampart.db");
    let store = Store::open(&path).await.unwrap();
    let clusters: Vec<_> = (0..CLUSTERS).map(|number| cluster(&format!("cluster-{number:03}"))).collect();
    store.configure_clusters(&clusters).await.unwrap();

    let (mut first, mut unchanged, mut bytes_at_first) = (Vec::new(), Vec::new(), 0);
    for hour in 0..DAYS * 24 {
        for cluster in &clusters {
            let run = run(&cluster.name, hour);
            let start = Instant::now();
            let changed = store.record(&run).await.unwrap().run.changed;
            match (hour, changed) {
                (0, _) => first.push(start.elapsed()),
                (_, false) => unchanged.push(start.elapsed()),
                (_, true) => {}
            }
        }
        if hour == 0 {
            bytes_at_first = bytes(&path).await;
        }
    }
    let runs = u64::from(CLUSTERS * DAYS * 24);
    let (first, unchanged) = (median(first), median(unchanged));
    print("record", &[("first", first), ("unchanged", unchanged)], ratio(unchanged, first));

    let now = time(DAYS * 24 - 1);
    let fleet = TrendQuery { days: DAYS, cluster: None, item: None };
    let item = TrendQuery { item: Some(ItemId::NonRootContainers), ..fleet.clone() };
    let mut by = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
    let mut connection = SqliteConnectOptions::new().filename(&path).connect().await.unwrap();
    for _ in 0..9 {
        let start = Instant::now();
        assert_eq!(store.trend(&All, &fleet, now).await.unwrap().points.len(), DAYS as usize);
        by[0].push(start.elapsed());
        let start = Instant::now();
        store.trend(&All, &item, now).await.unwrap();
        by[1].push(start.elapsed());
        let start = Instant::now();
        // What the roll-up saves: the last run of each day, from the runs.
        let days: Vec<(i64, i64, i64)> = sqlx::query_as(
            "SELECT cluster, finished_at / 86400000 AS day, max(sequence) FROM run GROUP BY cluster, day",
        )
        .fetch_all(&mut connection)
        .await
        .unwrap();
        assert_eq!(days.len(), (CLUSTERS * DAYS) as usize);
        by[2].push(start.elapsed());
        let start = Instant::now();
        store.overview(&All, 30, now).await.unwrap();
        by[3].push(start.elapsed());
    }
    let [fleet, item, scan, overview] = by.map(median);
    print(
        "trend of 90 days",
        &[("fleet", fleet), ("item", item), ("scanningRuns", scan)],
        ratio(fleet, scan),
    );
    print("overview", &[("overview", overview)], ratio(overview, first));

    let bytes = bytes(&path).await;
    println!(
        "{}",
        serde_json::json!({
            "bench": "size", "runs": runs, "bytes": bytes,
            "bytesPerRun": (bytes - bytes_at_first) / (runs - u64::from(CLUSTERS)),
        })
    );
}

fn cluster(name: &str) -> ClusterRegistration {
    ClusterRegistration {
        name: name.into(),
        labels: BTreeMap::new(),
        source: Source::Live,
        interval: Duration::from_secs(3600),
        active: true,
    }
}

fn run(cluster: &str, hour: u32) -> RunRecord {
    // One finding of the first item comes and goes.
    let extra = u32::from(hour / HOURS_BETWEEN_CHANGES % 2 == 1);
    let items = ItemId::ALL
        .into_iter()
        .map(|item| failing(item, FINDINGS + if item == ItemId::ALL[0] { extra } else { 0 }))
        .collect();
    RunRecord {
        id: Uuid::from_u64_pair(u64::from(hour), cluster.bytes().fold(7, |hash, b| hash * 31 + u64::from(b))),
        cluster: cluster.into(),
        started_at: time(hour) - TimeDelta::seconds(3),
        finished_at: time(hour),
        identity: Some(cluster.into()),
        catalogue: "1".into(),
        parameters_digest: "defaults".into(),
        version: Some("v1.36.0".into()),
        distribution: None,
        details: serde_json::json!({ "read": { "pods": 1200, "nodes": 12 }, "took": "3.1 s" }),
        outcome: RunOutcome::Evaluated { items, gaps: Vec::new() },
    }
}

fn failing(item: ItemId, findings: u32) -> EvaluatedItem {
    let evidence = Evidence {
        unit: "container".into(),
        examined: findings + 40,
        violating: findings,
        findings: (0..findings).map(|number| finding(item, number)).collect(),
        ..Evidence::default()
    };
    let remediation = Remediation::new(
        item,
        "Sets a field of each workload.",
        "Containers that need it otherwise.",
        "Remove the field.",
    );
    EvaluatedItem {
        result: ItemResult::new(item, Verdict::Fail(Basis::Observed), evidence).unwrap(),
        remediation,
    }
}

fn finding(item: ItemId, number: u32) -> Finding {
    Finding {
        fingerprint: Fingerprint(format!("{item}-{number:032}")),
        content: "0123456789abcdef0123456789abcdef".into(),
        rule: "unset".into(),
        scope: Scope::Application,
        subject: Subject {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            namespace: Some(format!("team-{}", number % 12)),
            name: format!("service-{number}"),
        },
        path: "spec.template.spec.containers[name=app].securityContext.runAsNonRoot".into(),
        observed: "unset".into(),
        expected: "true".into(),
        note: None,
        rests_on: vec![RestsOn { kind: "pods".into(), object: None }],
    }
}

fn time(hour: u32) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_409_600, 0).unwrap() + TimeDelta::hours(i64::from(hour))
}

/// Pages in use, whether they are in the file yet or in the write-ahead log.
async fn bytes(path: &Path) -> u64 {
    let mut connection = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    let bytes: i64 =
        sqlx::query_scalar("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            .fetch_one(&mut connection)
            .await
            .unwrap();
    u64::try_from(bytes).unwrap()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ratio(part: Duration, whole: Duration) -> f64 {
    (part.as_secs_f64() / whole.as_secs_f64() * 1000.0).round() / 1000.0
}

fn print(bench: &str, times: &[(&str, Duration)], ratio: f64) {
    let micros: BTreeMap<_, _> = times.iter().map(|(name, time)| (*name, time.as_micros() as u64)).collect();
    println!("{}", serde_json::json!({ "bench": bench, "microseconds": micros, "ratio": ratio }));
}
