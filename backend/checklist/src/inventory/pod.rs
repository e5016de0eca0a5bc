//! Pods, reduced to what items read.

use super::meta::null_is_default;
use super::raw_pod_spec::{Keep, RawPodSpec};
use super::{Labels, ObjectMeta, PodSpec};
use crate::image_reference::ImageReference;
use serde::Deserialize;
use std::net::IpAddr;
use std::sync::Arc;

/// A pod.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "RawPod")]
pub struct Pod {
    /// Its metadata.
    pub meta: ObjectMeta,
    /// Its spec; shared between replicas.
    pub spec: Arc<PodSpec>,
    /// The node that it was scheduled to; empty before that.
    pub node_name: String,
    /// Its phase.
    pub phase: PodPhase,
    /// The ephemeral containers that run.
    pub running_ephemeral: Vec<String>,
    /// The user that a container really runs as, where the runtime reports it.
    pub user_ids: Vec<(String, i64)>,
    /// By container, the repository that its `imageID` names, where that is another than its image's.
    pub other_repositories: Vec<(String, String)>,
    /// Its addresses.
    pub ips: Vec<IpAddr>,
}

impl Pod {
    /// The address families of its addresses.
    pub fn ip_families(&self) -> IpFamilies {
        IpFamilies { v4: self.ips.iter().any(IpAddr::is_ipv4), v6: self.ips.iter().any(IpAddr::is_ipv6) }
    }

    /// Which control-plane component it runs.
    pub fn component(&self) -> Option<Component> {
        Component::of(&self.meta.namespace, &self.meta.labels)
    }

    /// Whether it is neither completed nor failed.
    pub fn is_active(&self) -> bool {
        !matches!(self.phase, PodPhase::Succeeded | PodPhase::Failed)
    }

    /// Whether the kubelet runs it from a file and the API server only mirrors it.
    pub fn is_mirror(&self) -> bool {
        self.meta.annotations.contains_key("kubernetes.io/config.mirror")
    }
}

/// A component of the control plane that runs as a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Component {
    /// etcd.
    Etcd,
    /// kube-apiserver.
    ApiServer,
}

impl Component {
    /// The component that a pod runs, by the labels of kubeadm, RKE2, OpenShift and kops.
    pub fn of(namespace: &str, labels: &Labels) -> Option<Component> {
        let label = |name: &str| labels.get(name).map_or("", String::as_str);
        match namespace {
            "kube-system" => match label("component") {
                "etcd" => Some(Component::Etcd),
                "kube-apiserver" => Some(Component::ApiServer),
                _ if label("k8s-app").starts_with("etcd-manager-") => Some(Component::Etcd),
                _ if label("k8s-app") == "kube-apiserver" => Some(Component::ApiServer),
                _ => None,
            },
            "openshift-etcd" if label("etcd") == "true" => Some(Component::Etcd),
            "openshift-kube-apiserver" if label("apiserver") == "true" => Some(Component::ApiServer),
            _ => None,
        }
    }

    /// The name of its program.
    pub const fn program(self) -> &'static str {
        match self {
            Component::Etcd => "etcd",
            Component::ApiServer => "kube-apiserver",
        }
    }
}

/// The phase of a pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
pub enum PodPhase {
    /// Accepted, not running yet; also what a manifest has.
    #[default]
    Pending,
    /// Running.
    Running,
    /// All containers ended well.
    Succeeded,
    /// All containers ended, not all well.
    Failed,
    /// The node does not answer.
    #[serde(other)]
    Unknown,
}

/// Which address families pods use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IpFamilies {
    /// IPv4 was seen.
    pub v4: bool,
    /// IPv6 was seen.
    pub v6: bool,
}

#[derive(Deserialize)]
struct RawPod {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: RawPodSpec,
    #[serde(default, deserialize_with = "null_is_default")]
    status: RawPodStatus,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct RawPodStatus {
    #[serde(default, deserialize_with = "null_is_default")]
    phase: PodPhase,
    #[serde(default, rename = "podIPs", deserialize_with = "null_is_default")]
    pod_ips: Vec<RawIp>,
    #[serde(default, deserialize_with = "null_is_default")]
    container_statuses: Vec<RawContainerStatus>,
    #[serde(default, deserialize_with = "null_is_default")]
    init_container_statuses: Vec<RawContainerStatus>,
    #[serde(default, deserialize_with = "null_is_default")]
    ephemeral_container_statuses: Vec<RawContainerStatus>,
}

#[derive(Deserialize, Default)]
struct RawIp {
    #[serde(default)]
    ip: String,
}

#[derive(Deserialize, Default)]
struct RawContainerStatus {
    #[serde(default)]
    name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    state: RawContainerState,
    #[serde(default)]
    user: Option<RawContainerUser>,
    #[serde(default, rename = "imageID")]
    image_id: Option<String>,
}

#[derive(Deserialize, Default)]
struct RawContainerState {
    #[serde(default)]
    running: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
struct RawContainerUser {
    #[serde(default)]
    linux: Option<RawLinuxUser>,
}

#[derive(Deserialize, Default)]
struct RawLinuxUser {
    #[serde(default)]
    uid: i64,
}

impl From<RawPod> for Pod {
    fn from(raw: RawPod) -> Self {
        let RawPod { metadata, spec, status } = raw;
        let ips = status.pod_ips.iter().filter_map(|address| address.ip.parse().ok()).collect();
        let user_ids = status
            .container_statuses
            .iter()
            .chain(&status.init_container_statuses)
            .filter_map(|status| Some((status.name.clone(), status.user.as_ref()?.linux.as_ref()?.uid)))
            .collect();
        let keep = Keep::of(&metadata);
        let node_name = spec.node_name().to_owned();
        let annotations = metadata.annotations.clone();
        let spec = spec.reduce(&annotations, keep);
        let other_repositories = other_repositories(&spec, &status);
        let running_ephemeral = status
            .ephemeral_container_statuses
            .into_iter()
            .filter(|status| status.state.running.is_some())
            .map(|status| status.name)
            .collect();
        Pod {
            spec: Arc::new(spec),
            meta: metadata,
            node_name,
            phase: status.phase,
            running_ephemeral,
            user_ids,
            other_repositories,
            ips,
        }
    }
}

fn other_repositories(spec: &PodSpec, status: &RawPodStatus) -> Vec<(String, String)> {
    let lists = [
        (&spec.containers, &status.container_statuses),
        (&spec.init_containers, &status.init_container_statuses),
        (&spec.ephemeral_containers, &status.ephemeral_container_statuses),
    ];
    lists
        .into_iter()
        .flat_map(|(containers, statuses)| statuses.iter().map(move |status| (containers, status)))
        .filter_map(|(containers, status)| {
            let image = &containers.iter().find(|container| container.name == status.name)?.image;
            let other = other_repository(image, status.image_id.as_deref()?)?;
            Some((status.name.clone(), other))
        })
        .collect()
}

/// The repository of an `imageID`, where it is another than the image's. A bare digest names none.
fn other_repository(image: &str, image_id: &str) -> Option<String> {
    let id = image_id.strip_prefix("docker-pullable://").unwrap_or(image_id);
    let (name, _) = id.split_once('@')?;
    // Most are written alike, and there are as many as containers.
    if image.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '@'])) {
        return None;
    }
    let (image, of_id): (ImageReference, ImageReference) = (image.parse().ok()?, id.parse().ok()?);
    let repository =
        |reference: &ImageReference| format!("{}/{}", reference.registry(), reference.repository());
    (repository(&image) != repository(&of_id)).then(|| repository(&of_id))
}
