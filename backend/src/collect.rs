//! Fills an inventory, from wherever a cluster is configured to be read.

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use rampart_checklist::{Inventory, Kind};
use rampart_cluster::{
    live::{self, CollectOptions, Connection, ConnectionError},
    snapshot::{self, Problem, ReadOptions, SnapshotInput},
};
use rampart_shared::{ResourceName, Source, api::KindReading};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// Reads one cluster.
pub trait Collector: Send + Sync + 'static {
    /// Where it reads from.
    fn source(&self) -> Source;

    /// Reads it now. What a part of the cluster refuses is a gap in the inventory; only a cluster of which
    /// nothing can be said is unreachable.
    fn collect<'a>(
        &'a self,
        started_at: DateTime<Utc>,
        progress: &'a (dyn Fn(Step) + Send + Sync),
    ) -> BoxFuture<'a, Result<Collected, Unreachable>>;
}

/// What a collector does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// In words.
    pub name: String,
    /// How many are done.
    pub done: u32,
    /// Of how many.
    pub total: u32,
}

/// What was read.
#[derive(Debug)]
pub struct Collected {
    /// All of it.
    pub inventory: Inventory,
    /// How much of each kind, and how long it took.
    pub kinds: Vec<KindReading>,
    /// The kinds that the cluster does not serve and need not serve.
    pub not_served: Vec<ResourceName>,
    /// Documents that could not be understood, with file and line.
    pub problems: Vec<String>,
}

/// Nothing can be said about the cluster: the cause, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreachable(pub String);

/// How the API server is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// By a context of a kubeconfig; none means the usual kubeconfig, and the current context.
    Context {
        /// The kubeconfig.
        kubeconfig: Option<PathBuf>,
        /// The context.
        context: Option<String>,
    },
    /// By the service account of the pod.
    InCluster,
}

impl Access {
    /// A connection to it.
    pub(crate) async fn connect(&self) -> Result<Connection, ConnectionError> {
        match self {
            Access::Context { kubeconfig, context } => {
                Connection::from_context(kubeconfig.as_deref(), context.as_deref()).await
            }
            Access::InCluster => Connection::in_cluster(),
        }
    }
}

/// Reads an API server.
#[derive(Debug, Clone)]
pub struct LiveCollector {
    /// How it is found. A kubeconfig is read anew each time, since credentials in it change.
    pub access: Access,
    /// What is read, and how.
    pub options: CollectOptions,
}

impl Collector for LiveCollector {
    fn source(&self) -> Source {
        Source::Live
    }

    fn collect<'a>(
        &'a self,
        started_at: DateTime<Utc>,
        progress: &'a (dyn Fn(Step) + Send + Sync),
    ) -> BoxFuture<'a, Result<Collected, Unreachable>> {
        Box::pin(async move {
            let connection = self.access.connect().await.map_err(|error| Unreachable(error.to_string()))?;
            let report =
                |at: live::Progress| progress(Step { name: at.step, done: at.done, total: at.total });
            let collected = live::collect(&connection, &self.options, started_at, report)
                .await
                .map_err(|error| Unreachable(error.to_string()))?;
            let besides = collected.besides.iter().map(asked_besides);
            let kinds = besides.chain(collected.read.into_iter().map(kind_read)).collect();
            let mut not_served: Vec<_> = collected.not_served.into_iter().map(Kind::name).collect();
            not_served.sort();
            Ok(Collected { inventory: collected.inventory, kinds, not_served, problems: Vec::new() })
        })
    }
}

fn kind_read(read: live::KindRead) -> KindReading {
    KindReading {
        kind: read.kind.name(),
        verb: read.verb.to_owned(),
        path: read.path,
        objects: read.objects,
        pages: read.pages,
        bytes: read.bytes,
        milliseconds: read.milliseconds,
        refused: read.refused,
    }
}

fn asked_besides(asked: &live::AskedBesides) -> KindReading {
    KindReading {
        kind: ResourceName::from(asked.name),
        verb: asked.verb.to_owned(),
        path: asked.path.to_owned(),
        objects: 0,
        pages: asked.requests,
        bytes: asked.bytes,
        milliseconds: asked.milliseconds,
        refused: false,
    }
}

/// How much longer than its own time-out a collector may take: for what happens before a connection is there, such
/// as a kubeconfig's command that asks for a token.
pub(crate) const SLACK: Duration = Duration::from_secs(10);

/// What is said of a cluster that was not read in time.
pub(crate) fn too_slow(timeout: Duration) -> Unreachable {
    let timeout = humantime::format_duration(timeout);
    Unreachable(format!(
        "Reading the cluster took longer than {timeout}. If it is only large or far away, set a longer timeout."
    ))
}

/// Reads files.
#[derive(Debug, Clone)]
pub struct SnapshotCollector {
    /// The folder, archive or file.
    pub path: PathBuf,
    /// Whether a kind that it lacks counts as empty.
    pub assume_complete: bool,
}

impl Collector for SnapshotCollector {
    fn source(&self) -> Source {
        Source::Snapshot
    }

    fn collect<'a>(
        &'a self,
        _started_at: DateTime<Utc>,
        progress: &'a (dyn Fn(Step) + Send + Sync),
    ) -> BoxFuture<'a, Result<Collected, Unreachable>> {
        Box::pin(async move {
            progress(Step { name: "reading files".to_owned(), done: 0, total: 1 });
            let SnapshotCollector { path, assume_complete } = self.clone();
            let read = tokio::task::spawn_blocking(move || read_snapshot(&path, assume_complete))
                .await
                .map_err(|_| Unreachable("reading the snapshot broke off; see the log".to_owned()))?;
            progress(Step { name: "reading files".to_owned(), done: 1, total: 1 });
            read
        })
    }
}

fn read_snapshot(path: &Path, assume_complete: bool) -> Result<Collected, Unreachable> {
    let unreachable = |error: snapshot::SnapshotError| Unreachable(error.to_string());
    let inputs = snapshot::inputs(&[path.to_path_buf()], None).map_err(unreachable)?;
    let Some(input) = inputs.first() else {
        return Err(Unreachable(format!("{} holds nothing to read", path.display())));
    };
    let (inventory, problems) = read_input(input, assume_complete).map_err(unreachable)?;
    let kinds = objects_by_kind(&inventory);
    let problems = problems.iter().map(Problem::to_string).collect();
    Ok(Collected { inventory, kinds, not_served: Vec::new(), problems })
}

/// Reads one snapshot as it was named on the command line or in the configuration.
pub(crate) fn read_input(
    input: &SnapshotInput,
    assume_complete: bool,
) -> Result<(Inventory, Vec<Problem>), snapshot::SnapshotError> {
    snapshot::read(input, &ReadOptions { assume_complete, ..ReadOptions::default() })
}

/// The same, with the places of the objects.
pub(crate) fn read_input_with_places(
    input: &SnapshotInput,
    assume_complete: bool,
) -> Result<snapshot::Snapshot, snapshot::SnapshotError> {
    snapshot::read_with_places(input, &ReadOptions { assume_complete, ..ReadOptions::default() })
}

/// How many objects of each kind an inventory holds, of the kinds that it holds any of.
fn objects_by_kind(inventory: &Inventory) -> Vec<KindReading> {
    let workloads = |kind: Kind| inventory.workloads().filter(|workload| workload.kind == kind).count();
    let count = |kind: Kind| match kind {
        Kind::Namespaces => inventory.namespaces.seen.len(),
        Kind::Nodes => inventory.nodes.seen.len(),
        Kind::Pods => inventory.pods.seen.len(),
        Kind::NetworkPolicies => inventory.network_policies.seen.len(),
        Kind::ServiceAccounts => inventory.service_accounts.seen.len(),
        Kind::Services => inventory.services.seen.len(),
        Kind::EndpointSlices => inventory.endpoint_slices.seen.len(),
        Kind::ConfigMaps => inventory.config_maps.seen.len(),
        Kind::Roles => inventory.roles.seen.len(),
        Kind::ClusterRoles => inventory.cluster_roles.seen.len(),
        Kind::RoleBindings => inventory.role_bindings.seen.len(),
        Kind::ClusterRoleBindings => inventory.cluster_role_bindings.seen.len(),
        Kind::KubeletConfigz => inventory.kubelet_configurations.seen.len(),
        Kind::ApiServerFlagz => usize::from(inventory.api_server_flags.seen.is_some()),
        Kind::ApiServerMetrics => usize::from(inventory.api_server_metrics.seen.is_some()),
        Kind::Deployments
        | Kind::ReplicaSets
        | Kind::StatefulSets
        | Kind::DaemonSets
        | Kind::Jobs
        | Kind::CronJobs => workloads(kind),
        kind => inventory.resources(kind).seen.len(),
    };
    Kind::ALL
        .into_iter()
        .map(|kind| (kind, count(kind)))
        .filter(|(_, objects)| *objects > 0)
        .map(|(kind, objects)| KindReading {
            kind: kind.name(),
            verb: String::new(),
            path: String::new(),
            objects: objects as u64,
            pages: 0,
            bytes: 0,
            milliseconds: 0,
            refused: false,
        })
        .collect()
}
