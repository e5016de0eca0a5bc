//! What a cluster holds reaches neither logs nor gaps.

use crate::server::{Reply, Server, list, node, options, pod};
use rampart_checklist::Kind;
use rampart_cluster::live::{CollectOptions, KubeletReading};
use rampart_shared::GapReason;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::{Arc, Mutex};

const CANARY: &str = "canary-4b1d";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A pod whose environment, arguments and a field of the wrong type hold the canary.
fn bad_pod(name: &str) -> Value {
    let mut pod = pod(name);
    pod["spec"]["containers"][0]["env"] = json!([{"name": "PASSWORD", "value": CANARY}]);
    pod["spec"]["containers"][0]["args"] = json!([format!("--token={CANARY}")]);
    pod["spec"]["containers"][0]["securityContext"] = json!({"runAsUser": CANARY});
    pod
}

#[tokio::test]
async fn a_malformed_item_costs_itself_and_tells_nothing() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);

    let server = Server::start().await;
    let mut unnamed = bad_pod("x");
    unnamed["metadata"] = json!(CANARY);
    let mut good = bad_pod("good");
    good["spec"]["containers"][0]["securityContext"] = json!({});
    server
        .on("GET /api/v1/pods", [list("Pod", &[pod("a"), bad_pod("b"), good, bad_pod("c")], "")])
        .on("GET /apis/apps/v1/deployments", [list("Deployment", &[unnamed], "")])
        .on(
            "GET /apis/batch/v1/jobs",
            [Reply::Answer(200, "application/json", format!("{{\"kind\":\"{CANARY}"))],
        )
        .on("GET /apis/batch/v1/cronjobs", [Reply::Answer(500, "text/html", format!("<p>{CANARY}"))])
        .on("GET /api/v1/nodes", [list("Node", &[node("n", "True")], "")])
        .on(
            "GET /api/v1/nodes/n/proxy/configz",
            [Reply::json(&json!({"kubeletconfig": {"readOnlyPort": CANARY}}))],
        )
        .on(
            "GET /api/v1/configmaps",
            [list("ConfigMap", &[json!({"metadata": {"name": "c"}, "data": CANARY})], "")],
        );
    let options = CollectOptions { kubelets: KubeletReading::Proxy, ..options() };
    let collected = server.collect(&options).await.unwrap();
    drop(guard);

    let inventory = &collected.inventory;
    let names: Vec<&str> = inventory.pods.seen.iter().map(|pod| pod.meta.name.as_str()).collect();
    assert_eq!(names, ["a", "good"]);
    let [gap] = inventory.gaps(Kind::Pods) else { panic!("{:?}", inventory.gaps(Kind::Pods)) };
    assert_eq!(
        (gap.reason, gap.objects.as_slice()),
        (GapReason::Failed, ["shop/b".to_owned(), "shop/c".to_owned()].as_slice())
    );
    assert_eq!(gap.detail, "2 items of the list are malformed: another form than the API gives it");
    let [gap] = inventory.gaps(Kind::Deployments) else { panic!() };
    assert!(gap.objects.is_empty());
    for kind in [Kind::Jobs, Kind::CronJobs, Kind::KubeletConfigz, Kind::ConfigMaps] {
        assert_eq!(inventory.gaps(kind).len(), 1, "{kind:?}");
    }

    assert!(!format!("{inventory:?}").contains(CANARY), "the inventory holds it");
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("listed") && log.contains("/api/v1/pods"), "the log was captured: {log}");
    assert!(!log.contains(CANARY), "{log}");
    assert!(!log.contains("t0ken-of-the-test"), "{log}");
}
