//! The items and their texts.

use axum::Json;
use rampart_shared::api::{Checklist, Problem};

/// The items of this version, in the checklist's order, with their texts.
#[utoipa::path(
    get, path = "/checklist", tag = "checklist",
    responses(
        (status = 200, body = Checklist),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json")
    )
)]
pub(super) async fn checklist() -> Json<Checklist> {
    Json(Checklist {
        catalogue: rampart_checklist::CATALOGUE.to_owned(),
        items: rampart_checklist::documentation(),
    })
}
