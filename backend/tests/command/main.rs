//! The command as people run it: exit codes, words, files.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod bad_input;
mod configuration;
mod explain;
mod generated;
mod remediate;
mod sarif;
mod scan;
mod serve;
mod support;
