//! What outcomes, reasons and events are called on the page.

use crate::format;
use rampart_shared::api::{ChangeKind, FindingState, Freshness, ItemCell, ItemState, RunKind};
use rampart_shared::{
    Basis, Category, GapReason, Outcome, OutcomeCounts, RemediationStage, RemediationTarget, Source,
};

/// An outcome in a word or two.
pub(crate) const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "holds",
        Outcome::Fail => "falls short",
        Outcome::Unknown => "unknown",
        Outcome::NotApplicable => "not applicable",
    }
}

/// The class that gives an outcome its shape and colour.
pub(crate) const fn outcome_class(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Fail => "fail",
        Outcome::Unknown => "unknown",
        Outcome::NotApplicable => "not-applicable",
    }
}

/// What stands in an outcome's shape. A shortfall shows its number of findings.
pub(crate) fn outcome_sign(outcome: Outcome, findings: u32) -> String {
    match outcome {
        Outcome::Pass => "✓".to_owned(),
        Outcome::Fail if findings > 0 => format::short_number(findings),
        Outcome::Fail => "!".to_owned(),
        Outcome::Unknown => "?".to_owned(),
        Outcome::NotApplicable => "–".to_owned(),
    }
}

/// Items by outcome: `6 hold · 2 fall short · 1 unknown`. What there is none of is left out.
pub(crate) fn counts(counts: OutcomeCounts) -> String {
    let verb = |count: u32, one: &str, more: &str| {
        (count > 0).then(|| format!("{} {}", format::number(count), if count == 1 { one } else { more }))
    };
    let parts: Vec<String> = [
        verb(counts.pass, "holds", "hold"),
        verb(counts.fail, "falls short", "fall short"),
        verb(counts.unknown, "unknown", "unknown"),
        verb(counts.not_applicable, "not applicable", "not applicable"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() { "nothing evaluated".to_owned() } else { parts.join(" · ") }
}

/// The name of a matrix cell: `eu-prod-1, Default deny: falls short, 3 findings`.
pub(crate) fn cell(cluster: &str, item: &str, cell: &ItemCell, freshness: Freshness) -> String {
    let mut name = format!("{cluster}, {item}: {}", outcome(cell.outcome));
    if freshness == Freshness::Stale && cell.last_outcome != cell.outcome {
        name.push_str(&format!(", last known: {}", outcome(cell.last_outcome)));
    }
    if cell.findings > 0 {
        let noun = if cell.outcome == Outcome::Unknown && cell.last_outcome == Outcome::Unknown {
            "unconfirmed finding"
        } else {
            "finding"
        };
        name.push_str(&format!(", {}", format::count(cell.findings, noun)));
    }
    name
}

/// What an outcome rests on, as a word.
pub(crate) const fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Attested => "Attested",
        Basis::Provider => "Provider",
        Basis::Declared => "Declared",
        Basis::Observed => "Observed",
    }
}

/// What that word means.
pub(crate) const fn basis_meaning(basis: Basis) -> &'static str {
    match basis {
        Basis::Attested => "a person said so",
        Basis::Provider => "documented by the provider",
        Basis::Declared => "read from a configuration",
        Basis::Observed => "read from what runs",
    }
}

/// Why something was not seen.
pub(crate) const fn gap_reason(reason: GapReason) -> &'static str {
    match reason {
        GapReason::Forbidden => "refused",
        GapReason::NotServed => "not served",
        GapReason::Failed => "did not arrive whole",
        GapReason::NotCollected => "not collected",
        GapReason::ProviderManaged => "run by the provider",
    }
}

/// How a run ended.
pub(crate) const fn run(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Complete => "complete",
        RunKind::Partial => "partial",
        RunKind::Unreachable => "unreachable",
        RunKind::IdentityChanged => "another cluster answered",
    }
}

/// A run that is not complete: the word, and what it means for what is shown.
pub(crate) const fn incomplete_run(kind: RunKind) -> (&'static str, &'static str) {
    match kind {
        RunKind::Complete => ("Complete", ""),
        RunKind::Partial => (
            "Evaluated in part",
            "Some kinds could not be read. The items that need them are unknown, and say what would close the gap.",
        ),
        RunKind::Unreachable => (
            "Unreachable",
            "Nothing was recorded. What is shown is the state of the last run that reached it.",
        ),
        RunKind::IdentityChanged => (
            "Another cluster answered",
            "Nothing was recorded. If the cluster was rebuilt, give it a new name in the configuration.",
        ),
    }
}

/// How current a cluster's state is.
pub(crate) const fn freshness(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Current => "current",
        Freshness::Stale => "stale",
        Freshness::NeverEvaluated => "never evaluated",
    }
}

/// How many units fall short of how many: `14 of 212 containers`.
pub(crate) fn short_of(state: &ItemState) -> String {
    if state.examined == 0 {
        return "nothing examined".to_owned();
    }
    format!("{} of {}", format::number(state.violating), format::count(state.examined, &state.unit))
}

/// Where a finding is in its life.
pub(crate) const fn finding_state(state: FindingState) -> &'static str {
    match state {
        FindingState::Open => "Open",
        FindingState::Unconfirmed => "Unconfirmed",
        FindingState::Resolved => "Resolved",
    }
}

/// The outcome whose shape a run shares: only a complete one looks good.
pub(crate) const fn run_class(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Complete => "pass",
        RunKind::Partial => "unknown",
        RunKind::Unreachable | RunKind::IdentityChanged => "fail",
    }
}

/// What stands in a run's shape.
pub(crate) const fn run_sign(kind: RunKind) -> &'static str {
    match kind {
        RunKind::Complete => "✓",
        RunKind::Partial => "?",
        RunKind::Unreachable | RunKind::IdentityChanged => "!",
    }
}

/// What happened, about one change or several of the same kind.
pub(crate) fn change(kind: ChangeKind, number: u32) -> String {
    let findings = |what: &str| format!("{} {what}", format::count(number, "finding"));
    match kind {
        ChangeKind::Regressed => "falls short, held before".to_owned(),
        ChangeKind::Fixed => "holds, fell short before".to_owned(),
        ChangeKind::FindingOpened => findings("opened"),
        ChangeKind::FindingReopened => findings("reopened"),
        ChangeKind::FindingResolved => findings("resolved"),
        ChangeKind::FindingChanged => findings("changed"),
        ChangeKind::CatalogueChanged => "another version of the checklist".to_owned(),
        ChangeKind::ParametersChanged => "other parameters".to_owned(),
        ChangeKind::BecameUnknown => "became unknown".to_owned(),
        ChangeKind::BecameKnown => "known again".to_owned(),
        ChangeKind::RemediationExported => "remediation exported".to_owned(),
    }
}

/// Whether the words leave something to say: which object, which version, what it is now.
pub(crate) const fn change_needs_detail(kind: ChangeKind) -> bool {
    !matches!(kind, ChangeKind::Regressed | ChangeKind::Fixed | ChangeKind::BecameUnknown)
}

/// The shape and the sign of a change.
pub(crate) const fn change_mark(kind: ChangeKind) -> (&'static str, &'static str) {
    match kind {
        ChangeKind::Regressed => ("fail", "!"),
        ChangeKind::Fixed | ChangeKind::FindingResolved => ("pass", "✓"),
        ChangeKind::FindingOpened | ChangeKind::FindingReopened => ("fail", "+"),
        ChangeKind::FindingChanged => ("neutral", "~"),
        ChangeKind::CatalogueChanged | ChangeKind::ParametersChanged | ChangeKind::RemediationExported => {
            ("neutral", "i")
        }
        ChangeKind::BecameUnknown => ("unknown", "?"),
        ChangeKind::BecameKnown => ("neutral", "•"),
    }
}

/// Where a cluster's inventory comes from.
pub(crate) const fn source(source: Source) -> &'static str {
    match source {
        Source::Live => "API server",
        Source::Snapshot => "snapshot",
    }
}

/// What a category is about, where this version has no item of it.
pub(crate) const fn category_without_items(category: Category) -> &'static str {
    match category {
        Category::ClusterComponents => "This version checks nothing about the cluster's components.",
        Category::Network => "This version checks nothing about the network.",
        Category::Workloads => "This version checks nothing about workloads.",
        Category::Data => "This version checks nothing about secrets and service accounts.",
    }
}

/// What a stage does.
pub(crate) const fn stage(stage: RemediationStage) -> &'static str {
    match stage {
        RemediationStage::Observe => "observe: write down what would be refused",
        RemediationStage::Warn => "warn: tell whoever makes it",
        RemediationStage::Enforce => "enforce: in force",
    }
}

/// What a document of this target is, one and several.
pub(crate) const fn remediation_target(target: RemediationTarget) -> (&'static str, &'static str) {
    match target {
        RemediationTarget::NewObject => ("new object", "new objects"),
        RemediationTarget::Apply => ("change of an object", "changes of objects"),
        RemediationTarget::Node => ("setting on nodes", "settings on nodes"),
        RemediationTarget::ControlPlane => ("setting of the control plane", "settings of the control plane"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use rampart_shared::ItemId;

    fn item_cell(outcome: Outcome, last_outcome: Outcome, findings: u32) -> ItemCell {
        let since = DateTime::from_timestamp(0, 0).unwrap();
        ItemCell { id: ItemId::DefaultDeny, outcome, last_outcome, findings, since }
    }

    #[test]
    fn a_cell_says_its_cluster_item_outcome_and_findings() {
        let name = |o, l, n, f| cell("eu", "Default deny", &item_cell(o, l, n), f);
        use Outcome::{Fail, NotApplicable, Pass, Unknown};
        assert_eq!(name(Fail, Fail, 3, Freshness::Current), "eu, Default deny: falls short, 3 findings");
        assert_eq!(name(Fail, Fail, 1, Freshness::Current), "eu, Default deny: falls short, 1 finding");
        assert_eq!(name(Pass, Pass, 0, Freshness::Current), "eu, Default deny: holds");
        assert_eq!(
            name(NotApplicable, NotApplicable, 0, Freshness::Current),
            "eu, Default deny: not applicable"
        );
        assert_eq!(
            name(Unknown, Unknown, 2, Freshness::Current),
            "eu, Default deny: unknown, 2 unconfirmed findings"
        );
    }

    #[test]
    fn a_stale_cell_says_what_was_known() {
        let name = |last, findings| {
            cell("eu", "Default deny", &item_cell(Outcome::Unknown, last, findings), Freshness::Stale)
        };
        assert_eq!(name(Outcome::Pass, 0), "eu, Default deny: unknown, last known: holds");
        assert_eq!(name(Outcome::Fail, 2), "eu, Default deny: unknown, last known: falls short, 2 findings");
    }

    #[test]
    fn counts_leave_out_what_there_is_none_of() {
        let all = OutcomeCounts { pass: 6, fail: 1, unknown: 2, not_applicable: 0 };
        assert_eq!(counts(all), "6 hold · 1 falls short · 2 unknown");
        assert_eq!(counts(OutcomeCounts::default()), "nothing evaluated");
    }

    #[test]
    fn a_shortfall_shows_its_findings() {
        assert_eq!(outcome_sign(Outcome::Fail, 1_250), "1.2k");
        assert_eq!(outcome_sign(Outcome::Fail, 0), "!");
        assert_eq!(outcome_sign(Outcome::Unknown, 4), "?");
    }

    #[test]
    fn several_changes_are_one_sentence() {
        assert_eq!(change(ChangeKind::FindingResolved, 12), "12 findings resolved");
        assert_eq!(change(ChangeKind::FindingOpened, 1), "1 finding opened");
    }
}
