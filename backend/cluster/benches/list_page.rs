//! A page of 500 pods, reduced while it is deserialised, against the same page as a tree of values.
//!
//! Prints a JSON line for each way and one with the ratios, so that a run compares with itself and with nothing else.
//! What is retained is measured by resident memory, each way in a process of its own.

#![expect(clippy::print_stdout, reason = "the result goes to stdout")]

use rampart_checklist::Kind;
use rampart_cluster::Interner;
use rampart_cluster::live::project_page;
use serde_json::{Value, json};
use std::hint::black_box;
use std::process::Command;
use std::time::Instant;

const PODS: usize = 500;
const ROUNDS: usize = 40;
/// Pages that are held while memory is measured.
const HELD: usize = 20;

fn main() {
    let mut arguments = std::env::args().skip(1);
    match arguments.find(|argument| argument.starts_with("--retain=")).as_deref() {
        Some("--retain=projected") => retain(|page, interner| {
            Box::new(project_page(Kind::Pods, "v1", page, interner)) as Box<dyn std::any::Any>
        }),
        Some(_) => retain(|page, _| Box::new(serde_json::from_slice::<Value>(page))),
        None => compare(),
    }
}

fn compare() {
    let page = page(0);
    let projected = time(|| {
        let mut interner = Interner::default();
        black_box(project_page(Kind::Pods, "v1", &page, &mut interner)).is_ok()
    });
    let whole = time(|| black_box(serde_json::from_slice::<Value>(&page)).is_ok());
    let (projected_memory, whole_memory) = (retained("projected"), retained("value"));
    let line = |way: &str, milliseconds: f64, memory: Option<u64>| {
        println!(
            "{}",
            json!({"bench": "list_page", "way": way, "pods": PODS, "page_bytes": page.len(),
                "milliseconds": milliseconds, "retained_bytes": memory})
        );
    };
    line("projected", projected, projected_memory);
    line("value", whole, whole_memory);
    let memory = projected_memory.zip(whole_memory).map(|(projected, whole)| projected as f64 / whole as f64);
    println!("{}", json!({"bench": "list_page", "ratio": {"time": projected / whole, "retained": memory}}));
}

/// The median of the rounds, in milliseconds.
fn time(work: impl Fn() -> bool) -> f64 {
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let started = Instant::now();
            assert!(work(), "the page is well formed");
            started.elapsed().as_secs_f64() * 1000.0
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

/// Bytes of resident memory that a page costs, measured in a process of its own; none where the system does not tell.
fn retained(way: &str) -> Option<u64> {
    let output = Command::new(std::env::current_exe().ok()?).arg(format!("--retain={way}")).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn retain<T>(work: impl Fn(&[u8], &mut Interner) -> T) {
    let mut interner = Interner::default();
    // The first page warms the allocator.
    drop(work(&page(0), &mut interner));
    let before = resident();
    let held: Vec<T> = (1..=HELD).map(|number| work(&page(number), &mut interner)).collect();
    if let Some((before, after)) = before.zip(resident()) {
        println!("{}", after.saturating_sub(before) / HELD as u64);
    }
    drop(black_box(held));
}

/// Resident memory in bytes, as Linux tells it.
fn resident() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}

/// A page of pods as an API server gives it: ten owners of fifty replicas.
fn page(number: usize) -> Vec<u8> {
    let items: Vec<Value> = (0..PODS).map(|index| pod(number, index)).collect();
    let list = json!({"kind": "PodList", "apiVersion": "v1",
        "metadata": {"resourceVersion": "812345", "continue": "next"}, "items": items});
    list.to_string().into_bytes()
}

fn pod(page: usize, index: usize) -> Value {
    let owner = format!("service-{}-6d4b75cb6d", index % 10);
    let name = format!("{owner}-{page:02}{index:03}");
    let labels = json!({"app.kubernetes.io/name": owner, "app.kubernetes.io/part-of": "shop",
        "pod-template-hash": "6d4b75cb6d"});
    let probe = json!({"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10,
        "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3});
    let environment: Vec<Value> = (0..12)
        .map(|n| json!({"name": format!("SETTING_{n}"), "value": format!("value-{n}.example")}))
        .collect();
    let container = |name: &str| {
        json!({"name": name, "image": format!("registry.example/shop/{name}:1.2.3"), "args": ["--verbose", "--port=8080"],
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}], "env": environment,
            "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "volumeMounts": [{"name": "config", "mountPath": "/etc/app"},
                {"name": format!("kube-api-access-{page}{index}"), "readOnly": true,
                 "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}],
            "livenessProbe": probe, "readinessProbe": probe, "terminationMessagePath": "/dev/termination-log",
            "terminationMessagePolicy": "File", "imagePullPolicy": "IfNotPresent",
            "securityContext": {"readOnlyRootFilesystem": true, "runAsNonRoot": true,
                "capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": false}})
    };
    let fields = json!({"f:metadata": {"f:labels": {".": {}, "f:app.kubernetes.io/name": {}}},
        "f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:image": {}, "f:ports": {".": {}}}}}});
    let status = |name: &str| {
        json!({"name": name, "state": {"running": {"startedAt": "2026-11-20T08:00:00Z"}}, "lastState": {}, "ready": true,
            "restartCount": 0, "image": format!("registry.example/shop/{name}:1.2.3"), "started": true,
            "imageID": "registry.example/shop/app@sha256:7b3ccabffc97de872a30dfd234fd972a66d247c8cfc69b0550f276481852627c",
            "containerID": "containerd://9e1c2f2d5b7f4f0a8a2c1f6d1c7e9b0a4d3c2b1a0f9e8d7c6b5a4938271605f4"})
    };
    let condition = |kind: &str| json!({"type": kind, "status": "True", "lastProbeTime": null, "lastTransitionTime": "2026-11-20T08:00:00Z"});
    json!({
        "metadata": {"name": name, "generateName": format!("{owner}-"), "namespace": "shop",
            "uid": format!("0a1b2c3d-0000-4000-8000-{page:06}{index:06}"), "resourceVersion": "812344",
            "creationTimestamp": "2026-11-20T08:00:00Z", "labels": labels,
            "annotations": {"prometheus.io/scrape": "true", "kubectl.kubernetes.io/restartedAt": "2026-11-20T08:00:00Z"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "controller": true,
                "uid": "11111111-2222-4333-8444-555555555555", "blockOwnerDeletion": true}],
            "managedFields": [{"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1",
                "time": "2026-11-20T08:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": fields}]},
        "spec": {"nodeName": format!("node-{}", index % 40), "serviceAccountName": "shop", "restartPolicy": "Always",
            "dnsPolicy": "ClusterFirst", "schedulerName": "default-scheduler", "priority": 0,
            "volumes": [{"name": "config", "configMap": {"name": "app", "defaultMode": 420}},
                {"name": format!("kube-api-access-{page}{index}"), "projected": {"defaultMode": 420, "sources": [
                    {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}]}}],
            "initContainers": [container("prepare")], "containers": [container("app"), container("proxy")],
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute",
                "tolerationSeconds": 300}]},
        "status": {"phase": "Running", "hostIP": "10.0.0.7", "podIP": "10.1.2.3", "podIPs": [{"ip": "10.1.2.3"}],
            "qosClass": "Burstable", "startTime": "2026-11-20T08:00:00Z",
            "conditions": [condition("Initialized"), condition("Ready"), condition("ContainersReady"),
                condition("PodScheduled")],
            "initContainerStatuses": [status("prepare")], "containerStatuses": [status("app"), status("proxy")]}
    })
}
