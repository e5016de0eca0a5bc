//! The API, the page and what protects both.

mod api;
mod extract;
mod host;
mod problem;
mod protection;

pub use api::openapi;
pub use host::AllowedHosts;

use crate::{assets, clock::Clock, collect::Access, events::Events, schedule::Scheduler};
use axum::{
    Router,
    extract::Request,
    http::{Method, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use problem::ApiError;
use rampart_store::Store;
use std::{collections::BTreeMap, sync::Arc};
use tokio_util::sync::CancellationToken;

/// What requests are answered from; clones are the same one.
#[derive(Clone)]
pub struct App {
    /// The history.
    pub store: Store,
    /// The scheduler.
    pub scheduler: Scheduler,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What happens.
    pub events: Events,
    /// By which names browsers may ask.
    pub allowed_hosts: Arc<AllowedHosts>,
    /// As whom remediations are tried, by cluster.
    pub dry_run_access: Arc<BTreeMap<String, Access>>,
    /// The account that Rampart runs as: who exports, where nobody says.
    pub account: Arc<str>,
    /// What to say to a person who sees no cluster.
    pub advice: Option<Arc<str>>,
    /// Ends the streams of events.
    pub stop: CancellationToken,
}

impl App {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
}

/// Everything that is served. Protection is outermost, so that it covers errors and assets too.
pub fn router(app: App) -> Router {
    let (api, _) = api::router().split_for_parts();
    let hosts = Arc::clone(&app.allowed_hosts);
    let router = Router::new()
        .nest(api::PREFIX, api)
        .fallback(everything_else)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(app);
    protection::protect(router, hosts)
}

/// What no route of the API takes: a file of the page, the page itself, or nothing.
async fn everything_else(request: Request) -> Response {
    let path = request.uri().path();
    if path == "/api" || path.starts_with("/api/") {
        let detail =
            format!("There is nothing at {path}. {}/openapi.json describes what there is.", api::PREFIX);
        return ApiError::new(StatusCode::NOT_FOUND, detail).into_response();
    }
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return method_not_allowed().await.into_response();
    }
    assets::serve(path, request.headers())
}

async fn method_not_allowed() -> ApiError {
    ApiError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address does not take that method; Allow names those it takes.",
    )
}

/// The problem of a file that is not there.
pub(crate) fn problem_not_found(path: &str) -> Response {
    ApiError::not_found(format!("There is nothing at {path}.")).into_response()
}
