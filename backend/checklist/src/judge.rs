//! The one place where evidence becomes a verdict.

use crate::fingerprint::{content, fingerprint};
use crate::inventory::Inventory;
use crate::need::{Need, Role};
use crate::{Kind, rbac};
use rampart_shared::{
    Basis, Evidence, Finding, Gap, InconsistentResult, ItemId, ItemResult, RestsOn, Scope, Subject, Verdict,
};
use std::collections::BTreeSet;

/// What an item saw.
#[derive(Debug, Default)]
pub struct Observation {
    /// What is counted.
    pub unit: &'static str,
    /// The units examined, once per owner; system scope is left out.
    pub examined: BTreeSet<String>,
    /// Objects with a bad value.
    pub seen: Vec<SeenViolation>,
    /// Things that should be there and were not found.
    pub absent: Vec<AbsentViolation>,
    /// What this item had to know and did not: no pass with any of these.
    pub undecided: Vec<Gap>,
    /// What was not seen and does not decide.
    pub listed: Vec<Gap>,
    /// What the outcome rests on; the weakest wins. None means observed.
    pub bases: BTreeSet<Basis>,
    /// Remarks.
    pub notes: Vec<String>,
}

/// What every violation tells.
#[derive(Debug, Clone)]
pub struct Violation {
    /// Which rule of the item.
    pub rule: &'static str,
    /// Whether it decides.
    pub scope: Scope,
    /// The object.
    pub subject: Subject,
    /// The field, relative to the subject.
    pub path: String,
    /// What was found.
    pub observed: String,
    /// What should be there.
    pub expected: String,
    /// A remark.
    pub note: Option<String>,
    /// What keeps two findings of one rule at one path apart; usually empty.
    pub discriminator: String,
    /// The units that violate by it.
    pub units: Vec<String>,
    /// What has to be seen before its absence means that it is resolved.
    pub rests_on: Vec<RestsOn>,
}

/// An object with a bad value: a violation whatever else was not seen.
#[derive(Debug, Clone)]
pub struct SeenViolation(pub Violation);

/// Something that should be there: a violation only if all that could have supplied it was listed completely.
#[derive(Debug, Clone)]
pub struct AbsentViolation {
    /// The violation.
    pub violation: Violation,
    /// The kinds that could have supplied the thing.
    pub suppliers: Vec<Kind>,
}

/// Applies the rules that hold for every item.
///
/// A seen violation decides for fail. An absence does, when its suppliers are complete. Otherwise a gap in what is
/// required, or a question left open, makes it unknown. Nothing examined is not applicable. The rest passes.
///
/// # Errors
/// When the item's own observation contradicts itself; a defect of the item.
pub fn judge(
    id: ItemId,
    needs: &[Need],
    inventory: &Inventory,
    observation: Observation,
) -> Result<ItemResult, InconsistentResult> {
    let Observation { unit, examined, seen, absent, mut undecided, mut listed, bases, notes } = observation;

    for need in needs {
        let gaps = inventory.gaps(need.kind);
        match need.role {
            Role::Required => undecided.extend_from_slice(gaps),
            // Where it decides, `observe` has put the gap among the undecided.
            Role::Conditional => {}
            Role::Supporting => listed.extend_from_slice(gaps),
        }
    }
    let mut violations: Vec<Violation> = seen.into_iter().map(|SeenViolation(violation)| violation).collect();
    for AbsentViolation { violation, suppliers } in absent {
        let hidden: Vec<Gap> = suppliers.iter().flat_map(|kind| inventory.gaps(*kind)).cloned().collect();
        if hidden.is_empty() {
            violations.push(violation);
        } else {
            undecided.extend(hidden);
        }
    }

    let violating: BTreeSet<&String> = violations
        .iter()
        .filter(|violation| violation.scope == Scope::Application)
        .flat_map(|violation| &violation.units)
        .collect();
    let violating = count(violating.len());
    let basis = bases.first().copied().unwrap_or(Basis::Observed);
    let verdict = if violating > 0 {
        Verdict::Fail(basis)
    } else if !undecided.is_empty() {
        Verdict::Unknown
    } else if examined.is_empty() {
        Verdict::NotApplicable
    } else {
        Verdict::Pass(basis)
    };

    let mut findings: Vec<Finding> = violations.into_iter().map(|violation| finding(id, violation)).collect();
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
    findings.dedup_by(|a, b| a.fingerprint == b.fingerprint);
    let mut gaps: Vec<Gap> = undecided.into_iter().chain(listed).map(rbac::with_remedy).collect();
    gaps.sort();
    gaps.dedup();
    let evidence =
        Evidence { unit: unit.to_owned(), examined: count(examined.len()), violating, findings, gaps, notes };
    ItemResult::new(id, verdict, evidence)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

fn finding(id: ItemId, violation: Violation) -> Finding {
    let Violation { rule, scope, subject, path, observed, expected, note, discriminator, rests_on, .. } =
        violation;
    Finding {
        fingerprint: fingerprint(id, rule, &subject, &path, &discriminator),
        content: content(&observed, &expected),
        rule: rule.to_owned(),
        scope,
        subject,
        path,
        observed,
        expected,
        note,
        rests_on,
    }
}

/// Findings are sorted by namespace, kind, name, path, rule.
fn order(finding: &Finding) -> (Option<&str>, &str, &str, &str, &str, &str) {
    let Subject { kind, namespace, name, .. } = &finding.subject;
    (namespace.as_deref(), kind, name, &finding.path, &finding.rule, &finding.fingerprint.0)
}
