//! What would turn an item green.

use crate::{Fingerprint, ItemId, Outcome, Score};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How a document takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RemediationTarget {
    /// A new object, applied to the API server.
    NewObject,
    /// Fields of an existing object, applied to the API server with an own field manager.
    Apply,
    /// A setting on the nodes; no API server takes it.
    Node,
    /// A setting of the control plane; no API server takes it.
    ControlPlane,
}

impl RemediationTarget {
    /// Whether `kubectl apply` takes the document.
    pub const fn is_applied(self) -> bool {
        matches!(self, RemediationTarget::NewObject | RemediationTarget::Apply)
    }
}

/// How far a set of documents goes. Each set stands by itself: it is applied instead of the one before, not on top of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RemediationStage {
    /// Nothing is refused and nobody notices: what would be is written down.
    Observe,
    /// Nothing is refused, and whoever makes what would be is told.
    Warn,
    /// It is in force. What cannot be tried more softly has this stage alone.
    #[default]
    Enforce,
}

impl RemediationStage {
    /// Every stage, the softest first.
    pub const ALL: [RemediationStage; 3] =
        [RemediationStage::Observe, RemediationStage::Warn, RemediationStage::Enforce];

    /// The stage as it stands in addresses and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            RemediationStage::Observe => "observe",
            RemediationStage::Warn => "warn",
            RemediationStage::Enforce => "enforce",
        }
    }
}

/// Something that a person has to choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RemediationInput {
    /// Names it within all remediations: two items that ask the same thing ask it once.
    pub name: String,
    /// The question, as a label.
    pub label: String,
    /// What it is for.
    pub help: String,
    /// What is taken where nobody chooses; none where only a person can know.
    pub default: Option<String>,
    /// What an answer looks like. It is never applied.
    pub example: String,
    /// The answers there are; empty where any text is one.
    pub options: Vec<String>,
}

/// A field of a document that holds what a person chose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct ChosenField {
    /// The field, as a JSON pointer into the object.
    pub pointer: String,
    /// The input's name.
    pub input: String,
    /// The field's text, with `{}` where the choice goes.
    pub template: String,
}

/// A field that somebody else set to another value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct FieldConflict {
    /// The field.
    pub path: String,
    /// Who owns it, as `metadata.managedFields` has it.
    pub manager: String,
}

/// One YAML document of a remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RemediationDocument {
    /// How it takes effect.
    pub target: RemediationTarget,
    /// Which set it belongs to.
    pub stage: RemediationStage,
    /// What it is for, in a line or a few.
    pub comment: String,
    /// The object, whole or in part.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub object: Value,
    /// The fields that a person chooses. Without an answer the document is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<ChosenField>,
    /// What is applied to undo it; none where the object is new and is deleted, or where no API server takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub undo: Option<Value>,
    /// The fields that the API server refuses to change without `--force-conflicts`, as far as they were seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<FieldConflict>,
}

/// What the documents leave to a person, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Remainder {
    /// What a person has to do or to decide.
    pub task: String,
    /// The findings that stay until then.
    pub findings: Vec<Fingerprint>,
}

/// What the documents would do to the cluster, as far as it can be told beforehand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RemediationTable {
    /// What it tells.
    pub title: String,
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
    /// How many more rows there are.
    pub more: u32,
}

/// The documents applied to what was seen, and the checklist evaluated again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Simulation {
    /// The item's outcome then.
    pub outcome: Outcome,
    /// The findings that decide and stay.
    pub findings: u32,
    /// The cluster's score then, were nothing else changed.
    pub score: Option<Score>,
}

/// What would turn an item green, for this cluster's objects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Remediation {
    /// The item.
    pub item: ItemId,
    /// What it changes, and why.
    pub changes: String,
    /// What it may break, and how to see that beforehand.
    pub may_break: String,
    /// How to undo it.
    pub undo: String,
    /// What a person chooses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<RemediationInput>,
    /// The documents of all stages, in the order in which they are applied; empty when nothing falls short.
    pub documents: Vec<RemediationDocument>,
    /// What stays to be done by a person.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remaining: Vec<Remainder>,
    /// What would change for what runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<RemediationTable>,
    /// What the documents of the last stage would lead to; none where nothing can be simulated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulation: Option<Simulation>,
}

impl Remediation {
    /// A remediation of these texts, without documents.
    pub fn new(item: ItemId, changes: &str, may_break: &str, undo: &str) -> Self {
        Remediation {
            item,
            changes: changes.to_owned(),
            may_break: may_break.to_owned(),
            undo: undo.to_owned(),
            inputs: Vec::new(),
            documents: Vec::new(),
            remaining: Vec::new(),
            tables: Vec::new(),
            simulation: None,
        }
    }

    /// The documents of a stage.
    pub fn of_stage(&self, stage: RemediationStage) -> impl Iterator<Item = &RemediationDocument> {
        self.documents.iter().filter(move |document| document.stage == stage)
    }
}
