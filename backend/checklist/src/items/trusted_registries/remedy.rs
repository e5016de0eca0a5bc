//! The same images from a registry that is trusted, and policies that refuse images from elsewhere.

mod images;
mod policies;

use crate::remedy::admission::{excluded_namespaces, in_stages, serves_validating_policies};
use crate::remedy::{Texts, remediation, table};
use crate::workloads::View;
use rampart_shared::{Finding, ItemResult, Remediation, RemediationTable};

const TEXTS: Texts = Texts {
    changes: "Names every image that is not trusted in a registry that has the same image and is trusted, with its tag \
              and digest; a name without a registry on CRI-O gets the registry that it stands for. Adds \
              ValidatingAdmissionPolicies that hold every new image against the allow-list: of containers, init \
              containers, ephemeral containers and image volumes, in pods and in what makes pods, outside of system \
              namespaces.",
    may_break: "A workload whose image changes is rolled out anew; it does not start if the image is not in that \
                registry, or its pods have no credentials for it (imagePullSecrets). Copy the images first, and try one \
                with `kubectl run --image`. Once the policies refuse, a pod with an image from elsewhere is not made, \
                nor an image changed to one; what runs goes on, and can still be scaled, changed otherwise and deleted. \
                Begin with the stages that observe and warn, and look at the audit log and at kubectl's warnings for a \
                few days; the table names whom it would hit.",
    undo: "Apply the file that undoes: the workloads get their former images back. kubectl delete --ignore-not-found \
           validatingadmissionpolicybinding,validatingadmissionpolicy rampart-trusted-registries-pods \
           rampart-trusted-registries-controllers rampart-trusted-registries-cronjobs",
};

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let allow = &view.parameters.trusted_registries.allow;
    let findings: Vec<&Finding> = result.application_findings().collect();
    let images::Rewritten { documents, inputs, remaining } = images::rewritten(view, &findings);
    let mut remediation = remediation(result, TEXTS, Vec::new());
    if !allow.is_empty() && !findings.is_empty() && serves_validating_policies(view) {
        remediation.documents = in_stages(&policies::policies(allow), &excluded_namespaces(view));
        remediation.tables.push(refused(&findings));
    }
    // The images change before anything refuses them.
    remediation.documents.splice(0..0, documents);
    remediation.documents.sort_by_key(|document| document.stage);
    remediation.inputs = inputs;
    remediation.remaining = remaining;
    if allow.is_empty() {
        let list = result.evidence().gaps.iter().find(|gap| gap.kind == super::allow_list_name());
        remediation.changes.extend(list.map(|gap| format!(" {}", gap.closed_by)));
    }
    remediation
}

fn refused(findings: &[&Finding]) -> RemediationTable {
    let rows = findings.iter().filter(|finding| finding.rule != "unqualified-name").map(|finding| {
        let subject = &finding.subject;
        let object = format!("{} {}", subject.kind, subject.name);
        vec![subject.namespace.clone().unwrap_or_default(), object, finding.observed.clone()]
    });
    let mut rows: Vec<Vec<String>> = rows.collect();
    rows.sort();
    rows.dedup();
    table("Running objects that would be refused", &["Namespace", "Object", "Image"], rows)
}
