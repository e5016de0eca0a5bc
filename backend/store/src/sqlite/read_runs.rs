//! Reading runs, their details, and what they changed.

use super::{
    Answer,
    read_items::run_id,
    values::{Columns, names, to_word},
};
use crate::{ChangeFilter, ClusterScope, RunDetails, StoreError};
use rampart_shared::{
    OutcomeCounts,
    api::{Change, Changes, RunPage, RunSummary},
};
use sqlx::{QueryBuilder, SqliteConnection, sqlite::SqliteRow};
use std::collections::BTreeMap;
use uuid::Uuid;

/// `CROSS JOIN` makes SQLite begin with the runs, in their order, instead of sorting all of them.
macro_rules! runs {
    ($($rest:expr),+) => {
        concat!(
            "SELECT r.sequence, r.id, r.kind, r.started_at, r.finished_at, r.changed, r.pass, r.fail,
                 r.unknown, r.not_applicable, r.cluster AS cluster_key, c.name AS cluster, k.text AS cause
             FROM run r CROSS JOIN cluster c ON c.id = r.cluster LEFT JOIN cause k ON k.id = r.cause ",
            $($rest),+
        )
    };
}

macro_rules! visible {
    () => {
        "c.active AND ($1 IS NULL OR c.name IN (SELECT value FROM json_each($1)))"
    };
}

/// Newest first.
pub(super) const RUNS_OF_ALL: &str =
    runs!("WHERE ", visible!(), " AND r.sequence < $2 ORDER BY r.sequence DESC LIMIT $3");

/// Newest first.
pub(super) const RUNS_OF_CLUSTER: &str =
    runs!("WHERE r.cluster = $1 AND r.sequence < $2 ORDER BY r.sequence DESC LIMIT $3");

/// Oldest first.
pub(super) const RUNS_AFTER: &str =
    runs!("WHERE ", visible!(), " AND r.sequence > $2 ORDER BY r.sequence LIMIT $3");

pub(super) async fn page(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    cluster: Option<i64>,
    limit: u32,
    before: Option<i64>,
) -> Answer<RunPage> {
    let query = match cluster {
        Some(cluster) => sqlx::query(RUNS_OF_CLUSTER).bind(cluster),
        None => sqlx::query(RUNS_OF_ALL).bind(names(scope)?),
    };
    // One more than asked for tells whether there is a next page.
    let rows = query
        .bind(before.unwrap_or(i64::MAX))
        .bind(i64::from(limit.max(1)) + 1)
        .fetch_all(connection)
        .await?;
    let mut runs = rows.iter().map(summary).collect::<Answer<Vec<_>>>()?;
    let more = runs.len() > limit.max(1) as usize;
    if more {
        runs.pop();
    }
    let next_before = if more { runs.last().map(|run| run.sequence) } else { None };
    Ok(RunPage { runs, next_before })
}

pub(super) async fn after(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    sequence: i64,
    limit: u32,
) -> Answer<Vec<RunSummary>> {
    let rows =
        sqlx::query(RUNS_AFTER).bind(names(scope)?).bind(sequence).bind(limit).fetch_all(connection).await?;
    rows.iter().map(summary).collect()
}

pub(super) async fn by_sequence(connection: &mut SqliteConnection, sequence: i64) -> Answer<RunSummary> {
    let row = sqlx::query(runs!("WHERE r.sequence = $1")).bind(sequence).fetch_one(connection).await?;
    summary(&row)
}

pub(super) async fn details(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    run: Uuid,
) -> Answer<Option<RunDetails>> {
    let row = sqlx::query(runs!("WHERE r.id = $1"))
        .bind(run.as_bytes().as_slice())
        .fetch_optional(&mut *connection)
        .await?;
    let Some(run) = row.as_ref().map(summary).transpose()?.filter(|run| scope.sees(&run.cluster)) else {
        return Ok(None);
    };
    let text: Option<String> = sqlx::query_scalar("SELECT details FROM run_detail WHERE run = $1")
        .bind(run.sequence)
        .fetch_optional(connection)
        .await?;
    let details = text
        .map(|text| {
            serde_json::from_str(&text).map_err(|_| StoreError::Unreadable { what: "details", value: text })
        })
        .transpose()?;
    Ok(Some(RunDetails { run, details }))
}

pub(super) async fn last(connection: &mut SqliteConnection, cluster: i64) -> Answer<Option<RunSummary>> {
    let row = sqlx::query(runs!("WHERE r.sequence = (SELECT last_run FROM cluster WHERE id = $1)"))
        .bind(cluster)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(summary).transpose()
}

pub(super) async fn last_completed(
    connection: &mut SqliteConnection,
    cluster: i64,
) -> Answer<Option<RunSummary>> {
    let row = sqlx::query(runs!("WHERE r.sequence = (SELECT last_completed_run FROM cluster WHERE id = $1)"))
        .bind(cluster)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(summary).transpose()
}

/// The last run of each active cluster, or of one, by the cluster's key.
pub(super) async fn last_by_cluster(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    cluster: Option<&str>,
) -> Answer<BTreeMap<i64, RunSummary>> {
    let rows = sqlx::query(runs!(
        "WHERE r.sequence IN (SELECT o.last_run FROM cluster o
             WHERE CASE WHEN $1 IS NULL THEN o.active ELSE o.name = $1 END
               AND ($2 IS NULL OR o.name IN (SELECT value FROM json_each($2))))"
    ))
    .bind(cluster)
    .bind(names(scope)?)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.number("cluster_key")?, summary(row)?))).collect()
}

pub(super) async fn changes(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    cluster: Option<i64>,
    filter: &ChangeFilter,
) -> Answer<Changes> {
    let mut query = QueryBuilder::new(
        "SELECT h.at, r.id AS run_id, c.name AS cluster, h.item, h.kind, h.detail
         FROM change h CROSS JOIN cluster c ON c.id = h.cluster CROSS JOIN run r ON r.sequence = h.run WHERE ",
    );
    match cluster {
        Some(cluster) => query.push("h.cluster = ").push_bind(cluster),
        None => query.push("c.active"),
    };
    if let ClusterScope::Only(_) = scope {
        query.push(" AND c.name IN (SELECT value FROM json_each(").push_bind(names(scope)?).push("))");
    }
    if let Some(item) = filter.item {
        query.push(" AND h.item = ").push_bind(item.as_str());
    }
    if let Some(since) = filter.since {
        query.push(" AND h.at >= ").push_bind(since.timestamp_millis());
    }
    if !filter.kinds.is_empty() {
        query.push(" AND h.kind IN (");
        let mut kinds = query.separated(", ");
        for kind in &filter.kinds {
            kinds.push_bind(to_word(*kind)?);
        }
        query.push(")");
    }
    query.push(" ORDER BY h.id DESC LIMIT ").push_bind(filter.limit);
    let rows = query.build().fetch_all(connection).await?;
    let mut changes = Vec::with_capacity(rows.len());
    for row in &rows {
        let item = match row.optional_text("item")?.map(|item| item.parse()) {
            // What happened to an item that this version's checklist does not have is not shown.
            Some(Err(_)) => continue,
            Some(Ok(item)) => Some(item),
            None => None,
        };
        changes.push(Change {
            at: row.time("at")?,
            run: run_id(row, "run_id")?,
            cluster: row.text("cluster")?,
            item,
            kind: row.word("kind")?,
            detail: row.text("detail")?,
        });
    }
    Ok(Changes { changes })
}

fn summary(row: &SqliteRow) -> Answer<RunSummary> {
    let counts = match row.optional_number("pass")? {
        None => None,
        Some(_) => Some(OutcomeCounts {
            pass: row.count("pass")?,
            fail: row.count("fail")?,
            unknown: row.count("unknown")?,
            not_applicable: row.count("not_applicable")?,
        }),
    };
    Ok(RunSummary {
        id: run_id(row, "id")?,
        sequence: row.number("sequence")?,
        cluster: row.text("cluster")?,
        kind: row.word("kind")?,
        started_at: row.time("started_at")?,
        finished_at: row.time("finished_at")?,
        detail: row.optional_text("cause")?,
        counts,
        changed: row.flag("changed")?,
    })
}
