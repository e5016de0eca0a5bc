//! `payments-prod`: a well-kept kubeadm cluster. It began with faults like any other, and most were fixed.

use super::objects::{
    api_server, api_server_endpoints, cluster_role, cluster_role_binding, config_map, default_deny, etcd,
    external_secret, kubelet, labelled_namespace, namespace, network_policy, node, service, service_account,
    with_spec,
};
use super::workload::{Container, Variable, Workload, container, workload};
use super::{DemoCluster, Snapshot, registries};
use rampart_checklist::Parameters;
use serde_json::{Value, json};

pub(super) const CLUSTER: DemoCluster = DemoCluster {
    name: "payments-prod",
    labels: &[("environment", "production"), ("team", "payments")],
    parameters,
    at,
};

const NODES: [&str; 3] = ["control-plane-1", "worker-1", "worker-2"];
const WORKERS: [&str; 2] = ["worker-1", "worker-2"];

/// The metrics that say which authorizers and admission plugins ran, and that Secrets are written encrypted.
const METRICS: &str = "\
apiserver_admission_controller_admission_duration_seconds_count{name=\"NodeRestriction\"} 41822\n\
apiserver_authorization_decisions_total{decision=\"allowed\",type=\"Node\"} 90315\n";
const ENCRYPTED: &str = "\
apiserver_storage_transformation_operations_total{resource=\"secrets\",status=\"OK\",\
transformation_type=\"to_storage\",transformer_prefix=\"k8s:enc:aesgcm:v1:\"} 388\n";

fn parameters() -> Parameters {
    let mut parameters = Parameters {
        system_namespaces: ["istio-system", "external-secrets"].map(str::to_owned).to_vec(),
        ..Parameters::default()
    };
    parameters.trusted_registries.allow = registries(&["ghcr.io/acme", "registry.k8s.io"]);
    parameters
}

/// So many hours ago.
#[derive(Clone, Copy)]
struct Past(i64);

impl Past {
    /// Whether it is longer ago than so many days.
    const fn before(self, days: i64) -> bool {
        self.0 > days * 24 + 14
    }

    const fn between(self, from: i64, to: i64) -> bool {
        self.before(to) && !self.before(from)
    }

    /// Somebody needed a shell in `payments` for a day and a half, and switched off what would have refused it.
    const fn debugging(self) -> bool {
        self.between(12, 10)
    }
}

fn at(hours_ago: i64) -> Snapshot {
    let past = Past(hours_ago);
    let annotations =
        json!({ "kubeadm.alpha.kubernetes.io/cri-socket": "unix:///run/containerd/containerd.sock" });
    let labels = |name: &str| match name {
        "control-plane-1" => {
            json!({ "kubernetes.io/os": "linux", "node-role.kubernetes.io/control-plane": "" })
        }
        _ => json!({ "kubernetes.io/os": "linux" }),
    };

    let mut snapshot = Snapshot::new("v1.36.3")
        .with(namespace("kube-system", "5f0c7f5e-2f0a-4f43-9b63-6d1c5a1f0001"))
        .with(labelled_namespace(
            "payments",
            "5f0c7f5e-2f0a-4f43-9b63-6d1c5a1f0002",
            &pod_security(!past.before(54) && !past.debugging()),
        ))
        .with(labelled_namespace(
            "ledger",
            "5f0c7f5e-2f0a-4f43-9b63-6d1c5a1f0003",
            &pod_security(!past.before(29)),
        ))
        .with_all(NODES.map(|name| node(name, &labels(name), &annotations, "")))
        .with_all(control_plane(past))
        .with_metrics(if past.before(52) { METRICS.to_owned() } else { format!("{METRICS}{ENCRYPTED}") });

    // For two days nobody could read the kubelets: the grant had been taken away.
    if !past.between(20, 18) {
        for name in NODES {
            let bad = name == "worker-2" && past.before(72);
            let configuration = kubelet(bad, "Webhook", if bad { 10255 } else { 0 });
            snapshot = snapshot.with_kubelet(name, configuration);
        }
    }
    snapshot
        .with_all(applications(past))
        .with_all(network(past))
        .with_all(mesh(past))
        .with_all(secrets(past))
        .with_all(rights(past))
        .with_all(admission(past))
}

fn pod_security(restricted: bool) -> Value {
    if restricted {
        json!({ "pod-security.kubernetes.io/enforce": "restricted", "istio.io/dataplane-mode": "ambient" })
    } else {
        json!({ "istio.io/dataplane-mode": "ambient" })
    }
}

fn control_plane(past: Past) -> Vec<Value> {
    let mut flags = vec!["--authorization-mode=Node,RBAC"];
    if !past.before(75) {
        flags.extend(["--oidc-issuer-url=https://login.acme.example", "--oidc-client-id=kubernetes"]);
    }
    if !past.before(52) {
        flags.push("--encryption-provider-config=/etc/kubernetes/encryption.yaml");
    }
    vec![etcd(NODES[0], !past.before(80)), api_server(NODES[0], &flags), api_server_endpoints()]
}

fn applications(past: Past) -> Vec<Value> {
    let sidecar = container(
        "metrics",
        if past.before(41) {
            "docker.io/acmelabs/metrics-proxy:1.9.2"
        } else {
            "ghcr.io/acme/metrics-proxy:1.9.2"
        },
    );
    let exporter = container("exporter", "ghcr.io/acme/ledger-exporter:0.8.1");
    let api = container("api", "ghcr.io/acme/payments-api:4.12.0").variables(if past.before(48) {
        // A token that nobody ever issued.
        &[("GATEWAY_TOKEN", Variable::Value("ghp_Zk4vQ9sT2mXb7LwR1cYn6HdJ8pFgA3uEo5Ki"))]
    } else {
        &[("GATEWAY_TOKEN", Variable::Secret("payment-gateway"))]
    });
    let ledger = container("ledger", "ghcr.io/acme/ledger:7.0.4")
        .variables(&[("DATABASE_PASSWORD", Variable::Secret("ledger-database"))]);
    let in_mesh = |workload: Workload<'static>| if past.before(43) { workload } else { workload.in_mesh() };
    let of = |namespace, name, replicas, containers: &[Container]| {
        let workload = workload(namespace, name, replicas, containers).on(&WORKERS);
        in_mesh(if past.before(57) { workload.with_token() } else { workload })
    };

    let mut objects =
        of("payments", "api", 3, &[api, if past.before(55) { sidecar.read_only(None) } else { sidecar }])
            .deployment();
    objects.extend(
        of("payments", "worker", 2, &[container("worker", "ghcr.io/acme/payments-worker:4.12.0")])
            .account("worker")
            .deployment(),
    );
    objects.push(
        of("payments", "nightly-settlement", 0, &[container("settle", "ghcr.io/acme/settlement:2.3.0")])
            .cron_job(),
    );
    objects.extend(of("ledger", "ledger", 3, &[ledger]).stateful_set());
    let exporter = if past.before(47) {
        exporter.non_root(None).seccomp(None)
    } else if past.before(30) {
        exporter.seccomp(None)
    } else {
        exporter
    };
    objects.extend(of("ledger", "exporter", 1, &[exporter]).deployment());
    objects.extend([
        service("payments", "api", 8080),
        service("ledger", "ledger", 7000),
        service("ledger", "exporter", 9100),
    ]);
    if past.debugging() {
        let shell = container("shell", "docker.io/library/alpine:3.22").bare().privileged();
        objects.extend(of("payments", "debug-shell", 1, &[shell]).deployment());
    }
    objects
}

/// Cilium, whose flows Hubble Relay collects: for a day it did not.
fn network(past: Past) -> Vec<Value> {
    let agent = container("cilium-agent", "quay.io/cilium/cilium:v1.18.4").bare().privileged();
    let relay = container("hubble-relay", "quay.io/cilium/hubble-relay:v1.18.4");
    let mut objects =
        workload("kube-system", "cilium", 3, &[agent]).on(&NODES).account("cilium").daemon_set();
    objects.push(config_map(
        "kube-system",
        "cilium-config",
        &json!({ "enable-hubble": "true", "enable-policy": "default" }),
    ));
    if !past.before(45) {
        let ready = usize::from(!past.between(22, 21));
        objects.extend(
            workload("kube-system", "hubble-relay", 1, &[relay])
                .on(&WORKERS)
                .account("hubble-relay")
                .ready(ready)
                .deployment(),
        );
    }
    objects.push(default_deny("payments", &["Ingress", "Egress"]));
    if !past.before(67) {
        let directions: &[&str] = if past.before(61) { &["Ingress"] } else { &["Ingress", "Egress"] };
        objects.push(default_deny("ledger", directions));
    }
    objects.push(network_policy(
        "payments",
        "api-from-the-gateway",
        &json!({ "podSelector": { "matchLabels": { "app": "api" } }, "policyTypes": ["Ingress"],
                 "ingress": [{ "from": [{ "podSelector": { "matchLabels": { "app": "worker" } } }],
                               "ports": [{ "port": 8080 }] }] }),
    ));
    objects
}

/// Istio in ambient mode; the exporter's port is still open to a monitoring system outside of it.
fn mesh(past: Past) -> Vec<Value> {
    let mut objects = vec![
        namespace("istio-system", "5f0c7f5e-2f0a-4f43-9b63-6d1c5a1f0004"),
        config_map("istio-system", "istio", &json!({ "mesh": "rootNamespace: istio-system\n" })),
    ];
    let istiod = container("discovery", "docker.io/istio/pilot:1.28.0");
    let ztunnel = container("istio-proxy", "docker.io/istio/ztunnel:1.28.0").non_root(Some(false));
    objects
        .extend(workload("istio-system", "istiod", 1, &[istiod]).on(&WORKERS).account("istiod").deployment());
    objects.extend(
        workload("istio-system", "ztunnel", 3, &[ztunnel]).on(&NODES).account("ztunnel").daemon_set(),
    );
    if !past.before(34) {
        objects.push(peer_authentication(
            "istio-system",
            "default",
            &json!({ "mtls": { "mode": "STRICT" } }),
        ));
    }
    objects.push(peer_authentication(
        "ledger",
        "exporter",
        &json!({ "selector": { "matchLabels": { "app": "exporter" } }, "mtls": { "mode": "PERMISSIVE" } }),
    ));
    objects
}

fn peer_authentication(namespace: &str, name: &str, spec: &Value) -> Value {
    with_spec("security.istio.io/v1", "PeerAuthentication", namespace, name, spec)
}

/// External Secrets, which did not run for a day; the Secret of the ledger's database was made by hand.
fn secrets(past: Past) -> Vec<Value> {
    let mut objects = vec![namespace("external-secrets", "5f0c7f5e-2f0a-4f43-9b63-6d1c5a1f0005")];
    if !past.before(64) {
        let operator = container("external-secrets", "ghcr.io/external-secrets/external-secrets:v1.0.0");
        let ready = usize::from(!past.between(27, 26));
        objects.extend(
            workload("external-secrets", "external-secrets", 1, &[operator])
                .on(&WORKERS)
                .account("external-secrets")
                .ready(ready)
                .deployment(),
        );
        objects.push(external_secret("payments", "payment-gateway", true));
    }
    objects
}

/// The worker could read every Secret of the cluster.
fn rights(past: Past) -> Vec<Value> {
    let token = if past.before(57) { None } else { Some(false) };
    let mut objects: Vec<Value> = [("payments", "default"), ("payments", "worker"), ("ledger", "default")]
        .map(|(namespace, name)| service_account(namespace, name, token))
        .to_vec();
    objects.push(cluster_role("system-monitor", &[""], &["nodes", "namespaces"], &["get", "list"]));
    objects.push(cluster_role_binding("hubble-relay", "system-monitor", "kube-system", "hubble-relay"));
    if past.before(40) {
        objects.push(cluster_role("secret-reader", &[""], &["secrets"], &["get", "list"]));
        objects.push(cluster_role_binding("worker-secrets", "secret-reader", "payments", "worker"));
    }
    objects
}

/// A policy that reads containers alone until it is mended, and that only warns while somebody debugs.
fn admission(past: Past) -> Vec<Value> {
    if past.before(50) {
        return Vec::new();
    }
    let every =
        "object.spec.containers + (has(object.spec.initContainers) ? object.spec.initContainers : [])";
    let (resources, containers) = if past.before(25) {
        (json!([pods("CREATE", "pods")]), "object.spec.containers".to_owned())
    } else {
        let ephemeral = "has(object.spec.ephemeralContainers) ? object.spec.ephemeralContainers : []";
        (
            json!([pods("CREATE", "pods"), pods("UPDATE", "pods/ephemeralcontainers")]),
            format!(
                "has(request.subResource) && request.subResource == 'ephemeralcontainers' ? ({ephemeral}) : {every}"
            ),
        )
    };
    let policy = json!({
        "failurePolicy": "Fail",
        "matchConstraints": { "resourceRules": resources },
        "variables": [{ "name": "containers", "expression": containers }],
        "validations": [
            {
                "expression": "variables.containers.all(c, !has(c.securityContext) || \
                               !has(c.securityContext.privileged) || !c.securityContext.privileged)",
                "message": "Containers must not be privileged.",
            },
            {
                "expression": "variables.containers.all(c, has(c.securityContext) && \
                               has(c.securityContext.allowPrivilegeEscalation) && \
                               !c.securityContext.allowPrivilegeEscalation)",
                "message": "Containers must set allowPrivilegeEscalation to false.",
            },
            {
                "expression": "variables.containers.all(c, has(c.securityContext) && \
                               has(c.securityContext.readOnlyRootFilesystem) && \
                               c.securityContext.readOnlyRootFilesystem)",
                "message": "Containers must have a read-only root filesystem.",
            },
        ],
    });
    let binding = json!({
        "policyName": "acme-pods",
        "validationActions": if past.debugging() { json!(["Warn", "Audit"]) } else { json!(["Deny"]) },
        "matchResources": { "namespaceSelector": { "matchExpressions": [{
            "key": "kubernetes.io/metadata.name", "operator": "In", "values": ["payments", "ledger"],
        }] } },
    });
    let group = "admissionregistration.k8s.io/v1";
    vec![
        with_spec(group, "ValidatingAdmissionPolicy", "", "acme-pods", &policy),
        with_spec(group, "ValidatingAdmissionPolicyBinding", "", "acme-pods", &binding),
    ]
}

fn pods(operation: &str, resource: &str) -> Value {
    json!({ "apiGroups": [""], "apiVersions": ["v1"], "operations": [operation], "resources": [resource] })
}
