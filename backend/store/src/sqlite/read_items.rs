//! Reading the states of items, their past, and their remediation.

use super::{
    Answer,
    values::{Columns, from_word},
};
use crate::{StoredRemediation, effective_outcome};
use chrono::{DateTime, Utc};
use rampart_shared::{
    ItemId,
    api::{Freshness, ItemState, OutcomeInterval},
};
use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

/// The state of every item of a cluster, in the checklist's order.
pub(super) async fn states(
    connection: &mut SqliteConnection,
    cluster: &str,
    freshness: Freshness,
) -> Answer<Vec<ItemState>> {
    let rows = sqlx::query(
        "SELECT l.*, r.id AS run_id FROM cluster c
         JOIN item_latest l ON l.cluster = c.id JOIN run r ON r.sequence = l.run
         WHERE c.name = $1",
    )
    .bind(cluster)
    .fetch_all(connection)
    .await?;
    let mut states = Vec::with_capacity(rows.len());
    for row in &rows {
        // An item that this version's checklist does not have is not shown.
        if let Ok(id) = row.text("item")?.parse() {
            states.push(state(row, id, freshness)?);
        }
    }
    states.sort_by_key(|state| state.id);
    Ok(states)
}

/// The intervals of one outcome on one basis; the store has one more whenever gaps or the measure changed.
pub(super) async fn outcome_history(
    connection: &mut SqliteConnection,
    cluster: i64,
    item: ItemId,
    since: DateTime<Utc>,
) -> Answer<Vec<OutcomeInterval>> {
    let rows = sqlx::query(
        "SELECT outcome, basis, from_at, to_at FROM item_state
         WHERE cluster = $1 AND item = $2 AND (to_at IS NULL OR to_at > $3) ORDER BY from_run",
    )
    .bind(cluster)
    .bind(item.as_str())
    .bind(since.timestamp_millis())
    .fetch_all(connection)
    .await?;
    let mut intervals: Vec<OutcomeInterval> = Vec::new();
    for row in rows {
        let next = OutcomeInterval {
            outcome: row.word("outcome")?,
            basis: row.optional_word("basis")?,
            from: row.time("from_at")?,
            to: row.optional_time("to_at")?,
        };
        match intervals.last_mut() {
            Some(last) if (last.outcome, last.basis) == (next.outcome, next.basis) => last.to = next.to,
            _ => intervals.push(next),
        }
    }
    Ok(intervals)
}

pub(super) async fn remediation(
    connection: &mut SqliteConnection,
    key: i64,
    item: ItemId,
) -> Answer<Option<StoredRemediation>> {
    let row = sqlx::query(
        "SELECT m.remediation, l.evaluated_at FROM remediation m
         JOIN item_latest l ON l.cluster = m.cluster AND l.item = m.item
         WHERE m.cluster = $1 AND m.item = $2",
    )
    .bind(key)
    .bind(item.as_str())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(StoredRemediation { remediation: row.json("remediation")?, made_at: row.time("evaluated_at")? }))
}

fn state(row: &SqliteRow, id: ItemId, freshness: Freshness) -> Answer<ItemState> {
    let recorded = from_word("outcome", &row.text("outcome")?)?;
    Ok(ItemState {
        id,
        outcome: effective_outcome(recorded, freshness),
        last_outcome: recorded,
        basis: row.optional_word("basis")?,
        unit: row.text("unit")?,
        examined: row.count("examined")?,
        violating: row.count("violating")?,
        open_findings: row.count("open_findings")?,
        unconfirmed_findings: row.count("unconfirmed_findings")?,
        system_findings: row.count("system_findings")?,
        gaps: row.json("gaps")?,
        notes: row.json("notes")?,
        since: row.time("since")?,
        run: run_id(row, "run_id")?,
        evaluated_at: row.time("evaluated_at")?,
    })
}

/// A run's id, from its sixteen bytes.
pub(super) fn run_id(row: &SqliteRow, column: &'static str) -> Answer<Uuid> {
    let bytes: Vec<u8> = row.try_get(column)?;
    Uuid::from_slice(&bytes)
        .map_err(|_| crate::StoreError::Unreadable { what: "run id", value: format!("{bytes:02x?}") })
}
