//! Folders of files, as kustomize takes them.

use super::names::{Names, slug};
use super::plan::{Plan, Planned};
use super::readme::{Section, apply_command, markdown, sections, title};
use super::stream::{self, DELETE};
use crate::remedy::{comment, yaml_text};
use rampart_shared::{RemediationTarget, api::ExportFormat};
use std::collections::{BTreeMap, BTreeSet};

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportFile {
    /// Its path in the export, with slashes.
    pub path: String,
    /// All of it.
    pub content: String,
}

/// The files of a plan in this form, in the order of their paths.
pub fn files(plan: &Plan, format: ExportFormat) -> Vec<ExportFile> {
    let mut folder = Folder::default();
    match format {
        ExportFormat::Yaml => folder.add("remediation.yaml", stream::yaml(plan, usize::MAX)),
        ExportFormat::Undo => {
            folder.undo(plan, "");
            folder.add("README.md", markdown(&format!("Undo: {}", title(plan)), &[undoing(plan, "")]));
        }
        ExportFormat::Kustomize => folder.kustomize(plan),
        ExportFormat::Component => folder.component(plan),
    }
    folder.files()
}

/// The files of several clusters, a folder for each.
pub fn fleet(plans: &[Plan], format: ExportFormat) -> Vec<ExportFile> {
    let mut folder = Folder::default();
    for plan in plans {
        let cluster = slug(&plan.cluster);
        for ExportFile { path, content } in files(plan, format) {
            folder.add(&format!("{cluster}/{path}"), content);
        }
    }
    folder.files()
}

#[derive(Default)]
struct Folder {
    files: BTreeMap<String, String>,
    names: BTreeMap<String, Names>,
}

impl Folder {
    fn add(&mut self, path: &str, content: String) {
        self.files.insert(path.to_owned(), content);
    }

    fn files(self) -> Vec<ExportFile> {
        self.files.into_iter().map(|(path, content)| ExportFile { path, content }).collect()
    }

    /// Writes a document into a folder, and gives the name of its file.
    fn document(&mut self, folder: &str, planned: &Planned) -> String {
        let file = format!("{}.yaml", self.names.entry(folder.to_owned()).or_default().of(&planned.object));
        self.add(&format!("{folder}/{file}"), stream::document(planned));
        file
    }

    /// A folder that is applied as it is: a kustomization for each namespace, and one above them.
    fn kustomize(&mut self, plan: &Plan) {
        let mut folders: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for planned in plan.applied() {
            let folder = place(planned);
            let file = self.document(&folder, planned);
            folders.entry(folder).or_default().insert(file);
        }
        for (folder, files) in &folders {
            self.add(
                &format!("{folder}/kustomization.yaml"),
                kustomization(KUSTOMIZATION, "resources", files),
            );
        }
        let resources = folders.into_keys().collect();
        self.add("kustomization.yaml", kustomization(KUSTOMIZATION, "resources", &resources));
        self.settings(plan);
        self.undo(plan, "undo/");
        let mut sections = sections(plan, "-k .");
        sections.push(undoing(plan, "undo/"));
        self.add("README.md", markdown(&title(plan), &sections));
    }

    /// A Component for an overlay whose base holds the objects.
    fn component(&mut self, plan: &Plan) {
        let mut patches = BTreeSet::new();
        let mut resources = BTreeSet::new();
        for planned in plan.applied() {
            let is_new = planned.target == RemediationTarget::NewObject;
            let (kind, paths) = if is_new { ("new", &mut resources) } else { ("patches", &mut patches) };
            let folder = format!("{kind}/{}", place(planned));
            let file = self.document(&folder, planned);
            paths.insert(format!("{folder}/{file}"));
        }
        let mut text = COMPONENT.to_owned();
        text += &list("resources", resources.iter().map(|path| yaml_text(path)));
        text += &list("patches", patches.iter().map(|path| format!("path: {}", yaml_text(path))));
        self.add("kustomization.yaml", text);
        self.settings(plan);
        let mut sections = vec![using(plan)];
        sections.extend(super::readme::sections(plan, "-k OVERLAY").into_iter().skip(1));
        self.add("README.md", markdown(&title(plan), &sections));
    }

    /// What no API server takes. No kustomization names it.
    fn settings(&mut self, plan: &Plan) {
        for (target, folder) in
            [(RemediationTarget::Node, "nodes"), (RemediationTarget::ControlPlane, "control-plane")]
        {
            for planned in plan.of(target) {
                self.document(folder, planned);
            }
        }
    }

    fn undo(&mut self, plan: &Plan, folder: &str) {
        if let Some(text) = stream::undo(plan) {
            self.add(&format!("{folder}undo.yaml"), text);
        }
        if let Some(text) = stream::undo_delete(plan) {
            self.add(&format!("{folder}undo-delete.yaml"), text);
        }
    }
}

const KUSTOMIZATION: &str = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
const COMPONENT: &str = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n";

/// The folder of an object: that of its namespace, or that of the cluster.
fn place(planned: &Planned) -> String {
    match planned.object["metadata"]["namespace"].as_str() {
        Some(namespace) if !namespace.is_empty() => format!("namespaces/{}", slug(namespace)),
        _ => "cluster".to_owned(),
    }
}

fn kustomization(head: &str, field: &str, paths: &BTreeSet<String>) -> String {
    let mut text = head.to_owned();
    if paths.is_empty() {
        text += &comment("There is nothing for kubectl to apply.");
    }
    text += &list(field, paths.iter().map(|path| yaml_text(path)));
    text
}

fn list(field: &str, entries: impl Iterator<Item = String>) -> String {
    let entries: Vec<String> = entries.map(|entry| format!("  - {entry}\n")).collect();
    if entries.is_empty() { String::new() } else { format!("{field}:\n{}", entries.concat()) }
}

fn using(plan: &Plan) -> Section {
    let mut lines = vec![
        "For GitOps: put this folder beside an overlay whose base holds the objects, and name it there under components:"
            .to_owned(),
        "- components: [../rampart]".to_owned(),
        "A patch whose object is not in the base makes the build fail: take it out of patches in kustomization.yaml. The base \
         has to name the objects' namespaces, since patches are matched by them."
            .to_owned(),
        "To undo it, take the Component out of the overlay again; what it added is pruned, or deleted by hand.".to_owned(),
    ];
    if plan.applied().next().is_none() {
        lines = vec!["There is nothing here for kustomize.".to_owned()];
    }
    Section { heading: "Use".to_owned(), lines }
}

fn undoing(plan: &Plan, folder: &str) -> Section {
    let mut lines = Vec::new();
    if plan.of(RemediationTarget::NewObject).next().is_some() {
        lines.push("First delete what is new:".to_owned());
        lines.push(DELETE.replace("undo-delete.yaml", &format!("{folder}undo-delete.yaml")));
    }
    if plan.of(RemediationTarget::Apply).next().is_some() {
        lines.push("Then give the changed fields up, or put their former values back:".to_owned());
        lines.push(apply_command(&format!("-f {folder}undo.yaml")));
    }
    if lines.is_empty() {
        lines.push("Nothing that kubectl could undo. What was set on machines is set back there.".to_owned());
    }
    Section { heading: "Undo".to_owned(), lines }
}
