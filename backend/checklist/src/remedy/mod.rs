//! What turns an item green, as structured changes, and the proof in memory that it would.

pub mod admission;
mod client_side;
mod commands;
pub(crate) mod control_plane;
mod merge;
pub mod network;
mod simulate;
mod workloads;
mod yaml;

pub use client_side::ClientSideApplied;
pub use commands::{describe, kubectl, reference};
pub use merge::{bare, identity, merge};
pub use simulate::simulate;
pub(crate) use workloads::{Draft, FindingAt, Placed, Stays, secret_key};
pub use yaml::{comment, yaml, yaml_text};

use rampart_shared::{
    ChosenField, Finding, ItemResult, Remainder, Remediation, RemediationDocument, RemediationInput,
    RemediationStage, RemediationTable, RemediationTarget,
};
use serde_json::Value;

/// As whom documents are applied: what this manager set, it can give up again.
pub const FIELD_MANAGER: &str = "rampart-remediation";

/// The texts of a remediation.
#[derive(Debug, Clone, Copy)]
pub struct Texts {
    /// What it changes, and why.
    pub changes: &'static str,
    /// What it may break, and how to see that beforehand.
    pub may_break: &'static str,
    /// How to undo it.
    pub undo: &'static str,
}

/// A remediation of these documents.
pub fn remediation(result: &ItemResult, texts: Texts, documents: Vec<RemediationDocument>) -> Remediation {
    Remediation { documents, ..Remediation::new(result.id(), texts.changes, texts.may_break, texts.undo) }
}

/// A document of one object, for the last stage. What is applied to an object that is there gives its fields up again
/// when it is undone; a new one is deleted.
pub fn document(
    target: RemediationTarget,
    comment: impl Into<String>,
    object: &Value,
) -> RemediationDocument {
    RemediationDocument {
        target,
        stage: RemediationStage::Enforce,
        comment: comment.into(),
        object: object.clone(),
        choices: Vec::new(),
        undo: (target == RemediationTarget::Apply).then(|| bare(object)),
        conflicts: Vec::new(),
    }
}

/// What is told to a person who has to do something about these findings; nothing where there are none.
pub fn remainder<'f>(
    task: impl Into<String>,
    findings: impl IntoIterator<Item = &'f Finding>,
) -> Option<Remainder> {
    let findings: Vec<_> = findings.into_iter().map(|finding| finding.fingerprint.clone()).collect();
    (!findings.is_empty()).then(|| Remainder { task: task.into(), findings })
}

/// A table of what would change; of many rows the first hundred.
pub fn table(title: impl Into<String>, columns: &[&str], mut rows: Vec<Vec<String>>) -> RemediationTable {
    const SHOWN: usize = 100;
    let more = u32::try_from(rows.len().saturating_sub(SHOWN)).unwrap_or(u32::MAX);
    rows.truncate(SHOWN);
    let columns = columns.iter().map(|&column| column.to_owned()).collect();
    RemediationTable { title: title.into(), columns, rows, more }
}

/// A document's fields with what a person chose, or with the inputs' defaults. None where an answer is missing, or is no
/// number where the object has one.
pub fn chosen(
    document: &RemediationDocument,
    inputs: &[RemediationInput],
    choices: impl Fn(&str) -> Option<String>,
) -> Option<Value> {
    let mut object = document.object.clone();
    for ChosenField { pointer, input, template } in &document.choices {
        let default = || inputs.iter().find(|known| known.name == *input)?.default.clone();
        let answer = choices(input).filter(|answer| !answer.is_empty()).or_else(default)?;
        let field = object.pointer_mut(pointer)?;
        let text = template.replace("{}", &answer);
        *field =
            if field.is_number() { text.trim().parse::<i64>().ok()?.into() } else { Value::String(text) };
    }
    Some(object)
}
