//! The one client of `/api/v1`. Every error of every request becomes an [`ApiError`] here.

use crate::address::{encode, with_query};
use gloo_net::http::{Request, Response};
use rampart_shared::ItemId;
use rampart_shared::Scope;
use rampart_shared::api::{
    Changes, Checklist, ClusterItems, EvaluationAccepted, FindingPage, FindingState, ItemDetail, Overview,
    Problem, RemediationView, RunPage, Trend,
};
use serde::de::DeserializeOwned;

/// Where events are streamed from.
pub(crate) const EVENTS: &str = "/api/v1/events";

/// Why a request brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ApiError {
    /// No answer at all.
    #[error("The server does not answer. Is `rampart serve` still running?")]
    NoAnswer,
    /// An answer that says what is wrong.
    #[error("{}", .0.detail)]
    Problem(Problem),
    /// An answer that is neither what was asked for nor a problem.
    #[error(
        "The server's answer ({status}) cannot be read: {cause}. Reload the page if Rampart was updated."
    )]
    Unreadable {
        /// The HTTP status.
        status: u16,
        /// What is wrong with it.
        cause: String,
    },
}

impl ApiError {
    /// Whether the thing asked for is not there, as opposed to the request having failed.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, ApiError::Problem(problem) if problem.status == 404)
    }

    /// The problem in a few words.
    pub(crate) fn title(&self) -> &str {
        match self {
            ApiError::NoAnswer => "No connection",
            ApiError::Problem(problem) => &problem.title,
            ApiError::Unreadable { .. } => "Unexpected answer",
        }
    }
}

/// Which findings of an item to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FindingFilter {
    /// In which state.
    pub(crate) state: FindingState,
    /// In whose namespaces.
    pub(crate) scope: Scope,
    /// Holding this text.
    pub(crate) text: String,
    /// How many to leave out.
    pub(crate) offset: u32,
    /// How many at most.
    pub(crate) limit: u32,
}

/// `GET /checklist`.
pub(crate) async fn checklist() -> Result<Checklist, ApiError> {
    get("/api/v1/checklist").await
}

/// `GET /overview`.
pub(crate) async fn overview() -> Result<Overview, ApiError> {
    get("/api/v1/overview").await
}

/// `GET /clusters/{cluster}/items`.
pub(crate) async fn cluster_items(cluster: &str) -> Result<ClusterItems, ApiError> {
    get(&format!("/api/v1/clusters/{}/items", encode(cluster))).await
}

/// `GET /clusters/{cluster}/items/{item}`.
pub(crate) async fn item(cluster: &str, item: ItemId) -> Result<ItemDetail, ApiError> {
    get(&item_address(cluster, item)).await
}

/// `GET /clusters/{cluster}/items/{item}/findings`.
pub(crate) async fn findings(
    cluster: &str,
    item: ItemId,
    filter: &FindingFilter,
) -> Result<FindingPage, ApiError> {
    let address = with_query(
        &format!("{}/findings", item_address(cluster, item)),
        [
            ("state", Some(state_name(filter.state).to_owned())),
            ("scope", Some(filter.scope.as_str().to_owned())),
            ("text", Some(filter.text.clone())),
            ("limit", Some(filter.limit.to_string())),
            ("offset", Some(filter.offset.to_string())),
        ],
    );
    get(&address).await
}

/// `GET /clusters/{cluster}/items/{item}/remediation`.
pub(crate) async fn remediation(cluster: &str, item: ItemId) -> Result<RemediationView, ApiError> {
    get(&format!("{}/remediation", item_address(cluster, item))).await
}

/// Where the remediation's YAML is downloaded from.
pub(crate) fn remediation_download(cluster: &str, item: ItemId) -> String {
    format!("{}/remediation.yaml", item_address(cluster, item))
}

/// `GET /trend` of all clusters, of one, of an item or of an item of a cluster.
pub(crate) async fn trend(days: u32, cluster: Option<&str>, item: Option<ItemId>) -> Result<Trend, ApiError> {
    get(&with_query(
        "/api/v1/trend",
        [
            ("days", Some(days.to_string())),
            ("cluster", cluster.map(str::to_owned)),
            ("item", item.map(|item| item.to_string())),
        ],
    ))
    .await
}

/// `GET /runs`, newest first.
pub(crate) async fn runs(
    cluster: Option<&str>,
    limit: u32,
    before: Option<i64>,
) -> Result<RunPage, ApiError> {
    get(&with_query(
        "/api/v1/runs",
        [
            ("cluster", cluster.map(str::to_owned)),
            ("limit", Some(limit.to_string())),
            ("before", before.map(|before| before.to_string())),
        ],
    ))
    .await
}

/// `GET /changes`, newest first.
pub(crate) async fn changes(days: u32, cluster: Option<&str>, limit: u32) -> Result<Changes, ApiError> {
    get(&with_query(
        "/api/v1/changes",
        [
            ("days", Some(days.to_string())),
            ("cluster", cluster.map(str::to_owned)),
            ("limit", Some(limit.to_string())),
        ],
    ))
    .await
}

/// `POST /clusters/{cluster}/evaluate`.
pub(crate) async fn evaluate(cluster: &str) -> Result<EvaluationAccepted, ApiError> {
    post(&format!("/api/v1/clusters/{}/evaluate", encode(cluster))).await
}

/// `POST /evaluate`: all clusters.
pub(crate) async fn evaluate_all() -> Result<Vec<EvaluationAccepted>, ApiError> {
    post("/api/v1/evaluate").await
}

/// A finding's state as the API writes it.
pub(crate) const fn state_name(state: FindingState) -> &'static str {
    match state {
        FindingState::Open => "open",
        FindingState::Unconfirmed => "unconfirmed",
        FindingState::Resolved => "resolved",
    }
}

fn item_address(cluster: &str, item: ItemId) -> String {
    format!("/api/v1/clusters/{}/items/{item}", encode(cluster))
}

async fn get<T: DeserializeOwned>(address: &str) -> Result<T, ApiError> {
    let response = Request::get(address).header("accept", "application/json").send().await;
    read(response).await
}

async fn post<T: DeserializeOwned>(address: &str) -> Result<T, ApiError> {
    let response = Request::post(address).header("accept", "application/json").send().await;
    read(response).await
}

async fn read<T: DeserializeOwned>(response: Result<Response, gloo_net::Error>) -> Result<T, ApiError> {
    let response = response.map_err(|_| ApiError::NoAnswer)?;
    let body = response.text().await.map_err(|_| ApiError::NoAnswer)?;
    understand(response.status(), &body)
}

fn understand<T: DeserializeOwned>(status: u16, body: &str) -> Result<T, ApiError> {
    let unreadable = |error: serde_json::Error| ApiError::Unreadable { status, cause: error.to_string() };
    if (200..300).contains(&status) {
        serde_json::from_str(body).map_err(unreadable)
    } else {
        Err(serde_json::from_str(body).map_or_else(unreadable, ApiError::Problem))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_its_cause() {
        let body = r#"{"type":"about:blank","title":"Not Found","status":404,
            "detail":"There is no cluster `x`; GET /api/v1/overview lists them."}"#;
        let error = understand::<Changes>(404, body).unwrap_err();
        assert_eq!(error.to_string(), "There is no cluster `x`; GET /api/v1/overview lists them.");
        assert_eq!(error.title(), "Not Found");
        assert!(error.is_not_found());
    }

    #[test]
    fn what_is_no_problem_document_is_told_with_its_status() {
        let error = understand::<Changes>(502, "<html>").unwrap_err().to_string();
        assert!(error.starts_with("The server's answer (502) cannot be read: expected value"), "{error}");
        assert!(matches!(understand::<Changes>(200, "{}"), Err(ApiError::Unreadable { status: 200, .. })));
    }

    #[test]
    fn names_of_states_are_those_of_the_api() {
        for state in [FindingState::Open, FindingState::Unconfirmed, FindingState::Resolved] {
            assert_eq!(serde_json::to_value(state).unwrap(), state_name(state));
        }
    }
}
