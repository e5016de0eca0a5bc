//! A whole cluster.

use super::admission_probe::{Probed, probe};
use super::control_plane::read_control_plane;
use super::discovery::{Discovery, discover};
use super::get::{Bounds, Failure, Server};
use super::kubelets::{ACCESS_REVIEWS, read_kubelets};
use super::list::{KindRead, Listed, list};
use super::{CollectOptions, Connection, Progress, Unreachable};
use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use rampart_checklist::{Inventory, Kind};
use rampart_shared::{Gap, GapReason, Source};
use std::collections::{BTreeMap, BTreeSet};
use tokio::time::Instant;

/// What is read of the API server itself.
const CONTROL_PLANE: [Kind; 2] = [Kind::ApiServerFlagz, Kind::ApiServerMetrics];
const VERSION: &str = "/version";

/// What was read of a cluster.
#[derive(Debug)]
pub struct Collected {
    /// What was seen, and what was not.
    pub inventory: Inventory,
    /// How reading each kind went.
    pub read: Vec<KindRead>,
    /// What was asked besides, about no kind that items read.
    pub besides: Vec<AskedBesides>,
    /// The kinds that were to be read and that the cluster does without.
    pub not_served: Vec<Kind>,
    /// The objects as an archive keeps them, where [`CollectOptions::record`] asks for it.
    pub recorded: BTreeMap<Kind, Vec<String>>,
}

/// Questions that are about no kind that items read: what there is, and what the account may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedBesides {
    /// What it was about.
    pub name: &'static str,
    /// The verb.
    pub verb: &'static str,
    /// The paths.
    pub path: &'static str,
    /// Requests, repeated ones too.
    pub requests: u32,
    /// Bytes of the answers.
    pub bytes: u64,
    /// How long it took, where that was measured.
    pub milliseconds: u64,
}

/// Reads a cluster.
///
/// # Errors
/// When nothing can be known of it: no connection, no trust, no accepted credentials, no discovery. Everything else is
/// a gap of its kind.
pub async fn collect(
    connection: &Connection,
    options: &CollectOptions,
    started_at: DateTime<Utc>,
    progress: impl Fn(Progress) + Send + Sync,
) -> Result<Collected, Unreachable> {
    let server = Server::new(connection.client.clone(), options.retry, options.timeout);
    let started = Instant::now();
    let mut kinds = options.kinds.clone();
    // The UID of `kube-system` is the cluster's identity.
    kinds.insert(Kind::Namespaces);
    let lists: Vec<Kind> = kinds.iter().copied().filter(|kind| kind.is_listed()).collect();
    let mut steps = Steps { done: 0, total: 1, progress: &progress };
    steps.total += u32::try_from(lists.len()).unwrap_or(u32::MAX);
    steps.total += u32::from(kinds.contains(&Kind::KubeletConfigz));
    steps.total += u32::from(CONTROL_PLANE.iter().any(|kind| kinds.contains(kind)));

    let unreachable =
        |path: &str, failure: &Failure| Unreachable::of(connection.address(), path, options.timeout, failure);
    steps.begin("discovery");
    let bounds = Bounds { bytes: options.max_page_bytes, time: options.request_timeout };
    let Discovery { version, mut served, unserved, policy_gaps } = discover(&server, &kinds, options, bounds)
        .await
        .map_err(|undiscovered| unreachable(&undiscovered.path, &undiscovered.failure))?;
    steps.end("discovery");
    let mut besides = vec![AskedBesides {
        milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        ..asked_besides(
            "discovery",
            "get",
            "/version, /api/v1, /apis, /apis/GROUP/VERSION",
            server.reads.now(),
        )
    }];

    let mut inventory = Inventory::empty(Source::Live);
    inventory.collected_at = Some(started_at);
    inventory.version = Some(version);
    for gap in policy_gaps {
        inventory.add_gap(Kind::OtherPolicyKinds, gap);
    }
    let parameters = options.admission_probe.as_ref().filter(|_| kinds.contains(&Kind::AdmissionProbe));
    if parameters.is_none() {
        kinds.remove(&Kind::AdmissionProbe);
    }
    steps.total += u32::from(parameters.is_some());
    for kind in not_asked_for(&kinds) {
        let gap = Gap::new(kind.name(), GapReason::NotCollected, "nothing asked for it");
        inventory.add_gap(kind, gap);
    }

    let mut read = Vec::new();
    let mut recorded = BTreeMap::new();
    for (kind, gap) in unserved {
        inventory.add_gap(kind, gap);
    }
    // What is neither served nor a gap is a custom resource that this cluster does without: there are none.
    let mut targets = Vec::new();
    let mut not_served = Vec::new();
    for kind in lists {
        match served.remove(&kind) {
            Some(resources) => targets.push((kind, resources)),
            None => {
                not_served.push(kind);
                steps.end(kind.name().as_str());
            }
        }
    }
    // The others have gaps that say why, or their objects are read under another group.
    let read_elsewhere = |kind: &Kind| {
        kind.same_objects()
            .is_some_and(|pair| targets.iter().any(|(read, _)| pair.0 == *read || pair.1 == *read))
    };
    not_served.retain(|kind| inventory.gaps(*kind).is_empty() && !read_elsewhere(kind));
    let mut listed = stream::iter(targets)
        .map(|(kind, resources)| list(&server, kind, resources, options))
        .buffer_unordered(options.list_concurrency.max(1));
    while let Some(listed) = listed.next().await {
        let Listed { read: how, objects, recorded: kept, gaps } =
            listed.map_err(|failure| unreachable("lists", &failure))?;
        for object in objects {
            inventory.insert(object);
        }
        recorded.insert(how.kind, kept);
        for gap in gaps {
            inventory.add_gap(how.kind, gap);
        }
        steps.end(how.kind.name().as_str());
        read.push(how);
    }
    drop(listed);

    if kinds.contains(&Kind::KubeletConfigz) {
        let how = read_kubelets(&server, &mut inventory, options, |done, of| {
            steps.begin(&format!("{} {done} of {of}", Kind::KubeletConfigz.resource()));
        })
        .await
        .map_err(|failure| unreachable("node proxy", &failure))?;
        steps.end(Kind::KubeletConfigz.resource());
        read.extend(how);
    }
    if CONTROL_PLANE.iter().any(|kind| kinds.contains(kind)) {
        let how = read_control_plane(&server, &mut inventory, options)
            .await
            .map_err(|failure| unreachable("/flagz", &failure))?;
        steps.end("kube-apiserver");
        read.extend(how);
    }
    if let Some(parameters) = parameters {
        steps.begin(Kind::AdmissionProbe.resource());
        let Probed { read: how, answers, gaps } =
            probe(&server, &inventory, parameters, options.request_timeout)
                .await
                .map_err(|failure| unreachable("admission probe", &failure))?;
        inventory.admission_probe.seen = answers;
        for gap in gaps {
            inventory.add_gap(Kind::AdmissionProbe, gap);
        }
        steps.end(Kind::AdmissionProbe.resource());
        read.push(how);
    }
    // A server that went away in the middle answered for nothing: what was not read then is no gap of a kind.
    if inventory.all_gaps().any(|gap| gap.reason == GapReason::Failed)
        && let Err(failure @ Failure::Broken(_)) = server.get(VERSION, bounds).await
    {
        return Err(unreachable(VERSION, &failure));
    }
    const TOKEN: &str = "/api/v1/namespaces/NAMESPACE/serviceaccounts/NAME/token";
    for (name, path, sent) in [
        ("selfsubjectaccessreviews.authorization.k8s.io", ACCESS_REVIEWS, server.reviews.now()),
        ("serviceaccounts/token", TOKEN, server.tokens.now()),
    ] {
        if sent.0 > 0 {
            besides.push(asked_besides(name, "create", path, sent));
        }
    }
    read.sort_by_key(|how| how.kind);
    drop_gone_nodes(&inventory, &mut recorded);
    Ok(Collected { inventory, read, besides, not_served, recorded })
}

fn asked_besides(
    name: &'static str,
    verb: &'static str,
    path: &'static str,
    (requests, bytes): (u32, u64),
) -> AskedBesides {
    AskedBesides { name, verb, path, requests, bytes, milliseconds: 0 }
}

/// What nothing asked for was not seen; it is not absent.
fn not_asked_for(kinds: &BTreeSet<Kind>) -> impl Iterator<Item = Kind> {
    // Other policy kinds are known from discovery, which is always read.
    Kind::ALL.into_iter().filter(|kind| *kind != Kind::OtherPolicyKinds && !kinds.contains(kind))
}

/// Nodes that were gone when their kubelets were asked left the inventory.
fn drop_gone_nodes(inventory: &Inventory, recorded: &mut BTreeMap<Kind, Vec<String>>) {
    #[derive(serde::Deserialize)]
    struct Named {
        metadata: Name,
    }
    #[derive(serde::Deserialize)]
    struct Name {
        name: String,
    }
    let there: BTreeSet<&str> = inventory.nodes.seen.iter().map(|node| node.meta.name.as_str()).collect();
    if let Some(nodes) = recorded.get_mut(&Kind::Nodes) {
        nodes.retain(|node| {
            serde_json::from_str::<Named>(node).is_ok_and(|node| there.contains(node.metadata.name.as_str()))
        });
    }
}

/// Counts steps and tells of them.
struct Steps<'a, F> {
    done: u32,
    total: u32,
    progress: &'a F,
}

impl<F: Fn(Progress)> Steps<'_, F> {
    fn begin(&self, step: &str) {
        (self.progress)(Progress { step: step.to_owned(), done: self.done, total: self.total });
    }

    fn end(&mut self, step: &str) {
        self.done += 1;
        self.begin(step);
    }
}
