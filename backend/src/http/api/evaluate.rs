//! Evaluating now.

use crate::http::{
    App,
    extract::{ClusterName, Visible},
    problem::ApiError,
};
use axum::{Json, extract::State, http::StatusCode};
use rampart_shared::api::{EvaluationAccepted, Problem};

/// Evaluates a cluster now. If it is being evaluated already, that run is joined.
#[utoipa::path(
    post, path = "/clusters/{cluster}/evaluate", tag = "evaluation",
    params(("cluster" = String, Path, description = "The cluster's name")),
    responses(
        (status = 202, body = EvaluationAccepted),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn evaluate(
    State(app): State<App>,
    Visible(scope): Visible,
    ClusterName(cluster): ClusterName,
) -> Result<(StatusCode, Json<EvaluationAccepted>), ApiError> {
    if !scope.sees(&cluster) {
        return Err(rampart_store::StoreError::UnknownCluster(cluster).into());
    }
    Ok((StatusCode::ACCEPTED, Json(app.scheduler.evaluate(&cluster)?)))
}

/// Evaluates every cluster now.
#[utoipa::path(
    post, path = "/evaluate", tag = "evaluation",
    responses(
        (status = 202, body = Vec<EvaluationAccepted>),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn evaluate_all(
    State(app): State<App>,
    Visible(scope): Visible,
) -> Result<(StatusCode, Json<Vec<EvaluationAccepted>>), ApiError> {
    let clusters = app.scheduler.clusters().filter(|cluster| scope.sees(cluster));
    let accepted = clusters.map(|cluster| app.scheduler.evaluate(cluster)).collect::<Result<_, _>>()?;
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}
