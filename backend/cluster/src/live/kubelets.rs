//! The effective configuration of each kubelet, through the API server's node proxy.

use super::get::{Bounds, Failure, Server};
use super::list::KindRead;
use super::{CollectOptions, KubeletReading};
use crate::malformed;
use futures::StreamExt;
use futures::stream;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use rampart_checklist::inventory::{KubeletConfiguration, Node};
use rampart_checklist::{Inventory, Kind, rbac};
use rampart_shared::{Gap, GapReason};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Where the API server is asked what the account may do. It stores nothing of it.
pub(super) const ACCESS_REVIEWS: &str = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
/// A configuration is a few KiB.
const MAX_BYTES: usize = 1 << 20;
const DANGER: &str = "Grant get on nodes/proxy to Rampart's account. Careful: that grant also lets its holder run \
                      commands in every container of every node.";

/// Reads the kubelets of the nodes that are Ready. Nodes that are gone meanwhile leave the inventory.
///
/// # Errors
/// When the credentials are no longer accepted.
pub(super) async fn read_kubelets(
    server: &Server,
    inventory: &mut Inventory,
    options: &CollectOptions,
    progress: impl Fn(usize, usize) + Send,
) -> Result<Option<KindRead>, Failure> {
    if options.kubelets == KubeletReading::Off {
        let gap = Gap::new(
            Kind::KubeletConfigz.name(),
            GapReason::NotCollected,
            "reading kubelets is switched off",
        )
        .closed_by("Evaluate with --kubelets auto or --kubelets proxy.");
        inventory.add_gap(Kind::KubeletConfigz, gap);
        return Ok(None);
    }
    if let Some(gap) = inventory.nodes.gaps.iter().find(|gap| gap.objects.is_empty()) {
        let detail = format!("the nodes were not listed whole: {}", gap.detail);
        let gap = Gap { detail, kind: Kind::KubeletConfigz.name(), reason: GapReason::Failed, ..gap.clone() };
        inventory.add_gap(Kind::KubeletConfigz, gap);
    }
    let names: Vec<String> = inventory
        .nodes
        .seen
        .iter()
        .filter(|node| node.ready && !node.is_virtual())
        .map(|node| node.meta.name.clone())
        .collect();
    if names.is_empty() {
        return Ok(None);
    }
    let bounds = Bounds { bytes: MAX_BYTES, time: options.request_timeout };
    if options.kubelets == KubeletReading::Auto
        && let Some(gap) = not_allowed(server, bounds).await?
    {
        let refused = gap.reason == GapReason::Forbidden;
        inventory.add_gap(Kind::KubeletConfigz, gap);
        return Ok(Some(KindRead { refused, ..nothing_read() }));
    }

    let started = Instant::now();
    let count = names.len();
    let bounds = Bounds { bytes: MAX_BYTES, time: options.kubelet_timeout };
    let mut read = nothing_read();
    let mut failures: BTreeMap<(GapReason, String), Vec<String>> = BTreeMap::new();
    let mut answers = stream::iter(names)
        .map(|name| async move {
            let answer = read_kubelet(server, &name, bounds).await;
            (name, answer)
        })
        .buffer_unordered(options.kubelet_concurrency.max(1));
    let mut done = 0;
    while let Some((name, answer)) = answers.next().await {
        match answer {
            Ok(Some((configuration, bytes))) => {
                read.objects += 1;
                read.pages += 1;
                read.bytes += bytes;
                inventory.insert_kubelet(name, configuration);
            }
            Ok(None) => inventory.nodes.seen.retain(|node: &Node| node.meta.name != name),
            Err(failure @ Failure::Unauthorized(_)) => return Err(failure),
            Err(failure) => {
                // The same words for every node make one gap.
                let words = failure.to_string().replace(&format!("\"{name}\""), "of that name");
                failures.entry((reason(&failure), words)).or_default().push(name);
            }
        }
        done += 1;
        progress(done, count);
    }
    for ((reason, detail), mut nodes) in failures {
        nodes.sort();
        let mut gap = Gap::new(Kind::KubeletConfigz.name(), reason, detail).for_objects(nodes);
        if reason == GapReason::Forbidden {
            read.refused = true;
            gap.rule = Some(rbac::node_proxy());
            gap = gap.closed_by(DANGER);
        }
        inventory.add_gap(Kind::KubeletConfigz, gap);
    }
    read.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(nodes = count, read = read.objects, "read kubelets");
    Ok(Some(read))
}

fn nothing_read() -> KindRead {
    KindRead {
        kind: Kind::KubeletConfigz,
        verb: "get",
        path: "/api/v1/nodes/NODE/proxy/configz".to_owned(),
        objects: 0,
        pages: 0,
        bytes: 0,
        milliseconds: 0,
        refused: false,
    }
}

/// A kubelet's 404 is no absent kind: the node is there and does not serve its configuration.
fn reason(failure: &Failure) -> GapReason {
    match failure.reason() {
        GapReason::NotServed => GapReason::Failed,
        reason => reason,
    }
}

/// Asks whether the proxy may be used; the gap where it may not, or where that is not known.
async fn not_allowed(server: &Server, bounds: Bounds) -> Result<Option<Gap>, Failure> {
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(ResourceAttributes {
                verb: Some("get".to_owned()),
                resource: Some("nodes".to_owned()),
                subresource: Some("proxy".to_owned()),
                ..ResourceAttributes::default()
            }),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let gap = |reason, detail: String| {
        let mut gap = Gap::new(Kind::KubeletConfigz.name(), reason, detail).closed_by(DANGER);
        gap.rule = Some(rbac::node_proxy());
        Some(gap)
    };
    let document =
        serde_json::to_vec(&review).map_err(|error| Failure::Malformed(malformed::json(&error)))?;
    let answer = match server.post(ACCESS_REVIEWS, document, bounds).await {
        Ok(answer) => answer,
        Err(failure @ Failure::Unauthorized(_)) => return Err(failure),
        Err(failure) => {
            let detail = format!("whether kubelets may be read could not be asked: {failure}");
            return Ok(gap(reason(&failure), detail));
        }
    };
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    match answer.pointer("/status/allowed").and_then(Value::as_bool) {
        Some(true) => Ok(None),
        Some(false) => Ok(gap(
            GapReason::Forbidden,
            "the account may not get nodes/proxy, through which kubelets' configuration is read".to_owned(),
        )),
        None => Ok(gap(GapReason::Failed, "the answer to an access review says nothing".to_owned())),
    }
}

/// One kubelet's configuration and its size; none when the node is gone.
async fn read_kubelet(
    server: &Server,
    node: &str,
    bounds: Bounds,
) -> Result<Option<(KubeletConfiguration, u64)>, Failure> {
    // The name becomes part of a path.
    if node.is_empty()
        || !node.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))
        || node.contains("..")
    {
        return Err(Failure::Malformed("the node has a name that is none".to_owned()));
    }
    match server.get(&format!("/api/v1/nodes/{node}/proxy/configz"), bounds).await {
        Ok(body) => configuration(&body).map(|found| Some((found, body.len() as u64))),
        Err(Failure::NotFound(words)) => match is_gone(server, node, bounds).await {
            Ok(true) => Ok(None),
            Err(failure @ Failure::Unauthorized(_)) => Err(failure),
            _ => Err(Failure::NotFound(format!(
                "the kubelet does not serve /configz, as with enableDebuggingHandlers: false: {words}"
            ))),
        },
        // The proxy hands on what the kubelet answers: this is about the API server's credentials, not about ours.
        Err(Failure::Unauthorized(words)) => Err(refused_by_kubelet(401, &words)),
        Err(Failure::Forbidden(words)) if words.starts_with("Forbidden (user=") => {
            Err(refused_by_kubelet(403, &words))
        }
        Err(failure) => Err(failure),
    }
}

fn refused_by_kubelet(code: u16, words: &str) -> Failure {
    let words = format!("the kubelet does not let the API server in: {words}");
    Failure::Status { code, words, retry_after: None }
}

/// Lists the one node, so that `list` stays the only grant on nodes.
async fn is_gone(server: &Server, node: &str, bounds: Bounds) -> Result<bool, Failure> {
    let path = format!("/api/v1/nodes?limit=1&fieldSelector=metadata.name%3D{node}");
    let list: Value = serde_json::from_slice(&server.get(&path, bounds).await?)
        .map_err(|error| Failure::Malformed(malformed::json(&error)))?;
    // Go writes an empty list as null.
    let is_empty = |items: &Value| items.is_null() || items.as_array().is_some_and(Vec::is_empty);
    Ok(list.get("kind").and_then(Value::as_str) == Some("NodeList")
        && list.get("items").is_some_and(is_empty))
}

#[derive(Deserialize)]
struct Configz {
    kubeletconfig: KubeletConfiguration,
}

fn configuration(body: &[u8]) -> Result<KubeletConfiguration, Failure> {
    let configz: Configz =
        serde_json::from_slice(body).map_err(|error| Failure::Malformed(malformed::json(&error)))?;
    Ok(configz.kubeletconfig)
}
