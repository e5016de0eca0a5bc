//! What changed.

use crate::http::{
    App,
    extract::{Parameters, Visible, item, within},
    problem::ApiError,
};
use axum::{Json, extract::State};
use chrono::TimeDelta;
use rampart_shared::api::{Changes, Problem};
use rampart_store::{ChangeFilter, History};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ChangeParameters {
    /// Of so many days, 1 to 3660; 7 when nothing is said.
    days: Option<u32>,
    /// Of this cluster; of all when nothing is said.
    cluster: Option<String>,
    /// Of this item; of all when nothing is said.
    item: Option<String>,
    /// At most so many, 1 to 1000; 100 when nothing is said.
    limit: Option<u32>,
}

/// What changed, newest first.
#[utoipa::path(
    get, path = "/changes", tag = "history", params(ChangeParameters),
    responses(
        (status = 200, body = Changes),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn changes(
    State(app): State<App>,
    Visible(scope): Visible,
    Parameters(parameters): Parameters<ChangeParameters>,
) -> Result<Json<Changes>, ApiError> {
    let days = within("days", parameters.days, 7, 1..=3660)?;
    let filter = ChangeFilter {
        cluster: parameters.cluster,
        item: item(parameters.item.as_deref())?,
        since: Some(app.now() - TimeDelta::days(i64::from(days))),
        limit: within("limit", parameters.limit, 100, 1..=1000)?,
        ..ChangeFilter::default()
    };
    Ok(Json(app.store.changes(&scope, &filter).await?))
}
