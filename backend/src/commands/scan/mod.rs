//! `rampart scan`: evaluates once and prints the result.

mod sarif;
mod table;

use super::{COULD_NOT, CommonArguments, complain};
use crate::{
    clock::{Clock, SystemClock},
    collect::{Access, Collector, LiveCollector, SLACK, read_input_with_places, too_slow},
    config::{ClusterSource, Configuration, Reading, ReadingArguments},
};
use anyhow::{Context, bail};
use futures::{StreamExt, stream};
use rampart_checklist::{CATALOGUE, Inventory, Parameters};
use rampart_cluster::{
    live,
    snapshot::{self, Places, Snapshot, SnapshotInput},
};
use rampart_shared::{ClusterScan, Outcome, OutcomeCounts, ScanReport};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::ExitCode,
};

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

/// Clusters read at the same time.
const AT_ONCE: usize = 4;

/// What came of all clusters: the results, and those that could not be evaluated.
#[derive(Default)]
struct Scanned {
    clusters: Vec<ClusterScan>,
    /// The files of those clusters that were read from files.
    origins: BTreeMap<String, Origin>,
    failed: Vec<Failed>,
}

/// Where a cluster's objects were found.
struct Origin {
    input: SnapshotInput,
    places: Places,
}

/// A cluster that could not be evaluated.
struct Failed {
    name: String,
    cause: String,
}

pub(super) fn run(arguments: &ScanArguments) -> anyhow::Result<ExitCode> {
    let mut configuration = arguments.common.configuration("warn")?;
    super::use_fingerprint_key(&mut configuration);
    let scanned = if arguments.paths.is_empty() {
        scan_contexts(arguments, &configuration)?
    } else {
        scan_files(arguments, &configuration)?
    };
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

fn scan_files(arguments: &ScanArguments, configuration: &Configuration) -> anyhow::Result<Scanned> {
    let inputs = snapshot::inputs(&arguments.paths, arguments.name.as_deref())?;
    let mut scanned = Scanned::default();
    for input in inputs {
        let parameters = parameters_of(&input.name, configuration);
        match read_input_with_places(&input, arguments.assume_complete) {
            Ok(Snapshot { inventory, problems, places }) => {
                for problem in problems {
                    complain(&problem.to_string());
                }
                scanned.add(&input.name, &inventory, parameters);
                scanned.origins.insert(input.name.clone(), Origin { input, places });
            }
            Err(error) => scanned.fail(&input.name, &error.to_string()),
        }
    }
    Ok(scanned)
}

fn scan_contexts(arguments: &ScanArguments, configuration: &Configuration) -> anyhow::Result<Scanned> {
    let reading = Reading::resolve(&arguments.reading, configuration);
    let contexts: BTreeSet<String> = if arguments.all_contexts {
        live::contexts(reading.kubeconfig.as_deref())?.names.into_iter().collect()
    } else {
        arguments.contexts.iter().cloned().collect()
    };
    if contexts.is_empty() {
        bail!("the kubeconfig has no contexts: add one, or name files to read");
    }
    if arguments.name.is_some() && contexts.len() > 1 {
        bail!("--name names one cluster, and there are {}: remove it, or name one context", contexts.len());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    let reads = contexts.into_iter().map(|context| {
        let name = arguments.name.clone().unwrap_or_else(|| context.clone());
        let collector = LiveCollector {
            options: reading.collect_options(parameters_of(&name, configuration)),
            access: Access::Context { kubeconfig: reading.kubeconfig.clone(), context: Some(context) },
        };
        let most = collector.options.timeout + SLACK;
        async move {
            let collected = tokio::time::timeout(most, collector.collect(SystemClock.now(), &|_| {})).await;
            (name, collected.unwrap_or_else(|_| Err(too_slow(most))))
        }
    });
    let collected: Vec<_> = runtime.block_on(stream::iter(reads).buffer_unordered(AT_ONCE).collect());
    let mut scanned = Scanned::default();
    for (name, collected) in collected {
        match collected {
            Ok(collected) => scanned.add(&name, &collected.inventory, parameters_of(&name, configuration)),
            Err(unreachable) => scanned.fail(&name, &unreachable.to_string()),
        }
    }
    Ok(scanned)
}

/// The parameters that the configuration has for a cluster of this name or context, else the global ones.
fn parameters_of<'a>(name: &str, configuration: &'a Configuration) -> &'a Parameters {
    let by_name = configuration.clusters.iter().find(|cluster| cluster.name == name);
    let by_context = || {
        configuration.clusters.iter().find(|cluster| {
            matches!(&cluster.source, ClusterSource::Context { context: Some(context), .. } if context == name)
        })
    };
    by_name.or_else(by_context).map_or(&configuration.parameters, |cluster| &cluster.parameters)
}

impl Scanned {
    fn add(&mut self, name: &str, inventory: &Inventory, parameters: &Parameters) {
        match rampart_checklist::results(inventory, parameters) {
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
    }

    fn fail(&mut self, name: &str, cause: &str) {
        complain(&format!("{name}: {cause}"));
        self.failed.push(Failed { name: name.to_owned(), cause: cause.to_owned() });
    }
}
