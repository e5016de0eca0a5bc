//! What the API server adds to a pod before policies see it: the defaults of the API, and the ServiceAccount and
//! DefaultTolerationSeconds admission plugins, which are on unless someone turns them off.
//!
//! See <https://github.com/kubernetes/kubernetes/blob/v1.36.0/pkg/apis/core/v1/defaults.go>. Priority, runtime class and
//! LimitRange depend on other objects and are left out; so are fields that depend on the time or on chance.

use super::quantity::Quantity;
use serde_json::{Map, Value, json};

type Object = Map<String, Value>;

/// Fields that the API leaves out when they are false, zero or empty. Only those of pods and containers that policies
/// read; in others an empty value is kept where it stands for something.
const OMITTED_WHEN_FALSE: [&str; 8] =
    ["hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "readOnly", "setHostnameAsFQDN"];

/// The pod that policies see when this one is created.
pub fn defaulted_pod(mut pod: Value) -> Value {
    drop_empty(&mut pod, 0);
    let Some(fields) = pod.as_object_mut() else { return pod };
    if let Some(spec) = object(fields, "spec") {
        defaulted_spec(spec);
        service_account(spec);
        tolerations(spec);
    }
    let class = quality_of_service(fields.get("spec").unwrap_or(&Value::Null));
    fields.insert("status".to_owned(), json!({ "phase": "Pending", "qosClass": class }));
    pod
}

fn defaulted_spec(spec: &mut Object) {
    default(spec, "dnsPolicy", "ClusterFirst");
    default(spec, "restartPolicy", "Always");
    default(spec, "schedulerName", "default-scheduler");
    default(spec, "terminationGracePeriodSeconds", 30);
    default(spec, "enableServiceLinks", true);
    default(spec, "securityContext", json!({}));
    let host_network = spec.get("hostNetwork").and_then(Value::as_bool).unwrap_or(false);
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in objects(spec, list) {
            defaulted_container(container, host_network && list != "ephemeralContainers");
        }
    }
    for volume in objects(spec, "volumes") {
        defaulted_volume(volume);
    }
}

fn defaulted_container(container: &mut Object, host_network: bool) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let policy = if latest(image) { "Always" } else { "IfNotPresent" };
    default(container, "imagePullPolicy", policy);
    default(container, "terminationMessagePath", "/dev/termination-log");
    default(container, "terminationMessagePolicy", "File");
    default(container, "resources", json!({}));
    if let Some(resources) = object(container, "resources") {
        defaulted_resources(resources);
    }
    for port in objects(container, "ports") {
        default(port, "protocol", "TCP");
        if host_network && let Some(number) = port.get("containerPort").cloned() {
            default(port, "hostPort", number);
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = object(container, probe) else { continue };
        default(probe, "timeoutSeconds", 1);
        default(probe, "periodSeconds", 10);
        default(probe, "successThreshold", 1);
        default(probe, "failureThreshold", 3);
        defaulted_handler(probe);
        if let Some(grpc) = object(probe, "grpc") {
            default(grpc, "service", "");
        }
    }
    if let Some(lifecycle) = object(container, "lifecycle") {
        for hook in ["postStart", "preStop"] {
            if let Some(hook) = object(lifecycle, hook) {
                defaulted_handler(hook);
            }
        }
    }
    for variable in objects(container, "env") {
        if let Some(reference) = object(variable, "valueFrom").and_then(|from| object(from, "fieldRef")) {
            default(reference, "apiVersion", "v1");
        }
        if let Some(reference) =
            object(variable, "valueFrom").and_then(|from| object(from, "resourceFieldRef"))
        {
            default(reference, "divisor", "0");
        }
    }
    if let Some(context) = object(container, "securityContext")
        && context.get("procMount").and_then(Value::as_str) == Some("")
    {
        context.remove("procMount");
    }
}

fn defaulted_handler(handler: &mut Object) {
    if let Some(get) = object(handler, "httpGet") {
        default(get, "path", "/");
        default(get, "scheme", "HTTP");
    }
}

/// Quantities in canonical form; requests are those of the limits where they are not given.
fn defaulted_resources(resources: &mut Object) {
    for list in ["limits", "requests"] {
        if let Some(quantities) = object(resources, list) {
            quantities.values_mut().for_each(canonical);
        }
    }
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else { return };
    default(resources, "requests", json!({}));
    if let Some(requests) = object(resources, "requests") {
        for (name, quantity) in limits {
            requests.entry(name).or_insert(quantity);
        }
    }
}

fn canonical(quantity: &mut Value) {
    let text = match &*quantity {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    if let Ok(parsed) = Quantity::parse(&text) {
        // Finer than a thousandth, resources are rounded up.
        *quantity = parsed.rounded_up_to_thousandth().to_string().into();
    }
}

fn defaulted_volume(volume: &mut Object) {
    /// As numbers are written in decimal, 0644.
    const MODE: i64 = 0o644;
    if volume.keys().all(|key| key == "name") {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    for kind in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = object(volume, kind) {
            default(source, "defaultMode", MODE);
            defaulted_items(source);
        }
    }
    for source in
        object(volume, "projected").map(|projected| objects(projected, "sources")).into_iter().flatten()
    {
        if let Some(token) = object(source, "serviceAccountToken") {
            default(token, "expirationSeconds", 3600);
        }
        if let Some(downward) = object(source, "downwardAPI") {
            defaulted_items(downward);
        }
    }
    if let Some(path) = object(volume, "hostPath") {
        default(path, "type", "");
    }
    if let Some(limit) = object(volume, "emptyDir").and_then(|directory| directory.get_mut("sizeLimit")) {
        canonical(limit);
    }
    if let Some(iscsi) = object(volume, "iscsi") {
        default(iscsi, "iscsiInterface", "default");
    }
    if let Some(rbd) = object(volume, "rbd") {
        default(rbd, "pool", "rbd");
        default(rbd, "user", "admin");
        default(rbd, "keyring", "/etc/ceph/keyring");
    }
    if let Some(disk) = object(volume, "azureDisk") {
        default(disk, "cachingMode", "ReadWrite");
        default(disk, "kind", "Shared");
        default(disk, "fsType", "ext4");
        default(disk, "readOnly", false);
    }
    if let Some(scale) = object(volume, "scaleIO") {
        default(scale, "storageMode", "ThinProvisioned");
        default(scale, "fsType", "xfs");
    }
    let claim = object(volume, "ephemeral").and_then(|ephemeral| object(ephemeral, "volumeClaimTemplate"));
    if let Some(claim) = claim {
        default(claim, "metadata", json!({}));
        if let Some(spec) = object(claim, "spec") {
            default(spec, "volumeMode", "Filesystem");
        }
    }
}

fn defaulted_items(source: &mut Object) {
    for item in objects(source, "items") {
        if let Some(reference) = object(item, "fieldRef") {
            default(reference, "apiVersion", "v1");
        }
        if let Some(reference) = object(item, "resourceFieldRef") {
            default(reference, "divisor", "0");
        }
    }
}

/// The account, and the volume with its token. The account itself may say that it wants none, and the suffix of the
/// volume's name is made up.
fn service_account(spec: &mut Object) {
    const NAME: &str = "kube-api-access-xxxxx";
    const PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
    let account = ["serviceAccountName", "serviceAccount"]
        .iter()
        .find_map(|field| spec.get(*field)?.as_str().filter(|name| !name.is_empty()))
        .unwrap_or("default")
        .to_owned();
    spec.insert("serviceAccountName".to_owned(), account.clone().into());
    spec.insert("serviceAccount".to_owned(), account.into());
    if spec.get("automountServiceAccountToken") == Some(&Value::Bool(false)) {
        return;
    }
    let mut mounted = false;
    for list in ["initContainers", "containers"] {
        for container in objects(spec, list) {
            default(container, "volumeMounts", json!([]));
            let Some(mounts) = container.get_mut("volumeMounts").and_then(Value::as_array_mut) else {
                continue;
            };
            if mounts.iter().all(|mount| mount.get("mountPath").and_then(Value::as_str) != Some(PATH)) {
                mounts.push(json!({ "name": NAME, "readOnly": true, "mountPath": PATH }));
                mounted = true;
            }
        }
    }
    if !mounted {
        return;
    }
    default(spec, "volumes", json!([]));
    if let Some(volumes) = spec.get_mut("volumes").and_then(Value::as_array_mut) {
        volumes.push(json!({ "name": NAME, "projected": { "defaultMode": 0o644, "sources": [
            { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
            { "configMap": { "name": "kube-root-ca.crt", "items": [{ "key": "ca.crt", "path": "ca.crt" }] } },
            { "downwardAPI": { "items": [
                { "path": "namespace", "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" } },
            ] } },
        ] } }));
    }
}

/// How long the pod stays on a node that is gone. Its priority comes with it: without a class that is zero.
fn tolerations(spec: &mut Object) {
    if !spec.contains_key("priorityClassName") {
        default(spec, "priority", 0);
        default(spec, "preemptionPolicy", "PreemptLowerPriority");
    }
    default(spec, "tolerations", json!([]));
    let Some(tolerations) = spec.get_mut("tolerations").and_then(Value::as_array_mut) else { return };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let text = |toleration: &Value, field: &str| {
            toleration.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let there = tolerations.iter().any(|toleration| {
            let (tolerated, effect) = (text(toleration, "key"), text(toleration, "effect"));
            (tolerated == key || tolerated.is_empty()) && (effect == "NoExecute" || effect.is_empty())
        });
        if !there {
            tolerations.push(
                json!({ "key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300 }),
            );
        }
    }
}

/// See <https://kubernetes.io/docs/concepts/workloads/pods/pod-qos/>.
fn quality_of_service(spec: &Value) -> &'static str {
    let containers =
        ["containers", "initContainers"].into_iter().filter_map(|list| spec.get(list)?.as_array()).flatten();
    let (mut nothing, mut equal) = (true, true);
    for container in containers {
        let of = |list: &str, name: &str| {
            let quantity = container.get("resources")?.get(list)?.get(name)?.as_str()?;
            Quantity::parse(quantity).ok().filter(|quantity| quantity.sign() > 0)
        };
        for name in ["cpu", "memory"] {
            let (request, limit) = (of("requests", name), of("limits", name));
            nothing &= request.is_none() && limit.is_none();
            equal &= limit.is_some() && request == limit;
        }
    }
    match (nothing, equal) {
        (true, _) => "BestEffort",
        (false, true) => "Guaranteed",
        (false, false) => "Burstable",
    }
}

/// Whether an image reference means the tag `latest`: it has neither another tag nor a digest.
fn latest(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let last = image.rsplit('/').next().unwrap_or_default();
    last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

/// What is null, and what the API leaves out because it is empty.
fn drop_empty(value: &mut Value, depth: usize) {
    /// Nothing in a pod is nested deeper.
    const DEEPEST: usize = 64;
    if depth > DEEPEST {
        return;
    }
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| match value {
                Value::Null => false,
                Value::Bool(false) => !OMITTED_WHEN_FALSE.contains(&name.as_str()),
                Value::Array(items) => !items.is_empty(),
                _ => true,
            });
            fields.values_mut().for_each(|value| drop_empty(value, depth + 1));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| drop_empty(item, depth + 1)),
        _ => {}
    }
}

/// Sets a field that is not there.
fn default(fields: &mut Object, name: &str, value: impl Into<Value>) {
    fields.entry(name).or_insert_with(|| value.into());
}

fn object<'a>(fields: &'a mut Object, name: &str) -> Option<&'a mut Object> {
    fields.get_mut(name)?.as_object_mut()
}

fn objects<'a>(fields: &'a mut Object, name: &str) -> impl Iterator<Item = &'a mut Object> {
    fields.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_what_the_api_server_adds() {
        let pod = defaulted_pod(json!({
            "metadata": { "name": "a" },
            "spec": { "hostNetwork": false, "containers": [{ "name": "a", "image": "nginx", "ports": [{ "containerPort": 80 }],
                "resources": { "limits": { "cpu": 1, "memory": "1024Mi" } } }] },
        }));
        let at = |path: &str| pod.pointer(path).cloned().unwrap_or_default();
        for (path, expected) in [
            ("/spec/restartPolicy", json!("Always")),
            ("/spec/securityContext", json!({})),
            ("/spec/hostNetwork", json!(null)),
            ("/spec/serviceAccountName", json!("default")),
            ("/spec/containers/0/imagePullPolicy", json!("Always")),
            ("/spec/containers/0/ports/0/protocol", json!("TCP")),
            ("/spec/containers/0/resources/requests", json!({ "cpu": "1", "memory": "1Gi" })),
            ("/spec/containers/0/volumeMounts/0/readOnly", json!(true)),
            ("/spec/volumes/0/projected/sources/0/serviceAccountToken/expirationSeconds", json!(3607)),
            ("/status/qosClass", json!("Guaranteed")),
        ] {
            assert_eq!(at(path), expected, "{path}");
        }
    }

    #[test]
    fn the_tag_latest_is_pulled_always() {
        for (image, expected) in [
            ("nginx", true),
            ("nginx:latest", true),
            ("nginx:1", false),
            ("r.example:5000/nginx", true),
            ("r.example:5000/nginx:1", false),
            ("nginx@sha256:0", false),
            ("nginx:latest@sha256:0", false),
        ] {
            assert_eq!(latest(image), expected, "{image}");
        }
    }

    #[test]
    fn what_is_no_pod_stays_as_it_is() {
        for value in [json!(null), json!("a"), json!([1])] {
            assert_eq!(defaulted_pod(value.clone()), value);
        }
    }
}
