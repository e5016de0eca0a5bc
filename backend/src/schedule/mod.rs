//! Evaluates every cluster when it is due, or when somebody asks for it.

mod cadence;
mod runs;

pub use cadence::{Cadence, DueTimes};

use crate::{
    clock::{Clock, uuid_at},
    collect::Step,
    evaluation::{Begun, Cluster, EvaluationError, evaluate},
    events::Events,
};
use chrono::{DateTime, Utc};
use futures::FutureExt;
use rampart_shared::api::{EvaluationAccepted, Event};
use rampart_store::{ClusterScope, History, Store, StoreError};
use runs::{Runs, Start};
use std::{collections::BTreeMap, num::NonZeroUsize, panic::AssertUnwindSafe, sync::Arc, time::Duration};
use tokio::sync::{Mutex, Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// The scheduler; clones are the same one.
#[derive(Clone)]
pub struct Scheduler {
    shared: Arc<Shared>,
}

struct Shared {
    clusters: BTreeMap<String, Arc<Cluster>>,
    runs: Runs,
    store: Store,
    clock: Arc<dyn Clock>,
    events: Events,
    /// How many evaluations may go on at once.
    permits: Semaphore,
    /// Held from recording a run to telling of it, so that readers of events see runs in their order.
    recording: Mutex<()>,
    /// The next due times have changed.
    changed: Notify,
    tasks: TaskTracker,
    /// Begin nothing more.
    stopping: CancellationToken,
    /// Drop what is going on.
    dropping: CancellationToken,
}

/// What the scheduler knows about a cluster.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Status {
    /// When it is evaluated next; none while it is, and when it is not scheduled.
    pub next_evaluation_at: Option<DateTime<Utc>>,
    /// The run that is going on.
    pub running: Option<Uuid>,
}

/// Why nothing is evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotEvaluate {
    /// It is not configured.
    #[error("there is no cluster `{0}` that could be evaluated")]
    UnknownCluster(String),
    /// Rampart ends.
    #[error("Rampart is stopping and begins no more evaluations")]
    Stopping,
}

/// How long dropping a run may take; dropping is quick, and then the process ends.
const DROPPING: Duration = Duration::from_secs(1);

impl Scheduler {
    /// Makes the clusters known to the history and finds out when each is due. Nothing runs yet.
    ///
    /// # Errors
    /// When the history cannot be read or written.
    pub async fn new(
        clusters: Vec<Cluster>,
        store: Store,
        clock: Arc<dyn Clock>,
        events: Events,
        concurrency: NonZeroUsize,
    ) -> Result<Scheduler, StoreError> {
        let now = clock.now();
        let registrations: Vec<_> = clusters.iter().map(|cluster| cluster.registration(now)).collect();
        store.configure_clusters(&registrations).await?;
        let runs = Runs::default();
        for cluster in &clusters {
            let last = store.last_completed_run(&ClusterScope::All, &cluster.name).await?;
            let first = cluster.due_times.first(last.map(|run| run.finished_at), now);
            runs.add(&cluster.name, first);
        }
        let clusters =
            clusters.into_iter().map(|cluster| (cluster.name.clone(), Arc::new(cluster))).collect();
        Ok(Scheduler {
            shared: Arc::new(Shared {
                clusters,
                runs,
                store,
                clock,
                events,
                permits: Semaphore::new(concurrency.get().min(Semaphore::MAX_PERMITS)),
                recording: Mutex::new(()),
                changed: Notify::new(),
                tasks: TaskTracker::new(),
                stopping: CancellationToken::new(),
                dropping: CancellationToken::new(),
            }),
        })
    }

    /// Evaluates clusters whenever they are due, until [`Scheduler::stop`].
    pub async fn run(&self) {
        let shared = &self.shared;
        loop {
            for name in shared.runs.due(shared.clock.now()) {
                // A cluster that is due is one that is known; while stopping there is nothing to begin.
                let _begun_or_stopping = self.evaluate(&name);
            }
            let wait = async {
                match shared.runs.next() {
                    Some(at) => shared.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = shared.stopping.cancelled() => return,
                () = shared.changed.notified() => {}
                () = wait => {}
            }
        }
    }

    /// Evaluates a cluster now. If it is being evaluated already, that run is joined.
    ///
    /// # Errors
    /// When there is no such cluster, or Rampart is stopping.
    pub fn evaluate(&self, cluster: &str) -> Result<EvaluationAccepted, CannotEvaluate> {
        let shared = &self.shared;
        let Some(cluster) = shared.clusters.get(cluster) else {
            return Err(CannotEvaluate::UnknownCluster(cluster.to_owned()));
        };
        if shared.stopping.is_cancelled() {
            return Err(CannotEvaluate::Stopping);
        }
        let at = shared.clock.now();
        let accepted = |run, joined| EvaluationAccepted { run, cluster: cluster.name.clone(), joined };
        match shared.runs.begin(&cluster.name, uuid_at(at)) {
            Start::Joined(run) => Ok(accepted(run, true)),
            Start::Begun(run) => {
                shared.events.publish(Event::RunStarted { run, cluster: cluster.name.clone() });
                let task = carry_out(self.clone(), Arc::clone(cluster), Begun { id: run, at });
                shared.tasks.spawn(task);
                Ok(accepted(run, false))
            }
        }
    }

    /// The names of all clusters that are evaluated, sorted.
    pub fn clusters(&self) -> impl Iterator<Item = &str> {
        self.shared.clusters.keys().map(String::as_str)
    }

    /// What is known about a cluster; nothing about one that is not evaluated.
    pub fn status(&self, cluster: &str) -> Status {
        self.shared.runs.status(cluster)
    }

    /// Begins nothing more, gives what is going on this long to end, then drops it. A run that is dropped
    /// leaves nothing in the history.
    pub async fn stop(&self, grace: Duration) {
        let shared = &self.shared;
        shared.stopping.cancel();
        shared.tasks.close();
        if tokio::time::timeout(grace, shared.tasks.wait()).await.is_err() {
            tracing::warn!("evaluations did not end in {}: dropped", humantime::format_duration(grace));
            shared.dropping.cancel();
            let _dropped_or_process_ends = tokio::time::timeout(DROPPING, shared.tasks.wait()).await;
        }
    }
}

/// One run from permit to event. Whatever happens to it, the cluster can be evaluated again afterwards.
async fn carry_out(scheduler: Scheduler, cluster: Arc<Cluster>, begun: Begun) {
    let shared = &scheduler.shared;
    // A panic is caught here, so that it ends this run alone.
    let run = AssertUnwindSafe(evaluate_and_record(shared, &cluster, begun)).catch_unwind();
    let ended = tokio::select! {
        result = run => result.unwrap_or(Err(EvaluationError::BrokeOff)),
        () = shared.dropping.cancelled() => return,
    };
    if let Err(error) = ended {
        tracing::error!(cluster = %cluster.name, run = %begun.id, "{error}");
        let detail = error.to_string();
        end(shared, &cluster, Event::RunFailed { run: begun.id, cluster: cluster.name.clone(), detail });
    }
}

async fn evaluate_and_record(
    shared: &Shared,
    cluster: &Cluster,
    begun: Begun,
) -> Result<(), EvaluationError> {
    let progress = |step: Step| {
        shared.events.publish(Event::RunProgress {
            run: begun.id,
            cluster: cluster.name.clone(),
            step: step.name,
            done: step.done,
            total: step.total,
        });
    };
    let permit = match shared.permits.try_acquire() {
        Ok(permit) => permit,
        Err(_) => {
            progress(Step { name: "waiting for other clusters".to_owned(), done: 0, total: 1 });
            // The semaphore is never closed.
            shared.permits.acquire().await.map_err(|_| EvaluationError::BrokeOff)?
        }
    };
    let begun = Begun { at: shared.clock.now(), ..begun };
    let record = evaluate(cluster, begun, shared.clock.as_ref(), &progress).await?;
    drop(permit);

    let _in_order = shared.recording.lock().await;
    let recorded = shared.store.record(&record).await?;
    tracing::info!(
        cluster = %cluster.name,
        run = %begun.id,
        kind = ?recorded.run.kind,
        changes = recorded.changes.len(),
        detail = recorded.run.detail.as_deref().unwrap_or_default(),
        "evaluated"
    );
    end(shared, cluster, Event::RunFinished { run: recorded.run });
    Ok(())
}

/// Lets the cluster wait for its next time, then tells how the run ended: whoever reads it and asks finds the
/// cluster at rest.
fn end(shared: &Shared, cluster: &Cluster, event: Event) {
    shared.runs.end(&cluster.name, cluster.due_times.after(shared.clock.now()));
    shared.changed.notify_one();
    shared.events.publish(event);
}
