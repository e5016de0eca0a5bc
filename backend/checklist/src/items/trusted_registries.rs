//! **Images come from trusted registries.**
//!
//! The image that a container or an image volume names, read as container runtimes read it, is held against the
//! allow-list of the parameters. What the reference says decides, not what a node happens to have under another name.

use super::Item;
use super::listing::some_of;
use crate::admission::{Place, places};
use crate::image_reference::{ImageReference, Pattern};
use crate::inventory::{Pod, PodSpec, Volume};
use crate::judge::{Observation, SeenViolation, Violation};
use crate::need::Need;
use crate::workloads::{OwnedWorkload, View};
use crate::{Kind, Role};
use rampart_shared::{Category, Gap, GapReason, ItemId, ResourceName, RestsOn, Scope};
use std::collections::{BTreeMap, BTreeSet, HashMap};

mod remedy;
#[cfg(test)]
mod tests;

pub(super) const ITEM: Item = Item {
    id: ItemId::TrustedRegistries,
    number: 11,
    category: Category::Workloads,
    title: "Images come from trusted registries",
    short_title: "Trusted registries",
    checks: "The image of every init, regular and running ephemeral container and of every image volume is in a registry, \
             or under a repository, that the parameter trusted-registries.allow names; whole path components are \
             compared, and nginx is docker.io/library/nginx. Without that list the item is unknown and says which \
             registries are in use. An image that cannot be read, or that names no registry while the node runs CRI-O, \
             falls short by itself.",
    why: "Whoever can make a cluster run an image from anywhere runs what they like with the pod's rights. A list of the \
          registries whose content somebody answers for turns a typing error or a look-alike name into a refusal.",
    cannot_see: "Whether the images of a trusted registry are good, signed or scanned; to which mirror a node's \
                 configuration sends a name; and what a webhook of one's own would answer to an image.",
    references: &[
        ("Kubernetes: Images", "https://kubernetes.io/docs/concepts/containers/images/"),
        (
            "Distribution: reference grammar",
            "https://pkg.go.dev/github.com/distribution/reference#section-documentation",
        ),
        (
            "CRI-O and Podman: unqualified image names",
            "https://github.com/containers/image/blob/main/docs/containers-registries.conf.5.md",
        ),
    ],
    needs: &[
        Need::required(Kind::Pods),
        Need::required(Kind::Deployments),
        Need::required(Kind::ReplicaSets),
        Need::required(Kind::StatefulSets),
        Need::required(Kind::DaemonSets),
        Need::required(Kind::Jobs),
        Need::required(Kind::CronJobs),
        // Where an image names no registry, the node's runtime says what that means.
        Need { kind: Kind::Nodes, role: Role::Conditional },
    ],
    observe,
    remedy: remedy::remedy,
};

fn observe(view: &View<'_>) -> Observation {
    let mut observation = Observation { unit: "image", ..Observation::default() };
    let allow = &view.parameters.trusted_registries.allow;
    let runtimes = Runtimes::of(view);
    let mut seen = Seen::default();
    for workload in &view.workloads {
        for used in images(workload) {
            if workload.scope == Scope::Application {
                observation.examined.insert(used.unit.clone());
            }
            judge(&mut observation, &mut seen, workload, &used, &runtimes, allow);
        }
        for pod in &workload.pods {
            for (container, other) in &pod.other_repositories {
                seen.other_repository(&pod.spec, container, other);
            }
        }
    }
    if seen.unknown_runtime {
        observation.undecided.extend(runtimes.unknown(view));
    }
    if allow.is_empty() && !observation.examined.is_empty() {
        observation.undecided.push(no_allow_list(&seen));
        observation.notes.extend(seen.registries());
    }
    observation.notes.extend(seen.remarks(observation.examined.len()));
    if !observation.examined.is_empty() {
        observation.notes.push(enforced(view));
    }
    observation
}

/// Whether admission would stop an image of another registry; a remark, since the images that run decide.
fn enforced(view: &View<'_>) -> String {
    let (refusing, open): (Vec<_>, Vec<_>) =
        places(view).into_iter().partition(|place| view.admission().refuses_unknown_registries(place));
    let names = |places: &[Place<'_>]| some_of(places.iter().map(|place| place.namespace));
    match (&refusing[..], &open[..]) {
        (_, []) => {
            "Admission refuses an image of an unknown registry in every application namespace.".to_owned()
        }
        ([], _) => "No admission policy is known to refuse an image of an unknown registry.".to_owned(),
        (_, open) => format!(
            "Admission refuses an image of an unknown registry, but not, as far as is known, in {}.",
            names(open)
        ),
    }
}

/// An image that an owner's pods use at one place, with every text that stands there.
struct UsedImage<'a> {
    unit: String,
    path: String,
    /// The pods in which each text stands; none is the template.
    by_text: BTreeMap<&'a str, Vec<Option<&'a Pod>>>,
}

fn images<'a>(workload: &OwnedWorkload<'a>) -> Vec<UsedImage<'a>> {
    let mut used: Vec<UsedImage<'a>> = Vec::new();
    for unit in workload.containers() {
        let mut by_text: BTreeMap<&str, Vec<Option<&Pod>>> = BTreeMap::new();
        for instance in &unit.instances {
            by_text.entry(&instance.container.image).or_default().push(instance.pod);
        }
        used.push(UsedImage { unit: unit.unit, path: format!("{}.image", unit.path), by_text });
    }
    let mut volumes: BTreeMap<&str, BTreeMap<&str, Vec<Option<&Pod>>>> = BTreeMap::new();
    let template = workload.template.filter(|_| workload.judges_template()).map(|spec| (spec, None));
    let pods = workload.pods.iter().map(|pod| (&*pod.spec, Some(*pod)));
    for (spec, pod) in pods.chain(template) {
        for (name, reference) in image_volumes(spec) {
            volumes.entry(name).or_default().entry(reference).or_default().push(pod);
        }
    }
    used.extend(volumes.into_iter().map(|(name, by_text)| {
        let in_template = workload
            .template
            .is_none_or(|template| image_volumes(template).any(|(volume, _)| volume == name));
        let prefix = workload.template_path.filter(|_| in_template).unwrap_or("pod:spec");
        let (kind, owner) = (&workload.subject.kind, &workload.subject.name);
        UsedImage {
            unit: format!("{}/{kind}/{owner}/volumes/{name}", workload.namespace()),
            path: format!("{prefix}.volumes[name={name}].image.reference"),
            by_text,
        }
    }));
    used
}

fn image_volumes(spec: &PodSpec) -> impl Iterator<Item = (&str, &str)> {
    spec.volumes.iter().filter_map(|volume| match volume {
        Volume::Image { name, reference } => Some((name.as_str(), reference.as_str())),
        _ => None,
    })
}

fn judge<'a>(
    observation: &mut Observation,
    seen: &mut Seen<'a>,
    workload: &OwnedWorkload<'_>,
    used: &UsedImage<'a>,
    runtimes: &Runtimes<'_>,
    allow: &[Pattern],
) {
    let mut faults: BTreeMap<&'static str, BTreeSet<(String, String)>> = BTreeMap::new();
    let mut fault = |rule, observed: String, note: String| {
        faults.entry(rule).or_default().insert((observed, note));
    };
    for (text, pods) in &used.by_text {
        let image: ImageReference = match text.parse() {
            Ok(image) => image,
            Err(error) => {
                fault("unreadable-image", shortened(text), format!("The reference cannot be read: {error}."));
                continue;
            }
        };
        if workload.scope == Scope::Application {
            seen.image(&used.unit, &image);
        }
        let runtime = pods.iter().map(|pod| runtimes.of_pod(*pod)).min();
        match runtime.filter(|_| image.unqualified()) {
            Some(Runtime::CriO) => {
                fault(
                    "unqualified-name",
                    name_of(text).to_owned(),
                    "CRI-O asks the registries of the node's configuration in turn, and takes the first that answers."
                        .to_owned(),
                );
                continue;
            }
            Some(Runtime::Unknown) if workload.scope == Scope::Application => {
                seen.unknown_runtime = true;
            }
            _ => {}
        }
        if !allow.is_empty() && !allow.iter().any(|pattern| pattern.matches(&image)) {
            fault("untrusted-registry", repository(&image), String::new());
        }
    }
    observation.seen.extend(faults.into_iter().map(|(rule, found)| {
        let rests_on_nodes = rule == "unqualified-name";
        let nodes = rests_on_nodes.then(|| RestsOn { kind: Kind::Nodes.name(), object: None });
        let observed: Vec<&str> = found.iter().map(|(observed, _)| observed.as_str()).collect();
        let note = found.iter().map(|(_, note)| note).find(|note| !note.is_empty());
        SeenViolation(Violation {
            rule,
            scope: workload.scope,
            subject: workload.subject.clone(),
            path: used.path.clone(),
            observed: observed.join(", "),
            expected: match rule {
                "unreadable-image" => "a reference that container runtimes read",
                "unqualified-name" => "a name with its registry",
                _ => "an image under a trusted registry",
            }
            .to_owned(),
            note: note.cloned(),
            discriminator: String::new(),
            units: vec![used.unit.clone()],
            rests_on: workload.rests_on.iter().cloned().chain(nodes).collect(),
        })
    }));
}

/// The registry and the repository, without the version: a new version is no other finding.
fn repository(image: &ImageReference) -> String {
    format!("{}/{}", image.registry(), image.repository())
}

/// What is written before the tag and the digest of an image that names no registry.
fn name_of(text: &str) -> &str {
    text.split([':', '@']).next().unwrap_or_default()
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 120;
    match text {
        "" => "nothing".to_owned(),
        text if text.chars().nth(LONGEST).is_some() => text.chars().take(LONGEST).chain(['…']).collect(),
        text => text.to_owned(),
    }
}

/// The container runtime of a node, as far as it matters to names without a registry; the one that decides first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Runtime {
    CriO,
    Unknown,
    Other,
}

/// The container runtimes of all nodes.
struct Runtimes<'a> {
    by_node: HashMap<&'a str, Runtime>,
    /// For pods that are not on a node yet: they may come to any.
    anywhere: Runtime,
    is_complete: bool,
}

impl<'a> Runtimes<'a> {
    fn of(view: &View<'a>) -> Self {
        let nodes = &view.inventory.nodes;
        let by_node: HashMap<&str, Runtime> = nodes
            .seen
            .iter()
            .map(|node| {
                let runtime = match node.container_runtime.as_str() {
                    "" => Runtime::Unknown,
                    name if name.starts_with("cri-o://") => Runtime::CriO,
                    _ => Runtime::Other,
                };
                (node.meta.name.as_str(), runtime)
            })
            .collect();
        let unseen = if nodes.is_complete() { Runtime::Other } else { Runtime::Unknown };
        let anywhere = by_node.values().copied().chain([unseen]).min().unwrap_or(unseen);
        Runtimes { by_node, anywhere, is_complete: nodes.is_complete() }
    }

    fn of_pod(&self, pod: Option<&Pod>) -> Runtime {
        match pod.map(|pod| pod.node_name.as_str()).filter(|node| !node.is_empty()) {
            None => self.anywhere,
            // A node that is gone from a complete list took its runtime along; manifests have no nodes at all.
            Some(node) => self.by_node.get(node).copied().unwrap_or(self.anywhere),
        }
    }

    fn unknown(&self, view: &View<'_>) -> Vec<Gap> {
        if !self.is_complete {
            return view.inventory.nodes.gaps.clone();
        }
        vec![
            Gap::new(
                ResourceName::from("nodes/containerRuntimeVersion"),
                GapReason::NotCollected,
                "An image names no registry, and a node does not say which container runtime reads that name.",
            )
            .closed_by(
                "Let Rampart read the nodes with their status, or write the registry into the image's name.",
            ),
        ]
    }
}

/// What is told of the images beside the findings.
#[derive(Default)]
struct Seen<'a> {
    /// Entries of an allow-list that would hold the images, with the units that use them.
    entries: BTreeMap<String, BTreeSet<String>>,
    /// Units whose image is `latest`, in word or by saying nothing.
    latest: BTreeSet<String>,
    without_digest: BTreeSet<String>,
    /// Whether an image names no registry where the runtime is not known.
    unknown_runtime: bool,
    /// By the image's repository and the other one, the pods' containers.
    other_repositories: BTreeMap<(String, &'a str), usize>,
}

impl<'a> Seen<'a> {
    fn image(&mut self, unit: &str, image: &ImageReference) {
        self.entries.entry(entry_for(image)).or_default().insert(unit.to_owned());
        if image.digest().is_none() {
            self.without_digest.insert(unit.to_owned());
            if image.tag().is_none_or(|tag| tag == "latest") {
                self.latest.insert(unit.to_owned());
            }
        }
    }

    fn other_repository(&mut self, spec: &'a PodSpec, container: &str, other: &'a str) {
        let image = [&spec.containers, &spec.init_containers, &spec.ephemeral_containers]
            .into_iter()
            .flatten()
            .find(|found| found.name == container)
            .and_then(|found| found.image.parse::<ImageReference>().ok());
        if let Some(image) = image {
            *self.other_repositories.entry((repository(&image), other)).or_default() += 1;
        }
    }

    /// One note for each entry, in a form from which a page can make a list.
    fn registries(&self) -> Vec<String> {
        const SHOWN: usize = 100;
        let mut notes: Vec<String> = self
            .entries
            .iter()
            .take(SHOWN)
            .map(|(entry, units)| {
                let images = if units.len() == 1 { "image" } else { "images" };
                format!("Registry in use: {entry} ({} {images})", units.len())
            })
            .collect();
        if self.entries.len() > SHOWN {
            notes.push(format!("{} more registries are in use.", self.entries.len() - SHOWN));
        }
        notes
    }

    fn remarks(&self, examined: usize) -> Vec<String> {
        const SHOWN: usize = 20;
        let mut notes = Vec::new();
        if !self.latest.is_empty() {
            notes.push(format!(
                "{} of {examined} images are the tag latest, or name no tag, without a digest: what runs changes without \
                 notice. {}.",
                self.latest.len(),
                some_of(self.latest.iter().map(String::as_str))
            ));
        }
        if !self.without_digest.is_empty() {
            notes.push(format!(
                "{} of {examined} images name no digest: the registry decides what a tag is.",
                self.without_digest.len()
            ));
        }
        notes.extend(self.other_repositories.iter().take(SHOWN).map(|((image, other), count)| {
            format!(
                "{count} containers run {image}, which their nodes also know as {other}: the same content under two \
                 names. The name in the spec decides."
            )
        }));
        notes
    }
}

/// Registries in which anybody can have a repository: there the first component says whose the image is.
const SHARED: [&str; 7] =
    ["docker.io", "gcr.io", "ghcr.io", "public.ecr.aws", "quay.io", "registry.gitlab.com", "ttl.sh"];

/// The entry of an allow-list that somebody would write who trusts where this image comes from.
fn entry_for(image: &ImageReference) -> String {
    let registry = image.registry().to_ascii_lowercase();
    let is_shared = SHARED.contains(&registry.as_str())
        || registry.ends_with(".gcr.io")
        || registry.ends_with(".pkg.dev");
    match image.repository().split('/').next() {
        Some(first) if is_shared => format!("{registry}/{first}"),
        _ => registry,
    }
}

/// What the gap of the missing list is about.
fn allow_list_name() -> ResourceName {
    ResourceName::from("parameters/trusted-registries")
}

fn no_allow_list(seen: &Seen<'_>) -> Gap {
    // The names come out of parsed references and have nothing that TOML would have to quote.
    let entries: String = seen.entries.keys().map(|entry| format!("  \"{entry}\",\n")).collect();
    Gap::new(
        allow_list_name(),
        GapReason::NotCollected,
        "Nobody has said which registries are trusted.",
    )
    .closed_by(format!(
        "Name the registries that you trust in rampart.toml, for all clusters or for one. These are in use; leave out \
         those that you do not trust:\n[checklist.trusted-registries]\nallow = [\n{entries}]"
    ))
}
