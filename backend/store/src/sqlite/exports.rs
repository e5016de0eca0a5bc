//! Exports of remediations, and the runs that saw them work.

use super::{
    Answer,
    read_items::run_id,
    record::LONGEST_TEXT,
    values::{Columns, shortened, to_word},
};
use crate::{ExportRecord, StoreError};
use rampart_shared::{
    ItemId,
    api::{ChangeKind, Export, VerifiedRun},
};
use sqlx::{Row, SqliteConnection};

/// Longer names are cut.
const LONGEST_NAME: usize = 100;

/// Newest first.
pub(super) const EXPORTS: &str =
    "SELECT at, by, stage, format FROM export WHERE cluster = $1 AND item = $2 ORDER BY id DESC LIMIT $3";

/// The runs with which the item began to hold, oldest first.
pub(super) const BEGAN_TO_HOLD: &str =
    "SELECT r.id AS run_id, r.started_at, r.finished_at FROM item_state s JOIN run r ON r.sequence = s.from_run
     WHERE s.cluster = $1 AND s.item = $2 AND s.outcome = 'pass'
       AND NOT EXISTS (SELECT 1 FROM item_state p WHERE p.cluster = s.cluster AND p.item = s.item
           AND p.to_run = s.from_run AND p.outcome = 'pass')
     ORDER BY s.from_run";

pub(super) async fn record(connection: &mut SqliteConnection, export: &ExportRecord) -> Answer<()> {
    let (at, by) = (export.at.timestamp_millis(), shortened(&export.by, LONGEST_NAME));
    let (stage, format) = (export.stage.as_str(), to_word(export.format)?);
    let detail = shortened(&format!("by {by}, {stage}, {format}"), LONGEST_TEXT);
    for (cluster, items) in &export.items {
        let found = sqlx::query("SELECT id, last_completed_run FROM cluster WHERE name = $1")
            .bind(cluster)
            .fetch_optional(&mut *connection)
            .await?
            .ok_or_else(|| StoreError::UnknownCluster(cluster.clone()))?;
        let key = found.number("id")?;
        for item in items {
            sqlx::query(
                "INSERT INTO export (cluster, item, at, by, stage, format) VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(key)
            .bind(item.as_str())
            .bind(at)
            .bind(&by)
            .bind(stage)
            .bind(&format)
            .execute(&mut *connection)
            .await?;
            // A remediation is made by a run; without one there is nothing that this could follow.
            let Some(run) = found.optional_number("last_completed_run")? else { continue };
            sqlx::query(
                "INSERT INTO change (run, at, cluster, item, kind, detail) VALUES ($1, $2, $3, $4, $5, $6)",
            )
            .bind(run)
            .bind(at)
            .bind(key)
            .bind(item.as_str())
            .bind(to_word(ChangeKind::RemediationExported)?)
            .bind(&detail)
            .execute(&mut *connection)
            .await?;
        }
    }
    Ok(())
}

pub(super) async fn of_item(
    connection: &mut SqliteConnection,
    cluster: i64,
    item: ItemId,
    limit: u32,
) -> Answer<Vec<Export>> {
    let rows =
        sqlx::query(EXPORTS).bind(cluster).bind(item.as_str()).bind(limit).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            Ok(Export {
                at: row.time("at")?,
                by: row.text("by")?,
                stage: row.word("stage")?,
                format: row.word("format")?,
            })
        })
        .collect()
}

/// The first run after the last export that any such run followed.
pub(super) async fn verified(
    connection: &mut SqliteConnection,
    cluster: i64,
    item: ItemId,
) -> Answer<Option<VerifiedRun>> {
    let exports: Vec<i64> = sqlx::query(
        "SELECT at FROM export WHERE cluster = $1 AND item = $2 AND format <> 'undo' ORDER BY id DESC",
    )
    .bind(cluster)
    .bind(item.as_str())
    .fetch_all(&mut *connection)
    .await?
    .iter()
    .map(|row| Ok(row.try_get("at")?))
    .collect::<Answer<_>>()?;
    if exports.is_empty() {
        return Ok(None);
    }
    let rows = sqlx::query(BEGAN_TO_HOLD).bind(cluster).bind(item.as_str()).fetch_all(connection).await?;
    let began: Vec<i64> = rows.iter().map(|row| row.number("started_at")).collect::<Answer<_>>()?;
    // A run that had begun before may have seen the cluster before.
    let first = exports.iter().find_map(|export| began.iter().position(|began| began > export));
    let Some(row) = first.and_then(|position| rows.get(position)) else { return Ok(None) };
    Ok(Some(VerifiedRun { run: run_id(row, "run_id")?, at: row.time("finished_at")? }))
}
