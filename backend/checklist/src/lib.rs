//! The Kubernetes security checklist: what was seen of a cluster, the items, the rules that turn evidence
//! into a verdict, and what would turn an item green.
//!
//! Pure: nothing here does I/O, keeps time or knows a client. The same inventory gives the same result.

pub mod admission;
pub mod authorization;
pub mod credentials;
pub mod distribution;
pub mod enforcement;
mod evaluate;
pub mod export;
mod fingerprint;
pub mod flags;
pub mod image_reference;
pub mod inventory;
pub mod items;
pub mod judge;
pub mod mesh;
mod need;
pub mod network;
mod parameters;
pub mod pod_security;
pub mod rbac;
pub mod recognise;
pub mod remedy;
pub mod validating_admission_policy;
pub mod workloads;

#[cfg(test)]
mod testing;

pub use evaluate::{
    CATALOGUE, EvaluatedItem, documentation, documentation_of, evaluate, evaluate_item, needed_kinds, results,
};
pub use fingerprint::fingerprint;
pub use inventory::{Fact, Inventory, Kind, Object};
pub use need::{Need, Role};
pub use parameters::{InvalidRecogniser, Parameters, Recogniser};
