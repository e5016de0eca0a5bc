//! What `rampart` can be told to do.

mod docs_checklist;
mod explain;
mod openapi;
mod rbac;
mod reading;
mod remediate;
mod scan;
mod serve;
mod snapshot;

use crate::{
    config::{Configuration, ServeArguments},
    fingerprint_key, logging,
};
use anyhow::Context;
use clap::{Parser, Subcommand};
use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

/// Evaluates the Kubernetes security checklist across clusters, remembers, and shows it.
#[derive(Debug, Parser)]
#[command(name = "rampart", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Evaluate clusters or files once and print the result
    ///
    /// Exit codes: 0 if the checklist holds, 1 if it falls short, 2 if something could not be evaluated.
    Scan(Box<scan::ScanArguments>),
    /// Evaluate clusters or files once and write what would turn items green
    ///
    /// Exit codes: 0 if it was evaluated, whether or not there is something to do, 2 if something could not be.
    Remediate(Box<remediate::RemediateArguments>),
    /// Evaluate clusters on a schedule, keep the history, and serve the page and the API
    Serve {
        #[command(flatten)]
        common: CommonArguments,
        #[command(flatten)]
        arguments: Box<ServeArguments>,
    },
    /// Read a cluster once and write what was read, without credentials, as an archive for `scan`
    Snapshot(Box<snapshot::SnapshotArguments>),
    /// Say what an item checks, why, and what it reads
    Explain(explain::ExplainArguments),
    /// Print the least ClusterRole that reading a cluster takes
    Rbac(rbac::RbacArguments),
    /// Print the description of the API
    Openapi,
    /// Print the checklist as Markdown
    #[command(hide = true)]
    DocsChecklist,
}

/// What all commands take that read clusters.
#[derive(Debug, Default, clap::Args)]
struct CommonArguments {
    /// The configuration [default: rampart.toml, if it is in the working folder]
    #[arg(long, env = "RAMPART_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What to log to stderr, as in info or rampart=debug [default: info, for scan warn]
    #[arg(long, env = "RAMPART_LOG", value_name = "FILTER")]
    log: Option<String>,
}

impl CommonArguments {
    /// Reads the configuration and begins to log.
    fn configuration(&self, default_log: &str) -> anyhow::Result<Configuration> {
        let configuration = Configuration::load(self.config.as_deref())?;
        let filter = self.log.as_deref().or(configuration.log()).unwrap_or(default_log);
        logging::begin(filter).with_context(|| format!("the log filter `{filter}` makes no sense"))?;
        Ok(configuration)
    }
}

/// Fingerprints credentials under the key that `rampart serve` uses too, so that both tell of the same ones. Without
/// it they are told without a fingerprint.
fn use_fingerprint_key(configuration: &mut Configuration) {
    let Some(folder) = configuration.data_folder() else { return };
    match fingerprint_key::of_folder(&folder) {
        Ok(key) => configuration.use_fingerprint_key(&key),
        Err(error) => complain(&format!("{error}. Credentials are told without a fingerprint.")),
    }
}

/// Something could not be done.
const COULD_NOT: u8 = 2;

/// Does what the command line says.
pub fn run() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Scan(arguments) => scan::run(&arguments),
        Command::Remediate(arguments) => remediate::run(&arguments),
        Command::Serve { common, arguments } => serve::run(&common, &arguments),
        Command::Snapshot(arguments) => snapshot::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Rbac(arguments) => rbac::run(&arguments),
        Command::Openapi => openapi::run(),
        Command::DocsChecklist => print(&docs_checklist::markdown()),
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::from(COULD_NOT)
        }
    }
}

/// Writes a result to stdout. Whoever reads it may stop reading.
fn print(text: &str) -> anyhow::Result<ExitCode> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
        Err(error) => Err(anyhow::Error::new(error).context("cannot write to stdout")),
    }
}

/// Tells what went wrong, a line of its own. Where even that cannot be written, nobody listens.
fn complain(text: &str) {
    let _nobody_listens = writeln!(io::stderr().lock(), "rampart: {}", logging::escaped(text));
}
