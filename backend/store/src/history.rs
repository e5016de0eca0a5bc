//! What a store can do.

use crate::{
    ChangeFilter, ClusterRegistration, ClusterScope, ExportRecord, FindingFilter, IdentityConflict, Recorded,
    RunDetails, RunRecord, StoreError, StoredRemediation, TrendQuery,
};
use chrono::{DateTime, Utc};
use rampart_shared::{
    ItemId,
    api::{
        Changes, ClusterItems, ClusterSummary, Export, FindingPage, ItemState, OutcomeInterval, Overview,
        RunPage, RunSummary, Trend, VerifiedRun,
    },
};
use std::future::Future;
use uuid::Uuid;

type Answer<T> = Result<T, StoreError>;

/// The history of all clusters.
///
/// Reading functions answer from one consistent state. A named cluster that does not exist or that the asker
/// may not see is [`StoreError::UnknownCluster`]; one that is no longer configured still answers by its name.
pub trait History: Send + Sync {
    /// Registers a cluster, or takes over what is configured of it now. Its history stays.
    fn upsert_cluster(&self, cluster: &ClusterRegistration) -> impl Future<Output = Answer<()>> + Send;

    /// Registers these clusters and makes every other one inactive, in one transaction.
    fn configure_clusters(&self, clusters: &[ClusterRegistration])
    -> impl Future<Output = Answer<()>> + Send;

    /// Records a finished run, all of it or nothing. There is no other way to write results.
    ///
    /// The kind is derived: an unreachable cluster, and one whose identity differs from the one first seen,
    /// record nothing but the run.
    fn record(&self, run: &RunRecord) -> impl Future<Output = Answer<Recorded>> + Send;

    /// Several active names of one cluster.
    fn identity_conflicts(
        &self,
        scope: &ClusterScope,
    ) -> impl Future<Output = Answer<Vec<IdentityConflict>>> + Send;

    /// The fleet, with sparklines of so many days. What only the scheduler knows (`next_evaluation_at`,
    /// `running`) and `advice` are none.
    fn overview(
        &self,
        scope: &ClusterScope,
        trend_days: u32,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<Overview>> + Send;

    /// One cluster, as in the overview.
    fn cluster(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        trend_days: u32,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<ClusterSummary>> + Send;

    /// One cluster with the state of its items, in the checklist's order.
    fn cluster_items(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        trend_days: u32,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<ClusterItems>> + Send;

    /// The state of one item; none before its first evaluation.
    fn item_state(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        item: ItemId,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<Option<ItemState>>> + Send;

    /// The intervals of an item's recorded outcome that reach beyond `since`, oldest first.
    fn outcome_history(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        item: ItemId,
        since: DateTime<Utc>,
    ) -> impl Future<Output = Answer<Vec<OutcomeInterval>>> + Send;

    /// A page of an item's findings.
    fn findings(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        item: ItemId,
        filter: &FindingFilter,
    ) -> impl Future<Output = Answer<FindingPage>> + Send;

    /// Outcomes by day.
    ///
    /// A day on which a cluster had a completed run counts as its last run of that day left it. On a day
    /// without one, the last state before it still counts for three intervals, up to the end of the day (for
    /// today: up to `now`); after that its applicable items count as unknown. Today counts as unknown as soon
    /// as the cluster is stale, even after a run of today. Before its first completed run a cluster counts
    /// nowhere.
    fn trend(
        &self,
        scope: &ClusterScope,
        query: &TrendQuery,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Answer<Trend>> + Send;

    /// Runs, newest first, of one cluster or of all active ones; those before this sequence.
    fn runs(
        &self,
        scope: &ClusterScope,
        cluster: Option<&str>,
        limit: u32,
        before: Option<i64>,
    ) -> impl Future<Output = Answer<RunPage>> + Send;

    /// Runs of active clusters after this sequence, oldest first: what a reader of events missed.
    fn runs_after(
        &self,
        scope: &ClusterScope,
        sequence: i64,
        limit: u32,
    ) -> impl Future<Output = Answer<Vec<RunSummary>>> + Send;

    /// One run with its details; none if there is no such run, or the asker may not see its cluster.
    fn run_details(
        &self,
        scope: &ClusterScope,
        run: Uuid,
    ) -> impl Future<Output = Answer<Option<RunDetails>>> + Send;

    /// The cluster's last run that recorded state; none before the first.
    fn last_completed_run(
        &self,
        scope: &ClusterScope,
        cluster: &str,
    ) -> impl Future<Output = Answer<Option<RunSummary>>> + Send;

    /// The cluster's last run of any kind.
    fn last_run(
        &self,
        scope: &ClusterScope,
        cluster: &str,
    ) -> impl Future<Output = Answer<Option<RunSummary>>> + Send;

    /// What changed, newest first.
    fn changes(
        &self,
        scope: &ClusterScope,
        filter: &ChangeFilter,
    ) -> impl Future<Output = Answer<Changes>> + Send;

    /// What would turn an item green, as its last evaluation made it; none before the first.
    fn remediation(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        item: ItemId,
    ) -> impl Future<Output = Answer<Option<StoredRemediation>>> + Send;

    /// Records that somebody took remediations out of Rampart; each item is a change too.
    fn record_export(&self, export: &ExportRecord) -> impl Future<Output = Answer<()>> + Send;

    /// Who took an item's remediation, the last first.
    fn exports(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        item: ItemId,
        limit: u32,
    ) -> impl Future<Output = Answer<Vec<Export>>> + Send;

    /// The run with which the item began to hold after its remediation was taken; of several exports the last that any
    /// such run followed.
    fn verified(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        item: ItemId,
    ) -> impl Future<Output = Answer<Option<VerifiedRun>>> + Send;
}
