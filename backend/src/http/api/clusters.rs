//! The clusters.

use super::SPARKLINE_DAYS;
use crate::http::{App, extract::Visible, problem::ApiError};
use axum::{Json, extract::State};
use rampart_shared::api::{ClusterSummary, Problem};
use rampart_store::History;

/// Every cluster, by name.
#[utoipa::path(
    get, path = "/clusters", tag = "clusters",
    responses(
        (status = 200, body = Vec<ClusterSummary>),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn clusters(
    State(app): State<App>,
    Visible(scope): Visible,
) -> Result<Json<Vec<ClusterSummary>>, ApiError> {
    let mut clusters = app.store.overview(&scope, SPARKLINE_DAYS, app.now()).await?.clusters;
    for cluster in &mut clusters {
        add_schedule(&app, cluster);
    }
    Ok(Json(clusters))
}

/// Adds what the scheduler knows.
pub(super) fn add_schedule(app: &App, cluster: &mut ClusterSummary) {
    let status = app.scheduler.status(&cluster.name);
    cluster.next_evaluation_at = status.next_evaluation_at;
    cluster.running = status.running;
}
