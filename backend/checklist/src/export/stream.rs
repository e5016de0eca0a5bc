//! All documents as one YAML stream.

use super::Selection;
use crate::remedy::{self, chosen, comment};
use rampart_shared::{Remediation, RemediationTarget};

/// The documents of a remediation with a header that says what they do; of many the first.
pub fn yaml(cluster: &str, remediation: &Remediation, selection: &Selection, shown: usize) -> String {
    let documents: Vec<_> = remediation.of_stage(selection.stage).collect();
    let mut text = comment(&format!("Rampart: {} on {cluster}", remediation.item));
    text += &comment(&format!("Changes: {}", remediation.changes));
    text += &comment(&format!("May break: {}", remediation.may_break));
    text += &comment(&format!("Undo: {}", remediation.undo));
    if documents.iter().any(|document| document.target.is_applied()) {
        text += &comment("Apply: kubectl apply --server-side --field-manager=rampart-remediation -f FILE");
    }
    if documents.iter().any(|document| document.target == RemediationTarget::Apply) {
        text += &comment(
            "A conflict names the manager that set a field otherwise: --force-conflicts takes the field over, until that \
             manager applies its source again. Change it in that source.",
        );
    }
    for document in documents.into_iter().take(shown) {
        let choice = |name: &str| selection.choices.get(name).cloned();
        if let Some(object) = chosen(document, &remediation.inputs, choice) {
            text += "---\n";
            text += &comment(&document.comment);
            text += &remedy::yaml(&object);
        }
    }
    text
}
