//! What `/api/v1` answers.
//!
//! Times are UTC and cross as RFC 3339. The same names are used in the database and on the page.

use crate::{
    Basis, Finding, Gap, ItemDocumentation, ItemId, Outcome, OutcomeCounts, Remediation, ResourceName, Score,
    Source,
};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

macro_rules! wire {
    ($(#[$doc:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "camelCase")]
        pub struct $name { $($body)* }
    };
    ($(#[$doc:meta])* pub enum $name:ident { $($body:tt)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($body)* }
    };
}

wire! {
    /// `GET /checklist`: the items of this version, in order.
    pub struct Checklist {
        /// The checklist's version.
        pub catalogue: String,
        /// Every item.
        pub items: Vec<ItemDocumentation>,
    }
}

wire! {
    /// `GET /overview`: the fleet at a glance.
    pub struct Overview {
        /// The pooled score of all clusters; stale clusters count as unknown.
        pub score: Option<Score>,
        /// Items of all clusters by effective outcome.
        pub counts: OutcomeCounts,
        /// Every cluster, by name.
        pub clusters: Vec<ClusterSummary>,
        /// What the page should say when there is no cluster.
        pub advice: Option<String>,
        /// The server's time, against which ages are computed.
        pub now: DateTime<Utc>,
    }
}

wire! {
    /// How current a cluster's state is. Computed on reading.
    pub enum Freshness {
        /// Evaluated within three intervals.
        Current,
        /// No completed run for three intervals: every applicable item counts as unknown.
        Stale,
        /// No completed run ever.
        NeverEvaluated,
    }
}

wire! {
    /// One cluster, as in the matrix.
    pub struct ClusterSummary {
        /// The cluster's name.
        pub name: String,
        /// Labels from the configuration, such as environment or team.
        pub labels: BTreeMap<String, String>,
        /// Where its inventory comes from.
        pub source: Source,
        /// The distribution or provider, once recognised.
        pub distribution: Option<String>,
        /// The Kubernetes version, once seen.
        pub version: Option<String>,
        /// How current its state is.
        pub freshness: Freshness,
        /// Its last run of any kind.
        pub last_run: Option<RunSummary>,
        /// When its last complete or partial run finished.
        pub last_evaluated_at: Option<DateTime<Utc>>,
        /// When the scheduler evaluates it next.
        pub next_evaluation_at: Option<DateTime<Utc>>,
        /// The run going on, if one is.
        pub running: Option<Uuid>,
        /// The effective score.
        pub score: Option<Score>,
        /// Items by effective outcome.
        pub counts: OutcomeCounts,
        /// A cell an item, in the checklist's order; empty before the first completed run.
        pub items: Vec<ItemCell>,
        /// The score of the last days, oldest first, for a sparkline.
        pub trend: Vec<TrendPoint>,
    }
}

wire! {
    /// One cell of the matrix.
    pub struct ItemCell {
        /// The item.
        pub id: ItemId,
        /// What counts now: the last known outcome, or unknown when the cluster is stale.
        pub outcome: Outcome,
        /// The outcome that the last completed run recorded.
        pub last_outcome: Outcome,
        /// Open findings in application scope; may be above zero while unknown, when they are unconfirmed.
        pub findings: u32,
        /// Since when the last recorded outcome stands.
        pub since: DateTime<Utc>,
    }
}

wire! {
    /// `GET /clusters/{cluster}/items`.
    pub struct ClusterItems {
        /// The cluster.
        pub cluster: ClusterSummary,
        /// Every item, in the checklist's order.
        pub items: Vec<ItemState>,
    }
}

wire! {
    /// `GET /clusters/{cluster}/items/{item}`: one item of a cluster.
    pub struct ItemDetail {
        /// The cluster.
        pub cluster: ClusterSummary,
        /// The item's texts.
        pub documentation: ItemDocumentation,
        /// Its state; none before the first completed run.
        pub state: Option<ItemState>,
        /// The intervals of its outcome, oldest first, over the last 90 days.
        pub history: Vec<OutcomeInterval>,
    }
}

wire! {
    /// The state of an item of a cluster.
    pub struct ItemState {
        /// The item.
        pub id: ItemId,
        /// What counts now: the last recorded outcome, or unknown when the cluster is stale.
        pub outcome: Outcome,
        /// The outcome that the last completed run recorded.
        pub last_outcome: Outcome,
        /// What the last recorded outcome rests on.
        pub basis: Option<Basis>,
        /// What `examined` and `violating` count.
        pub unit: String,
        /// Units examined in application scope.
        pub examined: u32,
        /// Units that violate.
        pub violating: u32,
        /// Open findings that the last run confirmed, in application scope.
        pub open_findings: u32,
        /// Open findings that the last run could not confirm.
        pub unconfirmed_findings: u32,
        /// Open findings in system namespaces; they decide nothing.
        pub system_findings: u32,
        /// What was not seen.
        pub gaps: Vec<Gap>,
        /// Remarks.
        pub notes: Vec<String>,
        /// Since when the last recorded outcome stands.
        pub since: DateTime<Utc>,
        /// The run that last confirmed it.
        pub run: Uuid,
        /// When that run finished.
        pub evaluated_at: DateTime<Utc>,
    }
}

wire! {
    /// A time during which an item's recorded outcome stayed the same.
    pub struct OutcomeInterval {
        /// The outcome.
        pub outcome: Outcome,
        /// What it rested on.
        pub basis: Option<Basis>,
        /// From when.
        pub from: DateTime<Utc>,
        /// Until when; none while it stands.
        pub to: Option<DateTime<Utc>>,
    }
}

wire! {
    /// Where a finding is in its life.
    pub enum FindingState {
        /// The last run saw it.
        Open,
        /// The last run could not see what it rests on.
        Unconfirmed,
        /// A run saw everything that it rests on, and not it.
        Resolved,
    }
}

wire! {
    /// A finding with its times.
    pub struct FindingRecord {
        /// The finding as last seen.
        pub finding: Finding,
        /// Where it is in its life.
        pub state: FindingState,
        /// When it was seen for the first time; stays through resolving and reopening.
        pub first_seen: DateTime<Utc>,
        /// When it was opened last; differs from `first_seen` when it was reopened.
        pub opened_at: DateTime<Utc>,
        /// When it was seen last.
        pub last_seen: DateTime<Utc>,
        /// Since when it could not be confirmed.
        pub unconfirmed_since: Option<DateTime<Utc>>,
        /// When it was resolved.
        pub resolved_at: Option<DateTime<Utc>>,
    }
}

wire! {
    /// `GET /clusters/{cluster}/items/{item}/findings`: a page of findings.
    pub struct FindingPage {
        /// How many match the filter.
        pub total: u32,
        /// This page, ordered by namespace, kind, name, path, rule.
        pub findings: Vec<FindingRecord>,
        /// Pass as `offset` for the next page; none on the last.
        pub next_offset: Option<u32>,
    }
}

wire! {
    /// One day of a trend.
    pub struct TrendPoint {
        /// The day, UTC.
        pub day: NaiveDate,
        /// Items by outcome at the day's last completed run, stale ones as unknown; of one item: how many clusters.
        pub counts: OutcomeCounts,
        /// The score over them.
        pub score: Option<Score>,
        /// Violating units; none where no outcome was known that day.
        pub violating: Option<u32>,
    }
}

wire! {
    /// What changed what the numbers mean.
    pub struct TrendAnnotation {
        /// When.
        pub at: DateTime<Utc>,
        /// The cluster.
        pub cluster: String,
        /// What, in words: another checklist version, other parameters.
        pub text: String,
    }
}

wire! {
    /// `GET /trend`: days, oldest first, of all clusters, one cluster, one item or both.
    pub struct Trend {
        /// The days.
        pub points: Vec<TrendPoint>,
        /// Changes of the measure itself.
        pub annotations: Vec<TrendAnnotation>,
    }
}

wire! {
    /// How a run ended.
    pub enum RunKind {
        /// Everything was read.
        Complete,
        /// Some kinds are gaps; state was recorded.
        Partial,
        /// No connection, TLS, 401, version or discovery; nothing but the run was recorded.
        Unreachable,
        /// Another cluster answers behind the name; nothing but the run was recorded.
        IdentityChanged,
    }
}

wire! {
    /// A finished run.
    pub struct RunSummary {
        /// The run.
        pub id: Uuid,
        /// The order of runs.
        pub sequence: i64,
        /// The cluster.
        pub cluster: String,
        /// How it ended.
        pub kind: RunKind,
        /// When it started.
        pub started_at: DateTime<Utc>,
        /// When it finished.
        pub finished_at: DateTime<Utc>,
        /// The cause in words, when it is not complete.
        pub detail: Option<String>,
        /// Items by outcome; none when no state was recorded.
        pub counts: Option<OutcomeCounts>,
        /// Whether it changed any state or finding.
        pub changed: bool,
    }
}

wire! {
    /// `GET /runs` and `GET /clusters/{cluster}/runs`, newest first.
    pub struct RunPage {
        /// The runs.
        pub runs: Vec<RunSummary>,
        /// Pass as `before` for the next page; none on the last.
        pub next_before: Option<i64>,
    }
}

wire! {
    /// How reading one kind went.
    pub struct KindReading {
        /// The kind, as gaps name it; `discovery` is what the API server says of itself.
        pub kind: ResourceName,
        /// The verb, as RBAC calls it; empty where files were read.
        #[serde(default)]
        pub verb: String,
        /// The path that was asked for, with `NODE` for each node; empty where files were read.
        #[serde(default)]
        pub path: String,
        /// Objects that were read.
        pub objects: u64,
        /// Pages of the list, or single answers.
        pub pages: u32,
        /// Bytes of the answers.
        pub bytes: u64,
        /// How long it took.
        pub milliseconds: u64,
        /// Whether the cluster refused it.
        pub refused: bool,
    }
}

wire! {
    /// `GET /clusters/{cluster}/reading`: what the last completed run read.
    pub struct ClusterReading {
        /// The cluster.
        pub cluster: ClusterSummary,
        /// The run; none before the first completed one, and when what it read is no longer kept.
        pub run: Option<RunSummary>,
        /// How reading each kind went.
        pub kinds: Vec<KindReading>,
        /// The kinds that the cluster does not serve and need not serve.
        pub not_served: Vec<ResourceName>,
        /// What was not seen, with what would close it.
        pub gaps: Vec<Gap>,
        /// Documents that could not be understood; the first fifty.
        pub problems: Vec<String>,
    }
}

wire! {
    /// What happened to an item or a finding.
    pub enum ChangeKind {
        /// The last known outcome was pass and now is fail.
        Regressed,
        /// The last known outcome was fail and now is pass.
        Fixed,
        /// A finding seen for the first time.
        FindingOpened,
        /// A finding that was resolved is seen again.
        FindingReopened,
        /// A finding was resolved.
        FindingResolved,
        /// What a finding observed or expects changed.
        FindingChanged,
        /// Another version of the checklist.
        CatalogueChanged,
        /// Other parameters.
        ParametersChanged,
        /// The outcome became unknown.
        BecameUnknown,
        /// The outcome became known again.
        BecameKnown,
    }
}

wire! {
    /// An entry of the history.
    pub struct Change {
        /// When.
        pub at: DateTime<Utc>,
        /// In which run.
        pub run: Uuid,
        /// The cluster.
        pub cluster: String,
        /// The item; none where it concerns the cluster.
        pub item: Option<ItemId>,
        /// What happened.
        pub kind: ChangeKind,
        /// In words: the object, the field.
        pub detail: String,
    }
}

wire! {
    /// `GET /changes`: what changed, newest first.
    pub struct Changes {
        /// The entries.
        pub changes: Vec<Change>,
    }
}

wire! {
    /// `POST /clusters/{cluster}/evaluate`.
    pub struct EvaluationAccepted {
        /// The run, new or joined.
        pub run: Uuid,
        /// The cluster.
        pub cluster: String,
        /// Whether a run was going on already.
        pub joined: bool,
    }
}

wire! {
    /// `GET /clusters/{cluster}/items/{item}/remediation`.
    pub struct RemediationView {
        /// The remediation.
        pub remediation: Remediation,
        /// All of it as one YAML stream, as it is downloaded.
        pub yaml: String,
        /// When the run that it was made from finished.
        pub made_at: DateTime<Utc>,
    }
}

/// What `GET /events` streams, each as the data of a server-sent event whose name is the object's one key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Event {
    /// A run began.
    RunStarted {
        /// The run.
        run: Uuid,
        /// The cluster.
        cluster: String,
    },
    /// A run got on.
    RunProgress {
        /// The run.
        run: Uuid,
        /// The cluster.
        cluster: String,
        /// What it does, in words: `reading pods`.
        step: String,
        /// Steps done.
        done: u32,
        /// Steps in all.
        total: u32,
    },
    /// A run ended and is recorded.
    RunFinished {
        /// The run.
        run: RunSummary,
    },
    /// A run could not be recorded.
    RunFailed {
        /// The run.
        run: Uuid,
        /// The cluster.
        cluster: String,
        /// The cause.
        detail: String,
    },
}

impl Event {
    /// The name of the server-sent event.
    pub const fn name(&self) -> &'static str {
        match self {
            Event::RunStarted { .. } => "run_started",
            Event::RunProgress { .. } => "run_progress",
            Event::RunFinished { .. } => "run_finished",
            Event::RunFailed { .. } => "run_failed",
        }
    }
}

/// An error as RFC 9457 problem details (`application/problem+json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `about:blank`: the status says what kind of problem it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// The problem in a few words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The cause and what to do.
    pub detail: String,
}
