//! What would turn an item green.

use crate::ItemId;
use serde::{Deserialize, Serialize};

/// How a document takes effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// One YAML document of a remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct RemediationDocument {
    /// How it takes effect.
    pub target: RemediationTarget,
    /// What it is for, in one line.
    pub comment: String,
    /// The YAML of one object, without a document separator.
    pub yaml: String,
}

/// What would turn an item green, for this cluster's objects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The documents, in the order in which they are applied; empty when nothing falls short.
    pub documents: Vec<RemediationDocument>,
}

impl Remediation {
    /// All documents as one YAML stream with a header that says what it does.
    pub fn to_yaml(&self, cluster: &str) -> String {
        let mut yaml = String::new();
        let mut comment = |text: &str| {
            for line in text.lines() {
                yaml.push_str("# ");
                yaml.push_str(&printable(line));
                yaml.push('\n');
            }
        };
        comment(&format!("Rampart: {} on {cluster}", self.item));
        comment(&format!("Changes: {}", self.changes));
        comment(&format!("May break: {}", self.may_break));
        comment(&format!("Undo: {}", self.undo));
        if self.documents.iter().any(|document| document.target.is_applied()) {
            comment("Apply: kubectl apply --server-side --field-manager=rampart-remediation -f FILE");
        }
        if self.documents.iter().any(|document| document.target == RemediationTarget::Apply) {
            comment(
                "A conflict names the manager that set a field otherwise: --force-conflicts takes the field over, until \
                 that manager applies its source again. Change it in that source.",
            );
        }
        for document in &self.documents {
            yaml.push_str("---\n");
            for line in document.comment.lines() {
                yaml.push_str(&format!("# {}\n", printable(line)));
            }
            yaml.push_str(document.yaml.trim_end());
            yaml.push('\n');
        }
        yaml
    }
}

impl RemediationTarget {
    /// Whether `kubectl apply` takes the document.
    pub const fn is_applied(self) -> bool {
        matches!(self, RemediationTarget::NewObject | RemediationTarget::Apply)
    }
}

/// A comment must stay one: control characters and the line breaks that YAML knows become spaces.
fn printable(line: &str) -> String {
    line.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}') { ' ' } else { c })
        .collect()
}
