//! The runtime's default profiles, container by container.

use super::{APPARMOR_UNCONFINED, PRIVILEGED, annotated};
use crate::remedy::{FindingAt, Placed, Stays, Texts, remainder, remediation};
use crate::workloads::View;
use rampart_shared::{Finding, ItemResult, Remediation};
use serde_json::json;

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let texts = Texts {
        changes: "Gives each named container the runtime's default seccomp profile, and the runtime's default AppArmor \
                  profile where one is switched off. Privileged containers are left to you: they run without either, \
                  whatever a profile says.",
        may_break: "A program that makes one of the system calls that the default profile takes away fails with EPERM \
                    (Operation not permitted). Few do; try one replica, or record a profile of its own and use Localhost. \
                    A pod that asks for AppArmor is refused by a node whose kernel does not have it.",
        undo: "Apply the second file: it gives up the profiles, or gives them their former values. Or kubectl rollout undo \
               the workload.",
    };
    let (privileged, others): (Vec<&Finding>, Vec<&Finding>) =
        result.application_findings().partition(|finding| finding.rule == PRIVILEGED);
    let mut placed = Placed::new(view, others);
    let mut documents = Vec::new();
    let (mut unchanged, mut by_annotation) = (Vec::new(), Vec::new());
    for (mut draft, _, findings) in std::mem::take(&mut placed.changeable) {
        let mut told = Vec::new();
        for FindingAt { container, finding } in findings {
            let Some((container_type, name)) = container else { continue };
            let is_apparmor = finding.rule == APPARMOR_UNCONFINED;
            // The API server refuses a field and an annotation that contradict each other.
            if is_apparmor && annotated(draft.template(), name) == Some("Unconfined") {
                by_annotation.push(finding);
                continue;
            }
            let field = if is_apparmor { "appArmorProfile" } else { "seccompProfile" };
            let context = json!({ field: { "type": "RuntimeDefault" } });
            if draft.set_security_context(container_type, name, &context) {
                told.push(format!("{name}: {field} {}, now RuntimeDefault", finding.observed));
            } else {
                unchanged.push(finding);
            }
        }
        documents.extend(draft.document(&told.join("\n")));
    }
    for finding in unchanged {
        placed.stay(Stays::Admission, finding);
    }
    let mut remediation = remediation(result, texts, documents);
    remediation.remaining =
        placed.remaining(view, "securityContext.seccompProfile.type: RuntimeDefault on every container");
    remediation.remaining.extend(remainder(
        "Take the annotation container.apparmor.security.beta.kubernetes.io/CONTAINER: unconfined out of these pod templates' \
         manifests: a field beside it is refused.",
        by_annotation,
    ));
    remediation.remaining.extend(remainder(
        "Decide what each privileged container needs: take securityContext.privileged away and add the capabilities, devices \
         or host paths that it uses, one by one; or waive it by name, with a reason. Nothing confines a privileged container.",
        privileged,
    ));
    remediation
}
