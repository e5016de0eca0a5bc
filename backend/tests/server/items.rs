use crate::support::Server;
use axum::http::StatusCode;
use serde_json::Value;

#[tokio::test]
async fn items_stand_in_the_checklists_order() {
    let server = Server::evaluated().await;
    let items = server.json("/api/v1/clusters/prod/items").await;
    assert_eq!(items["cluster"]["name"], "prod");
    let ids: Vec<_> =
        items["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids, rampart_shared::ItemId::ALL.map(rampart_shared::ItemId::as_str));
}

#[tokio::test]
async fn an_item_has_texts_state_and_history() {
    let server = Server::evaluated().await;
    let detail = server.json("/api/v1/clusters/prod/items/read-only-root-filesystem").await;
    assert_eq!(detail["documentation"]["id"], "read-only-root-filesystem");
    assert_eq!(detail["state"]["outcome"], "fail");
    assert_eq!(detail["state"]["examined"], 2);
    assert_eq!(detail["state"]["violating"], 1);
    assert_eq!(detail["state"]["since"], "2026-11-23T10:00:00Z");
    assert_eq!(detail["history"][0]["outcome"], "fail");
    assert_eq!(detail["history"][0]["to"], Value::Null);
}

#[tokio::test]
async fn findings_are_paged_and_filtered() {
    let server = Server::evaluated().await;
    let findings = "/api/v1/clusters/prod/items/read-only-root-filesystem/findings";
    let page = server.json(findings).await;
    assert_eq!(page["total"], 1);
    let record = &page["findings"][0];
    let finding = &record["finding"];
    assert_eq!(finding["subject"]["namespace"], "checkout");
    assert_eq!(finding["subject"]["kind"], "Deployment");
    assert_eq!(
        finding["path"],
        "spec.template.spec.containers[name=cart].securityContext.readOnlyRootFilesystem"
    );
    assert_eq!((&finding["observed"], &finding["expected"]), (&"unset".into(), &"true".into()));
    assert_eq!(record["state"], "open");
    assert_eq!(record["firstSeen"], "2026-11-23T10:00:00Z");
    for (query, total) in [
        ("state=open", 1),
        ("state=all", 1),
        ("state=resolved", 0),
        ("state=unconfirmed", 0),
        ("scope=application", 1),
        ("scope=system", 0),
        ("namespace=checkout", 1),
        ("namespace=other", 0),
        ("text=CART", 1),
        ("text=nothing", 0),
        ("text=&limit=1", 1),
    ] {
        assert_eq!(server.json(&format!("{findings}?{query}")).await["total"], total, "{query}");
    }
    assert_eq!(server.json(&format!("{findings}?offset=1")).await["findings"], serde_json::json!([]));
}

#[tokio::test]
async fn unknown_names_are_not_found_and_say_where_names_are() {
    let server = Server::evaluated().await;
    for path in [
        "/api/v1/clusters/prodd/items",
        "/api/v1/clusters/prodd/items/etcd-tls",
        "/api/v1/clusters/prodd/items/etcd-tls/findings",
        "/api/v1/clusters/prodd/items/etcd-tls/remediation",
        "/api/v1/clusters/prodd/runs",
        "/api/v1/trend?cluster=prodd",
        "/api/v1/changes?cluster=prodd",
    ] {
        let detail = server.get(path).await.problem(StatusCode::NOT_FOUND);
        assert_eq!(detail, "There is no cluster `prodd`. /api/v1/clusters lists them.", "{path}");
    }
    for path in ["/api/v1/clusters/prod/items/etcd", "/api/v1/trend?item=etcd"] {
        let detail = server.get(path).await.problem(StatusCode::NOT_FOUND);
        assert_eq!(detail, "There is no item `etcd`. /api/v1/checklist lists them.", "{path}");
    }
}
