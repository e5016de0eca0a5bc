//! Objects as an API server shows them, from the few words that matter.

use serde_json::{Value, json};

/// A namespace's name and its UID.
pub(super) fn namespace(name: &str, uid: &str) -> Value {
    labelled_namespace(name, uid, &json!({}))
}

/// The same with labels of its own.
pub(super) fn labelled_namespace(name: &str, uid: &str, labels: &Value) -> Value {
    let mut labels = labels.clone();
    labels["kubernetes.io/metadata.name"] = json!(name);
    object("v1", "Namespace", &json!({ "name": name, "uid": uid, "labels": labels }), &[])
}

/// A ready node; `labels` and `provider` tell who runs it.
pub(super) fn node(name: &str, labels: &Value, annotations: &Value, provider: &str) -> Value {
    let metadata = json!({ "name": name, "labels": labels, "annotations": annotations });
    let status = json!({
        "conditions": [{ "type": "Ready", "status": "True" }],
        "nodeInfo": { "operatingSystem": "linux", "containerRuntimeVersion": "containerd://2.1.4" },
    });
    object("v1", "Node", &metadata, &[("spec", json!({ "providerID": provider })), ("status", status)])
}

/// A kubelet's effective configuration.
pub(super) fn kubelet(anonymous: bool, mode: &str, read_only_port: u16) -> Value {
    json!({
        "kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "authentication": { "anonymous": { "enabled": anonymous }, "webhook": { "enabled": mode == "Webhook" } },
        "authorization": { "mode": mode },
        "readOnlyPort": read_only_port,
    })
}

/// Where the control plane of every cluster of the demo with a visible one answers.
const CONTROL_PLANE: &str = "10.20.0.10";

/// A static pod of the control plane, as its mirror.
fn static_pod(component: &str, image: &str, node: &str, command: &[&str]) -> Value {
    let metadata = json!({
        "name": format!("{component}-{node}"), "namespace": "kube-system",
        "labels": { "component": component, "tier": "control-plane" },
        "annotations": { "kubernetes.io/config.mirror": "0f0f" },
        "ownerReferences": [{ "apiVersion": "v1", "kind": "Node", "name": node, "controller": true }],
    });
    let spec = json!({
        "nodeName": node, "hostNetwork": true,
        "securityContext": { "seccompProfile": { "type": "RuntimeDefault" } },
        "containers": [{ "name": component, "image": image, "command": command }],
    });
    let status = json!({ "phase": "Running", "podIPs": [{ "ip": CONTROL_PLANE }] });
    object("v1", "Pod", &metadata, &[("spec", spec), ("status", status)])
}

/// An API server as kubeadm starts it, with these flags beside its own.
pub(super) fn api_server(node: &str, flags: &[&str]) -> Value {
    let mut command = vec![
        "kube-apiserver",
        "--etcd-servers=https://127.0.0.1:2379",
        "--etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt",
        "--etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt",
        "--etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key",
        "--client-ca-file=/etc/kubernetes/pki/ca.crt",
        "--enable-admission-plugins=NodeRestriction",
    ];
    command.extend_from_slice(flags);
    static_pod("kube-apiserver", "registry.k8s.io/kube-apiserver:v1.36.3", node, &command)
}

/// An etcd as kubeadm starts it; without peer authentication where that is left out.
pub(super) fn etcd(node: &str, peer_authentication: bool) -> Value {
    let mut command = vec![
        "etcd",
        "--cert-file=/etc/kubernetes/pki/etcd/server.crt",
        "--key-file=/etc/kubernetes/pki/etcd/server.key",
        "--client-cert-auth=true",
        "--trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt",
        "--peer-cert-file=/etc/kubernetes/pki/etcd/peer.crt",
        "--peer-key-file=/etc/kubernetes/pki/etcd/peer.key",
        "--peer-trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt",
        "--listen-client-urls=https://127.0.0.1:2379,https://10.20.0.10:2379",
        "--advertise-client-urls=https://10.20.0.10:2379",
        "--listen-peer-urls=https://10.20.0.10:2380",
        "--initial-advertise-peer-urls=https://10.20.0.10:2380",
    ];
    if peer_authentication {
        command.push("--peer-client-cert-auth=true");
    }
    static_pod("etcd", "registry.k8s.io/etcd:3.6.5-0", node, &command)
}

/// The addresses of the API servers, which the API server itself keeps.
pub(super) fn api_server_endpoints() -> Value {
    let metadata = json!({
        "name": "kubernetes", "namespace": "default", "labels": { "kubernetes.io/service-name": "kubernetes" },
    });
    object(
        "discovery.k8s.io/v1",
        "EndpointSlice",
        &metadata,
        &[
            ("addressType", json!("IPv4")),
            ("endpoints", json!([{ "addresses": [CONTROL_PLANE] }])),
            ("ports", json!([{ "name": "https", "port": 6443, "protocol": "TCP" }])),
        ],
    )
}

/// A NetworkPolicy.
pub(super) fn network_policy(namespace: &str, name: &str, spec: &Value) -> Value {
    with_spec("networking.k8s.io/v1", "NetworkPolicy", namespace, name, spec)
}

/// A NetworkPolicy that denies these directions by default.
pub(super) fn default_deny(namespace: &str, directions: &[&str]) -> Value {
    network_policy(namespace, "default-deny", &json!({ "podSelector": {}, "policyTypes": directions }))
}

/// A Service in front of the pods of a workload.
pub(super) fn service(namespace: &str, name: &str, port: u16) -> Value {
    let spec = json!({
        "type": "ClusterIP", "selector": { "app": name },
        "ports": [{ "name": "http", "port": 80, "targetPort": port, "protocol": "TCP" }],
    });
    with_spec("v1", "Service", namespace, name, &spec)
}

/// A ConfigMap.
pub(super) fn config_map(namespace: &str, name: &str, data: &Value) -> Value {
    object("v1", "ConfigMap", &json!({ "name": name, "namespace": namespace }), &[("data", data.clone())])
}

/// A ServiceAccount; `token` says whether its pods get one of the API.
pub(super) fn service_account(namespace: &str, name: &str, token: Option<bool>) -> Value {
    let metadata = json!({ "name": name, "namespace": namespace });
    let fields: Vec<_> =
        token.map(|token| ("automountServiceAccountToken", json!(token))).into_iter().collect();
    object("v1", "ServiceAccount", &metadata, &fields)
}

/// A ClusterRole with one rule.
pub(super) fn cluster_role(name: &str, groups: &[&str], resources: &[&str], verbs: &[&str]) -> Value {
    let rules = json!([{ "apiGroups": groups, "resources": resources, "verbs": verbs }]);
    object("rbac.authorization.k8s.io/v1", "ClusterRole", &json!({ "name": name }), &[("rules", rules)])
}

/// A ClusterRoleBinding that gives a ClusterRole to a service account.
pub(super) fn cluster_role_binding(name: &str, role: &str, namespace: &str, account: &str) -> Value {
    let role = json!({ "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role });
    let subjects = json!([{ "kind": "ServiceAccount", "namespace": namespace, "name": account }]);
    object(
        "rbac.authorization.k8s.io/v1",
        "ClusterRoleBinding",
        &json!({ "name": name }),
        &[("roleRef", role), ("subjects", subjects)],
    )
}

/// An ExternalSecret that makes a Secret of its name, in sync or not.
pub(super) fn external_secret(namespace: &str, name: &str, synced: bool) -> Value {
    let spec = json!({
        "refreshInterval": "1h", "secretStoreRef": { "kind": "ClusterSecretStore", "name": "vault" },
        "target": { "name": name },
    });
    let ready = if synced { "True" } else { "False" };
    let mut secret = with_spec("external-secrets.io/v1", "ExternalSecret", namespace, name, &spec);
    secret["status"] = json!({ "conditions": [{ "type": "Ready", "status": ready }] });
    secret
}

/// An object that is little beside its `spec`.
pub(super) fn with_spec(api_version: &str, kind: &str, namespace: &str, name: &str, spec: &Value) -> Value {
    let mut metadata = json!({ "name": name });
    if !namespace.is_empty() {
        metadata["namespace"] = json!(namespace);
    }
    object(api_version, kind, &metadata, &[("spec", spec.clone())])
}

fn object(api_version: &str, kind: &str, metadata: &Value, fields: &[(&str, Value)]) -> Value {
    let mut object = json!({ "apiVersion": api_version, "kind": kind, "metadata": metadata });
    for (name, value) in fields {
        object[*name] = value.clone();
    }
    object
}
