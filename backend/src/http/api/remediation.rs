//! What would turn an item of a cluster green.

use crate::http::{
    App,
    extract::{ClusterItem, Visible},
    problem::ApiError,
};
use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use rampart_checklist::export::{self, Selection};
use rampart_shared::{
    ItemId, RemediationStage, RemediationTarget,
    api::{DocumentCount, Problem, RemediationView},
};
use rampart_store::{ClusterScope, History, StoredRemediation};
use std::collections::BTreeMap;

/// What would turn the item green, as the last evaluation made it.
#[utoipa::path(
    get, path = "/clusters/{cluster}/items/{item}/remediation", tag = "remediation",
    params(
        ("cluster" = String, Path, description = "The cluster's name"),
        ("item" = String, Path, description = "The item's identifier")
    ),
    responses(
        (status = 200, body = RemediationView),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn remediation(
    State(app): State<App>,
    Visible(scope): Visible,
    ClusterItem { cluster, item }: ClusterItem,
) -> Result<Json<RemediationView>, ApiError> {
    Ok(Json(view(&app, &scope, &cluster, item).await?))
}

/// The same as a file.
#[utoipa::path(
    get, path = "/clusters/{cluster}/items/{item}/remediation.yaml", tag = "remediation",
    params(
        ("cluster" = String, Path, description = "The cluster's name"),
        ("item" = String, Path, description = "The item's identifier")
    ),
    responses(
        (status = 200, body = String, content_type = "application/yaml"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn remediation_yaml(
    State(app): State<App>,
    Visible(scope): Visible,
    ClusterItem { cluster, item }: ClusterItem,
) -> Result<Response, ApiError> {
    let StoredRemediation { remediation, .. } = stored(&app, &scope, &cluster, item).await?;
    let yaml = export::yaml(&cluster, &remediation, &Selection::default(), usize::MAX);
    let disposition = format!("attachment; filename=\"{}\"", file_name(&cluster, item));
    let headers =
        [(header::CONTENT_TYPE, "application/yaml".to_owned()), (header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, yaml).into_response())
}

/// How many documents the page shows; the download has all.
const SHOWN: usize = 100;

async fn view(
    app: &App,
    scope: &ClusterScope,
    cluster: &str,
    item: ItemId,
) -> Result<RemediationView, ApiError> {
    let StoredRemediation { remediation, made_at } = stored(app, scope, cluster, item).await?;
    let selection = Selection::default();
    let yaml = export::yaml(cluster, &remediation, &selection, SHOWN);
    let of_stage = remediation.of_stage(selection.stage).count();
    let mut counts: BTreeMap<(RemediationStage, RemediationTarget), u32> = BTreeMap::new();
    for document in &remediation.documents {
        *counts.entry((document.stage, document.target)).or_default() += 1;
    }
    Ok(RemediationView {
        item,
        changes: remediation.changes,
        may_break: remediation.may_break,
        undo: remediation.undo,
        inputs: remediation.inputs,
        documents: counts
            .into_iter()
            .map(|((stage, target), documents)| DocumentCount { stage, target, documents })
            .collect(),
        stage: selection.stage,
        yaml,
        more: u32::try_from(of_stage.saturating_sub(SHOWN)).unwrap_or(u32::MAX),
        remaining: remediation.remaining,
        tables: remediation.tables,
        simulation: remediation.simulation,
        exports: Vec::new(),
        verified: None,
        made_at,
    })
}

pub(super) async fn stored(
    app: &App,
    scope: &ClusterScope,
    cluster: &str,
    item: ItemId,
) -> Result<StoredRemediation, ApiError> {
    app.store.remediation(scope, cluster, item).await?.ok_or_else(|| {
        ApiError::not_found(format!(
            "`{cluster}` has not been evaluated yet, so there is no remediation for {item}."
        ))
    })
}

/// A name that every file system takes, whatever the cluster is called.
fn file_name(cluster: &str, item: ItemId) -> String {
    let safe: String = cluster
        .chars()
        .take(80)
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' })
        .collect();
    format!("{}-{item}.yaml", safe.trim_matches('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_safe() {
        assert_eq!(file_name("prod", ItemId::DefaultDeny), "prod-default-deny.yaml");
        assert_eq!(file_name("../\"ü\r\nx", ItemId::EtcdTls), "x-etcd-tls.yaml");
    }
}
