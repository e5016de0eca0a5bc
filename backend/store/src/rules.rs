//! The rules by which a run becomes history, free of any database, so that every store keeps the same ones.

use rampart_shared::{
    Basis, Finding, Gap, ItemResult, Outcome, RestsOn,
    api::{ChangeKind, RunKind},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// By which measure outcomes were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measure {
    pub(crate) catalogue: String,
    pub(crate) parameters: String,
}

/// What makes two evaluations of an item the same state. The words of a gap are no part of it: they may hold a
/// time or a request's number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateKey {
    pub(crate) outcome: Outcome,
    pub(crate) basis: Option<Basis>,
    pub(crate) gaps: String,
    pub(crate) measure: Measure,
}

impl StateKey {
    pub(crate) fn of(result: &ItemResult, measure: &Measure) -> Result<Self, serde_json::Error> {
        let gaps: BTreeSet<_> = result
            .evidence()
            .gaps
            .iter()
            .map(|gap| (&gap.kind, gap.reason, gap.objects.iter().collect::<BTreeSet<_>>()))
            .collect();
        Ok(StateKey {
            outcome: result.outcome(),
            basis: result.basis(),
            gaps: digest(&gaps)?,
            measure: measure.clone(),
        })
    }
}

/// The last pass or fail of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) outcome: Outcome,
    pub(crate) measure: Measure,
}

impl Known {
    /// What is known after an evaluation with this outcome.
    pub(crate) fn after(outcome: Outcome, measure: &Measure, before: Option<Known>) -> Option<Known> {
        match outcome {
            Outcome::Pass | Outcome::Fail => Some(Known { outcome, measure: measure.clone() }),
            Outcome::Unknown | Outcome::NotApplicable => before,
        }
    }
}

/// What happened to an item between its previous evaluation and this one, in words. Regressed and fixed compare
/// the last *known* outcomes under one measure.
pub(crate) fn transition(
    previous: Outcome,
    known: Option<&Known>,
    outcome: Outcome,
    measure: &Measure,
) -> Option<(ChangeKind, String)> {
    if let (Outcome::Pass | Outcome::Fail, Some(known)) = (outcome, known)
        && known.outcome != outcome
    {
        let change = format!("from {} to {outcome}", known.outcome);
        return Some(if known.measure.catalogue != measure.catalogue {
            (ChangeKind::CatalogueChanged, format!("{change}, with another version of the checklist"))
        } else if known.measure.parameters != measure.parameters {
            (ChangeKind::ParametersChanged, format!("{change}, with other parameters"))
        } else if outcome == Outcome::Fail {
            (ChangeKind::Regressed, change)
        } else {
            (ChangeKind::Fixed, change)
        });
    }
    match (previous == Outcome::Unknown, outcome == Outcome::Unknown) {
        (false, true) => Some((ChangeKind::BecameUnknown, format!("from {previous} to unknown"))),
        (true, false) => Some((ChangeKind::BecameKnown, format!("from unknown to {outcome}"))),
        _ => None,
    }
}

/// What changed in the measure of a cluster since its last completed run.
pub(crate) fn measure_changes(before: &Measure, now: &Measure) -> Vec<(ChangeKind, String)> {
    let mut changes = Vec::new();
    if before.catalogue != now.catalogue {
        let detail = format!("The checklist changed from version {} to {}.", before.catalogue, now.catalogue);
        changes.push((ChangeKind::CatalogueChanged, detail));
    }
    if before.parameters != now.parameters {
        changes.push((ChangeKind::ParametersChanged, "The parameters of the checklist changed.".to_owned()));
    }
    changes
}

/// Whether the absence of a finding from a result means that it is resolved: no gap of that result hides
/// anything that it rests on. A finding that does not say what it rests on is resolved by no result with gaps.
pub(crate) fn absence_resolves(rests_on: &[RestsOn], gaps: &[Gap]) -> bool {
    if rests_on.is_empty() {
        return gaps.is_empty();
    }
    !rests_on.iter().any(|needed| gaps.iter().any(|gap| gap.hides(&needed.kind, needed.object.as_deref())))
}

/// The kind of a run that evaluated, and the cause in words when not everything was read.
pub(crate) fn completeness<'a>(gaps: impl Iterator<Item = &'a Gap>) -> (RunKind, Option<String>) {
    // Without objects and the server's words the same text returns run after run, and is stored once.
    let missing: BTreeSet<String> = gaps.map(|gap| format!("{} ({})", gap.kind, words(gap))).collect();
    if missing.is_empty() {
        return (RunKind::Complete, None);
    }
    let list = missing.into_iter().collect::<Vec<_>>().join(", ");
    (RunKind::Partial, Some(format!("Not everything was seen: {list}.")))
}

/// The object of a finding and what is wrong with it, in one line.
pub(crate) fn describe(finding: &Finding) -> String {
    format!("{}: {} is {}, should be {}", name_of(finding), finding.path, finding.observed, finding.expected)
}

/// `Deployment checkout/cart`.
pub(crate) fn name_of(finding: &Finding) -> String {
    let subject = &finding.subject;
    match &subject.namespace {
        Some(namespace) => format!("{} {namespace}/{}", subject.kind, subject.name),
        None => format!("{} {}", subject.kind, subject.name),
    }
}

/// A short digest over a value's JSON, to see whether it changed.
pub(crate) fn digest(value: &impl Serialize) -> Result<String, serde_json::Error> {
    let hash = Sha256::digest(serde_json::to_vec(value)?);
    Ok(hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect())
}

fn words(gap: &Gap) -> String {
    gap.reason.as_str().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rampart_shared::GapReason;

    fn measure(catalogue: &str, parameters: &str) -> Measure {
        Measure { catalogue: catalogue.into(), parameters: parameters.into() }
    }

    fn rests_on(kind: &str, object: Option<&str>) -> RestsOn {
        RestsOn { kind: kind.into(), object: object.map(str::to_owned) }
    }

    #[test]
    fn a_gap_between_two_passes_is_neither_fixed_nor_regressed() {
        let measure = measure("1", "a");
        let known = Known { outcome: Outcome::Pass, measure: measure.clone() };
        let kind =
            |previous, outcome| transition(previous, Some(&known), outcome, &measure).map(|(kind, _)| kind);
        assert_eq!(kind(Outcome::Pass, Outcome::Unknown), Some(ChangeKind::BecameUnknown));
        assert_eq!(kind(Outcome::Unknown, Outcome::Unknown), None);
        assert_eq!(kind(Outcome::Unknown, Outcome::Pass), Some(ChangeKind::BecameKnown));
        assert_eq!(kind(Outcome::Unknown, Outcome::Fail), Some(ChangeKind::Regressed));
        assert_eq!(kind(Outcome::NotApplicable, Outcome::Fail), Some(ChangeKind::Regressed));
    }

    #[test]
    fn another_measure_is_no_regression() {
        let known = Known { outcome: Outcome::Pass, measure: measure("1", "a") };
        let kind = |measure: Measure| {
            transition(Outcome::Pass, Some(&known), Outcome::Fail, &measure).map(|(kind, _)| kind)
        };
        assert_eq!(kind(measure("1", "a")), Some(ChangeKind::Regressed));
        assert_eq!(kind(measure("2", "a")), Some(ChangeKind::CatalogueChanged));
        assert_eq!(kind(measure("1", "b")), Some(ChangeKind::ParametersChanged));
    }

    #[test]
    fn a_kubelet_finding_is_resolved_when_its_node_was_read_or_is_gone() {
        let rests_on = [rests_on("nodes", None), rests_on("nodes/configz", Some("node-2"))];
        let unread = |node: &str| {
            Gap::new("nodes/configz", GapReason::Failed, "time-out").for_objects(vec![node.into()])
        };
        assert!(absence_resolves(&rests_on, &[]));
        assert!(absence_resolves(&rests_on, &[unread("node-1")]));
        assert!(!absence_resolves(&rests_on, &[unread("node-2")]));
        assert!(!absence_resolves(&rests_on, &[Gap::new("nodes/configz", GapReason::Forbidden, "no")]));
        assert!(!absence_resolves(&rests_on, &[Gap::new("nodes", GapReason::Forbidden, "no")]));
        assert!(absence_resolves(&rests_on, &[Gap::new("pods", GapReason::Forbidden, "no")]));
    }

    #[test]
    fn a_finding_that_rests_on_nothing_named_needs_a_result_without_gaps() {
        assert!(absence_resolves(&[], &[]));
        assert!(!absence_resolves(&[], &[Gap::new("pods", GapReason::Forbidden, "no")]));
    }

    #[test]
    fn a_partial_run_names_each_kind_once() {
        let gaps = [
            Gap::new("pods", GapReason::Forbidden, "first words"),
            Gap::new("nodes/configz", GapReason::NotCollected, "x").for_objects(vec!["node-1".into()]),
            Gap::new("pods", GapReason::Forbidden, "other words"),
        ];
        let (kind, cause) = completeness(gaps.iter());
        assert_eq!(kind, RunKind::Partial);
        assert_eq!(
            cause.unwrap(),
            "Not everything was seen: nodes/configz (not collected), pods (forbidden)."
        );
        assert_eq!(completeness([].iter()), (RunKind::Complete, None));
    }
}
