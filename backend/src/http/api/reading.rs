//! What was read from a cluster.

use super::{SPARKLINE_DAYS, clusters};
use crate::{
    evaluation::RunReading,
    http::{
        App,
        extract::{ClusterName, Visible},
        problem::ApiError,
    },
};
use axum::{Json, extract::State};
use rampart_shared::api::{ClusterReading, Problem};
use rampart_store::History;

/// What the last completed run of a cluster read, for those who own the cluster.
#[utoipa::path(
    get, path = "/clusters/{cluster}/reading", tag = "clusters",
    params(("cluster" = String, Path, description = "The cluster's name")),
    responses(
        (status = 200, body = ClusterReading),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn reading(
    State(app): State<App>,
    Visible(scope): Visible,
    ClusterName(name): ClusterName,
) -> Result<Json<ClusterReading>, ApiError> {
    let mut cluster = app.store.cluster(&scope, &name, SPARKLINE_DAYS, app.now()).await?;
    clusters::add_schedule(&app, &mut cluster);
    let found = match app.store.last_completed_run(&scope, &name).await? {
        Some(run) => app.store.run_details(&scope, run.id).await?,
        None => None,
    };
    // Details that another version wrote in another form are as good as pruned.
    let kept = found.and_then(|found| {
        let reading: RunReading = serde_json::from_value(found.details?).ok()?;
        Some((found.run, reading))
    });
    let (run, reading) = kept.map_or((None, RunReading::default()), |(run, reading)| (Some(run), reading));
    let RunReading { kinds, not_served, gaps, problems, .. } = reading;
    Ok(Json(ClusterReading { cluster, run, kinds, not_served, gaps, problems }))
}
