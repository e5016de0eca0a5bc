//! `/api/v1`: a file for each thing that can be asked about.

mod changes;
mod checklist;
mod clusters;
mod dry_run;
mod evaluate;
mod events;
mod exports;
mod findings;
mod items;
mod overview;
mod reading;
mod remediation;
mod runs;
mod selection;
mod specification;
mod trend;

use super::App;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

/// Where the API begins.
pub(super) const PREFIX: &str = "/api/v1";

/// How many days a sparkline shows.
const SPARKLINE_DAYS: u32 = 30;

#[derive(OpenApi)]
#[openapi(info(
    title = "Rampart",
    description = "The Kubernetes security checklist, evaluated across clusters. Times are UTC. Errors are RFC 9457 \
                   problem details. Readers ignore members that they do not know.",
    license(name = "Apache-2.0", identifier = "Apache-2.0")
))]
struct Api;

/// The description of the API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    OpenApiRouter::<App>::with_openapi(Api::openapi()).nest(PREFIX, router()).into_openapi()
}

/// The routes, without [`PREFIX`].
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(checklist::checklist))
        .routes(routes!(overview::overview))
        .routes(routes!(clusters::clusters))
        .routes(routes!(items::items))
        .routes(routes!(items::item))
        .routes(routes!(findings::findings))
        .routes(routes!(remediation::remediation))
        .routes(routes!(exports::exports))
        .routes(routes!(dry_run::dry_run))
        .routes(routes!(trend::trend))
        .routes(routes!(runs::runs))
        .routes(routes!(runs::runs_of_cluster))
        .routes(routes!(reading::reading))
        .routes(routes!(runs::run))
        .routes(routes!(changes::changes))
        .routes(routes!(evaluate::evaluate))
        .routes(routes!(evaluate::evaluate_all))
        .routes(routes!(events::events))
        .routes(routes!(specification::specification))
}
