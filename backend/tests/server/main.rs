//! The server's parts together: API, page, protection and scheduler over a real history.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "tests")]

mod assets;
mod evaluation;
mod events;
mod exports;
mod history;
mod items;
mod openapi;
mod overview;
mod problems;
mod protection;
mod schedule;
mod support;
