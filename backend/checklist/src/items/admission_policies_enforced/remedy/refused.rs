//! What runs now and would be refused, were it made anew.

use crate::inventory::{PodSpec, SecurityContext};
use crate::remedy::table as cut;
use crate::workloads::View;
use rampart_shared::{RemediationTable, Scope};
use std::collections::{BTreeMap, BTreeSet};

/// A rule: what is said of a container that breaks it, whether Windows has it, and whether a container breaks it.
type Rule = (&'static str, bool, fn(&SecurityContext) -> bool);

const RULES: [Rule; 3] = [
    ("privileged: true", true, |context| context.privileged == Some(true)),
    ("allowPrivilegeEscalation is not false", false, |context| {
        context.allow_privilege_escalation != Some(false)
    }),
    ("readOnlyRootFilesystem is not true", false, |context| context.read_only_root_filesystem != Some(true)),
];

pub(super) fn table(view: &View<'_>, namespaces: &BTreeSet<&str>) -> RemediationTable {
    let mut rows = Vec::new();
    for workload in view.workloads.iter().filter(|workload| workload.scope == Scope::Application) {
        if !namespaces.contains(workload.namespace()) {
            continue;
        }
        let mut broken: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for spec in workload.pods.iter().map(|pod| &*pod.spec).chain(workload.template) {
            for (rule, container) in broken_rules(spec) {
                broken.entry(rule).or_default().insert(container);
            }
        }
        if !broken.is_empty() {
            let why: Vec<String> = broken
                .into_iter()
                .filter_map(|(rule, containers)| {
                    let (words, ..) = RULES.get(rule)?;
                    Some(format!("{words} ({})", Vec::from_iter(containers).join(", ")))
                })
                .collect();
            let object = format!("{} {}", workload.subject.kind, workload.subject.name);
            rows.push(vec![workload.namespace().to_owned(), object, why.join("; ")]);
        }
    }
    rows.sort();
    cut("Running objects that would be refused", &["Namespace", "Object", "Why"], rows)
}

fn broken_rules(spec: &PodSpec) -> impl Iterator<Item = (usize, &str)> {
    let containers = spec.init_containers.iter().chain(&spec.containers);
    containers.flat_map(move |container| {
        let breaks = move |(_, on_windows, breaks): &Rule| {
            (*on_windows || !spec.windows) && breaks(&container.security_context)
        };
        let rules = RULES.iter().enumerate().filter(move |(_, rule)| breaks(rule));
        rules.map(|(index, _)| (index, container.name.as_str()))
    })
}
