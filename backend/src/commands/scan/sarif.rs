//! A scan as SARIF 2.1.0, for tools that show findings beside code.
//!
//! A run a cluster, a rule an item. What GitHub's code scanning asks for beyond the standard is there too:
//! <https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support-for-code-scanning>.

use super::{Failed, Origin};
use crate::logging::escaped;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rampart_checklist::{Kind, documentation};
use rampart_cluster::snapshot::Content;
use rampart_shared::{
    ClusterScan, Finding, Gap, ItemDocumentation, ItemResult, Outcome, Scope, Source, Subject,
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::{Component, Path, PathBuf},
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The name that tools know for the root of the sources.
const SOURCE_ROOT: &str = "%SRCROOT%";
/// What the paths of objects that no file holds are relative to.
const API_SERVER: &str = "APISERVER";
/// What stays as it is in a path.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// All clusters in one log.
pub(super) fn render(
    catalogue: &str,
    clusters: &[ClusterScan],
    origins: &BTreeMap<String, Origin>,
    failed: &[Failed],
) -> Value {
    let items = documentation();
    let scanned = clusters.iter().map(|cluster| {
        let results: Vec<Value> = cluster
            .items
            .iter()
            .flat_map(|item| item.evidence().findings.iter().map(move |finding| (item, finding)))
            .map(|(item, finding)| result(&items, item, finding, origins.get(&cluster.name)))
            .collect();
        let notifications: Vec<Value> =
            cluster.items.iter().filter_map(|item| unknown(&items, item)).collect();
        let mut run = run(&items, catalogue, &cluster.name, true, &notifications);
        run["results"] = results.into();
        let source = match cluster.source {
            Source::Live => "live",
            Source::Snapshot => "snapshot",
        };
        run["properties"] =
            json!({ "cluster": cluster.name, "source": source, "collectedAt": cluster.collected_at });
        run
    });
    let failed = failed.iter().map(|Failed { name, cause }| {
        let notification = json!({
            "level": "error",
            "descriptor": { "id": "cluster-not-evaluated" },
            "message": { "text": message(cause) },
        });
        run(&items, catalogue, name, false, &[notification])
    });
    json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": scanned.chain(failed).collect::<Vec<_>>() })
}

/// A run without results.
fn run(
    items: &[ItemDocumentation],
    catalogue: &str,
    cluster: &str,
    successful: bool,
    notifications: &[Value],
) -> Value {
    json!({
        "tool": { "driver": {
            "name": "Rampart",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": items.iter().map(rule).collect::<Vec<_>>(),
            "notifications": [
                { "id": "item-unknown", "shortDescription": { "text": "An item of which it is not known whether it holds." } },
                { "id": "cluster-not-evaluated", "shortDescription": { "text": "A cluster that could not be evaluated." } },
            ],
            "properties": { "catalogue": catalogue },
        } },
        // Up to the last slash it tells uploads apart: each cluster replaces only its own.
        "automationDetails": { "id": format!("rampart/{}/", escaped(cluster)) },
        "invocations": [{ "executionSuccessful": successful, "toolExecutionNotifications": notifications }],
        "originalUriBaseIds": {
            SOURCE_ROOT: { "description": { "text": "The folder in which Rampart was run." } },
            API_SERVER: { "description": { "text": message(&format!("The API server of {cluster}.")) } },
        },
        "results": [],
    })
}

fn rule(item: &ItemDocumentation) -> Value {
    let paragraphs = [
        ("What it checks", &item.checks),
        ("Why it matters", &item.why),
        ("What it cannot see", &item.cannot_see),
    ];
    let references = item.references.iter();
    let links: Vec<String> =
        references.map(|reference| format!("- [{}]({})", reference.title, reference.url)).collect();
    let plain: Vec<String> =
        paragraphs.iter().map(|(heading, words)| format!("{heading}: {}", words.trim())).collect();
    let rich: Vec<String> =
        paragraphs.iter().map(|(heading, words)| format!("**{heading}.** {}", words.trim())).collect();
    json!({
        "id": item.id,
        "name": item.id,
        "shortDescription": { "text": literal(&item.title) },
        "fullDescription": { "text": literal(&item.title) },
        "help": {
            "text": literal(&plain.join("\n\n")),
            "markdown": format!("{}\n\n{}\n", rich.join("\n\n"), links.join("\n")),
        },
        "defaultConfiguration": { "level": "error" },
        "properties": { "tags": ["security", "kubernetes", item.category], "number": item.number },
    })
}

/// A finding. Those of system namespaces decide nothing, and nobody has accepted them either: they are notes, and not
/// suppressed.
fn result(
    items: &[ItemDocumentation],
    item: &ItemResult,
    finding: &Finding,
    origin: Option<&Origin>,
) -> Value {
    let level = match (finding.scope, item.outcome()) {
        (Scope::System, _) => "note",
        (Scope::Application, Outcome::Fail) => "error",
        (Scope::Application, _) => "warning",
    };
    let fingerprint = finding.fingerprint.to_string();
    let mut result = json!({
        "ruleId": item.id(),
        "level": level,
        "message": { "text": message(&words(finding)) },
        "locations": [location(finding, origin)],
        // GitHub compares by the name that it gives to a hash of the line.
        "partialFingerprints": { "rampartFingerprint/v1": fingerprint, "primaryLocationLineHash": fingerprint },
        "properties": { "rule": finding.rule, "scope": finding.scope, "observed": finding.observed, "expected": finding.expected },
    });
    if let Some(index) = items.iter().position(|known| known.id == item.id()) {
        result["ruleIndex"] = index.into();
    }
    result
}

fn words(finding: &Finding) -> String {
    let Subject { kind, namespace, name, .. } = &finding.subject;
    let mut text = match namespace {
        Some(namespace) => format!("{kind} {name} in {namespace}: "),
        None => format!("{kind} {name}: "),
    };
    if !finding.path.is_empty() {
        text.push_str(&format!("{}: ", finding.path));
    }
    text.push_str(&format!("{} → {}", finding.observed, finding.expected));
    if let Some(note) = &finding.note {
        text.push_str(&format!(". {note}"));
    }
    text
}

/// Where a finding is: in a file where one holds the object, else at the object's own path on the API server. A log
/// without a physical location is refused by GitHub.
fn location(finding: &Finding, origin: Option<&Origin>) -> Value {
    let subject = &finding.subject;
    let (uri, base, line) = match origin.and_then(|origin| in_file(origin, subject)) {
        Some((path, line)) => (uri(&path), relative(&path).then_some(SOURCE_ROOT), line),
        None => (encoded(&api_path(subject)), Some(API_SERVER), None),
    };
    // A file of which the line is not known is meant from its beginning.
    let mut physical =
        json!({ "artifactLocation": { "uri": uri }, "region": { "startLine": line.unwrap_or(1) } });
    if let Some(base) = base {
        physical["artifactLocation"]["uriBaseId"] = base.into();
    }
    let owner = [subject.namespace.as_deref(), Some(subject.kind.as_str()), Some(subject.name.as_str())];
    let parts: Vec<&str> = owner
        .into_iter()
        .flatten()
        .chain(Some(finding.path.as_str()).filter(|path| !path.is_empty()))
        .collect();
    json!({
        "physicalLocation": physical,
        "logicalLocations": [{
            "kind": "resource",
            "name": escaped(&subject.name),
            "fullyQualifiedName": escaped(&parts.join("/")),
        }],
    })
}

/// The file as people can open it, and the line. An archive is one file, whatever is in it.
fn in_file(origin: &Origin, subject: &Subject) -> Option<(PathBuf, Option<u64>)> {
    let (file, line) = origin.places.of(subject)?;
    let (path, line) = match &origin.input.content {
        Content::Folder(folder) => (folder.join(file), line),
        Content::Archive(archive) => (archive.clone(), None),
        Content::Files(files) => (files.iter().find(|path| path.to_string_lossy() == file)?.clone(), line),
    };
    let here = std::env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(&here).map(Path::to_path_buf).unwrap_or(path);
    Some((path.components().filter(|part| *part != Component::CurDir).collect(), line))
}

fn relative(path: &Path) -> bool {
    !path.is_absolute()
}

fn uri(path: &Path) -> String {
    let text = encoded(&path.to_string_lossy());
    if relative(path) { text } else { format!("file://{text}") }
}

fn encoded(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// `apis/apps/v1/namespaces/shop/deployments/cart`.
fn api_path(subject: &Subject) -> String {
    let root = if subject.group().is_empty() { "api" } else { "apis" };
    let plural =
        Kind::of(&subject.api_version, &subject.kind).map(Kind::resource).filter(|name| !name.is_empty());
    let resource = plural.map_or_else(|| subject.kind.to_lowercase(), str::to_owned);
    let namespace = subject.namespace.as_ref().map_or_else(String::new, |name| format!("namespaces/{name}/"));
    format!("{root}/{}/{namespace}{resource}/{}", subject.api_version, subject.name)
}

/// What is not known is told, so that a log without results does not look like a cluster where all holds.
fn unknown(items: &[ItemDocumentation], item: &ItemResult) -> Option<Value> {
    if item.outcome() != Outcome::Unknown {
        return None;
    }
    let gaps: Vec<String> = item.evidence().gaps.iter().map(gap).collect();
    let text = format!("It is not known whether {} holds. Not seen: {}", item.id(), gaps.join("; "));
    let mut notification = json!({
        "level": "warning",
        "descriptor": { "id": "item-unknown" },
        "message": { "text": message(&text) },
        "associatedRule": { "id": item.id() },
    });
    if let Some(index) = items.iter().position(|known| known.id == item.id()) {
        notification["associatedRule"]["index"] = index.into();
    }
    Some(notification)
}

fn gap(gap: &Gap) -> String {
    let reason = gap.reason.as_str().replace('_', " ");
    match gap.closed_by.as_str() {
        "" => format!("{} ({reason}): {}", gap.kind, gap.detail),
        closed_by => format!("{} ({reason}): {}. To close it: {closed_by}", gap.kind, gap.detail),
    }
}

/// A text that may come from a cluster, as a message that says it and does nothing: braces are no placeholders, and
/// no link is in it.
fn message(text: &str) -> String {
    let text = escaped(text);
    let text = if text.contains("](") { text.replace('[', "\\[").replace(']', "\\]") } else { text };
    literal(&text)
}

/// In messages braces enclose placeholders; doubled they are themselves.
fn literal(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_hold_neither_links_nor_placeholders() {
        assert_eq!(message("containers[cart].image"), "containers[cart].image");
        assert_eq!(message("[here](https://example.org) {0}\n"), r"\[here\](https://example.org) {{0}}\n");
    }

    #[test]
    fn objects_have_the_path_of_the_api_server() {
        let subject = |api_version: &str, kind: &str, namespace: Option<&str>| Subject {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: "a".to_owned(),
        };
        assert_eq!(
            api_path(&subject("apps/v1", "Deployment", Some("shop"))),
            "apis/apps/v1/namespaces/shop/deployments/a"
        );
        assert_eq!(api_path(&subject("v1", "Node", None)), "api/v1/nodes/a");
        assert_eq!(api_path(&subject("example.org/v1", "Thing", None)), "apis/example.org/v1/thing/a");
    }
}
