//! What the files of a snapshot say together.

use super::Problem;
use super::entry::{Broken, Entry, FileEntries, Hides, What};
use crate::intern::Interner;
use rampart_checklist::inventory::KubeletConfiguration;
use rampart_checklist::{Inventory, Kind, Object};
use rampart_shared::{Gap, GapReason, ResourceName, Source};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The inventory and the problems of these files; none when they hold nothing of a cluster.
pub(super) fn assemble(files: Vec<FileEntries>, assume_complete: bool) -> Option<(Inventory, Vec<Problem>)> {
    let mut assembly = Assembly {
        inventory: Inventory::empty(Source::Snapshot),
        problems: Vec::new(),
        collected: BTreeSet::new(),
        complete: BTreeSet::new(),
        objects: Vec::new(),
        places: HashMap::new(),
        kubelets: BTreeMap::new(),
        interner: Interner::default(),
        anything: false,
    };
    for FileEntries { file, entries } in files {
        for entry in entries {
            assembly.add(&file, entry);
        }
    }
    assembly.anything.then(|| assembly.finish(assume_complete))
}

struct Assembly {
    inventory: Inventory,
    problems: Vec<Problem>,
    collected: BTreeSet<Kind>,
    complete: BTreeSet<ResourceName>,
    objects: Vec<Object>,
    /// Where each object is in `objects`, and in which file.
    places: HashMap<(Kind, String), (usize, String)>,
    kubelets: BTreeMap<String, (KubeletConfiguration, String)>,
    interner: Interner,
    anything: bool,
}

impl Assembly {
    fn add(&mut self, file: &str, entry: Entry) {
        let Entry { line, what } = entry;
        self.anything |= !matches!(what, What::Version(_));
        let place = Problem { file: file.to_owned(), line, cause: String::new() };
        match what {
            What::Object(object) => self.add_object(place, *object),
            What::Collected(kind) => {
                self.collected.insert(kind);
            }
            What::Kubelet { node, configuration } => self.add_kubelet(place, node, configuration),
            What::Version(version) => self.inventory.version = Some(version),
            What::Manifest(manifest) => {
                self.inventory.collected_at = manifest.collected_at.or(self.inventory.collected_at);
                self.complete.extend(manifest.complete);
            }
            What::PolicyKind(kind) => {
                self.inventory.add_gap(Kind::OtherPolicyKinds, kind.gap("The snapshot holds a"));
            }
            What::Other => {}
            What::Broken(broken) => self.add_broken(place, broken),
        }
    }

    /// Of two different objects with one name the later counts, as it would when both are applied; which of them is
    /// in force is not known, so neither passes.
    fn add_object(&mut self, place: Problem, mut object: Object) {
        self.interner.intern(&mut object);
        let (kind, name) = identity(&object);
        self.collected.insert(kind);
        let index = self.objects.len();
        match self.places.get(&(kind, name.clone())) {
            None => self.objects.push(object),
            Some((earlier, _)) if self.objects.get(*earlier) == Some(&object) => return,
            Some((earlier, file)) => {
                let (earlier, file) = (*earlier, file.clone());
                if let Some(slot) = self.objects.get_mut(earlier) {
                    *slot = object;
                }
                self.report_twice(place.clone(), kind, &name, &file);
                self.places.insert((kind, name), (earlier, place.place()));
                return;
            }
        }
        self.places.insert((kind, name), (index, place.place()));
    }

    fn add_kubelet(&mut self, place: Problem, node: String, configuration: KubeletConfiguration) {
        self.collected.insert(Kind::KubeletConfigz);
        if let Some((earlier, file)) = self.kubelets.get(&node)
            && *earlier != configuration
        {
            let file = file.clone();
            self.report_twice(place.clone(), Kind::KubeletConfigz, &node, &file);
        }
        self.kubelets.insert(node, (configuration, place.place()));
    }

    fn report_twice(&mut self, place: Problem, kind: Kind, name: &str, earlier: &str) {
        let what = if kind.kind().is_empty() { kind.resource() } else { kind.kind() };
        let cause = format!(
            "{what} {name} is different in {earlier}; this one counts, and which of them is in force is not known"
        );
        self.report(Problem { cause, ..place }, Hides::Object(kind, name.to_owned()));
    }

    fn add_broken(&mut self, place: Problem, broken: Broken) {
        let Broken { hides, cause } = broken;
        // What there is of a kind is not all of it, but the kind was collected.
        match &hides {
            Hides::EveryKind => {}
            Hides::Kinds(kinds) => self.collected.extend(kinds),
            Hides::Object(kind, _) => {
                self.collected.insert(*kind);
            }
        }
        self.report(Problem { cause, ..place }, hides);
    }

    fn report(&mut self, problem: Problem, hides: Hides) {
        let gap = |kind: Kind| {
            Gap::new(kind.name(), GapReason::Failed, problem.to_string())
                .closed_by("Repair or leave out the document, and evaluate the snapshot again.")
        };
        let kinds = match &hides {
            Hides::EveryKind => Kind::ALL.to_vec(),
            Hides::Kinds(kinds) => kinds.clone(),
            Hides::Object(kind, name) => {
                self.inventory.add_gap(*kind, gap(*kind).for_objects(vec![name.clone()]));
                Vec::new()
            }
        };
        for kind in kinds {
            self.inventory.add_gap(kind, gap(kind));
        }
        self.problems.push(problem);
    }

    fn finish(mut self, assume_complete: bool) -> (Inventory, Vec<Problem>) {
        for object in self.objects {
            self.inventory.insert(object);
        }
        for (node, (configuration, _)) in self.kubelets {
            self.inventory.insert_kubelet(node, configuration);
        }
        for kind in Kind::ALL {
            let lacks = kind != Kind::OtherPolicyKinds
                && !self.collected.contains(&kind)
                && !self.complete.contains(&kind.name());
            if lacks && !assume_complete {
                self.inventory.add_gap(kind, not_collected(kind));
            }
        }
        self.problems.sort();
        self.problems.dedup();
        (self.inventory, self.problems)
    }
}

fn not_collected(kind: Kind) -> Gap {
    let (detail, closed_by) = match kind {
        Kind::KubeletConfigz => (
            "The snapshot holds no kubelet's configuration (configz/<node>.json)".to_owned(),
            "For each node: `kubectl get --raw /api/v1/nodes/NODE/proxy/configz > configz/NODE.json`."
                .to_owned(),
        ),
        Kind::KubeletConfigMap => (
            "The snapshot holds no ConfigMap".to_owned(),
            "`kubectl get configmap kubelet-config -n kube-system -o yaml > kubelet-config.yaml`, or \
             --assume-complete if there is none."
                .to_owned(),
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

/// What makes an object the same in another file.
fn identity(object: &Object) -> (Kind, String) {
    let namespaced = |meta: &rampart_checklist::inventory::ObjectMeta| {
        format!("{}/{}", meta.namespace_or_default(), meta.name)
    };
    match object {
        Object::Namespace(meta) => (Kind::Namespaces, meta.name.clone()),
        Object::Node(node) => (Kind::Nodes, node.meta.name.clone()),
        Object::Pod(pod) => (Kind::Pods, namespaced(&pod.meta)),
        Object::Workload(workload) => (workload.kind, namespaced(&workload.meta)),
        Object::NetworkPolicy(policy) => (Kind::NetworkPolicies, namespaced(&policy.meta)),
        Object::KubeletConfigMap(_) => (Kind::KubeletConfigMap, "kube-system/kubelet-config".to_owned()),
    }
}
