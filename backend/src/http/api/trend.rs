//! Outcomes by day.

use crate::http::{
    App,
    extract::{Parameters, Visible, item, within},
    problem::ApiError,
};
use axum::{Json, extract::State};
use rampart_shared::api::{Problem, Trend};
use rampart_store::{History, TrendQuery};
use serde::Deserialize;
use utoipa::IntoParams;

/// Which trend.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TrendParameters {
    /// So many days, today included, 1 to 3660; 90 when nothing is said.
    days: Option<u32>,
    /// Of this cluster; of all when nothing is said.
    cluster: Option<String>,
    /// Of this item; of all when nothing is said.
    item: Option<String>,
}

/// Days, oldest first: of all clusters, of one, of an item, or of an item of a cluster.
#[utoipa::path(
    get, path = "/trend", tag = "history", params(TrendParameters),
    responses(
        (status = 200, body = Trend),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn trend(
    State(app): State<App>,
    Visible(scope): Visible,
    Parameters(parameters): Parameters<TrendParameters>,
) -> Result<Json<Trend>, ApiError> {
    let query = TrendQuery {
        days: within("days", parameters.days, 90, 1..=3660)?,
        cluster: parameters.cluster,
        item: item(parameters.item.as_deref())?,
    };
    Ok(Json(app.store.trend(&scope, &query, app.now()).await?))
}
