//! Which known programs run in a cluster, whether they are ready, and which nodes they leave out.
//!
//! A program is recognised by the end of its image's repository, whatever registry mirrors it, by a label, or by the
//! name that its project fixes. Items put candidates together from that, and one function decides among them.

pub mod candidate;
pub mod flow_monitors;
pub mod image;
pub mod object;
pub mod program;
pub mod readiness;
pub mod secret_managers;

use crate::inventory::{Inventory, Kind, Labels, Workload};
use crate::parameters::Recogniser;
use program::{Program, ROWS};
use rampart_shared::Subject;
use std::collections::{BTreeMap, HashMap};

/// The kinds of workload in which programs are looked for.
pub const SEARCHED: [Kind; 3] = [Kind::Deployments, Kind::StatefulSets, Kind::DaemonSets];

/// The workloads of every program that was recognised.
#[derive(Debug, Default)]
pub struct Installed<'a> {
    by_program: BTreeMap<Program, Vec<&'a Workload>>,
}

impl<'a> Installed<'a> {
    /// Looks through the workloads once, whatever the number of programs.
    pub fn of(inventory: &'a Inventory) -> Self {
        let table = Table::new();
        let mut by_program: BTreeMap<Program, Vec<&Workload>> = BTreeMap::new();
        for workload in searched(inventory) {
            for program in table.programs(workload) {
                by_program.entry(program).or_default().push(workload);
            }
        }
        by_program.values_mut().for_each(|workloads| sort(workloads));
        Installed { by_program }
    }

    /// The workloads that run a program.
    pub fn workloads(&self, program: Program) -> &[&'a Workload] {
        self.by_program.get(&program).map_or(&[], Vec::as_slice)
    }

    /// The programs of a list that run.
    pub fn among<'p>(&'p self, programs: &'p [Program]) -> impl Iterator<Item = Program> + 'p {
        programs.iter().copied().filter(|program| !self.workloads(*program).is_empty())
    }
}

/// The workloads that a person's own recogniser matches.
pub fn recognised_by<'a>(inventory: &'a Inventory, recogniser: &Recogniser) -> Vec<&'a Workload> {
    let mut workloads: Vec<&Workload> =
        searched(inventory).filter(|workload| matches(workload, recogniser)).collect();
    sort(&mut workloads);
    workloads
}

/// The workload as findings name it.
pub fn subject(workload: &Workload) -> Subject {
    Subject {
        api_version: workload.api_version.clone(),
        kind: workload.kind.kind().to_owned(),
        namespace: Some(workload.meta.namespace_or_default().to_owned()),
        name: workload.meta.name.clone(),
    }
}

/// `Kind namespace/name`.
pub fn name(workload: &Workload) -> String {
    format!("{} {}/{}", workload.kind.kind(), workload.meta.namespace_or_default(), workload.meta.name)
}

/// The same order whatever that of the objects.
fn sort(workloads: &mut [&Workload]) {
    workloads.sort_by_key(|workload| (workload.kind, &workload.meta.namespace, &workload.meta.name));
}

fn searched(inventory: &Inventory) -> impl Iterator<Item = &Workload> {
    [&inventory.deployments, &inventory.stateful_sets, &inventory.daemon_sets]
        .into_iter()
        .flat_map(|fact| &fact.seen)
}

/// The repositories of a workload's images, sidecars among them.
fn repositories(workload: &Workload) -> impl Iterator<Item = &str> {
    let template = &workload.template;
    let sidecars = template.init_containers.iter().filter(|container| container.restarts_always);
    template.containers.iter().chain(sidecars).map(|container| image::repository(&container.image))
}

fn label_sets(workload: &Workload) -> [&Labels; 2] {
    [&workload.meta.labels, &workload.template_labels]
}

fn matches(workload: &Workload, recogniser: &Recogniser) -> bool {
    let image =
        recogniser.image().is_none_or(|known| repositories(workload).any(|found| image::is(found, known)));
    let label = recogniser.label().is_none_or(|(key, value)| {
        label_sets(workload)
            .into_iter()
            .any(|labels| labels.get(key).is_some_and(|found| value.is_none_or(|value| value == found)))
    });
    image && label
}

/// The rows by what is looked up.
struct Table {
    by_component: HashMap<&'static str, Vec<(&'static str, Program)>>,
    by_label: HashMap<&'static str, Vec<(&'static str, Program)>>,
    by_name: HashMap<(&'static str, &'static str), Program>,
}

impl Table {
    fn new() -> Self {
        let mut table =
            Table { by_component: HashMap::new(), by_label: HashMap::new(), by_name: HashMap::new() };
        for row in &ROWS {
            for known in row.images {
                let component = image::last_component(known);
                table.by_component.entry(component).or_default().push((known, row.program));
            }
            for (key, value) in row.labels {
                table.by_label.entry(key).or_default().push((value, row.program));
            }
            for name in row.names {
                table.by_name.insert(*name, row.program);
            }
        }
        table
    }

    fn programs(&self, workload: &Workload) -> Vec<Program> {
        let mut found = Vec::new();
        for repository in repositories(workload) {
            let known = self.by_component.get(image::last_component(repository)).into_iter().flatten();
            found
                .extend(known.filter(|(known, _)| image::is(repository, known)).map(|(_, program)| *program));
        }
        for (key, values) in &self.by_label {
            for labels in label_sets(workload) {
                let Some(label) = labels.get(*key) else { continue };
                found.extend(values.iter().filter(|(value, _)| value == label).map(|(_, program)| *program));
            }
        }
        let name = (workload.meta.namespace_or_default(), workload.meta.name.as_str());
        found.extend(self.by_name.get(&name));
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::inventory;

    fn deployment(name: &str, labels: &str, image: &str) -> String {
        format!(
            "{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: {name}, namespace: tools}}, spec: {{template: {{\
             metadata: {{labels: {labels}}}, spec: {{containers: [{{name: a, image: '{image}'}}]}}}}}}}}\n---\n"
        )
    }

    #[test]
    fn programs_are_recognised_by_image_label_or_name() {
        let yaml = deployment("a", "{}", "mirror.example:5000/quay/cilium/hubble-relay:v1.19.4@sha256:00")
            + &deployment("b", "{k8s-app: hubble-relay}", "acme/x")
            + &deployment("hubble-relay", "{}", "acme/x").replace("tools", "gke-managed-dpv2-observability")
            + &deployment("hubble-relay", "{}", "acme/x")
            + &deployment("c", "{k8s-app: hubble-relay-2}", "acme/not-hubble-relay");
        let inventory = inventory(&yaml);
        let installed = Installed::of(&inventory);
        let found: Vec<_> =
            installed.workloads(Program::HubbleRelay).iter().map(|workload| name(workload)).collect();
        assert_eq!(
            found,
            [
                "Deployment gke-managed-dpv2-observability/hubble-relay",
                "Deployment tools/a",
                "Deployment tools/b"
            ]
        );
        let programs = [Program::Falco, Program::HubbleRelay];
        assert_eq!(installed.among(&programs).collect::<Vec<_>>(), [Program::HubbleRelay]);
    }

    #[test]
    fn a_recogniser_of_ones_own_matches_all_that_it_says() {
        let yaml = deployment("a", "{role: monitor}", "r.example/acme/flow-agent:1")
            + &deployment("b", "{role: other}", "acme/flow-agent")
            + &deployment("c", "{role: monitor}", "acme/not-flow-agent");
        let inventory = inventory(&yaml);
        let found = |text: &str| -> Vec<String> {
            let recogniser: Recogniser = serde_saphyr::from_str(text).unwrap();
            recognised_by(&inventory, &recogniser).iter().map(|workload| workload.meta.name.clone()).collect()
        };
        assert_eq!(found("{name: Flow, image: acme/flow-agent}"), ["a", "b"]);
        assert_eq!(found("{name: Flow, label: role=monitor}"), ["a", "c"]);
        assert_eq!(found("{name: Flow, label: role}"), ["a", "b", "c"]);
        assert_eq!(found("{name: Flow, image: acme/flow-agent, label: role=monitor}"), ["a"]);
    }
}
