//! What turns the item green: policies that read every container and mind unset fields, in three stages.

mod kyverno;
mod mutating;
mod pod_security;
mod refused;
mod validating;

use super::violation_path;
use crate::admission::{Form, Place, Prediction, Weakness, places};
use crate::remedy::admission::{
    excluded_namespaces, in_stages, serves_mutating_policies, serves_validating_policies,
};
use crate::remedy::{Texts, remainder, remediation};
use crate::workloads::View;
use rampart_shared::{Finding, ItemResult, Remediation, RemediationDocument};
use std::collections::BTreeSet;

/// The name of what it adds, or its beginning.
const NAME: &str = "rampart-pod-hardening";

const TEXTS: Texts = Texts {
    changes: "Adds policies that refuse pods with a container that is privileged, leaves allowPrivilegeEscalation or \
              readOnlyRootFilesystem unset, or sets them badly: containers, init containers, and ephemeral containers \
              when kubectl debug adds them; in pods, and in the pod templates of Deployments and everything else that \
              makes pods. They are ValidatingAdmissionPolicies, or a ClusterPolicy where Kyverno runs and sees pods. \
              Where the API server serves MutatingAdmissionPolicies, new pods get the runtime's seccomp profile and \
              allowPrivilegeEscalation: false where they say nothing themselves. Each application namespace is \
              labelled with the strictest Pod Security level that none of its pods breaks. System namespaces are left \
              out.",
    may_break: "What runs goes on, and can still be scaled, changed otherwise and deleted. What breaks the rules is \
                refused when it is made anew: a Deployment when its pod template changes, and every pod when it is \
                made, so also one that takes the place of a pod that was evicted. The table names whom that would hit. \
                Begin with the stages that observe and warn, and look at the audit log and at kubectl's warnings for a \
                few days. `kubectl label --dry-run=server --overwrite namespace NAME \
                pod-security.kubernetes.io/enforce=LEVEL` answers with the pods that break a level. Programs that gain \
                rights by setuid, such as ping or sudo, may need allowPrivilegeEscalation: true, and those that call \
                the kernel in unusual ways a seccomp profile of their own.",
    undo: "kubectl delete --ignore-not-found validatingadmissionpolicybinding,validatingadmissionpolicy \
           rampart-pod-hardening rampart-pod-hardening-controllers rampart-pod-hardening-cronjobs; kubectl delete \
           --ignore-not-found mutatingadmissionpolicybinding,mutatingadmissionpolicy rampart-pod-defaults (1.36 and \
           later); kubectl delete --ignore-not-found clusterpolicy rampart-pod-hardening (Kyverno). The labels of \
           namespaces go back with the file that undoes.",
};

pub(super) fn remedy(view: &View<'_>, result: &ItemResult) -> Remediation {
    let excluded = excluded_namespaces(view);
    let (left_out, within): (Vec<&Finding>, Vec<&Finding>) =
        result.application_findings().partition(|finding| excluded.contains(finding.subject.name.as_str()));
    let predicted = predicted_refusals(view);
    let (in_vain, open): (Vec<&Finding>, Vec<&Finding>) = within
        .into_iter()
        .partition(|finding| predicted.contains(&(finding.subject.name.as_str(), finding.path.clone())));
    let mut remaining = Vec::from_iter(remainder(
        "Kubernetes' own components run here and need what the rules forbid, so no policy is put into force. Stop \
         judging the namespace like an application, or write a policy for what else runs in it.",
        left_out,
    ));
    remaining.extend(remainder(
        "A policy that should refuse it is in force already, and the API server let it in all the same. Look for what \
         exempts the account of the probe or switches the policy off: the API server's admission configuration \
         (--disable-admission-plugins, --admission-control-config-file), or an exception in the policy's engine.",
        in_vain,
    ));
    let mut remediation = remediation(result, TEXTS, Vec::new());
    let namespaces: BTreeSet<&str> = open.iter().map(|finding| finding.subject.name.as_str()).collect();
    if !namespaces.is_empty() {
        match engine(view, &namespaces) {
            Some(Engine::Kyverno) => remediation.documents.extend(kyverno::documents(&excluded)),
            Some(Engine::ValidatingAdmissionPolicy) => {
                remediation.documents.extend(in_stages(&validating::policies(), &excluded));
            }
            None => remaining.extend(remainder(
                "The API server is older than 1.30 and serves no ValidatingAdmissionPolicies, and no Kyverno that is \
                 ready sees pods. Upgrade Kubernetes, or install a policy engine.",
                open.iter().copied(),
            )),
        }
        if serves_mutating_policies(view) {
            remediation.documents.extend(mutating::documents(&excluded));
        }
        let levels = pod_security::levels(view, &namespaces);
        remediation.documents.extend(pod_security::documents(&levels));
        // A stage's documents stand together, in the order in which they are applied.
        remediation.documents.sort_by_key(|document: &RemediationDocument| document.stage);
        remediation.tables.push(refused::table(view, &namespaces));
        remediation.tables.push(pod_security::table(&levels));
    }
    remediation.remaining = remaining;
    remediation
}

/// Who enforces the rules.
enum Engine {
    ValidatingAdmissionPolicy,
    Kyverno,
}

/// Kyverno where it runs and is asked in all these namespaces; one engine for all, so that nobody has to look twice.
fn engine(view: &View<'_>, namespaces: &BTreeSet<&str>) -> Option<Engine> {
    let predictor = view.admission();
    let is_meant = |place: &Place<'_>| namespaces.contains(place.namespace);
    if places(view).iter().filter(|place| is_meant(place)).all(|place| predictor.asks_kyverno(place)) {
        return Some(Engine::Kyverno);
    }
    serves_validating_policies(view).then_some(Engine::ValidatingAdmissionPolicy)
}

/// By namespace and path, what a policy should refuse that is there already; only the probe could find otherwise.
fn predicted_refusals<'v>(view: &'v View<'_>) -> BTreeSet<(&'v str, String)> {
    if view.inventory.admission_probe.seen.is_empty() {
        return BTreeSet::new();
    }
    let refused = |(weakness, form, prediction): (Weakness, Form, Prediction)| {
        matches!(prediction, Prediction::Refused(_)).then(|| violation_path(weakness, form))
    };
    places(view)
        .into_iter()
        .flat_map(|place| {
            let paths = view.admission().predict(&place).into_iter().filter_map(refused);
            paths.map(|path| (place.namespace, path)).collect::<Vec<_>>()
        })
        .collect()
}
