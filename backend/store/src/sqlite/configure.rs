//! Which clusters are configured.

use super::{
    Answer,
    values::{names, to_word},
};
use crate::{ClusterRegistration, ClusterScope, IdentityConflict, StoreError};
use sqlx::SqliteConnection;
use std::{collections::BTreeMap, time::Duration};

/// So that three intervals, added to any time, stay a time.
const LONGEST_INTERVAL: Duration = Duration::from_secs(100 * 366 * 86_400);

pub(super) async fn upsert(connection: &mut SqliteConnection, cluster: &ClusterRegistration) -> Answer<()> {
    let interval = Some(cluster.interval)
        .filter(|interval| *interval <= LONGEST_INTERVAL)
        .and_then(|interval| i64::try_from(interval.as_millis()).ok())
        .filter(|millis| *millis > 0)
        .ok_or_else(|| StoreError::InvalidInterval(cluster.name.clone()))?;
    sqlx::query(
        "INSERT INTO cluster (name, labels, source, interval_ms, active) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (name) DO UPDATE SET labels = excluded.labels, source = excluded.source,
             interval_ms = excluded.interval_ms, active = excluded.active",
    )
    .bind(&cluster.name)
    .bind(serde_json::to_string(&cluster.labels)?)
    .bind(to_word(cluster.source)?)
    .bind(interval)
    .bind(cluster.active)
    .execute(connection)
    .await?;
    Ok(())
}

pub(super) async fn replace(
    connection: &mut SqliteConnection,
    clusters: &[ClusterRegistration],
) -> Answer<()> {
    sqlx::query("UPDATE cluster SET active = FALSE WHERE active").execute(&mut *connection).await?;
    for cluster in clusters {
        upsert(connection, cluster).await?;
    }
    Ok(())
}

pub(super) async fn identity_conflicts(
    connection: &mut SqliteConnection,
    scope: &ClusterScope,
) -> Answer<Vec<IdentityConflict>> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT c.identity, c.name FROM cluster c
         WHERE c.identity IS NOT NULL AND c.active
           AND ($1 IS NULL OR c.name IN (SELECT value FROM json_each($1)))
         ORDER BY c.name",
    )
    .bind(names(scope)?)
    .fetch_all(connection)
    .await?;
    let mut clusters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (identity, name) in rows {
        clusters.entry(identity).or_default().push(name);
    }
    Ok(clusters
        .into_iter()
        .filter(|(_, clusters)| clusters.len() > 1)
        .map(|(identity, clusters)| IdentityConflict { identity, clusters })
        .collect())
}
