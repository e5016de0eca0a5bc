//! Which documents a selection takes.

use super::Selection;
use rampart_shared::{ItemId, RemediationDocument, RemediationTarget};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// A selection, with what is looked up for each document.
pub(super) struct Picked<'s> {
    items: &'s BTreeSet<ItemId>,
    namespaces: &'s BTreeSet<String>,
    choices: &'s BTreeMap<String, String>,
    /// Kind, namespace and name of the objects that findings are about; none where all are taken.
    objects: Option<HashSet<(&'s str, &'s str, &'s str)>>,
    /// The namespaces of those objects, and those that are such an object.
    around: HashSet<&'s str>,
}

impl<'s> Picked<'s> {
    pub(super) fn of(selection: &'s Selection) -> Self {
        let subjects = &selection.subjects;
        let name = |subject: &'s rampart_shared::Subject| {
            (subject.kind.as_str(), subject.namespace.as_deref().unwrap_or_default(), subject.name.as_str())
        };
        let around = subjects.iter().filter_map(|subject| match subject.kind.as_str() {
            "Namespace" => Some(subject.name.as_str()),
            _ => subject.namespace.as_deref(),
        });
        Picked {
            items: &selection.items,
            namespaces: &selection.namespaces,
            choices: &selection.choices,
            objects: (!subjects.is_empty()).then(|| subjects.iter().map(name).collect()),
            around: around.collect(),
        }
    }

    /// Whether an item was picked.
    pub(super) fn item(&self, item: ItemId) -> bool {
        self.items.is_empty() || self.items.contains(&item)
    }

    /// What was answered to an input.
    pub(super) fn answer(&self, input: &str) -> Option<&'s String> {
        self.choices.get(input).filter(|answer| !answer.is_empty())
    }

    /// Whether a document of a picked item was picked.
    pub(super) fn document(&self, document: &RemediationDocument) -> bool {
        let metadata = &document.object["metadata"];
        let kind = document.object["kind"].as_str().unwrap_or_default();
        let name = metadata["name"].as_str().unwrap_or_default();
        let own = metadata["namespace"].as_str().unwrap_or_default();
        // A namespace is in itself.
        let namespace = if kind == "Namespace" { name } else { own };
        let is_applied = document.target.is_applied();
        if !self.namespaces.is_empty() && (!is_applied || !self.namespaces.contains(namespace)) {
            return false;
        }
        let Some(objects) = &self.objects else { return true };
        // No finding names a new object yet: it is for the namespace that it is made in, or for the whole cluster.
        let is_beside = kind == "Namespace" || document.target == RemediationTarget::NewObject;
        !is_applied
            || objects.contains(&(kind, own, name))
            || is_beside && (namespace.is_empty() || self.around.contains(namespace))
    }
}
