//! A small model of what the API server and the controllers do with applied configurations: fields have owners, a manager
//! that leaves a field out gives it up, and a roll-out makes pods of the template.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/>

use rampart_checklist::remedy::{identity, merge};
use serde_json::{Map, Value, json};

/// Objects, and what one manager applied to them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cluster {
    live: Vec<Live>,
}

#[derive(Debug, Clone)]
struct Live {
    object: Value,
    /// What others set: they own all of it until a value is forced over theirs.
    original: Value,
    /// What the manager applied last.
    applied: Value,
    /// Whether the object is there by that alone.
    is_new: bool,
    runs: bool,
    user: Option<i64>,
}

impl Cluster {
    pub(crate) fn create(&mut self, object: Value, runs: bool, user: Option<i64>) {
        let original = object.clone();
        self.live.push(Live { object, original, applied: json!({}), is_new: false, runs, user });
    }

    /// Applies a configuration by force.
    pub(crate) fn apply(&mut self, configuration: &Value) {
        let known = self.live.iter_mut().find(|live| identity(&live.object) == identity(configuration));
        match known {
            Some(live) => {
                give_up(&mut live.object, &live.applied, configuration, Some(&live.original), "");
                merge(&mut live.object, configuration);
                live.applied = configuration.clone();
            }
            None => self.live.push(Live {
                object: configuration.clone(),
                original: json!({}),
                applied: configuration.clone(),
                is_new: true,
                runs: false,
                user: None,
            }),
        }
    }

    pub(crate) fn delete(&mut self, object: &Value) {
        self.live.retain(|live| !live.is_new || identity(&live.object) != identity(object));
    }

    /// The specs, without what is empty: nothing is the same as an empty object.
    pub(crate) fn specs(&self) -> Vec<Value> {
        let specs = self.live.iter().map(|live| {
            let mut object = live.object.clone();
            prune(&mut object);
            object
        });
        specs.collect()
    }

    /// Every object with its managed fields, and the pods.
    pub(crate) fn objects(&self) -> Vec<Value> {
        let mut objects = Vec::new();
        for live in &self.live {
            let mut object = live.object.clone();
            object["metadata"]["managedFields"] = json!([
                { "manager": "kubectl-create", "operation": "Update", "fieldsV1": fields_v1(&live.original, "") },
                { "manager": "rampart-remediation", "operation": "Apply", "fieldsV1": fields_v1(&live.applied, "") },
            ]);
            // A ReplicaSet does not replace the pods that it has.
            let of = if object["kind"] == "ReplicaSet" { &live.original } else { &live.object };
            if live.runs {
                objects.push(pod(of, live.user));
            }
            objects.push(object);
        }
        objects
    }
}

fn pod(owner: &Value, user: Option<i64>) -> Value {
    let mut spec = owner["spec"]["template"]["spec"].clone();
    if spec["automountServiceAccountToken"] != false {
        merge(
            &mut spec,
            &json!({ "volumes": [{ "name": "token", "projected": { "sources": [{ "serviceAccountToken": { "path": "token" } }] } }] }),
        );
        for container in spec["containers"].as_array_mut().unwrap() {
            merge(
                container,
                &json!({ "volumeMounts": [{ "name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount" }] }),
            );
        }
    }
    let statuses: Vec<Value> =
        user.iter().map(|uid| json!({ "name": "a", "user": { "linux": { "uid": uid } } })).collect();
    json!({ "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": format!("{}-0", owner["metadata"]["name"].as_str().unwrap()), "namespace": "shop", "uid": "u",
            "ownerReferences": [{ "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"], "controller": true }] },
        "spec": spec, "status": { "phase": "Running", "containerStatuses": statuses } })
}

/// The key of a list's entries; none where a list is one value.
fn key_of(field: &str) -> Option<&'static str> {
    match field {
        "containers" | "initContainers" | "volumes" | "env" => Some("name"),
        "volumeMounts" => Some("mountPath"),
        _ => None,
    }
}

fn entry<'v>(list: Option<&'v Value>, key: &str, of: &Value) -> Option<&'v Value> {
    list?.as_array()?.iter().find(|entry| entry[key] == of[key])
}

/// Takes away what was applied and is not any more, unless somebody else set the same value.
fn give_up(live: &mut Value, applied: &Value, next: &Value, original: Option<&Value>, field: &str) {
    match (live, applied) {
        (Value::Object(live), Value::Object(applied)) => {
            for (name, value) in applied {
                let others = original.and_then(|original| original.get(name));
                let Some(there) = live.get_mut(name) else { continue };
                if is_leaf(name, value) {
                    if next.get(name).is_none() && others != Some(value) {
                        live.remove(name);
                    }
                } else {
                    give_up(there, value, &next[name], others, name);
                }
            }
        }
        (Value::Array(live), Value::Array(applied)) => {
            let key = key_of(field).unwrap();
            for value in applied {
                let at = live.iter().position(|there| there[key] == value[key]);
                let (Some(at), others) = (at, entry(original, key, value)) else { continue };
                match entry(Some(next), key, value) {
                    None if others.is_none() => drop(live.remove(at)),
                    next => {
                        let mut value = value.clone();
                        value.as_object_mut().unwrap().remove(key);
                        give_up(&mut live[at], &value, next.unwrap_or(&Value::Null), others, "");
                    }
                }
            }
        }
        _ => {}
    }
}

fn is_leaf(name: &str, value: &Value) -> bool {
    match value {
        // A reference to a Secret is one value.
        Value::Object(fields) => fields.is_empty() || name == "secretKeyRef",
        Value::Array(_) => key_of(name).is_none(),
        _ => true,
    }
}

/// A configuration as a set of fields.
fn fields_v1(value: &Value, field: &str) -> Value {
    let mut set = Map::new();
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let below = if is_leaf(name, value) { json!({}) } else { fields_v1(value, name) };
                set.insert(format!("f:{name}"), below);
            }
        }
        Value::Array(list) => {
            let key = key_of(field).unwrap();
            for entry in list {
                let mut below = fields_v1(entry, "");
                below["."] = json!({});
                set.insert(format!("k:{}", json!({ key: entry[key] })), below);
            }
        }
        _ => {}
    }
    Value::Object(set)
}

fn prune(value: &mut Value) {
    let is_empty = |value: &Value| match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(prune);
            fields.retain(|name, value| name == "emptyDir" || !is_empty(value));
        }
        Value::Array(list) => list.iter_mut().for_each(prune),
        _ => {}
    }
}
