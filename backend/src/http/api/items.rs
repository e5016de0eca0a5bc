//! The items of a cluster.

use super::{SPARKLINE_DAYS, clusters};
use crate::http::{
    App,
    extract::{ClusterItem, ClusterName, Visible},
    problem::ApiError,
};
use axum::{Json, extract::State};
use chrono::TimeDelta;
use rampart_shared::api::{ClusterItems, ItemDetail, Problem};
use rampart_store::History;

/// How far back the outcomes of an item are told.
const HISTORY_DAYS: i64 = 90;

/// Every item of a cluster, in the checklist's order.
#[utoipa::path(
    get, path = "/clusters/{cluster}/items", tag = "items",
    params(("cluster" = String, Path, description = "The cluster's name")),
    responses(
        (status = 200, body = ClusterItems),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn items(
    State(app): State<App>,
    Visible(scope): Visible,
    ClusterName(cluster): ClusterName,
) -> Result<Json<ClusterItems>, ApiError> {
    let mut items = app.store.cluster_items(&scope, &cluster, SPARKLINE_DAYS, app.now()).await?;
    clusters::add_schedule(&app, &mut items.cluster);
    Ok(Json(items))
}

/// One item of a cluster: its texts, its state, and its outcomes of the last ninety days.
#[utoipa::path(
    get, path = "/clusters/{cluster}/items/{item}", tag = "items",
    params(
        ("cluster" = String, Path, description = "The cluster's name"),
        ("item" = String, Path, description = "The item's identifier")
    ),
    responses(
        (status = 200, body = ItemDetail),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn item(
    State(app): State<App>,
    Visible(scope): Visible,
    ClusterItem { cluster, item }: ClusterItem,
) -> Result<Json<ItemDetail>, ApiError> {
    let now = app.now();
    let documentation = rampart_checklist::documentation_of(item)
        .ok_or_else(|| ApiError::not_found(format!("This version does not evaluate the item `{item}`.")))?;
    let mut summary = app.store.cluster(&scope, &cluster, SPARKLINE_DAYS, now).await?;
    clusters::add_schedule(&app, &mut summary);
    let state = app.store.item_state(&scope, &cluster, item, now).await?;
    let since = now - TimeDelta::days(HISTORY_DAYS);
    let history = app.store.outcome_history(&scope, &cluster, item, since).await?;
    Ok(Json(ItemDetail { cluster: summary, documentation, state, history }))
}
