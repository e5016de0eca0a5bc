//! What is read of a cluster and what is read of its archive is judged alike.

use crate::server::{BUILT_IN, Reply, Server, configz, groups, list, node, options, pod, resources};
use rampart_checklist::credentials::FingerprintKey;
use rampart_checklist::{Inventory, Kind, Parameters, evaluate};
use rampart_cluster::archive;
use rampart_cluster::live::{CollectOptions, KubeletReading};
use rampart_cluster::snapshot::{Content, ReadOptions, SnapshotInput, read};
use serde_json::{Value, json};
use std::io::Read;
use std::sync::Arc;

const TOKEN: &str = "ghp_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bD1fG3hJ5";

/// A cluster with objects, malformed ones, refusals and kinds that it does not serve.
async fn cluster() -> Server {
    let server = Server::start().await;
    let mut served = BUILT_IN.to_vec();
    served.extend([("security.istio.io", &["v1"] as &[_]), ("constraints.gatekeeper.sh", &["v1beta1"])]);
    let mut secret = pod("b");
    secret["spec"]["containers"][0]["env"] = json!([{"name": "GITHUB_TOKEN", "value": TOKEN}]);
    secret["metadata"]["managedFields"] = json!([{"manager": "kubectl"}]);
    let mut bad = pod("bad");
    bad["spec"]["containers"][0]["securityContext"] = json!({"runAsUser": "x"});
    let deployment = json!({"metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "nginx"}]}}}});
    let map = json!({"metadata": {"name": "kubelet-config", "namespace": "kube-system"},
        "data": {"kubelet": "readOnlyPort: 10255\n"}});
    let constraint = json!({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "K8sPsp", "metadata": {"name": "c"}});
    server
        .on("GET /apis", [groups(&served)])
        .on("GET /apis/security.istio.io/v1", [resources(&["peerauthentications"])])
        .on("GET /apis/security.istio.io/v1/peerauthentications", [Reply::status(403, "no")])
        .on("GET /apis/constraints.gatekeeper.sh/v1beta1", [resources(&["k8spsp"])])
        .on("GET /apis/constraints.gatekeeper.sh/v1beta1/k8spsp", [list("K8sPsp", &[constraint], "")])
        .on("GET /api/v1/pods", [list("Pod", &[pod("a"), secret, bad], "")])
        .on("GET /apis/apps/v1/deployments", [list("Deployment", &[deployment], "")])
        .on("GET /api/v1/configmaps", [list("ConfigMap", &[map], "")])
        .on("GET /apis/batch/v1/jobs", [Reply::status(403, "no jobs")])
        .on("GET /api/v1/nodes", [list("Node", &[node("n-1", "True"), node("n-2", "True"), node("gone", "True")], "")])
        .on("GET /api/v1/nodes/n-1/proxy/configz", [configz()])
        .on("GET /api/v1/nodes/n-2/proxy/configz", [Reply::status(403, "no n-2")])
        .on("GET /api/v1/nodes/gone/proxy/configz", [Reply::status(404, "gone")])
        .on("GET /api/v1/nodes?limit=1&fieldSelector=metadata.name%3Dgone", [list("Node", &[], "")])
        .on(
            "GET /flagz",
            [Reply::json(&json!({"kind": "Flagz", "flags": {"authorization-mode": "[Node,RBAC]", "bind-address": "::"}}))],
        )
        .on(
            "GET /metrics",
            [Reply::Answer(
                200,
                "text/plain",
                "apiserver_authorization_decisions_total{decision=\"allowed\",type=\"Node\"} 3\n".to_owned(),
            )],
        );
    server
}

/// Both are judged under the key that the archive was written with, as on one computer.
fn key() -> FingerprintKey {
    FingerprintKey::new([7; 32])
}

fn judged(inventory: &Inventory) -> Value {
    let parameters = Parameters { fingerprint_key: Some(key()), ..Parameters::default() };
    let items = evaluate(inventory, &parameters).unwrap();
    items.iter().map(|item| serde_json::to_value((&item.result, &item.remediation)).unwrap()).collect()
}

#[tokio::test]
async fn an_archive_is_judged_like_the_cluster() {
    for everything in [true, false] {
        let server = cluster().await;
        let options = CollectOptions {
            kubelets: if everything { KubeletReading::Proxy } else { KubeletReading::Off },
            control_plane_metrics: everything,
            record: Some(Arc::new(key())),
            ..options()
        };
        let collected = server.collect(&options).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.tar.gz");
        archive::write(std::fs::File::create(&path).unwrap(), &collected).unwrap();
        let input = SnapshotInput { name: "c".to_owned(), content: Content::Archive(path.clone()) };
        let (inventory, problems) = read(&input, &ReadOptions::default()).unwrap();
        assert_eq!(problems, []);
        assert_eq!(judged(&inventory), judged(&collected.inventory));
        for kind in Kind::ALL {
            assert_eq!(inventory.gaps(kind), collected.inventory.gaps(kind), "{kind:?}");
        }
        let live = &collected.inventory;
        assert_eq!(inventory.pods.seen.len(), 2);
        assert_eq!(inventory.nodes.seen, live.nodes.seen);
        assert_eq!(inventory.kubelet_configurations.seen, live.kubelet_configurations.seen);
        assert_eq!(inventory.api_server_flags, live.api_server_flags);
        assert_eq!(inventory.api_server_metrics, live.api_server_metrics);
        assert_eq!(inventory.api_server_flags.seen.is_some(), everything);
        assert_eq!(
            (inventory.identity.clone(), inventory.version.clone(), inventory.collected_at),
            (live.identity.clone(), live.version.clone(), live.collected_at)
        );
        assert_eq!(
            inventory.resources_of([Kind::GatekeeperConstraints]).collect::<Vec<_>>(),
            live.resources_of([Kind::GatekeeperConstraints]).collect::<Vec<_>>()
        );

        let mut text = String::new();
        let file = std::fs::File::open(&path).unwrap();
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
        text.push_str(&String::from_utf8_lossy(&bytes));
        assert!(text.contains("rampart-redacted:"));
        for absent in [TOKEN, "managedFields", "t0ken-of-the-test", "bind-address"] {
            assert!(!text.contains(absent), "{absent}");
        }
    }
}

#[tokio::test]
async fn what_the_control_plane_refuses_is_a_gap_with_its_grant() {
    let server = Server::start().await;
    server
        .on("GET /flagz", [Reply::status(404, "no flagz")])
        .on("GET /metrics", [Reply::status(403, "no metrics")]);
    let options = CollectOptions { control_plane_metrics: true, ..options() };
    let inventory = server.collect(&options).await.unwrap().inventory;
    let [flagz] = inventory.gaps(Kind::ApiServerFlagz) else { panic!() };
    assert!(
        flagz.detail.contains("1.36") && flagz.reason == rampart_shared::GapReason::NotServed,
        "{flagz:?}"
    );
    let [metrics] = inventory.gaps(Kind::ApiServerMetrics) else { panic!() };
    assert_eq!(metrics.reason, rampart_shared::GapReason::Forbidden);
}
