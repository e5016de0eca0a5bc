//! A cluster in which every item holds, as documents that a test can change before they are read.

#![allow(dead_code, reason = "each test takes what it needs")]

use rampart_checklist::inventory::ApiServerMetrics;
use rampart_checklist::{Inventory, Kind, Object, Parameters, results};
use rampart_shared::{ItemId, ItemResult, Outcome, Source};
use serde_json::Value;
use std::collections::BTreeMap;

/// The objects of a cluster.
pub(crate) type Documents = Vec<Value>;

/// A cluster in which every item holds.
pub(crate) fn good() -> Documents {
    documents(include_str!("../good-cluster.yaml"))
}

/// What nobody can know of it but its owner.
pub(crate) fn parameters() -> Parameters {
    let mut parameters = Parameters::default();
    parameters.trusted_registries.allow = vec!["ghcr.io/acme".parse().unwrap()];
    parameters
}

/// The objects of some YAML.
pub(crate) fn documents(yaml: &str) -> Documents {
    serde_saphyr::from_multiple(yaml).unwrap()
}

/// The inventory of these objects; every kind is complete, and the API server says that it encrypts Secrets.
pub(crate) fn inventory(documents: &[Value]) -> Inventory {
    let mut inventory = Inventory::empty(Source::Snapshot);
    inventory.api_server_metrics.seen =
        Some(ApiServerMetrics { encrypts_secrets: true, ..ApiServerMetrics::default() });
    for document in documents {
        let text = |field: &str| document[field].as_str().unwrap().to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        if kind == "KubeletConfiguration" {
            let node = document["metadata"]["name"].as_str().unwrap().to_owned();
            inventory.insert_kubelet(node, serde_json::from_value(document.clone()).unwrap());
        } else {
            let kind = Kind::of(&api_version, &kind).unwrap_or_else(|| panic!("{api_version} {kind}"));
            inventory.insert(Object::deserialize(kind, &api_version, document.clone()).unwrap());
        }
    }
    inventory
}

/// The results of every item.
pub(crate) fn evaluate_with(inventory: &Inventory) -> Vec<ItemResult> {
    results(inventory, &parameters()).unwrap()
}

/// The outcomes of every item.
pub(crate) fn outcomes(inventory: &Inventory) -> BTreeMap<ItemId, Outcome> {
    evaluate_with(inventory).into_iter().map(|result| (result.id(), result.outcome())).collect()
}
