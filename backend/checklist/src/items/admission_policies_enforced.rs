//! Item 10: admission refuses pods that break the rules.

mod remedy;
#[cfg(test)]
mod tests;

use super::Item;
use crate::admission::{Form, Prediction, Predictor, Weakness, canary_name, places};
use crate::inventory::Kind;
use crate::judge::{AbsentViolation, Observation, SeenViolation, Violation};
use crate::need::Need;
use crate::workloads::View;
use rampart_shared::{Basis, Category, Gap, GapReason, ItemId, RestsOn, Scope, Subject};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const ITEM: Item = Item {
    id: ItemId::AdmissionPoliciesEnforced,
    number: 10,
    category: Category::Workloads,
    title: "Admission refuses privileged, escalating and mutable containers",
    short_title: "Admission policies",
    checks: "What a bad pod would meet in every application namespace. Three canaries must be refused: a privileged \
             container, one that leaves allowPrivilegeEscalation unset, and one that leaves readOnlyRootFilesystem \
             unset; each as a container, as an init container, and as an ephemeral container that kubectl debug adds. \
             Predicted are Pod Security Admission (the exact controls, by the labels of the namespace), \
             ValidatingAdmissionPolicies with a binding that denies (their CEL is run), and the library policies of \
             Kyverno and Gatekeeper, as far as a ready webhook sees the request. Where the active probe is switched \
             on, the API server's own answer to a dry run counts instead.",
    why: "Without a policy that refuses, whoever may create a pod may create one that owns its node. Audit and warnings \
          tell of it afterwards. Pod Security Admission alone never looks at the root filesystem, so it alone is not \
          enough; a policy that reads only containers is passed by init containers and kubectl debug.",
    cannot_see: "What webhooks of one's own answer, who is exempt by the API server's configuration file, and what \
                 SecurityContextConstraints let a given account do: these leave the item unknown unless the active \
                 probe asks. Whether admission also refuses root users and unknown registries is told and does not decide.",
    references: &[
        (
            "Kubernetes: Validating Admission Policy",
            "https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/",
        ),
        (
            "Kubernetes: Pod Security Admission",
            "https://kubernetes.io/docs/concepts/security/pod-security-admission/",
        ),
        (
            "Kubernetes: Pod Security Standards",
            "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
        ),
        ("CIS Kubernetes Benchmark 5.2.1", "https://www.cisecurity.org/benchmark/kubernetes"),
    ],
    needs: &[
        Need::required(Kind::Pods),
        Need::required(Kind::Deployments),
        Need::required(Kind::ReplicaSets),
        Need::required(Kind::StatefulSets),
        Need::required(Kind::DaemonSets),
        Need::required(Kind::Jobs),
        Need::required(Kind::CronJobs),
        Need::required(Kind::Namespaces),
        Need::conditional(Kind::ValidatingAdmissionPolicies),
        Need::conditional(Kind::ValidatingAdmissionPolicyBindings),
        Need::conditional(Kind::ValidatingWebhookConfigurations),
        Need::conditional(Kind::KyvernoClusterPolicies),
        Need::conditional(Kind::KyvernoPolicies),
        Need::conditional(Kind::KyvernoValidatingPolicies),
        Need::conditional(Kind::KyvernoPolicyExceptions),
        Need::conditional(Kind::GatekeeperConstraintTemplates),
        Need::conditional(Kind::GatekeeperConstraints),
        Need::conditional(Kind::SecurityContextConstraints),
        Need::conditional(Kind::EndpointSlices),
        Need::conditional(Kind::ConfigMaps),
        Need::conditional(Kind::ApiServerFlagz),
        Need::conditional(Kind::AdmissionProbe),
    ],
    observe,
    remedy: remedy::remedy,
};

/// The kinds whose objects could refuse a canary.
const SUPPLIERS: [Kind; 10] = [
    Kind::Namespaces,
    Kind::ValidatingAdmissionPolicies,
    Kind::ValidatingAdmissionPolicyBindings,
    Kind::ValidatingWebhookConfigurations,
    Kind::KyvernoClusterPolicies,
    Kind::KyvernoPolicies,
    Kind::KyvernoValidatingPolicies,
    Kind::GatekeeperConstraintTemplates,
    Kind::GatekeeperConstraints,
    Kind::SecurityContextConstraints,
];

/// What is told once, for all namespaces where it is the same.
type ByReason = BTreeMap<Vec<String>, (BTreeSet<String>, BTreeSet<String>)>;

fn observe(view: &View<'_>) -> Observation {
    let mut observation = Observation { unit: "namespace", ..Observation::default() };
    let predictor = view.admission();
    let mut undecided = ByReason::new();
    let mut told: BTreeMap<Weakness, BTreeSet<String>> = BTreeMap::new();
    for place in places(view) {
        let namespace = place.namespace;
        observation.examined.insert(namespace.to_owned());
        for (weakness, form, prediction) in predictor.predict(&place) {
            let probed = probed(view, namespace, weakness, form);
            let admitted = match (&probed, &prediction) {
                (Some(refused), _) => refused.is_none(),
                (None, prediction) => matches!(prediction, Prediction::Admitted(_)),
            };
            if !weakness.decides() {
                if admitted {
                    told.entry(weakness).or_default().insert(namespace.to_owned());
                }
                continue;
            }
            match (probed, prediction) {
                (Some(None), _) => {
                    observation.bases.insert(Basis::Observed);
                    let violation =
                        violation(namespace, weakness, form, "the API server let it in (dry run)", None);
                    observation.seen.push(SeenViolation(violation));
                }
                (Some(Some(_)), _) => {
                    observation.bases.insert(Basis::Observed);
                }
                (None, Prediction::Refused(_)) => {
                    observation.bases.insert(Basis::Declared);
                }
                (None, Prediction::Admitted(remarks)) => {
                    observation.bases.insert(Basis::Declared);
                    let note = (!remarks.is_empty()).then(|| format!("{}.", remarks.join("; ")));
                    let violation = violation(namespace, weakness, form, "no policy refuses it", note);
                    observation.absent.push(AbsentViolation { violation, suppliers: SUPPLIERS.to_vec() });
                }
                (None, Prediction::Undecided(reasons)) => {
                    let (canaries, namespaces) = undecided.entry(reasons).or_default();
                    canaries.insert(format!("{} in {}", weakness.field(), form.field()));
                    namespaces.insert(namespace.to_owned());
                }
            }
        }
    }
    observation.undecided.extend(undecided.into_iter().map(gap));
    // Where the probe is off nothing was skipped, and its gap names no namespace.
    let skipped = view.inventory.gaps(Kind::AdmissionProbe).iter().filter(|gap| !gap.objects.is_empty());
    observation.listed.extend(skipped.cloned());
    notes(&mut observation, view, predictor, &told);
    observation
}

/// What the API server answered to the probe: refused with these words, or let in; none where it was not asked.
fn probed<'a>(view: &View<'a>, namespace: &str, weakness: Weakness, form: Form) -> Option<Option<&'a str>> {
    let canary = canary_name(weakness, form);
    let answers = &view.inventory.admission_probe.seen;
    let answer = answers.iter().find(|answer| answer.namespace == namespace && answer.canary == canary)?;
    Some(answer.refused.as_deref())
}

fn violation(
    namespace: &str,
    weakness: Weakness,
    form: Form,
    observed: &str,
    note: Option<String>,
) -> Violation {
    let rule = match weakness {
        Weakness::Privileged => "admits-privileged",
        Weakness::PrivilegeEscalation => "admits-privilege-escalation",
        Weakness::MutableRootFilesystem => "admits-mutable-root-filesystem",
        Weakness::RootUser => "admits-root-user",
        Weakness::UntrustedRegistry => "admits-untrusted-registry",
    };
    Violation {
        rule,
        scope: Scope::Application,
        subject: Subject {
            api_version: "v1".to_owned(),
            kind: "Namespace".to_owned(),
            namespace: None,
            name: namespace.to_owned(),
        },
        path: violation_path(weakness, form),
        observed: observed.to_owned(),
        expected: "admission refuses it".to_owned(),
        note,
        discriminator: String::new(),
        units: vec![namespace.to_owned()],
        rests_on: SUPPLIERS
            .into_iter()
            .chain([Kind::Pods])
            .map(|kind| RestsOn { kind: kind.name(), object: None })
            .collect(),
    }
}

/// What a finding is about, in its namespace.
fn violation_path(weakness: Weakness, form: Form) -> String {
    format!("admission of pods with {} in {}", weakness.field(), form.field())
}

fn gap((reasons, (canaries, namespaces)): (Vec<String>, (BTreeSet<String>, BTreeSet<String>))) -> Gap {
    let canaries: Vec<String> = canaries.into_iter().collect();
    let detail =
        format!("what admission answers is not known to {}: {}", canaries.join(", "), reasons.join("; "));
    Gap::new(Kind::AdmissionProbe.name(), GapReason::NotCollected, detail)
        .for_objects(namespaces.into_iter().collect())
        .closed_by(
            "Switch the active probe on (admission_probe = true, with the grant that `rampart rbac --admission-probe` \
             prints): it asks the API server itself, in dry runs that create nothing.",
        )
}

fn notes(
    observation: &mut Observation,
    view: &View<'_>,
    predictor: &Predictor<'_>,
    told: &BTreeMap<Weakness, BTreeSet<String>>,
) {
    for policy in predictor.without_binding() {
        observation.notes.push(format!(
            "ValidatingAdmissionPolicy {policy} has no binding: it does nothing until a ValidatingAdmissionPolicyBinding names it."
        ));
    }
    for (weakness, namespaces) in told {
        let names: Vec<&str> = namespaces.iter().map(String::as_str).collect();
        observation.notes.push(format!(
            "Pods with {} are let in (this does not decide the item): {}.",
            weakness.field(),
            names.join(", ")
        ));
    }
    let refused: BTreeSet<&str> =
        view.inventory.admission_probe.seen.iter().filter_map(|answer| answer.refused.as_deref()).collect();
    observation.notes.extend(
        refused.into_iter().map(|words| format!("What the API server answered to the probe: {words}")),
    );
}
