//! What the items that judge containers share: each container once per owner, each fault with its path.

use crate::Kind;
use crate::judge::{Observation, SeenViolation, Violation};
use crate::workloads::{ContainerInstance, ContainerUnit, View};
use rampart_shared::{RestsOn, Scope};

/// Something wrong with a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    /// The rule of the item.
    rule: &'static str,
    /// The field, relative to the container.
    field: &'static str,
    /// What was found.
    observed: String,
    /// What should be there.
    expected: &'static str,
    /// A remark.
    note: Option<String>,
    /// A kind that confirms it, beside those that show the workload.
    rests_on: Option<Kind>,
}

impl Fault {
    pub(super) fn new(
        rule: &'static str,
        field: &'static str,
        observed: impl Into<String>,
        expected: &'static str,
    ) -> Self {
        Fault { rule, field, observed: observed.into(), expected, note: None, rests_on: None }
    }

    pub(super) fn note(mut self, note: Option<String>) -> Self {
        self.note = note;
        self
    }

    pub(super) fn rests_on(mut self, kind: Kind) -> Self {
        self.rests_on = Some(kind);
        self
    }
}

/// Judges every container; `judge` gives none where a container is not judged at all.
pub(super) fn observe_containers<'a>(
    view: &View<'a>,
    mut judge: impl FnMut(&ContainerUnit<'a>, &ContainerInstance<'a>) -> Option<Vec<Fault>>,
) -> Observation {
    let mut observation = Observation { unit: "container", ..Observation::default() };
    for workload in &view.workloads {
        for unit in workload.containers() {
            let judged: Vec<Vec<Fault>> =
                unit.instances.iter().filter_map(|instance| judge(&unit, instance)).collect();
            if judged.is_empty() {
                continue;
            }
            if workload.scope == Scope::Application {
                observation.examined.insert(unit.unit.clone());
            }
            let mut faults: Vec<Fault> = Vec::new();
            for fault in judged.into_iter().flatten() {
                // Replicas share their faults: one finding for each rule.
                if !faults.iter().any(|known| known.rule == fault.rule && known.field == fault.field) {
                    faults.push(fault);
                }
            }
            observation.seen.extend(faults.into_iter().map(|fault| {
                SeenViolation(Violation {
                    rule: fault.rule,
                    scope: workload.scope,
                    subject: workload.subject.clone(),
                    path: format!("{}.{}", unit.path, fault.field),
                    observed: fault.observed,
                    expected: fault.expected.to_owned(),
                    note: fault.note,
                    discriminator: String::new(),
                    units: vec![unit.unit.clone()],
                    rests_on: workload
                        .rests_on
                        .iter()
                        .cloned()
                        .chain(fault.rests_on.map(|kind| RestsOn { kind: kind.name(), object: None }))
                        .collect(),
                })
            }));
        }
        if workload.older_pods > 0 {
            observation.notes.push(format!(
                "{} pods of an older revision of {} {}/{} still run; its current revision and its template were judged.",
                workload.older_pods,
                workload.subject.kind,
                workload.namespace(),
                workload.subject.name,
            ));
        }
    }
    observation
}
