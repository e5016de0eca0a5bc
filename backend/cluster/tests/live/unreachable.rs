//! Clusters of which nothing can be known.

use crate::server::{Reply, Server, options, started_at};
use rampart_cluster::live::{CollectOptions, Connection, Unreachable, collect};
use std::time::Duration;

#[tokio::test]
async fn credentials_that_are_not_accepted() {
    let server = Server::start().await;
    for question in ["GET /version", "GET /api/v1/pods", "GET /api/v1/configmaps"] {
        let server = Server::start().await;
        server.on(question, [Reply::status(401, "Unauthorized")]);
        let error = server.collect(&options()).await.unwrap_err();
        assert!(matches!(error, Unreachable::Unauthorized { .. }), "{question}: {error:?}");
        assert!(error.to_string().contains(&server.address) && error.to_string().contains("Log in again"));
    }
    drop(server);
}

#[tokio::test]
async fn nobody_listens() {
    let server = Server::start().await;
    let path = server.kubeconfig();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://user:s3cret@{}", listener.local_addr().unwrap());
    drop(listener);
    let text = std::fs::read_to_string(&path).unwrap().replace(&server.address, &address);
    std::fs::write(&path, text).unwrap();
    let connection = Connection::from_context(Some(&path), None).await.unwrap();
    let error = collect(&connection, &options(), started_at(), |_| {}).await.unwrap_err();
    assert!(matches!(error, Unreachable::NoConnection { .. }), "{error:?}");
    let words = error.to_string();
    assert!(words.contains("cannot connect to http://127.0.0.1:") && !words.contains("s3cret"), "{words}");
}

#[tokio::test]
async fn no_trusted_connection() {
    let server = Server::start().await;
    let path = server.kubeconfig();
    let address = server.address.replace("http://", "https://");
    let text = std::fs::read_to_string(&path).unwrap().replace(&server.address, &address);
    std::fs::write(&path, text).unwrap();
    let connection = Connection::from_context(Some(&path), None).await.unwrap();
    let error = collect(&connection, &options(), started_at(), |_| {}).await.unwrap_err();
    assert!(matches!(error, Unreachable::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn no_answer_in_time() {
    let server = Server::start().await;
    server.on("GET /version", [Reply::Slow(Duration::from_secs(60))]);
    let slow = CollectOptions { request_timeout: Duration::from_millis(50), ..options() };
    let error = server.collect(&slow).await.unwrap_err();
    assert!(matches!(error, Unreachable::TimedOut { .. }), "{error:?}");
    let short = CollectOptions { timeout: Duration::from_millis(50), ..options() };
    let error = server.collect(&short).await.unwrap_err();
    assert!(matches!(error, Unreachable::TimedOut { .. }), "{error:?}");
}

#[tokio::test]
async fn something_else_than_an_api_server() {
    for question in ["GET /version", "GET /apis", "GET /api/v1"] {
        for reply in [
            Reply::Answer(200, "text/html", "<html>hello</html>".to_owned()),
            Reply::Answer(200, "application/json", "{}".to_owned()),
            Reply::status(403, "discovery is forbidden"),
            Reply::status(500, "no"),
        ] {
            let server = Server::start().await;
            server.on(question, [reply.clone()]);
            let error = server.collect(&options()).await.unwrap_err();
            let Unreachable::Discovery { path, .. } = &error else {
                panic!("{question} {reply:?}: {error:?}")
            };
            assert!(question.ends_with(path.as_str()));
            assert!(!error.to_string().contains("hello"));
        }
    }
}

#[tokio::test]
async fn a_server_that_goes_away_in_the_middle_leaves_no_gaps_but_is_unreachable() {
    let server = Server::start().await;
    let version = Reply::json(&serde_json::json!({"gitVersion": "v1.36.3"}));
    server.on("GET /api/v1/pods", [Reply::Break("{".to_owned())]);
    server.on("GET /version", [version.clone(), Reply::Break("{".to_owned())]);
    let error = server.collect(&options()).await.unwrap_err();
    assert!(matches!(error, Unreachable::NoConnection { .. }), "{error:?}");
    // While it answers, a list that breaks is a gap of its kind.
    server.on("GET /version", [version]);
    let collected = server.collect(&options()).await.unwrap();
    assert_eq!(collected.inventory.pods.gaps.len(), 1);
    assert!(collected.inventory.nodes.gaps.is_empty());
}
