//! The page's files, embedded in the binary as the frontend build left them.

use crate::http::problem_not_found;
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};
use serde::Deserialize;
use std::{collections::BTreeMap, sync::LazyLock};

/// What `cargo xtask frontend` made; empty when it was not run before this was compiled.
#[derive(RustEmbed)]
#[folder = "../target/frontend/dist"]
struct Files;

/// Which files there are and how they are served; the frontend build writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    entry: String,
    files: Vec<ManifestFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ManifestFile {
    path: String,
    content_type: String,
    immutable: bool,
    /// There is the same path with `.br` added if this is there.
    brotli_bytes: Option<u64>,
}

/// The files by their path, and the page that starts it all.
struct Dashboard {
    entry: String,
    files: BTreeMap<String, ManifestFile>,
}

static DASHBOARD: LazyLock<Option<Dashboard>> = LazyLock::new(|| {
    let manifest: Manifest = serde_json::from_slice(&Files::get("manifest.json")?.data).ok()?;
    let files = manifest.files.into_iter().map(|file| (file.path.clone(), file)).collect();
    Some(Dashboard { entry: manifest.entry, files })
});

/// A file, or the page for every address that may be one of its views.
pub(crate) fn serve(path: &str, request: &HeaderMap) -> Response {
    let Some(dashboard) = &*DASHBOARD else { return not_built() };
    let name = path.trim_start_matches('/');
    if let Some(file) = dashboard.files.get(name) {
        return respond(file, request);
    }
    match dashboard.files.get(&dashboard.entry) {
        Some(entry) if is_view(path, request) => respond(entry, request),
        _ => problem_not_found(path),
    }
}

/// Views have no extension. A cluster's name may look as if it had one, so a browser that goes to an address,
/// as opposed to one that loads a part of a page, gets the page all the same.
fn is_view(path: &str, request: &HeaderMap) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    let goes_there = request
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    !last.contains('.') || goes_there
}

fn respond(file: &ManifestFile, request: &HeaderMap) -> Response {
    let compressed = (file.brotli_bytes.is_some() && accepts_brotli(request))
        .then(|| Files::get(&format!("{}.br", file.path)))
        .flatten();
    let is_compressed = compressed.is_some();
    let Some(content) = compressed.or_else(|| Files::get(&file.path)) else {
        return problem_not_found(&file.path);
    };
    let entity_tag = entity_tag(&content);
    let mut headers = HeaderMap::new();
    let mut insert = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    insert(header::CONTENT_TYPE, &file.content_type);
    insert(
        header::CACHE_CONTROL,
        if file.immutable { "public, max-age=31536000, immutable" } else { "no-cache" },
    );
    insert(header::VARY, "Accept-Encoding");
    insert(header::ETAG, &entity_tag);
    let known = request.get(header::IF_NONE_MATCH).and_then(|tags| tags.to_str().ok());
    if known.is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == entity_tag))
    {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    if is_compressed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    (headers, content.data.into_owned()).into_response()
}

/// By content, so that the compressed and the plain form differ.
fn entity_tag(file: &EmbeddedFile) -> String {
    let hash: String = file.metadata.sha256_hash()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hash}\"")
}

fn accepts_brotli(request: &HeaderMap) -> bool {
    request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|coding| {
            let mut parts = coding.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let refused = parts.any(|part| {
                part.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()).is_some_and(|q| q <= 0.0)
            });
            name.eq_ignore_ascii_case("br") && !refused
        })
    })
}

fn not_built() -> Response {
    let page = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Rampart</title>\
        <h1>Rampart</h1><p>This binary was compiled without the dashboard. Run <code>cargo xtask frontend</code>, \
        then compile it again. The API is at <a href=\"/api/v1/overview\">/api/v1/overview</a>.</p></html>";
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn brotli_is_sent_only_to_those_who_take_it() {
        for (value, takes) in [
            ("gzip, deflate, br", true),
            ("br;q=0.5", true),
            ("BR", true),
            ("br;q=0", false),
            ("gzip", false),
        ] {
            assert_eq!(accepts_brotli(&request(header::ACCEPT_ENCODING, value)), takes, "{value}");
        }
        assert!(!accepts_brotli(&HeaderMap::new()));
    }

    #[test]
    fn views_are_addresses_without_extension_or_navigations() {
        let anything = request(header::ACCEPT, "*/*");
        let page = request(header::ACCEPT, "text/html,application/xhtml+xml");
        assert!(is_view("/clusters/prod/items/etcd-tls", &anything));
        assert!(is_view("/clusters/prod.example.org", &page));
        assert!(!is_view("/app.0123456789abcdef.js", &anything));
    }
}
