//! Where objects stand in an inventory. What is simulated keeps their places: lists only grow at their ends, but for
//! kinds that are not found through this.

use crate::inventory::{Inventory, Kind, Pod};
use std::cell::OnceCell;
use std::collections::HashMap;

/// The places of pods and workloads, looked up once for all documents.
pub(super) struct Places<'a> {
    inventory: &'a Inventory,
    workloads: OnceCell<HashMap<(Kind, &'a str, &'a str), usize>>,
    pods: OnceCell<HashMap<*const Pod, usize>>,
    of_accounts: OnceCell<HashMap<(&'a str, &'a str), Vec<usize>>>,
}

impl<'a> Places<'a> {
    pub(super) fn of(inventory: &'a Inventory) -> Self {
        Places { inventory, workloads: OnceCell::new(), pods: OnceCell::new(), of_accounts: OnceCell::new() }
    }

    /// A workload's place in the list of its kind; none where it is new.
    pub(super) fn workload(&self, kind: Kind, namespace: &str, name: &str) -> Option<usize> {
        let workloads = self.workloads.get_or_init(|| {
            let mut counts: HashMap<Kind, usize> = HashMap::new();
            let mut places = HashMap::new();
            for workload in self.inventory.workloads() {
                let count = counts.entry(workload.kind).or_default();
                let meta = &workload.meta;
                places
                    .entry((workload.kind, meta.namespace_or_default(), meta.name.as_str()))
                    .or_insert(*count);
                *count += 1;
            }
            places
        });
        workloads.get(&(kind, namespace, name)).copied()
    }

    /// A pod's place.
    pub(super) fn pod(&self, pod: &Pod) -> Option<usize> {
        let pods = self.pods.get_or_init(|| {
            self.inventory
                .pods
                .seen
                .iter()
                .enumerate()
                .map(|(at, pod)| (std::ptr::from_ref(&**pod), at))
                .collect()
        });
        pods.get(&std::ptr::from_ref(pod)).copied()
    }

    /// The places of an account's pods.
    pub(super) fn pods_of_account(&self, namespace: &str, account: &str) -> Vec<usize> {
        let places = self.of_accounts.get_or_init(|| {
            let mut places: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
            for (at, pod) in self.inventory.pods.seen.iter().enumerate() {
                let account = pod.spec.service_account.as_str();
                places.entry((pod.meta.namespace_or_default(), account)).or_default().push(at);
            }
            places
        });
        places.get(&(namespace, account)).cloned().unwrap_or_default()
    }
}
