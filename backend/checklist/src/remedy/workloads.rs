//! Server-side-apply configurations of workloads: of owners, never of their replicas.

mod carried;
mod draft;
mod fields;
mod placed;

pub(crate) use draft::{Draft, secret_key};
pub(crate) use placed::{FindingAt, Placed, Stays};

use crate::workloads::View;
use rampart_shared::{RemediationDocument, Subject};
use serde_json::{Map, Value};

/// A server-side-apply configuration of fields of a workload's pod spec; none where it cannot be changed in place.
pub fn pod_spec_document(
    view: &View<'_>,
    subject: &Subject,
    fields: &Map<String, Value>,
    comment: &str,
) -> Option<RemediationDocument> {
    let mut draft = Draft::of(view.workload(subject)?)?;
    draft.set_pod_fields(fields);
    draft.document(comment)
}
