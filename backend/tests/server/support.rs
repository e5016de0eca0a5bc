//! A server over a history in a temporary folder, with a clock that stands still.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use chrono::{DateTime, TimeDelta, Utc};
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use rampart::{
    clock::Clock,
    collect::{Collected, Collector, SnapshotCollector, Step, Unreachable},
    evaluation::Cluster,
    events::Events,
    http::{self, AllowedHosts, App},
    schedule::{Cadence, DueTimes, Scheduler},
};
use rampart_checklist::{Inventory, Parameters};
use rampart_shared::{Source, api::Event};
use rampart_store::{Store, StoreError};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    num::NonZeroUsize,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

/// Where the server thinks it listens.
pub(crate) const HOST: &str = "127.0.0.1:8080";

/// When tests begin.
pub(crate) fn start() -> DateTime<Utc> {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

/// A clock that moves when it is told to.
pub(crate) struct ManualClock(watch::Sender<DateTime<Utc>>);

impl ManualClock {
    pub(crate) fn new() -> Arc<ManualClock> {
        Arc::new(ManualClock(watch::Sender::new(start())))
    }

    pub(crate) fn advance(&self, by: TimeDelta) {
        self.0.send_modify(|now| *now += by);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> DateTime<Utc> {
        *self.0.borrow()
    }

    fn sleep_until(&self, at: DateTime<Utc>) -> BoxFuture<'_, ()> {
        let mut now = self.0.subscribe();
        Box::pin(async move {
            now.wait_for(|now| *now >= at).await.unwrap();
        })
    }
}

/// A folder with a cluster: a namespace without default deny, and a Deployment with two containers, one of
/// which says nothing about its security.
pub(crate) fn write_snapshot(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("objects.yaml"), OBJECTS).unwrap();
}

const OBJECTS: &str = r"
apiVersion: v1
kind: Namespace
metadata: { name: kube-system, uid: 6f0d7a52-0000-4000-8000-000000000001 }
---
apiVersion: v1
kind: Namespace
metadata: { name: checkout, uid: 6f0d7a52-0000-4000-8000-000000000002 }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: cart, namespace: checkout, uid: 6f0d7a52-0000-4000-8000-000000000003 }
spec:
  replicas: 1
  selector: { matchLabels: { app: cart } }
  template:
    metadata: { labels: { app: cart } }
    spec:
      containers:
        - name: cart
          image: registry.example.org/cart:1
        - name: proxy
          image: registry.example.org/proxy:1
          securityContext:
            readOnlyRootFilesystem: true
            runAsNonRoot: true
            allowPrivilegeEscalation: false
            capabilities: { drop: [ALL] }
            seccompProfile: { type: RuntimeDefault }
";

pub(crate) fn hourly(name: &str) -> DueTimes {
    DueTimes::new(Cadence::Every(Duration::from_secs(3600)), name)
}

/// A cluster that this collector reads, hourly.
pub(crate) fn cluster(name: &str, collector: impl Collector) -> Cluster {
    Cluster {
        name: name.to_owned(),
        labels: BTreeMap::from([("environment".to_owned(), "test".to_owned())]),
        collector: Arc::new(collector),
        due_times: hourly(name),
        timeout: Duration::from_secs(30),
        parameters: Parameters::default(),
    }
}

/// Reads an empty cluster, once it is let through.
#[derive(Clone)]
pub(crate) struct GatedCollector {
    pub(crate) gate: Arc<Semaphore>,
    pub(crate) begun: Arc<AtomicUsize>,
}

impl GatedCollector {
    /// One that lets nobody through yet.
    pub(crate) fn closed() -> Self {
        GatedCollector { gate: Arc::new(Semaphore::new(0)), begun: Arc::default() }
    }

    /// One that lets everybody through.
    pub(crate) fn open() -> Self {
        let collector = Self::closed();
        collector.gate.add_permits(1000);
        collector
    }

    /// How many reads have begun.
    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

impl Collector for GatedCollector {
    fn source(&self) -> Source {
        Source::Live
    }

    fn collect<'a>(
        &'a self,
        _: DateTime<Utc>,
        _: &'a (dyn Fn(Step) + Send + Sync),
    ) -> BoxFuture<'a, Result<Collected, Unreachable>> {
        Box::pin(async {
            self.begun.fetch_add(1, Ordering::SeqCst);
            self.gate.acquire().await.unwrap().forget();
            Ok(Collected {
                inventory: Inventory::empty(Source::Live),
                kinds: Vec::new(),
                not_served: Vec::new(),
                problems: Vec::new(),
            })
        })
    }
}

/// A server with its parts at hand.
pub(crate) struct Server {
    pub(crate) folder: TempDir,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) events: Events,
    pub(crate) store: Store,
    pub(crate) scheduler: Scheduler,
    pub(crate) stop: CancellationToken,
    pub(crate) router: Router,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The detail of a problem of this status.
    pub(crate) fn problem(&self, status: StatusCode) -> String {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["type"], "about:blank");
        assert_eq!(problem["status"], status.as_u16());
        assert_eq!(problem["title"], status.canonical_reason().unwrap());
        problem["detail"].as_str().unwrap().to_owned()
    }
}

impl Server {
    /// A server of these clusters.
    pub(crate) async fn of(clusters: Vec<Cluster>) -> Server {
        Self::over(TempDir::new().unwrap(), ManualClock::new(), clusters).await
    }

    /// A server of these clusters over what is in the folder.
    pub(crate) async fn over(folder: TempDir, clock: Arc<ManualClock>, clusters: Vec<Cluster>) -> Server {
        let store = open(&folder.path().join("history.db")).await;
        let events = Events::default();
        let concurrency = NonZeroUsize::new(2).unwrap();
        let scheduler = Scheduler::new(clusters, store.clone(), clock.clone(), events.clone(), concurrency)
            .await
            .unwrap();
        let stop = CancellationToken::new();
        let app = App {
            store: store.clone(),
            scheduler: scheduler.clone(),
            clock: clock.clone(),
            events: events.clone(),
            allowed_hosts: Arc::new(AllowedHosts::new(
                HOST.parse().unwrap(),
                &["rampart.example.org".into()],
            )),
            dry_run_access: Arc::default(),
            account: "rampart".into(),
            advice: Some("Add a cluster.".into()),
            stop: stop.clone(),
        };
        Server { folder, clock, events, store, scheduler, stop, router: http::router(app) }
    }

    /// Ends the server; its folder and its clock are left for the next one.
    pub(crate) async fn end(self) -> (TempDir, Arc<ManualClock>) {
        self.scheduler.stop(Duration::from_secs(1)).await;
        self.store.close().await;
        (self.folder, self.clock)
    }

    /// A server of one cluster, `prod`, that has been evaluated once.
    pub(crate) async fn evaluated() -> Server {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("snapshot");
        write_snapshot(&path);
        let collector = SnapshotCollector { path, assume_complete: true };
        let server = Self::over(folder, ManualClock::new(), vec![cluster("prod", collector)]).await;
        server.evaluate("prod").await;
        server
    }

    /// Evaluates a cluster and waits for the end.
    pub(crate) async fn evaluate(&self, cluster: &str) -> Event {
        let mut events = self.events.subscribe();
        let run = self.scheduler.evaluate(cluster).unwrap().run;
        tokio::time::timeout(Duration::from_secs(10), async {
            loop {
                let event = events.recv().await.unwrap().event.clone();
                let ended = match &event {
                    Event::RunFinished { run } => run.id,
                    Event::RunFailed { run, .. } => *run,
                    _ => continue,
                };
                if ended == run {
                    return event;
                }
            }
        })
        .await
        .unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.send(request(Method::POST, path)).await
    }

    /// The JSON that a path answers.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        answer.json()
    }
}

/// Opens a history that a server which has just ended may still hold.
async fn open(path: &Path) -> Store {
    for _ in 0..200 {
        match Store::open(path).await {
            Err(StoreError::InUse { .. }) => tokio::time::sleep(Duration::from_millis(10)).await,
            opened => return opened.unwrap(),
        }
    }
    panic!("the history stays in use");
}

pub(crate) fn request(method: Method, path: &str) -> Request<Body> {
    Request::builder().method(method).uri(path).header(header::HOST, HOST).body(Body::empty()).unwrap()
}

/// Waits for something that happens elsewhere.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1000 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never came: {what}");
}
