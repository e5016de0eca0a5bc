//! `rampart openapi`.

use anyhow::Context;
use std::process::ExitCode;

pub(super) fn run() -> anyhow::Result<ExitCode> {
    let mut json = crate::http::openapi().to_pretty_json().context("cannot write the description as JSON")?;
    json.push('\n');
    super::print(&json)
}
