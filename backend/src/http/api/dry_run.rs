//! What the API server would say to a remediation.

use super::{remediation::stored, selection};
use crate::http::{
    App,
    extract::{ClusterItem, Visible},
    problem::ApiError,
};
use axum::{
    Json,
    extract::{RawQuery, State},
    http::StatusCode,
};
use rampart_checklist::export::Plan;
use rampart_cluster::live;
use rampart_shared::{
    RemediationStage,
    api::{DryRun, Problem},
};
use serde_json::Value;
use std::time::Duration;

/// Objects of one request; more take longer than a person waits.
const OBJECTS: usize = 200;
const TIME: Duration = Duration::from_secs(50);

/// Asks the API server, in server-side dry runs with strict field validation, whether it would take the documents. It is
/// asked as the identity that the configuration names for that, which reading does not use.
#[utoipa::path(
    post, path = "/clusters/{cluster}/items/{item}/remediation/dry-run", tag = "remediation",
    params(
        ("cluster" = String, Path, description = "The cluster's name"),
        ("item" = String, Path, description = "The item's identifier"),
        ("stage" = Option<RemediationStage>, Query, description = "The stage; enforce by default"),
        ("choice.NAME" = Option<String>, Query, description = "The answer to an input, for each")
    ),
    responses(
        (status = 200, body = DryRun),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn dry_run(
    State(app): State<App>,
    Visible(scope): Visible,
    ClusterItem { cluster, item }: ClusterItem,
    RawQuery(query): RawQuery,
) -> Result<Json<DryRun>, ApiError> {
    let remediation = stored(&app, &scope, &cluster, item).await?.remediation;
    let Some(access) = app.dry_run_access.get(&cluster) else {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            format!(
                "No identity may try remediations on `{cluster}`. Give one in rampart.toml, under its [[cluster]]: \
                 remediation_dry_run = {{ context = \"NAME\" }}. `rampart rbac --remediation-dry-run` prints what it has to be \
                 allowed."
            ),
        ));
    };
    let selection = selection::of_query(query.as_deref())?;
    // What is tried is what would be exported.
    let plan = Plan::new(&cluster, [&remediation], &selection);
    let objects: Vec<&Value> = plan.applied_objects().collect();
    let more = u32::try_from(objects.len().saturating_sub(OBJECTS)).unwrap_or(u32::MAX);
    let connection = access.connect().await.map_err(|error| {
        ApiError::new(StatusCode::BAD_GATEWAY, format!("The identity cannot be used: {error}."))
    })?;
    let at = app.now();
    let asked = &objects[..objects.len().min(OBJECTS)];
    Ok(Json(DryRun { at, answers: live::dry_run(&connection, asked, TIME).await, more }))
}
