//! Recording a run: one transaction, in which everything else here takes part.

use super::{
    Answer, days, findings, items, read_runs,
    values::{Columns, shortened, time, to_word},
};
use crate::{
    EvaluatedItem, Recorded, RunOutcome, RunRecord, StoreError,
    rules::{Measure, completeness, measure_changes},
};
use rampart_shared::{
    ItemId, OutcomeCounts,
    api::{Change, ChangeKind, RunKind},
};
use sqlx::SqliteConnection;
use std::collections::BTreeMap;

/// Details are kept for so many runs of a cluster, and beyond for those that changed something.
const RUNS_WITH_DETAILS: i64 = 50;

/// No cluster's words take more room than this.
pub(super) const LONGEST_TEXT: usize = 500;

/// The run that is being recorded.
#[derive(Debug, Clone)]
pub(super) struct Current {
    /// The cluster's key.
    pub(super) cluster: i64,
    /// The run's sequence.
    pub(super) run: i64,
    /// When it finished.
    pub(super) at: i64,
    pub(super) measure: Measure,
}

/// An entry of the history, before it is written.
#[derive(Debug)]
pub(super) struct Happened {
    pub(super) item: Option<ItemId>,
    pub(super) kind: ChangeKind,
    pub(super) detail: String,
}

/// A cluster as far as recording needs it.
struct Cluster {
    key: i64,
    identity: Option<String>,
    measure: Option<Measure>,
}

pub(super) async fn record(connection: &mut SqliteConnection, run: &RunRecord) -> Answer<Recorded> {
    let cluster = find_cluster(connection, &run.cluster).await?;
    refuse_recorded(connection, run).await?;
    let (kind, cause) = judge(run, &cluster);
    let sequence = insert_run(connection, run, cluster.key, kind, cause.as_deref()).await?;
    let mut changed = false;
    let mut happened = Vec::new();
    if let (RunKind::Complete | RunKind::Partial, RunOutcome::Evaluated { items, .. }) = (kind, &run.outcome)
    {
        let current = Current {
            cluster: cluster.key,
            run: sequence,
            at: run.finished_at.timestamp_millis(),
            measure: Measure { catalogue: run.catalogue.clone(), parameters: run.parameters_digest.clone() },
        };
        if let Some(before) = &cluster.measure {
            let changes = measure_changes(before, &current.measure);
            happened.extend(changes.into_iter().map(|(kind, detail)| Happened { item: None, kind, detail }));
        }
        changed = record_items(connection, &current, items, &mut happened).await?;
        let counts = days::record(connection, &current, run.finished_at.date_naive()).await?;
        finish_run(connection, sequence, changed, counts).await?;
        update_cluster(connection, &current, run).await?;
    } else {
        sqlx::query("UPDATE cluster SET last_run = $2 WHERE id = $1")
            .bind(cluster.key)
            .bind(sequence)
            .execute(&mut *connection)
            .await?;
    }
    insert_details(connection, run, cluster.key, sequence, changed).await?;
    let changes = insert_changes(connection, run, cluster.key, sequence, happened).await?;
    let run = read_runs::by_sequence(connection, sequence).await?;
    Ok(Recorded { run, changes })
}

async fn find_cluster(connection: &mut SqliteConnection, name: &str) -> Answer<Cluster> {
    let row = sqlx::query("SELECT id, identity, catalogue, parameters FROM cluster WHERE name = $1")
        .bind(name)
        .fetch_optional(connection)
        .await?
        .ok_or_else(|| StoreError::UnknownCluster(name.to_owned()))?;
    let (catalogue, parameters) = (row.optional_text("catalogue")?, row.optional_text("parameters")?);
    Ok(Cluster {
        key: row.number("id")?,
        identity: row.optional_text("identity")?,
        measure: catalogue.zip(parameters).map(|(catalogue, parameters)| Measure { catalogue, parameters }),
    })
}

async fn refuse_recorded(connection: &mut SqliteConnection, run: &RunRecord) -> Answer<()> {
    let known: Option<i64> = sqlx::query_scalar("SELECT sequence FROM run WHERE id = $1")
        .bind(run.id.as_bytes().as_slice())
        .fetch_optional(connection)
        .await?;
    match known {
        Some(_) => Err(StoreError::DuplicateRun(run.id)),
        None => Ok(()),
    }
}

fn judge(run: &RunRecord, cluster: &Cluster) -> (RunKind, Option<String>) {
    match &run.outcome {
        RunOutcome::Unreachable { detail } => (RunKind::Unreachable, Some(detail.clone())),
        RunOutcome::Evaluated { items, gaps } => match (&cluster.identity, &run.identity) {
            (Some(known), Some(found)) if known != found => {
                let cause = format!(
                    "Another cluster answers as `{}`: the UID of its namespace kube-system is {found}, and was \
                     {known}. Nothing else was recorded. If the cluster was built anew, configure it under \
                     another name; if not, correct its address.",
                    run.cluster
                );
                (RunKind::IdentityChanged, Some(cause))
            }
            _ => completeness(gaps.iter().chain(items.iter().flat_map(|item| &item.result.evidence().gaps))),
        },
    }
}

async fn insert_run(
    connection: &mut SqliteConnection,
    run: &RunRecord,
    cluster: i64,
    kind: RunKind,
    cause: Option<&str>,
) -> Answer<i64> {
    let cause = match cause {
        Some(text) => Some(intern_cause(connection, &shortened(text, LONGEST_TEXT)).await?),
        None => None,
    };
    Ok(sqlx::query_scalar(
        "INSERT INTO run (id, cluster, kind, started_at, finished_at, changed, cause)
         VALUES ($1, $2, $3, $4, $5, FALSE, $6) RETURNING sequence",
    )
    .bind(run.id.as_bytes().as_slice())
    .bind(cluster)
    .bind(to_word(kind)?)
    .bind(run.started_at.timestamp_millis())
    .bind(run.finished_at.timestamp_millis())
    .bind(cause)
    .fetch_one(connection)
    .await?)
}

async fn intern_cause(connection: &mut SqliteConnection, text: &str) -> Answer<i64> {
    let known: Option<i64> = sqlx::query_scalar("SELECT id FROM cause WHERE text = $1")
        .bind(text)
        .fetch_optional(&mut *connection)
        .await?;
    match known {
        Some(key) => Ok(key),
        None => Ok(sqlx::query_scalar("INSERT INTO cause (text) VALUES ($1) RETURNING id")
            .bind(text)
            .fetch_one(connection)
            .await?),
    }
}

/// Records every item and tells whether any state or finding changed.
async fn record_items(
    connection: &mut SqliteConnection,
    current: &Current,
    items: &[EvaluatedItem],
    happened: &mut Vec<Happened>,
) -> Answer<bool> {
    let mut by_id = BTreeMap::new();
    for item in items {
        if by_id.insert(item.result.id(), item).is_some() {
            return Err(StoreError::DuplicateItem(item.result.id()));
        }
    }
    let latest = items::latest(connection, current.cluster).await?;
    let mut changed = false;
    for (id, item) in by_id {
        let previous = latest.get(&id);
        let mut of_findings = Vec::new();
        let findings = findings::record(
            connection,
            current,
            &item.result,
            previous.map(|previous| previous.evaluated_at),
            &mut of_findings,
        )
        .await?;
        changed |= findings.changed;
        changed |= items::record(connection, current, previous, &item.result, &findings, happened).await?;
        happened.append(&mut of_findings);
        items::record_remediation(connection, current, id, &item.remediation).await?;
    }
    Ok(changed)
}

async fn finish_run(
    connection: &mut SqliteConnection,
    sequence: i64,
    changed: bool,
    counts: OutcomeCounts,
) -> Answer<()> {
    sqlx::query(
        "UPDATE run SET changed = $2, pass = $3, fail = $4, unknown = $5, not_applicable = $6
         WHERE sequence = $1",
    )
    .bind(sequence)
    .bind(changed)
    .bind(counts.pass)
    .bind(counts.fail)
    .bind(counts.unknown)
    .bind(counts.not_applicable)
    .execute(connection)
    .await?;
    Ok(())
}

/// What a run could not see of the cluster itself stays as an earlier one saw it.
async fn update_cluster(connection: &mut SqliteConnection, current: &Current, run: &RunRecord) -> Answer<()> {
    sqlx::query(
        "UPDATE cluster SET identity = coalesce(identity, $2), version = coalesce($3, version),
             distribution = coalesce($4, distribution), catalogue = $5, parameters = $6,
             last_run = $7, last_completed_run = $7
         WHERE id = $1",
    )
    .bind(current.cluster)
    .bind(&run.identity)
    .bind(&run.version)
    .bind(&run.distribution)
    .bind(&current.measure.catalogue)
    .bind(&current.measure.parameters)
    .bind(current.run)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) const PRUNE: &str = "
    DELETE FROM run_detail WHERE NOT changed AND cluster = $1 AND run <=
        (SELECT sequence FROM run WHERE cluster = $1 ORDER BY sequence DESC LIMIT 1 OFFSET $2)";

async fn insert_details(
    connection: &mut SqliteConnection,
    run: &RunRecord,
    cluster: i64,
    sequence: i64,
    changed: bool,
) -> Answer<()> {
    sqlx::query("INSERT INTO run_detail (run, cluster, changed, details) VALUES ($1, $2, $3, $4)")
        .bind(sequence)
        .bind(cluster)
        .bind(changed)
        .bind(serde_json::to_string(&run.details)?)
        .execute(&mut *connection)
        .await?;
    sqlx::query(PRUNE).bind(cluster).bind(RUNS_WITH_DETAILS).execute(connection).await?;
    Ok(())
}

async fn insert_changes(
    connection: &mut SqliteConnection,
    run: &RunRecord,
    cluster: i64,
    sequence: i64,
    happened: Vec<Happened>,
) -> Answer<Vec<Change>> {
    let at = run.finished_at.timestamp_millis();
    let mut changes = Vec::with_capacity(happened.len());
    for Happened { item, kind, detail } in happened {
        let detail = shortened(&detail, LONGEST_TEXT);
        sqlx::query(
            "INSERT INTO change (run, at, cluster, item, kind, detail) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(sequence)
        .bind(at)
        .bind(cluster)
        .bind(item.map(ItemId::as_str))
        .bind(to_word(kind)?)
        .bind(&detail)
        .execute(&mut *connection)
        .await?;
        changes.push(Change { at: time(at)?, run: run.id, cluster: run.cluster.clone(), item, kind, detail });
    }
    Ok(changes)
}
