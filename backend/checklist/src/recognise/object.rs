//! What items read of the ConfigMaps and custom resources in which programs keep their configuration.

use crate::inventory::{ConfigMap, Resource};
use rampart_shared::Subject;
use serde_json::Value;

/// A key of a ConfigMap that holds YAML.
pub fn yaml(map: &ConfigMap, key: &str) -> Option<Value> {
    serde_saphyr::from_str(map.data.get(key)?).ok()
}

/// The status of a condition; none where the object has none of that type.
pub fn condition<'r>(resource: &'r Resource, kind: &str) -> Option<&'r str> {
    let conditions = resource.body["status"]["conditions"].as_array()?;
    conditions.iter().find(|condition| condition["type"] == kind)?["status"].as_str()
}

/// A ConfigMap as findings name it.
pub fn config_map_subject(map: &ConfigMap) -> Subject {
    Subject {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        namespace: Some(map.meta.namespace_or_default().to_owned()),
        name: map.meta.name.clone(),
    }
}

/// The same of one of `kube-system` that was not seen.
pub fn missing_config_map(config_map: &str) -> Subject {
    Subject {
        api_version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        namespace: Some("kube-system".to_owned()),
        name: config_map.to_owned(),
    }
}

/// A custom resource as findings name it.
pub fn resource_subject(resource: &Resource) -> Subject {
    let namespace = resource.kind.is_namespaced().then(|| resource.meta.namespace_or_default().to_owned());
    Subject {
        api_version: resource.api_version.clone(),
        kind: resource.object_kind.clone(),
        namespace,
        name: resource.meta.name.clone(),
    }
}
