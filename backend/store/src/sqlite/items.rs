//! Writing the states of items: an interval when the state key changes, the latest row each time.

use super::{
    Answer,
    findings::FindingsRecorded,
    record::{Current, Happened},
    values::Columns,
};
use crate::rules::{Known, Measure, StateKey, digest, transition};
use rampart_shared::{Gap, ItemId, ItemResult, Outcome, Remediation};
use serde::Serialize;
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use std::collections::BTreeMap;

/// The previous evaluation of an item.
#[derive(Debug)]
pub(super) struct Latest {
    pub(super) evaluated_at: i64,
    state_run: i64,
    key: StateKey,
    since: i64,
    known: Option<Known>,
}

/// A gap as the interval keeps it: enough to read, and bounded.
#[derive(Serialize)]
struct GapOfState<'a> {
    kind: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    objects: usize,
}

/// The previous evaluation of every item of the cluster.
pub(super) async fn latest(
    connection: &mut SqliteConnection,
    cluster: i64,
) -> Answer<BTreeMap<ItemId, Latest>> {
    let rows = sqlx::query(
        "SELECT item, evaluated_at, state_run, outcome, basis, gaps_key, catalogue, parameters, since,
             known_outcome, known_catalogue, known_parameters
         FROM item_latest WHERE cluster = $1",
    )
    .bind(cluster)
    .fetch_all(connection)
    .await?;
    let mut latest = BTreeMap::new();
    for row in rows {
        // An item that this version's checklist does not have is in no run of it either.
        if let Ok(item) = row.text("item")?.parse() {
            latest.insert(item, latest_of(&row)?);
        }
    }
    Ok(latest)
}

/// Records the state of an item and tells whether it changed.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    current: &Current,
    previous: Option<&Latest>,
    result: &ItemResult,
    findings: &FindingsRecorded,
    happened: &mut Vec<Happened>,
) -> Answer<bool> {
    let item = result.id();
    let key = StateKey::of(result, &current.measure)?;
    let outcome = key.outcome;
    let standing = previous.filter(|previous| previous.key == key);
    if standing.is_none() {
        if let Some(previous) = previous {
            end_interval(connection, current, item, previous.state_run).await?;
        }
        begin_interval(connection, current, result, &key).await?;
    }
    let known = previous.and_then(|previous| previous.known.clone());
    if let Some(previous) = previous
        && let Some((kind, detail)) =
            transition(previous.key.outcome, known.as_ref(), outcome, &current.measure)
    {
        happened.push(Happened { item: Some(item), kind, detail });
    }
    let next = Latest {
        evaluated_at: current.at,
        state_run: standing.map_or(current.run, |standing| standing.state_run),
        since: previous
            .filter(|previous| previous.key.outcome == outcome)
            .map_or(current.at, |previous| previous.since),
        known: Known::after(outcome, &current.measure, known),
        key,
    };
    write_latest(connection, current, result, findings, &next).await?;
    Ok(standing.is_none())
}

/// Writes the remediation if it is another one.
pub(super) async fn record_remediation(
    connection: &mut SqliteConnection,
    current: &Current,
    item: ItemId,
    remediation: &Remediation,
) -> Answer<()> {
    let digest = digest(remediation)?;
    let unchanged: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM remediation WHERE cluster = $1 AND item = $2 AND digest = $3")
            .bind(current.cluster)
            .bind(item.as_str())
            .bind(&digest)
            .fetch_optional(&mut *connection)
            .await?;
    if unchanged.is_none() {
        sqlx::query(
            "INSERT INTO remediation (cluster, item, digest, remediation) VALUES ($1, $2, $3, $4)
             ON CONFLICT (cluster, item) DO UPDATE SET
                 digest = excluded.digest, remediation = excluded.remediation",
        )
        .bind(current.cluster)
        .bind(item.as_str())
        .bind(digest)
        .bind(serde_json::to_string(remediation)?)
        .execute(connection)
        .await?;
    }
    Ok(())
}

fn latest_of(row: &SqliteRow) -> Answer<Latest> {
    let known_outcome: Option<Outcome> = row.optional_word("known_outcome")?;
    let known_measure = row
        .optional_text("known_catalogue")?
        .zip(row.optional_text("known_parameters")?)
        .map(|(catalogue, parameters)| Measure { catalogue, parameters });
    Ok(Latest {
        evaluated_at: row.number("evaluated_at")?,
        state_run: row.number("state_run")?,
        key: StateKey {
            outcome: row.word("outcome")?,
            basis: row.optional_word("basis")?,
            gaps: row.text("gaps_key")?,
            measure: Measure { catalogue: row.text("catalogue")?, parameters: row.text("parameters")? },
        },
        since: row.number("since")?,
        known: known_outcome.zip(known_measure).map(|(outcome, measure)| Known { outcome, measure }),
    })
}

async fn end_interval(
    connection: &mut SqliteConnection,
    current: &Current,
    item: ItemId,
    state_run: i64,
) -> Answer<()> {
    sqlx::query(
        "UPDATE item_state SET to_run = $4, to_at = $5 WHERE cluster = $1 AND item = $2 AND from_run = $3",
    )
    .bind(current.cluster)
    .bind(item.as_str())
    .bind(state_run)
    .bind(current.run)
    .bind(current.at)
    .execute(connection)
    .await?;
    Ok(())
}

async fn begin_interval(
    connection: &mut SqliteConnection,
    current: &Current,
    result: &ItemResult,
    key: &StateKey,
) -> Answer<()> {
    let gaps: Vec<_> = result.evidence().gaps.iter().map(GapOfState::of).collect();
    sqlx::query(
        "INSERT INTO item_state
             (cluster, item, from_run, from_at, outcome, basis, gaps, gaps_key, catalogue, parameters)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(current.cluster)
    .bind(result.id().as_str())
    .bind(current.run)
    .bind(current.at)
    .bind(key.outcome.as_str())
    .bind(key.basis.map(|basis| basis.as_str()))
    .bind(serde_json::to_string(&gaps)?)
    .bind(&key.gaps)
    .bind(&key.measure.catalogue)
    .bind(&key.measure.parameters)
    .execute(connection)
    .await?;
    Ok(())
}

async fn write_latest(
    connection: &mut SqliteConnection,
    current: &Current,
    result: &ItemResult,
    findings: &FindingsRecorded,
    latest: &Latest,
) -> Answer<()> {
    let evidence = result.evidence();
    let known = latest.known.as_ref();
    sqlx::query(
        "INSERT INTO item_latest (cluster, item, run, evaluated_at, state_run, outcome, basis, gaps_key,
             catalogue, parameters, since, known_outcome, known_catalogue, known_parameters, unit, examined,
             violating, open_findings, unconfirmed_findings, system_findings, gaps, notes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
             $21, $22)
         ON CONFLICT (cluster, item) DO UPDATE SET run = excluded.run, evaluated_at = excluded.evaluated_at,
             state_run = excluded.state_run, outcome = excluded.outcome, basis = excluded.basis,
             gaps_key = excluded.gaps_key, catalogue = excluded.catalogue, parameters = excluded.parameters,
             since = excluded.since, known_outcome = excluded.known_outcome,
             known_catalogue = excluded.known_catalogue, known_parameters = excluded.known_parameters,
             unit = excluded.unit, examined = excluded.examined, violating = excluded.violating,
             open_findings = excluded.open_findings, unconfirmed_findings = excluded.unconfirmed_findings,
             system_findings = excluded.system_findings, gaps = excluded.gaps, notes = excluded.notes",
    )
    .bind(current.cluster)
    .bind(result.id().as_str())
    .bind(current.run)
    .bind(latest.evaluated_at)
    .bind(latest.state_run)
    .bind(latest.key.outcome.as_str())
    .bind(latest.key.basis.map(|basis| basis.as_str()))
    .bind(&latest.key.gaps)
    .bind(&latest.key.measure.catalogue)
    .bind(&latest.key.measure.parameters)
    .bind(latest.since)
    .bind(known.map(|known| known.outcome.as_str()))
    .bind(known.map(|known| &known.measure.catalogue))
    .bind(known.map(|known| &known.measure.parameters))
    .bind(&evidence.unit)
    .bind(evidence.examined)
    .bind(evidence.violating)
    .bind(findings.open)
    .bind(findings.unconfirmed)
    .bind(findings.system)
    .bind(serde_json::to_string(&evidence.gaps)?)
    .bind(serde_json::to_string(&evidence.notes)?)
    .execute(connection)
    .await?;
    Ok(())
}

impl<'a> GapOfState<'a> {
    fn of(gap: &'a Gap) -> Self {
        GapOfState { kind: gap.kind.as_str(), reason: gap.reason.as_str(), objects: gap.objects.len() }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}
