//! Pod Security levels for namespaces: the strictest that none of its pods breaks.

use crate::inventory::{Labels, ObjectMeta};
use crate::pod_security::{AUDIT_LABEL, ENFORCE_LABEL, Level, NamespacePolicy, WARN_LABEL};
use crate::remedy::{bare, document, table as cut};
use crate::workloads::{OwnedWorkload, View};
use rampart_shared::{RemediationDocument, RemediationStage, RemediationTable, RemediationTarget, Scope};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A namespace, and what its pods allow.
pub(super) struct NamespaceLevel<'v> {
    namespace: &'v ObjectMeta,
    level: Level,
    /// What stands against a stricter level, and in which workload.
    obstacle: Option<String>,
}

/// The level of each of these namespaces. One of which no object was seen is left out: applied, it would be made.
pub(super) fn levels<'v>(view: &'v View<'_>, namespaces: &BTreeSet<&str>) -> Vec<NamespaceLevel<'v>> {
    let mut workloads: BTreeMap<&str, Vec<&OwnedWorkload<'_>>> = BTreeMap::new();
    for workload in view.workloads.iter().filter(|workload| workload.scope == Scope::Application) {
        workloads.entry(workload.namespace()).or_default().push(workload);
    }
    let meant =
        view.inventory.namespaces.seen.iter().filter(|found| namespaces.contains(found.name.as_str()));
    let mut levels: Vec<NamespaceLevel<'_>> = meant
        .map(|namespace| {
            let workloads = workloads.get(namespace.name.as_str()).map_or(&[][..], Vec::as_slice);
            let (level, obstacle) = strictest(workloads);
            NamespaceLevel { namespace, level, obstacle }
        })
        .collect();
    levels.sort_by(|one, other| one.namespace.name.cmp(&other.namespace.name));
    levels
}

fn strictest(workloads: &[&OwnedWorkload<'_>]) -> (Level, Option<String>) {
    let mut worst = (Level::Restricted, None);
    for workload in workloads {
        for spec in workload.pods.iter().map(|pod| &*pod.spec).chain(workload.template) {
            let breaches = &spec.pod_security;
            if breaches.level() < worst.0 {
                let words = match &breaches.baseline[..] {
                    [] => breaches.restricted.join(", "),
                    baseline => baseline.join(", "),
                };
                let subject = &workload.subject;
                worst = (breaches.level(), Some(format!("{} {}: {words}", subject.kind, subject.name)));
            }
        }
    }
    worst
}

/// The labels of each stage. Nothing is enforced that a running pod breaks; that is recorded and warned of instead.
pub(super) fn documents(levels: &[NamespaceLevel<'_>]) -> Vec<RemediationDocument> {
    RemediationStage::ALL
        .into_iter()
        .flat_map(|stage| levels.iter().map(move |level| labelled(level, stage)))
        .collect()
}

fn labelled(found: &NamespaceLevel<'_>, stage: RemediationStage) -> RemediationDocument {
    let told = found.level.max(Level::Baseline);
    let enforced =
        (stage == RemediationStage::Enforce && found.level >= Level::Baseline).then_some(found.level);
    let (there, _) = NamespacePolicy::from_labels(&found.namespace.labels, NamespacePolicy::default());
    let mut labels = Map::new();
    // A stricter label stays what it is; it is named so that the next stage does not take it away.
    let mut set = |label: &str, there: Level, wanted: Level| {
        labels.insert(label.to_owned(), json!(there.max(wanted).name()));
    };
    set(AUDIT_LABEL, there.audit.level, told);
    if stage != RemediationStage::Observe {
        set(WARN_LABEL, there.warn.level, told);
    }
    if let Some(level) = enforced {
        set(ENFORCE_LABEL, there.enforce.level, level);
    }
    let name = &found.namespace.name;
    let comment = match (stage, enforced) {
        (RemediationStage::Observe, _) => format!("Namespace {name}: records what breaks {told}"),
        (RemediationStage::Warn, _) => format!("Namespace {name}: records and warns of what breaks {told}"),
        (RemediationStage::Enforce, Some(level)) => format!("Namespace {name}: refuses what breaks {level}"),
        (RemediationStage::Enforce, None) => format!(
            "Namespace {name}: records and warns of what breaks {told}, and enforces nothing, because of {}",
            found.obstacle.as_deref().unwrap_or("its pods")
        ),
    };
    let object =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels } });
    let undo = former(&found.namespace.labels, &labels).map(|former| {
        let mut undo = bare(&object);
        undo["metadata"]["labels"] = former;
        undo
    });
    let mut document = document(RemediationTarget::Apply, comment, &object);
    document.stage = stage;
    document.undo = undo.or(document.undo);
    document
}

/// The labels that are replaced, as they were.
fn former(there: &Labels, labels: &Map<String, Value>) -> Option<Value> {
    let former: Map<String, Value> =
        labels.keys().filter_map(|label| Some((label.clone(), json!(there.get(label)?)))).collect();
    (!former.is_empty()).then_some(Value::Object(former))
}

/// Which level each namespace gets, and why no stricter one.
pub(super) fn table(levels: &[NamespaceLevel<'_>]) -> RemediationTable {
    let rows = levels.iter().map(|found| {
        let enforced = match found.level {
            Level::Privileged => "none",
            level => level.name(),
        };
        let obstacle = found.obstacle.clone().unwrap_or_default();
        vec![found.namespace.name.clone(), enforced.to_owned(), obstacle]
    });
    cut(
        "Pod Security levels",
        &["Namespace", "Enforced level", "What stands against a stricter one"],
        rows.collect(),
    )
}
