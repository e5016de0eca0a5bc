//! All items over one inventory.

use crate::items::{ITEMS, Item};
use crate::judge::judge;
use crate::{Inventory, Kind, Parameters};
use rampart_shared::{InconsistentResult, ItemDocumentation, ItemId, ItemResult, Remediation};
use std::collections::BTreeSet;

/// The checklist's version: it changes when an item comes, goes or judges otherwise.
pub const CATALOGUE: &str = "2026.11";

/// The result of an item with what would turn it green.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    let view = crate::workloads::View::new(inventory, parameters);
    ITEMS
        .iter()
        .map(|item| {
            let result = judge(item.id, item.needs, inventory, (item.observe)(&view))?;
            let remediation = (item.remedy)(&view, &result);
            Ok(EvaluatedItem { result, remediation })
        })
        .collect()
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
