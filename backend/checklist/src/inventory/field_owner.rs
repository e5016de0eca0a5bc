//! Who owns which fields of a pod template, by `metadata.managedFields`: those that remedies touch, and no others.
//!
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>

use super::PodSpec;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, de};
use std::fmt;

/// A field manager, and what it owns of the fields that remedies touch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldOwner {
    /// Its name.
    pub manager: String,
    /// Whether it applies its fields, and so gives up those that it leaves out.
    pub applies: bool,
    /// The fields, relative to the pod spec: `containers[name=web].securityContext.runAsNonRoot`.
    pub fields: Vec<String>,
}

impl FieldOwner {
    /// Drops the variables that hold no credential and refer to no Secret: there may be hundreds.
    pub(super) fn keep_relevant(&mut self, template: &PodSpec) {
        self.fields.retain(|field| {
            let Some((container, variable)) = field.split_once(".env[name=") else { return true };
            let Some((variable, what)) = variable.rsplit_once("].") else { return false };
            if what != "value" {
                return true;
            }
            let path = format!("env[name={variable}].value");
            [("initContainers", &template.init_containers), ("containers", &template.containers)].iter().any(
                |(list, containers)| {
                    containers.iter().any(|found| {
                        container == format!("{list}[name={}]", found.name)
                            && found.credentials.iter().any(|credential| credential.path == path)
                    })
                },
            )
        });
        self.fields.shrink_to_fit();
    }
}

/// `metadata.managedFields`. Whatever has another form than the API gives it tells nothing, and costs no object.
#[derive(Debug, Default)]
pub(super) struct ManagedFields(pub(super) Vec<FieldOwner>);

/// More managers than any workload has, and more fields than any remedy touches: the rest is not remembered.
const MANAGERS: usize = 32;
const FIELDS: usize = 512;

impl<'de> Deserialize<'de> for ManagedFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(Tolerant(Entries(Vec::new())))
            .map(|Entries(owners)| ManagedFields(owners))
    }
}

/// What reads a map or a list, and takes anything else for nothing.
trait Reads<'de>: Sized {
    fn map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self)
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self)
    }

    fn text(self, _: &str) -> Self {
        self
    }
}

struct Tolerant<T>(T);

impl<'de, T: Reads<'de>> DeserializeSeed<'de> for Tolerant<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Reads<'de>> Visitor<'de> for Tolerant<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("anything")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        self.0.map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        self.0.list(list)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        Ok(self.0.text(text))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<T, E> {
        Ok(self.0)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<T, E> {
        Ok(self.0)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<T, E> {
        Ok(self.0)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<T, E> {
        Ok(self.0)
    }

    fn visit_unit<E: de::Error>(self) -> Result<T, E> {
        Ok(self.0)
    }

    fn visit_none<E: de::Error>(self) -> Result<T, E> {
        Ok(self.0)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// The list of managers.
struct Entries(Vec<FieldOwner>);

impl<'de> Reads<'de> for Entries {
    fn list<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Self, A::Error> {
        while self.0.len() < MANAGERS {
            let Some(Entry(owner)) = list.next_element_seed(Tolerant(Entry(FieldOwner::default())))? else {
                return Ok(self);
            };
            if !owner.fields.is_empty() {
                self.0.push(owner);
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self)
    }
}

struct Entry(FieldOwner);

impl<'de> Reads<'de> for Entry {
    fn map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(Text(key)) = map.next_key_seed(Tolerant(Text(String::new())))? {
            match key.as_str() {
                "manager" => {
                    self.0.manager = map.next_value_seed(Tolerant(Text(String::new())))?.0;
                }
                "operation" => {
                    self.0.applies = map.next_value_seed(Tolerant(Text(String::new())))?.0 == "Apply";
                }
                "fieldsV1" => {
                    let walk = Walk { place: Place::Object, path: String::new(), found: Vec::new() };
                    self.0.fields = map.next_value_seed(Tolerant(walk))?.found;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(self)
    }
}

struct Text(String);

impl Reads<'_> for Text {
    fn text(self, text: &str) -> Self {
        Text(text.to_owned())
    }
}

/// Where in an object a set of fields stands.
#[derive(Clone, Copy)]
enum Place {
    Object,
    Spec,
    JobTemplate,
    JobSpec,
    Template,
    PodSpec,
    Volumes,
    Volume,
    Containers,
    Container,
    SecurityContext,
    Profile,
    Variables,
    Variable,
    Source,
    Mounts,
    Mount,
}

/// What a key leads to.
enum Step {
    Skip,
    Into(Place, String),
    Field(String),
}

impl Place {
    /// Fields are `f:name`, entries of lists `k:{"key":"value"}`.
    fn step(self, path: &str, key: &str) -> Step {
        if let Some(field) = key.strip_prefix("f:") {
            self.field(path, field)
        } else if let Some(entry) = key.strip_prefix("k:") {
            self.entry(path, entry)
        } else {
            Step::Skip
        }
    }

    fn field(self, path: &str, field: &str) -> Step {
        let into = |place| Step::Into(place, format!("{path}{field}"));
        let below = |place| Step::Into(place, format!("{path}.{field}"));
        let leaf = || Step::Field(format!("{path}.{field}"));
        match (self, field) {
            (Place::Object, "spec") => Step::Into(Place::Spec, String::new()),
            (Place::Spec, "jobTemplate") => Step::Into(Place::JobTemplate, String::new()),
            (Place::JobTemplate, "spec") => Step::Into(Place::JobSpec, String::new()),
            (Place::Spec | Place::JobSpec, "template") => Step::Into(Place::Template, String::new()),
            (Place::Template, "spec") => Step::Into(Place::PodSpec, String::new()),
            (Place::PodSpec, "containers" | "initContainers") => into(Place::Containers),
            (Place::PodSpec, "volumes") => into(Place::Volumes),
            (Place::PodSpec, "automountServiceAccountToken") => Step::Field(field.to_owned()),
            (Place::Container, "securityContext") => below(Place::SecurityContext),
            (Place::Container, "env") => below(Place::Variables),
            (Place::Container, "volumeMounts") => below(Place::Mounts),
            (Place::Variable, "valueFrom") => below(Place::Source),
            (Place::SecurityContext, "seccompProfile" | "appArmorProfile") => below(Place::Profile),
            (Place::SecurityContext, "readOnlyRootFilesystem" | "runAsNonRoot" | "runAsUser")
            | (Place::Container, "image")
            | (Place::Profile, "type")
            | (Place::Variable, "value")
            | (Place::Source, "secretKeyRef")
            | (Place::Mount, "name")
            | (Place::Volume, "emptyDir") => leaf(),
            _ => Step::Skip,
        }
    }

    fn entry(self, path: &str, entry: &str) -> Step {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Key {
            name: Option<String>,
            mount_path: Option<String>,
        }
        let Ok(key) = serde_json::from_str::<Key>(entry) else { return Step::Skip };
        let (place, name, value) = match self {
            Place::Containers => (Place::Container, "name", key.name),
            Place::Volumes => (Place::Volume, "name", key.name),
            Place::Variables => (Place::Variable, "name", key.name),
            Place::Mounts => (Place::Mount, "mountPath", key.mount_path),
            _ => return Step::Skip,
        };
        value.map_or(Step::Skip, |value| Step::Into(place, format!("{path}[{name}={value}]")))
    }
}

/// The fields below one place.
struct Walk {
    place: Place,
    path: String,
    found: Vec<String>,
}

impl<'de> Reads<'de> for Walk {
    fn map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(Text(key)) = map.next_key_seed(Tolerant(Text(String::new())))? {
            let step = if self.found.len() < FIELDS { self.place.step(&self.path, &key) } else { Step::Skip };
            match step {
                Step::Skip => drop(map.next_value::<IgnoredAny>()?),
                Step::Field(path) => {
                    map.next_value::<IgnoredAny>()?;
                    self.found.push(path);
                }
                Step::Into(place, path) => {
                    let walk = Walk { place, path, found: std::mem::take(&mut self.found) };
                    self.found = map.next_value_seed(Tolerant(walk))?.found;
                }
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{Kind, Object, Workload};
    use serde_json::{Value, json};

    fn workload(kind: Kind, owners: &Value, metadata: &Value) -> Workload {
        let mut metadata = metadata.clone();
        metadata["name"] = json!("cart");
        metadata["managedFields"] = owners.clone();
        let pod = json!({ "spec": { "containers": [
            { "name": "web", "env": [{ "name": "DB_PASSWORD", "value": "kE9vZq2Lm4Tt" }, { "name": "MODE", "value": "fast" }] }
        ] } });
        let spec = match kind {
            Kind::CronJobs => json!({ "jobTemplate": { "spec": { "template": pod } } }),
            _ => json!({ "template": pod }),
        };
        let object = json!({ "metadata": metadata, "spec": spec });
        // As a stream too: what a list page reads it from.
        let text = object.to_string();
        let mut stream = serde_json::Deserializer::from_str(&text);
        let Object::Workload(streamed) = Object::deserialize(kind, "", &mut stream).unwrap() else {
            panic!()
        };
        let Object::Workload(workload) = Object::deserialize(kind, "", object).unwrap() else { panic!() };
        assert_eq!(streamed, workload);
        workload
    }

    fn pod_fields() -> Value {
        json!({ "f:spec": {
            "f:automountServiceAccountToken": {},
            "f:dnsPolicy": {},
            "f:containers": { ".": {}, "k:{\"name\":\"web\"}": {
                ".": {}, "f:name": {}, "f:image": {}, "f:resources": { "f:limits": {} },
                "f:securityContext": { ".": {}, "f:runAsNonRoot": {}, "f:seccompProfile": { "f:type": {} }, "f:capabilities": {} },
                "f:env": { "k:{\"name\":\"DB_PASSWORD\"}": { ".": {}, "f:name": {}, "f:value": {} },
                    "k:{\"name\":\"MODE\"}": { ".": {}, "f:value": {} },
                    "k:{\"name\":\"T\"}": { "f:valueFrom": { "f:secretKeyRef": {} } } },
                "f:volumeMounts": { "k:{\"mountPath\":\"/tmp\"}": { ".": {}, "f:mountPath": {}, "f:name": {} } },
            } },
            "f:volumes": { "k:{\"name\":\"t\"}": { ".": {}, "f:emptyDir": {}, "f:name": {} } },
        } })
    }

    const FOUND: [&str; 8] = [
        "automountServiceAccountToken",
        "containers[name=web].env[name=DB_PASSWORD].value",
        "containers[name=web].env[name=T].valueFrom.secretKeyRef",
        "containers[name=web].image",
        "containers[name=web].securityContext.runAsNonRoot",
        "containers[name=web].securityContext.seccompProfile.type",
        "containers[name=web].volumeMounts[mountPath=/tmp].name",
        "volumes[name=t].emptyDir",
    ];

    #[test]
    fn the_fields_that_remedies_touch_are_kept_and_no_others() {
        for (kind, fields) in [
            (Kind::Deployments, json!({ "f:spec": { "f:replicas": {}, "f:template": pod_fields() } })),
            (
                Kind::CronJobs,
                json!({ "f:spec": { "f:jobTemplate": { "f:spec": { "f:template": pod_fields() } } } }),
            ),
        ] {
            let owners = json!([
                { "manager": "helm", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": fields },
                { "manager": "kube-controller-manager", "operation": "Update", "fieldsV1": { "f:status": {} } },
            ]);
            let mut found = workload(kind, &owners, &json!({})).field_owners;
            found[0].fields.sort();
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!((found[0].manager.as_str(), found[0].applies), ("helm", true));
            assert_eq!(found[0].fields, FOUND);
        }
    }

    #[test]
    fn what_another_workload_controls_costs_nothing() {
        let owners = json!([{ "manager": "m", "fieldsV1": { "f:spec": { "f:template": pod_fields() } } }]);
        let controlled =
            json!({ "ownerReferences": [{ "kind": "Deployment", "name": "cart", "controller": true }] });
        assert!(workload(Kind::ReplicaSets, &owners, &controlled).field_owners.is_empty());
        assert_eq!(workload(Kind::ReplicaSets, &owners, &json!({})).field_owners.len(), 1);
    }

    #[test]
    fn other_forms_tell_nothing_and_cost_no_object() {
        let mut deep = json!({});
        for _ in 0..100 {
            deep = json!({ "f:spec": deep });
        }
        let many: Vec<Value> = (0..100)
            .map(|index| json!({ "manager": index.to_string(), "fieldsV1": { "f:spec": { "f:template": pod_fields() } } }))
            .collect();
        for (owners, expected) in [
            (json!(null), 0),
            (json!("x"), 0),
            (json!([1, null, [], "x", true, 1.5, -1]), 0),
            (json!([{ "manager": 3, "operation": [], "fieldsV1": 7 }]), 0),
            (json!([{ "manager": "m", "fieldsV1": { "f:spec": [{ "f:template": {} }] } }]), 0),
            (
                json!([{ "manager": "m", "fieldsV1": { "f:spec": { "f:template": { "f:spec": {
                "f:containers": { "k:{": {}, "k:[]": {}, "k:{\"name\":1}": {}, "k:{\"name\":\"a\"}": 3, "v:1": {}, "i:0": {} } } } } } }]),
                0,
            ),
            (json!([{ "manager": "m", "fieldsV1": deep }]), 0),
            (Value::Array(many), MANAGERS),
        ] {
            assert_eq!(workload(Kind::Deployments, &owners, &json!({})).field_owners.len(), expected);
        }
    }
}
