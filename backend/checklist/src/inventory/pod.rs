//! Pods, reduced to what items read.

use super::meta::null_is_default;
use super::{Labels, ObjectMeta};
use serde::Deserialize;
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
    /// The address families of its addresses.
    pub ip_families: IpFamilies,
}

impl Pod {
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

/// What items read of a pod's spec. `nodeName` and the volumes that differ between replicas are not in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct PodSpec {
    /// Init containers, sidecars among them.
    pub init_containers: Vec<Container>,
    /// Containers.
    pub containers: Vec<Container>,
    /// Ephemeral containers.
    pub ephemeral_containers: Vec<Container>,
    /// The pod's security context.
    pub security_context: PodSecurityContext,
    /// Whether the pod shares the node's network.
    pub host_network: bool,
    /// Whether the pod uses the node's user namespace; unset means that it does.
    pub host_users: Option<bool>,
    /// Whether it says that it is for Windows, by `os` or node selector.
    pub windows: bool,
    /// AppArmor profiles by container, from the older annotation.
    pub apparmor_annotations: Vec<(String, String)>,
}

/// What items read of a container.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// The name.
    #[serde(default, deserialize_with = "null_is_default")]
    pub name: String,
    /// The image.
    #[serde(default, deserialize_with = "null_is_default")]
    pub image: String,
    /// The command; kept for system namespaces alone.
    #[serde(default, deserialize_with = "null_is_default")]
    pub command: Vec<String>,
    /// The arguments; kept for system namespaces alone.
    #[serde(default, deserialize_with = "null_is_default")]
    pub args: Vec<String>,
    /// Environment variables; kept for control-plane components alone.
    #[serde(default, deserialize_with = "null_is_default")]
    pub env: Vec<EnvironmentVariable>,
    /// The security context.
    #[serde(default, deserialize_with = "null_is_default")]
    pub security_context: SecurityContext,
}

/// An environment variable of a control-plane component.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
pub struct EnvironmentVariable {
    /// The name.
    #[serde(default)]
    pub name: String,
    /// The value; none where it comes from elsewhere.
    #[serde(default)]
    pub value: Option<String>,
}

/// What items read of a container's security context.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecurityContext {
    /// Whether the container has the host's privileges.
    #[serde(default)]
    pub privileged: Option<bool>,
    /// Whether the root filesystem is read-only.
    #[serde(default)]
    pub read_only_root_filesystem: Option<bool>,
    /// Whether the kubelet refuses to run it as root.
    #[serde(default)]
    pub run_as_non_root: Option<bool>,
    /// The user that it runs as.
    #[serde(default)]
    pub run_as_user: Option<i64>,
    /// The seccomp profile.
    #[serde(default)]
    pub seccomp_profile: Option<SeccompProfile>,
    /// The AppArmor profile.
    #[serde(default)]
    pub app_armor_profile: Option<AppArmorProfile>,
}

/// What items read of a pod's security context.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodSecurityContext {
    /// For all containers that do not say otherwise.
    #[serde(default)]
    pub run_as_non_root: Option<bool>,
    /// For all containers that do not say otherwise.
    #[serde(default)]
    pub run_as_user: Option<i64>,
    /// For all containers that do not say otherwise.
    #[serde(default)]
    pub seccomp_profile: Option<SeccompProfile>,
    /// For all containers that do not say otherwise.
    #[serde(default)]
    pub app_armor_profile: Option<AppArmorProfile>,
}

/// A seccomp profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
pub struct SeccompProfile {
    /// `RuntimeDefault`, `Localhost` or `Unconfined`.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// An AppArmor profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Deserialize)]
pub struct AppArmorProfile {
    /// `RuntimeDefault`, `Localhost` or `Unconfined`.
    #[serde(rename = "type", default)]
    pub kind: String,
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

/// A pod's spec as the API has it.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawPodSpec {
    #[serde(default, deserialize_with = "null_is_default")]
    node_name: String,
    #[serde(default, deserialize_with = "null_is_default")]
    init_containers: Vec<Container>,
    #[serde(default, deserialize_with = "null_is_default")]
    containers: Vec<Container>,
    #[serde(default, deserialize_with = "null_is_default")]
    ephemeral_containers: Vec<Container>,
    #[serde(default, deserialize_with = "null_is_default")]
    security_context: PodSecurityContext,
    #[serde(default, deserialize_with = "null_is_default")]
    host_network: bool,
    #[serde(default)]
    host_users: Option<bool>,
    #[serde(default)]
    os: Option<RawOs>,
    #[serde(default, deserialize_with = "null_is_default")]
    node_selector: Labels,
}

#[derive(Deserialize, Default)]
struct RawOs {
    #[serde(default)]
    name: String,
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
        let mut families = IpFamilies::default();
        for address in &status.pod_ips {
            families.v6 |= address.ip.contains(':');
            families.v4 |= address.ip.contains('.');
        }
        let user_ids = status
            .container_statuses
            .iter()
            .chain(&status.init_container_statuses)
            .filter_map(|status| Some((status.name.clone(), status.user.as_ref()?.linux.as_ref()?.uid)))
            .collect();
        let running_ephemeral = status
            .ephemeral_container_statuses
            .into_iter()
            .filter(|status| status.state.running.is_some())
            .map(|status| status.name)
            .collect();
        let keep = Keep::of(&metadata);
        let node_name = spec.node_name.clone();
        let annotations = metadata.annotations.clone();
        Pod {
            spec: Arc::new(spec.reduce(&annotations, keep)),
            meta: metadata,
            node_name,
            phase: status.phase,
            running_ephemeral,
            user_ids,
            ip_families: families,
        }
    }
}

/// What is kept of commands and environments: they may hold credentials and are read for system components alone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Nothing,
    Commands,
    CommandsAndEnvironment,
}

impl Keep {
    pub(super) fn of(meta: &ObjectMeta) -> Self {
        if Component::of(&meta.namespace, &meta.labels).is_some() {
            Keep::CommandsAndEnvironment
        } else if meta.namespace == "kube-system" {
            Keep::Commands
        } else {
            Keep::Nothing
        }
    }
}

impl RawPodSpec {
    pub(super) fn reduce(self, annotations: &Labels, keep: Keep) -> PodSpec {
        let reduce = |mut containers: Vec<Container>| {
            for container in &mut containers {
                if keep == Keep::Nothing {
                    container.command = Vec::new();
                    container.args = Vec::new();
                }
                if keep != Keep::CommandsAndEnvironment {
                    container.env = Vec::new();
                }
            }
            containers
        };
        PodSpec {
            windows: self.os.is_some_and(|os| os.name == "windows")
                || self.node_selector.get("kubernetes.io/os").is_some_and(|os| os == "windows"),
            init_containers: reduce(self.init_containers),
            containers: reduce(self.containers),
            ephemeral_containers: reduce(self.ephemeral_containers),
            security_context: self.security_context,
            host_network: self.host_network,
            host_users: self.host_users,
            apparmor_annotations: annotations
                .iter()
                .filter_map(|(name, profile)| {
                    let container = name.strip_prefix("container.apparmor.security.beta.kubernetes.io/")?;
                    Some((container.to_owned(), profile.clone()))
                })
                .collect(),
        }
    }
}
