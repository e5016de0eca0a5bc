//! Objects of the API, laid over those that were seen.

use super::places::Places;
use super::pods;
use crate::inventory::{ConfigMap, Inventory, Kind, Labels, NetworkPolicySpec, Object, ObjectMeta, Workload};
use crate::remedy::merge;
use crate::workloads::View;
use rampart_shared::Subject;
use serde::Deserialize;
use serde_json::Value;
use std::sync::Arc;

/// Applies an object: one that is there gets its fields, any other is new.
pub(super) fn apply(view: &View<'_>, places: &Places<'_>, inventory: &mut Inventory, object: &Value) {
    let [api_version, kind, namespace, name] = merge::identity(object);
    let Some(kind) = Kind::of(api_version, kind) else { return };
    // An operator makes programs of these; until it has, nothing is different.
    if matches!(kind, Kind::Goldmanes | Kind::FlowCollectors) {
        return;
    }
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
                    if !mounts {
                        pods::without_tokens_of(places, inventory, or_default(namespace), name);
                    }
                }
                return;
            }
        }
        Kind::RoleBindings | Kind::ClusterRoleBindings => {
            let bindings = match kind {
                Kind::RoleBindings => &mut inventory.role_bindings.seen,
                _ => &mut inventory.cluster_role_bindings.seen,
            };
            // A role that is given cannot be changed, and labels say whose the binding is.
            if let Some(there) = bindings.iter_mut().find(|binding| is(&binding.meta))
                && let Ok(Object::Binding(binding)) = Object::deserialize(kind, api_version, object)
            {
                there.subjects = binding.subjects;
                return set_metadata(&mut there.meta, &object["metadata"]);
            }
        }
        Kind::ConfigMaps => {
            if let Some(there) = inventory.config_maps.seen.iter_mut().find(|map| is(&map.meta)) {
                return set_data(there, &object["data"]);
            }
        }
        Kind::NetworkPolicies => {
            if let Some(there) = inventory.network_policies.seen.iter_mut().find(|policy| is(&policy.meta)) {
                set_metadata(&mut there.meta, &object["metadata"]);
                return set_policy(&mut there.spec, &object["spec"]);
            }
            // A remedy brings thousands: one search for each is enough.
            return insert(inventory, kind, object);
        }
        kind if kind.is_workload() => {
            let place = places.workload(kind, or_default(namespace), name);
            if let Some(there) = workload(inventory, kind, place, is) {
                pods::set_template(there, object);
                // Nobody replaces the pods of a ReplicaSet whose template changes.
                if kind == Kind::ReplicaSets {
                    return;
                }
                let subject = Subject {
                    api_version: there.api_version.clone(),
                    kind: kind.kind().to_owned(),
                    namespace: Some(or_default(namespace).to_owned()),
                    name: name.to_owned(),
                };
                let template = Arc::clone(&there.template);
                return pods::roll_out(view, places, inventory, &subject, &template, object);
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
    insert(inventory, kind, object);
}

fn insert(inventory: &mut Inventory, kind: Kind, object: &Value) {
    let [api_version, ..] = merge::identity(object);
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

/// A workload at its place, or one that was added since.
fn workload(
    inventory: &mut Inventory,
    kind: Kind,
    place: Option<usize>,
    is: impl Fn(&ObjectMeta) -> bool,
) -> Option<&mut Workload> {
    let seen = &mut inventory.workloads_mut(kind)?.seen;
    match place {
        Some(place) => seen.get_mut(place),
        None => seen.iter_mut().rev().find(|workload| is(&workload.meta)),
    }
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

/// Each of these fields is whole: <https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy>.
fn set_policy(there: &mut NetworkPolicySpec, fields: &Value) {
    let Ok(spec) = NetworkPolicySpec::deserialize(fields) else { return };
    let says = |field: &str| fields.get(field).is_some();
    if says("podSelector") {
        there.pod_selector = spec.pod_selector;
    }
    if says("policyTypes") {
        there.policy_types = spec.policy_types;
    }
    if says("ingress") {
        there.ingress = spec.ingress;
    }
    if says("egress") {
        there.egress = spec.egress;
    }
}

fn set_data(there: &mut ConfigMap, data: &Value) {
    set_labels(&mut there.data, data);
    for key in data.as_object().into_iter().flatten().map(|(key, _)| key) {
        let path = format!("data[{key}]");
        there.credentials.retain(|credential| !credential.path.starts_with(&path));
    }
}
