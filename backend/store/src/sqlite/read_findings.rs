//! Reading findings, a page at a time.

use super::{Answer, findings::finding_of, values::Columns};
use crate::{FindingFilter, StateFilter};
use rampart_shared::{
    ItemId,
    api::{FindingPage, FindingRecord, FindingState},
};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, sqlite::SqliteRow};

pub(super) async fn page(
    connection: &mut SqliteConnection,
    cluster: i64,
    item: ItemId,
    filter: &FindingFilter,
) -> Answer<FindingPage> {
    let mut count = QueryBuilder::new("SELECT count(*)");
    push_filter(&mut count, cluster, item, filter);
    let total: u32 = count.build_query_scalar().fetch_one(&mut *connection).await?;

    let mut page = QueryBuilder::new("SELECT f.*, coalesce(f.last_seen, l.evaluated_at) AS seen");
    push_filter(&mut page, cluster, item, filter);
    page.push(" ORDER BY f.namespace, f.kind, f.name, f.path, f.rule, f.id LIMIT ")
        .push_bind(filter.limit.max(1))
        .push(" OFFSET ")
        .push_bind(filter.offset);
    let rows = page.build().fetch_all(connection).await?;
    let findings = rows.iter().map(record_of).collect::<Answer<Vec<_>>>()?;
    // A page holds at most `limit` findings, a number of 32 bits.
    let end = filter.offset.saturating_add(u32::try_from(findings.len()).unwrap_or(u32::MAX));
    let next_offset = (end < total && !findings.is_empty()).then_some(end);
    Ok(FindingPage { total, findings, next_offset })
}

fn push_filter(query: &mut QueryBuilder<Sqlite>, cluster: i64, item: ItemId, filter: &FindingFilter) {
    query
        .push(
            " FROM finding f JOIN item_latest l ON l.cluster = f.cluster AND l.item = f.item
              WHERE NOT f.superseded AND f.cluster = ",
        )
        .push_bind(cluster)
        .push(" AND f.item = ")
        .push_bind(item.as_str());
    match filter.state {
        StateFilter::Any => {}
        StateFilter::Standing => {
            query.push(" AND f.resolved_at IS NULL");
        }
        StateFilter::Only(FindingState::Open) => {
            query.push(" AND f.resolved_at IS NULL AND f.unconfirmed_since IS NULL");
        }
        StateFilter::Only(FindingState::Unconfirmed) => {
            query.push(" AND f.resolved_at IS NULL AND f.unconfirmed_since IS NOT NULL");
        }
        StateFilter::Only(FindingState::Resolved) => {
            query.push(" AND f.resolved_at IS NOT NULL");
        }
    }
    if let Some(scope) = filter.scope {
        query.push(" AND f.scope = ").push_bind(scope.as_str());
    }
    if let Some(namespace) = &filter.namespace {
        query.push(" AND f.namespace = ").push_bind(namespace.clone());
    }
    if let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) {
        query
            .push(
                " AND instr(lower(concat_ws(' ', f.kind, coalesce(f.namespace || '/', '') || f.name, f.path,
                     f.rule, f.observed, f.expected)), ",
            )
            .push_bind(text.to_ascii_lowercase())
            .push(") > 0");
    }
}

fn record_of(row: &SqliteRow) -> Answer<FindingRecord> {
    let unconfirmed_since = row.optional_time("unconfirmed_since")?;
    let resolved_at = row.optional_time("resolved_at")?;
    let state = match (resolved_at, unconfirmed_since) {
        (Some(_), _) => FindingState::Resolved,
        (None, Some(_)) => FindingState::Unconfirmed,
        (None, None) => FindingState::Open,
    };
    Ok(FindingRecord {
        finding: finding_of(row)?,
        state,
        first_seen: row.time("first_seen")?,
        opened_at: row.time("opened_at")?,
        last_seen: row.time("seen")?,
        unconfirmed_since,
        resolved_at,
    })
}
