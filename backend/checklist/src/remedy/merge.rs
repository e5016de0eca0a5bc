//! Partial objects put together, as the API server puts them together.

use serde_json::{Map, Value};

/// The key by which server-side apply tells the entries of a list apart, by the list's field; other lists are whole.
/// <https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy>
const KEYS: [(&str, &str); 9] = [
    ("containers", "name"),
    ("initContainers", "name"),
    ("ephemeralContainers", "name"),
    ("volumes", "name"),
    ("env", "name"),
    ("imagePullSecrets", "name"),
    ("volumeMounts", "mountPath"),
    ("extraArgs", "name"),
    ("extraVolumes", "name"),
];

/// Lays `over` on an object: maps and keyed lists are joined, everything else is replaced.
pub fn merge(object: &mut Value, over: &Value) {
    join(object, over, "");
}

/// Lays a value on one field of an object.
pub(super) fn merge_field(object: &mut Value, field: &str, over: &Value) {
    match object.get_mut(field) {
        Some(there) => join(there, over, field),
        None => {
            if let Value::Object(object) = object {
                object.insert(field.to_owned(), over.clone());
            }
        }
    }
}

/// Lists whose entries are texts that only grow: what two items add is added once.
const ADDED: [&str; 5] = [
    "kube-apiserver-arg+",
    "kubelet-arg+",
    "args",
    "$deleteFromPrimitiveList/command",
    "$deleteFromPrimitiveList/args",
];

fn join(object: &mut Value, over: &Value, field: &str) {
    match (object, over) {
        (Value::Object(object), Value::Object(over)) => {
            for (name, value) in over {
                match object.get_mut(name) {
                    Some(there) => join(there, value, name),
                    None => drop(object.insert(name.clone(), value.clone())),
                }
            }
        }
        (Value::Array(list), Value::Array(over)) if key_of(field).is_some() => {
            let key = key_of(field).unwrap_or_default();
            for entry in over {
                match list.iter_mut().find(|there| there.get(key) == entry.get(key)) {
                    Some(there) => join(there, entry, ""),
                    None => list.push(entry.clone()),
                }
            }
        }
        (Value::Array(list), Value::Array(over)) if ADDED.contains(&field) => {
            list.extend(over.iter().filter(|entry| !list.contains(entry)).cloned().collect::<Vec<_>>());
        }
        (object, over) => *object = over.clone(),
    }
}

fn key_of(field: &str) -> Option<&'static str> {
    KEYS.iter().find(|(name, _)| *name == field).map(|(_, key)| *key)
}

/// What names an object: two partial objects with the same are of one object.
pub fn identity(object: &Value) -> [&str; 4] {
    let metadata = &object["metadata"];
    [
        object["apiVersion"].as_str().unwrap_or_default(),
        object["kind"].as_str().unwrap_or_default(),
        metadata["namespace"].as_str().unwrap_or_default(),
        metadata["name"].as_str().unwrap_or_default(),
    ]
}

/// An object of which nothing but its name is left: applied, it gives up every field that the manager had.
pub fn bare(object: &Value) -> Value {
    let mut metadata = Map::new();
    for field in ["name", "namespace"] {
        if let Some(value) = object["metadata"].get(field).filter(|value| !value.is_null()) {
            metadata.insert(field.to_owned(), value.clone());
        }
    }
    serde_json::json!({ "apiVersion": object["apiVersion"], "kind": object["kind"], "metadata": metadata })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keyed_lists_are_joined_and_others_replaced() {
        let mut object = json!({ "spec": { "containers": [{ "name": "a", "securityContext": { "x": 1 } }], "policyTypes": ["Ingress"] } });
        let over = json!({ "spec": { "containers": [
            { "name": "b" }, { "name": "a", "securityContext": { "y": 2 }, "volumeMounts": [{ "mountPath": "/tmp", "name": "t" }] }
        ], "policyTypes": ["Egress"] } });
        merge(&mut object, &over);
        let expected = json!({ "spec": { "containers": [
            { "name": "a", "securityContext": { "x": 1, "y": 2 }, "volumeMounts": [{ "mountPath": "/tmp", "name": "t" }] },
            { "name": "b" },
        ], "policyTypes": ["Egress"] } });
        assert_eq!(object, expected);
        merge(&mut object, &over);
        assert_eq!(object, expected, "twice is once");
    }

    #[test]
    fn what_is_bare_keeps_its_name_alone() {
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "a", "labels": { "b": "c" } } });
        assert_eq!(
            bare(&object),
            json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "a" } })
        );
    }
}
