//! Findings, sorted by what can be done about them: those in templates that can be changed in place, and the others.

use super::draft::Draft;
use crate::inventory::Kind;
use crate::remedy::remainder;
use crate::workloads::{ContainerType, OwnedWorkload, View};
use rampart_shared::{Finding, Remainder, Subject};
use std::collections::BTreeMap;

/// Findings about workloads.
pub(crate) struct Placed<'v, 'f> {
    /// Workloads whose templates can be changed, with their findings.
    pub(crate) changeable: Vec<(Draft<'v>, &'v OwnedWorkload<'v>, Vec<FindingAt<'f>>)>,
    stays: BTreeMap<Stays, Vec<&'f Finding>>,
}

/// A finding, and the container of the template that it names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FindingAt<'f> {
    /// The container; none where the finding is about the pod.
    pub(crate) container: Option<(ContainerType, &'f str)>,
    /// The finding.
    pub(crate) finding: &'f Finding,
}

/// Why no document does something about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stays {
    /// An ephemeral container goes with its pod alone.
    Ephemeral,
    /// A bare pod cannot be changed in place.
    Pod,
    /// The kubelet runs the pod from a file.
    StaticPod,
    /// A Job's template cannot be changed.
    Job,
    /// Not a kind whose template is known.
    OtherOwner,
    /// The owner was not seen.
    UnseenOwner,
    /// A ReplicaSet does not replace the pods that it has.
    ReplicaSet,
    /// The template does not have it: admission added it to the pods.
    Admission,
}

impl<'v, 'f> Placed<'v, 'f> {
    /// Sorts findings.
    pub(crate) fn new(view: &'v View<'_>, findings: impl IntoIterator<Item = &'f Finding>) -> Self {
        let mut by_subject: BTreeMap<&Subject, Vec<&'f Finding>> = BTreeMap::new();
        for finding in findings {
            by_subject.entry(&finding.subject).or_default().push(finding);
        }
        let mut placed = Placed { changeable: Vec::new(), stays: BTreeMap::new() };
        for (subject, findings) in by_subject {
            let workload = view.workload(subject);
            let draft = workload.and_then(Draft::of);
            let mut at = Vec::new();
            for finding in findings {
                match (stays(workload, finding), &draft) {
                    (None, Some(_)) => {
                        at.push(FindingAt { container: container_of(&finding.path), finding });
                        if subject.kind == "ReplicaSet"
                            && workload.is_some_and(|owner| !owner.pods.is_empty())
                        {
                            placed.stay(Stays::ReplicaSet, finding);
                        }
                    }
                    (why, _) => placed.stay(why.unwrap_or(Stays::OtherOwner), finding),
                }
            }
            if let (Some(draft), Some(workload), false) = (draft, workload, at.is_empty()) {
                placed.changeable.push((draft, workload, at));
            }
        }
        placed
    }

    /// Leaves a finding to a person.
    pub(crate) fn stay(&mut self, why: Stays, finding: &'f Finding) {
        self.stays.entry(why).or_default().push(finding);
    }

    /// What is left to a person; `what` is to be set, as in "Create these pods anew with {what}".
    pub(crate) fn remaining(self, view: &View<'_>, what: &str) -> Vec<Remainder> {
        self.stays
            .into_iter()
            .filter_map(|(why, findings)| remainder(task(view, why, &findings, what), findings))
            .collect()
    }
}

fn stays(workload: Option<&OwnedWorkload<'_>>, finding: &Finding) -> Option<Stays> {
    let Some(workload) = workload else { return Some(Stays::UnseenOwner) };
    if finding.path.contains("ephemeralContainers[name=") {
        return Some(Stays::Ephemeral);
    }
    match Kind::of(&workload.subject.api_version, &workload.subject.kind) {
        Some(Kind::Pods) if workload.pods.iter().any(|pod| pod.is_mirror()) => Some(Stays::StaticPod),
        Some(Kind::Pods) => Some(Stays::Pod),
        Some(Kind::Jobs) => Some(Stays::Job),
        Some(kind) if kind.is_workload() && workload.controller.is_none() => Some(Stays::UnseenOwner),
        Some(kind) if kind.is_workload() => finding.path.starts_with("pod:").then_some(Stays::Admission),
        _ => Some(Stays::OtherOwner),
    }
}

/// What a person has to do, with the commands for the first objects.
fn task(view: &View<'_>, why: Stays, findings: &[&Finding], what: &str) -> String {
    let mut subjects: Vec<&Subject> = findings.iter().map(|finding| &finding.subject).collect();
    subjects.dedup();
    let named = some_of(subjects.iter().map(|subject| name(subject)));
    match why {
        Stays::Ephemeral => {
            let mut pods: Vec<String> = subjects
                .iter()
                .filter_map(|subject| view.workload(subject))
                .flat_map(|workload| workload.pods.iter().filter(|pod| !pod.running_ephemeral.is_empty()))
                .map(|pod| {
                    format!("kubectl -n {} delete pod {}", pod.meta.namespace_or_default(), pod.meta.name)
                })
                .collect();
            pods.sort_unstable();
            format!(
                "Delete the pods into which somebody put an ephemeral container: it can neither be changed nor removed, and \
                 goes with its pod ({}). A bare pod has to be created anew afterwards.",
                some_of(pods.into_iter())
            )
        }
        Stays::Pod => format!(
            "Create these pods anew with {what}; nothing replaces a bare pod, and its spec cannot be changed in place. Save it \
             (kubectl get pod NAME -o yaml), delete it, and apply it with the change, better as the template of a \
             Deployment: {named}."
        ),
        Stays::StaticPod => format!(
            "Set {what} in the manifest files of these static pods, on their nodes below the kubelet's staticPodPath; the API \
             server only mirrors them: {named}."
        ),
        Stays::Job => format!(
            "Create these Jobs anew with {what}: the template of a Job cannot be changed. Delete each when it has ended, or \
             now (kubectl delete job NAME), and apply its manifest with the change: {named}."
        ),
        Stays::OtherOwner => format!(
            "Set {what} where these keep the template of their pods; Rampart does not know the fields of their kinds: {named}."
        ),
        Stays::UnseenOwner => format!(
            "Let Rampart list the kinds of these owners, or set {what} in their manifests; it saw their pods alone: {named}."
        ),
        Stays::ReplicaSet => format!(
            "Delete the pods of these ReplicaSets after the documents are applied: a ReplicaSet does not replace the pods \
             that it has when its template changes: {named}."
        ),
        Stays::Admission => format!(
            "Set {what} in what changes these pods on admission (see the MutatingWebhookConfigurations): their owners' \
             templates do not have what falls short. If a template was changed a moment ago, wait for the roll-out: {named}."
        ),
    }
}

fn name(subject: &Subject) -> String {
    format!("{} {}/{}", subject.kind, subject.namespace.as_deref().unwrap_or_default(), subject.name)
}

/// The first five, and how many more there are.
fn some_of(texts: impl ExactSizeIterator<Item = String>) -> String {
    const SHOWN: usize = 5;
    let more = texts.len().saturating_sub(SHOWN);
    let shown = texts.take(SHOWN).collect::<Vec<_>>().join("; ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

/// The container that a finding's path names, where it stands in the owner's template.
fn container_of(path: &str) -> Option<(ContainerType, &str)> {
    [ContainerType::Init, ContainerType::Regular].into_iter().find_map(|container_type| {
        let (_, rest) = path.split_once(&format!(".{}[name=", container_type.field()))?;
        Some((container_type, rest.split_once(']')?.0))
    })
}
