//! The first proof of a remedy: its documents laid over what was seen, so that the checklist can be evaluated again.
//!
//! What only a program in the cluster would do with a document, such as injecting a sidecar or filling a Secret, is not
//! imagined: a pod gets the fields that its template gets, and nothing else.

mod control_plane;
mod nodes;
mod objects;
mod places;
mod pods;

use crate::Inventory;
use crate::workloads::View;
use rampart_shared::{RemediationDocument, RemediationTarget};

/// What was seen, as it would be with these documents in force.
pub fn simulate<'d>(
    view: &View<'_>,
    documents: impl IntoIterator<Item = &'d RemediationDocument>,
) -> Inventory {
    let mut inventory = view.inventory.clone();
    let places = places::Places::of(view.inventory);
    for document in documents {
        match document.target {
            RemediationTarget::NewObject | RemediationTarget::Apply => {
                objects::apply(view, &places, &mut inventory, &document.object);
            }
            RemediationTarget::Node => nodes::set_on_nodes(&mut inventory, &document.object),
            RemediationTarget::ControlPlane => {
                control_plane::set_on_control_plane(&mut inventory, &document.object);
            }
        }
    }
    inventory
}
