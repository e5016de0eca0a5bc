//! `rampart serve`: evaluates on a schedule, and serves the page and the API.

use super::{CommonArguments, reading};
use crate::{
    clock::{Clock, SystemClock},
    collect::{Access, LiveCollector, SLACK},
    config::{ClusterConfiguration, Configuration, ServeArguments, Settings},
    evaluation::Cluster,
    events::Events,
    fingerprint_key,
    http::{self, AllowedHosts, App},
    schedule::{Cadence, DueTimes, Scheduler},
};
use anyhow::{Context, anyhow, bail};
use rampart_checklist::{Parameters, credentials::FingerprintKey};
use rampart_cluster::live::{self, Connection};
use rampart_store::Store;
use std::{
    collections::BTreeMap,
    io::{self, ErrorKind},
    net::SocketAddr,
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long a running evaluation may take to end when Rampart stops.
const GRACE: Duration = Duration::from_secs(5);

/// How long open connections may take to end after that.
const CONNECTIONS: Duration = Duration::from_secs(2);

/// The file in the data folder.
const DATABASE: &str = "history.db";

pub(super) fn run(common: &CommonArguments, arguments: &ServeArguments) -> anyhow::Result<ExitCode> {
    let mut configuration = common.configuration("info")?;
    let settings = Settings::resolve(arguments, &configuration)?;
    if !settings.listen.ip().is_loopback() {
        bail!(
            "cannot listen on {}: Rampart has no sign-in yet, so it listens on loopback only. \
             Use --listen 127.0.0.1:PORT",
            settings.listen
        );
    }
    let key = fingerprint_key::of_folder(&settings.data_dir)
        .map_err(|error| anyhow!("{error}. Or choose another folder with --data-dir."))?;
    configuration.use_fingerprint_key(&key);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start")?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        tokio::spawn(stop_on_signal(stop.clone()));
        let ready = tokio::select! {
            // Signals count from the first moment; what is not served yet has nothing to wind up.
            () = stop.cancelled() => return Ok(()),
            ready = prepare(&configuration, &settings, arguments.demo.then_some(&key), stop.clone()) => ready?,
        };
        ready.serve(stop).await
    })?;
    // A read of a snapshot that goes on in a thread of its own cannot be interrupted.
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(ExitCode::SUCCESS)
}

/// Everything is there, and nobody is answered yet.
struct Ready {
    listener: TcpListener,
    address: SocketAddr,
    app: App,
}

async fn prepare(
    configuration: &Configuration,
    settings: &Settings,
    demo: Option<&FingerprintKey>,
    stop: CancellationToken,
) -> anyhow::Result<Ready> {
    // Before anything is written or takes long.
    let listener =
        TcpListener::bind(settings.listen).await.map_err(|error| cannot_listen(&error, settings.listen))?;
    let address = listener.local_addr().context("cannot find out the address to listen on")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let (store, clusters, advice) = if let Some(key) = demo {
        let (store, clusters) = crate::demo::prepare(&settings.data_dir, DATABASE, clock.now(), key).await?;
        (store, clusters, None)
    } else {
        let (clusters, advice) = clusters(configuration, settings);
        (Store::open(&settings.data_dir.join(DATABASE)).await?, clusters, advice)
    };
    let events = Events::default();
    let scheduler =
        Scheduler::new(clusters, store.clone(), Arc::clone(&clock), events.clone(), settings.concurrency)
            .await?;
    let allowed_hosts = Arc::new(AllowedHosts::new(address, &settings.allowed_hosts));
    let advice = advice.map(Arc::from);
    // The demo's clusters are not those of the configuration.
    let own = configuration.clusters.iter().filter(|_| demo.is_none());
    let dry_run_access = own
        .filter_map(|cluster| Some((cluster.name.clone(), cluster.remediation_dry_run.clone()?)))
        .collect();
    let app = App {
        store,
        scheduler,
        clock,
        events,
        allowed_hosts,
        dry_run_access: Arc::new(dry_run_access),
        account: account().into(),
        advice,
        stop,
    };
    Ok(Ready { listener, address, app })
}

impl Ready {
    /// Answers until it is told to stop, then winds up.
    async fn serve(self, stop: CancellationToken) -> anyhow::Result<()> {
        let Ready { listener, address, app } = self;
        let (scheduler, store) = (app.scheduler.clone(), app.store.clone());
        let scheduling = tokio::spawn({
            let scheduler = scheduler.clone();
            async move { scheduler.run().await }
        });
        let serving = axum::serve(listener, http::router(app))
            .with_graceful_shutdown({
                let stop = stop.clone();
                async move { stop.cancelled().await }
            })
            .into_future();
        let mut serving = tokio::spawn(serving);
        super::print(&format!("Rampart is ready at http://{address}\n"))?;

        let broke_off = tokio::select! {
            // First, as the server ends because of it too.
            biased;
            () = stop.cancelled() => None,
            ended = &mut serving => Some(ended),
        };
        stop.cancel();
        tracing::info!("stopping");
        scheduler.stop(GRACE).await;
        scheduling.abort();
        if broke_off.is_none() {
            let _ended_or_dropped = tokio::time::timeout(CONNECTIONS, serving).await;
        }
        store.close().await;
        match broke_off {
            Some(ended) => ended.context("the server broke off")?.context("the server cannot go on"),
            None => Ok(()),
        }
    }
}

fn cannot_listen(error: &io::Error, listen: SocketAddr) -> anyhow::Error {
    let what_to_do = match error.kind() {
        ErrorKind::AddrInUse => {
            "another program listens there. Stop it, or choose another port with --listen; port 0 picks a free one"
        }
        ErrorKind::PermissionDenied => "this user may not. Choose a port above 1023 with --listen",
        _ => "choose another address with --listen",
    };
    anyhow::anyhow!("cannot listen on {listen} ({error}): {what_to_do}")
}

/// The clusters of the configuration, or the one that is at hand, or what to do when there is none.
fn clusters(configuration: &Configuration, settings: &Settings) -> (Vec<Cluster>, Option<String>) {
    if !configuration.clusters.is_empty() {
        let clusters = configuration.clusters.iter().map(|cluster| configured(cluster, settings)).collect();
        return (clusters, None);
    }
    let parameters = &configuration.parameters;
    if Connection::is_in_cluster() {
        return (vec![at_hand("in-cluster", Access::InCluster, parameters, settings)], None);
    }
    let kubeconfig = settings.reading.kubeconfig.clone();
    let how = "Add a [[cluster]] to rampart.toml, or run Rampart where kubectl works; then start it again.";
    match live::contexts(kubeconfig.as_deref()) {
        Ok(live::Contexts { current: Some(context), .. }) => {
            let access = Access::Context { kubeconfig, context: Some(context.clone()) };
            (vec![at_hand(&context, access, parameters, settings)], None)
        }
        Ok(_) => (
            Vec::new(),
            Some(format!("There is no cluster yet: the kubeconfig has no current context. {how}")),
        ),
        Err(error) => {
            tracing::warn!("there is no cluster: {error}");
            (Vec::new(), Some(format!("There is no cluster yet: {error} {how}")))
        }
    }
}

fn configured(cluster: &ClusterConfiguration, settings: &Settings) -> Cluster {
    let cadence = cluster.cadence.clone().unwrap_or_else(|| Cadence::Every(settings.interval.duration()));
    Cluster {
        name: cluster.name.clone(),
        labels: cluster.labels.clone(),
        collector: reading::collector_of(cluster, &settings.reading),
        due_times: DueTimes::new(cadence, &cluster.name),
        timeout: settings.reading.of(cluster).timeout.duration() + SLACK,
        parameters: cluster.parameters.clone(),
    }
}

/// A cluster that nobody configured.
fn at_hand(name: &str, access: Access, parameters: &Parameters, settings: &Settings) -> Cluster {
    let timeout = settings.reading.timeout.duration();
    let cadence = Cadence::Every(settings.interval.duration());
    Cluster {
        name: name.to_owned(),
        labels: BTreeMap::new(),
        collector: Arc::new(LiveCollector { access, options: settings.reading.collect_options(parameters) }),
        due_times: DueTimes::new(cadence, name),
        timeout: timeout + SLACK,
        parameters: parameters.clone(),
    }
}

/// The first signal stops in good order, a second one at once.
async fn stop_on_signal(stop: CancellationToken) {
    signal().await;
    stop.cancel();
    signal().await;
    std::process::exit(130);
}

/// The login name of the account that Rampart runs as.
fn account() -> String {
    let named = ["USER", "LOGNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    named
        .map(|name| name.trim().to_owned())
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(unix)]
async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(error) => {
                tracing::warn!("cannot listen for SIGTERM: {error}");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn signal() {
    let _stops_either_way = tokio::signal::ctrl_c().await;
}
