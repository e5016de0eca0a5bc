//! Fills an inventory from an API server.
//!
//! Discovery first; then every kind in pages, reduced while they are deserialised; then the kubelets. Only what keeps
//! the whole from being read is an error; everything else becomes a gap of the kind that it concerns.

mod admission_probe;
mod collect;
mod connection;
mod control_plane;
mod direct;
mod discovery;
mod dry_run;
mod get;
mod kubelets;
mod list;
mod options;
mod page;
mod unreachable;

pub use collect::{AskedBesides, Collected, collect};
pub use connection::{Connection, ConnectionError, Contexts, contexts};
pub use dry_run::dry_run;
pub use list::KindRead;
pub use options::{CollectOptions, KubeletReading, Progress, Retry};
pub use page::{Page, project_page};
pub use unreachable::Unreachable;
