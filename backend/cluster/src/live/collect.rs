//! A whole cluster.

use super::discovery::{Discovery, discover};
use super::get::{Bounds, Failure, Server};
use super::kubelets::read_kubelets;
use super::list::{KindRead, Listed, list};
use super::{CollectOptions, Connection, Progress, Unreachable};
use crate::malformed;
use chrono::{DateTime, Utc};
use futures::{StreamExt, stream};
use rampart_checklist::{Inventory, Kind, Object};
use rampart_shared::{Gap, GapReason, Source};
use std::collections::BTreeSet;
use tokio::time::Instant;

const KUBELET_CONFIG_MAP: &str = "/api/v1/namespaces/kube-system/configmaps/kubelet-config";
const VERSION: &str = "/version";
/// The API server takes no ConfigMap larger than 1 MiB.
const MAX_CONFIG_MAP_BYTES: usize = 4 << 20;

/// What was read of a cluster.
#[derive(Debug)]
pub struct Collected {
    /// What was seen, and what was not.
    pub inventory: Inventory,
    /// How reading each kind went.
    pub read: Vec<KindRead>,
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
    let server = Server {
        client: connection.client.clone(),
        retry: options.retry,
        deadline: Instant::now() + options.timeout,
    };
    let mut kinds = options.kinds.clone();
    // The UID of `kube-system` is the cluster's identity.
    kinds.insert(Kind::Namespaces);
    let lists: Vec<Kind> = kinds.iter().copied().filter(|kind| kind.is_listed()).collect();
    let mut steps = Steps { done: 0, total: 1, progress: &progress };
    steps.total += u32::try_from(lists.len()).unwrap_or(u32::MAX);
    steps.total += u32::from(kinds.contains(&Kind::KubeletConfigMap));
    steps.total += u32::from(kinds.contains(&Kind::KubeletConfigz));

    let unreachable =
        |path: &str, failure: &Failure| Unreachable::of(connection.address(), path, options.timeout, failure);
    steps.begin("discovery");
    let bounds = Bounds { bytes: options.max_page_bytes, time: options.request_timeout };
    let Discovery { version, unserved, policy_gaps } = discover(&server, &kinds, bounds)
        .await
        .map_err(|undiscovered| unreachable(&undiscovered.path, &undiscovered.failure))?;
    steps.end("discovery");

    let mut inventory = Inventory::empty(Source::Live);
    inventory.collected_at = Some(started_at);
    inventory.version = Some(version);
    for gap in policy_gaps {
        inventory.add_gap(Kind::OtherPolicyKinds, gap);
    }
    for kind in not_asked_for(&kinds) {
        let gap = Gap::new(kind.name(), GapReason::NotCollected, "nothing asked for it");
        inventory.add_gap(kind, gap);
    }

    let mut read = Vec::new();
    let (served, absent): (Vec<Kind>, Vec<Kind>) =
        lists.into_iter().partition(|kind| !unserved.contains_key(kind));
    for kind in absent {
        if let Some(gap) = unserved.get(&kind) {
            inventory.add_gap(kind, gap.clone());
        }
        steps.end(kind.resource());
    }
    let mut listed = stream::iter(served)
        .map(|kind| list(&server, kind, options))
        .buffer_unordered(options.list_concurrency.max(1));
    while let Some(listed) = listed.next().await {
        let Listed { read: how, objects, gaps } = listed.map_err(|failure| unreachable("lists", &failure))?;
        for object in objects {
            inventory.insert(object);
        }
        for gap in gaps {
            inventory.add_gap(how.kind, gap);
        }
        steps.end(how.kind.resource());
        read.push(how);
    }
    drop(listed);

    if kinds.contains(&Kind::KubeletConfigMap) {
        let how = read_config_map(&server, &mut inventory, options)
            .await
            .map_err(|failure| unreachable(KUBELET_CONFIG_MAP, &failure))?;
        steps.end(Kind::KubeletConfigMap.resource());
        read.push(how);
    }
    if kinds.contains(&Kind::KubeletConfigz) {
        let how = read_kubelets(&server, &mut inventory, options, |done, of| {
            steps.begin(&format!("{} {done} of {of}", Kind::KubeletConfigz.resource()));
        })
        .await
        .map_err(|failure| unreachable("node proxy", &failure))?;
        steps.end(Kind::KubeletConfigz.resource());
        read.extend(how);
    }
    // A server that went away in the middle answered for nothing: what was not read then is no gap of a kind.
    if inventory.all_gaps().any(|gap| gap.reason == GapReason::Failed)
        && let Err(failure @ Failure::Broken(_)) = server.get(VERSION, bounds).await
    {
        return Err(unreachable(VERSION, &failure));
    }
    read.sort_by_key(|how| how.kind);
    Ok(Collected { inventory, read })
}

/// What nothing asked for was not seen; it is not absent.
fn not_asked_for(kinds: &BTreeSet<Kind>) -> impl Iterator<Item = Kind> {
    // Other policy kinds are known from discovery, which is always read.
    Kind::ALL.into_iter().filter(|kind| *kind != Kind::OtherPolicyKinds && !kinds.contains(kind))
}

/// A cluster without the ConfigMap, as one that kubeadm did not make, has none: that is a fact.
async fn read_config_map(
    server: &Server,
    inventory: &mut Inventory,
    options: &CollectOptions,
) -> Result<KindRead, Failure> {
    let kind = Kind::KubeletConfigMap;
    let started = Instant::now();
    let bounds = Bounds { bytes: MAX_CONFIG_MAP_BYTES, time: options.request_timeout };
    let mut read = KindRead { kind, objects: 0, pages: 1, bytes: 0, milliseconds: 0, refused: false };
    match server.get(KUBELET_CONFIG_MAP, bounds).await {
        Ok(body) => {
            read.bytes = body.len() as u64;
            match Object::deserialize(kind, "", &mut serde_json::Deserializer::from_slice(&body)) {
                Ok(object) => {
                    read.objects = 1;
                    inventory.insert(object);
                }
                Err(error) => {
                    let failure = Failure::Malformed(malformed::json(&error));
                    inventory.add_gap(kind, failure.gap(kind));
                }
            }
        }
        Err(Failure::NotFound(_)) => {}
        Err(failure @ Failure::Unauthorized(_)) => return Err(failure),
        Err(failure) => {
            read.refused = matches!(failure, Failure::Forbidden(_));
            inventory.add_gap(kind, failure.gap(kind));
        }
    }
    read.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(read)
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
