//! All items over one inventory.

use crate::items::{ITEMS, Item};
use crate::judge::judge;
use crate::remedy::{ClientSideApplied, chosen, simulate};
use crate::workloads::View;
use crate::{Inventory, Kind, Parameters};
use rampart_shared::{
    InconsistentResult, ItemDocumentation, ItemId, ItemResult, Outcome, OutcomeCounts, Remediation,
    RemediationDocument, RemediationStage, Simulation,
};
use std::collections::BTreeSet;

/// The checklist's version: it changes when an item comes, goes or judges otherwise.
pub const CATALOGUE: &str = "2026.11";

/// The result of an item with what would turn it green.
#[derive(Debug, Clone, PartialEq)]
pub struct EvaluatedItem {
    /// The result.
    pub result: ItemResult,
    /// What would turn it green; without documents when nothing falls short.
    pub remediation: Remediation,
}

/// Evaluates every item, in the checklist's order.
///
/// # Errors
/// When an item's observation contradicts itself; a defect of the item, never of the cluster.
pub fn evaluate(
    inventory: &Inventory,
    parameters: &Parameters,
) -> Result<Vec<EvaluatedItem>, InconsistentResult> {
    let view = View::new(inventory, parameters);
    let results = results_of(&view)?;
    let client_side = ClientSideApplied::of(inventory);
    let outcomes: Vec<Outcome> = results.iter().map(ItemResult::outcome).collect();
    ITEMS
        .iter()
        .zip(results)
        .enumerate()
        .map(|(position, (item, result))| {
            let mut remediation = (item.remedy)(&view, &result);
            remediation.documents.iter_mut().for_each(|document| client_side.take_over(document));
            remediation.simulation = simulated(item, &view, &remediation)?.map(|after| {
                let mut outcomes = outcomes.clone();
                outcomes[position] = after.outcome();
                Simulation {
                    outcome: after.outcome(),
                    findings: u32::try_from(after.application_findings().count()).unwrap_or(u32::MAX),
                    score: outcomes.into_iter().collect::<OutcomeCounts>().score(),
                }
            });
            Ok(EvaluatedItem { result, remediation })
        })
        .collect()
}

/// The result of every item, in the checklist's order, without what would turn it green.
///
/// # Errors
/// As [`evaluate`] has them.
pub fn results(
    inventory: &Inventory,
    parameters: &Parameters,
) -> Result<Vec<ItemResult>, InconsistentResult> {
    results_of(&View::new(inventory, parameters))
}

fn results_of(view: &View<'_>) -> Result<Vec<ItemResult>, InconsistentResult> {
    ITEMS.iter().map(|item| result_of(item, view)).collect()
}

/// The result of one item.
///
/// # Errors
/// As [`evaluate`] has them.
pub fn evaluate_item(
    id: ItemId,
    inventory: &Inventory,
    parameters: &Parameters,
) -> Result<Option<ItemResult>, InconsistentResult> {
    let view = View::new(inventory, parameters);
    ITEMS.iter().find(|item| item.id == id).map(|item| result_of(item, &view)).transpose()
}

fn result_of(item: &Item, view: &View<'_>) -> Result<ItemResult, InconsistentResult> {
    judge(item.id, item.needs, view.inventory, (item.observe)(view))
}

/// What the item would say with the documents of the last stage in force, those left out that wait for a choice.
fn simulated(
    item: &Item,
    view: &View<'_>,
    remediation: &Remediation,
) -> Result<Option<ItemResult>, InconsistentResult> {
    let documents: Vec<RemediationDocument> = remediation
        .of_stage(RemediationStage::Enforce)
        .filter_map(|document| {
            let object = chosen(document, &remediation.inputs, |_| None)?;
            Some(RemediationDocument { object, ..document.clone() })
        })
        .collect();
    if documents.is_empty() {
        return Ok(None);
    }
    let inventory = simulate(view, &documents);
    result_of(item, &View::new(&inventory, view.parameters)).map(Some)
}

/// The texts of every item, in order.
pub fn documentation() -> Vec<ItemDocumentation> {
    ITEMS.iter().map(Item::documentation).collect()
}

/// The texts of one item.
pub fn documentation_of(id: ItemId) -> Option<ItemDocumentation> {
    ITEMS.iter().find(|item| item.id == id).map(Item::documentation)
}

/// Every kind that any item needs.
pub fn needed_kinds() -> BTreeSet<Kind> {
    ITEMS.iter().flat_map(|item| item.needs).map(|need| need.kind).collect()
}
