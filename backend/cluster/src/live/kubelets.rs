//! The effective configuration of each kubelet, directly or through the API server's node proxy.

use super::direct::Direct;
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
use rampart_shared::{Gap, GapReason, PolicyRule};
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
        .closed_by("Evaluate with --kubelets direct or --kubelets proxy, with the grants that `rampart rbac --kubelets direct` or \
             `rampart rbac --kubelets proxy` prints.");
        inventory.add_gap(Kind::KubeletConfigz, gap);
        return Ok(None);
    }
    if let Some(gap) = inventory.nodes.gaps.iter().find(|gap| gap.objects.is_empty()) {
        let detail = format!("the nodes were not listed whole: {}", gap.detail);
        let gap = Gap { detail, kind: Kind::KubeletConfigz.name(), reason: GapReason::Failed, ..gap.clone() };
        inventory.add_gap(Kind::KubeletConfigz, gap);
    }
    let nodes: Vec<Node> =
        inventory.nodes.seen.iter().filter(|node| node.ready && !node.is_virtual()).cloned().collect();
    if nodes.is_empty() {
        return Ok(None);
    }
    let bounds = Bounds { bytes: MAX_BYTES, time: options.request_timeout };
    let account = options.kubelet_service_account.clone();
    let way = match (options.kubelets, account) {
        (KubeletReading::Direct, account) => {
            Way::Direct(Box::new(Direct::begin(server, account.unwrap_or_default(), options).await?))
        }
        (KubeletReading::Auto, Some(account)) => {
            Way::Direct(Box::new(Direct::begin(server, account, options).await?))
        }
        (KubeletReading::Auto, None) => {
            if let Some(gap) = not_allowed(server, bounds).await? {
                let refused = gap.reason == GapReason::Forbidden;
                inventory.add_gap(Kind::KubeletConfigz, gap);
                return Ok(Some(KindRead { refused, ..nothing_read() }));
            }
            Way::Proxy
        }
        (KubeletReading::Proxy | KubeletReading::Off, _) => Way::Proxy,
    };

    let started = Instant::now();
    let count = nodes.len();
    let bounds = Bounds { bytes: MAX_BYTES, time: options.kubelet_timeout };
    let mut read = nothing_read();
    let mut unread: BTreeMap<Unread, Vec<String>> = BTreeMap::new();
    if let Way::Direct(_) = &way {
        read.path = "https://NODE/configz".to_owned();
    }
    let way = &way;
    let mut answers = stream::iter(nodes)
        .map(|node| async move {
            let answer = match way {
                Way::Proxy => read_through_proxy(server, &node.meta.name, bounds).await,
                Way::Direct(direct) => direct.read(server, &node, bounds).await,
            };
            (node.meta.name, answer)
        })
        .buffer_unordered(options.kubelet_concurrency.max(1));
    let mut done = 0;
    while let Some((name, answer)) = answers.next().await {
        let Answer { anonymous, configuration } = answer?;
        if let Some(anonymous) = anonymous {
            inventory.kubelet_anonymous.insert(name.clone(), anonymous);
        }
        match configuration {
            Configuration::Read(configuration, bytes) => {
                read.objects += 1;
                read.pages += 1;
                read.bytes += bytes;
                inventory.insert_kubelet(name, *configuration);
            }
            Configuration::NodeIsGone => {
                inventory.nodes.seen.retain(|node: &Node| node.meta.name != name);
                inventory.kubelet_anonymous.remove(&name);
            }
            Configuration::Unread(mut cause) => {
                // The same words for every node make one gap.
                cause.detail = cause.detail.replace(&format!("\"{name}\""), "of that name");
                unread.entry(cause).or_default().push(name);
            }
        }
        done += 1;
        progress(done, count);
    }
    for (cause, mut nodes) in unread {
        nodes.sort();
        read.refused |= cause.reason == GapReason::Forbidden;
        let mut gap = Gap::new(Kind::KubeletConfigz.name(), cause.reason, cause.detail).for_objects(nodes);
        gap.rule = cause.rule;
        inventory.add_gap(Kind::KubeletConfigz, gap.closed_by(cause.closed_by));
    }
    read.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(nodes = count, read = read.objects, "read kubelets");
    Ok(Some(read))
}

/// The way that was decided for.
enum Way {
    Proxy,
    Direct(Box<Direct>),
}

/// What came of one kubelet.
pub(super) struct Answer {
    /// Whether it let in a request without credentials, where one was sent and the answer says so.
    pub(super) anonymous: Option<bool>,
    /// Its configuration.
    pub(super) configuration: Configuration,
}

/// What came of asking for a kubelet's configuration.
pub(super) enum Configuration {
    /// It, and its size.
    Read(Box<KubeletConfiguration>, u64),
    /// Its node is not there any more.
    NodeIsGone,
    /// It was not read.
    Unread(Unread),
}

/// Why a kubelet's configuration was not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unread {
    pub(super) reason: GapReason,
    pub(super) detail: String,
    pub(super) closed_by: String,
    pub(super) rule: Option<PolicyRule>,
}

impl Unread {
    /// Nothing but trying again closes it.
    pub(super) fn because(failure: &Failure) -> Unread {
        Unread { reason: reason(failure), detail: failure.to_string(), closed_by: String::new(), rule: None }
    }
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

async fn read_through_proxy(server: &Server, node: &str, bounds: Bounds) -> Result<Answer, Failure> {
    let configuration = match get_through_proxy(server, node, bounds).await {
        Ok(Some((configuration, bytes))) => Configuration::Read(Box::new(configuration), bytes),
        Ok(None) => Configuration::NodeIsGone,
        Err(failure @ Failure::Unauthorized(_)) => return Err(failure),
        Err(failure @ Failure::Forbidden(_)) => Configuration::Unread(Unread {
            closed_by: DANGER.to_owned(),
            rule: Some(rbac::node_proxy()),
            ..Unread::because(&failure)
        }),
        Err(failure) => Configuration::Unread(Unread::because(&failure)),
    };
    Ok(Answer { anonymous: None, configuration })
}

/// One kubelet's configuration and its size; none when the node is gone.
async fn get_through_proxy(
    server: &Server,
    node: &str,
    bounds: Bounds,
) -> Result<Option<(KubeletConfiguration, u64)>, Failure> {
    if !is_name(node) {
        return Err(Failure::Malformed("the node has a name that is none".to_owned()));
    }
    match server.get(&format!("/api/v1/nodes/{node}/proxy/configz"), bounds).await {
        Ok(body) => configuration(&body).map(|found| Some((found, body.len() as u64))),
        Err(Failure::NotFound(words)) => match is_gone(server, node, bounds).await {
            Ok(true) => Ok(None),
            Err(failure @ Failure::Unauthorized(_)) => Err(failure),
            _ => Err(no_configz(&words)),
        },
        // The proxy hands on what the kubelet answers: this is about the API server's credentials, not about ours.
        Err(Failure::Unauthorized(words)) => Err(refused_by_kubelet(401, &words)),
        Err(Failure::Forbidden(words)) if words.starts_with("Forbidden (user=") => {
            Err(refused_by_kubelet(403, &words))
        }
        Err(failure) => Err(failure),
    }
}

/// Whether a node's name may become part of a path.
fn is_name(node: &str) -> bool {
    !node.is_empty()
        && node.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'))
        && !node.contains("..")
}

pub(super) fn no_configz(words: &str) -> Failure {
    Failure::NotFound(format!(
        "the kubelet does not serve /configz, as with enableDebuggingHandlers: false: {words}"
    ))
}

fn refused_by_kubelet(code: u16, words: &str) -> Failure {
    let words = format!("the kubelet does not let the API server in: {words}");
    Failure::Status { code, words, retry_after: None }
}

/// Lists the one node, so that `list` stays the only grant on nodes.
pub(super) async fn is_gone(server: &Server, node: &str, bounds: Bounds) -> Result<bool, Failure> {
    if !is_name(node) {
        return Ok(false);
    }
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

pub(super) fn configuration(body: &[u8]) -> Result<KubeletConfiguration, Failure> {
    let configz: Configz =
        serde_json::from_slice(body).map_err(|error| Failure::Malformed(malformed::json(&error)))?;
    Ok(configz.kubeletconfig)
}
