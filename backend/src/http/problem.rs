//! Errors as RFC 9457 problem details, everywhere.

use axum::{
    Json,
    extract::Request,
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use rampart_shared::{UnknownItem, api::Problem};
use rampart_store::StoreError;

use crate::schedule::CannotEvaluate;

/// The media type of problem details.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// An error as the asker gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    status: StatusCode,
    detail: String,
}

impl ApiError {
    /// An error of this status; the detail says the cause and what to do.
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        ApiError { status, detail: detail.into() }
    }

    /// A value in the request makes no sense.
    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A defect, whose cause only the log says.
    pub(super) fn defect(cause: &str) -> Self {
        tracing::error!("{cause}");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "This is a defect of Rampart. The log says more.")
    }

    /// What was asked for is not there.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let problem = Problem {
            kind: "about:blank".to_owned(),
            title: title(self.status).to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
        };
        let mut response = (self.status, Json(problem)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        response
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::UnknownCluster(name) => unknown_cluster(&name),
            StoreError::Busy => {
                tracing::warn!("{error}");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "The history is busy. Try again in a moment.")
            }
            error => {
                // The cause may hold paths of the server.
                tracing::error!("{error}");
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "The history cannot be read. The log says why.")
            }
        }
    }
}

impl From<UnknownItem> for ApiError {
    fn from(error: UnknownItem) -> Self {
        Self::not_found(format!("There is no item `{}`. /api/v1/checklist lists them.", error.0))
    }
}

impl From<CannotEvaluate> for ApiError {
    fn from(error: CannotEvaluate) -> Self {
        match error {
            CannotEvaluate::UnknownCluster(name) => unknown_cluster(&name),
            CannotEvaluate::Stopping => Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("{error}.")),
        }
    }
}

fn unknown_cluster(name: &str) -> ApiError {
    ApiError::not_found(format!("There is no cluster `{name}`. /api/v1/clusters lists them."))
}

/// Makes problem details of errors that others answered in their own form: layers, extractors, the router.
pub(super) async fn only_problems(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|content_type| content_type.as_bytes() == PROBLEM_JSON.as_bytes());
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let mut problem = ApiError::new(status, detail(status)).into_response();
    if let Some(allow) = response.headers().get(header::ALLOW) {
        problem.headers_mut().insert(header::ALLOW, allow.clone());
    }
    problem
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Error")
}

fn detail(status: StatusCode) -> String {
    match status {
        StatusCode::INTERNAL_SERVER_ERROR => "This is a defect of Rampart. The log says more.".to_owned(),
        _ => format!("The request cannot be answered: {}.", title(status).to_lowercase()),
    }
}
