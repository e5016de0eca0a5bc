//! `analytics-eks`: a neglected EKS cluster. The provider runs the control plane and shows it to nobody.

use super::objects::{container, controller, cron_job, deployment, kubelet, namespace, network_policy, node};
use super::{DemoCluster, Snapshot};
use serde_json::json;

pub(super) const CLUSTER: DemoCluster =
    DemoCluster { name: "analytics-eks", labels: &[("environment", "production"), ("team", "data")], at };

const NODES: [&str; 4] = ["ip-10-8-1-21", "ip-10-8-1-87", "ip-10-8-2-14", "ip-10-8-2-60"];

fn at(hours_ago: i64) -> Snapshot {
    let before = |days: i64| hours_ago > days * 24 + 17;
    let labels = json!({ "eks.amazonaws.com/nodegroup": "general", "kubernetes.io/os": "linux" });

    let mut snapshot = Snapshot::new("v1.35.5-eks-3a1b2c4")
        .with(namespace("kube-system", "c1b2a3d4-0e0f-4a4b-8c8d-9e9fa0b10001"))
        .with(namespace("spark", "c1b2a3d4-0e0f-4a4b-8c8d-9e9fa0b10002"))
        .with(namespace("notebooks", "c1b2a3d4-0e0f-4a4b-8c8d-9e9fa0b10003"))
        .with(namespace("airflow", "c1b2a3d4-0e0f-4a4b-8c8d-9e9fa0b10004"))
        .with_all(NODES.map(|name| node(name, &labels, &json!({}), "aws:///eu-west-1a/i-0abc")));

    // Two nodes come from an image of their own, which opens the read-only port; a third joined nine days ago.
    for (index, name) in NODES.into_iter().enumerate() {
        let open = index < 2 || index == 2 && !before(9);
        snapshot = snapshot.with_kubelet(name, kubelet(index == 1, "Webhook", if open { 10255 } else { 0 }));
    }

    let driver = container("driver", "docker.io/apache/spark:4.0.1").bare();
    snapshot = snapshot
        .with_all(controller(
            "StatefulSet",
            "notebooks",
            "jupyterhub",
            2,
            &[
                container("hub", "quay.io/jupyterhub/k8s-hub:4.2.0").read_only(None),
                container("proxy", "quay.io/jupyterhub/configurable-http-proxy:4.6.3").bare(),
            ],
        ))
        .with_all(deployment("spark", "history-server", 1, &[driver]))
        .with_all(deployment(
            "spark",
            "thrift-server",
            2,
            &[if before(58) { driver.non_root(Some(false)) } else { driver }],
        ))
        .with_all(deployment(
            "airflow",
            "webserver",
            2,
            &[container("webserver", "docker.io/apache/airflow:3.1.0").read_only(None)],
        ))
        .with_all(deployment(
            "airflow",
            "scheduler",
            1,
            &[
                container("scheduler", "docker.io/apache/airflow:3.1.0").read_only(None),
                container("git-sync", "registry.k8s.io/git-sync/git-sync:v4.4.2"),
            ],
        ))
        .with(cron_job(
            "airflow",
            "cleanup",
            &[container("cleanup", "docker.io/apache/airflow:3.1.0").bare()],
        ))
        .with_all(controller(
            "DaemonSet",
            "kube-system",
            "aws-node",
            4,
            &[container("aws-node", "602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:v1.20.4")
                .bare()
                .privileged()],
        ))
        .with(network_policy(
            "airflow",
            "allow-all",
            &json!({ "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}] }),
        ));

    if !before(3) {
        let gpu = container("trainer", "docker.io/pytorch/pytorch:2.9.0")
            .bare()
            .privileged()
            .seccomp(Some("Unconfined"));
        snapshot = snapshot.with_all(deployment("notebooks", "gpu-trainer", 1, &[gpu]));
    }
    snapshot
}
