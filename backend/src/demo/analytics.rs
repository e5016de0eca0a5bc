//! `analytics-eks`: a neglected EKS cluster. The provider runs the control plane and shows it to nobody.

use super::objects::{
    cluster_role, cluster_role_binding, config_map, kubelet, namespace, network_policy, node, service,
    service_account,
};
use super::workload::{Container, Variable, Workload, container, workload};
use super::{DemoCluster, Snapshot, registries};
use rampart_checklist::Parameters;
use serde_json::{Value, json};

pub(super) const CLUSTER: DemoCluster = DemoCluster {
    name: "analytics-eks",
    labels: &[("environment", "production"), ("team", "data")],
    parameters,
    at,
};

const NODES: [&str; 4] = ["ip-10-8-1-21", "ip-10-8-1-87", "ip-10-8-2-14", "ip-10-8-2-60"];

fn parameters() -> Parameters {
    let mut parameters = Parameters::default();
    parameters.trusted_registries.allow = registries(&[
        "docker.io/apache",
        "quay.io/jupyterhub",
        "registry.k8s.io",
        "602401143452.dkr.ecr.eu-west-1.amazonaws.com",
    ]);
    parameters
}

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
    snapshot.with_all(applications(before)).with_all(network()).with_all(rights(before))
}

fn of(
    namespace: &'static str,
    name: &'static str,
    replicas: usize,
    containers: &[Container],
) -> Workload<'static> {
    workload(namespace, name, replicas, containers).on(&NODES).with_token()
}

fn applications(before: impl Fn(i64) -> bool) -> Vec<Value> {
    // Keys of accounts that never were.
    const KEYS: &[(&str, Variable)] = &[
        ("AWS_ACCESS_KEY_ID", Variable::Value("AKIAQ7ZT3VXW5LNRJ2KD")),
        ("AWS_SECRET_ACCESS_KEY", Variable::Value("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")),
    ];
    let driver = container("driver", "docker.io/apache/spark:4.0.1").bare();
    let airflow = container("webserver", "docker.io/apache/airflow:3.1.0")
        .read_only(None)
        .variables(&[("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", Variable::Secret("airflow-metadata"))]);
    let mut objects = of(
        "notebooks",
        "jupyterhub",
        2,
        &[
            container("hub", "quay.io/jupyterhub/k8s-hub:4.2.0").read_only(None),
            container("proxy", "quay.io/jupyterhub/configurable-http-proxy:4.6.3").bare(),
        ],
    )
    .account("hub")
    .stateful_set();
    objects.extend(of("spark", "history-server", 1, &[driver]).deployment());
    let thrift = if before(58) { driver.non_root(Some(false)) } else { driver };
    // Since 37 days it takes its rights from its account; the history server never held any.
    let thrift = if before(37) { thrift.variables(KEYS) } else { thrift };
    objects.extend(of("spark", "thrift-server", 2, &[thrift]).deployment());
    objects.extend(of("airflow", "webserver", 2, &[airflow]).deployment());
    objects.extend(
        of(
            "airflow",
            "scheduler",
            1,
            &[
                container("scheduler", "docker.io/apache/airflow:3.1.0").read_only(None).variables(KEYS),
                container("git-sync", "registry.k8s.io/git-sync/git-sync:v4.4.2"),
            ],
        )
        .account("scheduler")
        .deployment(),
    );
    objects.push(
        of("airflow", "cleanup", 0, &[container("cleanup", "docker.io/apache/airflow:3.1.0").bare()])
            .cron_job(),
    );
    if !before(3) {
        let gpu = container("trainer", "docker.io/pytorch/pytorch:2.9.0")
            .bare()
            .privileged()
            .seccomp(Some("Unconfined"));
        objects.extend(of("notebooks", "gpu-trainer", 1, &[gpu]).deployment());
    }
    objects.extend([
        service("notebooks", "jupyterhub", 8000),
        service("spark", "thrift-server", 10000),
        service("airflow", "webserver", 8080),
        config_map(
            "airflow",
            "airflow",
            &json!({ "airflow.cfg": "[core]\nexecutor = KubernetesExecutor\n" }),
        ),
    ]);
    objects
}

fn network() -> Vec<Value> {
    let agent = container("aws-node", "602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:v1.20.4")
        .bare()
        .privileged();
    let mut objects =
        workload("kube-system", "aws-node", 4, &[agent]).on(&NODES).account("aws-node").daemon_set();
    objects.push(network_policy(
        "airflow",
        "allow-all",
        &json!({ "podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{}] }),
    ));
    objects
}

/// The scheduler makes pods; the hub once could run commands in all of them.
fn rights(before: impl Fn(i64) -> bool) -> Vec<Value> {
    let mut objects: Vec<Value> = [
        ("spark", "default"),
        ("notebooks", "default"),
        ("notebooks", "hub"),
        ("airflow", "default"),
        ("airflow", "scheduler"),
    ]
    .map(|(namespace, name)| service_account(namespace, name, None))
    .to_vec();
    objects.push(cluster_role("airflow-scheduler", &[""], &["pods"], &["get", "list", "create", "delete"]));
    objects.push(cluster_role_binding("airflow-scheduler", "airflow-scheduler", "airflow", "scheduler"));
    if before(24) {
        objects.push(cluster_role("hub", &[""], &["pods/exec"], &["create"]));
        objects.push(cluster_role_binding("hub", "hub", "notebooks", "hub"));
    }
    objects
}
