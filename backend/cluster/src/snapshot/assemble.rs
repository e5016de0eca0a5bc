//! What the files of a snapshot say together.

use super::definition::Definition;
use super::entry::{Broken, Entry, FileEntries, Hides, What};
use super::places::{Place, Places};
use super::{Problem, Snapshot};
use crate::intern::Interner;
use rampart_checklist::inventory::KubeletConfiguration;
use rampart_checklist::{Inventory, Kind, Object};
use rampart_shared::{Gap, GapReason, ResourceName, Source};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What these files say; none when they hold nothing of a cluster.
pub(super) fn assemble(files: Vec<FileEntries>, assume_complete: bool) -> Option<Snapshot> {
    let mut assembly = Assembly {
        inventory: Inventory::empty(Source::Snapshot),
        problems: Vec::new(),
        files: Vec::new(),
        collected: BTreeSet::new(),
        complete: BTreeSet::new(),
        definitions: Vec::new(),
        every_definition: false,
        objects: Vec::new(),
        places: HashMap::new(),
        kubelets: BTreeMap::new(),
        interner: Interner::default(),
        anything: false,
    };
    for FileEntries { file, entries } in files {
        assembly.files.push(file);
        for Entry { line, what } in entries {
            assembly.add(Place { file: assembly.files.len() - 1, line }, what);
        }
    }
    assembly.anything.then(|| assembly.finish(assume_complete))
}

struct Assembly {
    inventory: Inventory,
    problems: Vec<Problem>,
    files: Vec<String>,
    collected: BTreeSet<Kind>,
    complete: BTreeSet<ResourceName>,
    definitions: Vec<Definition>,
    /// Whether `definitions` are all that the cluster has.
    every_definition: bool,
    objects: Vec<Object>,
    /// Which of `objects` has this name, and where it was found.
    places: HashMap<(Kind, String), (usize, Place)>,
    kubelets: BTreeMap<String, (KubeletConfiguration, Place)>,
    interner: Interner,
    anything: bool,
}

impl Assembly {
    fn add(&mut self, place: Place, what: What) {
        self.anything |= !matches!(what, What::Version(_));
        match what {
            What::Object(object) => self.add_object(place, *object),
            What::Collected(kind) => {
                self.collected.insert(kind);
            }
            What::Kubelet { node, configuration } => self.add_kubelet(place, node, configuration),
            What::KubeletAnonymous(nodes) => self.inventory.kubelet_anonymous.extend(nodes),
            What::Flags(flags) => {
                self.collected.insert(Kind::ApiServerFlagz);
                self.inventory.api_server_flags.seen = Some(flags);
            }
            What::Metrics(metrics) => {
                self.collected.insert(Kind::ApiServerMetrics);
                self.inventory.api_server_metrics.seen = Some(metrics);
            }
            What::Version(version) => self.inventory.version = Some(version),
            What::Manifest(manifest) => {
                self.inventory.collected_at = manifest.collected_at.or(self.inventory.collected_at);
                self.complete.extend(manifest.complete);
                for kind in Kind::ALL {
                    for gap in manifest.gaps.get(&kind.name()).into_iter().flatten() {
                        self.collected.insert(kind);
                        self.inventory.add_gap(kind, gap.clone());
                    }
                }
            }
            What::PolicyKind(kind) => {
                self.inventory.add_gap(Kind::OtherPolicyKinds, kind.gap("The snapshot holds a"));
            }
            What::Definition(definition) => self.definitions.push(definition),
            What::EveryDefinition => self.every_definition = true,
            What::Other => {}
            What::Broken(Broken { hides, cause }) => self.add_broken(place, &hides, cause),
        }
    }

    /// Of two different objects with one name the later counts, as it would when both are applied; which of them is
    /// in force is not known, so neither passes.
    fn add_object(&mut self, place: Place, mut object: Object) {
        self.interner.intern(&mut object);
        let (kind, name) = identity(&object);
        self.collected.insert(kind);
        let known = self.places.get(&(kind, name.clone())).copied();
        let Some((index, earlier)) = known else {
            self.places.insert((kind, name), (self.objects.len(), place));
            return self.objects.push(object);
        };
        if let Some(slot) = self.objects.get_mut(index)
            && *slot != object
        {
            *slot = object;
            self.report_twice(place, kind, &name, earlier);
            self.places.insert((kind, name), (index, place));
        }
    }

    fn add_kubelet(&mut self, place: Place, node: String, configuration: KubeletConfiguration) {
        self.collected.insert(Kind::KubeletConfigz);
        let earlier = self
            .kubelets
            .get(&node)
            .filter(|(known, _)| *known != configuration)
            .map(|(_, earlier)| *earlier);
        if let Some(earlier) = earlier {
            self.report_twice(place, Kind::KubeletConfigz, &node, earlier);
        }
        self.kubelets.insert(node, (configuration, place));
    }

    fn report_twice(&mut self, place: Place, kind: Kind, name: &str, earlier: Place) {
        let what = if kind.kind().is_empty() { kind.name().0 } else { kind.kind().to_owned() };
        let earlier = self.problem(earlier, String::new()).place();
        let cause = format!(
            "{what} {name} is different in {earlier}; this one counts, and which of them is in force is not known"
        );
        self.report(place, &Hides::Object(kind, name.to_owned()), cause);
    }

    fn add_broken(&mut self, place: Place, hides: &Hides, cause: String) {
        // What there is of a kind is not all of it, but the kind was collected.
        match hides {
            Hides::EveryKind => {}
            Hides::Kinds(kinds) => self.collected.extend(kinds),
            Hides::Object(kind, _) => {
                self.collected.insert(*kind);
            }
        }
        self.report(place, hides, cause);
    }

    fn report(&mut self, place: Place, hides: &Hides, cause: String) {
        let problem = self.problem(place, cause);
        let gap = |kind: Kind| {
            Gap::new(kind.name(), GapReason::Failed, problem.to_string())
                .closed_by("Repair or leave out the document, and evaluate the snapshot again.")
        };
        match hides {
            Hides::EveryKind => {
                Kind::ALL.into_iter().for_each(|kind| self.inventory.add_gap(kind, gap(kind)))
            }
            Hides::Kinds(kinds) => kinds.iter().for_each(|kind| self.inventory.add_gap(*kind, gap(*kind))),
            Hides::Object(kind, name) => {
                self.inventory.add_gap(*kind, gap(*kind).for_objects(vec![name.clone()]));
            }
        }
        self.problems.push(problem);
    }

    fn problem(&self, place: Place, cause: String) -> Problem {
        let file = self.files.get(place.file).cloned().unwrap_or_default();
        Problem { file, line: place.line, cause }
    }

    fn finish(mut self, assume_complete: bool) -> Snapshot {
        for object in std::mem::take(&mut self.objects) {
            self.inventory.insert(object);
        }
        for (node, (configuration, _)) in std::mem::take(&mut self.kubelets) {
            self.inventory.insert_kubelet(node, configuration);
        }
        for kind in Kind::ALL {
            if self.lacks(kind) && !assume_complete {
                self.inventory.add_gap(kind, not_collected(kind));
            }
        }
        self.problems.sort();
        self.problems.dedup();
        let objects = self.places.into_iter().map(|(name, (_, place))| (name, place)).collect();
        let places = Places::new(self.files, objects);
        Snapshot { inventory: self.inventory, problems: self.problems, places }
    }

    /// Whether nothing says what there is of a kind.
    fn lacks(&self, kind: Kind) -> bool {
        let is_there = |kind: &Kind| self.collected.contains(kind) || self.complete.contains(&kind.name());
        let is_same =
            kind.same_objects().is_some_and(|(first, second)| is_there(&first) || is_there(&second));
        kind != Kind::OtherPolicyKinds && !is_there(&kind) && !is_same && !self.is_undefined(kind)
    }

    /// Whether the cluster has no definition of a custom resource: then there are none of it.
    fn is_undefined(&self, kind: Kind) -> bool {
        let is_defined = self.definitions.iter().any(|definition| {
            let (plural, group) = definition.resource();
            group == kind.group() && (plural == kind.resource() || kind.resource().is_empty())
        });
        self.every_definition && kind.is_custom() && !is_defined
    }
}

fn not_collected(kind: Kind) -> Gap {
    let (detail, closed_by) = match kind {
        Kind::KubeletConfigz => (
            "The snapshot holds no kubelet's configuration (configz/<node>.json)".to_owned(),
            "For each node: `kubectl get --raw /api/v1/nodes/NODE/proxy/configz > configz/NODE.json`."
                .to_owned(),
        ),
        Kind::ApiServerFlagz => (
            "The snapshot holds no flags of the API server (flagz.json)".to_owned(),
            "From Kubernetes 1.36 on: get /flagz of the API server with the header \
             `Accept: application/json;v=v1beta1;g=config.k8s.io;as=Flagz`, as flagz.json."
                .to_owned(),
        ),
        Kind::ApiServerMetrics => (
            "The snapshot holds no metrics of the API server (metrics.txt)".to_owned(),
            "`kubectl get --raw /metrics > metrics.txt`.".to_owned(),
        ),
        Kind::AdmissionProbe => (
            "Files cannot be asked what admission would refuse".to_owned(),
            "Evaluate the cluster itself, with the admission probe switched on.".to_owned(),
        ),
        Kind::GatekeeperConstraints => (
            "The snapshot holds no constraint of Gatekeeper".to_owned(),
            format!("`kubectl get constraints -o yaml > {}.yaml`, {DEFINITIONS}", kind.name()),
        ),
        kind if kind.is_optional() => (
            format!("The snapshot holds no {} ({})", kind.kind(), kind.group()),
            format!("`kubectl get {0} -A -o yaml > {0}.yaml`, {DEFINITIONS}", kind.name()),
        ),
        kind => (
            format!("The snapshot holds no {}", kind.kind()),
            format!(
                "`kubectl get {0} -A -o yaml > {1}.yaml`, or --assume-complete if there is none.",
                kind.name(),
                kind.resource()
            ),
        ),
    };
    Gap::new(kind.name(), GapReason::NotCollected, detail).closed_by(closed_by)
}

/// How a snapshot shows that there are no custom resources of a kind.
const DEFINITIONS: &str = "or `kubectl get crd -o yaml > customresourcedefinitions.yaml` if the cluster does not know \
                           the kind, or --assume-complete.";

/// What makes an object the same in another file.
fn identity(object: &Object) -> (Kind, String) {
    let (kind, meta) = (object.kind(), object.meta());
    let mut name = match kind.is_namespaced() {
        true => format!("{}/{}", meta.namespace_or_default(), meta.name),
        false => meta.name.clone(),
    };
    if let (Kind::GatekeeperConstraints, Object::Resource(resource)) = (kind, object) {
        name = format!("{} {name}", resource.object_kind);
    }
    (kind, name)
}
