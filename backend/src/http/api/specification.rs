//! The description of the API itself.

use axum::Json;

/// This description, as OpenAPI.
#[utoipa::path(get, path = "/openapi.json", tag = "checklist", responses((status = 200, description = "OpenAPI")))]
pub(super) async fn specification() -> Json<utoipa::openapi::OpenApi> {
    Json(super::openapi())
}
