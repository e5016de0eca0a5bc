//! The history in a SQLite file.
//!
//! One connection writes, so that runs are recorded one after the other; several read, each from the state that
//! was committed when it began.

mod configure;
mod days;
mod exports;
mod findings;
mod items;
mod open;
#[cfg(test)]
mod plans;
mod read_clusters;
mod read_findings;
mod read_items;
mod read_runs;
mod record;
mod values;

use crate::{
    ChangeFilter, ClusterRegistration, ClusterScope, ExportRecord, FindingFilter, History, IdentityConflict,
    Recorded, RunDetails, RunRecord, StoreError, StoredRemediation, TrendQuery,
};
use chrono::{DateTime, Utc};
use rampart_shared::{
    ItemId,
    api::{
        Changes, ClusterItems, ClusterSummary, Export, FindingPage, ItemState, OutcomeInterval, Overview,
        RunPage, RunSummary, Trend, VerifiedRun,
    },
};
use sqlx::{Sqlite, SqlitePool, Transaction};
use std::{fs::File, path::Path, sync::Arc};
use uuid::Uuid;

type Answer<T> = Result<T, StoreError>;

/// The history in a SQLite file. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
    /// Keeps other processes out for as long as it is held.
    _lock: Arc<File>,
}

impl Store {
    /// Opens the history in this file; makes the file and its folder, for this user alone, where there are none,
    /// and brings an older schema up to date.
    ///
    /// # Errors
    /// When the file cannot be written, is in use, damaged, something else, or was written by a newer version.
    pub async fn open(path: &Path) -> Answer<Store> {
        open::open(path).await
    }

    /// Ends the connections after what they are doing, and leaves one file behind.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn write(&self) -> Answer<Transaction<'static, Sqlite>> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }

    async fn read(&self) -> Answer<Transaction<'static, Sqlite>> {
        Ok(self.readers.begin().await?)
    }
}

impl History for Store {
    async fn upsert_cluster(&self, cluster: &ClusterRegistration) -> Answer<()> {
        let mut transaction = self.write().await?;
        configure::upsert(&mut transaction, cluster).await?;
        Ok(transaction.commit().await?)
    }

    async fn configure_clusters(&self, clusters: &[ClusterRegistration]) -> Answer<()> {
        let mut transaction = self.write().await?;
        configure::replace(&mut transaction, clusters).await?;
        Ok(transaction.commit().await?)
    }

    async fn record(&self, run: &RunRecord) -> Answer<Recorded> {
        let mut transaction = self.write().await?;
        let recorded = record::record(&mut transaction, run).await?;
        transaction.commit().await?;
        Ok(recorded)
    }

    async fn identity_conflicts(&self, scope: &ClusterScope) -> Answer<Vec<IdentityConflict>> {
        configure::identity_conflicts(&mut *self.read().await?, scope).await
    }

    async fn overview(&self, scope: &ClusterScope, trend_days: u32, now: DateTime<Utc>) -> Answer<Overview> {
        read_clusters::overview(&mut *self.read().await?, scope, trend_days, now).await
    }

    async fn cluster(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        trend_days: u32,
        now: DateTime<Utc>,
    ) -> Answer<ClusterSummary> {
        read_clusters::one(&mut *self.read().await?, scope, cluster, trend_days, now).await
    }

    async fn cluster_items(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        trend_days: u32,
        now: DateTime<Utc>,
    ) -> Answer<ClusterItems> {
        let mut transaction = self.read().await?;
        let cluster = read_clusters::one(&mut transaction, scope, cluster, trend_days, now).await?;
        let items = read_items::states(&mut transaction, &cluster.name, cluster.freshness).await?;
        Ok(ClusterItems { cluster, items })
    }

    async fn item_state(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        item: ItemId,
        now: DateTime<Utc>,
    ) -> Answer<Option<ItemState>> {
        let mut transaction = self.read().await?;
        let freshness = read_clusters::freshness_of(&mut transaction, scope, cluster, now).await?;
        let states = read_items::states(&mut transaction, cluster, freshness).await?;
        Ok(states.into_iter().find(|state| state.id == item))
    }

    async fn outcome_history(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        item: ItemId,
        since: DateTime<Utc>,
    ) -> Answer<Vec<OutcomeInterval>> {
        let mut transaction = self.read().await?;
        let cluster = read_clusters::key(&mut transaction, scope, cluster).await?;
        read_items::outcome_history(&mut transaction, cluster, item, since).await
    }

    async fn findings(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        item: ItemId,
        filter: &FindingFilter,
    ) -> Answer<FindingPage> {
        let mut transaction = self.read().await?;
        let cluster = read_clusters::key(&mut transaction, scope, cluster).await?;
        read_findings::page(&mut transaction, cluster, item, filter).await
    }

    async fn trend(&self, scope: &ClusterScope, query: &TrendQuery, now: DateTime<Utc>) -> Answer<Trend> {
        let mut transaction = self.read().await?;
        if let Some(cluster) = &query.cluster {
            read_clusters::key(&mut transaction, scope, cluster).await?;
        }
        days::trend(&mut transaction, scope, query, now).await
    }

    async fn runs(
        &self,
        scope: &ClusterScope,
        cluster: Option<&str>,
        limit: u32,
        before: Option<i64>,
    ) -> Answer<RunPage> {
        let mut transaction = self.read().await?;
        let cluster = match cluster {
            Some(cluster) => Some(read_clusters::key(&mut transaction, scope, cluster).await?),
            None => None,
        };
        read_runs::page(&mut transaction, scope, cluster, limit, before).await
    }

    async fn runs_after(&self, scope: &ClusterScope, sequence: i64, limit: u32) -> Answer<Vec<RunSummary>> {
        read_runs::after(&mut *self.read().await?, scope, sequence, limit).await
    }

    async fn run_details(&self, scope: &ClusterScope, run: Uuid) -> Answer<Option<RunDetails>> {
        read_runs::details(&mut *self.read().await?, scope, run).await
    }

    async fn last_completed_run(&self, scope: &ClusterScope, cluster: &str) -> Answer<Option<RunSummary>> {
        let mut transaction = self.read().await?;
        let cluster = read_clusters::key(&mut transaction, scope, cluster).await?;
        read_runs::last_completed(&mut transaction, cluster).await
    }

    async fn last_run(&self, scope: &ClusterScope, cluster: &str) -> Answer<Option<RunSummary>> {
        let mut transaction = self.read().await?;
        let cluster = read_clusters::key(&mut transaction, scope, cluster).await?;
        read_runs::last(&mut transaction, cluster).await
    }

    async fn changes(&self, scope: &ClusterScope, filter: &ChangeFilter) -> Answer<Changes> {
        let mut transaction = self.read().await?;
        let cluster = match &filter.cluster {
            Some(cluster) => Some(read_clusters::key(&mut transaction, scope, cluster).await?),
            None => None,
        };
        read_runs::changes(&mut transaction, scope, cluster, filter).await
    }

    async fn remediation(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        item: ItemId,
    ) -> Answer<Option<StoredRemediation>> {
        let mut transaction = self.read().await?;
        let key = read_clusters::key(&mut transaction, scope, cluster).await?;
        read_items::remediation(&mut transaction, key, item).await
    }

    async fn record_export(&self, export: &ExportRecord) -> Answer<()> {
        let mut transaction = self.write().await?;
        exports::record(&mut transaction, export).await?;
        Ok(transaction.commit().await?)
    }

    async fn exports(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        item: ItemId,
        limit: u32,
    ) -> Answer<Vec<Export>> {
        let mut transaction = self.read().await?;
        let key = read_clusters::key(&mut transaction, scope, cluster).await?;
        exports::of_item(&mut transaction, key, item, limit).await
    }

    async fn verified(
        &self,
        scope: &ClusterScope,
        cluster: &str,
        item: ItemId,
    ) -> Answer<Option<VerifiedRun>> {
        let mut transaction = self.read().await?;
        let key = read_clusters::key(&mut transaction, scope, cluster).await?;
        exports::verified(&mut transaction, key, item).await
    }
}
