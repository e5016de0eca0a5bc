//! One helper through which the items' tests run: inline YAML in, a result out.

pub(crate) mod admission;

use crate::inventory::{Inventory, Kind, Object};
use crate::remedy::{chosen, simulate};
use crate::workloads::View;
use crate::{EvaluatedItem, Parameters, evaluate, evaluate_item};
use rampart_shared::{
    Gap, GapReason, ItemId, ItemResult, Outcome, Remediation, RemediationDocument, RemediationStage, Source,
};

/// An inventory of everything in the YAML; every other kind is complete and empty.
pub(crate) fn inventory(yaml: &str) -> Inventory {
    let mut inventory = Inventory::empty(Source::Snapshot);
    for document in serde_saphyr::from_multiple::<serde_json::Value>(yaml).expect("the test's YAML") {
        let text = |field: &str| document[field].as_str().unwrap_or_default().to_owned();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        if kind == "KubeletConfiguration" {
            let node = document["node"].as_str().expect("node").to_owned();
            inventory
                .insert_kubelet(node, serde_json::from_value(document).expect("a kubelet configuration"));
            continue;
        }
        let kind = Kind::of(&api_version, &kind).unwrap_or_else(|| panic!("{api_version} {kind}"));
        inventory.insert(Object::deserialize(kind, &api_version, document).expect("an object"));
    }
    inventory
}

/// The result of one item over an inventory.
pub(crate) fn result(id: ItemId, inventory: &Inventory) -> ItemResult {
    evaluate_item(id, inventory, &Parameters::default()).expect("consistent results").expect("the item")
}

/// One item over an inventory, with what would turn it green, under these parameters.
pub(crate) fn evaluated(id: ItemId, inventory: &Inventory, parameters: &Parameters) -> EvaluatedItem {
    let items = evaluate(inventory, parameters).expect("consistent results");
    items.into_iter().find(|item| item.result.id() == id).expect("the item")
}

/// The outcome of one item over YAML.
pub(crate) fn outcome(id: ItemId, yaml: &str) -> Outcome {
    result(id, &inventory(yaml)).outcome()
}

/// The result of one item, whose remedy keeps its promise.
#[track_caller]
pub(crate) fn remedied_result(id: ItemId, inventory: &Inventory) -> ItemResult {
    assert_remedied(id, inventory, &Parameters::default());
    result(id, inventory)
}

/// The outcome of one item over YAML, whose remedy keeps its promise.
#[track_caller]
pub(crate) fn remedied_outcome(id: ItemId, yaml: &str) -> Outcome {
    remedied_result(id, &inventory(yaml)).outcome()
}

/// Asserts the outcome and, as `path: observed`, the findings of one item over YAML.
#[track_caller]
pub(crate) fn assert_findings(id: ItemId, yaml: &str, outcome: Outcome, expected: &[&str]) {
    let inventory = inventory(yaml);
    let result = result(id, &inventory);
    let found: Vec<String> = result
        .evidence()
        .findings
        .iter()
        .map(|finding| format!("{} {}: {}", finding.subject.name, finding.path, finding.observed))
        .collect();
    assert_eq!(found, expected, "{:?}", result.evidence().gaps);
    assert_eq!(result.outcome(), outcome, "{:?}", result.evidence().gaps);
    assert_remedied(id, &inventory, &Parameters::default());
}

/// Takes a kind away, as a refused list does.
pub(crate) fn forbid(inventory: &mut Inventory, kind: Kind) {
    inventory.refuse(kind, Gap::new(kind.name(), GapReason::Forbidden, "refused in the test"));
}

/// Asserts what every remedy promises: with its documents of the last stage in force, and the inputs answered with their
/// examples, nothing that decides is left but what `remaining` names; applied once more, nothing changes.
#[track_caller]
pub(crate) fn assert_remedied(id: ItemId, inventory: &Inventory, parameters: &Parameters) -> Outcome {
    let EvaluatedItem { remediation, result } = evaluated(id, inventory, parameters);
    let documents = answered(&remediation);
    let view = View::new(inventory, parameters);
    let after = evaluated(id, &simulate(&view, &documents), parameters);
    let left: Vec<String> = after
        .result
        .application_findings()
        .filter(|finding| {
            !remediation.remaining.iter().any(|remainder| remainder.findings.contains(&finding.fingerprint))
        })
        .map(|finding| format!("{} {}: {}", finding.subject.name, finding.path, finding.observed))
        .collect();
    assert!(left.is_empty(), "{id}: the remedy leaves {left:#?}\n{documents:#?}");
    // What takes a finding's place may be named too.
    let found: Vec<_> = result
        .application_findings()
        .chain(after.result.application_findings())
        .map(|finding| &finding.fingerprint)
        .collect();
    for remainder in &remediation.remaining {
        assert!(!remainder.task.is_empty() && !remainder.findings.is_empty(), "{remainder:?}");
        assert!(remainder.findings.iter().all(|of| found.contains(&of)), "{remainder:?} is about no finding");
    }
    if after.result.outcome() == Outcome::Pass {
        let again = answered(&after.remediation);
        assert!(again.is_empty(), "{id}: what holds has nothing to apply: {again:#?}");
    }
    after.result.outcome()
}

/// The documents of the last stage with the examples of their inputs.
fn answered(remediation: &Remediation) -> Vec<RemediationDocument> {
    let example = |name: &str| {
        remediation.inputs.iter().find(|input| input.name == name).map(|input| input.example.clone())
    };
    remediation
        .of_stage(RemediationStage::Enforce)
        .map(|document| {
            let object = chosen(document, &remediation.inputs, example).expect("every choice has an input");
            RemediationDocument { object, ..document.clone() }
        })
        .collect()
}
