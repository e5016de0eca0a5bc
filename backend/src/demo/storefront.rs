//! `storefront-staging`: a kubeadm cluster in the middle of being put right, with kubelets that Rampart may no
//! longer read.

use super::objects::{
    api_server, container, controller, cron_job, default_deny, deployment, etcd, kubelet, namespace,
    network_policy, node,
};
use super::{DemoCluster, Snapshot};
use serde_json::json;

pub(super) const CLUSTER: DemoCluster = DemoCluster {
    name: "storefront-staging",
    labels: &[("environment", "staging"), ("team", "storefront")],
    at,
};

const NODES: [&str; 4] = ["control-plane-1", "node-1", "node-2", "node-3"];

fn at(hours_ago: i64) -> Snapshot {
    let before = |days: i64| hours_ago > days * 24 + 9;
    let annotations =
        json!({ "kubeadm.alpha.kubernetes.io/cri-socket": "unix:///run/containerd/containerd.sock" });
    let plugins = if before(66) { "--authorization-mode=RBAC" } else { "--authorization-mode=Node,RBAC" };

    let mut snapshot = Snapshot::new("v1.35.6")
        .with(namespace("kube-system", "8a3de0f4-91a7-4c25-8f0e-0b1d2c3e0001"))
        .with(namespace("web", "8a3de0f4-91a7-4c25-8f0e-0b1d2c3e0002"))
        .with(namespace("search", "8a3de0f4-91a7-4c25-8f0e-0b1d2c3e0003"))
        .with(namespace("tools", "8a3de0f4-91a7-4c25-8f0e-0b1d2c3e0004"))
        .with_all(NODES.map(|name| node(name, &json!({}), &annotations, "")))
        .with(etcd(NODES[0], true))
        .with(api_server(NODES[0], &[plugins, "--enable-admission-plugins=NodeRestriction"]));

    // node-3 lets anonymous callers in; five days ago the grant to read kubelets went away.
    if before(5) {
        for name in NODES {
            snapshot = snapshot.with_kubelet(name, kubelet(name == "node-3", "Webhook", 0));
        }
    }

    let frontend = container("nginx", "docker.io/library/nginx:1.29");
    let catalog = container("catalog", "ghcr.io/acme/catalog:3.1.0");
    let indexer = container("indexer", "ghcr.io/acme/indexer:0.14.2");
    let search = container("opensearch", "docker.io/opensearchproject/opensearch:3.2.0");
    snapshot
        .with_all(deployment(
            "web",
            "frontend",
            3,
            &[if before(38) { frontend.bare() } else { frontend.read_only(None) }],
        ))
        .with_all(deployment(
            "web",
            "catalog",
            2,
            &[if before(44) { catalog.read_only(Some(false)) } else { catalog }],
        ))
        .with_all(deployment("web", "cart", 2, &[container("cart", "ghcr.io/acme/cart:2.8.0")]))
        .with(cron_job(
            "web",
            "sitemap",
            &[container("sitemap", "ghcr.io/acme/sitemap:1.0.3").read_only(None)],
        ))
        .with_all(controller(
            "StatefulSet",
            "search",
            "opensearch",
            3,
            &[if before(25) { search.read_only(None).seccomp(None) } else { search.read_only(None) }],
        ))
        .with_all(deployment(
            "search",
            "indexer",
            1,
            &[if before(16) { indexer.non_root(Some(false)) } else { indexer }],
        ))
        .with_all(deployment(
            "tools",
            "mailcatcher",
            1,
            &[container("mailcatcher", "docker.io/dockage/mailcatcher:0.9.0").bare()],
        ))
        .with_all(controller(
            "DaemonSet",
            "kube-system",
            "kube-router",
            4,
            &[container("kube-router", "docker.io/cloudnativelabs/kube-router:v2.6.0").bare().privileged()],
        ))
        .with(default_deny("web", if before(33) { &["Ingress"] } else { &["Ingress", "Egress"] }))
        .with(network_policy(
            "web",
            "frontend-from-anywhere",
            &json!({ "podSelector": { "matchLabels": { "app": "frontend" } }, "policyTypes": ["Ingress"],
                     "ingress": [{ "ports": [{ "port": 8080 }] }] }),
        ))
        .with_all((!before(21)).then(|| default_deny("search", &["Ingress"])))
}
