//! One run: read a cluster, evaluate the checklist.

use crate::{
    clock::Clock,
    collect::{Collected, Collector, Step, too_slow},
    schedule::DueTimes,
};
use chrono::{DateTime, Utc};
use rampart_checklist::{CATALOGUE, Inventory, Parameters, distribution::Distribution, needed_kinds, rbac};
use rampart_shared::{Gap, GapReason, InconsistentResult, ResourceName, api::KindReading};
use rampart_store::{ClusterRegistration, EvaluatedItem, RunOutcome, RunRecord, StoreError};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use utoipa::ToSchema;
use uuid::Uuid;

/// A cluster that is evaluated.
#[derive(Clone)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What reads it.
    pub collector: Arc<dyn Collector>,
    /// When it is due.
    pub due_times: DueTimes,
    /// How long reading it may take, whatever the collector thinks.
    pub timeout: Duration,
    /// Its parameters of the checklist.
    pub parameters: Parameters,
}

impl Cluster {
    /// The cluster as the history knows it.
    pub fn registration(&self, now: DateTime<Utc>) -> ClusterRegistration {
        ClusterRegistration {
            name: self.name.clone(),
            labels: self.labels.clone(),
            source: self.collector.source(),
            interval: self.due_times.longest_interval(now),
            active: true,
        }
    }
}

/// A run that has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Its identifier.
    pub id: Uuid,
    /// When it began.
    pub at: DateTime<Utc>,
}

/// What a run read and how long it took: the details that the history keeps of recent runs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunReading {
    /// How reading each kind went.
    #[serde(default)]
    pub kinds: Vec<KindReading>,
    /// The kinds that the cluster does not serve and need not serve.
    #[serde(default)]
    pub not_served: Vec<ResourceName>,
    /// What was not seen, with what would close it.
    #[serde(default)]
    pub gaps: Vec<Gap>,
    /// Documents that could not be understood; the first fifty.
    #[serde(default)]
    pub problems: Vec<String>,
    /// How long reading took.
    #[serde(default)]
    pub collect_milliseconds: u64,
}

/// Why a run is not in the history.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// An item contradicts itself; a defect.
    #[error("{0}. This is a defect of Rampart: nothing was recorded.")]
    Inconsistent(#[from] InconsistentResult),
    /// The history did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The details cannot be written as JSON; a defect.
    #[error("the details of the run cannot be kept: {0}")]
    Details(#[from] serde_json::Error),
    /// The evaluation panicked; a defect.
    #[error("the evaluation broke off; the cause is in the log. Nothing was recorded.")]
    BrokeOff,
}

const PROBLEMS_KEPT: usize = 50;

/// Reads a cluster and evaluates it; what comes out is ready to be recorded.
///
/// # Errors
/// When there is nothing to record. An unreachable cluster is no error: that is recorded.
pub async fn evaluate(
    cluster: &Cluster,
    begun: Begun,
    clock: &dyn Clock,
    progress: &(dyn Fn(Step) + Send + Sync),
) -> Result<RunRecord, EvaluationError> {
    let collecting = cluster.collector.collect(begun.at, progress);
    match tokio::time::timeout(cluster.timeout, collecting).await {
        Ok(Ok(collected)) => {
            for problem in &collected.problems {
                tracing::warn!(cluster = %cluster.name, "{problem}");
            }
            let (name, parameters) = (cluster.name.clone(), cluster.parameters.clone());
            let finished_at = clock.now();
            let evaluated = tokio::task::spawn_blocking(move || {
                run_record(&name, begun, finished_at, collected, &parameters)
            });
            evaluated.await.map_err(|_| EvaluationError::BrokeOff)?
        }
        Ok(Err(unreachable)) => Ok(unreachable_record(cluster, begun, clock.now(), unreachable.0)),
        Err(_) => {
            let detail = too_slow(cluster.timeout).0;
            Ok(unreachable_record(cluster, begun, clock.now(), detail))
        }
    }
}

/// The record of a run that read this inventory: the whole evaluation, without I/O or clock.
///
/// # Errors
/// When an item contradicts itself.
pub fn run_record(
    cluster: &str,
    begun: Begun,
    finished_at: DateTime<Utc>,
    collected: Collected,
    parameters: &Parameters,
) -> Result<RunRecord, EvaluationError> {
    let Collected { inventory, kinds, not_served, mut problems } = collected;
    let missing: Vec<Gap> =
        needed_kinds().into_iter().flat_map(|kind| inventory.gaps(kind)).cloned().collect();
    // What nobody asked for, such as the active probe, is missing in no run: the items that could have used it say so.
    let gaps = missing.iter().filter(|gap| gap.reason != GapReason::NotCollected).cloned().collect();
    let items = rampart_checklist::evaluate(&inventory, parameters)?
        .into_iter()
        .map(|item| EvaluatedItem { result: item.result, remediation: item.remediation })
        .collect();
    problems.truncate(PROBLEMS_KEPT);
    let collect_milliseconds = (finished_at - begun.at).num_milliseconds().try_into().unwrap_or_default();
    let mut told: Vec<Gap> = missing.into_iter().map(rbac::with_remedy).collect();
    told.sort();
    told.dedup();
    let reading = RunReading { kinds, not_served, gaps: told, problems, collect_milliseconds };
    let distribution = Distribution::of(&inventory).name().map(str::to_owned);
    let Inventory { identity, version, .. } = inventory;
    Ok(RunRecord {
        id: begun.id,
        cluster: cluster.to_owned(),
        started_at: begun.at,
        finished_at,
        identity,
        catalogue: CATALOGUE.to_owned(),
        parameters_digest: parameters.digest(),
        version,
        distribution,
        details: serde_json::to_value(reading)?,
        outcome: RunOutcome::Evaluated { items, gaps },
    })
}

fn unreachable_record(
    cluster: &Cluster,
    begun: Begun,
    finished_at: DateTime<Utc>,
    detail: String,
) -> RunRecord {
    RunRecord {
        id: begun.id,
        cluster: cluster.name.clone(),
        started_at: begun.at,
        finished_at,
        identity: None,
        catalogue: CATALOGUE.to_owned(),
        parameters_digest: cluster.parameters.digest(),
        version: None,
        distribution: None,
        details: serde_json::Value::Null,
        outcome: RunOutcome::Unreachable { detail },
    }
}
