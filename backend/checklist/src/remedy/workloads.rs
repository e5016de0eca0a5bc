//! Server-side-apply configurations of workloads.

use super::document;
use crate::inventory::Kind;
use crate::workloads::{ContainerType, View};
use rampart_shared::{Finding, RemediationDocument, RemediationTarget, Subject};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A server-side-apply configuration for every workload with such findings: `fields` for each container that is
/// named in a finding's path, `pod_fields` beside them. Objects whose pod spec cannot be changed in place are left out.
pub fn workload_documents<'f>(
    view: &View<'_>,
    findings: impl Iterator<Item = &'f Finding>,
    fields: impl Fn(&Subject, &str, ContainerType) -> Map<String, Value>,
    pod_fields: impl Fn(&Subject, &[&str]) -> Map<String, Value>,
) -> Vec<RemediationDocument> {
    let mut by_subject: BTreeMap<&Subject, Vec<(ContainerType, &str)>> = BTreeMap::new();
    for finding in findings {
        let containers = by_subject.entry(&finding.subject).or_default();
        if let Some(container) = container_of(&finding.path)
            && !containers.contains(&container)
        {
            containers.push(container);
        }
    }
    by_subject
        .into_iter()
        .filter(|(subject, containers)| !containers.is_empty() && is_mutable(view, subject))
        .map(|(subject, containers)| {
            let mut spec = Map::new();
            for container_type in [ContainerType::Init, ContainerType::Regular] {
                let list: Vec<Value> = containers
                    .iter()
                    .filter(|(found, _)| *found == container_type)
                    .map(|(_, name)| {
                        let mut container = Map::from_iter([("name".to_owned(), json!(name))]);
                        container.extend(fields(subject, name, container_type));
                        Value::Object(container)
                    })
                    .collect();
                if !list.is_empty() {
                    spec.insert(container_type.field().to_owned(), Value::Array(list));
                }
            }
            let names: Vec<&str> = containers.iter().map(|(_, name)| *name).collect();
            spec.extend(pod_fields(subject, &names));
            let comment = format!(
                "{} {}/{}: {}",
                subject.kind,
                subject.namespace.as_deref().unwrap_or_default(),
                subject.name,
                names.join(", ")
            );
            document(RemediationTarget::Apply, comment, &pod_spec_object(subject, &spec))
        })
        .collect()
}

/// A server-side-apply configuration of fields of a workload's pod spec; none where it cannot be changed in place.
pub fn pod_spec_document(
    view: &View<'_>,
    subject: &Subject,
    fields: &Map<String, Value>,
    comment: String,
) -> Option<RemediationDocument> {
    is_mutable(view, subject)
        .then(|| document(RemediationTarget::Apply, comment, &pod_spec_object(subject, fields)))
}

/// A workload with these fields of its pod spec alone.
pub fn pod_spec_object(subject: &Subject, spec: &Map<String, Value>) -> Value {
    let template = json!({ "spec": { "template": { "spec": spec } } });
    let body =
        if subject.kind == "CronJob" { json!({ "spec": { "jobTemplate": template } }) } else { template };
    json!({
        "apiVersion": subject.api_version,
        "kind": subject.kind,
        "metadata": { "name": subject.name, "namespace": subject.namespace },
        "spec": body["spec"],
    })
}

/// Whether the pod template of a subject can be changed in place, and is the place to change.
fn is_mutable(view: &View<'_>, subject: &Subject) -> bool {
    matches!(
        Kind::of(&subject.api_version, &subject.kind),
        Some(Kind::Deployments | Kind::StatefulSets | Kind::DaemonSets | Kind::ReplicaSets | Kind::CronJobs)
    ) && view.workloads.iter().any(|workload| workload.subject == *subject && workload.template.is_some())
}

/// The container that a finding's path names, where it stands in the owner's template.
fn container_of(path: &str) -> Option<(ContainerType, &str)> {
    if path.starts_with("pod:") {
        return None;
    }
    [ContainerType::Init, ContainerType::Regular].into_iter().find_map(|container_type| {
        let (_, rest) = path.split_once(&format!(".{}[name=", container_type.field()))?;
        Some((container_type, rest.split_once(']')?.0))
    })
}
