//! Objects as an API server shows them, from the few words that matter.

use serde_json::{Value, json};

/// A container, secure unless it says otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Container {
    pub(super) name: &'static str,
    pub(super) image: &'static str,
    pub(super) read_only: Option<bool>,
    pub(super) non_root: Option<bool>,
    pub(super) seccomp: Option<&'static str>,
    pub(super) privileged: bool,
}

pub(super) const fn container(name: &'static str, image: &'static str) -> Container {
    Container {
        name,
        image,
        read_only: Some(true),
        non_root: Some(true),
        seccomp: Some("RuntimeDefault"),
        privileged: false,
    }
}

impl Container {
    pub(super) const fn read_only(self, value: Option<bool>) -> Self {
        Container { read_only: value, ..self }
    }

    pub(super) const fn non_root(self, value: Option<bool>) -> Self {
        Container { non_root: value, ..self }
    }

    pub(super) const fn seccomp(self, value: Option<&'static str>) -> Self {
        Container { seccomp: value, ..self }
    }

    pub(super) const fn privileged(self) -> Self {
        Container { privileged: true, ..self }
    }

    /// With nothing set at all, as most manifests begin.
    pub(super) const fn bare(self) -> Self {
        self.read_only(None).non_root(None).seccomp(None)
    }

    fn object(&self) -> Value {
        let mut context = serde_json::Map::new();
        if let Some(value) = self.read_only {
            context.insert("readOnlyRootFilesystem".into(), value.into());
        }
        if let Some(value) = self.non_root {
            context.insert("runAsNonRoot".into(), value.into());
        }
        if let Some(value) = self.seccomp {
            context.insert("seccompProfile".into(), json!({ "type": value }));
        }
        if self.privileged {
            context.insert("privileged".into(), true.into());
        }
        json!({ "name": self.name, "image": self.image, "securityContext": context })
    }
}

pub(super) fn namespace(name: &str, uid: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "uid": uid } })
}

/// A ready node; `labels` and `provider` tell who runs it.
pub(super) fn node(name: &str, labels: &Value, annotations: &Value, provider: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": name, "labels": labels, "annotations": annotations },
        "spec": { "providerID": provider },
        "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
    })
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

/// A static pod of the control plane, as its mirror.
pub(super) fn static_pod(component: &str, node: &str, command: &[&str]) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": format!("{component}-{node}"), "namespace": "kube-system",
            "labels": { "component": component, "tier": "control-plane" },
            "annotations": { "kubernetes.io/config.mirror": "0f0f" },
            "ownerReferences": [{ "apiVersion": "v1", "kind": "Node", "name": node, "controller": true }],
        },
        "spec": { "nodeName": node, "hostNetwork": true,
                  "securityContext": { "seccompProfile": { "type": "RuntimeDefault" } },
                  "containers": [{ "name": component, "command": command }] },
        "status": { "phase": "Running" },
    })
}

/// An API server as kubeadm starts it, with these flags beside its own.
pub(super) fn api_server(node: &str, flags: &[&str]) -> Value {
    let mut command = vec![
        "kube-apiserver",
        "--etcd-servers=https://127.0.0.1:2379",
        "--etcd-cafile=/etc/kubernetes/pki/etcd/ca.crt",
        "--etcd-certfile=/etc/kubernetes/pki/apiserver-etcd-client.crt",
        "--etcd-keyfile=/etc/kubernetes/pki/apiserver-etcd-client.key",
    ];
    command.extend_from_slice(flags);
    static_pod("kube-apiserver", node, &command)
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
    static_pod("etcd", node, &command)
}

/// A Deployment with its ReplicaSet and pods.
pub(super) fn deployment(
    namespace: &str,
    name: &str,
    replicas: usize,
    containers: &[Container],
) -> Vec<Value> {
    let replica_set = format!("{name}-7d9c5b8f4");
    let owner = |kind: &str, name: &str| json!([{ "apiVersion": "apps/v1", "kind": kind, "name": name, "controller": true }]);
    let revision = json!({ "deployment.kubernetes.io/revision": "1" });
    let spec = json!({ "replicas": replicas, "template": { "spec": pod_spec(containers) } });
    let mut objects = vec![
        json!({ "apiVersion": "apps/v1", "kind": "Deployment",
                "metadata": { "name": name, "namespace": namespace, "annotations": revision }, "spec": spec }),
        json!({ "apiVersion": "apps/v1", "kind": "ReplicaSet",
                "metadata": { "name": replica_set, "namespace": namespace, "annotations": revision,
                              "ownerReferences": owner("Deployment", name) }, "spec": spec }),
    ];
    objects.extend((0..replicas).map(|replica| {
        pod(namespace, &format!("{replica_set}-{replica:05}"), &owner("ReplicaSet", &replica_set), containers)
    }));
    objects
}

/// A StatefulSet or DaemonSet with its pods.
pub(super) fn controller(
    kind: &str,
    namespace: &str,
    name: &str,
    replicas: usize,
    containers: &[Container],
) -> Vec<Value> {
    let owner = json!([{ "apiVersion": "apps/v1", "kind": kind, "name": name, "controller": true }]);
    let mut objects = vec![json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": name, "namespace": namespace },
        "spec": { "template": { "spec": pod_spec(containers) } },
    })];
    objects.extend(
        (0..replicas).map(|replica| pod(namespace, &format!("{name}-{replica}"), &owner, containers)),
    );
    objects
}

/// A CronJob between two of its runs.
pub(super) fn cron_job(namespace: &str, name: &str, containers: &[Container]) -> Value {
    json!({
        "apiVersion": "batch/v1", "kind": "CronJob", "metadata": { "name": name, "namespace": namespace },
        "spec": { "schedule": "15 2 * * *", "jobTemplate": { "spec": { "template": { "spec": pod_spec(containers) } } } },
    })
}

/// A NetworkPolicy.
pub(super) fn network_policy(namespace: &str, name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": { "name": name, "namespace": namespace }, "spec": spec,
    })
}

/// A NetworkPolicy that denies these directions by default.
pub(super) fn default_deny(namespace: &str, directions: &[&str]) -> Value {
    network_policy(namespace, "default-deny", &json!({ "podSelector": {}, "policyTypes": directions }))
}

fn pod(namespace: &str, name: &str, owners: &Value, containers: &[Container]) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": name, "namespace": namespace, "ownerReferences": owners },
        "spec": pod_spec(containers),
        "status": { "phase": "Running", "podIPs": [{ "ip": "10.42.0.7" }] },
    })
}

fn pod_spec(containers: &[Container]) -> Value {
    json!({ "containers": containers.iter().map(Container::object).collect::<Vec<_>>() })
}
