//! The commands that build Rampart to be used: `frontend`, `dist`, `demo`.

use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, Result};

use crate::frontend::{self, Optimise};
use crate::{process, workspace};

/// Builds the dashboard.
pub(crate) fn frontend() -> Result<()> {
    frontend::build(Optimise::Always)
}

/// Builds the one binary that is shipped.
pub(crate) fn dist() -> Result<()> {
    frontend::build(Optimise::Always)?;
    build_release()?;
    println!("\n{}", workspace::rampart("release").display());
    Ok(())
}

/// Compiles `rampart` as it is shipped.
pub(crate) fn build_release() -> Result<()> {
    println!("Compiling rampart for release (after a clean checkout usually 10 minutes)");
    process::run(workspace::cargo().args(["build", "--release", "--package", "rampart"]))
}

/// Builds Rampart and becomes `rampart serve --demo`.
pub(crate) fn demo(arguments: &[OsString]) -> Result<()> {
    frontend::build(Optimise::IfPossible)?;
    println!("Compiling rampart (after a clean checkout usually 8 minutes, later seconds)");
    process::run(workspace::cargo().args(["build", "--package", "rampart"]))?;
    let mut serve = workspace::command(workspace::rampart("debug"));
    serve.args(["serve", "--demo"]).args(arguments);
    become_program(serve)
}

/// Signals then reach the server itself.
#[cfg(unix)]
fn become_program(mut program: Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    let error = program.exec();
    Err(error).with_context(|| format!("cannot start {}", program.get_program().display()))
}

#[cfg(not(unix))]
fn become_program(mut program: Command) -> Result<()> {
    process::run(&mut program)
}
