//! Rampart: evaluates the Kubernetes security checklist across clusters, remembers, and shows it.

mod assets;
pub mod clock;
pub mod collect;
pub mod commands;
pub mod config;
pub mod demo;
pub mod evaluation;
pub mod events;
pub mod fingerprint_key;
pub mod http;
pub mod logging;
pub mod schedule;
pub mod zip;
