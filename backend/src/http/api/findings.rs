//! The findings of an item of a cluster.

use crate::http::{
    App,
    extract::{ClusterItem, Parameters, Visible, within},
    problem::ApiError,
};
use axum::{Json, extract::State};
use rampart_shared::{
    Scope,
    api::{FindingPage, FindingState, Problem},
};
use rampart_store::{FindingFilter, History, StateFilter};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

/// Which findings, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FindingParameters {
    /// In which state; what stands (open and unconfirmed) when nothing is said.
    #[param(inline)]
    state: Option<FindingStateParameter>,
    /// In application or in system namespaces; both when nothing is said.
    #[param(inline)]
    scope: Option<Scope>,
    /// In this namespace.
    namespace: Option<String>,
    /// With this text in kind, namespace, name, path, rule, observed or expected.
    text: Option<String>,
    /// At most so many, 1 to 1000; 100 when nothing is said.
    limit: Option<u32>,
    /// Leaving out so many.
    offset: Option<u32>,
}

/// In which state findings are.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum FindingStateParameter {
    Open,
    Unconfirmed,
    Resolved,
    All,
}

/// A page of findings, ordered by namespace, kind, name, path, rule.
#[utoipa::path(
    get, path = "/clusters/{cluster}/items/{item}/findings", tag = "items",
    params(
        ("cluster" = String, Path, description = "The cluster's name"),
        ("item" = String, Path, description = "The item's identifier"),
        FindingParameters
    ),
    responses(
        (status = 200, body = FindingPage),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn findings(
    State(app): State<App>,
    Visible(scope): Visible,
    ClusterItem { cluster, item }: ClusterItem,
    Parameters(parameters): Parameters<FindingParameters>,
) -> Result<Json<FindingPage>, ApiError> {
    let state = match parameters.state {
        None => StateFilter::Standing,
        Some(FindingStateParameter::Open) => StateFilter::Only(FindingState::Open),
        Some(FindingStateParameter::Unconfirmed) => StateFilter::Only(FindingState::Unconfirmed),
        Some(FindingStateParameter::Resolved) => StateFilter::Only(FindingState::Resolved),
        Some(FindingStateParameter::All) => StateFilter::Any,
    };
    let filter = FindingFilter {
        state,
        scope: parameters.scope,
        namespace: parameters.namespace,
        text: parameters.text.filter(|text| !text.is_empty()),
        limit: within("limit", parameters.limit, 100, 1..=1000)?,
        offset: parameters.offset.unwrap_or_default(),
    };
    Ok(Json(app.store.findings(&scope, &cluster, item, &filter).await?))
}
