//! What a workload has of earlier remedies. A configuration replaces the one before it, and what it leaves out is given
//! up: so it takes along what stands.

use super::fields::FIELDS;
use crate::inventory::{Container, PodSpec, Workload};
use crate::remedy::{FIELD_MANAGER, merge};
use crate::workloads::ContainerType;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// The fields of the pod spec that the remedies' manager owns, as they are; an empty object where it owns none.
pub(super) fn of(controller: &Workload) -> Value {
    let owned: HashSet<&str> = controller
        .field_owners
        .iter()
        .filter(|owner| owner.applies && owner.manager == FIELD_MANAGER)
        .flat_map(|owner| owner.fields.iter().map(String::as_str))
        .collect();
    let mut spec = json!({});
    if owned.is_empty() {
        return spec;
    }
    let template = &*controller.template;
    if owned.contains("automountServiceAccountToken") && template.automount_token == Some(false) {
        spec["automountServiceAccountToken"] = json!(false);
    }
    for (container_type, containers) in
        [(ContainerType::Init, &template.init_containers), (ContainerType::Regular, &template.containers)]
    {
        let list = container_type.field();
        for container in containers {
            let fields = of_container(controller, &owned, list, container);
            if !fields.is_empty() {
                let mut entry = Map::from_iter([("name".to_owned(), json!(container.name))]);
                entry.extend(fields);
                merge(&mut spec, &json!({ list: [entry] }));
            }
        }
    }
    for name in &controller.volumes.names {
        if owned.contains(format!("volumes[name={name}].emptyDir").as_str()) {
            merge(&mut spec, &json!({ "volumes": [{ "name": name, "emptyDir": {} }] }));
        }
    }
    spec
}

fn of_container(
    controller: &Workload,
    owned: &HashSet<&str>,
    list: &str,
    container: &Container,
) -> Map<String, Value> {
    let prefix = format!("{list}[name={}]", container.name);
    let is_owned = |field: String| owned.contains(format!("{prefix}.{field}").as_str());
    let mut fields = json!({});
    for field in &FIELDS {
        if is_owned(field.path())
            && let Some(value) = field.of(container).filter(field.is_good)
        {
            field.set(&mut fields["securityContext"], value);
        }
    }
    if is_owned("image".to_owned()) {
        fields["image"] = json!(container.image);
    }
    for (name, secret) in references(&controller.template, &prefix) {
        if is_owned(format!("env[name={name}].valueFrom.secretKeyRef")) {
            merge(&mut fields, &json!({ "env": [variable(name, secret)] }));
        }
    }
    for mount in controller.volumes.mounts.iter().filter(|mount| mount.container == container.name) {
        if is_owned(format!("volumeMounts[mountPath={}].name", mount.path)) {
            merge(
                &mut fields,
                &json!({ "volumeMounts": [{ "mountPath": mount.path, "name": mount.volume }] }),
            );
        }
    }
    match fields {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

/// The variables of a container that come from a Secret, with its name.
fn references<'t>(template: &'t PodSpec, container: &str) -> impl Iterator<Item = (&'t str, &'t str)> {
    let prefix = format!("{container}.env[name=");
    template.secret_references.iter().filter_map(move |reference| {
        let name = reference.path.strip_prefix(&prefix)?.strip_suffix("].valueFrom.secretKeyRef")?;
        Some((name, reference.secret.as_str()))
    })
}

/// A variable that comes from a Secret. The empty value takes the place of a literal, for it may not have both.
pub(super) fn variable(name: &str, secret: &str) -> Value {
    json!({ "name": name, "value": "",
        "valueFrom": { "secretKeyRef": { "name": secret, "key": super::draft::secret_key(name) } } })
}
