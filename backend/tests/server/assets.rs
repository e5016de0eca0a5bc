//! The page's files. A binary that was compiled without the dashboard says so instead; both are true here.

use crate::support::{Answer, Server, request};
use axum::http::{Method, StatusCode, header};

async fn get(server: &Server, path: &str, headers: &[(header::HeaderName, &str)]) -> Answer {
    let mut request = request(Method::GET, path);
    for (name, value) in headers {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    server.send(request).await
}

#[tokio::test]
async fn every_view_is_the_page() {
    let server = Server::of(Vec::new()).await;
    let page = server.get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    for path in ["/runs", "/clusters/prod", "/clusters/prod/items/etcd-tls"] {
        assert_eq!(server.get(path).await.body, page.body, "{path}");
    }
    let named_like_a_file =
        get(&server, "/clusters/prod.example.org", &[(header::ACCEPT, "text/html,*/*;q=0.8")]).await;
    assert_eq!(named_like_a_file.body, page.body);
    if page.text().contains("compiled without the dashboard") {
        assert!(page.text().contains("cargo xtask frontend"));
        assert_eq!(page.header("cache-control"), "no-store");
    } else {
        assert_eq!(page.header("cache-control"), "no-cache");
        server.get("/missing.js").await.problem(StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn files_are_cached_by_their_content_and_sent_compressed() {
    let server = Server::of(Vec::new()).await;
    let page = server.get("/").await.text();
    if page.contains("compiled without the dashboard") {
        return;
    }
    let start = page.find("src=\"/").unwrap() + 5;
    let script = &page[start..start + page[start..].find('"').unwrap()];
    let plain = server.get(script).await;
    assert_eq!(plain.status, StatusCode::OK);
    assert_eq!(plain.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(plain.header("content-encoding"), "");
    let compressed = get(&server, script, &[(header::ACCEPT_ENCODING, "gzip, br")]).await;
    assert_eq!(compressed.header("content-encoding"), "br");
    assert_eq!(compressed.header("vary"), "Accept-Encoding");
    assert!(compressed.body.len() < plain.body.len());
    assert_ne!(compressed.header("etag"), plain.header("etag"));
    let again = get(&server, script, &[(header::IF_NONE_MATCH, plain.header("etag"))]).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert!(again.body.is_empty());
}
