//! `rampart remediate`: evaluates once and writes what would turn items green.

use super::{
    COULD_NOT, CommonArguments, complain,
    reading::{self, ReadCluster},
    snapshot,
};
use crate::{
    config::{Reading, ReadingArguments},
    zip,
};
use anyhow::{Context, bail};
use rampart_checklist::export::{self, ExportFile, Plan, Selection};
use rampart_shared::{ItemId, Remediation, RemediationStage, api::ExportFormat};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("sources").required(true).multiple(false))]
pub(super) struct RemediateArguments {
    /// Folders, archives (.tar.gz) or files of kubectl's YAML or JSON output; - is stdin
    #[arg(group = "sources", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Contexts of the kubeconfig
    #[arg(long = "context", group = "sources", value_name = "NAME", num_args = 1..)]
    contexts: Vec<String>,
    /// Clusters of the configuration, read now
    #[arg(long = "cluster", group = "sources", value_name = "NAME", num_args = 1..)]
    clusters: Vec<String>,
    /// The cluster's name in the result
    #[arg(long)]
    name: Option<String>,
    /// Only this item; may be repeated
    #[arg(long = "item", value_name = "ID")]
    items: Vec<ItemId>,
    /// Only this namespace, without what is about the cluster as a whole; may be repeated
    #[arg(long = "namespace", value_name = "NAME")]
    namespaces: Vec<String>,
    /// How far it goes: observe, warn or enforce
    #[arg(long, value_name = "STAGE", default_value = "enforce", value_parser = stage)]
    stage: RemediationStage,
    /// An answer to what a person has to choose; may be repeated
    #[arg(long = "choice", value_name = "NAME=VALUE", value_parser = choice)]
    choices: Vec<(String, String)>,
    /// A folder that is empty or ends in /, a file.zip, a file.yaml, or - for stdout
    #[arg(short, long, value_name = "DIR|FILE|-", default_value = "-")]
    output: PathBuf,
    /// In which form [default: yaml, in folders and zips kustomize]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Count kinds that the files lack as empty
    #[arg(long, conflicts_with_all = ["contexts", "clusters"])]
    assume_complete: bool,
    #[command(flatten)]
    common: CommonArguments,
    #[command(flatten)]
    reading: ReadingArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// All documents in one stream
    Yaml,
    /// A folder that `kubectl apply -k` takes
    Kustomize,
    /// A kustomize Component with patches, for GitOps
    Component,
    /// What undoes it
    Undo,
}

impl From<Format> for ExportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Yaml => ExportFormat::Yaml,
            Format::Kustomize => ExportFormat::Kustomize,
            Format::Component => ExportFormat::Component,
            Format::Undo => ExportFormat::Undo,
        }
    }
}

fn stage(name: &str) -> Result<RemediationStage, String> {
    let found = RemediationStage::ALL.into_iter().find(|stage| stage.as_str() == name);
    found.ok_or_else(|| "write observe, warn or enforce".to_owned())
}

fn choice(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Where the result goes.
enum Output {
    Stdout,
    Yaml(PathBuf),
    Zip(PathBuf),
    Folder(PathBuf),
}

pub(super) fn run(arguments: &RemediateArguments) -> anyhow::Result<ExitCode> {
    let output = Output::of(&arguments.output)?;
    let format = output.format(arguments.format)?;
    let mut configuration = arguments.common.configuration("warn")?;
    super::use_fingerprint_key(&mut configuration);
    let reading = Reading::resolve(&arguments.reading, &configuration);

    let mut remediations: BTreeMap<String, Vec<Remediation>> = BTreeMap::new();
    let mut failed = false;
    let mut each =
        |name: &str, read: Result<ReadCluster<'_>, String>| match read.and_then(|read| evaluated(&read)) {
            Ok(found) => drop(remediations.insert(name.to_owned(), found)),
            Err(cause) => {
                complain(&format!("{name}: {cause}"));
                failed = true;
            }
        };
    let name = arguments.name.as_deref();
    if !arguments.paths.is_empty() {
        reading::files(&arguments.paths, name, arguments.assume_complete, &configuration, &mut each)?;
    } else if !arguments.contexts.is_empty() {
        let contexts = arguments.contexts.iter().cloned().collect();
        reading::contexts(contexts, name, &reading, &configuration, &mut each)?;
    } else {
        let names = arguments.clusters.iter().cloned().collect();
        reading::configured(&names, &reading, &configuration, &mut each)?;
    }
    if !remediations.is_empty() {
        write(&remediations, &selection(arguments), &output, format)?;
    }
    Ok(if failed { ExitCode::from(COULD_NOT) } else { ExitCode::SUCCESS })
}

fn evaluated(read: &ReadCluster<'_>) -> Result<Vec<Remediation>, String> {
    rampart_checklist::evaluate(&read.inventory, read.parameters)
        .map(|items| items.into_iter().map(|item| item.remediation).collect())
        .map_err(|error| format!("{error}. This is a defect of Rampart."))
}

fn selection(arguments: &RemediateArguments) -> Selection {
    Selection {
        stage: arguments.stage,
        items: arguments.items.iter().copied().collect(),
        namespaces: arguments.namespaces.iter().cloned().collect(),
        subjects: BTreeSet::new(),
        choices: arguments.choices.iter().cloned().collect(),
    }
}

fn write(
    remediations: &BTreeMap<String, Vec<Remediation>>,
    selection: &Selection,
    output: &Output,
    format: ExportFormat,
) -> anyhow::Result<()> {
    let clusters = remediations.iter().map(|(cluster, found)| (cluster.as_str(), found.as_slice()));
    let plans = export::plans(clusters, selection)?;
    let [first, others @ ..] = plans.as_slice() else {
        complain(&format!(
            "nothing to do: of what was picked nothing falls short, or nothing is in the stage {}",
            selection.stage.as_str()
        ));
        return Ok(());
    };
    for input in plans.iter().flat_map(Plan::waiting).collect::<BTreeSet<_>>() {
        complain(&format!("left out until it is chosen with --choice {input}=VALUE, as the result says"));
    }
    let files = || {
        if others.is_empty() { export::files(first, format) } else { export::fleet(&plans, format) }
    };
    match output {
        Output::Stdout | Output::Yaml(_) if !others.is_empty() => {
            bail!(
                "the documents of {} clusters do not belong in one stream: name a folder or a .zip with -o",
                plans.len()
            )
        }
        Output::Stdout => return super::print(&export::yaml(first, usize::MAX)).map(drop),
        Output::Yaml(path) => write_file(path, export::yaml(first, usize::MAX).as_bytes())?,
        Output::Zip(path) => write_file(path, &zip::zip(&files()).context("cannot write a zip")?)?,
        Output::Folder(path) => {
            write_folder(path, &files()).with_context(|| format!("cannot write into {}", path.display()))?
        }
    }
    let documents: usize = plans.iter().map(Plan::documents).sum();
    let place = output.path().unwrap_or(Path::new("-"));
    super::print(&format!("{}: {documents} documents\n", place.display())).map(drop)
}

fn write_file(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    snapshot::write(path, false, |file| file.write_all(content))
        .with_context(|| format!("cannot write {}", path.display()))
}

fn write_folder(folder: &Path, files: &[ExportFile]) -> std::io::Result<()> {
    for file in files {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, &file.content)?;
    }
    Ok(())
}

impl Output {
    /// Where it goes, before clusters are read for minutes. Nothing that is there is written over.
    fn of(path: &Path) -> anyhow::Result<Output> {
        let text = path.to_string_lossy();
        if text == "-" {
            return Ok(Output::Stdout);
        }
        if text.ends_with('/') || path.is_dir() {
            let holds_any = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some());
            if holds_any {
                bail!("{} is not empty: name another folder, or empty it", path.display());
            }
            return Ok(Output::Folder(path.to_path_buf()));
        }
        if path.exists() {
            bail!("{} exists already: name another file, or remove it", path.display());
        }
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "zip" => Ok(Output::Zip(path.to_path_buf())),
            "yaml" | "yml" => Ok(Output::Yaml(path.to_path_buf())),
            _ => bail!(
                "what shall {} be? Name a folder (ending in /), a .zip or a .yaml, or - for stdout",
                path.display()
            ),
        }
    }

    fn format(&self, asked: Option<Format>) -> anyhow::Result<ExportFormat> {
        let is_stream = matches!(self, Output::Stdout | Output::Yaml(_));
        match asked {
            Some(format) if is_stream && format != Format::Yaml => {
                bail!("that format is several files: name a folder (ending in /) or a .zip with -o")
            }
            Some(format) => Ok(format.into()),
            None if is_stream => Ok(ExportFormat::Yaml),
            None => Ok(ExportFormat::Kustomize),
        }
    }

    fn path(&self) -> Option<&Path> {
        match self {
            Output::Stdout => None,
            Output::Yaml(path) | Output::Zip(path) | Output::Folder(path) => Some(path),
        }
    }
}
