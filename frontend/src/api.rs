//! The one client of `/api/v1`. Every error of every request becomes an [`ApiError`] here.

use crate::address::{encode, with_query};
use leptos::prelude::window;
use rampart_shared::ItemId;
use rampart_shared::Scope;
use rampart_shared::api::{
    Changes, Checklist, ClusterItems, ClusterReading, DryRun, EvaluationAccepted, FindingPage, FindingState,
    ItemDetail, Overview, Problem, RemediationView, RunPage, Trend,
};
use serde::de::DeserializeOwned;
use std::{marker::PhantomData, pin::Pin};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, Response};

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

/// An address whose answer is a `T`.
#[derive(Debug, Clone)]
pub(crate) struct Address<T> {
    address: String,
    answer: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Address<T> {
    fn new(address: String) -> Self {
        Address { address, answer: PhantomData }
    }

    /// The address as text.
    pub(crate) fn into_string(self) -> String {
        self.address
    }
}

/// `GET /checklist`.
pub(crate) fn checklist() -> Address<Checklist> {
    Address::new("/api/v1/checklist".to_owned())
}

/// `GET /overview`.
pub(crate) fn overview() -> Address<Overview> {
    Address::new("/api/v1/overview".to_owned())
}

/// `GET /clusters/{cluster}/items`.
pub(crate) fn cluster_items(cluster: &str) -> Address<ClusterItems> {
    Address::new(format!("/api/v1/clusters/{}/items", encode(cluster)))
}

/// `GET /clusters/{cluster}/reading`.
pub(crate) fn reading(cluster: &str) -> Address<ClusterReading> {
    Address::new(format!("/api/v1/clusters/{}/reading", encode(cluster)))
}

/// `GET /clusters/{cluster}/items/{item}`.
pub(crate) fn item(cluster: &str, item: ItemId) -> Address<ItemDetail> {
    Address::new(item_address(cluster, item))
}

/// `GET /clusters/{cluster}/items/{item}/findings`.
pub(crate) fn findings(cluster: &str, item: ItemId, filter: &FindingFilter) -> Address<FindingPage> {
    Address::new(with_query(
        &format!("{}/findings", item_address(cluster, item)),
        [
            ("state", Some(state_name(filter.state).to_owned())),
            ("scope", Some(filter.scope.as_str().to_owned())),
            ("text", Some(filter.text.clone())),
            ("limit", Some(filter.limit.to_string())),
            ("offset", Some(filter.offset.to_string())),
        ],
    ))
}

/// `GET /clusters/{cluster}/items/{item}/remediation`.
pub(crate) fn remediation(cluster: &str, item: ItemId, picks: &str) -> Address<RemediationView> {
    Address::new(format!("{}/remediation?{picks}", item_address(cluster, item)))
}

/// `POST /clusters/{cluster}/items/{item}/remediation/dry-run`.
pub(crate) fn dry_run(
    cluster: &str,
    item: ItemId,
    picks: &str,
) -> impl Future<Output = Result<DryRun, ApiError>> + use<> {
    let asked = ask("POST", format!("{}/remediation/dry-run?{picks}", item_address(cluster, item)));
    async move { asked.await.and_then(Answer::read) }
}

/// Where remediations are downloaded from, by forms.
pub(crate) const EXPORTS: &str = "/api/v1/exports";

/// `GET /trend` of all clusters, of one, of an item or of an item of a cluster.
pub(crate) fn trend(days: u32, cluster: Option<&str>, item: Option<ItemId>) -> Address<Trend> {
    Address::new(with_query(
        "/api/v1/trend",
        [
            ("days", Some(days.to_string())),
            ("cluster", cluster.map(str::to_owned)),
            ("item", item.map(|item| item.to_string())),
        ],
    ))
}

/// `GET /runs`, newest first.
pub(crate) fn runs(cluster: Option<&str>, limit: u32, before: Option<i64>) -> Address<RunPage> {
    Address::new(with_query(
        "/api/v1/runs",
        [
            ("cluster", cluster.map(str::to_owned)),
            ("limit", Some(limit.to_string())),
            ("before", before.map(|before| before.to_string())),
        ],
    ))
}

/// `GET /changes`, newest first.
pub(crate) fn changes(days: u32, cluster: Option<&str>, limit: u32) -> Address<Changes> {
    Address::new(with_query(
        "/api/v1/changes",
        [
            ("days", Some(days.to_string())),
            ("cluster", cluster.map(str::to_owned)),
            ("limit", Some(limit.to_string())),
        ],
    ))
}

/// `POST /clusters/{cluster}/evaluate`.
pub(crate) async fn evaluate(cluster: &str) -> Result<EvaluationAccepted, ApiError> {
    ask("POST", format!("/api/v1/clusters/{}/evaluate", encode(cluster))).await.and_then(Answer::read)
}

/// `POST /evaluate`: all clusters.
pub(crate) async fn evaluate_all() -> Result<Vec<EvaluationAccepted>, ApiError> {
    ask("POST", "/api/v1/evaluate".to_owned()).await.and_then(Answer::read)
}

/// What came back, unread.
pub(crate) struct Answer {
    status: u16,
    body: String,
}

impl Answer {
    /// Reads it as a `T` if it is one, and as a problem otherwise.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, ApiError> {
        let status = self.status;
        let unreadable = |error: serde_json::Error| ApiError::Unreadable { status, cause: error.to_string() };
        if (200..300).contains(&status) {
            serde_json::from_str(&self.body).map_err(unreadable)
        } else {
            Err(serde_json::from_str(&self.body).map_or_else(unreadable, ApiError::Problem))
        }
    }
}

/// Asks for an address and waits for all of the answer. One boxed future: as a type of its own in each caller
/// it would be compiled into each.
pub(crate) fn ask(
    method: &'static str,
    address: String,
) -> Pin<Box<dyn Future<Output = Result<Answer, ApiError>>>> {
    Box::pin(async move { request(method, &address).await.map_err(|_| ApiError::NoAnswer) })
}

async fn request(method: &str, address: &str) -> Result<Answer, JsValue> {
    let headers = Headers::new()?;
    headers.set("accept", "application/json")?;
    let options = RequestInit::new();
    options.set_method(method);
    options.set_headers(&headers);
    let response = JsFuture::from(window().fetch_with_str_and_init(address, &options)).await?;
    let response: Response = response.dyn_into()?;
    let body = JsFuture::from(response.text()?).await?;
    Ok(Answer { status: response.status(), body: body.as_string().unwrap_or_default() })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn understand<T: DeserializeOwned>(status: u16, body: &str) -> Result<T, ApiError> {
        Answer { status, body: body.to_owned() }.read()
    }

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
