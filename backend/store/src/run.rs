//! A run, as the evaluator hands it over and as the store has recorded it.

use chrono::{DateTime, Utc};
use rampart_shared::{Gap, ItemResult, Remediation, api};
use uuid::Uuid;

/// A finished run of one cluster: all that the evaluator knows about it.
#[derive(Debug, Clone)]
pub struct RunRecord {
    /// A UUIDv7 made by the evaluator when the run began; the same id is recorded once.
    pub id: Uuid,
    /// The cluster's registered name.
    pub cluster: String,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// When it finished.
    pub finished_at: DateTime<Utc>,
    /// The UID of the cluster's `kube-system` namespace; none where it could not be seen.
    pub identity: Option<String>,
    /// The checklist's version.
    pub catalogue: String,
    /// A digest over the parameters that take part in the outcomes.
    pub parameters_digest: String,
    /// The Kubernetes version; none where it could not be seen.
    pub version: Option<String>,
    /// The distribution or provider, once recognised.
    pub distribution: Option<String>,
    /// What was read, what was refused and how long it took. Kept for recent runs and those that changed something.
    pub details: serde_json::Value,
    /// How it ended.
    pub outcome: RunOutcome,
}

/// How a run ended, as far as the evaluator can tell.
#[derive(Debug, Clone)]
pub enum RunOutcome {
    /// The cluster answered, and the items were evaluated.
    Evaluated {
        /// Each item once. The state of an item that is missing here stays as it is.
        items: Vec<EvaluatedItem>,
        /// What was not seen, of all kinds that were asked for, those that no item speaks of included.
        gaps: Vec<Gap>,
    },
    /// The cluster could not be reached: nothing but the run is recorded.
    Unreachable {
        /// The cause in words.
        detail: String,
    },
}

/// One item of a run.
#[derive(Debug, Clone)]
pub struct EvaluatedItem {
    /// Its result.
    pub result: ItemResult,
    /// What would turn it green.
    pub remediation: Remediation,
}

/// The remediation of an item's last evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRemediation {
    /// The remediation.
    pub remediation: Remediation,
    /// When the run that it was made from finished.
    pub made_at: DateTime<Utc>,
}

/// What recording a run did.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The run, with its sequence, its kind, and whether it changed anything.
    pub run: api::RunSummary,
    /// What changed, in the checklist's order.
    pub changes: Vec<api::Change>,
}

/// A run with what it read.
#[derive(Debug, Clone)]
pub struct RunDetails {
    /// The run.
    pub run: api::RunSummary,
    /// The details that the evaluator recorded; none once they are pruned.
    pub details: Option<serde_json::Value>,
}
