use crate::support::{HOST, Server, request};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};

#[tokio::test]
async fn unknown_addresses_of_the_api_are_problems() {
    let server = Server::of(Vec::new()).await;
    for path in
        ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v2/overview", "/api/v1/overview/", "/api/v1/nothing"]
    {
        let detail = server.get(path).await.problem(StatusCode::NOT_FOUND);
        assert!(detail.starts_with(&format!("There is nothing at {path}.")), "{detail}");
    }
}

#[tokio::test]
async fn wrong_methods_name_the_right_ones() {
    let server = Server::of(Vec::new()).await;
    let answer = server.post("/api/v1/overview").await;
    answer.problem(StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "GET,HEAD");
    let answer = server.get("/api/v1/evaluate").await;
    answer.problem(StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.header("allow"), "POST");
    server.send(request(Method::DELETE, "/")).await.problem(StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn values_that_make_no_sense_are_named() {
    let server = Server::evaluated().await;
    let findings = "/api/v1/clusters/prod/items/etcd-tls/findings";
    for (path, words) in [
        ("/api/v1/trend?days=0".to_owned(), "days is 0; it must be at least 1 and at most 3660."),
        ("/api/v1/trend?days=many".to_owned(), "days"),
        ("/api/v1/trend?day=3".to_owned(), "unknown field `day`"),
        ("/api/v1/runs?limit=501".to_owned(), "limit is 501; it must be at least 1 and at most 500."),
        ("/api/v1/runs?before=x".to_owned(), "before"),
        ("/api/v1/changes?days=-1".to_owned(), "days"),
        (format!("{findings}?state=closed"), "unknown variant `closed`"),
        (format!("{findings}?scope=all"), "unknown variant `all`"),
        (format!("{findings}?limit=1001"), "limit is 1001"),
        (format!("{findings}?offset=-1"), "offset"),
    ] {
        let detail = server.get(&path).await.problem(StatusCode::BAD_REQUEST);
        assert!(detail.contains(words), "{path}: {detail}");
    }
}

#[tokio::test]
async fn bodies_are_bounded() {
    let server = Server::of(Vec::new()).await;
    let request = Request::post("/api/v1/evaluate")
        .header(header::HOST, HOST)
        .header(header::CONTENT_LENGTH, "1000000")
        .body(Body::empty())
        .unwrap();
    let detail = server.send(request).await.problem(StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(detail, "The body of the request is larger than 65536 bytes.");
}

#[tokio::test]
async fn a_damaged_history_gives_no_internals_away() {
    let server = Server::evaluated().await;
    server.store.close().await;
    let answer = server.get("/api/v1/overview").await;
    let detail = answer.problem(StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(detail, "The history cannot be read. The log says why.");
}

#[tokio::test]
async fn names_of_clusters_may_hold_anything() {
    let collector = crate::support::GatedCollector::open();
    let name = "arn:aws:eks:eu-west-1:1:cluster/a b?#ü";
    let server = Server::of(vec![crate::support::cluster(name, collector)]).await;
    let path = "/api/v1/clusters/arn%3Aaws%3Aeks%3Aeu-west-1%3A1%3Acluster%2Fa%20b%3F%23%C3%BC/items";
    assert_eq!(server.json(path).await["cluster"]["name"], name);
}
