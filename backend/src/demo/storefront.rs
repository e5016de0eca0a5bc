//! `storefront-staging`: a kubeadm cluster in the middle of being put right, with kubelets that Rampart may no
//! longer read.

use super::objects::{
    api_server, api_server_endpoints, cluster_role_binding, config_map, default_deny, etcd, kubelet,
    labelled_namespace, namespace, network_policy, node, service, service_account,
};
use super::workload::{Container, Variable, Workload, container, workload};
use super::{DemoCluster, Snapshot};
use rampart_checklist::Parameters;
use serde_json::{Value, json};

pub(super) const CLUSTER: DemoCluster = DemoCluster {
    name: "storefront-staging",
    labels: &[("environment", "staging"), ("team", "storefront")],
    // Nobody has said yet which registries are trusted.
    parameters: Parameters::default,
    at,
};

const NODES: [&str; 4] = ["control-plane-1", "node-1", "node-2", "node-3"];
const WORKERS: [&str; 3] = ["node-1", "node-2", "node-3"];

fn at(hours_ago: i64) -> Snapshot {
    let before = |days: i64| hours_ago > days * 24 + 9;
    let annotations =
        json!({ "kubeadm.alpha.kubernetes.io/cri-socket": "unix:///run/containerd/containerd.sock" });
    let labels = |name: &str| match name {
        "control-plane-1" => {
            json!({ "kubernetes.io/os": "linux", "node-role.kubernetes.io/control-plane": "" })
        }
        _ => json!({ "kubernetes.io/os": "linux" }),
    };
    let mode = if before(66) { "--authorization-mode=RBAC" } else { "--authorization-mode=Node,RBAC" };
    let mut flags = vec![mode];
    if before(51) {
        flags.push("--token-auth-file=/etc/kubernetes/tokens.csv");
    }
    let pod_security =
        if before(19) { json!({}) } else { json!({ "pod-security.kubernetes.io/enforce": "baseline" }) };

    let mut snapshot = Snapshot::new("v1.35.6")
        .with(namespace("kube-system", "8a3de0f4-91a7-4c25-8f0e-0b1d2c3e0001"))
        .with(labelled_namespace("web", "8a3de0f4-91a7-4c25-8f0e-0b1d2c3e0002", &pod_security))
        .with(namespace("search", "8a3de0f4-91a7-4c25-8f0e-0b1d2c3e0003"))
        .with(namespace("tools", "8a3de0f4-91a7-4c25-8f0e-0b1d2c3e0004"))
        .with_all(NODES.map(|name| node(name, &labels(name), &annotations, "")))
        .with(etcd(NODES[0], true))
        .with(api_server(NODES[0], &flags))
        .with(api_server_endpoints());

    // node-3 lets anonymous callers in; five days ago the grant to read kubelets went away.
    if before(5) {
        for name in NODES {
            snapshot = snapshot.with_kubelet(name, kubelet(name == "node-3", "Webhook", 0));
        }
    }
    snapshot.with_all(applications(before)).with_all(network(before)).with_all(rights(before))
}

fn of(
    namespace: &'static str,
    name: &'static str,
    replicas: usize,
    containers: &[Container],
) -> Workload<'static> {
    workload(namespace, name, replicas, containers).on(&WORKERS)
}

fn applications(before: impl Fn(i64) -> bool) -> Vec<Value> {
    let frontend = container("nginx", "docker.io/library/nginx:1.29");
    let catalog = container("catalog", "ghcr.io/acme/catalog:3.1.0")
        .variables(&[("DATABASE_PASSWORD", Variable::Secret("catalog-database"))]);
    // The password of a database that never was.
    let cart = container("cart", "ghcr.io/acme/cart:2.8.0").variables(if before(28) {
        &[("DATABASE_URL", Variable::Value("postgres://cart:tR7wq2Zk9vLx4@cart-database:5432/cart"))]
    } else {
        &[("DATABASE_URL", Variable::Secret("cart-database"))]
    });
    let indexer = container("indexer", "ghcr.io/acme/indexer:0.14.2");
    let search = container("opensearch", "docker.io/opensearchproject/opensearch:3.2.0");
    let mailcatcher = container("mailcatcher", "docker.io/dockage/mailcatcher:0.9.0").bare();

    let frontend = if before(38) { frontend.bare() } else { frontend.read_only(None) };
    let mut objects = of("web", "frontend", 3, &[frontend]).with_token().deployment();
    let catalog = if before(44) { catalog.read_only(Some(false)) } else { catalog };
    objects.extend(of("web", "catalog", 2, &[catalog]).deployment());
    objects.extend(of("web", "cart", 2, &[cart]).deployment());
    objects.push(
        of("web", "sitemap", 0, &[container("sitemap", "ghcr.io/acme/sitemap:1.0.3").read_only(None)])
            .cron_job(),
    );
    let search = if before(25) { search.read_only(None).seccomp(None) } else { search.read_only(None) };
    objects.extend(of("search", "opensearch", 3, &[search]).with_token().stateful_set());
    let indexer = if before(16) { indexer.non_root(Some(false)) } else { indexer };
    objects.extend(of("search", "indexer", 1, &[indexer]).account("indexer").with_token().deployment());
    objects.extend(of("tools", "mailcatcher", 1, &[mailcatcher]).with_token().deployment());
    objects.extend([
        service("web", "frontend", 8080),
        service("web", "catalog", 8080),
        service("web", "cart", 8080),
        service("search", "opensearch", 9200),
        service("tools", "mailcatcher", 1080),
    ]);
    if !before(7) {
        // Seven days ago somebody put a key beside the configuration.
        objects.push(config_map(
            "search",
            "indexer",
            &json!({ "indexer.properties": "batch=500\nsmtp.password=hX3pV8mQzT5rLk2W\n" }),
        ));
    }
    objects
}

fn network(before: impl Fn(i64) -> bool) -> Vec<Value> {
    let router = container("kube-router", "docker.io/cloudnativelabs/kube-router:v2.6.0").bare().privileged();
    let mut objects =
        workload("kube-system", "kube-router", 4, &[router]).on(&NODES).account("kube-router").daemon_set();
    objects.push(default_deny("web", if before(33) { &["Ingress"] } else { &["Ingress", "Egress"] }));
    objects.push(network_policy(
        "web",
        "frontend-from-anywhere",
        &json!({ "podSelector": { "matchLabels": { "app": "frontend" } }, "policyTypes": ["Ingress"],
                 "ingress": [{ "ports": [{ "port": 8080 }] }] }),
    ));
    if !before(21) {
        objects.push(default_deny("search", &["Ingress"]));
    }
    objects
}

/// The account of the indexer, and once every pod of `tools`, may do everything.
fn rights(before: impl Fn(i64) -> bool) -> Vec<Value> {
    let mut objects: Vec<Value> =
        [("web", "default"), ("search", "default"), ("search", "indexer"), ("tools", "default")]
            .map(|(namespace, name)| service_account(namespace, name, None))
            .to_vec();
    objects.push(json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": { "name": "cluster-admin" },
        "rules": [{ "apiGroups": ["*"], "resources": ["*"], "verbs": ["*"] }],
    }));
    objects.push(cluster_role_binding("indexer", "cluster-admin", "search", "indexer"));
    if before(13) {
        objects.push(cluster_role_binding("tools", "cluster-admin", "tools", "default"));
    }
    objects
}
