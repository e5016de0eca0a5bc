//! The types that cross Rampart's crate borders and its HTTP API.
//!
//! No texts of the checklist and no I/O live here; the crate builds for `wasm32`, so that the dashboard and
//! the server speak of the same things by the same names. Constructors keep the invariants, and deserialising
//! goes through them.

pub mod api;
mod finding;
mod gap;
mod item;
mod outcome;
mod remediation;
mod result;
mod scan;
mod score;

pub use finding::{Finding, Fingerprint, RestsOn, Scope, Subject};
pub use gap::{Gap, GapReason, PolicyRule, ResourceName};
pub use item::{Category, ItemDocumentation, ItemId, Reference, UnknownItem};
pub use outcome::{Basis, Outcome};
pub use remediation::{Remediation, RemediationDocument, RemediationTarget};
pub use result::{Evidence, InconsistentResult, ItemResult, Verdict};
pub use scan::{ClusterScan, ScanReport, Source};
pub use score::{OutcomeCounts, Score};
