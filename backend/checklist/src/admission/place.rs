//! The namespaces in which canaries are tried.

use crate::inventory::{Labels, PodPhase};
use crate::workloads::View;
use rampart_shared::Scope;
use std::collections::BTreeMap;

/// A namespace in which canaries are tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place<'a> {
    /// Its name.
    pub namespace: &'a str,
    /// Its labels.
    pub labels: Labels,
    /// An image that runs there: what refuses a canary with it refuses it for another reason than the image.
    pub image: Option<&'a str>,
    /// A running pod, to which an ephemeral container could be added.
    pub pod: Option<&'a str>,
}

/// The application namespaces that have pods, or a workload that would make some.
pub fn places<'v>(view: &'v View<'_>) -> Vec<Place<'v>> {
    let mut labels: BTreeMap<&str, &Labels> = BTreeMap::new();
    for namespace in &view.inventory.namespaces.seen {
        labels.insert(&namespace.name, &namespace.labels);
    }
    let mut places: BTreeMap<&str, Place<'_>> = BTreeMap::new();
    for workload in view.workloads.iter().filter(|workload| workload.scope == Scope::Application) {
        if !workload.has_pods() {
            continue;
        }
        let specs = workload.pods.iter().map(|pod| &*pod.spec).chain(workload.template);
        let mut images = specs.flat_map(|spec| &spec.containers).map(|container| container.image.as_str());
        let running =
            workload.pods.iter().find(|pod| pod.phase == PodPhase::Running).map(|pod| pod.meta.name.as_str());
        let namespace = workload.namespace();
        let place = places.entry(namespace).or_insert_with(|| {
            // The API server keeps the name among the labels; a manifest may leave it out.
            let mut labels = labels.get(namespace).copied().cloned().unwrap_or_default();
            labels.insert("kubernetes.io/metadata.name".to_owned(), namespace.to_owned());
            Place { namespace, labels, image: None, pod: None }
        });
        place.image = place.image.or_else(|| images.next());
        place.pod = place.pod.or(running);
    }
    places.into_values().collect()
}
