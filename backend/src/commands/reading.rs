//! Reading clusters once, wherever they are: files, contexts of a kubeconfig, or clusters of the configuration.

use super::complain;
use crate::{
    clock::{Clock, SystemClock},
    collect::{Access, Collector, LiveCollector, SLACK, SnapshotCollector, read_input_with_places, too_slow},
    config::{ClusterConfiguration, ClusterSource, Configuration, Reading},
};
use anyhow::{Context, bail};
use futures::{StreamExt, stream};
use rampart_checklist::{Inventory, Parameters};
use rampart_cluster::snapshot::{self, Places, Snapshot, SnapshotInput};
use std::{collections::BTreeSet, path::PathBuf, sync::Arc, time::Duration};

/// Clusters read at the same time.
const AT_ONCE: usize = 4;

/// A cluster, read.
pub(super) struct ReadCluster<'c> {
    pub(super) inventory: Inventory,
    /// Its parameters of the checklist.
    pub(super) parameters: &'c Parameters,
    /// Its files, where it was read from files.
    pub(super) origin: Option<Origin>,
}

/// Where a cluster's objects were found.
pub(super) struct Origin {
    pub(super) input: SnapshotInput,
    pub(super) places: Places,
}

/// What is done with each cluster, by its name: it was read, or could not be and why.
pub(super) type Each<'e, 'c> = &'e mut dyn FnMut(&str, Result<ReadCluster<'c>, String>);

/// Reads folders, archives and files, one cluster after the other.
pub(super) fn files<'c>(
    paths: &[PathBuf],
    name: Option<&str>,
    assume_complete: bool,
    configuration: &'c Configuration,
    each: Each<'_, 'c>,
) -> anyhow::Result<()> {
    for input in snapshot::inputs(paths, name)? {
        let name = input.name.clone();
        let read = read_input_with_places(&input, assume_complete);
        let read = read.map_err(|error| error.to_string()).map(|Snapshot { inventory, problems, places }| {
            for problem in problems {
                complain(&problem.to_string());
            }
            let parameters = parameters_of(&name, configuration);
            ReadCluster { inventory, parameters, origin: Some(Origin { input, places }) }
        });
        each(&name, read);
    }
    Ok(())
}

/// Reads contexts of the kubeconfig.
pub(super) fn contexts<'c>(
    contexts: BTreeSet<String>,
    name: Option<&str>,
    reading: &Reading,
    configuration: &'c Configuration,
    each: Each<'_, 'c>,
) -> anyhow::Result<()> {
    if contexts.is_empty() {
        bail!("the kubeconfig has no contexts: add one, or name files to read");
    }
    if name.is_some() && contexts.len() > 1 {
        bail!("--name names one cluster, and there are {}: remove it, or name one context", contexts.len());
    }
    let reads = contexts.into_iter().map(|context| {
        let name = name.map_or_else(|| context.clone(), str::to_owned);
        let parameters = parameters_of(&name, configuration);
        let access = Access::Context { kubeconfig: reading.kubeconfig.clone(), context: Some(context) };
        let options = reading.collect_options(parameters);
        let collector: Arc<dyn Collector> = Arc::new(LiveCollector { access, options });
        Read { name, parameters, collector, timeout: reading.timeout.duration() }
    });
    all(reads.collect(), each)
}

/// Reads clusters of the configuration.
pub(super) fn configured<'c>(
    names: &BTreeSet<String>,
    reading: &Reading,
    configuration: &'c Configuration,
    each: Each<'_, 'c>,
) -> anyhow::Result<()> {
    let mut reads = Vec::new();
    for name in names {
        let Some(cluster) = configuration.clusters.iter().find(|cluster| cluster.name == *name) else {
            let known: Vec<&str> =
                configuration.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            bail!("the configuration has no cluster `{name}`; it has {known}");
        };
        reads.push(Read {
            name: name.clone(),
            parameters: &cluster.parameters,
            collector: collector_of(cluster, reading),
            timeout: reading.of(cluster).timeout.duration(),
        });
    }
    all(reads, each)
}

/// What reads a cluster of the configuration.
pub(super) fn collector_of(cluster: &ClusterConfiguration, reading: &Reading) -> Arc<dyn Collector> {
    let live = |access| -> Arc<dyn Collector> {
        let options = reading.of(cluster).collect_options(&cluster.parameters);
        Arc::new(LiveCollector { access, options })
    };
    match &cluster.source {
        ClusterSource::Context { kubeconfig, context } => live(Access::Context {
            kubeconfig: kubeconfig.clone().or_else(|| reading.kubeconfig.clone()),
            context: context.clone(),
        }),
        ClusterSource::InCluster => live(Access::InCluster),
        ClusterSource::Snapshot { path, assume_complete } => {
            Arc::new(SnapshotCollector { path: path.clone(), assume_complete: *assume_complete })
        }
    }
}

/// A cluster that is to be read.
struct Read<'c> {
    name: String,
    parameters: &'c Parameters,
    collector: Arc<dyn Collector>,
    timeout: Duration,
}

fn all<'c>(reads: Vec<Read<'c>>, each: Each<'_, 'c>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    let reads = reads.into_iter().map(|Read { name, parameters, collector, timeout }| async move {
        let most = timeout + SLACK;
        let collected = tokio::time::timeout(most, collector.collect(SystemClock.now(), &|_| {})).await;
        (name, parameters, collected.unwrap_or_else(|_| Err(too_slow(most))))
    });
    let collected: Vec<_> = runtime.block_on(stream::iter(reads).buffer_unordered(AT_ONCE).collect());
    for (name, parameters, collected) in collected {
        let read = collected.map_err(|unreachable| unreachable.to_string()).map(|collected| {
            for problem in &collected.problems {
                complain(problem);
            }
            ReadCluster { inventory: collected.inventory, parameters, origin: None }
        });
        each(&name, read);
    }
    Ok(())
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
