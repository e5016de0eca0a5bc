//! The fleet at a glance.

use super::{SPARKLINE_DAYS, clusters};
use crate::http::{App, extract::Visible, problem::ApiError};
use axum::{Json, extract::State};
use rampart_shared::api::{Overview, Problem};
use rampart_store::{ClusterScope, History};

/// All clusters with the outcome of every item, and the score over all of them.
#[utoipa::path(
    get, path = "/overview", tag = "clusters",
    responses(
        (status = 200, body = Overview),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn overview(
    State(app): State<App>,
    Visible(scope): Visible,
) -> Result<Json<Overview>, ApiError> {
    let mut overview = app.store.overview(&scope, SPARKLINE_DAYS, app.now()).await?;
    for cluster in &mut overview.clusters {
        clusters::add_schedule(&app, cluster);
    }
    overview.advice = advice(&app, &scope, &overview).await?;
    Ok(Json(overview))
}

/// What a person should do about the fleet itself.
async fn advice(app: &App, scope: &ClusterScope, overview: &Overview) -> Result<Option<String>, ApiError> {
    if overview.clusters.is_empty() {
        return Ok(app.advice.as_deref().map(str::to_owned));
    }
    let conflicts = app.store.identity_conflicts(scope).await?;
    let sentences: Vec<_> = conflicts
        .iter()
        .map(|conflict| {
            format!(
                "{} are one cluster: it counts more than once. Remove all but one name.",
                conflict.clusters.join(" and ")
            )
        })
        .collect();
    Ok((!sentences.is_empty()).then(|| sentences.join(" ")))
}
