//! The Kubernetes security checklist: what was seen of a cluster, the items, the rules that turn evidence
//! into a verdict, and what would turn an item green.
//!
//! Pure: nothing here does I/O, keeps time or knows a client. The same inventory gives the same result.

pub mod credentials;
pub mod distribution;
pub mod enforcement;
mod evaluate;
mod fingerprint;
pub mod flags;
pub mod image_reference;
pub mod inventory;
pub mod items;
pub mod judge;
mod need;
mod parameters;
pub mod pod_security;
pub mod rbac;
pub mod remedy;
pub mod workloads;

#[cfg(test)]
mod testing;

pub use evaluate::{CATALOGUE, EvaluatedItem, documentation, documentation_of, evaluate, needed_kinds};
pub use fingerprint::fingerprint;
pub use inventory::{Fact, Inventory, Kind, Object};
pub use need::{Need, Role};
pub use parameters::Parameters;
