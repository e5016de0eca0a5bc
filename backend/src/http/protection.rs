//! What stands around every answer.

use super::{
    host::{self, AllowedHosts},
    problem::{self, ApiError},
};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http_body_util::Limited;
use std::{any::Any, sync::Arc, time::Duration};
use tower::ServiceBuilder;
use tower_http::{
    catch_panic::CatchPanicLayer,
    csrf::{CsrfLayer, ProtectionError},
    set_header::SetResponseHeaderLayer,
};

/// What a page may do: run its own code, and talk to its own server.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; \
    style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'";

/// How long an answer may take to begin. Streams of events go on for as long as they like after that.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The only bodies are forms; one that names many findings is long.
const LARGEST_BODY: usize = 64 * 1024;

/// Puts the protection around a router: headers outermost, so that every refusal has them too.
pub(super) fn protect(router: Router, hosts: Arc<AllowedHosts>) -> Router {
    let header = |name: HeaderName, value: &'static str| {
        SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
    };
    router.layer(
        ServiceBuilder::new()
            .layer(header(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
            .layer(header(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
            // A form sends its origin to its own site, by which other sites are told apart; others hear nothing.
            .layer(header(header::REFERRER_POLICY, "same-origin"))
            .layer(header(HeaderName::from_static("cross-origin-resource-policy"), "same-origin"))
            // What says nothing else is the state of the moment.
            .layer(SetResponseHeaderLayer::if_not_present(
                header::CACHE_CONTROL,
                HeaderValue::from_static("no-store"),
            ))
            .layer(from_fn(problem::only_problems))
            .layer(CatchPanicLayer::custom(panicked))
            .layer(from_fn_with_state(hosts, host::check))
            .layer(CsrfLayer::new().with_rejection_response(cross_site))
            .layer(from_fn(limit_body))
            .layer(from_fn(limit_time)),
    )
}

#[expect(clippy::needless_pass_by_value, reason = "the form that the layer wants")]
fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let cause = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("unknown");
    tracing::error!("a request panicked: {cause}");
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "This is a defect of Rampart. The log says more.")
        .into_response()
}

fn cross_site(_: ProtectionError) -> Response {
    ApiError::new(StatusCode::FORBIDDEN, "The request comes from a page of another site.").into_response()
}

async fn limit_body(request: Request, next: Next) -> Response {
    let too_large = || {
        let detail = format!("The body of the request is larger than {LARGEST_BODY} bytes.");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, detail).into_response()
    };
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LARGEST_BODY) {
        return too_large();
    }
    let (parts, body) = request.into_parts();
    next.run(Request::from_parts(parts, Body::new(Limited::new(body, LARGEST_BODY)))).await
}

async fn limit_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("There was no answer within {} seconds. Try again.", TIMEOUT.as_secs());
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response()
        }
    }
}
