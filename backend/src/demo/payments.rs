//! `payments-prod`: a well-kept kubeadm cluster. It began with faults like any other, and they were fixed.

use super::objects::{
    api_server, container, controller, cron_job, default_deny, deployment, etcd, kubelet, namespace, node,
};
use super::{DemoCluster, Snapshot};
use serde_json::json;

pub(super) const CLUSTER: DemoCluster =
    DemoCluster { name: "payments-prod", labels: &[("environment", "production"), ("team", "payments")], at };

const NODES: [&str; 3] = ["control-plane-1", "worker-1", "worker-2"];

fn at(hours_ago: i64) -> Snapshot {
    let before = |days: i64| hours_ago > days * 24 + 14;
    let between = |from: i64, to: i64| before(to) && !before(from);
    let annotations =
        json!({ "kubeadm.alpha.kubernetes.io/cri-socket": "unix:///run/containerd/containerd.sock" });

    let mut snapshot = Snapshot::new("v1.36.3")
        .with(namespace("kube-system", "5f0c7f5e-2f0a-4f43-9b63-6d1c5a1f0001"))
        .with(namespace("payments", "5f0c7f5e-2f0a-4f43-9b63-6d1c5a1f0002"))
        .with(namespace("ledger", "5f0c7f5e-2f0a-4f43-9b63-6d1c5a1f0003"))
        .with_all(NODES.map(|name| node(name, &json!({}), &annotations, "")))
        .with(etcd(NODES[0], !before(80)))
        .with(api_server(
            NODES[0],
            &["--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction"],
        ));

    // For two days nobody could read the kubelets: the grant had been taken away.
    if !between(20, 18) {
        for name in NODES {
            let bad = name == "worker-2" && before(72);
            let configuration = kubelet(bad, "Webhook", if bad { 10255 } else { 0 });
            snapshot = snapshot.with_kubelet(name, configuration);
        }
    }

    let sidecar = container("metrics", "ghcr.io/acme/metrics-proxy:1.9.2");
    let exporter = container("exporter", "ghcr.io/acme/ledger-exporter:0.8.1");
    let api = container("api", "ghcr.io/acme/payments-api:4.12.0");
    snapshot = snapshot
        .with_all(deployment(
            "payments",
            "api",
            3,
            &[api, if before(55) { sidecar.read_only(None) } else { sidecar }],
        ))
        .with_all(deployment(
            "payments",
            "worker",
            2,
            &[container("worker", "ghcr.io/acme/payments-worker:4.12.0")],
        ))
        .with(cron_job(
            "payments",
            "nightly-settlement",
            &[container("settle", "ghcr.io/acme/settlement:2.3.0")],
        ))
        .with_all(controller(
            "StatefulSet",
            "ledger",
            "ledger",
            3,
            &[container("ledger", "ghcr.io/acme/ledger:7.0.4")],
        ))
        .with_all(deployment(
            "ledger",
            "exporter",
            1,
            &[match hours_ago {
                _ if before(47) => exporter.non_root(None).seccomp(None),
                _ if before(30) => exporter.seccomp(None),
                _ => exporter,
            }],
        ))
        .with_all(controller(
            "DaemonSet",
            "kube-system",
            "kube-router",
            3,
            &[container("kube-router", "docker.io/cloudnativelabs/kube-router:v2.6.0").bare().privileged()],
        ))
        .with(default_deny("payments", &["Ingress", "Egress"]))
        .with(default_deny("ledger", if before(61) { &["Ingress"] } else { &["Ingress", "Egress"] }));

    // Somebody needed a shell for a day and a half.
    if between(12, 10) {
        let shell = container("shell", "docker.io/library/alpine:3.22").bare().privileged();
        snapshot = snapshot.with_all(deployment("payments", "debug-shell", 1, &[shell]));
    }
    snapshot
}
