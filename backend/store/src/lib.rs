//! Rampart's history: what runs found, kept as changes.
//!
//! [`History`] is what a store can do, [`Store`] the one that keeps it in a SQLite file. Results enter by
//! [`History::record`] and by no other way: one run, one transaction. Everything that follows from the passing
//! of time, such as a cluster that has become stale, is computed on reading from the caller's `now` and is never
//! stored; order comes from the runs' sequence, never from their times.

mod cluster;
mod error;
mod export;
mod history;
mod query;
mod rules;
mod run;
pub mod sqlite;
mod staleness;
mod trend;

pub use cluster::{ClusterRegistration, IdentityConflict};
pub use error::StoreError;
pub use export::ExportRecord;
pub use history::History;
pub use query::{ChangeFilter, ClusterScope, FindingFilter, StateFilter, TrendQuery};
pub use run::{EvaluatedItem, Recorded, RunDetails, RunOutcome, RunRecord, StoredRemediation};
pub use sqlite::Store;
pub use staleness::{INTERVALS_UNTIL_STALE, effective_outcome, freshness};
