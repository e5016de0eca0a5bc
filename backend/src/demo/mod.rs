//! The demo: three invented clusters, and ninety days of their history.
//!
//! The clusters exist as snapshots that change in stages. Their history is made by the evaluation that every
//! cluster goes through, hourly, with the clock set back; [`History::record`] is the only way in, as always.

mod analytics;
mod objects;
mod payments;
mod snapshot;
mod storefront;
mod workload;

pub use snapshot::Snapshot;

use crate::clock::uuid_at;
use crate::collect::{Collected, SnapshotCollector, read_input};
use crate::evaluation::{Begun, Cluster, EvaluationError, run_record};
use crate::schedule::{Cadence, DueTimes};
use chrono::{DateTime, TimeDelta, Utc};
use rampart_checklist::Parameters;
use rampart_checklist::credentials::FingerprintKey;
use rampart_checklist::image_reference::Pattern;
use rampart_cluster::snapshot::{Content, Problem, SnapshotError, SnapshotInput};
use rampart_store::{History, RunRecord, Store, StoreError};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// How long the history goes back.
pub const HOURS: i64 = 90 * 24;

/// One of the invented clusters.
#[derive(Debug, Clone, Copy)]
pub struct DemoCluster {
    /// Its name.
    pub name: &'static str,
    /// Its labels.
    pub labels: &'static [(&'static str, &'static str)],
    /// Its parameters of the checklist.
    pub parameters: fn() -> Parameters,
    /// What it was like so many hours ago.
    pub at: fn(hours_ago: i64) -> Snapshot,
}

/// The three clusters.
pub const CLUSTERS: [DemoCluster; 3] = [payments::CLUSTER, storefront::CLUSTER, analytics::CLUSTER];

/// Why there is no demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The data folder cannot be written.
    #[error("cannot write {path}: {cause}. Choose another folder with --data-dir.", path = path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// A snapshot of the demo cannot be read; a defect.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A snapshot of the demo is malformed; a defect.
    #[error("a snapshot of the demo is malformed: {0}")]
    Malformed(Problem),
    /// The evaluation failed.
    #[error(transparent)]
    Evaluation(#[from] EvaluationError),
    /// The history cannot be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Opens the demo's history in this folder, making it first if it is not there, and names its clusters.
///
/// # Errors
/// When the folder cannot be written.
pub async fn prepare(
    folder: &Path,
    database: &str,
    now: DateTime<Utc>,
    key: &FingerprintKey,
) -> Result<(Store, Vec<Cluster>), DemoError> {
    let snapshots = folder.join("snapshots");
    let path = folder.join(database);
    if !path.exists() {
        // Half a history must never be taken for a whole one: it gets its name when it is done.
        let unfinished = folder.join(format!("unfinished-{database}"));
        remove(&unfinished)?;
        tracing::info!("making ninety days of history for the demo; this takes about a minute");
        let store = Store::open(&unfinished).await?;
        for cluster in CLUSTERS {
            replay(&store, &cluster, &snapshots, now, key, 1..=HOURS).await?;
        }
        store.close().await;
        std::fs::rename(&unfinished, &path)
            .map_err(|cause| DemoError::Unwritable { path: path.clone(), cause })?;
    }
    let store = Store::open(&path).await?;
    let mut clusters = Vec::new();
    for cluster in CLUSTERS {
        let path = snapshots.join(cluster.name);
        (cluster.at)(0).write(&path)?;
        clusters.push(cluster.configured(path, key));
    }
    Ok((store, clusters))
}

/// Evaluates a cluster as it was, for each of these hours before now, oldest first, and records it.
///
/// # Errors
/// When a snapshot cannot be written or read, or the history cannot be kept.
pub async fn replay(
    store: &Store,
    cluster: &DemoCluster,
    snapshots: &Path,
    now: DateTime<Utc>,
    key: &FingerprintKey,
    hours_ago: std::ops::RangeInclusive<i64>,
) -> Result<(), DemoError> {
    let path = snapshots.join(cluster.name);
    let configured = cluster.configured(path.clone(), key);
    store.upsert_cluster(&configured.registration(now)).await?;
    let input = SnapshotInput { name: cluster.name.to_owned(), content: Content::Folder(path.clone()) };
    let mut evaluated: Option<(Snapshot, RunRecord)> = None;
    for hours_ago in hours_ago.rev() {
        let snapshot = (cluster.at)(hours_ago);
        let at = now - TimeDelta::hours(hours_ago);
        let (id, finished_at) = (uuid_at(at), at + TimeDelta::seconds(2));
        let record = match evaluated {
            // Evaluating is a function of the snapshot and the parameters: the same gives the same.
            Some((same, record)) if same == snapshot => {
                RunRecord { id, started_at: at, finished_at, ..record }
            }
            _ => {
                snapshot.write(&path)?;
                let collected = collect(&input)?;
                let begun = Begun { id, at };
                run_record(cluster.name, begun, finished_at, collected, &configured.parameters)?
            }
        };
        store.record(&record).await?;
        evaluated = Some((snapshot, record));
    }
    Ok(())
}

fn collect(input: &SnapshotInput) -> Result<Collected, DemoError> {
    let (inventory, problems) = read_input(input, false)?;
    match problems.into_iter().next() {
        Some(problem) => Err(DemoError::Malformed(problem)),
        None => Ok(Collected { inventory, kinds: Vec::new(), not_served: Vec::new(), problems: Vec::new() }),
    }
}

/// The registries that a cluster trusts; every text of the demo is one, as a test checks.
fn registries(texts: &[&str]) -> Vec<Pattern> {
    texts.iter().filter_map(|text| text.parse().ok()).collect()
}

impl DemoCluster {
    fn configured(&self, path: PathBuf, key: &FingerprintKey) -> Cluster {
        let labels: BTreeMap<String, String> =
            self.labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Cluster {
            name: self.name.to_owned(),
            labels,
            collector: Arc::new(SnapshotCollector { path, assume_complete: false }),
            due_times: DueTimes::new(Cadence::Every(Duration::from_secs(3600)), self.name),
            timeout: Duration::from_secs(60),
            parameters: Parameters { fingerprint_key: Some(key.clone()), ..(self.parameters)() },
        }
    }
}

/// Removes a database and what SQLite keeps beside it.
fn remove(path: &Path) -> Result<(), DemoError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        let file = PathBuf::from(file);
        match std::fs::remove_file(&file) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(DemoError::Unwritable { path: file, cause });
            }
            _ => {}
        }
    }
    Ok(())
}
