//! Fills a [`rampart_checklist::Inventory`]: [`live`] from an API server, [`snapshot`] from files.
//!
//! Both give the same inventory for the same objects. What could not be read becomes a gap with its cause, never an
//! empty list. What clusters and files say is hostile input: it is bounded in size and depth, and its contents reach
//! neither errors nor logs.

pub mod archive;
mod control_plane;
mod intern;
pub mod live;
mod malformed;
mod naming;
pub mod snapshot;

pub use intern::Interner;
