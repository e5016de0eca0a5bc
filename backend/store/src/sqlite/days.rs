//! The roll-up by day, and the trend that is read from it alone.

use super::{
    Answer,
    record::Current,
    values::{Columns, date, day, names},
};
use crate::{
    ClusterScope, TrendQuery,
    trend::{ClusterDays, RecordedDay, first_day, points},
};
use chrono::{DateTime, NaiveDate, Utc};
use rampart_shared::{
    ItemId, Outcome, OutcomeCounts,
    api::{Trend, TrendAnnotation, TrendPoint},
};
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use std::collections::BTreeMap;

/// Writes the day's row from what now stands, items that this run did not evaluate included.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    current: &Current,
    date: NaiveDate,
) -> Answer<OutcomeCounts> {
    let rows =
        sqlx::query("SELECT item, outcome, violating FROM item_latest WHERE cluster = $1 ORDER BY item")
            .bind(current.cluster)
            .fetch_all(&mut *connection)
            .await?;
    let mut items = BTreeMap::new();
    for row in rows {
        let state: (Outcome, u32) = (row.word("outcome")?, row.count("violating")?);
        items.insert(row.text("item")?, state);
    }
    let counts: OutcomeCounts = items.values().map(|(outcome, _)| *outcome).collect();
    let violating: u32 = items.values().map(|(_, violating)| violating).sum();
    sqlx::query(
        "INSERT INTO cluster_day (cluster, day, run, finished_at, pass, fail, unknown, not_applicable,
             violating, items)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (cluster, day) DO UPDATE SET run = excluded.run, finished_at = excluded.finished_at,
             pass = excluded.pass, fail = excluded.fail, unknown = excluded.unknown,
             not_applicable = excluded.not_applicable, violating = excluded.violating, items = excluded.items",
    )
    .bind(current.cluster)
    .bind(day(date))
    .bind(current.run)
    .bind(current.at)
    .bind(counts.pass)
    .bind(counts.fail)
    .bind(counts.unknown)
    .bind(counts.not_applicable)
    .bind(violating)
    .bind(serde_json::to_string(&items)?)
    .execute(connection)
    .await?;
    Ok(counts)
}

pub(super) async fn trend(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    query: &TrendQuery,
    now: DateTime<Utc>,
) -> Answer<Trend> {
    let first = first_day(query.days, now);
    let days = if query.item.is_some() { DAYS_BY_ITEM } else { DAYS };
    let rows = rows(connection, scope, days, query.cluster.as_deref(), first, now).await?;
    let clusters = by_cluster(&rows, query.item)?;
    let days: Vec<_> = clusters.into_values().collect();
    let annotations = annotations(connection, scope, query.cluster.as_deref(), first, now).await?;
    Ok(Trend { points: points(&days, first, now), annotations })
}

/// The points of each cluster by itself, by its key.
pub(super) async fn trend_by_cluster(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    cluster: Option<&str>,
    days: u32,
    now: DateTime<Utc>,
) -> Answer<BTreeMap<i64, Vec<TrendPoint>>> {
    let first = first_day(days, now);
    let rows = rows(connection, scope, DAYS, cluster, first, now).await?;
    Ok(by_cluster(&rows, None)?.into_iter().map(|(key, days)| (key, points(&[days], first, now))).collect())
}

macro_rules! days {
    ($items:literal) => {
        concat!(
            "SELECT c.id, c.interval_ms, d.day, d.finished_at, d.pass, d.fail, d.unknown, d.not_applicable,
                 d.violating",
            $items,
            " FROM cluster c CROSS JOIN cluster_day d ON d.cluster = c.id
             WHERE CASE WHEN $1 IS NULL THEN c.active ELSE c.name = $1 END
               AND ($2 IS NULL OR c.name IN (SELECT value FROM json_each($2)))
               AND d.day >= coalesce(
                   (SELECT max(b.day) FROM cluster_day b WHERE b.cluster = c.id AND b.day < $3), $3)
               AND d.day <= $4
             ORDER BY c.id, d.day"
        )
    };
}

/// One range of `cluster_day` a cluster; it begins with the last day before the first one.
pub(super) const DAYS: &str = days!("");

/// The same, with what each item adds.
pub(super) const DAYS_BY_ITEM: &str = days!(", d.items");

async fn rows(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    query: &'static str,
    cluster: Option<&str>,
    first: NaiveDate,
    now: DateTime<Utc>,
) -> Answer<Vec<SqliteRow>> {
    Ok(sqlx::query(query)
        .bind(cluster)
        .bind(names(scope)?)
        .bind(day(first))
        .bind(day(now.date_naive()))
        .fetch_all(connection)
        .await?)
}

fn by_cluster(rows: &[SqliteRow], item: Option<ItemId>) -> Answer<BTreeMap<i64, ClusterDays>> {
    let mut clusters = BTreeMap::new();
    for row in rows {
        let interval = row.duration("interval_ms")?;
        let cluster =
            clusters.entry(row.number("id")?).or_insert_with(|| ClusterDays { interval, days: Vec::new() });
        let counted = match item {
            None => Some((
                OutcomeCounts {
                    pass: row.count("pass")?,
                    fail: row.count("fail")?,
                    unknown: row.count("unknown")?,
                    not_applicable: row.count("not_applicable")?,
                },
                row.count("violating")?,
            )),
            Some(item) => row
                .json::<BTreeMap<String, (Outcome, u32)>>("items")?
                .get(item.as_str())
                .map(|(outcome, violating)| ([*outcome].into_iter().collect(), *violating)),
        };
        if let Some((counts, violating)) = counted {
            let (day, finished_at) = (date(row.number("day")?)?, row.time("finished_at")?);
            cluster.days.push(RecordedDay { day, finished_at, counts, violating });
        }
    }
    Ok(clusters)
}

/// Changes of the measure are the only ones without an item.
pub(super) const ANNOTATIONS: &str = "SELECT h.at, c.name, h.detail
         FROM cluster c CROSS JOIN change h ON h.cluster = c.id AND h.item IS NULL
         WHERE CASE WHEN $1 IS NULL THEN c.active ELSE c.name = $1 END
           AND ($2 IS NULL OR c.name IN (SELECT value FROM json_each($2)))
           AND h.at >= $3 AND h.at <= $4
         ORDER BY h.at, h.id";

async fn annotations(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
    cluster: Option<&str>,
    first: NaiveDate,
    now: DateTime<Utc>,
) -> Answer<Vec<TrendAnnotation>> {
    let rows = sqlx::query(ANNOTATIONS)
        .bind(cluster)
        .bind(names(scope)?)
        .bind(day(first) * 86_400_000)
        .bind(now.timestamp_millis())
        .fetch_all(connection)
        .await?;
    rows.iter()
        .map(|row| {
            let (at, cluster, text) = (row.time("at")?, row.text("name")?, row.text("detail")?);
            Ok(TrendAnnotation { at, cluster, text })
        })
        .collect()
}
