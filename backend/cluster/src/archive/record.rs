//! One object as an archive keeps it: without what nobody reads and without credentials.

use rampart_checklist::Kind;
use rampart_checklist::credentials::{
    FingerprintKey, LAST_APPLIED, redact_text, redact_variable, redact_words,
};
use serde_json::{Map, Value};

/// The object as JSON; none for what is no object.
pub(crate) fn record(kind: Kind, api_version: &str, object: &str, key: &FingerprintKey) -> Option<String> {
    let mut value: Value = serde_json::from_str(object).ok()?;
    let fields = value.as_object_mut()?;
    // Items of a list of a built-in kind do not say what they are.
    fields.entry("apiVersion").or_insert_with(|| api_version.into());
    if !kind.kind().is_empty() {
        fields.entry("kind").or_insert_with(|| kind.kind().into());
    }
    prune(kind, fields);
    redact(kind, &mut value, key);
    Some(value.to_string())
}

fn prune(kind: Kind, fields: &mut Map<String, Value>) {
    if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
        metadata.remove("managedFields");
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove(LAST_APPLIED);
        }
    }
    let unread: &[&str] = match kind {
        Kind::Nodes => &["images", "volumesInUse", "volumesAttached"],
        _ => &[],
    };
    if let Some(Value::Object(status)) = fields.get_mut("status") {
        unread.iter().for_each(|name| drop(status.remove(*name)));
    }
    if kind == Kind::ConfigMaps {
        fields.remove("binaryData");
    }
}

fn redact(kind: Kind, object: &mut Value, key: &FingerprintKey) {
    let (template, pod_spec) = match kind {
        Kind::Pods => (None, Some("/spec")),
        Kind::Deployments | Kind::ReplicaSets | Kind::StatefulSets | Kind::DaemonSets | Kind::Jobs => {
            (Some("/spec/template/metadata"), Some("/spec/template/spec"))
        }
        Kind::CronJobs => {
            (Some("/spec/jobTemplate/spec/template/metadata"), Some("/spec/jobTemplate/spec/template/spec"))
        }
        _ => (None, None),
    };
    for metadata in [Some("/metadata"), template].into_iter().flatten() {
        named_texts(object.pointer_mut(&format!("{metadata}/annotations")), key);
    }
    if kind == Kind::ConfigMaps {
        named_texts(object.get_mut("data"), key);
        return;
    }
    if let Some(spec) = pod_spec.and_then(|path| object.pointer_mut(path)) {
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            let containers = spec.get_mut(list).and_then(Value::as_array_mut);
            containers.into_iter().flatten().for_each(|container| redact_container(container, key));
        }
    }
    // Words of a policy are its meaning; a known format of a credential is none anywhere else.
    if !is_policy(kind)
        && let Some(fields) = object.as_object_mut()
    {
        let others = fields
            .iter_mut()
            .filter(|(name, _)| !matches!(name.as_str(), "metadata" | "kind" | "apiVersion"));
        others.for_each(|(_, value)| every_text(value, key));
    }
}

fn is_policy(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ValidatingAdmissionPolicies
            | Kind::ValidatingAdmissionPolicyBindings
            | Kind::KyvernoClusterPolicies
            | Kind::KyvernoPolicies
            | Kind::KyvernoValidatingPolicies
            | Kind::KyvernoPolicyExceptions
            | Kind::GatekeeperConstraintTemplates
            | Kind::GatekeeperConstraints
            | Kind::KubewardenClusterAdmissionPolicies
            | Kind::KubewardenAdmissionPolicies
            | Kind::Roles
            | Kind::ClusterRoles
    )
}

/// Annotations, or the data of a ConfigMap.
fn named_texts(texts: Option<&mut Value>, key: &FingerprintKey) {
    for (name, value) in texts.and_then(Value::as_object_mut).into_iter().flatten() {
        if let Value::String(text) = value {
            *text = redact_text(name, text, key);
        }
    }
}

fn redact_container(container: &mut Value, key: &FingerprintKey) {
    for variable in container.get_mut("env").and_then(Value::as_array_mut).into_iter().flatten() {
        let name = variable.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(Value::String(value)) = variable.get_mut("value") {
            *value = redact_variable(&name, value, key);
        }
    }
    // A flag may stand in one word and its value in the next, also from command to args.
    let words = |field: &Value| -> Option<Vec<String>> {
        field.as_array()?.iter().map(|word| word.as_str().map(str::to_owned)).collect()
    };
    let command = container.get("command").and_then(words).unwrap_or_default();
    let args = container.get("args").and_then(words).unwrap_or_default();
    let all: Vec<String> = command.iter().chain(&args).cloned().collect();
    let redacted = redact_words(&all, key);
    let (new_command, new_args) = redacted.split_at(command.len().min(redacted.len()));
    if !command.is_empty() {
        container["command"] = new_command.to_vec().into();
    }
    if !args.is_empty() {
        container["args"] = new_args.to_vec().into();
    }
}

/// Every string at any depth, by its own form alone: what stands under a name such as `secretName` is a name. The depth
/// is bounded by the reader of JSON.
fn every_text(value: &mut Value, key: &FingerprintKey) {
    match value {
        Value::String(text) => *text = redact_text("", text, key),
        Value::Array(values) => values.iter_mut().for_each(|value| every_text(value, key)),
        Value::Object(fields) => fields.values_mut().for_each(|value| every_text(value, key)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const KEY: FingerprintKey = FingerprintKey::new([7; 32]);
    const TOKEN: &str = "ghp_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bD1fG3hJ5";

    fn recorded(kind: Kind, object: &Value) -> Value {
        serde_json::from_str(&record(kind, "v1", &object.to_string(), &KEY).unwrap()).unwrap()
    }

    #[test]
    fn no_credential_is_left_anywhere() {
        let container = json!({"name": "a", "image": "nginx@sha256:0123456789abcdef",
            "env": [{"name": "T", "value": TOKEN}, {"name": "MODE", "value": "fast"}],
            "command": ["run"], "args": ["--token", TOKEN, "--quiet"],
            "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": format!("Bearer {TOKEN}")}]}}});
        let metadata = json!({"name": "p", "managedFields": [1], "annotations":
            {"a": TOKEN, LAST_APPLIED: format!("{{\"x\":\"{TOKEN}\"}}")}});
        let spec = json!({"containers": [container], "initContainers": [container]});
        for (kind, object) in [
            (Kind::Pods, json!({"metadata": metadata, "spec": spec})),
            (
                Kind::Deployments,
                json!({"metadata": metadata, "spec": {"template": {"metadata": metadata, "spec": spec}}}),
            ),
            (
                Kind::CronJobs,
                json!({"metadata": metadata,
                    "spec": {"jobTemplate": {"spec": {"template": {"metadata": metadata, "spec": spec}}}}}),
            ),
            (
                Kind::ConfigMaps,
                json!({"metadata": metadata, "data": {"k": TOKEN}, "binaryData": {"b": TOKEN}}),
            ),
            (Kind::ExternalSecrets, json!({"metadata": metadata, "spec": {"deep": [{"er": TOKEN}]}})),
        ] {
            let found = recorded(kind, &object);
            assert!(!found.to_string().contains(TOKEN), "{kind:?} {found}");
            assert!(found.to_string().contains("rampart-redacted:"), "{kind:?} {found}");
            assert!(found["metadata"].get("managedFields").is_none());
            assert_eq!(found["kind"], kind.kind());
        }
        let pod = recorded(Kind::Pods, &json!({"metadata": metadata, "spec": spec}));
        let container = &pod["spec"]["containers"][0];
        assert_eq!(container["env"][1]["value"], "fast");
        assert_eq!((&container["args"][0], &container["args"][2]), (&json!("--token"), &json!("--quiet")));
        assert_eq!(container["image"], "nginx@sha256:0123456789abcdef");
    }
}
