//! ConfigMaps as parameters of ValidatingAdmissionPolicies; parameters of other kinds are not read.

use crate::inventory::Inventory;
use crate::validating_admission_policy::{
    ParamKind, ParamLookup, ParamObjects, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
};
use serde_json::{Value, json};

/// The ConfigMaps of a cluster, where a policy asks for some.
#[derive(Debug)]
pub(super) struct ConfigMapParameters<'a> {
    inventory: &'a Inventory,
    bodies: Vec<Value>,
    /// Whether a map that may be meant was not kept whole.
    shortened: bool,
}

impl<'a> ConfigMapParameters<'a> {
    pub(super) fn new(
        inventory: &'a Inventory,
        policies: &[ValidatingAdmissionPolicy],
        bindings: &[ValidatingAdmissionPolicyBinding],
    ) -> Self {
        let wanted = policies.iter().filter_map(|policy| policy.spec.param_kind.as_ref()).any(is_config_map);
        let maps = inventory.config_maps.seen.iter().filter(|_| wanted);
        let bodies = maps
            .map(|map| {
                json!({
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": { "name": map.meta.name, "namespace": map.meta.namespace, "labels": *map.meta.labels },
                    "data": map.data,
                })
            })
            .collect();
        let references: Vec<_> =
            bindings.iter().filter_map(|binding| binding.spec.param_ref.as_ref()).collect();
        let is_meant = |name: &str| {
            references.iter().any(|reference| reference.selector.is_some() || reference.name == name)
        };
        let shortened =
            wanted && inventory.config_maps.seen.iter().any(|map| map.shortened && is_meant(&map.meta.name));
        ConfigMapParameters { inventory, bodies, shortened }
    }
}

impl ParamLookup for ConfigMapParameters<'_> {
    fn objects(&self, kind: &ParamKind) -> ParamObjects<'_> {
        if !is_config_map(kind) {
            return ParamObjects::Unknown(format!(
                "its parameters are of kind {}, which is not read",
                kind.kind
            ));
        }
        if !self.inventory.config_maps.is_complete() {
            return ParamObjects::Unknown("its parameters are ConfigMaps, and not all were read".to_owned());
        }
        if self.shortened {
            return ParamObjects::Unknown(
                "its parameters are ConfigMaps that are too long to be kept".to_owned(),
            );
        }
        ParamObjects::All { namespaced: true, objects: self.bodies.iter().collect() }
    }
}

fn is_config_map(kind: &ParamKind) -> bool {
    kind.api_version == "v1" && kind.kind == "ConfigMap"
}
