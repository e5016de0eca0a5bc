//! Server-side-apply configurations of workloads: of owners, never of their replicas.

mod carried;
mod draft;
mod fields;
mod placed;

pub(crate) use draft::{Draft, secret_key};
pub(crate) use placed::{FindingAt, Placed, Stays};
