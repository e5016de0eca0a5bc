//! Writing the lives of findings. A finding that a run sees again as it was costs no row.

use super::{
    Answer,
    record::{Current, Happened},
    values::{Columns, from_word},
};
use crate::StoreError;
use crate::rules::{absence_resolves, describe, digest, name_of};
use rampart_shared::{Finding, ItemId, ItemResult, RestsOn, Scope, Subject, api::ChangeKind};
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use std::collections::{BTreeMap, btree_map::Entry};

/// How an item's findings stand after a run.
#[derive(Debug, Default)]
pub(super) struct FindingsRecorded {
    /// Whether any of them changed.
    pub(super) changed: bool,
    /// Open and seen, in application scope.
    pub(super) open: u32,
    /// Open and not confirmed, in application scope.
    pub(super) unconfirmed: u32,
    /// Open or unconfirmed, in system scope.
    pub(super) system: u32,
}

/// A row of a finding that stands.
struct Standing {
    key: i64,
    content: String,
    digest: String,
    scope: Scope,
    unconfirmed: bool,
    /// JSON: of most findings nobody needs it.
    rests_on: String,
}

/// Records an item's findings. `seen_before` is when its previous evaluation finished: that is when those that
/// are confirmed were seen last.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    current: &Current,
    result: &ItemResult,
    seen_before: Option<i64>,
    happened: &mut Vec<Happened>,
) -> Answer<FindingsRecorded> {
    let item = result.id();
    let mut happen = |kind, detail| happened.push(Happened { item: Some(item), kind, detail });
    let mut seen = by_fingerprint(result);
    let mut recorded = FindingsRecorded::default();
    for (fingerprint, standing) in standing(connection, current.cluster, item).await? {
        if let Some(finding) = seen.remove(fingerprint.as_str()) {
            recorded.count(finding.scope, false);
            if standing.unconfirmed {
                confirm(connection, standing.key).await?;
                recorded.changed = true;
            }
            if standing.digest != digest(finding)? {
                let before = observed(connection, standing.key).await?;
                rewrite(connection, standing.key, finding).await?;
                if standing.content != finding.content {
                    happen(ChangeKind::FindingChanged, format!("{} (was {before})", describe(finding)));
                    recorded.changed = true;
                }
            }
        } else if absence_resolves(&standing.rests_on()?, &result.evidence().gaps) {
            let finding = resolve(connection, current, standing.key, seen_before).await?;
            happen(ChangeKind::FindingResolved, describe(&finding));
            recorded.changed = true;
        } else {
            recorded.count(standing.scope, true);
            if !standing.unconfirmed {
                leave_unconfirmed(connection, current, standing.key, seen_before).await?;
                recorded.changed = true;
            }
        }
    }
    // In the order of the result, so that the history reads as the findings do.
    for finding in &result.evidence().findings {
        if seen.remove(finding.fingerprint.0.as_str()).is_none() {
            continue;
        }
        let first_seen = continue_resolved(connection, current.cluster, item, finding).await?;
        insert(connection, current, item, finding, first_seen).await?;
        let kind = match first_seen {
            Some(_) => ChangeKind::FindingReopened,
            None => ChangeKind::FindingOpened,
        };
        happen(kind, describe(finding));
        recorded.count(finding.scope, false);
        recorded.changed = true;
    }
    Ok(recorded)
}

impl Standing {
    fn rests_on(&self) -> Answer<Vec<RestsOn>> {
        serde_json::from_str(&self.rests_on)
            .map_err(|_| StoreError::Unreadable { what: "rests_on", value: self.rests_on.clone() })
    }
}

impl FindingsRecorded {
    fn count(&mut self, scope: Scope, unconfirmed: bool) {
        *match (scope, unconfirmed) {
            (Scope::Application, false) => &mut self.open,
            (Scope::Application, true) => &mut self.unconfirmed,
            (Scope::System, _) => &mut self.system,
        } += 1;
    }
}

/// Two findings of one fingerprint are a mistake of an item; the first counts, so that one item's mistake does
/// not cost the whole run.
fn by_fingerprint(result: &ItemResult) -> BTreeMap<&str, &Finding> {
    let mut seen = BTreeMap::new();
    for finding in &result.evidence().findings {
        match seen.entry(finding.fingerprint.0.as_str()) {
            Entry::Vacant(entry) => {
                entry.insert(finding);
            }
            Entry::Occupied(first) => tracing::warn!(
                item = %result.id(),
                fingerprint = %finding.fingerprint,
                first = name_of(first.get()),
                second = name_of(finding),
                "two findings of one item have the same fingerprint"
            ),
        }
    }
    seen
}

pub(super) const STANDING: &str = "
    SELECT id, fingerprint, content, digest, scope, rests_on, unconfirmed_since IS NOT NULL AS unconfirmed
    FROM finding WHERE cluster = $1 AND item = $2 AND resolved_at IS NULL";

async fn standing(
    connection: &mut SqliteConnection,
    cluster: i64,
    item: ItemId,
) -> Answer<BTreeMap<String, Standing>> {
    let rows: Vec<(i64, String, String, String, String, String, bool)> =
        sqlx::query_as(STANDING).bind(cluster).bind(item.as_str()).fetch_all(connection).await?;
    rows.into_iter()
        .map(|(key, fingerprint, content, digest, scope, rests_on, unconfirmed)| {
            let scope = from_word("scope", &scope)?;
            Ok((fingerprint, Standing { key, content, digest, scope, unconfirmed, rests_on }))
        })
        .collect()
}

async fn confirm(connection: &mut SqliteConnection, key: i64) -> Answer<()> {
    sqlx::query(
        "UPDATE finding SET unconfirmed_run = NULL, unconfirmed_since = NULL, last_seen = NULL WHERE id = $1",
    )
    .bind(key)
    .execute(connection)
    .await?;
    Ok(())
}

async fn observed(connection: &mut SqliteConnection, key: i64) -> Answer<String> {
    Ok(sqlx::query_scalar("SELECT observed FROM finding WHERE id = $1")
        .bind(key)
        .fetch_one(connection)
        .await?)
}

async fn rewrite(connection: &mut SqliteConnection, key: i64, finding: &Finding) -> Answer<()> {
    sqlx::query(
        "UPDATE finding SET content = $2, digest = $3, rule = $4, scope = $5, api_version = $6, kind = $7,
             namespace = $8, name = $9, path = $10, observed = $11, expected = $12, note = $13, rests_on = $14
         WHERE id = $1",
    )
    .bind(key)
    .bind(&finding.content)
    .bind(digest(finding)?)
    .bind(&finding.rule)
    .bind(finding.scope.as_str())
    .bind(&finding.subject.api_version)
    .bind(&finding.subject.kind)
    .bind(&finding.subject.namespace)
    .bind(&finding.subject.name)
    .bind(&finding.path)
    .bind(&finding.observed)
    .bind(&finding.expected)
    .bind(&finding.note)
    .bind(serde_json::to_string(&finding.rests_on)?)
    .execute(connection)
    .await?;
    Ok(())
}

async fn resolve(
    connection: &mut SqliteConnection,
    current: &Current,
    key: i64,
    seen_before: Option<i64>,
) -> Answer<Finding> {
    let row = sqlx::query(
        "UPDATE finding SET resolved_run = $2, resolved_at = $3, last_seen = coalesce(last_seen, $4),
             unconfirmed_run = NULL, unconfirmed_since = NULL
         WHERE id = $1 RETURNING *",
    )
    .bind(key)
    .bind(current.run)
    .bind(current.at)
    .bind(seen_before)
    .fetch_one(connection)
    .await?;
    finding_of(&row)
}

async fn leave_unconfirmed(
    connection: &mut SqliteConnection,
    current: &Current,
    key: i64,
    seen_before: Option<i64>,
) -> Answer<()> {
    sqlx::query(
        "UPDATE finding SET unconfirmed_run = $2, unconfirmed_since = $3, last_seen = $4 WHERE id = $1",
    )
    .bind(key)
    .bind(current.run)
    .bind(current.at)
    .bind(seen_before)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) const CONTINUE: &str = "
    UPDATE finding SET superseded = TRUE
    WHERE cluster = $1 AND item = $2 AND fingerprint = $3 AND NOT superseded RETURNING first_seen";

/// When a resolved finding of this fingerprint was first seen; its row is marked as continued.
async fn continue_resolved(
    connection: &mut SqliteConnection,
    cluster: i64,
    item: ItemId,
    finding: &Finding,
) -> Answer<Option<i64>> {
    Ok(sqlx::query_scalar(CONTINUE)
        .bind(cluster)
        .bind(item.as_str())
        .bind(&finding.fingerprint.0)
        .fetch_optional(connection)
        .await?)
}

async fn insert(
    connection: &mut SqliteConnection,
    current: &Current,
    item: ItemId,
    finding: &Finding,
    first_seen: Option<i64>,
) -> Answer<()> {
    sqlx::query(
        "INSERT INTO finding (cluster, item, fingerprint, content, digest, rule, scope, api_version, kind,
             namespace, name, path, observed, expected, note, rests_on, first_seen, opened_run, opened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
    )
    .bind(current.cluster)
    .bind(item.as_str())
    .bind(&finding.fingerprint.0)
    .bind(&finding.content)
    .bind(digest(finding)?)
    .bind(&finding.rule)
    .bind(finding.scope.as_str())
    .bind(&finding.subject.api_version)
    .bind(&finding.subject.kind)
    .bind(&finding.subject.namespace)
    .bind(&finding.subject.name)
    .bind(&finding.path)
    .bind(&finding.observed)
    .bind(&finding.expected)
    .bind(&finding.note)
    .bind(serde_json::to_string(&finding.rests_on)?)
    .bind(first_seen.unwrap_or(current.at))
    .bind(current.run)
    .bind(current.at)
    .execute(connection)
    .await?;
    Ok(())
}

/// The finding that a row of `finding` holds.
pub(super) fn finding_of(row: &SqliteRow) -> Answer<Finding> {
    Ok(Finding {
        fingerprint: rampart_shared::Fingerprint(row.text("fingerprint")?),
        content: row.text("content")?,
        rule: row.text("rule")?,
        scope: row.word("scope")?,
        subject: Subject {
            api_version: row.text("api_version")?,
            kind: row.text("kind")?,
            namespace: row.optional_text("namespace")?,
            name: row.text("name")?,
        },
        path: row.text("path")?,
        observed: row.text("observed")?,
        expected: row.text("expected")?,
        note: row.optional_text("note")?,
        rests_on: row.json("rests_on")?,
    })
}
