//! The same image, from a registry that is trusted.

use crate::image_reference::{ImageReference, Pattern};
use crate::inventory::{Kind, PodSpec};
use crate::items::trusted_registries::image_volumes;
use crate::remedy::{Draft, remainder};
use crate::workloads::{OwnedWorkload, View};
use rampart_shared::{Finding, Remainder, RemediationDocument, RemediationInput, Subject};
use std::collections::BTreeMap;

/// The input: what has the images that are not trusted now.
const MIRROR: &str = "trusted-registry-mirror";

const UNREADABLE: &str = "No container runtime can read this reference. Write the image's right name into the source of the \
                          workload.";
const BARE_POD: &str = "A pod without a controller is not rolled out. Delete it, and make it anew from a source that names \
                        a trusted image.";
const JOB: &str = "The pod template of a Job cannot be changed. Name a trusted image in the source that the Job is made \
                   from; delete this one when it is not needed any more.";
const REPLICA_SET: &str =
    "A ReplicaSet does not replace the pods that it has. Delete them after the document is applied.";
const OTHER_OWNER: &str = "Another controller makes these pods, and Rampart does not know where it keeps their images. Name a \
                           trusted image in its object or in its settings.";
const CHANGED_ON_THE_WAY: &str = "The pod's image is not the one of its owner's template: something that changes pods on their \
                                  way in put it there, such as the injector of a mesh. Name a trusted image in its settings.";
const DEBUGGING: &str = "An ephemeral container goes when its pod does. Delete the pod when you are done with it, and debug \
                         with a trusted image.";

/// What becomes of the images.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    pub(super) documents: Vec<RemediationDocument>,
    pub(super) inputs: Vec<RemediationInput>,
    pub(super) remaining: Vec<Remainder>,
}

/// The list of a pod spec in which an image stands, and the entry's name.
type Place<'p> = (&'static str, &'p str);

/// Another text for an image.
#[derive(Debug)]
struct Replacement<'t> {
    former: &'t str,
    /// The new text, or the one with `{}` where the mirror goes.
    text: String,
    asks: bool,
}

pub(super) fn rewritten(view: &View<'_>, findings: &[&Finding]) -> Rewritten {
    let allow = &view.parameters.trusted_registries.allow;
    let mut by_subject: BTreeMap<&Subject, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        by_subject.entry(&finding.subject).or_default().push(finding);
    }
    let mut rewritten = Rewritten::default();
    let mut tasks: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for (subject, findings) in by_subject {
        let workload = view.workload(subject);
        let mut replacements = BTreeMap::new();
        for finding in findings {
            let template = workload.and_then(|workload| workload.template);
            match replacement(finding, template, allow) {
                Ok((place, replacement)) => {
                    replacements.insert(place, replacement);
                    if subject.kind == "ReplicaSet"
                        && workload.is_some_and(|workload| !workload.pods.is_empty())
                    {
                        tasks.entry(REPLICA_SET).or_default().push(finding);
                    }
                }
                Err(task) => tasks.entry(task).or_default().push(finding),
            }
        }
        if !replacements.is_empty() {
            rewritten.documents.extend(workload.and_then(|workload| document_of(workload, &replacements)));
        }
    }
    if rewritten.documents.iter().any(|document| !document.choices.is_empty()) {
        rewritten.inputs.push(input(allow));
    }
    rewritten.remaining =
        tasks.into_iter().filter_map(|(task, findings)| remainder(task, findings)).collect();
    rewritten
}

/// Where a finding's image stands in its owner's template, and what stands there then; else what a person has to do.
fn replacement<'f>(
    finding: &'f Finding,
    template: Option<&'f PodSpec>,
    allow: &[Pattern],
) -> Result<(Place<'f>, Replacement<'f>), &'static str> {
    let subject = &finding.subject;
    if finding.path.contains(".ephemeralContainers[") {
        return Err(DEBUGGING);
    }
    let template = match Kind::of(&subject.api_version, &subject.kind) {
        Some(Kind::Pods) => return Err(BARE_POD),
        Some(Kind::Jobs) => return Err(JOB),
        Some(
            Kind::Deployments | Kind::StatefulSets | Kind::DaemonSets | Kind::ReplicaSets | Kind::CronJobs,
        ) => template.ok_or(OTHER_OWNER)?,
        _ => return Err(OTHER_OWNER),
    };
    let (place, former) = in_template(&finding.path, template).ok_or(CHANGED_ON_THE_WAY)?;
    let image: ImageReference = former.parse().map_err(|_| UNREADABLE)?;
    let trusted = allow.is_empty() || allow.iter().any(|pattern| pattern.matches(&image));
    let asks = !trusted;
    let text = match (trusted, image.unqualified()) {
        (false, _) => {
            let tag = image.tag().map(|tag| format!(":{tag}")).unwrap_or_default();
            let digest = image.digest().map(|digest| format!("@{digest}")).unwrap_or_default();
            format!("{{}}/{}{tag}{digest}", image.repository())
        }
        (true, true) => image.to_string(),
        (true, false) => return Err(CHANGED_ON_THE_WAY),
    };
    Ok((place, Replacement { former, text, asks }))
}

/// The entry of a template that a finding's path names, with its image.
fn in_template<'f>(path: &'f str, template: &'f PodSpec) -> Option<(Place<'f>, &'f str)> {
    if path.starts_with("pod:") {
        return None;
    }
    let named = |field: &str| {
        let (_, rest) = path.split_once(&format!(".{field}[name="))?;
        Some(rest.split_once(']')?.0)
    };
    for (field, containers) in
        [("initContainers", &template.init_containers), ("containers", &template.containers)]
    {
        if let Some(name) = named(field) {
            let container = containers.iter().find(|container| container.name == name)?;
            return Some(((field, name), &container.image));
        }
    }
    let name = named("volumes")?;
    let (_, reference) = image_volumes(template).find(|(volume, _)| *volume == name)?;
    Some((("volumes", name), reference))
}

fn document_of(
    workload: &OwnedWorkload<'_>,
    replacements: &BTreeMap<Place<'_>, Replacement<'_>>,
) -> Option<RemediationDocument> {
    let mut draft = Draft::of(workload)?;
    let mut words = Vec::new();
    for ((list, name), Replacement { former, text, asks }) in replacements {
        draft.set_image(list, name, former, text, asks.then_some(MIRROR));
        words.push(format!("{} instead of {former}", text.replace("{}", "MIRROR")));
    }
    draft.document(&words.join(", "))
}

fn input(allow: &[Pattern]) -> RemediationInput {
    // An entry stands for what is below it; one that stands for subdomains has no name of its own.
    let example = allow.first().map_or_else(
        || "registry.example.com/mirror".to_owned(),
        |entry| entry.to_string().replacen("*.", "mirror.", 1),
    );
    RemediationInput {
        name: MIRROR.to_owned(),
        label: "Trusted registry that has the same images".to_owned(),
        help: "The beginning of the images' new names, below an entry of the allow-list: a mirror, or the registry that you \
               copy them to. The repository, tag and digest of each image stay."
            .to_owned(),
        default: None,
        example,
        options: Vec::new(),
    }
}
