//! What would turn an item of a cluster green.

use super::selection;
use crate::http::{
    App,
    extract::{ClusterItem, Visible},
    problem::ApiError,
};
use axum::{
    Json,
    extract::{RawQuery, State},
};
use rampart_checklist::export::{self, Plan, Selection};
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
        ("item" = String, Path, description = "The item's identifier"),
        ("stage" = Option<RemediationStage>, Query, description = "The stage; enforce by default"),
        ("choice.NAME" = Option<String>, Query, description = "The answer to an input, for each")
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
    RawQuery(query): RawQuery,
) -> Result<Json<RemediationView>, ApiError> {
    let selection = selection::of_query(query.as_deref())?;
    Ok(Json(view(&app, &scope, &cluster, item, &selection).await?))
}

/// How many documents the page shows; the download has all.
const SHOWN: usize = 100;

/// How many exports are told.
const EXPORTS: u32 = 20;

async fn view(
    app: &App,
    scope: &ClusterScope,
    cluster: &str,
    item: ItemId,
    selection: &Selection,
) -> Result<RemediationView, ApiError> {
    let StoredRemediation { remediation, made_at } = stored(app, scope, cluster, item).await?;
    let plan = Plan::new(cluster, [&remediation], selection);
    let mut counts: BTreeMap<(RemediationStage, RemediationTarget), u32> = BTreeMap::new();
    for document in &remediation.documents {
        *counts.entry((document.stage, document.target)).or_default() += 1;
    }
    Ok(RemediationView {
        item,
        yaml: export::yaml(&plan, SHOWN),
        more: u32::try_from(plan.documents().saturating_sub(SHOWN)).unwrap_or(u32::MAX),
        changes: remediation.changes,
        may_break: remediation.may_break,
        undo: remediation.undo,
        inputs: remediation.inputs,
        documents: counts
            .into_iter()
            .map(|((stage, target), documents)| DocumentCount { stage, target, documents })
            .collect(),
        stage: selection.stage,
        remaining: remediation.remaining,
        tables: remediation.tables,
        simulation: remediation.simulation,
        exports: app.store.exports(scope, cluster, item, EXPORTS).await?,
        verified: app.store.verified(scope, cluster, item).await?,
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
