//! Reading clusters: the overview, one of them, and whether the asker may see it.

use super::{
    Answer, days, read_runs,
    values::{Columns, names},
};
use crate::{ClusterScope, StoreError, effective_outcome, freshness};
use chrono::{DateTime, Utc};
use rampart_shared::{
    OutcomeCounts,
    api::{ClusterSummary, Freshness, ItemCell, Overview},
};
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use std::collections::BTreeMap;

/// A cluster's key, if there is such a cluster and the asker may see it.
pub(super) async fn key(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    cluster: &str,
) -> Answer<i64> {
    let key: Option<i64> = sqlx::query_scalar("SELECT id FROM cluster WHERE name = $1")
        .bind(cluster)
        .fetch_optional(connection)
        .await?;
    key.filter(|_| scope.sees(cluster)).ok_or_else(|| StoreError::UnknownCluster(cluster.to_owned()))
}

pub(super) async fn freshness_of(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    cluster: &str,
    now: DateTime<Utc>,
) -> Answer<Freshness> {
    let key = key(connection, scope, cluster).await?;
    let row = sqlx::query(
        "SELECT c.interval_ms, r.finished_at FROM cluster c
         LEFT JOIN run r ON r.sequence = c.last_completed_run WHERE c.id = $1",
    )
    .bind(key)
    .fetch_one(connection)
    .await?;
    Ok(freshness(row.optional_time("finished_at")?, row.duration("interval_ms")?, now))
}

pub(super) async fn overview(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    trend_days: u32,
    now: DateTime<Utc>,
) -> Answer<Overview> {
    let clusters = summaries(connection, scope, None, trend_days, now).await?;
    let counts: OutcomeCounts = clusters.iter().map(|cluster| cluster.counts).sum();
    Ok(Overview { score: counts.score(), counts, clusters, advice: None, now })
}

pub(super) async fn one(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    cluster: &str,
    trend_days: u32,
    now: DateTime<Utc>,
) -> Answer<ClusterSummary> {
    summaries(connection, scope, Some(cluster), trend_days, now)
        .await?
        .pop()
        .ok_or_else(|| StoreError::UnknownCluster(cluster.to_owned()))
}

/// All active clusters by name, or one by its name.
async fn summaries(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    cluster: Option<&str>,
    trend_days: u32,
    now: DateTime<Utc>,
) -> Answer<Vec<ClusterSummary>> {
    let mut cells = cells(connection, scope, cluster).await?;
    let mut trends = days::trend_by_cluster(connection, scope, cluster, trend_days, now).await?;
    let mut last_runs = read_runs::last_by_cluster(connection, scope, cluster).await?;
    let rows = sqlx::query(
        "SELECT c.*, r.finished_at AS last_evaluated_at
         FROM cluster c LEFT JOIN run r ON r.sequence = c.last_completed_run
         WHERE CASE WHEN $1 IS NULL THEN c.active ELSE c.name = $1 END
           AND ($2 IS NULL OR c.name IN (SELECT value FROM json_each($2)))
         ORDER BY c.name",
    )
    .bind(cluster)
    .bind(names(scope)?)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let key = row.number("id")?;
            let last_evaluated_at = row.optional_time("last_evaluated_at")?;
            let freshness = freshness(last_evaluated_at, row.duration("interval_ms")?, now);
            let mut items = cells.remove(&key).unwrap_or_default();
            for item in &mut items {
                item.outcome = effective_outcome(item.last_outcome, freshness);
            }
            let counts: OutcomeCounts = items.iter().map(|item| item.outcome).collect();
            Ok(ClusterSummary {
                name: row.text("name")?,
                labels: row.json("labels")?,
                source: row.word("source")?,
                distribution: row.optional_text("distribution")?,
                version: row.optional_text("version")?,
                freshness,
                last_run: last_runs.remove(&key),
                last_evaluated_at,
                next_evaluation_at: None,
                running: None,
                score: counts.score(),
                counts,
                items,
                trend: trends.remove(&key).unwrap_or_default(),
            })
        })
        .collect()
}

/// Cells with the recorded outcome, in the checklist's order, by the cluster's key.
async fn cells(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    cluster: Option<&str>,
) -> Answer<BTreeMap<i64, Vec<ItemCell>>> {
    let rows = sqlx::query(
        "SELECT l.cluster, l.item, l.outcome, l.since, l.open_findings + l.unconfirmed_findings AS findings
         FROM cluster c CROSS JOIN item_latest l ON l.cluster = c.id
         WHERE CASE WHEN $1 IS NULL THEN c.active ELSE c.name = $1 END
           AND ($2 IS NULL OR c.name IN (SELECT value FROM json_each($2)))",
    )
    .bind(cluster)
    .bind(names(scope)?)
    .fetch_all(connection)
    .await?;
    let mut cells: BTreeMap<i64, Vec<ItemCell>> = BTreeMap::new();
    for row in rows {
        // An item that this version's checklist does not have is not shown.
        if let Ok(id) = row.text("item")?.parse() {
            cells.entry(row.number("cluster")?).or_default().push(cell(&row, id)?);
        }
    }
    for cells in cells.values_mut() {
        cells.sort_by_key(|cell| cell.id);
    }
    Ok(cells)
}

fn cell(row: &SqliteRow, id: rampart_shared::ItemId) -> Answer<ItemCell> {
    let recorded = row.word("outcome")?;
    Ok(ItemCell {
        id,
        outcome: recorded,
        last_outcome: recorded,
        findings: row.count("findings")?,
        since: row.time("since")?,
    })
}
