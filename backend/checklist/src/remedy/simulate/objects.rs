//! Objects of the API, laid over those that were seen.

use super::pods;
use crate::inventory::{ConfigMap, Inventory, Kind, Labels, Object, ObjectMeta, Workload};
use crate::remedy::merge;
use crate::workloads::View;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Applies an object: one that is there gets its fields, any other is new.
pub(super) fn apply(view: &View<'_>, inventory: &mut Inventory, object: &Value) {
    let [api_version, kind, namespace, name] = merge::identity(object);
    let Some(kind) = Kind::of(api_version, kind) else { return };
    let is = |meta: &ObjectMeta| {
        meta.name == name && (!kind.is_namespaced() || meta.namespace_or_default() == or_default(namespace))
    };
    if refuses_more(kind) {
        // The probe asked an API server that did not have this policy yet; what was refused is refused still.
        inventory.admission_probe.seen.retain(|answer| answer.refused.is_some());
    }
    match kind {
        Kind::Namespaces => {
            if let Some(there) = inventory.namespaces.seen.iter_mut().find(|meta| is(meta)) {
                return set_metadata(there, &object["metadata"]);
            }
        }
        Kind::ServiceAccounts => {
            if let Some(there) = inventory.service_accounts.seen.iter_mut().find(|account| is(&account.meta))
            {
                set_metadata(&mut there.meta, &object["metadata"]);
                if let Some(mounts) = object["automountServiceAccountToken"].as_bool() {
                    there.automount_token = Some(mounts);
                    let kept: BTreeSet<String> = BTreeSet::from([there.meta.name.clone()]);
                    pods::without_tokens_of(inventory, or_default(namespace), &kept);
                }
                return;
            }
        }
        Kind::ConfigMaps => {
            if let Some(there) = inventory.config_maps.seen.iter_mut().find(|map| is(&map.meta)) {
                return set_data(there, &object["data"]);
            }
        }
        kind if kind.is_workload() => {
            if let Some(there) = workload(inventory, kind, is) {
                pods::set_template(there, object);
                return pods::roll_out(view, inventory, kind, or_default(namespace), name, object);
            }
        }
        _ => {
            if let Some(there) = inventory.resource_mut(kind, |resource| is(&resource.meta)) {
                set_metadata(&mut there.meta, &object["metadata"]);
                let Value::Object(fields) = object else { return };
                for (field, value) in fields {
                    if !matches!(field.as_str(), "apiVersion" | "kind" | "metadata") {
                        merge::merge_field(&mut there.body, field, value);
                    }
                }
                return;
            }
            inventory.remove(kind, is);
        }
    }
    if let Ok(object) = Object::deserialize(kind, api_version, object) {
        inventory.insert(object);
    }
}

/// Whether a remedy's object of this kind makes admission refuse more.
fn refuses_more(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ValidatingAdmissionPolicies
            | Kind::ValidatingAdmissionPolicyBindings
            | Kind::KyvernoClusterPolicies
            | Kind::KyvernoValidatingPolicies
    )
}

fn or_default(namespace: &str) -> &str {
    if namespace.is_empty() { "default" } else { namespace }
}

fn workload(
    inventory: &mut Inventory,
    kind: Kind,
    is: impl Fn(&ObjectMeta) -> bool,
) -> Option<&mut Workload> {
    inventory.workloads_mut(kind)?.seen.iter_mut().find(|workload| is(&workload.meta))
}

/// Labels and annotations; the rest of the metadata does not change.
pub(super) fn set_metadata(there: &mut ObjectMeta, metadata: &Value) {
    if metadata["labels"].is_object() {
        set_labels(Arc::make_mut(&mut there.labels), &metadata["labels"]);
    }
    set_labels(&mut there.annotations, &metadata["annotations"]);
}

pub(super) fn set_labels(there: &mut Labels, labels: &Value) {
    for (name, value) in labels.as_object().into_iter().flatten() {
        if let Some(value) = value.as_str() {
            there.insert(name.clone(), value.to_owned());
        }
    }
}

fn set_data(there: &mut ConfigMap, data: &Value) {
    set_labels(&mut there.data, data);
    for key in data.as_object().into_iter().flatten().map(|(key, _)| key) {
        let path = format!("data[{key}]");
        there.credentials.retain(|credential| !credential.path.starts_with(&path));
    }
}
