//! Kubelets through the node proxy.

use crate::server::{Reply, Server, configz, list, node, options};
use rampart_checklist::Kind;
use rampart_cluster::live::{CollectOptions, Collected, KubeletReading};
use rampart_shared::{Gap, GapReason};
use serde_json::json;
use std::time::Duration;

const REVIEWS: &str = "POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

fn with(kubelets: KubeletReading) -> CollectOptions {
    CollectOptions { kubelets, ..options() }
}

fn gaps(collected: &Collected) -> &[Gap] {
    collected.inventory.gaps(Kind::KubeletConfigz)
}

fn review(allowed: bool) -> Reply {
    Reply::json(&json!({"kind": "SelfSubjectAccessReview", "status": {"allowed": allowed}}))
}

async fn server() -> Server {
    let server = Server::start().await;
    let nodes = [node("node-1", "True"), node("node-2", "False"), node("node-3", "True")];
    server
        .on("GET /api/v1/nodes", [list("Node", &nodes, "")])
        .on("GET /api/v1/nodes/node-1/proxy/configz", [configz()])
        .on("GET /api/v1/nodes/node-3/proxy/configz", [configz()]);
    server
}

#[tokio::test]
async fn reads_every_ready_node_when_it_is_allowed() {
    let server = server().await;
    let mut virtual_node = node("fargate", "True");
    virtual_node["metadata"]["labels"] = json!({"type": "virtual-kubelet"});
    let nodes = [node("node-1", "True"), node("node-2", "False"), node("node-3", "True"), virtual_node];
    server.on("GET /api/v1/nodes", [list("Node", &nodes, "")]).on(REVIEWS, [review(true)]);
    let collected = server.collect(&with(KubeletReading::Auto)).await.unwrap();
    assert_eq!(gaps(&collected), []);
    let read: Vec<&str> =
        collected.inventory.kubelet_configurations.seen.keys().map(String::as_str).collect();
    assert_eq!(read, ["node-1", "node-3"]);
    assert_eq!(
        collected.inventory.kubelet_configurations.seen["node-1"].authorization.mode.as_deref(),
        Some("Webhook")
    );
    assert_eq!(server.asked_times("GET /api/v1/nodes/node-2"), 0);
    assert_eq!(server.asked_times("GET /api/v1/nodes/fargate"), 0);
    let how = collected.read.iter().find(|read| read.kind == Kind::KubeletConfigz).unwrap();
    assert_eq!(how.objects, 2);
    assert_eq!((how.verb, how.path.as_str()), ("get", "/api/v1/nodes/NODE/proxy/configz"));
    let review = collected.besides.last().unwrap();
    assert_eq!((review.verb, review.requests), ("create", 1), "{review:?}");
}

#[tokio::test]
async fn asks_first_and_stays_away_when_it_is_not_allowed() {
    let server = server().await;
    server.on(REVIEWS, [review(false)]);
    let collected = server.collect(&with(KubeletReading::Auto)).await.unwrap();
    let [gap] = gaps(&collected) else { panic!("{:?}", gaps(&collected)) };
    assert_eq!((gap.reason, gap.objects.len()), (GapReason::Forbidden, 0));
    assert!(gap.closed_by.contains("run commands in every container"), "{gap:?}");
    assert_eq!(gap.rule.as_ref().unwrap().resources, ["nodes/proxy"]);
    assert_eq!(server.asked_times("GET /api/v1/nodes/node-1"), 0);
    assert!(collected.read.iter().any(|read| read.kind == Kind::KubeletConfigz && read.refused));
}

#[tokio::test]
async fn an_access_review_that_fails_is_a_gap() {
    let server = server().await;
    for (reply, reason) in [
        (Reply::status(403, "no reviews"), GapReason::Forbidden),
        (Reply::status(500, "no"), GapReason::Failed),
        (Reply::Answer(201, "application/json", "{}".to_owned()), GapReason::Failed),
    ] {
        server.on(REVIEWS, [reply]);
        let collected = server.collect(&with(KubeletReading::Auto)).await.unwrap();
        let [gap] = gaps(&collected) else { panic!("{:?}", gaps(&collected)) };
        assert_eq!(gap.reason, reason);
        assert!(collected.inventory.kubelet_configurations.seen.is_empty());
    }
}

#[tokio::test]
async fn switched_off_is_not_collected() {
    let server = server().await;
    let collected = server.collect(&with(KubeletReading::Off)).await.unwrap();
    let [gap] = gaps(&collected) else { panic!("{:?}", gaps(&collected)) };
    assert_eq!(gap.reason, GapReason::NotCollected);
    assert!(gap.detail.contains("switched off"));
    assert_eq!(server.asked_times(REVIEWS), 0);
}

#[tokio::test]
async fn a_node_that_does_not_answer_is_named() {
    let server = server().await;
    let nodes: Vec<_> = (1..=6).map(|number| node(&format!("node-{number}"), "True")).collect();
    let refused = |name: &str| Reply::status(403, &format!("nodes \"{name}\" is forbidden: no proxy"));
    server
        .on("GET /api/v1/nodes", [list("Node", &nodes, "")])
        .on("GET /api/v1/nodes/node-2/proxy/configz", [Reply::Slow(Duration::from_secs(60))])
        .on(
            "GET /api/v1/nodes/node-3/proxy/configz",
            [Reply::Answer(200, "application/json", "{}".to_owned())],
        )
        .on("GET /api/v1/nodes/node-4/proxy/configz", [refused("node-4")])
        .on("GET /api/v1/nodes/node-5/proxy/configz", [refused("node-5")])
        .on(
            "GET /api/v1/nodes/node-6/proxy/configz",
            [Reply::Answer(500, "text/plain", "oh no\n".to_owned())],
        );
    let options =
        CollectOptions { kubelet_timeout: Duration::from_millis(100), ..with(KubeletReading::Proxy) };
    let collected = server.collect(&options).await.unwrap();
    let mut found: Vec<(GapReason, &str, Vec<&str>)> = gaps(&collected)
        .iter()
        .map(|gap| (gap.reason, gap.detail.as_str(), gap.objects.iter().map(String::as_str).collect()))
        .collect();
    found.sort_by(|a, b| a.2.cmp(&b.2));
    assert_eq!(
        found,
        [
            (GapReason::Failed, "no answer within 100 ms", vec!["node-2"]),
            (GapReason::Failed, "the answer cannot be used: missing field `kubeletconfig`", vec!["node-3"]),
            (GapReason::Forbidden, "nodes of that name is forbidden: no proxy", vec!["node-4", "node-5"]),
            (GapReason::Failed, "the API server answered 500: oh no", vec!["node-6"]),
        ]
    );
    assert!(collected.inventory.kubelet_configurations.seen.contains_key("node-1"));
    assert_eq!(server.asked_times(REVIEWS), 0);
}

#[tokio::test]
async fn a_node_that_is_gone_is_dropped_and_one_that_is_there_is_not() {
    let server = server().await;
    server
        .on("GET /api/v1/nodes/node-1/proxy/configz", [Reply::status(404, "nodes \"node-1\" not found")])
        .on("GET /api/v1/nodes?limit=1&fieldSelector=metadata.name%3Dnode-1", [list("Node", &[], "")])
        .on(
            "GET /api/v1/nodes/node-3/proxy/configz",
            [Reply::Answer(404, "text/plain", "404 page not found".to_owned())],
        )
        .on(
            "GET /api/v1/nodes?limit=1&fieldSelector=metadata.name%3Dnode-3",
            [list("Node", &[node("node-3", "True")], "")],
        );
    let collected = server.collect(&with(KubeletReading::Proxy)).await.unwrap();
    let nodes: Vec<&str> =
        collected.inventory.nodes.seen.iter().map(|node| node.meta.name.as_str()).collect();
    assert_eq!(nodes, ["node-2", "node-3"]);
    let [gap] = gaps(&collected) else { panic!("{:?}", gaps(&collected)) };
    assert_eq!((gap.reason, gap.objects.as_slice()), (GapReason::Failed, ["node-3".to_owned()].as_slice()));
    assert!(gap.detail.contains("enableDebuggingHandlers"), "{gap:?}");
}

#[tokio::test]
async fn without_nodes_there_is_nothing_to_read() {
    let server = Server::start().await;
    let collected = server.collect(&with(KubeletReading::Auto)).await.unwrap();
    assert_eq!(gaps(&collected), []);

    server.on("GET /api/v1/nodes", [Reply::status(403, "no nodes")]);
    let collected = server.collect(&with(KubeletReading::Auto)).await.unwrap();
    let [gap] = gaps(&collected) else { panic!("{:?}", gaps(&collected)) };
    assert!(gap.detail.contains("the nodes were not listed whole: no nodes"), "{gap:?}");
}

#[tokio::test]
async fn a_hostile_name_reaches_no_path() {
    let server = server().await;
    let hostile = node("../../../api/v1/secrets?x=", "True");
    server.on("GET /api/v1/nodes", [list("Node", &[hostile], "")]);
    let collected = server.collect(&with(KubeletReading::Proxy)).await.unwrap();
    assert_eq!(gaps(&collected).len(), 1);
    assert!(server.asked().iter().all(|asked| !asked.contains("secrets")));
}

#[tokio::test]
async fn a_kubelet_that_does_not_let_the_api_server_in_is_a_gap() {
    let server = server().await;
    let words = "Forbidden (user=kube-apiserver, verb=get, resource=nodes, subresource=[configz])";
    server
        .on(
            "GET /api/v1/nodes/node-1/proxy/configz",
            [Reply::Answer(401, "text/plain", "Unauthorized".to_owned())],
        )
        .on("GET /api/v1/nodes/node-3/proxy/configz", [Reply::Answer(403, "text/plain", words.to_owned())]);
    let collected = server.collect(&with(KubeletReading::Proxy)).await.unwrap();
    let found: Vec<(GapReason, &[String])> =
        gaps(&collected).iter().map(|gap| (gap.reason, gap.objects.as_slice())).collect();
    let named = |name: &str| vec![name.to_owned()];
    assert_eq!(
        found,
        [(GapReason::Failed, named("node-1").as_slice()), (GapReason::Failed, named("node-3").as_slice())]
    );
    assert!(gaps(&collected).iter().all(|gap| gap.rule.is_none() && gap.detail.contains("does not let")));
}
