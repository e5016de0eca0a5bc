//! Documents as YAML streams.

use super::plan::{Plan, Planned};
use super::readme::{apply_command, conflicts_of, sections, title, wrapped};
use crate::remedy::{self, bare, comment};
use rampart_shared::RemediationTarget;

/// All documents in one stream that kubectl applies, with a header that says what they do; of many the first. What no API
/// server takes stands at the end, as comments.
pub fn yaml(plan: &Plan, shown: usize) -> String {
    let mut text = comment(&title(plan));
    for section in sections(plan, "-f FILE") {
        text += "#\n";
        text += &comment(&format!("{}:", section.heading));
        for line in section.lines.iter().flat_map(|line| wrapped(line)) {
            text += &comment(&format!("  {line}"));
        }
    }
    let documents: Vec<&Planned> = plan.documents.iter().take(shown).collect();
    for planned in documents.iter().filter(|planned| planned.target.is_applied()) {
        text += "---\n";
        text += &document(planned);
    }
    for (target, heading) in SETTINGS {
        for planned in documents.iter().filter(|planned| planned.target == target) {
            text += &format!("#\n# ---- {heading} ----\n");
            text += &comments(planned);
            text += "#\n";
            text += &comment(&remedy::yaml(&planned.object));
        }
    }
    text
}

const SETTINGS: [(RemediationTarget, &str); 2] = [
    (RemediationTarget::Node, "A setting of nodes: kubectl does not take it, so it stands here as a comment"),
    (
        RemediationTarget::ControlPlane,
        "A setting of the control plane: kubectl does not take it, so it stands here as a comment",
    ),
];

/// A document with what it is for.
pub(super) fn document(planned: &Planned) -> String {
    comments(planned) + &remedy::yaml(&planned.object)
}

fn comments(planned: &Planned) -> String {
    let mut text = String::new();
    for (item, words) in &planned.comments {
        text += &comment(&format!("{item}: {words}"));
    }
    for conflict in conflicts_of(planned) {
        text += &comment(&format!("Conflict: {conflict}"));
    }
    text
}

/// What puts changed objects back, as a stream that is applied; none where none is changed.
pub(super) fn undo(plan: &Plan) -> Option<String> {
    let mut documents = plan.of(RemediationTarget::Apply).peekable();
    documents.peek()?;
    let mut text = comment(&format!("Undoes the changes of objects: {}", title(plan)));
    text += &comment(&format!(
        "{}\nOne that another manager has changed since is refused: --force-conflicts takes it over.",
        apply_command("-f undo.yaml")
    ));
    for planned in documents {
        text += "---\n";
        text += &remedy::yaml(&planned.undo);
    }
    Some(text)
}

/// The new objects, as a stream that is deleted; none where none is new. What refuses others goes first.
pub(super) fn undo_delete(plan: &Plan) -> Option<String> {
    let documents: Vec<&Planned> = plan.of(RemediationTarget::NewObject).collect();
    if documents.is_empty() {
        return None;
    }
    let mut text = comment(&format!("Undoes the new objects: {}", title(plan)));
    text += &comment(DELETE);
    for planned in documents.into_iter().rev() {
        text += "---\n";
        text += &remedy::yaml(&bare(&planned.object));
    }
    Some(text)
}

/// How new objects are deleted.
pub(super) const DELETE: &str = "kubectl delete --ignore-not-found -f undo-delete.yaml";
