//! `cargo xtask`: sets up the machine, builds the frontend, runs everything that has to hold.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line tool talks to the person at it"
)]

mod assets;
mod bench;
mod bindings;
mod checks;
mod compress;
mod corpus;
mod frontend;
mod generate;
mod measure;
mod node;
mod process;
mod run;
mod setup;
mod steps;
mod strip;
mod wasm;
mod wasm_toolchain;
mod workspace;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds, runs and tests Rampart.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing: the WASM toolchain, wasm-opt, a browser, the browser tests' packages
    Setup,
    /// Build the dashboard into target/frontend/dist
    Frontend,
    /// Build target/release/rampart with the dashboard inside
    Dist,
    /// Build Rampart and start `rampart serve --demo`
    Demo {
        /// Arguments for `rampart serve`, for instance --listen 127.0.0.1:0
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run formatting, clippy, every Rust test, the frontend build and the browser tests
    Test,
    /// Write the corpus that benchmarks read: 280 files, 9,800 Kubernetes manifests, about 6 MB
    Corpus {
        /// The folder to write, by default target/corpus
        folder: Option<PathBuf>,
    },
    /// Measure speed and memory, each beside a baseline from the same run
    Bench,
    /// Write the files that are generated from the code
    Generate {
        /// Write nothing; fail if a file is not what the code generates
        #[arg(long)]
        check: bool,
    },
    /// Run one program and print what it used as JSON
    #[command(hide = true)]
    Measure {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        program: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Setup => setup::run(),
        Command::Frontend => run::frontend(),
        Command::Dist => run::dist(),
        Command::Demo { arguments } => run::demo(&arguments),
        Command::Test => checks::run(),
        Command::Corpus { folder } => corpus::run(folder),
        Command::Bench => bench::run(),
        Command::Generate { check } => generate::run(check),
        Command::Measure { program } => measure::run(&program),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}
