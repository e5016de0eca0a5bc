//! `rampart scan`: evaluates once and prints the result.

mod sarif;
mod table;

use super::{
    COULD_NOT, CommonArguments, complain,
    reading::{self, Origin, ReadCluster},
};
use crate::config::{Configuration, Reading, ReadingArguments};
use anyhow::Context;
use rampart_checklist::CATALOGUE;
use rampart_cluster::live;
use rampart_shared::{ClusterScan, Outcome, OutcomeCounts, ScanReport};
use serde::Serialize;
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("clusters").required(true).multiple(false))]
pub(super) struct ScanArguments {
    /// Folders, archives (.tar.gz) or files of kubectl's YAML or JSON output; - is stdin
    ///
    /// Each folder or archive is a cluster; all plain files and - together are one.
    #[arg(group = "clusters", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Contexts of the kubeconfig
    #[arg(long = "context", group = "clusters", value_name = "NAME", num_args = 1..)]
    contexts: Vec<String>,
    /// Every context of the kubeconfig
    #[arg(long, group = "clusters")]
    all_contexts: bool,
    /// The cluster's name in the result
    #[arg(long)]
    name: Option<String>,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Count kinds that the files lack as empty
    #[arg(long, conflicts_with_all = ["contexts", "all_contexts"])]
    assume_complete: bool,
    /// What makes the exit code 1
    #[arg(long, value_enum, default_value_t)]
    fail_on: FailOn,
    #[command(flatten)]
    common: CommonArguments,
    #[command(flatten)]
    reading: ReadingArguments,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    /// For people
    #[default]
    Table,
    /// For programs: rampart.scan/v1
    Json,
    /// For tools that show findings beside code: SARIF 2.1.0
    Sarif,
}

#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum FailOn {
    /// An item that falls short
    #[default]
    Fail,
    /// An item that falls short, or of which it is not known
    Unknown,
    /// Nothing
    Never,
}

impl FailOn {
    fn is_met_by(self, outcome: Outcome) -> bool {
        match self {
            FailOn::Fail => outcome == Outcome::Fail,
            FailOn::Unknown => matches!(outcome, Outcome::Fail | Outcome::Unknown),
            FailOn::Never => false,
        }
    }
}

/// What came of all clusters: the results, and those that could not be evaluated.
#[derive(Default)]
struct Scanned {
    clusters: Vec<ClusterScan>,
    /// The files of those clusters that were read from files.
    origins: BTreeMap<String, Origin>,
    failed: Vec<Failed>,
}

/// A cluster that could not be evaluated.
struct Failed {
    name: String,
    cause: String,
}

pub(super) fn run(arguments: &ScanArguments) -> anyhow::Result<ExitCode> {
    let mut configuration = arguments.common.configuration("warn")?;
    super::use_fingerprint_key(&mut configuration);
    let scanned = scan(arguments, &configuration)?;
    let falls_short = scanned
        .clusters
        .iter()
        .flat_map(|cluster| &cluster.items)
        .any(|item| arguments.fail_on.is_met_by(item.outcome()));
    let Scanned { clusters, origins, failed } = scanned;
    let text = match arguments.format {
        Format::Table => table::render(&ScanReport::new(CATALOGUE, clusters)),
        Format::Json => json(&ScanReport::new(CATALOGUE, clusters))?,
        Format::Sarif => json(&sarif::render(CATALOGUE, &clusters, &origins, &failed))?,
    };
    super::print(&text)?;
    Ok(match (failed.is_empty(), falls_short) {
        (true, false) => ExitCode::SUCCESS,
        (true, true) => ExitCode::FAILURE,
        (false, _) => ExitCode::from(COULD_NOT),
    })
}

fn json(result: &impl Serialize) -> anyhow::Result<String> {
    let mut json = serde_json::to_string_pretty(result).context("cannot write the result as JSON")?;
    json.push('\n');
    Ok(json)
}

fn scan(arguments: &ScanArguments, configuration: &Configuration) -> anyhow::Result<Scanned> {
    let mut scanned = Scanned::default();
    let mut each = |name: &str, read: Result<ReadCluster<'_>, String>| match read {
        Ok(read) => scanned.add(name, read),
        Err(cause) => scanned.fail(name, &cause),
    };
    let name = arguments.name.as_deref();
    if !arguments.paths.is_empty() {
        reading::files(&arguments.paths, name, arguments.assume_complete, configuration, &mut each)?;
        return Ok(scanned);
    }
    let reading = Reading::resolve(&arguments.reading, configuration);
    let contexts = if arguments.all_contexts {
        live::contexts(reading.kubeconfig.as_deref())?.names.into_iter().collect()
    } else {
        arguments.contexts.iter().cloned().collect()
    };
    reading::contexts(contexts, name, &reading, configuration, &mut each)?;
    Ok(scanned)
}

impl Scanned {
    fn add(&mut self, name: &str, read: ReadCluster<'_>) {
        let ReadCluster { inventory, parameters, origin } = read;
        match rampart_checklist::results(&inventory, parameters) {
            Ok(items) => {
                self.clusters.push(ClusterScan {
                    name: name.to_owned(),
                    source: inventory.source,
                    collected_at: inventory.collected_at,
                    score: items.iter().map(|item| item.outcome()).collect::<OutcomeCounts>().score(),
                    items,
                });
            }
            Err(error) => self.fail(name, &format!("{error}. This is a defect of Rampart.")),
        }
        self.origins.extend(origin.map(|origin| (name.to_owned(), origin)));
    }

    fn fail(&mut self, name: &str, cause: &str) {
        complain(&format!("{name}: {cause}"));
        self.failed.push(Failed { name: name.to_owned(), cause: cause.to_owned() });
    }
}
