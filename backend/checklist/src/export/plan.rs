//! What an export holds: the picked documents, one for each object.

use super::{Selection, picked::Picked};
use crate::remedy::{bare, chosen, identity, merge};
use rampart_shared::{
    FieldConflict, ItemId, Remainder, Remediation, RemediationDocument, RemediationInput, RemediationStage,
    RemediationTarget,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The picked documents of one cluster, one for each object, in order.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) cluster: String,
    pub(super) stage: RemediationStage,
    pub(super) items: Vec<PlannedItem>,
    pub(super) documents: Vec<Planned>,
    pub(super) waiting: Vec<Waiting>,
}

/// An item that an export is about.
#[derive(Debug, Clone)]
pub(super) struct PlannedItem {
    pub(super) id: ItemId,
    pub(super) changes: String,
    pub(super) may_break: String,
    pub(super) undo: String,
    pub(super) has_documents: bool,
    pub(super) remaining: Vec<Remainder>,
}

/// All that is exported for one object.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) target: RemediationTarget,
    pub(super) object: Value,
    pub(super) undo: Value,
    pub(super) comments: Vec<(ItemId, String)>,
    pub(super) conflicts: Vec<FieldConflict>,
}

/// An input without an answer, and what was left out for want of it.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub(super) input: RemediationInput,
    pub(super) objects: BTreeSet<String>,
}

/// A choice that no remediation asks for, or an answer that is none of those there are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UnknownChoice {
    /// Nothing asks for it.
    #[error("nothing that was picked asks for the choice `{name}`{}", known(.asked))]
    Name {
        /// What it was called.
        name: String,
        /// What is asked for.
        asked: Vec<String>,
    },
    /// It is none of the answers.
    #[error("`{answer}` is no answer to the choice `{name}`: write {}", .options.join(", "))]
    Answer {
        /// The choice.
        name: String,
        /// What was answered.
        answer: String,
        /// The answers there are.
        options: Vec<String>,
    },
}

fn known(asked: &[String]) -> String {
    if asked.is_empty() { String::new() } else { format!(": there are {}", asked.join(", ")) }
}

/// Checks that what was chosen is asked for by any of these remediations.
///
/// # Errors
/// When it is not, or is none of the answers.
pub(super) fn check_choices<'r>(
    selection: &Selection,
    remediations: impl IntoIterator<Item = &'r Remediation>,
) -> Result<(), UnknownChoice> {
    let inputs: BTreeMap<&str, &RemediationInput> = remediations
        .into_iter()
        .filter(|remediation| selection.items.is_empty() || selection.items.contains(&remediation.item))
        .flat_map(|remediation| &remediation.inputs)
        .map(|input| (input.name.as_str(), input))
        .collect();
    for (name, answer) in &selection.choices {
        let Some(input) = inputs.get(name.as_str()) else {
            let asked = inputs.keys().map(|name| (*name).to_owned()).collect();
            return Err(UnknownChoice::Name { name: name.clone(), asked });
        };
        if !input.options.is_empty() && !answer.is_empty() && !input.options.contains(answer) {
            let (name, answer, options) = (name.clone(), answer.clone(), input.options.clone());
            return Err(UnknownChoice::Answer { name, answer, options });
        }
    }
    Ok(())
}

/// What is picked of each cluster's remediations, without the clusters of which nothing is.
///
/// # Errors
/// As [`check_choices`] has them.
pub fn plans<'r>(
    clusters: impl IntoIterator<Item = (&'r str, &'r [Remediation])> + Clone,
    selection: &Selection,
) -> Result<Vec<Plan>, UnknownChoice> {
    check_choices(selection, clusters.clone().into_iter().flat_map(|(_, remediations)| remediations))?;
    Ok(clusters
        .into_iter()
        .map(|(cluster, remediations)| Plan::new(cluster, remediations, selection))
        .filter(|plan| !plan.is_empty())
        .collect())
}

impl Plan {
    /// What is picked of a cluster's remediations. What several of them do to one object becomes one document.
    pub fn new<'r>(
        cluster: &str,
        remediations: impl IntoIterator<Item = &'r Remediation>,
        selection: &Selection,
    ) -> Plan {
        let mut plan = Plan {
            cluster: cluster.to_owned(),
            stage: selection.stage,
            items: Vec::new(),
            documents: Vec::new(),
            waiting: Vec::new(),
        };
        let picked = Picked::of(selection);
        let mut places = HashMap::new();
        for remediation in remediations {
            if picked.item(remediation.item) {
                plan.add(remediation, &picked, &mut places);
            }
        }
        for planned in &mut plan.documents {
            planned.conflicts.sort();
            planned.conflicts.dedup();
        }
        plan.documents.sort_by_cached_key(Planned::order);
        plan.items.sort_by_key(|item| item.id);
        plan
    }

    /// Whether it says nothing at all: no document, nothing left out, and nothing for a person to do.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The cluster.
    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// How many documents it has.
    pub fn documents(&self) -> usize {
        self.documents.len()
    }

    /// The items that it has documents of.
    pub fn items(&self) -> impl Iterator<Item = ItemId> {
        self.items.iter().filter(|item| item.has_documents).map(|item| item.id)
    }

    /// The names of the inputs that documents wait for.
    pub fn waiting(&self) -> impl Iterator<Item = &str> {
        self.waiting.iter().map(|waiting| waiting.input.name.as_str())
    }

    /// The objects that kubectl applies, whole or in part.
    pub fn applied_objects(&self) -> impl Iterator<Item = &Value> {
        self.applied().map(|planned| &planned.object)
    }

    /// Those that kubectl applies.
    pub(super) fn applied(&self) -> impl Iterator<Item = &Planned> {
        self.documents.iter().filter(|planned| planned.target.is_applied())
    }

    /// Those of this target.
    pub(super) fn of(&self, target: RemediationTarget) -> impl Iterator<Item = &Planned> {
        self.documents.iter().filter(move |planned| planned.target == target)
    }

    fn add(
        &mut self,
        remediation: &Remediation,
        picked: &Picked<'_>,
        places: &mut HashMap<(bool, String), usize>,
    ) {
        let choice = |name: &str| picked.answer(name).cloned();
        let mut has_documents = false;
        let mut waits = false;
        for document in remediation.of_stage(self.stage).filter(|document| picked.document(document)) {
            match chosen(document, &remediation.inputs, choice) {
                Some(object) => {
                    has_documents = true;
                    self.put(remediation.item, document, object, places);
                }
                None => {
                    waits = true;
                    self.wait(document, &remediation.inputs, picked);
                }
            }
        }
        if has_documents || waits || !remediation.remaining.is_empty() {
            self.items.push(PlannedItem {
                id: remediation.item,
                changes: remediation.changes.clone(),
                may_break: remediation.may_break.clone(),
                undo: remediation.undo.clone(),
                has_documents,
                remaining: remediation.remaining.clone(),
            });
        }
    }

    fn put(
        &mut self,
        item: ItemId,
        document: &RemediationDocument,
        object: Value,
        places: &mut HashMap<(bool, String), usize>,
    ) {
        let is_applied = document.target.is_applied();
        // A fragment without a kind is a file of its own; the program that reads it puts them together.
        let name = match identity(&object) {
            [_, "", ..] => object.to_string(),
            identity if is_applied => format!("{identity:?}"),
            // Patches of static pods share a name, and say in an annotation for which pod they are.
            identity => format!("{:?} {identity:?} {}", document.target, object["metadata"]["annotations"]),
        };
        let undo = document.undo.clone().unwrap_or_else(|| bare(&object));
        match places.get(&(is_applied, name.clone())).and_then(|place| self.documents.get_mut(*place)) {
            Some(there) => {
                merge(&mut there.object, &object);
                merge(&mut there.undo, &undo);
                // What any item says is new is not there yet.
                there.target = there.target.min(document.target);
                there.conflicts.extend(document.conflicts.iter().cloned());
                if !there.comments.iter().any(|(_, comment)| *comment == document.comment) {
                    there.comments.push((item, document.comment.clone()));
                }
            }
            None => {
                places.insert((is_applied, name), self.documents.len());
                self.documents.push(Planned {
                    target: document.target,
                    object,
                    undo,
                    comments: vec![(item, document.comment.clone())],
                    conflicts: document.conflicts.clone(),
                });
            }
        }
    }

    fn wait(&mut self, document: &RemediationDocument, inputs: &[RemediationInput], picked: &Picked<'_>) {
        let asked: BTreeSet<&str> = document.choices.iter().map(|choice| choice.input.as_str()).collect();
        let unanswered = inputs.iter().filter(|input| {
            asked.contains(input.name.as_str())
                && input.default.is_none()
                && picked.answer(&input.name).is_none()
        });
        for input in unanswered {
            let object = described(&document.object);
            match self.waiting.iter_mut().find(|waiting| waiting.input.name == input.name) {
                Some(waiting) => drop(waiting.objects.insert(object)),
                None => {
                    self.waiting.push(Waiting { input: input.clone(), objects: BTreeSet::from([object]) })
                }
            }
        }
    }
}

impl Planned {
    /// Accounts and policies that others rest on come first; what refuses objects comes after those that it would refuse.
    fn order(&self) -> (bool, bool, RemediationTarget, String, String, String, String) {
        let [api_version, kind, namespace, name] = identity(&self.object);
        let refuses = ["admissionregistration.k8s.io/", "kyverno.io/", "constraints.gatekeeper.sh/"];
        let refuses = refuses.iter().any(|group| api_version.starts_with(group));
        (
            !self.target.is_applied(),
            refuses,
            self.target,
            namespace.to_owned(),
            kind.to_owned(),
            name.to_owned(),
            // Fragments have no name to be told apart by.
            if kind.is_empty() { self.object.to_string() } else { api_version.to_owned() },
        )
    }
}

/// `Deployment checkout/cart`, or what a setting without a name is of.
pub(super) fn described(object: &Value) -> String {
    match identity(object) {
        [_, "", ..] => {
            let fields = object.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
            format!("settings {}", fields.collect::<Vec<_>>().join(", "))
        }
        [_, kind, "", ""] => kind.to_owned(),
        [_, kind, "", name] => format!("{kind} {name}"),
        [_, kind, namespace, name] => format!("{kind} {namespace}/{name}"),
    }
}
