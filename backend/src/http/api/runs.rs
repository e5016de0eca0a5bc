//! The runs.

use crate::{
    evaluation::RunReading,
    http::{
        App,
        extract::{ClusterName, Parameters, Visible, within},
        problem::ApiError,
    },
};
use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use rampart_shared::api::{Problem, RunPage, RunSummary};
use rampart_store::{ClusterScope, History};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which page of runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PageParameters {
    /// At most so many, 1 to 500; 50 when nothing is said.
    limit: Option<u32>,
    /// Those before this sequence.
    before: Option<i64>,
}

/// Which runs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunParameters {
    /// Of this cluster; of all when nothing is said.
    cluster: Option<String>,
    /// At most so many, 1 to 500; 50 when nothing is said.
    limit: Option<u32>,
    /// Those before this sequence.
    before: Option<i64>,
}

/// A run with what it read.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RunWithReading {
    /// The run.
    #[serde(flatten)]
    run: RunSummary,
    /// What it read; none of an unreachable cluster, and when the run is old and changed nothing.
    reading: Option<RunReading>,
}

/// Runs of all clusters or of one, newest first.
#[utoipa::path(
    get, path = "/runs", tag = "history", params(RunParameters),
    responses(
        (status = 200, body = RunPage),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn runs(
    State(app): State<App>,
    Visible(scope): Visible,
    Parameters(RunParameters { cluster, limit, before }): Parameters<RunParameters>,
) -> Result<Json<RunPage>, ApiError> {
    page(&app, &scope, cluster.as_deref(), &PageParameters { limit, before }).await
}

/// Runs of a cluster, newest first.
#[utoipa::path(
    get, path = "/clusters/{cluster}/runs", tag = "history",
    params(("cluster" = String, Path, description = "The cluster's name"), PageParameters),
    responses(
        (status = 200, body = RunPage),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn runs_of_cluster(
    State(app): State<App>,
    Visible(scope): Visible,
    ClusterName(cluster): ClusterName,
    Parameters(parameters): Parameters<PageParameters>,
) -> Result<Json<RunPage>, ApiError> {
    page(&app, &scope, Some(&cluster), &parameters).await
}

/// One run, with what it read.
#[utoipa::path(
    get, path = "/runs/{run}", tag = "history",
    params(("run" = Uuid, Path, description = "The run's identifier")),
    responses(
        (status = 200, body = RunWithReading),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn run(
    State(app): State<App>,
    Visible(scope): Visible,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Json<RunWithReading>, ApiError> {
    let Path(id) = id.map_err(|rejection| ApiError::bad_request(format!("{}.", rejection.body_text())))?;
    let found = app.store.run_details(&scope, id).await?;
    let found = found
        .ok_or_else(|| ApiError::not_found(format!("There is no run {id}. It may not have ended yet.")))?;
    // Details that another version wrote in another form are as good as pruned.
    let reading = found.details.and_then(|details| serde_json::from_value(details).ok());
    Ok(Json(RunWithReading { run: found.run, reading }))
}

async fn page(
    app: &App,
    scope: &ClusterScope,
    cluster: Option<&str>,
    parameters: &PageParameters,
) -> Result<Json<RunPage>, ApiError> {
    let limit = within("limit", parameters.limit, 50, 1..=500)?;
    Ok(Json(app.store.runs(scope, cluster, limit, parameters.before).await?))
}
