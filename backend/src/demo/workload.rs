//! Workloads of the demo: their containers, and the objects that an API server shows of them.

use serde_json::{Value, json};

/// What a variable holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Variable {
    /// This.
    Value(&'static str),
    /// A key of this Secret.
    Secret(&'static str),
}

/// A container, secure unless it says otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Container {
    name: &'static str,
    image: &'static str,
    read_only: Option<bool>,
    non_root: Option<bool>,
    seccomp: Option<&'static str>,
    /// Whether it gives up privilege escalation and every capability.
    restricted: bool,
    privileged: bool,
    variables: &'static [(&'static str, Variable)],
}

pub(super) const fn container(name: &'static str, image: &'static str) -> Container {
    Container {
        name,
        image,
        read_only: Some(true),
        non_root: Some(true),
        seccomp: Some("RuntimeDefault"),
        restricted: true,
        privileged: false,
        variables: &[],
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
        Container { privileged: true, restricted: false, ..self }
    }

    pub(super) const fn variables(self, variables: &'static [(&'static str, Variable)]) -> Self {
        Container { variables, ..self }
    }

    /// With nothing set at all, as most manifests begin.
    pub(super) const fn bare(self) -> Self {
        let bare = self.read_only(None).non_root(None).seccomp(None);
        Container { restricted: false, ..bare }
    }

    fn object(&self) -> Value {
        let mut context = json!({});
        if let Some(value) = self.read_only {
            context["readOnlyRootFilesystem"] = json!(value);
        }
        if let Some(value) = self.non_root {
            context["runAsNonRoot"] = json!(value);
        }
        if let Some(value) = self.seccomp {
            context["seccompProfile"] = json!({ "type": value });
        }
        if self.restricted {
            context["allowPrivilegeEscalation"] = json!(false);
            context["capabilities"] = json!({ "drop": ["ALL"] });
        }
        if self.privileged {
            context["privileged"] = json!(true);
        }
        let variables = self.variables.iter().map(|(name, variable)| match variable {
            Variable::Value(value) => json!({ "name": name, "value": value }),
            Variable::Secret(secret) => {
                json!({ "name": name, "valueFrom": { "secretKeyRef": { "name": secret, "key": name } } })
            }
        });
        json!({
            "name": self.name, "image": self.image, "securityContext": context,
            "env": variables.collect::<Vec<_>>(),
        })
    }
}

/// A workload and its pods, which are ready and mount no token of the API unless it says otherwise.
#[derive(Debug, Clone)]
pub(super) struct Workload<'a> {
    namespace: &'a str,
    name: &'a str,
    replicas: usize,
    ready: usize,
    containers: Vec<Container>,
    account: &'a str,
    token: bool,
    annotations: Value,
    nodes: &'a [&'a str],
}

pub(super) fn workload<'a>(
    namespace: &'a str,
    name: &'a str,
    replicas: usize,
    containers: &[Container],
) -> Workload<'a> {
    Workload {
        namespace,
        name,
        replicas,
        ready: replicas,
        containers: containers.to_vec(),
        account: "default",
        token: false,
        annotations: json!({}),
        nodes: &[],
    }
}

impl<'a> Workload<'a> {
    /// Its pods run on these nodes in turn.
    pub(super) fn on(self, nodes: &'a [&'a str]) -> Self {
        Workload { nodes, ..self }
    }

    pub(super) fn account(self, account: &'a str) -> Self {
        Workload { account, ..self }
    }

    /// Its pods mount a token of the API, as they do where nobody says otherwise.
    pub(super) fn with_token(self) -> Self {
        Workload { token: true, ..self }
    }

    /// Its pods are in Istio's mesh in ambient mode.
    pub(super) fn in_mesh(self) -> Self {
        Workload { annotations: json!({ "ambient.istio.io/redirection": "enabled" }), ..self }
    }

    /// So many of its pods are ready.
    pub(super) fn ready(self, ready: usize) -> Self {
        Workload { ready, ..self }
    }

    /// A Deployment with its ReplicaSet and pods.
    pub(super) fn deployment(&self) -> Vec<Value> {
        let replica_set = format!("{}-7d9c5b8f4", self.name);
        let revision = json!({ "deployment.kubernetes.io/revision": "1" });
        let status = json!({ "replicas": self.replicas, "readyReplicas": self.ready });
        let mut deployment = self.controller_object("Deployment", self.name, &status);
        deployment["metadata"]["annotations"] = revision.clone();
        let mut set = self.controller_object("ReplicaSet", &replica_set, &status);
        set["metadata"]["annotations"] = revision;
        set["metadata"]["ownerReferences"] = owner("Deployment", self.name);
        let mut objects = vec![deployment, set];
        objects.extend((0..self.replicas).map(|replica| {
            self.pod(&format!("{replica_set}-{replica:05}"), replica, &owner("ReplicaSet", &replica_set))
        }));
        objects
    }

    /// A StatefulSet with its pods.
    pub(super) fn stateful_set(&self) -> Vec<Value> {
        let status = json!({ "replicas": self.replicas, "readyReplicas": self.ready });
        self.controller("StatefulSet", &status)
    }

    /// A DaemonSet with its pods.
    pub(super) fn daemon_set(&self) -> Vec<Value> {
        let status = json!({ "desiredNumberScheduled": self.replicas, "numberReady": self.ready });
        self.controller("DaemonSet", &status)
    }

    /// A CronJob between two of its runs.
    pub(super) fn cron_job(&self) -> Value {
        json!({
            "apiVersion": "batch/v1", "kind": "CronJob",
            "metadata": { "name": self.name, "namespace": self.namespace },
            "spec": { "schedule": "15 2 * * *", "jobTemplate": { "spec": { "template": self.template() } } },
        })
    }

    fn controller(&self, kind: &str, status: &Value) -> Vec<Value> {
        let mut objects = vec![self.controller_object(kind, self.name, status)];
        objects.extend(
            (0..self.replicas).map(|replica| {
                self.pod(&format!("{}-{replica}", self.name), replica, &owner(kind, self.name))
            }),
        );
        objects
    }

    fn controller_object(&self, kind: &str, name: &str, status: &Value) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": kind, "metadata": { "name": name, "namespace": self.namespace },
            "spec": {
                "replicas": self.replicas, "selector": { "matchLabels": { "app": self.name } },
                "template": self.template(),
            },
            "status": status,
        })
    }

    fn template(&self) -> Value {
        json!({ "metadata": { "labels": { "app": self.name } }, "spec": self.pod_spec() })
    }

    fn pod(&self, name: &str, replica: usize, owners: &Value) -> Value {
        let mut spec = self.pod_spec();
        if let Some(node) = self.nodes.get(replica % self.nodes.len().max(1)) {
            spec["nodeName"] = json!(node);
        }
        if self.token {
            // As admission adds it.
            spec["volumes"] = json!([{ "name": "kube-api-access", "projected": { "sources": [
                { "serviceAccountToken": { "path": "token" } },
            ] } }]);
            let mount = json!([{ "name": "kube-api-access", "mountPath": TOKEN_FOLDER, "readOnly": true }]);
            for container in spec["containers"].as_array_mut().into_iter().flatten() {
                container["volumeMounts"] = mount.clone();
            }
        }
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": name, "namespace": self.namespace, "uid": format!("{}-{name}", self.namespace),
                "labels": { "app": self.name }, "annotations": self.annotations, "ownerReferences": owners,
            },
            "spec": spec,
            "status": { "phase": "Running", "podIPs": [{ "ip": "10.42.0.7" }] },
        })
    }

    fn pod_spec(&self) -> Value {
        let containers: Vec<Value> = self.containers.iter().map(Container::object).collect();
        let mut spec = json!({ "serviceAccountName": self.account, "containers": containers });
        if !self.token {
            spec["automountServiceAccountToken"] = json!(false);
        }
        spec
    }
}

const TOKEN_FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

fn owner(kind: &str, name: &str) -> Value {
    json!([{ "apiVersion": "apps/v1", "kind": kind, "name": name, "controller": true }])
}
