//! `cargo xtask test`: everything that has to hold, in the order in which it fails soonest.

use std::path::Path;

use anyhow::Result;

use crate::frontend::{self, Optimise};
use crate::steps::Steps;
use crate::{process, setup, wasm_toolchain, workspace};

/// Runs every step up to the first that fails, and prints how long each took.
pub(crate) fn run() -> Result<()> {
    let mut steps = Steps::default();
    let result = run_steps(&mut steps);
    println!("\n{}", steps.table());
    result
}

fn run_steps(steps: &mut Steps) -> Result<()> {
    let chromium = steps.step("set-up", "seconds; on a new machine 2 minutes", || {
        rust_components()?;
        let chromium = setup::for_tests()?;
        wasm_toolchain::ensure()?;
        Ok(chromium)
    })?;
    steps.step("formatting", "a second", || cargo(&["fmt", "--all", "--check"]))?;
    // Before all that compiles the backend, because it is embedded there.
    steps.step("frontend", "seconds; from cold 3 minutes", || frontend::build(Optimise::Always))?;
    steps.step("clippy", "half a minute; from cold 6 minutes", || {
        cargo(&["clippy", "--workspace", "--all-targets", "--", "--deny", "warnings"])
    })?;
    // With the tests, so that both use what their dependencies have in common; `--bins` alone would compile
    // some of it again, with other features.
    steps.step("native build", "2 minutes; from cold 12 minutes", || {
        cargo(&["build", "--workspace", "--bins", "--tests"])
    })?;
    steps.step("Rust tests", "a minute", rust_tests)?;
    steps.step("browser tests", "3 minutes; from cold 8 minutes", || browser_tests(&chromium))
}

fn rust_tests() -> Result<()> {
    if process::find(&["cargo-nextest"]).is_none() {
        return cargo(&["test", "--workspace"]);
    }
    cargo(&["nextest", "run", "--workspace"])?;
    // nextest does not run the examples in documentation.
    cargo(&["test", "--workspace", "--doc"])
}

/// With the binary of the native build, against a real control plane.
fn browser_tests(chromium: &Path) -> Result<()> {
    process::run(
        workspace::command("bash")
            .arg("e2e/run.sh")
            .env("RAMPART_BIN", workspace::rampart("debug"))
            .env("RAMPART_CHROMIUM", chromium),
    )
}

fn rust_components() -> Result<()> {
    for (program, component) in [("cargo-fmt", "rustfmt"), ("cargo-clippy", "clippy")] {
        let works =
            workspace::command(program).arg("--version").output().is_ok_and(|output| output.status.success());
        if works {
            continue;
        }
        if process::find(&["rustup"]).is_none() {
            anyhow::bail!(
                "{program} is missing: install {component} for your Rust toolchain and run this again"
            );
        }
        process::run(workspace::command("rustup").args(["component", "add", component]))?;
    }
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<()> {
    process::run(workspace::cargo().args(arguments))
}
