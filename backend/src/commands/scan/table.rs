//! A scan for people: at most 100 columns where names allow it.

use crate::logging::escaped;
use rampart_shared::{
    ClusterScan, Finding, Gap, ItemResult, Outcome, OutcomeCounts, ScanReport, Scope, Source,
};
use std::{collections::BTreeMap, fmt::Write};

const WIDTH: usize = 100;

/// All clusters, one under the other.
pub(super) fn render(report: &ScanReport) -> String {
    let mut text = String::new();
    for (index, cluster) in report.clusters.iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        // Writing to a text cannot fail.
        let _infallible = render_cluster(&mut text, cluster);
    }
    text
}

fn render_cluster(text: &mut String, cluster: &ClusterScan) -> std::fmt::Result {
    writeln!(text, "{}", heading(cluster))?;
    writeln!(text, "  {}", score(cluster))?;
    writeln!(text)?;
    writeln!(text, "  {:<15} {:<31} {:>9} {:>9}  COUNTED", "OUTCOME", "ITEM", "VIOLATING", "EXAMINED")?;
    for item in &cluster.items {
        let evidence = item.evidence();
        writeln!(
            text,
            "  {:<15} {:<31} {:>9} {:>9}  {}",
            outcome(item),
            item.id().as_str(),
            evidence.violating,
            evidence.examined,
            escaped(&evidence.unit)
        )?;
    }
    for item in cluster.items.iter().filter(|item| !item.evidence().findings.is_empty()) {
        render_findings(text, item)?;
    }
    render_gaps(text, cluster)
}

fn heading(cluster: &ClusterScan) -> String {
    let source = match cluster.source {
        Source::Live => "live",
        Source::Snapshot => "snapshot",
    };
    let name = escaped(&cluster.name);
    match cluster.collected_at {
        Some(at) => format!("{name} ({source}, collected {} UTC)", at.format("%Y-%m-%d %H:%M:%S")),
        None => format!("{name} ({source})"),
    }
}

fn score(cluster: &ClusterScan) -> String {
    let counts: OutcomeCounts = cluster.items.iter().map(ItemResult::outcome).collect();
    let counted = format!(
        "{} pass, {} fail, {} unknown, {} not applicable",
        counts.pass, counts.fail, counts.unknown, counts.not_applicable
    );
    match cluster.score.map(rampart_shared::Score::percent) {
        None => format!("no score: {counted}"),
        Some((low, high)) if low == high => format!("score {low} %: {counted}"),
        Some((low, high)) => format!("score {low} to {high} %: {counted}"),
    }
}

fn outcome(item: &ItemResult) -> String {
    match (item.outcome(), item.basis()) {
        (Outcome::NotApplicable, _) => "not applicable".to_owned(),
        (outcome, Some(basis)) if basis != rampart_shared::Basis::Observed => format!("{outcome} ({basis})"),
        (outcome, _) => outcome.to_string(),
    }
}

fn render_findings(text: &mut String, item: &ItemResult) -> std::fmt::Result {
    let findings = &item.evidence().findings;
    let system = findings.iter().filter(|finding| finding.scope == Scope::System).count();
    let number = match findings.len() {
        1 => "1 finding".to_owned(),
        number => format!("{number} findings"),
    };
    match system {
        0 => writeln!(text, "\n  {}: {number}", item.id())?,
        _ => writeln!(text, "\n  {}: {number}, {system} in system namespaces decide nothing", item.id())?,
    }
    let mut subject_before = String::new();
    for finding in findings {
        let subject = subject(finding);
        if subject != subject_before {
            writeln!(text, "    {subject}")?;
            subject_before = subject;
        }
        let path = escaped(&finding.path);
        let values = format!("{} → {}", escaped(&finding.observed), escaped(&finding.expected));
        if path.is_empty() {
            writeln!(text, "      {values}")?;
        } else if 8 + path.chars().count() + values.chars().count() <= WIDTH {
            writeln!(text, "      {path}: {values}")?;
        } else {
            writeln!(text, "      {path}:\n        {values}")?;
        }
    }
    Ok(())
}

fn subject(finding: &Finding) -> String {
    let subject = &finding.subject;
    let name = format!("{} {}", escaped(&subject.kind), escaped(&subject.name));
    let place = match &subject.namespace {
        Some(namespace) => format!("{}: {name}", escaped(namespace)),
        None => name,
    };
    match finding.scope {
        Scope::Application => place,
        Scope::System => format!("{place} (system)"),
    }
}

/// Each gap once, with the items that it concerns.
fn render_gaps(text: &mut String, cluster: &ClusterScan) -> std::fmt::Result {
    let mut gaps: BTreeMap<&Gap, Vec<&str>> = BTreeMap::new();
    for item in &cluster.items {
        for gap in &item.evidence().gaps {
            gaps.entry(gap).or_default().push(item.id().as_str());
        }
    }
    if gaps.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n  Not seen")?;
    for (gap, items) in gaps {
        let reason = gap.reason.as_str().replace('_', " ");
        writeln!(text, "    {} ({reason})", escaped(gap.kind.as_str()))?;
        wrapped(text, 6, &escaped(&gap.detail))?;
        if !gap.objects.is_empty() {
            wrapped(text, 6, &format!("Objects: {}", escaped(&gap.objects.join(", "))))?;
        }
        if !gap.closed_by.is_empty() {
            wrapped(text, 6, &format!("Closed by: {}", escaped(&gap.closed_by)))?;
        }
        wrapped(text, 6, &format!("Needed for: {}", items.join(", ")))?;
    }
    Ok(())
}

/// A text in lines of at most [`WIDTH`] columns; a word that is longer stands alone.
fn wrapped(text: &mut String, indent: usize, words: &str) -> std::fmt::Result {
    let mut column = 0;
    for word in words.split_whitespace() {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            writeln!(text)?;
            column = 0;
        }
        if column == 0 {
            write!(text, "{:indent$}{word}", "")?;
            column = indent + length;
        } else {
            write!(text, " {word}")?;
            column += 1 + length;
        }
    }
    if column > 0 {
        writeln!(text)?;
    }
    Ok(())
}
