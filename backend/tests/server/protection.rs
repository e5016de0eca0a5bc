use crate::support::{HOST, Server, request};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};

const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

#[tokio::test]
async fn every_answer_is_protected() {
    let server = Server::evaluated().await;
    let refused = |name, value: &str| {
        let mut request = request(Method::POST, "/api/v1/evaluate");
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    };
    for (request, status) in [
        (request(Method::GET, "/api/v1/overview"), 200),
        (request(Method::GET, "/"), 200),
        (request(Method::GET, "/clusters/prod/items/etcd-tls"), 200),
        (request(Method::GET, "/api/v1/events"), 200),
        (request(Method::GET, "/api/v1/nothing"), 404),
        (request(Method::GET, "/nothing.js"), 404),
        (request(Method::POST, "/api/v1/overview"), 405),
        (request(Method::GET, "/api/v1/trend?days=0"), 400),
        (refused(header::HOST, "evil.example.org"), 421),
        (refused(header::HeaderName::from_static("sec-fetch-site"), "cross-site"), 403),
    ] {
        let what = format!("{} {}", request.method(), request.uri());
        // Streams do not end, so only the head is read.
        let response = tower::ServiceExt::oneshot(server.router.clone(), request).await.unwrap();
        // Without a built dashboard every address shows the page that says so.
        let built = status != 404 || what.contains("/api/");
        assert!(response.status().as_u16() == status || !built, "{what}: {}", response.status());
        let header = |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap());
        assert_eq!(header("content-security-policy"), POLICY, "{what}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(header("referrer-policy"), "same-origin", "{what}");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{what}");
        assert!(!header("cache-control").is_empty(), "{what}");
    }
}

#[tokio::test]
async fn only_known_hosts_are_answered() {
    let server = Server::of(Vec::new()).await;
    let status = async |host: Option<&str>| {
        let mut request = Request::get("/api/v1/overview");
        if let Some(host) = host {
            request = request.header(header::HOST, host);
        }
        server.send(request.body(Body::empty()).unwrap()).await.status
    };
    for host in [HOST, "localhost:8080", "[::1]:8080", "rampart.example.org"] {
        assert_eq!(status(Some(host)).await, StatusCode::OK, "{host}");
    }
    for host in ["evil.example.org", "127.0.0.1:8081", "127.0.0.1", "localhost", ""] {
        assert_eq!(status(Some(host)).await, StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
    assert_eq!(status(None).await, StatusCode::MISDIRECTED_REQUEST);
    // What counts is the address that the request is for.
    let absolute = Request::get("http://evil.example.org/api/v1/overview").header(header::HOST, HOST);
    let answer = server.send(absolute.body(Body::empty()).unwrap()).await;
    let detail = answer.problem(StatusCode::MISDIRECTED_REQUEST);
    assert!(detail.contains("allowed_hosts in rampart.toml"), "{detail}");
}

#[tokio::test]
async fn other_sites_cannot_begin_evaluations() {
    let server = Server::of(Vec::new()).await;
    let status = async |name: &'static str, value: &str| {
        let mut request = request(Method::POST, "/api/v1/evaluate");
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = server.send(request).await;
        if answer.status == StatusCode::FORBIDDEN {
            assert_eq!(
                answer.problem(StatusCode::FORBIDDEN),
                "The request comes from a page of another site."
            );
        }
        answer.status
    };
    assert_eq!(status("sec-fetch-site", "same-origin").await, StatusCode::ACCEPTED);
    assert_eq!(status("sec-fetch-site", "none").await, StatusCode::ACCEPTED);
    assert_eq!(status("sec-fetch-site", "cross-site").await, StatusCode::FORBIDDEN);
    assert_eq!(status("sec-fetch-site", "same-site").await, StatusCode::FORBIDDEN);
    assert_eq!(status("origin", "http://127.0.0.1:8080").await, StatusCode::ACCEPTED);
    assert_eq!(status("origin", "http://evil.example.org").await, StatusCode::FORBIDDEN);
    assert_eq!(status("origin", "null").await, StatusCode::FORBIDDEN);
    assert_eq!(status("accept", "*/*").await, StatusCode::ACCEPTED);
}
