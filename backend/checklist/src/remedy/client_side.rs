//! Objects that kubectl's client-side apply made, and what it takes to change them by server-side apply all the same.
//!
//! After a server-side apply kubectl hands every field of whoever owns the annotation with the last applied configuration
//! to the manager that it applied as, and applies once more. With a part of an object that would remove all the rest of it:
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#migration-between-client-side-and-server-side-apply>.
//! So a part of such an object brings the annotation along, with nothing in it: then nobody else owns it, and nothing is
//! handed on. The next client-side apply of the source writes it anew.

use super::{bare, identity};
use crate::Inventory;
use crate::credentials::LAST_APPLIED;
use crate::inventory::ObjectMeta;
use rampart_shared::{FieldConflict, RemediationDocument, RemediationTarget};
use serde_json::json;
use std::collections::HashSet;

/// The objects of a cluster that client-side apply made.
#[derive(Debug)]
pub struct ClientSideApplied<'a>(HashSet<(&'a str, &'a str, &'a str)>);

impl<'a> ClientSideApplied<'a> {
    /// Looks through everything that remedies change in part.
    pub fn of(inventory: &'a Inventory) -> Self {
        let mut objects = HashSet::new();
        let mut add = |kind: &'a str, meta: &'a ObjectMeta| {
            if meta.client_side_applied {
                objects.insert((kind, meta.namespace.as_str(), meta.name.as_str()));
            }
        };
        inventory.namespaces.seen.iter().for_each(|meta| add("Namespace", meta));
        inventory.workloads().for_each(|workload| add(workload.kind.kind(), &workload.meta));
        inventory.service_accounts.seen.iter().for_each(|account| add("ServiceAccount", &account.meta));
        inventory.config_maps.seen.iter().for_each(|map| add("ConfigMap", &map.meta));
        inventory.network_policies.seen.iter().for_each(|policy| add("NetworkPolicy", &policy.meta));
        for bindings in [&inventory.role_bindings, &inventory.cluster_role_bindings] {
            bindings.seen.iter().for_each(|binding| add(binding.kind.kind(), &binding.meta));
        }
        for roles in [&inventory.roles, &inventory.cluster_roles] {
            roles.seen.iter().for_each(|role| add(role.kind.kind(), &role.meta));
        }
        inventory.all_resources().for_each(|resource| add(&resource.object_kind, &resource.meta));
        ClientSideApplied(objects)
    }

    /// Lets a document that changes such an object in part bring the annotation along.
    pub fn take_over(&self, document: &mut RemediationDocument) {
        let [_, kind, namespace, name] = identity(&document.object);
        if document.target != RemediationTarget::Apply || !self.0.contains(&(kind, namespace, name)) {
            return;
        }
        let nothing = bare(&document.object).to_string();
        document.object["metadata"]["annotations"][LAST_APPLIED] = json!(nothing);
        document.conflicts.push(FieldConflict {
            path: format!("metadata.annotations[{LAST_APPLIED}]"),
            manager: "kubectl-client-side-apply".to_owned(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remedy::document;
    use crate::testing::inventory;

    #[test]
    fn parts_of_what_client_side_apply_made_take_its_annotation_over() {
        let annotated = format!("annotations: {{'{LAST_APPLIED}': '{{}}'}}");
        let inventory = inventory(&format!(
            "{{apiVersion: v1, kind: Namespace, metadata: {{name: shop, {annotated}}}}}\n---\n\
             {{apiVersion: v1, kind: Namespace, metadata: {{name: other}}}}"
        ));
        let applied = ClientSideApplied::of(&inventory);
        let of = |name: &str, target| {
            let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": { "a": "b" } } });
            let mut document = document(target, "", &object);
            applied.take_over(&mut document);
            document
        };
        let changed = of("shop", RemediationTarget::Apply);
        let nothing = r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}}"#;
        assert_eq!(changed.object["metadata"]["annotations"][LAST_APPLIED], nothing);
        assert_eq!(changed.object["metadata"]["labels"]["a"], "b");
        assert_eq!(changed.conflicts.len(), 1);
        assert_eq!(changed.undo, Some(bare(&changed.object)), "undone, the annotation is given up too");
        for document in [of("other", RemediationTarget::Apply), of("shop", RemediationTarget::NewObject)] {
            assert!(document.object["metadata"].get("annotations").is_none());
            assert!(document.conflicts.is_empty());
        }
    }
}
