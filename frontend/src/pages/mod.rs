//! The pages, one folder each.

pub(crate) mod cluster;
pub(crate) mod item;
pub(crate) mod not_found;
pub(crate) mod overview;
pub(crate) mod reading;
pub(crate) mod runs;
